"""Both evaluators of templates: the tests' oracle, and the one of `operations`."""

import json
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from operations.computations.chain import chains
from operations.computations.stack import Stack
from tests.support.intrinsics import resolve
from tests.support.place import ACCOUNT, REGION
from tests.support.synthesis import stringified
from tests.support.template import the

STACK = Stack(
    f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/TopPicks/1", "TopPicks", "CREATE_COMPLETE"
)
KNOWN = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackId": STACK.id,
    "AWS::StackName": STACK.name,
}


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "Role"}, "Role"),
        ({"Fn::GetAtt": ["Role", "Arn"]}, "Role.Arn"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Role"}, 1]]}, "a-Role-1"),
        ({"Fn::Sub": "${Role}:${Role.Arn}:${AWS::Region}"}, "Role:Role.Arn:AWS::Region"),
        ({"a": [{"Ref": "Role"}, 1, None]}, {"a": ["Role", 1, None]}),
    ],
)
def test_an_intrinsic_function_anywhere_in_a_value_is_evaluated(value: Any, resolved: Any) -> None:
    assert resolve(value, lambda name, of: f"{name}.{of}" if of else name) == resolved


def test_the_recommender_of_a_template_has_the_same_properties_by_both_evaluators(
    template: dict[str, Any],
) -> None:
    _, recommender = the(template, v.RECOMMENDER_TYPE)
    given = {key: one for key, one in recommender["Properties"].items() if key != "ServiceToken"}

    (chain,) = chains(template, STACK, ())

    assert chain.request.properties == stringified(resolve(given, lambda name, _: KNOWN[name]))
    assert "Fn::" not in json.dumps(chain.request.properties)
