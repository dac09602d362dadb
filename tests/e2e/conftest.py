"""Local AWSs to deploy to, with the real CDK CLI."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests.support.local_world import LocalWorld

SHARE_A_WORLD = ("test_accounts", "test_deploy", "test_local_play", "test_page")
"""Modules all tests of which use one world; those of others are better spread."""

LONG = (
    "test_pages",
    "test_rehearsal",
    "test_accounts",
    "test_local_play",
    "test_changes",
    "test_quality",
    "test_monitoring",
    "test_hours",
    "test_recommenders",
    "test_notifications",
)
"""Modules that `make test` leaves out.

They begin first, so that no worker is busy with one when all others have ended.
"""


class WorldsTogether(LoadScopeScheduling):  # type: ignore[misc]
    """Sends the tests that share a world to one worker.

    xdist's own groups are ignored with pytest 9.2 (pytest-xdist issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if Path(module).stem in SHARE_A_WORLD else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WorldsTogether:
    config.option.loadscopereorder = False  # by the number of tests, which says little here
    return WorldsTogether(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            if item.path.stem in LONG:
                item.add_marker(pytest.mark.long)
    items.sort(key=lambda item: item.path.stem not in LONG)


@pytest.fixture(scope="module")
def new_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], LocalWorld]]:
    """A factory of worlds that end with the module."""
    with ExitStack() as worlds:
        yield lambda: worlds.enter_context(LocalWorld.start(tmp_path_factory.mktemp("world")))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """The world of a worker; a test that leaves a stack behind requests one of its own."""
    with LocalWorld.start(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture(autouse=True)
def _as_it_was(request: pytest.FixtureRequest) -> None:
    """Undo the adjustments of an earlier test in the worker's world."""
    if "world" in request.fixturenames:
        request.getfixturevalue("world").set_behaviour()
