"""What can be adjusted, and how it is read from JSON."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_aws.personalize import Behaviour

seconds = st.floats(0, 1e9)
behaviours = st.builds(
    Behaviour,
    create_pending=seconds,
    delete=seconds,
    training_failure=st.none() | st.text(),
    update_semantics=st.sampled_from(["merge", "replace"]),
    echo=st.sampled_from(["as set", "in full", "without defaults", "nothing"]),
    retraining_every=st.none() | seconds,
    throttle_every=st.none() | st.integers(1, 100),
    metrics=st.none() | st.dictionaries(st.text(), st.floats(0, 1)),
    page_size=st.integers(1, 100),
)


@settings(max_examples=25)
@given(behaviours)
def test_json_holds_all_of_it(behaviour: Behaviour) -> None:
    assert Behaviour.from_json(behaviour.to_json()) == behaviour


@settings(max_examples=25)
@given(behaviours)
def test_what_json_omits_is_as_before(behaviour: Behaviour) -> None:
    changed = Behaviour.from_json('{"stop": 7.5}', base=behaviour)
    assert changed == dataclasses.replace(behaviour, stop=7.5)
    assert Behaviour.from_json("{}") == Behaviour()


def test_unknown_fields_are_named_beside_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"Unknown fault speed. The faults are create_pending, .*"):
        Behaviour.from_json('{"speed": 1}')


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("create_pending", -1, "a number of at least 0"),
        ("create_pending", None, "a number of at least 0"),
        ("create_pending", "1", "a number of at least 0"),
        ("create_pending", True, "a number of at least 0"),
        ("create_pending", float("nan"), "a number of at least 0"),
        ("retraining_every", -1, "null or a number of at least 0"),
        ("page_size", 0, "a whole number of at least 1"),
        ("page_size", 1.5, "a whole number of at least 1"),
        ("throttle_every", 0, "null or a whole number of at least 1"),
        ("throttle_every", True, "null or a whole number of at least 1"),
        ("echo", "yes", "'as set' or 'in full' or .*'nothing'"),
        ("training_failure", 1, "null or a text"),
        ("update_semantics", "mrege", "'merge' or 'replace'"),
        ("metrics", {"coverage": "high"}, "null or an object of numbers of at least 0"),
        ("metrics", [], "null or an object of numbers of at least 0"),
    ],
)
def test_values_of_another_kind_are_refused(field: str, value: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=rf"^Fault {field}: got .*; allowed: {expected}$"):
        Behaviour.from_json(json.dumps({field: value}))


@pytest.mark.parametrize("text", ["[]", "null", "{", ""])
def test_only_an_object_is_a_behaviour(text: str) -> None:
    with pytest.raises(ValueError):
        Behaviour.from_json(text)
