"""What is given to make arrives as it was given, and every install asks where pip is told to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from checks.uv import environment
from tests.support.project import ROOT, Project, run_command

ODD = 'it\'s a "folder" of; two  words'


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        (["deploy-local", f"DATA={ODD}"], ["deploy", "--data", ODD]),
        (["deploy-local", f"PORT={ODD}"], ["--port", ODD, "deploy"]),
        (["deploy-local"], ["deploy"]),
        (["status", f"STACK={ODD}"], ["status", "--stack", ODD]),
        (["status", f"REGION={ODD}"], ["status", "--region", ODD]),
        (["status"], ["run", "python", "-m", "operations", "status"]),
        (["bench", "PARTS=synthesis it's"], ["benchmarks", "synthesis", "it's"]),
        (["bench"], ["benchmarks"]),
    ],
)
def test_what_is_given_to_make_arrives_as_it_was_given(
    tmp_path: Path, arguments: list[str], call: list[str]
) -> None:
    project = Project(tmp_path / "it's here")

    assert project.make(*arguments) == 0

    (called,) = project.calls()
    assert called[-len(call) :] == call


@pytest.mark.parametrize(("own", "target"), [("checkov", "static"), ("bench", "bench")])
def test_packages_of_an_environment_of_its_own_are_installed_as_all_are(
    tmp_path: Path, own: str, target: str
) -> None:
    project = Project(tmp_path / "project")
    (project.folder / ".venv" / own / "requirements.stamp").unlink()

    assert project.make(target) == 0

    into = f".venv/{own}/bin/python"
    assert ["python", "-m", "checks.install", f"requirements-{own}.txt", into] in project.calls()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("", {}),
        ("global.index-url='https://a/simple'", {"UV_DEFAULT_INDEX": "https://a/simple"}),
        ("install.index-url='https://b'\nglobal.index-url='https://a'", {"UV_DEFAULT_INDEX": "https://b"}),
        (":env:.index-url='https://c'\nglobal.index-url='https://a'", {"UV_DEFAULT_INDEX": "https://c"}),
        ("global.trusted-host='\\na\\nb'", {"UV_INSECURE_HOST": "a b"}),
        ("global.cert='/our ca.pem'", {"SSL_CERT_FILE": "/our ca.pem"}),
        ("global.timeout='60'\nglobal.extra-index-url='https://d'", {}),
    ],
)  # fmt: skip
def test_uv_is_told_what_pip_is_configured_with(config: str, expected: dict[str, str]) -> None:
    assert environment(config) == expected


def test_make_lock_asks_the_index_of_pip() -> None:
    nowhere = "http://127.0.0.1:1/simple"
    env = {**os.environ, "PIP_INDEX_URL": nowhere, "UV_HTTP_RETRIES": "0"}
    command = (sys.executable, "-m", "checks.uv", "pip", "compile", "--no-cache", "requirements.in")

    ran = run_command(*command, env=env)

    assert ran.returncode != 0
    assert nowhere in ran.stderr


def test_jsii_keeps_its_packages_in_the_environment_whatever_the_home(tmp_path: Path) -> None:
    shown = _seen_by(_environment(tmp_path), HOME=os.devnull)

    assert shown == str(tmp_path / "venv" / "jsii-package-cache")


def test_a_cache_that_the_user_has_chosen_for_jsii_is_left(tmp_path: Path) -> None:
    chosen = str(tmp_path / "chosen")

    shown = _seen_by(_environment(tmp_path), JSII_RUNTIME_PACKAGE_CACHE_ROOT=chosen)

    assert shown == chosen


def _environment(folder: Path) -> Path:
    python = folder / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    subprocess.run([python, "-m", "checks.make", "jsii-cache"], cwd=ROOT, check=True)
    return python


def _seen_by(python: Path, **environment: str) -> str:
    shows = "import os; print(os.environ['JSII_RUNTIME_PACKAGE_CACHE_ROOT'])"
    return run_command(python, "-c", shows, env=environment).stdout.strip()
