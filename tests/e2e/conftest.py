"""Local AWSs to deploy to, with the real CDK CLI."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from local_aws.engine import LocalAws
from tests.support.browser import CHROMIUM, Browser
from tests.support.local_world import LocalWorld

SHARE_A_WORLD = ("test_accounts", "test_deploy", "test_local_play", "test_page", "test_page_rows")
"""Modules all tests of which use one world; those of others are better spread."""

LONG = (
    "test_pages",
    "test_rehearsal",
    "test_accounts",
    "test_recommenders",
    "test_quality",
    "test_local_play",
    "test_changes",
    "test_monitoring",
    "test_notifications",
    "test_hours",
)
"""Modules that `make test` leaves out, by the length of their longest test."""

FIRST = (*LONG, "test_operations", "test_examples", "test_failures", "test_deploy")
"""Modules that begin in this order, so that none is under way when all other workers have ended."""


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
    items.sort(key=lambda item: [*FIRST, item.path.stem].index(item.path.stem))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """The world of a worker, in which no test leaves a stack behind."""
    with LocalWorld.start(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The browser of a worker."""
    if not CHROMIUM.exists() and not os.environ.get("CI"):
        pytest.skip(f"there is no {CHROMIUM}: install Debian's package chromium")
    with Browser(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """The browser, as wide as it is without being told."""
    chromium.resize(800)
    return chromium


@pytest.fixture
def url(aws: LocalAws) -> str:
    """The page of a module's local AWS."""
    return f"{aws.endpoint}/_personalize/"


@pytest.fixture(autouse=True)
def _as_it_was(request: pytest.FixtureRequest) -> None:
    """Undo the adjustments of an earlier test in the worker's world."""
    if "world" in request.fixturenames:
        request.getfixturevalue("world").set_behaviour()
