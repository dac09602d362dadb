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
_DEPLOYMENT: Final = "deployment over a training of 3.0 h"
_DELETION: Final = "deletion 2 min into a training of 3.0 h"
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
    deployed, deleted = _results(benchmarks, _DEPLOYMENT), _results(benchmarks, _DELETION)
    rows = [
        (shown, _deployment(deployed[name]), _deletion(deleted[name]))
        for name, shown in _RIVALS.items()
    ]
    rows += [_NATIVE, (_OURS, _deployment(deployed[_OURS]), _deletion(deleted[_OURS]))]
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
    return {**results, _OURS: ours}


def _deployment(result: str) -> str:
    """Say a result such as `50 s, 62 s in all`, or a failure."""
    after = re.match(r"(\d+ s), \d+ s in all$", result)
    return f"succeeds, {after[1]} after the training" if after else _failure(result)


def _deletion(result: str) -> str:
    """Say a result such as `55 s, then 38 s`, or a failure."""
    seconds = re.match(r"(\d+ s), then (\d+ s)$", result)
    if not seconds:
        return _failure(result)
    return (
        f"succeeds: it calls DeleteRecommender {seconds[1]} after the training, "
        f"and ends {seconds[2]} after the recommender is gone"
    )


def _failure(result: str) -> str:
    """Say a result such as `DELETE_FAILED, and the recommender is left`."""
    return re.sub(r"^([A-Z_]+)", r"fails: `\1`", result)


if __name__ == "__main__":
    README.write_text(written(README.read_text(), BENCHMARKS.read_text()))
