"""The loop around the decision: observe, decide, do one thing.

Each call takes what is there one step closer to what is wanted; CloudFormation's polling makes the
loop. Nothing is changed before the recommender's tags prove whose it is, and before the stack shows
that the request is still the newest.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import assert_never

from .errors import NotFoundError, PermanentError, TransientError
from .events import Names, Wanted
from .identity import Arn, Owner
from .lifecycle import (
    Create,
    Delete,
    Done,
    Fail,
    Mutation,
    Recommender,
    Start,
    Step,
    Stop,
    Tag,
    Untag,
    UpdateConfig,
    Verdict,
    Wait,
    away,
)
from .service import Personalize
from .stack import Operation, Stacks

LOG = logging.getLogger(__name__)

Decision = Callable[[Recommender | None], Step]


class Reconciler:
    """Takes single steps for one request of CloudFormation."""

    def __init__(
        self,
        service: Personalize,
        stacks: Stacks,
        *,
        stack_id: str,
        operation: Operation,
        wanted: Wanted | None = None,
    ) -> None:
        """Make one for a request that was sent in this operation of the stack.

        ``wanted`` is what a Create step makes; a reconciler without it never creates.
        """
        self._service = service
        self._stacks = stacks
        self._stack_id = stack_id
        self._operation = operation
        self._wanted = wanted

    def advance(self, arn: str, decide: Decision) -> Verdict:
        """Take the next step for one recommender, and return how things stand after it.

        Raises:
            PermanentError: a call was refused for good.
        """
        try:
            step = self._decide(arn, decide)
            while not isinstance(step, Wait | Done | Fail):
                if self._stacks.operation(self._stack_id) != self._operation:
                    return Fail("A newer operation of the stack has begun: nothing is changed.")
                LOG.info("Changing", extra={"recommender": arn, "step": repr(step)})
                self._apply(arn, step)
                match step:
                    case Create():
                        return Done("created")
                    case UpdateConfig() if self._wanted and self._wanted.running:
                        return Done("the update is accepted", updated_after=step.replaces)
                    case UpdateConfig() | Start() | Stop() | Delete():
                        return Wait(f"{arn}: {type(step).__name__} is accepted")
                    case Tag() | Untag():
                        step = self._decide(arn, decide)
        except (TransientError, NotFoundError) as error:
            return Wait(str(error))
        return step

    def sweep(
        self, names: Names, owner: Owner, place: Arn, *, keep: Collection[str] = ()
    ) -> Verdict:
        """Take what else is owned, under any name the stack can use, one step towards being gone.

        Raises:
            PermanentError: a call was refused for good.
        """
        try:
            there = [
                place.sibling(f"recommender/{name}")
                for name in self._service.names()
                if name in names
            ]
        except TransientError as error:
            return Wait(str(error))
        verdicts = [
            self.advance(arn, lambda seen: away(owner, seen)) for arn in there if arn not in keep
        ]
        unfinished = [verdict for verdict in verdicts if not isinstance(verdict, Done)]
        return unfinished[0] if unfinished else Done("nothing else is owned")

    def _decide(self, arn: str, decide: Decision) -> Step:
        seen = self._service.describe(arn)
        step = decide(seen)
        if isinstance(step, Wait) or seen is None:
            return step
        try:
            return decide(replace(seen, tags=self._service.tags(arn)))
        except NotFoundError:
            return Wait(f"the tags of {arn} do not show yet")

    def _apply(self, arn: str, step: Mutation) -> None:
        match step:
            case Create():
                if self._wanted is None:
                    raise PermanentError(f"{arn} is not there")
                self._service.create(self._wanted)
            case UpdateConfig():
                self._service.update(arn, step.config)
            case Start():
                self._service.start(arn)
            case Stop():
                self._service.stop(arn)
            case Delete():
                self._service.delete(arn)
            case Tag(tags):
                self._service.tag(arn, tags)
            case Untag(keys):
                self._service.untag(arn, keys)
            case _:
                assert_never(step)
