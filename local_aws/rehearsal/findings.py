"""Judge the data of a dataset group before anything is trained on it.

Each finding names its source: a page under docs.aws.amazon.com/personalize/latest/dg/, or "the
notebook", which is *Training a Recommender* of
github.com/aws-samples/amazon-personalize-immersion-day. The reasons of a refusal are those of the
page error-messages; that of the 1 % is invented, since none is documented.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import numpy as np

from local_aws.rehearsal.columns import datasets, printable
from local_aws.rehearsal.data import WATCH, Data, Ints
from local_aws.rehearsal.evaluation import queries

_INTERACTIONS_REQUIRED: Final = 1000
_INTERACTIONS_RECOMMENDED: Final = 50_000
_USERS_REQUIRED: Final = 25
_USERS_RECOMMENDED: Final = 1000
_RECURRING_PERCENT: Final = 1
_IMPORTED: Final = 1000
"""The least records of Interactions in one import job."""
_ITEMS_CONSIDERED: Final = 750_000
_FORGOTTEN_DAYS: Final = 90
"""Three months."""
_HIDDEN: Final = 0.05
"""The share of the items to be found that the filter may hide without a warning."""
_NOTEBOOK_USERS: Final = 50
_NOTEBOOK_ITEMS: Final = 100
_NOTEBOOK_EACH: Final = 24
_EVENT_TYPES_AND_COLUMNS: Final = 10


class Verdict(StrEnum):
    """The consequence of a finding."""

    PASS = "pass"  # noqa: S105  # no password
    WARN = "warn"
    REFUSED = "refused"


@dataclass(frozen=True)
class Finding:
    """A property of the data, judged."""

    verdict: Verdict
    subject: str
    found: str
    meaning: str
    source: str = ""
    """The page or notebook that says so; empty if AWS documents nothing."""


def refusal(data: Data, *, watched: bool = False) -> str | None:
    """Return the `failureReason` with which the service would end a training, if it would.

    Args:
        data: The data.
        watched: Whether the recipe requires Watch events, and not events of any type.
    """
    count = data.different_watched if watched else data.different
    if count < _INTERACTIONS_REQUIRED:
        types = WATCH if watched else ", ".join(data.event_types) or "none"
        return (
            f"Dataset has fewer than {_INTERACTIONS_REQUIRED} interactions after filtering by "
            f"event type: {types}"
        )
    if _recurring(data) < _USERS_REQUIRED:
        return f"Dataset has fewer than {_USERS_REQUIRED} users with at least 2 interactions each."
    if not _are_enough_recurring(data):
        return f"Fewer than {_RECURRING_PERCENT}% of users have at least 2 interactions each."
    return None


def findings(data: Data, *, watched: bool = False) -> list[Finding]:
    """Return all findings, the requirements first.

    Args:
        data: The data.
        watched: As of `refusal`.
    """
    checks = (_watch_events, *_CHECKS) if watched else _CHECKS
    return [check(data) for check in checks] + list(_doubled(data))


def _recurring(data: Data) -> int:
    return int(np.count_nonzero(data.per_user > 1))


def _everybody(data: Data) -> int:
    """Return how many users there are, with interactions or without."""
    return len({*data.users, *(row["USER_ID"] for row in data.user_rows or ())})


def _are_enough_recurring(data: Data) -> bool:
    return 100 * _recurring(data) >= _RECURRING_PERCENT * _everybody(data)


def _interactions(data: Data) -> Finding:
    again = len(data.user) - data.different
    return Finding(
        _two_steps(data.different, _INTERACTIONS_REQUIRED, _INTERACTIONS_RECOMMENDED),
        "interactions",
        f"{len(data.user):,}" + (f", {again:,} of them copies" if again else ""),
        f"Personalize requires {_INTERACTIONS_REQUIRED} different interactions, and recommends "
        f"{_INTERACTIONS_RECOMMENDED:,}",
        "limits, VIDEO_ON_DEMAND-use-cases",
    )


def _records(data: Data) -> Finding:
    count = len(data.user)
    return Finding(
        Verdict.REFUSED if count < _IMPORTED else Verdict.PASS,
        "records of one import",
        f"{count:,}",
        f"an import job takes at least {_IMPORTED} records of interactions; if you have fewer, "
        "send them as events",
        "limits",
    )


def _recurring_users(data: Data) -> Finding:
    count = _recurring(data)
    return Finding(
        _two_steps(count, _USERS_REQUIRED, _USERS_RECOMMENDED),
        "users with two or more interactions",
        f"{count:,} of {len(data.users):,}",
        f"Personalize requires {_USERS_REQUIRED} such users, and recommends "
        f"{_USERS_RECOMMENDED:,}; it recommends popular items to users without interactions",
        "limits, VIDEO_ON_DEMAND-use-cases",
    )


def _recurring_share(data: Data) -> Finding:
    everybody = _everybody(data)
    return Finding(
        Verdict.PASS if _are_enough_recurring(data) else Verdict.REFUSED,
        "share of users with two or more interactions",
        f"{_recurring(data) / (everybody or 1):.1%} of {everybody:,}",
        f"Personalize requires {_RECURRING_PERCENT} % of all users; here, these are the users of "
        "interactions.csv and users.csv together",
        "limits",
    )


def _two_steps(count: int, required: int, recommended: int) -> Verdict:
    if count < required:
        return Verdict.REFUSED
    return _warn_if(count < recommended)


def _warn_if(condition: bool) -> Verdict:
    return Verdict.WARN if condition else Verdict.PASS


def _busy_users(data: Data) -> Finding:
    count = int(np.count_nonzero(data.per_user >= _NOTEBOOK_EACH))
    return Finding(
        _warn_if(count < _NOTEBOOK_USERS),
        f"users with {_NOTEBOOK_EACH} or more interactions",
        f"{count:,} of {len(data.users):,}",
        f"the notebook recommends {_NOTEBOOK_USERS} such users; with fewer, a model learns little, "
        "and its metrics are less certain",
        "the notebook",
    )


def _items(data: Data) -> Finding:
    count = int(np.count_nonzero(data.per_item))
    return Finding(
        _warn_if(count < _NOTEBOOK_ITEMS),
        "items with interactions",
        f"{count:,}",
        f"the notebook recommends {_NOTEBOOK_ITEMS}",
        "the notebook",
    )


def _items_considered(data: Data) -> Finding:
    count = len(data.items)
    return Finding(
        _warn_if(count > _ITEMS_CONSIDERED),
        "all items",
        f"{count:,}",
        f"Personalize considers at most {_ITEMS_CONSIDERED:,} items, in training and in "
        "recommendations",
        "limits",
    )


def _sparsity(data: Data) -> Finding:
    pairs = _distinct(data.user * len(data.items) + data.item)
    possible = len(data.users) * len(data.items)
    return Finding(
        Verdict.PASS,
        "sparsity",
        f"{1 - pairs / (possible or 1):.2%}",
        "the share of all pairs of a user and an item that have no interaction",
    )


def _distinct(numbers: Ints) -> int:
    return len(np.unique(numbers))


def _watched_again(data: Data) -> Finding:
    """Count the items to be found that the filter hides from their user."""
    is_watch = data.is_of_type(WATCH)
    watched = data.user[is_watch] * len(data.items) + data.item[is_watch]
    again = len(watched) - _distinct(watched)
    asked = queries(data, range(len(data.users)))
    hidden = sum(len(one.relevant.intersection(data.watched(one.given).tolist())) for one in asked)
    share = hidden / (sum(len(one.relevant) for one in asked) or 1)
    return Finding(
        _warn_if(share > _HIDDEN),
        "watched again",
        f"{again / (len(watched) or 1):.1%} of the {WATCH} events, "
        f"{share:.1%} of the items to be found",
        "Personalize does not recommend a watched item again. The rehearsal counts it among the "
        "items to be found all the same, so no list can have that share. One event for each user "
        "and title is enough (docs/how-to/rehearsal.md)",
        "VIDEO_ON_DEMAND-use-cases; the count is a choice of the rehearsal",
    )


def _watches(data: Data) -> bool:
    return WATCH in data.event_types


def _forgotten(data: Data) -> Finding:
    newest = np.zeros(len(data.users), np.int64)
    np.maximum.at(newest, data.user, data.time)
    since = int(newest.max(initial=0)) - _FORGOTTEN_DAYS * 86_400
    count = int(np.count_nonzero(newest < since))
    return Finding(
        Verdict.PASS,
        "users without a recent interaction",
        f"{count:,} of {len(data.users):,}",
        f"they have none in the last {_FORGOTTEN_DAYS} days of the data. If you import no "
        "interaction of a user for three months, Personalize forgets the user's watched items; the "
        "rehearsal does not",
        "VIDEO_ON_DEMAND-use-cases",
    )


def _created_later(data: Data) -> Finding:
    return Finding(
        _warn_if(data.created_later > 0),
        "items with a later CREATION_TIMESTAMP",
        f"{data.created_later:,}",
        "it is later than now. AWS does not document how Amazon Personalize treats such items; "
        "the rehearsal treats them as new",
    )


def _completeness(data: Data) -> Finding:
    incomplete = [
        (share, f"{file} {column}")
        for file, columns in data.completeness.items()
        for column, share in columns.items()
        if share < 1
    ]
    found = ", ".join(f"{name} {share:.1%}" for share, name in sorted(incomplete))
    return Finding(
        _warn_if(any(share == 0 for share, _ in incomplete)),
        "completeness",
        found or "100%",
        "the share of rows that have a value, by column; the other columns are complete",
    )


def _new_items(data: Data) -> Finding:
    count = int(np.count_nonzero(data.per_item == 0))
    return Finding(
        Verdict.PASS,
        "new items",
        f"{count:,} of {len(data.metadata):,}",
        "they are in items.csv and have no interactions, so only exploration recommends them",
        "analyzing-data",
    )


def _without_metadata(data: Data) -> Finding:
    known = np.array([item_id in data.metadata for item_id in data.items], bool)
    count = int(data.per_item[~known].sum())
    share = count / len(data.user) if count else 0.0
    return Finding(
        _warn_if(count > 0),
        "interactions whose item has no metadata",
        f"{share:.1%}",
        f"{count:,} of them, with {int((~known).sum()):,} items that items.csv does not have; "
        "Personalize recommends these items without metadata",
    )


def _time_span(data: Data) -> Finding:
    if not len(data.time):
        return Finding(Verdict.PASS, "time span", "none", "there are no interactions")
    first, last = int(data.time.min()), int(data.time.max())
    return Finding(
        Verdict.PASS,
        "time span",
        f"{_day(first)} to {_day(last)}",
        "Personalize counts the age of an item back from the newest interaction",
    )


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _event_types(data: Data) -> Finding:
    counts = np.bincount(data.event_type, minlength=len(data.event_types))
    found = ", ".join(
        f"{printable(name)} {count:,}" for name, count in zip(data.event_types, counts, strict=True)
    )
    return Finding(
        _warn_if(not _watches(data)),
        "event types",
        found or "none",
        f"AWS recommends {WATCH} and Click events. Only {WATCH} marks an item as watched, and "
        "Personalize does not recommend a watched item again",
        "VIDEO_ON_DEMAND-use-cases",
    )


def _watch_events(data: Data) -> Finding:
    count = data.different_watched
    return Finding(
        Verdict.REFUSED if count < _INTERACTIONS_REQUIRED else Verdict.PASS,
        f"{WATCH} events",
        f"{count:,}",
        f"this recipe requires {_INTERACTIONS_REQUIRED} different ones",
        "VIDEO_ON_DEMAND-use-cases",
    )


def _columns_and_event_types(data: Data) -> Finding:
    interactions, _, _ = datasets(0)
    columns = interactions.counted(data.completeness[interactions.file])
    count = len(data.event_types) + len(columns)
    return Finding(
        _warn_if(count >= _EVENT_TYPES_AND_COLUMNS),
        "event types and columns",
        f"{count} ({', '.join(['event types', *columns])})",
        f"one page of AWS allows {_EVENT_TYPES_AND_COLUMNS} event types and columns together. By "
        "another page, the column EVENT_TYPE counts, too, so that only "
        f"{_EVENT_TYPES_AND_COLUMNS - 1} others are allowed",
        "limits; VIDEO-ON-DEMAND-interactions-dataset",
    )


def _user_metadata(data: Data) -> Finding:
    if data.user_rows is None:
        return Finding(Verdict.PASS, "users.csv", "none", "this file is optional")
    known = {row["USER_ID"] for row in data.user_rows}
    new = len(known.difference(data.users))
    return Finding(
        Verdict.PASS,
        "new users",
        f"{new:,} of {len(known):,}",
        "they are in users.csv and have no interactions, so Personalize recommends popular items",
        "analyzing-data",
    )


_CHECKS: Final[tuple[Callable[[Data], Finding], ...]] = (
    _interactions,
    _records,
    _recurring_users,
    _recurring_share,
    _busy_users,
    _items,
    _items_considered,
    _new_items,
    _without_metadata,
    _sparsity,
    _time_span,
    _forgotten,
    _created_later,
    _event_types,
    _columns_and_event_types,
    _watched_again,
    _user_metadata,
    _completeness,
)


def _doubled(data: Data) -> Iterator[Finding]:
    """Yield the ids that a file has more than once; AWS documents nothing about these."""
    user_rows = data.user_rows or ()
    for file, rows, different in (
        ("items.csv", len(data.item_rows), len(data.metadata)),
        ("users.csv", len(user_rows), len({row["USER_ID"] for row in user_rows})),
    ):
        if rows > different:
            yield Finding(
                Verdict.WARN,
                f"repeated ids in {file}",
                f"{rows - different:,}",
                "the rehearsal takes the row whose values are last in alphabetical order; AWS does "
                "not document the choice of Amazon Personalize",
            )
