"""The decision: from what is wanted and what is there to the one next step (pure).

Observe, decide, do one thing, look again. Whatever CloudFormation, a retry, a rollback or a person
in the console did before, it shows in what is there; so every situation is a row of these tables,
and none needs a memory of how it came about.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import Enum, auto
from typing import Any, Final

from . import vocabulary as v
from .events import Config, Wanted
from .identity import Owner, Ownership

_NO_REASON = "the service gave no reason"


class Phase(Enum):
    """What a recommender's status says about it.

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
        """Return the phase of a status; one that no list has is a failure if it says so."""
        words = status.replace("_", " ")
        transitions = {
            "CREATE": cls.CREATING,
            "STOP": cls.STOPPING,
            "START": cls.STARTING,
            "DELETE": cls.DELETING,
        }
        if match := re.fullmatch(r"(\w+) (PENDING|IN PROGRESS)", words):
            return transitions.get(match[1], cls.UNKNOWN)
        if words == "CREATE FAILED":
            return cls.CREATE_FAILED
        if words.endswith("FAILED"):
            return cls.FAILED
        return {"ACTIVE": cls.ACTIVE, "INACTIVE": cls.INACTIVE}.get(words, cls.UNKNOWN)


@dataclass(frozen=True)
class Update:
    """The latest update of a recommender: ours, or the weekly retraining."""

    status: str
    config: Mapping[str, Any]
    created: float
    failure_reason: str = ""

    @property
    def under_way(self) -> bool:
        """Whether it has not ended."""
        return Phase.of(self.status) is Phase.CREATING

    @property
    def failed(self) -> bool:
        """Whether it ended in failure."""
        return Phase.of(self.status) in (Phase.CREATE_FAILED, Phase.FAILED)

    @property
    def reason(self) -> str:
        """The service's reason for its failure."""
        return self.failure_reason or _NO_REASON


@dataclass(frozen=True)
class Recommender:
    """A recommender as DescribeRecommender shows it; its tags only where they were read too.

    ``created`` is in epoch seconds.
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

    @property
    def phase(self) -> Phase:
        """What its status says."""
        return Phase.of(self.status)

    @property
    def reason(self) -> str:
        """The service's reason for its failure."""
        return self.failure_reason or _NO_REASON

    @property
    def updating(self) -> bool:
        """Whether an update is under way."""
        return self.latest_update is not None and self.latest_update.under_way


@dataclass(frozen=True)
class Change:
    """One call that changes something: the operation's name and its parameters beside the ARN.

    ``replaces``, of an UpdateRecommender, is when the update before it began (epoch seconds on the
    service's clock).
    """

    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    replaces: float = 0.0


CREATE: Final = Change("CreateRecommender")
DELETE: Final = Change("DeleteRecommender")
START: Final = Change("StartRecommender")
STOP: Final = Change("StopRecommender")


def tag(tags: Mapping[str, str]) -> Change:
    """Return the change that sets these tags."""
    pairs = [{"tagKey": key, "tagValue": value} for key, value in sorted(tags.items())]
    return Change("TagResource", {"tags": pairs})


def untag(keys: Iterable[str]) -> Change:
    """Return the change that takes these tags off."""
    return Change("UntagResource", {"tagKeys": sorted(keys)})


@dataclass(frozen=True)
class Wait:
    """Nothing can be done now; look again later.

    ``others_follow``: when the request's time is up, the next link of the chain waits on.
    ``brief``: only a delay in what the service shows explains it, so that it may not last.
    """

    why: str
    others_follow: bool = False
    brief: bool = False


@dataclass(frozen=True)
class Done:
    """What was asked for is there, or under way without further help.

    ``updated_after``: this deployment's update is newer (epoch seconds on the service's clock).
    ``serves``: it serves by now, or is stopped as wanted, so that no other one is needed.
    """

    why: str
    updated_after: float = 0.0
    serves: bool = False


@dataclass(frozen=True)
class Fail:
    """What was asked for will not come about."""

    why: str


Verdict = Wait | Done | Fail
Step = Change | Verdict

GONE: Final = Done("gone")
SERVES: Final = Done("ACTIVE, as wanted", serves=True)
RESTS: Final = Done("INACTIVE, as wanted", serves=True)

_SETTLED = (Phase.ACTIVE, Phase.INACTIVE)


def toward(
    wanted: Wanted,
    seen: Recommender | None,
    *,
    retired_tags: frozenset[str] = frozenset(),
    began: float = math.inf,
) -> Step:
    """Return the next step towards the recommender that is wanted.

    Without tags, ``seen`` is taken as ours: enough to say whether there is something to wait for,
    never enough to change anything. A training or an update that runs into what is wanted is
    ``Done``: the training gates wait for it.

    Args:
        wanted: what the template asks for.
        seen: what is there under the wanted name, or None.
        retired_tags: keys of tags that the template asked for before and no longer does.
        began: when the stack's operation began (epoch seconds): a training or an update that
            failed since is not begun again, so that its reason is not lost.
    """
    if seen is None:
        return CREATE
    if seen.phase is Phase.DELETING:
        return Wait(f"{seen.arn} is being deleted; its name is free after that")
    return (
        _whose(wanted, seen)
        or _broken(seen, began)
        or _retagged(wanted, seen, retired_tags)
        or _in_transit(wanted, seen)
        or _update_failed(wanted, seen, began)
        or _settled(wanted, seen)
    )


def _whose(wanted: Wanted, seen: Recommender) -> Step | None:
    differing = _differing(wanted, seen)
    if seen.tags is None or wanted.owner.of(seen.tags) is not Ownership.FOREIGN:
        return Fail(_cannot_replace(wanted, differing)) if differing else None
    if not wanted.adopt:
        return Fail(
            f"{_unproven(wanted.owner, seen.arn, seen.tags)} If it is somebody else's, choose "
            "another recommender_name, or set adopt_existing to take it over."
        )
    if not wanted.owner.may_adopt(seen.tags):
        return Fail(_belongs_to_another(wanted, seen.tags))
    if differing:
        return Fail(_cannot_adopt(wanted, differing))
    if seen.phase in (Phase.CREATE_FAILED, Phase.FAILED):
        return Fail(f"{seen.arn} cannot be adopted: it is {seen.status}: {seen.reason}")
    if seen.phase not in _SETTLED or seen.updating:
        return Wait(f"{seen.arn} is {_status(seen)}; it is adopted when that has ended")
    return tag({**wanted.tags, **wanted.owner.tags(adopted=True)})


def _broken(seen: Recommender, began: float) -> Step | None:
    if seen.phase is Phase.CREATE_FAILED and seen.created < began:
        return DELETE
    if seen.phase in (Phase.CREATE_FAILED, Phase.FAILED):
        return Fail(f"{seen.arn} is {seen.status}: {seen.reason}")
    if seen.phase is Phase.UNKNOWN:
        return Wait(f"{seen.arn} has the status {seen.status!r}, which this version does not know")
    return None


def _in_transit(wanted: Wanted, seen: Recommender) -> Step | None:
    if seen.phase in _SETTLED and not seen.updating:
        return None
    arriving = seen.latest_update.config if seen.updating and seen.latest_update else seen.config
    as_wanted = merged(wanted.config, arriving) is None
    if as_wanted and seen.phase is Phase.CREATING:
        return Done(f"{_status(seen)}; the training gates wait for it")
    if as_wanted and wanted.running and seen.phase is Phase.ACTIVE:
        return Done(f"{_status(seen)}; the training gates wait for it", serves=True)
    if as_wanted and not wanted.running and seen.phase is Phase.STOPPING:
        return Done(f"{_status(seen)}, as wanted", serves=True)
    starts = wanted.running and seen.phase is Phase.STARTING
    return Wait(
        f"{seen.arn} is {_status(seen)}; the next step is taken when that has ended",
        others_follow=as_wanted and (seen.updating or starts),
    )


def _retagged(wanted: Wanted, seen: Recommender, retired: frozenset[str]) -> Step | None:
    if seen.tags is None:
        return None
    if missing := {key: text for key, text in wanted.tags.items() if seen.tags.get(key) != text}:
        return tag(missing)
    if surplus := (retired - set(wanted.tags) - set(v.RESERVED_TAGS)) & set(seen.tags):
        return untag(surplus)
    return None


def _update_failed(wanted: Wanted, seen: Recommender, began: float) -> Step | None:
    update = seen.latest_update
    if update is None or not update.failed or update.created < began:
        return None
    if merged(wanted.config, update.config) or not merged(wanted.config, seen.config):
        return None
    return Fail(f"The update of {seen.arn} failed: {update.reason}")


def _settled(wanted: Wanted, seen: Recommender) -> Step:
    changed = merged(wanted.config, seen.config)
    if seen.phase is Phase.INACTIVE:
        return START if wanted.running or changed else RESTS
    if changed:
        replaces = seen.latest_update.created if seen.latest_update else 0.0
        return Change("UpdateRecommender", {"recommenderConfig": changed}, replaces)
    return SERVES if wanted.running else STOP


def away(
    owner: Owner,
    seen: Recommender | None,
    *,
    derived: bool = False,
    retired_tags: frozenset[str] = frozenset(),
) -> Step:
    """Return the next step towards a recommender's not being there, or not being ours.

    What its tags do not prove to be ours is left alone; an adopted one is released.

    Args:
        owner: who wants it gone.
        seen: what is there, or None.
        derived: whether the name is this owner's alone, so that tags that do not prove it were
            changed, and leaving it alone must not pass for a success.
        retired_tags: keys of the template's tags, which an adopted recommender is rid of too.
    """
    if seen is None:
        return GONE
    if seen.tags is not None and owner.of(seen.tags) is Ownership.FOREIGN:
        if derived:
            return Fail(f"It is left alone. {_unproven(owner, seen.arn, seen.tags)}")
        return Done(f"{seen.arn} is not ours by its tags; it is left alone")
    if seen.tags is not None and owner.of(seen.tags) is Ownership.ADOPTED:
        return untag((retired_tags | set(v.RESERVED_TAGS)) & set(seen.tags))
    if seen.phase in (*_SETTLED, Phase.CREATE_FAILED, Phase.FAILED):
        return DELETE
    return Wait(f"{seen.arn} is {_status(seen)} and cannot be deleted before that has ended")


def at_rest(owner: Owner, seen: Recommender | None) -> Step:
    """Return the next step towards an INACTIVE recommender, once the training gates have passed."""
    if seen is None:
        return Wait("the recommender does not exist", brief=True)
    if seen.tags is not None and owner.of(seen.tags) is Ownership.FOREIGN:
        return Fail(f"{seen.arn} is not ours by its tags; it is not stopped")
    if seen.phase in (Phase.CREATE_FAILED, Phase.FAILED):
        return Fail(f"{seen.arn} is {seen.status}: {seen.reason}")
    if seen.phase is Phase.INACTIVE:
        return Done("INACTIVE, as wanted")
    if seen.phase is Phase.ACTIVE and not seen.updating:
        return STOP
    return Wait(f"{seen.arn} is {_status(seen)}")


def readiness(
    config: Config, seen: Recommender | None, *, running: bool, updated_after: float
) -> Verdict:
    """Return whether a recommender serves what is wanted: what a training gate waits for.

    Args:
        config: the configuration that must be in force.
        seen: what is there, or None.
        running: whether it must be ACTIVE; else it may be stopped, too.
        updated_after: an update that failed is this deployment's only if it is newer (epoch
            seconds, on the service's clock).
    """
    if seen is None:
        return Wait("the recommender does not exist", brief=True)
    if seen.phase in (Phase.CREATE_FAILED, Phase.FAILED):
        return Fail(f"{seen.status}: {seen.reason}")
    if seen.phase is Phase.DELETING:
        return Fail("It is being deleted, but not by this deployment.")
    in_force = merged(config, seen.config) is None
    update = seen.latest_update
    if not in_force and update is not None and update.failed and update.created > updated_after:
        return Fail(f"Its update failed: {update.reason}")
    there = seen.phase is Phase.ACTIVE or (
        not running and seen.phase in (Phase.INACTIVE, Phase.STOPPING)
    )
    if in_force and there and not seen.updating:
        return Done(seen.status)
    if there and not seen.updating:
        return Wait("the configuration asked for is not in force, nor on its way", brief=True)
    return Wait(_status(seen))


def merged(config: Config, current: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the whole configuration to send, or None if what is wanted is in force.

    Whether UpdateRecommender merges or replaces is not documented; so every member that we own is
    spelled out, and those that we do not own are carried over: right under both. Numbers are
    compared as numbers, and a member that is absent counts as its documented default.
    """
    exploration = current.get("itemExplorationConfig") or {}
    training = current.get("trainingDataConfig") or {}
    excluded = {
        dataset: tuple(sorted(columns))
        for dataset, columns in (training.get("excludedDatasetColumns") or {}).items()
        if columns
    }
    in_force = (
        int(current.get("minRecommendationRequestsPerSecond") or 1)
        == config.min_requests_per_second
        and _number(exploration.get("explorationWeight"), "0.3") == config.exploration_weight
        and _number(exploration.get("explorationItemAgeCutOff"), "30")
        == config.exploration_item_age_cut_off
        and bool(current.get("enableMetadataWithRecommendations")) is config.enable_metadata
        and excluded == dict(config.excluded_columns)
    )
    return None if in_force else request_config(config, current)


def request_config(config: Config, current: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``recommenderConfig`` with the members we own set and the others as they are now."""
    sent: dict[str, Any] = {
        **current,
        "minRecommendationRequestsPerSecond": config.min_requests_per_second,
        "enableMetadataWithRecommendations": config.enable_metadata,
        "itemExplorationConfig": {
            **(current.get("itemExplorationConfig") or {}),
            "explorationWeight": str(config.exploration_weight),
            "explorationItemAgeCutOff": str(config.exploration_item_age_cut_off),
        },
    }
    training = current.get("trainingDataConfig")
    if config.excluded_columns or training:
        excluded = {dataset: list(names) for dataset, names in config.excluded_columns.items()}
        sent["trainingDataConfig"] = {**(training or {}), "excludedDatasetColumns": excluded}
    return sent


def _number(value: object, default: str) -> Decimal | None:
    try:
        return Decimal(str(default if value is None else value))
    except InvalidOperation:
        return None


def _status(seen: Recommender) -> str:
    if seen.updating and seen.latest_update and seen.phase is Phase.ACTIVE:
        return f"being updated ({seen.latest_update.status})"
    return seen.status or "without a status"


def _differing(wanted: Wanted, seen: Recommender) -> str:
    pairs = (
        ("dataset group", wanted.dataset_group_arn, seen.dataset_group_arn),
        ("recipe", wanted.recipe_arn, seen.recipe_arn),
    )
    return ", ".join(
        f"{what} {there} (wanted: {asked})" for what, asked, there in pairs if asked != there
    )


def _cannot_replace(wanted: Wanted, differing: str) -> str:
    return (
        f"The recommender {wanted.name!r} has the {differing}. That cannot be changed in place, "
        "and a new recommender cannot have the same fixed name while the old one serves. "
        "Change recommender_name together with it, or remove recommender_name."
    )


def _unproven(owner: Owner, arn: str, tags: Mapping[str, str]) -> str:
    proof = owner.tags()
    wrong = [f"{key} is {tags.get(key, 'missing')}" for key in proof if tags.get(key) != proof[key]]
    repair = " ".join(f"tagKey={key},tagValue={value}" for key, value in proof.items())
    return (
        f"A recommender named {arn.rpartition('/')[2]!r} exists and is not this stack's by its "
        f"tags: {', '.join(wrong)}. If it is the stack's, put them back: aws personalize "
        f"tag-resource --resource-arn {arn} --tags {repair}"
    )


def _belongs_to_another(wanted: Wanted, tags: Mapping[str, str]) -> str:
    return (
        f"The recommender {wanted.name!r} belongs to another stack, {tags[v.OWNER_STACK_TAG]}. "
        f"If that stack is gone, take the tag {v.OWNER_STACK_TAG} off the recommender, then deploy "
        "again."
    )


def _cannot_adopt(wanted: Wanted, differing: str) -> str:
    return (
        f"The recommender {wanted.name!r} cannot be adopted: it has the {differing}. "
        "Name a recommender of the same dataset group and recipe, or remove recommender_name."
    )
