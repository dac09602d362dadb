"""The operation of a stack, as DescribeStacks shows it."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.errors import PermanentError, TransientError
from lambdas.recommender.model.operation import Operation

EARLIER, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def stacks(answer: dict[str, Any]) -> Stacks:
    """Return the stacks of a CloudFormation with this answer about the stack `id`."""
    cloudformation: Any = SimpleNamespace(
        describe_stacks=lambda *, StackName: {"id": answer}[StackName]
    )
    return Stacks(cloudformation)


def operation(**stack: Any) -> Operation:
    return stacks({"Stacks": [stack]}).operation("id")


def test_operations_with_the_same_status_differ_by_their_time() -> None:
    first = operation(StackStatus="UPDATE_IN_PROGRESS", LastUpdatedTime=EARLIER)
    second = operation(StackStatus="UPDATE_IN_PROGRESS", LastUpdatedTime=LATER)

    assert first != second
    assert first == operation(StackStatus="UPDATE_IN_PROGRESS", LastUpdatedTime=EARLIER)
    assert second.began == LATER.timestamp()


def test_operation_of_a_stack_that_was_never_updated_has_no_time() -> None:
    assert operation(StackStatus="CREATE_IN_PROGRESS") == Operation("CREATE_IN_PROGRESS", "")


def test_operation_of_an_absent_stack_is_a_permanent_error() -> None:
    with pytest.raises(PermanentError, match="the stack id does not exist"):
        stacks({"Stacks": []}).operation("id")


@pytest.mark.parametrize("answer", [{}, {"Stacks": [{}]}])
def test_response_without_a_status_is_a_transient_error(answer: dict[str, Any]) -> None:
    with pytest.raises(TransientError, match="DescribeStacks: no usable answer"):
        stacks(answer).operation("id")
