"""CloudFormation's strings are undone, strictly."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model import properties as p
from lambdas.recommender.model.properties import BadRequestError, Reader, reject_unknown
from lambdas.recommender.text import truncate

from .examples import GROUP, RECIPE, RECOMMENDER


@given(st.text(max_size=3000), st.integers(-5, 2000))
def test_a_text_is_cut_to_the_bytes_it_may_have(text: str, limit: int) -> None:
    cut = truncate(text, limit)

    assert len(json.dumps(cut)) <= max(limit, 2)
    assert cut == text or (len(json.dumps(text)) > limit and (cut.endswith("...") or not cut))


@pytest.mark.parametrize(
    ("limit", "cut"),
    [(-1, ""), (0, ""), (1, ""), (2, ""), (5, ""), (6, "a..."), (7, "ab..."), (8, "abcdef")],
)
def test_a_limit_that_has_no_room_for_a_text_leaves_nothing_of_it(limit: int, cut: str) -> None:
    assert truncate("abcdef", limit) == cut


@given(st.integers(100, 2000))
def test_a_plain_text_that_is_cut_keeps_nine_tenths_of_them(limit: int) -> None:
    assert len(truncate("x" * 3000, limit)) >= limit * 9 // 10


READ: list[tuple[Reader, object, object]] = [
    (p.TEXT, "x", "x"),
    (p.MAP, {"a": 1}, {"a": 1}),
    (p.BOOLEAN, "true", True),
    (p.BOOLEAN, "false", False),
    (p.COUNT, "1", 1),
    (p.COUNT, "2147483647", 2**31 - 1),
    (p.WEIGHT, "0", Decimal(0)),
    (p.WEIGHT, "1.0", Decimal(1)),
    (p.SECONDS, "0", 0.0),
    (p.SECONDS, "3300", 3300.0),
    (p.SECONDS, "1767225600.123", 1767225600.123),
    (p.COLUMNS, {"ITEMS": ["B", "A"], "USERS": []}, {"ITEMS": ("A", "B")}),
    (p.TAGS, {"team": "video", "empty": ""}, {"team": "video", "empty": ""}),
    (p.NAME, "x" * v.MAX_NAME_LENGTH, "x" * v.MAX_NAME_LENGTH),
    (p.NAME, "1_a-B", "1_a-B"),
    (p.NAME_PREFIX, "x" * v.MAX_PREFIX_LENGTH, "x" * v.MAX_PREFIX_LENGTH),
    (p.arn("dataset-group"), GROUP, GROUP),
    (p.arn("recipe"), RECIPE, RECIPE),
    (p.arn("recommender"), f"{RECOMMENDER}mine", f"{RECOMMENDER}mine"),
    (
        p.arn("dataset-group"),
        "arn:aws-cn:personalize:cn-north-1:111111111111:dataset-group/vod",
        "arn:aws-cn:personalize:cn-north-1:111111111111:dataset-group/vod",
    ),
]


@pytest.mark.parametrize(("reader", "value", "meant"), READ)
def test_a_string_of_cloudformation_is_read_as_what_it_was(
    reader: Reader, value: object, meant: object
) -> None:
    read = reader.read("Property", value)

    assert read == meant
    assert type(read) is type(meant)


@pytest.mark.parametrize(
    ("kind", "text", "other"), [("dataset-group", GROUP, RECIPE), ("recipe", RECIPE, GROUP)]
)
def test_an_arn_is_one_of_its_kind(kind: str, text: str, other: str) -> None:
    reader = p.arn(kind)

    assert reader.read("Property", text) == text
    for bad in (other, text.upper(), f"XX{text}", text.replace(":personalize:", ":s3:"), "None"):
        with pytest.raises(BadRequestError) as refused:
            reader.read("Property", bad)
        assert str(refused.value) == (
            f"Property: got {bad!r}; allowed: the ARN of a Personalize {kind}."
        )


NUMBERS = ["", " 1", "1 ", "+1", "-1", "1e3", "NaN", "\u0663", "1\n", 1, None, True, [], {}]
REFUSED: list[tuple[Reader, list[Any]]] = [
    (p.TEXT, ["", None, 1, [], {}]),
    (p.MAP, ["", "x", [], None, 1]),
    (p.BOOLEAN, ["True", "FALSE", "1", "yes", "", "true\n", True, None, [], {}]),
    (p.COUNT, [*NUMBERS, "0", "01", "1.0", "2147483648", "9999999999"]),
    (p.WEIGHT, [*NUMBERS, ".5", "1.", "1.000000000000000001", "0." + "1" * 19]),
    (p.SECONDS, [*NUMBERS, ".5", "1h", "1" * 16]),
    (p.COLUMNS, ["ITEMS", ["ITEMS"], {"ITEMS": "A"}, {"ITEMS": [1]}, {"": ["A"]}, None]),
    (p.TAGS, ["team", ["team"], {"team": 1}, {"": "x"}, {v.OWNER_STACK_TAG: "x"}, None]),
    (p.NAME, ["", "-x", "_x", "x" * (v.MAX_NAME_LENGTH + 1), "a b", "a\n", "nämé", ["x"]]),
    (p.NAME_PREFIX, ["", "-x", "x" * (v.MAX_PREFIX_LENGTH + 1), "a b", "a/b", "é"]),
    (p.arn("dataset-group"), ["", "vod", RECIPE, f"{GROUP}\n", f"{GROUP}/x", ["a"]]),
    (p.arn("recipe"), ["", "aws-vod-top-picks", GROUP]),
]


@pytest.mark.parametrize(
    ("reader", "bad"),
    [
        pytest.param(reader, bad, id=f"{reader.allowed}: {bad!r}"[:80])
        for reader, values in REFUSED
        for bad in values
    ],
)
def test_what_has_not_the_form_it_must_have_is_refused_with_what_is_allowed(
    reader: Reader, bad: object
) -> None:
    with pytest.raises(BadRequestError) as refused:
        reader.read("Property", bad)

    assert str(refused.value) == f"Property: got {str(bad)!r}; allowed: {reader.allowed}."


def test_what_is_refused_within_a_property_is_what_is_named() -> None:
    def parse(value: object) -> object:
        return p.COUNT.read("Property.member", value)

    with pytest.raises(BadRequestError, match=r"Property\.member: got 'x'"):
        Reader(parse, "a map").read("Property", "x")


def test_properties_that_are_not_known_are_refused_the_first_by_name() -> None:
    reject_unknown({"Known": 1}, ["Known", "Absent"])

    with pytest.raises(BadRequestError, match=r"^Unknown property Anew: got '2'; allowed: the "):
        reject_unknown({"Known": 1, "Other": 3, "Anew": 2}, ["Known"])


@given(st.text())
def test_of_a_value_no_more_is_repeated_than_a_person_reads(value: str) -> None:
    said = str(BadRequestError("Property", got=value, allowed="nothing"))

    assert f"{truncate(value, 200)!r}" in said


def test_a_long_value_is_cut_to_two_hundred_bytes_with_its_quotes() -> None:
    for size in (198, 199, 300):
        said = str(BadRequestError("Property", got="x" * size, allowed="nothing"))

        repeated = "x" * size if size == 198 else truncate("x" * size, 200)
        assert said == f"Property: got {repeated!r}; allowed: nothing."
        assert len(json.dumps(repeated)) <= 200
