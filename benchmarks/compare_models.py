"""EASE against ALS on the sample and on the data of `make bench`: the table of docs/adr/0010.

ALS is that of Yifan Hu, Yehuda Koren, Chris Volinsky, *Collaborative Filtering for Implicit
Feedback Datasets* (ICDM 2008), in numpy. All settings of a small grid are shown, and to choose the
best flatters it. `python -m benchmarks.compare_models`, a few minutes.
"""

import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks import rehearsal
from local_aws.rehearsal import sample
from local_aws.rehearsal.data import Data, Ints
from local_aws.rehearsal.evaluation import measure, split
from local_aws.rehearsal.model import learn
from local_aws.rehearsal.reading import read
from local_aws.rehearsal.training import Options, TopPicks

_NDCG: Final = "normalized_discounted_cumulative_gain_at_25"
_ROUNDS: Final = 10

Matrix = npt.NDArray[np.float64]


class Als:
    """Factors of users and items, each solved for in turn with the other held fast."""

    def __init__(
        self, baskets: list[Ints], items: int, *, factors: int, penalty: float, trust: float
    ) -> None:
        self._penalty = penalty * np.eye(factors)
        self._trust = trust
        self._items = np.random.default_rng(0).normal(0, 0.1, (items, factors))
        user = np.repeat(np.arange(len(baskets)), [len(basket) for basket in baskets])
        item = np.concatenate(baskets)
        order = np.argsort(item, kind="stable")
        starts = np.searchsorted(item[order], np.arange(items + 1))
        by_item = user[order]
        fans = [by_item[a:b] for a, b in itertools.pairwise(starts)]
        for _ in range(_ROUNDS):
            users = self._solved(baskets, self._items)
            self._items = self._solved(fans, users)

    def _solved(self, rows: list[Ints], others: Matrix) -> Matrix:
        shared = others.T @ others + self._penalty
        solved = np.zeros((len(rows), others.shape[1]))
        for number, row in enumerate(rows):
            chosen = others[row]
            solved[number] = np.linalg.solve(
                shared + self._trust * chosen.T @ chosen, (1 + self._trust) * chosen.sum(axis=0)
            )
        return solved

    def relevance(self, basket: Ints) -> Matrix:
        """Return for every item how much it suits a user with these items."""
        (user,) = self._solved([basket], self._items)
        relevance: Matrix = self._items @ user
        return relevance


def _compare(name: str, data: Data, factors: tuple[int, ...]) -> None:
    users, queries = split(data)
    baskets = [np.unique(data.item[data.history_of(int(user))]) for user in users]
    items = len(data.items)

    def ndcg(relevance: Callable[[Ints], npt.NDArray[np.floating]]) -> float:
        def recommend(history: slice) -> list[int]:
            scores = relevance(np.unique(data.item[history])).copy()
            scores[data.watched(history)] = -np.inf
            return np.argsort(-scores, kind="stable")[:25].tolist()  # type: ignore[no-any-return]

        return measure(queries, recommend, items).metrics[_NDCG]

    popularity = TopPicks(data, Options(exploration_weight=0.0)).popularity_metrics[_NDCG]
    print(f"{name}: popularity list {popularity:.4f}")
    start = time.perf_counter()
    ease = learn(baskets, [], items)
    seconds = time.perf_counter() - start
    print(f"  EASE, without metadata               {ndcg(ease.relevance):.4f} {seconds:7.2f} s")
    with_metadata = TopPicks(data, Options(exploration_weight=0.0)).metrics[_NDCG]
    print(f"  EASE, with metadata                  {with_metadata:.4f}")
    for count, penalty, trust in itertools.product(factors, (1.0, 10.0), (1.0, 10.0)):
        start = time.perf_counter()
        als = Als(baskets, items, factors=count, penalty=penalty, trust=trust)
        seconds = time.perf_counter() - start
        settings = f"{count} factors, penalty {penalty:.0f}, trust {trust:.0f}"
        print(f"  ALS, {settings:30} {ndcg(als.relevance):.4f} {seconds:7.2f} s", flush=True)


def main() -> None:
    """Print the comparison."""
    _compare("the sample", read(sample.FOLDER, now=time.time()), (4, 8, 16, 32))
    with tempfile.TemporaryDirectory() as folder:
        rehearsal.write(Path(folder))
        _compare("a million interactions", read(Path(folder), now=time.time()), (32,))


if __name__ == "__main__":
    main()
