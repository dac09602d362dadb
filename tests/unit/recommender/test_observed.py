"""What a recommender's status and its latest update say about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender.model.observed import Observed, Phase, Update


@pytest.mark.parametrize("status", ["CREATE", "STOP", "START", "DELETE"])
@pytest.mark.parametrize("stage", ["PENDING", "IN_PROGRESS", "IN PROGRESS"])
def test_every_spelling_of_a_transition_is_one_phase(status: str, stage: str) -> None:
    assert Phase.of(f"{status} {stage}") is Phase.of(f"{status} PENDING")
    assert Phase.of(f"{status} {stage}") not in (Phase.UNKNOWN, Phase.ACTIVE, Phase.INACTIVE)


@pytest.mark.parametrize("status", ["", "MIGRATING", "RESIZE PENDING", "RESIZE IN_PROGRESS"])
def test_a_status_that_no_list_has_is_unknown(status: str) -> None:
    assert Phase.of(status) is Phase.UNKNOWN


@given(st.text())
def test_no_unknown_status_counts_as_settled(status: str) -> None:
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
def test_a_status_that_says_so_is_a_failure(status: str) -> None:
    assert Phase.of(status) is FAILURES[status]
    assert Phase.of(status).has_failed


@pytest.mark.parametrize("phase", set(Phase) - {Phase.CREATE_FAILED, Phase.FAILED})
def test_no_other_phase_is_one(phase: Phase) -> None:
    assert not phase.has_failed


UNDER_WAY, ENDED, FAILED = (
    Update(status, {}, created=1.0) for status in ("CREATE IN_PROGRESS", "ACTIVE", "CREATE FAILED")
)


def observed(status: str, update: Update | None = None) -> Observed:
    return Observed("arn", status, "group", "recipe", latest_update=update)


def test_an_update_is_under_way_or_has_ended_well_or_in_failure() -> None:
    assert (UNDER_WAY.under_way, UNDER_WAY.failed) == (True, False)
    assert (ENDED.under_way, ENDED.failed) == (False, False)
    assert (FAILED.under_way, FAILED.failed) == (False, True)


SETTLED: dict[str, tuple[Observed, bool, str]] = {
    "active": (observed("ACTIVE"), True, "ACTIVE"),
    "stopped": (observed("INACTIVE"), True, "INACTIVE"),
    "updated": (observed("ACTIVE", ENDED), True, "ACTIVE"),
    "not updated": (observed("ACTIVE", FAILED), True, "ACTIVE"),
    "training": (observed("CREATE PENDING"), False, "CREATE PENDING"),
    "failed": (observed("CREATE FAILED"), False, "CREATE FAILED"),
    "no status": (observed(""), False, "without a status"),
    "being updated": (
        observed("ACTIVE", UNDER_WAY),
        False,
        "being updated (CREATE IN_PROGRESS)",
    ),
    "being stopped while updated": (observed("STOP PENDING", UNDER_WAY), False, "STOP PENDING"),
}


@pytest.mark.parametrize("row", SETTLED)
def test_a_recommender_is_settled_when_nothing_is_under_way_and_says_what_is(row: str) -> None:
    there, settled, says = SETTLED[row]

    assert there.is_stable is settled
    assert there.description == says


def test_a_failure_has_the_services_reason_or_says_that_there_is_none() -> None:
    assert Update("CREATE FAILED", {}, 1.0, "too little data").reason == "too little data."
    assert FAILED.reason == "Personalize gave no reason."
    assert Observed("a", "FAILED", "g", "r", failure_reason="no data!").reason == "no data!"
    assert observed("FAILED").reason == "Personalize gave no reason."
