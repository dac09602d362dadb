"""A WaitCondition, which may wait twelve hours, signalled by a state machine.

A custom resource creates the recommender and answers at once; a state machine describes it each
minute by itself, without a function, and puts the signal. The fake has no WaitCondition: a custom
resource with that `Timeout` stands in for it, to whose request the state machine answers.

CloudFormation waits for a WaitCondition when it is created, and never again: not in an update, not
in a deletion. So a Delete is a custom resource's, with one hour; and each update needs a new
WaitCondition under a new logical id, which this one does not do.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from benchmarks.rivals import POLL_SECONDS, RECOMMENDER, Rival, create
from tests.support.serverless import Event

_LONGEST_SECONDS: Final = 43_200
"""`Timeout` of `AWS::CloudFormation::WaitCondition`, Template Reference: twelve hours at most."""


class WaitCondition(Rival):
    """The recommender's custom resource, and the wait condition for it."""

    name = "WaitCondition"
    resources: ClassVar[Mapping[str, Any]] = {
        "Recommender": RECOMMENDER,
        "Ready": {
            "Type": "Custom::WaitCondition",
            "DependsOn": "Recommender",
            "Properties": {"ServiceToken": "Begin", "ServiceTimeout": _LONGEST_SECONDS},
        },
    }
    waiter: ClassVar[Mapping[str, Any]] = {
        "StartAt": "Wait",
        "States": {
            "Wait": {"Type": "Wait", "SecondsPath": "$.Seconds", "Next": "Describe"},
            "Describe": {
                "Type": "Task",
                "Resource": "Poll",
                "Retry": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        "IntervalSeconds": POLL_SECONDS,
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

    def begin(self, event: Event) -> None:
        """Create and answer; or have the state machine wait."""
        match event["RequestType"], event["LogicalResourceId"]:
            case "Create", "Recommender":
                create(self.api)
                self.answer(event)
            case "Delete", "Ready":
                self.answer(event)
            case _:
                self.start(event)

    def poll(self, state: Event) -> Mapping[str, Any]:
        """Do one round of the state machine."""
        return {**state, "Done": self.answer_if_done(state["Event"])}
