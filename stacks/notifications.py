"""Notifications of a stack's operations: a message when one ends, fails or is stuck."""

from typing import Any, Final, NamedTuple

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from constructs import Construct

from .security import acknowledge
from .synthesis import stacks_of

_OF_THE_STACK: Final = "CloudFormation Stack Status Change"
_OF_A_RESOURCE: Final = "CloudFormation Resource Status Change"
"""Source of both: "CloudFormation events detail reference", CloudFormation User Guide."""

_FIELDS: Final = {
    "account": "$.account",
    "region": "$.region",
    "time": "$.time",
    "status": "$.detail.status-details.status",
    "reason": "$.detail.status-details.status-reason",
    "resource": "$.detail.logical-resource-id",
}
"""The parts of an event that a message contains."""

_PROGRAM: Final = "python -m operations" if __name__ == "stacks.notifications" else "top-picks"
"""The command as a person types it: in this repository, or with the package alone."""
_OPERATIONS: Final = f"{_PROGRAM} {{}} --stack {{{{stack}}}} --region <region>"
_STATUS: Final = _OPERATIONS.format("status")
_FOLLOW: Final = _OPERATIONS.format("status --follow")
_LEFTOVERS: Final = _OPERATIONS.format("leftovers --delete")
_DEPLOY: Final = "npx cdk deploy {path}"
_CONTINUE: Final = (
    "aws cloudformation continue-update-rollback --stack-name {stack} --region <region>"
)


class _Kind(NamedTuple):
    """A kind of message: the events that it reports, its words, and the next command."""

    construct_id: str
    detail_type: str
    statuses: tuple[str, ...]
    meaning: str
    command: str


_KINDS: Final = (
    _Kind(
        "Succeeded",
        _OF_THE_STACK,
        ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"),
        "The operation has succeeded.",
        _STATUS,
    ),
    _Kind(
        "Failed",
        _OF_A_RESOURCE,
        ("CREATE_FAILED", "UPDATE_FAILED", "IMPORT_FAILED"),
        "The operation has failed. A rollback can take hours.",
        _FOLLOW,
    ),
    _Kind(
        "RolledBack",
        _OF_THE_STACK,
        ("ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"),
        "The operation was rolled back. An earlier message has the reason. Remove the cause.",
        _DEPLOY,
    ),
    _Kind(
        "Kept",
        _OF_THE_STACK,
        ("CREATE_FAILED", "UPDATE_FAILED"),
        "The failure was kept, without a rollback. Remove the cause, and change force_update.",
        _DEPLOY,
    ),
    _Kind(
        "NotRolledBack",
        _OF_THE_STACK,
        ("UPDATE_ROLLBACK_FAILED",),
        "The stack is stuck, because its rollback has failed. Remove the cause.",
        _CONTINUE,
    ),
    _Kind(
        "NotDeleted",
        _OF_A_RESOURCE,
        ("DELETE_FAILED",),
        "The resource was not deleted. A recommender may be left, and billed. Remove the cause.",
        _LEFTOVERS,
    ),
    _Kind(
        "Stuck",
        _OF_THE_STACK,
        ("DELETE_FAILED", "ROLLBACK_FAILED"),
        "The stack is stuck. A recommender may be left, and billed. Remove the cause.",
        _LEFTOVERS,
    ),
)
"""All kinds. An input transformer cannot branch, so each has a rule of its own.

The event of the stack names the failed resources; the event of a resource has its reason.
"""


class StackNotifications(Construct):
    """Rules that send a message to a topic when an operation of the stack ends, fails or is stuck.

    A rule must exist before the first resource that can fail after hours, and after the last one is
    gone: let the others depend on this construct. The rules are deleted with the stack, so no rule
    reports the end of a deletion, nor the end of the rollback of a creation.

    The owner of the topic lets ``events.amazonaws.com`` publish to it. An L2 target would add that
    permission to topics of the same app, and to no others.
    """

    def __init__(self, scope: Construct, construct_id: str, *, topic: sns.ITopic) -> None:
        """Make a rule for each kind of message."""
        super().__init__(scope, construct_id)
        # A policy of a topic of this stack comes before the rules, and is deleted after them.
        self.node.add_dependency(topic)
        stack = Stack.of(self)
        for kind in _KINDS:
            message = _message(kind, stack)
            events.CfnRule(
                self,
                kind.construct_id,
                description=f"Top picks recommender: {', '.join(kind.statuses)}",
                event_pattern=_pattern(kind, stack),
                targets=[
                    events.CfnRule.TargetProperty(
                        id="Topic",
                        arn=topic.topic_arn,
                        input_transformer=events.CfnRule.InputTransformerProperty(
                            input_paths_map={
                                name: path
                                for name, path in _FIELDS.items()
                                if f"<{name}>" in message
                            },
                            input_template=message,
                        ),
                    )
                ],
            )
        acknowledge(
            self,
            "Serverless-EventBusDLQ",
            "EventBridge tries to deliver a message for 24 hours. After that it is of no use, and "
            "CloudFormation's own events keep the outcome.",
        )


def _pattern(kind: _Kind, stack: Stack) -> dict[str, Any]:
    """Write the event pattern.

    CloudFormation lists a stack among its own resources, by the stack's name ("View stack events",
    CloudFormation User Guide). A resource that was cancelled has not failed by itself. Source of
    the operators: "Comparison operators for use in event patterns", EventBridge User Guide.
    """
    status: dict[str, Any] = {"status": list(kind.statuses)}
    detail: dict[str, Any] = {"stack-id": [stack.stack_id], "status-details": status}
    if kind.detail_type == _OF_A_RESOURCE:
        detail["logical-resource-id"] = [{"anything-but": [stack.stack_name]}]
        status["status-reason"] = [{"anything-but": {"suffix": "cancelled"}}]
    return {"source": ["aws.cloudformation"], "detail-type": [kind.detail_type], "detail": detail}


def _message(kind: _Kind, stack: Stack) -> str:
    """Write the input template: lines of text, each in quotation marks.

    EventBridge inserts values as they are, and a reason may contain quotation marks. Text may
    contain them, too: the guide's own example of an output is ``"instance "i-0123456789" is in
    RUNNING"``. Source: "Amazon EventBridge input transformation", User Guide.
    """
    subject = "<resource> is <status>" if kind.detail_type == _OF_A_RESOURCE else "<status>"
    has_reason = any(status.endswith("FAILED") for status in kind.statuses)
    deployed = stacks_of(stack)[-1]  # by the CDK CLI
    command = kind.command.format(stack=stack.stack_name, path=deployed.node.path)
    lines = (
        f"{stack.stack_name} in <region>, account <account>, at <time>: {subject}.",
        *(["Reason: <reason>"] if has_reason else []),
        kind.meaning,
        f"Next step: {command}",
    )
    return "\n".join(f'"{line}"' for line in lines)
