"""`make deploy-local` on files: what is measured on them is what the stack returns."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.engine import LocalAws
from local_aws.rehearsal import NOTICE, sample
from local_aws.rehearsal.reading import read
from local_aws.rehearsal.training import Options, TopPicks
from tests.support.local_world import STACK, local_aws
from tests.unit.local_aws.rehearsal.folders import folder_of, watching

REASON = "Dataset has fewer than 1000 interactions after filtering by event type: Watch"
METRICS = {
    "Coverage": "coverage",
    "MeanReciprocalRankAt25": "mean_reciprocal_rank_at_25",
    "NormalizedDiscountedCumulativeGainAt10": "normalized_discounted_cumulative_gain_at_10",
    "NormalizedDiscountedCumulativeGainAt25": "normalized_discounted_cumulative_gain_at_25",
    "NormalizedDiscountedCumulativeGainAt5": "normalized_discounted_cumulative_gain_at_5",
    "PrecisionAt10": "precision_at_10",
    "PrecisionAt25": "precision_at_25",
    "PrecisionAt5": "precision_at_5",
}
"""The metric that each output is."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a local AWS keeps its files, which is ended with the test."""
    yield tmp_path / "aws"
    if aws := LocalAws.find(tmp_path / "aws"):
        aws.stop()


def trained(files: Path) -> TopPicks:
    return TopPicks(read(files, now=time.time()), Options())


def metrics_of(outputs: dict[str, str]) -> dict[str, float]:
    """Return the metrics in a stack's outputs, which are there twice."""
    metrics: dict[str, float] = json.loads(outputs["ModelMetrics"])
    assert {metric: float(outputs[output]) for output, metric in METRICS.items()} == metrics
    return metrics


def test_files_are_refused_or_trained_on_and_the_outputs_are_what_the_report_says(
    folder: Path, tmp_path: Path
) -> None:
    few = folder_of(tmp_path / "few", watching(users=27, each=37))
    ours = folder_of(tmp_path / "ours", watching(users=60, each=20))

    on_few = local_aws(folder, "deploy", "--data", str(few))
    assert on_few.returncode != 0
    assert "  refused  interactions: 999\n" in on_few.stdout
    assert REASON in " ".join(on_few.stdout.split())
    assert _aws(folder).personalize_state()["recommenders"] == []
    on_sample = local_aws(folder, "deploy")
    assert on_sample.returncode == 0, on_sample.stdout
    first = _outputs(folder)
    on_ours = local_aws(folder, "deploy", "--data", str(ours))
    assert on_ours.returncode == 0, on_ours.stdout
    second = _outputs(folder)
    reported = local_aws(folder, "data", str(ours))

    assert "The data in the sample (invented data), compared with the service" in on_sample.stdout
    assert NOTICE in " ".join(on_sample.stdout.split())
    assert "Recommender/Training/Hour04Of06" in on_sample.stdout
    assert metrics_of(first) == trained(sample.FOLDER).metrics
    assert metrics_of(second) == trained(ours).metrics
    for metric, value in metrics_of(second).items():
        assert f"{metric} {value:.4f}" in " ".join(reported.stdout.split())
    assert first["RecommenderArn"] != second["RecommenderArn"]
    _shows_what_the_model_says(folder, second["RecommenderArn"], trained(ours))

    destroyed = local_aws(folder, "destroy")
    assert destroyed.returncode == 0, destroyed.stdout
    assert "  recommenders      none\n" in destroyed.stdout


def _aws(folder: Path) -> LocalAws:
    aws = LocalAws.find(folder)
    assert aws
    return aws


def _outputs(folder: Path) -> dict[str, str]:
    outputs: dict[str, str] = json.loads((folder / "outputs.json").read_text())[STACK]
    return outputs


def _shows_what_the_model_says(folder: Path, arn: str, model: TopPicks) -> None:
    aws = _aws(folder)
    (recommender,) = aws.personalize_state()["recommenders"]
    assert recommender["recommenderArn"] == arn
    answer = aws.client("personalize-runtime").get_recommendations(
        recommenderArn=arn, userId="u007"
    )
    shown = [item["itemId"] for item in answer["itemList"]]
    assert shown == [item for item, _ in model.recommend("u007", 25)]
