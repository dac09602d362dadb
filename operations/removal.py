"""Removing what is left over, as the functions remove what a stack owns.

By the same decision (`plan_deletion`), the same loop (`Reconciler`: look, prove, ask the fence,
change one thing, look again), and the same proof of ownership.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.errors import PermanentError
from lambdas.recommender.decision.removal import plan_deletion
from lambdas.recommender.decision.situation import Situation
from lambdas.recommender.decision.verdict import Done, Fail, Step, Verdict, Wait
from lambdas.recommender.model.observed import Observed
from lambdas.recommender.model.operation import RequestType
from lambdas.recommender.model.request import Request
from lambdas.recommender.reconcile.reconciler import Reconciler
from operations.account import Account, Fence, operation_of
from operations.leftovers import Claim, Judgement, judge


@dataclass(frozen=True)
class Removed:
    """What the removal of one recommender has come to."""

    arn: str
    is_done: bool
    reason: str


def remove(account: Account, leftover: Judgement, wait: Callable[[str], None]) -> Removed:
    """Delete, or release, one recommender that is left over, however long that takes.

    Args:
        account: where it is.
        leftover: what it was judged to be; nothing is changed once its stack is not as it was.
        wait: called with what is waited for; returns when to look again.
    """
    tagged = leftover.of
    reconciler = Reconciler(
        account.personalize,
        Fence(account),
        _request(leftover),
        Situation(operation_of(tagged.stack)),
    )
    verdict: Verdict

    def plan(observed: Observed | None) -> Step:
        if observed and observed.tags is not None:
            now = judge(replace(tagged, tags=observed.tags))
            if now.claim not in (Claim.LEFTOVER, Claim.UNPROVEN):  # which is what it is released to
                return Fail(f"it is {now.claim.value} by now: {now.why}")
        return plan_deletion(tagged.owner, observed, retired_tags=tagged.retired_tags)

    try:
        while isinstance(verdict := reconciler.advance(tagged.arn, plan), Wait):
            wait(verdict.reason)
    except PermanentError as error:
        verdict = Fail(str(error))
    return Removed(tagged.arn, isinstance(verdict, Done), verdict.reason)


def _request(leftover: Judgement) -> Request:
    """Return the Delete that the functions would have been sent."""
    owner = leftover.of.owner
    return Request(
        type=RequestType.DELETE,
        resource_type=v.RECOMMENDER_TYPE,
        request_id="",
        stack_id=owner.stack_id,
        logical_id=owner.logical_id,
        physical_id=leftover.of.arn,
        properties={},
        old_properties={},
    )
