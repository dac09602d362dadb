import json
from typing import Any

import pytest

from local_aws import commands, faults
from local_aws.engine import LocalAwsError
from local_aws.personalize import Behaviour

USUAL: dict[str, Any] = json.loads(Behaviour().to_json())


def test_every_field_is_listed_with_its_value_what_is_allowed_and_what_it_does() -> None:
    fields = Behaviour.documented()
    assert fields.keys() == USUAL.keys()
    assert all(field.allowed and field.description for field in fields.values())

    shown = faults.listed(USUAL, USUAL)

    assert (
        "update_failure=null\n    null or a text\n    The `failureReason` with which updates that "
        "begin from now on end in CREATE FAILED.\n"
    ) in shown
    assert "<- set" not in shown
    assert max(map(len, shown.splitlines())) <= max(
        100, len(f"metrics={json.dumps(USUAL['metrics'])}")
    )


def test_what_is_set_is_marked_and_listed_alone() -> None:
    told = USUAL | {"throttle_every": 3, "echo": "nothing"}

    assert "throttle_every=3   <- set; usually null\n" in faults.listed(told, USUAL)
    assert faults.differing(told, USUAL) == (
        'echo=nothing   <- set; usually "as set"\nthrottle_every=3   <- set; usually null'
    )
    assert faults.differing(USUAL, USUAL) == "none"


@pytest.mark.parametrize(
    ("assignment", "name", "value"),
    [
        ("throttle_every=3", "throttle_every", 3),
        ("throttle_every=null", "throttle_every", None),
        ("delete=0.5", "delete", 0.5),
        ("normalise_numbers=true", "normalise_numbers", True),
        ("echo=in full", "echo", "in full"),
        ("training_failure=No such luck", "training_failure", "No such luck"),
        ("training_failure=42", "training_failure", "42"),
        ("training_failure=a=b", "training_failure", "a=b"),
        ("training_failure=null", "training_failure", None),
        ('metrics={"coverage": 0.5}', "metrics", {"coverage": 0.5}),
    ],
)
def test_a_value_is_json_or_text_where_text_is_meant(
    assignment: str, name: str, value: object
) -> None:
    fields = faults.given([assignment])
    assert fields == {name: value}
    assert getattr(Behaviour.from_json(json.dumps(fields)), name) == value


def test_a_name_alone_is_answered_with_those_that_are_like_it() -> None:
    with pytest.raises(
        LocalAwsError,
        match=r"^Fault failure: got no value; allowed: name=value, or only reset. .*_fail",
    ):
        faults.given(["delete=1", "failure"])


def test_a_reset_sets_every_field() -> None:
    usual = commands._usual_behaviour()
    assert usual.keys() == USUAL.keys()
    assert usual["create_in_progress"] < 60
    assert Behaviour.from_json(json.dumps(usual))
