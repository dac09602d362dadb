import subprocess
import sys
from pathlib import Path

import pytest

from local_aws import toolchain
from local_aws.processes import PidFile


def test_status_of_none_is_an_exit_code(tmp_path: Path) -> None:
    status = _local_aws(tmp_path, "status")
    assert (status.returncode, status.stdout) == (1, "No local AWS runs.\n")


def test_with_none_running_there_is_nothing_to_destroy(tmp_path: Path) -> None:
    destroyed = _local_aws(tmp_path, "destroy")
    assert destroyed.returncode == 0
    assert destroyed.stdout == f"There is nothing to destroy: no local AWS runs in {tmp_path}.\n"


def test_with_none_running_there_is_nothing_to_stop(tmp_path: Path) -> None:
    stopped = _local_aws(tmp_path, "stop")
    assert (stopped.returncode, stopped.stdout) == (0, "No local AWS runs.\n")


def test_two_commands_are_not_at_work_at_the_same_time(tmp_path: Path) -> None:
    with PidFile(tmp_path / "command.lock").claim():
        refused = _local_aws(tmp_path, "destroy")
    assert refused.returncode == 1
    assert refused.stderr == f"Another command is at work in {tmp_path}; wait for its end.\n"


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    refused = _local_aws(tmp_path, "--port", port, "start")
    assert refused.returncode == 2
    assert f"{port} given, a number from 1 to 65535 expected" in refused.stderr


def _local_aws(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local_aws", "--folder", str(folder), *arguments],
        cwd=toolchain.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
