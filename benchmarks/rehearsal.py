"""Part 6: how long the rehearsal takes on a million interactions, and how much memory.

20,000 users, 5,000 items, everything made up, the same every time. The targets: import, report and
training together in 60 s and 2 GiB on two cores, a recommendation in 20 ms.
"""

import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.table import Row
from local_aws.rehearsal import reading
from local_aws.rehearsal.findings import findings
from local_aws.rehearsal.training import TopPicks

_USERS: Final = 20_000
_ITEMS: Final = 5_000
_INTERACTIONS: Final = 1_000_000
_GENRES: Final = 40
_BUSY, _TO_TASTE, _WATCHED = 0.2, 0.7, 0.8
"""Shares of the interactions: of a few busy users, to a user's taste, of the type Watch."""
_ASKED: Final = 200
_FIRST: Final = 1_735_689_600
_YEAR: Final = 365 * 86_400


def write(folder: Path) -> None:
    """Write a folder of a million interactions: tastes by genre, and a long tail."""
    random = np.random.default_rng(1)
    user = random.zipf(1.3, _INTERACTIONS * 2) % _USERS  # a few are busy
    user = np.where(random.random(len(user)) < _BUSY, user, random.integers(0, _USERS, len(user)))
    genre = np.where(
        random.random(len(user)) < _TO_TASTE,
        user % _GENRES,
        random.integers(0, _GENRES, len(user)),
    )
    per_genre = _ITEMS // _GENRES
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
            for i in range(_ITEMS)
        )


def rehearsal() -> list[Row]:
    """Make the files, go through all of it once, and return the durations."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        began = time.perf_counter()
        data = reading.read(folder, now=time.time())
        read = time.perf_counter()
        findings(data)
        reported = time.perf_counter()
        recommender = TopPicks(data)
        trained = time.perf_counter()
    times = []
    for user_id in data.users[:: len(data.users) // _ASKED]:
        asked = time.perf_counter()
        recommender.recommend(user_id, 25)
        times.append(time.perf_counter() - asked)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    how = f"By the clock, in this process; {_USERS:,} users, {_ITEMS:,} items, made up"
    return [
        Row(
            what="a million interactions: read, reported on, trained and evaluated",
            target="60 s",
            ours=f"{trained - began:.1f} s: {read - began:.1f}, {reported - read:.1f}, "
            f"{trained - reported:.1f}",
            how=how,
        ),
        Row(
            what="a recommendation on them",
            target="20 ms",
            ours=f"{statistics.mean(times) * 1000:.2f} ms on average, "
            f"{max(times) * 1000:.2f} ms at most",
            how=f"The same, {len(times)} users",
        ),
        Row(what="memory of all that", target="2,048 MiB", ours=f"{peak:,.0f} MiB", how="The same"),
    ]
