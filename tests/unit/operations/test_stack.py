import pytest

from operations.stack import failures, has_succeeded, latest_operation, phase, since

from .examples import STACK_ID, events, stack

UPDATE = events(
    "1 TopPicks CREATE_IN_PROGRESS",
    "2 TopPicks CREATE_COMPLETE",
    "3 TopPicks UPDATE_IN_PROGRESS",
    "4 Gate1 UPDATE_FAILED too few",
    "4 Gate2 UPDATE_FAILED Resource update cancelled",
    "5 TopPicks UPDATE_ROLLBACK_IN_PROGRESS The following failed: Gate1",
    "6 Gate1 UPDATE_IN_PROGRESS",
)


@pytest.mark.parametrize(
    ("attached_to", "ended_as", "expected"),
    [
        ("CREATE_IN_PROGRESS", "CREATE_COMPLETE", True),
        ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", True),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE", True),
        ("IMPORT_IN_PROGRESS", "IMPORT_COMPLETE", True),
        ("DELETE_IN_PROGRESS", "DELETE_COMPLETE", True),
        ("DELETE_COMPLETE", "DELETE_COMPLETE", True),
        ("CREATE_IN_PROGRESS", "DELETE_COMPLETE", False),
        ("ROLLBACK_IN_PROGRESS", "DELETE_COMPLETE", False),
        ("CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE", False),
        ("CREATE_IN_PROGRESS", "CREATE_FAILED", False),
        ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", False),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", False),
        ("DELETE_IN_PROGRESS", "DELETE_FAILED", False),
        ("IMPORT_IN_PROGRESS", "IMPORT_ROLLBACK_COMPLETE", False),
    ],
)
def test_an_outcome(attached_to: str, ended_as: str, expected: bool) -> None:
    assert has_succeeded(attached_to, ended_as) is expected


@pytest.mark.parametrize(
    ("status", "under_way", "removed", "cleaning", "failed"),
    [
        ("REVIEW_IN_PROGRESS", False, False, False, False),
        ("CREATE_IN_PROGRESS", True, False, False, False),
        ("CREATE_COMPLETE", False, False, False, False),
        ("CREATE_FAILED", False, False, False, True),
        ("ROLLBACK_IN_PROGRESS", True, True, False, True),
        ("DELETE_IN_PROGRESS", True, True, False, False),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", True, False, True, False),
        ("UPDATE_ROLLBACK_IN_PROGRESS", True, False, False, True),
        ("UPDATE_ROLLBACK_COMPLETE", False, False, False, True),
    ],
)
def test_what_a_status_says(
    status: str, under_way: bool, removed: bool, cleaning: bool, failed: bool
) -> None:
    one = stack(status)
    assert (one.is_under_way, one.is_being_removed, one.is_cleaning_up, one.has_failed) == (
        under_way,
        removed,
        cleaning,
        failed,
    )


def test_an_operation_goes_back_to_its_beginning_and_a_phase_to_its_own() -> None:
    operation = list(latest_operation(UPDATE, STACK_ID))
    assert [event.time for event in operation] == [6, 5, 4, 4, 3]
    assert [event.time for event in phase(operation, STACK_ID)] == [6, 5]
    assert since(operation, STACK_ID) == 5
    assert phase([], STACK_ID) == []
    assert list(latest_operation([], STACK_ID)) == []


def test_what_failed_is_shown_without_what_was_cancelled() -> None:
    assert [event.reason for event in failures(UPDATE, STACK_ID)] == ["too few"]
    refused = events("1 TopPicks UPDATE_IN_PROGRESS", "2 TopPicks UPDATE_FAILED no permission")
    assert [event.reason for event in failures(refused, STACK_ID)] == ["no permission"]
