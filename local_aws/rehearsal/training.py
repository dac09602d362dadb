"""Train on the data of a dataset group, measure the result, and recommend.

A STAND-IN for Amazon Personalize, whose model is not public. If the service documents an effect
but not its size, the stand-in has a choice of its own:

- *Excluded columns*: items that share a category of a column of Items count as related. An excluded
  column's categories do not. Every column trains whose values are not all numbers or booleans,
  `PRODUCT_DESCRIPTION` excepted; there is no schema that could say which are categorical.
- *Exploration weight* w and *item age cut-off*: an item's score is (1 - w) · relevance, and, if it
  is no older than the cut-off, + w / √(1 + interactions). So 0 is relevance only, 1 exploration
  only. Age counts back from the newest interaction, to the item's CREATION_TIMESTAMP; without one,
  to its oldest interaction (docs.aws.amazon.com/personalize/latest/dg/, pages
  create-recommender-configure-exploration and items-datasets).
- *Users without interactions* get popular items, as the guide says, by number of interactions.
- *Watched items* are left out as documented, also when the metrics are measured.
- *Equal scores* are in the order of the items' ids. Relevance is a share of the greatest one, with
  six decimals: a smaller difference is one between machines, not between items.

The stand-in does not model:

- columns of Interactions (but for EVENT_TYPE and the filter) and of Users, and their exclusion
- numbers, texts and boolean columns
- the order and age of a user's events, and their type (all count the same)
- event values and impressions
- the filter's memory: Personalize forgets a user's watched items if it imports no interaction of
  the user for three months
- retraining on new events
- randomness in exploration

Items that are in no basket, of a user or of a category, come by exploration and popularity only.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from local_aws.rehearsal.data import Data, Ints
from local_aws.rehearsal.evaluation import (
    LONGEST,
    SPLITS,
    SPREAD_INTERACTIONS,
    SPREAD_ITEMS,
    Evaluation,
    Measured,
    compare,
    measure,
    split,
)
from local_aws.rehearsal.findings import refusal
from local_aws.rehearsal.model import Floats, learn

_DAY: Final = 86_400
_DECIMALS: Final = 6
"""The decimals of a relevance: machines differ in the twelfth or later."""
SCORE: Final = (
    "A score is (1 - exploration weight) · relevance. If an item is no older than the age cut-off, "
    "exploration weight / √(1 + interactions) is added. Relevance is relative to the most relevant "
    "item. Scores compare the items of one list, not lists with each other. They are not Amazon's "
    "scores."
)
_NOTHING: Final = 1e-9
"""A relevance that is none."""
_NEVER_TRAIN: Final = frozenset({"ITEM_ID", "CREATION_TIMESTAMP", "PRODUCT_DESCRIPTION"})


class RefusedError(Exception):
    """Tells that the service would not train on this data, with its documented reason."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The configuration of a training; the defaults are those of the service."""

    excluded_item_columns: frozenset[str] = frozenset()
    exploration_weight: float = 0.3
    exploration_item_age_cut_off: float = 30.0
    """Days."""


class TopPicks:
    """A trained model for a recommender of the recipe `aws-vod-top-picks`.

    Args:
        data: The data; the model learns from 90 % of the users.
        options: How.

    Attributes:
        options: How.
        metrics: Its eight metrics, measured on the other users, as the service would report them.
        popularity_metrics: The same metrics of a popularity list.

    Raises:
        RefusedError: The service would refuse the data.
    """

    def __init__(self, data: Data, options: Options = Options()) -> None:
        if reason := refusal(data):
            raise RefusedError(reason)
        self._data = data
        self.options = options
        self._first = _Trained(data, options, 0)
        self._measured = self._first.measured()
        self._popular = self._first.popular()
        self.metrics = self._measured.metrics
        self.popularity_metrics = self._popular.metrics

    @cached_property
    def evaluation(self) -> Evaluation:
        """How sure the metrics are; this trains nine times more, unless that takes too long."""
        data = self._data
        is_small = len(data.items) <= SPREAD_ITEMS and len(data.user) <= SPREAD_INTERACTIONS
        others = range(1, SPLITS) if is_small else ()
        spread = [_Trained(data, self.options, number).measured() for number in others]
        return Evaluation(
            tested=len(self._first.queries),
            users=len(data.users),
            items=len(data.items),
            learnt=self._first.learnt,
            how=self._first.how,
            splits=1 + len(spread),
            metrics=compare(self._measured, self._popular, spread),
        )

    def recommend(self, user_id: str, most: int) -> list[tuple[str, float]]:
        """Return items that the user has not watched, with scores from 0 to 1, best first."""
        return [
            (self._data.items[item], round(score, 7))
            for item, score in self._first.recommend(self._data.history(user_id), most)
        ]


class _Trained:
    """A model of one of the ten splits."""

    def __init__(self, data: Data, options: Options, number: int) -> None:
        users, self.queries = split(data, number)
        baskets = [np.unique(data.item[data.history_of(int(user))]) for user in users]
        self._data = data
        self._popularity = popularity(baskets, len(data.items))
        self._bonus = _bonus(data, self._popularity, options)
        self._weight = options.exploration_weight
        self._model = learn(baskets, categories(data, options), len(data.items))
        self.learnt, self.how = self._model.learnt, self._model.how

    def measured(self) -> Measured:
        return self._measure(self._scores)

    def popular(self) -> Measured:
        return self._measure(lambda _: self._popularity)

    def _measure(self, scores: Callable[[slice], Floats]) -> Measured:
        return measure(
            self.queries,
            lambda given: self._ranked(given, scores(given), LONGEST),
            len(self._data.items),
        )

    def recommend(self, history: slice, most: int) -> Iterator[tuple[int, float]]:
        scores = self._scores(history)
        return ((item, float(scores[item])) for item in self._ranked(history, scores, most))

    def _scores(self, history: slice) -> Floats:
        """Return the score of every item for a user with this history."""
        relevance = self._model.relevance(np.unique(self._data.item[history]))
        greatest = float(relevance.max())
        if greatest < _NOTHING:
            return self._popularity / float(self._popularity.max())
        share = np.round(relevance / greatest, _DECIMALS)
        return (1 - self._weight) * share + self._bonus

    def _ranked(self, history: slice, scores: Floats, most: int) -> list[int]:
        """Return the items that a user may be shown, best first; ties in the order of ids."""
        unwatched = np.ones(len(scores), bool)
        unwatched[self._data.watched(history)] = False
        places = np.flatnonzero(unwatched)
        return places[best(scores[places], most)].tolist()  # type: ignore[no-any-return]


def best(scores: Floats, most: int) -> Ints:
    """Return the places of the greatest scores, greatest first; equal ones in their order."""
    if most < len(scores):
        least = np.partition(scores, -most)[-most]
        places = np.flatnonzero(scores >= least)
    else:
        places = np.arange(len(scores))
    order = np.argsort(-scores[places], kind="stable")
    first: Ints = places[order][:most]
    return first


def popularity(baskets: list[Ints], items: int) -> Floats:
    """Return how many users interacted with each item."""
    return np.bincount(np.concatenate(baskets), minlength=items).astype(np.float64)


def _bonus(data: Data, popularity: Floats, options: Options) -> Floats:
    """Return the addition of exploration to the score of every item."""
    newest = int(data.time.max())
    oldest_interaction = np.full(len(data.items), newest)
    np.minimum.at(oldest_interaction, data.item, data.time)
    created = np.array(
        [
            int(data.metadata[item_id]["CREATION_TIMESTAMP"])
            if item_id in data.metadata
            else oldest_interaction[item]
            for item, item_id in enumerate(data.items)
        ]
    )
    is_young = newest - created <= options.exploration_item_age_cut_off * _DAY
    return is_young * options.exploration_weight / np.sqrt(1 + popularity)


def categories(data: Data, options: Options) -> list[Ints]:
    """Return the items of each category that several items have, in the columns that train."""
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for column in sorted(data.item_columns - _NEVER_TRAIN - options.excluded_item_columns):
        values = {item: data.metadata[item].get(column, "") for item in data.metadata}
        if all(map(_never_trains, values.values())):
            continue
        for number, item in enumerate(data.items):
            for category in set(values.get(item, "").split("|")) - {""}:
                members[column, category].append(number)
    return [np.array(items) for _, items in sorted(members.items()) if len(items) > 1]


def _never_trains(value: str) -> bool:
    """Whether a value is a number or a boolean."""
    try:
        float(value or "0")
    except ValueError:
        return value.lower() in {"true", "false"}
    return True
