"""Rolling back: to exactly where it was, also when the way back is not smooth."""

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from lambdas.recommender.vocabulary import RECOMMENDER_TYPE, TRAINING_GATE_TYPE
from tests.reliability.calls import PERSONALIZE, always, refuse
from tests.reliability.world import HOUR, MINUTE, World, settings_of, texts
from tests.support.cloudformation import Rollback
from tests.support.serverless import Event
from tests.support.synthesis import Deployable

CHANGES: dict[str, Mapping[str, object]] = {
    "configuration": {"exploration_weight": 0.7},
    "columns": {"excluded_columns": {"ITEMS": ["GENRES"]}},
    "dataset group": {
        "dataset_group_arn": "arn:aws:personalize:eu-west-1:111111111111:dataset-group/other"
    },
    "stop": {"running": False},
    "name": {"recommender_name": "films"},
}


REPLACES = ("dataset group", "name")
WITH_ROLLBACKS = pytest.mark.parametrize(
    ("change", "rollback"),
    [
        *((change, Rollback.REVERSED_THEN_DELETE) for change in CHANGES),
        *((change, Rollback.DELETE_ONLY) for change in REPLACES),
        *((change, Rollback.REVERSED_WITH_OLD_ID) for change in REPLACES),
    ],
    indirect=["rollback"],
)
"""In which order requests come matters only where a resource is replaced."""


@pytest.mark.rows("RB6", "RP6", "U5")
@WITH_ROLLBACKS
def test_a_finished_update_is_undone_if_a_sibling_fails_last(
    world: World, rollback: Rollback, change: str
) -> None:
    world.created()
    old = world.arn
    status = world.undone(**CHANGES[change])
    assert status == "UPDATE_ROLLBACK_COMPLETE", (texts(world.stack), rollback)
    assert (world.arn, world.recommender["status"]) == (old, "ACTIVE")
    assert world.stack.the(RECOMMENDER_TYPE).physical_id == old
    world.updated(**CHANGES[change])


@pytest.mark.rows("RB6")
def test_a_rollback_that_fails_once_succeeds_when_it_is_continued(world: World) -> None:
    world.created()
    world.cloud.before = refuse(
        "UpdateRecommender",
        "InvalidInputException",
        while_=lambda: world.stack.status == "UPDATE_ROLLBACK_IN_PROGRESS",
    )
    assert world.undone(exploration_weight=0.7) == "UPDATE_ROLLBACK_FAILED"
    world.heal()
    assert world.stack.roll_back() == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)
    world.updated(exploration_weight=0.7)


@pytest.mark.rows("RB6", "U5")
def test_a_rollback_whose_update_fails_succeeds_when_it_is_continued(world: World) -> None:
    world.created()

    world.cloud.before = always(
        PERSONALIZE,
        lambda: setattr(world.behaviour, "update_failure", "too few interactions"),
        while_=lambda: world.stack.status == "UPDATE_ROLLBACK_IN_PROGRESS",
    )
    assert world.undone(exploration_weight=0.7) == "UPDATE_ROLLBACK_FAILED"
    assert "too few interactions" in texts(world.stack)
    assert world.attempts("UpdateRecommender") == ["OK", "OK"]
    world.heal()
    world.behaviour.update_failure = None
    assert world.stack.roll_back() == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)


@pytest.mark.rows("RB6", "C7")
def test_a_rollback_whose_training_fails_succeeds_when_it_is_continued(
    world: World, rollback: Rollback
) -> None:
    world.created()
    old = world.recommender["name"]
    template = settings_of(dataset_group_arn=world.other_group)
    world.stack.update(template, sibling_fails=5 * MINUTE, wait=False)
    world.cloud.run_for(2 * MINUTE)
    world.invariants.forgives.add("rest")
    world.disturb().delete_recommender(
        recommenderArn=world.cloud.recommenders()[old]["recommenderArn"]
    )
    world.behaviour.training_failure = "too few interactions"
    world.cloud.finish()
    assert world.stack.status == "UPDATE_ROLLBACK_FAILED"
    if rollback is Rollback.DELETE_ONLY:  # no Update comes that could make it anew
        assert "this deployment did not delete it" in texts(world.stack)
        return
    assert "too few interactions" in texts(world.stack)
    world.behaviour.training_failure = None
    assert world.stack.roll_back() == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)
    assert world.recommender["status"] == "ACTIVE"


@pytest.mark.rows("RB6", "X1")
def test_a_stack_whose_rollback_failed_is_deleted_without_a_trace(world: World) -> None:
    world.created()
    world.cloud.before = refuse(
        "DescribeRecommender",
        "AccessDeniedException",
        while_=lambda: world.stack.status == "UPDATE_ROLLBACK_IN_PROGRESS",
    )
    world.behaviour.training_failure = "too few interactions"
    assert world.update(dataset_group_arn=world.other_group) == "UPDATE_ROLLBACK_FAILED"
    assert len(world.owned) == 2
    world.deleted()
    assert world.owned == []


@pytest.mark.rows("RB6", "TH1")
def test_a_rollback_outlasts_faults_that_pass(world: World, rollback: Rollback) -> None:
    world.created()
    old = world.recommender["name"]
    chance = random.Random(7)  # a fixed period could always hit the same call of a poll
    template = settings_of(dataset_group_arn=world.other_group)
    last = world.stack.template.ids_of(TRAINING_GATE_TYPE)[0]
    world.stack.update(template, sibling_fails=lambda: world.stack.has_completed(last), wait=False)
    world.cloud.run_for(11 * MINUTE)
    world.cloud.before = refuse(
        PERSONALIZE, "InternalServerError", while_=lambda: chance.random() < 0.4
    )
    world.cloud.finish()
    assert world.stack.status == "UPDATE_ROLLBACK_COMPLETE", (texts(world.stack), rollback)
    assert world.recommender["name"] == old


class NewerCode:
    """What a newer version would be: it knows a property that this one does not."""

    def __init__(self, world: World) -> None:
        self._stack = world.stack
        self._code = world.stack.functions

    def begin(self, event: Event) -> None:
        self._code.begin(self._understood(event))

    def poll(self, state: Event) -> Mapping[str, Any]:
        return self._code.poll({**state, "Event": self._understood(state["Event"])})

    def _understood(self, event: Event) -> Event:
        """Forward, it is the newer code that runs; on the way back, it is this one."""
        if self._stack.status != "UPDATE_IN_PROGRESS":
            return event
        properties = dict(event["ResourceProperties"])
        properties.pop("Tomorrow", None)
        return {**event, "ResourceProperties": properties}


@pytest.mark.rows("RB7")
@WITH_ROLLBACKS
def test_older_code_undoes_what_newer_code_did(
    world: World, rollback: Rollback, change: str
) -> None:
    world.created()
    template = Deployable.of("TopPicks", settings_of(**CHANGES[change]))
    for logical_id, resource in template.resources.items():
        if resource["Type"].startswith("Custom::"):
            template = template.patched(logical_id, Tomorrow={"Nested": True})
    world.stack.functions = NewerCode(world)
    status = world.stack.update(template, sibling_fails=1.5 * MINUTE)
    assert status == "UPDATE_ROLLBACK_COMPLETE", (texts(world.stack), rollback)


@pytest.mark.rows("X7")
@pytest.mark.parametrize("minutes", [None, 5])
@pytest.mark.parametrize("fixed", [{}, {"recommender_name": "films"}])
def test_a_construct_that_is_renamed_is_another_recommender(
    world: World, minutes: float | None, fixed: dict[str, object]
) -> None:
    """Its old sweeps are deleted while the stack, and the new recommender, live."""
    world.created(**fixed)
    old = world.recommender["name"]
    before = Deployable.of("TopPicks", settings_of(**fixed))
    text = json.dumps([before.resources, before.outputs])
    for logical_id in before.resources:
        if logical_id.startswith("Recommender"):
            text = text.replace(f'"{logical_id}"', f'"Renamed{logical_id}"')
    after = Deployable(*json.loads(text))
    status = world.stack.update(after, sibling_fails=None if minutes is None else minutes * MINUTE)
    if fixed:
        assert status == "UPDATE_ROLLBACK_COMPLETE"
        assert "'films' belongs to another resource of this stack" in texts(world.stack)
    elif minutes:
        assert status == "UPDATE_ROLLBACK_COMPLETE"
    else:
        assert status == "UPDATE_COMPLETE", texts(world.stack)
    assert (world.recommender["name"] == old) is (status == "UPDATE_ROLLBACK_COMPLETE")
    assert world.recommender["status"] == "ACTIVE"
    world.deleted()


# -- without a rollback: cdk deploy --no-rollback, and cdk rollback ------------------------------


@pytest.mark.rows("T3", "RB1")
def test_a_training_that_outlasts_its_gates_is_kept_and_waited_for_with_more_of_them(
    world: World,
) -> None:
    world.behaviour.create_in_progress = 3 * HOUR
    assert world.stack.create(settings_of(), rolls_back=False) == "CREATE_FAILED"
    assert "raise max_training_hours" in texts(world.stack)
    world.updated(max_training_hours=5)
    assert world.changes() == ["CreateRecommender"]
    assert world.stack.outputs["Coverage"] == "0.0768"


@pytest.mark.rows("C8", "RB1")
def test_a_create_that_failed_and_is_kept_is_made_anew(world: World) -> None:
    world.cloud.before = refuse("CreateRecommender", "LimitExceededException")
    assert world.stack.create(settings_of(), rolls_back=False) == "CREATE_FAILED"
    world.heal()
    world.updated()
    world.deleted()


@pytest.mark.rows("RB6", "RP6")
@WITH_ROLLBACKS
def test_an_update_that_failed_and_is_kept_is_rolled_back(
    world: World, rollback: Rollback, change: str
) -> None:
    world.created()
    old = world.recommender["name"]
    _cancel_and_keep(world, CHANGES[change])
    status = world.stack.roll_back()
    assert status == "UPDATE_ROLLBACK_COMPLETE", (texts(world.stack), rollback)
    assert world.recommender["name"] == old


@pytest.mark.rows("RB6", "RP6")
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("then", ["again", "delete"])
def test_an_update_that_failed_and_is_kept_goes_on(world: World, change: str, then: str) -> None:
    world.created()
    _cancel_and_keep(world, CHANGES[change])
    if then == "again":
        world.updated(**CHANGES[change])
    else:
        world.deleted()


def _cancel_and_keep(
    world: World, change: Mapping[str, object], after: float = 1.5 * MINUTE
) -> None:
    status = world.stack.update(world.given(change), sibling_fails=after, rolls_back=False)
    assert status == "UPDATE_FAILED"


@pytest.mark.rows("RP5", "RP7")
@pytest.mark.parametrize(
    "deletes",
    [
        False,
        pytest.param(
            True,
            marks=pytest.mark.xfail(
                strict=True, reason="a clean-up Delete by the id that is in use deletes what is"
            ),
        ),
    ],
)
def test_a_failed_replacement_that_is_kept_and_then_taken_back_leaves_the_first_one(
    world: World, deletes: bool
) -> None:
    world.cloud.deletes_what_has_returned = deletes
    world.created()
    old = world.recommender["name"]
    world.behaviour.training_failure = "too few interactions"
    status = world.stack.update(settings_of(dataset_group_arn=world.other_group), rolls_back=False)
    assert status == "UPDATE_FAILED"
    world.updated()
    assert world.recommender["name"] == old


@pytest.mark.rows("RB6", "RP6")
@pytest.mark.parametrize("hidden", [0.0, 20.0])
@pytest.mark.usefixtures("rollback")
def test_a_rollback_that_does_not_show_at_once_takes_the_replacement_away_in_time(
    world: World, hidden: float
) -> None:
    world.created()
    old, began = world.recommender["name"], world.cloud.clock.now
    world.cloud.status_lag = 3.0
    world.behaviour.not_found_after_create = hidden
    world.cancelled(2.0, dataset_group_arn=world.other_group)
    assert world.recommender["name"] == old
    assert world.cloud.clock.now - began < HOUR / 2


@pytest.mark.rows("RB6", "RP6")
@pytest.mark.usefixtures("rollback")
def test_a_replacement_that_is_kept_is_gone_when_the_first_one_is_started_by_a_rollback(
    world: World,
) -> None:
    world.created()
    old = world.recommender["name"]
    _cancel_and_keep(world, CHANGES["dataset group"])
    assert world.undone(running=False) == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)
    assert world.recommender["status"] == "ACTIVE"
    assert world.recommender["name"] == old


@pytest.mark.rows("RP8")
@pytest.mark.parametrize("change", [{"tags": {"team": "films"}}, {"exploration_weight": 0.7}])
def test_a_replacement_that_is_kept_half_made_and_then_changed_leaves_the_old_one_serving(
    world: World, change: Mapping[str, object]
) -> None:
    """That the old one serves until the new one does is an invariant, checked at every call."""
    world.created()
    world.behaviour.create_in_progress = HOUR
    settings = {"dataset_group_arn": world.other_group}
    _cancel_and_keep(world, settings, 10 * MINUTE)
    world.updated(**settings, **change)
    assert world.recommender["datasetGroupArn"] == world.other_group
