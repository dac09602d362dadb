"""The quality gate, set around what is measured on the sample: it fails, passes, and warns."""

import random
from pathlib import Path
from typing import Any

from local_aws.rehearsal import sample
from local_aws.report import leftovers
from tests.e2e.test_rehearsal import metrics_of, trained
from tests.support.local_world import STACK, LocalWorld
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

    def deploy(group: str = on_sample, **context: Any) -> tuple[int, str]:
        settings = {**GATE, "dataset_group_arn": group, **context}
        ran = world.cdk("deploy", STACK, context=settings)
        return ran.returncode, " ".join(ran.stdout.split())

    code, shown = deploy(minimum_metrics=over)
    assert code != 0, shown
    assert f"{NDCG} is {measured[NDCG]}; minimum {over[NDCG]} (minimum_metrics)" in shown
    assert "Nothing goes into service: the deployment is rolled back." in shown
    assert world.personalize_state()["recommenders"] == []

    code, shown = deploy(minimum_metrics=under)  # the CLI deletes what was rolled back before
    assert code == 0, shown
    served = world.outputs()
    assert served["QualityGate"] == "passed"
    assert metrics_of(served) == measured

    before = len(world.personalize_journal())
    code, shown = deploy(minimum_metrics=over, quality_gate="warn")
    assert code == 0, shown
    assert world.outputs()["QualityGate"] == (
        f"warned: {NDCG} is {measured[NDCG]}; minimum {over[NDCG]} (minimum_metrics)"
    )
    assert "QualityGate = warned: " in shown
    assert not any(call["mutating"] for call in world.personalize_journal()[before:])

    code, shown = deploy(worse, max_metric_regression=0.05)
    assert code != 0, shown
    assert f"{NDCG} is " in shown
    assert f"(previous recommender {measured[NDCG]}, max_metric_regression 0.05 = 5 %)" in shown
    assert f"{served['RecommenderArn']} stays in service." in shown
    (left,) = world.personalize_state()["recommenders"]
    assert left["recommenderArn"] == served["RecommenderArn"]
    assert left["status"] == "ACTIVE"
    assert world.outputs()["RecommenderArn"] == served["RecommenderArn"]

    world.destroy()
    assert not any(leftovers(world.aws).values())


def at_random() -> list[Interaction]:
    """Return interactions of users without tastes, from which there is nothing to learn."""
    draw = random.Random(1)  # the same every time
    return [
        (f"u{user:03}", f"i{item:03}", 1_700_000_000 + turn * 3600, "Watch")
        for user in range(60)
        for turn, item in enumerate(draw.sample(range(300), 20))
    ]
