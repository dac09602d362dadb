"""The latest change of a model's metrics in their hourly history."""

from collections.abc import Mapping

import pytest

from lambdas.recommender.model.history import HOUR, Change, Sample, latest_change

OLD, NEW, OLDER = (
    {"coverage": 0.1, "precision_at_10": 0.3},
    {"coverage": 0.05, "precision_at_10": 0.4},
    {"coverage": 0.2, "precision_at_10": 0.2},
)
MIXED = {"coverage": 0.1, "precision_at_10": 0.4}
"""The highest values of an hour with both."""


def hourly(*metrics: Mapping[str, float] | None) -> list[Sample]:
    """Return a sample for each hour, from 0; an hour that was not observed has none."""
    return [Sample(n * HOUR, one) for n, one in enumerate(metrics) if one is not None]


HISTORIES = {
    "none": (hourly(), None),
    "no other": (hourly(NEW, NEW), None),
    "as by another way to write a number": (hourly({"coverage": 0.05 + 1e-17}), None),
    "other metrics only": (hourly({"novelty": 0.9}), None),
    "one change": (hourly(OLD, OLD, NEW), Change(OLD, 2 * HOUR)),
    "not observed again": (hourly(OLD, OLD), Change(OLD, 2 * HOUR)),
    "two changes": (hourly(OLDER, OLDER, OLD, OLD, NEW), Change(OLD, 4 * HOUR)),
    "an hour of both": (hourly(OLD, MIXED, NEW), Change(OLD, 2 * HOUR)),
    "an hour of both, alone": (hourly(None, MIXED, NEW), Change(MIXED, 2 * HOUR)),
    "a gap": (hourly(OLDER, None, OLD, NEW), Change(OLD, 3 * HOUR)),
    "there and back": (hourly(NEW, OLD, NEW), Change(OLD, 2 * HOUR)),
    "a read that came late": (hourly(OLD, NEW, OLD, NEW), Change(OLD, 3 * HOUR)),
    "an hour of both, long after": (
        [Sample(one.time + 480_000 * HOUR, one.metrics) for one in hourly(OLD, MIXED, NEW)],
        Change(OLD, 480_002 * HOUR),
    ),
    "a metric is new": (hourly({"coverage": 0.1}), Change({"coverage": 0.1}, HOUR)),
}


@pytest.mark.parametrize("history", HISTORIES)
def test_latest_change_has_the_metrics_before_it_and_the_end_of_their_last_hour(
    history: str,
) -> None:
    samples, change = HISTORIES[history]
    assert latest_change(samples, NEW) == change
