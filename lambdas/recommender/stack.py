"""What the stack itself says about the operation that is under way.

CloudFormation sends a Delete to a sweep that an update merely removes, and a waiter of a cancelled
deployment goes on polling (aws-cdk issue 31541). Only the stack knows better: DescribeStacks on the
stack's own id, which changes nothing and needs no store of ours.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .errors import PermanentError, sorted_errors
from .events import RequestType

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient

_BEING_REMOVED = frozenset({"DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"})
_ONLY_CREATING = frozenset({"CREATE_IN_PROGRESS", "IMPORT_IN_PROGRESS"})


@dataclass(frozen=True)
class Operation:
    """One operation of a stack: a later one has another status or another time.

    Two deletions may look the same, and ask for the same.

    Source: ``Stack.StackStatus`` and ``Stack.LastUpdatedTime`` in the CloudFormation API reference.
    """

    status: str
    last_updated: str
    """ISO 8601; empty in a stack that was never updated. A rollback has that of its update."""

    @property
    def began(self) -> float:
        """When it began, in epoch seconds; 0 for a creation: nothing was owned before."""
        if not self.last_updated:
            return 0.0
        return datetime.fromisoformat(self.last_updated).timestamp()

    @property
    def removes_the_stack(self) -> bool:
        """Whether the stack is being deleted, or its creation is being rolled back."""
        return self.status in _BEING_REMOVED

    @property
    def undoes_the_creation(self) -> bool:
        """Whether the stack's creation is being rolled back."""
        return self.status == "ROLLBACK_IN_PROGRESS"

    @property
    def rolls_back(self) -> bool:
        """Whether an update of the stack is being rolled back."""
        return self.status == "UPDATE_ROLLBACK_IN_PROGRESS"

    def sends(self, request: RequestType) -> bool:
        """Whether CloudFormation sends such a request in this operation.

        A request that it does not send is a late delivery of an earlier one. Nothing is sent to a
        stack at rest or under review, nothing is created or changed while a stack is being removed
        or cleaned up, and nothing is changed or deleted while one is being created. An update does
        delete, besides in its clean-up, what failed before without being rolled back
        (CloudFormation User Guide, "Choose how to handle failures when provisioning resources").
        """
        if not self.status.endswith("_IN_PROGRESS") or self.status == "REVIEW_IN_PROGRESS":
            return False
        if request is not RequestType.CREATE and self.status in _ONLY_CREATING:
            return False
        return request is RequestType.DELETE or not (
            self.removes_the_stack or "CLEANUP" in self.status
        )


class Stacks:
    """CloudFormation, as this package uses it."""

    def __init__(self, client: "CloudFormationClient") -> None:
        self._client = client

    def operation(self, stack_id: str) -> Operation:
        """Return the operation that is under way in a stack, or the last one.

        Raises:
            TransientError: CloudFormation gave no usable answer now.
            PermanentError: it refused one.
        """
        with sorted_errors("DescribeStacks"):
            stacks = self._client.describe_stacks(StackName=stack_id)["Stacks"]
            if not stacks:
                raise PermanentError(f"DescribeStacks: {stack_id} is not there")
            updated = stacks[0].get("LastUpdatedTime")
            return Operation(stacks[0]["StackStatus"], updated.isoformat() if updated else "")
