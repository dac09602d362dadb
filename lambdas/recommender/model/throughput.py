"""Compare the calls of GetRecommendations with the provisioned throughput (pure)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

PERIOD: Final = 300
"""Seconds over which calls are averaged.

Personalize averages requests over an hour for the bill (CreateRecommender, API reference; earlier
versions of that page say five minutes). The average of an hour is not above its busiest five
minutes, so a minimum for these is enough for both.
"""
WEEK: Final = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Use:
    """The busiest five minutes of a week.

    Attributes:
        peak: calls per second, on average over the five minutes.
        began: when they began, in epoch seconds; 0 if there was no call.
    """

    peak: float
    began: float

    @property
    def enough(self) -> int:
        """The lowest ``minRecommendationRequestsPerSecond`` that provisions the peak."""
        return max(1, math.ceil(self.peak))


def busiest(calls: Iterable[tuple[float, float]]) -> Use:
    """Return the busiest five minutes.

    Args:
        calls: for each five minutes with calls, their beginning (epoch seconds) and number.
    """
    began, most = max(calls, key=lambda one: one[1], default=(0.0, 0.0))
    return Use(most / PERIOD, began)
