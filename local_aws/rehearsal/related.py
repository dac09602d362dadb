"""Recommend items that are related to an item X: *Because you watched X* and *More like X*.

STAND-INS for Amazon Personalize, whose models are not public. They answer from the linear
autoencoder behind *Top picks for you* (`model`). A score is the weight of X for another item, as if
X alone were a user's history.

- *Because you watched X* learns from Watch events alone: the guide says "videos that other users
  also watched", and that only the Item interactions dataset trains.
- *More like X* learns from all events, and from the categories of Items, without the excluded
  columns. Without exploration, that is the model of *Top picks for you*.
- *Items that X says nothing about* follow, the most popular first. If X is unknown, that is all of
  them. The guide says so of the recipe Similar-Items, not of these two.
- *Watched items* are left out as documented, and so is X itself.
- *The metrics* need an X for each tested user, and AWS does not document Amazon's. Here it is the
  newest item of the user's known history. For *Because you watched X*, it is the newest watched
  item.

Sources: docs.aws.amazon.com/personalize/latest/dg/, pages VIDEO_ON_DEMAND-use-cases and
native-recipe-similar-items.
"""

from collections.abc import Sequence

import numpy as np

from local_aws.rehearsal.data import WATCH, Data, Floats, Ints
from local_aws.rehearsal.evaluation import CHOICES
from local_aws.rehearsal.training import (
    Learnt,
    Request,
    Split,
    categories,
    excluded_columns,
    or_popular,
)


class BecauseYouWatched(Learnt):
    """A stand-in for *Because you watched X*."""

    recipe = "aws-vod-because-you-watched-x"
    title = "Because {you} watched {item}"
    rule = (
        "A stand-in: a score is the weight of X for the item, as a share of the greatest weight. A "
        "linear autoencoder learns the weights from Watch events alone. Watched items and X are "
        "left out. Items that X says nothing about follow, the most popular first."
    )
    event_type = WATCH
    choices = (
        *CHOICES,
        "X is the newest watched item of a tested user's known history. Users without one are not "
        "tested.",
    )

    @property
    def facts(self) -> Sequence[tuple[str, str]]:
        """Its configuration: names and values."""
        return [("Learns from", f"{WATCH} events")]

    def _split(self, number: int) -> Split:
        return _Related(self._data, number, (), WATCH)


class MoreLike(Learnt):
    """A stand-in for *More like X*."""

    recipe = "aws-vod-more-like-x"
    title = "More like {item}"
    rule = (
        "A stand-in: a score is the weight of X for the item, as a share of the greatest weight. A "
        "linear autoencoder learns the weights from all events and the categories of items. "
        "Watched items and X are left out. Items that X says nothing about follow, the most "
        "popular first."
    )
    choices = (*CHOICES, "X is the newest item of a tested user's known history.")

    @property
    def facts(self) -> Sequence[tuple[str, str]]:
        """Its configuration: names and values."""
        return [
            ("Learns from", "all events, and categories of Items"),
            excluded_columns(self.options),
        ]

    def _split(self, number: int) -> Split:
        return _Related(self._data, number, categories(self._data, self.options))


class _Related(Split):
    """A model that recommends the items that are related to X."""

    def __init__(
        self, data: Data, number: int, related: Sequence[Ints], event_type: str | None = None
    ) -> None:
        super().__init__(data, number, related, event_type)
        self._event_type = event_type
        self.queries = [one for one in self.queries if self.request_for(one.given).x is not None]

    def request_for(self, history: slice) -> Request:
        items = self.data.items_of(history, self._event_type)
        return Request(history, int(items[-1]) if len(items) else None)

    def scores(self, request: Request) -> Floats:
        basket = np.array([] if request.x is None else [request.x], np.int64)
        return or_popular(self.share_of(basket), self.popularity)
