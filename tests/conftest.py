"""What all tests share: the scenarios that they show are counted, if that is asked for."""

import os
from pathlib import Path

import hypothesis
import pytest

from local_aws import toolchain
from tests.reliability.report import RunReport

# jsii would run, and warn of, whichever Node is on the PATH.
os.environ["JSII_NODE"] = toolchain.CDK[0]
# The CDK's own validation takes half of a synthesis (docs/internals/benchmarks.md). `make static`
# has it, and so has every deployment outside the tests.
os.environ.setdefault("CDK_VALIDATION", "false")

# On a machine that does other work, an example takes as long as it takes.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--reliability-report", type=Path, help="count the scenarios, and write them to this file"
    )


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--reliability-report")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(RunReport(path))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker in item.iter_markers("rows"):
            item.user_properties += [("row", row) for row in marker.args]
