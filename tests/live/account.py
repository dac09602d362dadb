"""An account that the live tests deploy to, and one stack in it."""

import contextlib
import json
import os
import secrets
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.recommender.model.identity import Arn
from local_aws import processes, toolchain
from operations.computations.stack import DELETED, Stack, has_succeeded
from tests.live import guard
from tests.live.guard import Consent, LiveRunRefusedError
from tests.support.local_world import LocalWorld

_HOURS: Final = 3600.0
_LISTS_LAG: Final = 900.0
_SECRET: Final = "AWS_SECRET_ACCESS_KEY"


@dataclass(frozen=True, kw_only=True)
class LiveAccount:
    """AWS, or the embedded AWS, with a dataset group in it."""

    where: str
    dataset_group_arn: str
    metadata_column: str
    credentials: Mapping[str, str]
    """Arguments of `boto3.Session`."""
    endpoint: str | None
    env: Mapping[str, str]
    """The environment of the CDK CLI."""
    settings: Mapping[str, object]
    pace: float
    """Seconds between two observations."""
    patience: float
    """Seconds that the longest operation of a stack may take."""

    @classmethod
    def agreed(cls, consent: Consent) -> Self:
        """Return the account that was agreed to, after a check that it is as it was said to be.

        Raises:
            LiveRunRefusedError: It is not; nothing but reading calls was made.
        """
        account = cls(
            where=f"AWS, {consent.region}",
            dataset_group_arn=consent.dataset_group_arn,
            metadata_column="",
            credentials={"profile_name": consent.profile} if consent.profile else {},
            endpoint=None,
            env=dict(os.environ)
            | toolchain.environment(Path.home())
            | {
                "AWS_REGION": consent.region,
                "AWS_DEFAULT_REGION": consent.region,
                "CDK_DISABLE_CLI_TELEMETRY": "true",
                "CDK_DISABLE_VERSION_CHECK": "true",
                "CDK_NOTICES": "false",
            },
            settings={},
            pace=20.0,
            patience=24 * _HOURS,
        )
        guard.check_account(consent, account.client("sts").get_caller_identity()["Account"])
        column = _metadata_column(account.client("personalize"), consent.dataset_group_arn)
        return cls(**(vars(account) | {"metadata_column": column}))

    @classmethod
    def embedded(cls, world: LocalWorld) -> Self:
        """Return the embedded AWS as such an account, in which hours are seconds."""
        world.set_behaviour(create_in_progress=12.0)
        env = world.aws.env()
        return cls(
            where="the embedded AWS, which says nothing about AWS",
            dataset_group_arn=world.dataset_group_arn,
            metadata_column="TITLE",
            credentials={name.lower(): env[name] for name in ("AWS_ACCESS_KEY_ID", _SECRET)},
            endpoint=world.aws.endpoint,
            env=env,
            settings={
                "training_gate_minutes": 0.1,
                "max_training_hours": 0.0085,
                "poll_interval_seconds": 1,
            },
            pace=0.2,
            patience=300.0,
        )

    @property
    def group(self) -> Arn:
        """The ARN of the dataset group, taken apart."""
        return Arn.parse(self.dataset_group_arn)

    def client(self, service: str, credentials: Mapping[str, str] | None = None) -> Any:
        """Return a client of a service that goes where this account is."""
        given = self.credentials if credentials is None else credentials
        session = boto3.Session(region_name=self.group.region, **given)  # type: ignore[arg-type]
        config = Config(proxies={}) if self.endpoint else None
        client = session.client(service, endpoint_url=self.endpoint, config=config)  # type: ignore[call-overload]
        if self.endpoint is None:
            guard.check_endpoint(client.meta.endpoint_url)
        return client

    def until(self, holds: Callable[[], Any], what: str, *, seconds: float | None = None) -> Any:
        """Wait until something holds, by default as long as the longest operation may take."""
        deadline = time.monotonic() + (seconds or self.patience)
        while not (held := holds()):
            assert time.monotonic() < deadline, f"waited in vain until {what}"
            time.sleep(self.pace)
        return held


def _metadata_column(personalize: Any, dataset_group_arn: str) -> str:
    group = personalize.describe_dataset_group(datasetGroupArn=dataset_group_arn)["datasetGroup"]
    seen = group.get("status"), group.get("domain")
    if seen != ("ACTIVE", "VIDEO_ON_DEMAND"):
        raise LiveRunRefusedError(
            f"The dataset group is {seen[0]} and of the domain {seen[1]}; it has to be ACTIVE and "
            "VIDEO_ON_DEMAND. (Nothing was created.)"
        )
    datasets = personalize.list_datasets(datasetGroupArn=dataset_group_arn)["datasets"]
    items = [one["datasetArn"] for one in datasets if one["datasetType"].upper() == "ITEMS"]
    if not items:
        raise LiveRunRefusedError("The dataset group has no Items dataset. (Nothing was created.)")
    schema_arn = personalize.describe_dataset(datasetArn=items[0])["dataset"]["schemaArn"]
    return guard.metadata_column(
        personalize.describe_schema(schemaArn=schema_arn)["schema"]["schema"]
    )


class Trial:
    """A stack with a name that nobody else has, and whatever there is by that name."""

    def __init__(self, account: LiveAccount, folder: Path) -> None:
        self.account = account
        self.environment = f"live{secrets.token_hex(4)}"
        self.name = f"{self.environment}-TopPicks"
        self._folder = folder
        self._clients: dict[str, Any] = {}
        self._unnamed: set[str] = set()

    def client(self, service: str) -> Any:
        """Return a client with all permissions that the tests have."""
        if service not in self._clients:
            self._clients[service] = self.account.client(service)
        return self._clients[service]

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients.values():
            client.close()

    def deploy(self, **settings: object) -> bool:
        """Deploy the real app with the stock CDK CLI, and return whether it succeeded.

        Of the context of `cdk.json`, the feature flags count, but no setting.
        """
        context = json.loads((toolchain.ROOT / "cdk.json").read_text())["context"]
        flags = {key: value for key, value in context.items() if key.startswith("@aws-cdk")}
        group = {"dataset_group_arn": self.account.dataset_group_arn}
        environment = {**group, **self.account.settings, **settings}
        config = {
            "app": shlex.join(("python3", str(toolchain.ROOT / "app.py"))),
            "context": {**flags, "environments": {self.environment: environment}},
        }
        (self._folder / "cdk.json").write_text(json.dumps(config))
        return self._cdk("deploy", "--require-approval=never")

    def destroy(self) -> bool:
        """Destroy what was deployed, and return whether that succeeded; nothing is synthesised."""
        with contextlib.suppress(ClientError, BotoCoreError):  # it is to be destroyed all the same
            self._remember()
        return self._cdk("destroy", "--force", "--app=cdk.out")

    def _cdk(self, command: str, *arguments: str) -> bool:
        """Run a command to the end of what it begins, and return whether that succeeded.

        The CLI gives up on a connection that is gone for a minute; CloudFormation goes on.
        """
        before = self._seen()
        ran = processes.run(
            [*toolchain.CDK, command, f"{self.environment}/*", *arguments],
            env=self.account.env,
            cwd=self._folder,
            timeout=self.account.patience,
        )
        if ran.returncode == 0:
            return True
        after: Stack = self.account.until(self._at_rest, f"cdk {command} has ended")
        if command == "destroy":
            return after.status == DELETED
        is_another = before is None or (after.id, after.updated) != (before.id, before.updated)
        return is_another and has_succeeded("", after.status)

    def _at_rest(self) -> Stack | None:
        seen = self._seen()
        return seen if seen and not seen.is_under_way else None

    def _seen(self) -> Stack | None:
        """Return the stack, deleted if there is none, or None if that cannot be said now."""
        try:
            shown = self.stack
        except (ClientError, BotoCoreError):
            return None
        status, updated = shown.get("StackStatus", DELETED), shown.get("LastUpdatedTime", "")
        return Stack(shown.get("StackId", ""), self.name, status, str(updated))

    @property
    def stack(self) -> dict[str, Any]:
        """The stack; empty if there is none."""
        try:
            answer = self.client("cloudformation").describe_stacks(StackName=self.name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            return {}
        return dict(answer["Stacks"][0])

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of the stack."""
        return {one["OutputKey"]: one["OutputValue"] for one in self.stack["Outputs"]}

    @property
    def recommenders(self) -> list[dict[str, Any]]:
        """Summaries of the recommenders that this stack has made."""
        pages = self.client("personalize").get_paginator("list_recommenders").paginate()
        mine = f"{self.name}-"
        return [
            one for page in pages for one in page["recommenders"] if one["name"].startswith(mine)
        ]

    def describe(self) -> dict[str, Any]:
        """Return the one recommender."""
        (one,) = self.recommenders
        answer = self.client("personalize").describe_recommender(
            recommenderArn=one["recommenderArn"]
        )
        return dict(answer["recommender"])

    def left(self) -> dict[str, list[str]]:
        """Return the names of what there is of this stack, by the command that removes it."""
        self._remember()
        found = {"aws cloudformation delete-stack --stack-name": [self.name] if self.stack else []}
        for remove, service, operation, names in _KINDS:
            pages = self.client(service).get_paginator(operation).paginate()
            found[remove] = [
                name for name in pages.search(names) if self.name in name or name in self._unnamed
            ]
        return {remove: names for remove, names in found.items() if names}

    def removed(self) -> dict[str, list[str]]:
        """Destroy the stack if it is there, and return what is left when lists have caught up."""
        if self.stack:
            self.destroy()
        with contextlib.suppress(AssertionError):
            self.is_gone()
        return self.left()

    def is_gone(self) -> None:
        """Wait a while, since lists may lag behind, until nothing is left."""
        self.account.until(lambda: not self.left(), "nothing is left", seconds=_LISTS_LAG)

    def _remember(self) -> None:
        """Remember the state machines: CloudFormation does not name them after the stack."""
        if self.stack:
            pages = self.client("cloudformation").get_paginator("list_stack_resources")
            resources = pages.paginate(StackName=self.name).search("StackResourceSummaries[]")
            self._unnamed |= {
                one["PhysicalResourceId"]
                for one in resources
                if one["ResourceType"] == "AWS::StepFunctions::StateMachine"
                and one.get("PhysicalResourceId")
            }

    def how_to_remove(self, left: Mapping[str, list[str]]) -> str:
        """Return commands that remove what is left; the stack first, again if need be."""
        region = self.account.group.region
        commands = [
            f"  {remove} {name} --region {region}"
            for remove, names in left.items()
            for name in names
        ]
        return "\n".join(["This is left, and may cost. Remove it, in this order:", *commands])


_KINDS: Final = (
    (
        "aws personalize delete-recommender --recommender-arn",
        "personalize",
        "list_recommenders",
        "recommenders[].recommenderArn",
    ),
    (
        "aws lambda delete-function --function-name",
        "lambda",
        "list_functions",
        "Functions[].FunctionName",
    ),
    (
        "aws stepfunctions delete-state-machine --state-machine-arn",
        "stepfunctions",
        "list_state_machines",
        "stateMachines[].stateMachineArn",
    ),
    (
        "aws logs delete-log-group --log-group-name",
        "logs",
        "describe_log_groups",
        "logGroups[].logGroupName",
    ),
    ("aws ssm delete-parameter --name", "ssm", "describe_parameters", "Parameters[].Name"),
    (
        "aws iam delete-role (its policies first) --role-name",
        "iam",
        "list_roles",
        "Roles[].RoleName",
    ),
)
"""How one is removed, and the service, operation and JMESPath that list them."""
