"""What is counted: which scenarios tests show, and how many cases they have tried.

A test names its scenarios (`@pytest.mark.rows("C1")`) and counts its cases
(`record_property("cells", 12)`). With `--reliability-report=FILE` a run ends with one line of
figures; if it was green, they are also written to that file, beside the table of the scenarios.
"""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
SCENARIOS: Final = Path(__file__).with_name("scenarios.toml")
COUNTED: Final = ("cells", "pairs", "steps", "plans", "inputs")


def scenarios() -> dict[str, dict[str, str]]:
    """Return what happens by scenario, by family."""
    families = tomllib.loads(SCENARIOS.read_text())
    return {family: rows for family, rows in families.items() if family != "struck"}


def struck() -> dict[str, str]:
    """Return what of a scenario is struck out, and why."""
    return dict(tomllib.loads(SCENARIOS.read_text())["struck"])


def shown_by() -> dict[str, list[str]]:
    """Return the tests that show a scenario, by scenario, as `file::function`."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        module = ast.parse(path.read_text())
        marks = [one.value for one in module.body if isinstance(one, ast.Assign)]
        everywhere = list(_rows(marks))
        for test in ast.walk(module):
            if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
                for row in [*everywhere, *_rows(test.decorator_list)]:
                    found.setdefault(row, []).append(f"{path.name}::{test.name}")
    return found


def _rows(marks: list[ast.expr]) -> Iterator[str]:
    for mark in (node for one in marks for node in ast.walk(one)):
        match mark:
            case ast.Call(func=ast.Attribute(attr="rows"), args=args):
                yield from (ast.literal_eval(arg) for arg in args)


def table() -> str:
    """Return the scenarios, with the tests that show them, in Markdown."""
    tests, reasons = shown_by(), struck()
    lines = ["| id | scenario | shown by |", "| --- | --- | --- |"]
    for family, rows in scenarios().items():
        lines.append(f"| | **{family}** | |")
        for row, what in rows.items():
            files: dict[str, list[str]] = {}
            for test in tests.get(row, ()):
                file, _, function = test.partition("::")
                files.setdefault(file, []).append(function.removeprefix("test_"))
            shown = "; ".join(f"`{file}`: {_listed(names)}" for file, names in files.items())
            without = f" *Struck out: {reasons[row]}*" if row in reasons else ""
            lines.append(f"| {row} | {what} |{f' {shown}.' if shown else ''}{without} |")
    return "\n".join(lines)


def _listed(functions: list[str], most: int = 1) -> str:
    shown = ", ".join(name.replace("_", " ") for name in functions[:most])
    more = len(functions) - most
    return f"{shown} and {more} more" if more > 0 else shown


def written(text: str, parts: Mapping[str, str]) -> str:
    """Return a document with other text between the comments `<!-- part -->`, `<!-- /part -->`."""
    for name, part in parts.items():
        pattern = rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)"
        found = re.search(pattern, text, flags=re.DOTALL)
        assert found, name
        text = text[: found.end(1)] + part + text[found.start(2) :]
    return text


class RunReport:
    """Counts a run, in the process that the results of all workers come to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counts: Counter[str] = Counter()
        self._shown: set[str] = set()
        self._failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test that has ended."""
        properties = report.user_properties
        rows = {str(value) for name, value in properties if name == "row"}
        if report.failed:
            self._failed |= rows or {report.nodeid}
        elif report.passed and report.when == "call":
            self._shown |= rows
            self._counts.update({name: int(str(n)) for name, n in properties if name in COUNTED})

    def pytest_unconfigure(self) -> None:
        """Print the figures, and write them down if all was green."""
        known = {row for rows in scenarios().values() for row in rows}
        shown = known & (self._shown - self._failed)
        counts = ", ".join(f"{name} {self._counts[name]}" for name in COUNTED)
        figures = f"scenarios {len(shown)}/{len(known)}, {counts}"
        if not self._failed:
            parts = {"figures": f"    {figures}", "scenarios": table()}
            self._path.write_text(written(self._path.read_text(), parts))
        print(figures)
