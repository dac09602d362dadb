"""Hours of service: whatever Scheduler does meanwhile, a deployment ends as its hour wants."""

from datetime import UTC, datetime
from typing import Any

import pytest

from local_aws.personalize import Behaviour
from tests.reliability.world import HOUR, MINUTE, QUICK, World, texts

DAILY = "cron({minute} {hour} * * ? *)"


def hours(world: World, *, start: float, stop: float) -> dict[str, Any]:
    """Return hours whose start and stop are so many minutes from now, every day."""

    def cron(minutes: float) -> str:
        at = datetime.fromtimestamp(world.clock.now + minutes * MINUTE, UTC)
        return DAILY.format(minute=at.minute, hour=at.hour)

    return {"active_hours": {"start": cron(start), "stop": cron(stop), "time_zone": "UTC"}}


def resting(world: World) -> dict[str, Any]:
    """Return hours that began and ended hours ago."""
    return hours(world, start=-12 * 60, stop=-6 * 60)


def working(world: World) -> dict[str, Any]:
    """Return hours that have begun, and last for hours."""
    return hours(world, start=-6 * 60, stop=6 * 60)


def scheduled(world: World, *outcomes: str) -> list[str]:
    """Return what Scheduler has called, with these outcomes or all."""
    return [
        call.operation
        for call in world.cloud.scheduler.calls
        if not outcomes or call.outcome in outcomes
    ]


@pytest.mark.rows("H1")
@pytest.mark.parametrize(
    ("when", "status", "calls"),
    [(working, "ACTIVE", []), (resting, "INACTIVE", ["StopRecommender"])],
    ids=["in hours", "out of hours"],
)
def test_a_first_deployment_is_trained_and_ends_as_its_hour_wants(
    world: World, when: Any, status: str, calls: list[str]
) -> None:
    assert world.created(**when(world)) == ["CreateRecommender", *calls]

    assert world.recommender["status"] == status
    assert float(world.stack.outputs["Coverage"]) > 0


@pytest.mark.rows("H2")
@pytest.mark.parametrize(
    ("when", "status", "calls"),
    [
        (working, "ACTIVE", ["UpdateRecommender"]),
        (resting, "INACTIVE", ["StartRecommender", "UpdateRecommender", "StopRecommender"]),
    ],
    ids=["in hours", "out of hours"],
)
def test_an_update_out_of_hours_starts_it_before_and_stops_it_again(
    world: World, when: Any, status: str, calls: list[str]
) -> None:
    given = when(world)
    world.created(**given)
    assert world.updated(**given, exploration_weight=0.7) == calls
    assert world.recommender["status"] == status


@pytest.mark.rows("H2")
@pytest.mark.parametrize("when", [working, resting], ids=["in hours", "out of hours"])
def test_an_update_that_fails_is_undone_and_its_state_is_its_hours(world: World, when: Any) -> None:
    given = when(world)
    world.created(**given)
    before = world.recommender["status"]
    world.behaviour.update_failure = "no capacity"

    world.failed(**given, exploration_weight=0.7)

    assert world.recommender["status"] == before
    assert world.exploration_weight == "0.3"


@pytest.mark.rows("H3", "H7")
def test_day_after_day_it_is_started_and_stopped_and_no_deployment_is_needed(world: World) -> None:
    """`tests/infrastructure/test_hours.py` has the grants of the schedules' role: these calls."""
    world.created(**hours(world, start=4 * 60, stop=-4 * 60))
    seen = []
    for _ in range(48):
        world.cloud.run_for(HOUR)
        seen.append(world.recommender["status"])

    assert seen.count("ACTIVE") == 2 * 16
    assert seen.count("INACTIVE") == 2 * 8
    assert scheduled(world, "OK") == ["startRecommender", "stopRecommender"] * 2
    assert {call.arn for call in world.cloud.scheduler.calls} == {world.arn}


@pytest.mark.rows("H3")
@pytest.mark.parametrize("first", ["start", "stop"])
@pytest.mark.parametrize("minutes", range(1, 25, 4))
def test_the_hour_may_change_at_any_moment_of_an_update(
    world: World, first: str, minutes: int
) -> None:
    away = {"start": -6 * 60, "stop": -6 * 60, first: 60 + minutes}
    given = hours(world, start=away["start"], stop=away["stop"])
    world.created(**given)
    world.cloud.run_for(given_until(world, first) - minutes * MINUTE)

    world.updated(**given, exploration_weight=0.7)
    world.cloud.run_for(HOUR)

    assert world.recommender["status"] == ("ACTIVE" if first == "start" else "INACTIVE")
    assert world.exploration_weight == "0.7"


def given_until(world: World, first: str) -> float:
    """Return how many seconds it is until the next call of a kind."""
    properties = [
        one.properties
        for one in world.stack.existing
        if one.type == "AWS::Scheduler::Schedule"
        and one.properties["Target"]["Arn"].endswith(f":{first}Recommender")
    ]
    minute, hour = properties[0]["ScheduleExpression"].removeprefix("cron(").split()[:2]
    now = datetime.fromtimestamp(world.clock.now, UTC)
    wait = (int(hour) * 60 + int(minute) - now.hour * 60 - now.minute) % (24 * 60)
    return wait * MINUTE - now.second


@pytest.mark.rows("H4")
def test_a_stop_that_comes_during_an_update_is_tried_again_when_that_has_ended() -> None:
    world = World(Behaviour(**(QUICK | {"update_in_progress": 40 * MINUTE})))
    given = hours(world, start=-6 * 60, stop=60)
    world.created(**given)
    world.cloud.run_for(given_until(world, "stop") - 5 * MINUTE)

    world.updated(**given, exploration_weight=0.7)
    world.cloud.run_for(HOUR)

    assert "stopRecommender" in scheduled(world, "ResourceInUseException")
    assert world.recommender["status"] == "INACTIVE"
    world.cloud.drain()
    world.invariants.check()


@pytest.mark.rows("H5")
def test_the_schedules_follow_a_replacement_when_it_is_ready(world: World) -> None:
    given = hours(world, start=-6 * 60, stop=3 * 60)
    world.created(**given)
    old = world.arn

    world.updated(**given, dataset_group_arn=world.other_group)
    new = world.arn
    world.cloud.run_for(4 * HOUR)

    assert new != old
    assert [(call.operation, call.arn) for call in world.cloud.scheduler.calls] == [
        ("stopRecommender", new)
    ]
    assert world.recommender["status"] == "INACTIVE"


@pytest.mark.rows("H5")
def test_while_a_replacement_trains_the_old_one_keeps_its_hours(world: World) -> None:
    given = hours(world, start=-6 * 60, stop=60)
    world.created(**given)
    old = world.arn
    world.behaviour.create_in_progress = 2 * HOUR
    world.behaviour.training_failure = "too few interactions"

    world.failed(**given, dataset_group_arn=world.other_group)
    assert world.arn == old
    assert world.recommender["status"] == "INACTIVE"
    assert scheduled(world) == ["stopRecommender"]


@pytest.mark.rows("H6")
def test_hours_are_given_changed_and_taken_away(world: World) -> None:
    world.created()
    off, on = resting(world), working(world)

    for given, status in ((off, "INACTIVE"), (on, "ACTIVE"), (off, "INACTIVE"), ({}, "ACTIVE")):
        world.updated(**given)
        assert world.recommender["status"] == status
    assert not any("Scheduler" in one.type for one in world.stack.resources.values())


@pytest.mark.rows("H6")
def test_hours_whose_deployment_is_undone_leave_it_as_it_was(world: World) -> None:
    world.created()

    assert world.undone(**resting(world)) == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)

    assert world.recommender["status"] == "ACTIVE"
    assert not any("Scheduler" in one.type for one in world.stack.resources.values())


@pytest.mark.rows("H6")
@pytest.mark.parametrize("when", [working, resting], ids=["in hours", "out of hours"])
def test_a_stack_with_hours_is_deleted_in_either_state(world: World, when: Any) -> None:
    world.created(**when(world))

    world.deleted()

    assert world.owned == []
    world.cloud.run_for(48 * HOUR)
    assert scheduled(world) == []
