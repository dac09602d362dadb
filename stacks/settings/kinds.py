"""Kinds of settings' values: how to read and check them, in words and in JSON schema."""

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from typing import Final, Generic, TypeVar

from ..functions import Recipe
from ..functions import vocabulary as v
from ..partitions import PARTITION, REGION, is_region_of, partition_of
from . import tags, weekly
from .errors import NotAllowedError

T = TypeVar("T")


def from_json(text: str) -> object:
    """Parse a string of the command line as JSON; return the string if it is no JSON.

    Raises:
        NotAllowedError: an object has a key twice, of which JSON would keep the last in silence.
    """
    try:
        return json.loads(text, object_pairs_hook=_each_key_once)
    except NotAllowedError:
        raise
    except (ValueError, RecursionError):  # also of numbers and nesting that Python cannot read
        return text


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise NotAllowedError(f"It has {key} twice: keep one of them.")
        found[key] = value
    return found


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A kind of values."""

    allowed: str
    """The allowed values, in words."""

    schema: Mapping[str, object]
    """The same in JSON schema, as far as that can say it."""

    check: Callable[[object], T]
    """Returns a value as it is used, or raises ``NotAllowedError``."""

    def parse(self, value: object) -> T:
        """Read a value of the context: from cdk.json, or a string of the command line.

        Raises:
            NotAllowedError: it is not allowed.
        """
        if isinstance(value, str):  # of another type, it is left to be refused
            value = _FROM_TEXT.get(self.schema["type"], from_json)(value)
        return self.check(value)


# -- yes or no, and numbers ------------------------------------------------------------------------


def boolean() -> Kind[bool]:
    """Return the kind of true or false."""

    def check(value: object) -> bool:
        if not isinstance(value, bool):
            raise NotAllowedError
        return value

    return Kind("true or false", {"type": "boolean"}, check)


_DECIMALS: Final = 6
_NUMBER: Final = re.compile(rf"(0|[1-9][0-9]{{0,9}})(\.[0-9]{{1,{_DECIMALS}}})?")


def _number_from_text(text: str) -> object:
    return Decimal(text) if _NUMBER.fullmatch(text) else text


_FROM_TEXT: Final[Mapping[object, Callable[[str], object]]] = {
    "boolean": lambda text: {"true": True, "false": False}.get(text, text),
    "integer": _number_from_text,
    "number": _number_from_text,
    "string": str,
}
"""How to read a string of the command line, by the schema's type; all others are JSON."""


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise NotAllowedError
    written = f"{Decimal(str(value)):f}"  # never 1E-5
    if not _NUMBER.fullmatch(written):
        raise NotAllowedError
    return Decimal(written)


def number(low: int, high: int) -> Kind[Decimal]:
    """Return the kind of a number in a range that includes its ends."""

    def check(value: object) -> Decimal:
        if not low <= (found := _number(value)) <= high:
            raise NotAllowedError
        return found

    return Kind(
        f"a number from {low} to {high} with at most {_DECIMALS} decimals",
        {"type": "number", "minimum": low, "maximum": high},
        check,
    )


def time_in(unit: str, *, at_most: int) -> Kind[Decimal]:
    """Return the kind of a length of time, fractions included, that is above 0."""

    def check(value: object) -> Decimal:
        if not 0 < (found := _number(value)) <= at_most:
            raise NotAllowedError
        return found

    return Kind(
        f"a number of {unit} above 0, {at_most} at most, with at most {_DECIMALS} decimals",
        {"type": "number", "exclusiveMinimum": 0, "maximum": at_most},
        check,
    )


_MAX_INTEGER: Final = 2**31 - 1
"""The maximum of the service's model."""


def whole(low: int, high: int | None = None, *, of: str = "") -> Kind[int]:
    """Return the kind of a whole number, ``of`` something."""
    noun = f"a whole number of {of}" if of else "a whole number"
    maximum = _MAX_INTEGER if high is None else high

    def check(value: object) -> int:
        found = _number(value)
        if "." in str(found) or not low <= found <= maximum:
            raise NotAllowedError
        return int(found)

    return Kind(
        f"{noun}, {low} or more" if high is None else f"{noun} from {low} to {high}",
        {"type": "integer", "minimum": low, "maximum": maximum},
        check,
    )


def one_of(numbers: Sequence[int]) -> Kind[int]:
    """Return the kind of a whole number that is among these."""
    any_of_them = whole(min(numbers), max(numbers))

    def check(value: object) -> int:
        if (found := any_of_them.check(value)) not in numbers:
            raise NotAllowedError
        return found

    return Kind(
        f"one of {', '.join(map(str, numbers))}",
        {"type": "integer", "enum": [*numbers]},
        check,
    )


# -- text ------------------------------------------------------------------------------------------


def text(allowed: str, pattern: str) -> Kind[str]:
    """Return the kind of text that matches a pattern as a whole."""

    def check(value: object) -> str:
        return _matching(pattern, value)

    return Kind(allowed, {"type": "string", "pattern": f"^(?:{pattern})$"}, check)


def one_recipe() -> Kind[Recipe]:
    """Return the kind of a recipe of the domain VIDEO_ON_DEMAND."""
    names = [str(one) for one in Recipe]

    def check(value: object) -> Recipe:
        if not isinstance(value, str) or value not in names:
            raise NotAllowedError
        return Recipe(value)

    return Kind(f"one of {', '.join(names)}", {"type": "string", "enum": names}, check)


def _matching(pattern: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
        raise NotAllowedError
    return value


def printable(*, at_most: int) -> Kind[str]:
    """Return the kind of a short text in any alphabet."""

    def check(value: object) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= at_most:
            raise NotAllowedError
        if not value.isprintable() or value != value.strip():
            raise NotAllowedError
        return value

    return Kind(
        f"1 to {at_most} printable characters, without spaces around them",
        {"type": "string", "maxLength": at_most, "pattern": r"^\S(?:.*\S)?$"},
        check,
    )


def regional_arn(services: Sequence[str], resource: str, pattern: str) -> Kind[str]:
    """Return the kind of an ARN with a region, which must be one of the ARN's partition.

    Args:
        services: the names that the service may have.
        resource: the part after the account, in words.
        pattern: the same as a pattern.
    """
    arn = f"arn:{PARTITION}:(?:{'|'.join(services)}):{REGION}:[0-9]{{12}}:{pattern}"

    def check(value: object) -> str:
        found = _matching(arn, value)
        _, partition, _, region, *_ = found.split(":")
        if not is_region_of(partition, region):
            raise NotAllowedError(f"{region} is in the partition {partition_of(region)}.")
        return found

    return Kind(
        f"arn:<partition>:{services[0]}:<region>:<account>:{resource}, with a region of that "
        "partition",
        {"type": "string", "pattern": f"^{arn}$"},
        check,
    )


# -- lists and objects -----------------------------------------------------------------------------

_PRINCIPAL: Final = f"arn:{PARTITION}:iam::[0-9]{{12}}:(?:role|user)/[A-Za-z0-9_+=,.@/-]{{1,575}}"


def principals() -> Kind[tuple[str, ...]]:
    """Return the kind of a list of ARNs of IAM roles and users."""

    def check(value: object) -> tuple[str, ...]:
        if not (given := _list(value)):
            raise NotAllowedError
        return tuple(sorted({_matching(_PRINCIPAL, arn) for arn in given}))

    return Kind(
        "a list of ARNs of IAM roles and users, "
        "arn:<partition>:iam::<account>:role/<path and name>, without wildcards",
        {
            "type": "array",
            "items": {"type": "string", "pattern": f"^{_PRINCIPAL}$"},
            "minItems": 1,
        },
        check,
    )


_DATASET_TYPES: Final = ("INTERACTIONS", "ITEMS", "USERS")
_COLUMN: Final = r"[A-Za-z_][A-Za-z\d_]{0,149}"
_MAX_COLUMNS: Final = 50
_NEVER_EXCLUDED: Final = "EVENT_TYPE"


def columns_by_dataset() -> Kind[dict[str, tuple[str, ...]]]:
    """Return the kind of column names by dataset type.

    Source: ``TrainingDataConfig`` in the Personalize API reference, and "Configuring columns used
    when training a domain recommender", Developer Guide.
    """

    def check(value: object) -> dict[str, tuple[str, ...]]:
        return {dataset: columns(dataset, names) for dataset, names in sorted(_object(value))}

    def columns(dataset: object, given: object) -> tuple[str, ...]:
        names = {_matching(_COLUMN, name) for name in _list(given)}
        if dataset not in _DATASET_TYPES or not 1 <= len(names) <= _MAX_COLUMNS:
            raise NotAllowedError
        if _NEVER_EXCLUDED in names:
            raise NotAllowedError
        return tuple(sorted(names))

    schema = {
        "type": "array",
        "items": {"type": "string", "pattern": f"^{_COLUMN}$", "not": {"const": _NEVER_EXCLUDED}},
        "minItems": 1,
        "maxItems": _MAX_COLUMNS,
        "uniqueItems": True,
    }
    return Kind(
        f"an object of {', '.join(_DATASET_TYPES)} to lists of 1 to {_MAX_COLUMNS} column names "
        f"without {_NEVER_EXCLUDED}",
        {
            "type": "object",
            "properties": dict.fromkeys(_DATASET_TYPES, schema),
            "additionalProperties": False,
        },
        check,
    )


def least_by_metric() -> Kind[dict[str, Decimal]]:
    """Return the kind of a least value, from 0 to 1, by the service's name of a model metric."""
    known = ", ".join(v.METRICS.values())
    value_of = number(0, 1)

    def check(value: object) -> dict[str, Decimal]:
        given = sorted(_object(value))
        if unknown := [name for name, _ in given if name not in v.METRICS.values()]:
            raise NotAllowedError(f"There is no metric {unknown[0]}. Known are {known}.")
        return {name: value_of.check(least) for name, least in given}

    return Kind(
        f"an object of names of model metrics, each with {value_of.allowed}",
        {
            "type": "object",
            "properties": dict.fromkeys(v.METRICS.values(), value_of.schema),
            "additionalProperties": False,
        },
        check,
    )


@functools.cache
def time_zones() -> frozenset[str]:
    """Return the names of time zones, by the package ``tzdata``: those of the machine may differ.

    EventBridge Scheduler takes the names of IANA's database ("Schedule types in EventBridge
    Scheduler", time zones, User Guide). Older names such as US/Eastern are in it, and in schedules
    that others have published; AWS does not mention them. ``Factory`` stands for no zone at all.
    """
    zones = resources.files("tzdata").joinpath("zones").read_text()
    return frozenset(zones.split()) - {"Factory"}


START, STOP, TIME_ZONE = "start", "stop", "time_zone"
_TIME_ZONE: Final = r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*"
_LEAST_HOURS: Final = 2


def hours_of_service() -> Kind[dict[str, str]]:
    """Return the kind of a start and a stop by the clock.

    Starting and stopping take a while, and Scheduler tries a refused call again until an hour
    before the other call. So there has to be time between the two.
    """
    parts = (START, STOP, TIME_ZONE)

    def check(value: object) -> dict[str, str]:
        given = dict(_object(value))
        if given.keys() != set(parts) or not all(isinstance(one, str) for one in given.values()):
            raise NotAllowedError
        start, stop, time_zone = (str(given[part]) for part in parts)
        try:
            between = min(weekly.until(start, stop), weekly.until(stop, start))
        except ValueError as error:
            raise NotAllowedError(
                f"{error} is not of that form; days are {', '.join(v.DAYS)}, ranges do not "
                "go past SUN, and minutes and hours are single numbers."
            ) from None
        if between < _LEAST_HOURS * 60:
            raise NotAllowedError(
                f"Between a start and a stop there have to be {_LEAST_HOURS} hours, either way."
            )
        if time_zone not in time_zones():
            raise NotAllowedError(f"There is no time zone {time_zone}. One is Europe/Berlin.")
        return {START: start, STOP: stop, TIME_ZONE: time_zone}

    expression = {"type": "string", "pattern": f"^{weekly.PATTERN}$"}
    return Kind(
        f"an object of {START} and {STOP}, each cron(<minute> <hour> ? * <days> *) or "
        f"cron(<minute> <hour> * * ? *), and {TIME_ZONE}, a name of IANA's time zone database",
        {
            "type": "object",
            "properties": {
                START: expression,
                STOP: expression,
                TIME_ZONE: {"type": "string", "pattern": f"^{_TIME_ZONE}$"},
            },
            "required": [*parts],
            "additionalProperties": False,
        },
        check,
    )


def tags_by_key() -> Kind[dict[str, str]]:
    """Return the kind of tags."""

    def check(value: object) -> dict[str, str]:
        given = sorted(_object(value))
        if not all(isinstance(tag, str) for _, tag in given):
            raise NotAllowedError
        found = {key: str(tag) for key, tag in given}
        if problem := next(tags.problems(found), ""):
            raise NotAllowedError(problem)
        return found

    return Kind(
        f"an object of at most {tags.MAX_TAGS_GIVEN} strings, with keys of 1 to {tags.MAX_KEY} "
        f"and values of 1 to {tags.MAX_VALUE} {tags.ALLOWED_CHARACTERS}. No key begins with aws: "
        f"or {v.RESERVED_TAG_PREFIX}. No two keys differ only in case",
        {
            "type": "object",
            "maxProperties": tags.MAX_TAGS_GIVEN,
            "propertyNames": {"minLength": 1, "maxLength": tags.MAX_KEY},
            "additionalProperties": {
                "type": "string",
                "minLength": 1,
                "maxLength": tags.MAX_VALUE,
            },
        },
        check,
    )


RECOMMENDER_NAME: Final = "(?!Monitoring)[A-Za-z][A-Za-z0-9]{0,30}"
"""The id of a recommender's monitoring begins so, where outputs begin with the name."""


def objects_by_name() -> Kind[dict[str, dict[str, object]]]:
    """Return the kind of the settings of several recommenders, which are read one by one.

    The empty name keeps the construct of a recommender that the stack had alone.
    """

    def check(value: object) -> dict[str, dict[str, object]]:
        given = {
            (name and _matching(RECOMMENDER_NAME, name)): dict(_object(one))
            for name, one in _object(value)
        }
        if not given:
            raise NotAllowedError
        if alike := tags.differing_in_case(given):
            raise NotAllowedError(f"{alike[0]} and {alike[1]} differ only in case: rename one.")
        return given

    return Kind(
        "an object of names to objects of settings; a name has at most 31 letters and digits, and "
        "begins with a letter, but not with Monitoring, or is empty",
        {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": f"^(?:{RECOMMENDER_NAME})?$"},
            "additionalProperties": {"type": "object"},
        },
        check,
    )


def _list(value: object) -> Sequence[object]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise NotAllowedError
    return value


def _object(value: object) -> Iterable[tuple[str, object]]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise NotAllowedError
    return value.items()
