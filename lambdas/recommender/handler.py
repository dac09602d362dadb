"""The two entry points of the Provider framework: parse, take a step, answer.

Source: README of ``aws-cdk-lib/custom-resources``, "Provider Framework". ``on_event`` never raises
once a Create may have been applied: the framework would answer with a marker id and swallow the
Delete that cleans up (aws-cdk issue 28996). It returns the ARN with the failure beside it, and
``is_complete`` raises.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, Final, TypeVar

import boto3
from botocore.config import Config as ClientConfig

from . import vocabulary as v
from .errors import ACCESS_DENIED, PermanentError, TransientError
from .events import Request, RequestType, Wanted, within
from .lifecycle import (
    GONE,
    RESTS,
    SERVES,
    Done,
    Fail,
    Recommender,
    Verdict,
    Wait,
    at_rest,
    away,
    readiness,
    toward,
)
from .reconcile import Reconciler
from .service import Personalize
from .stack import Operation, Stacks

T = TypeVar("T")

LOG = logging.getLogger(__name__)
LOG.setLevel(logging.INFO)

BRIEF_SECONDS: Final = 120.0
"""How long the service may take to show what it accepted, and IAM to apply a new role's policy."""

DOUBT_SECONDS: Final = 6.0
SECONDS_BETWEEN_LOOKS: Final = 2.0
"""What would end a wait is looked at again before it is believed: reads may be stale."""

_UNSEEN: Final = "nothing shows yet of what was changed just before"

CLIENT: Final = ClientConfig(
    connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 3}
)
"""A call lasts a minute at most, and an invocation makes a dozen: less than a function may last."""

MAX_METRICS_BYTES: Final = 2000
"""An answer may have 4096 bytes in all (crpg-ref-responses)."""


class CustomResourceError(Exception):
    """What the ``cdk deploy`` terminal shows of a request that failed."""

    def __init__(self, message: str) -> None:
        super().__init__(within(message))


@dataclass(frozen=True)
class CustomResources:
    """Answers the requests of all resource types of this package."""

    service: Personalize
    stacks: Stacks
    clock: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep
    _begun: dict[tuple[str, str], dict[str, Operation]] = field(
        default_factory=dict, init=False, repr=False
    )
    """Operations by request id, in order, by stack and logical id, while this function is warm."""

    def on_event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a request: one look, and at most one step.

        Raises:
            CustomResourceError: the request is not understood or came late; nothing was changed.
        """
        memory = {"StartedAt": self.clock(), "PhysicalId": event.get("PhysicalResourceId")}
        try:
            request = Request.parse(event)
            wanted = _wanted(request)
            operation = self._operation(request)
        except (ValueError, PermanentError, TransientError) as error:
            raise CustomResourceError(f"Nothing was changed. {error}") from error
        if operation is None:
            return _answer(request, request.physical_id or request.logical_id, memory)
        if self._is_late(request, operation):
            raise CustomResourceError(
                f"A late {request.type} of {request.logical_id} came while the stack was "
                f"{operation.status}. Nothing was changed."
            )
        try:
            verdict = self._step(request, operation, wanted)
        except Exception as error:
            LOG.exception("Unexpected")
            verdict = Fail(f"Unexpected {type(error).__name__}: {error}")
        _log("Begun", request, verdict)
        fails = isinstance(verdict, Fail) and request.type is RequestType.UPDATE
        physical_id = request.physical_id or request.logical_id
        if wanted and not fails:
            physical_id = wanted.arn
        memory |= {"Operation": [operation.status, operation.last_updated], **_memory(verdict)}
        return _answer(request, physical_id, memory)

    def is_complete(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Look again, and take the next step if there is one.

        Raises:
            CustomResourceError: the request failed, with the service's own reason.
        """
        try:
            return self._polled(Request.parse(event))
        except CustomResourceError:
            raise
        except Exception as error:
            LOG.exception("Unexpected")
            raise CustomResourceError(f"Unexpected {type(error).__name__}: {error}") from error

    def _polled(self, request: Request) -> dict[str, Any]:
        if request.resource_type == v.TRAINING_GATE_TYPE:
            verdict, data = self._gate(request)
        else:
            verdict, data = self._continued(request)
        verdict = self._in_time(request, verdict)
        _log("Polled", request, verdict)
        if isinstance(verdict, Fail):
            raise CustomResourceError(verdict.why)
        if isinstance(verdict, Wait):
            return {"IsComplete": False}
        return {"IsComplete": True, "Data": data}

    def _is_late(self, request: Request, operation: Operation) -> bool:
        """Whether a request belongs to an earlier operation, or a newer one of its has begun since.

        That of one which was never delivered before is known by its kind only.
        """
        begun = self._begun_of(request)
        first = begun.setdefault(request.request_id, operation)
        is_newest = request.request_id == next(reversed(begun))
        return not (operation.sends(request.type) and first == operation and is_newest)

    def _begun_of(self, request: Request) -> dict[str, Operation]:
        return self._begun.setdefault((request.stack_id, request.logical_id), {})

    def _operation(self, request: Request) -> Operation | None:
        """Return the operation that sent a request which may change something, or None."""
        deletes = request.type is RequestType.DELETE
        changes = {v.RECOMMENDER_TYPE: True, v.STOP_TYPE: not deletes, v.SWEEP_TYPE: deletes}
        if not changes.get(request.resource_type, False):
            return None

        # A resource is updated once in an operation: the second time it is one that shows late.
        updates = request.type is RequestType.UPDATE
        others = [
            operation
            for request_id, operation in self._begun_of(request).items()
            if updates and request_id != request.request_id
        ]

        def look() -> Operation | TransientError | PermanentError:
            try:
                return self.stacks.operation(request.stack_id)
            except (TransientError, PermanentError) as error:
                return error

        def doubt(seen: Operation | TransientError | PermanentError) -> float:
            if isinstance(seen, PermanentError):
                return self._brief(request) if seen.code in ACCESS_DENIED else 0.0
            certain = isinstance(seen, Operation) and seen.sends(request.type)
            return 0.0 if certain and seen not in others else DOUBT_SECONDS

        seen = self._looked_at(look, doubt)
        if isinstance(seen, Operation):
            return seen
        raise seen

    def _step(self, request: Request, operation: Operation, wanted: Wanted | None) -> Verdict:
        reconciler = Reconciler(self.service, self.stacks, request, operation, wanted)
        try:
            if wanted:
                return self._converge(reconciler, wanted)
            if request.resource_type == v.STOP_TYPE:
                arn = request.get(v.RECOMMENDER_ARN)
                decide = partial(at_rest, request.owner)
                return reconciler.advance(arn, decide, proven=request.polled)
            if request.resource_type == v.SWEEP_TYPE:
                return self._sweep(reconciler)
            return self._remove(reconciler)
        except PermanentError as error:
            replaces = wanted is not None and wanted.arn != request.physical_id
            policy_is_new = request.type is RequestType.CREATE or replaces
            if policy_is_new and error.code in ACCESS_DENIED:
                return Wait(str(error), brief=True)
            return Fail(str(error))

    def _converge(self, reconciler: Reconciler, wanted: Wanted) -> Verdict:
        request = reconciler.request
        decide = partial(
            toward,
            wanted,
            retired_tags=request.retired_tags,
            began=self._tried_since(request, reconciler.operation),
        )
        verdict = reconciler.advance(wanted.arn, decide, proven=request.polled)
        if reconciler.operation.rolls_back and isinstance(verdict, Done):
            if verdict not in (SERVES, RESTS):
                return Wait(verdict.why, others_follow=True)
            if self._may_show_late(request):
                return Wait(_UNSEEN)
        if request.type is RequestType.CREATE or not (isinstance(verdict, Done) and verdict.serves):
            return verdict
        leftovers = reconciler.sweep(keep={wanted.arn, request.physical_id})
        if isinstance(leftovers, Done):
            return verdict
        return Wait(f"a leftover of an earlier change remains: {leftovers.why}", others_follow=True)

    def _tried_since(self, request: Request, operation: Operation) -> float:
        """Return since when what has failed is not tried again, in epoch seconds.

        A rollback is continued as often as somebody asks for it, in one and the same operation.
        """
        if not operation.rolls_back:
            return operation.began
        return self._started(request) - DOUBT_SECONDS

    def _remove(self, reconciler: Reconciler) -> Verdict:
        request, operation = reconciler.request, reconciler.operation
        arn = request.doomed_arn()
        decide = partial(
            away,
            request.owner,
            derived=request.derives(arn),
            retired_tags=frozenset(request.tags),
        )
        verdict = self._looked_at(
            partial(reconciler.advance, arn, decide, proven=request.polled),
            lambda verdict: DOUBT_SECONDS if request.polled and verdict == GONE else 0,
        )
        others_wait = operation.undoes_the_creation
        if verdict == GONE and not others_wait and self._may_show_late(request):
            return Wait(_UNSEEN)
        if isinstance(verdict, Wait):
            return replace(verdict, others_follow=operation.removes_the_stack)
        return verdict

    def _sweep(self, reconciler: Reconciler) -> Verdict:
        request, operation = reconciler.request, reconciler.operation
        if not operation.removes_the_stack:
            return Done(f"the stack lives ({operation.status}): nothing is swept")
        last = request.get(v.LAST, False)
        verdict = reconciler.sweep()
        if isinstance(verdict, Wait):
            return replace(verdict, others_follow=not last)
        if last and operation.undoes_the_creation and self._may_show_late(request):
            return Wait(_UNSEEN)
        return verdict

    def _may_show_late(self, request: Request) -> bool:
        """Whether what was changed just before this request may not show yet.

        When a creation is rolled back, the last sweep waits for that, for a Delete that never came;
        else the recommender's own Delete does, of which the sweeps know nothing. When an update is
        rolled back, the reversed Update does.
        """
        never_seen = request.memory.get("Why", _UNSEEN) == _UNSEEN
        return never_seen and self._elapsed(request) < self._brief(request)

    def _brief(self, request: Request) -> float:
        return min(BRIEF_SECONDS, request.wait_seconds)

    def _elapsed(self, request: Request) -> float:
        return self.clock() - self._started(request)

    def _started(self, request: Request) -> float:
        return float(request.memory.get("StartedAt", self.clock()))

    def _continued(self, request: Request) -> tuple[Verdict, dict[str, str]]:
        wanted = _wanted(request)
        memory = request.memory
        if "Operation" not in memory:
            return Done("nothing to do"), {}
        verdict = _remembered(memory)
        if isinstance(verdict, Wait):
            verdict = self._step(request, Operation(*memory["Operation"]), wanted)
        data = _attributes(request, wanted, verdict) if wanted else {}
        return verdict, data

    def _gate(self, request: Request) -> tuple[Verdict, dict[str, str]]:
        if request.type is RequestType.DELETE:
            return Done("a training gate has nothing to delete"), {}

        def doubt(seen: tuple[Verdict, object]) -> float:
            verdict = seen[0]
            too_late = self._elapsed(request) >= BRIEF_SECONDS
            return DOUBT_SECONDS if too_late and isinstance(verdict, Wait) and verdict.brief else 0

        return self._looked_at(partial(self._training, request), doubt)

    def _looked_at(self, look: Callable[[], T], doubt: Callable[[T], float]) -> T:
        """Return what is seen, looking again for as many seconds as that is to be doubted."""
        seen, waited = look(), 0.0
        while waited < doubt(seen):
            self.pause(SECONDS_BETWEEN_LOOKS)
            waited += SECONDS_BETWEEN_LOOKS
            seen = look()
        return seen

    def _training(self, request: Request) -> tuple[Verdict, dict[str, str]]:
        last = request.get(v.LAST, False)
        seen = None
        verdict: Verdict
        try:
            seen = self.service.describe(request.get(v.RECOMMENDER_ARN))
        except TransientError as error:
            verdict = Wait(str(error))
        except PermanentError as error:
            verdict = Fail(str(error))
        else:
            verdict = readiness(
                request.config,
                seen,
                running=request.get(v.RUNNING, True),
                updated_after=request.get(v.UPDATED_AFTER, 0.0),
            )
        if isinstance(verdict, Wait):
            verdict = replace(verdict, others_follow=not last)
        return verdict, _metrics(seen) if seen and last else {}

    def _in_time(self, request: Request, verdict: Verdict) -> Verdict:
        """Return the verdict, or what becomes of a wait whose time is up."""
        if not isinstance(verdict, Wait):
            return verdict
        elapsed = self._elapsed(request)
        if verdict.brief and elapsed >= BRIEF_SECONDS:
            return Fail(f"{verdict.why} (after {elapsed:.0f} seconds).")
        if elapsed < request.wait_seconds:
            return verdict
        if verdict.others_follow:
            LOG.warning("Handing over", extra={"resource": request.logical_id, "why": verdict.why})
            return Done(verdict.why)
        return Fail(_too_late(request, elapsed, verdict.why))


def _wanted(request: Request) -> Wanted | None:
    creates = request.resource_type == v.RECOMMENDER_TYPE and request.type is not RequestType.DELETE
    return request.wanted() if creates else None


def _answer(request: Request, physical_id: str, memory: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer of ``on_event``; a Delete must not change the physical id."""
    if request.type is RequestType.DELETE:
        physical_id = request.physical_id or request.logical_id
    return {"PhysicalResourceId": physical_id, "Memory": dict(memory)}


def _memory(verdict: Verdict) -> dict[str, Any]:
    return {
        "Verdict": type(verdict).__name__,
        "Why": within(verdict.why),
        "UpdatedAfter": verdict.updated_after if isinstance(verdict, Done) else 0.0,
    }


def _remembered(memory: Mapping[str, Any]) -> Verdict:
    match memory["Verdict"]:
        case "Done":
            return Done(memory["Why"], updated_after=memory["UpdatedAfter"])
        case "Fail":
            return Fail(memory["Why"])
        case _:
            return Wait(memory["Why"])


def _attributes(request: Request, wanted: Wanted, verdict: Verdict) -> dict[str, str]:
    return {
        v.ARN_ATTRIBUTE: wanted.arn,
        v.NAME_ATTRIBUTE: wanted.name,
        v.REVISION_ATTRIBUTE: request.request_id,
        v.UPDATED_AFTER_ATTRIBUTE: str(verdict.updated_after if isinstance(verdict, Done) else 0.0),
    }


def _metrics(seen: Recommender) -> dict[str, str]:
    reported = {name: seen.metrics.get(key) for name, key in v.METRICS.items()}
    whole = dict(sorted(seen.metrics.items()))
    while len(json.dumps(whole)) > MAX_METRICS_BYTES:
        whole.popitem()
    return {
        v.RECOMMENDER_ARN_ATTRIBUTE: seen.arn,
        **{
            name: v.NOT_REPORTED if value is None else str(value)
            for name, value in reported.items()
        },
        v.MODEL_METRICS_ATTRIBUTE: json.dumps(whole),
    }


def _too_late(request: Request, elapsed: float, why: str) -> str:
    waited = f"{elapsed / 60:.0f} minutes" if elapsed >= 120 else f"{elapsed:.0f} seconds"  # noqa: PLR2004
    match request.resource_type, request.type:
        case v.TRAINING_GATE_TYPE, _:
            return (
                f"The recommender was not ready when the last training gate closed: {why}. "
                "Raise max_training_hours, then deploy again."
            )
        case _, RequestType.DELETE:
            return (
                f"Not deleted within {waited}: {why}. It is still there, and still the stack's: "
                "another cdk destroy removes it, and so does the next change of the recommender."
            )
        case _:
            return f"Not possible within {waited}: {why}. Deploy again when that has ended."


def _log(what: str, request: Request, verdict: Verdict) -> None:
    LOG.info(
        what,
        extra={
            "request": request.request_id,
            "type": request.type.value,
            "resource": request.logical_id,
            "verdict": type(verdict).__name__,
            "why": verdict.why,
        },
    )


@cache
def _resources() -> CustomResources:
    return CustomResources(
        Personalize(boto3.client("personalize", config=CLIENT)),
        Stacks(boto3.client("cloudformation", config=CLIENT)),
    )


def on_event(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Lambda entry point for the Provider's ``onEvent``."""
    return _resources().on_event(event)


def is_complete(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Lambda entry point for the Provider's ``isComplete``."""
    return _resources().is_complete(event)
