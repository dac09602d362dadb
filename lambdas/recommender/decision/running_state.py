"""Which step is next towards a recommender that runs, or that is stopped (pure)."""

from ..model.identity import Owner, Ownership
from ..model.observed import Observed, Phase
from ..model.timing import GRACE_SECONDS
from .provision import EFFECTIVE
from .verdict import Fail, StartRecommender, Step, StopRecommender, Wait


def plan_running_state(owner: Owner, observed: Observed | None, *, running: bool) -> Step:
    """Decide the next step towards an ACTIVE recommender, or towards an INACTIVE one.

    The training gates have passed by then.
    """
    if observed is None:
        return Fail("the recommender does not exist", confirm=GRACE_SECONDS)
    if observed.tags is not None and owner.of(observed.tags) is Ownership.FOREIGN:
        return Fail(f"{observed.arn} is not ours by its tags; it is neither started nor stopped")
    if observed.phase.has_failed:
        return Fail(f"{observed.arn} is {observed.status}: {observed.reason}")
    if observed.phase is (Phase.ACTIVE if running else Phase.INACTIVE):
        return EFFECTIVE[running]
    if observed.phase is Phase.INACTIVE:
        return StartRecommender()
    if observed.phase is Phase.ACTIVE and not observed.updating:
        return StopRecommender()
    return Wait(f"{observed.arn} is {observed.description}")
