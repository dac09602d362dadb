"""The GitHub workflows of docs/how-to: their jobs, and their shell steps with stub commands."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import yaml  # type: ignore[import-untyped]

from stacks.settings.context import parse
from stacks.settings.declarations import Settings
from stacks.settings.setting import settings_of
from tests.support.place import GROUP
from tests.support.project import ROOT, first_on_path, run_command, tool

FOLDER: Final = ROOT / "docs" / "how-to"
PROMOTE: Final = yaml.safe_load((FOLDER / "promote.yml").read_text())
DEPLOY: Final = yaml.safe_load((FOLDER / "deploy.yml").read_text())
PAGE: Final = " ".join((FOLDER / "github.md").read_text().split())
JOBS: Final[Mapping[str, Any]] = DEPLOY["jobs"]
CALLS: Final[Mapping[str, Any]] = {
    name: job for name, job in PROMOTE["jobs"].items() if "uses" in job
}

_TRIGGERS: Final = True
"""YAML 1.1 reads the key `on` so."""
_OF_A_JOB: Final = {
    *("needs", "if", "runs-on", "environment", "permissions", "timeout-minutes", "outputs"),
    *("steps", "strategy", "env"),
}
_OF_A_CALL: Final = {"needs", "uses", "with", "permissions", "concurrency"}
_OF_A_STEP: Final = {"uses", "with", "run", "name", "id", "if", "env"}
"""The keys in use, of those in "Workflow syntax for GitHub Actions"; zizmor knows no wrong key."""


def steps(workflow: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the steps of a workflow, each with the name of its job."""
    for name, job in workflow["jobs"].items():
        yield from ((name, step) for step in job.get("steps", ()))


def step_of(job: Mapping[str, Any], beginning: str) -> str:
    """Return the commands of the step whose name begins so."""
    (run,) = (one["run"] for one in job["steps"] if one.get("name", "").startswith(beginning))
    return str(run)


class Ran(NamedTuple):
    """How a step has ended."""

    code: int
    outputs: str
    summary: str
    calls: list[str]


@pytest.fixture
def runner(tmp_path: Path) -> "Runner":
    return Runner(tmp_path)


class Runner:
    """Runs steps in a folder of its own, in which only stubs can be called for AWS and GitHub."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._calls = folder, folder / "calls"
        self._bin = folder / "bin"
        for name in ("outputs", "summary", "calls"):
            (folder / name).touch()
        for name in ("python", "npx", "aws", "gh", "timeout", "sleep"):
            self.stub(name, "exit 97")

    def stub(self, name: str, script: str) -> None:
        """Let a command do this, after it has noted its arguments."""
        place = self._folder / ".venv" / "bin" if name == "python" else self._bin
        tool(place / name, f'#!/bin/sh\necho "{name} $*" >> "{self._calls}"\n{script}\n')

    def run(self, commands: str) -> Ran:
        """Run the commands of a step, as GitHub does."""
        # GitHub runs a step by `bash -e` ("Workflow syntax": defaults.run.shell).
        env = {
            **first_on_path(self._bin),
            "ENVIRONMENT": "prod",
            "STACK": "prod-TopPicks",
            "GITHUB_OUTPUT": str(self._folder / "outputs"),
            "GITHUB_STEP_SUMMARY": str(self._folder / "summary"),
            "GITHUB_REPOSITORY": "video/top-picks",
            "GITHUB_SHA": "c0ffee",
            "NUMBER": "7",
        }
        ran = run_command("bash", "-e", "-c", commands, cwd=self._folder, env=env, timeout=60)
        outputs, summary, calls = (
            (self._folder / name).read_text() for name in ("outputs", "summary", "calls")
        )
        return Ran(ran.returncode, outputs.strip(), summary.strip(), calls.splitlines())


# -- the steps -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "ends", "outputs"),
    [
        (0, 0, ""),
        (3, 0, ""),
        (4, 0, "approval=true"),
        (2, 0, "approval=true"),
        (1, 1, ""),
        (130, 130, ""),
    ],
    ids=["nothing", "changes", "replacement", "cannot tell", "refused", "interrupted"],
)
def test_a_plan_is_in_the_summary_and_only_some_ask_for_an_approval(
    runner: Runner, code: int, ends: int, outputs: str
) -> None:
    runner.stub("python", f"echo '**the plan**'; exit {code}")

    ran = runner.run(step_of(JOBS["plan"], "Plan"))

    assert (ran.code, ran.outputs, ran.summary) == (ends, outputs, "**the plan**")
    assert ran.calls == [
        "python -m operations plan --app cdk.out --stack prod/TopPicks --format markdown"
    ]


@pytest.mark.parametrize(
    ("deployed", "found", "code"),
    [
        ("", "", 0),
        ("c0ffee", "identical", 0),
        ("abcdef", "behind", 0),
        ("abcdef", "diverged", 0),
        ("abcdef", "ahead", 1),
    ],
)
def test_a_commit_is_deployed_unless_a_newer_one_was(
    runner: Runner, deployed: str, found: str, code: int
) -> None:
    runner.stub(
        "gh", f'case $2 in */deployments*) echo "{deployed}" ;; */compare/*) echo {found} ;; esac'
    )

    ran = runner.run(step_of(JOBS["plan"], "Refuse"))

    assert ran.code == code
    assert ("newer commit abcdef" in ran.summary) == bool(code)
    assert ran.calls[0].startswith("gh api repos/video/top-picks/deployments?environment=prod&")
    assert ran.calls[1:] == (
        [f"gh api repos/video/top-picks/compare/c0ffee...{deployed} --jq .status"]
        if deployed
        else []
    )


def test_a_commit_is_not_deployed_if_github_does_not_answer(runner: Runner) -> None:
    runner.stub("gh", "exit 1")

    assert runner.run(step_of(JOBS["plan"], "Refuse")).code != 0


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (124, 0), (1, 1), (143, 1)])
def test_a_deployment_that_outlasts_its_job_is_no_failure(
    runner: Runner, code: int, ends: int
) -> None:
    runner.stub("timeout", f"exit {code}")

    ran = runner.run(step_of(JOBS["deploy"], "Deploy"))

    assert ran.code == ends
    assert ran.calls == [
        "timeout 330m npx cdk deploy --app cdk.out prod/* --require-approval never"
    ]


@pytest.mark.parametrize(
    ("status", "code", "ends", "outputs"),
    [
        ("CREATE_IN_PROGRESS", 97, 0, "under-way=true"),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", 97, 0, "under-way=true"),
        ("UPDATE_COMPLETE", 0, 0, ""),
        ("UPDATE_ROLLBACK_COMPLETE", 1, 1, ""),
    ],
)
def test_the_outcome_is_the_job_s_unless_the_operation_goes_on(
    runner: Runner, status: str, code: int, ends: int, outputs: str
) -> None:
    runner.stub("aws", f"echo {status}")
    runner.stub("python", f"exit {code}")

    ran = runner.run(step_of(JOBS["deploy"], "Outcome"))

    assert (ran.code, ran.outputs) == (ends, outputs)
    assert (ran.calls[1:] == []) == (outputs != "")


def test_a_waiting_job_ends_with_the_operation(runner: Runner) -> None:
    runner.stub(
        "aws",
        "[ $(grep -c '^aws' calls) -lt 3 ] && echo CREATE_IN_PROGRESS || echo CREATE_COMPLETE",
    )
    runner.stub("sleep", "")

    ran = runner.run(step_of(JOBS["wait"], "Wait"))

    assert ran.code == 0
    assert [call.split()[0] for call in ran.calls] == ["aws", "sleep", "aws", "sleep", "aws"]


def test_a_waiting_job_hands_over_when_its_time_is_up(runner: Runner) -> None:
    runner.stub("aws", "echo CREATE_IN_PROGRESS")
    runner.stub("sleep", "")
    commands = step_of(JOBS["wait"], "Wait")
    assert "SECONDS + 330 * 60" in commands

    assert runner.run(commands.replace("330 * 60", "0")).code == 0


def test_a_waiting_job_fails_if_it_cannot_see_the_stack(runner: Runner) -> None:
    runner.stub("aws", "exit 254")

    assert runner.run(step_of(JOBS["wait"], "Wait")).code == 254


def test_an_operation_that_is_under_way_is_awaited_whatever_comes_of_it(runner: Runner) -> None:
    runner.stub("timeout", "exit 1")

    ran = runner.run(step_of(JOBS["plan"], "Wait"))

    assert ran.code == 0
    assert ran.calls == [
        "timeout 330m .venv/bin/python -m operations status --follow --stack prod-TopPicks"
    ]


def test_the_plans_of_a_pull_request_are_one_comment(runner: Runner, tmp_path: Path) -> None:
    for name in ("dev", "prod"):
        (tmp_path / f"plan-{name}").mkdir()
        (tmp_path / f"plan-{name}" / "plan.md").write_text(f"# {name}\n")
    runner.stub("gh", "cat > comment")

    ran = runner.run(step_of(PROMOTE["jobs"]["comment"], "Comment"))

    assert ran.code == 0
    assert ran.calls == ["gh pr comment 7 --edit-last --create-if-none --body-file -"]
    assert (tmp_path / "comment").read_text() == "# dev\n# prod\n"


# -- the jobs --------------------------------------------------------------------------------------


def test_every_key_of_the_workflows_is_one_of_github() -> None:
    for workflow in (PROMOTE, DEPLOY):
        for name, job in workflow["jobs"].items():
            assert job.keys() <= (_OF_A_CALL if "uses" in job else _OF_A_JOB), name
        for name, step in steps(workflow):
            assert step.keys() <= _OF_A_STEP, name


def test_each_environment_has_a_group_in_which_no_commit_is_cancelled() -> None:
    groups = {name: job["concurrency"] for name, job in CALLS.items()}

    assert groups == {
        name: {"group": f"${{{{ github.ref }}}}-{name}", "queue": "max"} for name in ("dev", "prod")
    }
    assert {name: job["with"] for name, job in CALLS.items()} == {
        name: {"environment": name} for name in CALLS
    }
    assert "concurrency" not in {*PROMOTE, *DEPLOY, *JOBS["deploy"]}


def test_an_approval_is_of_an_environment_in_which_nothing_else_waits() -> None:
    environments = {name: job["environment"] for name, job in JOBS.items()}
    environment = "${{ inputs.environment }}"

    assert environments == {
        "plan": f"{environment}-plan",
        "approve": f"{environment}-approval",
        **dict.fromkeys(("deploy", "wait", "outcome"), environment),
    }
    assert "needs.plan.outputs.approval == 'true'" in JOBS["approve"]["if"]
    assert JOBS["deploy"]["needs"] == ["plan", "approve"]
    assert "!failure()" in JOBS["deploy"]["if"]  # a rejection is a failure; no approval is none


def test_a_pull_request_deploys_nothing() -> None:
    assert PROMOTE[_TRIGGERS] == {"push": {"branches": ["main"]}, "pull_request": None}
    for name in ("approve", "deploy"):
        assert JOBS[name]["if"].startswith("${{ github.event_name == 'push' && ")
    assert (JOBS["wait"]["needs"], JOBS["outcome"]["needs"]) == ("deploy", "wait")


def test_only_jobs_that_reach_aws_get_its_token_and_nothing_needs_a_secret() -> None:
    for workflow in (PROMOTE, DEPLOY):
        assert workflow["permissions"] == {}
    for name, job in JOBS.items():
        reaches_aws = any("aws-actions/" in step.get("uses", "") for step in job["steps"])
        assert ("id-token" in job.get("permissions", {})) == reaches_aws, name
    for name in ("promote.yml", "deploy.yml"):
        assert "secrets" not in (FOLDER / name).read_text()


def test_a_caller_gives_what_the_called_jobs_ask_for() -> None:
    asked = {permission for job in JOBS.values() for permission in job.get("permissions", {})}

    for job in CALLS.values():
        assert job["permissions"].keys() == asked


def test_the_jobs_wait_longer_than_the_longest_operation() -> None:
    longest = {**dict.fromkeys(("max_training_hours", "max_deletion_hours"), 24)}
    settings = parse({"dataset_group_arn": GROUP, **longest})
    maximum = {name: settings_of(Settings)[name].kind.allowed for name in longest}
    assert all("24 at most" in allowed for allowed in maximum.values())
    hours = float(settings.training_gates + settings.sweeps + 1) * 55 / 60
    (matrix,) = JOBS["wait"]["strategy"]["matrix"].values()
    waits = len(matrix) + 1

    assert JOBS["wait"]["strategy"]["max-parallel"] == 1
    assert waits * 330 / 60 == 60.5 > hours + 5
    assert "Together they wait 60 hours" in PAGE
    assert (waits - 1, "Ten jobs of the same length" in PAGE) == (10, True)
    assert (330 / 60, "after five and a half hours" in PAGE) == (5.5, True)


def test_every_wait_ends_before_its_job_and_its_credentials_do() -> None:
    minutes = {int(one) for one in re.findall(r"\b(\d+)m\b", (FOLDER / "deploy.yml").read_text())}
    durations = {
        step["with"]["role-duration-seconds"]
        for _, step in steps(DEPLOY)
        if "role-duration-seconds" in step.get("with", {})
    }

    assert minutes == {330}
    assert durations == {360 * 60}
    assert all(job["timeout-minutes"] <= 360 for job in JOBS.values())
    assert "The `MaxSessionDuration` of each is 21600" in PAGE


def test_the_page_has_the_exit_codes_with_which_a_plan_deploys_or_waits() -> None:
    assert "| 0, nothing; 3, changes in place | deploys |" in PAGE
    assert "| 4, a replacement or a first training; 2, `plan` cannot tell | waits" in PAGE


def test_the_stubs_are_found_before_the_machine_s_own_commands(runner: Runner) -> None:
    assert runner.run("command -v npx >> $GITHUB_OUTPUT").outputs.startswith(os.sep)
    assert runner.run("aws || exit $?").code == 97
