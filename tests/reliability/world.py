"""A simulated Personalize in which everything is over soon, and a stack that is to live in it."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lambdas.recommender.vocabulary import RECOMMENDER_TYPE, STOP_TYPE, TRAINING_GATE_TYPE
from local_aws.personalize import Behaviour, Personalize
from tests.support.cloudformation import Cloud, Stack
from tests.support.invariants import Invariants
from tests.support.personalize import VirtualClock
from tests.support.place import ACCOUNT, RECIPE, REGION
from tests.support.stack import Condition
from tests.support.synthesis import Deployable

QUICK: Final[dict[str, Any]] = {
    "create_pending": 60.0,
    "create_in_progress": 540.0,
    "update_pending": 60.0,
    "update_in_progress": 240.0,
    "stop": 120.0,
    "start": 120.0,
    "delete": 300.0,
}
"""Durations in seconds for tests that are not about waiting."""

QUICKER: Final[dict[str, Any]] = {
    "create_pending": 50.0,
    "create_in_progress": 120.0,
    "update_pending": 50.0,
    "update_in_progress": 60.0,
    "stop": 90.0,
    "start": 90.0,
    "delete": 90.0,
}
"""Durations in seconds for tests that go through many lifecycles."""

HIDES: Final = ("without defaults", "without metadata", "nothing")
"""How the service answers a configuration of which it does not show every member."""

REPLACEMENT: Final = ["CreateRecommender", "DeleteRecommender"]
"""The changes of one, also of one that is undone."""

MINUTE: Final = 60.0
_OTHERS: Final = ("outsider", "scheduler")
HOUR: Final = 3600.0


class World:
    """One account: a service, a CloudFormation, and a stack.

    Attributes:
        hours: For how long a training is waited for by default, which is three gates and sweeps.
        group: The dataset group that is trained on by default.
        other_group: Another one of the same domain.
        settings: What the stack is deployed with, beside what is given.
    """

    def __init__(self, behaviour: Behaviour, *, hours: float = 2.5) -> None:
        self.hours = hours
        self.settings: dict[str, object] = {}
        self.clock = VirtualClock()
        self.service = Personalize(behaviour, self.clock)
        self.group = self.service.seed_dataset_group(ACCOUNT, REGION, "vod")
        self.other_group = self.service.seed_dataset_group(ACCOUNT, REGION, "other")
        self.cloud = Cloud(self.service, self.clock)
        self.invariants = Invariants(self.cloud)
        self.stack = self.cloud.stack()

    @property
    def behaviour(self) -> Behaviour:
        """What the service does where it could do otherwise."""
        return self.service.behaviour

    def create(self, **settings: object) -> str:
        """Create the stack and return its status."""
        return self.stack.create(self.given(settings))

    def created(self, **settings: object) -> list[str]:
        """Have the stack created, and return the changes that its role has made."""
        return self._ended("CREATE_COMPLETE", lambda: self.create(**settings))

    def update(self, **settings: object) -> str:
        """Update the stack and return its status."""
        return self.stack.update(self.given(settings))

    def updated(self, **settings: object) -> list[str]:
        """Have the stack updated, and return the changes that its role has made."""
        return self._ended("UPDATE_COMPLETE", lambda: self.update(**settings))

    def deleted(self) -> list[str]:
        """Have the stack deleted, and return the changes that its role has made."""
        return self._ended("DELETE_COMPLETE", self.stack.delete)

    def failed(self, **settings: object) -> list[str]:
        """Have the creation fail, or an update, and be rolled back; return the changes."""
        operate, ends = self._operation()
        return self._ended(ends, lambda: operate(self.given(settings)))

    def cancelled(self, when: float | Condition, /, **settings: object) -> list[str]:
        """Have the creation, or an update, rolled back because a resource beside ours fails.

        Args:
            when: after how many seconds it fails, or what has to be true then.
            settings: what to deploy.

        Returns:
            The changes that the stack's role has made.
        """
        operate, ends = self._operation()
        return self._ended(ends, lambda: operate(self.given(settings), sibling_fails=when))

    def _operation(self) -> tuple[Callable[..., str], str]:
        """Return what deploys the stack next, and the status in which that is rolled back."""
        if self.stack.resources:
            return self.stack.update, "UPDATE_ROLLBACK_COMPLETE"
        return self.stack.create, "ROLLBACK_COMPLETE"

    def _ended(self, expected: str, operate: Callable[[], str]) -> list[str]:
        began = self.clock.now
        assert operate() == expected, self.stack.reasons()
        return self.changes(since=began)

    def undone(self, **settings: object) -> str:
        """Update the stack, have a resource beside ours fail last of all, and return its status."""
        template = Deployable.of("TopPicks", self.given(settings))
        last = [*template.ids_of(TRAINING_GATE_TYPE), *template.ids_of(STOP_TYPE)][-1]
        return self.stack.update(template, sibling_fails=lambda: self.stack.has_completed(last))

    def given(self, settings: Mapping[str, object]) -> dict[str, object]:
        """Return settings with all that is the same in this world."""
        return {"max_training_hours": self.hours, **self.settings, **settings}

    def patched(self, **properties: object) -> Deployable:
        """Return the stack's template by default, with other properties of its recommender."""
        template = Deployable.of("TopPicks", self.given({}))
        (logical_id,) = template.ids_of(RECOMMENDER_TYPE)
        return template.patched(logical_id, **properties)

    @property
    def owned(self) -> list[dict[str, Any]]:
        """What the stack owns."""
        return self.owned_by(self.stack)

    def owned_by(self, stack: Stack) -> list[dict[str, Any]]:
        """Return what a stack owns."""
        return [
            one
            for one in self.cloud.recommenders().values()
            if one["tags"].get("top-picks:stack-id") == stack.id
        ]

    @property
    def recommender(self) -> dict[str, Any]:
        """The only recommender that the stack owns."""
        (only,) = self.owned
        return only

    @property
    def arn(self) -> str:
        """The ARN of that recommender."""
        return str(self.recommender["recommenderArn"])

    @property
    def exploration_weight(self) -> str:
        """The exploration weight of that recommender, whatever the service shows of it."""
        weight: str = self.recommender["recommenderConfig"]["itemExplorationConfig"][
            "explorationWeight"
        ]
        return weight

    def changes(self, since: float = 0.0) -> list[str]:
        """Return the changes that the stack's role has made since a time, in order."""
        return [
            call.operation
            for call in self.service.journal
            if call.mutating
            and call.outcome == "OK"
            and call.time >= since
            and call.caller not in _OTHERS
        ]

    def attempts(self, operation: str, since: float = 0.0) -> list[str]:
        """Return the outcomes of the calls of an operation that the stack's role has made."""
        return [
            call.outcome
            for call in self.service.journal
            if call.operation == operation and call.caller not in _OTHERS and call.time >= since
        ]

    def foreign(
        self,
        name: str,
        tags: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        group: str = "",
    ) -> dict[str, Any]:
        """Have an ACTIVE recommender that somebody else has made, and return it."""
        self.cloud.outsider().create_recommender(
            name=name,
            datasetGroupArn=group or self.group,
            recipeArn=RECIPE,
            recommenderConfig=dict(config or {}),  # type: ignore[arg-type]
            tags=[{"tagKey": key, "tagValue": value} for key, value in (tags or {}).items()],
        )
        self.clock.advance(self.behaviour.create_pending + self.behaviour.create_in_progress)
        return self.cloud.recommenders()[name]

    def retrain(self, name: str = "", failure: str | None = None) -> None:
        """Let the weekly retraining of a recommender, or of each one, begin now.

        Args:
            name: the recommender's; empty for each one.
            failure: the service's reason for its failure, if it fails.
        """
        behaviour = replace(self.behaviour, retraining_failure=failure)
        for recommender in self.service._recommenders.values():
            if name in ("", recommender.name):
                recommender.retrain(self.clock.now, behaviour)

    def heal(self) -> None:
        """Let no call and no invocation go wrong any more."""
        self.cloud.before = lambda _operation, _params: None
        self.cloud.after = lambda _operation, _params, _response: None
        self.cloud.around = lambda _function, _event, invoke: invoke()

    def disturb(self) -> Any:
        """Return a client of somebody who changes our recommender behind the stack's back."""
        self.invariants.disturbed()
        return self.cloud.outsider()

    def edit(self, arn: str, config: Mapping[str, Any]) -> None:
        """Have somebody update a recommender behind the stack's back, and let an hour pass."""
        self.disturb().update_recommender(recommenderArn=arn, recommenderConfig=config)
        self.cloud.run_for(HOUR)

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Have somebody tag a recommender behind the stack's back."""
        pairs = [{"tagKey": key, "tagValue": value} for key, value in tags.items()]
        self.disturb().tag_resource(resourceArn=arn, tags=pairs)

    def untag(self, arn: str, *keys: str) -> None:
        """Have somebody remove tags of a recommender behind the stack's back."""
        self.disturb().untag_resource(resourceArn=arn, tagKeys=list(keys))


def settings_of(**settings: object) -> dict[str, object]:
    """Return settings with three gates, unless they say otherwise."""
    return {"max_training_hours": 2.5, **settings}


def follow(world: World, stack: Stack, *, but: Collection[str] = ()) -> None:
    """Do what the reason of a failed deletion says, to the letter.

    Where nothing is left, but for what is named, nothing need be said but how to force it.
    """
    said = [
        event
        for event in stack.events
        if event.status == "DELETE_FAILED" and "aws cloudformation" in event.reason
    ]
    latest = {event.logical_id: event.reason for event in said}
    commands = [
        command
        for text in latest.values()
        for command in re.findall(r"\d\) aws personalize (\S+) (.*?) (?=\d\))", text)
    ]
    left = {one["recommenderArn"] for one in world.owned_by(stack)} - set(but)
    assert commands or not left, (left, stack.reasons())
    client = world.disturb()
    for command, arguments in commands:
        arn = re.search(r"arn:aws:personalize:\S+", arguments)
        assert arn
        if arn[0] in but or arn[0].rpartition("/")[2] not in world.cloud.recommenders():
            continue
        if command == "delete-recommender":
            client.delete_recommender(recommenderArn=arn[0])
        else:
            keys = re.search(r"--tag-keys (.*?) --", arguments)
            assert keys
            client.untag_resource(resourceArn=arn[0], tagKeys=keys[1].split())
    world.clock.advance(HOUR)
    if stack.delete() != "DELETE_COMPLETE":
        assert not said or "--deletion-mode FORCE_DELETE_STACK" in said[-1].reason
        failed = [one.logical_id for one in stack.resources.values()]
        assert stack.delete(retain=failed) == "DELETE_COMPLETE", texts(stack)


def texts(stack: Stack) -> str:
    """Return all that `cdk deploy` would have shown of failures."""
    return "\n".join(stack.reasons())


def types(stack: Stack, statuses: Sequence[str] = ("DELETE_FAILED",)) -> list[str]:
    """Return the logical ids of the events of these statuses."""
    return [event.logical_id for event in stack.events if event.status in statuses]
