"""Events that come twice, late, together, or in another order."""

from collections.abc import Callable
from typing import Any

import pytest

from lambdas.recommender.protocol.execution import Execution
from lambdas.recommender.vocabulary import RECOMMENDER_TYPE, TRAINING_GATE_TYPE
from tests.reliability.calls import lose, once
from tests.reliability.lifecycles import LIFECYCLES
from tests.reliability.world import HOUR, MINUTE, REPLACEMENT, World, texts
from tests.support.cloudformation import SentRequest
from tests.support.place import ACCOUNT, REGION
from tests.support.serverless import Event


def _thrice(_event: Event) -> tuple[float, ...]:
    return (0.0, 60.0, 180.0)


@pytest.mark.rows("D1", "D4", "X2")
def test_events_that_come_three_times_do_everything_once(world: World) -> None:
    world.cloud.deliveries = _thrice
    assert world.created() == ["CreateRecommender"]
    (create,) = world.stack.sent(RECOMMENDER_TYPE, "Create")
    assert world.updated(exploration_weight=0.7) == ["UpdateRecommender"]
    assert world.updated(exploration_weight=0.7, running=False) == ["StopRecommender"]
    assert world.updated(exploration_weight=0.7) == ["StartRecommender"]
    assert world.updated(dataset_group_arn=world.other_group) == REPLACEMENT
    assert world.deleted() == ["DeleteRecommender"]
    assert len({body for body in create.answers if b'"SUCCESS"' in body}) == 1


@pytest.mark.rows("D1", "RP1")
def test_a_replacement_s_events_that_come_three_times_are_rolled_back_once(world: World) -> None:
    world.cloud.deliveries = _thrice
    world.created()
    old = world.recommender
    assert world.cancelled(5 * MINUTE, dataset_group_arn=world.other_group) == REPLACEMENT
    assert world.recommender == old


@pytest.mark.rows("D1", "C7")
@pytest.mark.parametrize("lifecycle", ["create", "replace"])
def test_a_training_that_has_failed_is_not_begun_anew_by_a_second_delivery(
    world: World, lifecycle: str
) -> None:
    """It would be deleted for that, and take the service's reason with it."""
    if lifecycle == "replace":
        world.created()
    started = world.clock.now
    world.cloud.deliveries = _thrice
    world.behaviour.training_failure = "too few interactions"
    world.behaviour.create_pending, world.behaviour.create_in_progress = 10.0, 165.0
    assert LIFECYCLES[lifecycle](world).endswith("ROLLBACK_COMPLETE")
    assert "CREATE FAILED: too few interactions" in texts(world.stack)
    assert world.changes(since=started) == REPLACEMENT


@pytest.mark.rows("D2", "C2")
def test_of_two_deliveries_at_once_one_creates_and_the_other_sees_it(world: World) -> None:
    def meanwhile() -> None:
        (create,) = world.stack.sent(RECOMMENDER_TYPE, "Create")
        world.cloud.deliver(create)

    world.cloud.before = once("CreateRecommender", meanwhile)
    world.created()
    assert world.attempts("CreateRecommender").count("OK") == 1
    assert world.recommender["status"] == "ACTIVE"


@pytest.mark.rows("D2")
def test_of_two_updates_at_once_one_is_made(world: World) -> None:
    def meanwhile() -> None:
        (update,) = world.stack.sent(RECOMMENDER_TYPE, "Update")
        world.cloud.deliver(update)

    world.created()
    world.cloud.before = once("UpdateRecommender", meanwhile)
    world.updated(exploration_weight=0.7)
    assert world.attempts("UpdateRecommender").count("OK") == 1


@pytest.mark.rows("D3", "D4")
@pytest.mark.parametrize("then", ["nothing", "delete"])
def test_a_create_that_comes_again_hours_later_does_nothing(world: World, then: str) -> None:
    world.created()
    (create,) = world.stack.sent(RECOMMENDER_TYPE, "Create")
    if then == "delete":
        world.deleted()
    started = world.clock.now
    world.clock.advance(5 * HOUR)
    world.cloud.deliver(create, at_any_age=True)
    world.cloud.drain()
    assert world.changes(since=started) == []


@pytest.mark.rows("D4")
def test_a_create_that_comes_again_while_the_stack_is_deleted_does_not_create(world: World) -> None:
    world.created()
    (create,) = world.stack.sent(RECOMMENDER_TYPE, "Create")
    world.stack.delete(wait=False)
    for _ in range(10):
        world.cloud.run_for(MINUTE)
        world.cloud.deliver(create, at_any_age=True)
    world.cloud.finish()
    assert world.stack.status == "DELETE_COMPLETE", texts(world.stack)
    assert world.changes() == ["CreateRecommender", "DeleteRecommender"]


@pytest.mark.rows("D4")
@pytest.mark.parametrize("wait", [2 * MINUTE, HOUR])
def test_an_update_or_a_deletion_that_comes_again_later_does_nothing(
    world: World, wait: float
) -> None:
    world.created()
    world.updated(dataset_group_arn=world.other_group)
    changed = {"dataset_group_arn": world.other_group, "exploration_weight": 0.7}
    world.updated(**changed)
    started = world.clock.now
    world.clock.advance(wait)
    for request in world.stack.sent(RECOMMENDER_TYPE):
        world.cloud.deliver(request, at_any_age=True)
    world.cloud.drain()
    assert world.changes(since=started) == []


@pytest.mark.rows("D5")
@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_an_old_request_that_comes_in_a_newer_update_loses(world: World, kind: str) -> None:
    world.created()
    if kind == "Update":
        world.updated(exploration_weight=0.2)
    (stale,) = world.stack.sent(RECOMMENDER_TYPE, kind)
    world.clock.advance(HOUR)
    _deliver_with_every_gate(world, stale)
    world.updated(exploration_weight=0.7)
    world.cloud.drain()
    assert world.exploration_weight == "0.7"


@pytest.mark.rows("D5")
def test_an_update_of_a_minute_ago_that_comes_in_a_newer_one_loses(world: World) -> None:
    world.created()
    world.clock.advance(HOUR)
    world.updated(tags={"team": "films"})
    (update,) = world.stack.sent(RECOMMENDER_TYPE, "Update")
    _deliver_with_every_gate(world, update)
    world.updated(tags={"team": "series"})
    world.cloud.drain()
    assert world.recommender["tags"]["team"] == "series"


def _deliver_with_every_gate(world: World, stale: SentRequest) -> None:

    def deliver(function: str, event: Event, invoke: Callable[[], Any]) -> Any:
        gate = event["ResourceType"] == TRAINING_GATE_TYPE
        if gate and function == "poll" and world.stack.is_busy:
            world.cloud.deliver(stale)
        return invoke()

    world.cloud.around = deliver


@pytest.mark.rows("D5", "RB5")
@pytest.mark.parametrize("seconds", [3.0, 30.0, 57.0, 58.0, 59.0, 60.0, 61.0, 62.0, 70.0, 200.0])
def test_an_update_that_comes_when_its_rollback_has_begun_is_undone(
    world: World, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first delivery: it cannot be told from the reversed Update, which came before it.

    So it does change something, and the reversed Update, which polls for two minutes, undoes it.
    About a minute later, both poll within a second or two, so that each is the first to see the
    other's change: they do not fight.
    """
    monkeypatch.setattr(Execution, "share", 1.0)
    world.invariants.forgives.add("stale")
    world.created()
    changed = len(world.changes())
    world.cloud.deliveries = lambda _: (
        seconds if world.stack.status == "UPDATE_IN_PROGRESS" else 0.0,
    )
    world.cancelled(1.0, exploration_weight=0.7)
    world.cloud.drain()
    assert len(world.changes()) - changed <= 2
    assert world.exploration_weight == "0.3"


@pytest.mark.rows("D5")
@pytest.mark.parametrize("minutes", [0.3, 2, 4])
def test_the_waiter_of_a_cancelled_update_loses_against_the_rollback(
    world: World, minutes: float
) -> None:
    """The update has to start the recommender first, so its waiter has steps to take."""
    world.created(running=False)
    started = world.clock.now
    world.cancelled(minutes * MINUTE, exploration_weight=0.7)
    (update, *_) = world.stack.sent(RECOMMENDER_TYPE, "Update")
    world.cloud.drain()
    assert update.answers, "the waiter has gone on"
    assert world.recommender["status"] == "INACTIVE"
    assert "UpdateRecommender" not in world.changes(since=started)[-1:]


@pytest.mark.rows("D5", "RB2")
def test_the_waiter_of_a_cancelled_creation_does_not_create_again(world: World) -> None:
    """Its dataset group is not ready, so its waiter goes on trying to create."""
    world.service.seed_dataset_group(ACCOUNT, REGION, "vod", status="CREATE IN_PROGRESS")
    world.cancelled(5 * MINUTE)
    world.service.seed_dataset_group(ACCOUNT, REGION, "vod")
    world.cloud.drain()
    assert world.changes() == []


@pytest.mark.rows("RB5")
def test_a_create_that_a_deletion_overtakes_leaves_nothing(world: World) -> None:
    """The call is in the air when its stack's creation is rolled back."""

    def meanwhile() -> None:
        world.stack.fail_sibling()
        world.cloud.run_for(MINUTE)

    world.cloud.before = once("CreateRecommender", meanwhile)
    world.failed()
    world.cloud.drain()
    assert world.owned == []


@pytest.mark.rows("RB2", "C2")
@pytest.mark.parametrize("seconds", [3.0, 30.0, 50.0])
def test_a_create_whose_answer_is_lost_and_that_is_cancelled_leaves_nothing(
    world: World, seconds: float
) -> None:
    world.cloud.after = lose("CreateRecommender", 3)
    world.cancelled(3 + seconds)
    assert world.owned == []
