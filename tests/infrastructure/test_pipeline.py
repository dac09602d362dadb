"""The pipeline stack: its order, its approvals, and whose roles it assumes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from stacks.settings.context import PIPELINE_STACK, PIPELINE_STAGES
from tests.infrastructure.assembly import templates
from tests.infrastructure.conftest import Assemble
from tests.support.permissions import roles_of
from tests.support.template import of_type, policy_statements, properties_of, resolved

STACK = PIPELINE_STACK
SUPPORT = "TopPicksPipeline-support-us-east-1"
TOOLS, DEV, PROD = (
    "999999999999-eu-west-1",
    "111111111111-eu-west-1",
    "222222222222-us-east-1",
)


@pytest.fixture
def folder(assemble: Assemble, environments: dict[str, Any], pipeline: dict[str, str]) -> Path:
    prod = {**environments["prod"], "approval": True}
    in_order = {"prod": prod, "dev": environments["dev"]}
    return assemble(environments=in_order, pipeline=pipeline)


@pytest.fixture
def template(folder: Path) -> dict[str, Any]:
    return templates(folder)[STACK]


@pytest.fixture
def stages(template: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the actions in their order, by stage in their order."""
    (made,) = of_type(template, "AWS::CodePipeline::Pipeline").values()
    return {
        stage["Name"]: sorted(stage["Actions"], key=lambda action: action["RunOrder"])
        for stage in made["Properties"]["Stages"]
    }


def role(purpose: str, place: str) -> str:
    return f"arn:aws:iam::{place[:12]}:role/cdk-hnb659fds-{purpose}-role-{place}"


def test_the_environments_follow_one_another_in_the_order_of_the_context(
    stages: dict[str, Any],
) -> None:
    assert list(stages) == ["Source", "Build", "UpdatePipeline", "Assets", "prod", "dev"]
    assert list(stages) == [*PIPELINE_STAGES, "prod", "dev"], "what the settings know of"


def test_an_approval_comes_before_anything_else_of_its_environment(stages: dict[str, Any]) -> None:
    def steps(stage: str) -> list[str]:
        return [
            action["ActionTypeId"]["Provider"]
            + action.get("Configuration", {}).get("ActionMode", "")
            for action in stages[stage]
        ]

    change = ["CloudFormationCHANGE_SET_REPLACE", "CloudFormationCHANGE_SET_EXECUTE"]
    assert steps("dev") == change
    assert steps("prod") == ["Manual", *change]
    assert len({action["RunOrder"] for action in stages["prod"]}) == 3


@pytest.mark.parametrize(("environment", "place"), [("dev", DEV), ("prod", PROD)])
def test_each_environment_is_deployed_by_the_roles_of_its_account(
    stages: dict[str, Any], environment: str, place: str
) -> None:
    actions = [action for action in stages[environment] if "RoleArn" in action]

    assert {resolved(action["RoleArn"]) for action in actions} == {role("deploy", place)}
    assert {action["Configuration"]["StackName"] for action in actions} == {
        f"{environment}-TopPicks"
    }
    assert resolved(actions[0]["Configuration"]["RoleArn"]) == role("cfn-exec", place)
    assert {action.get("Region", "eu-west-1") for action in actions} == {place[13:]}


def test_the_pipeline_assumes_the_bootstrap_roles_and_no_others(template: dict[str, Any]) -> None:
    assumed = {
        re.sub("Role[0-9A-F]{8}$", "", name): {
            use.resource for use in permissions.grants if use.action == "sts:AssumeRole"
        }
        for name, permissions in roles_of(template).items()
    }

    assert {name: roles for name, roles in assumed.items() if roles} == {
        "Pipeline": {role("deploy", DEV), role("deploy", PROD)},
        "PipelineAssetsFile": {role("file-publishing", DEV), role("file-publishing", PROD)},
        "PipelineUpdatePipelineSelfMutation": {"arn:*:iam::999999999999:role/*"},
    }


def test_the_pipeline_uses_the_keys_of_its_artifacts(template: dict[str, Any]) -> None:
    """That of a replica has a generated id in another region, to which nothing can refer."""
    (own,) = of_type(template, "AWS::KMS::Key")
    (policy,) = [
        one
        for name, one in of_type(template, "AWS::IAM::Policy").items()
        if name.startswith("PipelineRole")
    ]
    (used,) = [
        resolved(statement["Resource"])
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "kms:" in json.dumps(statement["Action"])
    ]

    assert used == [f"{own}.Arn", "arn:aws:kms:us-east-1:999999999999:key/*"]


def test_an_environments_stack_is_the_one_that_is_deployed_by_hand(
    assemble: Assemble, environments: dict[str, Any], folder: Path
) -> None:
    by_hand = templates(assemble(environments=environments))

    assert by_hand.keys() == {"dev-TopPicks", "prod-TopPicks"}
    for name, template in by_hand.items():
        assert templates(folder)[name] == template


def test_the_source_is_the_branch_through_the_connection(
    stages: dict[str, Any], template: dict[str, Any], pipeline: dict[str, str]
) -> None:
    (source,) = stages["Source"]
    (allowed,) = [
        statement["Action"]
        for statement in policy_statements(template)
        if statement["Resource"] == pipeline["connection_arn"]
    ]

    assert source["Configuration"] == {
        "ConnectionArn": pipeline["connection_arn"],
        "FullRepositoryId": "video/top-picks",
        "BranchName": "main",
    }
    assert allowed == ["codeconnections:UseConnection", "codestar-connections:UseConnection"]


def projects(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the properties of the builds, by what they do."""
    found = properties_of(template, "AWS::CodeBuild::Project")
    return {one["Description"].rpartition("/")[2]: one for one in found}


def test_a_commit_is_checked_and_synthesised_once(template: dict[str, Any]) -> None:
    specs = {name: project["Source"]["BuildSpec"] for name, project in projects(template).items()}
    synth = json.loads(specs["Synth"])

    assert synth["phases"]["build"]["commands"] == [
        "make check",
        ". .venv/bin/activate",
        "npx cdk synth --quiet",
    ]
    assert synth["phases"]["install"]["runtime-versions"] == {"python": "3.12"}
    assert synth["artifacts"]["base-directory"] == "cdk.out"
    assert [name for name, spec in specs.items() if "synth" in spec] == ["Synth"]


def test_builds_use_pinned_tools_and_end_within_an_hour(
    folder: Path, template: dict[str, Any]
) -> None:
    pins = json.loads((Path(__file__).parents[2] / "package.json").read_text())["devDependencies"]
    specs = json.dumps(list(projects(template).values())) + "".join(
        path.read_text() for path in folder.glob("buildspec-*")
    )

    assert set(re.findall(r"npm install -g ([a-z-]+@[^\\\"\s]+)", specs)) == {
        f"{name}@{pins[name]}" for name in ("aws-cdk", "cdk-assets")
    }
    assert "@latest" not in specs
    for project in projects(template).values():
        assert project["TimeoutInMinutes"] == 60
        assert "EnvironmentVariables" not in project["Environment"]


def test_builds_log_to_a_group_that_expires(template: dict[str, Any]) -> None:
    """The tests of the whole app have what writes to it."""
    (group,) = of_type(template, "AWS::Logs::LogGroup").values()

    assert group["Properties"]["RetentionInDays"] == 90


@pytest.mark.parametrize("name", [STACK, SUPPORT])
def test_artifacts_are_encrypted_and_stay(folder: Path, name: str) -> None:
    template = templates(folder)[name]
    (key,) = of_type(template, "AWS::KMS::Key").values()
    (bucket,) = of_type(template, "AWS::S3::Bucket").values()

    (encryption,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert key["Properties"]["EnableKeyRotation"] is True
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["DeletionPolicy"] == "Retain"
