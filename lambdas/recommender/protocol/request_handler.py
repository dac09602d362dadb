"""The protocol of custom resources: begin, poll and answer each request once.

``begin`` answers a request that has nothing to do, and starts an execution of the state machine for
any other. It attempts a request itself only if no execution can be started. Each poll of that
execution is one attempt. ``apply_deadline`` and ``schedule`` turn the attempt into the next poll or
the answer. Each request has one execution, even if CloudFormation delivers the request again
(ADR 8).
"""

import logging
import math
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from .. import vocabulary as v
from ..aws.cloudformation import Stacks
from ..aws.errors import PermanentError, TransientError
from ..aws.personalize import Personalize
from ..decision.situation import Situation
from ..decision.verdict import Done, Fail, Verdict, Wait
from ..model.observed import Observed
from ..model.operation import Operation, RequestType
from ..model.properties import BadRequestError
from ..model.request import Request
from ..model.timing import CONFIRM_SECONDS, REQUEST_SECONDS, Timing
from ..reconcile.fence import admit
from ..reconcile.reconciler import Reconciler
from ..resources import custom_resource_for
from ..resources.base import CustomResource
from ..text import duration, readable, sentence
from .answer import Answers, Delivery, answer_to, failure, physical_id
from .execution import Execution, StateMachine, Unconfirmed

LOG = logging.getLogger(__name__)
LOG.setLevel(logging.INFO)

_SECONDS_BETWEEN_DELIVERIES = 5


@dataclass(frozen=True)
class RequestHandler:
    """Answers the requests to all resource types of this package."""

    personalize: Personalize
    stacks: Stacks
    answers: Answers
    clock: Callable[[], float]

    def begin(
        self, event: Mapping[str, Any], state_machine: StateMachine, *, interval: float
    ) -> None:
        """Begin a request that CloudFormation has sent: answer it, or start its execution.

        Args:
            event: CloudFormation's event.
            state_machine: polls for the request.
            interval: seconds between two polls.

        Raises:
            Exception: neither is possible now; Lambda invokes the function again.
        """
        if not self.answers.accept(event.get("ResponseURL")):
            return
        execution, resource = _parsed(Execution.begin(event, now=self.clock(), interval=interval))
        if execution.answer and self._deliver(execution).ended:
            return
        pauses = iter(state_machine.pauses)
        while True:
            try:
                if not state_machine.start(execution):
                    LOG.info(f"{_which(execution)} was begun before", extra=_about(execution))
                return
            except Exception as error:
                LOG.warning(
                    f"No execution of {_which(execution)} could be started: {type(error).__name__}",
                    extra={**_about(execution), "error": getattr(error, "code", "")},
                )
                pause = next(pauses, None)
                execution = self._go_on_alone(execution, resource, error, last=pause is None)
                if execution.ended:
                    return
                if pause is None:
                    raise
                state_machine.pause(pause)

    def poll(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Attempt a request, or deliver its answer; return the state of the execution."""
        execution = Execution.from_json(state)
        if execution.answer:
            return self._deliver(execution).to_json()
        execution, resource = _parsed(execution)
        if resource:
            timing = execution.timing(self.clock(), resource.request.wait_seconds)
            execution = self._advance(execution, resource, timing)
        return execution.to_json()

    def _deliver(self, execution: Execution) -> Execution:
        assert execution.answer is not None  # noqa: S101  # see the callers
        delivery = self.answers.put(execution.event["ResponseURL"], execution.answer)
        nobody_waits = self.clock() - execution.sent >= REQUEST_SECONDS
        status = execution.answer["Status"]
        LOG.info(
            f"{_which(execution)} is {delivery.value}: {status}",
            extra={**_about(execution), "status": status, "delivery": delivery.name},
        )
        ended = delivery is not Delivery.LATER or nobody_waits
        return replace(execution, ended=ended, seconds=_SECONDS_BETWEEN_DELIVERIES)

    def _go_on_alone(
        self,
        execution: Execution,
        resource: CustomResource | None,
        error: Exception,
        *,
        last: bool,
    ) -> Execution:
        """Go on with a request whose execution cannot be started; the last time, answer it.

        Begin no change that needs a wait: attempt only a Delete, an Update in a rollback, and a
        gate, which changes nothing.
        """
        if resource and not execution.answer:
            request = resource.request
            begins = resource.is_fenced and request.type is not RequestType.DELETE
            if not begins or self._rolls_back(request):
                wait_seconds = 0.0 if last else request.wait_seconds
                timing = execution.timing(self.clock(), wait_seconds)
                refusal = _words(error) if last else ""
                execution = self._advance(execution, resource, timing, refusal=refusal)
            elif last:
                reason = f"Nothing was changed. {_words(error)}"
                execution = _answered(execution, resource, Fail(reason))
        return self._deliver(execution) if execution.answer else execution

    def _rolls_back(self, request: Request) -> bool:
        with suppress(TransientError, PermanentError):
            return self.stacks.operation(request.stack_id).undoes_an_update
        return False

    def _advance(
        self, execution: Execution, resource: CustomResource, timing: Timing, refusal: str = ""
    ) -> Execution:
        """Make one attempt, and return the execution with the next poll or with the answer."""
        execution, verdict, observed = self._attempt(execution, resource, timing)
        if refusal and isinstance(verdict, Wait):
            verdict = replace(verdict, reason=f"{sentence(refusal)} {verdict.reason}")
        unconfirmed = execution.confirming(verdict, timing.now)
        verdict = apply_deadline(verdict, timing, resource, confirmed=unconfirmed is None)
        seconds = schedule(verdict, timing, execution, unconfirmed)
        _log(execution, resource.request, timing, verdict, observed)
        execution = replace(execution, attempts=execution.attempts + 1)
        if seconds is None:
            return _answered(execution, resource, verdict)
        return replace(execution, seconds=seconds, unconfirmed=unconfirmed)

    def _attempt(
        self, execution: Execution, resource: CustomResource, timing: Timing
    ) -> tuple[Execution, Verdict, Observed | None]:
        """Pass the fence, and take one step; return the execution with the new knowledge."""
        request, operation = resource.request, execution.operation
        reconciler = Reconciler(self.personalize, self.stacks, request, known=execution.known)
        verdict: Verdict
        try:
            if resource.is_fenced and operation is None:
                admitted = admit(request, self.stacks, sent=timing.sent)
                if not isinstance(admitted, Operation):
                    return execution, admitted, None
                operation = admitted
            reconciler.situation = _situation(execution, operation, timing)
            verdict = resource.attempt(reconciler)
        except PermanentError as error:
            verdict = resource.refused(error)
        except Exception as error:
            verdict = Fail(_words(error), confirm=request.grace)
        execution = replace(
            execution,
            operation=operation,
            known=reconciler.known,
            nothing_seen=execution.nothing_seen and (operation is None or _saw_nothing(verdict)),
        )
        return execution, verdict, reconciler.observed


def apply_deadline(
    verdict: Verdict, timing: Timing, resource: CustomResource, *, confirmed: bool
) -> Verdict:
    """End a wait whose time is up: hand it over, or fail. Return any other verdict as it is.

    If a delay may explain a failure, it counts as a wait until it has shown for long enough.
    """
    if isinstance(verdict, Fail) and verdict.may_pass:
        if confirmed:
            return Fail(f"{sentence(verdict.reason)} (Observed for {duration(verdict.confirm)}.)")
        if timing.is_up:
            verdict = Wait(verdict.reason)
    if not isinstance(verdict, Wait) or not timing.is_up:
        return verdict
    if verdict.hands_over or resource.hands_over:
        return Done(verdict.reason, updated_after=verdict.updated_after)
    return Fail(resource.out_of_time(verdict.reason, timing.waited))


def schedule(
    verdict: Verdict, timing: Timing, execution: Execution, unconfirmed: Unconfirmed | None
) -> int | None:
    """Return the seconds until the next poll, or None if the verdict is the answer."""
    pause = timing.next_poll(execution.interval, share=execution.share)
    if isinstance(verdict, Wait):
        return pause
    if not unconfirmed or not verdict.confirm or not timing.may_confirm:
        return None
    confirmed_in = unconfirmed.since + verdict.confirm - timing.now
    return max(1, math.ceil(min(pause, confirmed_in)))


def _situation(execution: Execution, operation: Operation | None, timing: Timing) -> Situation:
    if operation is None:
        return Situation(now=timing.now)
    return Situation(
        operation,
        began=timing.begun - CONFIRM_SECONDS if operation.undoes_an_update else operation.began,
        may_show_late=execution.nothing_seen and timing.may_show_late,
        attempted_before=execution.attempts > 0,
        now=timing.now,
        updated_after=execution.known.updated_after,
    )


def _saw_nothing(verdict: Verdict) -> bool:
    """Return whether an attempt has seen nothing of a change that may have come just before."""
    if isinstance(verdict, Wait):
        return verdict.unseen
    return isinstance(verdict, Fail) and verdict.confirm > 0


def _words(error: Exception) -> str:
    if isinstance(error, TransientError | PermanentError):
        return str(error)
    words = f"Unexpected {type(error).__name__}: {error} (a defect; the log has a traceback)"
    LOG.error(readable(words), extra={"traceback": traceback.format_tb(error.__traceback__)})
    return words


# -- answers -----------------------------------------------------------------------------------


def _parsed(execution: Execution) -> tuple[Execution, CustomResource | None]:
    """Return the attempt at a request; if there is none, the execution has the answer.

    The Delete of a malformed request succeeds: that request made nothing.
    """
    event, resource = execution.event, None
    unchanged = "" if execution.attempts else "Nothing was changed. "
    try:
        resource = custom_resource_for(Request.parse(event))
    except BadRequestError as error:
        if event.get("RequestType") != RequestType.DELETE:
            return execution.answered(failure(event, f"{unchanged}{error}")), None
    except Exception as error:
        return execution.answered(failure(event, f"{unchanged}{_words(error)}")), None
    if resource:
        return execution, resource
    nothing_to_do = answer_to(event, succeeded=True, physical_id=physical_id(event), attributes={})
    return execution.answered(nothing_to_do), None


def _answered(execution: Execution, resource: CustomResource, verdict: Verdict) -> Execution:
    request = resource.request
    keeps_id = isinstance(verdict, Fail) and request.type is RequestType.UPDATE
    return execution.answered(
        answer_to(
            execution.event,
            succeeded=isinstance(verdict, Done),
            physical_id=physical_id(execution.event) if keeps_id else resource.physical_id,
            reason=verdict.reason,
            attributes=resource.attributes,
        )
    )


# -- the log -----------------------------------------------------------------------------------


def _which(execution: Execution) -> str:
    event = execution.event
    return readable(f"{event.get('RequestType')} of {event.get('LogicalResourceId')}")


def _about(execution: Execution) -> dict[str, Any]:
    return {
        "request": execution.event.get("RequestId"),
        "type": execution.event.get("RequestType"),
        "resource": execution.event.get("LogicalResourceId"),
    }


def _log(
    execution: Execution,
    request: Request,
    timing: Timing,
    verdict: Verdict,
    observed: Observed | None,
) -> None:
    number, of = request.link
    status = readable(observed.description) if observed else None
    name, why = type(verdict).__name__, readable(verdict.reason)
    LOG.info(
        f"{_which(execution)}: {name}, {why}" + (f" [{status}]" if status else ""),
        extra={
            **_about(execution),
            **({"link": f"{number} of {of}"} if v.LINK in request.properties else {}),
            "attempt": execution.attempts + 1,
            "status": status,
            "waited": round(timing.waited),
            "left": round(timing.remaining),
            "verdict": name,
            "why": why,
        },
    )
