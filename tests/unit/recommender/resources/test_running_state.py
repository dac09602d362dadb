"""The stop, and the hours of service."""

import pytest

from lambdas.recommender.decision.verdict import Fail, Wait

from ..examples import CREATES, MINE, UPDATES, hours, stop
from ..fakes import FakePersonalize
from .examples import RESTING, WORKING, mine, operations, verdict_of


def test_stop_of_an_active_recommender_stops_it_and_waits() -> None:
    personalize = mine("ACTIVE")

    verdict = verdict_of(stop(), personalize, UPDATES)

    assert verdict == Wait(f"StopRecommender of {MINE} is accepted")
    assert personalize.changes == [("StopRecommender", MINE)]


@pytest.mark.parametrize(
    ("now", "status", "changes"),
    [
        (WORKING, "INACTIVE", ["StartRecommender"]),
        (RESTING, "ACTIVE", ["StopRecommender"]),
        (WORKING, "ACTIVE", []),
        (RESTING, "INACTIVE", []),
    ],
)
def test_hours_start_or_stop_the_recommender_as_the_time_of_the_attempt_says(
    now: float, status: str, changes: list[str]
) -> None:
    personalize = mine(status)

    verdict_of(hours(), personalize, CREATES, now=now)

    assert operations(personalize) == changes


def test_stop_of_an_absent_recommender_names_it() -> None:
    verdict = verdict_of(stop(), FakePersonalize(), UPDATES)

    assert isinstance(verdict, Fail)
    assert verdict.reason.startswith(f"Personalize does not show {MINE}. ")
