"""Sentences, and texts that fit into an answer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender.text import duration, readable, sentence, truncate


@pytest.mark.parametrize(
    ("text", "expected"),
    [("No.", "No."), ("No!", "No!"), ("Why?", "Why?"), ("No", "No."), ("", "")],
)
def test_sentence_adds_a_full_stop_only_where_none_is(text: str, expected: str) -> None:
    assert sentence(text) == expected


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(60, "60 seconds"), (119.4, "119 seconds"), (120, "2 minutes"), (3300, "55 minutes")],
)
def test_duration_is_written_in_minutes_from_two_minutes_on(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Daten für 東京 \U0001f3ac\t\r\n", "Daten für 東京 \U0001f3ac\t\r\n"),
        ("\x00\x08\x0b\x0c\x0e\x1b\x1f", "\ufffd" * 7),
        ("\ud83c \udfff \ufffe\uffff", "\ufffd \ufffd \ufffd\ufffd"),
        ("\x7f\x9f\ud7ff\ue000\ufffd\U0010ffff", "\x7f\x9f\ud7ff\ue000\ufffd\U0010ffff"),
    ],
)
def test_readable_replaces_only_characters_that_xml_cannot_have(text: str, expected: str) -> None:
    assert readable(text) == expected


@given(st.text(max_size=3000), st.integers(-5, 2000))
def test_truncate_cuts_a_text_to_the_bytes_it_may_have(text: str, limit: int) -> None:
    cut = truncate(text, limit)

    assert len(json.dumps(cut)) <= max(limit, 2)
    assert cut == text or (len(json.dumps(text)) > limit and (cut.endswith("...") or not cut))


@pytest.mark.parametrize(
    ("limit", "cut"),
    [(-1, ""), (0, ""), (1, ""), (2, ""), (5, ""), (6, "a..."), (7, "ab..."), (8, "abcdef")],
)
def test_truncate_to_a_limit_without_room_leaves_nothing(limit: int, cut: str) -> None:
    assert truncate("abcdef", limit) == cut


def test_truncate_keeps_the_beginning_of_a_text_whose_characters_take_several_bytes() -> None:
    assert truncate("東京" * 300, 600).startswith("東京" * 30)


@given(st.integers(100, 2000))
def test_truncate_keeps_nine_tenths_of_a_plain_text(limit: int) -> None:
    assert len(truncate("x" * 3000, limit)) >= limit * 9 // 10
