"""The metrics of a recommender, and the data that they are measured on, as AWS documents them.

Sources: docs.aws.amazon.com/personalize/latest/dg/evaluating-recommenders.html, and the notebook
*Training a Recommender* of github.com/aws-samples/amazon-personalize-immersion-day. `CHOICES` has
our own choices where they are silent. A hash of the users' ids decides which tenth is tested, so it
is the same every time; with the nine other tenths there are ten splits.
"""

import hashlib
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from local_aws.rehearsal.data import Data, Floats, Ints

LONGEST: Final = 25
"""Metrics consider so many items of a list of recommendations."""
SPLITS: Final = 10
"""One user of so many, and of their interactions one of so many, is not trained on."""
CHOICES: Final = (
    "The newest tenth of a tested user's interactions is to be found (rounded down, at least one).",
    "Users with one interaction are not tested.",
    "A watched item counts among the items to be found, although the filter hides it.",
    "Coverage counts the first 25 items of each list.",
)
"""Choices that AWS does not document; another choice can double or halve a metric."""
SPREAD_ITEMS: Final = 2_000
SPREAD_INTERACTIONS: Final = 250_000
"""The most that is trained on ten times: seconds."""
_DECIMALS: Final = 4
"""As seen in the answers of the service."""
_LEAST: Final = 2
"""Interactions of a user who is tested: one to ask with and one to be found."""
_SURE: Final = 0.975
"""Both tails of chance together are 5 %."""


@dataclass(frozen=True)
class Query:
    """A user who was not trained on: the oldest 90 % of the interactions, and the items after."""

    given: slice
    relevant: frozenset[int]


def split(data: Data, number: int = 0) -> tuple[Ints, list[Query]]:
    """Return the users to train on, 90 % of all, and a query for each of the others.

    Args:
        data: The data.
        number: Which of the ten splits; the recommender is trained and measured on the first.
    """
    by_hash = sorted(
        range(len(data.users)),
        key=lambda user: hashlib.sha256(data.users[user].encode()).digest(),
    )
    size = len(by_hash) // SPLITS
    tested = sorted(by_hash[number * size : (number + 1) * size])
    trained = np.setdiff1d(np.arange(len(data.users)), tested)
    return trained, queries(data, tested)


def queries(data: Data, users: Iterable[int]) -> list[Query]:
    """Return a query for each of these users that has enough interactions."""
    return [_query(data, user) for user in users if data.per_user[user] >= _LEAST]


def _query(data: Data, user: int) -> Query:
    history = data.history_of(user)
    newest = history.stop - max(1, (history.stop - history.start) // SPLITS)
    relevant = frozenset(data.item[newest : history.stop].tolist())
    return Query(slice(history.start, newest), relevant)


def precision(relevant: Collection[int], ranked: Sequence[int], k: int) -> float:
    """Return the precision at K: relevant items in the top K / K.

    Source: *precision at K* in the guide, "the number of relevant items ... in the top K".
    """
    return sum(item in relevant for item in ranked[:k]) / k


def reciprocal_rank(relevant: Collection[int], ranked: Sequence[int], k: int) -> float:
    """Return 1 / the rank of the first relevant item in the top K, or 0 if there is none.

    Source: *mean reciprocal rank at 25* in the guide; its mean over all queries is the metric.
    """
    ranks = (rank for rank, item in enumerate(ranked[:k], start=1) if item in relevant)
    return 1 / next(ranks, math.inf)


def ndcg(relevant: Collection[int], ranked: Sequence[int], k: int) -> float:
    """Return the normalised discounted cumulative gain at K, DCG / ideal DCG.

    DCG = the sum of 1 / log(1 + position) over the positions in the top K, from 1, that hold a
    relevant item; the ideal list begins with all relevant items. The base of the logarithm cancels.

    Source: *normalized discounted cumulative gain (NDCG) at K* in the guide.
    """
    gained = _gain(rank for rank, item in enumerate(ranked[:k], start=1) if item in relevant)
    return gained / _gain(range(1, min(k, len(relevant)) + 1)) if relevant else 0.0


def _gain(positions: Iterable[int]) -> float:
    return sum(1 / math.log2(1 + position) for position in positions)


def coverage(lists: Iterable[Sequence[int]], items: int) -> float:
    """Return unique items recommended over all queries / unique items in Interactions and Items.

    Source: *coverage* in the guide.
    """
    return len({item for ranked in lists for item in ranked}) / items if items else 0.0


_COVERAGE: Final = "coverage"
_MEANS: Final[dict[str, tuple[Callable[[Collection[int], Sequence[int], int], float], int]]] = {
    "mean_reciprocal_rank_at_25": (reciprocal_rank, 25),
    "normalized_discounted_cumulative_gain_at_5": (ndcg, 5),
    "normalized_discounted_cumulative_gain_at_10": (ndcg, 10),
    "normalized_discounted_cumulative_gain_at_25": (ndcg, 25),
    "precision_at_5": (precision, 5),
    "precision_at_10": (precision, 10),
    "precision_at_25": (precision, 25),
}
METRICS: Final = (_COVERAGE, *_MEANS)
"""All eight, in the order in which they are shown."""


@dataclass(frozen=True)
class Measured:
    """Lists of recommendations, measured user by user."""

    coverage: float
    per_user: Mapping[str, Floats]
    """The values of each other metric, of the same users in the same order."""

    @property
    def metrics(self) -> dict[str, float]:
        """The eight metrics, with as many decimals as the service answers with."""
        means = {name: _mean(values) for name, values in self.per_user.items()}
        return {
            name: round(value, _DECIMALS)
            for name, value in ({_COVERAGE: self.coverage} | means).items()
        }

    def error(self, name: str) -> float | None:
        """Return the standard error of a metric; None of coverage, which is no mean over users."""
        return None if name == _COVERAGE else _error(self.per_user[name])


def measure(
    queries: Sequence[Query], recommend: Callable[[slice], Sequence[int]], items: int
) -> Measured:
    """Measure a recommender of the recipe `aws-vod-top-picks`.

    Args:
        queries: Whom to ask for.
        recommend: Returns items, best first, for a user of whom only this history is known.
        items: How many there are.
    """
    lists = [recommend(query.given)[:LONGEST] for query in queries]
    per_user = {
        name: np.array(
            [value(one.relevant, ranked, k) for one, ranked in zip(queries, lists, strict=True)]
        )
        for name, (value, k) in _MEANS.items()
    }
    return Measured(coverage(lists, items), per_user)


def _mean(values: Floats) -> float:
    return math.fsum(values.tolist()) / (len(values) or 1)


def _error(values: Floats) -> float | None:
    """Return the standard error of a mean, None if one value says nothing about it."""
    count = len(values)
    if count < 2:  # noqa: PLR2004  # of one value there is no deviation
        return None
    mean = _mean(values)
    squares = math.fsum((value - mean) ** 2 for value in values.tolist())
    return math.sqrt(squares / (count - 1) / count)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A metric, how sure it is, and the same metric of a popularity list."""

    value: float
    error: float | None
    """The standard error over the tested users; None of coverage, which is no mean over users."""
    popularity: float
    verdict: str
    """`better` or `worse` than the popularity list by more than chance, `unclear`, or nothing."""
    mean: float | None = None
    """Over the ten splits; None if only the first was measured."""
    deviation: float | None = None
    """The standard deviation between the ten splits."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The metrics of a recommender, and how sure they are."""

    tested: int
    """Users whose recommendations were measured."""
    users: int
    items: int
    learnt: int
    """Items that the model has learnt something about."""
    how: str
    """How it has."""
    splits: int
    """10, or 1 if so much data would take too long to train on ten times."""
    metrics: Mapping[str, Compared]
    choices: tuple[str, ...] = CHOICES
    """The choices that the metrics depend on."""
    others: str = "popularity and exploration"
    """How it recommends the items that it has learnt nothing about."""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Return one that `dataclasses.asdict` has taken apart."""
        metrics = {name: Compared(**one) for name, one in fields["metrics"].items()}
        return cls(**{**fields, "metrics": metrics, "choices": tuple(fields["choices"])})

    @property
    def values(self) -> dict[str, float]:
        """The metrics alone."""
        return {name: one.value for name, one in self.metrics.items()}


def in_order(metrics: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return metrics in the order in which they are shown, those of other recipes last."""
    return sorted(metrics.items(), key=lambda one: [*METRICS, one[0]].index(one[0]))


def explanation(evaluation: Evaluation) -> list[str]:
    """Explain the figures of an evaluation in sentences."""
    if evaluation.splits > 1:
        spread = (
            "Ten splits: the mean and the standard deviation over ten trainings. Each one tests "
            "another tenth of the users."
        )
    else:
        spread = (
            f"Only one split was measured: ten need at most {SPREAD_ITEMS:,} items and "
            f"{SPREAD_INTERACTIONS:,} interactions."
        )
    return [
        "± is the standard error over the tested users. Better and worse compare with a "
        "popularity list, user by user, and mean more than chance (paired t-test, 95 %). If the "
        "difference may be chance, it is unclear.",
        spread,
        f"The model has learnt about {evaluation.learnt:,} of {evaluation.items:,} items, "
        f"{evaluation.how}. It recommends any others by {evaluation.others}.",
    ]


def compare(
    measured: Measured, popular: Measured, others: Sequence[Measured] = ()
) -> dict[str, Compared]:
    """Compare a recommender with a popularity list, measured on the same users.

    Args:
        measured: The recommender, on the first split.
        popular: The list.
        others: The recommender on the other splits, if it was measured on these.
    """
    values, theirs = measured.metrics, popular.metrics
    spread = [one.metrics for one in (measured, *others)] if others else []
    return {
        name: Compared(
            value=values[name],
            error=measured.error(name),
            popularity=theirs[name],
            verdict=""
            if name == _COVERAGE
            else _verdict(measured.per_user[name] - popular.per_user[name]),
            **_spread([one[name] for one in spread]),
        )
        for name in METRICS
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    array = np.array(values)
    error = _error(array) or 0.0
    return {"mean": _mean(array), "deviation": error * math.sqrt(len(values))}


def _verdict(differences: Floats) -> str:
    """Return whether differences, user by user, are more than chance: the paired t-test."""
    error = _error(differences)
    if error is None:
        return "unclear"
    from scipy import special  # type: ignore[import-untyped]

    certain = float(special.stdtrit(len(differences) - 1, _SURE)) * error
    mean = _mean(differences)
    if abs(mean) <= certain:
        return "unclear"
    return "better" if mean > 0 else "worse"
