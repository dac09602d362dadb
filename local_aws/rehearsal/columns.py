"""The columns and limits of the datasets of the VIDEO_ON_DEMAND domain, as AWS documents them.

Sources, all under docs.aws.amazon.com/personalize/latest/dg/: VIDEO-ON-DEMAND-interactions-dataset,
VIDEO-ON-DEMAND-items-dataset, VIDEO-ON-DEMAND-users-dataset, VIDEO-ON-DEMAND-datasets-and-schemas,
data-prep-formatting, limits. A folder has no schema, so of columns that are not reserved any text
of at most 1000 characters is taken.

Event types count together with some columns, 10 in all. By the page limits, these are the
optional metadata columns. By VIDEO-ON-DEMAND-interactions-dataset, EVENT_TYPE itself is one of
them: this is a switch, off by default. `findings` warns of a folder that the switch would refuse.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Kind:
    """The allowed values of a column."""

    allowed: str
    accepts: Callable[[str], bool]
    hint: Callable[[str], str] = lambda _: ""
    """Guesses the meaning of a value that is not accepted."""
    remedy: Callable[[str], str] = lambda _: ""
    """A command that mends the `COLUMN` of a `FILE`; empty if there is none."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset and the file that it is imported from."""

    file: str
    required: Mapping[str, Kind]
    reserved: Mapping[str, Kind]
    most_custom: int
    """The most metadata columns that are not reserved."""
    least_optional: int = 0
    """The least columns in addition to the required ones."""
    most_event_types: int | None = None
    """The most event types and `counted` columns together; None where there are none."""
    not_counted: frozenset[str] = frozenset()
    """Reserved columns that do not count among them."""
    may_be_missing: bool = False

    def counted(self, columns: Iterable[str]) -> list[str]:
        """Return the optional columns that count together with the event types."""
        return [one for one in columns if one not in {*self.required, *self.not_counted}]

    def kind(self, column: str) -> Kind:
        """Return the kind of a column's values."""
        return {**self.reserved, **self.required}.get(column, _text(0, _LONGEST))


def datasets(now: float, *, event_type_counts: bool = False) -> tuple[Dataset, Dataset, Dataset]:
    """Return Interactions, Items and Users, with no interactions after `now` in them.

    Args:
        now: The time, in epoch seconds.
        event_type_counts: Whether EVENT_TYPE is itself one of the columns that count together with
            the event types.
    """
    time = Kind(
        "whole seconds since 1970-01-01, not in the future",
        lambda text: _is_time(text) and int(text) <= now,
        _time_hint,
        lambda text: _TO_SECONDS if _ISO.match(text) else "",
    )
    interactions = Dataset(
        file="interactions.csv",
        required={
            "USER_ID": _ID,
            "ITEM_ID": _ID,
            "TIMESTAMP": time,
            "EVENT_TYPE": _text(1, _LONGEST),
        },
        reserved={
            "EVENT_VALUE": _NUMBER,
            "IMPRESSION": _text(0, _LONGEST),
            "RECOMMENDATION_ID": _text(0, _LONGEST),
            "EVENT_ATTRIBUTION_SOURCE": _text(0, _LONGEST),
        },
        most_custom=5,
        most_event_types=9 if event_type_counts else 10,
        not_counted=frozenset({"IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE"}),
    )
    items = Dataset(
        file="items.csv",
        required={"ITEM_ID": _ID, "GENRES": _REQUIRED_CATEGORY, "CREATION_TIMESTAMP": _CREATED},
        reserved={
            "PRICE": _REQUIRED_NUMBER,
            "DURATION": _REQUIRED_NUMBER,
            "AVERAGE_RATING": _NUMBER,
            "GENRE_L2": _CATEGORY,
            "GENRE_L3": _CATEGORY,
            "CONTENT_OWNER": _CATEGORY,
            "CONTENT_CLASSIFICATION": _CATEGORY,
            "PRODUCT_DESCRIPTION": _text(0, 20_000),
        },
        most_custom=100,
    )
    users = Dataset(
        file="users.csv",
        required={"USER_ID": _ID},
        reserved={"SUBSCRIPTION_MODEL": _CATEGORY},
        most_custom=25,
        least_optional=1,
        may_be_missing=True,
    )
    return interactions, items, users


_LONGEST: Final = 1000
"""Characters of a category, and of a text that is not a description."""
_SECONDS: Final = re.compile(r"[0-9]{1,18}")
_A_NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_ISO: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TO_SECONDS: Final = (
    'python3 -c "import csv, sys, datetime as d; rows = csv.DictReader(sys.stdin); '
    "new = csv.DictWriter(sys.stdout, rows.fieldnames); new.writeheader(); "
    "new.writerows(row | {'COLUMN': int((t if (t := d.datetime.fromisoformat(row['COLUMN']))"
    '.tzinfo else t.replace(tzinfo=d.timezone.utc)).timestamp())} for row in rows)" '
    "< FILE > new.csv && mv new.csv FILE"
)
"""Times of ISO 8601 to seconds; a time without a zone is taken for UTC."""
_MILLISECONDS: Final = 10**11
"""As seconds this is the year 5138; as milliseconds, 1973."""


def _text(least: int, most: int) -> Kind:
    span = f"{least} to {most}" if least else f"at most {most}"
    return Kind(f"{span} characters", lambda text: least <= len(text) <= most)


def _are_categories(text: str) -> bool:
    return all(len(one) <= _LONGEST for one in text.split("|"))


def _is_number(text: str) -> bool:
    return _A_NUMBER.fullmatch(text) is not None and math.isfinite(float(text))


def _is_time(text: str) -> bool:
    return _SECONDS.fullmatch(text) is not None and int(text) < _MILLISECONDS


def _time_hint(text: str) -> str:
    if _ISO.match(text):
        return "a date?"
    if not _SECONDS.fullmatch(text):
        return ""
    return "in the future" if _is_time(text) else "milliseconds?"


def printable(text: str) -> str:
    """Escape the characters that a terminal would obey, and not show."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


_ID: Final = _text(1, 256)
_CATEGORY: Final = Kind(
    f"categories of at most {_LONGEST} characters, separated by |", _are_categories
)
_REQUIRED_CATEGORY: Final = Kind(
    f"one category at least, each of at most {_LONGEST} characters, separated by |",
    lambda text: bool(text.strip("|")) and _are_categories(text),
)
_NUMBER: Final = Kind("a number, or nothing", lambda text: not text or _is_number(text))
_REQUIRED_NUMBER: Final = Kind("a number", _is_number)
_CREATED: Final = Kind(
    "whole seconds since 1970-01-01",
    _is_time,
    _time_hint,
    lambda text: _TO_SECONDS if _ISO.match(text) else "",
)
