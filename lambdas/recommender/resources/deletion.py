"""Delete the recommender by its own Delete, and all remaining ones by the sweeps.

A deletion waits for one of these causes, for as long as ``Request.wait_seconds`` in each request:

- the recommender trains, stops, starts, is being deleted, or has a status that is not known:
  ``decision/removal.py``;
- Personalize has accepted the deletion, and it has not ended: ``decision/provision.py``,
  ``wait_for``;
- a call fails for now, also with ResourceInUseException, such as in an update:
  ``Reconciler.advance``; also if the stack cannot be read: ``reconcile/fence.py``;
- a call is refused, until a person removes the cause (ADR 11): ``_Deletion.attempt``;
- an unexpected error, as if it could pass: ``Request.grace``;
- the tags of the recommender do not show yet: ``Reconciler.advance``;
- an earlier change may show late: ``decision/situation.py``, ``unless_late``;
- a stale read may say that the recommender is gone: ``decision/removal.py``, ``after_delete``.
"""

from collections.abc import Collection, Mapping
from functools import partial

from .. import vocabulary as v
from ..aws.errors import NoServiceError, PermanentError, TransientError
from ..decision.proof import command_to_put_back
from ..decision.removal import after_delete, after_sweep, first_unfinished, plan_deletion
from ..decision.verdict import Done, Step, Verdict, Wait
from ..model.identity import Ownership
from ..model.observed import Observed
from ..model.operation import Operation
from ..model.request import Request
from ..model.timing import CONFIRM_SECONDS
from ..reconcile.reconciler import Plan, Reconciler
from ..text import duration, sentence
from .base import CustomResource

Remaining = dict[str, Ownership | None]
"""By ARN: the ownership of each remaining recommender, or None if its tags cannot be read."""


class _Deletion(CustomResource):
    """A Delete, which is patient.

    If a Delete fails while CloudFormation removes its stack, that is final (``out_of_time``). So a
    Delete, and the sweeps after it, wait until you have removed the cause of a refusal (ADR 11).

    Attributes:
        remaining: the recommenders that still exist.
        operation: the stack's, or None as long as it is unknown.
    """

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.remaining: Remaining = {}
        self.operation: Operation | None = None

    def attempt(self, reconciler: Reconciler) -> Verdict:
        """Take a step towards the deletion of the recommender."""
        self.operation = reconciler.situation.operation
        try:
            return self._remove(reconciler)
        except NoServiceError as error:
            return Done(str(error), confirm=CONFIRM_SECONDS)
        except PermanentError as error:
            if not self.operation.removes_the_stack:
                raise
            return Wait(str(error))

    def _remove(self, reconciler: Reconciler) -> Verdict:
        raise NotImplementedError

    def out_of_time(self, reason: str, waited: float) -> str:
        """Name the remaining recommenders, and the way out.

        A failed Delete is final. CloudFormation then deletes the functions, roles and policies that
        the resource depends on (reported: cloudformation-coverage-roadmap issues 851, 852, 1508).
        So another ``cdk destroy`` has no function that could delete a recommender.
        """
        cause = f"Not deleted within {duration(waited)}: {sentence(reason)}"
        left = {arn: one for arn, one in self.remaining.items() if one is not Ownership.FOREIGN}
        names = ", ".join(left) or "unknown, see aws personalize list-recommenders"
        unread = " (if its tags name this stack)" if None in left.values() else ""
        if self.operation and not self.operation.removes_the_stack:
            return (
                f"{cause} Left, may be billed: {names}. The next change of the recommender "
                "removes it: remove the cause, then deploy with another force_update."
            )
        return (
            f"{cause} Left, may be billed: {names}{unread}. cdk destroy alone does not delete it. "
            f"Remove the cause, then: {_way_out(self.request, left)}"
        )


class RecommenderDeletion(_Deletion):
    """A Delete of ``Custom::TopPicksRecommender``."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.remaining = {request.deletion_target: None}

    @property
    def hands_over(self) -> bool:
        """Whether the sweeps wait on: they do unless the stack stays."""
        return self.operation is None or self.operation.removes_the_stack

    def _remove(self, reconciler: Reconciler) -> Verdict:
        arn, situation = self.request.deletion_target, reconciler.situation
        verdict = reconciler.advance(
            arn,
            partial(
                plan_deletion,
                self.owner,
                remedy=self._remedy(situation.operation) if self.request.derives(arn) else "",
                retired_tags=frozenset(self.request.tags),
            ),
        )
        return after_delete(verdict, situation)

    def _remedy(self, operation: Operation) -> str:
        arn = self.request.deletion_target
        if operation.removes_the_stack:
            return f"it may be billed, so delete it: {_way_out(self.request, {arn: None})}"
        return (
            "put its tags back (the next change of the recommender then removes it): "
            f"{command_to_put_back(self.owner, arn)}"
        )


class Sweep(_Deletion):
    """``Custom::RecommenderSweep``: waits for a deletion, and deletes all remaining recommenders.

    If CloudFormation deletes a sweep but not its stack, the sweep changes nothing.
    """

    @property
    def hands_over(self) -> bool:
        """Whether another sweep waits on; the first one is deleted last."""
        number, _ = self.request.link
        return number > 1

    def _remove(self, reconciler: Reconciler) -> Verdict:
        situation = reconciler.situation
        if not situation.operation.removes_the_stack:
            return Done(f"the stack is {situation.operation.status}, so a sweep deletes nothing")
        verdict = sweep(reconciler, remaining=self.remaining)
        return after_sweep(verdict, situation, last=not self.hands_over)


def sweep(
    reconciler: Reconciler,
    keep: Collection[str | None] = (),
    remaining: Remaining | None = None,
) -> Verdict:
    """Take a step towards the deletion of all owned recommenders, by all names of the stack.

    Args:
        reconciler: takes the steps.
        keep: ARNs that stay.
        remaining: gets the recommenders that exist.
    """
    request = reconciler.request
    remaining = {} if remaining is None else remaining

    def planned(arn: str, observed: Observed | None) -> Step:
        if observed is None:
            remaining.pop(arn, None)
        elif observed.tags is not None:
            remaining[arn] = request.owner.of(observed.tags)
        return plan_deletion(request.owner, observed)

    try:
        listed = request.arns_among(reconciler.personalize.names())
    except TransientError as error:
        return Wait(str(error), unseen=True)
    targets = sorted(listed.difference(keep))
    remaining |= dict.fromkeys(targets)
    return first_unfinished([_advance(reconciler, arn, partial(planned, arn)) for arn in targets])


def _advance(reconciler: Reconciler, arn: str, plan: Plan) -> Verdict:
    """Take a step; a refusal holds up no other recommender if the stack is being removed."""
    try:
        return reconciler.advance(arn, plan, always_reads_tags=True)
    except PermanentError as error:
        stays = not reconciler.situation.operation.removes_the_stack
        if stays or isinstance(error, NoServiceError):
            raise
        return Wait(str(error))


def _way_out(request: Request, left: Mapping[str, Ownership | None]) -> str:
    """Return the steps that remove the remaining recommenders, then the stack."""
    stack, region = request.stack_id.split("/")[1], request.stack_id.split(":")[3]
    deletes = "delete-recommender --recommender-arn"
    releases = f"untag-resource --tag-keys {' '.join(v.RESERVED_TAGS)} --resource-arn"
    commands = [
        f"aws personalize {releases if one is Ownership.ADOPTED else deletes} {arn} "
        f"--region {region}"
        for arn, one in left.items()
    ]
    destroy = len(commands) + 1
    steps = [*commands, "cdk destroy"]
    numbered = " ".join(f"{number}) {step}" for number, step in enumerate(steps, start=1))
    return (
        f"{numbered} {destroy + 1}) if {destroy} fails: "
        f"aws cloudformation delete-stack --stack-name {stack} --region {region} "
        "--deletion-mode FORCE_DELETE_STACK"
    )
