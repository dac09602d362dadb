"""Functions as a platform requires them: by the aspect of the page, and by properties."""

import contextlib
import functools
import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Aspects, Stack, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks, ServerlessChecks
from constructs import Construct

from app import main
from checks import static
from stacks.monitoring import RecommenderMonitoring
from stacks.service import RecommenderService
from stacks.settings import PropertyError
from tests.infrastructure.assembly import resources
from tests.infrastructure.conftest import new_stack, top_picks
from tests.support.permissions import listed
from tests.support.place import GROUP
from tests.support.template import (
    FLAGS,
    KEY,
    PIPELINE,
    of_type,
    policy_statements,
    properties_of,
    rendered,
    the,
)
from tests.unit.test_how_tos import PAGES, ROOT, blocks

_, ASPECT, LINES, _ = blocks(PAGES["locked-down.md"], "python")

ENVIRONMENT = {
    "dataset_group_arn": GROUP,
    "monitoring": True,
    "consumers": ["arn:aws:iam::333333333333:role/app"],
}
ENVIRONMENTS: dict[str, Any] = {"environments": {"dev": ENVIRONMENT}}
CONTEXTS: dict[str, dict[str, Any]] = {
    "one stack": ENVIRONMENT,
    "pipeline": {**ENVIRONMENTS, "pipeline": PIPELINE},
}


def edited() -> dict[str, Any]:
    """Return the names of app.py after both edits of the page."""
    source = (ROOT / "app.py").read_text()
    stack = LINES.splitlines()[0]
    (indented,) = (line for line in source.splitlines() if line.strip() == stack)
    indent = indented.removesuffix(stack)
    names: dict[str, Any] = {}
    exec(ASPECT, names)
    exec(source.replace(indented, textwrap.indent(LINES, indent)), names)
    return names


def app_of(folder: Path, context: dict[str, Any]) -> App:
    return App(context={**FLAGS, **context}, outdir=str(folder))


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
def test_the_aspect_of_the_page_puts_every_function_into_the_vpc(
    tmp_path: Path, context: dict[str, Any]
) -> None:
    edited()["main"](app_of(tmp_path, context)).synth()

    functions = list(resources(tmp_path, "AWS::Lambda::Function"))
    assert len(functions) == 3
    for function in functions:
        assert len(function["Properties"]["VpcConfig"]["SubnetIds"]) == 2
        assert len(function["Properties"]["VpcConfig"]["SecurityGroupIds"]) == 1
    for role in resources(tmp_path, "AWS::IAM::Role"):
        is_of_functions = "lambda.amazonaws.com" in json.dumps(role)
        has_access = "AWSLambdaVPCAccessExecutionRole" in json.dumps(role)
        assert is_of_functions == has_access


def test_an_aspect_on_the_app_does_not_reach_environments(tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    exec(ASPECT, names)
    app = app_of(tmp_path, ENVIRONMENTS)
    Aspects.of(app).add(names["InVpc"]())
    main(app).synth()

    assert all(
        "VpcConfig" not in function["Properties"]
        for function in resources(tmp_path, "AWS::Lambda::Function")
    )


# -- the same by properties, in an app of one's own ------------------------------------------------

Build = Callable[[Stack], dict[str, Any]]


def network(stack: Stack) -> dict[str, Any]:
    return {
        "vpc": ec2.Vpc.from_vpc_attributes(
            stack,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["eu-west-1a", "eu-west-1b"],
            private_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        ),
        "security_groups": [
            ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")
        ],
    }


def everything(stack: Stack) -> dict[str, Any]:
    return {
        **network(stack),
        "environment_encryption": kms.Key.from_key_arn(stack, "Key", KEY),
        "tracing": True,
        "reserved_concurrent_executions": 3,
    }


def nothing(_: Stack) -> dict[str, Any]:
    return {}


def monitored(scope: Construct, properties: Build = nothing) -> Stack:
    """Return a stack with a recommender and monitoring, whose service has these properties."""
    stack = new_stack(scope)
    service = RecommenderService(stack, "Service", **properties(stack))
    recommender = top_picks(stack, service=service, training_gates=1, sweeps=1)
    RecommenderMonitoring(stack, "Monitoring", recommender=recommender)
    return stack


@functools.cache
def template_of(properties: Build) -> dict[str, Any]:
    return rendered(monitored(App(), properties))


def functions(template: dict[str, Any]) -> list[dict[str, Any]]:
    found = properties_of(template, "AWS::Lambda::Function")
    assert len(found) == 3
    return found


def allowed(template: dict[str, Any]) -> list[str]:
    """Return the allowed actions, each as often as it is allowed."""
    return [
        action
        for statement in policy_statements(template)
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
    ]


GIVEN: dict[str, Any] = {
    "VpcConfig": {
        "SubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "SecurityGroupIds": ["sg-0123456789abcdef0"],
    },
    "KmsKeyArn": KEY,
    "TracingConfig": {"Mode": "Active"},
    "ReservedConcurrentExecutions": 3,
}


def test_properties_of_the_service_reach_every_function() -> None:
    for function in functions(template_of(everything)):
        assert {name: function[name] for name in GIVEN} == GIVEN


def test_without_the_properties_functions_have_no_network_key_tracing_or_concurrency() -> None:
    template = template_of(nothing)

    for function in functions(template):
        assert not function.keys() & GIVEN.keys()
    assert not [one for one in allowed(template) if one.startswith(("ec2:", "kms:", "xray:"))]
    assert of_type(template, "AWS::EC2::SecurityGroup") == {}


def test_roles_in_a_vpc_may_manage_interfaces_but_not_by_the_code_of_functions() -> None:
    """The permissions are those of AWS's managed policy, without the logs."""
    template = template_of(network)

    created = "ec2:CreateNetworkInterface"
    found = [one for one in policy_statements(template) if created in one["Action"]]
    assert "logs:CreateLogGroup" not in allowed(template)
    roles = [one for one in of_type(template, "AWS::IAM::Policy") if "NetworkPolicy" in one]
    assert len(roles) == 2
    assert [one["Effect"] for one in found] == ["Allow", "Deny"] * 2
    for allow, deny in zip(found[::2], found[1::2], strict=True):
        assert sorted(allow["Action"]) == [
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:UnassignPrivateIpAddresses",
        ]
        assert deny["Action"] == allow["Action"]
        functions_here = ":lambda:eu-west-1:111111111111:function:*"
        arn = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, functions_here]]}
        assert deny["Condition"] == {"ArnLike": {"lambda:SourceFunctionArn": arn}}


def test_tracing_is_permitted_to_the_functions_if_it_is_asked_for_and_to_nothing_else() -> None:
    template = template_of(lambda _: {"tracing": True})

    xray = sorted(one for one in allowed(template) if one.startswith("xray:"))
    assert xray == [*["xray:PutTelemetryRecords"] * 2, *["xray:PutTraceSegments"] * 2]
    _, machine = the(template, "AWS::StepFunctions::StateMachine")
    assert "TracingConfiguration" not in machine["Properties"]


def test_the_key_of_the_environment_may_be_used_by_the_roles_to_decrypt_and_for_nothing_else() -> (
    None
):
    template = template_of(
        lambda stack: {"environment_encryption": kms.Key.from_key_arn(stack, "Key", KEY)}
    )

    found = [one for one in policy_statements(template) if "kms:" in str(one["Action"])]
    assert found == [{"Action": "kms:Decrypt", "Effect": "Allow", "Resource": KEY}] * 2


def own_network(stack: Stack) -> dict[str, Any]:
    vpc = ec2.Vpc(stack, "Network", max_azs=2, nat_gateways=1)
    vpc.add_interface_endpoint(
        "Personalize", service=ec2.InterfaceVpcEndpointAwsService.PERSONALIZE
    )
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    return {"vpc": vpc}


def test_functions_come_after_the_policies_by_which_lambda_connects_them() -> None:
    template = template_of(network)

    for function in of_type(template, "AWS::Lambda::Function").values():
        role = function["Properties"]["Role"]["Fn::GetAtt"][0]
        (policy,) = (
            name
            for name, one in of_type(template, "AWS::IAM::Policy").items()
            if "NetworkPolicy" in name and one["Properties"]["Roles"] == [{"Ref": role}]
        )
        assert policy in function["DependsOn"]


def test_the_security_group_goes_before_the_policies_by_which_lambda_deletes_its_interfaces() -> (
    None
):
    template = template_of(own_network)

    (group,) = (
        one
        for name, one in of_type(template, "AWS::EC2::SecurityGroup").items()
        if name.startswith("Service")
    )
    policies = {one for one in of_type(template, "AWS::IAM::Policy") if "NetworkPolicy" in one}
    assert len(policies) == 2
    assert {*group["DependsOn"]} == policies
    assert "SecurityGroupIngress" not in group["Properties"]


def test_custom_resources_and_functions_go_before_the_routes_and_endpoints_of_the_vpc() -> None:
    template = template_of(own_network)

    parts = {
        name
        for kind in ("AWS::EC2::VPCEndpoint", "AWS::EC2::Route", "AWS::EC2::NatGateway")
        for name in of_type(template, kind)
    }
    assert len(parts) == 7  # two endpoints, four routes, a gateway
    for function in of_type(template, "AWS::Lambda::Function").values():
        assert parts <= {*function["DependsOn"]}
    (recommender,) = of_type(template, "Custom::TopPicksRecommender").values()
    assert {
        name for name in of_type(template, "AWS::Lambda::Function") if name.startswith("Service")
    } <= {*recommender["DependsOn"]}


def test_monitoring_in_another_stack_uses_the_services_network_without_a_circle() -> None:
    app = App()
    stack = Stack(app, "Video")
    service = RecommenderService(stack, "Service", **own_network(stack))
    recommender = top_picks(stack, service=service)
    other = Stack(app, "Watch")
    RecommenderMonitoring(other, "Monitoring", recommender=recommender)

    template = rendered(other)

    _, observer = the(template, "AWS::Lambda::Function")
    assert len(observer["Properties"]["VpcConfig"]["SubnetIds"]) == 2
    assert of_type(template, "AWS::EC2::SecurityGroup") == {}


NIST = "NIST.800.53.R5"
PLATFORM = {f"{NIST}-LambdaConcurrency", f"{NIST}-LambdaInsideVPC"}


def broken(folder: Path, properties: Build) -> dict[str, set[str]]:
    """Return the rules that a monitored recommender breaks, by pack."""
    app = App(outdir=str(folder), context=FLAGS)
    packs = AwsSolutionsChecks(app), ServerlessChecks(app), NIST80053R5Checks(app)
    Validations.of(app).add_plugins(*packs)
    monitored(app, properties)
    with contextlib.suppress(RuntimeError):  # NIST's rules demand more than the stack has
        app.synth()
    report = json.loads((folder / "validation-report.json").read_text())
    return {
        plugin["pluginName"]: {one["ruleName"] for one in plugin["violations"]}
        for plugin in report["pluginReports"]
    }


def test_the_properties_keep_a_platforms_rules_and_only_what_they_allow_is_acknowledged(
    tmp_path: Path,
) -> None:
    by_default, locked_down = tmp_path / "by-default", tmp_path / "locked-down"
    before, after = broken(by_default, nothing), broken(locked_down, everything)

    def reasons(folder: Path, rule: str) -> list[str]:
        return [why for name, why in static.acknowledgements(folder) if name.endswith(f"::{rule}")]

    for one in (before, after):
        assert one["AwsSolutions"] == one["Serverless"] == set()
    assert before[NIST] - after[NIST] == PLATFORM
    assert after[NIST] <= before[NIST]
    assert len(reasons(by_default, "Serverless-LambdaTracing")) == 3
    assert reasons(locked_down, "Serverless-LambdaTracing") == []
    wide, wider = (
        {*reasons(one, "AwsSolutions-IAM5[Resource::*]")} for one in (by_default, locked_down)
    )
    assert sorted(reason.split()[0] for reason in wider - wide) == ["Lambda", "Tracing"]
    assert wide <= wider


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("properties", "refusal"),
    [
        (
            lambda stack: {"security_groups": network(stack)["security_groups"]},
            'security_groups: got "no VPC"; allowed: security_groups together with a VPC',
        ),
        (
            lambda _: {"vpc_subnets": ec2.SubnetSelection()},
            'vpc_subnets: got "no VPC"; allowed: vpc_subnets together with a VPC',
        ),
        (
            lambda stack: {**network(stack), "security_groups": []},
            r"security_groups: got \[\]; allowed: a list of one security group or more",
        ),
        (
            lambda _: {"vpc": "vpc-0123456789abcdef0"},
            'vpc: got "vpc-0123456789abcdef0"; allowed: a VPC of EC2',
        ),
        (
            lambda _: {"reserved_concurrent_executions": 0},
            "reserved_concurrent_executions: got 0; allowed: a whole number, 1 or more",
        ),
        (
            lambda stack: {
                "environment_encryption": kms.Key.from_key_arn(
                    stack, "Key", KEY.replace("eu-west-1", "us-east-1")
                )
            },
            "environment_encryption: got .*us-east-1.*; allowed: .*eu-west-1",
        ),
    ],
)
def test_a_property_that_does_not_fit_is_refused(properties: Build, refusal: str) -> None:
    with pytest.raises(PropertyError, match=rf"^Property {refusal}"):
        monitored(App(), properties)


def test_the_shared_service_takes_its_network_again_and_no_other() -> None:
    stack = Stack(App(), "Video")
    given = network(stack)
    made = RecommenderService.shared(stack, **given)

    assert RecommenderService.shared(stack, **given) is made
    assert RecommenderService.shared(stack) is made
    other = ec2.Vpc.from_vpc_attributes(
        stack, "Other", vpc_id="vpc-00000000000000000", availability_zones=["eu-west-1a"]
    )
    with pytest.raises(PropertyError, match=r"^Property vpc: got .vpc-00000000000000000.; allowed"):
        RecommenderService.shared(stack, vpc=other)
    with pytest.raises(PropertyError, match=r"^Property tracing: got true; allowed: False, with"):
        RecommenderService.shared(stack, tracing=True)
