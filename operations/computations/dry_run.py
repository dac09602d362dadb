"""Let the functions' own code answer a request on a copy of the account's recommenders (pure).

The copy accepts each change, and every change succeeds. So the calls are those of a deployment in
which nothing fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.errors import InUseError, NotFoundError
from lambdas.recommender.aws.personalize import Personalize
from lambdas.recommender.decision.situation import Situation
from lambdas.recommender.decision.verdict import (
    Change,
    CreateRecommender,
    DeleteRecommender,
    Done,
    Fail,
    StartRecommender,
    StopRecommender,
    TagResource,
    UntagResource,
    UpdateRecommender,
    Verdict,
    Wait,
)
from lambdas.recommender.model.observed import Observed, Phase, Update
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.properties import BadRequestError
from lambdas.recommender.model.request import Desired, Request
from lambdas.recommender.reconcile.reconciler import Known, Reconciler
from lambdas.recommender.resources import custom_resource_for

_UNDER_WAY: Final = "CREATE IN_PROGRESS"
_STATUSES: Final[Mapping[type[Change], str]] = {
    StartRecommender: "START IN_PROGRESS",
    StopRecommender: "STOP IN_PROGRESS",
    DeleteRecommender: "DELETE IN_PROGRESS",
}


@dataclass(frozen=True)
class Call:
    """A call that changes the recommender of an ARN."""

    arn: str
    change: Change


class AccountCopy(Personalize):
    """Answers the functions' code as Personalize would.

    Attributes:
        calls: the changes, in order.
    """

    def __init__(self, recommenders: Mapping[str, Observed], now: float) -> None:
        """Take the recommenders of an account.

        Args:
            recommenders: by ARN; without tags if they cannot be read now.
            now: epoch seconds.
        """
        self._recommenders = dict(recommenders)
        self._now = now
        self.calls: list[Call] = []

    def shown(self, arn: str) -> Observed | None:
        """Return a recommender with its tags, or None."""
        return self._recommenders.get(arn)

    def describe(self, arn: str) -> Observed | None:
        """Return a recommender without its tags, or None."""
        shown = self.shown(arn)
        return shown and replace(shown, tags=None)

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a recommender.

        Raises:
            NotFoundError: it does not exist.
            InUseError: they could not be read.
        """
        shown = self.shown(arn)
        if shown is None:
            raise NotFoundError(f"{arn} does not exist")
        if shown.tags is None:
            raise InUseError(f"the tags of {arn} cannot be read now; it is {shown.description}")
        return dict(shown.tags)

    def names(self) -> list[str]:
        """Return the names of all recommenders."""
        return [arn.rpartition("/")[2] for arn in self._recommenders]

    def change(self, arn: str, change: Change) -> None:
        """Accept a change."""
        self._now += 1.0
        self.calls.append(Call(arn, change))
        self._recommenders[arn] = changed(self.shown(arn), change, arn=arn, now=self._now)

    def settle(self) -> bool:
        """End all changes that are under way, and return whether there was one."""
        before = dict(self._recommenders)
        ended = {arn: settled(one) for arn, one in before.items()}
        self._recommenders = {arn: one for arn, one in ended.items() if one}
        return self._recommenders != before


@dataclass(frozen=True)
class Answer:
    """The answer to a request.

    Attributes:
        verdict: the verdict; a ``Wait`` if nothing that is known ends it.
        waits_for: a state of the recommender that had to end before the first change, or nothing.
        attributes: the values for ``Fn::GetAtt``.
    """

    verdict: Verdict
    waits_for: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


class _OneOperation(Stacks):
    """Shows one operation of a stack."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation

    def operation(self, stack_id: str) -> Operation:
        """Return that operation."""
        del stack_id
        return self._operation


def answer(request: Request, copy: AccountCopy, operation: Operation) -> Answer:
    """Attempt a request until it is answered.

    Args:
        request: the request.
        copy: the recommenders, which it changes.
        operation: the stack's operation that sends the request; it begins now.
    """
    stacks, now = _OneOperation(operation), operation.began
    known, waits_for, began = Known(), "", len(copy.calls)
    while True:
        situation = Situation(operation, began=now, now=now)
        reconciler = Reconciler(copy, stacks, request, situation, known)
        try:
            resource = custom_resource_for(request)
        except BadRequestError as error:
            return Answer(Fail(f"Nothing was changed. {error}"))
        if resource is None:
            return Answer(Done("nothing to do"))
        verdict = resource.attempt(reconciler)
        if isinstance(verdict, Wait) and len(copy.calls) == began:
            waits_for = verdict.reason
        if not isinstance(verdict, Wait) or not copy.settle():
            return Answer(verdict, waits_for, resource.attributes)
        known = reconciler.known


def changed(observed: Observed | None, change: Change, *, arn: str, now: float) -> Observed:
    """Return a recommender just after Personalize has accepted a change.

    Args:
        observed: the recommender before, or None before its creation.
        change: the change.
        arn: the recommender's.
        now: the time of the change, in epoch seconds.
    """
    if isinstance(change, CreateRecommender):
        return _created(change.desired, now)
    if observed is None:
        raise NotFoundError(f"{arn} does not exist")
    tags = observed.tags or {}
    match change:
        case UpdateRecommender(config=config):
            return replace(observed, latest_update=Update(_UNDER_WAY, config, now, updated=now))
        case StartRecommender() | StopRecommender() | DeleteRecommender():
            return replace(observed, status=_STATUSES[type(change)], updated=now)
        case TagResource(tags=more):
            return replace(observed, tags={**tags, **more})
        case UntagResource(keys=keys):
            return replace(
                observed, tags={key: one for key, one in tags.items() if key not in keys}
            )
        case _:
            assert_never(change)


def _created(desired: Desired, now: float) -> Observed:
    return Observed(
        arn=desired.arn,
        status=_UNDER_WAY,
        dataset_group_arn=desired.dataset_group_arn,
        recipe_arn=desired.recipe_arn,
        config=desired.config.request(),
        created=now,
        updated=now,
        tags=desired.tags_of_creation,
    )


def settled(observed: Observed) -> Observed | None:
    """Return a recommender after the changes that are under way; None after its deletion."""
    match observed.phase:
        case Phase.DELETING:
            return None
        case Phase.CREATING | Phase.STARTING:
            observed = replace(observed, status="ACTIVE")
        case Phase.STOPPING:
            observed = replace(observed, status="INACTIVE")
    update = observed.latest_update
    if update is None or not update.under_way:
        return observed
    return replace(observed, config=update.config, latest_update=replace(update, status="ACTIVE"))
