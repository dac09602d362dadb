"""Functions that die, polls that fail to come, answers that are late."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.recommender.vocabulary import RECOMMENDER_TYPE, TRAINING_GATE_TYPE
from tests.reliability.calls import lose
from tests.reliability.faults import each_once
from tests.reliability.lifecycles import (
    EVERY_CALL,
    GOOD,
    LIFECYCLES,
    REPAIRABLE,
    prepared,
    wrong_with,
)
from tests.reliability.world import HOUR, MINUTE, REPLACEMENT, World, texts
from tests.support.cloudformation import FunctionKilledError

pytestmark = pytest.mark.sweep


@pytest.mark.rows("T1")
@pytest.mark.parametrize("lifecycle", EVERY_CALL)
def test_a_function_that_is_killed_after_any_call_costs_no_recommender(
    lifecycle: str, record_property: Callable[[str, object], None]
) -> None:
    """Before a call is after the one before it; before the first one, it is in `test_lambda.py`."""

    def kill(world: World, nth: int) -> Callable[[], bool]:
        calls = itertools.count(1)

        def after(*_: object) -> None:
            if next(calls) == nth:
                raise FunctionKilledError

        world.cloud.after = after
        return lambda: next(calls) > nth

    times, wrong = each_once(lifecycle, kill)
    record_property("cells", times)
    assert times > 2
    assert wrong == {}


@pytest.mark.rows("T4", "RB3")
@pytest.mark.parametrize("lost", [0, 3])
def test_a_create_that_nobody_answers_is_deleted_by_an_invented_id(world: World, lost: int) -> None:
    def silent(function: str, event: Any, invoke: Callable[[], Any]) -> Any:
        state = invoke()
        create = event["ResourceType"] == RECOMMENDER_TYPE and event["RequestType"] == "Create"
        if create and function == "poll":
            raise FunctionKilledError
        return state

    world.cloud.around = silent
    world.cloud.after = lose("CreateRecommender", lost)
    assert world.failed() == REPLACEMENT
    assert "did not receive a response" in texts(world.stack)
    (deleted,) = world.stack.sent(RECOMMENDER_TYPE, "Delete")
    assert deleted.event["PhysicalResourceId"].startswith("TopPicks-RecommenderB6541FB9-")


@pytest.mark.rows("T4")
@pytest.mark.parametrize("seconds", [3590.0, 3601.0])
def test_an_answer_that_is_late_leaves_nothing_behind(world: World, seconds: float) -> None:
    """The last poll of the recommender's Create takes this long to be made."""

    def slow(function: str, event: Any, invoke: Callable[[], Any]) -> Any:
        create = event["ResourceType"] == RECOMMENDER_TYPE and event["RequestType"] == "Create"
        if create and function == "poll" and world.clock.now < started + seconds:
            raise FunctionKilledError
        return invoke()

    started = world.clock.now + 5
    world.cloud.around = slow
    status = world.create()
    if status == "CREATE_COMPLETE":
        assert world.recommender["status"] == "ACTIVE"
    else:
        assert status == "ROLLBACK_COMPLETE"
        assert world.owned == []


@pytest.mark.rows("T5")
@pytest.mark.parametrize("lifecycle", LIFECYCLES)
def test_polls_that_do_not_come_for_half_an_hour_change_nothing(lifecycle: str) -> None:
    def outage(function: str, _event: Any, invoke: Callable[[], Any]) -> Any:
        if function == "poll" and started + 90 < world.clock.now < started + 31 * MINUTE:
            raise FunctionKilledError
        return invoke()

    world = prepared(lifecycle)
    started = world.clock.now
    world.cloud.around = outage
    assert LIFECYCLES[lifecycle](world) in GOOD, texts(world.stack)
    world.invariants.check()


@pytest.mark.rows("T5")
def test_polls_that_take_long_do_not_make_a_gate_miss_its_deadline(world: World) -> None:
    """The waiter counts attempts, not time: sixty of them with ten seconds each are too many."""

    def slow(function: str, event: Any, invoke: Callable[[], Any]) -> Any:
        if function == "poll" and event["ResourceType"] == TRAINING_GATE_TYPE:
            world.clock.advance(10)
        return invoke()

    world.behaviour.create_in_progress = 2.4 * HOUR
    world.cloud.around = slow
    assert world.create(max_training_hours=2.5) == "CREATE_COMPLETE", texts(world.stack)


@pytest.mark.rows("T7")
@pytest.mark.parametrize(
    ("lifecycle", "ends"),
    [
        ("create", "ROLLBACK_FAILED"),
        ("update", "UPDATE_ROLLBACK_FAILED"),
        ("replace", "UPDATE_ROLLBACK_FAILED"),
        ("stop", "UPDATE_ROLLBACK_FAILED"),
        ("delete", "DELETE_FAILED"),
    ],
)
def test_functions_that_cannot_start_cost_nothing(lifecycle: str, ends: str) -> None:
    def broken(_function: str, _event: Any, _invoke: Callable[[], Any]) -> Any:
        raise RuntimeError("Runtime.InvalidEntrypoint")

    world = prepared(lifecycle)
    started = world.clock.now
    world.cloud.around = broken
    assert LIFECYCLES[lifecycle](world) == ends
    assert "did not receive a response" in texts(world.stack)
    assert world.changes(since=started) == []
    world.heal()
    if world.stack.status == "UPDATE_ROLLBACK_FAILED":
        assert world.stack.roll_back() == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)
    assert wrong_with(world, lifecycle, REPAIRABLE) == ""
