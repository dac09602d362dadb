"""What has to be green can turn red: each gate is run, and fails, when what it guards is broken."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from checks import assemblies
from local_aws import toolchain
from tests.support.project import ROOT, Project, first_on_path, run_command, tool

CHECK = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yml").read_text())
PROMOTE = yaml.safe_load((ROOT / "docs" / "how-to" / "promote.yml").read_text())


# -- make check ------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


GATES = [
    "python -m ruff format --check",
    "python -m ruff check",
    "zizmor --offline --quiet --strict-collection .github",
    "python -m mypy",
    "python -m checks.prose",
    "python -m checks.assemblies .venv/assemblies",
    "python -m checks.static .venv/assemblies",
    "python -m coverage run -m pytest -n 2 tests/unit/recommender tests/unit/operations",
    "python -m coverage combine",
    "python -m coverage report",
    "python -m pytest -n 2 -m not (sweep and long) tests/unit tests/reliability",
    "python -m pytest -n 5 tests/e2e",
]


def test_make_check_runs_each_gate_and_leaves_out_no_end_to_end_test(project: Project) -> None:
    assert project.make("check") == 0

    calls = [" ".join(call) for call in project.calls()]
    assert [gate for gate in GATES if not any(call.startswith(gate) for call in calls)] == []
    assert GATES[-1] in calls


def test_make_check_fails_whichever_command_fails(project: Project) -> None:
    assert project.make("check") == 0
    calls = project.calls()

    assert len(calls) > 10
    assert [call for n, call in enumerate(calls) if project.make("check", fails=n) == 0] == []


def test_make_static_lints_nothing_that_was_not_synthesised(project: Project) -> None:
    assert project.make("static", fails=0) != 0

    assert project.calls() == [["python", "-m", "checks.assemblies", ".venv/assemblies"]]


# -- what runs it ----------------------------------------------------------------------------------


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        step
        for job in workflow["jobs"].values()
        for step in job.get("steps", ())
        if ".ci/run" in step.get("run", "")
    ]


@pytest.mark.parametrize("code", [0, 1, 2])
@pytest.mark.parametrize(
    "command",
    [str(ROOT / ".ci" / "run"), *(one["run"] for flow in (CHECK, PROMOTE) for one in steps(flow))],
)
def test_the_exit_code_of_make_check_is_that_of_whoever_runs_it(
    tmp_path: Path, command: str, code: int
) -> None:
    asked = tmp_path / "asked"
    tool(tmp_path / "make", f'#!/bin/sh\necho "$@" > "{asked}"\nexit {code}\n')

    # GitHub runs a step by `bash -e` (GitHub Docs, "Workflow syntax": defaults.run.shell).
    ran = run_command("bash", "-e", "-c", command, env=first_on_path(tmp_path))

    assert (ran.returncode, asked.read_text()) == (code, "check\n")


def test_the_check_runs_for_each_pull_request_and_each_commit_of_the_main_branch() -> None:
    triggers = CHECK[True]  # YAML 1.1 reads the key `on` so

    assert triggers == {"push": {"branches": ["main"]}, "pull_request": None}


def test_nothing_in_the_workflow_lets_a_failed_check_pass() -> None:
    jobs = CHECK["jobs"].values()
    commands = [step for job in jobs for step in job["steps"] if "run" in step]

    assert commands == [{"run": ".ci/run"}, {"run": "make test-oldest"}]
    assert not [job for job in jobs if {"if", "continue-on-error"} & job.keys()]


def test_make_test_oldest_fails_if_a_test_fails(project: Project) -> None:
    assert project.make("test-oldest") == 0
    assert project.calls() == [["python", "-m", "pytest", "tests/oldest"]]
    assert project.make("test-oldest", fails=0) != 0


# -- coverage --------------------------------------------------------------------------------------

MODULE = "def f(x):\n" + "    x += 1\n" * 997 + "    if x > 0:\n        x = 2\n    return x\n"
_COVERAGE = (sys.executable, "-m", "coverage")


@pytest.mark.parametrize(
    ("calls", "code"),
    [
        ("f(0), f(-1000)", 0),
        ("f(0)", 2),  # a branch was never taken
        ("f(-1000)", 2),  # a line was never reached
    ],
)
def test_a_line_or_a_branch_in_a_thousand_fails_the_coverage(
    tmp_path: Path, calls: str, code: int
) -> None:
    for name in ("stacks", "lambdas", "operations"):
        tmp_path.joinpath(name).mkdir()
    tmp_path.joinpath("app.py").write_text(f"{MODULE}{calls}\n")
    tmp_path.joinpath("pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    env = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")}

    for command, expected in (("run app.py", 0), ("combine --quiet", 0), ("report", code)):
        ran = run_command(*_COVERAGE, *command.split(), cwd=tmp_path, env=env)
        assert ran.returncode == expected, ran.stdout + ran.stderr


# -- the assemblies that static checks read --------------------------------------------------------


@pytest.mark.parametrize("which", sorted(assemblies.CONTEXTS))
def test_a_synthesis_that_fails_ends_the_synthesis_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    cli = tmp_path / "cdk.py"
    cli.write_text(f"import sys; sys.exit({which!r} in sys.argv)")
    monkeypatch.setattr(toolchain, "CDK", (sys.executable, str(cli)))

    with pytest.raises(subprocess.CalledProcessError):
        assemblies.main(tmp_path / "assemblies")


def test_the_app_is_found_wherever_the_checkout_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli, root = tmp_path / "cdk.py", tmp_path / "it's here"
    root.mkdir()
    (root / "cdk.json").write_text('{"context": {}}')
    (root / "app.py").write_text("print('found')")
    cli.write_text(
        "import subprocess, sys; subprocess.run(sys.argv[sys.argv.index('--app') + 1], shell=True,"
        " check=True, stdout=open('shown', 'a'))"
    )
    monkeypatch.setattr(toolchain, "CDK", (sys.executable, str(cli)))
    monkeypatch.setattr(toolchain, "ROOT", root)

    assemblies.main(tmp_path / "assemblies")

    assert "found" in (tmp_path / "assemblies" / "shown").read_text()


# -- a test that hangs -----------------------------------------------------------------------------


def test_a_test_that_hangs_fails_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(
        "import threading\n"
        "def test_that_ends(): pass\n"
        "def test_that_hangs(): threading.Event().wait()\n"
    )
    ran = run_command(
        *(sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml"),
        *("--rootdir", tmp_path, "-o", "faulthandler_timeout=1"),
        *("-p", "xdist.plugin", "-p", "pytest_socket", "-p", "no:cacheprovider"),
        *("-n", "1", "--max-worker-restart=0", tmp_path),
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        timeout=60,
    )

    assert ran.returncode != 0
    assert "crashed while running 'test_one.py::test_that_hangs'" in ran.stdout
    assert "1 failed, 1 passed" in ran.stdout
