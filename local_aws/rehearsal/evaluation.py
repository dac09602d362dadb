"""The metrics of a recommender, and the data that they are measured on, as AWS documents them.

Sources: docs.aws.amazon.com/personalize/latest/dg/evaluating-recommenders.html, and the notebook
*Training a Recommender* of github.com/aws-samples/amazon-personalize-immersion-day. Where they are
silent: at least one interaction of each tested user is to be found; a user with one interaction is
not tested; coverage counts the first 25 of each list; which tenth is tested follows from a hash of
the users' ids, so it is the same every time.
"""

import hashlib
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from local_aws.rehearsal.data import Data, Ints

LONGEST: Final = 25
"""How much of a list of recommendations is looked at."""
_DECIMALS: Final = 4
"""As seen in the answers of the service."""
_TESTED: Final = 10
"""One user of so many, and of their interactions one of so many, is not trained on."""
_LEAST: Final = 2
"""Interactions of a user who is tested: one to ask with and one to be found."""


@dataclass(frozen=True)
class Query:
    """A user who was not trained on: the oldest 90 % of the interactions, and the items after."""

    given: slice
    relevant: frozenset[int]


def split(data: Data) -> tuple[Ints, list[Query]]:
    """Return the users to train on, 90 % of all, and a query for each of the others."""
    by_hash = sorted(
        range(len(data.users)),
        key=lambda user: hashlib.sha256(data.users[user].encode()).digest(),
    )
    tested = sorted(by_hash[: len(by_hash) // _TESTED])
    trained = np.setdiff1d(np.arange(len(data.users)), tested)
    return trained, [_query(data, user) for user in tested if data.per_user[user] >= _LEAST]


def _query(data: Data, user: int) -> Query:
    history = data.history_of(user)
    newest = history.stop - max(1, (history.stop - history.start) // _TESTED)
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


_MEANS: Final[dict[str, tuple[Callable[[Collection[int], Sequence[int], int], float], int]]] = {
    "mean_reciprocal_rank_at_25": (reciprocal_rank, 25),
    "normalized_discounted_cumulative_gain_at_10": (ndcg, 10),
    "normalized_discounted_cumulative_gain_at_25": (ndcg, 25),
    "normalized_discounted_cumulative_gain_at_5": (ndcg, 5),
    "precision_at_10": (precision, 10),
    "precision_at_25": (precision, 25),
    "precision_at_5": (precision, 5),
}


def metrics(
    queries: Sequence[Query], recommend: Callable[[slice], Sequence[int]], items: int
) -> dict[str, float]:
    """Return the eight metrics of a recommender of the recipe `aws-vod-top-picks`.

    Args:
        queries: Whom to ask for.
        recommend: Returns items, best first, for a user of whom only this history is known.
        items: How many there are.
    """
    lists = [recommend(query.given)[:LONGEST] for query in queries]
    means = {
        name: sum(
            measure(query.relevant, ranked, k) for query, ranked in zip(queries, lists, strict=True)
        )
        / (len(queries) or 1)
        for name, (measure, k) in _MEANS.items()
    }
    measured = {"coverage": coverage(lists, items), **means}
    return {name: round(value, _DECIMALS) for name, value in measured.items()}
