"""The recommender as it is asked for: created, changed in place or replaced, started or stopped."""

from functools import partial

from .. import vocabulary as v
from ..decision.plan import Situation, after_accept, finish_rollback, plan, plan_state
from ..decision.verdict import AtDeadline, Change, Done, Fail, Verdict, Wait
from ..model.observed import Observed
from ..model.operation import RequestType
from ..model.request import Desired, Request
from ..reconcile.reconciler import Reconciler
from .base import CustomResource
from .deletion import sweep


class Recommender(CustomResource):
    """A Create or Update of ``Custom::TopPicksRecommender``: answers when it is accepted."""

    changes = frozenset({RequestType.CREATE, RequestType.UPDATE})

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.desired = request.desired

    def step(self, reconciler: Reconciler, situation: Situation) -> Verdict:
        """Take a step towards the recommender that is desired."""
        desired = self.desired.at(situation.now)
        in_place = self.desired.arn == self.request.physical_id
        before = self.request.old_config if in_place else None
        verdict = reconciler.advance(
            self.desired.arn,
            partial(
                plan,
                desired,
                situation=situation,
                before=before,
                retired_tags=self.request.retired_tags,
            ),
            accepted=partial(_accepted, desired, situation),
        )
        replaces = self.request.type is not RequestType.CREATE
        if not isinstance(verdict, Done) or not verdict.serves or not replaces:
            return verdict
        keep = {self.desired.arn, self.request.physical_id}
        leftovers = sweep(reconciler, keep)
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
        return super().policy_is_new or self.desired.arn != self.request.physical_id

    def physical_id(self, verdict: Verdict) -> str:
        """Return the ARN, known before there is a recommender; a failed Update keeps the old id."""
        failed = isinstance(verdict, Fail) and self.request.type is RequestType.UPDATE
        return super().physical_id(verdict) if failed else self.desired.arn

    def attributes(self, verdict: Verdict, observed: Observed | None) -> dict[str, str]:
        """Return what the training gates and the outputs read."""
        del observed
        updated = None if isinstance(verdict, Fail) else verdict.previous_update
        return {
            v.ARN_ATTRIBUTE: self.desired.arn,
            v.NAME_ATTRIBUTE: self.desired.name,
            v.REVISION_ATTRIBUTE: self.request.request_id,
            v.UPDATED_AFTER_ATTRIBUTE: v.NO_UPDATE if updated is None else str(updated),
        }


def _accepted(desired: Desired, situation: Situation, arn: str, change: Change) -> Verdict:
    verdict = after_accept(desired, arn, change)
    return finish_rollback(verdict, situation) if isinstance(verdict, Done) else verdict


class Stop(CustomResource):
    """``Custom::RecommenderStop``: stops a recommender that is kept stopped, once it is trained."""

    changes = frozenset({RequestType.CREATE, RequestType.UPDATE})

    def step(self, reconciler: Reconciler, situation: Situation) -> Verdict:
        """Take a step towards the state that is desired."""
        return reconciler.advance(
            self.request.get(v.RECOMMENDER_ARN),
            partial(plan_state, self.request.owner, running=self.runs_at(situation.now)),
        )

    def runs_at(self, now: float) -> bool:
        """Return whether it is to run (``now`` in epoch seconds)."""
        del now
        return False


class Hours(Stop):
    """``Custom::RecommenderHours``: leaves a recommender in the state that its hour wants."""

    def runs_at(self, now: float) -> bool:
        """Return whether it is to run (``now`` in epoch seconds)."""
        return bool(self.request.get(v.ACTIVE_HOURS).run_at(now))
