"""Arguments, clients and exit codes; what the commands do is in tests/reliability."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from operations.__main__ import main
from tests.support.assembly import write_assembly
from tests.support.project import run_command
from tests.support.synthesis import Deployable

from .examples import no_stacks


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that are in the environment, and a region that is not."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody's")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")


def _interrupted(_region: str | None) -> NoReturn:
    raise KeyboardInterrupt


def test_interruption_is_exit_code_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"], connect=_interrupted) == 130
    assert "The operation of the stack goes on." in capsys.readouterr().err


# -- exit code 2 -------------------------------------------------------------------------------


def test_missing_region_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drift"]) == 2
    assert "Could not read AWS: You must specify a region." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("AWS_ENDPOINT_URL", "localhost:4566", "Invalid endpoint: localhost:4566"),
        ("AWS_ENDPOINT_URL_PERSONALIZE", "personalize", "Invalid endpoint: personalize"),
        ("AWS_ENDPOINT_URL", "http://localhost:99999", "Port out of range 0-65535"),
        ("AWS_PROFILE", "nobody", "The config profile (nobody) could not be found"),
    ],
)
def test_wrong_setting_of_the_sdk_is_exit_code_2_and_one_line(
    variable: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv(variable, value)
    assert main(["status"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Could not read AWS: ")
    assert message in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "name"), [("plan", ""), ("status", " "), ("drift", ""), ("leftovers", "")]
)
def test_empty_stack_name_is_refused(command: str, name: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as refused:
        main([command, "--stack", name])
    assert refused.value.code == 2
    assert "--stack: the name of a stack must not be empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("region", "options", "connected"),
    [
        ("us-east-1", [], "us-east-1"),
        ("us-east-1", ["--region", "eu-west-1"], "eu-west-1"),
        ("unknown-region", [], None),
    ],
)
def test_plan_connects_to_the_region_of_the_assembly(
    region: str, options: list[str], connected: str | None, tmp_path: Path
) -> None:
    regions: list[str | None] = []

    def connect(region: str | None) -> NoReturn:
        regions.append(region)
        raise KeyboardInterrupt

    app = write_assembly(tmp_path, Deployable({}, {}), region=region)
    assert main(["plan", "--app", app, *options], connect=connect) == 130
    assert regions == [connected]


def test_plan_without_an_assembly_is_exit_code_2_and_names_the_command(capsys: Any) -> None:
    assert main(["plan", "--app", "nowhere"], connect=_interrupted) == 2
    assert capsys.readouterr().err == (
        "Could not read the cloud assembly: nowhere has no manifest.json. Run npx cdk synth first, "
        "or name its folder with --app\n"
    )


def _defect(_region: str | None) -> NoReturn:
    raise KeyError("of\nours")


def test_defect_is_exit_code_2_and_asks_to_be_reported(capsys: Any) -> None:
    assert main(["drift"], connect=_defect) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "This command has a defect, KeyError: " in shown
    assert "Report it to this project, with the output of --traceback." in shown

    assert main(["drift", "--traceback"], connect=_defect) == 2
    shown = capsys.readouterr().err
    assert "Traceback (most recent call last)" in shown
    assert "in _defect" in shown
    assert "This command has a defect, KeyError: " in shown


class Full:
    """A stream to a disk that is full, until its descriptor is another file's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)

    def fileno(self) -> int:
        return self._descriptor

    def write(self, _text: str) -> None:
        """Keep it in a buffer."""

    def flush(self) -> None:
        if os.path.samestat(os.fstat(self._descriptor), self.path.stat()):
            raise OSError(errno.ENOSPC, "No space left on device")


def test_output_that_cannot_be_written_is_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    full = Full(tmp_path / "out")
    monkeypatch.setattr("sys.stdout", full)
    assert main(["status"], connect=no_stacks) == 2
    full.flush()  # as the interpreter does at its end
    assert capsys.readouterr().err == "Could not continue: [Errno 28] No space left on device\n"

    monkeypatch.setattr("sys.stderr", Full(tmp_path / "err"))
    assert main(["status"], connect=_defect) == 2
    assert main(["status"], connect=_interrupted) == 130


def test_closed_streams_are_no_defect(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert main(["status"], connect=no_stacks) == 2
    monkeypatch.setattr("sys.stdout", None)
    assert main(["status"], connect=no_stacks) == 2
    assert not capsys.readouterr().err


SCRIPT = """
import sys
from operations.__main__ import main
from tests.unit.operations.examples import no_stacks
sys.exit(main(["status", "--stack", sys.argv[1]], connect=no_stacks))
"""


@pytest.mark.parametrize("out", ["/dev/full", "a pipe without a reader"])
def test_process_ends_with_2_if_its_output_goes_nowhere(out: str) -> None:
    reader, pipe = os.pipe()
    os.close(reader)
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", SCRIPT, "TopPicks"],
            stdout=full if out == "/dev/full" else pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    os.close(pipe)
    assert ended.returncode == 2
    assert ended.stderr.startswith("Could not continue: [Errno ")
    assert ended.stderr.count("\n") == 1


def test_name_that_the_terminal_cannot_show_is_escaped() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    ended = run_command(sys.executable, "-c", SCRIPT, "Größe", env=env)
    assert ended.returncode == 2
    assert "There is no stack Gr\\xf6\\xdfe in eu-west-1" in ended.stdout


@pytest.mark.parametrize("interval", ["0", "3601", "soon"])
def test_interval_outside_an_hour_is_refused(
    interval: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["status", "--interval", interval])
    assert refused.value.code == 2
    assert "--interval" in capsys.readouterr().err
