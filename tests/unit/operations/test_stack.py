import pytest

from operations.computations.stack import (
    events_of_status,
    failures,
    has_succeeded,
    latest_operation,
    status_since,
)

from .examples import events, stack

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
def test_operation_succeeds_only_if_it_ends_as_it_began(
    attached_to: str, ended_as: str, expected: bool
) -> None:
    assert has_succeeded(attached_to, ended_as) is expected


@pytest.mark.parametrize(
    ("status", "under_way", "removed", "cleaning", "failure"),
    [
        ("REVIEW_IN_PROGRESS", False, False, False, ""),
        ("CREATE_IN_PROGRESS", True, False, False, ""),
        ("CREATE_COMPLETE", False, False, False, ""),
        ("CREATE_FAILED", False, False, False, "the last operation has failed"),
        ("ROLLBACK_IN_PROGRESS", True, True, False, "the operation is being rolled back"),
        ("DELETE_IN_PROGRESS", True, True, False, ""),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", True, False, True, ""),
        ("UPDATE_ROLLBACK_IN_PROGRESS", True, False, False, "the operation is being rolled back"),
        ("UPDATE_ROLLBACK_COMPLETE", False, False, False, "the last operation was rolled back"),
    ],
)
def test_stack_status_tells_the_operation(
    status: str, under_way: bool, removed: bool, cleaning: bool, failure: str
) -> None:
    one = stack(status)
    assert (one.is_under_way, one.is_being_removed, one.is_cleaning_up, one.failure) == (
        under_way,
        removed,
        cleaning,
        failure,
    )


def test_deleted_stack_has_no_time_of_an_earlier_operation() -> None:
    assert stack("UPDATE_COMPLETE", updated="2026-01-01").operation.last_updated == "2026-01-01"
    assert stack("DELETE_COMPLETE", updated="2026-01-01").operation.last_updated == ""


def test_latest_operation_includes_its_rollback_and_a_status_begins_with_its_own_event() -> None:
    operation = list(latest_operation(UPDATE))
    assert [event.time for event in operation] == [6, 5, 4, 4, 3]
    assert [event.time for event in events_of_status(operation)] == [6, 5]
    assert status_since(operation) == 5
    assert events_of_status([]) == list(latest_operation([])) == []


def test_failures_leave_out_cancelled_resources_and_the_stack_unless_it_alone_failed() -> None:
    assert [event.reason for event in failures(UPDATE)] == ["too few"]
    refused = events("1 TopPicks UPDATE_IN_PROGRESS", "2 TopPicks UPDATE_FAILED no permission")
    assert [event.reason for event in failures(refused)] == ["no permission"]
