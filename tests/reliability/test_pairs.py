"""Two calls of a lifecycle fail, each in its own way: pairs by the thousand, with a fixed seed."""

import functools
import random
from collections.abc import Callable
from typing import Final

import pytest

from tests.reliability.faults import Cell, cells, lived, path
from tests.reliability.lifecycles import EVERY_LIFECYCLE, REPAIRABLE, wrong_with

pytestmark = pytest.mark.sweep

SEED: Final = 20261124
CHUNKS: Final = 6
PAIRS_PER_CHUNK: Final = 56
"""In all, 16 lifecycles of 6 chunks of 56 pairs, of which a few do not come about."""


@pytest.mark.rows("TH2")
@pytest.mark.parametrize(
    "chunk", [0, *(pytest.param(chunk, marks=pytest.mark.long) for chunk in range(1, CHUNKS))]
)
@pytest.mark.parametrize("lifecycle", EVERY_LIFECYCLE)
def test_two_faults_of_any_calls_end_cleanly(
    lifecycle: str, chunk: int, record_property: Callable[[str, object], None]
) -> None:
    print(f"seed {SEED}")
    wrong: dict[str, str] = {}
    happened = 0
    for pair in _pairs(lifecycle)[chunk::CHUNKS]:
        world, faults = lived(lifecycle, *pair)
        happened += set(faults.happened) == set(pair)
        if outcome := wrong_with(world, lifecycle, REPAIRABLE):
            wrong[" + ".join(map(str, pair))] = outcome
    record_property("pairs", happened)
    assert wrong == {}
    assert happened > PAIRS_PER_CHUNK / 2, "most pairs do not come about"


@functools.cache
def _pairs(lifecycle: str) -> list[tuple[Cell, Cell]]:
    """Return different pairs of faults of different calls; the first may prevent the second."""
    chance = random.Random(f"{SEED} {lifecycle}")
    faults = cells(path(lifecycle).calls)
    drawn: dict[tuple[Cell, Cell], None] = {}
    while len(drawn) < CHUNKS * PAIRS_PER_CHUNK:
        one, other = sorted(chance.sample(faults, 2))
        if one.site != other.site:
            drawn[one, other] = None
    return list(drawn)
