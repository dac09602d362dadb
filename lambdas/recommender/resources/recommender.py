"""Create, change or replace the recommender of a template."""

import logging
from functools import partial

from .. import vocabulary as v
from ..aws.errors import PermanentError
from ..decision.provision import after_accept, plan
from ..decision.verdict import Done, Fail, Verdict, Wait
from ..model.operation import RequestType
from ..model.request import Request
from ..reconcile.reconciler import Reconciler
from .base import CustomResource
from .deletion import sweep

LOG = logging.getLogger(__name__)


class Recommender(CustomResource):
    """A Create or Update of ``Custom::TopPicksRecommender``; answers once it is accepted.

    Attributes:
        updated_after: if an update is under way, it is newer than this (epoch seconds).
    """

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.desired = request.desired
        self.updated_after: float | None = None

    def attempt(self, reconciler: Reconciler) -> Verdict:
        """Take a step towards the desired recommender, then towards no other one."""
        verdict = self._provision(reconciler)
        if isinstance(verdict, Done) and verdict.serves:
            verdict = self._without_leftovers(reconciler, verdict)
        if isinstance(verdict, Done | Wait):
            self.updated_after = verdict.updated_after
        return verdict

    def _provision(self, reconciler: Reconciler) -> Verdict:
        situation = reconciler.situation
        desired = self.desired.at(situation.now)
        in_place = desired.arn == self.request.physical_id

        return reconciler.advance(
            desired.arn,
            partial(
                plan,
                desired,
                situation=situation,
                before=self.request.old_config if in_place else None,
                retired_tags=self.request.retired_tags,
            ),
            after_accept=partial(after_accept, desired, situation),
        )

    def _without_leftovers(self, reconciler: Reconciler, verdict: Done) -> Verdict:
        """Remove the leftovers of earlier changes, once this recommender serves."""
        if self.request.type is RequestType.CREATE:
            return verdict
        try:
            leftovers = sweep(reconciler, {self.desired.arn, self.request.physical_id})
        except PermanentError as error:
            if not reconciler.situation.operation.undoes_an_update:
                raise
            LOG.warning(f"A leftover remains, and fails no rollback: {error}")
            return verdict
        if isinstance(leftovers, Done):
            return verdict
        if isinstance(leftovers, Fail):
            return leftovers
        reason = f"a leftover of an earlier change remains: {leftovers.reason}"
        return Wait(reason, hands_over=True, updated_after=verdict.updated_after)

    @property
    def policy_is_new(self) -> bool:
        """Whether the policy, or the one for a new name, may be new."""
        return super().policy_is_new or self.desired.arn != self.request.physical_id

    @property
    def physical_id(self) -> str:
        """The ARN, known before the recommender exists."""
        return self.desired.arn

    @property
    def attributes(self) -> dict[str, str]:
        """The values that the training gates and the outputs read."""
        updated_after = self.updated_after
        return {
            v.ARN_ATTRIBUTE: self.desired.arn,
            v.NAME_ATTRIBUTE: self.desired.name,
            v.REVISION_ATTRIBUTE: self.request.request_id,
            v.UPDATED_AFTER_ATTRIBUTE: v.NO_UPDATE if updated_after is None else str(updated_after),
        }
