"""The protocol for one request by itself: no stack, no Lambda, no Step Functions around it."""

import json
from collections.abc import Mapping
from typing import Any

from lambdas.recommender.model.operation import Operation
from lambdas.recommender.protocol.answer import Answers, Delivery
from lambdas.recommender.protocol.execution import StateMachine
from lambdas.recommender.protocol.request_handler import RequestHandler
from tests.support.personalize import VirtualClock
from tests.support.serverless import Event, through_lambda

RESPONSE_URL = "https://cloudformation-custom-resource-response.s3.amazonaws.com/one"


class KeptAnswers(Answers):
    """Keeps what is put."""

    def __init__(self) -> None:
        super().__init__("amazonaws.com")
        self.kept: list[Mapping[str, Any]] = []

    def put(self, response_url: str, answer: Mapping[str, Any]) -> Delivery:
        del response_url
        self.kept.append(answer)
        return Delivery.DELIVERED


class StateKeeper:
    """Keeps the state that an execution is started with."""

    state: dict[str, Any] | None = None

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> Any:
        del stateMachineArn, name
        self.state = json.loads(input)


class StackIn:
    """A stack that is in one operation."""

    def __init__(self, status: str, token: str = "") -> None:
        self._operation = Operation(status, token)

    def operation(self, _stack_id: str) -> Operation:
        return self._operation


class OneRequest:
    """Begins a request, and polls until it is answered."""

    def __init__(self, personalize: Any, stacks: Any, clock: VirtualClock) -> None:
        self.clock = clock
        self.answers = KeptAnswers()
        self.machine = StateKeeper()
        self.resources = RequestHandler(personalize, stacks, self.answers, clock)

    def carry_out(self, event: Event, state: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Return the answer to a request, begun anew or from the state of an execution."""
        if state is None:
            state_machine = StateMachine(self.machine, "arn", pause=self.clock.advance)
            self.resources.begin(event, state_machine, interval=60.0)
            state = self.machine.state
        for _ in range(100):
            if self.answers.kept:
                (answer,) = self.answers.kept
                return answer
            assert state
            self.clock.advance(state["Seconds"])
            state = through_lambda(self.resources.poll, state)
        raise AssertionError("it is never answered")
