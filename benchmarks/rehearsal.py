"""Part 6: the rehearsal's time, memory and quality on a million interactions.

20,000 users and 5,000 or 50,000 items, everything made up, the same every time. The targets, on two
cores: import, report and training together in 60 s for 5,000 items and in 120 s for 50,000; 2 GiB;
a recommendation in 20 ms. Each size is measured in a process of its own, because the memory is the
peak of a process: `python -m benchmarks.rehearsal ITEMS`.
"""

import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import libraries
from benchmarks.processes import run
from benchmarks.table import Row
from local_aws.rehearsal import reading
from local_aws.rehearsal.data import Data
from local_aws.rehearsal.findings import findings
from local_aws.rehearsal.training import Options, TopPicks

NDCG: Final = "normalized_discounted_cumulative_gain_at_25"
_TARGETS: Final = {5_000: "60 s", 50_000: "120 s"}
"""Of all together, by the number of items."""
_RIVALS: Final = (
    "implicit ALS, 64 factors, regularisation 10, alpha 1",
    "irspack iALS, 64 factors, regularisation 0.001, alpha0 0.1",
)
"""Settings of each library that are good at both sizes: `compare_models` tries more."""
_USERS: Final = 20_000
_INTERACTIONS: Final = 1_000_000
_GENRES: Final = 40
_BUSY, _TO_TASTE, _WATCHED = 0.2, 0.7, 0.8
"""Shares of the interactions: of a few busy users, to a user's taste, of the type Watch."""
_ASKED: Final = 200
_FIRST: Final = 1_735_689_600
_YEAR: Final = 365 * 86_400


def write(folder: Path, items: int) -> None:
    """Write a folder of a million interactions: tastes by genre, and a long tail."""
    random = np.random.default_rng(1)
    user = random.zipf(1.3, _INTERACTIONS * 2) % _USERS  # a few are busy
    user = np.where(random.random(len(user)) < _BUSY, user, random.integers(0, _USERS, len(user)))
    genre = np.where(
        random.random(len(user)) < _TO_TASTE,
        user % _GENRES,
        random.integers(0, _GENRES, len(user)),
    )
    per_genre = items // _GENRES
    rank = np.minimum(random.exponential(per_genre / 4, len(user)).astype(int), per_genre - 1)
    item = genre * per_genre + rank
    chosen = random.permutation(len(user))[:_INTERACTIONS]
    when = _FIRST + random.integers(0, _YEAR, _INTERACTIONS)
    watched = random.random(_INTERACTIONS) < _WATCHED
    with (folder / "interactions.csv").open("w") as file:
        file.write("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n")
        file.writelines(
            f"user-{u},item-{i},{t},{'Watch' if w else 'Click'}\n"
            for u, i, t, w in zip(
                user[chosen].tolist(),
                item[chosen].tolist(),
                when.tolist(),
                watched.tolist(),
                strict=True,
            )
        )
    with (folder / "items.csv").open("w") as file:
        file.write("ITEM_ID,GENRES,CREATION_TIMESTAMP,CONTENT_OWNER\n")
        file.writelines(
            f"item-{i},genre-{i // per_genre}|mood-{i % 7},{_FIRST - i * 3600},owner-{i % 11}\n"
            for i in range(items)
        )


def rehearsal() -> Iterator[Row]:
    """Run the whole rehearsal once for each size, and yield its time, memory and quality."""
    for items in _TARGETS:
        said = run(["-m", "benchmarks.rehearsal", str(items)], environment={}).said
        yield from rows(items, json.loads(said.splitlines()[-1]))


def rows(items: int, measured: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the rows of the figures that `measure` has returned."""
    what = f"a million interactions, {items:,} items"
    read, reported, trained = measured["seconds"]
    yield Row(
        what=f"{what}: read, reported on, trained and evaluated",
        target=_TARGETS.get(items, ""),
        ours=f"{read + reported + trained:.1f} s: {read:.1f}, {reported:.1f}, {trained:.1f}; "
        f"{measured['processor']:.1f} s of processor time",
        how=f"By the clock, in a process of its own; {_USERS:,} users, made up; learnt about "
        f"{measured['learnt']:,} items",
    )
    yield Row(
        what=f"{what}: a recommendation",
        target="20 ms",
        ours=f"{measured['mean'] * 1000:.1f} ms on average, {measured['most'] * 1000:.1f} ms at "
        "most",
        how=f"The same, {_ASKED} users",
    )
    yield Row(
        what=f"{what}: memory of all that",
        target="2,048 MiB",
        ours=f"{measured['memory']:,.0f} MiB",
        how="The same",
    )
    others = (f"{name}: {_quality(*one)}" for name, one in measured["others"].items())
    yield Row(
        what=f"{what}: NDCG at 25, ± its standard error",
        target="the best of the others less its error",
        ours=_quality(*measured["ours"]),
        other="; ".join(others),
        how="The same split, filter and metric, without exploration; the libraries in processes of "
        "their own, with the processor time of learning",
    )


def _quality(value: float, error: float, coverage: float, seconds: float | None = None) -> str:
    took = "" if seconds is None else f"; {seconds:.0f} s"
    return f"{value:.4f} ± {error:.4f}, coverage {coverage:.4f}{took}"


def measure(items: int) -> dict[str, Any]:
    """Make the files, run the whole rehearsal once, and return its time, memory and quality."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, items)
        began, used = time.perf_counter(), time.process_time()
        data = reading.read(folder, now=time.time())
        read = time.perf_counter()
        findings(data)
        reported = time.perf_counter()
        recommender = TopPicks(data)
        evaluation = recommender.evaluation
        trained, used = time.perf_counter(), time.process_time() - used
    times = []
    for user_id in data.users[:: max(1, len(data.users) // _ASKED)]:
        asked = time.perf_counter()
        recommender.recommend(user_id, 25)
        times.append(time.perf_counter() - asked)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return {
        "seconds": (read - began, reported - read, trained - reported),
        "processor": used,
        "learnt": evaluation.learnt,
        "mean": statistics.mean(times),
        "most": max(times),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit,
        **_beside_libraries(data),
    }


def _beside_libraries(data: Data) -> dict[str, Any]:
    ours = TopPicks(data, Options(exploration_weight=0.0)).evaluation.metrics
    others = {}
    for one in libraries.learnt(data, names=_RIVALS):
        metrics = one.measured.metrics
        others[one.name] = (
            metrics[NDCG],
            one.measured.error(NDCG),
            metrics["coverage"],
            one.seconds,
        )
    ndcg = ours[NDCG]
    return {"ours": (ndcg.value, ndcg.error, ours["coverage"].value), "others": others}


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
