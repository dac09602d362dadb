"""What a team has put into cdk.json about its accounts does not reach the local AWS."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from unittest.mock import call, create_autospec

import pytest
from aws_cdk import App

from app import main
from local_aws import commands, monitoring, processes, report
from local_aws.engine import LocalAws, LocalAwsError
from local_aws.rehearsal import sample
from tests.support.local_world import LocalWorld

OTHERS = "arn:aws:personalize:us-east-1:222222222222:dataset-group/theirs"
CONNECTION = "arn:aws:codeconnections:us-east-1:999999999999:connection"
TEAM: dict[str, Any] = {
    "environments": {"prod": {"dataset_group_arn": OTHERS, "approval": True}},
    "pipeline": {
        "connection_arn": f"{CONNECTION}/11111111-2222-3333-4444-555555555555",
        "repository": "owner/name",
        "branch": "main",
        "account": "999999999999",
        "region": "us-east-1",
    },
    "@aws-cdk/core:permissionsBoundary": {"name": "of-the-team"},
    "@aws-cdk/core:bootstrapQualifier": "theteams",
}


def test_one_environment_is_deployed_whatever_cdk_json_says(tmp_path: Path) -> None:
    given = _context(commands._app_arguments(tmp_path))

    assembly = main(App(context=TEAM | given, analytics_reporting=False)).synth()

    (stack,) = assembly.stacks_recursively
    assert stack.stack_name == "TopPicks"
    assert stack.environment.account == "111111111111"
    assert "of-the-team" not in str(stack.template)
    assert "theteams" not in str(stack.template)


def test_end_to_end_tests_take_the_same_away_unless_they_say_otherwise(tmp_path: Path) -> None:
    aws = create_autospec(LocalAws, instance=True, folder=tmp_path)
    aws.seed_dataset_group.return_value = "arn"
    world = LocalWorld(aws)
    boundary = "@aws-cdk/core:permissionsBoundary"

    given = world.context()
    assert commands.NO_TEAM_ACCOUNTS.keys() == TEAM.keys()
    assert given.items() >= commands.NO_TEAM_ACCOUNTS.items()

    given = world.context({boundary: {"name": "ours"}})
    assert given[boundary] == '{"name": "ours"}'


@pytest.mark.parametrize(
    ("interactions", "items", "hours"),
    [
        (0, 0, "0.01"),
        (10_109, 180, "0.01"),
        (1_000_000, 1_999, "0.03"),
        (1_000_000, 5_000, "0.05"),
        (0, 12_000, "0.07"),
        (0, 750_000, "0.07"),
    ],
)
def test_other_files_are_another_dataset_group_and_more_of_them_more_gates(
    tmp_path: Path, interactions: int, items: int, hours: str
) -> None:
    arguments = commands._app_arguments(
        tmp_path, group="vod-0a1b2c3d", interactions=interactions, items=items
    )
    given = _context(arguments)
    assert given["dataset_group_arn"].endswith(":dataset-group/vod-0a1b2c3d")
    assert given["max_training_hours"] == hours


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    aws = create_autospec(LocalAws, instance=True, folder=tmp_path, data=tmp_path)
    aws.cdk.return_value.returncode = 0
    monkeypatch.setattr(LocalAws, "find", lambda _: aws)
    return aws


OURS, THEIRS = {"TopPicks-1": "TopPicks"}, {"Videos-1": "Videos"}


@pytest.mark.parametrize(
    "case",
    [
        (0, [], {}, 0),
        (0, ["TopPicks-1"], {}, 1),
        (1, ["TopPicks-1"], {**OURS, "TopPicks": "TopPicks"}, 1),
        (3, [], {}, 3),
        (0, ["Videos-1"], THEIRS, 0),
        (3, ["Videos-1"], THEIRS, 3),
        (1, ["TopPicks-1", "Videos-1"], {**OURS, **THEIRS, "TopPicks": "TopPicks"}, 1),
    ],
)
def test_where_something_is_left_the_way_out_is_shown(
    running: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: tuple[int, list[str], dict[str, str], int],
) -> None:
    code, left, owners, expected = case
    running.cdk.return_value.returncode = code
    stacks = [name for name in owners if owners[name] == name]
    monkeypatch.setattr(report, "leftovers", lambda _: {"stacks": stacks, "recommenders": left})
    monkeypatch.setattr(report, "owners", lambda _aws: owners)

    assert commands.destroy(tmp_path, None) == expected

    problem = "cdk destroy failed" if code else "resources that belong to it"
    way_out = "python -m operations leftovers --delete --stack TopPicks"
    shown = capsys.readouterr().out
    ours = "TopPicks-1" in left
    assert (way_out in shown) is ours
    assert ("FORCE_DELETE_STACK" in shown.partition(way_out)[2]) is ("TopPicks" in owners)
    assert shown.find(problem) <= shown.find(way_out) or not ours, "it is the last that is read"
    assert running.stop.called is (expected == 0 and not left)
    assert ("Videos-1 (of Videos)" in shown) is ("Videos-1" in left)
    rest = "TopPicks is destroyed. None of its resources is left. The others belong to Videos."
    assert (rest in shown) is (expected == 0 and "Videos-1" in left)


def test_a_command_is_run_against_the_local_aws_that_runs(
    running: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    running.env.return_value = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
    shows = "import os, sys; print(os.environ['AWS_ENDPOINT_URL']); sys.exit(7)"
    assert commands.run(tmp_path, [sys.executable, "-c", shows]) == 7
    assert "http://127.0.0.1:4566" in capfd.readouterr().out


def test_dataset_groups_of_an_app_are_made_where_they_are_and_commands_run_in_the_first_ones_place(
    running: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    running.port = 4566
    running.env.side_effect = lambda account, region: {"WHERE": f"{account} {region}"}
    running.personalize_behaviour.return_value = commands._usual_behaviour()
    films = "arn:aws:personalize:us-east-1:222222222222:dataset-group/films"
    series = "arn:aws:personalize:eu-west-1:111111111111:dataset-group/series"

    assert commands.start(tmp_path, None, [films, series]) == 0

    assert running.seed_dataset_group.call_args_list == [
        call("films", account="222222222222", region="us-east-1", data=str(sample.FOLDER)),
        call("series", account="111111111111", region="eu-west-1", data=str(sample.FOLDER)),
    ]
    assert running.bootstrap.call_args_list == [
        call(account="222222222222", region="us-east-1"),
        call(account="111111111111", region="eu-west-1"),
    ]
    shows = "import os; print(os.environ['WHERE'])"
    assert commands.run(tmp_path, [sys.executable, "-c", shows]) == 0
    assert "222222222222 us-east-1" in capfd.readouterr().out


def test_without_a_local_aws_nothing_is_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(tmp_path, ["false"]) == 2
    assert "make deploy-local" in capsys.readouterr().err


def test_the_cli_gets_the_settings_of_the_last_deployment_before_those_of_the_user(
    running: Any, tmp_path: Path
) -> None:
    settings = commands._settings(group="vod-0a1b2c3d")
    commands._settings_file(running).write_text(json.dumps(settings))

    assert commands.cdk(tmp_path, ["deploy", "-c", "running=false"]) == 0

    command, consent, *context, option, last = running.cdk.call_args.args
    assert (command, consent) == ("deploy", "--require-approval=never")
    assert _context(context)["dataset_group_arn"].endswith("/vod-0a1b2c3d")
    assert f"--output={tmp_path / 'cdk.out'}" in context
    assert (option, last) == ("-c", "running=false")


def test_before_a_deployment_they_are_those_of_a_first_one(running: Any, tmp_path: Path) -> None:
    assert commands.cdk(tmp_path, ["diff"]) == 0

    command, *context = running.cdk.call_args.args
    assert command == "diff"
    assert _context(context) == _context(commands._app_arguments(tmp_path))


@pytest.mark.parametrize("arguments", [[], ["--version"], ["-h"]])
def test_what_is_no_command_is_the_clis_alone(
    running: Any, tmp_path: Path, arguments: list[str]
) -> None:
    assert commands.cdk(tmp_path, arguments) == 0

    assert running.cdk.call_args.args == (*arguments,)


def test_the_reason_of_a_failure_follows_what_the_cli_says(
    running: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    running.cdk.return_value.returncode = 7
    monkeypatch.setattr(report, "reasons", lambda *_, **__: ["Gate, UPDATE_FAILED: No such luck"])

    assert commands.cdk(tmp_path, ["deploy"]) == 7

    assert capsys.readouterr().out.endswith("\n  Gate, UPDATE_FAILED: No such luck\n")


@pytest.mark.parametrize("codes", [(3,), (0, 7)])
def test_deployment_shows_the_plan_of_the_assembly_that_it_deploys(
    running: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    codes: tuple[int, ...],
) -> None:
    shown = codes[0] == 0
    running.cdk.side_effect = [CompletedProcess("cdk", code) for code in codes]
    plans: list[Sequence[str]] = []

    def run(command: Sequence[str], **_: object) -> CompletedProcess[str]:
        plans.append(command)
        return CompletedProcess(command, 3, "in place: it is updated\nStack  TopPicks\n")

    monkeypatch.setattr(processes, "run", run)
    monkeypatch.setattr(report, "reasons", lambda *_, **__: [])
    monkeypatch.setattr(report, "failure", lambda *_: "failed")

    assert commands.deploy(tmp_path, None) == codes[-1]

    assembly = tmp_path / "cdk.out"
    synthesis, *deployments = (call.args for call in running.cdk.call_args_list)
    assert synthesis[:3] == ("synth", "--quiet", f"--output={assembly}")
    assert ("Plan: in place: it is updated\n" in capsys.readouterr().out) is shown
    assert [f"--app={assembly}" in one for one in deployments] == [True] * shown
    assert [one[2:] for one in plans] == [
        ("operations", "plan", "--app", str(assembly), "--stack", "TopPicks")
    ] * shown


def _context(arguments: Sequence[str]) -> dict[str, str]:
    options = (one.partition("--context=")[2] for one in arguments)
    return dict(option.split("=", 1) for option in options if option)


@pytest.mark.parametrize(
    ("alarms", "shown"), [([], "  none\n"), (["It failed. Next step: 1"], "  - It failed. Next")]
)
def test_observe_shows_the_line_of_the_observer_and_the_alarms_that_are_on(
    running: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    alarms: list[str],
    shown: str,
) -> None:
    monkeypatch.setattr(monitoring, "observe", lambda _aws, _stack: [{"Active": 1}])
    monkeypatch.setattr(monitoring, "alarms", lambda aws: alarms if aws is running else None)

    assert commands.observe(tmp_path, None) == 0

    written = capsys.readouterr().out
    assert '\n{"Active": 1}\n' in written
    assert f"(others are not evaluated here):\n{shown}" in written


def test_observe_without_monitoring_says_so(
    running: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del running
    monkeypatch.setattr(monitoring, "observe", lambda _aws, _stack: [])

    with pytest.raises(LocalAwsError, match="No stack TopPicks with monitoring is deployed"):
        commands.observe(tmp_path, None)
