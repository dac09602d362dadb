"""An operator, who reads a stack of the fake CloudFormation from outside, with `operations`."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from botocore.awsrequest import AWSPreparedRequest

from local_aws.personalize import ServiceError, wire
from operations.__main__ import main
from operations.account import Account
from tests.support import aws_wire, personalize
from tests.support.cloudformation import Cloud, Stack
from tests.support.deployed_code import description
from tests.support.place import ACCOUNT

_PAGE: Final = 25
"""Fewer than CloudFormation has on a page, so that there are pages."""

Authorize = Callable[[str, str], None]


class Operator:
    """Runs the commands.

    Attributes:
        calls: all calls that they made, with the resource, in order.
        faults: called before an operation is answered, as `tests.support.personalize.Before`.
        authorize: called with the IAM action and the resource of each call.
        forgets: whether CloudFormation has forgotten the stacks that are deleted, 90 days after.
    """

    def __init__(self, cloud: Cloud, capsys: pytest.CaptureFixture[str] | None = None) -> None:
        self.cloud = cloud
        self.calls: list[str] = []
        self.faults: personalize.Before = lambda _operation, _params: None
        self.authorize: Authorize = lambda _action, _resource: None
        self.forgets = False
        self._capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command, and return its exit code and what it shows."""
        code = main(
            arguments,
            connect=lambda _region: self.account,
            clock=self.cloud.clock,
            sleep=self.cloud.run_for,
        )
        assert self._capsys, "only a test that captures the output can read it"
        shown = self._capsys.readouterr()
        return code, shown.out + shown.err

    def expect(self, code: int, *arguments: str) -> str:
        """Run a command, and return the output once its exit code is as expected."""
        actual, shown = self.run(*arguments)
        assert actual == code, shown
        return shown

    @property
    def account(self) -> Account:
        """The account, as the commands see it."""
        return Account(
            personalize.connected("cloudformation", self._answer, self.cloud.clock),
            personalize.client(
                self.cloud.service,
                region=self.cloud.region,
                caller="operator",
                authorize=lambda action, resource, _context: self.authorize(action, resource),
                before=self._called,
            ),
            self.cloud.cloudwatch.client(self.cloud.clock, self._called_cloudwatch),
            personalize.connected("sts", self._identify, self.cloud.clock),
            self.cloud.region,
        )

    def _called_cloudwatch(self, action: str, resource: str) -> None:
        self._called(action.partition(":")[2], {})
        self.authorize(action, resource)

    def _called(self, operation: str, params: dict[str, Any]) -> None:
        self.calls.append(operation)
        self.faults(operation, params)

    def _answer(self, request: AWSPreparedRequest, operation: str) -> wire.Response:
        asked = aws_wire.query_of(request)
        try:
            self._called(operation, {})
            stack = self._find(asked["StackName"])
            self.authorize(f"cloudformation:{operation}", stack.id)
            members = _ANSWERS[operation](stack, int(asked.get("NextToken", 0)))
        except ServiceError as error:
            return aws_wire.query_error(error)
        return aws_wire.query_response(operation, members)

    def _identify(self, _request: AWSPreparedRequest, operation: str) -> wire.Response:
        self._called(operation, {})
        arn = f"arn:{self.cloud.partition}:sts::{ACCOUNT}:assumed-role/Admin/operator"
        return aws_wire.query_response(operation, aws_wire.element("Arn", arn))

    def _find(self, asked: str) -> Stack:
        for stack in reversed(self.cloud.stacks):
            deleted = stack.shown.status == "DELETE_COMPLETE"
            if deleted and (self.forgets or asked != stack.id):
                continue
            if asked in (stack.id, stack.name):
                return stack
        message = f"Stack with id {asked} does not exist"
        raise ServiceError("ValidationError", message, 400)


def _events(stack: Stack, page: int) -> str:
    events = [
        {
            "StackId": stack.id,
            "EventId": str(number),
            "StackName": stack.name,
            "LogicalResourceId": event.logical_id,
            "PhysicalResourceId": stack.id
            if event.logical_id == stack.name
            else event.physical_id or "",
            "ResourceStatus": event.status,
            "ResourceStatusReason": event.reason,
            "Timestamp": aws_wire.iso(event.time),
        }
        for number, event in enumerate(stack.events)
        if event.status != "FAILED"  # the fake's own note that a deployment fails
    ]
    return _paged("StackEvents", events[::-1], page)


def _resources(stack: Stack, page: int) -> str:
    resources = [
        {
            "LogicalResourceId": one.logical_id,
            "PhysicalResourceId": one.physical_id or "",
            "ResourceType": one.type,
            "ResourceStatus": one.status or "CREATE_IN_PROGRESS",
            "LastUpdatedTimestamp": aws_wire.iso(stack.cloud.clock.now),
        }
        for one in stack.resources.values()
    ]
    return _paged("StackResourceSummaries", resources, page)


def _template(stack: Stack, _page: int) -> str:
    """Return what GetTemplate does: what is not ASCII is deployed, but shown as `?`.

    Source: cloudformation-coverage-roadmap issue 814.
    """
    body = {"Resources": stack.template.resources, "Outputs": stack.template.outputs}
    shown = re.sub(r"[^\x00-\x7f]", "?", json.dumps(body, ensure_ascii=False))
    return aws_wire.element("TemplateBody", shown)


_ANSWERS: Final[Mapping[str, Callable[[Stack, int], str]]] = {
    "DescribeStacks": lambda stack, _: description(stack),
    "DescribeStackEvents": _events,
    "ListStackResources": _resources,
    "GetTemplate": _template,
}


def _paged(name: str, members: list[dict[str, str]], page: int) -> str:
    following = page + _PAGE
    token = aws_wire.element("NextToken", str(following)) if following < len(members) else ""
    return aws_wire.listed(name, members[page:following]) + token
