"""The loop around the decision: observe, decide, make the next change.

The first change that needs a wait ends the attempt at a recommender; the state machine makes the
loop. Before a change, the stack must show that the request is still the newest. The tags must prove
the owner, unless the change creates or adopts the recommender.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..aws.cloudformation import Stacks
from ..aws.errors import INVALID_INPUT, NotFoundError, PermanentError, TransientError
from ..aws.personalize import Personalize
from ..decision.provision import wait_for
from ..decision.situation import Situation
from ..decision.verdict import (
    Change,
    Done,
    Fail,
    Step,
    TagResource,
    UntagResource,
    UpdateRecommender,
    Verdict,
    Wait,
)
from ..model.observed import Observed
from ..model.request import Request
from .fence import still_newest

LOG = logging.getLogger(__name__)

Plan = Callable[[Observed | None], Step]
AfterAccept = Callable[[str, Change], Verdict]


@dataclass(frozen=True)
class Known:
    """The knowledge of a request's attempts that the service does not show.

    Attributes:
        effective: by ARN, a ``recommenderConfig`` that does not show; Personalize has refused to
            set it, since it is effective.
        tags_read: the ARNs whose tags have been read.
        updated_after: if an update of this request was accepted, it is newer than this (epoch
            seconds, the service's clock).
    """

    effective: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tags_read: frozenset[str] = frozenset()
    updated_after: float | None = None


@dataclass
class Reconciler:
    """Takes single steps for one attempt at a request.

    Attributes:
        request: the request.
        situation: of the attempt, with the operation of the stack that sent the request.
        known: the knowledge so far.
        observed: the recommender that was observed last, or None if it did not show.
    """

    personalize: Personalize
    stacks: Stacks
    request: Request
    situation: Situation = field(default_factory=Situation)
    known: Known = field(default_factory=Known)
    observed: Observed | None = field(default=None, init=False)

    def advance(
        self,
        arn: str,
        plan: Plan,
        *,
        after_accept: AfterAccept = wait_for,
        always_reads_tags: bool = False,
    ) -> Verdict:
        """Take the next step for one recommender, and return the verdict after it.

        Once its tags have been read, an attempt that finds nothing to do makes one call,
        DescribeRecommender. Before a change, the tags are read again.

        Args:
            arn: the recommender's.
            plan: decides on it.
            after_accept: returns the verdict after an accepted change, except of tags.
            always_reads_tags: whether every attempt reads them.

        Raises:
            PermanentError: Personalize refused a call for good.
        """
        try:
            step = self._decide(
                arn, plan, trusts_tags=arn in self.known.tags_read and not always_reads_tags
            )
            while not isinstance(step, Verdict):
                if not still_newest(self.request, self.stacks, self.situation.operation):
                    return Fail(
                        "A newer operation of the stack has begun, so this one changes nothing "
                        "more. See the newer operation."
                    )
                refusal = self._apply(arn, step)
                if refusal:
                    step = self._after_refusal(arn, plan, step, refusal)
                elif isinstance(step, TagResource | UntagResource):
                    changed, step = step, self._decide(arn, plan)
                    if step == changed:
                        return Wait(f"{type(step).__name__} of {arn} does not show yet")
                else:
                    if isinstance(step, UpdateRecommender):
                        self.known = replace(self.known, updated_after=step.updated_after)
                    return after_accept(arn, step)
        except (TransientError, NotFoundError) as error:
            return Wait(str(error), unseen=self.observed is None)
        return step

    def observe(self, arn: str) -> Observed | None:
        """Return the recommender without its tags, or None if the service shows none."""
        observed = self.personalize.describe(arn)
        if observed:
            effective = self.known.effective.get(arn, observed.config)
            observed = replace(observed, config=effective)
        self.observed = observed
        return observed

    def _decide(self, arn: str, plan: Plan, *, trusts_tags: bool = False) -> Step:
        """Observe and decide; also read the tags if the step depends on them."""
        observed = self.observe(arn)
        step = plan(observed)
        if observed is None or (trusts_tags and _only_waits(step)):
            return step
        try:
            tags = self.personalize.tags(arn)
        except NotFoundError:
            return Wait(f"the tags of {arn} do not show yet")
        except TransientError:
            # A retraining blocks the tags for hours: no rollback fails for that.
            awaited = step.awaited() if isinstance(step, Done) else step
            if self.situation.operation.undoes_an_update and isinstance(awaited, Wait):
                return awaited
            raise
        self.known = replace(self.known, tags_read=self.known.tags_read | {arn})
        return plan(replace(observed, tags=tags))

    def _apply(self, arn: str, change: Change) -> PermanentError | None:
        """Make a change; if the service calls it invalid, return the refusal."""
        operation = type(change).__name__
        LOG.info(
            f"{operation} of {arn} is called", extra={"recommender": arn, "operation": operation}
        )
        try:
            self.personalize.change(arn, change)
        except PermanentError as error:
            if error.code != INVALID_INPUT:
                raise
            return error
        return None

    def _after_refusal(self, arn: str, plan: Plan, change: Change, refusal: PermanentError) -> Step:
        """Decide once more after a change that the service calls invalid.

        The service gives this answer also if a change is effective, or under way.

        Raises:
            TransientError: the change is no longer the next step.
            PermanentError: it is, so the refusal is right.
        """
        if self._decide(arn, plan) != change:
            raise TransientError(str(refusal)) from refusal
        if not isinstance(change, UpdateRecommender) or not self._may_be_effective(change):
            raise refusal
        effective = {**self.known.effective, arn: change.config}
        self.known = replace(self.known, effective=effective)
        if (step := self._decide(arn, plan)) == change:
            raise refusal
        return step

    def _may_be_effective(self, refused: UpdateRecommender) -> bool:
        """Return whether a refused configuration may be effective, although it does not show.

        That is any configuration in a rollback, that of an adopted recommender, and one that cannot
        be invalid. The answer to an update since the operation began may also be lost.

        Raises:
            PermanentError: an adopted recommender cannot have it.
        """
        request, situation, observed = self.request, self.situation, self.observed
        if not refused.hidden or observed is None:
            return False
        if situation.operation.undoes_an_update:
            return True
        if request.desired.arn != request.physical_id:
            self.personalize.check(request.desired)
            return True
        update = observed.latest_update
        return request.config.is_surely_valid(observed.config, request.old_config) or (
            update is not None and update.created >= situation.began
        )


def _only_waits(step: Step) -> bool:
    """Return whether a step neither changes nor ends anything; a handover is an end."""
    return isinstance(step, Wait) and not step.hands_over
