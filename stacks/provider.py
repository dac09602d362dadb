"""What answers the custom resources: two functions, their role and the Provider, one per stack."""

from pathlib import Path
from typing import cast

from aws_cdk import Acknowledgment, CfnElement, Duration, RemovalPolicy, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources as cr
from constructs import Construct

LAMBDAS = Path(__file__).parent.parent / "lambdas"


class RecommenderProvider(Construct):
    """The functions behind ``lambdas/recommender`` and the framework that polls them."""

    def __init__(self, scope: Construct, construct_id: str, *, poll_interval: Duration) -> None:
        super().__init__(scope, construct_id)
        log_group = logs.LogGroup(
            self,
            "LogGroup",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.role = _function_role(self, "Role", log_group)
        on_event = self._function("OnEvent", log_group)
        is_complete = self._function("IsComplete", log_group)
        framework = Construct(self, "Framework")
        framework_log_group = logs.LogGroup(
            framework,
            "LogGroup",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        provider = cr.Provider(
            framework,
            "Provider",
            on_event_handler=on_event,
            is_complete_handler=is_complete,
            query_interval=poll_interval,
            total_timeout=_an_hour_of(poll_interval),
            log_group=framework_log_group,
            framework_on_event_role=_function_role(framework, "OnEventRole", framework_log_group),
            framework_complete_and_timeout_role=_function_role(
                framework, "IsCompleteRole", framework_log_group
            ),
        )
        self.service_token = provider.service_token
        _deliver_in_time(provider)
        _acknowledge(framework, invoked=[on_event, is_complete], waiter=provider)

    @classmethod
    def of(cls, scope: Construct, *, poll_interval: Duration) -> "RecommenderProvider":
        """Return the provider of the stack that ``scope`` is in; made at the first call."""
        stack = Stack.of(scope)
        there = stack.node.try_find_child("Provider")
        if isinstance(there, cls):
            return there
        return cls(stack, "Provider", poll_interval=poll_interval)

    def _function(self, construct_id: str, log_group: logs.ILogGroup) -> lambda_.Function:
        entry_point = {"OnEvent": "on_event", "IsComplete": "is_complete"}[construct_id]
        return lambda_.Function(
            self,
            construct_id,
            description=f"Top picks recommender: {entry_point} of its custom resources",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(LAMBDAS), exclude=["**/__pycache__", "**/*.pyc"]),
            handler=f"recommender.handler.{entry_point}",
            role=self.role,
            timeout=Duration.minutes(5),
            memory_size=256,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
        )


def _function_role(scope: Construct, construct_id: str, log_group: logs.ILogGroup) -> iam.Role:
    role = iam.Role(scope, construct_id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group.grant_write(role)
    return role


def _an_hour_of(interval: Duration) -> Duration:
    """Return an hour, cut to a multiple of the interval, which the Provider insists on."""
    seconds = int(interval.to_seconds())
    return Duration.seconds(3600 - 3600 % seconds)


def _deliver_in_time(provider: cr.Provider) -> None:
    """Drop requests that are old when they arrive: a newer operation may have begun since.

    Lambda keeps an event for up to six hours, and may deliver it twice (Lambda Developer Guide,
    "How Lambda handles errors and retries with asynchronous invocation").
    """
    entry_point = cast("lambda_.Function", provider.node.find_child("framework-onEvent"))
    lambda_.EventInvokeConfig(
        provider, "RequestAge", function=entry_point, max_event_age=Duration.minutes(5)
    )


def _acknowledge(
    framework: Construct, *, invoked: list[lambda_.Function], waiter: cr.Provider
) -> None:
    """Acknowledge what the CDK's Provider does and offers no way to do otherwise."""
    polled = [
        waiter.node.find_child(f"framework-{entry_point}")
        for entry_point in ("isComplete", "onTimeout")
    ]
    for function in (*invoked, *cast("list[lambda_.Function]", polled)):
        logical_id = Stack.of(function).get_logical_id(
            cast("CfnElement", function.node.default_child)
        )
        _acknowledge_one(
            framework,
            f"AwsSolutions-IAM5[Resource::<{logical_id}.Arn>:*]",
            "The Provider invokes exactly this function; the wildcard spans its versions and "
            "aliases, of which there are none.",
        )
    _acknowledge_one(
        framework,
        "AwsSolutions-SF1",
        "Each state's data holds the ResponseURL, a pre-signed write capability: it must not be "
        "logged (README of aws-cdk-lib/custom-resources, security; aws-cdk issue 21224). What the "
        "waiter does is in the logs of the functions it invokes.",
    )
    _acknowledge_one(
        framework,
        "AwsSolutions-SF2",
        "The Provider offers no tracing for its waiter, which only invokes one function over and "
        "over; each invocation is in that function's log.",
    )


def _acknowledge_one(scope: Construct, rule: str, reason: str) -> None:
    Validations.of(scope).acknowledge(Acknowledgment(id=rule, reason=reason))
