"""CloudFormation's events, and the messages that a template's rules make of them.

The rules are evaluated by ministack, which matches patterns and fills templates as EventBridge
documents it.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.services import eventbridge  # type: ignore[import-untyped]

from tests.support.place import GROUP
from tests.support.template import of_type, resolved

_ACCOUNT, _REGION = GROUP.split(":")[4], GROUP.split(":")[3]
STACK_ID = f"arn:aws:cloudformation:{_REGION}:{_ACCOUNT}:stack/TopPicks/1"


def of_the_stack(status: str, reason: str = "", stack_id: str = STACK_ID) -> dict[str, Any]:
    """Return a "Stack Status Change" event, as in the CloudFormation User Guide."""
    detail = {
        "stack-id": stack_id,
        "status-details": {"status": status, "status-reason": reason},
        "client-request-token": "",
    }
    return _event("CloudFormation Stack Status Change", detail)


def of_a_resource(
    status: str, reason: str = "", *, logical_id: str = "Gate", stack_id: str = STACK_ID
) -> dict[str, Any]:
    """Return a "Resource Status Change" event, as in the CloudFormation User Guide."""
    detail = {
        "stack-id": stack_id,
        "logical-resource-id": logical_id,
        "physical-resource-id": "",
        "status-details": {"status": status, "status-reason": reason},
        "resource-type": "Custom::RecommenderTraining",
        "client-request-token": "",
    }
    return _event("CloudFormation Resource Status Change", detail)


def _event(detail_type: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "EventId": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "DetailType": detail_type,
        "Source": "aws.cloudformation",
        "Account": _ACCOUNT,
        "Time": "2017-12-22T18:43:48Z",
        "Region": _REGION,
        "Resources": [detail["stack-id"]],
        "Detail": json.dumps(detail),
    }


def messages(template: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, str]:
    """Return the messages that the rules of a template send of an event, by their logical ids."""
    return dict(_messages(template, event))


def _messages(template: Mapping[str, Any], event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    view = eventbridge._pattern_event_view(event)
    for logical_id, rule in of_type(dict(template), "AWS::Events::Rule").items():
        properties = json.loads(
            json.dumps(resolved(rule["Properties"])).replace("AWS::StackId", STACK_ID)
        )
        if eventbridge._matches_pattern_view(json.dumps(properties["EventPattern"]), view):
            (target,) = properties["Targets"]
            transformer = target["InputTransformer"]
            yield logical_id, eventbridge._apply_input_transformer(transformer, {}, view)
