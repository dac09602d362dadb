"""The live tests run if they are named and agreed to, or on the embedded AWS if that is asked for.

Any other run of pytest leaves them out, and to do so takes no call.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import guard
from tests.live.account import LiveAccount, Trial
from tests.live.observations import Observations
from tests.support.local_world import LocalWorld

_HERE = Path(__file__).parent
_REPORT = pytest.StashKey[Observations]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--embedded", action="store_true", help="run tests/live on the embedded AWS, at no cost"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_REPORT] = Observations()
    if _runs_on_aws(config):
        try:
            guard.consent(os.environ)
        except guard.LiveRunRefusedError as error:
            raise pytest.UsageError(str(error)) from error
        if not config.getoption("--force-enable-socket"):
            raise pytest.UsageError(
                "Run them with make test-live, which lets them use the network."
            )


def pytest_sessionstart(session: pytest.Session) -> None:
    terminal = session.config.pluginmanager.getplugin("terminalreporter")
    if terminal and _runs_on_aws(session.config):
        terminal.write_line(guard.consent(os.environ).warning, bold=True)


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    return None if _is_named(config) else True


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    report = config.stash[_REPORT]
    if report.where:
        terminalreporter.section("observations")
        terminalreporter.write_line(str(report))


@pytest.fixture(scope="session")
def account(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveAccount]:
    """Where they run."""
    if not _runs_on_aws(request.config):
        with LocalWorld.start(tmp_path_factory.mktemp("world")) as world:
            yield LiveAccount.embedded(world)
        return
    try:
        agreed = LiveAccount.agreed(guard.consent(os.environ))
    except guard.LiveRunRefusedError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
    yield agreed


@pytest.fixture
def report(request: pytest.FixtureRequest, account: LiveAccount) -> Observations:
    """What is printed at the end, however the tests end."""
    report = request.config.stash[_REPORT]
    report.where, report.account = account.where, account.group.account
    return report


@pytest.fixture
def trial(account: LiveAccount, tmp_path: Path) -> Iterator[Trial]:
    """A stack that is gone at the end, or else is said to be there, and how to remove it."""
    trial = Trial(account, tmp_path)
    assert not trial.left(), "nobody else has this name"  # and all that is looked at may be
    removal = (
        f"aws cloudformation delete-stack --stack-name {trial.name} --region {account.group.region}"
    )
    print(f"\nIf this is cut off: {removal}")
    yield trial
    try:
        left = trial.removed()
    except Exception as error:
        raise AssertionError(f"What is left is not known, and may cost. {removal}") from error
    finally:
        trial.close()
    assert not left, trial.how_to_remove(left)


def _is_named(config: pytest.Config) -> bool:
    """Whether the command line names this folder, or something in it."""
    named = (config.invocation_params.dir / one.split("::")[0] for one in config.args)
    return any(path.resolve().is_relative_to(_HERE) for path in named)


def _runs_on_aws(config: pytest.Config) -> bool:
    return _is_named(config) and not config.getoption("--embedded")
