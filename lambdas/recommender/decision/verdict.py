"""What a plan can answer: a call that changes something, or how things stand (pure data)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from ..model.request import Desired


@dataclass(frozen=True)
class CreateRecommender:
    """Create the recommender that is desired."""

    desired: Desired


@dataclass(frozen=True)
class UpdateRecommender:
    """Give a recommender a configuration.

    Attributes:
        config: what is sent.
        previous_update: when the update before it began (epoch seconds, the service's clock).
        hidden: nothing that shows differs from what is asked, so that it may be in force.
    """

    config: Mapping[str, Any]
    previous_update: float = 0.0
    hidden: bool = False


@dataclass(frozen=True)
class StartRecommender:
    """Start an INACTIVE recommender."""


@dataclass(frozen=True)
class StopRecommender:
    """Stop an ACTIVE recommender."""


@dataclass(frozen=True)
class DeleteRecommender:
    """Delete a recommender."""


@dataclass(frozen=True)
class TagResource:
    """Set tags of a recommender."""

    tags: Mapping[str, str]


@dataclass(frozen=True)
class UntagResource:
    """Take tags off a recommender."""

    keys: frozenset[str]

    @classmethod
    def of(cls, keys: Iterable[str]) -> "UntagResource":
        """Return the change that takes these tags off."""
        return cls(frozenset(keys))


Change = (
    CreateRecommender
    | UpdateRecommender
    | StartRecommender
    | StopRecommender
    | DeleteRecommender
    | TagResource
    | UntagResource
)
"""One call that changes something, named as the operation of Personalize."""


class AtDeadline(Enum):
    """What becomes of a wait when the request's time is up."""

    FAIL = auto()
    HAND_OVER = auto()
    """The next link of the chain waits on."""


class Progress(Enum):
    """How far a recommender is, when the request has nothing more to do."""

    NOTHING_TO_DO = auto()
    TRAINING = auto()
    """Created as asked; it does not serve yet."""
    CHANGING = auto()
    """It serves, or is about to be stopped as asked, and is on its way to what is asked."""
    IN_FORCE = auto()
    """ACTIVE as asked, or INACTIVE as asked."""
    GONE = auto()


@dataclass(frozen=True)
class Wait:
    """Nothing can be done now; look again later.

    Attributes:
        reason: what is waited for.
        at_deadline: what becomes of it when the request's time is up.
        grace: only a delay in what the service shows explains it, so it fails after the grace
            period (``timing.GRACE_SECONDS``).
        unseen: nothing has shown in this look of what may have been changed just before.
        to_change: a call that changes something is next; who looks only must leave it to others.
        previous_update: as in ``Done``, for who waits on.
    """

    reason: str
    at_deadline: AtDeadline = AtDeadline.FAIL
    grace: bool = False
    unseen: bool = False
    to_change: bool = False
    previous_update: float | None = None


@dataclass(frozen=True)
class Done:
    """What was asked for is there, or under way without further help.

    Attributes:
        reason: what is there.
        progress: how far it is.
        previous_update: if an update is under way, it is newer than this (epoch seconds, the
            service's clock).
        certain: False if it may rest on a look that was stale: it is believed when it still
            shows some seconds later (``timing.DOUBT_SECONDS``).
    """

    reason: str
    progress: Progress = Progress.NOTHING_TO_DO
    previous_update: float | None = None
    certain: bool = True

    @property
    def serves(self) -> bool:
        """Whether it serves by now, or stops as asked, so that no other one is needed."""
        return self.progress in (Progress.CHANGING, Progress.IN_FORCE)


@dataclass(frozen=True)
class Fail:
    """What was asked for will not come about; ``certain`` as in ``Done``."""

    reason: str
    certain: bool = True


Verdict = Wait | Done | Fail
Step = Change | Verdict
