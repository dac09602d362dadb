"""What the stack says about a request: whether it was sent now, and whether the stack goes."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.recommender.errors import PermanentError, TransientError
from lambdas.recommender.events import RequestType
from lambdas.recommender.stack import Operation, Stacks

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


class CloudFormation:
    """Answers one question, about the stack `id`."""

    def __init__(self, *stacks: dict[str, Any]) -> None:
        self._stacks = list(stacks)

    def describe_stacks(self, **asked: object) -> dict[str, Any]:
        assert asked == {"StackName": "id"}
        return {"Stacks": self._stacks}


EARLIER, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def operation(**stack: Any) -> Operation:
    return Stacks(CloudFormation(stack)).operation("id")  # type: ignore[arg-type]


def test_two_operations_of_the_same_status_differ_in_time() -> None:
    first = operation(StackStatus="UPDATE_IN_PROGRESS", LastUpdatedTime=EARLIER)
    second = operation(StackStatus="UPDATE_IN_PROGRESS", LastUpdatedTime=LATER)

    assert first != second
    assert first == operation(StackStatus="UPDATE_IN_PROGRESS", LastUpdatedTime=EARLIER)


def test_a_stack_that_was_never_updated_has_an_operation() -> None:
    assert operation(StackStatus="CREATE_IN_PROGRESS") == Operation("CREATE_IN_PROGRESS", "")


def test_an_operation_knows_when_it_began() -> None:
    assert operation(StackStatus="UPDATE_IN_PROGRESS", LastUpdatedTime=LATER).began == (
        LATER.timestamp()
    )
    assert operation(StackStatus="CREATE_IN_PROGRESS").began == 0.0


def test_a_stack_that_is_not_there_has_none() -> None:
    with pytest.raises(PermanentError, match="id is not there"):
        Stacks(CloudFormation()).operation("id")  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [{}, {"Stacks": [{}]}])
def test_an_answer_without_what_was_asked_for_may_come_later(answer: dict[str, Any]) -> None:
    cloudformation: Any = SimpleNamespace(describe_stacks=lambda **_: answer)

    with pytest.raises(TransientError, match="DescribeStacks: no usable answer"):
        Stacks(cloudformation).operation("id")
