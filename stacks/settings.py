"""The settings: the only reader of CDK context, validated before any construct exists.

Context values come from ``cdk.json`` with JSON's types, or as strings from ``-c key=value``; both
are parsed strictly. A wrong one raises ``SettingsError``, whose message names the key, the value,
what is allowed and what to do.
"""

import difflib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar, cast

from constructs import Node

from lambdas.recommender.vocabulary import MAX_TAGS, RESERVED_TAG_PREFIX, RESERVED_TAGS

T = TypeVar("T")

ENVIRONMENTS: Final = "environments"
MAX_TRAINING_GATES: Final = 100
"""CloudFormation allows 500 resources in a stack, and a gate and a sweep are two."""


class SettingsError(Exception):
    """A setting is missing, unknown or wrong."""

    def __init__(self, key: str, *, got: object, allowed: str, remedy: str) -> None:
        value = "nothing" if got is None else json.dumps(got, default=str)
        super().__init__(f"Setting {key}: got {value}; allowed: {allowed}. {remedy}")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One environment's settings. The defaults are the contract's."""

    dataset_group_arn: str
    account: str
    region: str
    recommender_name: str | None = None
    min_recommendation_requests_per_second: int = 1
    exploration_weight: Decimal = Decimal("0.3")
    exploration_item_age_cut_off: int = 30
    excluded_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    running: bool = True
    adopt_existing: bool = False
    retain_on_destroy: bool = False
    max_training_hours: Decimal = Decimal(10)
    training_gate_minutes: Decimal = Decimal(55)
    poll_interval_seconds: int = 60
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def training_gates(self) -> int:
        """How many training gates ``max_training_hours`` takes."""
        return math.ceil(self.max_training_hours * 60 / self.training_gate_minutes)


def from_context(node: Node) -> dict[str, Settings]:
    """Return the settings by environment; a single environment has the name ``""``.

    Raises:
        SettingsError: a setting is missing, unknown or wrong.
    """
    environments = node.try_get_context(ENVIRONMENTS)
    if environments is None:
        _reject_near_misses(node.get_all_context())
        given = {key: node.try_get_context(key) for key in _PARSERS}
        return {"": parse({key: value for key, value in given.items() if value is not None})}
    if both := [key for key in _PARSERS if node.try_get_context(key) is not None]:
        raise SettingsError(
            both[0],
            got=node.try_get_context(both[0]),
            allowed=f"either one environment at the top level, or {ENVIRONMENTS}",
            remedy=f"Move it into each environment, or remove {ENVIRONMENTS}.",
        )
    return {
        _environment_name(name): parse(_mapping(settings, f"{ENVIRONMENTS}.{name}"), of=f"{name}.")
        for name, settings in _mapping(environments, ENVIRONMENTS).items()
    }


def parse(given: Mapping[str, object], *, of: str = "") -> Settings:
    """Return the settings of one environment.

    Args:
        given: values by key.
        of: what precedes a key in messages.

    Raises:
        SettingsError: a setting is missing, unknown or wrong.
    """
    if unknown := sorted(set(given) - set(_PARSERS)):
        raise _unknown(unknown[0], given[unknown[0]], of)
    if given.get("dataset_group_arn") is None:
        raise SettingsError(
            f"{of}dataset_group_arn",
            got=None,
            allowed=_PARSERS["dataset_group_arn"].allowed,
            remedy="Give the ARN of an ACTIVE VIDEO_ON_DEMAND dataset group, in cdk.json or with "
            "-c dataset_group_arn=<arn>.",
        )
    values = {key: _PARSERS[key].read(f"{of}{key}", value) for key, value in given.items()}
    match = _DATASET_GROUP_ARN.fullmatch(values["dataset_group_arn"])
    assert match is not None  # noqa: S101  # its parser says so
    settings = Settings(**values, account=match["account"], region=match["region"])
    _check_together(settings, of)
    return settings


def _check_together(settings: Settings, of: str) -> None:
    if settings.training_gates > MAX_TRAINING_GATES:
        raise SettingsError(
            f"{of}training_gate_minutes",
            got=settings.training_gate_minutes,
            allowed=f"at most {MAX_TRAINING_GATES} training gates in max_training_hours",
            remedy=f"It makes {settings.training_gates}: lengthen the gates, or lower "
            "max_training_hours.",
        )
    if settings.adopt_existing and settings.recommender_name is None:
        raise SettingsError(
            f"{of}adopt_existing",
            got=True,
            allowed="true together with recommender_name",
            remedy="Name the recommender to take over in recommender_name.",
        )


def _reject_near_misses(context: Mapping[str, Any]) -> None:
    """Context also holds feature flags and other tools' keys, so only likely slips are refused."""
    for key, value in context.items():
        if key not in _PARSERS and _nearest(key, cutoff=0.8):
            raise _unknown(key, value, "")


def _nearest(key: str, *, cutoff: float) -> str | None:
    return next(
        iter(difflib.get_close_matches(key, [*_PARSERS, ENVIRONMENTS], n=1, cutoff=cutoff)), None
    )


def _unknown(key: str, value: object, of: str) -> SettingsError:
    nearest = _nearest(key, cutoff=0.0)
    return SettingsError(
        f"{of}{key}",
        got=value,
        allowed="no such setting",
        remedy=f"Did you mean {nearest}? README.md lists all settings.",
    )


def _environment_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,40}", name):
        raise SettingsError(
            f"{ENVIRONMENTS}.{name}",
            got=name,
            allowed="a name of letters, digits and hyphens that begins with a letter, 41 at most",
            remedy="Rename the environment: stacks are named after it.",
        )
    return name


def _mapping(value: object, key: str) -> dict[str, object]:
    parsed = _json(value)
    if not isinstance(parsed, dict) or not parsed:
        raise SettingsError(
            key,
            got=value,
            allowed="a JSON object that is not empty",
            remedy='For example {"dev": {"dataset_group_arn": "<arn>"}}.',
        )
    return cast("dict[str, object]", parsed)


def _json(value: object) -> object:
    """Return what a string from the command line says in JSON; other values as they are."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


@dataclass(frozen=True)
class _Parser:
    """How a setting is read: ``parse`` raises ``ValueError`` for what is not allowed."""

    parse: Callable[[object], Any]
    allowed: str
    remedy: str = "Correct it in cdk.json or in the -c option."

    def read(self, key: str, value: object) -> Any:
        try:
            return self.parse(value)
        except (ValueError, InvalidOperation) as error:
            raise SettingsError(key, got=value, allowed=self.allowed, remedy=self.remedy) from error


_DATASET_GROUP_ARN = re.compile(
    r"arn:aws[a-z-]*:personalize:(?P<region>[a-z]{2}(-[a-z]+)+-[0-9]):(?P<account>[0-9]{12})"
    r":dataset-group/[A-Za-z0-9][A-Za-z0-9_-]{0,62}"
)


def _matching(pattern: re.Pattern[str]) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError
        return value

    return parse


def _boolean(value: object) -> bool:
    parsed = _json(value)
    if not isinstance(parsed, bool):
        raise ValueError
    return parsed


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,6})?", str(value)):
        raise ValueError
    return Decimal(str(value))


def _whole(low: int, high: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        number = _number(value)
        if number != int(number) or not low <= number <= high:
            raise ValueError
        return int(number)

    return parse


def _decimal(low: str, high: str, *, above: bool = False) -> Callable[[object], Decimal]:
    def parse(value: object) -> Decimal:
        number = _number(value)
        if not Decimal(low) <= number <= Decimal(high) or (above and number == Decimal(low)):
            raise ValueError
        return number

    return parse


def _columns(value: object) -> dict[str, tuple[str, ...]]:
    parsed = _json(value)
    if not isinstance(parsed, dict) or len(parsed) > len(_DATASET_TYPES):
        raise ValueError
    return {dataset: _column_names(dataset, columns) for dataset, columns in sorted(parsed.items())}


_DATASET_TYPES: Final = ("INTERACTIONS", "ITEMS", "USERS")
_MAX_COLUMNS: Final = 50
_NEVER_EXCLUDED: Final = "EVENT_TYPE"


def _column_names(dataset: object, columns: object) -> tuple[str, ...]:
    if dataset not in _DATASET_TYPES or not isinstance(columns, list):
        raise ValueError
    names = [name for name in columns if isinstance(name, str)]
    well_formed = all(
        re.fullmatch(r"[A-Za-z_][A-Za-z\d_]{0,149}", name, re.ASCII) for name in names
    )
    if len(names) != len(columns) or not 1 <= len(set(names)) <= _MAX_COLUMNS or not well_formed:
        raise ValueError
    if _NEVER_EXCLUDED in names:
        raise ValueError
    return tuple(sorted(set(names)))


def _tags(value: object) -> dict[str, str]:
    parsed = _json(value)
    if not isinstance(parsed, dict) or len(parsed) > MAX_TAGS - len(RESERVED_TAGS):
        raise ValueError
    for key, tag in parsed.items():
        if (
            not isinstance(tag, str)
            or not _is_tag_text(key, 1, 128)
            or not _is_tag_text(tag, 0, 256)
        ):
            raise ValueError
        if key.lower().startswith("aws:") or key.startswith(RESERVED_TAG_PREFIX):
            raise ValueError
    return dict(sorted(parsed.items()))


def _is_tag_text(text: str, low: int, high: int) -> bool:
    """Source: pattern of ``Tag`` in the Personalize API reference."""
    allowed = all(char.isalnum() or char.isspace() or char in "_.:/=+-@" for char in text)
    return low <= len(text) <= high and allowed


_PARSERS: Final[Mapping[str, _Parser]] = {
    "dataset_group_arn": _Parser(
        _matching(_DATASET_GROUP_ARN),
        "arn:<partition>:personalize:<region>:<account>:dataset-group/<name>",
        "Copy the ARN from `aws personalize list-dataset-groups`.",
    ),
    "recommender_name": _Parser(
        _matching(re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")),
        "1 to 63 letters, digits, - and _, the first a letter or digit",
        "Correct it, or remove it to have the name derived.",
    ),
    "min_recommendation_requests_per_second": _Parser(
        _whole(1, 2**31 - 1), "a whole number, 1 or more"
    ),
    "exploration_weight": _Parser(_decimal("0", "1"), "a number from 0 to 1"),
    "exploration_item_age_cut_off": _Parser(
        _whole(1, 2**31 - 1), "a whole number of days, 1 or more"
    ),
    "excluded_columns": _Parser(
        _columns,
        f"an object of {', '.join(_DATASET_TYPES)} to lists of 1 to {_MAX_COLUMNS} column names "
        f"without {_NEVER_EXCLUDED}",
        'For example {"ITEMS": ["DESCRIPTION"]}.',
    ),
    "running": _Parser(_boolean, "true or false"),
    "adopt_existing": _Parser(_boolean, "true or false"),
    "retain_on_destroy": _Parser(_boolean, "true or false"),
    "max_training_hours": _Parser(
        _decimal("0", "24", above=True), "a number of hours above 0, 24 at most"
    ),
    "training_gate_minutes": _Parser(
        _decimal("0", "55", above=True),
        "a number of minutes above 0, 55 at most",
        "CloudFormation gives one custom resource an hour; max_training_hours sets how long all "
        "training gates wait together.",
    ),
    "poll_interval_seconds": _Parser(_whole(1, 120), "a whole number from 1 to 120"),
    "tags": _Parser(
        _tags,
        f"an object of at most {MAX_TAGS - len(RESERVED_TAGS)} strings, keys of 1 to 128 and "
        "values of up to 256 letters, digits, spaces and _.:/=+-@, no key that begins with aws: or "
        f"{RESERVED_TAG_PREFIX}",
        f"Personalize allows {MAX_TAGS} tags, and {len(RESERVED_TAGS)} are the stack's own.",
    ),
}

assert set(_PARSERS) == {f.name for f in fields(Settings)} - {"account", "region"}  # noqa: S101
