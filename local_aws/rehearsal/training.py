"""Train on the data of a dataset group, measure the result, and recommend: *Top picks for you*.

A STAND-IN for Amazon Personalize, whose model is not public. `related` and `counted` have those for
the other recipes. If the service documents an effect but not its size, the stand-in has a choice of
its own:

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

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np

from local_aws.rehearsal.data import WATCH, Data, Floats, Ints
from local_aws.rehearsal.evaluation import (
    CHOICES,
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

_DAY: Final = 86_400
_DECIMALS: Final = 6
"""The decimals of a relevance: machines differ in the twelfth or later."""
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


class StandIn(ABC):
    """A stand-in for a recommender, trained on data.

    Args:
        data: The data.
        options: How; a recipe ignores the options that it does not have.

    Attributes:
        recipe: The name of the recipe.
        title: The heading of its recommendations, with places for `{you}` and `{item}`.
        rule: The order of its recommendations, and the choices behind it, in sentences.
        unmeasured: Why it has no metrics, if it has none.
        event_type: The type of the events that the service requires; None for any.
        options: How.
        metrics: The `modelMetrics` that the service would report; none, if it is not measured.

    Raises:
        RefusedError: The service would refuse the data.
    """

    recipe: ClassVar[str]
    title: ClassVar[str]
    rule: ClassVar[str]
    unmeasured: ClassVar[str] = ""
    event_type: ClassVar[str | None] = None

    def __init__(self, data: Data, options: Options = Options()) -> None:
        if reason := refusal(data, watched=self.event_type == WATCH):
            raise RefusedError(reason)
        self._data = data
        self.options = options
        self.metrics: dict[str, float] = {}

    @property
    @abstractmethod
    def evaluation(self) -> Evaluation | None:
        """How sure the metrics are, with those of a popularity list; None without metrics."""

    @property
    @abstractmethod
    def facts(self) -> Sequence[tuple[str, str]]:
        """Its configuration: names and values."""

    @abstractmethod
    def recommend(self, user_id: str, most: int, item_id: str = "", /) -> list[tuple[str, float]]:
        """Return items with scores from 0 to 1, best first.

        Args:
            user_id: The user.
            most: How many items at most.
            item_id: The X of a recipe that has one.
        """

    def _named(self, items: Ints, scores: Floats) -> list[tuple[str, float]]:
        return [(self._data.items[item], round(max(float(scores[item]), 0), 7)) for item in items]


@dataclass(frozen=True)
class Request:
    """A request for recommendations: the user's history, and the X of a recipe that has one."""

    history: slice
    x: int | None = None


class Split(ABC):
    """A model of one of the ten splits.

    Args:
        data: The data.
        number: Which of the splits; the model learns from 90 % of the users.
        related: Items that belong together, besides those of each user.
        event_type: The type of the events that it learns from; None for all.

    Attributes:
        data: The data.
        queries: The other users.
        learnt: How many items it has learnt something about.
        how: How it has.
        popularity: How many of its users interacted with each item.
    """

    def __init__(
        self, data: Data, number: int, related: Sequence[Ints], event_type: str | None = None
    ) -> None:
        from local_aws.rehearsal.model import learn

        users, self.queries = split(data, number)
        histories = (data.history_of(int(user)) for user in users)
        baskets = [np.unique(data.items_of(history, event_type)) for history in histories]
        self.data = data
        self.popularity = popularity(baskets, len(data.items))
        self._model = learn(baskets, related, len(data.items))
        self.learnt, self.how = self._model.learnt, self._model.how

    def request_for(self, history: slice) -> Request:
        """Return the request that tests a user with this history."""
        return Request(history)

    @abstractmethod
    def scores(self, request: Request) -> Floats:
        """Return the score of every item."""

    def measured(self) -> Measured:
        """Return the metrics of the model."""
        return self._measure(self.scores)

    def popular(self) -> Measured:
        """Return the metrics of a popularity list, for the same users."""
        return self._measure(lambda _: self.popularity)

    def _measure(self, scores: Callable[[Request], Floats]) -> Measured:
        def recommended(given: slice) -> Ints:
            request = self.request_for(given)
            return self.ranked(request, scores(request), LONGEST)

        return measure(
            self.queries, lambda given: recommended(given).tolist(), len(self.data.items)
        )

    def ranked(self, request: Request, scores: Floats, most: int) -> Ints:
        """Return the items that may be shown, best first; ties in the order of ids.

        The others are those that the user watched, and X.
        """
        shown = np.ones(len(scores), bool)
        shown[self.data.watched(request.history)] = False
        if request.x is not None:
            shown[request.x] = False
        places = np.flatnonzero(shown)
        first: Ints = places[best(scores[places], most)]
        return first

    def share_of(self, basket: Ints) -> Floats:
        """Return the relevance of every item for a basket, as a share of the greatest one."""
        relevance = self._model.relevance(basket)
        greatest = float(relevance.max())
        if greatest < _NOTHING:
            return np.zeros(len(relevance))
        share: Floats = np.round(relevance / greatest, _DECIMALS)
        return share


class Learnt(StandIn):
    """A stand-in that learns from 90 % of the users, and is measured on the others.

    Attributes:
        popularity_metrics: The metrics of a popularity list, for the same users.
        choices: The choices that the metrics depend on.
        others: How it recommends the items that it has learnt nothing about.
        has_x: Whether its recommendations are for an item X, too.
    """

    choices: ClassVar[tuple[str, ...]] = CHOICES
    others: ClassVar[str] = "popularity"
    has_x: ClassVar[bool] = True

    def __init__(self, data: Data, options: Options = Options()) -> None:
        super().__init__(data, options)
        self._first = self._split(0)
        self._measured = self._first.measured()
        self._popular = self._first.popular()
        self.metrics = self._measured.metrics
        self.popularity_metrics = self._popular.metrics

    @abstractmethod
    def _split(self, number: int) -> Split: ...

    @cached_property
    def evaluation(self) -> Evaluation:
        """How sure the metrics are; this trains nine times more, unless that takes too long."""
        data = self._data
        is_small = len(data.items) <= SPREAD_ITEMS and len(data.user) <= SPREAD_INTERACTIONS
        others = range(1, SPLITS) if is_small else ()
        spread = [self._split(number).measured() for number in others]
        return Evaluation(
            tested=len(self._first.queries),
            users=len(data.users),
            items=len(data.items),
            learnt=self._first.learnt,
            how=self._first.how,
            splits=1 + len(spread),
            metrics=compare(self._measured, self._popular, spread),
            choices=self.choices,
            others=self.others,
        )

    def recommend(self, user_id: str, most: int, item_id: str = "", /) -> list[tuple[str, float]]:
        """Return items that the user has not watched, with scores from 0 to 1, best first."""
        x = self._data.place_of(item_id) if self.has_x else None
        request = Request(self._data.history(user_id), x)
        scores = self._first.scores(request)
        return self._named(self._first.ranked(request, scores, most), scores)


class TopPicks(Learnt):
    """A stand-in for *Top picks for you*."""

    recipe = "aws-vod-top-picks"
    others = "popularity and exploration"
    has_x = False
    title = "Top picks for {you}"
    rule = (
        "A score is (1 - exploration weight) · relevance. If an item is no older than the age "
        "cut-off, exploration weight / √(1 + interactions) is added. Relevance is relative to the "
        "most relevant item. Scores compare the items of one list, not lists with each other. They "
        "are not Amazon's scores."
    )

    @property
    def facts(self) -> Sequence[tuple[str, str]]:
        """Its configuration: names and values."""
        return [
            ("Exploration weight", f"{self.options.exploration_weight:g}"),
            ("Item age cut-off", f"{self.options.exploration_item_age_cut_off:g} days"),
            excluded_columns(self.options),
        ]

    def _split(self, number: int) -> Split:
        return _Personal(self._data, self.options, number)


class _Personal(Split):
    """A model that knows a user by the items of the user's history."""

    def __init__(self, data: Data, options: Options, number: int) -> None:
        super().__init__(data, number, categories(data, options))
        self._bonus = _bonus(data, self.popularity, options)
        self._weight = options.exploration_weight

    def scores(self, request: Request) -> Floats:
        share = self.share_of(np.unique(self.data.item[request.history]))
        if not share.any():
            return self.popularity / float(self.popularity.max())
        return (1 - self._weight) * share + self._bonus


def excluded_columns(options: Options) -> tuple[str, str]:
    """Return the columns of Items that do not train, as a fact."""
    return "Excluded columns of Items", ", ".join(sorted(options.excluded_item_columns)) or "none"


def or_popular(scores: Floats, popularity: Floats) -> Floats:
    """Put the items without a score after the others, the most popular first: below 0."""
    return np.where(scores > 0, scores, popularity / max(float(popularity.max()), 1) - 1)


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
