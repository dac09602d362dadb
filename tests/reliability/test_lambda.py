"""What Lambda and Step Functions can do: throttle, kill, deliver twice or late, and stop."""

import functools
import itertools
import re
from collections.abc import Callable
from typing import Any, Final

import pytest

from lambdas.recommender.protocol.answer import Delivery
from lambdas.recommender.vocabulary import RECOMMENDER_TYPE, TRAINING_GATE_TYPE
from tests.reliability.calls import refuse
from tests.reliability.faults import each_once
from tests.reliability.lifecycles import EVERY_CALL, GOOD, LIFECYCLES, prepared, wrong_with
from tests.reliability.world import HOUR, MINUTE, World, settings_of, texts
from tests.support.cloudformation import FunctionKilledError, SentRequest, ThrottledError
from tests.support.serverless import Event
from tests.support.synthesis import ROOT, Deployable

pytestmark = pytest.mark.sweep

Invoke = Callable[[], Any]


def _throttled(world: World, invoke: Invoke) -> Any:
    del world, invoke
    raise ThrottledError


def _killed(world: World, invoke: Invoke) -> Any:
    del world, invoke
    raise FunctionKilledError


def _killed_after(world: World, invoke: Invoke) -> Any:
    del world
    invoke()
    raise FunctionKilledError


def _out_of_time_after(world: World, invoke: Invoke) -> Any:
    invoke()
    world.clock.advance(16 * MINUTE)
    raise FunctionKilledError


def _delivered_again(later: float, world: World, invoke: Invoke) -> Any:
    result = invoke()
    request = world.cloud.invocations[-1].request
    world.cloud.timeline.after(later, functools.partial(world.cloud.deliver, request))
    return result


WAYS: Final[dict[str, Callable[[World, Invoke], Any]]] = {
    "throttled": _throttled,
    "killed before it acts": _killed,
    "killed after it has acted": _killed_after,
    "out of time after it has acted": _out_of_time_after,
    "delivered twice": functools.partial(_delivered_again, 1.0),
    "delivered again minutes later": functools.partial(_delivered_again, 4 * MINUTE),
}


@pytest.mark.rows("L1", "L2", "L5", "T1")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("lifecycle", EVERY_CALL)
def test_a_lifecycle_in_which_one_invocation_fails_ends_well(
    lifecycle: str, way: str, record_property: Callable[[str, object], None]
) -> None:
    times, wrong = each_once(
        lifecycle, lambda world, nth: _once(world, nth, way), creations=_creations(lifecycle)
    )
    record_property("cells", times)
    assert times > 2
    assert wrong == {}


def _once(world: World, nth: int, way: str) -> Callable[[], bool]:
    """Let the nth invocation go wrong, and return whether it has."""
    numbers = itertools.count(1)
    happened: list[int] = []

    def around(_function: str, _event: Event, invoke: Invoke) -> Any:
        if (number := next(numbers)) == nth:
            happened.append(number)
            return WAYS[way](world, invoke)
        return invoke()

    world.cloud.around = around
    return lambda: bool(happened)


def _creations(lifecycle: str) -> int:
    """Return how many recommenders a lifecycle creates: one that is rolled back may do it again."""
    return 2 if "replace" in lifecycle else 1


# -- throttled -----------------------------------------------------------------------------------


@pytest.mark.rows("L1")
@pytest.mark.parametrize("lifecycle", LIFECYCLES)
def test_a_begin_that_is_throttled_for_twenty_minutes_ends_nothing(lifecycle: str) -> None:
    """As polls do, in `test_crashes.py`."""
    world = prepared(lifecycle)
    started = world.clock.now

    def throttled(invoked: str, _event: Event, invoke: Invoke) -> Any:
        if invoked == "begin" and world.clock.now < started + 20 * MINUTE:
            raise ThrottledError
        return invoke()

    world.cloud.around = throttled
    assert LIFECYCLES[lifecycle](world) in GOOD, texts(world.stack)
    assert wrong_with(world, lifecycle, GOOD) == ""


@pytest.mark.rows("L8")
def test_two_hundred_requests_in_the_same_second_under_a_concurrency_of_ten(world: World) -> None:
    """The sweeps of eighteen stacks are created and deleted at once."""
    world.behaviour.recommenders_per_dataset_group = world.behaviour.recommenders_per_region = 20
    template = Deployable.of("TopPicks", {"max_training_hours": 10})
    stacks = [world.stack, *(world.cloud.stack(f"Picks{number}") for number in range(17))]
    busy: dict[float, int] = {}
    refused = itertools.count()

    def limited(_function: str, _event: Event, invoke: Invoke) -> Any:
        now = world.clock.now
        busy[now] = busy.get(now, 0) + 1
        if busy[now] > 10:
            next(refused)
            raise ThrottledError
        return invoke()

    world.cloud.around = limited
    for stack in stacks:
        stack.create(template, wait=False)
    world.cloud.finish()
    assert {stack.status for stack in stacks} == {"CREATE_COMPLETE"}
    for stack in stacks:
        stack.delete(wait=False)
    world.cloud.finish()
    assert {stack.status for stack in stacks} == {"DELETE_COMPLETE"}
    assert next(refused) > 200, "the limit is felt"


# -- the execution -------------------------------------------------------------------------------


@pytest.mark.rows("L3")
def test_an_execution_that_is_stopped_by_hand_fails_its_request_and_nothing_else(
    world: World,
) -> None:
    world.created()
    world.behaviour.update_in_progress = 30 * MINUTE
    world.stack.update(settings_of(exploration_weight=0.7), wait=False)
    world.cloud.run_for(5 * MINUTE)
    (gate,) = [one for one in world.cloud.executions(world.stack) if one.status == "RUNNING"]
    gate.stop()
    world.cloud.finish()
    assert world.stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "did not receive a response" in texts(world.stack)
    world.updated(exploration_weight=0.7)


@pytest.mark.rows("L3", "TH6")
@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "StateMachineDoesNotExist", "Throttling"]
)
def test_an_execution_that_cannot_be_started_fails_the_request_in_minutes_by_its_reason(
    world: World, code: str
) -> None:
    world.cloud.before = refuse("StartExecution", code)
    started = world.clock.now
    assert world.failed() == []
    assert f"StartExecution: {code}" in texts(world.stack)
    assert world.clock.now - started < 15 * MINUTE


@pytest.mark.rows("L6", "D3")
@pytest.mark.parametrize("dated", [True, False])
def test_a_request_id_that_was_used_before_goes_through_in_a_later_operation(
    world: World, dated: bool
) -> None:
    world.cloud.dates_urls = dated
    world.cloud.new_request_id = lambda: "00000000-0000-0000-0000-00000000aaaa"
    world.created()
    world.updated(exploration_weight=0.7)
    world.updated(dataset_group_arn=world.other_group)
    world.deleted()
    assert world.owned == []


@pytest.mark.rows("L7")
@pytest.mark.parametrize("minutes", [3, 25])
@pytest.mark.parametrize("lifecycle", LIFECYCLES)
def test_a_request_that_is_delivered_minutes_late_goes_through(
    lifecycle: str, minutes: float
) -> None:
    world = prepared(lifecycle)
    world.cloud.deliveries = lambda event: (
        (minutes * MINUTE,) if event["ResourceType"] == RECOMMENDER_TYPE else (0.0,)
    )
    assert LIFECYCLES[lifecycle](world) in GOOD, texts(world.stack)
    assert "did not receive a response" not in texts(world.stack)
    assert wrong_with(world, lifecycle, GOOD) == ""


@pytest.mark.rows("L7", "T3")
def test_a_gate_that_is_begun_late_still_hands_over_before_cloudformation_gives_up(
    world: World,
) -> None:
    """Its hour began when CloudFormation sent the request, as the ResponseURL says."""
    world.behaviour.create_in_progress = 2 * HOUR
    world.cloud.deliveries = lambda event: (
        (20 * MINUTE,) if event["ResourceType"] == TRAINING_GATE_TYPE else (0.0,)
    )
    assert world.create() == "CREATE_COMPLETE", texts(world.stack)


@pytest.mark.rows("D5", "L7")
def test_an_update_that_comes_after_a_newer_one_has_begun_is_dropped(world: World) -> None:
    """When a request was sent, its ResponseURL says; when an operation began, the stack does."""
    world.created()
    world.clock.advance(HOUR)
    world.cloud.deliveries = lambda _event: ()
    world.stack.update(settings_of(exploration_weight=0.9), wait=False)
    world.cloud.run_for(5 * MINUTE)
    (lost,) = world.stack.sent(RECOMMENDER_TYPE, "Update")
    world.cloud.deliveries = lambda _event: (0.0,)
    world.cloud.finish()
    assert world.stack.status == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)
    started = world.clock.now
    world.stack.update(settings_of(exploration_weight=0.7), wait=False)
    world.cloud.deliver(lost, at_any_age=True)
    world.cloud.finish()
    world.cloud.drain()
    assert world.stack.status == "UPDATE_COMPLETE", texts(world.stack)
    assert world.changes(since=started) == ["UpdateRecommender"]
    assert world.exploration_weight == "0.7"


# -- the answer ----------------------------------------------------------------------------------


@pytest.mark.rows("R1", "R3", "L4")
@pytest.mark.parametrize("times", [1, 40])
@pytest.mark.parametrize("lifecycle", LIFECYCLES)
def test_an_answer_that_does_not_arrive_is_put_again_the_same(lifecycle: str, times: int) -> None:
    world = prepared(lifecycle)
    bodies: dict[str, list[bytes]] = {}

    def unreliable(request: SentRequest, body: bytes) -> Delivery | None:
        mine = bodies.setdefault(request.event["ResponseURL"], [])
        mine.append(body)
        return Delivery.LATER if len(mine) <= times else None

    world.cloud.put_answer = unreliable
    assert LIFECYCLES[lifecycle](world) in GOOD, texts(world.stack)
    assert {len(mine) for mine in bodies.values()} == {times + 1}
    assert all(len(set(mine)) == 1 for mine in bodies.values())


@pytest.mark.rows("L4", "R3")
def test_an_answer_that_arrived_though_its_function_died_is_put_again_the_same(
    world: World,
) -> None:
    def dies(function: str, _event: Event, invoke: Invoke) -> Any:
        state = invoke()
        if function == "poll" and state["Ended"] and len(died) < 3:
            died.append(state)
            raise FunctionKilledError
        return state

    died: list[Event] = []
    world.cloud.around = dies
    world.created()
    (create,) = world.stack.sent(RECOMMENDER_TYPE, "Create")
    assert len(create.answers) > 1
    assert len(set(create.answers)) == 1


@pytest.mark.rows("R2", "L4")
@pytest.mark.parametrize("lifecycle", ["create", "update", "replace"])
def test_an_answer_that_is_refused_for_good_is_not_put_again_and_all_can_be_removed(
    lifecycle: str,
) -> None:
    world = prepared(lifecycle)
    puts: list[str] = []

    def expired(request: SentRequest, _body: bytes) -> Delivery | None:
        if request.event["ResourceType"] != RECOMMENDER_TYPE or request.type == "Delete":
            return None
        puts.append(request.event["ResponseURL"])
        return Delivery.REFUSED

    world.cloud.put_answer = expired
    LIFECYCLES[lifecycle](world)
    assert "did not receive a response" in texts(world.stack)
    assert len(puts) == len(set(puts))
    world.cloud.put_answer = lambda _request, _body: None
    if world.stack.status == "UPDATE_ROLLBACK_FAILED":
        assert world.stack.roll_back() == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)
    assert world.stack.status == "ROLLBACK_COMPLETE" or world.stack.delete() == "DELETE_COMPLETE"
    assert world.owned == []


@pytest.mark.rows("S1", "S2", "S8")
def test_only_the_execution_s_state_has_the_url(world: World) -> None:
    """Not its name; and a reason never has it, which the invariants check for every answer."""
    world.created()
    executions = world.cloud._state_machines[world.stack.id].executions
    gates = world.stack.sent("Custom::RecommenderTraining")
    assert len(executions) == len(gates) + 1, "each gate's, and the recommender's"
    for name, execution in executions.items():
        assert re.fullmatch("[0-9a-f]{64}", name)
        assert "ResponseURL" in execution.given


@pytest.mark.rows("R5")
@pytest.mark.parametrize(
    ("modules", "importer"),
    [("urllib\\.request|http|requests|ssl", "answer.py"), ("socket", "errors.py")],
    ids=["opens a URL", "asks the DNS"],
)
def test_one_module_alone(modules: str, importer: str) -> None:
    sources = {path.name: path.read_text() for path in (ROOT / "lambdas").rglob("*.py")}
    importing = re.compile(rf"^\s*(from|import) ({modules})\b", re.M)
    assert [name for name, source in sources.items() if importing.search(source)] == [importer]
