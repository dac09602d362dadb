"""A fake of Lambda's asynchronous invocations and of Step Functions, on a virtual clock.

Lambda keeps an event until its function takes it: one that is throttled comes again, ever later,
one whose function fails comes again twice, and one that is too old is dropped ("How Lambda handles
errors and retries with asynchronous invocation", Lambda Developer Guide). Step Functions runs the
state machine that the template defines: waits, tasks with their retries, choices ("Amazon States
Language"); an execution has a name that is never used again, a time limit, and 25,000 events in its
history at most ("Quotas", Step Functions Developer Guide).
"""

import json
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from unittest import mock

from awslambdaric.lambda_runtime_marshaller import (  # type: ignore[import-untyped]
    LambdaMarshaller,
)

from local_aws.personalize import ServiceError
from tests.support.timeline import Timeline

Event = Mapping[str, Any]
Invoke = Callable[[Event], Any]
"""Invokes a function, and returns what it returned."""

ASYNC_RETRIES: Final = (60.0, 120.0)
_LONGEST_BACKOFF: Final = 300.0
_MAX_HISTORY: Final = 25_000
_MAX_NAME: Final = 80
_NOT_IN_A_NAME: Final = re.compile(r"""[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]""")


class ThrottledError(Exception):
    """Lambda does not invoke the function now: its concurrency is used up."""

    def __init__(self) -> None:
        super().__init__("Rate Exceeded.")


class FunctionKilledError(BaseException):
    """The function's process ended in the middle: out of time or memory, or worse.

    Not an `Exception`, because no handler can catch it.
    """

    def __init__(self) -> None:
        super().__init__("RequestId: 00000000 Error: Runtime exited with error: signal: killed")


def invoke_asynchronously(
    timeline: Timeline,
    invoke: Invoke,
    event: Event,
    *,
    expires: float = math.inf,
    retries: tuple[float, ...] = ASYNC_RETRIES,
    backoff: float = 1.0,
) -> None:
    """Invoke a function with an event that Lambda keeps until it is taken, or `expires`."""
    if timeline.clock.now > expires:
        return

    def again(seconds: float, retries: tuple[float, ...], backoff: float) -> None:
        def invoked() -> None:
            invoke_asynchronously(
                timeline, invoke, event, expires=expires, retries=retries, backoff=backoff
            )

        timeline.after(seconds, invoked)

    try:
        through_lambda(invoke, event)
    except ThrottledError:
        again(backoff, retries, min(2 * backoff, _LONGEST_BACKOFF))
    except (FunctionKilledError, Exception):
        if retries:
            again(retries[0], retries[1:], backoff)


@dataclass
class Execution:
    """One execution of a state machine.

    Its `transitions` are what is billed: a state that is entered, or tried again, is one.
    """

    timeline: Timeline
    definition: Mapping[str, Any]
    given: str
    invoke: Invoke
    status: str = "RUNNING"
    history: int = 1
    transitions: int = 0
    ends: float = math.inf
    data: Any = None

    def run(self) -> None:
        """Run it; what is waited for comes on the timeline."""
        self.data = json.loads(self.given)
        self.ends = self.timeline.clock.now + self.definition.get("TimeoutSeconds", math.inf)
        self._enter(self.definition["StartAt"])

    def stop(self) -> None:
        """Stop it, as somebody may in the console."""
        if self.status == "RUNNING":
            self._end("ABORTED")

    def _end(self, status: str) -> None:
        self._note(1)
        self.status = status

    def _enter(self, name: str, attempts: int = 0) -> None:
        if not self._goes_on():
            return
        state = self.definition["States"][name]
        self.transitions += 1
        self._note(1 if not attempts else 0)
        match state["Type"]:
            case "Wait":
                seconds = self.data[state["SecondsPath"].removeprefix("$.")]
                assert isinstance(seconds, int) and seconds >= 0, f"not a wait: {seconds!r}"
                self.timeline.after(seconds, lambda: self._leave(state["Next"]))
            case "Task":
                self._task(name, state, attempts)
            case "Choice":
                (choice,) = state["Choices"]
                chosen = self.data[choice["Variable"].removeprefix("$.")]
                goes = chosen is choice["BooleanEquals"]
                self._leave(choice["Next"] if goes else state["Default"])
            case "Succeed":
                self._note(1)
                self._end("SUCCEEDED")
            case other:
                raise NotImplementedError(other)

    def _task(self, name: str, state: Mapping[str, Any], attempts: int) -> None:
        self._note(3)
        try:
            self.data = through_lambda(self.invoke, self.data)
        except (FunctionKilledError, Exception):
            (retry,) = state["Retry"]
            assert retry["ErrorEquals"] == ["States.ALL"] and retry["BackoffRate"] == 1
            if attempts >= retry["MaxAttempts"]:
                self._end("FAILED")
                return
            # With full jitter it is this long at most.
            self.timeline.after(
                retry["IntervalSeconds"], lambda: self._enter(name, attempts=attempts + 1)
            )
        else:
            self._leave(state["Next"])

    def _leave(self, following: str) -> None:
        if self._goes_on():
            self._note(1)
            self._enter(following)

    def _goes_on(self) -> bool:
        if self.status == "RUNNING" and self.timeline.clock.now >= self.ends:
            self._end("TIMED_OUT")
        return self.status == "RUNNING"

    def _note(self, events: int) -> None:
        self.history += events
        assert self.history <= _MAX_HISTORY, "the history of an execution has 25,000 events"


@dataclass
class StateMachine:
    """A state machine, and its executions by their names."""

    timeline: Timeline
    executions: dict[str, Execution] = field(default_factory=dict)

    def start(
        self, name: str, given: str, definition: Mapping[str, Any], invoke: Invoke
    ) -> Execution:
        """Start an execution.

        Starting a running one again with the same input is the same as having started it; any other
        use of a name is refused (StartExecution, Step Functions API Reference).

        Raises:
            ServiceError: `ExecutionAlreadyExists`, or the name is too long or has other characters.
        """
        if len(name) > _MAX_NAME:
            raise ServiceError("ValidationException", f"too long: {name}", 400)
        if _NOT_IN_A_NAME.search(name):
            raise ServiceError("InvalidName", f"Invalid Name: '{name}'", 400)
        known = self.executions.get(name)
        if known:
            if known.status == "RUNNING" and known.given == given:
                return known
            raise ServiceError("ExecutionAlreadyExists", f"Execution Already Exists: '{name}'", 400)
        started = Execution(self.timeline, definition, given, invoke)
        self.executions[name] = started
        self.timeline.after(0.0, started.run)
        return started


def through_lambda(invoke: Invoke, event: Any) -> Any:
    """Return what a function returns, both ways through the JSON of Lambda's own Python runtime.

    It is not the standard library's: a named tuple becomes an object, not a list.
    """
    taken = _RUNTIME.unmarshal_request(json.dumps(event))
    returned, _ = _RUNTIME.marshal_response(invoke(taken))
    return json.loads(returned.encode())


with mock.patch.dict(os.environ, {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.14"}):
    _RUNTIME: Final = LambdaMarshaller()
