"""The possible decisions: a call that changes something, or a verdict (pure data)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from ..model.request import Desired
from ..model.timing import GRACE_SECONDS


@dataclass(frozen=True)
class CreateRecommender:
    """Create the desired recommender."""

    desired: Desired


@dataclass(frozen=True)
class UpdateRecommender:
    """Give a recommender a configuration.

    Attributes:
        config: the ``recommenderConfig`` that is sent.
        updated_after: the update that results is newer than this (epoch seconds, the service's
            clock).
        hidden: no shown member differs from the configuration, so it may be effective.
    """

    config: Mapping[str, Any]
    updated_after: float = 0.0
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
    """Remove tags of a recommender."""

    keys: frozenset[str]


Change = (
    CreateRecommender
    | UpdateRecommender
    | StartRecommender
    | StopRecommender
    | DeleteRecommender
    | TagResource
    | UntagResource
)
"""One call that changes something, named like Personalize's operation."""


class Progress(Enum):
    """The progress of a recommender when the request has nothing more to do."""

    NOTHING_TO_DO = auto()
    TRAINING = auto()
    """Created with the expected configuration; it does not serve yet."""
    CHANGING = auto()
    """It serves, or stops as expected, while a change to the expected state is under way."""
    EFFECTIVE = auto()
    """ACTIVE as expected, or INACTIVE as expected, with the expected configuration."""
    GONE = auto()


@dataclass(frozen=True)
class Wait:
    """Nothing can be done now; try again later.

    Attributes:
        reason: the reason for the wait.
        hands_over: only the wait remains, which the next link of the chain can do too.
        unseen: this attempt saw nothing of a change that may have come just before.
        updated_after: as in ``Done``, for the link that waits on.
    """

    reason: str
    hands_over: bool = False
    unseen: bool = False
    updated_after: float | None = None


@dataclass(frozen=True)
class Done:
    """The expected state is reached, or will be without further help.

    Attributes:
        reason: the state, in words.
        progress: the progress of the recommender.
        updated_after: if an update is under way, it is newer than this (epoch seconds, the
            service's clock).
        confirm: seconds for which this must show to be believed, since a read may be stale.
    """

    reason: str
    progress: Progress = Progress.NOTHING_TO_DO
    updated_after: float | None = None
    confirm: float = 0.0

    @property
    def serves(self) -> bool:
        """Whether it serves, or stops as expected, so that no other recommender is needed."""
        return self.progress in (Progress.CHANGING, Progress.EFFECTIVE)

    def awaited(self) -> Wait:
        """Return a wait that ends in this success, also if its time is up."""
        return Wait(self.reason, hands_over=True, updated_after=self.updated_after)


@dataclass(frozen=True)
class Fail:
    """The expected state will not be reached; ``confirm`` as in ``Done``."""

    reason: str
    confirm: float = 0.0

    @property
    def may_pass(self) -> bool:
        """Whether a delay, such as that of a new policy, may explain it, and not a stale read."""
        return self.confirm >= GRACE_SECONDS


Verdict = Wait | Done | Fail
Step = Change | Verdict
