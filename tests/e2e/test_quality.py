"""The quality gate, set around what is measured on the sample: it fails, passes, and warns."""

import random
from pathlib import Path

from local_aws.rehearsal import sample
from tests.e2e.test_rehearsal import metrics_of, trained
from tests.support.local_world import LocalWorld
from tests.unit.local_aws.rehearsal.folders import Interaction, folder_of

GATE = {
    "training_gate_minutes": 0.05,
    "max_training_hours": 0.0034,
    "max_deletion_hours": 0.0025,
}
"""Gates of 3 s, five of them, and three sweeps."""

NDCG = "normalized_discounted_cumulative_gain_at_25"
STEP = 0.0001
"""The service's metrics have four digits."""


def test_a_gate_around_what_the_sample_measures(world: LocalWorld, tmp_path: Path) -> None:
    world.set_behaviour(metrics=None)
    on_sample = world.seed("sample", data=str(sample.FOLDER))
    worse = world.seed("worse", data=str(folder_of(tmp_path, at_random())))
    measured = trained(sample.FOLDER).metrics
    over, under = ({NDCG: round(measured[NDCG] + one, 4)} for one in (STEP, -STEP))

    given = {**GATE, "dataset_group_arn": on_sample}

    shown = world.fails(**given, minimum_metrics=over)
    assert f"{NDCG} is {measured[NDCG]}; minimum {over[NDCG]} (minimum_metrics)" in shown
    assert "Nothing goes into service: the deployment is rolled back." in shown
    assert world.recommenders == []

    world.deployed(**given, minimum_metrics=under)  # the CLI deletes what was rolled back before
    served = world.outputs()
    assert served["QualityGate"] == "passed"
    assert metrics_of(served) == measured

    assert world.deployed(**given, minimum_metrics=over, quality_gate="warn") == []
    assert world.outputs()["QualityGate"] == (
        f"warned: {NDCG} is {measured[NDCG]}; minimum {over[NDCG]} (minimum_metrics)"
    )

    shown = world.fails(**GATE, dataset_group_arn=worse, max_metric_regression=0.05)
    assert f"{NDCG} is " in shown
    assert f"(previous recommender {measured[NDCG]}, max_metric_regression 0.05 = 5 %)" in shown
    assert f"{served['RecommenderArn']} stays in service." in shown
    assert world.recommender["recommenderArn"] == served["RecommenderArn"]
    assert world.recommender["status"] == "ACTIVE"
    assert world.outputs()["RecommenderArn"] == served["RecommenderArn"]

    world.destroy_all()


def at_random() -> list[Interaction]:
    """Return interactions of users without tastes, from which there is nothing to learn."""
    draw = random.Random(1)  # the same every time
    return [
        (f"u{user:03}", f"i{item:03}", 1_700_000_000 + turn * 3600, "Watch")
        for user in range(60)
        for turn, item in enumerate(draw.sample(range(300), 20))
    ]
