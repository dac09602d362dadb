"""Read a page's commands and the shortened output under them, and run them in a copy of the app."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

OMITTED: Final = "..."

_STEP: Final = re.compile(
    r"(?ms)^```sh\n(?P<commands>.*?)^```$"
    r"(?:(?:(?!^```).)*^```text(?P<said>[^\n]*)\n(?P<output>.*?)^```$)?"
)
"""Commands and, before the next commands, the output; there may be text between."""
_COPIED: Final = (
    *("Makefile", "app.py", "cdk.json", "package.json", "package-lock.json"),
    *("requirements.txt", "requirements-dev.txt"),
    *("checks", "lambdas", "local_aws", "operations", "stacks"),
)
_INSTALLED: Final = (".venv", "node_modules")
_PRELUDE: Final = (
    "make() { command make -o .venv/requirements.stamp -o node_modules/.package-lock.json"
    ' --no-print-directory "$@"; }\n'
)
"""Keep make from installing into the environment that runs the tests, however old that is."""
_TIMEOUT: Final = 300.0


@dataclass(frozen=True)
class Step:
    """One block of commands.

    Attributes:
        commands: Its lines.
        output: The shortened output under it; empty if the page shows none.
        exit_code: The one that the page gives for the last command.
    """

    commands: str
    output: str = ""
    exit_code: int = 0


def steps(text: str) -> list[Step]:
    """Return the steps of a page, or of a part of one, in order.

    Raises:
        ValueError: a block of output has other words behind `text` than `exit code` and a number.
    """
    return [
        Step(one["commands"], one["output"] or "", _exit_code(one["said"] or ""))
        for one in _STEP.finditer(text)
    ]


def _exit_code(said: str) -> int:
    if not said:
        return 0
    code = re.fullmatch(r" exit code (\d+)", said)
    if not code:
        raise ValueError(f"```text{said}: expected ```text exit code 1, or only ```text.")
    return int(code[1])


def lacking(shortened: str, output: str) -> str:
    """Return the first part of a shortened output that is not in an output, or nothing.

    Parts are separated by `...` and must follow in order; white space counts as one space.
    """
    shown, position = " ".join(output.split()), 0
    for part in shortened.split(OMITTED):
        words = " ".join(part.split())
        position = shown.find(words, position)
        if position < 0:
            return words
        position += len(words)
    return ""


def copied_app(folder: Path) -> Path:
    """Return a copy of what a user's commands need, with the packages that are installed here."""
    folder.mkdir()
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder)
    for name, place in zip(_INSTALLED, (Path(sys.prefix), ROOT / "node_modules"), strict=True):
        (folder / name).symlink_to(place.resolve())
    return folder


def run(step: Step, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the commands of a step in a folder, to the first that fails; stderr is in stdout."""
    path = os.pathsep.join((str(folder / ".venv" / "bin"), os.environ["PATH"]))
    return subprocess.run(
        ["bash", "-e", "-c", _PRELUDE + step.commands],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
