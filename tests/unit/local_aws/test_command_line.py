import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from markupsafe import escape

from local_aws.__main__ import _parser
from local_aws.processes import PidFile
from local_aws.rehearsal import sample
from local_aws.rehearsal.recipes import STAND_INS
from local_aws.rehearsal.training import TopPicks
from tests.support.project import run_command
from tests.unit.local_aws.rehearsal.folders import folder_of, the_sample, watching


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("status", 1, "No local AWS runs.\n"),
        ("stop", 0, "No local AWS runs.\n"),
        ("destroy", 0, "There is nothing to destroy: no local AWS runs in {}.\n"),
    ],
)
def test_a_command_with_none_running_says_so(
    tmp_path: Path, command: str, code: int, said: str
) -> None:
    ran = _local_aws(tmp_path, command)
    assert (ran.returncode, ran.stdout) == (code, said.format(tmp_path))


def test_two_commands_are_not_at_work_at_the_same_time(tmp_path: Path) -> None:
    with PidFile(tmp_path / "command.lock").claim():
        refused = _local_aws(tmp_path, "destroy")
    assert refused.returncode == 1
    assert refused.stderr == f"Another command is at work in {tmp_path}. Wait for its end.\n"


@pytest.mark.parametrize(
    "command", [["cdk", "diff", "-c", "a=b"], ["faults"], ["logs"], ["observe"]]
)
def test_what_needs_a_local_aws_says_how_to_start_one(
    tmp_path: Path, command: Sequence[str]
) -> None:
    refused = _local_aws(tmp_path, *command)
    assert refused.returncode == 1
    assert refused.stderr.startswith("No local AWS runs: `make deploy-local` starts one")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["status"], "No local AWS runs"),
        (["faults"], "No local AWS runs"),
        (["logs"], "No local AWS runs"),
        (["data", "/nowhere"], "/nowhere cannot be imported"),
    ],
)
def test_commands_that_only_read_run_while_another_command_is_at_work(
    tmp_path: Path, command: Sequence[str], said: str
) -> None:
    with PidFile(tmp_path / "command.lock").claim():
        shown = _local_aws(tmp_path, *command)
    assert said in shown.stdout + shown.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["start", "--group", "vod"], "got vod; allowed: the ARN of a dataset group"),
        (["start", "--group", "arn:aws:personalize:eu-west-1:1:dataset-group/vod"], "got arn:aws:"),
        (["--port", "0", "start"], "got 0; allowed: a number from 1 to 65535"),
        (["--port", "65536", "start"], "got 65536; allowed: a number from 1 to 65535"),
        (["--port", "http", "start"], "got http; allowed: a number from 1 to 65535"),
        (["--folder", "~nobody-of-that-name", "status"], "got ~nobody-of-that-name: "),
        (["data", ""], "got nothing; allowed: a path"),
        (["deploy", "--data", ""], "got nothing; allowed: a path"),
        (["data", ".", "--recipe", "aws-vod-new"], "aws-vod-most-popular"),
    ],
)
def test_an_argument_of_another_kind_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: Sequence[str], why: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        _parser().parse_args(arguments)
    assert ended.value.code == 2
    assert why in capsys.readouterr().err


def test_a_path_may_begin_with_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    data = _parser().parse_args(["data", "~/it's here", "--html", "~/page.html"])
    deploy = _parser().parse_args(["deploy", "--data", "~/it's here"])
    assert data.files == deploy.data == Path("/home/ann/it's here")
    assert data.html == Path("/home/ann/page.html")


def test_data_is_reported_on_trained_on_and_measured(tmp_path: Path) -> None:
    reported = _local_aws(tmp_path, "data", str(sample.FOLDER))
    said = " ".join(reported.stdout.split())
    assert reported.returncode == 0
    assert "  warn     interactions: 10,109\n" in reported.stdout
    trained = TopPicks(the_sample())
    for name, one in trained.evaluation.metrics.items():
        error = "" if one.error is None else f" ± {one.error:.4f}"
        assert f"{name} {one.value:.4f}{error} {one.popularity:.4f} {one.verdict}" in said
    assert "Amazon's recommender will score differently" in said
    assert "A stand-in" not in said


@pytest.mark.parametrize("recipe", ["aws-vod-more-like-x", "aws-vod-most-popular"])
def test_data_can_be_trained_on_with_another_recipe(tmp_path: Path, recipe: str) -> None:
    page = tmp_path / "page.html"
    options = ("--recipe", recipe, "--html", str(page))
    reported = _local_aws(tmp_path, "data", str(sample.FOLDER), *options)
    assert (reported.returncode, reported.stderr) == (0, "")
    stand_in = STAND_INS[recipe]
    said, shown = " ".join(reported.stdout.split()), page.read_text()
    assert f"A model of recipe {recipe}. {stand_in.rule}" in said
    assert "a stand-in for Amazon's model" in said
    assert str(escape(stand_in.rule)) in shown
    assert f"<dt>Recipe</dt><dd>{recipe}</dd>" in shown
    assert ("Metrics: n/a." in said) == ("Metrics: n/a." in shown) == bool(stand_in.unmeasured)
    if stand_in.unmeasured:
        first, _ = stand_in(the_sample()).recommend("", 1)[0]
        assert f"{stand_in.title}: {first} " in said
        assert f"<span>{first}</span>" in shown


def test_a_recipe_that_requires_watch_events_refuses_clicks(tmp_path: Path) -> None:
    rows = [(user, item, when, "Click") for user, item, when, _ in watching(users=60, each=20)]
    folder = folder_of(tmp_path / "clicks", rows)
    for recipe, code in (("aws-vod-trending-now", 0), ("aws-vod-most-popular", 1)):
        reported = _local_aws(tmp_path, "data", str(folder), "--recipe", recipe)
        assert reported.returncode == code
        assert ("filtering by event type: Watch" in reported.stdout) == bool(code)


def test_data_that_the_service_would_refuse_is_not_measured(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "few", watching(users=27, each=37))
    page = tmp_path / "page.html"
    reported = _local_aws(tmp_path, "data", str(folder), "--html", str(page))
    assert reported.returncode == 1
    assert "  refused  interactions: 999\n" in reported.stdout
    assert reported.stdout.endswith(
        "A training on this ends in CREATE FAILED: Dataset has fewer than 1000 interactions after "
        f"filtering by event type: Watch\nOpen in a browser: {page}\n"
    )
    shown = page.read_text()
    assert "A training on this data ends in CREATE FAILED: Dataset has fewer than 1000" in shown
    assert "Trained on this machine" not in shown


@pytest.mark.parametrize("command", [["data"], ["deploy", "--data"]])
def test_a_folder_that_cannot_be_imported_ends_the_command(
    tmp_path: Path, command: Sequence[str]
) -> None:
    folder = folder_of(tmp_path / "bad", [("u", "i", 1_700_000_000_000, "Watch")])
    refused = _local_aws(tmp_path, *command, str(folder))
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr == (
        f"{folder} cannot be imported. Nothing was imported:\n"
        "interactions.csv, line 2, column TIMESTAMP: found 1700000000000 (milliseconds?); "
        "allowed: whole seconds since 1970-01-01, not in the future\n"
    )
    assert not (tmp_path / "pid.json").exists()


def test_a_page_does_not_overwrite_the_data(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "ours", [])
    file = folder / "interactions.csv"
    before = file.read_text()
    refused = _local_aws(tmp_path, "data", str(folder), "--html", str(file))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "is a file of the data" in refused.stderr
    assert file.read_text() == before


def test_a_page_that_could_be_written_is_not_left_empty(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    refused = _local_aws(tmp_path, "data", str(tmp_path / "missing"), "--html", str(page))
    assert refused.returncode == 1
    assert not page.exists()


def test_a_folder_whose_name_is_no_text_is_reported_on(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / os.fsdecode(b"d\xe9j\xe0"), [("u", "i", 1, "\x1b[2Jü")])
    page = tmp_path / "page.html"
    reported = _local_aws(
        tmp_path, "data", str(folder), "--html", str(page), PYTHONIOENCODING="ascii"
    )
    assert (reported.returncode, reported.stderr) == (1, "")
    assert r"d\udce9j\udce0" in reported.stdout
    assert r"event types: \x1b[2J\xfc 1" in reported.stdout
    assert r"d\udce9j\udce0" in page.read_text()


def test_a_page_that_cannot_be_written_is_refused_before_the_training(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    for page, why in (
        (
            missing / "page.html",
            f"The folder {missing} does not exist. Create it, or name another file.",
        ),
        (tmp_path, f"{tmp_path} cannot be used: Is a directory."),
    ):
        refused = _local_aws(tmp_path, "data", str(sample.FOLDER), "--html", str(page))
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == f"{why}\n"


@pytest.mark.parametrize("command", ["status", "destroy"])
def test_a_folder_that_is_none_ends_the_command(tmp_path: Path, command: str) -> None:
    file = tmp_path / "file"
    file.touch()

    refused = _local_aws(file / "folder", command)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"{file}/folder")
    assert refused.stderr.endswith(" cannot be used: Not a directory.\n")


def test_run_without_a_command_fails_before_anything_is_read(tmp_path: Path) -> None:
    refused = _local_aws(tmp_path, "run")

    assert refused.returncode == 1
    assert refused.stderr.startswith("No command given. For example: run aws ")


def _local_aws(
    folder: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "local_aws", "--folder", str(folder), *arguments)
    return run_command(*command, env=os.environ | environment)
