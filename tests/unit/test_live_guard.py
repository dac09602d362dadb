import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from local_aws import processes, toolchain
from tests.live import guard
from tests.live.account import LiveAccount, Trial
from tests.live.guard import ACCEPT_COST, DATASET_GROUP, Consent, LiveRunRefusedError
from tests.support.project import run_command

ARN = "arn:aws:personalize:eu-west-1:111111111111:dataset-group/vod"
CONSENT = Consent(ARN, "111111111111", "eu-west-1", "mine")
AGREED = {DATASET_GROUP: ARN, ACCEPT_COST: "111111111111"}
COMPLETE = AGREED | {"AWS_PROFILE": "mine"}
KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret"}


def test_with_everything_given_they_may_run() -> None:
    assert guard.consent(COMPLETE) == CONSENT


def test_keys_do_instead_of_a_profile() -> None:
    assert guard.consent(AGREED | KEYS).profile is None


def test_half_a_key_does_not() -> None:
    with pytest.raises(LiveRunRefusedError, match="No credentials are given: set AWS_PROFILE"):
        guard.consent(AGREED | {"AWS_ACCESS_KEY_ID": "AKIA"})


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "no dataset group": ({DATASET_GROUP: ""}, f"{DATASET_GROUP} is not set: give the ARN of an"),
    "no ARN": ({DATASET_GROUP: "vod"}, f"{DATASET_GROUP} is 'vod': give the ARN"),
    "an ARN of something else": (
        {DATASET_GROUP: ARN.replace("dataset-group", "recommender")},
        ":recommender/vod': give the ARN of an ACTIVE dataset group",
    ),
    "an ARN of another service": ({DATASET_GROUP: ARN.replace("personalize", "s3")}, "is 'arn"),
    "an ARN without an account": ({DATASET_GROUP: ARN.replace("111111111111", "")}, "is 'arn"),
    "an ARN without a region": ({DATASET_GROUP: ARN.replace("eu-west-1", "")}, "is 'arn"),
    "no consent to the cost": (
        {ACCEPT_COST: ""},
        f"{ACCEPT_COST} is not set: give the account id 111111111111 of the dataset group",
    ),
    "a yes that names no account": ({ACCEPT_COST: "yes"}, f"{ACCEPT_COST} is 'yes': give"),
    "consent for another account": ({ACCEPT_COST: "222222222222"}, "is '222222222222': give"),
    "credentials that cannot be renewed": (
        KEYS | {"AWS_PROFILE": "", "AWS_SESSION_TOKEN": "token"},
        "AWS_SESSION_TOKEN is set: such credentials end within hours",
    ),
    "no credentials": ({"AWS_PROFILE": ""}, "No credentials are given: set AWS_PROFILE, or AWS_"),
    "keys and an empty profile, which boto3 would look for": (
        KEYS | {"AWS_PROFILE": ""},
        "Both AWS_PROFILE and AWS_ACCESS_KEY_ID",
    ),
    "two sets of credentials": (
        KEYS,
        "Both AWS_PROFILE and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set",
    ),
    "another endpoint": (
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
        "AWS_ENDPOINT_URL is set, so the calls would not go to AWS: unset it.",
    ),
    "another endpoint of one service": (
        {"AWS_ENDPOINT_URL_PERSONALIZE": "http://127.0.0.1:4566"},
        "AWS_ENDPOINT_URL_PERSONALIZE is set",
    ),
}


@pytest.mark.parametrize(("change", "problem"), REFUSED.values(), ids=REFUSED)
def test_whatever_is_missing_or_wrong_refuses(change: dict[str, str], problem: str) -> None:
    with pytest.raises(LiveRunRefusedError) as refused:
        guard.consent(COMPLETE | change)
    first, *problems = str(refused.value).splitlines()
    assert first == "The live tests refuse to run; nothing was called."
    assert any(problem in line for line in problems)


def test_everything_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(LiveRunRefusedError) as refused:
        guard.consent({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})
    assert len(str(refused.value).splitlines()) == 1 + 4


def test_the_warning_says_where_and_that_it_costs() -> None:
    warning = CONSENT.warning
    assert "account 111111111111 in eu-west-1" in warning
    assert "COSTS MONEY" in warning


def test_credentials_of_another_account_are_refused() -> None:
    guard.check_account(CONSENT, "111111111111")
    with pytest.raises(LiveRunRefusedError, match="are of account 222222222222"):
        guard.check_account(CONSENT, "222222222222")


def test_endpoints_of_aws_are_called() -> None:
    guard.check_endpoint("https://personalize.eu-west-1.amazonaws.com")
    guard.check_endpoint("https://sts.cn-north-1.amazonaws.com.cn")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:4566",
        "http://personalize.eu-west-1.amazonaws.com",
        "https://personalize.eu-west-1.amazonaws.com.example.org",
        "https://notamazonaws.com",
        "https://",
    ],
)
def test_other_endpoints_are_refused(url: str) -> None:
    with pytest.raises(LiveRunRefusedError, match="not AWS"):
        guard.check_endpoint(url)


def test_a_column_with_metadata_is_found_in_the_schema() -> None:
    fields = '[{"name": "ITEM_ID"}, {"name": "CREATION_TIMESTAMP"}, {"name": "GENRES"}]'
    assert guard.metadata_column(f'{{"fields": {fields}}}') == "GENRES"
    nullable = (
        '[{"name": "PRICE", "type": ["null", "float"]}, {"name": "GENRES", "type": "string"}]'
    )
    assert guard.metadata_column(f'{{"fields": {nullable}}}') == "GENRES"
    only = '[{"name": "ITEM_ID", "type": "string"}, {"name": "PRICE", "type": ["null", "float"]}]'
    assert guard.metadata_column(f'{{"fields": {only}}}') == "PRICE"
    with pytest.raises(LiveRunRefusedError, match="no metadata column, only ITEM_ID: use another"):
        guard.metadata_column('{"fields": [{"name": "ITEM_ID"}]}')


class TestAgreed:
    """The test reads the account before it creates anything there."""

    def test_an_account_that_is_as_agreed_is_taken(self, seen: dict[str, Any]) -> None:
        assert seen["account"] == "111111111111"
        assert LiveAccount.agreed(CONSENT).metadata_column == "GENRES"

    @pytest.mark.parametrize(
        ("key", "value", "problem"),
        [
            ("account", "222222222222", "are of account 222222222222"),
            ("status", "CREATE PENDING", "is CREATE PENDING and of the domain VIDEO_ON_DEMAND"),
            ("domain", "ECOMMERCE", "is ACTIVE and of the domain ECOMMERCE"),
            ("dataset", "USERS", "has no Items dataset"),
        ],
    )
    def test_an_account_that_is_not_as_agreed_is_refused(
        self, seen: dict[str, Any], key: str, value: str, problem: str
    ) -> None:
        seen[key] = value
        with pytest.raises(LiveRunRefusedError, match=problem):
            LiveAccount.agreed(CONSENT)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the account shows; clients are botocore's own, which check requests and answers."""
    shown = {
        "account": "111111111111",
        "status": "ACTIVE",
        "domain": "VIDEO_ON_DEMAND",
        "dataset": "ITEMS",
    }
    dataset = "arn:aws:personalize:eu-west-1:111111111111:dataset/vod/ITEMS"
    schema = "arn:aws:personalize:::schema/items"

    def client(_: LiveAccount, service: str) -> Any:
        made = boto3.Session("a", "b", region_name="eu-west-1").client(service)  # type: ignore[call-overload]
        stubber = Stubber(made)
        if service == "sts":
            stubber.add_response("get_caller_identity", {"Account": shown["account"]}, {})
        else:
            group = {"status": shown["status"], "domain": shown["domain"]}
            datasets = [{"datasetArn": dataset, "datasetType": shown["dataset"]}]
            columns = '{"fields": [{"name": "ITEM_ID"}, {"name": "GENRES"}]}'
            of_group = {"datasetGroupArn": ARN}
            stubber.add_response("describe_dataset_group", {"datasetGroup": group}, of_group)
            stubber.add_response("list_datasets", {"datasets": datasets}, of_group)
            stubber.add_response(
                "describe_dataset", {"dataset": {"schemaArn": schema}}, {"datasetArn": dataset}
            )
            stubber.add_response(
                "describe_schema", {"schema": {"schema": columns}}, {"schemaArn": schema}
            )
        stubber.activate()
        return made

    monkeypatch.setattr(LiveAccount, "client", client)
    return shown


class TestPytest:
    """What the guard makes of a pytest command."""

    def test_with_nothing_given_a_run_fails_at_once_and_says_what_is_missing(self) -> None:
        ran = _pytest("--force-enable-socket", "tests/live")
        assert ran.returncode == pytest.ExitCode.USAGE_ERROR
        assert "nothing was called" in ran.stderr
        assert all(name in ran.stderr for name in (DATASET_GROUP, ACCEPT_COST, "AWS_PROFILE"))
        assert "collected" not in ran.stdout

    def test_with_everything_given_sockets_have_to_be_allowed_as_well(self) -> None:
        ran = _pytest("tests/live", **COMPLETE)
        assert ran.returncode == pytest.ExitCode.USAGE_ERROR
        assert "make test-live" in ran.stderr

    def test_an_endpoint_in_a_configuration_file_is_refused(self, tmp_path: Path) -> None:
        config = tmp_path / "config"
        config.write_text("[default]\nendpoint_url = http://127.0.0.1:9\n")
        agreed = AGREED | KEYS | {"AWS_CONFIG_FILE": str(config)}
        ran = _pytest("--force-enable-socket", "-p", "no:randomly", "tests/live", **agreed)
        assert ran.returncode == pytest.ExitCode.USAGE_ERROR
        assert "A client would call http://127.0.0.1:9, which is not AWS" in ran.stdout
        assert ran.stdout.index("IT COSTS MONEY") < ran.stdout.index("A client would call")

    @pytest.mark.parametrize("environ", [{}, COMPLETE], ids=["nothing given", "everything given"])
    def test_a_run_of_all_tests_leaves_them_out(self, environ: dict[str, str]) -> None:
        folders = (one for one in (toolchain.ROOT / "tests").iterdir() if one.is_dir())
        ignored = (f"--ignore={one}" for one in folders if one.name != "live")
        ran = _pytest("--collect-only", "--force-enable-socket", *ignored, **environ)
        assert ran.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, ran.stdout


def _pytest(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    not_ours = ("AWS_", "COVERAGE_")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(not_ours)}
    env = {name: value for name, value in ours.items() if "TOP_PICKS" not in name} | environ
    return run_command(sys.executable, "-m", "pytest", *arguments, env=env)


def test_a_stack_is_destroyed_though_what_is_left_cannot_be_listed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    account: Any = None
    trial = Trial(account, tmp_path)
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListRoles")
    commands: list[str] = []
    monkeypatch.setattr(Trial, "stack", {"StackStatus": "CREATE_COMPLETE"})
    monkeypatch.setattr(trial, "_remember", mock.Mock(side_effect=refused))
    monkeypatch.setattr(trial, "_cdk", lambda command, *_: commands.append(command))
    monkeypatch.setattr(trial, "is_gone", mock.Mock(side_effect=AssertionError))

    with pytest.raises(ClientError):
        trial.removed()

    assert commands == ["destroy"]


GONE: dict[str, Any] = {}
CREATING = {"StackId": "1", "StackStatus": "CREATE_IN_PROGRESS"}
CREATED = {"StackId": "1", "StackStatus": "CREATE_COMPLETE"}
CHANGED = {"StackId": "1", "StackStatus": "UPDATE_COMPLETE", "LastUpdatedTime": "later"}
ROLLED_BACK = CHANGED | {"StackStatus": "UPDATE_ROLLBACK_COMPLETE"}
REVIEWED = {"StackId": "1", "StackStatus": "REVIEW_IN_PROGRESS"}
UNKNOWN = EndpointConnectionError(endpoint_url="https://aws")


@pytest.mark.parametrize(
    ("command", "seen", "succeeded"),
    [
        ("deploy", [GONE, CREATING, UNKNOWN, CREATING, CREATED], True),
        ("deploy", [CREATED, CHANGED], True),
        ("deploy", [CREATED, ROLLED_BACK], False),
        ("deploy", [CREATED, CREATED], False),
        ("deploy", [GONE, REVIEWED], False),
        ("deploy", [GONE, GONE], False),
        ("destroy", [CREATED, CREATED | {"StackStatus": "DELETE_IN_PROGRESS"}, GONE], True),
        ("destroy", [CREATED, UNKNOWN, CREATED | {"StackStatus": "DELETE_FAILED"}], False),
    ],
)
def test_what_a_command_has_begun_counts_and_not_how_the_command_has_ended(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
    seen: list[Any],
    succeeded: bool,
) -> None:
    unused: dict[str, Any] = {"where": "", "metadata_column": "", "credentials": {}, "env": {}}
    unused |= {"dataset_group_arn": ARN, "endpoint": None, "settings": {}}
    account = LiveAccount(**unused, pace=0.0, patience=60.0)
    failed = mock.Mock(return_value=subprocess.CompletedProcess([], 1))
    monkeypatch.setattr(processes, "run", failed)
    stack = mock.PropertyMock(side_effect=seen)
    monkeypatch.setattr(Trial, "stack", stack)

    assert Trial(account, tmp_path)._cdk(command) is succeeded
    assert stack.call_count == len(seen)
