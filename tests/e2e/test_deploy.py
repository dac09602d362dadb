"""`cdk deploy` and `cdk destroy`, as a user runs them."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.local_world import STACK, LocalWorld


@dataclass(frozen=True)
class FinishedDeployment:
    """A stack that was deployed once for all tests of the module."""

    terminal: str
    outputs: dict[str, str]
    calls: list[str]


def deploy(world: LocalWorld, **settings: Any) -> subprocess.CompletedProcess[str]:
    """Run the CDK CLI, which runs app.py, with settings on its command line."""
    options = [f"--context={name}={text}" for name, text in world.context(settings).items()]
    output = f"--output={world.aws.folder / 'cdk.out'}"
    consent = "--require-approval=never"
    return world.aws.cdk("deploy", STACK, consent, output, *options, capture=True)


@pytest.fixture(scope="module")
def deployed(world: LocalWorld) -> Iterator[FinishedDeployment]:
    """A recommender whose training took longer than three gates; destroyed without a trace."""
    metrics = {"coverage": 0.0768, "precision_at_5": 0.0868, "a_metric_of_tomorrow": 0.25}
    world.set_behaviour(create_in_progress=10.0, metrics=metrics)
    before = len(world.personalize_journal())
    ran = deploy(world)
    assert ran.returncode == 0, ran.stdout
    calls = [call["operation"] for call in world.personalize_journal()[before:]]
    yield FinishedDeployment(ran.stdout, world.outputs(), calls)
    world.destroy_all()


def test_the_event_list_shows_every_gate(deployed: FinishedDeployment) -> None:
    for hour in range(1, 7):
        assert f"Recommender/Training/Hour0{hour}Of06" in deployed.terminal


def test_the_recommender_of_the_outputs_is_active(
    world: LocalWorld, deployed: FinishedDeployment
) -> None:
    assert world.recommender["recommenderArn"] == deployed.outputs["RecommenderArn"]
    assert world.recommender["name"] == deployed.outputs["RecommenderName"]
    assert world.recommender["status"] == "ACTIVE"


def test_metrics_are_outputs_whether_the_service_reports_them_or_not(
    deployed: FinishedDeployment,
) -> None:
    assert deployed.outputs["Coverage"] == "0.0768"
    assert deployed.outputs["PrecisionAt5"] == "0.0868"
    assert deployed.outputs["PrecisionAt10"] == "n/a"
    assert json.loads(deployed.outputs["ModelMetrics"])["a_metric_of_tomorrow"] == 0.25


def test_recommendations_come_with_item_metadata(
    world: LocalWorld, deployed: FinishedDeployment
) -> None:
    answer = world.client("personalize-runtime").get_recommendations(
        recommenderArn=deployed.outputs["RecommenderArn"],
        userId="user-1",
        numResults=3,
        metadataColumns={"ITEMS": ["TITLE"]},
    )

    assert [set(item["metadata"]) for item in answer["itemList"]] == [{"title"}] * 3


def test_a_poll_is_one_describe_and_nothing_else(deployed: FinishedDeployment) -> None:
    after_the_creation = deployed.calls[deployed.calls.index("CreateRecommender") + 1 :]

    assert len(after_the_creation) > 5
    assert set(after_the_creation) == {"DescribeRecommender"}


def test_an_unchanged_deploy_changes_nothing(
    world: LocalWorld, deployed: FinishedDeployment
) -> None:
    """Nor is there a difference between what the CLI synthesises and what the tests do."""
    assert deployed.outputs
    before = world.personalize_journal()

    again = world.cdk("deploy", STACK)

    assert "no changes" in again.stdout
    assert world.personalize_journal() == before


def test_a_wrong_setting_ends_the_deploy_before_anything_is_deployed(world: LocalWorld) -> None:
    refused = deploy(world, max_training_hours=48)

    assert refused.returncode != 0
    assert 'Setting max_training_hours: got "48"; allowed: a number of hours' in refused.stdout
    assert "Traceback" not in refused.stdout
