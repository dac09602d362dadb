"""The invariants of docs/internals/reliability.md, checked from the simulator's books in each test.

They are checked after every call, every invocation and every operation, and never from what the
handlers say. Number 7 is about faults, so it is each fault's test that shows it.
"""

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from lambdas.recommender.vocabulary import (
    ADOPTED_TAG,
    HOURS_TYPE,
    OWNER_RESOURCE_TAG,
    OWNER_STACK_TAG,
    RECOMMENDER_LOGICAL_ID,
    RECOMMENDER_TYPE,
    SWEEP_TYPE,
)
from local_aws.personalize.service import Call
from tests.support.cloudformation import (
    CANARY,
    Cloud,
    Invocation,
    SentRequest,
    Stack,
    StackResource,
    Watcher,
)

_CHANGING: Final = {
    "UpdateRecommender": "recommenderArn",
    "DeleteRecommender": "recommenderArn",
    "StartRecommender": "recommenderArn",
    "StopRecommender": "recommenderArn",
    "TagResource": "resourceArn",
    "UntagResource": "resourceArn",
}
_REMOVING: Final = ("DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS")
_MAX_ANSWER_BYTES: Final = 4096

Recommender = Mapping[str, Any]


class Invariants(Watcher, logging.Handler):
    """Collects what must never happen; `check` raises if anything of it did.

    Attributes:
        forgives: `rest` if what is there at rest need not be what the stack wants, because somebody
            has changed it and nothing was to put it right; `stale` if a stale request may change
            something, because what follows is to put it right.
        strays: names of recommenders that carry a stack's tags, and that it has not made.
    """

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(level=logging.DEBUG)
        self.forgives: set[str] = set()
        self.strays: set[str] = set()
        self._cloud = cloud
        self._violations: list[str] = []
        self._changed = False
        self._serving: dict[str, dict[str, set[str]]] = {}
        """The recommenders that served when a stack's operation began, by its id and their owner's.

        A stack may have several: each owner is a custom resource, by its logical id.
        """
        cloud.watchers.append(self)

    def disturbed(self) -> None:
        """Note that somebody is about to change a recommender, so that it may cease to serve."""
        self._serving.clear()

    def check(self) -> None:
        """Raise `AssertionError` if an invariant has been violated."""
        for request in self._cloud.requests:
            for body in request.answers:
                self._check_answer(request, body)
        assert not self._violations, "\n".join(self._violations)

    def called(self, invocation: Invocation, operation: str, params: Mapping[str, Any]) -> None:
        """Check a call before it is made: numbers 1 and 6.

        A Delete asks for the same as any later operation that removes the stack, and a rollback for
        the same as the one that continues it.
        """
        request = invocation.request
        if operation != "CreateRecommender" and operation not in _CHANGING:
            return
        self._changed = True
        what = f"{operation} by a {request.type} of {request.logical_id}"
        removes = request.type == "Delete" and request.stack.status in _REMOVING
        if not (request.is_newest or removes or self._is_continued(request)):
            self._expect(
                "stale" in self.forgives, f"6: {what} changes something though it is stale"
            )
            self._serving.pop(request.stack.id, None)
        if request.event["ResourceType"] == SWEEP_TYPE:
            self._expect(request.stack.status in _REMOVING, f"6: {what} while the stack lives")
        if operation in _CHANGING:
            self._check_owner(request, operation, params)

    def observed(self, stack: Stack, calls: Sequence[Call]) -> None:
        """Check what the observer has called: number 9."""
        changes = [call.operation for call in calls if call.mutating]
        self._expect(not changes, f"9: monitoring of {stack.name} calls {', '.join(changes)}")

    def invoked(self, invocation: Invocation) -> None:
        """Check what is there after an invocation that has changed something: number 3."""
        stack = invocation.request.stack
        if not self._changed:
            return
        self._changed = False
        owned = self._owned(stack)
        there = Counter(_owner(one) for one in owned if not one["status"].startswith("DELETE"))
        for number in there.values():
            self._expect(number <= 2, f"3: {stack.name} owns {number} recommenders")
        for logical_id, wanted in stack.template.resources.items():
            if wanted["Type"] == RECOMMENDER_TYPE:
                self._check_service(stack, logical_id, wanted["Properties"], owned)

    def _check_service(
        self, stack: Stack, logical_id: str, wanted: Mapping[str, Any], owned: list[Recommender]
    ) -> None:
        """Check that a recommender that served when the operation began, or its successor, does."""
        serving = self._serving.get(stack.id, {})
        if not wanted["Running"] or "ActiveHours" in wanted:
            serving.pop(logical_id, None)
        if not stack.status.startswith("UPDATE") or not serving.get(logical_id):
            return
        own = {one["recommenderArn"] for one in owned if _owner(one) == logical_id}
        all_of_them = self._cloud.recommenders().values()
        active = {one["recommenderArn"] for one in all_of_them if one["status"] == "ACTIVE"}
        # an adopted one also while it is released and adopted anew
        serve = bool((serving[logical_id] | own) & active)
        self._expect(serve, f"3: nothing of {stack.name} serves in {stack.status}")

    def ended(self, stack: Stack) -> None:
        """Check what is there after an operation: numbers 2, 3, 4 and 5."""
        for request in self._cloud.requests:
            self._expect(request.outcome is not None or request.stack.is_busy, "4: unanswered")
        owned = self._owned(stack)
        if stack.status in ("DELETE_COMPLETE", "ROLLBACK_COMPLETE"):
            retained = any(event.status == "DELETE_SKIPPED" for event in stack.events)
            left = [] if retained else [one["name"] for one in owned]
            self._expect(not left, f"2: {stack.status} left {left}")
        at_rest = stack.status.endswith("_COMPLETE") and stack.was_complete and stack.resources
        if at_rest and "rest" not in self.forgives:
            self._check_rest(stack, owned)
        with_hours = {
            one.properties[RECOMMENDER_LOGICAL_ID]
            for one in stack.resources.values()
            if one.type == HOURS_TYPE
        }
        serving: dict[str, set[str]] = {}
        for one in owned:
            may_be_stopped = _owner(one) in with_hours  # at any time
            if one["status"] == "ACTIVE" and not may_be_stopped:
                serving.setdefault(_owner(one), set()).add(one["recommenderArn"])
        self._serving[stack.id] = serving

    def emit(self, record: logging.LogRecord) -> None:
        """Check a record of the log: number 8."""
        text = (
            f"{record.getMessage()} {record.__dict__!r} {record.exc_info and self.format(record)}"
        )
        self._expect(CANARY not in text, f"8: a ResponseURL in the log: {record.getMessage()}")

    def _is_continued(self, request: SentRequest) -> bool:
        if request.stack.status != "UPDATE_ROLLBACK_IN_PROGRESS":
            return False
        asked = (request.type, request.logical_id, request.event["ResourceProperties"])
        return any(
            (one.type, one.logical_id, one.event["ResourceProperties"]) == asked and one.is_newest
            for one in self._cloud.requests
            if one.stack is request.stack
        )

    def _check_owner(self, request: SentRequest, operation: str, params: Mapping[str, Any]) -> None:
        arn = params[_CHANGING[operation]]
        seen = self._cloud.recommenders().get(arn.rpartition("/")[2])
        if seen is None:
            return
        owner = seen["tags"].get(OWNER_STACK_TAG)
        properties = request.event["ResourceProperties"]
        logical_id = properties.get("RecommenderLogicalId", request.logical_id)
        own = owner == request.stack.id and seen["tags"].get(OWNER_RESOURCE_TAG) == logical_id
        of_tags = operation in ("TagResource", "UntagResource")
        adopting = of_tags and properties.get("AdoptExisting") == "true"
        owners = {stack.id for stack in self._cloud.stacks if stack.status != "DELETE_COMPLETE"}
        is_repeated = operation == "UntagResource" and not seen["tags"].keys() & params["tagKeys"]
        permitted = own or is_repeated or (adopting and owner not in owners)
        self._expect(permitted, f"1: {operation} of {arn}, which belongs to {owner or 'nobody'}")
        deletes_adopted = operation == "DeleteRecommender" and ADOPTED_TAG in seen["tags"]
        self._expect(not deletes_adopted, f"1: {operation} of {arn}, which is adopted")

    def _check_rest(self, stack: Stack, owned: list[Recommender]) -> None:
        resources = [one for one in stack.resources.values() if one.type == RECOMMENDER_TYPE]
        current = {one.physical_id for one in resources}
        arns = [one["recommenderArn"] for one in owned]
        forgotten = any(event.status == "DELETE_FAILED" for event in stack.events)
        extra = [arn for arn in arns if arn not in current]
        self._expect(not (resources and extra) or forgotten, f"3: {stack.name} owns {extra}, too")
        for resource in resources:
            self._check_resource(stack, resource, owned)

    def _check_resource(
        self, stack: Stack, resource: StackResource, owned: list[Recommender]
    ) -> None:
        current = [one for one in owned if one["recommenderArn"] == resource.physical_id]
        self._expect(bool(current), f"5: {stack.status}, but {resource.physical_id} is not there")
        for one in current:
            wanted: str | None = "ACTIVE" if resource.properties["Running"] else "INACTIVE"
            if "ActiveHours" in resource.properties:
                wanted = self._cloud.scheduler.wanted(stack)
            self._expect(
                wanted in (None, one["status"]), f"5: {stack.status} though {one['status']}"
            )
            template = resource.properties["RecommenderConfig"]
            explores = "itemExplorationConfig" in template
            asked = _meaning(template, explores=explores)
            there = _meaning(one["recommenderConfig"], explores=explores)
            self._expect(asked == there, f"5: {stack.status} with {there}, not {asked}")
            tags = dict(resource.properties.get("Tags", {}))
            if ADOPTED_TAG not in one["tags"] and "OnDestroy" in resource.properties:
                tags["top-picks:on-destroy"] = resource.properties["OnDestroy"]
            missing = tags.items() - one["tags"].items()
            self._expect(not missing, f"5: {stack.status} without the tags {missing}")

    def _check_answer(self, request: SentRequest, body: bytes) -> None:
        answer = json.loads(body)
        what = f"4: the answer to a {request.type} of {request.logical_id}"
        self._expect(len(body) <= _MAX_ANSWER_BYTES, f"{what} has {len(body)} bytes")
        self._expect(bool(answer["PhysicalResourceId"]), f"{what} has no physical id")
        texts = all(isinstance(value, str) for value in answer.get("Data", {}).values())
        self._expect(texts, f"{what} has attributes that are not strings: {answer.get('Data')}")
        self._expect(CANARY not in body.decode(), f"8: {what} has a ResponseURL")
        if request.type == "Delete":
            given = request.event["PhysicalResourceId"]
            self._expect(answer["PhysicalResourceId"] == given, f"{what} has another id")

    def _owned(self, stack: Stack) -> list[Recommender]:
        all_of_them = self._cloud.recommenders().values()
        return [
            one
            for one in all_of_them
            if one["tags"].get(OWNER_STACK_TAG) == stack.id and one["name"] not in self.strays
        ]

    def _expect(self, holds: bool, violation: str) -> None:
        if not holds and violation not in self._violations:
            self._violations.append(violation)


def _owner(recommender: Recommender) -> str:
    """Return the logical id of the custom resource that owns a recommender."""
    return str(recommender["tags"].get(OWNER_RESOURCE_TAG, ""))


def _meaning(config: Mapping[str, Any], *, explores: bool) -> tuple[object, ...]:
    """Return what a configuration means to a recipe, with the documented defaults."""
    exploration = config.get("itemExplorationConfig", {}) if explores else {}
    excluded = config.get("trainingDataConfig", {}).get("excludedDatasetColumns", {})
    return (
        int(config.get("minRecommendationRequestsPerSecond", 1)),
        bool(config.get("enableMetadataWithRecommendations", False)),
        Decimal(exploration.get("explorationWeight", "0.3")),
        Decimal(exploration.get("explorationItemAgeCutOff", "30")),
        {kind: frozenset(columns) for kind, columns in excluded.items() if columns},
    )
