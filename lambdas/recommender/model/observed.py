"""A recommender as Personalize shows it, and the meaning of its statuses: ``Phase`` (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from ..text import sentence

_NO_REASON: Final = "Personalize gave no reason"


class Phase(Enum):
    """The meaning of a recommender's status.

    Source: ``Recommender.status`` in the Personalize API reference. The developer guide prints
    ``IN PROGRESS`` where the API answers ``IN_PROGRESS``.
    """

    CREATING = auto()
    ACTIVE = auto()
    STOPPING = auto()
    INACTIVE = auto()
    STARTING = auto()
    DELETING = auto()
    CREATE_FAILED = auto()
    FAILED = auto()
    UNKNOWN = auto()

    @classmethod
    def of(cls, status: str) -> "Phase":
        """Return the phase of a status; an unknown one that ends with "FAILED" is a failure."""
        words = status.replace("_", " ")
        return _PHASES.get(words, cls.FAILED if words.endswith("FAILED") else cls.UNKNOWN)

    @property
    def has_failed(self) -> bool:
        """Whether it is a failure."""
        return self in (Phase.CREATE_FAILED, Phase.FAILED)


_PHASES: Final = {
    **dict.fromkeys(("CREATE PENDING", "CREATE IN PROGRESS"), Phase.CREATING),
    "ACTIVE": Phase.ACTIVE,
    **dict.fromkeys(("STOP PENDING", "STOP IN PROGRESS"), Phase.STOPPING),
    "INACTIVE": Phase.INACTIVE,
    **dict.fromkeys(("START PENDING", "START IN PROGRESS"), Phase.STARTING),
    **dict.fromkeys(("DELETE PENDING", "DELETE IN PROGRESS"), Phase.DELETING),
    "CREATE FAILED": Phase.CREATE_FAILED,
}


@dataclass(frozen=True)
class Update:
    """The latest update of a recommender: ours, or the weekly retraining.

    ``created``, and ``updated``, its latest change of status, are in epoch seconds.
    """

    status: str
    config: Mapping[str, Any]
    created: float
    failure_reason: str = ""
    updated: float = 0.0

    @property
    def under_way(self) -> bool:
        """Whether it has not ended."""
        return Phase.of(self.status) is Phase.CREATING

    @property
    def failed(self) -> bool:
        """Whether it ended in failure."""
        return Phase.of(self.status).has_failed

    @property
    def reason(self) -> str:
        """The service's reason for its failure, as a sentence."""
        return sentence(self.failure_reason or _NO_REASON)


@dataclass(frozen=True)
class Observed:
    """A recommender as DescribeRecommender shows it; with its tags if they were read too.

    ``created``, and ``updated``, its latest change of status, are in epoch seconds.
    """

    arn: str
    status: str
    dataset_group_arn: str
    recipe_arn: str
    config: Mapping[str, Any] = field(default_factory=dict)
    failure_reason: str = ""
    created: float = 0.0
    latest_update: Update | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None
    updated: float = 0.0

    @property
    def phase(self) -> Phase:
        """The phase of its status."""
        return Phase.of(self.status)

    @property
    def reason(self) -> str:
        """The service's reason for its failure, as a sentence."""
        return sentence(self.failure_reason or _NO_REASON)

    @property
    def updating(self) -> bool:
        """Whether an update is under way."""
        return self.latest_update is not None and self.latest_update.under_way

    @property
    def last_updated(self) -> float:
        """The beginning of the latest update or else of the creation; a later update is newer."""
        return self.latest_update.created if self.latest_update else self.created

    def update_after(self, moment: float | None) -> Update | None:
        """Return the latest update if it is newer than a moment (epoch seconds)."""
        update = self.latest_update
        return update if update and moment is not None and update.created > moment else None

    @property
    def config_after_update(self) -> Mapping[str, Any]:
        """The configuration that it has after the update that is under way, if any."""
        if self.updating and self.latest_update:
            return self.latest_update.config
        return self.config

    @property
    def is_stable(self) -> bool:
        """Whether it is in no transitional state, with no update under way."""
        return self.phase in (Phase.ACTIVE, Phase.INACTIVE) and not self.updating

    @property
    def description(self) -> str:
        """Its activity, for people."""
        if self.updating and self.latest_update and self.phase is Phase.ACTIVE:
            return f"being updated ({self.latest_update.status})"
        return self.status or "without a status"
