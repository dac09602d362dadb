"""A fake of the CDK's Provider framework: what stands between CloudFormation and the handlers.

Source: `custom-resources/lib/provider-framework/runtime/{framework,cfn-response}.js` and
`waiter-state-machine.js` in aws-cdk-lib 2.275.0. It invokes `on_event` once, starts a waiter, and
the waiter invokes `is_complete` at once and then after every interval, however the deployment
fares in the meantime, until it is complete, raises, or has been retried too often.
"""

import heapq
import itertools
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from tests.support.personalize import VirtualClock

Event = Mapping[str, Any]

CREATE_FAILED_MARKER: Final = "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED"
MISSING_ID_MARKER: Final = "AWSCDK::CustomResourceProviderFramework::MISSING_PHYSICAL_ID"
ASYNC_RETRIES: Final = (60.0, 120.0)
"""Seconds between the deliveries of an event whose function failed (Lambda Developer Guide,
"How Lambda handles errors and retries with asynchronous invocation")."""


class FunctionKilledError(BaseException):
    """The function's process ended in the middle: out of time or memory, or worse.

    Not an `Exception`, because no handler can catch it.
    """

    def __init__(self, *, framework: bool = False) -> None:
        super().__init__("RequestId: 00000000 Error: Runtime exited with error: signal: killed")
        self.framework = framework
        """Whether the framework's own function ended with it, so that nobody answers."""


class Handlers(Protocol):
    """The functions that the framework invokes."""

    def on_event(self, event: Event) -> Mapping[str, Any]:
        """Begin a request."""

    def is_complete(self, event: Event) -> Mapping[str, Any]:
        """Look again."""


class Timeline:
    """What is to happen when, on the virtual clock."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self._heap: list[tuple[float, int, Callable[[], object]]] = []
        self._count = itertools.count()

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Let something happen later."""
        heapq.heappush(self._heap, (self.clock.now + seconds, next(self._count), action))

    def next(self) -> float | None:
        """Return when the next thing happens, or None if nothing will."""
        return self._heap[0][0] if self._heap else None

    def step(self) -> None:
        """Let the next thing happen."""
        when, _, action = heapq.heappop(self._heap)
        self.clock.now = max(self.clock.now, when)
        action()


@dataclass
class Waiter:
    """The state machine's retry loop, as the template defines it."""

    interval: float
    max_attempts: int

    @classmethod
    def of(cls, definition: str) -> "Waiter":
        """Read it from the definition of the state machine."""
        retry = json.loads(definition)["States"]["framework-isComplete-task"]["Retry"][0]
        assert retry["BackoffRate"] == 1
        return cls(retry["IntervalSeconds"], retry["MaxAttempts"])


Invoke = Callable[[str, Event], Any]
"""Invokes a user function, `on_event` or `is_complete`, and returns what it returned."""


@dataclass
class Provider:
    """The framework of one stack."""

    timeline: Timeline
    waiter: Waiter
    invoke: Invoke
    respond: Callable[[Event, bytes], None]
    """Puts a body to the ResponseURL of a request."""
    function_names: Mapping[str, str] = field(default_factory=dict)
    expires: float = math.inf
    """When Lambda drops an event that it has not delivered."""

    def deliver(self, event: Event, retries: tuple[float, ...] = ASYNC_RETRIES) -> None:
        """Handle an event that CloudFormation sends; one whose function dies comes again."""
        if self.timeline.clock.now > self.expires:
            return
        if self._is_marked(event):
            self._answer("SUCCESS", event)
            return
        try:
            result = self._call("on_event", event) or {}
            begun = {**event, **result, "PhysicalResourceId": _physical_id(event, result)}
        except FunctionKilledError:
            if retries:
                self.timeline.after(retries[0], lambda: self.deliver(event, retries[1:]))
        except _FrameworkError as error:
            self._fail(event, error)
        else:
            self._poll(begun, self.waiter.max_attempts)

    def _poll(self, event: Event, attempts: int) -> None:
        complete = killed = False
        try:
            complete = self._is_complete(event)
        except FunctionKilledError:
            killed = True  # an error of the task, which the state machine retries
        except _FrameworkError as error:
            self._fail(event, error)
            return
        if complete:
            return
        if attempts:
            self.timeline.after(self.waiter.interval, lambda: self._poll(event, attempts - 1))
        elif not killed:  # what the last look raised has the event, or nobody can answer
            self._answer("FAILED", event, reason="Operation timed out")

    def _is_complete(self, event: Event) -> bool:
        result = self._call("is_complete", event)
        if result is None:
            raise _FrameworkError(
                "Cannot read properties of null (reading 'IsComplete')", "TypeError"
            )
        if result.get("IsComplete"):
            data = {**event.get("Data", {}), **result.get("Data", {})}
            answer = {**event, **result, "NoEcho": event.get("NoEcho"), "Data": data}
            self._answer("SUCCESS", answer)
            return True
        if result.get("Data"):
            raise _FrameworkError('"Data" is not allowed if "IsComplete" is "False"')
        return False

    def _call(self, function: str, event: Event) -> Any:
        try:
            return as_javascript(self.invoke(function, as_javascript(event)))
        except FunctionKilledError as killed:
            if killed.framework:
                raise
            raise self._function_error(function, killed) from killed
        except Exception as error:
            raise self._function_error(function, error) from error

    def _function_error(self, function: str, error: BaseException) -> "_FrameworkError":
        name = self.function_names.get(function, function)
        return _FrameworkError(f"{error}\n\nLogs: /aws/lambda/{name}\n")

    def _is_marked(self, event: Event) -> bool:
        marked = event.get("PhysicalResourceId") == CREATE_FAILED_MARKER
        return bool(marked and event["RequestType"] == "Delete")

    def _fail(self, event: Event, error: "_FrameworkError") -> None:
        marker = CREATE_FAILED_MARKER if event["RequestType"] == "Create" else None
        physical_id = event.get("PhysicalResourceId") or marker
        stack_trace = (
            f"{error.kind}: {error}\n"
            "    at invokeUserFunction (/var/task/framework.js:2:6)\n"
            "    at process.processTicksAndRejections (node:internal/process/task_queues:103:5)\n"
            "    at async isComplete (/var/task/framework.js:1:2631)\n"
            "    at async Runtime.handler (/var/task/cfn-response.js:1:2865)"
        )
        answer = {**event, "NoEcho": None, "PhysicalResourceId": physical_id}
        self._answer("FAILED", answer, reason=stack_trace)

    def _answer(self, status: str, event: Event, reason: str = "") -> None:
        answer = {
            "Status": status,
            "Reason": reason or status,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "PhysicalResourceId": event.get("PhysicalResourceId") or MISSING_ID_MARKER,
            "LogicalResourceId": event["LogicalResourceId"],
            "NoEcho": event.get("NoEcho"),
            "Data": event.get("Data"),
        }
        kept = {key: value for key, value in answer.items() if value is not None}
        text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
        self.respond(event, text.encode(errors="backslashreplace"))  # as JSON.stringify does


class _FrameworkError(Exception):
    """What ends a request in FAILED."""

    def __init__(self, message: str, kind: str = "Error") -> None:
        super().__init__(message)
        self.kind = kind


def _physical_id(event: Event, result: Mapping[str, Any]) -> str:
    given = event.get("PhysicalResourceId")
    default = event["RequestId"] if event["RequestType"] == "Create" else given
    answered = result.get("PhysicalResourceId") or default
    if event["RequestType"] == "Delete" and answered != given:
        raise _FrameworkError(
            f'DELETE: cannot change the physical resource ID from "{given}" to "{answered}" '
            "during deletion"
        )
    return str(answered)


def as_javascript(value: Any) -> Any:
    """Return a JSON value as it comes back from JavaScript, where 1.0 is 1."""

    def number(text: str) -> float:
        return int(float(text)) if float(text).is_integer() else float(text)

    return json.loads(json.dumps(value), parse_float=number)
