"""What a dataset group's data is worth, before anything is trained on it.

Sources, under docs.aws.amazon.com/personalize/latest/dg/: VIDEO_ON_DEMAND-use-cases and limits
(what is required), domain-use-cases and data-insights (what is recommended), error-messages (the
reasons). "The notebook" is *Training a Recommender* of
github.com/aws-samples/amazon-personalize-immersion-day.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import numpy as np

from local_aws.rehearsal.data import WATCH, Data

_INTERACTIONS_REQUIRED: Final = 1000
_INTERACTIONS_RECOMMENDED: Final = 50_000
_USERS_REQUIRED: Final = 25
_USERS_RECOMMENDED: Final = 1000
_NOTEBOOK_USERS: Final = 50
_NOTEBOOK_ITEMS: Final = 100
_NOTEBOOK_EACH: Final = 24


class Verdict(StrEnum):
    """What follows from a finding."""

    PASS = "pass"  # noqa: S105  # no password
    WARN = "warn"
    REFUSED = "refused"


@dataclass(frozen=True)
class Finding:
    """Something that was looked at."""

    verdict: Verdict
    subject: str
    found: str
    meaning: str


def refusal(data: Data) -> str | None:
    """Return the `failureReason` with which the service would end a training, if it would."""
    if data.different < _INTERACTIONS_REQUIRED:
        types = ", ".join(data.event_types) or "none"
        return (
            f"Dataset has fewer than {_INTERACTIONS_REQUIRED} interactions after filtering by "
            f"event type: {types}"
        )
    if _recurring(data) < _USERS_REQUIRED:
        return f"Dataset has fewer than {_USERS_REQUIRED} users with at least 2 interactions each."
    return None


def findings(data: Data) -> list[Finding]:
    """Return all findings, the requirements first."""
    return [look(data) for look in _LOOKS] + list(_doubled(data))


def _recurring(data: Data) -> int:
    return int(np.count_nonzero(data.per_user > 1))


def _interactions(data: Data) -> Finding:
    again = len(data.user) - data.different
    return Finding(
        _two_steps(data.different, _INTERACTIONS_REQUIRED, _INTERACTIONS_RECOMMENDED),
        "interactions",
        f"{len(data.user):,}" + (f", {again:,} of them another's copy" if again else ""),
        f"{_INTERACTIONS_REQUIRED} unique ones are required, {_INTERACTIONS_RECOMMENDED:,} "
        "recommended",
    )


def _recurring_users(data: Data) -> Finding:
    count = _recurring(data)
    return Finding(
        _two_steps(count, _USERS_REQUIRED, _USERS_RECOMMENDED),
        "users with two or more",
        f"{count:,} of {len(data.users):,}",
        f"{_USERS_REQUIRED} are required, {_USERS_RECOMMENDED:,} recommended; users without any "
        "are shown what is popular",
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
        f"users with {_NOTEBOOK_EACH} or more",
        f"{count:,} of {len(data.users):,}",
        f"the notebook recommends {_NOTEBOOK_USERS} users with two dozen each: below that there is "
        "little to learn, and less to measure",
    )


def _items(data: Data) -> Finding:
    count = int(np.count_nonzero(data.per_item))
    return Finding(
        _warn_if(count < _NOTEBOOK_ITEMS),
        "items interacted with",
        f"{count:,}",
        f"the notebook recommends {_NOTEBOOK_ITEMS}",
    )


def _new_items(data: Data) -> Finding:
    count = int(np.count_nonzero(data.per_item == 0))
    return Finding(
        Verdict.PASS,
        "new items",
        f"{count:,} of {len(data.metadata):,}",
        "in items.csv, without interactions: shown by exploration, or not at all",
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
        "these are recommended without metadata",
    )


def _time_span(data: Data) -> Finding:
    if not len(data.time):
        return Finding(Verdict.PASS, "time span", "none", "there are no interactions")
    first, last = int(data.time.min()), int(data.time.max())
    return Finding(
        Verdict.PASS,
        "time span",
        f"{_day(first)} to {_day(last)}",
        "the age of items is counted back from the newest interaction",
    )


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _event_types(data: Data) -> Finding:
    counts = np.bincount(data.event_type, minlength=len(data.event_types))
    found = ", ".join(
        f"{name} {count:,}" for name, count in zip(data.event_types, counts, strict=True)
    )
    return Finding(
        _warn_if(WATCH not in data.event_types),
        "event types",
        found or "none",
        f"{WATCH} and Click are recommended; what a user has watched is not recommended again, "
        f"and only {WATCH} says so",
    )


def _user_metadata(data: Data) -> Finding:
    if data.user_rows is None:
        return Finding(Verdict.PASS, "users.csv", "none", "it is optional")
    known = {row["USER_ID"] for row in data.user_rows}
    new = len(known.difference(data.users))
    return Finding(
        Verdict.PASS,
        "new users",
        f"{new:,} of {len(known):,}",
        "in users.csv, without interactions: shown what is popular",
    )


_LOOKS: Final[tuple[Callable[[Data], Finding], ...]] = (
    _interactions,
    _recurring_users,
    _busy_users,
    _items,
    _new_items,
    _without_metadata,
    _time_span,
    _event_types,
    _user_metadata,
)


def _doubled(data: Data) -> Iterator[Finding]:
    """Yield what AWS documents nothing about: an id that is in a file more than once."""
    user_rows = data.user_rows or ()
    for file, rows, different in (
        ("items.csv", len(data.item_rows), len(data.metadata)),
        ("users.csv", len(user_rows), len({row["USER_ID"] for row in user_rows})),
    ):
        if rows > different:
            yield Finding(
                Verdict.WARN,
                f"ids that are in {file} again",
                f"{rows - different:,}",
                "here the row counts whose values are last in alphabetical order; what Amazon "
                "Personalize does is not documented",
            )
