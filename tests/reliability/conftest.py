"""A simulated Personalize and a fake CloudFormation beside it, watched by the invariants."""

import logging
from collections.abc import Generator, Iterator

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
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world; a module may have a quicker one (`DURATIONS`), and less time to train (`HOURS`)."""
    durations = getattr(request.module, "DURATIONS", QUICK)
    made = World(Behaviour(**durations), hours=getattr(request.module, "HOURS", 2.5))
    root = logging.getLogger()
    root.addHandler(made.invariants)
    yield made
    root.removeHandler(made.invariants)
