"""Deleting: from every state, at any time, to the end, and nothing but what is ours."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.recommender.vocabulary import RECOMMENDER_TYPE, SWEEP_TYPE
from tests.reliability.calls import edit, refuse
from tests.reliability.world import HOUR, MINUTE, World, settings_of, texts, types


@pytest.mark.rows("X1", "X6")
def test_a_deletion_is_over_when_the_name_is_free(world: World) -> None:
    world.created(recommender_name="films")
    started = world.clock.now
    world.deleted()
    assert world.clock.now - started >= world.behaviour.delete
    assert world.cloud.recommenders() == {}
    world.stack = world.cloud.stack()
    started = world.clock.now
    world.created(recommender_name="films")
    assert world.attempts("CreateRecommender", since=started) == ["OK"]


@pytest.mark.rows("X3")
def test_a_name_that_somebody_is_deleting_is_waited_for(world: World) -> None:
    arn = world.foreign("films")["recommenderArn"]
    world.cloud.outsider().delete_recommender(recommenderArn=arn)
    world.created(recommender_name="films")
    assert world.recommender["name"] == "films"


@pytest.mark.rows("X4")
@pytest.mark.parametrize("minutes", [1, 60])
def test_what_somebody_else_has_deleted_is_deleted(world: World, minutes: float) -> None:
    world.created()
    world.disturb().delete_recommender(recommenderArn=world.arn)
    world.clock.advance(minutes * MINUTE)
    assert world.deleted() == []


@pytest.mark.rows("X5", "O7")
@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("DeleteRecommender", "InternalServerError"),
        ("DeleteRecommender", "InvalidInputException"),
        ("DescribeRecommender", "ServiceUnavailable"),
        ("ListTagsForResource", "InternalServerError"),
    ],
)
def test_a_deletion_that_is_refused_is_never_a_success(
    world: World, operation: str, code: str
) -> None:
    world.created()
    world.cloud.before = refuse(operation, code)
    assert world.stack.delete() == "DELETE_FAILED"
    assert code in texts(world.stack)
    assert world.recommender["status"] == "ACTIVE"
    world.heal()
    world.deleted()
    assert world.owned == []


@pytest.mark.rows("X7", "RB2", "T3")
@pytest.mark.parametrize(
    ("how", "after"), [("sibling", 0.01), ("sibling", 5), ("delete", 0.1), ("delete", 1.5)]
)
def test_a_creation_that_is_cancelled_while_it_trains_for_ten_hours_leaves_nothing(
    world: World, how: str, after: float
) -> None:
    world.behaviour.create_in_progress = 9.9 * HOUR
    settings = {"poll_interval_seconds": 120}
    if how == "sibling":
        assert world.stack.create(settings, sibling_fails=after * HOUR) == "ROLLBACK_COMPLETE"
    else:
        world.stack.create(settings, wait=False)
        world.cloud.run_for(after * HOUR)
        world.deleted()
    assert world.changes() == ["CreateRecommender", "DeleteRecommender"]
    assert world.owned == []


@pytest.mark.rows("X7", "T3")
def test_a_training_that_outlasts_the_sweeps_fails_the_rollback_and_is_deleted_later(
    world: World,
) -> None:
    world.behaviour.create_in_progress = 6 * HOUR
    assert world.stack.create(settings_of(), sibling_fails=10 * MINUTE) == "ROLLBACK_FAILED"
    assert "which must end first" in texts(world.stack)
    assert len(world.owned) == 1
    world.clock.advance(2 * HOUR)
    world.deleted()
    assert world.owned == []


@pytest.mark.rows("X8")
@pytest.mark.parametrize(
    ("what", "accepted"),
    [
        ("update", "in_use"),
        ("update", "accepted"),
        ("stop", "in_use"),
        ("start", "in_use"),
        ("retraining", "in_use"),
    ],
)
def test_what_is_under_way_is_waited_for_before_the_deletion(
    world: World, what: str, accepted: Any
) -> None:
    world.behaviour.delete_during_update = accepted
    world.created()
    arn, outsider = world.arn, world.disturb()
    if what == "update":
        outsider.update_recommender(
            recommenderArn=arn, recommenderConfig={"minRecommendationRequestsPerSecond": 4}
        )
    elif what == "retraining":
        world.behaviour.retraining_every = 24 * HOUR
        world.behaviour.create_in_progress = 2 * HOUR
        world.clock.advance(24 * HOUR)
    else:
        outsider.stop_recommender(recommenderArn=arn)
        if what == "start":
            world.clock.advance(world.behaviour.stop)
            outsider.start_recommender(recommenderArn=arn)
    world.deleted()
    assert world.owned == []


@pytest.mark.rows("X8")
@pytest.mark.parametrize("failed", ["CREATE FAILED", "STOP FAILED", "DELETE FAILED"])
def test_what_has_failed_can_be_deleted(world: World, failed: str) -> None:
    def rename(body: bytes) -> bytes:
        return body.replace(b'"ACTIVE"', f'"{failed}"'.encode(), 1)

    world.created()
    world.cloud.after = edit("DescribeRecommender", rename)
    world.deleted()
    assert world.owned == []


@pytest.mark.rows("X9")
@pytest.mark.parametrize("minutes", [0.2, 5])
def test_what_is_to_be_retained_is_not_if_its_creation_is_rolled_back(
    world: World, minutes: float
) -> None:
    world.cancelled(minutes * MINUTE, retain_on_destroy=True)
    assert world.owned == []


@pytest.mark.rows("X9")
def test_what_is_to_be_retained_is_replaced_all_the_same(world: World) -> None:
    world.created(retain_on_destroy=True)
    world.updated(retain_on_destroy=True, dataset_group_arn=world.other_group)
    assert world.recommender["datasetGroupArn"] == world.other_group


@pytest.mark.rows("X9")
@pytest.mark.parametrize("is_replaced", [False, True])
@pytest.mark.parametrize("retained", [False, True])
def test_a_rollback_brings_the_deletion_policy_back(
    world: World, *, retained: bool, is_replaced: bool
) -> None:
    """CloudFormation may bring back the policy of a resource only with its properties."""
    group = world.other_group if is_replaced else world.group
    world.created(retain_on_destroy=retained)
    status = world.undone(retain_on_destroy=not retained, dataset_group_arn=group)
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    world.deleted()
    assert len(world.cloud.recommenders()) == int(retained)


@pytest.mark.rows("X9")
def test_resources_that_are_retained_by_hand_leave_the_recommender(world: World) -> None:
    world.created()
    world.cloud.before = refuse("DeleteRecommender", "AccessDeniedException")
    assert world.stack.delete() == "DELETE_FAILED"
    world.heal()
    kept = [*types(world.stack), *world.stack.template.ids_of(SWEEP_TYPE)]
    assert world.stack.delete(retain=kept) == "DELETE_COMPLETE", texts(world.stack)
    assert world.recommender["status"] == "ACTIVE"


# -- sweeps: the danger in them ----------------------------------------------------------------


@pytest.mark.rows("X7", "U1")
@pytest.mark.parametrize("fewer_or_more", [1, 4])
@pytest.mark.parametrize(
    ("seconds", "ends"), [(None, "UPDATE_COMPLETE"), (3, "UPDATE_ROLLBACK_COMPLETE")]
)
def test_sweeps_and_gates_that_come_or_go_leave_the_living_recommender_alone(
    world: World, fewer_or_more: float, seconds: float | None, ends: str
) -> None:
    world.created()
    started = world.clock.now
    status = world.stack.update(
        settings_of(max_training_hours=fewer_or_more), sibling_fails=seconds
    )
    assert status == ends, texts(world.stack)
    assert world.changes(since=started) == []
    assert world.recommender["status"] == "ACTIVE"
    assert world.stack.outputs["Coverage"] == "0.0768"


@pytest.mark.rows("X7")
def test_a_sweep_that_cannot_see_what_becomes_of_the_stack_does_nothing(world: World) -> None:
    world.created()
    world.cloud.before = refuse("DescribeStacks", "AccessDenied")
    assert world.updated(max_training_hours=1) == []


@pytest.mark.rows("D4")
def test_a_sweep_s_deletion_that_comes_again_later_does_nothing(world: World) -> None:
    world.created()
    world.updated(max_training_hours=1)
    started = world.clock.now
    (swept, *_) = world.stack.sent(SWEEP_TYPE, "Delete")
    world.cloud.deliver(swept, at_any_age=True)
    world.cloud.drain()
    world.updated(max_training_hours=2)
    assert world.changes(since=started) == []


# -- ids -----------------------------------------------------------------------------------------


@pytest.mark.rows("RB4", "O6")
@pytest.mark.parametrize(
    "physical_id",
    [
        "x" * 1024,
        "TopPicks-RecommenderB6541FB9-1ABCDEFGHIJKL",
        "arn:aws:personalize:eu-west-1:111111111111:recommender/foreign",
        "arn:aws:personalize:eu-west-1:222222222222:recommender/TopPicks-0123456789abcdef",
        "arn:aws:personalize:eu-west-1:111111111111:recommender/TopPicks-0123456789abcdef",
    ],
    ids=["nonsense", "invented", "foreign", "of another account", "foreign with a name of ours"],
)
def test_an_id_that_is_none_of_ours_deletes_ours_and_nothing_else(
    world: World, physical_id: str
) -> None:
    world.foreign("foreign")
    world.foreign("TopPicks-0123456789abcdef")
    world.created()
    resource = world.stack.the(RECOMMENDER_TYPE)
    world.stack.resources[resource.logical_id] = replace(resource, physical_id=physical_id)
    world.invariants.forgives.add("rest")
    world.deleted()
    assert world.owned == []
    assert set(world.cloud.recommenders()) == {"foreign", "TopPicks-0123456789abcdef"}


@pytest.mark.rows("U7", "O1")
def test_a_recommender_without_our_tags_is_left_alone_and_not_forgotten(world: World) -> None:
    world.created()
    arn, tags = world.arn, world.recommender["tags"]
    world.untag(arn, "top-picks:stack-id")
    started = world.clock.now
    assert world.stack.delete() == "DELETE_FAILED"
    assert "top-picks:stack-id is missing" in texts(world.stack)
    assert f"delete-recommender --recommender-arn {arn}" in texts(world.stack)
    assert world.changes(since=started) == []
    world.tag(arn, tags)
    world.deleted()
    assert world.cloud.recommenders() == {}


@pytest.mark.rows("U7", "O1")
def test_a_recommender_of_a_fixed_name_without_our_tags_is_left_alone(world: World) -> None:
    """Nobody can say whose it is: the same Delete follows the refusal of a name that is taken."""
    world.created(recommender_name="films")
    world.untag(world.arn, "top-picks:stack-id")
    assert world.deleted() == []
    assert world.cloud.recommenders()["films"]["status"] == "ACTIVE"


@pytest.mark.rows("RB2", "C4")
@pytest.mark.parametrize(
    ("seconds", "dates_urls"), [(2.0, True), (3.0, True), (5.0, True), (20.0, True), (3.0, False)]
)
def test_a_creation_that_is_cancelled_leaves_nothing_though_neither_it_nor_that_shows_yet(
    world: World, seconds: float, dates_urls: bool
) -> None:
    """A stale read of the stack is no read of the recommender."""
    world.invariants.forgives.add("stale")
    world.behaviour.not_found_after_create = 20.0
    world.cloud.status_lag = 3.0
    world.cloud.dates_urls = dates_urls
    world.stack.create(settings_of(), wait=False)
    world.cloud.run_for(seconds)
    world.deleted()
    world.cloud.drain()
    assert world.cloud.recommenders() == {}
