"""Every scenario has a test, and the document says which."""

import re

import pytest

from tests.reliability.report import ROOT, scenarios, shown_by, struck, table, written

KNOWN = {row for rows in scenarios().values() for row in rows}


def test_there_are_a_hundred() -> None:
    assert len(KNOWN) == 100


def test_every_one_is_shown_by_a_test_and_no_test_shows_another() -> None:
    assert set(shown_by()) == KNOWN


def test_what_is_struck_out_has_a_reason() -> None:
    assert struck().keys() <= KNOWN
    assert all(len(reason) > 20 for reason in struck().values())


def test_the_document_has_the_present_table() -> None:
    document = (ROOT / "docs/reliability.md").read_text()
    assert table() in document, "run `make reliability`"


def test_the_document_has_the_figures_of_a_run_that_showed_them_all() -> None:
    document = (ROOT / "docs/reliability.md").read_text()
    figures = re.search(
        r"scenarios (\d+)/100, cells (\d+), pairs (\d+), steps (\d+), inputs (\d+)", document
    )
    assert figures
    shown, cells, pairs, steps, inputs = map(int, figures.groups())
    assert shown == 100
    assert cells >= 200
    assert pairs >= 5000
    assert steps >= 200 * 20
    assert inputs >= 300


def test_only_what_is_between_the_comments_is_replaced() -> None:
    text = "a\n<!-- x -->\nold\n<!-- /x -->\nb"
    assert written(text, {"x": "new"}) == "a\n<!-- x -->\nnew\n<!-- /x -->\nb"
    with pytest.raises(AssertionError):
        written(text, {"y": "new"})
