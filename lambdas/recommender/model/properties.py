"""Read CloudFormation's strings strictly (pure).

CloudFormation turns every scalar of a custom resource's properties into a string; this undoes that.
Source: "Custom resource request objects", CloudFormation User Guide (crpg-ref-requests).
"""

import re
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from .. import vocabulary as v
from ..text import truncate


class BadRequestError(ValueError):
    """A request or a property that this version does not understand."""

    def __init__(self, what: str, *, got: object, allowed: str) -> None:
        super().__init__(f"{what}: got {truncate(str(got), 200)!r}; allowed: {allowed}.")


class Reader(NamedTuple):
    """The way to read a property, and its allowed values."""

    parse: Callable[[Any], Any]
    allowed: str

    def read(self, where: str, value: object) -> Any:
        """Parse a value.

        Raises:
            BadRequestError: it is absent or malformed.
        """
        try:
            return self.parse(value)
        except BadRequestError:
            raise
        except (ValueError, TypeError, KeyError) as error:
            raise BadRequestError(where, got=value, allowed=self.allowed) from error


def reject_unknown(properties: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse unknown properties.

    Raises:
        BadRequestError: one is unknown.
    """
    for name in sorted(set(properties).difference(known)):
        raise BadRequestError(
            f"Unknown property {name}",
            got=properties[name],
            allowed="the properties of this version of the functions",
        )


def members(given: object, readers: Mapping[str, Reader], where: str) -> dict[str, Any]:
    """Read the members of a map.

    Raises:
        BadRequestError: a member is malformed or unknown.
    """
    reject_unknown(mapping(given), readers)
    return {
        name: readers[name].read(f"{where}.{name}", value) for name, value in mapping(given).items()
    }


def stringified(value: Any) -> Any:
    """Convert a template's properties as CloudFormation does: scalars to strings, no null."""
    match value:
        case dict():
            return {key: stringified(one) for key, one in value.items() if one is not None}
        case list():
            return [stringified(one) for one in value]
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def text(value: object) -> str:
    """Read a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def mapping(value: object) -> Mapping[str, Any]:
    """Read a map."""
    if not isinstance(value, Mapping):
        raise ValueError
    return value


def _like(pattern: str, convert: Callable[[str], Any] = str) -> Callable[[object], Any]:
    def parse(value: object) -> Any:
        if not re.fullmatch(pattern, text(value), re.ASCII):
            raise ValueError
        return convert(text(value))

    return parse


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
    if not all(isinstance(names, list) for names in mapping(value).values()):
        raise ValueError
    columns = {
        text(dataset): tuple(sorted(text(name) for name in names))
        for dataset, names in mapping(value).items()
    }
    return {dataset: names for dataset, names in columns.items() if names}


def _weights(value: object) -> dict[str, Decimal]:
    return {text(name): _weight(weight) for name, weight in mapping(value).items()}


def _tags(value: object) -> dict[str, str]:
    tags = {text(key): tag for key, tag in mapping(value).items()}
    reserved = any(key.startswith(v.RESERVED_TAG_PREFIX) for key in tags)
    if reserved or not all(isinstance(tag, str) for tag in tags.values()):
        raise ValueError
    return tags


_MAX_INTEGER: Final = 2**31 - 1
_DECIMAL: Final = r"\d{1,15}(\.\d{1,18})?"
_NAME: Final = r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,%d}"

TEXT: Final = Reader(text, "a string that is not empty")
MAP: Final = Reader(mapping, "a map")
BOOLEAN: Final = Reader(_like("true|false", "true".__eq__), "true or false")
ON_DESTROY: Final = Reader(_like(f"{v.DELETE}|{v.RETAIN}"), f"{v.DELETE} or {v.RETAIN}")
COUNT: Final = Reader(_count, "a whole number, 1 or more")
WEIGHT: Final = Reader(_weight, "a decimal from 0 to 1")
WEIGHTS: Final = Reader(_weights, "a map of names to decimals from 0 to 1")
SECONDS: Final = Reader(_like(_DECIMAL, float), "seconds")
COLUMNS: Final = Reader(_columns, "a map of dataset types to lists of columns")
TAGS: Final = Reader(
    _tags, f"a map of strings, no key of which begins with {v.RESERVED_TAG_PREFIX}"
)
NAME: Final = Reader(_like(_NAME % (v.MAX_NAME_LENGTH - 1)), "a recommender's name")
NAME_PREFIX: Final = Reader(_like(_NAME % (v.MAX_PREFIX_LENGTH - 1)), "the beginning of a name")


def arn(kind: str) -> Reader:
    """Read the ARN of a Personalize resource of a kind."""
    place = r"aws[a-z-]*:personalize:[a-z0-9-]*:(\d{12})?"
    return Reader(_like(rf"arn:{place}:{kind}/[\w-]+"), f"the ARN of a Personalize {kind}")
