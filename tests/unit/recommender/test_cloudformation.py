"""What CloudFormation says about a stack."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.errors import PermanentError, TransientError
from lambdas.recommender.model.operation import Operation


class AnsweringCloudFormation:
    """Answers one question, about the stack `id`."""

    def __init__(self, *stacks: dict[str, Any]) -> None:
        self._stacks = list(stacks)

    def describe_stacks(self, **asked: object) -> dict[str, Any]:
        assert asked == {"StackName": "id"}
        return {"Stacks": self._stacks}


EARLIER, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def operation(**stack: Any) -> Operation:
    return Stacks(AnsweringCloudFormation(stack)).operation("id")


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
    with pytest.raises(PermanentError, match="the stack id does not exist"):
        Stacks(AnsweringCloudFormation()).operation("id")


@pytest.mark.parametrize("answer", [{}, {"Stacks": [{}]}])
def test_an_answer_without_what_was_asked_for_may_come_later(answer: dict[str, Any]) -> None:
    cloudformation: Any = SimpleNamespace(describe_stacks=lambda **_: answer)

    with pytest.raises(TransientError, match="DescribeStacks: no usable answer"):
        Stacks(cloudformation).operation("id")
