"""A fake of CloudFormation, as far as custom resources can tell, on a virtual clock.

It deploys the real template (`tests.support.synthesis`) and drives the real functions, through a
fake of Lambda and Step Functions (`tests.support.serverless`), against the simulated Personalize,
through real boto3 clients. Ten hours take a second or so. What CloudFormation does that the local
engine does not, it does: every scalar of a property is a string; a Delete follows a failed Create,
with the id that was answered; a resource whose creation is cancelled is deleted by an id that
nobody issued; a cancelled request's execution goes on, and what it answers is ignored; updates are
rolled back by reversed updates; clean-up tries three times, then forgets; an answer has 4096 bytes
at most; and 3600 seconds (or `ServiceTimeout`) after a request has been sent it has failed.

Where AWS documents nothing there is a switch, so that the functions are right under either answer.
What the local engine does otherwise is in docs/internals/reliability.md, G1 to G12.
"""

import functools
import itertools
import json
import math
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

from types_boto3_personalize import PersonalizeClient

from lambdas.recommender.protocol.answer import Delivery
from local_aws.personalize import Personalize, wire
from tests.support import deployed_code, personalize
from tests.support.cloudwatch import CloudWatch
from tests.support.custom_resources import (
    CANARY,
    Invocation,
    Outcome,
    Rollback,
    SentRequest,
    StackResource,
    Watcher,
)
from tests.support.personalize import VirtualClock
from tests.support.place import ACCOUNT, REGION
from tests.support.scheduler import Scheduler
from tests.support.serverless import (
    Event,
    Execution,
    FunctionKilledError,
    StateMachine,
    ThrottledError,
    invoke_asynchronously,
)
from tests.support.stack import Stack
from tests.support.timeline import Timeline

_LATENCY: Final = 1.0
_REQUEST_SECONDS: Final = 3600.0

Before = Callable[[str, dict[str, Any]], None]
After = Callable[[str, dict[str, Any], wire.Response], wire.Response | None]
Around = Callable[[str, Event, Callable[[], Any]], Any]
"""Called with `begin` or `poll`, CloudFormation's event, and what invokes the function.

Raise a `ThrottledError` or a `FunctionKilledError` before or after that for what Lambda can do.
"""

Put = Callable[["SentRequest", bytes], Delivery | None]
"""Called with a request and a body that is put to its ResponseURL; None delivers it."""


class Cloud:
    """CloudFormation and Lambda in one account and region, beside a simulated Personalize.

    Attributes:
        rollback: What is sent for a replaced resource that is rolled back.
        deletes_what_has_returned: Whether clean-up, after a failed update that was not rolled back,
            deletes by an id that was replaced then and has been answered again since (unknown).
        deletes_what_failed_needs: Whether, after a DELETE_FAILED, what that resource depends on is
            deleted all the same: functions, roles, policies (reported:
            cloudformation-coverage-roadmap 851, 852, 1508).
        clean_up_attempts: How often clean-up tries to delete a resource: seen with three, reported
            with one (roadmap 744; aws-cdk 2126).
        change_sets: Whether stacks are created by change sets, as the CLI does: then the creation
            has a `LastUpdatedTime` (snapshots of LocalStack's tests, recorded on AWS).
        deliveries: Answers when, in seconds, an event is delivered; several times, or late.
        instances_keep_permissions: For how many seconds a warm instance of a function does not
            have the permissions that its role has been given meanwhile, and still has those that
            were taken away (reported: aws-samples/amazon-opensearch-service-sample-cdk pull
            requests 145 and 146, aws-cdk 37675).
        status_lag: For how many seconds DescribeStacks does not show a new status.
        around: Stands around every invocation of the functions.
        put_answer: Stands before every delivery of an answer.
        lifts_timeouts: Whether `ServiceTimeout` is a member of the event, as `ServiceToken` is, and
            no property of the resource (seen in events, tests/unit/recommender/recorded.py; not
            documented).
        dates_urls: Whether a ResponseURL says when its request was made, as it does on AWS.
        new_request_id: Makes the ids of requests; CloudFormation may use one again.
        before: Stands before every call of the functions to AWS, as in `tests.support.personalize`.
        after: Stands after it.
        scheduler: Fires the schedules of the stacks.
        cloudwatch: Has the metrics of the observers' lines.
        watchers: Told of every call that the functions make (the operation and its parameters), of
            every invocation that has ended, and of every operation that has.
    """

    def __init__(
        self,
        service: Personalize,
        clock: VirtualClock,
        *,
        region: str = REGION,
        partition: str = "aws",
    ) -> None:
        self.region = region
        self.partition = partition
        self.service = service
        self.clock = clock
        self.timeline = Timeline(clock)
        self.stacks: list[Stack] = []
        self.requests: list[SentRequest] = []
        self.invocations: list[Invocation] = []
        self.rollback = Rollback.REVERSED_THEN_DELETE
        self.deletes_what_has_returned = False
        self.deletes_what_failed_needs = False
        self.clean_up_attempts = 3
        self.change_sets = False
        self.deliveries: Callable[[Event], Sequence[float]] = lambda _: (0.0,)
        self.instances_keep_permissions = 0.0
        self.status_lag = 0.0
        self.around: Around = lambda _function, _event, invoke: invoke()
        self.put_answer: Put = lambda _request, _body: None
        self.lifts_timeouts = False
        self.dates_urls = True
        self.new_request_id: Callable[[], str] = self.new_id
        self.before: Before = lambda _operation, _params: None
        self.after: After = lambda _operation, _params, _response: None
        self.scheduler = Scheduler(self)
        self.cloudwatch = CloudWatch()
        self.watchers: list[Watcher] = []
        self._ids = (uuid.UUID(int=number) for number in itertools.count(1))
        self._state_machines: dict[str, StateMachine] = {}

    def stack(self, name: str = "TopPicks") -> Stack:
        """Return a new stack, which has an id of its own even if there was one of that name."""
        self.stacks.append(Stack(self, name, self.new_id()))
        return self.stacks[-1]

    @property
    def url_suffix(self) -> str:
        """What `AWS::URLSuffix` is."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def new_id(self) -> str:
        """Return a unique id."""
        return str(next(self._ids))

    def outsider(self) -> PersonalizeClient:
        """Return a client of somebody who may do everything."""
        return personalize.client(
            self.service, account=ACCOUNT, region=self.region, caller="outsider"
        )

    def recommenders(self) -> dict[str, dict[str, Any]]:
        """Return the true state of all recommenders, by name."""
        return {one["name"]: one for one in self.service.recommenders(ACCOUNT, self.region)}

    def run_for(self, seconds: float) -> None:
        """Let time pass."""
        end = self.clock.now + seconds
        self._resume()
        while (when := self.timeline.next()) is not None and when <= end:
            self._step()
        self.scheduler.run_until(end)
        self.clock.now = max(self.clock.now, end)
        self._resume()

    def finish(self) -> None:
        """Let time pass until no operation is under way."""
        self._resume()
        while any(stack.is_busy for stack in self.stacks):
            assert self.timeline.next() is not None, "nothing will ever happen"
            self._step()

    def drain(self) -> None:
        """Let time pass until nobody polls any more and nothing is to be delivered."""
        while self.timeline.next() is not None:
            self._step()

    def send(self, request: SentRequest) -> None:
        """Deliver a request as often as `deliveries` says, and end it when its time is up."""
        self.requests.append(request)
        request.sent = self.clock.now
        for delay in self.deliveries(request.event):
            self.timeline.after(_LATENCY + delay, functools.partial(self.deliver, request))
        given = {**request.event["ResourceProperties"], **request.event}
        allowed = float(given.get("ServiceTimeout", _REQUEST_SECONDS))
        too_late = (
            "CloudFormation did not receive a response from your Custom Resource. Please check your"
            f" logs for requestId [{request.event['RequestId']}]."
        )
        self.timeline.after(allowed, lambda: request.end("FAILED", too_late))

    def deliver(self, request: SentRequest, *, at_any_age: bool = False) -> None:
        """Deliver a request, be it for the first time or once more.

        Lambda drops an event that is too old, unless it is delivered `at_any_age`.
        """
        invoke_asynchronously(
            self.timeline,
            lambda event: self.invoke(request, "begin", event),
            request.event,
            expires=math.inf if at_any_age else deployed_code.expires(request.stack, request.sent),
        )

    def invoke(self, request: SentRequest, function: str, event: Event) -> Any:
        """Invoke a function; one that takes longer than it may is killed when it has acted."""
        invoked = getattr(request.stack.functions, function)
        allowed = deployed_code.configuration(request.stack, f"handler.{function}")["Timeout"]
        self.invocations.append(Invocation(function, request))
        began = self.clock.now
        try:
            result = self.around(function, request.event, lambda: invoked(event))
            if self.clock.now - began > allowed:
                raise FunctionKilledError
            return result
        finally:
            ended = self.invocations.pop()
            for watcher in self.watchers:
                watcher.invoked(ended)

    def observe(self, stack: Stack) -> list[str]:
        """Run a stack's observer, and return the lines that it writes."""
        began = len(self.service.journal)
        try:
            lines = deployed_code.observe(stack)
            for line in lines:
                self.cloudwatch.put_line(line)
            return lines
        finally:
            for watcher in self.watchers:
                watcher.observed(stack, self.service.journal[began:])

    def start_execution(self, stack: Stack, name: str, given: str) -> None:
        """Start an execution of a stack's state machine, as the template defines it."""
        request = self._request_of(json.loads(given)["Event"]["ResponseURL"])
        machine = self._state_machines.setdefault(stack.id, StateMachine(self.timeline))
        machine.start(
            name,
            given,
            deployed_code.definition(stack),
            lambda state: self.invoke(request, "poll", state),
        )

    def executions(self, stack: Stack) -> list[Execution]:
        """Return the executions of a stack's state machine, in order."""
        machine = self._state_machines.get(stack.id)
        return list(machine.executions.values()) if machine else []

    def put(self, response_url: str, body: bytes) -> Delivery:
        """Take an answer that is put to a ResponseURL."""
        request = self._request_of(response_url)
        delivery = self.put_answer(request, body)
        if delivery is None:
            request.respond(body)
        return delivery or Delivery.DELIVERED

    def _request_of(self, response_url: str) -> SentRequest:
        (request,) = (one for one in self.requests if one.event["ResponseURL"] == response_url)
        return request

    def called(self, operation: str, params: dict[str, Any]) -> None:
        """Note a call of the functions."""
        for watcher in self.watchers:
            watcher.called(self.invocations[-1], operation, params)
        self.before(operation, params)

    def applied(
        self, operation: str, params: dict[str, Any], response: wire.Response
    ) -> wire.Response | None:
        """Note that a call has been answered."""
        return self.after(operation, params, response)

    def _step(self) -> None:
        when = self.timeline.next()
        assert when is not None
        self.scheduler.run_until(when)
        self.timeline.step()
        self._resume()

    def _resume(self) -> None:
        while ready := [stack for stack in self.stacks if stack.is_ready]:
            for stack in ready:
                stack.resume()


__all__ = [
    "CANARY",
    "Cloud",
    "FunctionKilledError",
    "Invocation",
    "Outcome",
    "Rollback",
    "SentRequest",
    "Stack",
    "StackResource",
    "ThrottledError",
    "Watcher",
]
