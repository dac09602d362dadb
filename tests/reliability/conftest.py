"""A simulated Personalize and a fake CloudFormation beside it, watched by the invariants."""

import logging
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import get_args

import pytest

from local_aws.personalize import Behaviour
from local_aws.personalize.behaviour import Echo
from tests.reliability.world import QUICK, World
from tests.support.assembly import write_assembly
from tests.support.cloudformation import Rollback
from tests.support.operator import Operator
from tests.support.synthesis import Deployable

Plan = Callable[..., str]
"""Takes the expected exit code, options, and settings or a template (`of`)."""


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
def operator(world: World, capsys: pytest.CaptureFixture[str]) -> Operator:
    """Somebody who runs the commands of `operations`."""
    return Operator(world.cloud, capsys)


@pytest.fixture
def plan(world: World, operator: Operator, tmp_path: Path) -> Plan:
    """Plan the deployment of settings, or of a template, and return the output on one line."""

    def run(code: int, *options: str, of: Deployable | None = None, **settings: object) -> str:
        template = of or Deployable.of("TopPicks", world.given(settings))
        app = write_assembly(tmp_path / "cdk.out", template)
        return " ".join(operator.expect(code, "plan", "--app", app, *options).split())

    return run


@pytest.fixture(params=get_args(Echo))
def echo(request: pytest.FixtureRequest, world: World) -> Echo:
    """What DescribeRecommender shows of a configuration: any way, or those of a test."""
    world.behaviour.echo = request.param
    return world.behaviour.echo


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world; a module may have a quicker one (`DURATIONS`), and less time to train (`HOURS`)."""
    durations = getattr(request.module, "DURATIONS", QUICK)
    made = World(Behaviour(**durations), hours=getattr(request.module, "HOURS", 2.5))
    root = logging.getLogger()
    root.addHandler(made.invariants)
    yield made
    root.removeHandler(made.invariants)
