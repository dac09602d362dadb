"""The throttling under which `make bench` has many stacks deploy."""

import pytest

from benchmarks.scale import RateLimit
from local_aws.personalize import ServiceError
from tests.support.personalize import VirtualClock


def let_through(limit: RateLimit, calls: int, operation: str = "DescribeStacks") -> int:
    """Return how many of so many calls at once are."""
    passed = 0
    for _ in range(calls):
        try:
            limit(operation, {})
        except ServiceError as error:
            assert error.code == "ThrottlingException"
        else:
            passed += 1
    return passed


@pytest.mark.parametrize(("pause", "then"), [(0.0, 0), (0.4, 0), (0.5, 1), (3.0, 6), (1e6, 10)])
def test_a_burst_passes_and_then_two_calls_a_second(pause: float, then: int) -> None:
    clock = VirtualClock()
    limit = RateLimit(clock)

    assert let_through(limit, 30) == 10
    clock.advance(pause)
    assert let_through(limit, 30) == then
    assert limit.refused["DescribeStacks"] == 60 - 10 - then


def test_each_operation_has_a_limit_of_its_own() -> None:
    limit = RateLimit(VirtualClock())
    let_through(limit, 30)

    assert let_through(limit, 30, "DescribeRecommender") == 10
