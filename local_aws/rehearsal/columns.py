"""The columns and limits of the datasets of the VIDEO_ON_DEMAND domain, as AWS documents them.

Sources, all under docs.aws.amazon.com/personalize/latest/dg/: VIDEO-ON-DEMAND-interactions-dataset,
VIDEO-ON-DEMAND-items-dataset, VIDEO-ON-DEMAND-users-dataset, VIDEO-ON-DEMAND-datasets-and-schemas,
data-prep-formatting, limits. A folder has no schema, so of columns that are not reserved any text
of at most 1000 characters is taken.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Kind:
    """What the values of a column may be."""

    allowed: str
    accepts: Callable[[str], bool]


def _is_number(text: str) -> bool:
    try:
        return not text or math.isfinite(float(text))
    except ValueError:
        return False


def _text(least: int, most: int) -> Kind:
    span = f"{least} to {most}" if least else f"at most {most}"
    return Kind(f"{span} characters", lambda text: least <= len(text) <= most)


ID: Final = _text(1, 256)
CATEGORY: Final = Kind(
    "categories of at most 1000 characters, separated by |",
    lambda text: len(text) <= 1000 or all(len(one) <= 1000 for one in text.split("|")),  # noqa: PLR2004
)
REQUIRED_CATEGORY: Final = Kind(
    "one category at least, each of at most 1000 characters, separated by |",
    lambda text: bool(text) and CATEGORY.accepts(text),
)
STRING: Final = _text(0, 1000)
DESCRIPTION: Final = _text(0, 20_000)
NUMBER: Final = Kind("a number, or nothing", _is_number)


def seconds(now: float) -> Kind:
    """Return the kind of times that are not after `now`."""
    return Kind(
        "whole seconds since 1970-01-01, not in the future",
        lambda text: text.isascii() and text.isdecimal() and int(text) <= now,
    )


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset and the file that it is imported from."""

    file: str
    required: Mapping[str, Kind]
    times: frozenset[str] = frozenset()
    """The required columns that hold times."""
    reserved: Mapping[str, Kind] = field(default_factory=dict)
    most_custom: int
    """The most metadata columns that are not reserved."""
    least_metadata: int = 0
    """The least columns beside the required ones."""

    def kind(self, column: str, now: float) -> Kind:
        """Return what the values of a column may be."""
        if column in self.times:
            return seconds(now)
        return {**self.reserved, **self.required}.get(column, STRING)


_TIME: Final = Kind("", bool)  # depends on the time of reading: see `Dataset.kind`

INTERACTIONS: Final = Dataset(
    file="interactions.csv",
    required={"USER_ID": ID, "ITEM_ID": ID, "TIMESTAMP": _TIME, "EVENT_TYPE": _text(1, 1000)},
    times=frozenset({"TIMESTAMP"}),
    reserved={
        "EVENT_VALUE": NUMBER,
        "IMPRESSION": STRING,
        "RECOMMENDATION_ID": STRING,
        "EVENT_ATTRIBUTION_SOURCE": STRING,
    },
    most_custom=5,
)
ITEMS: Final = Dataset(
    file="items.csv",
    required={"ITEM_ID": ID, "GENRES": REQUIRED_CATEGORY, "CREATION_TIMESTAMP": _TIME},
    times=frozenset({"CREATION_TIMESTAMP"}),
    reserved={
        "PRICE": NUMBER,
        "DURATION": NUMBER,
        "AVERAGE_RATING": NUMBER,
        "GENRE_L2": CATEGORY,
        "GENRE_L3": CATEGORY,
        "CONTENT_OWNER": CATEGORY,
        "CONTENT_CLASSIFICATION": CATEGORY,
        "PRODUCT_DESCRIPTION": DESCRIPTION,
    },
    most_custom=100,
)
USERS: Final = Dataset(
    file="users.csv",
    required={"USER_ID": ID},
    reserved={"SUBSCRIPTION_MODEL": CATEGORY},
    most_custom=25,
    least_metadata=1,
)

MOST_EVENT_TYPES_AND_COLUMNS: Final = 10
"""Distinct event types and optional columns of Interactions, together."""
