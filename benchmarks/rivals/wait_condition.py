"""A WaitCondition, which may wait twelve hours, signalled by a state machine.

A custom resource creates the recommender and answers at once; a state machine describes it each
minute by itself, without a function, and puts the signal. The fake has no WaitCondition: a custom
resource with that `Timeout` stands in for it, to whose request the state machine answers.

CloudFormation waits for a WaitCondition when it is created, and never again: not in an update, not
in a deletion. So a Delete is a custom resource's, with one hour; and each update needs a new
WaitCondition under a new logical id, which this one does not do.
"""

from collections.abc import Mapping
from typing import Any, Final

from benchmarks import rivals
from tests.support.serverless import Event
from tests.support.stack import Stack
from tests.support.synthesis import Deployable

_LONGEST_SECONDS: Final = 43_200
"""`Timeout` of `AWS::CloudFormation::WaitCondition`, Template Reference: twelve hours at most."""

_WAITER: Final = {
    "StartAt": "Wait",
    "States": {
        "Wait": {"Type": "Wait", "SecondsPath": "$.Seconds", "Next": "Describe"},
        "Describe": {
            "Type": "Task",
            "Resource": "Poll",
            "Retry": [
                {
                    "ErrorEquals": ["States.ALL"],
                    "IntervalSeconds": rivals.POLL_SECONDS,
                    "BackoffRate": 1,
                    "MaxAttempts": 10,
                }
            ],
            "Next": "IsDone",
        },
        "IsDone": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.Done", "BooleanEquals": True, "Next": "End"}],
            "Default": "Wait",
        },
        "End": {"Type": "Succeed"},
    },
}


class WaitCondition:
    """The recommender's custom resource, and the wait condition for it."""

    name = "WaitCondition"
    polls_by_lambda = False

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._api = rivals.client(stack)

    @staticmethod
    def template() -> Deployable:
        """Return the template that CloudFormation deploys."""
        return rivals.template(
            {
                "Recommender": rivals.RECOMMENDER,
                "Ready": {
                    "Type": "Custom::WaitCondition",
                    "DependsOn": "Recommender",
                    "Properties": {"ServiceToken": "Begin", "ServiceTimeout": _LONGEST_SECONDS},
                },
            },
            _WAITER,
        )

    def begin(self, event: Event) -> None:
        """Create and answer; or have the state machine wait."""
        match event["RequestType"], event["LogicalResourceId"]:
            case "Create", "Recommender":
                rivals.create(self._api)
                rivals.answer(self._stack, event)
            case "Delete", "Ready":
                rivals.answer(self._stack, event)
            case _:
                rivals.start(self._stack, event)

    def poll(self, state: Event) -> Mapping[str, Any]:
        """Do one round of the state machine."""
        event = state["Event"]
        done = rivals.is_done(self._api, event)
        if done:
            rivals.answer(self._stack, event)
        return {**state, "Done": done}
