"""The resource types: what each of their requests does, and what each answers.

Chain, as created: sweeps, the recommender, training gates, and the stop where it is kept stopped.
"""

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import ClassVar, Final, Protocol

from . import vocabulary as v
from .config import not_shown
from .errors import ACCESS_DENIED, NoServiceError, PermanentError, TransientError
from .identity import Ownership
from .observed import Observed
from .operation import Operation, RequestType
from .personalize import Personalize
from .plan import (
    Situation,
    accepted,
    deleted,
    first_unfinished,
    plan,
    plan_deletion,
    plan_stop,
    readiness,
    settle,
    swept,
)
from .reconcile import Reconciler
from .request import Desired, Request
from .steps import AtDeadline, Change, Done, Fail, Step, Verdict, Wait

LOG = logging.getLogger(__name__)

_ALL: Final = frozenset(RequestType)
_NOTHING_TO_DO: Final = Done("nothing to do")

MAX_METRICS_BYTES: Final = 2000
"""An answer may have 4096 bytes in all (crpg-ref-responses)."""


class CustomResource:
    """One request to a custom resource; by itself, a type of which nothing is known."""

    changes: ClassVar[frozenset[RequestType]] = frozenset()
    """The requests of the type that may change something, and so have to pass the fence."""

    def __init__(self, request: Request) -> None:
        """Take a request.

        Raises:
            BadRequestError: it is not as it must be.
        """
        self.request = request

    def look(self, personalize: Personalize) -> tuple[Verdict, Observed | None]:
        """Take a look, for a request that changes nothing."""
        del personalize
        return _NOTHING_TO_DO, None

    def step(self, reconciler: Reconciler, situation: Situation) -> Verdict:
        """Take a step, for a request that may change something.

        Raises:
            PermanentError: a call was refused for good.
        """
        raise NotImplementedError

    def not_admitted(self, verdict: Wait | Fail) -> Verdict:
        """Return what becomes of a request of which it is not known which operation sent it."""
        return verdict

    def refused(self, error: PermanentError, operation: Operation) -> Verdict:
        """Return what becomes of a request of which a call was refused for good.

        IAM takes a while to apply the policy of what has just been created.
        """
        del operation
        if error.code in ACCESS_DENIED and self.policy_is_new:
            return Wait(str(error), grace=True)
        return Fail(str(error))

    @property
    def policy_is_new(self) -> bool:
        """Whether a policy may have been created just before this request."""
        return self.request.type is RequestType.CREATE

    def physical_id(self, verdict: Verdict) -> str:
        """Return the physical id of the answer; a Delete must not change it."""
        del verdict
        return self.request.physical_id or self.request.logical_id

    def attributes(self, verdict: Verdict, observed: Observed | None) -> dict[str, str]:
        """Return what ``Fn::GetAtt`` reads; all of it in a failure, too."""
        del verdict, observed
        return {}

    def out_of_time(self, waited: str, reason: str, operation: Operation | None) -> str:
        """Return why a request has failed whose time is up."""
        del operation
        return f"Not possible within {waited}: {reason}. Deploy again when that has ended."


class Recommender(CustomResource):
    """``Custom::TopPicksRecommender``: answers when Personalize has accepted what is asked."""

    changes = _ALL

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._deletes = request.type is RequestType.DELETE
        if not self._deletes:
            _ = self.desired

    @cached_property
    def desired(self) -> Desired:
        """The recommender that the template asks for."""
        return self.request.desired

    def step(self, reconciler: Reconciler, situation: Situation) -> Verdict:
        """Take a step towards the recommender that is desired, or towards its not being there."""
        if self._deletes:
            return self._delete(reconciler, situation)
        in_place = self.desired.arn == self.request.physical_id
        before = self.request.old_config if in_place else None
        verdict = reconciler.advance(
            self.desired.arn,
            partial(
                plan,
                self.desired,
                situation=situation,
                before=before,
                retired_tags=self.request.retired_tags,
            ),
            accepted=partial(self._accepted, situation),
            proven=situation.looked_before,
        )
        replaces = self.request.type is not RequestType.CREATE
        if not isinstance(verdict, Done) or not verdict.serves or not replaces:
            return verdict
        keep = {self.desired.arn, self.request.physical_id}
        leftovers = _sweep(reconciler, keep)
        if isinstance(leftovers, Done):
            return verdict
        reason = f"a leftover of an earlier change remains: {leftovers.reason}"
        return Wait(
            reason,
            AtDeadline.HAND_OVER,
            to_change=isinstance(leftovers, Wait) and leftovers.to_change,
            previous_update=verdict.previous_update,
        )

    @property
    def policy_is_new(self) -> bool:
        """Whether it is new, or one for a new name is."""
        replaces = not self._deletes and self.desired.arn != self.request.physical_id
        return super().policy_is_new or replaces

    def physical_id(self, verdict: Verdict) -> str:
        """Return the ARN, known before there is a recommender; a failed Update keeps the old id."""
        failed = isinstance(verdict, Fail) and self.request.type is RequestType.UPDATE
        return super().physical_id(verdict) if self._deletes or failed else self.desired.arn

    def attributes(self, verdict: Verdict, observed: Observed | None) -> dict[str, str]:
        """Return what the training gates and the outputs read."""
        del observed
        if self._deletes:
            return {}
        updated = None if isinstance(verdict, Fail) else verdict.previous_update
        return {
            v.ARN_ATTRIBUTE: self.desired.arn,
            v.NAME_ATTRIBUTE: self.desired.name,
            v.REVISION_ATTRIBUTE: self.request.request_id,
            v.UPDATED_AFTER_ATTRIBUTE: v.NO_UPDATE if updated is None else str(updated),
        }

    def not_admitted(self, verdict: Wait | Fail) -> Verdict:
        """Return what becomes of it while it is not known which operation sent it."""
        return _patiently(verdict) if self._deletes else verdict

    def refused(self, error: PermanentError, operation: Operation) -> Verdict:
        """Return what becomes of it when a call was refused for good.

        Of a stack that is being removed, a Delete that fails is final: CloudFormation goes on and
        deletes the functions (cloudformation-coverage-roadmap issues 851, 852, 1508). So it waits,
        and the sweeps do after it, for somebody to put right what refuses it (ADR 11).
        """
        if self._deletes and isinstance(error, NoServiceError):
            return Done(str(error), certain=False)
        if self._deletes and operation.removes_the_stack:
            return Wait(str(error), AtDeadline.HAND_OVER)
        return super().refused(error, operation)

    def out_of_time(self, waited: str, reason: str, operation: Operation | None) -> str:
        """Return why it has failed."""
        if not self._deletes:
            return super().out_of_time(waited, reason, operation)
        adopted = self.request.properties.get(v.ADOPT_EXISTING) == "true"
        left = {self.request.deletion_target: Ownership.ADOPTED if adopted else Ownership.OWN}
        return _not_deleted(self.request, waited, reason, left, operation)

    def _accepted(self, situation: Situation, arn: str, change: Change) -> Verdict:
        verdict = accepted(self.desired, arn, change)
        return settle(verdict, situation) if isinstance(verdict, Done) else verdict

    def _delete(self, reconciler: Reconciler, situation: Situation) -> Verdict:
        arn = self.request.deletion_target
        verdict = reconciler.advance(
            arn,
            partial(
                plan_deletion,
                self.request.owner,
                derived=self.request.derives(arn),
                retired_tags=frozenset(self.request.tags),
            ),
            proven=situation.looked_before,
        )
        return deleted(verdict, situation)


class Sweep(CustomResource):
    """``Custom::RecommenderSweep``: waits for a deletion, and removes whatever is left.

    CloudFormation also deletes sweeps while the stack lives; then they change nothing.
    """

    changes = frozenset({RequestType.DELETE})

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._left: dict[str, Ownership | None] = {}

    def step(self, reconciler: Reconciler, situation: Situation) -> Verdict:
        """Take all that the stack owns a step towards being gone, if the stack is being removed."""
        operation = situation.operation
        if not operation.removes_the_stack:
            return Done(f"the stack lives ({operation.status}): nothing is swept")
        verdict = _sweep(reconciler, left=self._left)
        return swept(verdict, situation, last=self._is_last)

    def not_admitted(self, verdict: Wait | Fail) -> Verdict:
        """Return what becomes of it while it is not known which operation sent it."""
        return self._in_its_place(_patiently(verdict))

    def refused(self, error: PermanentError, operation: Operation) -> Verdict:
        """Return what becomes of it when a call was refused for good: as the recommender's own."""
        del operation
        if isinstance(error, NoServiceError):
            return Done(str(error), certain=False)
        return self._in_its_place(Wait(str(error), AtDeadline.HAND_OVER))

    def out_of_time(self, waited: str, reason: str, operation: Operation | None) -> str:
        """Return why the last one has failed."""
        return _not_deleted(self.request, waited, reason, self._left, operation)

    def _in_its_place(self, verdict: Verdict) -> Verdict:
        if isinstance(verdict, Wait) and self._is_last:
            return replace(verdict, at_deadline=AtDeadline.FAIL)
        return verdict

    @property
    def _is_last(self) -> bool:
        number, _ = self.request.link
        return number == 1


class TrainingGate(CustomResource):
    """``Custom::RecommenderTraining``: waits for a training, and changes nothing."""

    def look(self, personalize: Personalize) -> tuple[Verdict, Observed | None]:
        """Return whether the recommender is ready."""
        if self.request.type is RequestType.DELETE:
            return _NOTHING_TO_DO, None
        observed = None
        verdict: Verdict
        try:
            observed = personalize.describe(self.request.get(v.RECOMMENDER_ARN))
        except TransientError as error:
            verdict = Wait(str(error))
        except PermanentError as error:
            verdict = Fail(str(error))
        else:
            verdict = readiness(
                self.request.config,
                observed,
                running=self.request.get(v.RUNNING, True),
                updated_after=self.request.get(v.UPDATED_AFTER, math.inf),
            )
        if isinstance(verdict, Wait) and not self._is_last:
            verdict = Wait(verdict.reason, AtDeadline.HAND_OVER, grace=verdict.grace)
        hidden = not_shown(observed.config) if observed else []
        if isinstance(verdict, Done) and self._is_last and hidden:
            LOG.warning(
                "Not shown by DescribeRecommender, so not checked", extra={"members": hidden}
            )
        return verdict, observed

    def attributes(self, verdict: Verdict, observed: Observed | None) -> dict[str, str]:
        """Return the ARN and the model metrics, as they are now."""
        del verdict
        if self.request.type is RequestType.DELETE:
            return {}
        metrics: Mapping[str, float] = observed.metrics if observed else {}
        reported = {name: metrics.get(key) for name, key in v.METRICS.items()}
        whole = dict(sorted(metrics.items()))
        while len(json.dumps(whole)) > MAX_METRICS_BYTES:
            whole.popitem()
        return {
            v.RECOMMENDER_ARN_ATTRIBUTE: self.request.get(v.RECOMMENDER_ARN),
            **{
                name: v.NOT_REPORTED if value is None else str(value)
                for name, value in reported.items()
            },
            v.MODEL_METRICS_ATTRIBUTE: json.dumps(whole),
        }

    def out_of_time(self, waited: str, reason: str, operation: Operation | None) -> str:
        """Return why the last one has failed."""
        del waited, operation
        return (
            f"The recommender was not ready when the last training gate closed: {reason}. "
            "Raise max_training_hours, then deploy again."
        )

    @property
    def _is_last(self) -> bool:
        number, of = self.request.link
        return number == of


class Stop(CustomResource):
    """``Custom::RecommenderStop``: stops a recommender that is kept stopped, once it is trained."""

    changes = frozenset({RequestType.CREATE, RequestType.UPDATE})

    def step(self, reconciler: Reconciler, situation: Situation) -> Verdict:
        """Take a step towards an INACTIVE recommender."""
        return reconciler.advance(
            self.request.get(v.RECOMMENDER_ARN),
            partial(plan_stop, self.request.owner),
            proven=situation.looked_before,
        )


def resource_of(request: Request) -> CustomResource:
    """Return the resource that a request is to.

    Raises:
        BadRequestError: the request is not as it must be.
    """
    return _OF_TYPE.get(request.resource_type, CustomResource)(request)


class _Type(Protocol):
    def __call__(self, request: Request) -> CustomResource: ...


_OF_TYPE: Final[Mapping[str, _Type]] = {
    v.RECOMMENDER_TYPE: Recommender,
    v.SWEEP_TYPE: Sweep,
    v.TRAINING_GATE_TYPE: TrainingGate,
    v.STOP_TYPE: Stop,
}


def _sweep(
    reconciler: Reconciler,
    keep: set[str | None] | None = None,
    left: dict[str, Ownership | None] | None = None,
) -> Verdict:
    """Take all else that is owned, under any name the stack can use, a step towards being gone.

    Args:
        reconciler: takes the steps.
        keep: ARNs that stay.
        left: gets whose each recommender is, by ARN, or None if its tags cannot be read.
    """
    request = reconciler.request
    whose: dict[str, Ownership | None] = {} if left is None else left

    def planned(arn: str, observed: Observed | None) -> Step:
        if observed:
            tags = observed.tags
            whose[arn] = None if tags is None else request.owner.of(tags)
        return plan_deletion(request.owner, observed)

    try:
        names = [name for name in reconciler.personalize.names() if name in request.names]
    except TransientError as error:
        return Wait(str(error), unseen=True)
    targets = {request.recommender_arn(name) for name in names} - (keep or set())
    return first_unfinished(
        [reconciler.advance(arn, partial(planned, arn)) for arn in sorted(targets)]
    )


def _patiently(verdict: Wait | Fail) -> Verdict:
    """Return how a Delete waits: a refusal does not end it, and the sweeps wait on."""
    if isinstance(verdict, Fail):
        return verdict
    return replace(verdict, at_deadline=AtDeadline.HAND_OVER, grace=False)


def _not_deleted(
    request: Request,
    waited: str,
    reason: str,
    whose: Mapping[str, Ownership | None],
    operation: Operation | None,
) -> str:
    """Return the last word of a deletion: what is left, and the way out.

    After it, CloudFormation deletes the functions, roles and policies that the failed resource
    depends on (reported: cloudformation-coverage-roadmap issues 851, 852, 1508), so that another
    ``cdk destroy`` has nobody who could do it.
    """
    what = f"Not deleted within {waited}: {reason}."
    if operation and not operation.removes_the_stack:
        return f"{what} It is still the stack's: the next change of the recommender removes it."
    stack, region = request.stack_id.split("/")[1], request.stack_id.split(":")[3]
    left = {arn: one for arn, one in whose.items() if one is not Ownership.FOREIGN}
    deletes = "delete-recommender --recommender-arn"
    releases = f"untag-resource --tag-keys {' '.join(v.RESERVED_TAGS)} --resource-arn"
    commands = [
        f"aws personalize {releases if one is Ownership.ADOPTED else deletes} {arn} "
        f"--region {region}"
        for arn, one in left.items()
    ]
    unread = ", if its tags say that it is this stack's" if None in left.values() else ""
    return (
        f"{what} Left: {', '.join(left) or 'unknown, see aws personalize list-recommenders'}"
        f"{unread}. "
        "Another cdk destroy does not change that, for its functions are gone by then. "
        "When the cause is gone: "
        f"{'; '.join(commands)}{'; then' if commands else ''} cdk destroy; and if that fails: "
        f"aws cloudformation delete-stack --stack-name {stack} --region {region} "
        "--deletion-mode FORCE_DELETE_STACK"
    )
