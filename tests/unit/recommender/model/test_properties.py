"""CloudFormation's strings are read strictly."""

import json
from decimal import Decimal
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model import properties as p
from lambdas.recommender.model.properties import BadRequestError, Reader, reject_unknown
from lambdas.recommender.text import truncate
from tests.support.place import GROUP, RECIPE

from ..examples import MINE

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
    (p.arn("recommender"), MINE, MINE),
    (
        p.arn("dataset-group"),
        "arn:aws-cn:personalize:cn-north-1:111111111111:dataset-group/vod",
        "arn:aws-cn:personalize:cn-north-1:111111111111:dataset-group/vod",
    ),
]


@pytest.mark.parametrize(("reader", "value", "meant"), READ)
def test_reader_returns_the_value_that_a_string_means(
    reader: Reader, value: object, meant: object
) -> None:
    read = reader.read("Property", value)

    assert read == meant
    assert type(read) is type(meant)


def test_arn_reader_reads_an_arn_of_its_kind_alone_and_names_the_kind() -> None:
    reader = p.arn("recipe")

    assert reader.read("Property", RECIPE) == RECIPE
    for bad in (GROUP, RECIPE.upper(), f"XX{RECIPE}", RECIPE.replace("personalize", "s3")):
        with pytest.raises(BadRequestError) as refused:
            reader.read("Property", bad)
        assert str(refused.value) == (
            f"Property: got {bad!r}; allowed: the ARN of a Personalize recipe."
        )


NUMBERS = ["", " 1", "1 ", "+1", "-1", "1e3", "NaN", "\u0663", "1\n", 1, None, True, [], {}]
REFUSED: list[tuple[Reader, list[Any]]] = [
    (p.TEXT, ["", None, 1, [], {}]),
    (p.MAP, ["", "x", [], None, 1]),
    (p.BOOLEAN, ["True", "FALSE", "1", "yes", "", "true\n", True, None, [], {}]),
    (p.COUNT, [*NUMBERS, "0", "01", "1.0", "2147483648", "9999999999"]),
    (p.WEIGHT, [*NUMBERS, "\u0660.\u0663", ".5", "1.", "1.000000000000000001", "0." + "1" * 19]),
    (p.SECONDS, [*NUMBERS, ".5", "1h", "1" * 16]),
    (p.COLUMNS, ["ITEMS", ["ITEMS"], {"ITEMS": "A"}, {"ITEMS": [1]}, {"": ["A"]}, None]),
    (p.TAGS, ["team", ["team"], {"team": 1}, {"": "x"}, {v.OWNER_STACK_TAG: "x"}, None]),
    (p.NAME, ["", "-x", "_x", "x" * (v.MAX_NAME_LENGTH + 1), "a b", "a\n", "nämé", ["x"]]),
    (p.NAME_PREFIX, ["", "-x", "x" * (v.MAX_PREFIX_LENGTH + 1), "a b", "a/b", "é"]),
    (p.arn("dataset-group"), ["", "vod", RECIPE, f"{GROUP}\n", f"{GROUP}/x", ["a"]]),
]


@pytest.mark.parametrize(
    ("reader", "bad"),
    [
        pytest.param(reader, bad, id=f"{reader.allowed}: {bad!r}"[:80])
        for reader, values in REFUSED
        for bad in values
    ],
)
def test_reader_refuses_another_form_with_the_allowed_one(reader: Reader, bad: object) -> None:
    with pytest.raises(BadRequestError) as refused:
        reader.read("Property", bad)

    assert str(refused.value) == f"Property: got {str(bad)!r}; allowed: {reader.allowed}."


def test_refusal_within_a_property_names_the_member() -> None:
    def parse(value: object) -> object:
        return p.COUNT.read("Property.member", value)

    with pytest.raises(BadRequestError, match=r"Property\.member: got 'x'"):
        Reader(parse, "a map").read("Property", "x")


def test_reject_unknown_names_the_first_unknown_property() -> None:
    reject_unknown({"Known": 1}, ["Known", "Absent"])

    with pytest.raises(BadRequestError, match=r"^Unknown property Anew: got '2'; allowed: the "):
        reject_unknown({"Known": 1, "Other": 3, "Anew": 2}, ["Known"])


def test_refusal_repeats_200_bytes_with_their_quotes() -> None:
    for size in (198, 199, 300):
        said = str(BadRequestError("Property", got="x" * size, allowed="nothing"))

        repeated = "x" * size if size == 198 else truncate("x" * size, 200)
        assert said == f"Property: got {repeated!r}; allowed: nothing."
        assert len(json.dumps(repeated)) <= 200
