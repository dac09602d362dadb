import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws import processes, toolchain
from local_aws.processes import Holder, InUseError, PidFile

_SLEEP = "import time; time.sleep(600)"
_WITH_CHILD = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {_SLEEP!r}])
print(child.pid, flush=True)
time.sleep(600)
"""


class TestRun:
    def test_output_and_exit_code_are_returned(self, tmp_path: Path) -> None:
        script = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"
        done = _run(script, tmp_path)
        assert (done.returncode, done.stdout) == (3, "out\nerr\n")

    def test_only_the_given_environment_is_seen(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_PROFILE", "mine")
        done = _run(
            "import os; print(sorted({'AWS_PROFILE', 'GIVEN'} & set(os.environ)))", tmp_path
        )
        assert done.stdout == "['GIVEN']\n"

    def test_there_is_no_standard_input(self, tmp_path: Path) -> None:
        assert _run("import sys; print(repr(sys.stdin.read()))", tmp_path).stdout == "''\n"

    def test_when_it_is_not_waited_for_any_more_all_that_it_started_ends(
        self, tmp_path: Path
    ) -> None:
        with pytest.raises(subprocess.TimeoutExpired) as timeout:
            _run(_WITH_CHILD, tmp_path, timeout=1.0)
        assert timeout.value.output
        assert _has_ended(int(timeout.value.output))

    def test_when_this_process_is_killed_all_that_it_started_ends(self, tmp_path: Path) -> None:
        script = (
            "import pathlib, sys; from local_aws import processes;"
            f"processes.run([sys.executable, '-c', {_WITH_CHILD!r}], env={{}},"
            f"cwd=pathlib.Path({str(tmp_path)!r}))"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=toolchain.ROOT
        ) as starter:
            assert starter.stdout
            grandchild = int(starter.stdout.readline())
            starter.kill()
        processes._wait_until(lambda: _has_ended(grandchild), 5.0)
        assert _has_ended(grandchild)


class TestEndGroup:
    def test_a_group_that_ignores_the_request_to_end_is_killed(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(processes, "GRACE", 0.2)
        script = (
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
            "print('ready', flush=True); time.sleep(600)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True
        ) as stubborn:
            assert stubborn.stdout
            stubborn.stdout.readline()
            processes.end_group(stubborn.pid, has_ended=lambda: stubborn.poll() is not None)
            assert stubborn.returncode == -9


class TestPidFile:
    def test_a_pid_file_that_does_not_exist_has_no_holder(self, tmp_path: Path) -> None:
        assert PidFile(tmp_path / "pid.json").holder() is None

    def test_the_holder_is_known_while_the_process_that_inherited_the_file_lives(
        self, pid_file: PidFile
    ) -> None:
        with pid_file.claim() as file:
            process = subprocess.Popen([sys.executable, "-c", _SLEEP], pass_fds=(file.fileno(),))
            PidFile.record(file, Holder(pid=process.pid, port=4566))
        with process:
            assert pid_file.holder() == Holder(pid=process.pid, port=4566)
            with pytest.raises(InUseError), pid_file.claim():
                pass
            process.kill()
        assert pid_file.holder() is None

    def test_what_a_stale_pid_file_says_is_not_believed(self, pid_file: PidFile) -> None:
        with pid_file.claim() as file:
            PidFile.record(file, Holder(pid=os.getpid(), port=4566))
        assert pid_file.holder() is None

    def test_a_stale_pid_file_is_replaced(self, pid_file: PidFile, tmp_path: Path) -> None:
        for port in (45660, 4566):
            with pid_file.claim() as file:
                PidFile.record(file, Holder(pid=1, port=port))
        assert (tmp_path / "pid.json").read_text() == '{"pid": 1, "port": 4566}'

    def test_a_pid_file_that_is_claimed_and_not_recorded_is_in_use(
        self, pid_file: PidFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(processes, "RECORD_DEADLINE", 0.1)
        with pid_file.claim(), pytest.raises(InUseError):
            pid_file.holder()


@pytest.fixture
def pid_file(tmp_path: Path) -> PidFile:
    return PidFile(tmp_path / "pid.json")


def _run(
    script: str, cwd: Path, *, timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    return processes.run(
        [sys.executable, "-c", script],
        env={"GIVEN": "1"},
        cwd=cwd,
        capture=True,
        timeout=timeout,
    )


def _has_ended(pid: int) -> bool:
    """Whether a process is gone, or at most waits for its parent to notice."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
