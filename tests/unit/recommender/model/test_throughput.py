"""The busiest five minutes of a week, and the throughput that is enough for them."""

import pytest

from lambdas.recommender.model.throughput import Use, busiest


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([], Use(0.0, 0.0)),
        ([(300.0, 3.0)], Use(0.01, 300.0)),
        ([(0.0, 600.0), (300.0, 900.0), (600.0, 30.0)], Use(3.0, 300.0)),
    ],
)
def test_busiest_five_minutes_are_those_with_the_most_calls(
    calls: list[tuple[float, float]], expected: Use
) -> None:
    assert busiest(calls) == expected


@pytest.mark.parametrize(
    ("peak", "enough"), [(0.0, 1), (0.003, 1), (1.0, 1), (1.003, 2), (3.42, 4), (40.0, 40)]
)
def test_enough_is_the_lowest_whole_number_that_provisions_the_peak(
    peak: float, enough: int
) -> None:
    use = Use(peak, 0.0)
    assert use.enough == enough
