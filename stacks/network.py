"""The VPC of the functions, if they are in one: permissions, and the order of creation."""

from collections.abc import Sequence
from typing import Any, Final, cast

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from .permissions import FunctionRole, allow_on
from .security import acknowledge

_ACTIONS: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
"""The EC2 actions of the managed policy ``AWSLambdaVPCAccessExecutionRole``.

That policy also lets the role create log groups and write all of them.
"""


class Network:
    """Puts functions into a VPC, and keeps their permissions and network as long as they need."""

    def __init__(
        self,
        scope: Construct,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection | None,
        security_groups: Sequence[ec2.ISecurityGroup] | None,
    ) -> None:
        self._vpc, self._subnets = vpc, subnets
        self._security_groups = security_groups or [
            ec2.SecurityGroup(
                scope,
                "SecurityGroup",
                vpc=vpc,
                description="Functions of top picks recommenders: no inbound traffic",
            )
        ]

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of a function."""
        return {
            "vpc": self._vpc,
            "vpc_subnets": self._subnets,
            "security_groups": list(self._security_groups),
        }

    def allow(self, role: FunctionRole) -> None:
        """Let Lambda manage network interfaces by a role; deny it to the functions' own code.

        Lambda deletes the interfaces after the functions, by the role's permissions, and a security
        group cannot be deleted before them. So the groups depend on the policy. It is a policy of
        its own: an update that takes the functions out of the VPC deletes it last, in clean-up
        (aws-cdk issues 6701 and 34400).

        Source: "Giving Lambda functions access to resources in an Amazon VPC", Lambda Developer
        Guide: the permissions, on all resources, and the denial.
        """
        stack = Stack.of(role)
        functions = stack.format_arn(service="lambda", resource="function:*")
        policy = role.allow(
            "NetworkPolicy",
            allow_on(["*"], *_ACTIONS),
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=list(_ACTIONS),
                resources=["*"],
                conditions={"ArnLike": {"lambda:SourceFunctionArn": functions}},
            ),
        )
        acknowledge(
            policy,
            "AwsSolutions-IAM5[Resource::*]",
            "Lambda needs these permissions on all resources to connect functions to a VPC (Lambda "
            "Developer Guide). The functions' own code is denied them.",
        )
        for group in self._security_groups:
            if Stack.of(group) == stack:
                group.node.add_dependency(policy)

    def keep_longer_than(self, function: lambda_.Function) -> None:
        """Let CloudFormation create a function after all parts of the VPC, and delete it before.

        Without its routes and endpoints, the function could answer no request. A VPC of another
        stack is there anyway.
        """
        resource = cast("lambda_.CfnFunction", function.node.default_child)
        resource.node.add_dependency(self._vpc)
