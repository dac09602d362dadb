"""The loop around the decision: observe, decide, do one thing.

Each call takes what is there one step closer to what is wanted; CloudFormation's polling makes the
loop. Nothing is changed before the recommender's tags prove whose it is, and before the stack shows
that the request is still the newest.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from .errors import INVALID_INPUT, NotFoundError, PermanentError, TransientError
from .events import Request, Wanted
from .lifecycle import CREATE, Change, Done, Fail, Recommender, Step, Verdict, Wait, away
from .service import Personalize
from .stack import Operation, Stacks

LOG = logging.getLogger(__name__)

Decision = Callable[[Recommender | None], Step]


@dataclass(frozen=True)
class Reconciler:
    """Takes single steps for one request, sent in one operation of the stack."""

    service: Personalize
    stacks: Stacks
    request: Request
    operation: Operation
    wanted: Wanted | None

    def advance(self, arn: str, decide: Decision, *, proven: bool = False) -> Verdict:
        """Take the next step for one recommender, and return how things stand after it.

        Where the tags have ``proven`` it ours before, a look that finds nothing to do is one
        DescribeRecommender; whose it is is read again before anything is changed.

        Raises:
            PermanentError: a call was refused for good.
        """
        try:
            step = self._decide(arn, decide, proven=proven)
            while isinstance(step, Change):
                if self.stacks.operation(self.request.stack_id) != self.operation:
                    return Fail("A newer operation of the stack has begun: nothing is changed.")
                LOG.info("Changing", extra={"recommender": arn, "operation": step.operation})
                self._change(arn, step, decide)
                if not step.operation.endswith("Resource"):
                    return self._after(arn, step)
                step = self._decide(arn, decide)
        except (TransientError, NotFoundError) as error:
            return Wait(str(error))
        return step

    def sweep(self, *, keep: Collection[str | None] = ()) -> Verdict:
        """Take what else is owned, under any name the stack can use, one step towards being gone.

        Raises:
            PermanentError: a call was refused for good.
        """
        try:
            names = [name for name in self.service.names() if name in self.request.names]
        except TransientError as error:
            return Wait(str(error))
        doomed = {self.request.recommender_arn(name) for name in names}.difference(keep)
        verdicts = [
            self.advance(arn, lambda seen: away(self.request.owner, seen)) for arn in sorted(doomed)
        ]
        unfinished = (verdict for verdict in verdicts if not isinstance(verdict, Done))
        return next(unfinished, Done("nothing else is owned"))

    def _decide(self, arn: str, decide: Decision, *, proven: bool = False) -> Step:
        seen = self.service.describe(arn)
        step = decide(seen)
        if seen is None or (proven and isinstance(step, Wait)):
            return step
        try:
            return decide(replace(seen, tags=self.service.tags(arn)))
        except NotFoundError:
            return Wait(f"the tags of {arn} do not show yet")

    def _change(self, arn: str, change: Change, decide: Decision) -> None:
        if change is CREATE and self.wanted:
            self.service.create(self.wanted)
            return
        try:
            self.service.change(arn, change)
        except PermanentError as error:
            # The service also answers "invalid" to a change that is in force, or under way.
            if error.code != INVALID_INPUT or self._decide(arn, decide) == change:
                raise
            raise TransientError(str(error)) from error

    def _after(self, arn: str, change: Change) -> Verdict:
        settled = self.wanted is not None and (change is CREATE or self.wanted.running)
        if settled and change.operation in ("CreateRecommender", "UpdateRecommender"):
            return Done(
                f"{change.operation} is accepted",
                updated_after=change.replaces,
                serves=change is not CREATE,
            )
        return Wait(f"{change.operation} of {arn} is accepted")
