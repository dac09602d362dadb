"""The CDK's `Provider` with its longest timeout, which is CloudFormation's hour.

`begin` is the framework's onEvent, `poll` its isComplete, which raises for "not yet" so that the
state machine tries again (aws-cdk-lib, `custom-resources/lib/provider-framework`). Left out: the
framework's onTimeout, whose answer comes when CloudFormation has given up; and that each function
of the framework invokes one of ours, so that its invocations count twice.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from benchmarks.rivals import POLL_SECONDS, Rival, create
from tests.support.serverless import Event

_HOUR: Final = 3600


class _NotYetError(Exception):
    pass


class Provider(Rival):
    """A custom resource of the CDK's `Provider`."""

    name = "Provider"
    waiter: ClassVar[Mapping[str, Any]] = {
        "StartAt": "IsComplete",
        "States": {
            "IsComplete": {
                "Type": "Task",
                "Resource": "Poll",
                "Retry": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        "IntervalSeconds": POLL_SECONDS,
                        "BackoffRate": 1,
                        "MaxAttempts": _HOUR // POLL_SECONDS,
                    }
                ],
                "Next": "End",
            },
            "End": {"Type": "Succeed"},
        },
    }

    def begin(self, event: Event) -> None:
        """Create the recommender if the event is a Create; then the state machine waits."""
        if event["RequestType"] == "Create":
            create(self.api)
        self.start(event)

    def poll(self, state: Event) -> Mapping[str, Any]:
        """Poll; raise if it is not as it should be."""
        if not self.answer_if_done(state["Event"]):
            raise _NotYetError
        return state
