"""The real functions, connected to AWS as they are when they are deployed.

They call through real boto3 clients, as a role that has the policies of the real template for as
long as they exist; Lambda and Step Functions invoke them as the template configures it.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from types_boto3_cloudformation import CloudFormationClient

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.cloudwatch import CloudWatch
from lambdas.recommender.aws.personalize import Personalize
from lambdas.recommender.clients import CLIENT
from lambdas.recommender.monitoring.observer import Observer
from lambdas.recommender.protocol.answer import Answers, Delivery, encoded
from lambdas.recommender.protocol.execution import StateMachine, StepFunctionsApi
from lambdas.recommender.protocol.request_handler import RequestHandler
from local_aws.personalize import ServiceError, wire
from tests.support import aws_wire, personalize
from tests.support.intrinsics import resolve
from tests.support.permissions import Permissions, Use, statements_of
from tests.support.scheduler import calls_personalize
from tests.support.serverless import Event

if TYPE_CHECKING:
    from tests.support.stack import Stack

_CLIENT: Final = CLIENT.merge(Config(signature_version=UNSIGNED, user_agent="tests"))
"""As in the functions, but nothing reads signatures and user agents here."""

_FUNCTION: Final = "AWS::Lambda::Function"
_SCHEDULE: Final = "AWS::Scheduler::Schedule"
BEGIN: Final = "handler.begin"
POLL: Final = "handler.poll"
OBSERVE: Final = "observer_handler.observe"
_LAMBDA_KEEPS_EVENTS: Final = 6 * 3600


class Functions(Protocol):
    """The functions of a stack."""

    def begin(self, event: Event) -> None:
        """Begin a request of CloudFormation."""

    def poll(self, state: Event) -> Mapping[str, Any]:
        """Poll again."""


@dataclass
class Instance:
    """A warm instance of a function: the configuration that it began with, what it may do."""

    configuration: Mapping[str, Any]
    statements: list[Mapping[str, Any]]
    outdated_since: float | None = None
    """When its role was first seen to have other permissions."""

    def permissions(
        self, current: list[Mapping[str, Any]], *, now: float, kept: float
    ) -> list[Mapping[str, Any]]:
        """Return what it may do now: a change of the role's permissions comes after a time."""
        if current == self.statements:
            self.outdated_since = None
        elif self.outdated_since is None:
            self.outdated_since = now
        if self.outdated_since is not None and now - self.outdated_since >= kept:
            self.statements, self.outdated_since = current, None
        return self.statements


@dataclass
class DeployedFunctions:
    """The real ones, with the configuration that the template gives them."""

    stack: "Stack"
    resources: RequestHandler
    waiter_client: StepFunctionsApi

    def begin(self, event: Event) -> None:
        """Begin a request, with the environment of the function that CloudFormation invokes."""
        _start_instance(self.stack, BEGIN)
        environment = configuration(self.stack, BEGIN)["Environment"]["Variables"]
        state_machine = StateMachine(
            self.waiter_client,
            environment[v.STATE_MACHINE_VARIABLE],
            pause=self.stack.cloud.clock.advance,
        )
        interval = float(environment[v.POLL_INTERVAL_VARIABLE])
        self.resources.begin(event, state_machine, interval=interval)

    def poll(self, state: Event) -> Mapping[str, Any]:
        """Poll again."""
        _start_instance(self.stack, POLL)
        return self.resources.poll(state)


class _PuttingAnswers(Answers):
    """Puts answers to the cloud in place of S3."""

    def __init__(self, stack: "Stack") -> None:
        super().__init__(stack.cloud.url_suffix)
        self._cloud = stack.cloud

    def put(self, response_url: str, answer: Mapping[str, Any]) -> Delivery:
        return self._cloud.put(response_url, encoded(answer))


def functions(stack: "Stack") -> Functions:
    """Return the functions, connected to AWS with a stack's role."""
    cloud = stack.cloud
    service = _personalize(stack, stack.id, before=cloud.called, after=cloud.applied)
    stacks = Stacks(_stacks_client(stack))
    handler = RequestHandler(service, stacks, _PuttingAnswers(stack), cloud.clock)
    return DeployedFunctions(stack, handler, _step_functions_client(stack))


def observe(stack: "Stack") -> list[str]:
    """Observe a stack's recommenders with the events of their schedules; return the lines.

    Nobody fires a schedule here. Before it is made, what it is to send is in the template.
    """
    schedules = {}
    for logical_id, one in stack.template.resources.items():
        if one["Type"] == _SCHEDULE:
            with contextlib.suppress(LookupError):  # what it needs is not there yet
                schedules[logical_id] = resolve(one["Properties"], stack.lookup)
    schedules |= {one.logical_id: one.properties for one in stack.existing if one.type == _SCHEDULE}
    return [
        line
        for schedule in schedules.values()
        if not calls_personalize(schedule) and _function_of(schedule) in _observers(stack)
        for line in _observe(stack, _function_of(schedule), schedule["Target"]["Input"])
    ]


def _function_of(schedule: Mapping[str, Any]) -> str:
    """Return the logical id of the function that a schedule invokes."""
    logical_id: str = schedule["Target"]["Arn"].rpartition(":")[2].partition(".")[0]
    return logical_id


def _observe(stack: "Stack", function: str, sent: str) -> list[str]:
    cloud = stack.cloud
    service = _personalize(stack, f"{stack.id}/observer", function)
    _start_instance(stack, function)
    lines: list[str] = []
    stacks = Stacks(_stacks_client(stack, function))
    cloudwatch = cloud.cloudwatch.client(
        cloud.clock,
        lambda action, resource: _authorize(stack, action, resource, function),
        config=_CLIENT,
    )
    observer = Observer(service, stacks, CloudWatch(cloudwatch), cloud.clock, lines.append)
    observer.observe(json.loads(sent))
    return lines


def has_observer(stack: "Stack") -> bool:
    """Whether a stack has an observer by now."""
    return bool(_observers(stack))


def _observers(stack: "Stack") -> list[str]:
    """Return the logical ids of the observers that a stack has by now, one a recommender."""
    functions = [one for one in stack.existing if one.type == _FUNCTION]
    handler = f"recommender.{OBSERVE}"
    return [one.logical_id for one in functions if one.properties["Handler"] == handler]


def configuration(stack: "Stack", function: str) -> Mapping[str, Any]:
    """Return the properties of a function, by handler or logical id, as they are deployed now."""
    (found,) = (
        resource.properties
        for resource in stack.existing
        if resource.type == _FUNCTION
        and function in (resource.logical_id, _handler(resource.properties))
    )
    return found


def _handler(properties: Mapping[str, Any]) -> str:
    """Return the handler of a function, within the package."""
    return str(properties["Handler"]).removeprefix("recommender.")


def _start_instance(stack: "Stack", function: str) -> None:
    """Start an instance of a function, unless one is warm: another configuration replaces it."""
    now = configuration(stack, function)
    warm = stack.instances.get(function)
    if warm is None or warm.configuration != now:
        stack.instances[function] = Instance(now, list(_statements(stack, function)))


def expires(stack: "Stack", sent: float) -> float:
    """Return when Lambda drops an event that it has not delivered."""
    ages = [
        one["MaximumEventAgeInSeconds"]
        for one in _properties(stack, "AWS::Lambda::EventInvokeConfig")
    ]
    return sent + min(ages, default=_LAMBDA_KEEPS_EVENTS)


def definition(stack: "Stack") -> Mapping[str, Any]:
    """Return the definition of the state machine."""
    (machine,) = _properties(stack, "AWS::StepFunctions::StateMachine")
    text = resolve(machine["DefinitionString"], lambda name, _: name)
    made: Mapping[str, Any] = json.loads(text)
    return made


def _properties(stack: "Stack", resource_type: str) -> list[Mapping[str, Any]]:
    resources = stack.template.resources.values()
    return [one["Properties"] for one in resources if one["Type"] == resource_type]


def _authorize(stack: "Stack", action: str, resource: str, function: str = "") -> None:
    """Let a function call AWS, by default the one that is invoked now.

    Raises:
        ServiceError: AccessDeniedException.
    """
    cloud = stack.cloud
    invoked = f"handler.{cloud.invocations[-1].function}" if cloud.invocations else BEGIN
    warm = stack.instances.get(function or invoked)
    statements = list(_statements(stack, function or BEGIN))
    if warm:
        kept = cloud.instances_keep_permissions
        statements = warm.permissions(statements, now=cloud.clock.now, kept=kept)
    allowed = Permissions([{"Statement": statements}])
    if allowed.allow(Use(action, resource)):
        return
    raise ServiceError(
        "AccessDeniedException",
        f"User: {stack.name}-ProviderRole is not authorized to perform: {action} on resource: "
        f"{resource} because no identity-based policy allows the {action} action",
    )


def _statements(stack: "Stack", function: str = BEGIN) -> Iterator[Mapping[str, Any]]:
    """Return what the policies allow that a function's role has now."""
    existing = {one.logical_id: one.definition for one in stack.existing}
    (role,) = {
        one["Properties"]["Role"]["Fn::GetAtt"][0]
        for logical_id, one in {**existing, **stack.template.resources}.items()
        if one["Type"] == _FUNCTION and function in (logical_id, _handler(one["Properties"]))
    }
    return statements_of(stack, role)


def _personalize(
    stack: "Stack",
    caller: str,
    function: str = "",
    *,
    before: personalize.Before | None = None,
    after: personalize.After | None = None,
) -> Personalize:
    """Return Personalize as a function has it, which calls by the role of the stack."""
    client = personalize.client(
        stack.cloud.service,
        region=stack.cloud.region,
        authorize=lambda action, resource, _: _authorize(stack, action, resource, function),
        caller=caller,
        before=before,
        after=after,
        config=_CLIENT,
    )
    return Personalize(client)


def _stacks_client(stack: "Stack", function: str = "") -> CloudFormationClient:
    """Return a real client of which DescribeStacks is answered from the fake."""
    cloud = stack.cloud

    def answer(request: AWSPreparedRequest, operation: str) -> wire.Response:
        asked = aws_wire.query_of(request)["StackName"]
        try:
            if not function:
                cloud.called(operation, {"StackName": asked})
            _authorize(stack, f"cloudformation:{operation}", asked, function)
        except ServiceError as error:
            return aws_wire.query_error(error)
        response = aws_wire.query_response(operation, description(stack))
        if function:
            return response
        return cloud.applied(operation, {}, response) or response

    made: CloudFormationClient = personalize.connected(
        "cloudformation", answer, cloud.clock, config=_CLIENT
    )
    return made


def _step_functions_client(stack: "Stack") -> StepFunctionsApi:
    """Return a real client of which StartExecution is answered from the fake."""
    cloud = stack.cloud

    def answer(request: AWSPreparedRequest, operation: str) -> wire.Response:
        params = json.loads(aws_wire.body_of(request))
        try:
            cloud.called(operation, params)
            _authorize(stack, f"states:{operation}", params["stateMachineArn"])
            cloud.start_execution(stack, params["name"], params["input"])
        except ServiceError as error:
            return wire.error_response(error, runtime=False)
        started = {"executionArn": f"arn:{params['name']}", "startDate": cloud.clock.now}
        response = aws_wire.json_response(started)
        return cloud.applied(operation, params, response) or response

    client = personalize.connected("stepfunctions", answer, cloud.clock, config=_CLIENT)
    made: StepFunctionsApi = client
    return made


def description(stack: "Stack") -> str:
    """Return what DescribeStacks answers of a stack, in XML."""
    shown = stack.shown
    members = {
        "StackId": stack.id,
        "StackName": stack.name,
        "StackStatus": shown.status,
        "CreationTime": aws_wire.iso(stack.created),
        "LastUpdatedTime": aws_wire.iso(shown.updated),
        "DeletionTime": aws_wire.iso(shown.deleted),
        "EnableTerminationProtection": "true" if stack.is_protected else "",
    }
    return aws_wire.listed("Stacks", [members])
