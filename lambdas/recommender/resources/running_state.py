"""Set the recommender's running state: stopped for good, or by the hour."""

from functools import partial

from .. import vocabulary as v
from ..decision.running_state import plan_running_state
from ..decision.verdict import Verdict
from ..model.request import Request
from ..reconcile.reconciler import Reconciler
from .base import CustomResource


class Stop(CustomResource):
    """``Custom::RecommenderStop``: stops a trained recommender that is kept stopped."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.arn = request.get(v.RECOMMENDER_ARN)

    def attempt(self, reconciler: Reconciler) -> Verdict:
        """Take a step towards an INACTIVE recommender."""
        return self._advance(reconciler, running=False)

    def _advance(self, reconciler: Reconciler, *, running: bool) -> Verdict:
        return reconciler.advance(
            self.arn, partial(plan_running_state, self.owner, running=running, name=self.arn)
        )


class Hours(Stop):
    """``Custom::RecommenderHours``: leaves a recommender in the state for the hour."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.hours = request.get(v.ACTIVE_HOURS)

    def attempt(self, reconciler: Reconciler) -> Verdict:
        """Take a step towards the state for this hour."""
        return self._advance(reconciler, running=self.hours.run_at(reconciler.situation.now))
