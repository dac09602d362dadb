"""Recommend the same items to all users, by counting: *Most popular* and *Trending now*.

STAND-INS for Amazon Personalize, which does not document its windows. Sources of what it documents:
docs.aws.amazon.com/personalize/latest/dg/, pages VIDEO_ON_DEMAND-use-cases and
native-recipe-trending-now (a recipe for solutions).

- *Most popular*: "videos that have been watched by the most users". So users with a Watch event of
  the item count, each once. The window is all of the imported data.
- *Trending now*: "rapidly becoming more popular", evaluated every two hours. So the increase of an
  item's interactions counts: those of the newest seven days of the data less those of the seven
  days before. A window of two hours would be empty in most files. Items without an increase follow,
  the most popular first: without recent data, the recipe for solutions shows popular items, too.
- *Watched items* stay: the guide names the automatic filter for the other use cases only.
- *Equal numbers* are in the order of the items' ids.
- *No metrics.* The evaluation splits the data by user, and looks for the newest items of each user.
  A list that is the same for all users would measure as the popularity list that the other recipes
  are compared with. A trend belongs to a time, not to a user, so these metrics say nothing about
  it. AWS does not document whether recommenders of these recipes have metrics.
"""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from local_aws.rehearsal.data import WATCH, Data, Floats
from local_aws.rehearsal.training import StandIn, best, or_popular

_DAY: Final = 86_400
_WINDOW: Final = 7
"""Days."""


class _Counted(StandIn):
    """A list that is the same for all users."""

    @abstractmethod
    def _counted(self) -> Floats:
        """Return the score of every item: 0 to 1, or less than 0 for an item that only follows."""

    @cached_property
    def _scores(self) -> Floats:
        return self._counted()

    @property
    def evaluation(self) -> None:
        """Nothing: it is not measured."""
        return

    def recommend(self, _: str, most: int, _item_id: str = "", /) -> list[tuple[str, float]]:
        """Return items with scores from 0 to 1, best first."""
        return self._named(best(self._scores, most), self._scores)


class MostPopular(_Counted):
    """A stand-in for *Most popular*."""

    recipe = "aws-vod-most-popular"
    title = "Most popular"
    rule = (
        "A stand-in: the items that the most users have watched (Watch events), in all of the "
        "data. Watched items are not left out."
    )
    unmeasured = (
        "A list that is the same for all users would measure as the popularity list that other "
        "recipes are compared with."
    )
    event_type = WATCH

    @property
    def facts(self) -> Sequence[tuple[str, str]]:
        """Its configuration: names and values."""
        first, last = (_day(int(time)) for time in (self._data.time.min(), self._data.time.max()))
        return [("Counts", f"users with a {WATCH} event, from {first} to {last}")]

    def _counted(self) -> Floats:
        watchers = _users_of(self._data, self._data.is_of_type(WATCH))
        return watchers / float(watchers.max())


class TrendingNow(_Counted):
    """A stand-in for *Trending now*."""

    recipe = "aws-vod-trending-now"
    title = "Trending now"
    rule = (
        f"A stand-in: the increase of interactions, from the {_WINDOW} days before to the newest "
        f"{_WINDOW} days of the data. Amazon's evaluation runs every two hours; its window is not "
        "documented. Items without an increase follow, the most popular first. Watched items are "
        "not left out."
    )
    unmeasured = "The metrics test the newest interactions of each user. A trend belongs to a time."

    @property
    def facts(self) -> Sequence[tuple[str, str]]:
        """Its configuration: names and values."""
        newest = int(self._data.time.max())
        days = [_day(newest - weeks * _WINDOW * _DAY) for weeks in (2, 1, 0)]
        return [
            ("Counts", f"interactions after {days[1]}, to {days[2]}"),
            ("Less", f"interactions after {days[0]}, to {days[1]}"),
        ]

    def _counted(self) -> Floats:
        data = self._data
        age = (int(data.time.max()) - data.time) // (_WINDOW * _DAY)
        now, before = (np.bincount(data.item[age == n], minlength=len(data.items)) for n in (0, 1))
        increase = np.maximum(now - before, 0).astype(np.float64)
        everybody = _users_of(data, np.ones(len(data.user), bool))
        return or_popular(increase / max(float(increase.max()), 1), everybody)


def _users_of(data: Data, counted: npt.NDArray[np.bool_]) -> Floats:
    """Return how many users have such an interaction with each item."""
    pairs = np.unique(data.user[counted] * len(data.items) + data.item[counted])
    return np.bincount(pairs % len(data.items), minlength=len(data.items)).astype(np.float64)


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
