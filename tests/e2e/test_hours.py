"""Hours of service: the local AWS keeps the schedules, and the test calls what they say."""

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.local_world import LocalWorld, operations, until

GATE = {
    "training_gate_minutes": 0.1,
    "max_training_hours": 0.004,
    "max_deletion_hours": 0.004,
}
"""Gates of 6 s, three of them, and as many sweeps."""

ZONE = "Asia/Kolkata"


def hours(*, start: int, stop: int) -> dict[str, Any]:
    """Return hours of every day whose start and stop are so many hours from now."""

    def cron(ahead: int) -> str:
        at = datetime.now(ZoneInfo(ZONE)) + timedelta(hours=ahead)
        return f"cron({at.minute} {at.hour} * * ? *)"

    return {"active_hours": {"start": cron(start), "stop": cron(stop), "time_zone": ZONE}}


def test_a_recommender_is_stopped_out_of_hours_and_started_in_them(world: LocalWorld) -> None:
    def status() -> str:
        return str(world.recommender["status"])

    resting = hours(start=-12, stop=-6)
    assert world.deployed(**GATE, **resting) == ["CreateRecommender", "StopRecommender"]
    assert status() == "INACTIVE"

    start, stop = schedules(world)
    arn = world.outputs()["RecommenderArn"]
    assert [one["Target"]["Arn"].rpartition(":")[2] for one in (start, stop)] == [
        "startRecommender",
        "stopRecommender",
    ]
    assert may(world, start["Target"]["RoleArn"], arn) == {
        "personalize:StartRecommender": True,
        "personalize:StopRecommender": True,
        "personalize:UpdateRecommender": False,
        "personalize:DeleteRecommender": False,
        "personalize:DescribeRecommender": False,
    }
    assert not any(may(world, start["Target"]["RoleArn"], f"{arn}2").values())

    call(world, start)
    until(lambda: status() == "ACTIVE")
    for command in ("drift", "status"):
        shown = operations(world, command)
        assert shown.returncode == 0, shown.stdout + shown.stderr
        assert "expected INACTIVE at this hour" in " ".join(shown.stdout.split())
    call(world, stop)
    until(lambda: status() == "INACTIVE")

    changed = {**GATE, "exploration_weight": 0.7}
    again = world.deployed(**changed, **resting)
    assert again == ["StartRecommender", "UpdateRecommender", "StopRecommender"]
    assert status() == "INACTIVE"

    assert world.deployed(**changed, **hours(start=-6, stop=6)) == ["StartRecommender"]
    assert status() == "ACTIVE"
    assert operations(world, "drift").returncode == 0

    world.destroy_all()


def schedules(world: LocalWorld) -> list[dict[str, Any]]:
    """Return the schedules, that of the start first."""
    scheduler = world.client("scheduler")
    named = scheduler.list_schedules()["Schedules"]
    found = [scheduler.get_schedule(Name=one["Name"], GroupName=one["GroupName"]) for one in named]
    return sorted(found, key=lambda one: str(one["Target"]["Arn"]))


def call(world: LocalWorld, schedule: dict[str, Any]) -> None:
    """Do what Scheduler does when a schedule fires: call the operation with the input."""
    operation = schedule["Target"]["Arn"].rpartition(":")[2]
    given = json.loads(schedule["Target"]["Input"])
    members = {name[0].lower() + name[1:]: value for name, value in given.items()}
    method = {"startRecommender": "start_recommender", "stopRecommender": "stop_recommender"}
    getattr(world.client("personalize"), method[operation])(**members)


def may(world: LocalWorld, role: str, resource: str) -> dict[str, bool]:
    """Return what a role may do to a resource."""
    actions = [
        f"personalize:{does}Recommender"
        for does in ("Start", "Stop", "Update", "Delete", "Describe")
    ]
    answer = world.client("iam").simulate_principal_policy(
        PolicySourceArn=role, ActionNames=actions, ResourceArns=[resource]
    )
    return {
        one["EvalActionName"]: one["EvalDecision"] == "allowed"
        for one in answer["EvaluationResults"]
    }
