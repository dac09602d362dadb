"""Processes whose processor time is measured, theirs and that of their children.

Processor time, because whatever else the machine does disturbs it less than the clock on the wall.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True)
class Used:
    """The resources that a process and its ended children have used.

    Attributes:
        seconds: of processor time.
        said: its output.
    """

    seconds: float
    said: str


def run(arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path = ROOT) -> Used:
    """Run Python with these arguments to its end.

    Raises:
        RuntimeError: it failed.
    """
    with subprocess.Popen(  # noqa: S603  # our own code
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout  # noqa: S101  # for mypy
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(said)
    return Used(used.ru_utime + used.ru_stime, said)


def seconds(runs: Iterable[Used]) -> list[float]:
    """Return the processor time of each run."""
    return [one.seconds for one in runs]


def in_turn(rounds: int, **runs: Callable[[], Used]) -> dict[str, list[Used]]:
    """Run each in turn, over and over."""
    measured: dict[str, list[Used]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, once in runs.items():
            measured[name].append(once())
    return measured
