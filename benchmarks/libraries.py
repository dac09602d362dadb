"""Models of two libraries on the split of the rehearsal, measured by the rehearsal's own metrics.

The libraries have an environment of their own (requirements-bench.txt), where
`recommenders.py` learns and answers; baskets and answers go through files.
"""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import recommenders
from benchmarks.processes import ROOT
from local_aws.rehearsal.data import Data, Ints
from local_aws.rehearsal.evaluation import Measured, measure, split

PYTHON: Final = ROOT / ".venv" / "bench" / "bin" / "python"


@dataclass(frozen=True)
class Learnt:
    """A model of a library, measured."""

    name: str
    measured: Measured
    seconds: float
    """The processor time of learning."""


def learnt(data: Data, number: int = 0, *, names: Sequence[str] = ()) -> list[Learnt]:
    """Have models learn from one of the ten splits, and measure them on its tested users.

    Args:
        data: The data.
        number: Which of the ten splits.
        names: Which models; by default all.
    """
    users, queries = split(data, number)
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
        _write(given, data, [data.history_of(int(user)) for user in users], queries)
        _run([str(given), str(found), *names])
        answers = dict(np.load(found))
    return [
        Learnt(
            name,
            measure(queries, _in_turn(answers[name]), len(data.items)),
            float(answers[recommenders.SECONDS + name]),
        )
        for name in names or recommenders.MODELS
    ]


def _in_turn(lists: Any) -> Any:
    answers: Iterator[list[int]] = iter(lists.tolist())
    return lambda _: next(answers)


def _write(file: Path, data: Data, histories: Sequence[slice], queries: Sequence[Any]) -> None:
    rows = {
        "users": [data.item[history] for history in histories],
        "asked": [data.item[query.given] for query in queries],
        "hidden": [data.watched(query.given) for query in queries],
    }
    arrays: dict[str, Any] = {"items": np.array(len(data.items))}
    for name, items in rows.items():
        baskets: list[Ints] = [np.unique(one) for one in items]
        arrays[f"{name}_indptr"] = np.cumsum([0, *map(len, baskets)])
        arrays[f"{name}_indices"] = np.concatenate([*baskets, np.empty(0, np.int64)])
    np.savez(file, **arrays)


def _run(arguments: Sequence[str]) -> None:
    if not PYTHON.exists():
        raise RuntimeError(f"There is no {PYTHON}: `make bench` installs it.")
    command = [str(PYTHON), recommenders.__file__, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    if ran.returncode:
        raise RuntimeError(ran.stderr)
