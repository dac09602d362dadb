"""Whose it is: never at the cost of something that is not ours."""

from typing import Any

import pytest

from local_aws.personalize import Behaviour, Personalize
from tests.reliability.calls import edit, error, once, refuse
from tests.reliability.world import HOUR, MINUTE, QUICK, World, settings_of, texts
from tests.support.cloudformation import Cloud
from tests.support.invariants import Invariants
from tests.support.personalize import VirtualClock
from tests.support.place import ACCOUNT, RECIPE

OTHER_STACK = f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/Other/1"
SAME_CONFIG = {
    "minRecommendationRequestsPerSecond": 1,
    "enableMetadataWithRecommendations": True,
    "itemExplorationConfig": {"explorationWeight": "0.3", "explorationItemAgeCutOff": "30"},
}


@pytest.mark.rows("O1")
@pytest.mark.parametrize(
    ("tags", "config"),
    [
        ({}, {}),
        ({}, SAME_CONFIG),
        ({"top-picks:stack-id": OTHER_STACK, "top-picks:logical-id": "RecommenderB6541FB9"}, {}),
    ],
    ids=["untagged", "with the same configuration", "tagged by another stack"],
)
def test_a_name_that_is_taken_is_refused_and_its_owner_s_recommender_left_alone(
    world: World, tags: dict[str, str], config: dict[str, Any]
) -> None:
    theirs = world.foreign("films", tags, config)
    assert world.failed(recommender_name="films") == []
    if tags:
        assert f"'films' belongs to another stack, {OTHER_STACK}" in texts(world.stack)
        assert "tag-resource" not in texts(world.stack)
    else:
        assert "'films' exists, and its tags do not name this stack" in texts(world.stack)
        assert "adopt_existing" in texts(world.stack)
    assert world.cloud.recommenders()["films"] == theirs


@pytest.mark.rows("O1", "TH9")
@pytest.mark.parametrize("times", [1, 5])
def test_a_foreign_recommender_that_trains_is_not_waited_for_though_its_tags_are_read_late(
    world: World, times: int
) -> None:
    """A poll that could not read the tags had counted as one that could."""
    world.foreign("films")
    world.cloud.outsider().delete_recommender(
        recommenderArn=world.cloud.recommenders()["films"]["recommenderArn"]
    )
    world.clock.advance(HOUR)
    world.behaviour.create_in_progress = 10 * HOUR
    world.cloud.outsider().create_recommender(
        name="films", datasetGroupArn=world.group, recipeArn=RECIPE
    )
    refused = iter(["ThrottlingException"] * 3 * times)

    def throttled(operation: str, _params: dict[str, Any]) -> None:
        undone = world.stack.status == "ROLLBACK_IN_PROGRESS"
        if operation == "ListTagsForResource" and undone and (code := next(refused, "")):
            raise error(code)

    world.cloud.before = throttled
    began = world.clock.now

    assert world.failed(recommender_name="films") == []

    assert world.clock.now - began < 15 * MINUTE


@pytest.mark.rows("O1")
def test_a_name_that_is_taken_is_no_obstacle_to_the_rollback_of_an_update(world: World) -> None:
    theirs = world.foreign("films")
    world.created()
    ours = world.recommender
    assert world.failed(recommender_name="films") == []
    assert world.recommender == ours
    assert world.cloud.recommenders()["films"] == theirs


@pytest.mark.rows("O2", "X9")
def test_what_an_earlier_stack_of_the_name_retained_is_not_ours_unless_it_is_adopted(
    world: World,
) -> None:
    settings = {"recommender_name": "films", "retain_on_destroy": True}
    world.created(**settings)
    world.deleted()

    world.stack = world.cloud.stack()
    assert world.failed(**settings) == []
    assert "adopt_existing" in texts(world.stack)

    world.stack = world.cloud.stack()
    world.created(**settings, adopt_existing=True)
    assert world.recommender["name"] == "films"


ADOPT = {"recommender_name": "films", "adopt_existing": True}


@pytest.mark.rows("O3")
@pytest.mark.parametrize("config", [{}, SAME_CONFIG])
def test_an_adopted_recommender_is_brought_in_line_and_released_in_the_end(
    world: World, config: dict[str, Any]
) -> None:
    world.foreign("films", {"theirs": "yes"}, config)
    assert world.created(**ADOPT, exploration_weight=0.7) == ["TagResource", "UpdateRecommender"]
    assert world.recommender["tags"]["top-picks:adopted"] == "true"
    world.deleted()
    assert world.cloud.recommenders()["films"]["status"] == "ACTIVE"
    assert world.cloud.recommenders()["films"]["tags"] == {"theirs": "yes"}


@pytest.mark.rows("O3")
@pytest.mark.parametrize("minutes", [0.1, 3])
def test_an_adoption_that_is_rolled_back_releases(world: World, minutes: float) -> None:
    world.foreign("films", {"theirs": "yes"})
    world.cancelled(minutes * MINUTE, **ADOPT, exploration_weight=0.7)
    assert world.cloud.recommenders()["films"]["tags"] == {"theirs": "yes"}


@pytest.mark.rows("O3")
def test_an_adopted_recommender_lives_on_like_any_other(world: World) -> None:
    world.foreign("films")
    world.created(**ADOPT)
    for change in ({"exploration_weight": 0.7}, {"running": False}, {}):
        world.updated(**ADOPT, **change)
    world.updated(recommender_name="films")
    world.deleted()
    assert set(world.cloud.recommenders()) == {"films"}


@pytest.mark.rows("O3", "RP1")
def test_an_adopted_recommender_that_is_replaced_is_released(world: World) -> None:
    world.foreign("films")
    world.created(**ADOPT)
    world.updated()
    assert world.cloud.recommenders()["films"]["tags"] == {}
    assert world.recommender["name"] != "films"


@pytest.mark.rows("O3", "RP1", "W2")
@pytest.mark.usefixtures("echo")
def test_an_adopted_recommender_replaces_one_with_another_configuration(world: World) -> None:
    world.foreign("films", config=SAME_CONFIG)
    world.created(exploration_weight=0.7)
    assert "CreateRecommender" not in world.updated(**ADOPT)
    assert world.arn.endswith("/films")


@pytest.mark.rows("O3", "U10")
@pytest.mark.parametrize("running", [True, False])
def test_a_stopped_recommender_is_adopted(world: World, running: bool) -> None:
    arn = world.foreign("films")["recommenderArn"]
    world.cloud.outsider().stop_recommender(recommenderArn=arn)
    world.clock.advance(HOUR)
    world.created(**ADOPT, running=running, exploration_weight=0.7)
    world.deleted()
    assert world.cloud.recommenders()["films"]["tags"] == {}


@pytest.mark.rows("O3")
def test_a_living_stack_s_recommender_is_not_adopted(world: World) -> None:
    other = world.cloud.stack("OtherPicks")
    assert other.create(settings_of(recommender_name="films")) == "CREATE_COMPLETE"
    assert world.failed(**ADOPT) == []
    assert f"belongs to another stack, {other.id}" in texts(world.stack)


@pytest.mark.rows("O3", "X7")
def test_an_adopted_recommender_is_released_while_it_changes(world: World) -> None:
    world.foreign("films")
    world.created(**ADOPT)
    world.disturb().stop_recommender(recommenderArn=world.arn)
    world.deleted()
    assert world.cloud.recommenders()["films"]["tags"] == {}


@pytest.mark.rows("O4")
def test_forged_tags_make_a_recommender_ours_only_under_a_name_of_ours(world: World) -> None:
    """Whoever may tag recommenders may give one away; nothing else of theirs is in danger."""
    world.created()
    forged = world.foreign("forged", dict(world.recommender["tags"]))
    world.invariants.forgives.add("rest")
    world.updated(exploration_weight=0.7)
    assert world.cloud.recommenders()["forged"] == forged


@pytest.mark.rows("O5", "C13")
def test_of_two_stacks_that_want_a_name_one_gets_it(world: World) -> None:
    other = world.cloud.stack("OtherPicks")
    settings = settings_of(recommender_name="films")
    world.stack.create(settings, wait=False)
    other.create(settings)
    statuses = {world.stack.status, other.status}
    assert statuses == {"CREATE_COMPLETE", "ROLLBACK_COMPLETE"}
    assert world.attempts("CreateRecommender").count("OK") == 1
    assert world.cloud.recommenders()["films"]["status"] == "ACTIVE"


@pytest.mark.rows("O5")
def test_a_name_that_is_taken_between_the_look_and_the_call_is_left_alone(world: World) -> None:
    world.cloud.before = once("CreateRecommender", lambda: world.foreign("films"))
    assert world.failed(recommender_name="films") == []
    assert world.cloud.recommenders()["films"]["status"] == "ACTIVE"


@pytest.mark.rows("O6")
@pytest.mark.parametrize(
    "group",
    [
        "arn:aws:personalize:eu-west-1:222222222222:dataset-group/vod",
        "arn:aws:personalize:us-east-1:111111111111:dataset-group/vod",
        "arn:aws-cn:personalize:eu-west-1:111111111111:dataset-group/vod",
    ],
)
def test_another_account_or_region_is_refused_before_any_call(world: World, group: str) -> None:
    assert world.stack.create(world.patched(DatasetGroupArn=group)) == "ROLLBACK_COMPLETE"
    assert "DatasetGroupArn" in texts(world.stack)
    called = {call.operation for call in world.service.journal}
    assert called <= {"ListRecommenders", "DescribeRecommender"}, "only its Delete has read it"


@pytest.mark.rows("O7")
def test_tags_that_cannot_be_read_prove_nothing(world: World) -> None:
    world.created()
    world.cloud.before = refuse("ListTagsForResource", "InternalServerError")
    started = world.clock.now
    assert world.update(exploration_weight=0.7).startswith("UPDATE_ROLLBACK")
    assert "ListTagsForResource" in texts(world.stack)
    assert world.changes(since=started) == []
    world.heal()


@pytest.mark.rows("O7")
def test_an_answer_without_tags_proves_nothing(world: World) -> None:
    world.created()
    world.cloud.after = edit("ListTagsForResource", lambda _: b"{}")
    assert world.stack.delete() == "DELETE_FAILED"
    assert world.changes() == ["CreateRecommender"]
    world.heal()
    world.deleted()


@pytest.mark.rows("O8")
@pytest.mark.parametrize(
    ("partition", "region"), [("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")]
)
def test_another_partition_is_another_partition_everywhere(partition: str, region: str) -> None:
    clock = VirtualClock()
    service = Personalize(Behaviour(**QUICK), clock)
    group = service.seed_dataset_group(ACCOUNT, region, "vod")
    assert group.startswith(f"arn:{partition}:")
    cloud = Cloud(service, clock, region=region, partition=partition)
    invariants, stack = Invariants(cloud), cloud.stack()
    settings = settings_of(dataset_group_arn=group)
    assert stack.create(settings) == "CREATE_COMPLETE", texts(stack)
    assert stack.outputs["RecommenderArn"].startswith(f"arn:{partition}:personalize:{region}:")
    assert stack.update({**settings, "exploration_weight": 0.7}) == "UPDATE_COMPLETE"
    assert stack.delete() == "DELETE_COMPLETE", texts(stack)
    invariants.check()
