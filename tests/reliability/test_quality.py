"""The quality gate: what is not good enough does not go into service, and what serves stays."""

import json

import pytest

from lambdas.recommender.vocabulary import RECOMMENDER_TYPE
from tests.reliability.calls import edit
from tests.reliability.lifecycles import NDCG, TOO_GOOD, WORSE
from tests.reliability.world import World, texts

GOOD: dict[str, object] = {"minimum_metrics": {NDCG: 0.25, "coverage": 0.05}}


@pytest.mark.rows("Q1")
@pytest.mark.parametrize(
    ("gate", "output"),
    [
        (GOOD, "passed"),
        (
            {**TOO_GOOD, "quality_gate": "warn"},
            f"warned: {NDCG} is 0.346; minimum 0.9 (minimum_metrics)",
        ),
    ],
    ids=["reached", "missed"],
)
def test_a_gate_that_opens_says_whether_the_minimum_is_reached(
    world: World, gate: dict[str, object], output: str
) -> None:
    world.created(**gate)
    assert world.stack.outputs["QualityGate"] == output


@pytest.mark.rows("Q1")
def test_a_first_deployment_that_misses_it_is_rolled_back_and_leaves_nothing(world: World) -> None:
    world.failed(**TOO_GOOD)
    assert f"{NDCG} is 0.346; minimum 0.9 (minimum_metrics)" in texts(world.stack)
    assert "Nothing goes into service" in texts(world.stack)
    assert world.owned == []


@pytest.mark.rows("Q2")
@pytest.mark.parametrize(
    "gate",
    [
        {"minimum_metrics": {NDCG: 0.33}},
        {"max_metric_regression": 0.05},
        {"max_metric_regression": 0},
    ],
    ids=["minimum", "regression", "no regression"],
)
def test_a_replacement_that_is_not_good_enough_leaves_the_old_one_serving(
    world: World, gate: dict[str, object]
) -> None:
    world.created(**gate)
    old = world.recommender
    _worse_on(world, "other")
    world.failed(dataset_group_arn=world.other_group, **gate)
    assert f"{old['recommenderArn']} stays in service" in texts(world.stack)
    assert [one["name"] for one in world.owned] == [old["name"]]
    assert world.stack.outputs["RecommenderArn"] == old["recommenderArn"]


@pytest.mark.rows("Q2")
def test_a_replacement_that_is_a_little_worse_than_before_passes(world: World) -> None:
    world.created(max_metric_regression=0.5)
    _worse_on(world, "other")
    world.updated(dataset_group_arn=world.other_group, max_metric_regression=0.5)


def _worse_on(world: World, group: str) -> None:
    """Let recommenders of a dataset group, and no others, have worse metrics."""

    def worse(body: bytes) -> bytes:
        answer = json.loads(body)
        shown = answer.get("recommender", {})
        if shown.get("datasetGroupArn", "").endswith(f"/{group}") and "modelMetrics" in shown:
            shown["modelMetrics"] |= WORSE
        return json.dumps(answer).encode()

    world.cloud.after = edit("DescribeRecommender", worse)


@pytest.mark.rows("Q3")
@pytest.mark.parametrize(
    ("minimum", "ends"), [(0.3, "UPDATE_COMPLETE"), (0.5, "UPDATE_ROLLBACK_COMPLETE")]
)
def test_a_stricter_minimum_is_checked_without_a_call_that_changes_anything(
    world: World, minimum: float, ends: str
) -> None:
    world.created(**GOOD)
    started = world.clock.now
    assert world.update(minimum_metrics={NDCG: minimum}) == ends, texts(world.stack)
    assert world.changes(since=started) == []
    assert world.recommender["status"] == "ACTIVE"
    assert len(world.stack.sent(RECOMMENDER_TYPE)) == 1, "the recommender is not asked"


@pytest.mark.rows("Q4", "RB6")
def test_a_rollback_is_not_failed_by_metrics_that_have_changed_since(world: World) -> None:
    """Personalize retrains every week, so what a rollback returns to may miss its own minimum."""
    world.created(minimum_metrics={NDCG: 0.33})
    world.behaviour.metrics = WORSE
    world.behaviour.update_failure = "no capacity"
    world.failed(minimum_metrics={NDCG: 0.33}, exploration_weight=0.7)
    assert world.stack.outputs["QualityGate"].startswith("warned: ")
