"""The operation of a stack says which requests it sends, and whether the stack goes."""

from datetime import UTC, datetime

import pytest

from lambdas.recommender.model.operation import Operation, RequestType

C, U, D = RequestType.CREATE, RequestType.UPDATE, RequestType.DELETE

SENT: dict[str, set[RequestType]] = {
    "REVIEW_IN_PROGRESS": set(),
    "CREATE_IN_PROGRESS": {C},
    "CREATE_COMPLETE": set(),
    "CREATE_FAILED": set(),
    "ROLLBACK_IN_PROGRESS": {D},
    "ROLLBACK_COMPLETE": set(),
    "UPDATE_IN_PROGRESS": {C, U, D},
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": {D},
    "UPDATE_COMPLETE": set(),
    "UPDATE_FAILED": set(),
    "UPDATE_ROLLBACK_IN_PROGRESS": {C, U, D},
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": {D},
    "UPDATE_ROLLBACK_COMPLETE": set(),
    "UPDATE_ROLLBACK_FAILED": set(),
    "DELETE_IN_PROGRESS": {D},
    "DELETE_COMPLETE": set(),
    "DELETE_FAILED": set(),
    "IMPORT_IN_PROGRESS": {C},
}


@pytest.mark.parametrize("status", SENT)
def test_a_request_that_the_operation_does_not_send_came_late(status: str) -> None:
    assert {kind for kind in RequestType if Operation(status, "").sends(kind)} == SENT[status]


@pytest.mark.parametrize("status", SENT)
def test_the_stack_goes_when_it_is_deleted_or_its_creation_rolled_back(status: str) -> None:
    goes = status in ("DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS")

    assert Operation(status, "").removes_the_stack is goes


@pytest.mark.parametrize("status", SENT)
def test_a_roll_back_undoes_a_creation_or_an_update(status: str) -> None:
    operation = Operation(status, "")

    assert operation.undoes_the_creation is (status == "ROLLBACK_IN_PROGRESS")
    assert operation.rolls_back is (status == "UPDATE_ROLLBACK_IN_PROGRESS")


def test_an_operation_began_when_the_stack_was_updated_last() -> None:
    updated = datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)

    assert Operation("UPDATE_IN_PROGRESS", updated.isoformat()).began == updated.timestamp()
    assert Operation("CREATE_IN_PROGRESS", "").began == 0.0
