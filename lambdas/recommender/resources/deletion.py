"""Deletions: of the recommender by its own Delete, and of whatever is left by the sweeps."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from .. import vocabulary as v
from ..aws.errors import NoServiceError, PermanentError, TransientError
from ..decision.plan import (
    Situation,
    after_delete,
    after_sweep,
    first_unfinished,
    plan_deletion,
    put_back,
)
from ..decision.verdict import AtDeadline, Done, Fail, Step, Verdict, Wait
from ..model.identity import Ownership
from ..model.observed import Observed
from ..model.operation import Operation, RequestType
from ..model.request import Request
from ..reconcile.reconciler import Reconciler
from ..text import sentence
from .base import CustomResource


class _Deletion(CustomResource):
    """A Delete, which is patient.

    Of a stack that is being removed, a Delete that fails is final: CloudFormation goes on and
    deletes the functions (reported: cloudformation-coverage-roadmap issues 851, 852, 1508). So what
    refuses it is waited for, by the sweeps after it too, for somebody to put it right (ADR 11).

    Attributes:
        left: whose each recommender is that is still there, by ARN, or None if its tags cannot be
            read.
    """

    changes = frozenset({RequestType.DELETE})

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.left: dict[str, Ownership | None] = {}

    @property
    def hands_over(self) -> bool:
        """Whether another link of the chain waits on when its time is up."""
        return True

    def not_admitted(self, verdict: Wait | Fail) -> Verdict:
        """Return how it waits while it is not known which operation sent it."""
        return verdict if isinstance(verdict, Fail) else self._wait(verdict)

    def refused(self, error: PermanentError, operation: Operation) -> Verdict:
        """Return how it waits when a call was refused for good."""
        if isinstance(error, NoServiceError):
            return Done(str(error), certain=False)
        if operation.removes_the_stack:
            return self._wait(Wait(str(error)))
        return super().refused(error, operation)

    def out_of_time(self, waited: str, reason: str, operation: Operation | None) -> str:
        """Return its last word."""
        return _not_deleted(self.request, waited, reason, self.left, operation)

    def not_waited_for(self, waited: str, refusal: str, operation: Operation | None) -> str:
        """Return its last word, too."""
        return self.out_of_time(waited, refusal, operation)

    def _wait(self, wait: Wait) -> Wait:
        at_deadline = AtDeadline.HAND_OVER if self.hands_over else AtDeadline.FAIL
        return replace(wait, at_deadline=at_deadline, grace=False)


class RecommenderDeletion(_Deletion):
    """A Delete of ``Custom::TopPicksRecommender``."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.left = {request.deletion_target: None}

    def step(self, reconciler: Reconciler, situation: Situation) -> Verdict:
        """Take a step towards its not being there."""
        arn = self.request.deletion_target
        verdict = reconciler.advance(
            arn,
            partial(
                plan_deletion,
                self.request.owner,
                remedy=self._remedy(situation.operation) if self.request.derives(arn) else "",
                retired_tags=frozenset(self.request.tags),
            ),
        )
        return after_delete(verdict, situation)

    def _remedy(self, operation: Operation) -> str:
        arn = self.request.deletion_target
        if operation.removes_the_stack:
            way_out = _way_out(self.request, {arn: None})
            return f"delete it yourself, for its functions are gone by now: {way_out}"
        return (
            f"put them back: {put_back(self.request.owner, arn)} Then the next change of the "
            "recommender removes it."
        )


class Sweep(_Deletion):
    """``Custom::RecommenderSweep``: waits for a deletion, and removes whatever is left.

    CloudFormation also deletes sweeps while the stack lives; then they change nothing.
    """

    @property
    def hands_over(self) -> bool:
        """Whether another sweep waits on; they are deleted from the last one to the first."""
        number, _ = self.request.link
        return number > 1

    def step(self, reconciler: Reconciler, situation: Situation) -> Verdict:
        """Take all that the stack owns a step towards being gone, if the stack is being removed."""
        operation = situation.operation
        if not operation.removes_the_stack:
            return Done(f"the stack lives ({operation.status}): nothing is swept")
        verdict = sweep(reconciler, left=self.left)
        return after_sweep(verdict, situation, last=not self.hands_over)


def sweep(
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
        targets = request.arns_among(reconciler.personalize.names()) - (keep or set())
    except TransientError as error:
        return Wait(str(error), unseen=True)
    return first_unfinished(
        [
            reconciler.advance(arn, partial(planned, arn), always_reads_tags=True)
            for arn in sorted(targets)
        ]
    )


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
    what = f"Not deleted within {waited}: {sentence(reason)}"
    if operation and not operation.removes_the_stack:
        return f"{what} It is still the stack's: the next change of the recommender removes it."
    left = {arn: one for arn, one in whose.items() if one is not Ownership.FOREIGN}
    unread = ", if its tags say that it is this stack's" if None in left.values() else ""
    return (
        f"{what} Left: {', '.join(left) or 'unknown, see aws personalize list-recommenders'}"
        f"{unread}. "
        "Another cdk destroy does not change that, for its functions are gone by then. "
        f"When the cause is gone: {_way_out(request, left)}"
    )


def _way_out(request: Request, left: Mapping[str, Ownership | None]) -> str:
    """Return the commands that remove what is left, then the stack."""
    stack, region = request.stack_id.split("/")[1], request.stack_id.split(":")[3]
    deletes = "delete-recommender --recommender-arn"
    releases = f"untag-resource --tag-keys {' '.join(v.RESERVED_TAGS)} --resource-arn"
    commands = [
        f"aws personalize {releases if one is Ownership.ADOPTED else deletes} {arn} "
        f"--region {region}"
        for arn, one in left.items()
    ]
    return (
        f"{'; '.join(commands)}{'; then ' if commands else ''}cdk destroy; and if that fails: "
        f"aws cloudformation delete-stack --stack-name {stack} --region {region} "
        "--deletion-mode FORCE_DELETE_STACK"
    )
