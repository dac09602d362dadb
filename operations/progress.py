"""Where an operation is, and how long it can take at most (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass

from operations.stack import Event, Stack, phase
from operations.template import Chain, Link


@dataclass(frozen=True)
class Progress:
    """How far one recommender's chain is in the operation that is under way.

    Attributes:
        link: what waits now, or None if none does.
        waited: for how many seconds it has.
        left: after how many seconds it is decided at the latest.
        budget: how many seconds all links may wait together.
    """

    link: Link | None
    waited: float
    left: float
    budget: float

    @property
    def share(self) -> float:
        """How much of the time that there is at most has been spent, 0 to 1."""
        return 1.0 - self.left / self.budget if self.budget else 1.0


def progress(stack: Stack, chain: Chain, events: Sequence[Event], *, now: float) -> Progress | None:
    """Return where an operation is, or None if none is under way, or it is decided.

    Each link waits for its own time at most, then hands over, so that what is left is what is left
    of the link that waits, and all of those after it.

    Args:
        stack: the stack.
        chain: the recommender.
        events: those of the latest operation, newest first.
        now: epoch seconds.
    """
    if not stack.is_under_way or stack.is_cleaning_up:
        return None
    links = chain.deleted if stack.is_being_removed else chain.created
    latest: dict[str, str] = {}
    began: dict[str, float] = {}
    for event in phase(events, stack.id):
        latest.setdefault(event.logical_id, event.status)
        if event.status.endswith("_IN_PROGRESS"):
            began[event.logical_id] = event.time
    reached = max((n for n, link in enumerate(links) if link.logical_id in latest), default=-1)
    following = sum(link.wait for link in links[reached + 1 :])
    budget = sum(link.wait for link in links)
    if reached < 0 or not latest[links[reached].logical_id].endswith("_IN_PROGRESS"):
        return Progress(None, 0.0, following, budget)
    link = links[reached]
    waited = max(0.0, now - began[link.logical_id])
    return Progress(link, waited, max(0.0, link.wait - waited) + following, budget)
