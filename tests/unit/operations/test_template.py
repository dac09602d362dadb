from typing import Any

import pytest

from operations.computations.template import (
    UnreadableError,
    evaluate,
    evaluate_partly,
    looks_alike,
    matches,
    references,
    restore_tags,
)

from .examples import stack

ATTRIBUTES = {"Recommender.Arn": "arn"}
GET_ATT = {"Fn::GetAtt": ["Recommender", "Arn"]}
UNKNOWN = {"Fn::GetAtt": ["Group", "Arn"]}


@pytest.mark.parametrize(
    ("shown", "text", "expected"),
    [
        ("video", "video", True),
        ("video", "films", False),
        ("K?ln", "Köln", True),
        ("Köln", "Köln", True),
        ("Koeln", "Köln", False),
        ("K?ln", "Köln am Rhein", False),
        ("??", "東京", True),
        ("??", "営業部", False),
        ("?", "\N{FILM PROJECTOR}", True),
        ("??", "\N{FILM PROJECTOR}", True),
        ("???", "\N{FILM PROJECTOR}", False),
    ],
)
def test_text_looks_alike_if_each_character_beyond_ascii_is_a_question_mark(
    shown: str, text: str, expected: bool
) -> None:
    assert looks_alike(shown, text) is expected


@pytest.mark.parametrize(
    ("shown", "actual", "restored"),
    [
        ({"team": "v?deo"}, {"team": "video"}, {"team": "v?deo"}),
        ({"Gr??e": "K?ln"}, {"Größe": "Köln", "team": "video"}, {"Größe": "Köln"}),
        (
            {"a": "M?ller", "b": "M?ller"},
            {"a": "Müller", "b": "Möller"},
            {"a": "Müller", "b": "Möller"},
        ),
        ({"??": "1"}, {"部署": "2", "都市": "1"}, {"都市": "1"}),
        ({"??": "3"}, {"部署": "2", "都市": "1"}, {"部署": "3"}),
        ({"??": "1", "???": "2"}, {"都市": "1", "部署名": "2"}, {"都市": "1", "部署名": "2"}),
        ({"??": "??"}, {"team": "東京"}, {"??": "??"}),
        ({"team": "??"}, {"city": "東京"}, {"team": "??"}),
    ],
)
def test_tags_are_restored_from_the_actual_tags_that_look_alike(
    shown: dict[str, str], actual: dict[str, str], restored: dict[str, str]
) -> None:
    assert restore_tags(shown, actual) == restored


@pytest.mark.parametrize(
    ("value", "partly"),
    [
        (GET_ATT, "arn"),
        ({"a": [GET_ATT, 1]}, {"a": ["arn", 1]}),
        ({"Fn::Join": ["/", ["x", GET_ATT]]}, "x/arn"),
        (UNKNOWN, UNKNOWN),
        ({"Fn::GetAtt": "Recommender.Arn"}, {"Fn::GetAtt": "Recommender.Arn"}),
        ({"Ref": "Group"}, {"Ref": "Group"}),
        ({"Ref": "AWS::StackName"}, "TopPicks"),
        (
            {"Fn::Join": ["/", [{"Ref": "AWS::StackName"}, UNKNOWN]]},
            {"Fn::Join": ["/", ["TopPicks", UNKNOWN]]},
        ),
    ],
)
def test_value_is_evaluated_as_far_as_possible(value: Any, partly: Any) -> None:
    assert evaluate_partly(value, stack(), ATTRIBUTES) == partly
    if partly == value or "Group" in str(partly):
        with pytest.raises(UnreadableError):
            evaluate(value, stack(), ATTRIBUTES)
    else:
        assert evaluate(value, stack(), ATTRIBUTES) == partly


@pytest.mark.parametrize(
    ("shown", "given", "expected"),
    [
        ("Gr??e", "Größe", True),
        ({"Gr??e": ["?"]}, {"Größe": ["é"]}, True),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1}, {"a": 1, "b": 1}, False),
        ({"a": 1, "b": 1}, {"a": 1}, False),
        (["a"], ["a", "b"], False),
        (["a", "b"], ["b", "a"], False),
        ("1", 1, False),
        (None, None, True),
    ],
)
def test_value_matches_if_get_template_may_show_it_so(
    shown: Any, given: Any, expected: bool
) -> None:
    assert matches(shown, given) is expected


def test_references_are_found_at_any_depth() -> None:
    value = {"a": [{"Ref": "One"}, {"Fn::Join": ["", [UNKNOWN]]}], "b": {"Fn::Sub": "x${Two.Arn}"}}
    assert set(references(value)) == {"One", "Group", "Two"}
