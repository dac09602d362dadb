"""Find the latest change of a model's metrics in their history (pure).

DescribeRecommender shows only the metrics of now. AWS documents neither whether a retraining shows
in ``latestRecommenderUpdate`` nor whether it changes ``modelMetrics``. So a change is found by the
metrics alone, and its cause does not count.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

HOUR: Final = 3600.0
WINDOW: Final = 15 * 24 * HOUR
"""Seconds of history: two weekly retrainings fit into it."""

Metrics = Mapping[str, float]
"""Values of metrics by the service's names."""


@dataclass(frozen=True)
class Sample:
    """The highest value of each metric in one hour, which begins at ``time`` (epoch seconds)."""

    time: float
    metrics: Metrics


@dataclass(frozen=True)
class Change:
    """The latest change: the metrics before it, observed until ``until`` (epoch seconds)."""

    before: Metrics
    until: float


def latest_change(samples: Sequence[Sample], metrics: Metrics) -> Change | None:
    """Return the latest change of metrics, or None if the history has no other values.

    In the hour of the change a sample may mix both, so the hour before it has the earlier values.

    Args:
        samples: the history, the oldest first.
        metrics: the metrics of now.
    """
    differing = [one for one in samples if _differ(one.metrics, metrics)]
    if not differing:
        return None
    last = differing[-1]
    until = last.time + HOUR
    if len(differing) > 1 and last.time - differing[-2].time <= HOUR:
        last = differing[-2]
    return Change(last.metrics, until)


def _differ(some: Metrics, others: Metrics) -> bool:
    return any(not math.isclose(some[name], others[name]) for name in some.keys() & others.keys())
