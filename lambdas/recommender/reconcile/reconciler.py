"""The loop around the plan: observe, plan, do one thing.

Each look takes what is there at most one step closer to what is desired; the state machine makes
the loop. Nothing is changed before the recommender's tags prove whose it is, and before the stack
shows that the request is still the newest.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from ..aws.cloudformation import Stacks
from ..aws.errors import INVALID_INPUT, NotFoundError, PermanentError, TransientError
from ..aws.personalize import Personalize
from ..decision.verdict import (
    AtDeadline,
    Change,
    Fail,
    Step,
    TagResource,
    UntagResource,
    UpdateRecommender,
    Verdict,
    Wait,
)
from ..model.observed import Observed
from ..model.operation import Operation, RequestType
from ..model.request import Request
from .fence import still_newest

LOG = logging.getLogger(__name__)

Plan = Callable[[Observed | None], Step]
Accepted = Callable[[str, Change], Verdict]


def wait_for(arn: str, change: Change) -> Verdict:
    """Return how things stand when a change is accepted that has to be waited for."""
    return Wait(f"{type(change).__name__} of {arn} is accepted")


@dataclass
class Reconciler:
    """Takes single steps for one request, sent in one operation of the stack.

    Attributes:
        acts: whether it may change something; else it stops before the first change.
        in_force: by ARN, a configuration that does not show, but that Personalize has refused to
            set since it is in force.
        tags_read: the ARNs whose tags this request has read, now or at an earlier look.
        updated_after: if this request has had an update accepted, now or at an earlier look, it is
            newer than this (epoch seconds, the service's clock).
        observed: the recommender that was looked at last, or None if it did not show.
    """

    personalize: Personalize
    stacks: Stacks
    request: Request
    operation: Operation
    acts: bool
    in_force: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    tags_read: set[str] = field(default_factory=set)
    updated_after: float | None = None
    observed: Observed | None = field(default=None, init=False)

    def advance(
        self,
        arn: str,
        plan: Plan,
        *,
        accepted: Accepted = wait_for,
        always_reads_tags: bool = False,
    ) -> Verdict:
        """Take the next step for one recommender, and return how things stand after it.

        Once its tags have been read, a look that finds nothing to do is one DescribeRecommender;
        they are read again before anything is changed.

        Args:
            arn: the recommender's.
            plan: the plan for it.
            accepted: how things stand when a change other than of tags is accepted.
            always_reads_tags: whether they are read at every look.

        Raises:
            PermanentError: a call was refused for good.
        """
        try:
            proven = arn in self.tags_read and not always_reads_tags
            step = self._planned(arn, plan, proven=proven)
            while not isinstance(step, Verdict):
                operation = type(step).__name__
                if not self.acts:
                    return Wait(f"{operation} of {arn} comes next", to_change=True)
                if not still_newest(self.request, self.stacks, self.operation):
                    return Fail("A newer operation of the stack has begun: nothing is changed.")
                about = {"recommender": arn, "operation": operation}
                LOG.info(f"{operation} of {arn} is called", extra=about)
                if self._changed_nothing(step, arn, plan):
                    self.in_force[arn] = step.config
                    step = self._planned(arn, plan)
                elif isinstance(step, TagResource | UntagResource):
                    step = self._planned(arn, plan)
                else:
                    if isinstance(step, UpdateRecommender):
                        self.updated_after = step.previous_update
                    return accepted(arn, step)
        except (TransientError, NotFoundError) as error:
            return Wait(str(error), unseen=self.observed is None)
        return step

    def _planned(self, arn: str, plan: Plan, *, proven: bool = False) -> Step:
        observed = self.personalize.describe(arn)
        if observed:
            observed = replace(observed, config=self.in_force.get(arn, observed.config))
        self.observed = observed
        step = plan(observed)
        if observed is None:
            return step
        if proven and isinstance(step, Wait) and step.at_deadline is AtDeadline.FAIL:
            return step  # one that hands over is an end, and may depend on the tags
        try:
            tags = self.personalize.tags(arn)
        except NotFoundError:
            return Wait(f"the tags of {arn} do not show yet")
        except TransientError:
            if isinstance(step, Wait) and self.operation.rolls_back:
                return step  # a retraining refuses the tags for hours: no rollback fails for that
            raise
        self.tags_read.add(arn)
        return plan(replace(observed, tags=tags))

    def _changed_nothing(
        self, change: Change, arn: str, plan: Plan
    ) -> TypeGuard[UpdateRecommender]:
        """Make a change, and return whether it was an update to what is in force.

        The service also answers "invalid" to a change that is in force, or under way. What was
        asked for before, or of a recommender that is adopted, may be in force without showing.
        """
        try:
            self.personalize.change(arn, change)
        except PermanentError as error:
            if error.code != INVALID_INPUT:
                raise
            if self._planned(arn, plan) != change:
                raise TransientError(str(error)) from error
            goes_back = self.operation.rolls_back or self.request.type is RequestType.CREATE
            if isinstance(change, UpdateRecommender) and change.hidden and goes_back:
                return True
            raise
        return False
