"""A recommender's phase and description, from its status and its latest update."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender.model.observed import Observed, Phase, Update


@pytest.mark.parametrize("status", ["CREATE", "STOP", "START", "DELETE"])
@pytest.mark.parametrize("stage", ["PENDING", "IN_PROGRESS", "IN PROGRESS"])
def test_phase_is_the_same_for_every_spelling_of_a_transition(status: str, stage: str) -> None:
    assert Phase.of(f"{status} {stage}") is Phase.of(f"{status} PENDING")
    assert Phase.of(f"{status} {stage}") not in (Phase.UNKNOWN, Phase.ACTIVE, Phase.INACTIVE)


@pytest.mark.parametrize("status", ["", "MIGRATING", "RESIZE PENDING", "RESIZE IN_PROGRESS"])
def test_phase_of_an_unlisted_status_is_unknown(status: str) -> None:
    assert Phase.of(status) is Phase.UNKNOWN


@given(st.text())
def test_phase_is_active_or_inactive_only_for_these_two_words(status: str) -> None:
    known = {"ACTIVE": Phase.ACTIVE, "INACTIVE": Phase.INACTIVE}

    assert (Phase.of(status) in known.values()) == (status in known)


FAILURES = {
    "CREATE FAILED": Phase.CREATE_FAILED,
    "CREATE_FAILED": Phase.CREATE_FAILED,
    "STOP FAILED": Phase.FAILED,
    "MIGRATION FAILED": Phase.FAILED,
    "FAILED": Phase.FAILED,
}


@pytest.mark.parametrize("status", FAILURES)
def test_phase_of_a_failed_status_has_failed(status: str) -> None:
    assert Phase.of(status) is FAILURES[status]
    assert Phase.of(status).has_failed


UNDER_WAY, ENDED, FAILED = (
    Update(status, {}, created=1.0) for status in ("CREATE IN_PROGRESS", "ACTIVE", "CREATE FAILED")
)


def observed(status: str, update: Update | None = None) -> Observed:
    return Observed("arn", status, "group", "recipe", latest_update=update)


def test_update_is_under_way_ended_or_failed() -> None:
    assert (UNDER_WAY.under_way, UNDER_WAY.failed) == (True, False)
    assert (ENDED.under_way, ENDED.failed) == (False, False)
    assert (FAILED.under_way, FAILED.failed) == (False, True)


STABLE: dict[str, tuple[Observed, bool, str]] = {
    "active": (observed("ACTIVE"), True, "ACTIVE"),
    "stopped": (observed("INACTIVE"), True, "INACTIVE"),
    "updated": (observed("ACTIVE", ENDED), True, "ACTIVE"),
    "not updated": (observed("ACTIVE", FAILED), True, "ACTIVE"),
    "training": (observed("CREATE PENDING"), False, "CREATE PENDING"),
    "failed": (
        observed("CREATE FAILED"),
        False,
        "CREATE FAILED",
    ),
    "no status": (observed(""), False, "without a status"),
    "being updated": (observed("ACTIVE", UNDER_WAY), False, "being updated (CREATE IN_PROGRESS)"),
    "being stopped while updated": (observed("STOP PENDING", UNDER_WAY), False, "STOP PENDING"),
}


@pytest.mark.parametrize("row", STABLE)
def test_recommender_is_stable_and_described_by_its_status_and_update(row: str) -> None:
    recommender, stable, description = STABLE[row]

    assert recommender.is_stable is stable
    assert recommender.description == description


def test_failure_has_the_reason_of_the_service_or_says_that_it_gave_none() -> None:
    assert Update("CREATE FAILED", {}, 1.0, "too little data").reason == "too little data."
    assert FAILED.reason == "Personalize gave no reason."
    assert Observed("a", "FAILED", "g", "r", failure_reason="no data!").reason == "no data!"
    assert observed("FAILED").reason == "Personalize gave no reason."
