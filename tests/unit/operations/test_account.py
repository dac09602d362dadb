from typing import Any

import pytest

from lambdas.recommender.aws.errors import IN_USE, InUseError
from operations.account import Account
from operations.computations.template import UnreadableError
from tests.unit.recommender.fakes import FakePersonalize, refusal

from .examples import ARN, STACK_ID, stack


class FakeCloudFormation:
    """Answers GetTemplate, DescribeStacks and ListStackResources."""

    def __init__(self, body: object = None) -> None:
        self.body = body

    def get_template(self, **_: object) -> Any:
        return {"TemplateBody": self.body}

    def list_stack_resources(self, **_: object) -> Any:
        return {"StackResourceSummaries": []}

    def describe_stacks(self, **_: object) -> Any:
        parameters = [
            {"ParameterKey": "Group", "ParameterValue": "arn"},
            {"ParameterKey": "Of the SSM", "ParameterValue": "/key", "ResolvedValue": "value"},
            {"ParameterKey": "Without"},
        ]
        one = {"StackId": STACK_ID, "StackName": "TopPicks", "StackStatus": "CREATE_COMPLETE"}
        return {"Stacks": [{**one, "Parameters": parameters}]}


def account(body: object = None, *, tags_refused: str = "") -> Account:
    """Return an account with a recommender whose tags are refused."""
    cloudformation: Any = FakeCloudFormation(body)
    unused: Any = None
    personalize = FakePersonalize()
    personalize.add(ARN)
    personalize.faults["ListTagsForResource"] = refusal(tags_refused)
    return Account(cloudformation, personalize, unused, unused, "eu-west-1")


@pytest.mark.parametrize("body", [{"Resources": {}}, '{"Resources": {}}'])
def test_template_may_be_text(body: object) -> None:
    assert account(body).chains(stack()) == ()


def test_template_that_is_not_json_is_unreadable() -> None:
    with pytest.raises(UnreadableError, match="not JSON"):
        account("Resources:\n  A: 1").chains(stack())


def test_stack_has_the_values_of_its_parameters() -> None:
    found = account().stack("TopPicks")
    assert found
    assert found.parameters == {"Group": "arn", "Of the SSM": "value", "Without": ""}


def test_recommender_that_vanishes_before_its_tags_are_read_does_not_exist() -> None:
    assert account(tags_refused="ResourceNotFoundException").observed(ARN) is None


def test_tags_in_use_are_left_out_if_allowed() -> None:
    found = account(tags_refused=IN_USE).observed(ARN, may_lack_tags=True)
    assert found
    assert found.tags is None
    with pytest.raises(InUseError):
        account(tags_refused=IN_USE).observed(ARN)


def test_connection_takes_the_region_of_the_option_then_of_the_environment_as_the_aws_cli_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody's")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert Account.connect("us-east-1").region == "us-east-1"
    assert Account.connect(None).region == "eu-west-1"
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    assert Account.connect(None).region == "us-west-2"
