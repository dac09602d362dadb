"""Changing a setting, breaking the service and reading its state, each in one line."""

import json
import subprocess
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from local_aws.engine import LocalAws
from tests.support.local_world import local_aws

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The command line, with a local AWS that runs."""
    folder = tmp_path_factory.mktemp("play")

    try:
        assert local_aws(folder, "start").returncode == 0
        yield partial(local_aws, folder)
    finally:
        if aws := LocalAws.find(folder):
            aws.stop()


def test_a_setting_is_changed_the_service_broken_and_all_of_it_seen(run: Run) -> None:
    quick = ("create_pending=0", "create_in_progress=1", "update_in_progress=1", "delete=1")
    assert run("faults", *quick).returncode == 0
    deployed = run("cdk", "deploy", "-c", "exploration_weight=0.9")
    assert deployed.returncode == 0, deployed.stdout

    differences = run("cdk", "diff").stdout
    assert "[-] 0.9" in differences
    assert "[+] 0.3" in differences
    polls = [json.loads(line) for line in run("logs").stdout.splitlines() if '"verdict"' in line]
    assert {"Create"} == {poll["type"] for poll in polls}
    assert {"ACTIVE", "CREATE IN_PROGRESS"} & {poll.get("status") for poll in polls}

    assert run("faults", "update_failure=No such luck").returncode == 0
    assert "update_failure=No such luck   <- set; usually null" in run("status").stdout
    failed = run("cdk", "deploy", "-c", "exploration_weight=0.5")
    assert failed.returncode == 1
    why = failed.stdout.rpartition("Reasons, from the events of the stack:")[2]
    assert "No such luck" in why
    assert len(why.splitlines()) < 8

    assert run("faults", "reset").stdout == "none\n"
    assert run("faults", "delete=1").returncode == 0
    destroyed = run("cdk", "destroy")
    assert destroyed.returncode == 0, destroyed.stdout


def test_a_port_while_one_runs_is_said_to_change_nothing(run: Run) -> None:
    started = run("--port", "4731", "start")
    assert started.returncode == 0
    assert "To move it to port 4731, run `make stop-local` first." in started.stdout
