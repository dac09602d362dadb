"""Updating in place: one change of the template is one change of the recommender."""

import json
from typing import Any

import pytest

from lambdas.recommender.vocabulary import RECOMMENDER_TYPE
from local_aws.personalize.behaviour import Echo
from tests.reliability.calls import edit, lose
from tests.reliability.world import HOUR, MINUTE, World, settings_of, texts


@pytest.mark.rows("U1")
@pytest.mark.parametrize(
    "change",
    [
        {"min_recommendation_requests_per_second": 5},
        {"exploration_weight": 0.7},
        {"exploration_item_age_cut_off": 7},
        {"excluded_columns": {"ITEMS": ["GENRES"]}},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("stale", [0.0, 90.0], ids=["shows at once", "shows late"])
def test_a_change_of_one_setting_is_one_update_that_is_waited_for(
    world: World, change: dict[str, object], stale: float
) -> None:
    world.created()
    world.behaviour.stale_after_update = stale
    before = world.stack.outputs
    assert world.updated(**change) == ["UpdateRecommender"]
    assert world.recommender["latestRecommenderUpdate"]["status"] == "ACTIVE"
    assert world.stack.outputs == before


@pytest.mark.rows("U1", "U10")
@pytest.mark.parametrize(("running", "status"), [(True, "ACTIVE"), (False, "INACTIVE")])
def test_columns_are_trained_anew_and_waited_for_over_hours(
    world: World, running: bool, status: str
) -> None:
    world.created(running=running)
    world.behaviour.create_in_progress = 1.5 * HOUR
    world.updated(running=running, excluded_columns={"ITEMS": ["GENRES"]})
    assert world.recommender["status"] == status
    config = world.recommender["recommenderConfig"]
    assert config["trainingDataConfig"]["excludedDatasetColumns"] == {"ITEMS": ["GENRES"]}


@pytest.mark.rows("U2")
def test_an_update_whose_answer_is_lost_and_that_is_over_at_once_is_recognised(
    world: World,
) -> None:
    world.created()
    world.behaviour.update_pending = world.behaviour.update_in_progress = 0
    world.cloud.after = lose("UpdateRecommender", 1)
    world.updated(min_recommendation_requests_per_second=5)


@pytest.mark.rows("U2", "U5")
def test_an_update_whose_answer_is_lost_and_that_fails_is_a_failure(world: World) -> None:
    world.created()
    world.behaviour.update_failure = "no capacity"
    world.cloud.after = lose("UpdateRecommender", 3)
    world.failed(min_recommendation_requests_per_second=5)
    assert "no capacity" in texts(world.stack)
    assert world.attempts("UpdateRecommender").count("OK") == 1


@pytest.mark.rows("U5")
def test_an_update_that_fails_before_it_is_to_be_stopped_is_made_once(world: World) -> None:
    world.created()
    world.behaviour.update_failure = "no capacity"
    assert world.failed(exploration_weight=0.7, running=False) == ["UpdateRecommender"]
    assert "no capacity" in texts(world.stack)


@pytest.mark.rows("U3")
def test_somebody_else_s_update_is_waited_for_and_then_ours_is_made(world: World) -> None:
    world.created()
    world.cloud.outsider().update_recommender(
        recommenderArn=world.arn, recommenderConfig={"minRecommendationRequestsPerSecond": 9}
    )
    assert world.updated(exploration_weight=0.7) == ["UpdateRecommender"]


@pytest.mark.rows("U3", "U5")
def test_an_update_that_failed_is_rolled_back_and_not_mistaken_for_a_later_one(
    world: World,
) -> None:
    world.created()
    before = world.stack.the(RECOMMENDER_TYPE)
    world.behaviour.update_failure = "no capacity"
    assert world.failed(exploration_weight=0.7) == ["UpdateRecommender"]
    assert world.stack.the(RECOMMENDER_TYPE).physical_id == before.physical_id
    world.behaviour.update_failure = None
    world.behaviour.stale_after_update = 90.0
    world.updated(exploration_weight=0.7)
    assert world.stack.reasons("FAILED")[-1].count("no capacity") == 1


@pytest.mark.rows("U3")
@pytest.mark.parametrize("hours_of_it", [1.0, 3.0])
def test_a_weekly_retraining_that_outlasts_the_request_undoes_the_update_and_says_so(
    world: World, hours_of_it: float
) -> None:
    world.created()
    world.behaviour.retraining_every = 7 * 24 * HOUR
    world.behaviour.create_in_progress = hours_of_it * HOUR
    world.clock.advance(7 * 24 * HOUR)
    assert world.failed(exploration_weight=0.7) == []
    assert "Not possible within 55 minutes" in texts(world.stack)
    assert "Deploy again when that has ended" in texts(world.stack)
    world.clock.advance(hours_of_it * HOUR)
    world.updated(exploration_weight=0.7)


@pytest.mark.rows("U4", "W2")
@pytest.mark.parametrize("semantics", ["merge", "replace"])
@pytest.mark.usefixtures("echo")
def test_a_setting_that_is_taken_away_goes_back_to_its_default(
    world: World, semantics: Any
) -> None:
    world.behaviour.update_semantics = semantics
    world.created(
        exploration_weight=0.7,
        exploration_item_age_cut_off=7,
        min_recommendation_requests_per_second=3,
        excluded_columns={"ITEMS": ["GENRES"]},
    )
    world.updated()


@pytest.mark.rows("U4")
def test_columns_that_cannot_be_taken_away_are_not_kept_silently(world: World) -> None:
    world.behaviour.empty_columns = "keep"
    world.created(excluded_columns={"ITEMS": ["GENRES"]})
    world.failed()
    said = "UpdateRecommender: InvalidInputException: The update changes nothing"
    assert said in texts(world.stack)


@pytest.mark.rows("U5", "RB6")
@pytest.mark.parametrize("seconds", [5.0, 30.0])
def test_an_update_that_is_cancelled_before_it_shows_is_undone(
    world: World, seconds: float
) -> None:
    world.behaviour.stale_after_update = 60.0
    world.created()
    world.cancelled(seconds, exploration_weight=0.7)
    world.clock.advance(HOUR)
    assert world.exploration_weight == "0.3"


@pytest.mark.rows("U6")
@pytest.mark.parametrize("gone", [True, False])
def test_a_recommender_that_somebody_deleted_is_made_anew(world: World, gone: bool) -> None:
    world.created()
    world.disturb().delete_recommender(recommenderArn=world.arn)
    world.clock.advance(HOUR if gone else MINUTE)
    world.updated(exploration_weight=0.7)
    assert world.recommender["status"] == "ACTIVE"
    assert world.arn == world.stack.outputs["RecommenderArn"]
    world.deleted()


@pytest.mark.rows("U6", "RB6")
def test_a_recommender_that_somebody_deleted_does_not_stop_a_rollback(world: World) -> None:
    world.created()
    world.disturb().delete_recommender(recommenderArn=world.arn)
    world.clock.advance(HOUR)
    world.cancelled(2 * MINUTE, exploration_weight=0.7)
    assert world.recommender["status"] == "ACTIVE"


@pytest.mark.rows("U6", "RB6")
def test_a_recommender_that_somebody_deletes_while_it_is_updated_is_made_anew(world: World) -> None:
    world.behaviour.delete_during_update = "accepted"
    world.created()
    arn = world.arn
    world.stack.update(settings_of(exploration_weight=0.7), wait=False)
    world.cloud.run_for(2 * MINUTE)
    world.disturb().delete_recommender(recommenderArn=arn)
    world.cloud.finish()
    assert world.stack.status == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)
    assert "this deployment did not delete it" in texts(world.stack)
    assert world.recommender["status"] == "ACTIVE"


@pytest.mark.rows("U7")
@pytest.mark.parametrize("key", ["top-picks:stack-id", "top-picks:logical-id"])
def test_a_recommender_without_our_tags_is_not_updated_until_it_has_them_again(
    world: World, key: str
) -> None:
    world.created()
    arn, tags = world.arn, world.recommender["tags"]
    world.untag(arn, key)
    started = world.clock.now
    assert world.update(exploration_weight=0.7) == "UPDATE_ROLLBACK_FAILED"
    assert f"as its owner: {key} is missing" in texts(world.stack)
    assert world.changes(since=started) == []
    world.tag(arn, {key: tags[key]})
    assert world.stack.roll_back() == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)
    world.updated(exploration_weight=0.7)


@pytest.mark.rows("U8")
def test_tags_follow_the_template_without_an_update_and_those_of_others_stay(world: World) -> None:
    world.created(tags={"team": "films", "stage": "dev"})
    world.cloud.outsider().tag_resource(
        resourceArn=world.arn, tags=[{"tagKey": "theirs", "tagValue": "yes"}]
    )
    assert world.updated(tags={"team": "series", "cost": "7"}) == ["TagResource", "UntagResource"]
    tags = world.recommender["tags"]
    own = {key: text for key, text in tags.items() if not key.startswith("top-picks:")}
    assert own == {"team": "series", "cost": "7", "theirs": "yes"}
    assert len(tags) == 3 + len(["stack-id", "logical-id", "on-destroy"])


@pytest.mark.rows("U8")
def test_a_change_of_tags_that_is_rolled_back_restores_them(world: World) -> None:
    world.created(tags={"team": "films"})
    changed = {"team": "series", "cost": "7"}
    world.cancelled(lambda: "TagResource" in world.changes(), tags=changed)
    assert world.recommender["tags"]["team"] == "films"
    assert "cost" not in world.recommender["tags"]


@pytest.mark.rows("U8")
@pytest.mark.parametrize("lifts_timeouts", [False, True])
def test_a_service_timeout_is_not_forwarded(world: World, lifts_timeouts: bool) -> None:
    world.cloud.lifts_timeouts = lifts_timeouts
    world.created()
    started = world.clock.now
    status = world.stack.update(world.patched(ServiceTimeout=1800))
    assert status == "UPDATE_COMPLETE", texts(world.stack)
    assert world.changes(since=started) == []


@pytest.mark.rows("U9", "W2")
@pytest.mark.parametrize(
    ("echo", "normalise"), [("as set", False), ("as set", True), ("in full", False)]
)
def test_the_same_meaning_in_other_words_changes_nothing(
    world: World, echo: Echo, normalise: bool
) -> None:
    world.behaviour.echo, world.behaviour.normalise_numbers = echo, normalise
    world.created(exploration_weight="0.30", excluded_columns={"ITEMS": ["DURATION", "GENRES"]})

    def reorder(body: bytes) -> bytes:
        answer = json.loads(body)
        config = answer.get("recommender", {}).get("recommenderConfig", {})
        columns = config.get("trainingDataConfig", {}).get("excludedDatasetColumns", {})
        for names in columns.values():
            names.reverse()
        return json.dumps(answer).encode()

    world.cloud.after = edit("DescribeRecommender", reorder)
    assert (
        world.updated(exploration_weight=0.3, excluded_columns={"ITEMS": ["GENRES", "DURATION"]})
        == []
    )


@pytest.mark.rows("U10")
@pytest.mark.parametrize("accepted", ["accepted", "rejected"])
@pytest.mark.parametrize("still", [True, False])
def test_a_recommender_that_somebody_stopped_is_put_right(
    world: World, accepted: Any, still: bool
) -> None:
    world.created()
    world.behaviour.update_when_inactive = accepted
    world.disturb().stop_recommender(recommenderArn=world.arn)
    world.clock.advance(HOUR if still else MINUTE)
    world.updated(exploration_weight=0.7)
    assert (world.recommender["status"], world.exploration_weight) == ("ACTIVE", "0.7")


@pytest.mark.rows("U10")
def test_a_stopped_recommender_is_created_updated_started_and_stopped(world: World) -> None:
    assert world.created(running=False) == ["CreateRecommender", "StopRecommender"]
    assert world.updated(running=False, exploration_weight=0.7) == [
        "StartRecommender",
        "UpdateRecommender",
        "StopRecommender",
    ]

    assert world.updated(exploration_weight=0.7) == ["StartRecommender"]

    assert world.updated(running=False, exploration_weight=0.7) == ["StopRecommender"]
    world.deleted()


STOPPED: dict[str, object] = {"running": False}
UPDATED: dict[str, object] = {"exploration_weight": 0.7}


@pytest.mark.rows("U5", "U10", "RB6")
@pytest.mark.parametrize(
    ("before", "change", "minutes"),
    [
        *(pytest.param({}, UPDATED, at, id=f"update {at}") for at in (0.2, 1, 3, 5)),
        *(pytest.param({}, STOPPED, at, id=f"stop {at}") for at in (0.2, 1, 1.5)),
        *(pytest.param(STOPPED, UPDATED, at, id=f"start {at}") for at in (0.2, 1.5, 3, 5)),
    ],
)
def test_a_change_that_is_cancelled_is_undone(
    world: World, before: dict[str, object], change: dict[str, object], minutes: float
) -> None:
    """An update, a stop, and a start with an update after it."""
    world.created(**before)
    status = world.recommender["status"]
    world.cancelled(minutes * MINUTE, **change)
    assert world.recommender["status"] == status
    assert world.exploration_weight == "0.3"
