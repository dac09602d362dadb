"""Everything that can be switched on: each policy and each log of each template, as a whole."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.infrastructure.assembly import templates
from tests.infrastructure.conftest import HOURS, Assemble
from tests.infrastructure.test_pipeline import projects
from tests.support.template import of_type, properties_of, resolved

DEV, PROD, PIPELINE, SUPPORT = (
    "dev-TopPicks",
    "prod-TopPicks",
    "TopPicksPipeline",
    "TopPicksPipeline-support-us-east-1",
)
PLACES: Final = {
    DEV: ("111111111111", "eu-west-1"),
    PROD: ("222222222222", "us-east-1"),
    PIPELINE: ("999999999999", "eu-west-1"),
}
CONSUMER: Final = "arn:aws:iam::333333333333:role/app"


def key_of(stack: str) -> str:
    account, region = PLACES[stack]
    return f"arn:aws:kms:{region}:{account}:key/0a1b2c3d-0000-1111-2222-333344445555"


@pytest.fixture
def made(
    assemble: Assemble, environments: dict[str, Any], pipeline: dict[str, str]
) -> dict[str, dict[str, Any]]:
    """Return the templates by the stack's name."""
    for stack, settings in zip((DEV, PROD), environments.values(), strict=True):
        settings |= {
            "log_key_arn": key_of(stack),
            "monitoring": True,
            "alarm_email": "on-call@example.com",
            "notify_topic_arn": "arn:aws:sns:{1}:{0}:deployments".format(*PLACES[stack]),
            "consumers": [CONSUMER],
            "active_hours": HOURS,
        }
    pipeline["log_key_arn"] = key_of(PIPELINE)
    folder: Path = assemble(environments=environments, pipeline=pipeline)
    return templates(folder)


# -- logs ------------------------------------------------------------------------------------------


@pytest.mark.rows("S8")
def test_every_log_group_of_every_template_takes_a_key(made: dict[str, dict[str, Any]]) -> None:
    keys = {
        name: [group.get("KmsKeyId") for group in properties_of(template, "AWS::Logs::LogGroup")]
        for name, template in made.items()
    }

    assert keys == {**{name: [key_of(name)] for name in PLACES}, SUPPORT: []}


@pytest.mark.rows("S8")
def test_whatever_writes_a_log_writes_it_to_such_a_group(made: dict[str, dict[str, Any]]) -> None:
    for template in made.values():
        functions = properties_of(template, "AWS::Lambda::Function")
        builds = properties_of(template, "AWS::CodeBuild::Project")
        written_to = [
            *(one["LoggingConfig"]["LogGroup"] for one in functions),
            *(one["LogsConfig"]["CloudWatchLogs"]["GroupName"] for one in builds),
        ]
        assert {group["Ref"] for group in written_to} == {*of_type(template, "AWS::Logs::LogGroup")}


# -- policies --------------------------------------------------------------------------------------


def documents(template: dict[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    """Yield the statements of all policies: the resource's type, what it is, what it says.

    What it is, is the resource's logical id without the digits that make that unique.
    """
    for name, resource in template["Resources"].items():
        for key, value in resource.get("Properties", {}).items():
            if isinstance(value, dict) and "Statement" in value:
                assert value["Version"] == "2012-10-17"
                kind = f"{resource['Type'].rpartition(':')[2]}.{key}"
                yield kind, re.sub("[0-9A-F]{8}$", "", name), resolved(value["Statement"])


def by_service(service: str, account: str, **source_arn: str) -> list[Any]:
    """Return the trust in a service that acts for something in an account."""
    condition = {"StringEquals": {"aws:SourceAccount": account}}
    for operator, arn in source_arn.items():
        condition.setdefault(operator, {})["aws:SourceArn"] = arn
    return [assumed_by({"Service": f"{service}.amazonaws.com"}, condition)]


def assumed_by(principal: dict[str, str], condition: dict[str, Any] | None = None) -> Any:
    statement = {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": principal}
    return {**statement, "Condition": condition} if condition else statement


LAMBDA: Final = [assumed_by({"Service": "lambda.amazonaws.com"})]


@pytest.mark.parametrize("stack", [DEV, PROD])
def test_these_assume_the_roles_of_an_environment_on_these_conditions(
    made: dict[str, dict[str, Any]], stack: str
) -> None:
    account, region = PLACES[stack]
    (group,) = of_type(made[stack], "AWS::Scheduler::ScheduleGroup")
    found = {
        name: statements
        for kind, name, statements in documents(made[stack])
        if kind == "Role.AssumeRolePolicyDocument"
    }

    assert found == {
        "ServiceRole": LAMBDA,
        "ServiceWaiterRole": by_service(
            "states", account, ArnLike=f"arn:aws:states:{region}:{account}:stateMachine:*"
        ),
        "RecommenderHoursRole": by_service("scheduler", account, StringEquals=f"{group}.Arn"),
        "MonitoringRole": LAMBDA,
        "MonitoringScheduleRole": by_service(
            "scheduler", account, ArnLike=f"arn:aws:scheduler:{region}:{account}:schedule-group/*"
        ),
        "ConsumerRole": [
            assumed_by(
                {"AWS": f"{CONSUMER.rpartition(':')[0]}:root"},
                {"ArnEquals": {"aws:PrincipalArn": [CONSUMER]}},
            )
        ],
    }


def test_these_assume_the_roles_of_the_pipeline_on_these_conditions(
    made: dict[str, dict[str, Any]],
) -> None:
    account, region = PLACES[PIPELINE]
    builds = by_service(
        "codebuild", account, ArnLike=f"arn:aws:codebuild:{region}:{account}:project/*"
    )
    found = {
        name: statements
        for kind, name, statements in documents(made[PIPELINE])
        if kind == "Role.AssumeRolePolicyDocument"
    }

    assert found == {
        "PipelineRole": [assumed_by({"Service": "codepipeline.amazonaws.com"})],
        "PipelineBuildSynthCdkBuildProjectRole": builds,
        "PipelineUpdatePipelineSelfMutationRole": builds,
        "PipelineAssetsFileRole": builds,
    }


NOT_BY_TLS: Final = {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("stack", [DEV, PROD])
def test_only_alarms_of_its_own_account_and_region_publish_to_a_topic(
    made: dict[str, dict[str, Any]], stack: str
) -> None:
    account, region = PLACES[stack]
    (topic,) = of_type(made[stack], "AWS::SNS::Topic")
    on_topic = {"Action": "sns:Publish", "Resource": topic}
    resource_policies = {
        name: statements
        for kind, name, statements in documents(made[stack])
        if kind not in {"Role.AssumeRolePolicyDocument", "Policy.PolicyDocument"}
    }

    assert resource_policies == {
        "AlarmTopicPolicy": [
            {
                **on_topic,
                "Sid": "AllowPublishThroughSSLOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Condition": NOT_BY_TLS,
            },
            {
                **on_topic,
                "Sid": "1",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": account},
                    "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{region}:{account}:alarm:*"},
                },
            },
        ]
    }


@pytest.mark.parametrize(("stack", "reader"), [(PIPELINE, DEV), (SUPPORT, PROD)])
def test_deploy_roles_read_the_artifacts_of_their_environments_and_nothing_else(
    made: dict[str, dict[str, Any]], stack: str, reader: str
) -> None:
    account, region = PLACES[reader]
    deploys = f"arn:aws:iam::{account}:role/cdk-hnb659fds-deploy-role-{account}-{region}"
    (bucket,) = of_type(made[stack], "AWS::S3::Bucket")
    in_bucket = [f"{bucket}.Arn", f"{bucket}.Arn/*"]
    found = {
        kind: statements
        for kind, _, statements in documents(made[stack])
        if kind not in {"Role.AssumeRolePolicyDocument", "Policy.PolicyDocument"}
    }
    own, *others = found.pop("Key.KeyPolicy")

    assert found == {
        "BucketPolicy.PolicyDocument": [
            {
                "Action": "s3:*",
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Resource": in_bucket,
                "Condition": NOT_BY_TLS,
            },
            {
                "Action": ["s3:GetBucket*", "s3:GetObject*", "s3:List*"],
                "Effect": "Allow",
                "Principal": {"AWS": deploys},
                "Resource": in_bucket,
            },
        ]
    }
    the_pipelines = {"AWS": f"arn:aws:iam::{PLACES[PIPELINE][0]}:root"}
    assert (own["Action"], own["Principal"]) == ("kms:*", the_pipelines)
    assert [one for one in others if one["Principal"] != the_pipelines] == [
        {
            "Action": ["kms:Decrypt", "kms:DescribeKey"],
            "Effect": "Allow",
            "Principal": {"AWS": deploys},
            "Resource": "*",
        }
    ]


def test_what_roles_may_do_has_no_condition_but_one(made: dict[str, dict[str, Any]]) -> None:
    """Nothing is denied to a role, either; what is allowed is asserted where it is of interest."""
    of_roles = [
        (stack, name, statement)
        for stack, template in made.items()
        for kind, name, statements in documents(template)
        if kind == "Policy.PolicyDocument"
        for statement in statements
    ]

    assert {statement["Effect"] for _, _, statement in of_roles} == {"Allow"}
    assert [
        one for one in of_roles if one[2].keys() & {"Condition", "NotAction", "NotResource"}
    ] == [
        (
            PIPELINE,
            "PipelineUpdatePipelineSelfMutationRoleDefaultPolicy",
            {
                "Action": "sts:AssumeRole",
                "Effect": "Allow",
                "Resource": f"arn:*:iam::{PLACES[PIPELINE][0]}:role/*",
                "Condition": {
                    "ForAnyValue:StringEquals": {
                        "iam:ResourceTag/aws-cdk:bootstrap-role": [
                            "image-publishing",
                            "file-publishing",
                            "deploy",
                        ]
                    }
                },
            },
        )
    ]


# -- builds ----------------------------------------------------------------------------------------


def test_builds_run_on_this_and_only_the_checks_have_a_large_machine(
    made: dict[str, dict[str, Any]],
) -> None:
    found = projects(made[PIPELINE])
    same = {
        "Image": "aws/codebuild/standard:7.0",
        "ImagePullCredentialsType": "CODEBUILD",
        "PrivilegedMode": False,
        "Type": "LINUX_CONTAINER",
    }
    assert {name: project["Environment"] for name, project in found.items()} == {
        "Synth": {**same, "ComputeType": "BUILD_GENERAL1_LARGE"},
        "SelfMutate": {**same, "ComputeType": "BUILD_GENERAL1_SMALL"},
        "FileAssets": {**same, "ComputeType": "BUILD_GENERAL1_SMALL"},
    }
    assert {project["Cache"]["Type"] for project in found.values()} == {"NO_CACHE"}
