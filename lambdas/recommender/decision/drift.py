"""Compare a recommender with its template (pure).

``plan`` decides whether there is drift, as it decides in a deployment. The differences are for
people. The observer calls this module, and so does ``python -m operations drift``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, Final

from .. import vocabulary as v
from ..model.config import FIELDS, Config
from ..model.identity import Ownership
from ..model.observed import Observed, Phase
from ..model.operation import Operation
from ..model.request import Desired
from .provision import plan
from .situation import Situation
from .verdict import Done, Fail

_DEPLOYMENT: Final = Situation(Operation("UPDATE_IN_PROGRESS", ""))
"""The situation of a deployment that sends everything again, such as by ``force_update``."""

NOTHING: Final = "nothing"


class DriftStatus(Enum):
    """Whether there is drift."""

    NONE = auto()
    DRIFTED = auto()
    CANNOT_TELL = auto()
    """Nothing differs, but a change is under way, or a member that should show does not."""


@dataclass(frozen=True)
class Difference:
    """A member that differs."""

    member: str
    actual: str
    expected: str

    def __str__(self) -> str:
        return f"{self.member}: actual {self.actual}, expected {self.expected}"


@dataclass(frozen=True)
class Drift:
    """The drift of a recommender.

    Attributes:
        status: whether there is drift.
        differences: the members that differ.
        reason: the reason of ``plan`` for a wait, or for the failure of a deployment.
        is_put_right: whether a deployment with another ``force_update`` puts it right.
        hidden: members that DescribeRecommender does not show; they are not compared.
    """

    status: DriftStatus
    differences: tuple[Difference, ...] = ()
    reason: str = ""
    is_put_right: bool = True
    hidden: tuple[str, ...] = ()


def drift(desired: Desired, observed: Observed | None) -> Drift:
    """Compare a recommender with the desired one.

    Args:
        desired: the recommender of the template.
        observed: the actual one, or None; without tags if they cannot be read now.
    """
    desired = with_observed_running_state(desired, observed)
    step = plan(desired, observed, _DEPLOYMENT, before=desired.config)
    hidden = tuple(desired.config.not_shown(observed.config)) if observed else ()
    if isinstance(step, Done) and observed and observed.tags is None:
        return Drift(DriftStatus.CANNOT_TELL, reason="its tags cannot be read now", hidden=hidden)
    if isinstance(step, Done):
        return Drift(DriftStatus.NONE, reason=step.reason, hidden=hidden)
    found = tuple(differences(desired, observed))
    unknown = "" if found else f"DescribeRecommender does not show {', '.join(hidden)}"
    return Drift(
        DriftStatus.DRIFTED if found else DriftStatus.CANNOT_TELL,
        found,
        getattr(step, "reason", unknown),
        not isinstance(step, Fail),
        hidden,
    )


def hour(desired: Desired, now: float) -> str:
    """Describe the state for the hour (``now`` in epoch seconds); return nothing without hours."""
    if not desired.active_hours:
        return ""
    state = Phase.ACTIVE if desired.at(now).running else Phase.INACTIVE
    return f"{state.name} at this hour (active_hours); either state is no drift"


def differences(desired: Desired, observed: Observed | None) -> Iterator[Difference]:
    """Yield the differences, in Personalize's own words."""
    if observed is None:
        yield Difference("recommender", NOTHING, desired.name)
        return
    yield from _shape(desired, observed)
    yield from _tags(desired, observed)
    actual = Config.of_service(observed.config_after_update, hidden=desired.config)
    yield from _config(desired.config, actual)


def with_observed_running_state(desired: Desired, observed: Observed | None) -> Desired:
    """Take the running state from the observed one, if the recommender has hours of service."""
    if not desired.active_hours or not observed:
        return desired
    return replace(desired, running=observed.phase not in (Phase.STOPPING, Phase.INACTIVE))


def _shape(desired: Desired, observed: Observed) -> Iterator[Difference]:
    wanted = Phase.ACTIVE if desired.running else Phase.INACTIVE
    is_on_its_way = desired.running and observed.phase is Phase.STARTING
    if observed.phase is not wanted and not is_on_its_way:
        yield Difference("status", observed.status, wanted.name)
    if observed.dataset_group_arn != desired.dataset_group_arn:
        yield Difference("datasetGroupArn", observed.dataset_group_arn, desired.dataset_group_arn)
    if observed.recipe_arn != desired.recipe_arn:
        yield Difference("recipeArn", observed.recipe_arn, desired.recipe_arn)


def _tags(desired: Desired, observed: Observed) -> Iterator[Difference]:
    if observed.tags is None:
        return
    wanted = desired.tags_beside(observed.tags)
    if desired.owner.of(observed.tags) is Ownership.FOREIGN:
        wanted |= desired.owner.tags()
    for key, value in wanted.items():
        if observed.tags.get(key) != value:
            yield Difference(f"tag {key}", observed.tags.get(key, NOTHING), value)
    if v.ON_DESTROY_TAG in observed.tags and v.ON_DESTROY_TAG not in wanted:
        yield Difference(f"tag {v.ON_DESTROY_TAG}", observed.tags[v.ON_DESTROY_TAG], NOTHING)


def _config(wanted: Config, there: Config) -> Iterator[Difference]:
    for member, (inside, name, _) in FIELDS.items():
        asked, found = getattr(wanted, name), getattr(there, name)
        if asked != found:
            path = f"{inside}.{member}" if inside else member
            yield Difference(path, _shown(found), _shown(asked))


def _shown(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "; ".join(f"{key}: {', '.join(names)}" for key, names in value.items()) or "none"
        case _:
            return str(value)
