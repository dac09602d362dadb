"""The local AWS: it starts, enforces IAM on the simulated Personalize, and ends without a trace."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local_aws import toolchain
from local_aws.engine import ACCOUNT, REGION, LocalAws, LocalAwsError, PortTakenError
from tests.support.local_world import LocalWorld
from tests.support.place import PLACE, RECIPE
from tests.support.roles import Role, policy_document, trust_document

_ARN = f"{PLACE}recommender"
_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


class TestStarting:
    def test_a_folder_has_one_local_aws(self, aws: LocalAws) -> None:
        found = LocalAws.find(aws.folder)
        assert found is not None
        assert (found.pid, found.port) == (aws.pid, aws.port)
        with pytest.raises(LocalAwsError, match=r"runs in .* already"):
            LocalAws.start(aws.folder)

    def test_two_run_side_by_side_and_share_nothing(self, aws: LocalAws, tmp_path: Path) -> None:
        with LocalAws.start(tmp_path / "other") as other:
            other.seed_dataset_group("theirs")
            other.client("sqs").create_queue(QueueName="theirs")
            assert aws.port != other.port
            groups = aws.personalize_state()["datasetGroups"]
            assert "theirs" not in [group["name"] for group in groups]
            assert not aws.client("sqs").list_queues().get("QueueUrls")

    def test_a_port_that_is_asked_for_and_taken_is_an_error(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(PortTakenError, match=f"Port {port} of 127.0.0.1"):
                LocalAws.start(tmp_path, port=port)
        assert LocalAws.find(tmp_path) is None

    def test_the_end_of_the_log_is_in_the_error_when_it_does_not_come_up(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = tmp_path / "broken"
        (broken / "ministack").mkdir(parents=True)
        (broken / "ministack" / "__init__.py").write_text("raise ImportError('no such luck')")
        (broken / "local_aws").symlink_to(toolchain.PACKAGES / "local_aws")
        monkeypatch.setattr(toolchain, "PACKAGES", broken)
        with pytest.raises(LocalAwsError, match=r"(?s)ended with code 1.*no such luck"):
            LocalAws.start(tmp_path / "world")
        assert LocalAws.find(tmp_path / "world") is None


@_LINUX
class TestEnding:
    def test_stopping_ends_the_lambda_workers_too(self, tmp_path: Path) -> None:
        with LocalAws.start(tmp_path) as aws:
            _invoke_a_function(aws)
            assert len(_processes_of(tmp_path)) > 1
        assert _processes_of(tmp_path) == []
        assert not (tmp_path / "data").exists()
        aws.stop()

    def test_a_local_aws_that_has_lost_its_leader_leaves_no_workers(self, tmp_path: Path) -> None:
        with LocalAws.start(tmp_path) as aws:
            _invoke_a_function(aws)
            os.kill(aws.pid, signal.SIGKILL)
            _eventually(lambda: _processes_of(tmp_path) == [])
            assert not aws.is_healthy()

    def test_a_local_aws_ends_with_the_process_that_started_it(self, tmp_path: Path) -> None:
        starter = _start_elsewhere(tmp_path, "time.sleep(600)")
        assert LocalAws.find(tmp_path)
        starter.kill()
        starter.wait()
        _eventually(lambda: _processes_of(tmp_path) == [])

    def test_detached_it_stays_and_can_be_stopped_from_elsewhere(self, tmp_path: Path) -> None:
        starter = _start_elsewhere(tmp_path, "aws.detach()")
        assert starter.wait() == 0
        aws = LocalAws.find(tmp_path)
        assert aws
        assert aws.is_healthy()
        aws.stop()
        assert _processes_of(tmp_path) == []

    @pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_interrupting_a_deployment_leaves_no_process(
        self, tmp_path: Path, signal_number: signal.Signals
    ) -> None:
        command = [sys.executable, "-m", "local_aws", "--folder", str(tmp_path), "deploy"]
        with subprocess.Popen(command, cwd=toolchain.ROOT, stdout=subprocess.PIPE) as deployment:
            assert deployment.stdout
            while b"Deploying" not in deployment.stdout.readline():
                assert deployment.poll() is None
            _eventually(lambda: len(_processes_of(tmp_path)) > 2)
            deployment.send_signal(signal_number)
            assert deployment.wait() == 128 + signal_number
        assert _processes_of(tmp_path) == []


class TestListening:
    def test_only_the_loopback_interface_is_listened_on(self, aws: LocalAws) -> None:
        others = {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None)} | {
            "127.0.0.2"
        }
        for address in others - {"127.0.0.1"}:
            with pytest.raises(OSError, match=r".*"):
                socket.create_connection((address, aws.port), timeout=1).close()


class TestAuthorisation:
    def test_a_role_without_the_permission_is_denied_in_the_words_of_aws(
        self, aws: LocalAws
    ) -> None:
        role = Role(aws)
        role.may("personalize:ListRecommenders", "*")
        with pytest.raises(ClientError) as denial:
            role.client("personalize").describe_recommender(recommenderArn=f"{_ARN}/one")
        assert denial.value.response["Error"] == {
            "Code": "AccessDeniedException",
            "Message": f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{role.name}/test is not "
            f"authorized to perform: personalize:DescribeRecommender on resource: {_ARN}/one "
            "because no identity-based policy allows the personalize:DescribeRecommender action",
        }

    def test_a_new_permission_counts_for_a_session_that_exists(self, aws: LocalAws) -> None:
        role = Role(aws)
        personalize = role.client("personalize")
        with pytest.raises(ClientError, match="AccessDeniedException"):
            personalize.list_recipes()
        role.may("personalize:List*", "*")
        assert personalize.list_recipes()["recipes"]

    def test_an_explicit_deny_wins(self, aws: LocalAws) -> None:
        role = Role(aws)
        role.may("personalize:*", "*")
        role.may("personalize:ListRecipes", "*", effect="Deny")
        with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
            role.client("personalize").list_recipes()

    def test_conditions_on_the_tags_of_a_request_are_evaluated(self, aws: LocalAws) -> None:
        group = aws.seed_dataset_group("tagged")
        role = Role(aws)
        role.may("personalize:CreateRecommender", "*")
        role.may(
            "personalize:TagResource",
            "*",
            condition={"StringEquals": {"aws:RequestTag/team": "vod"}},
        )

        def create(name: str, team: str) -> None:
            role.client("personalize").create_recommender(
                name=name,
                datasetGroupArn=group,
                recipeArn=RECIPE,
                tags=[{"tagKey": "team", "tagValue": team}],
            )

        with pytest.raises(ClientError, match="AccessDeniedException"):
            create("theirs", "other")
        create("ours", "vod")
        names = [one["name"] for one in aws.personalize_state()["recommenders"]]
        assert names == ["ours"]


class TestFunctionLogs:
    def test_a_role_that_may_not_create_a_log_group_does_not(self, aws: LocalAws) -> None:
        name = _invoke_a_function(aws)
        assert name not in str(_log_groups(aws))

    def test_logs_are_written_to_a_group_that_exists_when_the_role_may(self, aws: LocalAws) -> None:
        aws.client("logs").create_log_group(logGroupName="ours")
        _invoke_a_function(aws, "logs:CreateLogStream", "logs:PutLogEvents", log_group="ours")
        events = aws.client("logs").filter_log_events(logGroupName="ours")["events"]
        assert "a line of its own" in [event["message"] for event in events]

    def test_a_role_that_may_create_a_log_group_does(self, aws: LocalAws) -> None:
        name = _invoke_a_function(aws, "logs:*")
        assert f"/aws/lambda/{name}" in _log_groups(aws)


class TestAuthentication:
    def test_a_wrong_signature_is_refused(self, aws: LocalAws) -> None:
        role = Role(aws)
        role.may("personalize:*", "*")
        with pytest.raises(ClientError, match="InvalidSignatureException"):
            role.client("personalize", aws_secret_access_key="wrong").list_recipes()

    def test_a_session_needs_its_token(self, aws: LocalAws) -> None:
        role = Role(aws)
        role.may("personalize:*", "*")
        with pytest.raises(ClientError, match="UnrecognizedClientException"):
            role.client("personalize", aws_session_token=None).list_recipes()


class TestBootstrap:
    def test_the_bootstrap_bucket_keeps_the_policy_that_denies_plain_http(
        self, world: LocalWorld
    ) -> None:
        bucket = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
        policy = json.loads(world.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
        assert policy["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}

    def test_twice_is_once(self, world: LocalWorld) -> None:
        before = world.client("cloudformation").describe_stacks(StackName="CDKToolkit")
        world.aws.bootstrap()
        after = world.client("cloudformation").describe_stacks(StackName="CDKToolkit")
        assert before["Stacks"] == after["Stacks"]

    def test_a_failure_shows_what_the_cli_said(self, aws: LocalAws) -> None:
        with pytest.raises(LocalAwsError, match=r"(?s)cdk bootstrap failed:.*Log: "):
            aws.bootstrap(account="not-an-account")


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path_factory.mktemp("aws")) as started:
        yield started


def _invoke_a_function(aws: LocalAws, *actions: str, log_group: str | None = None) -> str:
    """Create a function whose role may do something, let it log, and return its name."""
    name = f"function-{uuid.uuid4().hex[:8]}"
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "def handler(event, _):\n    print('a line of its own')\n")
    iam = aws.client("iam")
    role = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=trust_document({"Service": "lambda.amazonaws.com"})
    )
    if actions:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        iam.put_role_policy(
            RoleName=name, PolicyName="policy", PolicyDocument=policy_document(statement)
        )
    functions = aws.client("lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="index.handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": code.getvalue()},
        LoggingConfig={"LogGroup": log_group} if log_group else {},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    assert functions.invoke(FunctionName=name)["Payload"].read() == b"null"
    return name


def _log_groups(aws: LocalAws) -> list[str]:
    groups = aws.client("logs").describe_log_groups()["logGroups"]
    return [group["logGroupName"] for group in groups]


def _start_elsewhere(folder: Path, then: str) -> subprocess.Popen[str]:
    """Start a local AWS in a process of its own, wait until it runs, and do something."""
    script = f"""
import pathlib, time
from local_aws.engine import LocalAws
aws = LocalAws.start(pathlib.Path({str(folder)!r}))
print("running", flush=True)
{then}
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=toolchain.ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "running\n"
    process.stdout.close()
    return process


def _processes_of(folder: Path) -> list[str]:
    """Return the commands of the live processes whose environment names the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder).encode() in environment:
            found.append(command)
    return found


def _eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)
