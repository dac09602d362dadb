"""What CloudFormation asks for, as types: the event contract and our properties, parsed at the edge.

CloudFormation turns every scalar of a custom resource's properties into a string; this undoes it,
strictly. Nothing here calls anything.

Source: "Custom resource request objects", AWS CloudFormation User Guide (crpg-ref-requests), and
the contract of ``aws_cdk.custom_resources.Provider``, whose handlers get these events.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar, cast

from . import vocabulary as v
from .identity import Arn, Owner, derived_name, is_derived_from

T = TypeVar("T")

DEFAULT_WAIT_SECONDS: Final = 3300.0
"""55 minutes: CloudFormation gives one request 3600 s, and the answer needs time to arrive."""

MAX_REASON_BYTES: Final = 1500
"""A whole answer may have 4096 bytes (crpg-ref-responses), and the Provider adds a stack trace."""


class BadRequestError(ValueError):
    """A request or a property that this version does not understand."""

    def __init__(self, what: str, *, got: object, allowed: str) -> None:
        super().__init__(f"{what}: got {str(got)[:200]!r}; allowed: {allowed}.")


class RequestType(StrEnum):
    """What CloudFormation wants done."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


class Properties:
    """The properties of one custom resource, read strictly and by name."""

    def __init__(self, raw: object, *, of: str = "ResourceProperties") -> None:
        if not isinstance(raw, Mapping):
            raise BadRequestError(of, got=raw, allowed="a map")
        self._raw = cast("Mapping[str, object]", raw)
        self._of = of

    def reject_unknown(self, known: set[str]) -> None:
        """Raise ``BadRequestError`` if there is a property that is not ``known``."""
        if unknown := sorted(set(self._raw) - known - {"ServiceToken", "ServiceTimeout"}):
            raise BadRequestError(
                f"{self._of}.{unknown[0]}", got=self._raw[unknown[0]], allowed="no such property"
            )

    def read(
        self, name: str, parse: Callable[[object], T], allowed: str, default: T | None = None
    ) -> T:
        """Return the property ``name`` as ``parse`` gives it, or the default if it is absent.

        Raises:
            BadRequestError: it is absent and has no default, or ``parse`` raises ``ValueError``.
        """
        value = self._raw.get(name)
        if value is None and default is not None:
            return default
        try:
            return parse(value)
        except (ValueError, ArithmeticError) as error:
            raise BadRequestError(f"{self._of}.{name}", got=value, allowed=allowed) from error

    def text(self, name: str) -> str:
        """Return a string that is not empty."""
        return self.read(name, _text, "a string that is not empty")

    def arn(self, name: str, kind: str) -> str:
        """Return the ARN of a Personalize resource of this ``kind``."""
        return self.read(name, _personalize_arn(kind), f"the ARN of a Personalize {kind}")

    def boolean(self, name: str, *, default: bool | None = None) -> bool:
        """Return a boolean, which arrives as ``"true"`` or ``"false"``."""
        return self.read(name, _boolean, "true or false", default)

    def nested(self, name: str) -> "Properties":
        """Return a map of properties."""
        return Properties(self._raw.get(name), of=f"{self._of}.{name}")

    def __contains__(self, name: str) -> bool:
        return self._raw.get(name) is not None


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}", value):
        raise ValueError
    return value


def _prefix(value: object) -> str:
    if len(_name(value)) > v.MAX_PREFIX_LENGTH:
        raise ValueError
    return _name(value)


def _personalize_arn(kind: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        arn = Arn.parse(_text(value))
        if arn.service != "personalize" or not re.fullmatch(
            rf"{kind}/[\w-]+", arn.resource, re.ASCII
        ):
            raise ValueError
        return cast("str", value)

    return parse


def _boolean(value: object) -> bool:
    if value not in ("true", "false"):
        raise ValueError
    return value == "true"


def _whole(value: object) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,9}", _text(value)):
        raise ValueError
    return int(_text(value))


def _decimal(value: object) -> Decimal:
    if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,18})?", _text(value)):
        raise ValueError
    return Decimal(_text(value))


def _weight(value: object) -> Decimal:
    if _decimal(value) > 1:
        raise ValueError
    return _decimal(value)


def _columns(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        raise ValueError
    columns: dict[str, tuple[str, ...]] = {}
    for dataset, names in value.items():
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            raise ValueError
        columns[_text(dataset)] = tuple(sorted(names))
    return {dataset: names for dataset, names in sorted(columns.items()) if names}


def _tags(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(tag, str) for tag in value.values()):
        raise ValueError
    return {_text(key): cast("str", tag) for key, tag in value.items()}


def _seconds(value: object) -> float:
    return float(_decimal(value))


@dataclass(frozen=True)
class Config:
    """The members of ``recommenderConfig`` that the stack owns."""

    min_requests_per_second: int = 1
    exploration_weight: Decimal = Decimal("0.3")
    exploration_item_age_cut_off: int = 30
    enable_metadata: bool = True
    excluded_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, properties: Properties) -> "Config":
        """Read the property ``Config``."""
        properties.reject_unknown(
            {
                v.MIN_REQUESTS_PER_SECOND,
                v.EXPLORATION_WEIGHT,
                v.EXPLORATION_ITEM_AGE_CUT_OFF,
                v.ENABLE_METADATA,
                v.EXCLUDED_COLUMNS,
            }
        )
        whole = "a whole number, 1 or more"
        return cls(
            min_requests_per_second=properties.read(v.MIN_REQUESTS_PER_SECOND, _whole, whole, 1),
            exploration_weight=properties.read(
                v.EXPLORATION_WEIGHT, _weight, "a decimal from 0 to 1", Decimal("0.3")
            ),
            exploration_item_age_cut_off=properties.read(
                v.EXPLORATION_ITEM_AGE_CUT_OFF, _whole, whole, 30
            ),
            enable_metadata=properties.boolean(v.ENABLE_METADATA, default=True),
            excluded_columns=properties.read(
                v.EXCLUDED_COLUMNS, _columns, "a map of dataset types to lists of columns", {}
            ),
        )


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
class Names:
    """The names that a stack's recommenders can have: the only ones that its role can touch."""

    prefix: str
    fixed: str | None

    def __contains__(self, name: str) -> bool:
        return name == self.fixed or is_derived_from(self.prefix, name)


@dataclass(frozen=True)
class Gate:
    """What one training gate waits for, and whether it is the last of its chain."""

    recommender_arn: str
    config: Config
    running: bool
    updated_after: float
    last: bool


@dataclass(frozen=True)
class Request:
    """One request of CloudFormation, and what ``on_event`` remembered for ``is_complete``."""

    type: RequestType
    resource_type: str
    request_id: str
    stack_id: str
    logical_id: str
    physical_id: str | None
    properties: Properties
    old_tags: Mapping[str, str]
    memory: Mapping[str, Any]
    wait_seconds: float

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> "Request":
        """Read an event of the Provider framework.

        Raises:
            BadRequestError: the event lacks a member, or one has not the form it must have.
        """
        envelope = Properties(event, of="event")
        properties = envelope.nested("ResourceProperties")
        wait = properties.read(v.WAIT_SECONDS, _seconds, "seconds", DEFAULT_WAIT_SECONDS)
        timeout = properties.read("ServiceTimeout", _seconds, "seconds", 3600.0)
        return cls(
            type=RequestType(envelope.read("RequestType", _request_type, "Create, Update, Delete")),
            resource_type=envelope.text("ResourceType"),
            request_id=envelope.text("RequestId"),
            stack_id=envelope.text("StackId"),
            logical_id=envelope.text("LogicalResourceId"),
            physical_id=event.get("PhysicalResourceId"),
            properties=properties,
            old_tags=Properties(event.get("OldResourceProperties") or {}).read(
                v.TAGS, _tags, "a map of strings", {}
            ),
            memory=event.get("Memory") or {},
            wait_seconds=min(wait, timeout * 0.9),
        )

    @property
    def tags(self) -> Mapping[str, str]:
        """Return the tags that the template asks for."""
        return self.properties.read(v.TAGS, _tags, "a map of strings", {})

    @property
    def last(self) -> bool:
        """Whether no other link of the chain follows this one."""
        return self.properties.boolean(v.LAST, default=False)

    @property
    def place(self) -> Arn:
        """Return the ARN of Personalize in the stack's account and region."""
        return replace(Arn.parse(self.stack_id), service="personalize", resource="")

    @property
    def recommender_arn(self) -> str:
        """Return the ARN of the recommender that a gate or a stop is about."""
        return self.properties.arn(v.RECOMMENDER_ARN, "recommender")

    def gate(self) -> Gate:
        """Return what a training gate waits for."""
        return Gate(
            recommender_arn=self.recommender_arn,
            config=Config.parse(self.properties.nested(v.CONFIG)),
            running=self.properties.boolean(v.RUNNING, default=True),
            updated_after=self.properties.read(v.UPDATED_AFTER, _seconds, "epoch seconds", 0.0),
            last=self.last,
        )

    @property
    def owner(self) -> Owner:
        """Return whose the recommender of this request is."""
        if v.RECOMMENDER_LOGICAL_ID in self.properties:
            return Owner(self.stack_id, self.properties.text(v.RECOMMENDER_LOGICAL_ID))
        return Owner(self.stack_id, self.logical_id)

    def names(self) -> Names:
        """Return the names that recommenders of this resource can have."""
        fixed = v.FIXED_NAME in self.properties
        prefix = f"1 to {v.MAX_PREFIX_LENGTH} letters, digits, - and _"
        return Names(
            prefix=self.properties.read(v.NAME_PREFIX, _prefix, prefix),
            fixed=self.properties.read(v.FIXED_NAME, _name, "a recommender's name")
            if fixed
            else None,
        )

    def wanted(self) -> Wanted:
        """Return the recommender that this request asks for.

        Raises:
            BadRequestError: a property has not the form it must have, is unknown, or names another
                account or region than the stack's.
        """
        self.properties.reject_unknown(
            {
                v.ADOPT_EXISTING,
                v.CONFIG,
                v.DATASET_GROUP_ARN,
                v.FIXED_NAME,
                v.NAME_PREFIX,
                v.RECIPE_ARN,
                v.RUNNING,
                v.TAGS,
                v.WAIT_SECONDS,
            }
        )
        name, arn = self._name_and_arn()
        return Wanted(
            name=name,
            arn=arn,
            dataset_group_arn=self.properties.arn(v.DATASET_GROUP_ARN, "dataset-group"),
            recipe_arn=self.properties.arn(v.RECIPE_ARN, "recipe"),
            config=Config.parse(self.properties.nested(v.CONFIG)),
            running=self.properties.boolean(v.RUNNING, default=True),
            adopt=self.properties.boolean(v.ADOPT_EXISTING, default=False),
            tags=self.tags,
            owner=self.owner,
        )

    def doomed_arn(self) -> str:
        """Return the ARN of what a Delete means.

        The physical id says it, unless it is none of ours: CloudFormation invents one for a
        resource whose creation it cancelled (cloudformation-coverage-roadmap issue 1814). The
        properties then say which recommender this resource would have made.
        """
        name, arn = self._name_and_arn()
        physical_name = (self.physical_id or "").rpartition("/")[2]
        if (
            physical_name in self.names()
            and self.physical_id == arn.removesuffix(name) + physical_name
        ):
            return arn.removesuffix(name) + physical_name
        return arn

    def _name_and_arn(self) -> tuple[str, str]:
        dataset_group_arn = self.properties.arn(v.DATASET_GROUP_ARN, "dataset-group")
        place = Arn.parse(self.stack_id).place
        if Arn.parse(dataset_group_arn).place != place:
            raise BadRequestError(
                f"ResourceProperties.{v.DATASET_GROUP_ARN}",
                got=dataset_group_arn,
                allowed=f"a dataset group of the stack's own account and region, {place}",
            )
        names = self.names()
        name = names.fixed or derived_name(
            names.prefix,
            stack_id=self.stack_id,
            logical_id=self.logical_id,
            dataset_group_arn=dataset_group_arn,
            recipe_arn=self.properties.arn(v.RECIPE_ARN, "recipe"),
        )
        return name, Arn.parse(dataset_group_arn).sibling(f"recommender/{name}")


def _request_type(value: object) -> str:
    return RequestType(_text(value)).value


def within(text: str, limit: int = MAX_REASON_BYTES) -> str:
    """Return ``text``, cut so that it has at most ``limit`` bytes inside a JSON string."""
    cut = text
    while len(_json_bytes(cut)) > limit:
        cut = cut[: max(0, len(cut) - max(1, (len(_json_bytes(cut)) - limit) // 6))]
    return cut if cut == text else cut[:-3] + "..."


def _json_bytes(text: str) -> bytes:
    return json.dumps(text).encode()
