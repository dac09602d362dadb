"""A function that sleeps between two polls, and invokes itself before its 15 minutes are over.

CloudFormation's hour ends it. It is billed for each second that it sleeps.
"""

from collections.abc import Mapping
from typing import Any, Final

from benchmarks import rivals
from tests.support.serverless import Event
from tests.support.stack import Stack
from tests.support.synthesis import Deployable

_INVOKED_AGAIN_AFTER: Final = rivals.LAMBDA_SECONDS - 2 * rivals.POLL_SECONDS
_CLOUDFORMATION_WAITS: Final = 3600


class Sleeping:
    """A custom resource whose function sleeps."""

    name = "a Lambda that sleeps"
    polls_by_lambda = True

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._api = rivals.client(stack)

    @staticmethod
    def template() -> Deployable:
        """Return the template that CloudFormation deploys."""
        return rivals.template({"Recommender": rivals.RECOMMENDER})

    def begin(self, event: Event) -> None:
        """Create the recommender if the event is a Create; then sleep."""
        if event["RequestType"] == "Create":
            rivals.create(self._api)
        self._wait({"Event": event, "Since": self._stack.cloud.clock.now})

    def poll(self, state: Event) -> Mapping[str, Any]:
        """Go on where it has invoked itself."""
        self._wait(state)
        return state

    def _wait(self, state: Event) -> None:
        cloud, event = self._stack.cloud, state["Event"]
        ends = cloud.clock.now + _INVOKED_AGAIN_AFTER
        while cloud.clock.now < ends:
            if rivals.is_done(self._api, event):
                rivals.answer(self._stack, event)
                return
            cloud.clock.advance(rivals.POLL_SECONDS)
        if cloud.clock.now - state["Since"] < _CLOUDFORMATION_WAITS:
            request = cloud.invocations[-1].request
            cloud.timeline.after(0.0, lambda: cloud.invoke(request, "poll", state))
