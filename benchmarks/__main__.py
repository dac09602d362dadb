"""Measure it all, and write docs/internals/benchmarks.md and the README's comparison: `make bench`.

`python -m benchmarks suites` measures the suites of `make check`, and keeps the figures there, too.
They take longer than all other parts together.
`python -m benchmarks part ...` measures other parts, and keeps nothing.
"""

import argparse
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from benchmarks import (
    cold_start,
    compare_models,
    comparison,
    deployments,
    local_world,
    rehearsal,
    scale,
    synthesis,
    table,
)
from benchmarks.comparison import BENCHMARKS, README
from benchmarks.processes import ROOT
from benchmarks.table import Row

_PARTS: Final[Mapping[str, Callable[[], Iterable[Row]]]] = {
    "rehearsal": rehearsal.rehearsal,
    "training": deployments.over_training,
    "waiting": deployments.waiting,
    "cold-start": cold_start.cold_start,
    "synthesis": synthesis.synthesis,
    "scale": scale.scale,
    "local-aws": local_world.local_aws,
    "clone": local_world.fresh_clone,
}
_ASKED_FOR: Final[Mapping[str, Callable[[], Iterable[Row]]]] = {
    "suites": local_world.suites,
    "models": compare_models.models,
}
"""Not in a full run."""

_KEPT: Final[Mapping[tuple[str, ...], str]] = {(): "the table", ("suites",): "the suites"}
"""The name of the table in the document, by the parts that are given."""


def main() -> None:
    """Measure."""
    parts = {**_PARTS, **_ASKED_FOR}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(parts)}; or all")
    given = parser.parse_args().parts
    if unknown := sorted(set(given) - parts.keys()):
        parser.error(f"no such part: {', '.join(unknown)}")
    rows: list[Row] = []
    began = time.monotonic()
    for name in given or _PARTS:
        print(f"{name} ...", flush=True)
        for row in parts[name]():
            print(f"  {row.what}: {row.ratio or '-'}; {row.ours}; {row.other or '-'}", flush=True)
            rows.append(row)
    took = (time.monotonic() - began) / 60
    shown = f"{table.rendered(rows)}\n\n{_where(took)}"
    print(shown)
    if name := _KEPT.get(tuple(given)):
        BENCHMARKS.write_text(table.replaced(BENCHMARKS.read_text(), name, shown))
        README.write_text(comparison.written(README.read_text(), BENCHMARKS.read_text()))


def _where(minutes: float) -> str:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return (
        f"Taken on {datetime.now(UTC):%Y-%m-%d} at {commit}, in {minutes:.0f} minutes, on "
        f"{os.cpu_count()} cores ({platform.machine()}, load {os.getloadavg()[0]:.1f} at the end) "
        f"with Python {platform.python_version()}."
    )


if __name__ == "__main__":
    main()
