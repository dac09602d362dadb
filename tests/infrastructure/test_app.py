"""The app as `cdk synth` runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, DefaultStackSynthesizer, Stack
from aws_cdk import aws_s3 as s3

from app import main
from tests.infrastructure.assembly import artifacts, resources, templates
from tests.infrastructure.conftest import PROD, Assemble
from tests.support.place import GROUP
from tests.support.template import FLAGS

ROOT = Path(__file__).parents[2]


def test_a_wrong_setting_ends_in_one_message_and_no_traceback() -> None:
    run = subprocess.run(
        [sys.executable, ROOT / "app.py"],
        env={**os.environ, "CDK_CONTEXT_JSON": '{"dataset_group_arn": "vod"}'},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr.strip().splitlines() == [run.stderr.strip()]
    assert run.stderr.strip().startswith('Setting dataset_group_arn: got "vod"; allowed: arn:')


def test_what_few_need_is_not_imported_by_all() -> None:
    """The pipeline's libraries and those of metrics take longer to import than the rest of ours."""
    few = ("pipelines", "aws_codebuild", "aws_codepipeline", "aws_cloudwatch")
    run = subprocess.run(
        [sys.executable, "-c", "import app, sys; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "aws_cdk.aws_lambda" in run.stdout.split()
    assert {f"aws_cdk.{name}" for name in few}.isdisjoint(run.stdout.split())


def test_an_assembly_leaves_nothing_to_be_looked_up(
    assemble: Assemble, environments: dict[str, Any], pipeline: dict[str, str]
) -> None:
    folder = assemble(environments=environments, pipeline=pipeline)
    manifests = [json.loads(path.read_text()) for path in folder.rglob("manifest.json")]

    assert len(manifests) == 3  # the pipeline's, and each environment's
    assert [manifest for manifest in manifests if "missing" in manifest] == []


def test_an_assembly_depends_on_nothing_but_the_settings(
    tmp_path: Path, environments: dict[str, Any], pipeline: dict[str, str]
) -> None:
    one = {"prod": environments["prod"]}
    context = {**FLAGS, "environments": one, "pipeline": pipeline}
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    elsewhere = {
        "AWS_ACCESS_KEY_ID": "444444444444",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "ap-south-1",
        "AWS_DEFAULT_REGION": "ap-south-1",
        "CDK_DEFAULT_ACCOUNT": "444444444444",
        "CDK_DEFAULT_REGION": "ap-south-1",
    }

    def files(folder: Path, environment: dict[str, str]) -> dict[Path, bytes]:
        given = {"CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(folder)}
        subprocess.run(
            [sys.executable, ROOT / "app.py"],
            env={**bare, **environment, **given},
            capture_output=True,
            check=True,
        )
        return {
            path.relative_to(folder): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    here = files(tmp_path / "here", {})

    assert any(path.parts[0].startswith("asset.") for path in here)
    assert here == files(tmp_path / "there", elsewhere)


@pytest.mark.parametrize("setting", [{}, {"termination_protection": True}])
def test_termination_protection_is_what_the_setting_says(
    assemble: Assemble, setting: dict[str, bool]
) -> None:
    stack = artifacts(assemble(dataset_group_arn=GROUP, **setting))["TopPicks"]

    assert stack.get("terminationProtection", False) is bool(setting)


@pytest.mark.rows("S6")
def test_a_permissions_boundary_is_on_every_role(
    assemble: Assemble, environments: dict[str, Any], pipeline: dict[str, str]
) -> None:
    environments["prod"]["consumers"] = ["arn:aws:iam::333333333333:role/app"]
    context = {
        "environments": environments,
        "pipeline": pipeline,
        "@aws-cdk/core:permissionsBoundary": {"name": "platform-boundary"},
    }

    roles = list(resources(assemble(**context), "AWS::IAM::Role"))

    assert len(roles) == 9  # 2 environments of 2, a consumer's, the pipeline's own 4
    for role in roles:
        boundary = json.dumps(role["Properties"]["PermissionsBoundary"])
        assert boundary.rstrip('"]}').endswith(":policy/platform-boundary")


def test_the_bootstrap_qualifier_is_the_contexts(
    assemble: Assemble, environments: dict[str, Any], pipeline: dict[str, str]
) -> None:
    context = {"environments": environments, "pipeline": pipeline}
    folder = assemble(**context, **{"@aws-cdk/core:bootstrapQualifier": "platform"})

    assert len(artifacts(folder)) == 4  # with the pipeline's, and its key's in another region
    for stack in artifacts(folder).values():
        assert "/cdk-platform-deploy-role-" in stack["assumeRoleArn"]
    assert "hnb659fds" not in json.dumps([artifacts(folder), templates(folder)])


def test_a_synthesizer_of_ones_own_is_every_stacks(
    tmp_path: Path, environments: dict[str, Any], pipeline: dict[str, str]
) -> None:
    own = "arn:aws:iam::${AWS::AccountId}:role/platform/deployer"
    context = {**FLAGS, "environments": environments, "pipeline": pipeline}
    synthesizer = DefaultStackSynthesizer(deploy_role_arn=own, qualifier="own")

    main(App(context=context, outdir=str(tmp_path), default_stack_synthesizer=synthesizer)).synth()

    # The CDK's own stack copies what it needs.
    ours = {name: one for name, one in artifacts(tmp_path).items() if "-support-" not in name}
    assert ours.keys() == {"TopPicksPipeline", "dev-TopPicks", "prod-TopPicks"}
    for stack in ours.values():
        assert stack["assumeRoleArn"].endswith(":role/platform/deployer")
    deployed = next(resources(tmp_path, "AWS::CodePipeline::Pipeline"))
    assert ":role/platform/deployer" in json.dumps(deployed)


def test_a_finding_that_nobody_has_acknowledged_fails_the_synthesis(tmp_path: Path) -> None:
    app = main(App(context={**FLAGS, "dataset_group_arn": GROUP}, outdir=str(tmp_path)))
    s3.Bucket(Stack(app, "Another"), "Open")

    with pytest.raises(RuntimeError, match="The S3 Bucket has server access logs disabled"):
        app.synth()


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
def test_every_acknowledgement_is_of_a_finding_and_says_why(
    assemble: Assemble, environments: dict[str, Any], pipeline: dict[str, str], region: str
) -> None:
    environments["prod"]["dataset_group_arn"] = PROD.replace("us-east-1", region)
    environments["dev"]["notify_topic_arn"] = "arn:aws:sns:eu-west-1:111111111111:deployments"
    folder = assemble(environments=environments, pipeline=pipeline)
    report = json.loads((folder / "validation-report.json").read_text())
    used = {
        (finding["acknowledgedAt"], finding["acknowledgedId"]): finding["reason"]
        for pack in report["pluginReports"]
        for finding in pack["suppressedViolations"]
    }
    given = {
        (path.strip("/"), rule)
        for metadata in folder.rglob("*.metadata.json")
        for path, entries in json.loads(metadata.read_text()).items()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for rule in entry["data"]
    }

    assert {pack["pluginName"] for pack in report["pluginReports"]} == {
        "AwsSolutions",
        "Serverless",
    }
    assert given == used.keys()
    assert all(len(reason) > 50 and reason.endswith(".") for reason in used.values())
