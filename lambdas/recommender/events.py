"""What CloudFormation asks for, as types: events and properties, parsed at the edge.

CloudFormation turns every scalar of a custom resource's properties into a string; this undoes it,
strictly. Nothing here calls anything.

Sources: "Custom resource request objects", CloudFormation User Guide (crpg-ref-requests); README of
aws-cdk-lib/custom-resources, "Provider Framework".
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from . import vocabulary as v
from .identity import Arn, Names, Owner, derived_name

DEFAULT_WAIT_SECONDS: Final = 3300.0
"""55 minutes: CloudFormation gives one request 3600 s, and the answer needs time to arrive."""

MAX_REASON_BYTES: Final = 1500
"""A whole answer may have 4096 bytes (crpg-ref-responses), and the Provider adds a stack trace."""


class BadRequestError(ValueError):
    """A request or a property that this version does not understand."""

    def __init__(self, what: str, *, got: object, allowed: str) -> None:
        super().__init__(within(f"{what}: got {str(got)[:200]!r}; allowed: {allowed}."))


class RequestType(StrEnum):
    """What CloudFormation wants done."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


@dataclass(frozen=True)
class Config:
    """The members of ``recommenderConfig`` that the stack owns, with their documented defaults."""

    min_requests_per_second: int = 1
    exploration_weight: Decimal = Decimal("0.3")
    exploration_item_age_cut_off: int = 30
    enable_metadata: bool = True
    excluded_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """The recommender that the template asks for."""

    name: str
    arn: str
    dataset_group_arn: str
    recipe_arn: str
    config: Config
    running: bool
    adopt: bool
    tags: Mapping[str, str]
    owner: Owner


@dataclass(frozen=True)
class Request:
    """One request of CloudFormation, and what ``on_event`` remembered for ``is_complete``.

    ``physical_id`` is the one that CloudFormation sent: to ``is_complete``, the framework hands the
    one that ``on_event`` answered, which in a replacement is the new one.

    Properties that were refused come again: in the Delete of what was not created, and as the old
    ones of the Update that takes an Update back. No recommender has come of them, so that there
    they are as good as absent.
    """

    type: RequestType
    resource_type: str
    request_id: str
    stack_id: str
    logical_id: str
    physical_id: str | None
    properties: Mapping[str, Any]
    old_properties: Mapping[str, Any]
    memory: Mapping[str, Any]

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> "Request":
        """Read an event of the Provider framework.

        Raises:
            BadRequestError: the event lacks a member, or one has not the form it must have.
        """

        def read(name: str) -> str:
            return str(_parsed("event", name, event.get(name), _text, "a string that is not empty"))

        memory = _properties(event, "Memory")
        return cls(
            type=_parsed("event", "RequestType", event.get("RequestType"), RequestType, "a type"),
            resource_type=read("ResourceType"),
            request_id=read("RequestId"),
            stack_id=_parsed("event", "StackId", event.get("StackId"), _stack_id, "a stack's ARN"),
            logical_id=read("LogicalResourceId"),
            physical_id=memory.get("PhysicalId", event.get("PhysicalResourceId")),
            properties=_properties(event, "ResourceProperties"),
            old_properties=_properties(event, "OldResourceProperties"),
            memory=memory,
        )

    def get(self, name: str, default: Any = None) -> Any:
        """Return a property; absent ones have the default, and those without one are required.

        Raises:
            BadRequestError: the property is absent or has not the form it must have.
        """
        return _property(self.properties, name, default)

    @property
    def polled(self) -> bool:
        """Whether ``on_event`` has begun it before."""
        return bool(self.memory)

    @property
    def wait_seconds(self) -> float:
        """How long this request may wait: an answer has to arrive within ``ServiceTimeout``."""
        timeout = self._given("ServiceTimeout", 3600.0)
        in_time = timeout - min(300.0, timeout / 10)
        return float(min(self._given(v.WAIT_SECONDS, DEFAULT_WAIT_SECONDS), in_time))

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags that the template asks for."""
        return dict(self._given(v.TAGS, {}))

    @property
    def retired_tags(self) -> frozenset[str]:
        """Keys of tags that the template asked for before this request and no longer does."""
        return frozenset(_accepted(self.old_properties, v.TAGS, {})) - frozenset(self.tags)

    @property
    def owner(self) -> Owner:
        """Whose the recommender of this request is."""
        return Owner(self.stack_id, self.get(v.RECOMMENDER_LOGICAL_ID, self.logical_id))

    @property
    def names(self) -> Names:
        """The names that recommenders of this resource can have, before and after an update."""
        both = (self.properties, self.old_properties)
        fixed = {_accepted(properties, v.FIXED_NAME, "") for properties in both} - {""}
        return Names(self.get(v.NAME_PREFIX), frozenset(fixed))

    @property
    def config(self) -> Config:
        """The configuration that the template asks for."""
        nested = self.get(v.CONFIG)
        _reject_unknown(nested, _CONFIG)
        return Config(**{_CONFIG[name]: _property(nested, name) for name in nested})

    def recommender_arn(self, name: str) -> str:
        """Return the ARN of a recommender in the stack's account and region."""
        place = Arn.parse(self.stack_id)
        return (
            f"arn:{place.partition}:personalize:{place.region}:{place.account}:recommender/{name}"
        )

    def wanted(self) -> Wanted:
        """Return the recommender that this request asks for.

        Raises:
            BadRequestError: a property has not the form it must have, is unknown, or names another
                account or region than the stack's.
        """
        _reject_unknown(self.properties, [*_PROPERTIES, "ServiceToken"])
        for known in sorted(_PROPERTIES.keys() & self.properties):
            self.get(known)
        name = self._name()
        return Wanted(
            name=name,
            arn=self.recommender_arn(name),
            dataset_group_arn=self.get(v.DATASET_GROUP_ARN),
            recipe_arn=self.get(v.RECIPE_ARN),
            config=self.config,
            running=self.get(v.RUNNING, True),
            adopt=self.get(v.ADOPT_EXISTING, False),
            tags=self.tags,
            owner=self.owner,
        )

    def doomed_arn(self) -> str:
        """Return the ARN of what a Delete means.

        The physical id says it, unless it is none of ours: CloudFormation invents one for a
        resource whose creation it cancelled (cloudformation-coverage-roadmap issue 1814). The
        properties then say which recommender this resource would have made.
        """
        name = (self.physical_id or "").rpartition("/")[2]
        if name in self.names and self.physical_id == self.recommender_arn(name):
            return self.recommender_arn(name)
        return self.recommender_arn(_accepted(self.properties, v.FIXED_NAME, "") or self._derived())

    def derives(self, arn: str) -> bool:
        """Whether the name in an ARN is this resource's alone, by its hash."""
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
                allowed=f"a dataset group of the stack's account and region, {stack.place}",
            )
        return self.get(v.FIXED_NAME, "") or self._derived()

    def _derived(self) -> str:
        """Return the name that is derived, be it from properties that are refused."""
        return derived_name(
            self.get(v.NAME_PREFIX),
            stack_id=self.stack_id,
            logical_id=self.logical_id,
            dataset_group_arn=str(self.properties.get(v.DATASET_GROUP_ARN)),
            recipe_arn=str(self.properties.get(v.RECIPE_ARN)),
        )


def within(text: str, limit: int = MAX_REASON_BYTES) -> str:
    """Return ``text``, cut so that it has at most ``limit`` bytes inside a JSON string."""
    cut = text[:limit]
    while len(json.dumps(cut)) > limit:
        cut = cut[: len(cut) * 9 // 10]
    return cut if cut == text else f"{cut[:-3]}..."


def _properties(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return dict(_parsed("event", name, event.get(name) or {}, _mapping, "a map"))


def _property(properties: Mapping[str, Any], name: str, default: Any = None) -> Any:
    value = properties.get(name)
    if value is None and default is not None:
        return default
    return _parsed("ResourceProperties", name, value, *_PROPERTIES[name])


def _accepted(properties: Mapping[str, Any], name: str, default: Any) -> Any:
    """Return a property, or the default if this version refuses what is there."""
    try:
        return _property(properties, name)
    except BadRequestError:
        return default


def _reject_unknown(properties: Mapping[str, Any], known: Collection[str]) -> None:
    for name in sorted(set(properties).difference(known)):
        raise BadRequestError(name, got=properties[name], allowed="no such property")


def _parsed(where: str, name: str, value: object, parse: Callable[[Any], Any], allowed: str) -> Any:
    try:
        return parse(value)
    except (ValueError, TypeError) as error:
        raise BadRequestError(f"{where}.{name}", got=value, allowed=allowed) from error


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _stack_id(value: object) -> str:
    if Arn.parse(_text(value)).service != "cloudformation":
        raise ValueError
    return _text(value)


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError
    return value


def _like(pattern: str, convert: Callable[[str], Any] = str) -> Callable[[object], Any]:
    def parse(value: object) -> Any:
        if not re.fullmatch(pattern, _text(value), re.ASCII):
            raise ValueError
        return convert(_text(value))

    return parse


def _arn(kind: str) -> tuple[Callable[[object], Any], str]:
    place = r"aws[a-z-]*:personalize:[a-z0-9-]*:(\d{12})?"
    return _like(rf"arn:{place}:{kind}/[\w-]+"), f"the ARN of a Personalize {kind}"


def _weight(value: object) -> Decimal:
    weight: Decimal = _like(_DECIMAL, Decimal)(value)
    if weight > 1:
        raise ValueError
    return weight


def _count(value: object) -> int:
    count: int = _like(r"[1-9]\d{0,9}", int)(value)
    if count > _MAX_INTEGER:
        raise ValueError
    return count


def _columns(value: object) -> dict[str, tuple[str, ...]]:
    if not all(isinstance(names, list) for names in _mapping(value).values()):
        raise ValueError
    columns = {
        _text(dataset): tuple(sorted(_text(name) for name in names))
        for dataset, names in _mapping(value).items()
    }
    return {dataset: names for dataset, names in columns.items() if names}


def _tags(value: object) -> dict[str, str]:
    tags = {_text(key): tag for key, tag in _mapping(value).items()}
    reserved = any(key.startswith(v.RESERVED_TAG_PREFIX) for key in tags)
    if reserved or not all(isinstance(tag, str) for tag in tags.values()):
        raise ValueError
    return tags


_MAX_INTEGER: Final = 2**31 - 1
_DECIMAL: Final = r"\d{1,15}(\.\d{1,18})?"
_BOOLEAN: Final = _like("true|false", "true".__eq__), "true or false"
_COUNT: Final = _count, "a whole number, 1 or more"
_NAME: Final = r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,%d}"
_SECONDS: Final = _like(_DECIMAL, float), "seconds"
_ANY_TEXT: Final = _text, "a string that is not empty"

_PROPERTIES: Final[Mapping[str, tuple[Callable[[Any], Any], str]]] = {
    v.ADOPT_EXISTING: _BOOLEAN,
    v.CONFIG: (_mapping, "a map"),
    v.DATASET_GROUP_ARN: _arn("dataset-group"),
    v.ENABLE_METADATA: _BOOLEAN,
    v.EXCLUDED_COLUMNS: (_columns, "a map of dataset types to lists of columns"),
    v.EXPLORATION_ITEM_AGE_CUT_OFF: _COUNT,
    v.EXPLORATION_WEIGHT: (_weight, "a decimal from 0 to 1"),
    v.FIXED_NAME: (_like(_NAME % (v.MAX_NAME_LENGTH - 1)), "a recommender's name"),
    v.LAST: _BOOLEAN,
    v.MIN_REQUESTS_PER_SECOND: _COUNT,
    v.NAME_PREFIX: (_like(_NAME % (v.MAX_PREFIX_LENGTH - 1)), "the beginning of a name"),
    v.RECIPE_ARN: _arn("recipe"),
    v.RECOMMENDER_ARN: _arn("recommender"),
    v.RECOMMENDER_LOGICAL_ID: _ANY_TEXT,
    v.REVISION: _ANY_TEXT,
    v.RUNNING: _BOOLEAN,
    v.TAGS: (_tags, f"a map of strings, no key of which begins with {v.RESERVED_TAG_PREFIX}"),
    v.UPDATED_AFTER: _SECONDS,
    v.WAIT_SECONDS: _SECONDS,
    "ServiceTimeout": _SECONDS,
}
"""How each property is read, and what is allowed; old templates' properties stay here forever."""

_CONFIG: Final = {
    v.MIN_REQUESTS_PER_SECOND: "min_requests_per_second",
    v.EXPLORATION_WEIGHT: "exploration_weight",
    v.EXPLORATION_ITEM_AGE_CUT_OFF: "exploration_item_age_cut_off",
    v.ENABLE_METADATA: "enable_metadata",
    v.EXCLUDED_COLUMNS: "excluded_columns",
}
