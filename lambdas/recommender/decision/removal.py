"""Decide the next step towards the deletion or the release of a recommender (pure)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from .. import vocabulary as v
from ..model.identity import Owner, Ownership
from ..model.observed import Observed, Phase
from ..model.timing import CONFIRM_SECONDS
from .proof import lacking_proof
from .situation import Situation, unless_late
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
    """Decide the next step towards the deletion or the release of a recommender.

    If the tags do not prove the owner, the recommender stays. An adopted one is released.

    Args:
        owner: the custom resource that deletes it.
        observed: the recommender, or None.
        remedy: the advice if its tags do not prove the owner, but its name can only be this
            owner's. With it, such a deletion fails; without it, it succeeds, and the recommender is
            left.
        retired_tags: keys of the template's tags, which an adopted recommender loses too.
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
        return UntagResource(ours & set(observed.tags or {}))
    if observed.phase in (Phase.ACTIVE, Phase.INACTIVE) or observed.phase.has_failed:
        return DeleteRecommender()
    return Wait(f"{observed.arn} is {observed.description}, which must end first")


def after_delete(verdict: Verdict, situation: Situation) -> Verdict:
    """Return the verdict after a step of the recommender's own Delete.

    If a recommender showed before and does not now, that may be a stale read.
    """
    if verdict != GONE:
        return verdict
    confirm = CONFIRM_SECONDS if situation.attempted_before else 0.0
    gone = replace(GONE, confirm=confirm)
    return gone if situation.operation.undoes_the_creation else unless_late(gone, situation)


def after_sweep(verdict: Verdict, situation: Situation, *, last: bool) -> Verdict:
    """Return the verdict after a step of a sweep; the ``last`` one waits for late recommenders."""
    if isinstance(verdict, Wait) or not last or not situation.operation.undoes_the_creation:
        return verdict
    return unless_late(verdict, situation)


def first_unfinished(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the first verdict that is not ``Done``, else a ``Done``."""
    unfinished = (verdict for verdict in verdicts if not isinstance(verdict, Done))
    return next(unfinished, Done("the stack owns no other recommender"))
