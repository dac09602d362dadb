"""What `plan` says before a deployment, compared with what the deployment then does."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lambdas.recommender.decision.verdict import (
    Change,
    CreateRecommender,
    TagResource,
    UntagResource,
    UpdateRecommender,
)
from lambdas.recommender.model.hours import ActiveHours
from lambdas.recommender.vocabulary import RECOMMENDER_TYPE
from operations.commands.plan import forecast_of
from operations.computations.assembly import SynthesisedStack
from operations.computations.forecast import Kind, RecommenderForecast, StackForecast
from tests.support.cloudformation import Cloud, Invocation, Stack, Watcher
from tests.support.operator import Operator
from tests.support.place import ACCOUNT
from tests.support.synthesis import Deployable

FORESEEN: Final = (
    "CREATE_IN_PROGRESS",
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "DELETE_IN_PROGRESS",
)
"""The phases of a stack of which `plan` says what they do; it does not foresee a rollback."""
_SUCCEEDED: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE")

Made = tuple[str, str, str]
"""A call that changes something: its operation, its recommender, what it sets."""


@dataclass
class Foreseen:
    """A forecast, and what became of it.

    Attributes:
        forecast: what was said.
        began: how many calls the service had answered when it was said.
        at: when.
        ids: the physical ids of the stack's recommenders then.
        calls: the calls that the stack's functions have tried to make since, each once.
        is_disturbed: whether somebody else has had a hand in it.
        after_kept_failure: whether the operation before it failed and was not rolled back.
    """

    forecast: StackForecast
    began: int
    at: float
    ids: Mapping[str, str | None]
    calls: dict[Made, None] = field(default_factory=dict)
    is_disturbed: bool = False
    after_kept_failure: bool = False

    @property
    def said(self) -> list[Made]:
        """The calls that were said, each once."""
        calls = (call for one in self.forecast.recommenders for call in one.calls)
        return list(dict.fromkeys(made(call.change, call.arn) for call in calls))

    def of_each(self, calls: Iterable[Made]) -> dict[object, list[Made]]:
        """Return calls by recommender of the forecast, in order: several change at one time."""
        places = {
            call.arn: number
            for number, one in enumerate(self.forecast.recommenders)
            for call in one.calls
        }
        found: dict[object, list[Made]] = {}
        for call in calls:
            found.setdefault(places.get(call[1], call[1]), []).append(call)
        return found

    def foreseeable(self, calls: dict[object, list[Made]]) -> dict[object, list[Made]]:
        """Leave out those of which `plan` only warns: on what a kept failure has replaced."""
        if not self.after_kept_failure:
            return calls
        said = self.of_each(self.said)
        return {one: made for one, made in calls.items() if one in said}


class Foresight(Watcher):
    """Compares forecasts with operations.

    Attributes:
        compared: how often a forecast of a kind was compared in full.
        latest: the latest forecast that was compared in full.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.compared: Counter[Kind] = Counter()
        self.latest: StackForecast | None = None
        self._cloud = cloud
        self._open: dict[str, Foreseen] = {}
        cloud.watchers.append(self)

    def begins(self, stack: Stack, template: Deployable | None) -> None:
        """Ask `plan` what an operation is about to do."""
        resources, outputs = (template.resources, template.outputs) if template else ({}, {})
        wanted = SynthesisedStack(
            name=stack.name,
            id=stack.name,
            account=ACCOUNT,
            region=self._cloud.region,
            template={"Resources": resources, "Outputs": outputs},
        )
        now = self._cloud.clock.now
        account = Operator(self._cloud).account
        forecast = forecast_of(account, wanted, now=now, destroys=template is None)
        self.latest = None
        self._open[stack.id] = Foreseen(
            forecast,
            len(self._cloud.service.journal),
            now,
            _ids(stack),
            is_disturbed=self._is_stale(now) or self._may_fail(forecast) or self._retrains(now),
            after_kept_failure=stack.status == "UPDATE_FAILED",
        )

    def _is_stale(self, now: float) -> bool:
        """Whether `plan` may not have seen the latest changes."""
        behaviour = self._cloud.service.behaviour
        late = max(behaviour.not_found_after_create, behaviour.stale_after_update)
        return any(
            call.mutating and call.outcome == "OK" and now - call.time <= late
            for call in self._cloud.service.journal
            if late
        )

    def _retrains(self, now: float) -> bool:
        """Whether a retraining is under way: it hides the tags, so `plan` only warns."""
        return any(one.is_retraining(now) for one in self._cloud.service._recommenders.values())

    def _may_fail(self, forecast: StackForecast) -> bool:
        """Whether an update under way fails, or a training may that the deployment awaits now."""
        service, now = self._cloud.service, self._cloud.clock.now
        if service.behaviour.update_failure and any(
            one.is_updating(now) for one in service._recommenders.values()
        ):
            return True
        statuses = {
            one["recommenderArn"]: one["status"] for one in self._cloud.recommenders().values()
        }
        return any(
            not one.calls and statuses.get(one.arn) in ("CREATE PENDING", "CREATE IN_PROGRESS")
            for one in forecast.recommenders
        )

    def disturb(self) -> None:
        """Note that operations under way are not left alone."""
        for one in self._open.values():
            one.is_disturbed = True

    def called(self, invocation: Invocation, operation: str, params: Mapping[str, Any]) -> None:
        """Note a call of the functions."""
        stack = invocation.request.stack
        foreseen = self._open.get(stack.id)
        if foreseen and _phases(stack)[invocation.request.phase - 1] in FORESEEN:
            foreseen.calls |= dict.fromkeys(_made_by(stack, operation, params))

    def ended(self, stack: Stack) -> None:
        """Compare."""
        foreseen = self._open.pop(stack.id, None)
        if foreseen is None:
            return
        said, tried, kind = foreseen.said, list(foreseen.calls), foreseen.forecast.kind
        about = f"{stack.name} {stack.status}: {kind}, said {said}, tried {tried}"
        if foreseen.is_disturbed or self._crosses_an_hour(foreseen):
            return
        if kind is Kind.NOTHING and not said:
            assert not tried, about
        if self._is_disturbed(stack, foreseen) or kind is Kind.CANNOT_TELL:
            return
        self.compared[kind] += 1
        self.latest = foreseen.forecast
        expected, actual = foreseen.of_each(said), foreseen.of_each(tried)
        if stack.status not in _SUCCEEDED:
            for one, calls in actual.items():
                assert expected.get(one, [])[: len(calls)] == calls, about
            return
        assert kind is not Kind.REFUSED, f"{about}: {foreseen.forecast.main}"
        assert expected == foreseen.foreseeable(actual), about
        if stack.status != "DELETE_COMPLETE":
            replaced = {
                one.chain.logical_id for one in foreseen.forecast.recommenders if one.replaces
            }
            before, after = foreseen.ids, _ids(stack)
            kept = before.keys() & after.keys()
            assert replaced == {one for one in kept if before[one] != after[one]}, about

    def _crosses_an_hour(self, foreseen: Foreseen) -> bool:
        """Whether a recommender has an hour of service that began or ended meanwhile."""
        hours = [_hours_of(one) for one in foreseen.forecast.recommenders]
        now = self._cloud.clock.now
        return any(one and one.run_at(foreseen.at) != one.run_at(now) for one in hours)

    def _is_disturbed(self, stack: Stack, foreseen: Foreseen) -> bool:
        """Whether somebody else has changed something that `plan` could not know."""
        others = (
            call
            for call in self._cloud.service.journal[foreseen.began :]
            if call.mutating and call.outcome == "OK" and call.caller != stack.id
        )
        # Without a change set, the functions do not know when a creation has begun.
        unknown = foreseen.forecast.kind is Kind.ADOPTION and not self._cloud.change_sets
        return unknown or any(others)


def made(change: Change, arn: str) -> Made:
    """Return a change as a call."""
    match change:
        case UpdateRecommender(config=config):
            sets: object = config
        case TagResource(tags=tags):
            sets = sorted(tags.items())
        case UntagResource(keys=keys):
            sets = sorted(keys)
        case CreateRecommender(desired=desired):
            sets = [desired.config.request(), sorted(desired.tags_of_creation.items())]
        case _:
            sets = ""
    return type(change).__name__, arn, str(sets)


def _made_by(stack: Stack, operation: str, params: Mapping[str, Any]) -> Iterator[Made]:
    arn = str(params.get("recommenderArn") or params.get("resourceArn") or "")
    tags = sorted((one["tagKey"], one["tagValue"]) for one in params.get("tags", ()))
    match operation:
        case "UpdateRecommender":
            yield operation, arn, str(params["recommenderConfig"])
        case "TagResource":
            yield operation, arn, str(tags)
        case "UntagResource":
            yield operation, arn, str(sorted(params["tagKeys"]))
        case "CreateRecommender":
            place = f"arn:{stack.cloud.partition}:personalize:{stack.cloud.region}:{ACCOUNT}"
            arn = f"{place}:recommender/{params['name']}"
            yield operation, arn, str([params["recommenderConfig"], tags])
        case "DeleteRecommender" | "StartRecommender" | "StopRecommender":
            yield operation, arn, ""


def _hours_of(one: RecommenderForecast) -> ActiveHours | None:
    return one.chain.desired.active_hours


def _ids(stack: Stack) -> dict[str, str | None]:
    recommenders: Iterable[Any] = stack.resources.values()
    return {one.logical_id: one.physical_id for one in recommenders if one.type == RECOMMENDER_TYPE}


def _phases(stack: Stack) -> list[str]:
    """Return the statuses of the phases of a stack, in order."""
    return [
        event.status
        for event in stack.events
        if event.logical_id == stack.name and event.status.endswith("_IN_PROGRESS")
    ]
