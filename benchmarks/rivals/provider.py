"""The CDK's `Provider` with its longest timeout, which is CloudFormation's hour.

`begin` is the framework's onEvent, `poll` its isComplete, which raises for "not yet" so that the
state machine tries again (aws-cdk-lib, `custom-resources/lib/provider-framework`). Left out: the
framework's onTimeout, whose answer comes when CloudFormation has given up; and that each function
of the framework invokes one of ours, so that its invocations count twice.
"""

from collections.abc import Mapping
from typing import Any, Final

from benchmarks import rivals
from tests.support.serverless import Event
from tests.support.stack import Stack
from tests.support.synthesis import Deployable

_HOUR: Final = 3600
_WAITER: Final = {
    "StartAt": "IsComplete",
    "States": {
        "IsComplete": {
            "Type": "Task",
            "Resource": "Poll",
            "Retry": [
                {
                    "ErrorEquals": ["States.ALL"],
                    "IntervalSeconds": rivals.POLL_SECONDS,
                    "BackoffRate": 1,
                    "MaxAttempts": _HOUR // rivals.POLL_SECONDS,
                }
            ],
            "Next": "End",
        },
        "End": {"Type": "Succeed"},
    },
}


class _NotYetError(Exception):
    pass


class Provider:
    """A custom resource of the CDK's `Provider`."""

    name = "Provider"
    polls_by_lambda = True

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._api = rivals.client(stack)

    @staticmethod
    def template() -> Deployable:
        """Return the template that CloudFormation deploys."""
        return rivals.template({"Recommender": rivals.RECOMMENDER}, _WAITER)

    def begin(self, event: Event) -> None:
        """Create the recommender if the event is a Create; then the state machine waits."""
        if event["RequestType"] == "Create":
            rivals.create(self._api)
        rivals.start(self._stack, event)

    def poll(self, state: Event) -> Mapping[str, Any]:
        """Poll; raise if it is not as it should be."""
        event = state["Event"]
        if not rivals.is_done(self._api, event):
            raise _NotYetError
        rivals.answer(self._stack, event)
        return state
