"""Parse CloudFormation's request, and the recommender that it desires, into types (pure).

Sources: "Custom resource request objects", CloudFormation User Guide (crpg-ref-requests).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from .. import vocabulary as v
from ..model import properties as p
from .config import Config
from .hours import ActiveHours
from .identity import Arn, NamePattern, Owner, derived_name
from .operation import RequestType
from .properties import BadRequestError
from .quality import QualityGate
from .timing import GRACE_SECONDS, REQUEST_SECONDS

DEFAULT_WAIT_SECONDS: Final = 3300.0
"""55 minutes: CloudFormation waits 3600 s for a request, and the answer needs time to arrive."""

_MARGIN_SECONDS: Final = 300.0


@dataclass(frozen=True)
class Desired:
    """The recommender of the template."""

    name: str
    arn: str
    dataset_group_arn: str
    recipe_arn: str
    config: Config
    running: bool
    adopt: bool
    tags: Mapping[str, str]
    owner: Owner
    active_hours: ActiveHours | None = None
    """If there are none, ``running`` decides."""
    on_destroy: str = ""
    """``delete`` or ``retain``; empty in templates of version 0.1.0."""

    def tags_beside(self, there: Mapping[str, str]) -> dict[str, str]:
        """Return its expected tags, without those that prove the owner.

        If the actual tags show an adopted one, it has no fate: it is released and not deleted.
        """
        has_a_fate = self.on_destroy and v.ADOPTED_TAG not in there
        return {**self.tags, **({v.ON_DESTROY_TAG: self.on_destroy} if has_a_fate else {})}

    @property
    def tags_of_creation(self) -> dict[str, str]:
        """The tags with which it is created: its own, and those that prove the owner."""
        return {**self.tags_beside({}), **self.owner.tags()}

    def at(self, now: float) -> "Desired":
        """Return the desired state at a time (epoch seconds): its hours decide if it runs."""
        hours = self.active_hours
        return replace(self, running=hours.run_at(now)) if hours else self


@dataclass(frozen=True)
class Request:
    """One request of CloudFormation.

    CloudFormation sends refused properties again: in the Delete after a failed Create, and as the
    old ones of the Update that reverses an Update. They made no recommender, so here they count as
    absent.
    """

    type: RequestType
    resource_type: str
    request_id: str
    stack_id: str
    logical_id: str
    physical_id: str | None
    properties: Mapping[str, Any]
    old_properties: Mapping[str, Any]

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> "Request":
        """Read an event.

        Raises:
            BadRequestError: a member is absent or malformed.
        """

        def read(name: str, reader: p.Reader) -> Any:
            return reader.read(f"event.{name}", event.get(name))

        return cls(
            type=read("RequestType", p.Reader(RequestType, "Create, Update or Delete")),
            resource_type=read("ResourceType", p.TEXT),
            request_id=read("RequestId", p.TEXT),
            stack_id=read("StackId", p.Reader(_stack_id, "a stack's ARN")),
            logical_id=read("LogicalResourceId", p.TEXT),
            physical_id=event.get("PhysicalResourceId"),
            properties={**_lifted(event), **read("ResourceProperties", _MAP_IF_ANY)},
            old_properties=read("OldResourceProperties", _MAP_IF_ANY),
        )

    def get(self, name: str, default: Any = None) -> Any:
        """Return a property, or the default if it is absent; without a default, it is required.

        Raises:
            BadRequestError: the property is absent or malformed.
        """
        return _property(self.properties, name, default)

    def check(self) -> None:
        """Refuse a request that has a malformed property.

        In a Delete, only the prefix of names counts: an earlier request may have been refused for
        the others.

        Raises:
            BadRequestError: a known property is malformed.
        """
        given = {name for name, value in self.properties.items() if value is not None}
        is_delete = self.type is RequestType.DELETE
        for name in [v.NAME_PREFIX] if is_delete else sorted(_PROPERTIES.keys() & given):
            self.get(name)

    @property
    def wait_seconds(self) -> float:
        """Seconds that this request may wait: its answer must arrive within ``ServiceTimeout``."""
        timeout = self._given("ServiceTimeout", REQUEST_SECONDS)
        in_time = timeout - min(_MARGIN_SECONDS, timeout / 10)
        return float(min(self._given(v.WAIT_SECONDS, DEFAULT_WAIT_SECONDS), in_time))

    @property
    def link(self) -> tuple[int, int]:
        """The number of this link in its chain, from 1, and the number of links."""
        return self._given(v.LINK, 1), self._given(v.LINKS, 1)

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags of the template."""
        return dict(self._given(v.TAGS, {}))

    @property
    def retired_tags(self) -> frozenset[str]:
        """Keys of tags that the template had before this request and no longer has."""
        return frozenset(_accepted(self.old_properties, v.TAGS, {})) - frozenset(self.tags)

    @property
    def owner(self) -> Owner:
        """The owner of this request's recommender."""
        return Owner(self.stack_id, self.get(v.RECOMMENDER_LOGICAL_ID, self.logical_id))

    @property
    def names(self) -> NamePattern:
        """The names that recommenders of this resource can have, before and after an update."""
        both = (self.properties, self.old_properties)
        fixed = {_accepted(properties, v.FIXED_NAME, "") for properties in both} - {""}
        return NamePattern(self.get(v.NAME_PREFIX), frozenset(fixed))

    def arns_among(self, names: Iterable[str]) -> set[str]:
        """Return the ARNs for those names that recommenders of this resource can have."""
        ours = self.names
        return {self.recommender_arn(name) for name in names if name in ours}

    @property
    def config(self) -> Config:
        """The configuration of the template."""
        return self.get(v.CONFIG)  # type: ignore[no-any-return]

    @property
    def old_config(self) -> Config | None:
        """The configuration that the template had before this request, if any.

        It may be another recipe's, so it explores only if the present one does.
        """
        old: Config | None = _accepted(self.old_properties, v.CONFIG, None)
        return replace(old, explores=self.config.explores) if old else None

    @property
    def quality_gate(self) -> QualityGate:
        """The minimum for the model metrics."""
        return self.get(v.QUALITY_GATE, QualityGate())  # type: ignore[no-any-return]

    @property
    def updated_after(self) -> float | None:
        """If this deployment has sent an update, it is newer than this (epoch seconds)."""
        given = self.properties.get(v.UPDATED_AFTER)
        return None if given is None else self.get(v.UPDATED_AFTER)

    @property
    def grace(self) -> float:
        """Seconds for which a failure that may pass must last to end this request.

        A failed Delete is final, so no such failure ends a Delete before its time is up.
        """
        return math.inf if self.type is RequestType.DELETE else GRACE_SECONDS

    @property
    def old_recommender_arn(self) -> str | None:
        """The recommender that a gate waited for before, if it now waits for another one."""
        arn: str | None = _accepted(self.old_properties, v.RECOMMENDER_ARN, None)
        return arn if arn != self.get(v.RECOMMENDER_ARN) else None

    @property
    def desired(self) -> Desired:
        """The recommender that this request desires.

        Raises:
            BadRequestError: a property is malformed, is unknown, or names another account or region
                than the stack's.
        """
        p.reject_unknown(self.properties, [*_PROPERTIES, "ServiceToken"])
        name = self._name()
        return Desired(
            name=name,
            arn=self.recommender_arn(name),
            dataset_group_arn=self.get(v.DATASET_GROUP_ARN),
            recipe_arn=self.get(v.RECIPE_ARN),
            config=self.config,
            running=self.get(v.RUNNING, True),
            adopt=self.get(v.ADOPT_EXISTING, False),
            tags=self.tags,
            owner=self.owner,
            active_hours=_accepted(self.properties, v.ACTIVE_HOURS, None),
            on_destroy=self.get(v.ON_DESTROY, ""),
        )

    @property
    def deletion_target(self) -> str:
        """The ARN of the recommender that a Delete removes.

        It is the physical id, unless CloudFormation invented that id, as for a cancelled creation
        (cloudformation-coverage-roadmap issue 1814). Then the ARN follows from the properties, as
        it would have in the creation.
        """
        name = (self.physical_id or "").rpartition("/")[2]
        if name in self.names and self.physical_id == self.recommender_arn(name):
            return self.recommender_arn(name)
        return self.recommender_arn(_accepted(self.properties, v.FIXED_NAME, "") or self._derived())

    def recommender_arn(self, name: str) -> str:
        """Return the ARN of a recommender in the stack's account and region."""
        place = Arn.parse(self.stack_id)
        return (
            f"arn:{place.partition}:personalize:{place.region}:{place.account}:recommender/{name}"
        )

    def derives(self, arn: str) -> bool:
        """Return whether the name in an ARN can only be this resource's, by its hash."""
        return v.FIXED_NAME not in self.properties and arn == self.recommender_arn(self._derived())

    def _given(self, name: str, default: Any) -> Any:
        read = _accepted if self.type is RequestType.DELETE else _property
        return read(self.properties, name, default)

    def _name(self) -> str:
        group, stack = Arn.parse(self.get(v.DATASET_GROUP_ARN)), Arn.parse(self.stack_id)
        if group.place != stack.place:
            raise BadRequestError(
                v.DATASET_GROUP_ARN,
                got=self.get(v.DATASET_GROUP_ARN),
                allowed=f"a dataset group of the stack's account and region, {stack.region}:"
                f"{stack.account}",
            )
        return self.get(v.FIXED_NAME, "") or self._derived()

    def _derived(self) -> str:
        """Derive the name, from refused properties too."""
        return derived_name(
            self.get(v.NAME_PREFIX),
            stack_id=self.stack_id,
            logical_id=self.logical_id,
            dataset_group_arn=str(self.properties.get(v.DATASET_GROUP_ARN)),
            recipe_arn=str(self.properties.get(v.RECIPE_ARN)),
        )


def _lifted(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the property that CloudFormation may send as a member of the event.

    Recorded events have ``ServiceTimeout`` there, and not among the properties
    (tests/unit/recommender/recorded.py). The User Guide does not say where it is.
    """
    timeout = event.get("ServiceTimeout")
    return {} if timeout is None else {"ServiceTimeout": str(timeout)}


def _stack_id(value: object) -> str:
    if Arn.parse(p.text(value)).service != "cloudformation":
        raise ValueError
    return p.text(value)


_MAP_IF_ANY: Final = p.Reader(lambda value: p.mapping(value or {}), p.MAP.allowed)


def _property(properties: Mapping[str, Any], name: str, default: Any = None) -> Any:
    value = properties.get(name)
    if value is None and default is not None:
        return default
    return _PROPERTIES[name].read(f"ResourceProperties.{name}", value)


def _accepted(properties: Mapping[str, Any], name: str, default: Any) -> Any:
    """Return a property, or the default if this version refuses its value."""
    try:
        return _property(properties, name)
    except BadRequestError:
        return default


_PROPERTIES: Final[Mapping[str, p.Reader]] = {
    v.ACTIVE_HOURS: p.Reader(ActiveHours.from_template, "a map"),
    v.ADOPT_EXISTING: p.BOOLEAN,
    v.CONFIG: p.Reader(Config.from_template, "a map"),
    v.DATASET_GROUP_ARN: p.arn("dataset-group"),
    v.FIXED_NAME: p.NAME,
    v.FORCE_UPDATE: p.TEXT,
    v.LINK: p.COUNT,
    v.LINKS: p.COUNT,
    v.NAME_PREFIX: p.NAME_PREFIX,
    v.ON_DESTROY: p.ON_DESTROY,
    v.QUALITY_GATE: p.Reader(QualityGate.from_template, "a map"),
    v.RECIPE_ARN: p.arn("recipe"),
    v.RECOMMENDER_ARN: p.arn("recommender"),
    v.RECOMMENDER_LOGICAL_ID: p.TEXT,
    v.REVISION: p.TEXT,
    v.RUNNING: p.BOOLEAN,
    v.TAGS: p.TAGS,
    v.UPDATED_AFTER: p.Reader(
        lambda value: None if value == v.NO_UPDATE else p.SECONDS.parse(value),
        f"seconds, or {v.NO_UPDATE}",
    ),
    v.WAIT_SECONDS: p.SECONDS,
    "ServiceTimeout": p.SECONDS,
}
"""The reader of each property; the properties of old templates stay here forever."""
