"""What CloudFormation, Personalize and the CLI are reported to do, and not documented to.

Each report is a switch in the fakes; what is here must end well under either answer.
"""

import socket
from typing import Any, get_args

import pytest
from botocore.exceptions import EndpointConnectionError

from lambdas.recommender.vocabulary import METRICS, TRAINING_GATE_TYPE
from local_aws.personalize.behaviour import Echo
from tests.reliability.calls import PERSONALIZE, always, raising, refuse
from tests.reliability.lifecycles import ALL, EVERY_LIFECYCLE, GOOD, prepared, wrong_with
from tests.reliability.world import HIDES, HOUR, MINUTE, World, follow, settings_of, texts

# -- after a DELETE_FAILED, what the resource depends on is deleted ------------------------------


@pytest.fixture(params=[False, True], ids=["kept", "deleted"])
def needed(request: pytest.FixtureRequest, world: World) -> bool:
    """Whether what a failed resource depends on is deleted all the same."""
    world.cloud.deletes_what_failed_needs = request.param
    return bool(request.param)


@pytest.mark.rows("W1", "X5", "T3")
@pytest.mark.usefixtures("needed")
def test_the_way_out_of_a_deletion_that_a_training_outlasted_leaves_nothing(world: World) -> None:
    world.behaviour.create_in_progress = 30 * HOUR
    settings = {"max_training_hours": 2.5, "max_deletion_hours": 2.5}
    assert world.stack.create(settings, sibling_fails=10 * MINUTE) == "ROLLBACK_FAILED"
    assert world.arn in texts(world.stack)
    world.clock.advance(30 * HOUR)
    follow(world, world.stack)
    assert world.owned == []


@pytest.mark.rows("W1", "X5", "S4")
@pytest.mark.usefixtures("needed")
@pytest.mark.parametrize(
    "operations",
    [
        ["DeleteRecommender"],
        ["ListTagsForResource"],
        ["StartExecution", "DeleteRecommender"],  # so that it cannot be waited for
    ],
    ids=",".join,
)
def test_the_way_out_of_a_deletion_that_was_refused_throughout_leaves_nothing(
    world: World, operations: list[str]
) -> None:
    world.created()
    world.cloud.before = refuse(operations, "AccessDeniedException")
    assert world.stack.delete() == "DELETE_FAILED"
    assert operations[0] in texts(world.stack)
    world.heal()
    follow(world, world.stack)
    assert world.owned == []


@pytest.mark.rows("W1", "X5", "U7")
@pytest.mark.usefixtures("needed")
def test_the_way_out_of_a_deletion_of_what_lost_its_tags_leaves_nothing(world: World) -> None:
    world.created()
    arn = world.arn
    world.untag(arn, "top-picks:stack-id")
    assert world.stack.delete() == "DELETE_FAILED"
    follow(world, world.stack)
    assert world.cloud.recommenders() == {}


@pytest.mark.rows("W6", "X7", "U7")
def test_what_lost_its_tags_goes_with_the_next_change_once_it_has_them_again(world: World) -> None:
    world.created()
    arn, tags = world.arn, world.recommender["tags"]
    world.untag(arn, "top-picks:stack-id")
    world.updated(dataset_group_arn=world.other_group)
    assert f"aws personalize tag-resource --resource-arn {arn}" in texts(world.stack)
    world.tag(arn, tags)
    world.updated(dataset_group_arn=world.other_group, exploration_weight=0.7)
    assert [one["recommenderArn"] != arn for one in world.owned] == [True]


@pytest.mark.rows("W1", "X5", "O3")
@pytest.mark.usefixtures("needed")
def test_the_way_out_of_a_release_that_was_refused_leaves_the_recommender_untagged(
    world: World,
) -> None:
    world.foreign("films")
    world.created(recommender_name="films", adopt_existing=True)
    world.cloud.before = refuse("UntagResource", "AccessDeniedException")
    assert world.stack.delete() == "DELETE_FAILED"
    world.heal()
    follow(world, world.stack)
    assert world.owned == []
    assert world.cloud.recommenders().keys() == {"films"}


@pytest.mark.rows("W1", "S4")
@pytest.mark.usefixtures("needed")
@pytest.mark.parametrize(
    ("operation", "hours"),
    [
        ("DeleteRecommender", 0.5),
        ("DeleteRecommender", 1.5),
        ("DescribeRecommender", 1.5),
        ("ListRecommenders", 1.5),
        ("DescribeStacks", 1.5),
    ],
)
def test_a_permission_that_is_given_back_in_time_ends_the_deletion_well(
    world: World, operation: str, hours: float
) -> None:
    """Giving up is final, so a deletion that is refused does not give up in a minute."""
    world.created()
    started = world.clock.now
    world.cloud.before = refuse(
        operation, "AccessDeniedException", while_=lambda: world.clock.now < started + hours * HOUR
    )
    world.deleted()
    assert world.owned == []


@pytest.mark.rows("W1")
@pytest.mark.usefixtures("needed")
def test_a_short_budget_for_training_is_no_short_one_for_deletion(world: World) -> None:
    world.behaviour.create_in_progress = 5 * HOUR
    settings = {"max_training_hours": 0.9, "max_deletion_hours": 10}
    assert world.stack.create(settings) == "ROLLBACK_COMPLETE", texts(world.stack)
    assert world.owned == []


# -- DescribeRecommender does not show everything ------------------------------------------------


@pytest.mark.sweep
@pytest.mark.rows("W2")
@pytest.mark.parametrize("echo", get_args(Echo))
@pytest.mark.parametrize("lifecycle", EVERY_LIFECYCLE)
def test_a_configuration_that_is_not_shown_fails_nothing(lifecycle: str, echo: Echo) -> None:
    world = prepared(lifecycle)
    world.behaviour.echo = echo
    ALL[lifecycle](world)
    assert wrong_with(world, lifecycle, GOOD) == ""


@pytest.mark.rows("W2")
def test_a_configuration_that_is_not_shown_costs_no_update_and_one_warning(
    world: World, echo: Echo, caplog: pytest.LogCaptureFixture
) -> None:
    world.created()
    world.updated(tags={"team": "films"})
    world.updated(exploration_weight=0.7, tags={"team": "films"})
    world.updated(running=False, exploration_weight=0.7)
    assert world.attempts("UpdateRecommender") == ["OK"]
    warnings = [one for one in caplog.records if "does not show" in one.getMessage()]
    assert len(warnings) == (4 if echo in HIDES else 0), "one for each deployment"


@pytest.mark.rows("W2", "U5")
@pytest.mark.usefixtures("echo")
def test_an_update_that_fails_is_seen_though_its_configuration_is_not_shown(world: World) -> None:
    world.created()
    world.behaviour.update_failure = "no capacity"
    world.failed(exploration_weight=0.7)
    assert "no capacity" in texts(world.stack)
    world.behaviour.update_failure = None
    world.updated(exploration_weight=0.7)
    assert world.exploration_weight == "0.7"


@pytest.mark.rows("W2", "U5")
@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize(
    "failing", [{"exploration_weight": 0.7}, {"excluded_columns": {"ITEMS": ["GENRES"]}}]
)
def test_settings_go_back_to_defaults_after_an_update_that_failed_and_is_kept(
    world: World, failing: dict[str, Any]
) -> None:
    world.created()
    world.behaviour.update_failure = "no capacity"
    assert world.stack.update(world.given(failing), rolls_back=False) == "UPDATE_FAILED"
    world.behaviour.update_failure = None
    world.updated()
    assert world.exploration_weight == "0.3"


@pytest.mark.rows("W2")
def test_value_that_another_caller_has_set_unseen_is_deployed_at_the_second_attempt(
    world: World,
) -> None:
    world.behaviour.echo = "nothing"
    world.created()
    exploration = {"explorationWeight": "0.7", "explorationItemAgeCutOff": "30"}
    config = {**world.recommender["recommenderConfig"], "itemExplorationConfig": exploration}
    world.disturb().update_recommender(recommenderArn=world.arn, recommenderConfig=config)
    world.clock.advance(HOUR)
    world.failed(exploration_weight=0.7)
    assert "The update changes nothing" in texts(world.stack)
    world.updated(exploration_weight=0.7)
    assert world.exploration_weight == "0.7"


@pytest.mark.rows("W2", "RB6")
@pytest.mark.usefixtures("echo")
def test_update_that_failed_and_is_kept_is_rolled_back_though_nothing_shows(world: World) -> None:
    world.created(exploration_weight=0.7)
    world.behaviour.update_failure = "no capacity"
    again = world.given({"exploration_weight": 0.9})
    assert world.stack.update(again, rolls_back=False) == "UPDATE_FAILED"
    world.behaviour.update_failure = None
    assert world.stack.roll_back() == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)
    assert world.exploration_weight == "0.7"


@pytest.mark.rows("W2", "RB1")
@pytest.mark.parametrize("failure", [None, "no capacity"])
@pytest.mark.usefixtures("echo")
def test_rollback_in_the_second_of_the_update_takes_it_back_though_nothing_shows(
    world: World, failure: str | None
) -> None:
    """The update that it reverses, and its failure, are as new as its own would be."""
    world.created()
    world.behaviour.update_failure = failure
    world.stack.update(world.given({"exploration_weight": 0.7}), wait=False)
    while "UpdateRecommender" not in world.changes():
        world.cloud.run_for(0.5)
    world.behaviour.update_failure = None
    world.stack.fail_sibling()
    world.cloud.finish()
    assert world.stack.status == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)
    assert world.exploration_weight == "0.3"


@pytest.mark.rows("W2", "RB6")
@pytest.mark.usefixtures("echo")
def test_a_stopped_one_that_goes_back_to_what_is_not_shown_is_started_once_at_most(
    world: World,
) -> None:
    """That it is in force shows in nothing but a refusal, which is known when it is stopped."""
    stopped: dict[str, object] = {"recommender_name": "films", "running": False}
    world.created(**stopped)
    changes = world.failed(**stopped, exploration_weight=0.7, dataset_group_arn=world.other_group)
    assert changes in ([], ["StartRecommender", "StopRecommender"])
    assert world.recommender["status"] == "INACTIVE"


@pytest.mark.rows("W2", "C9")
@pytest.mark.usefixtures("echo")
def test_one_that_is_adopted_to_be_stopped_is_not_started_again(world: World) -> None:
    world.foreign("films", config={"enableMetadataWithRecommendations": True})
    changes = world.created(recommender_name="films", adopt_existing=True, running=False)
    assert "StartRecommender" not in changes
    assert world.recommender["status"] == "INACTIVE"


@pytest.mark.rows("W10", "U4")
@pytest.mark.parametrize(
    "echo", ["as set", "in full", "without defaults", "without metadata"], indirect=True
)
@pytest.mark.usefixtures("echo")
def test_columns_that_an_adopted_recommender_includes_are_put_right(world: World) -> None:
    included = {"trainingDataConfig": {"includedDatasetColumns": {"ITEMS": ["GENRES"]}}}
    world.foreign("films", config=included)
    world.created(recommender_name="films", adopt_existing=True)
    training = world.recommender["recommenderConfig"].get("trainingDataConfig", {})
    assert not training.get("includedDatasetColumns")


# -- a region without Personalize ----------------------------------------------------------------


def unreachable(region: str) -> EndpointConnectionError:
    """Return what the SDK raises where it does not reach Personalize in a region."""
    return EndpointConnectionError(endpoint_url=f"https://personalize.{region}.amazonaws.com")


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, world: World) -> World:
    """A world in whose region there is no Personalize."""

    def unknown(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    world.cloud.before = always(PERSONALIZE, raising(unreachable("eu-west-3")))
    return world


@pytest.mark.rows("W3")
def test_a_region_without_personalize_fails_in_minutes_by_name_and_rolls_back(
    nowhere: World,
) -> None:
    started = nowhere.clock.now
    nowhere.failed()
    assert "there is no personalize in eu-west-3" in texts(nowhere.stack)
    assert "eu-west-1" in texts(nowhere.stack)
    assert nowhere.clock.now - started < 15 * MINUTE


@pytest.mark.rows("W3")
@pytest.mark.parametrize("seconds", [5, 100])
def test_a_creation_that_is_cancelled_in_a_region_without_personalize_is_deleted(
    nowhere: World, seconds: float
) -> None:
    nowhere.cancelled(seconds)


@pytest.mark.rows("W3")
def test_a_region_that_cannot_be_reached_for_a_while_is_not_taken_for_one_without(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The DNS knows its name, and so does the SDK."""
    world.created()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [])
    started = world.clock.now
    world.cloud.before = always(
        PERSONALIZE,
        raising(unreachable("eu-west-1")),
        while_=lambda: world.clock.now < started + 20 * MINUTE,
    )
    world.deleted()
    assert world.owned == []


# -- --no-rollback, and the same deployment again ------------------------------------------------


@pytest.mark.rows("W4")
@pytest.mark.parametrize(
    ("what", "ends"),
    [("training", "CREATE_FAILED"), ("update", "UPDATE_FAILED"), ("replacement", "UPDATE_FAILED")],
)
def test_after_a_failure_that_was_kept_the_next_force_update_asks_for_everything_anew(
    world: World, what: str, ends: str
) -> None:
    change: dict[str, dict[str, object]] = {
        "training": {},
        "update": {"exploration_weight": 0.7},
        "replacement": {"dataset_group_arn": world.other_group},
    }
    if what != "training":
        world.created()
    failure = "update_failure" if what == "update" else "training_failure"
    setattr(world.behaviour, failure, "fewer than 1000 interactions")
    settings = settings_of(**change[what])
    begin = world.stack.update if what != "training" else world.stack.create
    assert begin(settings, rolls_back=False) == ends
    assert "force_update" in texts(world.stack), "what to change is said"
    setattr(world.behaviour, failure, None)
    again = settings | {"force_update": "2"}
    assert world.stack.update(again, rolls_back=False) == "UPDATE_COMPLETE", texts(world.stack)
    assert world.recommender["status"] == "ACTIVE"
    group = change[what].get("dataset_group_arn", world.group)
    assert world.recommender["datasetGroupArn"] == group


# -- creations by change set, clean-up, skipped gates, ROLLBACK_COMPLETE -------------------------


@pytest.mark.sweep
@pytest.mark.rows("W5", "RB1")
@pytest.mark.parametrize("lifecycle", EVERY_LIFECYCLE)
def test_a_creation_with_a_last_updated_time_ends_well(lifecycle: str) -> None:
    """In all other sweeps, a creation has none."""
    world = prepared(lifecycle)
    world.cloud.change_sets = True
    ALL[lifecycle](world)
    assert wrong_with(world, lifecycle, GOOD) == ""


@pytest.mark.rows("W6", "X7")
def test_what_clean_up_has_tried_once_goes_with_the_stack(world: World) -> None:
    world.cloud.clean_up_attempts = 1
    world.created()
    world.cloud.before = refuse("DeleteRecommender", "AccessDeniedException")
    world.updated(dataset_group_arn=world.other_group)
    refused = [one for one in world.stack.events if one.status == "DELETE_FAILED"]
    assert len(refused) == 1
    world.heal()
    world.deleted()
    assert world.owned == []


@pytest.mark.rows("W7", "RB6")
def test_a_gate_that_is_skipped_in_a_rollback_still_has_all_its_attributes(world: World) -> None:
    world.created()
    world.behaviour.update_failure = "no capacity"
    assert _undone_though_it_fails(world) == "UPDATE_ROLLBACK_FAILED"
    gates = world.stack.template.ids_of(TRAINING_GATE_TYPE)
    world.behaviour.update_failure = None
    assert world.stack.roll_back(skip=gates) == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)
    assert {*METRICS, "RecommenderArn", "ModelMetrics"} <= world.stack.outputs.keys()
    world.updated(exploration_weight=0.5)


def _undone_though_it_fails(world: World) -> str:
    """Update, and undo that while every gate of the way back fails."""
    world.cloud.before = refuse(
        "DescribeRecommender",
        "AccessDeniedException",
        while_=lambda: (
            world.stack.status == "UPDATE_ROLLBACK_IN_PROGRESS"
            and world.cloud.invocations[-1].request.event["ResourceType"] == TRAINING_GATE_TYPE
        ),
    )
    status = world.update(exploration_weight=0.7)
    world.heal()
    return status


@pytest.mark.rows("W9")
def test_a_first_deployment_that_was_rolled_back_is_deleted_and_made_anew(world: World) -> None:
    """`cdk deploy` does so by itself; in a pipeline somebody has to (docs/how-to/pipeline.md)."""
    world.behaviour.training_failure = "fewer than 1000 interactions"
    world.failed()
    world.behaviour.training_failure = None
    with pytest.raises(AssertionError, match="cannot be updated in ROLLBACK_COMPLETE"):
        world.update()
    world.deleted()
    world.stack = world.cloud.stack()
    world.created()
