"""The pipeline: a commit is checked and synthesised once, then deployed to each environment."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

from aws_cdk import CfnElement, Duration, RemovalPolicy, Stack, Stage, pipelines
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from .permissions import allow_on
from .security import acknowledge, log_key, trust_own
from .settings import PipelineSettings, Settings

_TOOLS: Final = json.loads((Path(__file__).parent.parent / "package.json").read_text())[
    "devDependencies"
]
"""The versions of the CDK's tools; CDK Pipelines installs whatever is the latest otherwise."""

_PYTHON: Final = {"phases": {"install": {"runtime-versions": {"python": "3.12"}}}}
"""Source: "Available runtimes", CodeBuild User Guide: Python 3.12 is in Ubuntu standard:7.0."""

_SYNTH: Final = ("make check", ". .venv/bin/activate", "npx cdk synth --quiet")


class PipelineStack(Stack):
    """Deploys the environments in their order, each after the one before is ready.

    No step of it waits for a training: CloudFormation does, to whose actions CodePipeline gives
    three days ("Quotas in AWS CodePipeline", User Guide).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: PipelineSettings,
        environments: Sequence[tuple[Stage, Settings]],
        **kwargs: Any,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Deploys top picks recommenders from account to account",
            **kwargs,
        )
        pipeline = self._pipeline(settings)
        for stage, environment in environments:
            approval = [pipelines.ManualApprovalStep("Approve")] if environment.approval else None
            pipeline.add_stage(stage, pre=approval)
        pipeline.build_pipeline()
        pipeline.pipeline.add_to_role_policy(
            # The CDK grants the action by the service's old name, codestar-connections, only.
            # That both are needed: landing-zone-accelerator-on-aws issues 828 and 1083.
            allow_on([settings.connection_arn], "codeconnections:UseConnection")
        )
        for construct in self.node.find_all():
            if isinstance(construct, iam.CfnRole):
                trust_own(construct, "codebuild", "project/*")
        self._narrow_keys(pipeline.pipeline)
        self._acknowledge(pipeline)

    def _pipeline(self, settings: PipelineSettings) -> pipelines.CodePipeline:
        log_group = logs.LogGroup(
            self,
            "BuildLogs",
            encryption_key=log_key(self, settings.log_key_arn),
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        source = pipelines.CodePipelineSource.connection(
            settings.repository, settings.branch, connection_arn=settings.connection_arn
        )
        return pipelines.CodePipeline(
            self,
            "Pipeline",
            synth=pipelines.CodeBuildStep(
                "Synth",
                input=source,
                commands=list(_SYNTH),
                primary_output_directory="cdk.out",
                partial_build_spec=codebuild.BuildSpec.from_object(_PYTHON),
                build_environment=codebuild.BuildEnvironment(
                    compute_type=codebuild.ComputeType.LARGE
                ),
            ),
            cross_account_keys=True,
            enable_key_rotation=True,
            use_pipeline_role_for_actions=True,
            publish_assets_in_parallel=False,
            cli_version=_TOOLS["aws-cdk"],
            cdk_assets_cli_version=_TOOLS["cdk-assets"],
            code_build_defaults=pipelines.CodeBuildOptions(
                build_environment=codebuild.BuildEnvironment(
                    build_image=codebuild.LinuxBuildImage.STANDARD_7_0
                ),
                timeout=Duration.hours(1),
                logging=codebuild.LoggingOptions(
                    cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log_group)
                ),
            ),
        )

    def _narrow_keys(self, pipeline: codepipeline.Pipeline) -> None:
        """Let the pipeline use the keys of its account where replicas of artifacts are.

        The CDK grants it all keys everywhere: that of a replica is in another region, where nothing
        can refer to its generated id.
        """
        policy = cast(
            "iam.CfnPolicy", pipeline.role.node.find_child("DefaultPolicy").node.default_child
        )
        replicas = [
            self.format_arn(service="kms", region=region, resource="key/*")
            for region in pipeline.cross_region_support
        ]
        for index, statement in enumerate(self.resolve(policy.policy_document)["Statement"]):
            match statement["Resource"]:
                case ["*", *others]:
                    policy.add_property_override(
                        f"PolicyDocument.Statement.{index}.Resource", [*others, *replicas]
                    )

    def _acknowledge(self, pipeline: pipelines.CodePipeline) -> None:
        """Acknowledge findings about CDK Pipelines for which it offers no other way."""
        made = pipeline.pipeline
        for action, reason in _ARTIFACT_ACTIONS.items():
            acknowledge(pipeline, _wildcard("Action", action), reason)
        acknowledge(
            pipeline,
            _wildcard("Resource", f"<{self._logical_id(made.artifact_bucket)}.Arn>/*"),
            "CodePipeline chooses the names of artifacts; the bucket holds nothing else.",
        )
        acknowledge(made.artifact_bucket, "AwsSolutions-S1", _ACCESS_LOGS)
        for support in made.cross_region_support.values():
            acknowledge(support.replication_bucket, "AwsSolutions-S1", _ACCESS_LOGS)
            acknowledge(
                made.role,
                _wildcard(
                    "Resource", self.resolve(support.replication_bucket.arn_for_objects("*"))
                ),
                "CodePipeline chooses the names of artifacts in the replica, too.",
            )
        if made.cross_region_support:
            acknowledge(
                made.role,
                _wildcard("Resource", "*"),
                "The template says less: _narrow_keys replaces it by the keys of the pipeline's "
                "account in the region of the replica, whose id nothing can refer to.",
            )
        for project in (pipeline.synth_project, pipeline.self_mutation_project):
            self._acknowledge_build(project, f"<{self._logical_id(project)}>", ":*", "-*")
        acknowledge(
            pipeline.self_mutation_project,
            _wildcard("Resource", f"arn:*:iam::{self.account}:role/*"),
            "Deploys this stack: it may assume roles of this account that are tagged as deploy "
            "and publishing roles of the CDK's bootstrap, whose names the CDK does not assume.",
        )
        acknowledge(
            pipeline.self_mutation_project,
            _wildcard("Resource", "*"),
            "cdk deploy looks for the bootstrap stack and its bucket (DescribeStacks, ListBucket); "
            "both only read.",
        )
        assets = pipeline.node.find_child("Assets").node.find_child("FileRole")
        self._acknowledge_build(assets, "", "*", "*")
        acknowledge(
            assets,
            _wildcard("Resource", "*"),
            "The CDK lets this role start and stop builds of the account and offers no way to "
            "leave that out. To misuse it, a person has to change the repository, and can "
            "then deploy anything.",
        )

    def _acknowledge_build(
        self, scope: IConstruct, name: str, logs_end: str, reports_end: str
    ) -> None:
        place = f"{self.region}:{self.account}"
        acknowledge(
            scope,
            _wildcard(
                "Resource",
                f"arn:{self.partition}:logs:{place}:log-group:/aws/codebuild/{name}{logs_end}",
            ),
            "Streams of CodeBuild's own log group for builds. Builds here log to BuildLogs, but "
            "the CDK grants this, too.",
        )
        acknowledge(
            scope,
            _wildcard(
                "Resource",
                f"arn:{self.partition}:codebuild:{place}:report-group/{name}{reports_end}",
            ),
            "Report groups of builds, which the CDK grants always. No build here writes reports.",
        )

    def _logical_id(self, construct: IConstruct) -> str:
        return self.get_logical_id(cast("CfnElement", construct.node.default_child))


def _wildcard(kind: str, value: str) -> str:
    return f"AwsSolutions-IAM5[{kind}::{value}]"


_READS: Final = (
    "The CDK's grant to read artifacts, in every version and with their attributes, on the "
    "artifact bucket alone."
)
_WRITES: Final = "The CDK's grant to write artifacts, on the artifact bucket alone."
_ENCRYPTS: Final = (
    "The CDK's grant to encrypt artifacts, on the bucket's key; the group spans variants of one "
    "operation."
)
_ARTIFACT_ACTIONS: Final = {
    "s3:GetBucket*": _READS,
    "s3:GetObject*": _READS,
    "s3:List*": _READS,
    "s3:Abort*": _WRITES,
    "s3:DeleteObject*": _WRITES,
    "kms:GenerateDataKey*": _ENCRYPTS,
    "kms:ReEncrypt*": _ENCRYPTS,
}
_ACCESS_LOGS: Final = (
    "Only the pipeline's roles and the environments' deploy roles have access, and the pipeline's "
    "executions show their actions. A log would need a bucket of its own, in each region."
)
