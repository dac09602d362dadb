"""The operation of a stack, and the requests that CloudFormation sends in it (pure)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RequestType(StrEnum):
    """The change that CloudFormation requests."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


_BEING_REMOVED = frozenset({"DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"})
_ONLY_CREATING = frozenset({"CREATE_IN_PROGRESS", "IMPORT_IN_PROGRESS"})


@dataclass(frozen=True)
class Operation:
    """One operation of a stack: a later one has another status or another time.

    Two deletions may look the same, but they also want the same state.

    Source: ``Stack.StackStatus`` and ``Stack.LastUpdatedTime`` in the CloudFormation API reference.
    """

    status: str
    last_updated: str
    """ISO 8601, or empty. A rollback has the time of its update. A creation has a time only if a
    change set makes it (snapshots of LocalStack's tests, recorded on AWS)."""

    @property
    def began(self) -> float:
        """The time it began, in epoch seconds; 0 if CloudFormation does not tell it."""
        if not self.last_updated:
            return 0.0
        return datetime.fromisoformat(self.last_updated).timestamp()

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended."""
        return self.status.endswith("_IN_PROGRESS")

    @property
    def removes_the_stack(self) -> bool:
        """Whether the stack is being deleted, or its creation is being rolled back."""
        return self.status in _BEING_REMOVED

    @property
    def undoes_the_creation(self) -> bool:
        """Whether the stack's creation is being rolled back."""
        return self.status == "ROLLBACK_IN_PROGRESS"

    @property
    def undoes_an_update(self) -> bool:
        """Whether an update of the stack is being rolled back."""
        return self.status == "UPDATE_ROLLBACK_IN_PROGRESS"

    def sends(self, request: RequestType) -> bool:
        """Return whether CloudFormation sends such a request in this operation.

        Any other request is a late delivery of an earlier one. CloudFormation sends nothing to a
        stack at rest or under review. It creates and changes nothing while it removes or cleans up
        a stack. It changes and deletes nothing while it creates a stack. Outside its clean-up, an
        update deletes only resources that failed before and were not rolled back
        (CloudFormation User Guide, "Choose how to handle failures when provisioning resources").
        """
        if not self.is_under_way or self.status == "REVIEW_IN_PROGRESS":
            return False
        if request is not RequestType.CREATE and self.status in _ONLY_CREATING:
            return False
        return request is RequestType.DELETE or not (
            self.removes_the_stack or "CLEANUP" in self.status
        )
