"""Arguments, clients and exit codes; what the commands do is in tests/reliability."""

from typing import Any, NoReturn

import pytest

from lambdas.recommender.errors import TransientError
from operations import clients
from operations.__main__ import main
from operations.account import Account, patiently
from operations.template import UnreadableError

from .examples import ARN, STACK_ID, stack


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that are in the environment, and a region that is not."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody's")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")


def _connect(_region: str | None) -> NoReturn:
    raise KeyboardInterrupt


def test_an_interruption_is_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"], connect=_connect) == 130
    assert "what is under way goes on" in capsys.readouterr().err


def test_without_a_region_nothing_can_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drift"]) == 2
    assert "Cannot tell: You must specify a region." in capsys.readouterr().err


def test_the_region_and_the_endpoint_are_found_as_the_aws_cli_finds_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    account, region = clients.connect("us-east-1")
    assert isinstance(account, Account)
    assert region == "us-east-1"
    assert clients.connect(None)[1] == "eu-west-1"
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    assert clients.connect(None)[1] == "us-west-2", "which comes first for the AWS CLI, too"


@pytest.mark.parametrize("interval", ["0", "-1", "3601", "soon"])
def test_an_interval_that_is_none_is_refused(
    interval: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["status", "--interval", interval])
    assert refused.value.code == 2
    assert "--interval" in capsys.readouterr().err


class DeployedCloudFormation:
    """Answers GetTemplate and DescribeStacks."""

    def __init__(self, body: object) -> None:
        self.body = body

    def get_template(self, **_: object) -> Any:
        return {"TemplateBody": self.body}

    def describe_stacks(self, **_: object) -> Any:
        parameters = [
            {"ParameterKey": "Group", "ParameterValue": "arn"},
            {"ParameterKey": "Of the SSM", "ParameterValue": "/key", "ResolvedValue": "value"},
            {"ParameterKey": "Without"},
        ]
        one = {"StackId": STACK_ID, "StackName": "TopPicks", "StackStatus": "CREATE_COMPLETE"}
        return {"Stacks": [{**one, "Parameters": parameters}]}


def account(body: object = None) -> Account:
    cloudformation: Any = DeployedCloudFormation(body)
    personalize: Any = None
    return Account(cloudformation, personalize)


@pytest.mark.parametrize("body", [{"Resources": {}}, '{"Resources": {}}'])
def test_a_template_may_be_text(body: object) -> None:
    assert account(body).template(stack()) == {"Resources": {}}


def test_a_template_that_is_not_json_cannot_be_read() -> None:
    with pytest.raises(UnreadableError, match="not JSON"):
        account("Resources:\n  A: 1").template(stack())


def test_a_stack_has_parameters() -> None:
    found = account().stack("TopPicks")
    assert found
    assert found.parameters == {"Group": "arn", "Of the SSM": "value", "Without": ""}


class Vanishing:
    """Shows a recommender that is gone when its tags are asked for."""

    def describe_recommender(self, **_: object) -> Any:
        return {"recommender": {"recommenderArn": ARN, "status": "ACTIVE"}}

    def list_tags_for_resource(self, **_: object) -> Any:
        from botocore.exceptions import ClientError

        raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "ListTagsForResource")


def test_a_recommender_that_vanishes_between_two_calls_is_not_there() -> None:
    personalize: Any = Vanishing()
    cloudformation: Any = None
    assert Account(cloudformation, personalize).observed(ARN) is None


def test_what_goes_wrong_for_good_is_said_in_the_end() -> None:
    notes: list[str] = []
    pauses: list[float] = []

    def call() -> NoReturn:
        raise TransientError("no usable answer")

    with pytest.raises(TransientError):
        patiently(call, pauses.append, notes.append)
    assert len(notes) == len(pauses) == 9
    assert notes[0] == "no usable answer; trying again"
