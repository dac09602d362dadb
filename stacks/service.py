"""The service that answers custom resources: two functions, a state machine, two roles."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, cast

from aws_cdk import Aws, Duration, RemovalPolicy, Stack, Stage
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct, IConstruct

from .asset import zipped
from .checking import check_type
from .functions import LAMBDAS
from .functions import vocabulary as v
from .network import Network
from .notifications import StackNotifications
from .partitions import CHINA, partition_of
from .permissions import FunctionRole, allow_on, invoking_role
from .properties import ServiceProperties
from .security import acknowledge
from .settings.errors import PropertyError

_SHARED_ID: Final = "TopPicksRecommenderService"

_HOUR: Final = Duration.hours(1)
"""CloudFormation gives up on a request by then (``ServiceTimeout``, Template Reference)."""


class RecommenderService(Construct):
    """Answers for recommenders: give it to each of those that share it.

    CloudFormation invokes the function ``Begin``, which answers a request or starts the state
    machine, which invokes the function ``Poll`` until that has answered it (ADR 8).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        poll_interval: Duration | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
        log_key: kms.IKey | None = None,
        notify_topic: sns.ITopic | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        environment_encryption: kms.IKey | None = None,
        tracing: bool = False,
        reserved_concurrent_executions: int | None = None,
    ) -> None:
        """Make the functions, the state machine, and the rules of notifications.

        The observer of ``RecommenderMonitoring`` gets the same properties.

        Args:
            scope: the parent.
            construct_id: the id.
            poll_interval: time between two polls of a recommender, in whole seconds, 1 to 120; by
                default that of the setting ``poll_interval_seconds``.
            log_retention: how long logs are kept; three months by default, and not ``INFINITE``.
            log_key: encrypts the logs; its policy must let CloudWatch Logs use it. By default,
                CloudWatch Logs encrypts with a key of its own.
            notify_topic: of the stack's account and region; receives a message when an operation of
                the stack ends, fails or is stuck; its policy must let EventBridge publish to it. By
                default no topic does.
            vpc: the network from which the functions call AWS; by default none of yours. They must
                reach Personalize, CloudFormation, Step Functions and S3 from there.
            vpc_subnets: of that network; private ones by default.
            security_groups: of the functions in that network; by default a new one that allows all
                outbound traffic.
            environment_encryption: encrypts the functions' environment, which has no secret; by
                default, Lambda encrypts it with a key of AWS.
            tracing: whether AWS X-Ray gets a trace of the functions' invocations.
            reserved_concurrent_executions: of each function; by default all share those of the
                account.

        Raises:
            PropertyError: a property is not allowed, or is a token where it must not be one.
        """
        super().__init__(scope, construct_id)
        self._properties = ServiceProperties.checked(self, locals())
        interval = self._properties.poll_interval
        self.log_group = logs.LogGroup(
            self,
            "LogGroup",
            encryption_key=log_key,
            removal_policy=RemovalPolicy.DESTROY,
            retention=log_retention,
        )
        """Where all functions of the recommenders that it answers for write their log."""
        self._network = Network(self, vpc, vpc_subnets, security_groups) if vpc else None
        self.role = self._function_role(self, "Role")
        if notify_topic:
            # The chains depend on the service. So the rules exist before them, and after them.
            self.role.node.add_dependency(
                StackNotifications(self, "Notifications", topic=notify_topic)
            )
        poll = self._handler("Poll", "attempts a request, and delivers its answer")
        state_machine = _state_machine(self, poll, interval)
        begin = self._handler(
            "Begin",
            "answers a request of CloudFormation, or starts its execution",
            {
                v.STATE_MACHINE_VARIABLE: state_machine.state_machine_arn,
                v.POLL_INTERVAL_VARIABLE: str(interval.to_seconds()),
            },
        )
        # Not in the role's own policy, on which Poll depends, and on that the state machine does.
        starts = allow_on([state_machine.state_machine_arn], "states:StartExecution")
        start = iam.Policy(self, "StartPolicy", roles=[self.role], statements=[starts])
        begin.node.add_dependency(start)
        # CloudFormation invokes it asynchronously (AWS::CloudFormation::CustomResource). An event
        # that Lambda cannot deliver for as long as CloudFormation waits is of no use to anybody.
        begin.configure_async_invoke(max_event_age=_HOUR, retry_attempts=2)
        self.service_token = begin.function_arn
        _acknowledge(begin, poll, state_machine)

    def _function_role(self, scope: Construct, construct_id: str) -> FunctionRole:
        """Make a role for functions of this service, with what its log and properties need."""
        role = FunctionRole(scope, construct_id)
        self.log_group.grant_write(role)
        if key := self._properties.environment_encryption:
            key.grant_decrypt(role)
        if self._network:
            self._network.allow(role)
        if self._properties.tracing:
            acknowledge(
                role,
                "AwsSolutions-IAM5[Resource::*]",
                "Tracing needs xray:PutTraceSegments and PutTelemetryRecords, which support no "
                "resource-level permissions (Service Authorization Reference, AWS X-Ray).",
            )
        return role

    def _function(
        self,
        scope: Construct,
        construct_id: str,
        *,
        does: str,
        handler: str,
        role: FunctionRole,
        environment: Mapping[str, str] | None = None,
    ) -> lambda_.Function:
        """Make a function with the service's log and properties; all share one package.

        Args:
            scope: the parent.
            construct_id: the id.
            does: its description, a verb first.
            handler: the module and the function, in the package.
            role: made by ``_function_role``.
            environment: further variables.
        """
        assembly = cast("Stage", Stage.of(scope)).asset_outdir
        properties = self._properties
        function = lambda_.Function(
            scope,
            construct_id,
            description=f"Top picks recommender: {does}",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=_architecture_in(Stack.of(scope).region),
            code=lambda_.Code.from_asset(zipped(LAMBDAS, Path(assembly))),
            handler=f"recommender.{handler}",
            role=role,
            environment={v.PERMISSIONS_VARIABLE: role.permissions, **(environment or {})},
            environment_encryption=properties.environment_encryption,
            timeout=Duration.minutes(15),
            memory_size=256,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            tracing=lambda_.Tracing.ACTIVE if properties.tracing else None,
            reserved_concurrent_executions=properties.reserved_concurrent_executions,
            **(self._network.arguments if self._network else {}),
        )
        if self._network:
            self._network.keep_longer_than(function)
        if not properties.tracing:
            acknowledge(
                function,
                "Serverless-LambdaTracing",
                "Tracing needs xray:PutTraceSegments on every resource, the widest permission that "
                "the role would have. There is one caller, and each invocation is logged.",
            )
        return function

    @classmethod
    def shared(
        cls,
        scope: IConstruct,
        *,
        poll_interval: Duration | None = None,
        log_retention: logs.RetentionDays | None = None,
        log_key: kms.IKey | None = None,
        notify_topic: sns.ITopic | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        environment_encryption: kms.IKey | None = None,
        tracing: bool | None = None,
        reserved_concurrent_executions: int | None = None,
    ) -> "RecommenderService":
        """Return the service that all recommenders of a stack share; make it at the first call.

        It has the id ``TopPicksRecommenderService`` in the stack, and its resources keep their
        logical ids whichever recommender comes first. To change a setting of the service of a
        deployed stack, call this with the new value before the first recommender is made.

        Args:
            scope: any construct of the stack.
            poll_interval: as in the constructor.
            log_retention: as in the constructor.
            log_key: as in the constructor.
            notify_topic: as in the constructor.
            vpc: as in the constructor.
            vpc_subnets: as in the constructor.
            security_groups: as in the constructor.
            environment_encryption: as in the constructor.
            tracing: as in the constructor.
            reserved_concurrent_executions: as in the constructor.

        Raises:
            PropertyError: a property is not allowed, or is another one than the service has.
        """
        names = {one.name for one in fields(ServiceProperties)}
        given: dict[str, Any] = {
            name: value for name, value in locals().items() if name in names and value is not None
        }
        stack = Stack.of(scope)
        service = stack.node.try_find_child(_SHARED_ID)
        if not isinstance(service, cls):
            return cls(stack, _SHARED_ID, **given)
        made = service._properties
        again = ServiceProperties.checked(service, {**vars(made), **given})
        for name in given:
            if again.as_setting(name) != made.as_setting(name):
                raise PropertyError(
                    name,
                    got=stack.resolve(again.as_setting(name)),
                    allowed=f"{stack.resolve(made.as_setting(name))}, with which the stack's "
                    "service is made",
                    remedy="Call RecommenderService.shared with it before the first recommender.",
                )
        return service

    def _handler(
        self, construct_id: str, does: str, environment: Mapping[str, str] | None = None
    ) -> lambda_.Function:
        return self._function(
            self,
            construct_id,
            does=does,
            handler=f"handler.{construct_id.lower()}",
            role=self.role,
            environment={v.URL_SUFFIX_VARIABLE: Aws.URL_SUFFIX, **(environment or {})},
        )


def service_for(recommender: Construct, given: RecommenderService | None) -> RecommenderService:
    """Return the given service, or the stack's shared one.

    Raises:
        PropertyError: it is none, or of another stack.
    """
    service = RecommenderService.shared(recommender) if given is None else given
    check_type(
        "service",
        service,
        RecommenderService,
        "Make one for the recommenders that are to share it, or give none.",
    )
    if Stack.of(service) != Stack.of(recommender):
        raise PropertyError(
            "service",
            got=service.node.path,
            allowed="a RecommenderService of the recommender's own stack",
            remedy="Make one in this stack, or leave it out: a change of permissions replaces the "
            "functions' instances, so that both have to be deployed together.",
        )
    return service


def definition(interval: Duration) -> dict[str, Any]:
    """Write the state machine's definition, in which ``${Poll}`` is the function ``Poll``.

    Whatever goes wrong with Lambda is tried again for as long as CloudFormation waits: throttling,
    faults of the service, an invocation that is killed. ``Poll`` handles the failure of a poll
    itself. Sources: "Handling errors in Step Functions workflows" and "Wait workflow state", Step
    Functions Developer Guide.
    """
    return {
        "Comment": "Polls a request of a custom resource until it is answered",
        "StartAt": "Wait",
        "TimeoutSeconds": int(_HOUR.to_seconds()),
        "States": {
            "Wait": {"Type": "Wait", "SecondsPath": "$.Seconds", "Next": "Poll"},
            "Poll": {
                "Type": "Task",
                "Resource": "${Poll}",
                "Retry": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        "IntervalSeconds": int(interval.to_seconds()),
                        "BackoffRate": 1,
                        "MaxAttempts": int(_HOUR.to_seconds()),
                        "JitterStrategy": "FULL",
                    }
                ],
                "Next": "HasEnded",
            },
            "HasEnded": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.Ended", "BooleanEquals": True, "Next": "End"}],
                "Default": "Wait",
            },
            "End": {"Type": "Succeed"},
        },
    }


def _state_machine(
    scope: Construct, poll: lambda_.IFunction, interval: Duration
) -> sfn.StateMachine:
    role = invoking_role(scope, "WaiterRole", poll, "states", "stateMachine:*")
    return sfn.StateMachine(
        scope,
        "Waiter",
        comment="Waits for a training or a deletion",
        definition_body=sfn.DefinitionBody.from_string(json.dumps(definition(interval))),
        definition_substitutions={"Poll": poll.function_arn},
        role=role.without_policy_updates(),
    )


def _architecture_in(region: str) -> lambda_.Architecture:
    """Return arm64, but x86_64 in China, where AWS does not document that there is arm64."""
    china = partition_of(region) == CHINA
    return lambda_.Architecture.X86_64 if china else lambda_.Architecture.ARM_64


def _acknowledge(
    begin: lambda_.Function, poll: lambda_.Function, state_machine: sfn.StateMachine
) -> None:
    acknowledge(
        begin,
        "Serverless-LambdaDLQ",
        "CloudFormation invokes it asynchronously, but a queue would keep the ResponseURL, a "
        "pre-signed write capability. CloudFormation itself gives up on a lost request after an "
        "hour, visibly.",
    )
    acknowledge(
        begin,
        "Serverless-LambdaAsyncFailureDestination",
        "A destination would get the ResponseURL, as a dead-letter queue would. CloudFormation "
        "gives up on a lost request after an hour, visibly.",
    )
    acknowledge(
        poll,
        "Serverless-LambdaDLQ",
        "Only asynchronous invocations go to a dead-letter queue (Lambda Developer Guide, "
        "asynchronous invocation); the state machine invokes this function synchronously and tries "
        "again.",
    )
    acknowledge(
        state_machine,
        "AwsSolutions-SF1",
        "Each state's data holds the ResponseURL, a pre-signed write capability: it must not be "
        "logged. The function that the state machine invokes logs the reason of each wait.",
    )
    for rule in ("AwsSolutions-SF2", "Serverless-StepFunctionStateMachineXray"):
        acknowledge(
            state_machine,
            rule,
            "It only invokes one function over and over; each invocation is in that function's "
            "log. AWS does not document whether a trace has the input, which has the ResponseURL.",
        )
