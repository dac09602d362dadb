"""Which step is next towards a recommender's not being there, or not being ours (pure)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from .. import vocabulary as v
from ..model.identity import Owner, Ownership
from ..model.observed import Observed, Phase
from ..model.timing import CONFIRM_SECONDS
from .proof import lacking_proof
from .situation import Ending, Situation, unless_late
from .verdict import (
    DeleteRecommender,
    Done,
    Fail,
    Progress,
    Step,
    UntagResource,
    Verdict,
    Wait,
)

GONE: Final = Done("gone", Progress.GONE)


def plan_deletion(
    owner: Owner,
    observed: Observed | None,
    *,
    remedy: str = "",
    retired_tags: frozenset[str] = frozenset(),
) -> Step:
    """Decide the next step towards a recommender's not being there, or not being ours.

    A recommender whose tags do not prove it ours is left alone; an adopted one is released.

    Args:
        owner: the custom resource that wants it gone.
        observed: the recommender, or None.
        remedy: what to do if its tags do not prove it ours though its name is this owner's alone:
            then leaving it alone must not pass for a success.
        retired_tags: keys of the template's tags, which an adopted recommender is rid of too.
    """
    if observed is None:
        return GONE
    ownership = None if observed.tags is None else owner.of(observed.tags)
    if ownership is Ownership.FOREIGN:
        if remedy:
            unproven = lacking_proof(owner, observed.arn, observed.tags or {})
            return Fail(f"Not deleted: {unproven} If it is this stack's, {remedy}")
        return Done(f"the tags of {observed.arn} name another owner or none, so it is left alone")
    if ownership is Ownership.ADOPTED:
        ours = retired_tags | set(v.RESERVED_TAGS)
        return UntagResource.of(ours & set(observed.tags or {}))
    if observed.phase in (Phase.ACTIVE, Phase.INACTIVE) or observed.phase.has_failed:
        return DeleteRecommender()
    return Wait(f"{observed.arn} is {observed.description}, which must end first")


def after_delete(verdict: Verdict, situation: Situation) -> Verdict:
    """Decide what the deletion of a recommender's own resource has come to.

    A recommender that was there and is gone may be a stale read.
    """
    if verdict != GONE:
        return verdict
    confirm = CONFIRM_SECONDS if situation.attempted_before else 0.0
    return unless_late(replace(GONE, confirm=confirm), Ending.DELETION, situation)


def after_sweep(verdict: Verdict, situation: Situation, *, last: bool) -> Verdict:
    """Decide what a sweep has come to; the ``last`` one waits for what shows late."""
    if isinstance(verdict, Wait) or not last:
        return verdict
    return unless_late(verdict, Ending.LAST_SWEEP, situation)


def first_unfinished(verdicts: Iterable[Verdict]) -> Verdict:
    """Decide what sweeping several recommenders has come to."""
    unfinished = (verdict for verdict in verdicts if not isinstance(verdict, Done))
    return next(unfinished, Done("the stack owns no other recommender"))
