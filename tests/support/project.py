"""The Makefile in a folder of its own, with tools that do nothing but note how they are called."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

_MADE: Final = (
    ".venv/requirements.stamp",
    "node_modules/.package-lock.json",
    ".venv/checkov/requirements.stamp",
    ".venv/bench/requirements.stamp",
    ".venv/oldest/requirements.stamp",
)
_TOOL: Final = """#!/bin/sh
n=$(ls {calls} | wc -l)
printf '%s\\n' "${{0##*/}}" "$@" > {calls}/$(printf '%03d' "$n")
[ "$n" != "$FAILS" ]
"""
"""Note the name and the arguments, each on a line; end with an error if it is this one's turn."""


class Project:
    """A set-up copy of what `make` needs; nothing in it is real but the Makefile."""

    def __init__(self, folder: Path) -> None:
        """Make it in a folder, which may be there."""
        self.folder = folder
        self._calls = folder / "calls"
        self._calls.mkdir(parents=True)
        shutil.copy(ROOT / "Makefile", folder)
        for lock in (*ROOT.glob("requirements*.txt"), *ROOT.glob("package*.json")):
            (folder / lock.name).touch()
        (folder / "checks").mkdir()
        for module in ("make", "install", "uv"):
            (folder / "checks" / f"{module}.py").touch()
        for name in _MADE:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        for name in ("python", "zizmor", "npm"):
            tool(folder / ".venv" / "bin" / name, _TOOL.format(calls=shlex.quote(str(self._calls))))

    def make(self, *arguments: str, fails: int | None = None) -> int:
        """Run make, and return its exit code.

        Args:
            arguments: Those of make.
            fails: The call of a tool that fails, counted from 0.
        """
        shutil.rmtree(self._calls)
        self._calls.mkdir()
        ours = ("MAKE", "DATA", "MEND", "PARTS", "PORT", "REGION", "STACK")
        env = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        return subprocess.run(
            ["make", "--silent", *arguments],
            cwd=self.folder,
            env=env | {"FAILS": "" if fails is None else str(fails)},
            capture_output=True,
            check=False,
        ).returncode

    def calls(self) -> list[list[str]]:
        """Return the tools that the last make has called, each with its arguments."""
        return [path.read_text().splitlines() for path in sorted(self._calls.iterdir())]


def run_command(
    *command: str | Path,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command, by default in the repository; return its exit code and what it printed."""
    return subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout, check=False
    )


def tool(path: Path, script: str) -> None:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)


def first_on_path(folder: Path) -> Mapping[str, str]:
    """Return the environment in which the programs of a folder are found before all others."""
    return {**os.environ, "PATH": os.pathsep.join((str(folder), os.environ["PATH"]))}
