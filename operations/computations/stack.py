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
"""A stack with one of these statuses can only be deleted, or is."""
AT_REST: Final = frozenset(
    {
        "CREATE_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
    }
)
"""Nothing is under way or has to be mended, and a deployment updates the stack."""
REVIEW: Final = "REVIEW_IN_PROGRESS"
"""A change set exists for a stack that does not exist otherwise."""


@dataclass(frozen=True)
class Stack:
    """A stack as DescribeStacks shows it; `updated` is ISO 8601, or empty."""

    id: str
    name: str
    status: str
    updated: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    is_protected: bool = False
    """Whether termination protection is on."""

    @property
    def region(self) -> str:
        """Its region."""
        return Arn.parse(self.id).region

    @property
    def operation(self) -> Operation:
        """Its operation, as the functions know it; a deletion that has ended has no time."""
        return Operation(self.status, "" if self.status == DELETED else self.updated)

    @property
    def is_under_way(self) -> bool:
        """Whether an operation is under way."""
        return self.status.endswith("_IN_PROGRESS") and self.status != REVIEW

    @property
    def is_being_removed(self) -> bool:
        """Whether it is being deleted, or its creation is being rolled back."""
        return self.operation.removes_the_stack

    @property
    def needs_nothing(self) -> bool:
        """Whether it needs no recommender any more, although its template has one."""
        return self.is_being_removed or self.status in TO_BE_DELETED

    @property
    def is_stuck(self) -> bool:
        """Whether its removal has failed, so that its functions may be gone and cannot help."""
        return self.status in (DELETE_FAILED, "ROLLBACK_FAILED")

    @property
    def is_cleaning_up(self) -> bool:
        """Whether its operation is decided, and only replaced resources are being deleted."""
        return "CLEANUP" in self.status

    @property
    def failure(self) -> str:
        """How its operation has failed, or nothing."""
        if self.status.endswith("FAILED"):
            return "the last operation has failed"
        if "ROLLBACK" not in self.status:
            return ""
        if self.is_under_way:
            return "the operation is being rolled back"
        return "the last operation was rolled back"


@dataclass(frozen=True)
class Event:
    """An event of a stack; `time` is in epoch seconds."""

    time: float
    stack_id: str
    logical_id: str
    physical_id: str
    status: str
    reason: str = ""

    @property
    def is_of_the_stack(self) -> bool:
        """Whether it is an event of the stack itself, and of none of its resources."""
        return self.physical_id == self.stack_id


@dataclass(frozen=True)
class Resource:
    """A resource of a stack."""

    logical_id: str
    physical_id: str
    type: str
    status: str

    @property
    def exists(self) -> bool:
        """Whether the stack still has it."""
        return self.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")


def latest_operation(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the events of the latest operation, with its rollback; all are newest first."""
    for event in events:
        yield event
        if event.is_of_the_stack and event.status in _BEGINNINGS:
            return


def status_since(events: Iterable[Event]) -> float | None:
    """Return since when (epoch seconds) the stack has its status, or None if no event says it."""
    return next((event.time for event in events if event.is_of_the_stack), None)


def events_of_status(events: Sequence[Event]) -> list[Event]:
    """Return the events since the stack has entered its present status, newest first."""
    began = status_since(events)
    return [] if began is None else [event for event in events if event.time >= began]


def failures(events: Sequence[Event]) -> list[Event]:
    """Return the failures of an operation, oldest first, without those of cancelled resources.

    The stack's own event lists the failed resources, so it counts only if it is the only one.
    """
    failed = [
        event
        for event in reversed(events)
        if event.status.endswith("FAILED") and not event.reason.endswith("cancelled")
    ]
    return [event for event in failed if not event.is_of_the_stack] or failed


def has_succeeded(attached_to: str, ended_as: str) -> bool:
    """Tell whether an operation has reached its purpose.

    Args:
        attached_to: the stack's status at the first poll.
        ended_as: its status now that nothing is under way.
    """
    if ended_as == DELETED:
        return attached_to in ("DELETE_IN_PROGRESS", DELETED)
    return ended_as in _SUCCESSES
