"""What answers the custom resources: two functions, their role and the Provider, one per stack."""

from pathlib import Path
from typing import Final, cast

from aws_cdk import ArnFormat, CfnElement, CfnResource, Duration, IgnoreMode, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources as cr
from constructs import Construct

from .partitions import CHINA, partition_of
from .security import acknowledge, trust_own

LAMBDAS = Path(__file__).parent.parent / "lambdas"


class RecommenderProvider(Construct):
    """The functions behind ``lambdas/recommender`` and the framework that polls them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        poll_interval: Duration,
        log_retention_days: int,
        log_key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = _log_group(self, log_retention_days, log_key)
        self.role = _function_role(self, "Role", log_group)
        on_event = self._function("OnEvent", log_group)
        is_complete = self._function("IsComplete", log_group)
        framework = Construct(self, "Framework")
        framework_log_group = _log_group(framework, log_retention_days, log_key)
        begins = _invoking_role(framework, "OnEventRole", framework_log_group, on_event)
        polls = _invoking_role(framework, "IsCompleteRole", framework_log_group, is_complete)
        provider = cr.Provider(
            framework,
            "Provider",
            on_event_handler=on_event,
            is_complete_handler=is_complete,
            query_interval=poll_interval,
            total_timeout=_an_hour_of(poll_interval),
            log_group=framework_log_group,
            framework_on_event_role=begins.without_policy_updates(),
            framework_complete_and_timeout_role=polls.without_policy_updates(),
        )
        waiter = provider.node.find_child("waiter-state-machine").node
        begins.add_to_policy(
            iam.PolicyStatement(
                actions=["states:StartExecution"],
                resources=[cast("CfnResource", waiter.find_child("Resource")).ref],
            )
        )
        self.service_token = provider.service_token
        _deliver_in_time(provider)
        _trust_own_state_machines(provider)
        _acknowledge_functions(on_event, is_complete)
        _acknowledge_framework(framework, provider)

    @classmethod
    def of(
        cls,
        scope: Construct,
        *,
        poll_interval: Duration,
        log_retention_days: int,
        log_key: kms.IKey | None,
    ) -> "RecommenderProvider":
        """Return the provider of the stack that ``scope`` is in; the first call makes it."""
        stack = Stack.of(scope)
        there = stack.node.try_find_child("Provider")
        if isinstance(there, cls):
            return there
        return cls(
            stack,
            "Provider",
            poll_interval=poll_interval,
            log_retention_days=log_retention_days,
            log_key=log_key,
        )

    def _function(self, construct_id: str, log_group: logs.ILogGroup) -> lambda_.Function:
        entry_point = {"OnEvent": "on_event", "IsComplete": "is_complete"}[construct_id]
        return lambda_.Function(
            self,
            construct_id,
            description=f"Top picks recommender: {entry_point} of its custom resources",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=_architecture_in(Stack.of(self).region),
            code=lambda_.Code.from_asset(
                str(LAMBDAS),
                exclude=["*", "!/recommender/", "!/recommender/*.py"],
                ignore_mode=IgnoreMode.GIT,
            ),
            handler=f"recommender.handler.{entry_point}",
            role=self.role,
            timeout=Duration.minutes(15),
            memory_size=256,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
        )


def _architecture_in(region: str) -> lambda_.Architecture:
    """Return arm64, but x86_64 in China, where AWS does not document that there is arm64."""
    china = partition_of(region) == CHINA
    return lambda_.Architecture.X86_64 if china else lambda_.Architecture.ARM_64


def _log_group(scope: Construct, retention_days: int, key: kms.IKey | None) -> logs.LogGroup:
    group = logs.LogGroup(
        scope, "LogGroup", encryption_key=key, removal_policy=RemovalPolicy.DESTROY
    )
    cast("logs.CfnLogGroup", group.node.default_child).retention_in_days = retention_days
    return group


def _function_role(scope: Construct, construct_id: str, log_group: logs.ILogGroup) -> iam.Role:
    role = iam.Role(scope, construct_id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group.grant_write(role)
    return role


def _invoking_role(
    scope: Construct, construct_id: str, log_group: logs.ILogGroup, function: lambda_.IFunction
) -> iam.Role:
    """Return a role that may invoke one of our functions; the Provider would grant it both.

    When an invocation fails, its code asks with GetFunction whether the function is active yet.
    """
    role = _function_role(scope, construct_id, log_group)
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["lambda:GetFunction", "lambda:InvokeFunction"],
            resources=[function.function_arn],
        )
    )
    return role


def _an_hour_of(interval: Duration) -> Duration:
    """Return an hour, cut to a multiple of the interval, which the Provider insists on."""
    seconds = int(interval.to_seconds())
    return Duration.seconds(3600 - 3600 % seconds)


def _trust_own_state_machines(provider: cr.Provider) -> None:
    role = provider.node.find_child("waiter-state-machine").node.find_child("Role")
    trust_own(
        cast("iam.CfnRole", role.node.default_child),
        "states",
        "stateMachine",
        ArnFormat.COLON_RESOURCE_NAME,
    )


def _deliver_in_time(provider: cr.Provider) -> None:
    """Drop requests that are old when they arrive: a newer operation may have begun since.

    Lambda keeps an event for up to six hours, and may deliver it twice (Lambda Developer Guide,
    "How Lambda handles errors and retries with asynchronous invocation").
    """
    entry_point = cast("lambda_.Function", provider.node.find_child("framework-onEvent"))
    lambda_.EventInvokeConfig(
        provider, "RequestAge", function=entry_point, max_event_age=Duration.minutes(5)
    )


_TRACING: Final = (
    "Tracing needs xray:PutTraceSegments on every resource, the widest permission that the role "
    "would have. There is one caller and one callee, and each invocation is logged."
)


def _acknowledge_functions(*functions: lambda_.Function) -> None:
    """Acknowledge, for our own functions, what the serverless rules ask of every function."""
    for function in functions:
        acknowledge(
            function,
            "Serverless-LambdaDLQ",
            "Only asynchronous invocations go to a dead-letter queue (Lambda Developer Guide, "
            "asynchronous invocation); the Provider invokes this function synchronously and "
            "reports its failure to CloudFormation.",
        )
        acknowledge(function, "Serverless-LambdaTracing", _TRACING)


def _acknowledge_framework(framework: Construct, provider: cr.Provider) -> None:
    """Acknowledge what the CDK's Provider does and offers no way to do otherwise."""
    on_event, is_complete, on_timeout = (
        cast("lambda_.Function", provider.node.find_child(f"framework-{entry_point}"))
        for entry_point in ("onEvent", "isComplete", "onTimeout")
    )
    for function in (is_complete, on_timeout):
        logical_id = Stack.of(function).get_logical_id(
            cast("CfnElement", function.node.default_child)
        )
        acknowledge(
            framework,
            f"AwsSolutions-IAM5[Resource::<{logical_id}.Arn>:*]",
            "The waiter invokes exactly this function; the wildcard spans its versions and "
            "aliases, of which there are none.",
        )
    for function in (on_event, is_complete, on_timeout):
        acknowledge(
            function,
            "Serverless-LambdaDefaultMemorySize",
            "The Provider offers no memory size. Its functions pass one request on and answer it, "
            "for which Lambda's default of 128 MB is enough.",
        )
        acknowledge(function, "Serverless-LambdaTracing", _TRACING)
    for function in (is_complete, on_timeout):
        acknowledge(
            function,
            "Serverless-LambdaDLQ",
            "Only asynchronous invocations go to a dead-letter queue; the waiter invokes this "
            "function synchronously and sees its failure.",
        )
    acknowledge(
        on_event,
        "Serverless-LambdaDLQ",
        "CloudFormation invokes it asynchronously, but a queue would keep the ResponseURL, a "
        "pre-signed write capability. CloudFormation itself gives up on a lost request after an "
        "hour, visibly.",
    )
    acknowledge(
        provider,
        "Serverless-LambdaAsyncFailureDestination",
        "A destination would get the ResponseURL, as a dead-letter queue would. CloudFormation "
        "gives up on a lost request after an hour, visibly.",
    )
    acknowledge(
        framework,
        "AwsSolutions-SF1",
        "Each state's data holds the ResponseURL, a pre-signed write capability: it must not be "
        "logged (README of aws-cdk-lib/custom-resources, security; aws-cdk issue 21224). What the "
        "waiter does is in the logs of the functions it invokes.",
    )
    for rule in ("AwsSolutions-SF2", "Serverless-StepFunctionStateMachineXray"):
        acknowledge(
            framework,
            rule,
            "The Provider offers no tracing for its waiter, which only invokes one function over "
            "and over; each invocation is in that function's log.",
        )
