"""Write the comparison of the README, from two rows of docs/internals/benchmarks.md.

python -m benchmarks.comparison
"""

import re
from typing import Final

from benchmarks import table
from benchmarks.processes import ROOT

BENCHMARKS: Final = ROOT / "docs" / "internals" / "benchmarks.md"
README: Final = ROOT / "README.md"

_NAME: Final = "the comparison"
_RESULTS: Final = {
    "deployment over a training of 3.0 h": (
        r"(\d+ s), \d+ s in all",
        r"succeeds, \1 after the training",
    ),
    "deletion 2 min into a training of 3.0 h": (
        r"(\d+ s), then (\d+ s)",
        r"succeeds: it calls DeleteRecommender \1 after the training, and ends \2 after the "
        "recommender is gone",
    ),
}
"""The rows of the benchmarks: how a success is written there, and in the comparison."""

_HEAD: Final = ("", "`cdk deploy`", "`cdk destroy`, 2 minutes into the training")
_RIVALS: Final = {
    "Provider": "the CDK's `Provider`",
    "WaitCondition": "a `WaitCondition`",
}
_NATIVE: Final = (
    "[`AWS::Personalize::Recommender`](docs/how-to/native-type.md)",
    "AWS does not document how long it waits",
    "AWS does not document it",
)
_OURS: Final = "**this app**"


def written(readme: str, benchmarks: str) -> str:
    """Return the README with the comparison that the benchmarks give."""
    return table.replaced(readme, _NAME, comparison(benchmarks))


def comparison(benchmarks: str) -> str:
    """Return the comparison as a table of Markdown.

    Raises:
        ValueError: the benchmarks lack a row or a rival that the comparison shows.
    """
    results = [_results(benchmarks, what) for what in _RESULTS]
    rows = [(shown, *(one[name] for one in results)) for name, shown in _RIVALS.items()]
    rows += [_NATIVE, (_OURS, *(one[_OURS] for one in results))]
    lines = [_HEAD, ("---",) * len(_HEAD), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _results(benchmarks: str, what: str) -> dict[str, str]:
    """Return the result of each rival, and ours, in the row that measures something."""
    row = re.search(rf"(?m)^\|[^|]*\|[^|]*\| {re.escape(what)} \|([^|]*)\|([^|]*)\|", benchmarks)
    if not row:
        raise ValueError(f"The benchmarks have no row {what}.")
    ours, others = (cell.strip() for cell in row.groups())
    results = dict(other.split(": ", 1) for other in others.split("; "))
    if missing := _RIVALS.keys() - results.keys():
        raise ValueError(f"The row {what} does not name {', '.join(sorted(missing))}.")
    return {name: _said(what, result) for name, result in {**results, _OURS: ours}.items()}


def _said(what: str, result: str) -> str:
    """Say a result such as `50 s, 62 s in all`, or `DELETE_FAILED, and the recommender is left`."""
    pattern, success = _RESULTS[what]
    found = re.fullmatch(pattern, result)
    return found.expand(success) if found else re.sub(r"^([A-Z_]+)", r"fails: `\1`", result)


if __name__ == "__main__":
    README.write_text(written(README.read_text(), BENCHMARKS.read_text()))
