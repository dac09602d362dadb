"""`python -m operations plan` on the fake CloudFormation: lines, exit codes, and what it refuses.

That a plan is what the deployment then does is in `test_foresight.py`.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.errors import NoServiceError
from operations.account import CHECKS, READS, Account
from operations.texts.lines import duration
from stacks.recommender import TopPicksRecommender
from tests.reliability.calls import refuse
from tests.reliability.conftest import Plan
from tests.reliability.lifecycles import NDCG, RESTING
from tests.reliability.world import HOUR, MINUTE, World
from tests.support.assembly import write_assembly
from tests.support.operator import Operator
from tests.support.permissions import Permissions, Use
from tests.support.place import ACCOUNT, RECIPE, REGION
from tests.support.synthesis import Deployable

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "reference" / "operations.md"
OTHER: Final = f"arn:aws:personalize:{REGION}:{ACCOUNT}:dataset-group/other"
WEEK: Final = 7 * 24 * HOUR
COLUMNS: Final = {"ITEMS": ["GENRES"]}


def name_of(world: World) -> str:
    return str(world.recommender["name"])


# -- what a deployment does --------------------------------------------------------------------


def test_first_deployment_trains_and_its_derived_name_is_not_known_yet(
    world: World, plan: Plan
) -> None:
    world.cloud.stacks.clear()

    shown = plan(4)

    pattern = f"TopPicks-{'?' * 16}"
    assert shown.startswith(f"first training: {pattern} is created and trained Stack")
    assert "account 111111111111: it does not exist yet" in shown
    assert f"CreateRecommender of {pattern}" in shown
    assert "Trains in full Decided in 3 h 40 min at most" in shown
    assert "Meanwhile no recommender serves" in shown
    assert "Exit code 4" in shown
    assert "Others" not in shown
    assert "films is created and trained" in plan(4, recommender_name="films")
    assert "is created, trained and stopped" in plan(4, running=False)


def test_stack_with_a_change_set_only_is_created_under_a_known_name(
    world: World, plan: Plan
) -> None:
    shown = plan(4)
    world.created()
    assert f"first training: {name_of(world)} is created and trained" in shown


def test_deployment_without_a_difference_is_nothing(world: World, plan: Plan) -> None:
    world.created()
    shown = plan(0)
    assert shown.startswith(f"nothing: {name_of(world)} stays as it is Stack")
    assert "Exit code 0: nothing changes" in shown


def test_drift_is_shown_if_no_request_corrects_it_and_if_one_does(world: World, plan: Plan) -> None:
    world.created()
    arn = world.arn
    world.disturb().stop_recommender(recommenderArn=arn)
    world.clock.advance(HOUR)

    shown = plan(0)
    difference = "status: actual INACTIVE, expected ACTIVE"
    assert f"Drift not corrected by this deployment: {difference}" in shown
    shown = plan(3, force_update="2")
    assert shown.startswith(f"stop or start: {name_of(world)} is started Stack")
    assert f"Drift corrected: {difference}" in shown
    assert "Settings force_update: nothing -> 2" in shown
    assert f"no recommender serves until {name_of(world)} is started" in shown


def test_change_of_other_resources_alone_is_nothing_with_exit_code_3(
    world: World, plan: Plan
) -> None:
    world.created()
    shown = plan(3, monitoring=True)
    assert re.match(rf"nothing: {name_of(world)} stays as it is; \d+ other changes", shown)
    assert "Others added: Monitoring" in shown
    assert re.search(r" and \d+ more", shown)


@pytest.mark.parametrize(
    ("settings", "shows"),
    [
        (
            {"exploration_weight": 0.7},
            ["in place: {} is updated", "exploration_weight: 0.3 -> 0.7", "Trains no"],
        ),
        (
            {"excluded_columns": COLUMNS},
            ["in place: {} is updated", "ITEMS: nothing -> GENRES", "Trains in full"],
        ),
        (
            {"tags": {"team": "video"}},
            ["in place: {} is tagged", "team: nothing -> video", "Meanwhile {} serves Others"],
        ),
        ({"running": False}, ["stop or start: {} is stopped", "serves until it is stopped"]),
        (RESTING, ["stop or start: {} is stopped", "active_hours.TimeZone: nothing -> UTC"]),
        ({"max_training_hours": 4.5}, ["nothing: {} stays", "training gates: 3 -> 5"]),
        ({"retain_on_destroy": True}, ["in place: {} is tagged", "destroy: delete -> retain"]),
    ],
)
def test_change_of_a_setting_is_named_with_its_effect(
    world: World, plan: Plan, settings: dict[str, object], shows: list[str]
) -> None:
    world.created()
    shown = plan(3, **settings)
    effect, *more = [one.format(name_of(world)) for one in shows]
    assert shown.startswith(effect)
    assert [one for one in more if one not in shown] == []


@pytest.mark.parametrize("settings", [{"running": False}, RESTING])
def test_stopped_recommender_stays_as_it_is(
    world: World, plan: Plan, settings: dict[str, object]
) -> None:
    world.created(**settings)
    assert plan(0, **settings).startswith(f"nothing: {name_of(world)} stays as it is Stack")


def test_replacement_shows_both_recommenders_and_the_minimums(world: World, plan: Plan) -> None:
    world.created()
    old = name_of(world)

    shown = plan(4, dataset_group_arn=OTHER, max_metric_regression=0.05)

    assert re.match(
        rf"replacement: (TopPicks-\w{{16}}), which is created and trained, replaces {old} Stack",
        shown,
    )
    assert f"CreateRecommender of TopPicks-{shown[22:38]} DeleteRecommender of {old}" in shown
    took = duration(world.behaviour.create_pending + world.behaviour.create_in_progress)
    assert f"Trains in full; the creation of {old} took {took} at most" in shown
    assert f"{old} serves until the training gates have passed and it is deleted" in shown
    assert f"Billed both, from the beginning of the training until {old} is deleted" in shown
    assert "Quality gate coverage at least 0.07296 (previous recommender 0.0768" in shown
    assert f"dataset_group_arn: {world.group} -> {OTHER}" in shown
    assert world.changes() == ["CreateRecommender"]


def test_replacement_by_an_adopted_recommender_trains_nothing(world: World, plan: Plan) -> None:
    world.foreign("films")
    world.created()
    shown = plan(4, recommender_name="films", adopt_existing=True)
    assert shown.startswith(f"replacement: films, which exists, replaces {name_of(world)} Stack")
    assert "TagResource of films" in shown
    assert "Trains no" in shown
    assert f"Billed both until {name_of(world)} is deleted in the clean-up" in shown


@pytest.mark.parametrize("proven", [True, False])
def test_replaced_recommender_that_is_not_deleted_serves_and_stays_billed(
    world: World, plan: Plan, proven: bool
) -> None:
    world.foreign("films")
    world.created(recommender_name="films", adopt_existing=True)
    if not proven:
        world.disturb().untag_resource(resourceArn=world.arn, tagKeys=list(v.RESERVED_TAGS))

    shown = plan(4, recommender_name="series")

    assert ("UntagResource of films" in shown) is proven
    assert "Meanwhile films serves Billed" in shown
    stays = "is released" if proven else "is not deleted"
    assert f"Billed both, also afterwards: films {stays}" in shown


def test_kept_recommender_of_a_replacement_stays_billed(world: World, plan: Plan) -> None:
    template = Deployable.of("TopPicks", world.given({}))
    (logical_id,) = template.ids_of(v.RECOMMENDER_TYPE)
    kept = {**template.resources[logical_id], "UpdateReplacePolicy": "Retain"}
    retaining = Deployable({**template.resources, logical_id: kept}, template.outputs)
    world.stack.create(retaining)
    old = name_of(world)
    shown = plan(4, dataset_group_arn=OTHER)
    assert f"Meanwhile {old} serves Billed" in shown
    assert f"Billed both, also afterwards: {old} is kept" in shown
    assert f"Kept {old}" in shown
    assert "DeleteRecommender" not in shown


def test_adoption_names_the_recommender_and_its_change(world: World, plan: Plan) -> None:
    world.foreign("films")
    shown = plan(3, recommender_name="films", adopt_existing=True, exploration_weight=0.7)
    assert shown.startswith("adoption: films, which exists, becomes the stack's Stack")
    assert "Now films, ACTIVE; it is not the stack's" in shown
    assert "TagResource of films UpdateRecommender of films" in shown
    assert "films serves with its earlier configuration until the update has ended" in shown


def test_leftover_of_an_earlier_change_is_deleted_by_an_update(world: World, plan: Plan) -> None:
    world.created()
    one = world.recommender
    proof = {key: one["tags"][key] for key in (v.OWNER_STACK_TAG, v.OWNER_RESOURCE_TAG)}
    world.foreign("TopPicks-0123456789abcdef", proof)
    shown = plan(3, exploration_weight=0.7)
    assert shown.startswith(f"in place: {one['name']} is updated Stack")
    assert "DeleteRecommender of TopPicks-0123456789abcdef" in shown


def test_change_that_is_under_way_must_end_first(world: World, plan: Plan) -> None:
    world.created()
    world.disturb().stop_recommender(recommenderArn=world.arn)
    shown = plan(3, exploration_weight=0.7)
    assert "is STOP PENDING, which must end first" in shown
    assert re.search(r"is started and updated", shown)


# -- refused ------------------------------------------------------------------------------------


def test_taken_name_is_refused_now(world: World, plan: Plan) -> None:
    world.foreign("films")
    shown = plan(1, recommender_name="films")
    assert shown.startswith("refused: The recommender 'films' exists, and its tags do not name")
    assert "and adopt_existing, to take it over" in shown


def test_other_dataset_group_under_the_same_fixed_name_is_refused(world: World, plan: Plan) -> None:
    world.created(recommender_name="series")
    shown = plan(1, recommender_name="series", dataset_group_arn=OTHER)
    assert shown.startswith("refused: The recommender 'series' has the dataset group")


def test_dataset_group_that_would_fail_the_creation_is_refused_now(
    world: World, plan: Plan
) -> None:
    world.service.seed_dataset_group(ACCOUNT, REGION, "vod", status="CREATE FAILED")
    shown = plan(1)
    assert shown.startswith("refused: The dataset group")
    assert "is CREATE FAILED" in shown
    assert "Exit code 1: it would fail" in shown


def test_dataset_group_that_is_not_ready_is_waited_for(world: World, plan: Plan) -> None:
    world.service.seed_dataset_group(ACCOUNT, REGION, "vod", status="CREATE IN_PROGRESS")
    assert "Waits for the dataset group" in plan(4)


def test_region_without_the_service_is_refused(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_: Account) -> dict[str, str]:
        raise NoServiceError("there is no personalize in eu-north-1")

    monkeypatch.setattr(Account, "recommenders", nowhere)
    assert plan(1).startswith("refused: there is no personalize in eu-north-1 Stack")


def test_quality_gate_that_the_current_metrics_miss_is_refused_without_a_training(
    world: World, plan: Plan
) -> None:
    world.created()
    shown = plan(1, minimum_metrics={NDCG: 0.9})
    assert shown.startswith("refused: The model metrics do not reach the quality gate")
    shown = plan(3, minimum_metrics={NDCG: 0.9}, quality_gate="warn")
    assert "Warning The quality gate only warns (quality_gate is warn)." in shown
    assert f"The quality gate warns now: {NDCG} is 0.346; minimum 0.9" in shown


def test_quality_gate_does_not_judge_an_adopted_recommender_before_the_end_of_its_training(
    world: World, plan: Plan
) -> None:
    world.cloud.outsider().create_recommender(
        name="films", datasetGroupArn=world.group, recipeArn=RECIPE
    )
    adoption: dict[str, object] = {"recommender_name": "films", "adopt_existing": True}
    shown = plan(3, **adoption, minimum_metrics={NDCG: 0.1})
    assert shown.startswith("adoption: films, which exists, becomes the stack's Stack")
    assert f"{NDCG} at least 0.1 (minimum_metrics)" in shown
    world.created(**adoption, minimum_metrics={NDCG: 0.1})


def test_gate_without_a_recommender_is_refused(world: World, plan: Plan) -> None:
    world.created()
    world.disturb().delete_recommender(recommenderArn=world.arn)
    world.clock.advance(HOUR)
    shown = plan(1, max_metric_regression=0.05)
    assert shown.startswith("refused: Personalize does not show arn:")
    assert plan(4, exploration_weight=0.7).startswith("first training: ")


def test_another_service_token_is_refused(world: World, plan: Plan) -> None:
    world.created()
    shown = plan(1, of=world.patched(ServiceToken="arn:other"))
    assert "Modifying service token is not allowed." in shown


def test_property_that_the_functions_refuse_is_refused(world: World, plan: Plan) -> None:
    shown = plan(1, of=world.patched(Running="perhaps"))
    assert shown.startswith("refused: Nothing was changed. ResourceProperties.Running: got")


def test_full_quota_is_a_warning(world: World, plan: Plan) -> None:
    for number in range(5):
        world.foreign(f"other-{number}")
    shown = plan(4)
    assert "the dataset group has 5 recommenders, and the quota is 5" in shown
    assert "the region has" not in shown


# -- the state of the stack ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("UPDATE_IN_PROGRESS", (2, "cannot tell", "status --follow --stack TopPicks")),
        ("DELETE_IN_PROGRESS", (2, "cannot tell", "status --follow --stack TopPicks")),
        ("ROLLBACK_FAILED", (2, "cannot tell", "leftovers --delete --stack TopPicks")),
        ("DELETE_FAILED", (1, "refused", "leftovers --delete --stack TopPicks")),
        (
            "UPDATE_ROLLBACK_FAILED",
            (1, "refused", "aws cloudformation continue-update-rollback --stack-name TopPicks"),
        ),
        ("IMPORT_ROLLBACK_FAILED", (1, "refused", "")),
        ("ROLLBACK_COMPLETE", (4, "first training", "cdk deploy deletes it first; CodePipeline")),
        ("UPDATE_ROLLBACK_COMPLETE", (0, "nothing", "")),
        ("IMPORT_COMPLETE", (0, "nothing", "")),
        ("CREATE_FAILED", (3, "nothing", "first rolls the stack back, after a question")),
    ],
)
def test_state_of_the_stack_decides(
    world: World, plan: Plan, status: str, expected: tuple[int, str, str]
) -> None:
    code, kind, following = expected
    world.created()
    world.stack._enter(status)
    shown = plan(code)
    assert shown.startswith(f"{kind}: ")
    assert following in shown


def test_failure_that_was_kept_is_repeated_until_force_update_changes(
    world: World, plan: Plan
) -> None:
    world.created()
    world.behaviour.update_failure = "no data"
    world.stack.update(world.given({"exploration_weight": 0.7}), rolls_back=False)
    world.behaviour.update_failure = None
    assert world.stack.status == "UPDATE_FAILED"

    shown = plan(1, exploration_weight=0.7)
    assert shown.startswith("refused: The recommender has another configuration and no update is")
    assert "The stack is UPDATE_FAILED. This is the effect with --no-rollback" in shown
    shown = plan(3, exploration_weight=0.7, force_update="2")
    assert shown.startswith(f"in place: {name_of(world)} is updated Stack")


def test_failure_that_was_kept_and_does_not_show_cannot_be_told(world: World, plan: Plan) -> None:
    world.behaviour.echo = "nothing"
    world.created()
    world.behaviour.update_failure = "no data"
    failing = world.given({"exploration_weight": 0.7})
    assert world.stack.update(failing, rolls_back=False) == "UPDATE_FAILED"
    world.behaviour.update_failure = None

    changes = {"exploration_weight": 0.7, "minimum_metrics": {NDCG: 0.33}}
    assert plan(2, **changes).startswith("cannot tell: the latest update of ")
    assert world.update(**changes) == "UPDATE_ROLLBACK_COMPLETE"


def test_recommender_before_a_gate_that_failed_and_was_kept_gets_no_request(
    world: World, plan: Plan
) -> None:
    world.created()
    world.disturb().delete_recommender(recommenderArn=world.arn)
    world.stack.update(world.given({"minimum_metrics": {NDCG: 0.33}}), rolls_back=False)
    assert world.stack.status == "UPDATE_FAILED"

    assert plan(1).startswith("refused: The recommender is DELETE ")
    assert world.update() == "UPDATE_ROLLBACK_FAILED"


def test_recommender_whose_training_has_failed_is_deleted_and_created_again(
    world: World, plan: Plan
) -> None:
    world.behaviour.training_failure = "no data"
    world.stack.create(world.given({}), rolls_back=False)
    name = name_of(world)
    shown = plan(4, force_update="2")
    assert shown.startswith(f"first training: {name} is created and trained")
    assert f"DeleteRecommender of {name} CreateRecommender of {name}" in shown
    assert f"Now {name}, CREATE FAILED" in shown


def test_recommender_whose_creation_has_failed_and_was_kept_is_created_again(
    world: World, plan: Plan
) -> None:
    world.cloud.before = refuse("DescribeDatasetGroup", "AccessDeniedException")
    world.stack.create(world.given({}), rolls_back=False)
    world.cloud.before = lambda _operation, _params: None
    assert world.stack.status == "CREATE_FAILED"
    shown = plan(4)
    assert shown.startswith("first training: ")


# -- only CloudFormation knows ------------------------------------------------------------------


def test_property_that_only_cloudformation_evaluates_is_nothing_until_it_changes(
    world: World, plan: Plan
) -> None:
    world.created()
    imported = world.patched(DatasetGroupArn={"Fn::ImportValue": "group"})
    shown = plan(2, of=imported)
    assert shown.startswith("cannot tell: only CloudFormation can evaluate Fn::ImportValue Stack")
    world.stack.template = imported
    assert plan(0, of=imported).startswith("nothing: ")


def test_reference_to_a_resource_that_changes_too_cannot_be_told(world: World, plan: Plan) -> None:
    world.created()
    depends = world.patched(DatasetGroupArn={"Fn::GetAtt": ["Group", "DatasetGroupArn"]})
    group = {"Type": "AWS::Personalize::DatasetGroup", "Properties": {"Name": "vod"}}
    world.stack.template = Deployable({**depends.resources, "Group": group}, depends.outputs)
    renamed = {**group, "Properties": {"Name": "vod2"}}
    shown = plan(2, of=Deployable({**depends.resources, "Group": renamed}, depends.outputs))
    assert "only CloudFormation knows the new value of Group, which this deployment" in shown


def test_parameter_has_its_default_or_the_value_of_the_stack(
    world: World, operator: Operator, tmp_path: Path
) -> None:
    world.created()
    template = world.patched(DatasetGroupArn={"Ref": "Group"})
    parameters = {"Group": {"Type": "String", "Default": world.group}}
    app = write_assembly(tmp_path, template, Parameters=parameters)
    shown = operator.expect(3, "plan", "--app", app)
    assert shown.startswith(f"nothing: {name_of(world)} stays as it is; 1 other changes")
    assert "changed in the template: Parameters" in shown


def test_tags_beyond_ascii_are_no_change(world: World, plan: Plan) -> None:
    world.created(tags={"größe": "maß"})
    plan(0, tags={"größe": "maß"})
    assert "tags.größe: maß -> mass" in plan(3, tags={"größe": "mass"})
    world.disturb().stop_recommender(recommenderArn=world.arn)
    world.cloud.run_for(HOUR)
    plan(0, tags={"größe": "maß"})


def test_tags_that_a_retraining_holds_cannot_be_told(world: World, plan: Plan) -> None:
    world.created()
    world.behaviour.retraining_every = WEEK
    world.clock.advance(WEEK + 5 * MINUTE)
    plan(0)
    shown = plan(2, exploration_weight=0.7)
    assert shown.startswith("cannot tell: the deployment waits now: the tags of ")
    assert plan(2, "--destroy").startswith("cannot tell: the deletion waits now: the tags of ")


def test_assembly_for_another_account_or_region_cannot_be_told(
    world: World, operator: Operator, tmp_path: Path
) -> None:
    template = Deployable.of("TopPicks", world.given({}))
    app = write_assembly(tmp_path, template, account="222222222222")
    shown = operator.expect(2, "plan", "--app", app)
    assert shown.startswith("cannot tell: TopPicks is for the account 222222222222, and the ")
    app = write_assembly(tmp_path, template, region="us-east-1")
    shown = operator.expect(2, "plan", "--app", app)
    assert shown.startswith("cannot tell: TopPicks is for the region us-east-1, not eu-west-1")
    app = write_assembly(tmp_path, template, account="unknown-account", region="unknown-region")
    operator.expect(4, "plan", "--app", app)


# -- several recommenders -----------------------------------------------------------------------


def two(first: str = "0.3", *, second: bool = True) -> Deployable:
    def build(stack: Any) -> None:
        common: dict[str, Any] = {"dataset_group_arn": OTHER, "training_gates": 2, "sweeps": 2}
        TopPicksRecommender(stack, "One", exploration_weight=float(first), **common)
        if second:
            TopPicksRecommender(stack, "Two", **common)

    return Deployable.built("TopPicks", build)


def test_strongest_effect_of_several_recommenders_is_in_the_first_line(
    world: World, plan: Plan
) -> None:
    world.stack.create(two())
    assert len(world.owned) == 2
    shown = plan(4, of=two("0.7", second=False))
    assert re.match(
        r"removal: TopPicks-\w{16} is deleted; 1 more of its recommenders change Stack", shown
    )
    assert "Construct One" in shown
    assert "Effect in place: TopPicks-" in shown
    assert plan(4, "--destroy", of=two()).count("Effect removal") == 2


def test_recommender_that_a_kept_failure_left_out_of_the_template_cannot_be_told(
    world: World, plan: Plan
) -> None:
    world.stack.create(two())
    world.behaviour.update_failure = "no capacity"
    assert world.stack.update(two("0.7", second=False), rolls_back=False) == "UPDATE_FAILED"
    assert len(world.owned) == 2
    shown = plan(2, of=two())
    assert "only CloudFormation knows the properties of Two" in shown


def test_change_after_a_kept_failure_of_the_recommender_itself_cannot_be_told(
    world: World, plan: Plan
) -> None:
    world.created(recommender_name="series")
    changes = {"dataset_group_arn": world.other_group, "excluded_columns": {"ITEMS": ["GENRES"]}}
    refused = {"recommender_name": "series", **changes}
    assert world.stack.update(world.given(refused), rolls_back=False) == "UPDATE_FAILED"

    assert plan(1, **refused).startswith("refused: The recommender 'series' has the dataset group")
    shown = plan(2, recommender_name="series")
    assert shown.startswith("cannot tell: only CloudFormation knows the properties that Recommen")


def test_plan_warns_of_what_a_kept_failure_may_have_replaced(world: World, plan: Plan) -> None:
    world.created()
    world.behaviour.training_failure = "no data"
    other = {"dataset_group_arn": world.other_group}
    assert world.stack.update(world.given(other), rolls_back=False) == "UPDATE_FAILED"
    world.behaviour.training_failure = None
    again = {**other, "force_update": "2"}
    assert "CloudFormation deletes the old one after this deployment" in plan(4, **again)
    world.updated(**again)
    assert "deletes the old one" not in plan(0, **again)


def test_stack_without_a_recommender_says_so(world: World, plan: Plan) -> None:
    topic = Deployable({"Topic": {"Type": "AWS::SNS::Topic"}}, {})
    world.stack.create(topic)
    assert plan(0, of=topic).startswith("nothing: TopPicks has no recommender Stack")


# -- destroy ------------------------------------------------------------------------------------


def test_destroy_names_the_recommender_that_it_deletes(world: World, plan: Plan) -> None:
    assert plan(0, "--destroy").startswith("nothing: there is no stack TopPicks Stack")
    world.created()
    shown = plan(4, "--destroy")
    assert shown.startswith(f"removal: {name_of(world)} is deleted Stack")
    assert "Deleted in 3 h 40 min at most; a training must end before" in shown
    assert f"{name_of(world)} serves until it is deleted" in shown
    assert world.changes() == ["CreateRecommender"]


def test_destroy_after_a_kept_failure_of_the_recommender_cannot_be_told(
    world: World, plan: Plan
) -> None:
    world.created()
    world.foreign("films")
    changes = {"recommender_name": "films", "retain_on_destroy": True}
    assert world.stack.update(world.given(changes), rolls_back=False) == "UPDATE_FAILED"

    shown = plan(2, "--destroy", **changes)
    assert shown.startswith("cannot tell: only CloudFormation knows whether it keeps the recommen")
    world.deleted()
    assert world.owned == []


def test_destroy_keeps_a_retained_recommender(world: World, plan: Plan) -> None:
    world.created(retain_on_destroy=True)
    shown = plan(3, "--destroy", retain_on_destroy=True)
    assert shown.startswith(f"nothing: {name_of(world)} is kept; the other resources of the stack")
    assert f"Kept {name_of(world)}" in shown


def test_destroy_releases_an_adopted_recommender(world: World, plan: Plan) -> None:
    world.foreign("films")
    world.created(recommender_name="films", adopt_existing=True)
    shown = plan(4, "--destroy")
    assert shown.startswith("removal: films is released, and goes on Stack")
    assert "UntagResource of films" in shown


def test_deletion_by_another_caller_ends_before_the_clean_up_after_a_training(
    world: World, plan: Plan
) -> None:
    world.foreign("films")
    world.created(recommender_name="films", adopt_existing=True)
    world.disturb().delete_recommender(recommenderArn=world.arn)
    shown = plan(4, recommender_name="series")
    assert "Calls CreateRecommender of series Trains in full" in shown


def test_destroy_warns_of_a_recommender_that_it_would_not_delete(world: World, plan: Plan) -> None:
    world.created()
    arn = world.arn
    world.disturb().untag_resource(resourceArn=arn, tagKeys=list(v.RESERVED_TAGS))
    shown = plan(3, "--destroy")
    assert "Warning Not deleted: The recommender" in shown


@pytest.mark.parametrize(
    ("status", "code", "begins"),
    [
        ("UPDATE_IN_PROGRESS", 2, "cannot tell: TopPicks is UPDATE_IN_PROGRESS"),
        ("DELETE_FAILED", 2, "cannot tell: TopPicks is DELETE_FAILED: CloudFormation may have"),
        ("REVIEW_IN_PROGRESS", 0, "nothing: there is no stack TopPicks"),
    ],
)
def test_destroy_of_a_stack_in_another_state_is_not_forecast(
    world: World, plan: Plan, status: str, code: int, begins: str
) -> None:
    world.created()
    world.stack._enter(status)
    assert plan(code, "--destroy").startswith(begins)


def test_termination_protection_refuses_a_destroy_and_is_a_change(
    world: World, operator: Operator, plan: Plan, tmp_path: Path
) -> None:
    world.created()
    app = write_assembly(tmp_path, Deployable.of("TopPicks", world.given({})), protected=True)
    shown = operator.expect(3, "plan", "--app", app)
    assert "Stack change termination_protection: false -> true" in shown
    world.stack.is_protected = True
    assert plan(1, "--destroy").startswith("refused: TopPicks has termination protection")


# -- formats, calls -----------------------------------------------------------------------------


def test_json_has_the_values_of_the_text(world: World, operator: Operator, tmp_path: Path) -> None:
    world.created()
    old = world.arn
    template = Deployable.of("TopPicks", world.given({"dataset_group_arn": OTHER}))
    app = write_assembly(tmp_path, template)
    shown = json.loads(operator.expect(4, "plan", "--app", app, "--format", "json"))
    (one,) = shown["recommenders"]
    assert (shown["kind"], shown["exit_code"], shown["stack"]) == ("replacement", 4, "TopPicks")
    assert (one["kind"], one["before"], one["trains"]) == ("replacement", old, True)
    assert [call["call"] for call in one["calls"]] == ["CreateRecommender", "DeleteRecommender"]
    assert one["settings"] == [{"name": "dataset_group_arn", "before": world.group, "after": OTHER}]
    assert one["at_most_seconds"] == 4 * 3300


def test_markdown_has_every_text_from_outside_as_code(
    world: World, operator: Operator, tmp_path: Path
) -> None:
    world.created(tags={"owner": "nobody"})
    tags = {"owner": "@team | `x` <b>"}
    app = write_assembly(tmp_path, world.patched(Tags=tags))
    shown = operator.expect(3, "plan", "--app", app, "--format", "markdown")
    lines = shown.splitlines()
    assert lines[0] == f"in place: `{name_of(world)} is tagged`"
    assert lines[1:4] == ["", "| | |", "| --- | --- |"]
    assert "| Settings | `` tags.owner: nobody -> @team \\| `x` <b> `` |" in lines


def test_plan_changes_nothing_and_the_documented_policy_allows_exactly_its_calls(
    world: World, operator: Operator, plan: Plan
) -> None:
    uses: set[Use] = set()
    operator.authorize = lambda action, resource: uses.add(Use(action, resource))
    world.created()
    began = len(world.service.journal)
    plan(4, dataset_group_arn=OTHER)
    world.stack._enter("UPDATE_FAILED")
    plan(4, dataset_group_arn=OTHER)
    plan(4, "--destroy")

    assert not [one for one in world.service.journal[began:] if one.mutating]
    assert set(operator.calls) == {*READS, *CHECKS} - {"GetMetricData"}
    (text,) = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    statements = {one["Sid"]: one for one in json.loads(text)["Statement"]}
    unneeded = ("RemoveLeftovers", "ReadMetrics")
    needed = [one for name, one in statements.items() if name not in unneeded]
    documented = Permissions([{"Statement": needed}])
    assert not documented.refused(uses)
    assert not documented.unused(uses)


@pytest.mark.parametrize(
    ("operation", "code"),
    [("ListRecipes", "AccessDenied"), ("DescribeDataset", "InternalServerError")],
    ids=["refused read", "fault of a check"],
)
def test_read_that_fails_is_2_and_names_the_call(
    operator: Operator, plan: Plan, operation: str, code: str
) -> None:
    operator.faults = refuse(operation, code)
    assert f"Could not read AWS: {operation}: {code}" in plan(2)
