"""The situation of a decision, and the wait for late changes in it (pure)."""

import math
from dataclasses import dataclass
from typing import Final

from ..model.operation import Operation
from .verdict import Verdict, Wait

UNSEEN: Final = Wait("an earlier change may not show yet", unseen=True)


_NOT_FENCED: Final = Operation("", "")


@dataclass(frozen=True)
class Situation:
    """The input of a decision besides the expected and the observed state.

    Attributes:
        operation: the stack's operation that sent the request; empty for a request without fence.
        began: if a training or an update failed after this time (epoch seconds), it may have failed
            in this operation: its reason is reported, and it is not begun again.
        may_show_late: whether a change made just before may not show yet.
        attempted_before: whether this request has been attempted before.
        now: the time of this attempt (epoch seconds).
        updated_after: if an update of this request was accepted, it is newer than this (epoch
            seconds, the service's clock).
    """

    operation: Operation = _NOT_FENCED
    began: float = math.inf
    may_show_late: bool = False
    attempted_before: bool = False
    now: float = 0.0
    updated_after: float | None = None


def unless_late(verdict: Verdict, situation: Situation) -> Verdict:
    """Return the verdict that ends a request, or a wait while an earlier change may show late.

    An Update in a rollback waits for the changes of the Update that it reverses; any other does not
    wait. A Delete of the recommender waits for its Create. If a creation is rolled back, the last
    sweep waits instead, since CloudFormation may send no Delete at all.
    """
    return UNSEEN if situation.may_show_late else verdict
