"""What an update changes, when it shows, and the automatic retrainings that look like one."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.place import ACCOUNT, REGION
from tests.unit.local_aws.personalize.simulation import ARN, Simulation, outcome

WEEK = 7 * 24 * 3600.0
RATE_2 = {"minRecommendationRequestsPerSecond": 2}
RATE_3 = {"minRecommendationRequestsPerSecond": 3}
EXPLORING = {"itemExplorationConfig": {"explorationWeight": "0.30"}}


def test_an_update_is_in_force_when_it_has_succeeded_and_not_before(simulation: Simulation) -> None:
    simulation.create_active()
    assert "latestRecommenderUpdate" not in simulation.describe()
    simulation.update(enableMetadataWithRecommendations=True)
    seen = []
    for seconds in (0, 5, 45):
        simulation.clock.advance(seconds)
        described = simulation.describe()
        seen.append((simulation.update_status(), described["recommenderConfig"]))
        assert described["status"] == "ACTIVE"
    assert seen == [
        ("CREATE PENDING", {}),
        ("CREATE IN_PROGRESS", {}),
        ("ACTIVE", {"enableMetadataWithRecommendations": True}),
    ]


def test_a_failed_update_leaves_the_old_configuration(simulation: Simulation) -> None:
    simulation.behaviour.update_failure = "Internal problem"
    simulation.create_active()
    simulation.update(enableMetadataWithRecommendations=True)
    simulation.clock.advance(50)
    described = simulation.describe()
    assert described["status"] == "ACTIVE"
    assert described["recommenderConfig"] == {}
    update = described["latestRecommenderUpdate"]
    assert (update["status"], update["failureReason"]) == ("CREATE FAILED", "Internal problem")
    assert update["recommenderConfig"] == {"enableMetadataWithRecommendations": True}


@pytest.mark.parametrize(
    ("semantics", "expected"), [("merge", RATE_2 | EXPLORING), ("replace", RATE_2)]
)
def test_omitted_members_are_kept_or_dropped(semantics: str, expected: dict[str, Any]) -> None:
    simulation = Simulation(update_semantics=semantics)
    simulation.create_active(config=EXPLORING)
    simulation.update(**RATE_2)
    simulation.clock.advance(50)
    assert simulation.describe()["recommenderConfig"] == expected


@pytest.mark.parametrize("semantics", ["merge", "replace"])
@pytest.mark.parametrize(
    "config",
    [
        {},
        EXPLORING,
        {"itemExplorationConfig": {"explorationWeight": "0.3", "explorationItemAgeCutOff": "30.0"}},
        {"minRecommendationRequestsPerSecond": 1, "enableMetadataWithRecommendations": False},
        {"trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": []}}},
    ],
)
def test_an_update_that_changes_nothing_is_refused(semantics: str, config: dict[str, Any]) -> None:
    simulation = Simulation(update_semantics=semantics)
    simulation.create_active()
    assert outcome(lambda: simulation.update(**config)) == "InvalidInput"
    assert "latestRecommenderUpdate" not in simulation.describe()


@settings(max_examples=25)
@given(
    weight=st.decimals(0, 1, places=3),
    cut_off=st.integers(1, 10_000),
    rate=st.integers(1, 1_000),
    metadata=st.booleans(),
    semantics=st.sampled_from(["merge", "replace"]),
)
def test_a_configuration_given_in_full_is_in_force_under_either_semantics(
    weight: Any, cut_off: int, rate: int, metadata: bool, semantics: str
) -> None:
    simulation = Simulation(update_semantics=semantics, update_pending=0, update_in_progress=0)
    simulation.create_active(config=EXPLORING | {"minRecommendationRequestsPerSecond": 1_001})
    full = {
        "itemExplorationConfig": {
            "explorationWeight": str(weight),
            "explorationItemAgeCutOff": str(cut_off),
        },
        "minRecommendationRequestsPerSecond": rate,
        "enableMetadataWithRecommendations": metadata,
    }
    simulation.update(**full)
    assert simulation.describe()["recommenderConfig"] == full
    assert outcome(lambda: simulation.update(**full)) == "InvalidInput"


def _excluding(*columns: str) -> dict[str, Any]:
    return {"trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": list(columns)}}}


def test_a_change_of_columns_trains_as_long_as_a_creation(simulation: Simulation) -> None:
    simulation.create_active(config=_excluding("DURATION"))
    simulation.update(**_excluding("DURATION", "TITLE"))
    simulation.clock.advance(99)
    assert simulation.update_status() == "CREATE IN_PROGRESS"
    simulation.clock.advance(1)
    assert simulation.describe()["recommenderConfig"] == _excluding("DURATION", "TITLE")


def test_the_order_of_columns_is_no_change(simulation: Simulation) -> None:
    simulation.create_active(config=_excluding("DURATION", "TITLE"))
    assert outcome(lambda: simulation.update(**_excluding("TITLE", "DURATION"))) == "InvalidInput"


def test_a_change_of_columns_can_fail_in_training(simulation: Simulation) -> None:
    simulation.create_active()
    simulation.behaviour.training_failure = "no data"
    simulation.update(**_excluding("TITLE"))
    simulation.clock.advance(100)
    assert simulation.latest_update()["failureReason"] == "no data"


@pytest.mark.parametrize("semantics", ["merge", "replace"])
@pytest.mark.parametrize(("empty_columns", "answer"), [("clear", "OK"), ("keep", "InvalidInput")])
def test_empty_columns_clear_or_keep_those_in_force(
    empty_columns: str, semantics: str, answer: str
) -> None:
    simulation = Simulation(empty_columns=empty_columns, update_semantics=semantics)
    simulation.create_active(config=_excluding("TITLE"))
    empty: dict[str, Any] = {"excludedDatasetColumns": {}}
    assert outcome(lambda: simulation.update(trainingDataConfig=empty)) == answer


def test_columns_that_are_not_mentioned_are_not_empty() -> None:
    simulation = Simulation(empty_columns="keep", update_semantics="replace")
    simulation.create_active(config=_excluding("TITLE"))
    simulation.update(minRecommendationRequestsPerSecond=1)
    simulation.clock.advance(100)
    assert simulation.describe()["recommenderConfig"] == {"minRecommendationRequestsPerSecond": 1}


def test_describe_can_be_behind_an_update() -> None:
    simulation = Simulation(stale_after_update=60)
    simulation.create_active()
    simulation.update(**RATE_2)
    for seconds in (0, 30, 29):
        simulation.clock.advance(seconds)
        assert "latestRecommenderUpdate" not in simulation.describe()
        assert simulation.describe()["recommenderConfig"] == {}
    simulation.clock.advance(1)
    simulation.update(**RATE_3)
    assert simulation.latest_update()["recommenderConfig"] == RATE_2
    [true] = simulation.service.recommenders(ACCOUNT, REGION)
    assert true["latestRecommenderUpdate"]["recommenderConfig"] == RATE_3


def test_defaults_and_numbers_are_echoed_as_configured() -> None:
    simulation = Simulation(echo="in full", normalise_numbers=True)
    simulation.create_active(config=EXPLORING)
    assert simulation.describe()["recommenderConfig"] == {
        "itemExplorationConfig": {"explorationWeight": "0.3", "explorationItemAgeCutOff": "30"},
        "minRecommendationRequestsPerSecond": 1,
        "enableMetadataWithRecommendations": False,
    }


def test_an_active_recommender_retrains_every_week() -> None:
    simulation = Simulation(retraining_every=WEEK)
    simulation.create_active(config=EXPLORING)
    active_since = simulation.clock.now
    simulation.clock.advance(WEEK - 1)
    assert "latestRecommenderUpdate" not in simulation.describe()
    simulation.clock.advance(1)
    update = simulation.latest_update()
    assert update["status"] == "CREATE PENDING"
    assert update["recommenderConfig"] == EXPLORING
    assert outcome(lambda: simulation.update(**RATE_2)) == "ResourceInUse"
    simulation.clock.advance(100)
    assert simulation.update_status() == "ACTIVE"
    assert outcome(lambda: simulation.update(**RATE_2)) == "OK"
    simulation.clock.advance(3 * WEEK)
    latest = simulation.latest_update()["creationDateTime"].timestamp()
    assert latest == active_since + 4 * WEEK
    assert simulation.describe()["recommenderConfig"]["minRecommendationRequestsPerSecond"] == 2


def test_a_retraining_waits_for_an_update_and_begins_in_the_second_in_which_it_ends() -> None:
    simulation = Simulation(retraining_every=200)
    simulation.create_active()
    simulation.clock.advance(180)
    simulation.update(**RATE_2)
    simulation.clock.advance(49)
    assert simulation.update_status() == "CREATE IN_PROGRESS"
    simulation.clock.advance(1)
    assert outcome(lambda: simulation.update(**RATE_3)) == "ResourceInUse"
    described = simulation.describe()
    assert described["recommenderConfig"] == RATE_2
    assert described["latestRecommenderUpdate"]["status"] == "CREATE PENDING"
    assert described["latestRecommenderUpdate"]["recommenderConfig"] == RATE_2


@pytest.mark.parametrize("trained_by", ["a retraining", "a change of columns"])
def test_an_update_that_does_not_train_brings_no_retraining_forward(trained_by: str) -> None:
    simulation = Simulation(retraining_every=200)
    simulation.create_active()
    if trained_by == "a change of columns":
        simulation.clock.advance(199)
        simulation.update(**_excluding("TITLE"))
        simulation.clock.advance(1)
    else:
        simulation.clock.advance(200)
    trained = simulation.latest_update()["creationDateTime"]
    simulation.clock.advance(110)
    simulation.update(**RATE_2)
    simulation.clock.advance(50)
    latest = simulation.latest_update()
    assert latest["status"] == "ACTIVE"
    assert latest["recommenderConfig"]["minRecommendationRequestsPerSecond"] == 2
    simulation.clock.advance(50)
    again = simulation.latest_update()
    assert (again["creationDateTime"] - trained).total_seconds() == 200


def test_a_stopped_recommender_does_not_retrain() -> None:
    simulation = Simulation(retraining_every=200)
    simulation.create_active()
    simulation.client.stop_recommender(recommenderArn=ARN)
    simulation.clock.advance(2_000)
    assert "latestRecommenderUpdate" not in simulation.describe()


@pytest.mark.parametrize("switch", ["training_failure", "retraining_failure"])
def test_a_failed_retraining_leaves_the_model_in_service_and_the_next_one_can_succeed(
    switch: str,
) -> None:
    simulation = Simulation(retraining_every=200)
    simulation.create_active()
    setattr(simulation.behaviour, switch, "no data")
    simulation.clock.advance(300)
    described = simulation.describe()
    assert described["status"] == "ACTIVE"
    assert described["latestRecommenderUpdate"]["status"] == "CREATE FAILED"
    assert described["latestRecommenderUpdate"]["failureReason"] == "no data"
    simulation.update(**RATE_2)
    simulation.clock.advance(50)
    assert simulation.update_status() == "ACTIVE"
    setattr(simulation.behaviour, switch, None)
    simulation.clock.advance(150)
    assert simulation.update_status() == "ACTIVE"


def test_a_retraining_changes_the_metrics_by_a_factor_when_it_has_succeeded() -> None:
    simulation = Simulation(retraining_every=200, retraining_factor=0.5)
    simulation.create_active()
    before = simulation.describe()["modelMetrics"]
    simulation.clock.advance(200)
    assert simulation.describe()["modelMetrics"] == before, "it has only begun"
    simulation.behaviour.retraining_factor = 1.0
    simulation.behaviour.retraining_every = None
    simulation.clock.advance(200)
    halved = {name: round(value / 2, 4) for name, value in before.items()}
    assert simulation.describe()["modelMetrics"] == halved
    simulation.update(**RATE_2)
    simulation.clock.advance(50)
    assert simulation.describe()["modelMetrics"] == halved, "the update has not trained"


def test_retrainings_that_fail_change_no_metrics_and_no_metric_exceeds_1() -> None:
    simulation = Simulation(retraining_every=200, retraining_factor=99.0, retraining_failure="no")
    simulation.create_active()
    before = simulation.describe()["modelMetrics"]
    simulation.clock.advance(300)
    assert simulation.describe()["modelMetrics"] == before
    simulation.behaviour.retraining_failure = None
    simulation.clock.advance(400)
    assert set(simulation.describe()["modelMetrics"].values()) == {1.0}


@pytest.mark.parametrize("failure", [None, "no data"])
def test_a_retraining_that_does_not_show_leaves_what_a_client_did_and_holds_calls_off(
    failure: str | None,
) -> None:
    simulation = Simulation(
        retraining_every=200,
        retraining_shows=False,
        retraining_failure=failure,
        stale_after_update=10,
    )
    simulation.create_active()
    before = simulation.describe()
    simulation.clock.advance(200)
    assert simulation.describe() == before
    assert outcome(lambda: simulation.update(**RATE_2)) == "ResourceInUse"
    simulation.clock.advance(100)
    assert simulation.describe() == before
    simulation.update(**RATE_2)
    assert simulation.describe() == before, "stale: the retraining does not show in its place"
    simulation.clock.advance(50)
    ours = simulation.describe()
    assert ours["latestRecommenderUpdate"]["status"] == "ACTIVE"
    simulation.clock.advance(400)
    assert simulation.describe() == ours


@pytest.mark.parametrize("policy", ["accepted", "in_use"])
def test_tag_calls_during_other_changes_are_a_switch(policy: str) -> None:
    simulation = Simulation(tag_calls_during_change=policy)
    simulation.create()
    expected = "OK" if policy == "accepted" else "ResourceInUse"
    assert outcome(simulation.tags) == expected
    simulation.clock.advance(100)
    assert outcome(simulation.tags) == "OK"
    simulation.update(**RATE_2)
    assert outcome(simulation.tags) == expected
