"""Which requests an operation of a stack sends, and whether it removes the stack."""

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
def test_operation_sends_only_the_requests_of_its_status(status: str) -> None:
    assert {kind for kind in RequestType if Operation(status, "").sends(kind)} == SENT[status]


@pytest.mark.parametrize("status", SENT)
def test_operation_knows_whether_it_removes_the_stack_or_rolls_back(status: str) -> None:
    operation = Operation(status, "")

    assert operation.removes_the_stack is (status in ("DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"))
    assert operation.undoes_the_creation is (status == "ROLLBACK_IN_PROGRESS")
    assert operation.undoes_an_update is (status == "UPDATE_ROLLBACK_IN_PROGRESS")


def test_operation_began_when_the_stack_was_last_updated() -> None:
    updated = datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)

    assert Operation("UPDATE_IN_PROGRESS", updated.isoformat()).began == updated.timestamp()
    assert Operation("CREATE_IN_PROGRESS", "").began == 0.0
