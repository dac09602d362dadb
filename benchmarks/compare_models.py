"""The rehearsal's models against those of two libraries: the table of docs/adr/0010.

On the sample the mean over the ten splits, on the data of `make bench` the first split; without
exploration. All settings of a small grid are shown, and to choose the best flatters the libraries.
`make bench PARTS=models`, some minutes.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final
from unittest.mock import patch

import numpy as np

from benchmarks import libraries, rehearsal
from benchmarks.libraries import Learnt
from benchmarks.rehearsal import NDCG
from benchmarks.table import Row
from local_aws.rehearsal import model, sample
from local_aws.rehearsal.data import Data, Floats, Ints
from local_aws.rehearsal.evaluation import SPLITS, Measured, measure, split
from local_aws.rehearsal.reading import read
from local_aws.rehearsal.training import Options, best, categories, popularity

_SIZES: Final = (5_000, 50_000)
Scores = Callable[[Ints], Floats]


def models() -> Iterator[Row]:
    """Compare on the sample and on the data of `make bench`."""
    yield from _compared("the sample, ten splits", read(sample.FOLDER, now=time.time()), SPLITS)
    for items in _SIZES:
        with tempfile.TemporaryDirectory() as folder:
            rehearsal.write(Path(folder), items)
            data = read(Path(folder), now=time.time())
        yield from _compared(f"a million interactions, {items:,} items", data, 1)


def _compared(what: str, data: Data, splits: int) -> Iterator[Row]:
    by_name: dict[str, list[Learnt]] = {}
    for number in range(splits):
        for one in (*_ours(data, number), *libraries.learnt(data, number)):
            by_name.setdefault(one.name, []).append(one)
    for name, found in by_name.items():
        yield Row(
            what=f"{what}: {name}",
            ours=_shown([one.measured for one in found]),
            how=f"{np.mean([one.seconds for one in found]):.1f} s of processor time to learn",
        )


def _shown(measured: Sequence[Measured]) -> str:
    values = [one.metrics[NDCG] for one in measured]
    error = measured[0].error(NDCG) if len(measured) == 1 else _of_splits(values)
    coverage = np.mean([one.coverage for one in measured])
    return f"NDCG at 25 {np.mean(values):.4f} ± {error:.4f}, coverage {coverage:.4f}"


def _of_splits(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1) / len(values) ** 0.5)


def _ours(data: Data, number: int) -> Iterator[Learnt]:
    users, queries = split(data, number)
    baskets = [np.unique(data.item[data.history_of(int(user))]) for user in users]
    items = len(data.items)

    def measured(scores: Scores) -> Measured:
        def recommend(history: slice) -> list[int]:
            scored = scores(np.unique(data.item[history])).copy()
            scored[data.watched(history)] = -np.inf
            return best(scored, 25).tolist()  # type: ignore[no-any-return]

        return measure(queries, recommend, items)

    popular = popularity(baskets, items)
    yield Learnt("a popularity list", measured(lambda _: popular), 0.0)
    for name, of, most in (
        ("each pair, without metadata", [], items),
        ("each pair", categories(data, Options()), items),
        ("directions", categories(data, Options()), 0),
    ):
        if most > model.MOST_ITEMS:
            continue
        began = time.process_time()
        with patch.object(model, "MOST_ITEMS", most):
            learnt = model.learn(baskets, of, items)
        seconds = time.process_time() - began
        yield Learnt(name, measured(learnt.relevance), seconds)
