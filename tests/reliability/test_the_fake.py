"""The fake CloudFormation sends what the real one sends, where the local engine does not."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from lambdas.recommender.vocabulary import METRICS, RECOMMENDER_TYPE, SWEEP_TYPE, TRAINING_GATE_TYPE
from tests.reliability.world import HOUR, MINUTE, World, settings_of, texts
from tests.support.cloudformation import CANARY, FunctionKilledError, Stack
from tests.support.provider import CREATE_FAILED_MARKER, Event
from tests.support.synthesis import DATASET_GROUP_ARN, Deployable, _synthesise


class Scripted:
    """Handlers that answer what a test tells them to."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {"id": "the-id", "data": {}, "waits": 0.0, **answers}
        self.events: list[Event] = []
        self.polled: list[Event] = []

    def on_event(self, event: Event) -> Mapping[str, Any]:
        self.events.append(event)
        if "raises" in self.answers:
            raise RuntimeError(self.answers["raises"])
        given = event.get("PhysicalResourceId")
        physical_id = given if event["RequestType"] == "Delete" else self.answers["id"]
        return {"PhysicalResourceId": physical_id, "Kept": {"Number": 1.0}}

    def is_complete(self, event: Event) -> Mapping[str, Any]:
        self.polled.append(event)
        if "fails" in self.answers and event["RequestType"] != "Delete":
            raise RuntimeError(self.answers["fails"])
        if len(self.polled) <= self.answers["waits"]:
            return {"IsComplete": False}
        return {"IsComplete": True, "Data": self.answers["data"]}


ALL = dict.fromkeys(
    ("Arn", "Name", "Revision", "UpdatedAfter", "RecommenderArn", "ModelMetrics", *METRICS), "x"
)


@pytest.fixture
def stack(world: World) -> Stack:
    """A stack whose handlers are scripted, so that nothing of ours is there to be checked."""
    world.cloud.observers.clear()
    world.invariants.check = lambda: None  # type: ignore[method-assign]
    return world.stack


def _create(stack: Stack, **answers: Any) -> Scripted:
    script = Scripted(**({"data": ALL} | answers))
    stack.handlers = script
    stack.create(settings_of())
    return script


def test_values_in_a_template_are_as_the_app_synthesises_them() -> None:
    settings = {
        "dataset_group_arn": DATASET_GROUP_ARN,
        "max_training_hours": 1,
        "min_recommendation_requests_per_second": 3,
        "exploration_weight": 0.7,
        "exploration_item_age_cut_off": 7,
        "excluded_columns": {"ITEMS": ["GENRES"]},
    }
    made = Deployable.of("TopPicks", settings)
    synthesised = _synthesise("TopPicks", json.dumps(settings))
    for logical_id, resource in synthesised.resources.items():
        if resource["Type"].startswith("Custom::"):
            assert made.resources[logical_id] == resource


def test_everything_is_a_string_and_comes_in_the_order_of_dependencies(stack: Stack) -> None:
    script = _create(stack)
    kinds = [event["ResourceType"] for event in script.events]
    assert kinds == [*[SWEEP_TYPE] * 3, RECOMMENDER_TYPE, *[TRAINING_GATE_TYPE] * 3]
    properties = script.events[3]["ResourceProperties"]
    assert properties["Running"] == "true"
    assert properties["Config"]["MinRecommendationRequestsPerSecond"] == "1"
    assert script.events[-1]["ResourceProperties"]["RecommenderArn"] == "x"
    assert all(CANARY in event["ResponseURL"] for event in script.events)
    stack.delete()
    deleted = [event["ResourceType"] for event in script.events[7:]]
    assert deleted == kinds[::-1]


def test_is_complete_gets_the_request_and_what_on_event_returned(stack: Stack) -> None:
    script = _create(stack, waits=3)
    event = script.polled[-1]
    assert event["RequestType"] == "Create"
    assert event["PhysicalResourceId"] == "the-id"
    assert event["Kept"] == {"Number": 1}
    assert isinstance(event["Kept"]["Number"], int), "JavaScript has no 1.0"


@pytest.mark.parametrize("how", ["raises", "fails"])
def test_a_failed_create_is_deleted_by_the_id_that_was_answered_or_swallowed(
    stack: Stack, how: str
) -> None:
    script = _create(stack, **{how: "no"})
    assert stack.status == "ROLLBACK_COMPLETE"
    (request,) = (one for one in stack.sent(SWEEP_TYPE) if one.type == "Delete")
    answered = CREATE_FAILED_MARKER if how == "raises" else "the-id"
    assert request.event["PhysicalResourceId"] == answered
    reached = [event for event in script.events if event["RequestType"] == "Delete"]
    assert len(reached) == (0 if how == "raises" else 1)


def test_a_missing_attribute_fails_the_deployment(stack: Stack) -> None:
    _create(stack, data={key: "x" for key in ALL if key != "Coverage"})
    assert stack.status == "ROLLBACK_COMPLETE"


def test_an_attribute_that_is_no_string_fails_the_deployment(stack: Stack) -> None:
    _create(stack, data={**ALL, "Arn": 5})
    assert "doesn't contain Arn" in texts(stack)


def test_an_answer_that_is_too_long_is_a_failure(stack: Stack) -> None:
    _create(stack, data={**ALL, "Other": "ü" * 2000})
    assert stack.status == "ROLLBACK_FAILED", "so is the answer to the Delete"
    assert "Response object is too long" in texts(stack)


def test_an_id_that_changes_in_a_deletion_is_a_failure(stack: Stack, world: World) -> None:
    script = _create(stack)

    def changed(function: str, event: Event, handler: Any) -> Any:
        answer = dict(handler(event))
        return answer | ({"PhysicalResourceId": "other"} if function == "on_event" else {})

    world.cloud.around = changed
    assert stack.delete() == "DELETE_FAILED"
    assert "cannot change the physical resource ID" in texts(stack)
    assert script.polled[-1]["RequestType"] == "Create"


def test_an_hour_is_all_that_a_request_has_but_its_waiter_goes_on(
    stack: Stack, world: World
) -> None:
    script = Scripted(data=ALL, waits=60)
    stack.handlers = script
    started = world.clock.now
    template = Deployable.of("TopPicks", settings_of())
    logical_id = template.ids_of(SWEEP_TYPE)[0]
    stack.create(template.patched(logical_id, ServiceTimeout=600))
    assert "did not receive a response" in texts(stack)
    assert world.clock.now - started <= 20 * MINUTE
    world.cloud.drain()
    assert world.clock.now - started > 30 * MINUTE
    (create,) = stack.sent(SWEEP_TYPE, "Create")
    assert create.outcome and not create.outcome.succeeded
    assert create.answers, "which nobody listens to"


def test_a_waiter_gives_up_after_as_many_attempts_as_make_an_hour(
    stack: Stack, world: World
) -> None:
    script = Scripted(data=ALL, waits=1000)
    stack.handlers = script
    template = Deployable.of("TopPicks", settings_of())
    stack.create(template, sibling_fails=MINUTE, wait=False)
    world.cloud.run_for(2 * HOUR)
    creates = [event for event in script.polled if event["RequestType"] == "Create"]
    assert len(creates) == 61


def test_a_cancelled_creation_is_deleted_by_an_invented_id(stack: Stack) -> None:
    stack.handlers = Scripted(data=ALL, waits=2)
    assert stack.create(settings_of(), sibling_fails=30.0) == "ROLLBACK_COMPLETE"
    (request,) = stack.sent(SWEEP_TYPE, "Delete")
    assert request.event["PhysicalResourceId"].startswith("TopPicks-RecommenderSweepsSweep01")


def test_clean_up_tries_three_times_and_then_forgets(stack: Stack, world: World) -> None:
    _create(stack)

    def broken(_function: str, event: Event, handler: Any) -> Any:
        if event["RequestType"] == "Delete":
            raise RuntimeError("no")
        return handler(event)

    world.cloud.around = broken
    assert stack.update(settings_of(max_training_hours=1.8)) == "UPDATE_COMPLETE"
    attempts = [request.logical_id for request in stack.sent(SWEEP_TYPE, "Delete")]
    assert len(attempts) == 3
    assert len(set(attempts)) == 1


def test_an_event_whose_function_dies_comes_again_twice(stack: Stack, world: World) -> None:
    times: list[float] = []

    def dies(function: str, event: Event, handler: Any) -> Any:
        if function == "on_event" and event["RequestType"] == "Create":
            times.append(world.clock.now)
            raise FunctionKilledError(framework=True)
        return handler(event)

    world.cloud.around = dies
    _create(stack)
    assert [time - times[0] for time in times] == [0, 60, 180]
    assert "did not receive a response" in texts(stack)
