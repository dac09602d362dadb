"""A weekly retraining that begins at any moment of a deployment is nobody's update."""

from collections.abc import Callable
from typing import Any

import pytest

from local_aws.personalize.behaviour import Echo
from tests.reliability.lifecycles import NDCG
from tests.reliability.world import HOUR, MINUTE, World, settings_of, texts
from tests.support.place import ACCOUNT, REGION

GENRES = {"ITEMS": ["GENRES"]}
COLUMNS: dict[str, object] = {"excluded_columns": GENRES}
WEIGHT: dict[str, object] = {"exploration_weight": 0.7}


def columns(world: World) -> Any:
    """Return the columns that the training leaves out, as the service has them."""
    training = world.recommender["recommenderConfig"].get("trainingDataConfig", {})
    return training.get("excludedDatasetColumns", {})


def begun(world: World) -> None:
    world.cloud.run_for(0.5)


def started(world: World) -> None:
    while world.recommender["status"] != "ACTIVE":
        world.cloud.run_for(0.5)


@pytest.mark.rows("U3", "W2")
@pytest.mark.parametrize("echo", ["as set", "in full", "without metadata", "nothing"])
@pytest.mark.parametrize("change", [COLUMNS, WEIGHT], ids=["columns", "weight"])
@pytest.mark.parametrize(
    ("before", "moment"),
    [({}, begun), ({"running": False}, started)],
    ids=["before the update", "after a start"],
)
def test_a_retraining_before_the_update_of_a_deployment_is_not_taken_for_it(
    world: World,
    echo: Echo,
    change: dict[str, object],
    before: dict[str, object],
    moment: Callable[[World], None],
) -> None:
    world.behaviour.echo = echo
    world.created(**before)
    since = world.clock.now
    world.stack.update(world.given(change), wait=False)
    moment(world)

    world.retrain()
    world.cloud.finish()

    assert world.stack.status == "UPDATE_COMPLETE", texts(world.stack)
    assert "UpdateRecommender" in world.changes(since=since)
    if change == COLUMNS:
        assert columns(world) == GENRES
    else:
        assert world.exploration_weight == "0.7"


@pytest.mark.rows("U3")
@pytest.mark.parametrize("echo", ["as set", "in full"], indirect=True)
@pytest.mark.usefixtures("echo")
def test_a_retraining_that_failed_fails_no_change_of_the_number_of_gates(world: World) -> None:
    world.created()
    world.update(**WEIGHT)
    world.clock.advance(7 * 24 * HOUR)
    world.retrain(failure="Too few interactions")
    world.clock.advance(2 * HOUR)

    world.updated(**WEIGHT, max_training_hours=5)


@pytest.mark.rows("U3", "RB6")
def test_a_retraining_that_outlasts_a_change_of_the_quality_gate_fails_no_rollback(
    world: World,
) -> None:
    world.created()
    world.behaviour.create_in_progress = 3 * HOUR
    world.retrain()

    world.failed(minimum_metrics={NDCG: 0.2})


@pytest.mark.rows("U3", "RB6")
@pytest.mark.parametrize("shows", [True, False])
def test_a_retraining_that_begins_in_a_rollback_fails_no_rollback(
    world: World, shows: bool
) -> None:
    world.created()
    served = world.recommender["name"]
    world.behaviour.retraining_shows = shows
    other = settings_of(dataset_group_arn=world.other_group)
    world.stack.update(world.given(other), sibling_fails=5 * MINUTE, wait=False)
    world.cloud.run_for(4 * MINUTE)
    world.behaviour.create_in_progress = 1.2 * HOUR

    world.retrain(served)
    world.cloud.finish()

    assert world.stack.status == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)


# -- columns that do not show ------------------------------------------------------------------


@pytest.mark.rows("W2", "W4")
@pytest.mark.parametrize("echo", ["as set", "in full"])
@pytest.mark.parametrize("replaces", [False, True], ids=["update", "replacement"])
def test_columns_are_sent_after_a_failure_that_was_kept(
    world: World, echo: Echo, replaces: bool
) -> None:
    """Of the update that sent them, or of a replacement that is taken back with them."""
    world.behaviour.echo = echo
    world.created()
    world.behaviour.update_failure = world.behaviour.training_failure = "no capacity"
    failing = {"dataset_group_arn": world.other_group} if replaces else COLUMNS
    assert world.stack.update(world.given(failing), rolls_back=False) == "UPDATE_FAILED"
    world.behaviour.update_failure = world.behaviour.training_failure = None

    again: dict[str, object] = {} if replaces else {"force_update": "2"}
    world.updated(**COLUMNS, **again)
    assert columns(world) == GENRES


@pytest.mark.rows("U9", "W2")
@pytest.mark.parametrize("semantics", ["merge", "replace"])
def test_columns_that_somebody_took_away_are_put_right(world: World, semantics: Any) -> None:
    world.created(**COLUMNS)
    world.behaviour.update_semantics = semantics
    config = world.recommender["recommenderConfig"] | {"trainingDataConfig": {}}
    world.edit(world.arn, config)
    assert columns(world) == {}

    world.updated(**COLUMNS, force_update="2")

    assert columns(world) == GENRES


@pytest.mark.rows("U1", "W2")
@pytest.mark.usefixtures("echo")
def test_a_change_of_tags_alone_changes_nothing_else_whatever_shows(world: World) -> None:
    world.created(**COLUMNS)
    assert world.updated(**COLUMNS, tags={"team": "films"}) == ["TagResource"]
    assert world.undone(**COLUMNS, tags={"team": "series"}) == "UPDATE_ROLLBACK_COMPLETE"
    world.updated()
    assert columns(world) == {}


# -- adoption ----------------------------------------------------------------------------------


@pytest.mark.rows("O3")
@pytest.mark.parametrize("change_sets", [True, False])
@pytest.mark.parametrize("settings", [WEIGHT, WEIGHT | COLUMNS], ids=["weight", "columns"])
@pytest.mark.parametrize("failure", ["no capacity", None])
def test_an_update_of_the_owner_before_an_adoption_is_not_taken_for_the_stacks(
    world: World, change_sets: bool, settings: dict[str, object], failure: str | None
) -> None:
    world.cloud.change_sets = change_sets
    films = world.foreign("films")
    world.behaviour.update_failure = failure
    config: Any = {
        "itemExplorationConfig": {"explorationWeight": "0.7"},
        "enableMetadataWithRecommendations": True,
    }
    world.cloud.outsider().update_recommender(
        recommenderArn=films["recommenderArn"], recommenderConfig=config
    )
    world.clock.advance(30 * 24 * HOUR)
    world.behaviour.update_failure = None

    status = world.create(recommender_name="films", adopt_existing=True, **settings)

    assert status == "CREATE_COMPLETE", texts(world.stack)
    assert world.exploration_weight == "0.7"
    assert columns(world) == settings.get("excluded_columns", {})


@pytest.mark.rows("O3")
@pytest.mark.parametrize("echo", ["as set", "in full", "nothing"], indirect=True)
@pytest.mark.usefixtures("echo")
def test_an_adoption_with_metadata_but_without_items_fails_by_name(world: World) -> None:
    group = world.service.seed_dataset_group(
        ACCOUNT, REGION, "no-items", datasets=("Interactions",)
    )
    world.foreign("films", group=group)

    world.failed(recommender_name="films", adopt_existing=True, dataset_group_arn=group)
    assert "items" in texts(world.stack).lower()
    assert world.owned == []
