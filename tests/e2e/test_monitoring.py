"""The observer on the local AWS, with the role and the schedule's input that were deployed.

The local engine fires no schedule and makes no metrics of lines of the log: `local_aws.monitoring`
invokes what the schedule would, and `metrics_of` reads the line as CloudWatch would.
"""

import json
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from local_aws import monitoring
from local_aws.engine import LocalAwsError
from local_aws.report import leftovers
from tests.support.local_world import STACK, LocalWorld, until
from tests.support.metrics import metrics_of

ON = {"monitoring": True, "alarm_email": "on-call@example.com"}
READS = {"DescribeRecommender", "ListRecommenders", "ListTagsForResource"}


def observed(world: LocalWorld) -> dict[str, Any]:
    """Invoke the observer, and return its line, which must be one that CloudWatch takes."""
    before = len(world.personalize_journal())
    (line,) = monitoring.observe(world.aws, STACK)
    assert [*metrics_of(json.dumps(line))] == [
        (v.NAMESPACE, v.DIMENSION, f"{STACK}/Recommender"),
    ]
    calls = {call["operation"] for call in world.personalize_journal()[before:]}
    assert calls == READS
    return line


def test_the_observer_sees_what_is_there_and_what_is_edited_behind_its_back(
    world: LocalWorld,
) -> None:
    deployed = world.cdk("deploy", STACK, context=ON)
    assert deployed.returncode == 0, deployed.stdout
    first = observed(world)
    assert (first[v.ACTIVE], first[v.DRIFT], first[v.LEFTOVERS]) == (1, 0, 0)
    outputs = world.outputs()
    assert first["RecommenderArn"] == outputs["RecommenderArn"]
    for name in v.METRICS:
        assert first[name] == float(outputs[name])

    world.client("personalize").update_recommender(
        recommenderArn=outputs["RecommenderArn"],
        recommenderConfig={"itemExplorationConfig": {"explorationWeight": "0.9"}},
    )
    until(lambda: _weight(world) == "0.9")
    edited = observed(world)
    assert edited[v.DRIFT] == 1
    assert edited["Differs"] == [
        "itemExplorationConfig.explorationWeight: actual 0.9, expected 0.3"
    ]

    put_right = world.cdk("deploy", STACK, context=ON | {"force_update": 2})
    assert put_right.returncode == 0, put_right.stdout
    assert observed(world)[v.DRIFT] == 0

    changed = world.cdk("deploy", STACK, context=ON | {"exploration_weight": 0.5})
    assert changed.returncode == 0, changed.stdout
    assert observed(world)[v.DRIFT] == 0  # the schedule says what is wanted now

    alarms = world.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert len(alarms) == 10
    assert all(one["AlarmActions"] == one["OKActions"] != [] for one in alarms)
    (dashboard,) = world.client("cloudwatch").list_dashboards()["DashboardEntries"]
    shown = world.client("cloudwatch").get_dashboard(DashboardName=dashboard["DashboardName"])
    assert outputs["RecommenderArn"] in shown["DashboardBody"]

    off = world.cdk("deploy", STACK)
    assert off.returncode == 0, off.stdout
    assert monitoring.observe(world.aws, STACK) == []
    left = leftovers(world.aws)
    assert not left["alarms"] + left["dashboards"] + left["schedules"]
    world.destroy()
    assert not any(leftovers(world.aws).values())


def test_an_observer_that_fails_says_so(world: LocalWorld) -> None:
    deployed = world.cdk("deploy", STACK, context=ON)
    assert deployed.returncode == 0, deployed.stdout
    iam = world.client("iam")
    (role,) = [
        one["RoleName"]
        for one in iam.list_roles()["Roles"]
        if one["RoleName"].startswith(f"{STACK}-MonitoringRole")
    ]
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)

    with pytest.raises(LocalAwsError, match="AccessDenied"):
        monitoring.observe(world.aws, STACK)
    world.destroy()


def _weight(world: LocalWorld) -> str:
    (recommender,) = world.personalize_state()["recommenders"]
    exploration = recommender["recommenderConfig"]["itemExplorationConfig"]
    return str(exploration["explorationWeight"])
