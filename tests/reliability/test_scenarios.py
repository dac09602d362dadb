"""Every scenario has a test."""

import pytest

from tests.reliability.report import scenarios, shown_by, struck, written

KNOWN = {row for rows in scenarios().values() for row in rows}


def test_every_one_is_shown_by_a_test_and_no_test_shows_another() -> None:
    assert set(shown_by()) == KNOWN


def test_what_is_struck_out_has_a_reason() -> None:
    assert struck().keys() <= KNOWN
    assert all(len(reason) > 20 for reason in struck().values())


def test_only_what_is_between_the_comments_is_replaced() -> None:
    text = "a\n<!-- x -->\nold\n<!-- /x -->\nb"
    assert written(text, {"x": "new"}) == "a\n<!-- x -->\nnew\n<!-- /x -->\nb"
    with pytest.raises(AssertionError):
        written(text, {"y": "new"})
