"""The protocol of custom resources: a request is begun, waited for and answered, once.

``begin`` looks, and changes nothing: a request that is finished is answered at once, for any other
an execution of the state machine is started. Only the polls of that execution change anything, and
there is one for each request, however often it is delivered (ADR 8).
"""

import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from .. import vocabulary as v
from ..aws.cloudformation import Stacks
from ..aws.errors import PermanentError, TransientError
from ..aws.personalize import Personalize
from ..decision.plan import Situation
from ..decision.verdict import AtDeadline, Done, Fail, Verdict, Wait
from ..model.observed import Observed
from ..model.operation import Operation, RequestType
from ..model.properties import BadRequestError
from ..model.request import Request
from ..model.timing import CONFIRM_SECONDS, REQUEST_SECONDS, Timing
from ..reconcile.fence import admit
from ..reconcile.reconciler import Reconciler
from ..resources import custom_resource_for
from ..resources.base import CustomResource
from ..text import duration, readable
from .answer import Answers, Delivery, answer_to, failure, physical_id
from .execution import Execution, StateMachine

LOG = logging.getLogger(__name__)
LOG.setLevel(logging.INFO)

_SECONDS_BETWEEN_DELIVERIES = 5


@dataclass(frozen=True)
class RequestHandler:
    """Answers the requests of all resource types of this package."""

    personalize: Personalize
    stacks: Stacks
    answers: Answers
    clock: Callable[[], float]

    def begin(
        self, event: Mapping[str, Any], state_machine: StateMachine, *, interval: float
    ) -> None:
        """Begin a request that CloudFormation has sent: look, then answer it or have it waited for.

        Args:
            event: CloudFormation's.
            state_machine: polls for it.
            interval: seconds between two looks.

        Raises:
            Exception: it can neither be waited for nor answered now; Lambda invokes the function
                again.
        """
        if not self.answers.accept(event.get("ResponseURL")):
            return
        waiting = self._look(
            Execution.begin(event, now=self.clock(), interval=interval), acts=False
        )
        if waiting.answer and self._deliver(waiting).ended:
            return
        try:
            first = state_machine.start(waiting)
        except Exception as error:
            if not waiting.answer:
                waiting = self._look(waiting, acts=False, refusal=_words(error))  # minutes later
            if not self._deliver(waiting).ended:
                raise
            return
        if not first:
            LOG.info(f"{_which(waiting)} was begun before", extra=_about(waiting))

    def poll(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Look again, or deliver the answer that is decided; return the state of the execution."""
        waiting = Execution.from_json(state)
        if waiting.answer:
            return self._deliver(waiting).to_json()
        return self._look(waiting, acts=True).to_json()

    def _deliver(self, waiting: Execution) -> Execution:
        assert waiting.answer is not None  # noqa: S101  # see the callers
        delivery = self.answers.put(waiting.event["ResponseURL"], waiting.answer)
        nobody_waits = self.clock() - waiting.sent >= REQUEST_SECONDS
        status = waiting.answer["Status"]
        LOG.info(
            f"{_which(waiting)} is {_DELIVERIES[delivery]}: {status}",
            extra={**_about(waiting), "status": status, "delivery": delivery.name},
        )
        ended = delivery is not Delivery.LATER or nobody_waits
        return replace(waiting, ended=ended, seconds=_SECONDS_BETWEEN_DELIVERIES)

    def _look(self, waiting: Execution, *, acts: bool, refusal: str | None = None) -> Execution:
        """Look, and take a step if it ``acts``; a ``refusal`` is why nobody can look again."""
        try:
            resource = custom_resource_for(Request.parse(waiting.event))
            return self._looked(waiting, resource, acts=acts, refusal=refusal)
        except BadRequestError as error:
            return waiting.answered(_refused(waiting.event, error))

    def _looked(
        self, waiting: Execution, resource: CustomResource, *, acts: bool, refusal: str | None
    ) -> Execution:
        request = resource.request
        timing = waiting.timing(self.clock(), request.wait_seconds)
        operation, observed = waiting.operation, None
        in_force, tags_read = dict(waiting.in_force), set(waiting.tags_read)
        updated_after = waiting.updated_after
        try:
            if request.type not in resource.changes:
                verdict, observed = resource.look(self.personalize, self.stacks)
            elif isinstance(sent := operation or admit(request, self.stacks, timing), Operation):
                operation = sent
                reconciler = Reconciler(
                    personalize=self.personalize,
                    stacks=self.stacks,
                    request=request,
                    operation=operation,
                    acts=acts,
                    in_force=in_force,
                    tags_read=tags_read,
                    updated_after=updated_after,
                )
                verdict = _step(resource, reconciler, waiting, timing)
                observed, updated_after = reconciler.observed, reconciler.updated_after
            else:
                verdict = resource.not_admitted(sent)
        except BadRequestError:
            raise
        except Exception as error:
            verdict = _unexpected(request, error)
            if operation is None or operation.removes_the_stack:
                verdict = resource.not_admitted(verdict)
        verdict = in_time(verdict, timing, resource, operation, refusal)
        _log(waiting, request, timing, verdict, observed)
        again = None if refusal else _again(waiting, timing, verdict, acts=acts)
        looked = (again or waiting).looked(
            operation=operation,
            in_force=in_force,
            tags_read=frozenset(tags_read),
            updated_after=updated_after,
            nothing_seen=waiting.nothing_seen
            and (operation is None or (isinstance(verdict, Wait) and verdict.unseen)),
        )
        if again:
            return looked
        answer = answer_to(
            waiting.event,
            succeeded=isinstance(verdict, Done),
            physical_id=resource.physical_id(verdict),
            reason=verdict.reason,
            attributes=resource.attributes(verdict, observed),
        )
        return looked.answered(answer)


def _step(
    resource: CustomResource, reconciler: Reconciler, waiting: Execution, timing: Timing
) -> Verdict:
    operation = reconciler.operation
    situation = Situation(
        operation,
        began=timing.begun - CONFIRM_SECONDS if operation.rolls_back else operation.began,
        may_show_late=waiting.nothing_seen and timing.may_show_late,
        looked_before=waiting.looks > 0,
        now=timing.now,
        updated_after=waiting.updated_after,
    )
    try:
        return resource.step(reconciler, situation)
    except PermanentError as error:
        return resource.refused(error, operation)


def _again(waiting: Execution, timing: Timing, verdict: Verdict, *, acts: bool) -> Execution | None:
    """Return it with the time until the next look, or None if this one has decided it."""
    if isinstance(verdict, Wait):
        share = 1.0 if waiting.looks else waiting.share
        pause = 0 if verdict.to_change else timing.next_poll(waiting.interval, share=share)
        return replace(waiting, seconds=pause, unconfirmed=None)
    if not acts and isinstance(verdict, Fail):
        return waiting
    unconfirmed = waiting.doubt(type(verdict).__name__, timing.now)
    is_doubted = not verdict.certain and timing.now - unconfirmed.since < CONFIRM_SECONDS
    if is_doubted and timing.may_doubt:
        return replace(waiting, seconds=int(CONFIRM_SECONDS), unconfirmed=unconfirmed)
    return None


def _unexpected(request: Request, error: Exception) -> Wait:
    """Return what becomes of a look that a defect of ours, or of the SDK, has ended.

    It may be that only this one answer was not understood. A Delete that fails is final, so it is
    tried for as long as there is time.
    """
    return Wait(_words(error), grace=request.type is not RequestType.DELETE, unseen=True)


def _words(error: Exception) -> str:
    if isinstance(error, TransientError | PermanentError):
        return str(error)
    words = f"Unexpected {type(error).__name__}: {error}"
    LOG.error(readable(words), extra={"traceback": traceback.format_tb(error.__traceback__)})
    return words


def in_time(
    verdict: Verdict,
    timing: Timing,
    resource: CustomResource,
    operation: Operation | None,
    refusal: str | None = None,
) -> Verdict:
    """Return the verdict, or what becomes of a wait that is over.

    Its time is up; or, with a ``refusal``, it could not begin.
    """
    if not isinstance(verdict, Wait):
        return verdict
    if verdict.grace and timing.grace_is_over:
        return Fail(
            f"{verdict.reason.removesuffix('.')} (after {timing.waited:.0f} seconds).",
            certain=False,
        )
    if not timing.is_up and not refusal:
        return verdict
    if verdict.at_deadline is AtDeadline.HAND_OVER:
        return Done(verdict.reason, previous_update=verdict.previous_update)
    if refusal:
        return Fail(resource.not_waited_for(duration(timing.waited), refusal, operation))
    return Fail(resource.out_of_time(duration(timing.waited), verdict.reason, operation))


def _refused(event: Mapping[str, Any], error: BadRequestError) -> dict[str, Any]:
    """Return the answer to a request that is not as it must be.

    Nothing came of a request that was refused, so that there is nothing to delete of it.
    """
    if event.get("RequestType") == RequestType.DELETE:
        return answer_to(
            event,
            succeeded=True,
            physical_id=physical_id(event),
            attributes={},
        )
    return _failed(event, f"Nothing was changed. {error}")


def _failed(event: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """Return the answer to a request of which nothing has come, with all attributes it can have."""
    try:
        attributes = custom_resource_for(Request.parse(event)).attributes(Fail(reason), None)
    except BadRequestError:
        return failure(event, reason)
    return failure(event, reason, attributes)


_DELIVERIES: Final = {
    Delivery.DELIVERED: "answered",
    Delivery.REFUSED: "not answered, for the ResponseURL takes no answer any more",
    Delivery.LATER: "not answered yet",
}


def _which(waiting: Execution) -> str:
    event = waiting.event
    return readable(f"{event.get('RequestType')} of {event.get('LogicalResourceId')}")


def _about(waiting: Execution) -> dict[str, Any]:
    return {
        "request": waiting.event.get("RequestId"),
        "type": waiting.event.get("RequestType"),
        "resource": waiting.event.get("LogicalResourceId"),
    }


def _log(
    waiting: Execution,
    request: Request,
    timing: Timing,
    verdict: Verdict,
    observed: Observed | None,
) -> None:
    number, of = request.link
    status = readable(observed.description) if observed else None
    name, why = type(verdict).__name__, readable(verdict.reason)
    LOG.info(
        f"{_which(waiting)}: {name}, {why}" + (f" [{status}]" if status else ""),
        extra={
            **_about(waiting),
            **({"link": f"{number} of {of}"} if v.LINK in request.properties else {}),
            "look": waiting.looks + 1,
            "status": status,
            "waited": round(timing.waited),
            "left": round(timing.left),
            "verdict": name,
            "why": why,
        },
    )
