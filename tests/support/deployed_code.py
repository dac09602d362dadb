"""The real handlers, connected to AWS as they are when they are deployed.

They call through real boto3 clients, as a role that has the policies of the real template for as
long as they exist, and they are invoked by the CDK's Provider, as the template configures it.
"""

import fnmatch
import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from types_boto3_cloudformation import CloudFormationClient

from lambdas.recommender.handler import CustomResources
from lambdas.recommender.service import Personalize
from lambdas.recommender.stack import Stacks
from local_aws.personalize import ServiceError, wire
from tests.support import personalize
from tests.support.custom_resources import Request
from tests.support.provider import Handlers, Provider, Waiter
from tests.support.synthesis import ACCOUNT, resolve

if TYPE_CHECKING:
    from tests.support.stack import Stack

RETRIES: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    signature_version=UNSIGNED,
    user_agent="tests",
)
"""Retries as in `handler.py`; nobody looks at signatures and user agents here."""

_POLICY: Final = "AWS::IAM::Policy"
_LAMBDA_KEEPS_EVENTS: Final = 6 * 3600


def handlers(stack: "Stack") -> Handlers:
    """Return the handlers, connected to AWS with a stack's role."""
    cloud = stack.cloud
    client = personalize.client(
        cloud.service,
        account=ACCOUNT,
        region=cloud.region,
        authorize=lambda action, resource, _context: _authorize(stack, action, resource),
        caller=stack.id,
        before=cloud.called,
        after=cloud.applied,
        config=RETRIES,
    )
    return CustomResources(
        Personalize(client), Stacks(_stacks_client(stack)), cloud.clock, pause=cloud.clock.advance
    )


def restarted(killed: Handlers) -> Handlers:
    """Return the handlers as they are after a function was killed: what it remembered is lost."""
    return replace(killed) if isinstance(killed, CustomResources) else killed


def provider(stack: "Stack", request: Request) -> Provider:
    """Return the framework as it answers one request."""
    (machine,) = _properties(stack, "AWS::StepFunctions::StateMachine")
    ages = [
        one["MaximumEventAgeInSeconds"]
        for one in _properties(stack, "AWS::Lambda::EventInvokeConfig")
    ]
    suffix = "AbCdEfGhIjKl"
    return Provider(
        stack.cloud.timeline,
        Waiter.of(resolve(machine["DefinitionString"], lambda name, _: name)),
        invoke=functools.partial(stack.cloud.invoke, request),
        respond=lambda _event, body: request.respond(body),
        function_names={
            "on_event": f"{stack.name}-ProviderOnEvent154A47CF-{suffix}",
            "is_complete": f"{stack.name}-ProviderIsComplete2FC879E6-{suffix}",
        },
        expires=request.sent + min(ages, default=_LAMBDA_KEEPS_EVENTS),
    )


def _properties(stack: "Stack", resource_type: str) -> list[Mapping[str, Any]]:
    resources = stack.template.resources.values()
    return [one["Properties"] for one in resources if one["Type"] == resource_type]


def _authorize(stack: "Stack", action: str, resource: str) -> None:
    for statement in _statements(stack):
        actions, resources = (_listed(statement[key]) for key in ("Action", "Resource"))
        if action in actions and any(fnmatch.fnmatchcase(resource, one) for one in resources):
            return
    raise ServiceError(
        "AccessDeniedException",
        f"User: {stack.name}-ProviderRole is not authorized to perform: {action} on resource: "
        f"{resource} because no identity-based policy allows the {action} action",
    )


def _statements(stack: "Stack") -> Iterator[Mapping[str, Any]]:
    """Return what the policies allow that the handlers' role has now."""
    (role,) = (
        one["Role"]["Fn::GetAtt"][0]
        for one in _properties(stack, "AWS::Lambda::Function")
        if one["Handler"] == "recommender.handler.on_event"
    )
    for resource in stack.existing:
        properties = resource.definition.get("Properties", {})
        if resource.type == _POLICY and {"Ref": role} in properties["Roles"]:
            yield from resource.properties["PolicyDocument"]["Statement"]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _stacks_client(stack: "Stack") -> CloudFormationClient:
    """Return a real client of which DescribeStacks is answered from the fake."""
    cloud = stack.cloud

    def answer(request: AWSPreparedRequest, operation: str) -> wire.Response:
        (asked,) = parse_qs(personalize._bytes(request.body).decode())["StackName"]
        try:
            cloud.called(operation, {"StackName": asked})
            _authorize(stack, f"cloudformation:{operation}", asked)
        except ServiceError as error:
            return error.http_status, {}, _error(error)
        response = (200, dict[str, str](), _description(stack))
        return cloud.applied(operation, {}, response) or response

    made: CloudFormationClient = personalize.connected(
        "cloudformation", answer, cloud.clock, config=RETRIES
    )
    return made


def _description(stack: "Stack") -> bytes:
    shown = stack.shown
    members = {
        "StackId": stack.id,
        "StackName": stack.name,
        "StackStatus": shown.status,
        "CreationTime": _iso(stack.created),
        **({"LastUpdatedTime": _iso(shown.updated)} if shown.updated else {}),
        **({"DeletionTime": _iso(shown.deleted)} if shown.deleted else {}),
    }
    member = "".join(f"<{key}>{escape(text)}</{key}>" for key, text in members.items())
    return (
        '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">'
        f"<DescribeStacksResult><Stacks><member>{member}</member></Stacks></DescribeStacksResult>"
        "</DescribeStacksResponse>"
    ).encode()


def _error(error: ServiceError) -> bytes:
    return (
        f"<ErrorResponse><Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
        "</Error></ErrorResponse>"
    ).encode()


def _iso(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")
