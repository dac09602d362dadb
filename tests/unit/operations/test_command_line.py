"""Arguments, clients and exit codes; what the commands do is in tests/reliability."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from lambdas.recommender.aws.errors import CredentialsError, TransientError
from operations import clients
from operations.__main__ import main
from operations.account import Account, retry_reads
from operations.template import UnreadableError

from .examples import ARN, STACK_ID, stack


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that are in the environment, and a region that is not."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody's")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")


def _connect(_region: str | None) -> NoReturn:
    raise KeyboardInterrupt


def test_an_interruption_is_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"], connect=_connect) == 130
    assert "what is under way goes on" in capsys.readouterr().err


def test_without_a_region_nothing_can_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drift"]) == 2
    assert "Cannot tell: You must specify a region." in capsys.readouterr().err


def test_the_region_and_the_endpoint_are_found_as_the_aws_cli_finds_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    account, region = clients.connect("us-east-1")
    assert isinstance(account, Account)
    assert region == "us-east-1"
    assert clients.connect(None)[1] == "eu-west-1"
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    assert clients.connect(None)[1] == "us-west-2", "which comes first for the AWS CLI, too"


# -- exit code 2: cannot tell --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("AWS_ENDPOINT_URL", "localhost:4566", "Invalid endpoint: localhost:4566"),
        ("AWS_ENDPOINT_URL_PERSONALIZE", "personalize", "Invalid endpoint: personalize"),
        ("AWS_ENDPOINT_URL", "http://localhost:99999", "Port out of range 0-65535"),
        ("AWS_PROFILE", "nobody", "The config profile (nobody) could not be found"),
    ],
)
def test_a_setting_of_the_sdk_that_is_wrong_is_cannot_tell_in_one_line(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv(variable, value)
    assert main(["status"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Cannot tell: ")
    assert said in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("command", ["status", "drift", "leftovers"])
@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_of_a_stack_is_refused(command: str, name: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as refused:
        main([command, "--stack", name])
    assert refused.value.code == 2
    assert "--stack: the name of a stack must not be empty" in capsys.readouterr().err


def _defect(_region: str | None) -> NoReturn:
    raise KeyError("of\nours")


def test_a_defect_is_cannot_tell_and_asks_to_be_reported(capsys: Any) -> None:
    assert main(["drift"], connect=_defect) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "Cannot tell: a defect of this command, KeyError: " in shown
    assert "Report it to this project, with what --traceback adds." in shown

    assert main(["drift", "--traceback"], connect=_defect) == 2
    shown = capsys.readouterr().err
    assert "Traceback (most recent call last)" in shown
    assert "in _defect" in shown
    assert "Cannot tell: a defect of this command, KeyError: " in shown


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


class NoStacks:
    """Knows no stack."""

    def stack(self, _name: str) -> None:
        return None


def _nobody(_region: str | None) -> Any:
    return NoStacks(), "eu-west-1"


def test_output_that_cannot_be_written_is_cannot_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    full = Full(tmp_path / "out")
    monkeypatch.setattr("sys.stdout", full)
    assert main(["status"], connect=_nobody) == 2
    full.flush()  # as the interpreter does at its end
    assert capsys.readouterr().err == "Cannot tell: [Errno 28] No space left on device\n"

    monkeypatch.setattr("sys.stderr", Full(tmp_path / "err"))
    assert main(["status"], connect=_defect) == 2
    assert main(["status"], connect=_connect) == 130


def test_streams_that_are_closed_are_nobody_s(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert main(["status"], connect=_nobody) == 2
    monkeypatch.setattr("sys.stdout", None)
    assert main(["status"], connect=_nobody) == 2
    assert not capsys.readouterr().err


SCRIPT = """
import sys
from operations.__main__ import main
from tests.unit.operations.test_command_line import _nobody
sys.exit(main(["status", "--stack", sys.argv[1]], connect=_nobody))
"""


@pytest.mark.parametrize("out", ["/dev/full", "a pipe that nobody reads"])
def test_the_code_of_the_process_is_2_where_its_output_goes_nowhere(out: str) -> None:
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
    assert ended.stderr.startswith("Cannot tell: [Errno ")
    assert ended.stderr.count("\n") == 1


def test_a_name_that_the_terminal_cannot_show_is_shown_all_the_same() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, "Größe"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "There is no stack Gr\\xf6\\xdfe in eu-west-1" in ended.stdout


@pytest.mark.parametrize("interval", ["0", "-1", "3601", "soon"])
def test_an_interval_that_is_none_is_refused(
    interval: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["status", "--interval", interval])
    assert refused.value.code == 2
    assert "--interval" in capsys.readouterr().err


class DeployedCloudFormation:
    """Answers GetTemplate and DescribeStacks."""

    def __init__(self, body: object) -> None:
        self.body = body

    def get_template(self, **_: object) -> Any:
        return {"TemplateBody": self.body}

    def describe_stacks(self, **_: object) -> Any:
        parameters = [
            {"ParameterKey": "Group", "ParameterValue": "arn"},
            {"ParameterKey": "Of the SSM", "ParameterValue": "/key", "ResolvedValue": "value"},
            {"ParameterKey": "Without"},
        ]
        one = {"StackId": STACK_ID, "StackName": "TopPicks", "StackStatus": "CREATE_COMPLETE"}
        return {"Stacks": [{**one, "Parameters": parameters}]}


def account(body: object = None) -> Account:
    cloudformation: Any = DeployedCloudFormation(body)
    personalize: Any = None
    return Account(cloudformation, personalize)


@pytest.mark.parametrize("body", [{"Resources": {}}, '{"Resources": {}}'])
def test_a_template_may_be_text(body: object) -> None:
    assert account(body).template(stack()) == {"Resources": {}}


def test_a_template_that_is_not_json_cannot_be_read() -> None:
    with pytest.raises(UnreadableError, match="not JSON"):
        account("Resources:\n  A: 1").template(stack())


def test_a_stack_has_parameters() -> None:
    found = account().stack("TopPicks")
    assert found
    assert found.parameters == {"Group": "arn", "Of the SSM": "value", "Without": ""}


class Vanishing:
    """Shows a recommender that is gone when its tags are asked for."""

    def describe_recommender(self, **_: object) -> Any:
        return {"recommender": {"recommenderArn": ARN, "status": "ACTIVE"}}

    def list_tags_for_resource(self, **_: object) -> Any:
        from botocore.exceptions import ClientError

        raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "ListTagsForResource")


def test_a_recommender_that_vanishes_between_two_calls_is_not_there() -> None:
    personalize: Any = Vanishing()
    cloudformation: Any = None
    assert Account(cloudformation, personalize).observed(ARN) is None


def test_what_goes_wrong_for_good_is_said_in_the_end() -> None:
    notes: list[str] = []
    pauses: list[float] = []

    def call() -> NoReturn:
        raise TransientError("no usable answer")

    with pytest.raises(TransientError):
        retry_reads(call, pauses.append, notes.append)
    assert len(notes) == len(pauses) == 9
    assert notes[0] == "no usable answer; trying again"


def test_what_is_final_is_not_tried_again() -> None:
    notes: list[str] = []

    def call() -> NoReturn:
        raise CredentialsError("Unable to locate credentials")

    with pytest.raises(CredentialsError):
        retry_reads(call, lambda _: None, notes.append, final=(CredentialsError,))
    assert not notes
    with pytest.raises(CredentialsError):
        retry_reads(call, lambda _: None, notes.append)
    assert len(notes) == 9
