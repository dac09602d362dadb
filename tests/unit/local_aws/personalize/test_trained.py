"""Recommenders of dataset groups with data: trained on it, measured, and never ready too soon."""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from local_aws.personalize.training import Source, Training
from local_aws.rehearsal import sample
from local_aws.rehearsal.evaluation import Evaluation
from local_aws.rehearsal.recipes import STAND_INS
from local_aws.rehearsal.training import Options, TopPicks
from tests.support.project import run_command
from tests.unit.local_aws.personalize.simulation import ARN, Simulation
from tests.unit.local_aws.rehearsal.folders import ITEMS, folder_of, the_sample, watching

pytestmark = pytest.mark.usefixtures("one_split")
METADATA = {"enableMetadataWithRecommendations": True}
WITHOUT_GENRES = {"trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": ["GENRES"]}}}
MEASURED = {"metrics": None}
DEFAULT = Options()
Last = Callable[[], Training]
"""Returns the training that has begun last."""
REASON = "Dataset has fewer than 1000 interactions after filtering by event type: Watch"


def simulation_on(folder: Path, **behaviour: Any) -> Simulation:
    simulation = Simulation(**(MEASURED | behaviour))
    simulation.seed("vod", data=str(folder))
    return simulation


def created_on(folder: Path, recipe: str = "aws-vod-top-picks", **behaviour: Any) -> Simulation:
    """Return a simulation with a recommender whose training has begun."""
    simulation = simulation_on(folder, **behaviour)
    simulation.create(recipe=recipe)
    return simulation


def wait(simulation: Simulation, seconds: float = 100, arn: str = ARN) -> Any:
    """Let time pass, and then as much more as the training takes."""
    simulation.clock.advance(seconds)
    deadline = time.monotonic() + 30
    while _is_going_on(simulation.describe(arn)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
        simulation.clock.advance(1)
    return simulation.describe(arn)


def _is_going_on(recommender: Any) -> bool:
    update = recommender.get("latestRecommenderUpdate", {"status": "ACTIVE"})
    return any(one["status"].endswith("IN_PROGRESS") for one in (recommender, update))


@pytest.fixture(scope="module")
def serving() -> Simulation:
    """A recommender that was trained on the sample; tests change nothing about it."""
    simulation = simulation_on(sample.FOLDER)
    simulation.create(config=METADATA)
    assert wait(simulation)["status"] == "ACTIVE"
    return simulation


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Last:
    """Let trainings end when the test says so; return the newest one."""
    trainings: dict[str, Training] = {}

    def train(_source: Source, _recipe: str, config: dict[str, Any]) -> Training:
        return trainings.setdefault(str(config), Future())

    monkeypatch.setattr(Source, "train", train)
    return lambda: list(trainings.values())[-1]


def ask(simulation: Simulation, **more: Any) -> list[Any]:
    request = {"recommenderArn": ARN, "userId": "user-1"}
    return list(simulation.runtime.get_recommendations(**(request | more))["itemList"])


@cache
def trained(options: Options = DEFAULT) -> TopPicks:
    return TopPicks(the_sample(), options)


class TestMetrics:
    def test_are_fixed_where_the_switch_says_so(self) -> None:
        simulation = created_on(sample.FOLDER, metrics={"coverage": 0.5})
        assert wait(simulation)["modelMetrics"] == {"coverage": 0.5}

    def test_are_none_where_there_is_no_data(self) -> None:
        simulation = Simulation(**MEASURED)
        simulation.create_active()
        assert simulation.describe()["modelMetrics"] == {}

    def test_stand_in_the_state_with_how_sure_they_are(self, serving: Simulation) -> None:
        (recommender,) = serving.service.state()["recommenders"]
        evaluation = json.loads(json.dumps(recommender["evaluation"]))
        assert Evaluation.of(evaluation) == trained().evaluation

    def test_change_with_the_columns_once_the_update_is_in_force(self) -> None:
        simulation = created_on(sample.FOLDER)
        before = wait(simulation)["modelMetrics"]
        simulation.update(**WITHOUT_GENRES)
        simulation.clock.advance(50)
        assert simulation.describe()["modelMetrics"] == before
        after = wait(simulation)["modelMetrics"]
        expected = trained(Options(excluded_item_columns=frozenset({"GENRES"}))).metrics
        assert after == expected != before

    @pytest.mark.parametrize(
        ("member", "value", "options"),
        [
            ("itemExplorationConfig", {"explorationWeight": "0.9"}, {"exploration_weight": 0.9}),
            (
                "itemExplorationConfig",
                {"explorationItemAgeCutOff": "1"},
                {"exploration_item_age_cut_off": 1.0},
            ),
            (
                "trainingDataConfig",
                {"includedDatasetColumns": {"Items": ["GENRES"]}},
                {"excluded_item_columns": frozenset(the_sample().item_columns - {"GENRES"})},
            ),
            ("trainingDataConfig", {"excludedDatasetColumns": {"USERS": ["GENRES"]}}, {}),
        ],
    )
    def test_follow_from_the_configuration(
        self, member: str, value: dict[str, Any], options: dict[str, Any]
    ) -> None:
        simulation = simulation_on(sample.FOLDER)
        simulation.create(config={member: value})
        assert wait(simulation)["modelMetrics"] == trained(Options(**options)).metrics


class TestRecommendations:
    def test_of_an_unknown_user_are_what_is_popular(self, serving: Simulation) -> None:
        assert ask(serving, userId="nobody") == ask(serving, userId="another")
        assert ask(serving, userId="nobody") != ask(serving)

    @pytest.mark.parametrize(("asked", "expected"), [(1, 1), (500, 165)])
    def test_are_more_or_less_than_25_if_that_is_asked_for(
        self, serving: Simulation, asked: int, expected: int
    ) -> None:
        """Of the 180 items, user-1 has watched 15."""
        assert len(ask(serving, numResults=asked)) == expected

    def test_come_with_the_metadata_that_is_asked_for_as_strings(self, serving: Simulation) -> None:
        rows = the_sample().metadata
        columns = ["TITLE", "DURATION", "CREATION_TIMESTAMP"]
        items = ask(serving, metadataColumns={"ITEMS": columns}, numResults=50)
        assert len(items) == 50
        for item in items:
            row = rows[item["itemId"]]
            assert item["metadata"] == {name.lower(): row[name] for name in columns}
            assert all(isinstance(value, str) for value in item["metadata"].values())

    def test_without_metadata_where_items_csv_has_none(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path, watching(users=60, each=20), items=[ITEMS, "i000,Drama,1"])
        simulation = simulation_on(folder)
        simulation.create(config=METADATA)
        wait(simulation)
        answered = ask(
            simulation, userId="new", numResults=40, metadataColumns={"ITEMS": ["GENRES"]}
        )
        known = {item["itemId"]: item["metadata"] for item in answered}
        assert known.pop("i000") == {"genres": "Drama"}
        assert len(known) == 39
        assert not any(known.values())


class TestRecipes:
    @pytest.mark.parametrize("recipe", STAND_INS)
    def test_each_answers_with_its_stand_in(self, recipe: str) -> None:
        simulation = created_on(sample.FOLDER, recipe)
        described = wait(simulation)
        stand_in = STAND_INS[recipe](the_sample())
        assert described.get("modelMetrics", {}) == stand_in.metrics
        asked = ask(simulation, itemId="vod-118")
        expected = stand_in.recommend("user-1", 25, "vod-118")
        assert [one["itemId"] for one in asked] == [item for item, _ in expected]
        (state,) = simulation.service.state()["recommenders"]
        assert ("evaluation" in state) == bool(stand_in.metrics)

    def test_one_that_fails_leaves_the_others_serving(self, tmp_path: Path) -> None:
        rows = [(user, item, when, "Click") for user, item, when, _ in watching(users=60, each=20)]
        simulation = created_on(folder_of(tmp_path, rows))
        simulation.create("popular", recipe="aws-vod-most-popular")
        assert wait(simulation)["status"] == "ACTIVE"
        popular = wait(simulation, arn=ARN.replace("films", "popular"))
        assert (popular["status"], popular["failureReason"]) == ("CREATE FAILED", REASON)
        assert len(ask(simulation)) == 25

    def test_an_update_of_one_trains_no_other(self) -> None:
        simulation = created_on(sample.FOLDER)
        simulation.create("like", recipe="aws-vod-more-like-x")
        like = ARN.replace("films", "like")
        wait(simulation)
        before = wait(simulation, arn=like)
        simulation.update(**WITHOUT_GENRES)
        wait(simulation)
        assert simulation.describe(like) == before


class TestFailures:
    def test_too_little_data_is_refused_with_the_documented_reason(self, tmp_path: Path) -> None:
        simulation = created_on(folder_of(tmp_path, watching(users=27, each=37)))
        assert simulation.status() == "CREATE PENDING"
        failed = wait(simulation)
        assert (failed["status"], failed["failureReason"]) == ("CREATE FAILED", REASON)

    def test_an_update_that_fails_leaves_what_serves(self) -> None:
        simulation = created_on(sample.FOLDER, update_failure="no luck")
        before = wait(simulation)["modelMetrics"]
        simulation.update(**WITHOUT_GENRES)
        failed = wait(simulation)
        assert failed["latestRecommenderUpdate"]["failureReason"] == "no luck"
        assert failed["modelMetrics"] == before

    def test_what_a_training_raises_is_the_reason_of_an_update(self, training: Last) -> None:
        simulation = updating(training, metrics={})
        training().set_exception(ValueError("out of luck"))
        simulation.clock.advance(100)
        failed = simulation.describe()
        assert failed["status"] == "ACTIVE"
        assert failed["latestRecommenderUpdate"]["status"] == "CREATE FAILED"
        assert failed["latestRecommenderUpdate"]["failureReason"] == "out of luck"

    def test_a_folder_that_cannot_be_imported_puts_no_dataset_group_in_place(
        self, tmp_path: Path
    ) -> None:
        simulation = Simulation()
        with pytest.raises(ValueError, match=r"^interactions.csv: found no file"):
            simulation.seed("other", data=str(tmp_path))
        assert len(simulation.client.list_datasets()["datasets"]) == 3

    @pytest.mark.parametrize(("types", "counts"), [(9, True), (10, False)])
    def test_two_answers_to_how_many_event_types_an_import_takes(
        self, tmp_path: Path, types: int, counts: bool
    ) -> None:
        rows = [("u", "i", 1, f"type-{n}") for n in range(types + 1)]
        simulation_on(folder_of(tmp_path / "as many", rows[:types]), event_type_counts=counts)
        with pytest.raises(ValueError, match=f"{types + 1} event types and 0 columns"):
            simulation_on(folder_of(tmp_path / "more", rows), event_type_counts=counts)

    def test_datasets_are_those_that_there_are_files_for(self, tmp_path: Path) -> None:
        simulation = simulation_on(folder_of(tmp_path, watching(users=1, each=1)))
        kinds = {one["datasetType"] for one in simulation.client.list_datasets()["datasets"]}
        assert kinds == {"INTERACTIONS", "ITEMS"}


def updating(training: Last, **behaviour: Any) -> Simulation:
    """Return an ACTIVE recommender with an update, whose training is the newest."""
    simulation = created_on(sample.FOLDER, **behaviour)
    training().set_result(trained())
    simulation.clock.advance(100)
    assert simulation.status() == "ACTIVE"
    simulation.update(**WITHOUT_GENRES)
    return simulation


class TestTime:
    def test_a_training_that_ends_early_is_not_ready_before_its_time(self, training: Last) -> None:
        simulation = created_on(sample.FOLDER)
        training().set_result(trained())
        simulation.clock.advance(99)
        assert simulation.status() == "CREATE IN_PROGRESS"
        simulation.clock.advance(1)
        assert simulation.status() == "ACTIVE"

    def test_a_training_that_takes_longer_is_waited_for(self, training: Last) -> None:
        simulation = created_on(sample.FOLDER)
        for _ in range(10):
            simulation.clock.advance(500)
            assert simulation.status() == "CREATE IN_PROGRESS"
        training().set_result(trained())
        simulation.clock.advance(1)
        assert simulation.status() == "ACTIVE"

    def test_a_training_of_an_update_that_takes_longer_is_waited_for(self, training: Last) -> None:
        simulation = updating(training)
        simulation.clock.advance(500)
        assert simulation.update_status() == "CREATE IN_PROGRESS"
        training().set_result(trained())
        simulation.clock.advance(1)
        assert simulation.update_status() == "ACTIVE"

    def test_an_update_that_means_the_same_for_the_training_does_not_train(self) -> None:
        simulation = created_on(sample.FOLDER)
        wait(simulation)
        with patch.dict("local_aws.rehearsal.recipes.STAND_INS", clear=True):
            simulation.update(minRecommendationRequestsPerSecond=2)
            assert wait(simulation)["latestRecommenderUpdate"]["status"] == "ACTIVE"

    def test_a_retraining_on_the_same_data_changes_nothing(self) -> None:
        simulation = created_on(sample.FOLDER, retraining_every=1000.0)
        before = wait(simulation)["modelMetrics"]
        simulation.clock.advance(1150)
        after = simulation.describe()
        assert after["latestRecommenderUpdate"]["status"] == "ACTIVE"
        assert after["modelMetrics"] == before

    def test_a_stopped_recommender_keeps_its_metrics(self) -> None:
        simulation = created_on(sample.FOLDER)
        before = wait(simulation)["modelMetrics"]
        simulation.client.stop_recommender(recommenderArn=ARN)
        simulation.clock.advance(20)
        assert simulation.status() == "INACTIVE"
        assert simulation.describe()["modelMetrics"] == before


def test_without_data_nothing_of_what_trains_is_imported() -> None:
    script = (
        "import sys; from local_aws.personalize import Behaviour, Personalize, wire; "
        "Personalize(Behaviour()).seed_dataset_group('111111111111', 'eu-west-1', 'vod'); "
        "sys.exit(str([name for name in ('numpy', 'scipy', 'pygal', 'jinja2') "
        "if name in sys.modules]))"
    )
    assert run_command(sys.executable, "-c", script).stderr == "[]\n"
