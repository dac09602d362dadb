"""The next step towards the recommender that a template asks for, as tables."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.decision.provision import after_accept, plan
from lambdas.recommender.decision.situation import UNSEEN, Situation
from lambdas.recommender.decision.verdict import (
    Change,
    CreateRecommender,
    DeleteRecommender,
    Done,
    Fail,
    StartRecommender,
    StopRecommender,
    TagResource,
    UntagResource,
    UpdateRecommender,
    Verdict,
    Wait,
)
from lambdas.recommender.model.config import Config
from lambdas.recommender.model.observed import Observed, Update
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.request import Desired
from tests.support.place import GROUP, RECIPE

from ..examples import (
    CONFIG,
    CREATES,
    DESIRED,
    HIDDEN,
    OTHER_CONFIG,
    OWN,
    OWNER,
    ROLLS_BACK,
    UPDATES,
)
from .examples import (
    ADOPTED,
    CHANGING,
    EARLIER_STACK,
    ECHO,
    EFFECTIVE,
    FAILED_UPDATE,
    FOREIGN,
    HANDED_OVER,
    INCLUDED,
    METADATA,
    NO_METADATA,
    OTHER_STACK,
    OTHER_UPDATE,
    OWN_UPDATE,
    RETRAINING,
    SIBLING,
    STOPPED,
    TRAINING,
    UPDATE_HANDED_OVER,
    UPDATING,
    WHOLE,
    assert_reason,
    assert_step,
    differing,
    observed,
    plan_for,
    update,
)

ADOPTING = replace(DESIRED, adopt=True)
NO_TEAM = OWNER.tags()
TAG_TEAM = TagResource({"team": "video"})
RETAIN, NOT_RETAIN = ({v.ON_DESTROY_TAG: fate} for fate in ("retain", "delete"))
UNTAG_FATE = UntagResource(frozenset([v.ON_DESTROY_TAG]))
UPDATE = UpdateRecommender(CONFIG)
TO_RETAIN, TO_DELETE = (replace(DESIRED, on_destroy=fate) for fate in ("retain", "delete"))

STEPS: Mapping[str, tuple[Desired, Observed | None, Any]] = {
    # on_destroy
    "to retain": (TO_RETAIN, observed(), TagResource(RETAIN)),
    "retained": (TO_RETAIN, observed(tags=OWN | RETAIN), EFFECTIVE),
    "no longer to retain": (TO_DELETE, observed(tags=OWN | RETAIN), TagResource(NOT_RETAIN)),
    "template without on_destroy": (DESIRED, observed(tags=OWN | NOT_RETAIN), UNTAG_FATE),
    "adopted, to retain": (TO_RETAIN, observed(tags=ADOPTED), EFFECTIVE),
    "adopted, tagged to retain": (TO_RETAIN, observed(tags=ADOPTED | RETAIN), UNTAG_FATE),
    # absent, or on its way out
    "absent": (DESIRED, None, CreateRecommender(DESIRED)),
    "absent, to be stopped": (STOPPED, None, CreateRecommender(STOPPED)),
    "being deleted": (DESIRED, observed("DELETE IN_PROGRESS"), Wait),
    "foreign, being deleted": (DESIRED, observed("DELETE PENDING", tags=FOREIGN), Wait),
    # ownership
    "foreign": (DESIRED, observed(tags=FOREIGN), Fail),
    "foreign, training": (DESIRED, observed("CREATE PENDING", tags=FOREIGN), Fail),
    "foreign, training failed": (DESIRED, observed("CREATE FAILED", tags=FOREIGN), Fail),
    "own, another dataset group": (DESIRED, observed(dataset_group_arn="x"), Fail),
    "own, another recipe": (DESIRED, observed(recipe_arn="x"), Fail),
    "to adopt": (ADOPTING, observed(tags=FOREIGN), TagResource(ADOPTED)),
    "to adopt, stopped": (ADOPTING, observed("INACTIVE", tags={}), TagResource(ADOPTED)),
    "to adopt, earlier stack": (ADOPTING, observed(tags=EARLIER_STACK), TagResource(ADOPTED)),
    "to adopt, training": (ADOPTING, observed("CREATE PENDING", tags={}), Wait),
    "to adopt, updating": (ADOPTING, observed(tags={}, latest_update=OTHER_UPDATE), Wait),
    "to adopt, training failed": (ADOPTING, observed("CREATE FAILED", tags={}), Fail),
    "to adopt, other stack": (ADOPTING, observed(tags=OTHER_STACK), Fail),
    "to adopt, another group": (ADOPTING, observed(tags={}, dataset_group_arn="x"), Fail),
    "to adopt, once retained": (ADOPTING, observed(tags=EARLIER_STACK | RETAIN), UNTAG_FATE),
    "adopted before": (ADOPTING, observed(tags=ADOPTED), EFFECTIVE),
    # broken
    "training failed": (DESIRED, observed("CREATE FAILED"), DeleteRecommender()),
    "another failure": (DESIRED, observed("STOP FAILED"), Fail),
    "unknown status": (DESIRED, observed("MIGRATING"), Wait),
    # in transit
    "training": (DESIRED, observed("CREATE IN_PROGRESS"), TRAINING),
    "training, to be stopped": (STOPPED, observed("CREATE PENDING"), TRAINING),
    "training another configuration": (DESIRED, differing("CREATE PENDING"), Wait),
    "training included columns": (DESIRED, observed("CREATE PENDING", config=INCLUDED), Wait),
    "starting": (DESIRED, observed("START PENDING"), HANDED_OVER),
    "starting, updated before": (
        DESIRED,
        observed("START PENDING", latest_update=update("ACTIVE", OTHER_CONFIG)),
        HANDED_OVER,
    ),
    "starting, to be stopped": (STOPPED, observed("START IN_PROGRESS"), Wait),
    "starting, another configuration": (DESIRED, differing("START PENDING"), Wait),
    "stopping": (DESIRED, observed("STOP IN_PROGRESS"), Wait),
    "stopping, to be stopped": (STOPPED, observed("STOP PENDING"), CHANGING),
    "another update": (DESIRED, observed(latest_update=OTHER_UPDATE), Wait),
    "own update": (DESIRED, OWN_UPDATE, UPDATING),
    "own update, to be stopped": (STOPPED, OWN_UPDATE, UPDATE_HANDED_OVER),
    "own update, starting": (
        DESIRED,
        replace(OWN_UPDATE, status="START PENDING"),
        UPDATE_HANDED_OVER,
    ),
    "retraining": (DESIRED, observed(latest_update=RETRAINING), CHANGING),
    "retraining, to be stopped": (STOPPED, observed(latest_update=RETRAINING), HANDED_OVER),
    "retraining another configuration": (
        DESIRED,
        differing(latest_update=update("CREATE PENDING", OTHER_CONFIG)),
        Wait,
    ),
    # stable
    "effective": (DESIRED, observed(), EFFECTIVE),
    "another configuration": (DESIRED, differing(), UPDATE),
    "another configuration, updated before": (
        DESIRED,
        differing(latest_update=update("ACTIVE", OTHER_CONFIG, created=5.0)),
        UpdateRecommender(CONFIG, 5.0),
    ),
    "included columns": (DESIRED, observed(config=INCLUDED), UpdateRecommender(WHOLE)),
    "missing tag": (DESIRED, observed(tags=NO_TEAM), TAG_TEAM),
    "tag with another value": (DESIRED, observed(tags={**OWN, "team": "x"}), TAG_TEAM),
    "retired tag": (DESIRED, observed(tags={**OWN, "old": "x"}), UntagResource(frozenset(["old"]))),
    "tag that is not the template's": (DESIRED, observed(tags={**OWN, "cost": "1"}), EFFECTIVE),
    "missing tag, another configuration": (DESIRED, differing(tags=NO_TEAM), TAG_TEAM),
    "no tag, retraining": (DESIRED, observed(tags=NO_TEAM, latest_update=RETRAINING), TAG_TEAM),
    "inactive": (DESIRED, observed("INACTIVE"), StartRecommender()),
    "inactive, to be stopped": (STOPPED, observed("INACTIVE"), EFFECTIVE),
    "inactive, to be stopped, differing": (STOPPED, differing("INACTIVE"), StartRecommender()),
    "active, to be stopped": (STOPPED, observed(), StopRecommender()),
    "active, to be stopped, another configuration": (STOPPED, differing(), UPDATE),
}


@pytest.mark.parametrize("row", STEPS)
def test_plan_takes_the_next_step_towards_the_template(row: str) -> None:
    desired, recommender, expected = STEPS[row]

    step = plan_for(desired, recommender, retired_tags=frozenset({"old", v.OWNER_STACK_TAG}))

    assert_step(step, expected)


@pytest.mark.parametrize("desired", [DESIRED, STOPPED, ADOPTING])
def test_plan_takes_a_recommender_without_tags_as_own(desired: Desired) -> None:
    assert_step(plan_for(desired, observed("CREATE PENDING", tags=None)), TRAINING)


def test_training_that_failed_in_this_operation_is_not_begun_again() -> None:
    failed = observed("CREATE FAILED", created=100.0)

    assert plan_for(DESIRED, failed, began=100.5) == DeleteRecommender()
    assert isinstance(plan_for(DESIRED, failed, began=100.0), Fail)


def test_update_that_failed_in_this_operation_is_not_begun_again() -> None:
    failed = differing(latest_update=FAILED_UPDATE)

    assert plan_for(DESIRED, failed, began=100.5) == UpdateRecommender(CONFIG, 100.0)
    assert plan_for(DESIRED, failed, began=100.0) == Fail(
        f"The update of {DESIRED.arn} failed: the reason. Its configuration stays as it was. "
        "Remove the cause, then deploy again."
    )


@pytest.mark.parametrize(
    ("config", "expected"),
    [(CONFIG, EFFECTIVE), (OTHER_CONFIG, UpdateRecommender(CONFIG, 100.0))],
    ids=["effective", "of another configuration"],
)
def test_failed_update_that_is_not_needed_or_not_ours_is_ignored(
    config: Mapping[str, Any], expected: Any
) -> None:
    recommender = observed(config=config, latest_update=update("CREATE FAILED", config))

    assert_step(plan_for(DESIRED, recommender, began=0.0), expected)


# -- reasons -----------------------------------------------------------------------------------

NAME = repr(DESIRED.name)
ELSEWHERE = {"dataset_group_arn": "another-group", "recipe_arn": "another-recipe"}
DIFFERENCES = (
    f"dataset group another-group (expected: {GROUP}), recipe another-recipe (expected: {RECIPE})"
)
REASONS: Mapping[str, tuple[Desired, Observed, str]] = {
    "being deleted": (
        DESIRED,
        observed("DELETE PENDING"),
        f"{DESIRED.arn} is being deleted, which must end first",
    ),
    "own, elsewhere": (
        DESIRED,
        observed(**ELSEWHERE),
        f"{NAME} has the {DIFFERENCES}. Personalize cannot change that in place, and a new "
        "recommender needs another name while the old one serves. Change recommender_name in the "
        "same deployment, or remove recommender_name.",
    ),
    "foreign": (
        DESIRED,
        observed(tags=FOREIGN),
        f"{NAME} exists, and its tags do not name this stack as its owner: {v.OWNER_STACK_TAG} is "
        f"missing, {v.OWNER_RESOURCE_TAG} is missing. If it is not this stack's, choose another "
        "recommender_name, or set recommender_name to this name, and adopt_existing, to take it "
        "over. If it is this stack's, put its tags back, then deploy again: aws personalize "
        f"tag-resource --resource-arn {DESIRED.arn} --tags tagKey=",
    ),
    "to adopt, other stack": (
        ADOPTING,
        observed(tags=OTHER_STACK),
        f"{NAME} belongs to another stack, {OTHER_STACK[v.OWNER_STACK_TAG]}. If that stack is "
        f"gone, remove the tag {v.OWNER_STACK_TAG} from the recommender, then deploy again.",
    ),
    "sibling": (
        DESIRED,
        observed(tags=SIBLING),
        f"{NAME} belongs to another resource of this stack, Series. Choose another "
        "recommender_name.",
    ),
    "other stack": (
        DESIRED,
        observed(tags=OTHER_STACK),
        f"{NAME} belongs to another stack, {OTHER_STACK[v.OWNER_STACK_TAG]}. Choose another "
        "recommender_name.",
    ),
    "earlier stack": (
        DESIRED,
        observed(tags=OWN | EARLIER_STACK),
        f"{EARLIER_STACK[v.OWNER_STACK_TAG]}. Choose another recommender_name, or set "
        "recommender_name to this name, and adopt_existing, to take it over from that earlier "
        "stack.",
    ),
    "to adopt, elsewhere": (
        ADOPTING,
        observed(tags={}, **ELSEWHERE),
        f"{NAME} cannot be adopted, because it has the {DIFFERENCES}. Set recommender_name to one "
        "of the same dataset group and recipe, or remove it.",
    ),
    "to adopt, failed": (
        ADOPTING,
        observed("CREATE FAILED", tags={}, failure_reason="too little data"),
        f"{DESIRED.arn} cannot be adopted, because it is CREATE FAILED: too little data. Delete "
        "it, or set recommender_name to another one.",
    ),
    "to adopt, training": (
        ADOPTING,
        observed("CREATE PENDING", tags={}),
        f"{DESIRED.arn} is CREATE PENDING",
    ),
    "failed": (
        DESIRED,
        observed("STOP FAILED", failure_reason="too little data"),
        f"{DESIRED.arn} is STOP FAILED: too little data. Remove the cause or the recommender, then "
        "deploy again.",
    ),
    "unknown status": (
        DESIRED,
        observed("MIGRATING"),
        f"{DESIRED.arn} has the status 'MIGRATING', which this version does not know",
    ),
    "training": (DESIRED, observed("CREATE PENDING"), "CREATE PENDING; the training gates wait"),
    "starting": (DESIRED, observed("START PENDING"), f"{DESIRED.arn} is START PENDING"),
    "stopping, to be stopped": (STOPPED, observed("STOP PENDING"), "STOP PENDING, as configured"),
    "retraining": (
        DESIRED,
        observed(latest_update=RETRAINING),
        "being updated (CREATE PENDING); the training gates wait for it",
    ),
    "inactive, to be stopped": (STOPPED, observed("INACTIVE"), "INACTIVE, as configured"),
}


@pytest.mark.parametrize("row", REASONS)
def test_plan_verdict_explains_the_cause_and_the_next_step(row: str) -> None:
    desired, recommender, reason = REASONS[row]

    assert_reason(plan_for(desired, recommender), reason)


@pytest.mark.parametrize("tags", [OTHER_STACK, SIBLING, OWN | EARLIER_STACK, OWN | OTHER_STACK])
def test_plan_offers_no_command_that_takes_a_recommender_from_its_owner(
    tags: dict[str, str],
) -> None:
    step = plan_for(DESIRED, observed(tags=tags))

    assert isinstance(step, Fail)
    assert "tag-resource" not in step.reason


# -- members that DescribeRecommender does not show --------------------------------------------

PLAIN, DEFAULTS = replace(DESIRED, config=NO_METADATA), replace(DESIRED, config=Config())
SWITCH_ON = UpdateRecommender(CONFIG, hidden=True)
SWITCH_ON_AGAIN = UpdateRecommender(CONFIG, 100.0, hidden=True)
NO_GENRES = replace(DESIRED, config=replace(METADATA, excluded_columns={"ITEMS": ("GENRES",)}))
SWITCH_OFF = UpdateRecommender({**CONFIG, v.ENABLE_METADATA: False}, hidden=True)


def with_hidden(**changes: Any) -> Observed:
    """Return a recommender that does not show whether there are metadata."""
    return observed(**{"config": HIDDEN, **changes})


def updated(status: str, created: float = 100.0, **changes: Any) -> Observed:
    """Return one that shows an update, which does not show metadata either."""
    return with_hidden(latest_update=update(status, HIDDEN, created), **changes)


BEGAN = 100.0
BEFORE: Mapping[str, tuple[Desired, Observed, Config | None, Any]] = {
    "created with it": (DESIRED, with_hidden(), None, EFFECTIVE),
    "same before": (DESIRED, with_hidden(), METADATA, EFFECTIVE),
    "off before": (DESIRED, with_hidden(), NO_METADATA, SWITCH_ON),
    "on before": (PLAIN, with_hidden(), METADATA, SWITCH_OFF),
    "adopted": (DESIRED, with_hidden(tags=ADOPTED), None, SWITCH_ON),
    "adopted, defaults": (DEFAULTS, observed(tags=ADOPTED, config={}), None, EFFECTIVE),
    "adopted, same before": (DESIRED, with_hidden(tags=ADOPTED), METADATA, EFFECTIVE),
    "created by this operation": (DESIRED, with_hidden(created=BEGAN), NO_METADATA, EFFECTIVE),
    "unknown update that shows all failed": (
        DESIRED,
        with_hidden(latest_update=FAILED_UPDATE),
        NO_METADATA,
        Fail,
    ),
    "earlier update ended": (
        DESIRED,
        updated("ACTIVE", 99.0),
        NO_METADATA,
        replace(SWITCH_ON, updated_after=99.0),
    ),
    "earlier update in transit": (DESIRED, updated("CREATE PENDING", 99.0), NO_METADATA, Wait),
    "earlier update in transit that shows all": (
        DESIRED,
        with_hidden(latest_update=update("CREATE PENDING", created=99.0)),
        NO_METADATA,
        UPDATING,
    ),
    "shown": (DESIRED, observed(config={**HIDDEN, v.ENABLE_METADATA: False}), METADATA, UPDATE),
    "columns excluded before": (
        DESIRED,
        observed(),
        replace(METADATA, excluded_columns={"ITEMS": ("GENRES",)}),
        UpdateRecommender(WHOLE, hidden=True),
    ),
    "columns that the template had before do not show": (
        NO_GENRES,
        observed(),
        NO_GENRES.config,
        UpdateRecommender(NO_GENRES.config.request(), hidden=True),
    ),
    "nothing shows": (NO_GENRES, observed(config={}), NO_GENRES.config, EFFECTIVE),
    "columns of a retraining": (NO_GENRES, observed(latest_update=RETRAINING), METADATA, Wait),
    "columns of the creation": (NO_GENRES, observed(created=BEGAN), None, EFFECTIVE),
}


@pytest.mark.parametrize("row", BEFORE)
def test_hidden_member_is_as_this_operation_or_the_template_before_has_set_it(row: str) -> None:
    desired, recommender, before, expected = BEFORE[row]

    assert_step(plan_for(desired, recommender, before=before, began=BEGAN), expected)


def test_failed_update_before_a_creation_of_unknown_beginning_is_made_once_more() -> None:
    adopted = differing(tags=ADOPTED, latest_update=FAILED_UPDATE)

    step = plan_for(DESIRED, adopted, situation=Situation(CREATES, began=0.0))

    assert isinstance(step, UpdateRecommender)


REMEMBERED: Mapping[str, tuple[Desired, str, float | None, Any]] = {
    "unknown, in transit": (DESIRED, "CREATE PENDING", None, Wait),
    "unknown, ended": (DESIRED, "ACTIVE", None, SWITCH_ON_AGAIN),
    "unknown, failed": (DESIRED, "CREATE FAILED", None, SWITCH_ON_AGAIN),
    "own, in transit": (DESIRED, "CREATE PENDING", 99.0, UPDATING),
    "own, in transit, to be stopped": (STOPPED, "CREATE PENDING", 99.0, UPDATE_HANDED_OVER),
    "own, ended": (DESIRED, "ACTIVE", 99.0, EFFECTIVE),
    "own, failed": (DESIRED, "CREATE FAILED", 99.0, Fail),
}


@pytest.mark.parametrize("operation", [UPDATES, ROLLS_BACK], ids=["update", "rollback"])
@pytest.mark.parametrize("row", REMEMBERED)
def test_hidden_update_since_the_operation_began_is_its_own_only_if_the_request_remembers_it(
    row: str, operation: Operation
) -> None:
    desired, status, updated_after, expected = REMEMBERED[row]
    situation = Situation(operation, began=BEGAN, updated_after=updated_after)

    step = plan_for(desired, updated(status), before=NO_METADATA, situation=situation)

    if operation is ROLLS_BACK and expected is UPDATING:
        expected = UPDATE_HANDED_OVER
    assert_step(step, expected)


# -- a recipe that does not explore ------------------------------------------------------------

WITHOUT = replace(DESIRED, config=Config(enable_metadata=True, explores=False))


@pytest.mark.parametrize("tags", [OWN, ADOPTED], ids=["own", "adopted"])
def test_exploration_that_the_recipe_does_not_have_is_neither_compared_nor_sent(
    tags: dict[str, str],
) -> None:
    as_sent = WITHOUT.config.request(ECHO)
    same = observed(tags=tags, config={**as_sent, **ECHO})
    other = replace(same, config={**OTHER_CONFIG, **ECHO})

    assert_step(plan_for(WITHOUT, same), EFFECTIVE)
    assert_step(plan_for(WITHOUT, other), UpdateRecommender(as_sent))
    assert v.EXPLORATION not in as_sent


# -- in which operation ------------------------------------------------------------------------

ROLLBACKS: Mapping[str, tuple[Done, Situation, Verdict]] = {
    "an update in transit": (UPDATING, Situation(UPDATES), UPDATING),
    "a training": (TRAINING, Situation(CREATES), TRAINING),
    "an update that may show late": (EFFECTIVE, Situation(UPDATES, may_show_late=True), EFFECTIVE),
    "a rollback of an update": (UPDATING, Situation(ROLLS_BACK), UPDATE_HANDED_OVER),
    "a rollback, retraining": (CHANGING, Situation(ROLLS_BACK), HANDED_OVER),
    "a rollback, training": (TRAINING, Situation(ROLLS_BACK), HANDED_OVER),
    "a rollback, effective": (EFFECTIVE, Situation(ROLLS_BACK), EFFECTIVE),
    "a rollback that may show late": (EFFECTIVE, Situation(ROLLS_BACK, may_show_late=True), UNSEEN),
}


@pytest.mark.parametrize("row", ROLLBACKS)
def test_request_of_a_rollback_ends_only_in_the_state_before(row: str) -> None:
    done, situation, expected = ROLLBACKS[row]
    recommender = {
        UPDATING: OWN_UPDATE,
        CHANGING: observed(latest_update=RETRAINING),
        TRAINING: observed("CREATE PENDING"),
        EFFECTIVE: observed(),
    }[done]

    assert_step(plan_for(DESIRED, recommender, situation=situation), replace(expected, reason=""))


THEIRS = update("ACTIVE", OTHER_CONFIG)
OVERTAKEN: Mapping[str, tuple[Operation, float | None, Update | None, bool]] = {
    "another update after the own": (ROLLS_BACK, 0.0, THEIRS, True),
    "another failed update": (ROLLS_BACK, 0.0, replace(THEIRS, status="CREATE FAILED"), True),
    "no rollback": (UPDATES, 0.0, THEIRS, False),
    "no own update": (ROLLS_BACK, None, THEIRS, False),
    "own update not shown yet": (ROLLS_BACK, THEIRS.created, THEIRS, False),
    "no update shown": (ROLLS_BACK, 0.0, None, False),
    "own retraining": (ROLLS_BACK, 0.0, replace(THEIRS, config=CONFIG), False),
}


@pytest.mark.parametrize("row", OVERTAKEN)
def test_rollback_does_not_undo_an_update_after_its_own(row: str) -> None:
    operation, updated_after, latest, overtaken = OVERTAKEN[row]

    step = plan(
        DESIRED,
        differing(latest_update=latest),
        Situation(operation, updated_after=updated_after),
    )

    if overtaken:
        assert step == Fail(
            f"Another caller updated {DESIRED.arn} after this rollback had updated it, so the "
            "rollback stops. Find that caller and stop it, then continue the rollback (aws "
            "cloudformation continue-update-rollback)."
        )
    else:
        assert isinstance(step, UpdateRecommender)


SENT = UpdateRecommender(CONFIG, 5.0)
ACCEPTED: Mapping[str, tuple[Desired, Operation, Change, Verdict]] = {
    "create": (DESIRED, CREATES, CreateRecommender(DESIRED), TRAINING),
    "create, to be stopped": (STOPPED, CREATES, CreateRecommender(STOPPED), TRAINING),
    "create in a rollback": (DESIRED, ROLLS_BACK, CreateRecommender(DESIRED), HANDED_OVER),
    "update": (DESIRED, UPDATES, SENT, replace(UPDATING, updated_after=5.0)),
    "update in a rollback": (
        DESIRED,
        ROLLS_BACK,
        SENT,
        replace(UPDATE_HANDED_OVER, updated_after=5.0),
    ),
    "update, to be stopped": (STOPPED, UPDATES, SENT, Wait("", updated_after=5.0)),
    "start": (DESIRED, UPDATES, StartRecommender(), Wait("")),
}


@pytest.mark.parametrize("row", ACCEPTED)
def test_accepted_change_is_done_if_the_training_gates_wait_for_it(row: str) -> None:
    desired, operation, change, expected = ACCEPTED[row]

    verdict = after_accept(desired, Situation(operation), DESIRED.arn, change)

    name = type(change).__name__
    assert verdict.reason in (f"{name} is accepted", f"{name} of {DESIRED.arn} is accepted")
    assert_step(verdict, expected)
