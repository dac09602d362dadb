"""CloudFormation, as this package uses it: read the operation of the stack.

CloudFormation sends a Delete to a sweep that an update merely removes. An execution of a cancelled
deployment goes on polling. DescribeStacks on the stack's own id tells both; it changes nothing and
needs no store of ours.
"""

from typing import Any, Protocol

from ..model.operation import Operation
from .errors import PermanentError, translate_errors


class CloudFormationApi(Protocol):
    """The operations that this package calls, as boto3 names them."""

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803
        """DescribeStacks."""


class Stacks:
    """The stacks of the account and region."""

    def __init__(self, api: CloudFormationApi) -> None:
        self._api = api

    def operation(self, stack_id: str) -> Operation:
        """Return the operation that is under way in a stack, or the last one.

        Raises:
            TransientError: CloudFormation gave no usable answer now.
            PermanentError: CloudFormation refused the call.
        """
        with translate_errors("DescribeStacks"):
            stacks = self._api.describe_stacks(StackName=stack_id)["Stacks"]
            if not stacks:
                raise PermanentError(f"DescribeStacks: the stack {stack_id} does not exist")
            updated = stacks[0].get("LastUpdatedTime")
            return Operation(stacks[0]["StackStatus"], updated.isoformat() if updated else "")
