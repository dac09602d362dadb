"""A simulated Personalize and a fake CloudFormation beside it, watched by the invariants."""

import logging
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from local_aws.personalize import Behaviour
from tests.reliability.world import QUICK, World
from tests.support.cloudformation import Rollback


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Let the world of a test come to rest, and check it, as the last step of the test itself."""
    result = yield
    if isinstance(world := pyfuncitem.funcargs.get("world"), World):
        world.cloud.drain()
        world.invariants.check()
    return result


@pytest.fixture(params=Rollback, ids=lambda rollback: rollback.name)
def rollback(request: pytest.FixtureRequest, world: World) -> Rollback:
    """What CloudFormation sends for a replaced resource that is rolled back."""
    world.cloud.rollback = request.param
    return world.cloud.rollback


@pytest.fixture
def durations() -> dict[str, Any]:
    """How long everything takes."""
    return QUICK


@pytest.fixture
def hours() -> float:
    """For how long a training is waited for; an hour less five minutes takes a gate and a sweep."""
    return 2.5


@pytest.fixture
def world(durations: dict[str, Any], hours: float) -> Iterator[World]:
    made = World(Behaviour(**durations), hours=hours)
    root = logging.getLogger()
    root.addHandler(made.invariants)
    yield made
    root.removeHandler(made.invariants)
