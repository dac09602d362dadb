"""`make lock` takes versions that are a week old, and newer ones only where they are named."""

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.http import Request, serving
from tests.support.project import ROOT, Project, run_command

AGES = {"1.0": 400, "1.1": 8, "1.2": 6}
"""The versions of each package, with their ages in days."""


def listing(folder: Path, name: str) -> dict[str, Any]:
    """Return the page of a package, as the simple repository API has it, with upload times.

    Nothing needs the wheels themselves: their metadata is in files beside them.
    """
    files = []
    for version, days in AGES.items():
        filename = f"{name}-{version}-py3-none-any.whl"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (folder / f"{filename}.metadata").write_text(metadata)
        uploaded = datetime.now(UTC) - timedelta(days=days)
        files.append(
            {
                "filename": filename,
                "url": f"/files/{filename}",
                "hashes": {"sha256": hashlib.sha256(filename.encode()).hexdigest()},
                "core-metadata": {"sha256": hashlib.sha256(metadata.encode()).hexdigest()},
                "upload-time": uploaded.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            }
        )
    return {"meta": {"api-version": "1.1"}, "name": name, "files": files}


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """Serve an index with two packages, and return its address."""
    folder = tmp_path / "files"
    folder.mkdir()
    pages = {f"/simple/{name}/": listing(folder, name) for name in ("films", "series")}

    def respond(request: Request) -> None:
        if request.path in pages:
            body, kind = json.dumps(pages[request.path]).encode(), "vnd.pypi.simple.v1+json"
        else:
            body, kind = (folder / Path(request.path).name).read_bytes(), "octet-stream"
        request.respond(200, body, {"Content-Type": f"application/{kind}"})

    with serving(respond) as endpoint:
        yield f"{endpoint}/simple"


def locking(tmp_path: Path, mend: str) -> list[list[str]]:
    """Return the commands of `make lock`."""
    project = Project(tmp_path / "project")
    assert project.make("lock", f"MEND={mend}") == 0
    return project.calls()


def test_every_python_lock_is_made_with_the_same_age(tmp_path: Path) -> None:
    compiled = [call for call in locking(tmp_path, "") if "compile" in call]

    assert {call[call.index("--output-file") + 1] for call in compiled} == {
        path.name for path in ROOT.glob("requirements*.txt")
    }
    assert {call[call.index("--exclude-newer") + 1] for call in compiled} == {"P7D"}


@pytest.mark.parametrize(
    ("mend", "locked"),
    [
        ("", {"films==1.1", "series==1.1"}),
        ("series", {"films==1.1", "series==1.2"}),
        ("series films", {"films==1.2", "series==1.2"}),
    ],
)
def test_a_version_is_locked_when_it_is_a_week_old_or_mends_a_vulnerability(
    tmp_path: Path, index: str, mend: str, locked: set[str]
) -> None:
    command, *_ = (call for call in locking(tmp_path, mend) if "compile" in call)
    (tmp_path / "lock.in").write_text("films\nseries\n")
    options = command[1 : command.index("--output-file")]

    env = {
        **{key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
        "PYTHONPATH": str(ROOT),
        "PIP_INDEX_URL": index,
        "UV_NO_CONFIG": "1",
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }

    ran = run_command(
        *(sys.executable, *options, "--output-file", "lock.txt", "lock.in"), cwd=tmp_path, env=env
    )

    assert ran.returncode == 0, ran.stderr
    lines = (tmp_path / "lock.txt").read_text().splitlines()
    assert {line.split()[0] for line in lines if "==" in line} == locked


def test_npm_takes_packages_that_are_a_week_old_but_those_that_are_named(tmp_path: Path) -> None:
    (command,) = (call for call in locking(tmp_path, "yaml ms") if call[0] == "npm")

    assert "min-release-age=7" in (ROOT / ".npmrc").read_text().splitlines()
    assert command[-2:] == ["--min-release-age-exclude=yaml", "--min-release-age-exclude=ms"]


def test_dependabot_waits_as_long() -> None:
    text = (ROOT / ".github" / "dependabot.yml").read_text()

    assert text.count("default-days: 7") == text.count("package-ecosystem:") == 3
