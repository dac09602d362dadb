"""The situation in which something is decided, and who waits in it for late visibility (pure)."""

import math
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from ..model.operation import Operation
from .verdict import Verdict, Wait

UNSEEN: Final = Wait("an earlier change may not show yet", unseen=True)


_NOT_FENCED: Final = Operation("", "")


@dataclass(frozen=True)
class Situation:
    """What a decision depends on besides the expected and the observed state.

    Attributes:
        operation: the stack's operation that sent the request; none for one that is not fenced.
        began: since when (epoch seconds) a failure counts as one of this operation, so that it is
            not begun again and its reason is not lost.
        may_show_late: whether a change made just before need not show yet.
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


class Ending(Enum):
    """The requests that end only when nothing more of an earlier change can show."""

    UPDATE = auto()
    """Of the recommender, which is as expected."""
    DELETION = auto()
    """Of the recommender, which does not show."""
    LAST_SWEEP = auto()
    """None shows that is the stack's."""


def unless_late(verdict: Verdict, ending: Ending, situation: Situation) -> Verdict:
    """Return the verdict that ends a request, or a wait while an earlier change may show late.

    A rolled back Update waits for the changes of the Update that it takes back; any other is made
    after what it sees. A Delete of the recommender waits for its Create, except where a creation is
    rolled back: there the last sweep waits, since the Delete need not come at all.
    """
    operation = situation.operation
    waits = {
        Ending.UPDATE: operation.rolls_back,
        Ending.DELETION: not operation.undoes_the_creation,
        Ending.LAST_SWEEP: operation.undoes_the_creation,
    }[ending]
    return UNSEEN if waits and situation.may_show_late else verdict
