"""CloudFormation's events on EventBridge: ministack sends none, here it sends them as AWS does.

They are simulated: each is made of the stack's own list of events, in the form of "CloudFormation
events detail reference" (CloudFormation User Guide).
"""

import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from ministack.core import iam_evaluator, responses  # type: ignore[import-untyped]
from ministack.services import cloudformation, eventbridge, sns  # type: ignore[import-untyped]
from ministack.services.cloudformation import (  # type: ignore[import-untyped]
    changesets,
    handlers,
    stacks,
)

_EVENTBRIDGE: Final = "events.amazonaws.com"
_CALLERS: Final = (stacks, handlers, changesets)
"""The modules that have a name of their own for the function that records an event."""

logger = logging.getLogger(__name__)


def send_stack_events() -> None:
    """Send an event to EventBridge for each event that is recorded for a stack."""
    record = stacks._add_event

    def record_and_send(stack_id: str, *arguments: Any, **named: Any) -> None:
        record(stack_id, *arguments, **named)
        entries = entries_of(cloudformation._stack_events[stack_id][-1])
        eventbridge._put_events({"Entries": entries}, allow_aws_source=True)

    for module in _CALLERS:
        module._add_event = record_and_send


def entries_of(recorded: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what CloudFormation would send of one event of DescribeStackEvents.

    AWS does not document whether it sends an event of the stack also as one of a resource. Here it
    does, so that a rule has to expect both.
    """
    stack_id = recorded["StackId"]
    of_the_stack = {
        "stack-id": stack_id,
        "status-details": {
            "status": recorded["ResourceStatus"],
            "status-reason": recorded["ResourceStatusReason"],
        },
        "client-request-token": recorded.get("ClientRequestToken", ""),
    }
    of_a_resource = {
        "logical-resource-id": recorded["LogicalResourceId"],
        "physical-resource-id": recorded["PhysicalResourceId"],
        "resource-type": recorded["ResourceType"],
        **of_the_stack,
    }
    details = {"CloudFormation Resource Status Change": of_a_resource}
    if recorded["PhysicalResourceId"] == stack_id:
        details["CloudFormation Stack Status Change"] = of_the_stack
    return [
        {
            "Source": "aws.cloudformation",
            "DetailType": detail_type,
            "Resources": [stack_id],
            "Detail": json.dumps(detail),
        }
        for detail_type, detail in details.items()
    ]


def deliver_to_topics_that_allow_it() -> None:
    """Let a rule publish only to topics whose policy allows it, without any condition, as on AWS.

    EventBridge sends no condition keys with a message to a topic ("Using resource-based policies
    for Amazon EventBridge", User Guide). ministack delivers whatever the policy says.
    """
    deliver = eventbridge._dispatch_to_sns

    def deliver_if_allowed(topic_arn: str, message: str) -> None:
        if _may_publish(topic_arn):
            deliver(topic_arn, message)
        else:
            logger.warning("The policy of %s does not let EventBridge publish", topic_arn)

    eventbridge._dispatch_to_sns = deliver_if_allowed


def _may_publish(topic_arn: str) -> bool:
    policy, _ = sns.topic_policy_for_arn(topic_arn) or ("", "")
    context = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="sns:Publish",
        resource_arn=topic_arn,
        region=responses.get_region(),
    )
    found = iam_evaluator.evaluate_resource_policy(policy, context, service=_EVENTBRIDGE)
    return bool(found.decision == "Allow")
