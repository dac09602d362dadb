"""A stack as CloudFormation shows it: its operation, its events, its resources (pure).

Sources: `Stack`, `StackEvent`, `StackResourceSummary` in the CloudFormation API reference.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lambdas.recommender.model.identity import Arn
from lambdas.recommender.model.operation import Operation

_BEGINNINGS: Final = frozenset(
    {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"}
)
_SUCCESSES: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})

DELETED: Final = "DELETE_COMPLETE"
DELETE_FAILED: Final = "DELETE_FAILED"
TO_BE_DELETED: Final = frozenset({DELETED, DELETE_FAILED, "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})
"""All that can be done with a stack in one of these is to delete it, where it is still there."""
REVIEW: Final = "REVIEW_IN_PROGRESS"
"""A change set has been made for a stack that does not exist otherwise."""


@dataclass(frozen=True)
class Stack:
    """What DescribeStacks shows; `updated` is ISO 8601, or empty."""

    id: str
    name: str
    status: str
    updated: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def region(self) -> str:
        """Its region."""
        return Arn.parse(self.id).region

    @property
    def is_under_way(self) -> bool:
        """Whether an operation is under way."""
        return self.status.endswith("_IN_PROGRESS") and self.status != REVIEW

    @property
    def is_being_removed(self) -> bool:
        """Whether it is being deleted, or its creation is being rolled back."""
        return Operation(self.status, self.updated).removes_the_stack

    @property
    def wants_nothing(self) -> bool:
        """Whether it wants no recommender any more, whatever its template says."""
        return self.is_being_removed or self.status in TO_BE_DELETED

    @property
    def is_stuck(self) -> bool:
        """Whether its removal has failed, so that its functions may be gone and cannot help."""
        return self.status in (DELETE_FAILED, "ROLLBACK_FAILED")

    @property
    def is_cleaning_up(self) -> bool:
        """Whether its operation is decided, and only what it replaced is being deleted."""
        return "CLEANUP" in self.status

    @property
    def has_failed(self) -> bool:
        """Whether its operation has failed, or is being undone or was."""
        return self.status.endswith("FAILED") or "ROLLBACK" in self.status

    @property
    def has_come_to(self) -> str:
        """What has become of an operation that has failed, for people."""
        if self.status.endswith("FAILED"):
            return "the last operation has failed"
        if self.is_under_way:
            return "the operation is being rolled back"
        return "the last operation was rolled back"


@dataclass(frozen=True)
class Event:
    """One event of a stack; `time` is in epoch seconds."""

    time: float
    logical_id: str
    physical_id: str
    status: str
    reason: str = ""

    def begins_an_operation(self, stack_id: str) -> bool:
        """Whether an operation begins with it; a rollback belongs to the one before."""
        return self.physical_id == stack_id and self.status in _BEGINNINGS


@dataclass(frozen=True)
class Resource:
    """One resource of a stack."""

    logical_id: str
    physical_id: str
    type: str
    status: str

    @property
    def is_there(self) -> bool:
        """Whether the stack still has it."""
        return self.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")


def latest_operation(events: Iterable[Event], stack_id: str) -> Iterator[Event]:
    """Return the events of the latest operation, with its rollback.

    Args:
        events: the stack's, newest first.
        stack_id: the stack's.
    """
    for event in events:
        yield event
        if event.begins_an_operation(stack_id):
            return


def since(events: Sequence[Event], stack_id: str) -> float | None:
    """Return since when (epoch seconds) the stack has its status, or None if no event says it."""
    return next((event.time for event in events if event.physical_id == stack_id), None)


def phase(events: Sequence[Event], stack_id: str) -> list[Event]:
    """Return the events since the stack has entered its present status, newest first."""
    began = since(events, stack_id)
    return [] if began is None else [event for event in events if event.time >= began]


def failures(events: Sequence[Event], stack_id: str) -> list[Event]:
    """Return what failed in an operation, oldest first, without what merely was cancelled.

    The stack's own event counts up what failed, so it is left out where anything else is there.
    """
    failed = [
        event
        for event in reversed(events)
        if event.status.endswith("FAILED") and not event.reason.endswith("cancelled")
    ]
    return [event for event in failed if event.physical_id != stack_id] or failed


def has_succeeded(attached_to: str, ended_as: str) -> bool:
    """Return whether an operation has come to what it was begun for.

    Args:
        attached_to: the stack's status when it was looked at first.
        ended_as: its status now that nothing is under way.
    """
    if ended_as == DELETED:
        return attached_to in ("DELETE_IN_PROGRESS", DELETED)
    return ended_as in _SUCCESSES
