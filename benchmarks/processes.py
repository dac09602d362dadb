"""Processes that are measured from outside: processor time and memory, theirs and their children's.

Processor time, because whatever else the machine does disturbs it less than the clock on the wall.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]

_PER_MIB: Final = 2**20 if sys.platform == "darwin" else 2**10


@dataclass(frozen=True)
class Used:
    """What a process has used, with the children that it has waited for.

    Attributes:
        seconds: of processor time.
        mib: resident memory at most, of itself.
    """

    seconds: float
    mib: float


def run(arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path = ROOT) -> Used:
    """Run Python with these arguments to its end.

    Raises:
        RuntimeError: it failed.
    """
    with subprocess.Popen(  # noqa: S603  # our own code
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr  # noqa: S101  # for mypy
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(said.decode())
    return Used(used.ru_utime + used.ru_stime, used.ru_maxrss / _PER_MIB)


def in_turn(rounds: int, **runs: Callable[[], Used]) -> dict[str, list[Used]]:
    """Run each in turn, over and over; the first round, which warms the machine, does not count."""
    measured: dict[str, list[Used]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, once in runs.items():
            used = once()
            if number:
                measured[name].append(used)
    return measured
