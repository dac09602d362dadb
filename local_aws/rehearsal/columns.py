"""The columns and limits of the datasets of the VIDEO_ON_DEMAND domain, as AWS documents them.

Sources, all under docs.aws.amazon.com/personalize/latest/dg/: VIDEO-ON-DEMAND-interactions-dataset,
VIDEO-ON-DEMAND-items-dataset, VIDEO-ON-DEMAND-users-dataset, VIDEO-ON-DEMAND-datasets-and-schemas,
data-prep-formatting, limits. A folder has no schema, so of columns that are not reserved any text
of at most 1000 characters is taken.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Kind:
    """What the values of a column may be."""

    allowed: str
    accepts: Callable[[str], bool]
    hint: Callable[[str], str] = lambda _: ""
    """What a value that is not accepted may have been meant to be."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset and the file that it is imported from."""

    file: str
    required: Mapping[str, Kind]
    reserved: Mapping[str, Kind]
    most_custom: int
    """The most metadata columns that are not reserved."""
    least_optional: int = 0
    """The least columns beside the required ones."""
    most_event_types: int | None = None
    """The most event types and optional columns together; None where there are none."""
    may_be_missing: bool = False

    def kind(self, column: str) -> Kind:
        """Return what the values of a column may be."""
        return {**self.reserved, **self.required}.get(column, _text(0, _LONGEST))


def datasets(now: float) -> tuple[Dataset, Dataset, Dataset]:
    """Return Interactions, Items and Users, with no times after `now` in them."""
    time = Kind(
        "whole seconds since 1970-01-01, not in the future",
        lambda text: _SECONDS.fullmatch(text) is not None and int(text) <= now,
        _time_hint,
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
        most_event_types=10,
    )
    items = Dataset(
        file="items.csv",
        required={"ITEM_ID": _ID, "GENRES": _REQUIRED_CATEGORY, "CREATION_TIMESTAMP": time},
        reserved={
            "PRICE": _NUMBER,
            "DURATION": _NUMBER,
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
_MILLISECONDS: Final = 10**11
"""As seconds this is the year 5138; as milliseconds, 1973."""


def _text(least: int, most: int) -> Kind:
    span = f"{least} to {most}" if least else f"at most {most}"
    return Kind(f"{span} characters", lambda text: least <= len(text) <= most)


def _are_categories(text: str) -> bool:
    return all(len(one) <= _LONGEST for one in text.split("|"))


def _is_number(text: str) -> bool:
    return not text or _A_NUMBER.fullmatch(text) is not None


def _time_hint(text: str) -> str:
    if not _SECONDS.fullmatch(text):
        return ""
    return "milliseconds?" if int(text) >= _MILLISECONDS else "in the future"


_ID: Final = _text(1, 256)
_CATEGORY: Final = Kind(
    f"categories of at most {_LONGEST} characters, separated by |", _are_categories
)
_REQUIRED_CATEGORY: Final = Kind(
    f"one category at least, each of at most {_LONGEST} characters, separated by |",
    lambda text: bool(text) and _are_categories(text),
)
_NUMBER: Final = Kind("a number, or nothing", _is_number)
