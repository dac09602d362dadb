"""What no simulation can show: that it works on AWS, and what AWS does where nothing is documented.

Each test takes hours there. The same tests run on the embedded AWS with `--embedded`.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from lambdas.recommender.vocabulary import METRICS
from tests.live import observations as seen
from tests.live.account import Trial
from tests.live.observations import Observations, Watch


def test_a_whole_life(trial: Trial, report: Observations, subtests: pytest.Subtests) -> None:
    """Deployed, asked, deployed again without and with a change, destroyed without a trace."""
    with Watch(trial) as watch:
        assert trial.deploy()
    seen.note_creation(report, watch)
    created = trial.describe()
    seen.note_configuration(report, created)
    seen.note_creation_time(report, trial.stack)
    with subtests.test("the outputs name the recommender"):
        assert created["status"] == "ACTIVE"
        assert created["recipeArn"].endswith(":recipe/aws-vod-top-picks")
        assert trial.outputs["RecommenderArn"] == created["recommenderArn"]
    with subtests.test("the metrics are outputs"):
        assert all(0 <= float(trial.outputs[name]) <= 1 for name in METRICS)
    with subtests.test("recommendations bring item metadata"):
        report.note("Columns of item metadata, as answered", *_columns(trial))
    with subtests.test("a deployment without changes changes nothing"):
        before = trial.stack["LastUpdatedTime"]
        assert trial.deploy()
        assert (trial.stack["LastUpdatedTime"], trial.describe()) == (before, created)

    seen.note_update_semantics(report, trial)
    with Watch(trial) as watch:
        assert trial.deploy(exploration_weight=0.7)
    seen.note_time(report, "deploying an update", watch)
    with subtests.test("the update is in force"):
        config = trial.describe()["recommenderConfig"]
        assert float(config["itemExplorationConfig"]["explorationWeight"]) == 0.7
        assert config["enableMetadataWithRecommendations"] is True
        assert trial.outputs["RecommenderArn"] == created["recommenderArn"]
        _columns(trial)
    seen.note_tag_conditions(report, trial)
    seen.note_requests(report, trial)

    with Watch(trial) as watch:
        assert trial.destroy()
    seen.note_deletion(report, watch)
    trial.is_gone()


def test_a_deployment_cancelled_while_it_trains(trial: Trial, report: Observations) -> None:
    """Destroyed as soon as it trains: everything is gone when the training has ended."""
    with ThreadPoolExecutor(1) as background, Watch(trial) as watch:
        deploying = background.submit(trial.deploy)
        trial.account.until(lambda: deploying.done() or trial.recommenders, "it trains")
        assert trial.recommenders, "the deployment ended before"
        stack_id = trial.stack["StackId"]
        destroyed = next((attempt for attempt in (1, 2) if trial.destroy()), 0)
        assert destroyed
        assert not deploying.result()
        trial.is_gone()
    seen.note_cancellation(report, trial, stack_id, watch)
    report.note("How often it had to be destroyed", destroyed, assumed="1")  # the local engine: 2


def _columns(trial: Trial) -> set[str]:
    """Return the columns that recommendations bring, which have to be those asked for."""
    asked = trial.account.metadata_column
    answer = trial.client("personalize-runtime").get_recommendations(
        recommenderArn=trial.outputs["RecommenderArn"],
        userId="nobody",
        numResults=10,
        metadataColumns={"ITEMS": [asked]},
    )
    columns = {column for item in answer["itemList"] for column in item.get("metadata", {})}
    assert {column.upper() for column in columns} == {asked.upper()}
    return columns
