"""The observer on the local AWS, with the role and the schedule's input that were deployed.

The local engine fires no schedule: `local_aws.monitoring` invokes what the schedule would.
"""

import json
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from local_aws import monitoring
from local_aws.engine import LocalAwsError
from local_aws.report import leftovers
from operations.account import READS as ACCOUNT_READS
from tests.support.local_world import STACK, LocalWorld, operations, until
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
    world.deployed(**ON)
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
    until(lambda: world.exploration_weight == "0.9")
    edited = observed(world)
    assert edited[v.DRIFT] == 1
    assert edited["Differs"] == [
        "itemExplorationConfig.explorationWeight: actual 0.9, expected 0.3"
    ]
    before = len(world.personalize_journal())
    drift = operations(world, "drift")
    assert drift.returncode == 1, drift.stdout + drift.stderr
    assert edited["Differs"][0] in drift.stdout
    assert f"npx cdk deploy {STACK} -c force_update=2" in drift.stdout
    assert operations(world, "status").returncode == 1
    calls = {call["operation"] for call in world.personalize_journal()[before:]}
    assert calls <= set(ACCOUNT_READS)

    assert "no changes" in world.deploy(**ON)[1]
    world.deployed(**ON, force_update=2)
    assert world.exploration_weight == "0.3"
    assert observed(world)[v.DRIFT] == 0
    again = operations(world, "drift")
    assert again.returncode == 0, again.stdout + again.stderr

    world.deployed(**ON, exploration_weight=0.5)
    assert observed(world)[v.DRIFT] == 0  # the schedule says what is wanted now

    alarms = world.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert len(alarms) == 10
    assert all(one["AlarmActions"] == one["OKActions"] != [] for one in alarms)
    (dashboard,) = world.client("cloudwatch").list_dashboards()["DashboardEntries"]
    shown = world.client("cloudwatch").get_dashboard(DashboardName=dashboard["DashboardName"])
    assert outputs["RecommenderArn"] in shown["DashboardBody"]

    world.deployed()
    assert monitoring.observe(world.aws, STACK) == []
    left = leftovers(world.aws)
    assert not left["alarms"] + left["dashboards"] + left["schedules"]
    world.destroy_all()


FAILED = "The latest retraining of the recommender has failed: it serves with an old model. "
WORSE = "At the latest change of the model, such as its weekly retraining, a metric fell by more "


def on(world: LocalWorld, description: str) -> bool:
    """Tell whether an alarm is on; others may be, by what the last hour's tests did."""
    return any(one.startswith(description) for one in monitoring.alarms(world.aws))


def test_a_retraining_that_fails_or_makes_the_model_worse_is_in_status_and_on_by_its_alarm(
    world: LocalWorld,
) -> None:
    settings = {"max_metric_regression": 0.05, "minimum_throughput_use": 0.5}
    world.deployed(**ON, **settings)
    arn = world.outputs()["RecommenderArn"]
    world.client("personalize-runtime").get_recommendations(recommenderArn=arn, userId="1")
    observed(world)
    assert observed(world)[v.METRICS_WORSE] == 0
    assert not on(world, FAILED)
    assert not on(world, WORSE)
    first = operations(world, "status")
    assert first.returncode == 0, first.stdout
    assert "no other metrics in the last 15 days, by the observer's history" in first.stdout
    assert "Use          0.0033 calls a second in the busiest 5 minutes" in first.stdout

    retrain(world, retraining_failure="Too few users")
    failed = observed(world)
    assert (failed[v.RETRAINING_FAILED], failed[v.DRIFT]) == (1, 0)
    assert failed["UpdateFailureReason"] == "Too few users."
    assert on(world, FAILED)
    assert not on(world, WORSE)
    status = operations(world, "status")
    assert status.returncode == 1
    assert "Too few users." in status.stdout
    assert status.stdout.endswith("Exit code 1: the latest retraining has failed.\n")

    retrain(world, retraining_factor=0.5)
    worse = observed(world)
    assert (worse[v.METRICS_WORSE], worse[v.RETRAINING_FAILED]) == (len(v.METRICS), 0)
    assert worse["Worse"][0].startswith("coverage is 0.0384; minimum 0.07296 (before 0.0768")
    assert on(world, WORSE)
    status = operations(world, "status")
    assert status.returncode == 1
    assert "Metrics      coverage 0.0384 (before 0.0768)\n" in status.stdout
    assert status.stdout.endswith(
        "Exit code 1: the model got worse than max_metric_regression allows.\n"
    )

    says_so_if_it_may_not_read(world)
    world.destroy()


def says_so_if_it_may_not_read(world: LocalWorld) -> None:
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


def retrain(world: LocalWorld, **behaviour: Any) -> None:
    """Have the recommender retrain once, and wait for the end."""
    arn = world.recommender["recommenderArn"]

    def latest() -> Any:
        described = world.client("personalize").describe_recommender(recommenderArn=arn)
        return described["recommender"].get("latestRecommenderUpdate", {})

    before = latest().get("creationDateTime")
    world.set_behaviour(retraining_every=1.0, **behaviour)
    until(lambda: latest().get("creationDateTime") != before)
    world.set_behaviour()
    until(lambda: latest()["status"] in ("ACTIVE", "CREATE FAILED"))
