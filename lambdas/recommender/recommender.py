"""The recommender as it is asked for: created, changed in place or replaced, started or stopped."""

from functools import partial

from . import vocabulary as v
from .deletion import sweep
from .observed import Observed
from .operation import RequestType
from .plan import Situation, accepted, plan, plan_stop, settle
from .reconcile import Reconciler
from .request import Request
from .resource import CustomResource
from .steps import AtDeadline, Change, Done, Fail, Verdict, Wait


class Recommender(CustomResource):
    """A Create or Update of ``Custom::TopPicksRecommender``: answers when it is accepted."""

    changes = frozenset({RequestType.CREATE, RequestType.UPDATE})

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.desired = request.desired

    def step(self, reconciler: Reconciler, situation: Situation) -> Verdict:
        """Take a step towards the recommender that is desired."""
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

    def _accepted(self, situation: Situation, arn: str, change: Change) -> Verdict:
        verdict = accepted(self.desired, arn, change)
        return settle(verdict, situation) if isinstance(verdict, Done) else verdict


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
