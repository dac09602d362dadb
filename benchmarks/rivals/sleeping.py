"""A function that sleeps between two polls, and invokes itself before its 15 minutes are over.

CloudFormation's hour ends it. It is billed for each second that it sleeps.
"""

from collections.abc import Mapping
from typing import Any, Final

from benchmarks.rivals import LAMBDA_SECONDS, POLL_SECONDS, Rival, create
from tests.support.serverless import Event

_INVOKED_AGAIN_AFTER: Final = LAMBDA_SECONDS - 2 * POLL_SECONDS
_CLOUDFORMATION_WAITS: Final = 3600


class Sleeping(Rival):
    """A custom resource whose function sleeps."""

    name = "a Lambda that sleeps"

    def begin(self, event: Event) -> None:
        """Create the recommender if the event is a Create; then sleep."""
        if event["RequestType"] == "Create":
            create(self.api)
        self.poll({"Event": event, "Since": self.stack.cloud.clock.now})

    def poll(self, state: Event) -> Mapping[str, Any]:
        """Sleep between polls; in the end, answer, or invoke itself to go on."""
        cloud = self.stack.cloud
        ends = cloud.clock.now + _INVOKED_AGAIN_AFTER
        while cloud.clock.now < ends:
            if self.answer_if_done(state["Event"]):
                return state
            cloud.clock.advance(POLL_SECONDS)
        if cloud.clock.now - state["Since"] < _CLOUDFORMATION_WAITS:
            request = cloud.invocations[-1].request
            cloud.timeline.after(0.0, lambda: cloud.invoke(request, "poll", state))
        return state
