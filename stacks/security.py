"""Narrow trust, and reasons for exceptions: a security review expects both in every stack."""

from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct


def acknowledge(scope: IConstruct, rule: str, reason: str) -> None:
    """Acknowledge a finding of cdk-nag on ``scope`` and below.

    The ``validation-report.json`` of each synthesis lists the finding with its reason. If the id
    begins with the pack, the CDK itself matches it; otherwise the pack does, and reports nothing.
    """
    pack = rule.partition("-")[0]
    Validations.of(scope).acknowledge(Acknowledgment(id=f"{pack}::{rule}", reason=reason))


def allow_alarms(topic: sns.Topic) -> None:
    """Let only alarms of the topic's own account and region publish to it.

    Source: "Amazon SNS and CloudWatch alarms", CloudWatch User Guide.
    """
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions=_for_own(Stack.of(topic), "cloudwatch", "alarm:*"),
        )
    )
    acknowledge(
        topic,
        "AwsSolutions-SNS2",
        "CloudWatch can publish to an encrypted topic only with a customer-managed key, which has "
        "a monthly price. Alarms hold names and numbers.",
    )
    acknowledge(
        topic,
        "Serverless-SNSRedrivePolicy",
        "An e-mail that cannot be delivered is of no use in a queue: the alarm's state stays where "
        "it is, and shows on the dashboard.",
    )


def log_key(scope: Construct, log_key_arn: str | None) -> kms.IKey | None:
    """Refer to the key of a stack's logs, if it has one.

    Its policy, which is not this app's to write, must let CloudWatch Logs use it.
    """
    return kms.Key.from_key_arn(scope, "LogKey", log_key_arn) if log_key_arn else None


def trust_own(role: iam.CfnRole, service: str, resources: str) -> None:
    """Let a service assume a role only for resources in the role's own account and region.

    For services that document it: a service that does not send the keys could not assume the role
    any more. ADR 5 lists the services that do.

    Args:
        role: its trust policy may name the service, and other principals.
        service: as in its principal and in ARNs, such as ``states``.
        resources: the end of their ARNs, such as ``stateMachine:*``.
    """
    stack = Stack.of(role)
    conditions = _for_own(stack, service, resources)
    trust = stack.resolve(role.assume_role_policy_document)
    for index, statement in enumerate(trust["Statement"]):
        if statement["Principal"].get("Service") == f"{service}.amazonaws.com":
            role.add_property_override(
                f"AssumeRolePolicyDocument.Statement.{index}.Condition", conditions
            )


def _for_own(stack: Stack, service: str, resources: str) -> dict[str, Any]:
    """Write the conditions that a service acts for resources in the stack's account and region."""
    return {
        "StringEquals": {"aws:SourceAccount": stack.account},
        "ArnLike": {"aws:SourceArn": stack.format_arn(service=service, resource=resources)},
    }
