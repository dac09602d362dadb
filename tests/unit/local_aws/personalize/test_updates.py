"""What an update changes, when it shows, and the automatic retrainings that look like one."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.local_aws.personalize.world import ARN, World, outcome

WEEK = 7 * 24 * 3600.0
EXPLORING = {"itemExplorationConfig": {"explorationWeight": "0.30"}}


def test_an_update_is_in_force_when_it_has_succeeded_and_not_before(world: World) -> None:
    world.create_active()
    assert "latestRecommenderUpdate" not in world.describe()
    world.update(enableMetadataWithRecommendations=True)
    seen = []
    for seconds in (0, 5, 45):
        world.clock.advance(seconds)
        described = world.describe()
        seen.append(
            (described["latestRecommenderUpdate"]["status"], described["recommenderConfig"])
        )
        assert described["status"] == "ACTIVE"
    assert seen == [
        ("CREATE PENDING", {}),
        ("CREATE IN_PROGRESS", {}),
        ("ACTIVE", {"enableMetadataWithRecommendations": True}),
    ]


def test_a_failed_update_leaves_the_old_configuration(world: World) -> None:
    world.behaviour.update_failure = "Internal problem"
    world.create_active()
    world.update(enableMetadataWithRecommendations=True)
    world.clock.advance(50)
    described = world.describe()
    assert described["status"] == "ACTIVE"
    assert described["recommenderConfig"] == {}
    assert described["latestRecommenderUpdate"]["status"] == "CREATE FAILED"
    assert described["latestRecommenderUpdate"]["failureReason"] == "Internal problem"
    assert described["latestRecommenderUpdate"]["recommenderConfig"] == {
        "enableMetadataWithRecommendations": True
    }


@pytest.mark.parametrize(
    ("semantics", "expected"),
    [
        ("merge", {"minRecommendationRequestsPerSecond": 2, **EXPLORING}),
        ("replace", {"minRecommendationRequestsPerSecond": 2}),
    ],
)
def test_omitted_members_are_kept_or_dropped(semantics: str, expected: dict[str, Any]) -> None:
    world = World(update_semantics=semantics)
    world.create_active(config=EXPLORING)
    world.update(minRecommendationRequestsPerSecond=2)
    world.clock.advance(50)
    assert world.describe()["recommenderConfig"] == expected


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
    world = World(update_semantics=semantics)
    world.create_active()
    assert outcome(lambda: world.update(**config)) == "InvalidInput"
    assert "latestRecommenderUpdate" not in world.describe()


@settings(max_examples=25, deadline=None)
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
    world = World(update_semantics=semantics, update_pending=0, update_in_progress=0)
    world.create_active(config=EXPLORING | {"minRecommendationRequestsPerSecond": 1_001})
    full = {
        "itemExplorationConfig": {
            "explorationWeight": str(weight),
            "explorationItemAgeCutOff": str(cut_off),
        },
        "minRecommendationRequestsPerSecond": rate,
        "enableMetadataWithRecommendations": metadata,
    }
    world.update(**full)
    assert world.describe()["recommenderConfig"] == full
    assert outcome(lambda: world.update(**full)) == "InvalidInput"


def _excluding(*columns: str) -> dict[str, Any]:
    return {"trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": list(columns)}}}


def test_a_change_of_columns_trains_as_long_as_a_creation(world: World) -> None:
    world.create_active(config=_excluding("DURATION"))
    world.update(**_excluding("DURATION", "TITLE"))
    world.clock.advance(99)
    assert world.describe()["latestRecommenderUpdate"]["status"] == "CREATE IN_PROGRESS"
    world.clock.advance(1)
    assert world.describe()["recommenderConfig"] == _excluding("DURATION", "TITLE")


def test_the_order_of_columns_is_no_change(world: World) -> None:
    world.create_active(config=_excluding("DURATION", "TITLE"))
    assert outcome(lambda: world.update(**_excluding("TITLE", "DURATION"))) == "InvalidInput"


def test_a_change_of_columns_can_fail_in_training(world: World) -> None:
    world.create_active()
    world.behaviour.training_failure = "no data"
    world.update(**_excluding("TITLE"))
    world.clock.advance(100)
    assert world.describe()["latestRecommenderUpdate"]["failureReason"] == "no data"


@pytest.mark.parametrize(
    ("empty_columns", "semantics", "answer"),
    [
        ("clear", "merge", "OK"),
        ("clear", "replace", "OK"),
        ("keep", "merge", "InvalidInput"),
        ("keep", "replace", "InvalidInput"),
    ],
)
def test_empty_columns_clear_or_keep_those_in_force(
    empty_columns: str, semantics: str, answer: str
) -> None:
    world = World(empty_columns=empty_columns, update_semantics=semantics)
    world.create_active(config=_excluding("TITLE"))
    assert (
        outcome(lambda: world.update(trainingDataConfig={"excludedDatasetColumns": {}})) == answer
    )


def test_columns_that_are_not_mentioned_are_not_empty() -> None:
    world = World(empty_columns="keep", update_semantics="replace")
    world.create_active(config=_excluding("TITLE"))
    world.update(minRecommendationRequestsPerSecond=1)
    world.clock.advance(100)
    assert world.describe()["recommenderConfig"] == {"minRecommendationRequestsPerSecond": 1}


def test_describe_can_be_behind_an_update() -> None:
    world = World(stale_after_update=60)
    world.create_active()
    world.update(minRecommendationRequestsPerSecond=2)
    for seconds in (0, 30, 29):
        world.clock.advance(seconds)
        assert "latestRecommenderUpdate" not in world.describe()
        assert world.describe()["recommenderConfig"] == {}
    world.clock.advance(1)
    world.update(minRecommendationRequestsPerSecond=3)
    described = world.describe()
    assert described["latestRecommenderUpdate"]["recommenderConfig"] == {
        "minRecommendationRequestsPerSecond": 2
    }
    [true] = world.service.recommenders("111111111111", "eu-west-1")
    assert true["latestRecommenderUpdate"]["recommenderConfig"] == {
        "minRecommendationRequestsPerSecond": 3
    }


def test_defaults_and_numbers_are_echoed_as_configured() -> None:
    world = World(echo="in full", normalise_numbers=True)
    world.create_active(config=EXPLORING)
    assert world.describe()["recommenderConfig"] == {
        "itemExplorationConfig": {"explorationWeight": "0.3", "explorationItemAgeCutOff": "30"},
        "minRecommendationRequestsPerSecond": 1,
        "enableMetadataWithRecommendations": False,
    }


def test_a_recipe_that_does_not_personalise_has_no_exploration_to_echo() -> None:
    world = World(echo="in full", normalise_numbers=True)
    world.create(recipeArn="arn:aws:personalize:::recipe/aws-vod-most-popular")
    assert "itemExplorationConfig" not in world.describe()["recommenderConfig"]


def test_an_active_recommender_retrains_every_week() -> None:
    world = World(retraining_every=WEEK)
    world.create_active(config=EXPLORING)
    active_since = world.clock.now
    world.clock.advance(WEEK - 1)
    assert "latestRecommenderUpdate" not in world.describe()
    world.clock.advance(1)
    update = world.describe()["latestRecommenderUpdate"]
    assert update["status"] == "CREATE PENDING"
    assert update["recommenderConfig"] == EXPLORING
    assert outcome(lambda: world.update(minRecommendationRequestsPerSecond=2)) == "ResourceInUse"
    world.clock.advance(100)
    assert world.describe()["latestRecommenderUpdate"]["status"] == "ACTIVE"
    assert outcome(lambda: world.update(minRecommendationRequestsPerSecond=2)) == "OK"
    world.clock.advance(3 * WEEK)
    latest = world.describe()["latestRecommenderUpdate"]["creationDateTime"].timestamp()
    assert latest == active_since + 4 * WEEK
    assert world.describe()["recommenderConfig"]["minRecommendationRequestsPerSecond"] == 2


def test_a_retraining_waits_for_an_update() -> None:
    world = World(retraining_every=200)
    world.create_active()
    world.clock.advance(180)
    world.update(minRecommendationRequestsPerSecond=2)
    world.clock.advance(49)
    assert world.describe()["latestRecommenderUpdate"]["status"] == "CREATE IN_PROGRESS"
    world.clock.advance(1)
    described = world.describe()
    assert described["latestRecommenderUpdate"]["status"] == "CREATE PENDING"
    assert described["recommenderConfig"] == {"minRecommendationRequestsPerSecond": 2}


def test_a_change_of_columns_counts_as_a_training() -> None:
    world = World(retraining_every=200)
    world.create_active()
    world.clock.advance(150)
    world.update(**_excluding("TITLE"))
    world.clock.advance(199)
    assert world.describe()["latestRecommenderUpdate"]["status"] == "ACTIVE"
    world.clock.advance(1)
    assert world.describe()["latestRecommenderUpdate"]["status"] == "CREATE PENDING"


@pytest.mark.parametrize("trained_by", ["a retraining", "a change of columns"])
def test_an_update_that_does_not_train_brings_no_retraining_forward(trained_by: str) -> None:
    world = World(retraining_every=200)
    world.create_active()
    if trained_by == "a change of columns":
        world.clock.advance(199)
        world.update(**_excluding("TITLE"))
        world.clock.advance(1)
    else:
        world.clock.advance(200)
    trained = world.describe()["latestRecommenderUpdate"]["creationDateTime"]
    world.clock.advance(110)
    world.update(minRecommendationRequestsPerSecond=2)
    world.clock.advance(50)
    latest = world.describe()["latestRecommenderUpdate"]
    assert latest["status"] == "ACTIVE"
    assert latest["recommenderConfig"]["minRecommendationRequestsPerSecond"] == 2
    world.clock.advance(50)
    again = world.describe()["latestRecommenderUpdate"]
    assert (again["creationDateTime"] - trained).total_seconds() == 200


def test_what_is_sent_in_the_second_in_which_an_update_ends_meets_the_retraining_that_was_due() -> (
    None
):
    world = World(retraining_every=200)
    world.create_active()
    world.clock.advance(180)
    world.update(minRecommendationRequestsPerSecond=2)
    world.clock.advance(50)
    assert outcome(lambda: world.update(minRecommendationRequestsPerSecond=3)) == "ResourceInUse"
    described = world.describe()
    assert described["recommenderConfig"] == {"minRecommendationRequestsPerSecond": 2}
    assert (
        described["latestRecommenderUpdate"]["recommenderConfig"]
        == (described["recommenderConfig"])
    )


def test_a_stopped_recommender_does_not_retrain() -> None:
    world = World(retraining_every=200)
    world.create_active()
    world.client.stop_recommender(recommenderArn=ARN)
    world.clock.advance(2_000)
    assert "latestRecommenderUpdate" not in world.describe()


def test_a_failed_retraining_leaves_the_model_in_service() -> None:
    world = World(retraining_every=200)
    world.create_active()
    world.behaviour.training_failure = "no data"
    world.clock.advance(300)
    described = world.describe()
    assert described["status"] == "ACTIVE"
    assert described["latestRecommenderUpdate"]["failureReason"] == "no data"


@pytest.mark.parametrize("policy", ["accepted", "in_use"])
def test_tag_calls_during_other_changes_are_a_switch(policy: str) -> None:
    world = World(tag_calls_during_change=policy)
    world.create()
    expected = "OK" if policy == "accepted" else "ResourceInUse"
    assert outcome(world.tags) == expected
    world.clock.advance(100)
    assert outcome(world.tags) == "OK"
    world.update(minRecommendationRequestsPerSecond=2)
    assert outcome(world.tags) == expected
