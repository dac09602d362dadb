"""Decide the next step towards a running, or a stopped, recommender (pure)."""

from ..model.identity import Owner, Ownership
from ..model.observed import Observed, Phase
from .proof import command_to_put_back, lacking_proof
from .provision import effective
from .readiness import not_found
from .verdict import Fail, StartRecommender, Step, StopRecommender, Wait


def plan_running_state(
    owner: Owner, observed: Observed | None, *, running: bool, name: str = "the recommender"
) -> Step:
    """Decide the next step towards an ACTIVE recommender, or towards an INACTIVE one.

    The training gates have passed before. ``name`` names the recommender in messages.
    """
    if observed is None:
        return not_found(name)
    if observed.tags is not None and owner.of(observed.tags) is Ownership.FOREIGN:
        return Fail(
            f"{lacking_proof(owner, observed.arn, observed.tags)} This deployment neither starts "
            "nor stops it. If it is this stack's, put its tags back, then deploy again: "
            f"{command_to_put_back(owner, observed.arn)}"
        )
    if observed.phase.has_failed:
        return Fail(
            f"{observed.arn} is {observed.status}: {observed.reason} Remove the cause, then deploy "
            "again."
        )
    if observed.phase is (Phase.ACTIVE if running else Phase.INACTIVE):
        return effective(running=running)
    if observed.phase is Phase.INACTIVE:
        return StartRecommender()
    if observed.phase is Phase.ACTIVE and not observed.updating:
        return StopRecommender()
    return Wait(f"{observed.arn} is {observed.description}")
