"""The data of a dataset group, in memory: interactions as arrays, metadata as rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Row = Mapping[str, str]
"""Column name to value."""

WATCH: Final = "Watch"
"""The event type whose items are not recommended again."""
_FILTERED: Final = 100
"""The automatic filter considers so many of a user's newest events of a type."""


@dataclass(frozen=True, kw_only=True)
class Data:
    """Interactions, ordered by user, time, item and event type, and metadata.

    Users, items and event types are numbers in the arrays: places in `users`, `items` and
    `event_types`, each of which is sorted.
    """

    digest: str
    """The digest of the rows: the same for the same rows in any order."""
    users: Sequence[str]
    """The users who interacted."""
    items: Sequence[str]
    """The items in Interactions or in Items."""
    event_types: Sequence[str]
    user: Ints
    item: Ints
    event_type: Ints
    time: Ints
    """Epoch seconds."""
    item_rows: Sequence[Row]
    """The rows of items.csv, in the order of their values."""
    user_rows: Sequence[Row] | None
    """The rows of users.csv, None if there is none."""
    completeness: Mapping[str, Mapping[str, float]]
    """The share of rows that have a value, by file and column."""
    created_later: int
    """Items whose CREATION_TIMESTAMP was in the future when the files were read."""

    @cached_property
    def metadata(self) -> dict[str, Row]:
        """The rows of items.csv by item; of several, the last in the order of values counts."""
        return {row["ITEM_ID"]: row for row in self.item_rows}

    @cached_property
    def item_columns(self) -> frozenset[str]:
        """The columns of items.csv."""
        return frozenset(self.item_rows[0]) if self.item_rows else frozenset()

    @cached_property
    def starts(self) -> Ints:
        """Where the interactions of each user begin, and at last where all end."""
        return np.searchsorted(self.user, np.arange(len(self.users) + 1))

    @cached_property
    def per_user(self) -> Ints:
        """How many interactions each user has."""
        counts: Ints = np.diff(self.starts)
        return counts

    @cached_property
    def per_item(self) -> Ints:
        """How many interactions each item has."""
        return np.bincount(self.item, minlength=len(self.items))

    @cached_property
    def different(self) -> int:
        """How many interactions there are if those that are there again count once."""
        return int(self._is_first.sum())

    @cached_property
    def different_watched(self) -> int:
        """How many Watch events there are if those that are there again count once."""
        return int(self._is_first[self.is_of_type(WATCH)].sum())

    @cached_property
    def _is_first(self) -> npt.NDArray[np.bool_]:
        """Whether an interaction is the first of those that are the same."""
        columns = np.stack([self.event_type, self.item, self.time, self.user])
        order = np.lexsort(columns)
        ordered = columns[:, order]
        is_first = np.ones(len(order), bool)
        is_first[order[1:]] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
        return is_first

    @cached_property
    def _user_numbers(self) -> dict[str, int]:
        return {user_id: number for number, user_id in enumerate(self.users)}

    @cached_property
    def _item_numbers(self) -> dict[str, int]:
        return {item_id: number for number, item_id in enumerate(self.items)}

    def place_of(self, item_id: str) -> int | None:
        """Return the number of an item, None if there is no such item."""
        return self._item_numbers.get(item_id)

    def history(self, user_id: str) -> slice:
        """Return where the interactions of a user are, oldest first: nowhere, if there are none."""
        number = self._user_numbers.get(user_id)
        return slice(0, 0) if number is None else self.history_of(number)

    def history_of(self, user: int) -> slice:
        """Return where the interactions of a user, given as a number, are."""
        return slice(int(self.starts[user]), int(self.starts[user + 1]))

    def newest_watched(self, user_id: str) -> str:
        """Return the item that a user watched last; empty, if there is none."""
        watched = self.items_of(self.history(user_id), WATCH)
        return self.items[watched[-1]] if len(watched) else ""

    def is_of_type(self, event_type: str) -> npt.NDArray[np.bool_]:
        """Return for each interaction whether it is of a type."""
        is_of_type: npt.NDArray[np.bool_] = self.event_type == self._type_number(event_type)
        return is_of_type

    def items_of(self, history: slice, event_type: str | None = None) -> Ints:
        """Return the items of some interactions, in their order; those of one type, if given."""
        items = self.item[history]
        if event_type is None:
            return items
        of_type: Ints = items[self.event_type[history] == self._type_number(event_type)]
        return of_type

    def _type_number(self, event_type: str) -> int:
        """Return the number of an event type, or one that no interaction has."""
        return self.event_types.index(event_type) if event_type in self.event_types else -1

    def watched(self, history: slice) -> Ints:
        """Return the items that the automatic filter drops: of the newest hundred Watch events.

        Source: docs.aws.amazon.com/personalize/latest/dg/VIDEO_ON_DEMAND-use-cases.html.
        """
        return self.items_of(history, WATCH)[-_FILTERED:]
