"""docs/internals/reliability.md is what `make reliability` wrote: this does not test that run."""

import re

from tests.reliability.report import ROOT, scenarios, table


def test_the_document_has_the_present_table() -> None:
    document = (ROOT / "docs/internals/reliability.md").read_text()
    assert table() in document, "run `make reliability`"


def test_the_document_has_the_figures_of_a_run_that_showed_them_all() -> None:
    document = (ROOT / "docs/internals/reliability.md").read_text()
    figures = re.search(
        r"scenarios (\d+)/(\d+), cells (\d+), pairs (\d+), steps (\d+), plans (\d+), inputs (\d+)",
        document,
    )
    assert figures
    shown, known, cells, pairs, steps, plans, inputs = map(int, figures.groups())
    assert shown == known == len([row for rows in scenarios().values() for row in rows])
    assert cells >= 200
    assert pairs >= 5000
    assert steps >= 200 * 20
    assert plans >= 200
    assert inputs >= 300
