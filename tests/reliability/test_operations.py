"""`python -m operations` on stacks that live on the fake CloudFormation, on a virtual clock."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from unittest import mock

import pytest
from botocore.exceptions import ConnectionClosedError, NoCredentialsError

from lambdas.recommender import vocabulary as v
from local_aws.personalize import ServiceError
from operations.account import READS
from stacks.recommender import TopPicksRecommender
from tests.reliability.lifecycles import ALL, GOOD, prepared
from tests.reliability.world import HOUR, MINUTE, World, error, refuse, settings_of
from tests.support.cloudformation import Invocation, Watcher
from tests.support.operator import Operator
from tests.support.permissions import Permissions, Use
from tests.support.synthesis import Deployable

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "operations.md"
CHANGES = {"DeleteRecommender", "UntagResource"}
CLOUDFORMATION = {"DescribeStacks", "DescribeStackEvents"}


def policy(statements: int = 4) -> Permissions:
    """Return what the first statements of the documented policy allow."""
    (text,) = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    documented = json.loads(text)["Statement"]
    # The evaluator is not told of tags here; on what condition it may remove is asserted.
    assert documented[3]["Condition"] == {"Null": {f"aws:ResourceTag/{v.OWNER_STACK_TAG}": "false"}}
    bare = [{k: one for k, one in each.items() if k != "Condition"} for each in documented]
    return Permissions([{"Statement": bare[:statements]}])


def proof_of(stack_id: str, logical_id: str = "Recommender") -> dict[str, str]:
    """Return the tags that prove whose a recommender is."""
    return {v.OWNER_STACK_TAG: stack_id, v.OWNER_RESOURCE_TAG: logical_id}


@pytest.fixture
def operator(world: World, capsys: pytest.CaptureFixture[str]) -> Operator:
    """Somebody who has the documented permissions."""
    made = Operator(world.cloud, capsys)
    allowed = policy()

    def authorize(action: str, resource: str) -> None:
        use = Use(action, resource)
        if not allowed.allow(use):
            raise ServiceError("AccessDeniedException", f"{use}", 400)

    made.authorize = authorize
    return made


# -- status ----------------------------------------------------------------------------------------


def test_in_the_third_hour_it_says_where_the_deployment_is(
    world: World, operator: Operator
) -> None:
    world.behaviour.create_in_progress = 5 * HOUR
    world.stack.create({"max_training_hours": 6}, wait=False)
    world.cloud.run_for(2.5 * HOUR)

    code, shown = operator.run("status")

    assert code == 0
    assert "Operation    CREATE_IN_PROGRESS for 2 h 30 min, since 2026-01-01 00:00:00" in shown
    assert "Waits in     Hour03Of07 has waited for 40 min of 55 min" in shown
    assert "Decided      in 3 h 55 min at most" in shown
    assert re.search(r"Status +CREATE IN_PROGRESS for 2 h 29 min", shown)
    assert "3600 recommendations an hour at least" in shown
    assert "AWS documents nothing" in shown
    assert max(map(len, shown.splitlines())) < 80
    world.cloud.finish()

    code, shown = operator.run("status")
    assert (code, world.stack.status) == (0, "CREATE_COMPLETE")
    assert "Decided" not in shown
    assert "ACTIVE, as asked, by the stack's template (GetTemplate)" in shown
    assert "coverage" in shown
    assert set(operator.calls) <= set(READS)


def test_a_deletion_waits_in_sweeps(world: World, operator: Operator) -> None:
    world.behaviour.create_in_progress = 3 * HOUR
    world.stack.create(settings_of(), wait=False)
    world.cloud.run_for(30 * MINUTE)
    world.stack.delete(wait=False)
    world.cloud.run_for(1.5 * HOUR)

    code, shown = operator.run("status")

    assert code == 0
    assert "DELETE_IN_PROGRESS for 1 h 30 min" in shown
    assert "Waits in     Sweep03 has waited for 35 min of 55 min" in shown
    assert "Decided      in 2 h 10 min at most" in shown
    code, shown = operator.run("status", "--follow", "--interval", "60")
    assert code == 0
    assert "TopPicks is DELETE_COMPLETE after " in shown
    assert operator.run("status", "--follow")[0] == 2
    assert operator.run("status", "--follow", "--stack", world.stack.id)[0] == 0


def test_during_a_replacement_both_are_shown(world: World, operator: Operator) -> None:
    world.created()
    old = world.recommender["name"]
    settings = settings_of(dataset_group_arn=world.other_group)
    world.stack.update(settings, wait=False)
    world.cloud.run_for(5 * MINUTE)

    code, shown = operator.run("status")

    assert code == 0
    assert f"{old}" in shown
    assert shown.count("Recommender  ") == 2
    assert "CREATE IN_PROGRESS" in shown
    code, shown = operator.run("leftovers")
    assert code == 2
    assert shown.count("undecided") == 2
    world.cloud.finish()


def test_a_stopped_one_costs_nothing(world: World, operator: Operator) -> None:
    world.created(running=False, min_recommendation_requests_per_second=2)
    code, shown = operator.run("status")
    assert code == 0
    assert "nothing while it is INACTIVE; 7200 recommendations an hour" in " ".join(shown.split())


@pytest.mark.rows("H8")
@pytest.mark.parametrize("change", ["start", "stop"])
def test_either_state_is_fine_where_there_are_hours_and_it_is_said_which_they_want(
    world: World, operator: Operator, change: str
) -> None:
    hour = 1 if change == "stop" else 23
    hours = {
        "start": "cron(0 20 * * ? *)",
        "stop": f"cron(0 {hour} * * ? *)",
        "time_zone": "UTC",
    }
    world.created(active_hours=hours)
    wanted, there = ("ACTIVE", "INACTIVE") if change == "stop" else ("INACTIVE", "ACTIVE")
    assert world.recommender["status"] == wanted
    getattr(world.disturb(), f"{change}_recommender")(
        recommenderArn=world.recommender["recommenderArn"]
    )
    world.cloud.run_for(10 * MINUTE)
    world.invariants.forgives.add("rest")

    for command in ("drift", "status"):
        code, shown = operator.run(command)
        assert code == 0, shown
        assert f"wanted {wanted} at this hour" in " ".join(shown.split())
    assert world.recommender["status"] == there


def test_what_has_failed_is_an_exit_code(world: World, operator: Operator) -> None:
    world.behaviour.training_failure = "too few interactions"
    assert world.stack.create(settings_of(), rolls_back=False) == "CREATE_FAILED"
    code, shown = operator.run("status")
    assert code == 1
    assert "CREATE FAILED" in shown
    assert "too few interactions" in shown
    assert "Exit code 1: the last operation has failed.\nCREATE_FAILED: " in shown


# -- status --follow ---------------------------------------------------------------------------


def test_a_deployment_is_followed_to_its_end(world: World, operator: Operator) -> None:
    world.behaviour.create_in_progress = 2 * HOUR
    world.stack.create(settings_of(), wait=False)
    world.cloud.run_for(60)

    code, shown = operator.run("status", "--follow", "--interval", "15")

    assert code == 0
    lines = shown.splitlines()
    assert all(len(line) < 80 for line in lines)
    looks = [line for line in lines if "at most" in line]
    assert 120 <= len(looks) < 150, "one a minute, and one for what is new"
    assert any("] Hour03Of03, " in line for line in looks)
    assert [line.count("#") for line in looks] == sorted(line.count("#") for line in looks)
    assert lines[-1].startswith("TopPicks is CREATE_COMPLETE after 2 h ")
    assert set(operator.calls) <= set(READS)


def test_a_followed_deployment_that_fails_says_why(world: World, operator: Operator) -> None:
    world.behaviour.training_failure = "too few interactions"
    world.stack.create(settings_of(), wait=False)
    world.cloud.run_for(60)

    code, shown = operator.run("status", "--follow")

    assert code == 1
    assert "TopPicks in eu-west-1 is ROLLBACK_IN_PROGRESS." in shown
    assert "TopPicks is ROLLBACK_COMPLETE after" in shown
    assert "CREATE_FAILED: Recommender" in shown
    assert "too few interactions" in shown
    assert "cancelled" not in shown
    assert operator.run("status", "--follow")[0] == 1, "nothing is under way"


def test_an_update_that_is_undone_has_failed(world: World, operator: Operator) -> None:
    world.created()
    world.stack.update(settings_of(exploration_weight=0.7), sibling_fails=2 * MINUTE, wait=False)
    world.cloud.run_for(60)
    code, shown = operator.run("status", "--follow")
    assert code == 1
    assert "TopPicks is UPDATE_ROLLBACK_COMPLETE after" in shown
    code, shown = operator.run("status")
    assert code == 1
    assert "ACTIVE, as asked" in shown
    assert "Config       " in shown
    assert shown.splitlines()[-1] == "Exit code 1: the last operation was rolled back."


def test_clean_up_is_followed_too(world: World, operator: Operator) -> None:
    world.created()
    world.stack.update(settings_of(dataset_group_arn=world.other_group), wait=False)
    world.cloud.run_for(60)
    code, shown = operator.run("status", "--follow")
    assert code == 0
    assert "decided; what was replaced is being deleted" in shown
    assert "TopPicks is UPDATE_COMPLETE after" in shown


def test_a_deployment_that_is_overtaken_by_a_deletion_has_not_succeeded(
    world: World, operator: Operator
) -> None:
    world.stack.create(settings_of(), wait=False)
    world.cloud.timeline.after(5 * MINUTE, lambda: world.stack.delete(wait=False))
    code, shown = operator.run("status", "--follow")
    assert code == 1
    assert "TopPicks is DELETE_COMPLETE after" in shown


def test_a_change_set_is_waited_for_but_not_for_ever(world: World, operator: Operator) -> None:
    code, shown = operator.run("status", "--follow")
    assert code == 2
    assert "There is no stack TopPicks in eu-west-1" in shown
    assert operator.run("drift")[0] == 2
    assert operator.run("status", "--stack", "Another")[0] == 2

    world.cloud.timeline.after(60, lambda: world.stack.create(settings_of(), wait=False))
    assert operator.run("status", "--follow")[0] == 0
    assert operator.run("status", "--follow", "--interval", "3600")[0] == 0


@pytest.mark.parametrize("interval", [1, 7, 50, 100, 3600])
def test_a_change_set_is_waited_for_two_minutes_however_often_it_is_looked_at(
    world: World, operator: Operator, interval: int
) -> None:
    began = world.cloud.clock.now
    assert world.stack.status == "REVIEW_IN_PROGRESS"
    assert operator.run("status", "--follow", "--interval", str(interval))[0] == 2
    assert world.cloud.clock.now - began == 120


NOT_SIGNED = {
    "there are none": NoCredentialsError(),
    "they are too old": error("ExpiredTokenException"),
    "the clock is wrong": error("RequestTimeTooSkewed"),
}


@pytest.mark.parametrize("why", NOT_SIGNED)
def test_credentials_that_are_not_accepted_end_the_first_look_and_no_later_one(
    world: World, operator: Operator, why: str
) -> None:
    world.stack.create(settings_of(), wait=False)
    world.cloud.run_for(60)
    began = world.cloud.clock.now
    looks = [0]

    def fault(operation: str) -> None:
        if operation == "DescribeStacks" and operator.calls.count(operation) > looks[0]:
            raise NOT_SIGNED[why]

    operator.faults = fault
    code, shown = operator.run("status", "--follow")
    assert (code, world.cloud.clock.now - began) == (2, 0), shown
    assert shown.startswith("Cannot tell: DescribeStacks: ")
    assert shown.count("\n") == 1

    looks[0] = 4
    code, shown = operator.run("status", "--follow")
    assert code == 2
    assert world.cloud.clock.now - began > 120, "they may be renewed meanwhile"
    assert shown.count("trying again") == 9


@pytest.mark.parametrize("looked", [0, 3])
def test_what_goes_wrong_is_tried_again(world: World, operator: Operator, looked: int) -> None:
    world.stack.create(settings_of(), wait=False)
    left = ["DescribeStacks"] * 12 + ["DescribeRecommender"] * 12

    def fault(operation: str) -> None:
        if operator.calls.count("DescribeStacks") > looked and operation in left:
            left.remove(operation)
            raise ConnectionClosedError(endpoint_url="https://aws")

    operator.faults = fault
    code, shown = operator.run("status", "--follow")
    assert code == 0
    assert "trying again" in shown


# -- drift -------------------------------------------------------------------------------------


def test_a_member_that_was_edited_is_named_and_put_right(world: World, operator: Operator) -> None:
    world.created(force_update="7", tags={"team": "video"})
    assert operator.run("drift")[0] == 0
    arn = world.recommender["recommenderArn"]
    world.disturb().update_recommender(
        recommenderArn=arn,
        recommenderConfig={"itemExplorationConfig": {"explorationWeight": "0.9"}},
    )
    world.cloud.run_for(HOUR)
    world.disturb().tag_resource(resourceArn=arn, tags=[{"tagKey": "team", "tagValue": "films"}])

    code, shown = operator.run("drift")

    assert code == 1
    assert "itemExplorationConfig.explorationWeight: actual 0.9, expected 0.3" in shown
    assert "tag team: actual films, expected video" in shown
    assert "npx cdk deploy TopPicks -c force_update=8" in shown
    code, shown = operator.run("status")
    assert code == 1
    assert shown.endswith("Exit code 1: what is there differs from what is wanted.\n")
    assert set(operator.calls) <= set(READS)
    assert world.update(force_update="8", tags={"team": "video"}) == "UPDATE_COMPLETE"
    assert operator.run("drift")[0] == 0


def test_what_the_template_cannot_show_is_no_drift(world: World, operator: Operator) -> None:
    world.created(tags={"Größe": "Köln", "都市": "東京", "a": "Müller", "b": "Möller"})
    assert operator.run("drift")[0] == 0
    assert operator.run("status")[0] == 0

    arn = world.recommender["recommenderArn"]
    tags = [{"tagKey": "都市", "tagValue": "Osaka"}]
    world.disturb().tag_resource(resourceArn=arn, tags=tags)

    code, shown = operator.run("drift")
    assert code == 1
    assert "tag 都市: actual Osaka, expected ??" in shown
    assert shown.count("tag ") == 1


def test_a_recommender_that_was_stopped_or_deleted_is_named_as_drift(
    world: World, operator: Operator
) -> None:
    world.created()
    arn = world.recommender["recommenderArn"]
    world.disturb().stop_recommender(recommenderArn=arn)
    world.cloud.run_for(10)
    code, shown = operator.run("drift")
    assert code == 1
    assert re.search("status: actual STOP.*, expected ACTIVE", shown)
    world.cloud.run_for(HOUR)
    assert "status: actual INACTIVE, expected ACTIVE" in operator.run("drift")[1]
    world.disturb().delete_recommender(recommenderArn=arn)
    world.cloud.run_for(HOUR)
    code, shown = operator.run("drift")
    assert code == 1
    assert "recommender: actual nothing, expected TopPicks-" in shown
    code, shown = operator.run("status")
    assert code == 1
    assert "it does not exist" in shown


def plain(shown: str) -> str:
    """Return what is shown without its line breaks."""
    return " ".join(shown.split())


def test_a_retraining_that_failed_is_shown_and_is_no_drift(
    world: World, operator: Operator
) -> None:
    world.created()
    code, shown = operator.run("status")
    assert code == 0
    assert "when it was created; no update shows since" in plain(shown)
    world.behaviour.retraining_every = 7 * 24 * HOUR
    world.behaviour.retraining_failure = "Too few interactions"
    world.cloud.run_for(7 * 24 * HOUR + 5 * HOUR)

    code, shown = operator.run("status")

    assert code == 1
    assert re.search(
        "Retraining it failed, begun 5 h 00 min ago, 2026-01-08 .* UTC: Too few interactions. "
        "The model before that serves; how old it is does not show.",
        plain(shown),
    )
    assert shown.endswith("Exit code 1: the latest retraining has failed.\n")
    assert max(map(len, shown.splitlines())) < 80
    code, shown = operator.run("drift")
    assert code == 0
    assert "This is no drift: its latest retraining failed: Too few interactions." in plain(shown)

    world.behaviour.retraining_failure = None
    world.cloud.run_for(7 * 24 * HOUR)
    code, shown = operator.run("status")
    assert code == 0
    assert "Updated 5 h 00 min ago, 2026-01-15" in plain(shown)
    assert "no drift" not in operator.run("drift")[1]


def test_a_change_that_failed_is_no_failed_retraining(world: World, operator: Operator) -> None:
    world.created()
    world.disturb()
    world.behaviour.update_failure = "No capacity"
    world.cloud.outsider().update_recommender(
        recommenderArn=world.recommender["recommenderArn"],
        recommenderConfig={"minRecommendationRequestsPerSecond": 2},
    )
    world.cloud.run_for(HOUR)
    code, shown = operator.run("status")
    assert code == 0
    assert "Update it failed, begun 60 min ago" in plain(shown).replace("1 h 00 min", "60 min")
    assert "No capacity. It was to change the configuration, which is as it was" in plain(shown)


def test_tags_that_a_retraining_holds_do_not_hide_the_rest(
    world: World, operator: Operator
) -> None:
    world.created()
    world.behaviour.retraining_every = 7 * 24 * HOUR
    world.behaviour.create_in_progress = 5 * HOUR
    world.cloud.run_for(7 * 24 * HOUR + HOUR)
    code, shown = operator.run("status")
    assert code == 0
    assert "being updated (CREATE IN_PROGRESS) for 1 h" in shown
    assert "Wanted       its tags cannot be read now" in shown
    assert "Trained" not in shown
    code, shown = operator.run("drift")
    assert code == 2
    assert "cannot tell. its tags cannot be read now." in plain(shown)


def test_an_update_that_leads_elsewhere_is_drift(world: World, operator: Operator) -> None:
    world.created()
    config: Any = world.recommender["recommenderConfig"]
    config = config | {"minRecommendationRequestsPerSecond": 2}
    arn = world.recommender["recommenderArn"]
    world.disturb().update_recommender(recommenderArn=arn, recommenderConfig=config)
    world.cloud.run_for(10)
    code, shown = operator.run("drift")
    assert code == 1, "what is under way leads elsewhere"
    assert "minRecommendationRequestsPerSecond: actual 2, expected 1" in shown
    assert "being updated" in shown
    assert "being updated" in operator.run("status")[1]


def test_tags_that_prove_nothing_are_not_put_right_by_a_deployment(
    world: World, operator: Operator
) -> None:
    world.created()
    arn = world.recommender["recommenderArn"]
    world.disturb().untag_resource(resourceArn=arn, tagKeys=[v.OWNER_STACK_TAG])
    code, shown = operator.run("drift")
    assert code == 1
    assert "No deployment puts that right" in shown
    assert "aws personalize tag-resource" in " ".join(shown.split())
    world.invariants.forgives.add("rest")


def test_what_starts_is_neither_drift_nor_none(world: World, operator: Operator) -> None:
    world.created()
    arn = world.recommender["recommenderArn"]
    world.disturb().stop_recommender(recommenderArn=arn)
    world.cloud.run_for(HOUR)
    world.disturb().start_recommender(recommenderArn=arn)
    world.cloud.run_for(10)
    code, shown = operator.run("drift")
    assert code == 2
    assert "cannot tell" in shown


def two_recommenders(world: World) -> tuple[str, str]:
    """Have a stack with two, and return their ARNs: of the construct Films, and of Series."""
    groups = {"Films": world.group, "Series": world.other_group}

    def build(stack: Any) -> None:
        for name, group in groups.items():
            TopPicksRecommender(stack, name, dataset_group_arn=group, training_gates=3, sweeps=3)

    assert world.stack.create(Deployable.built("TopPicks", build)) == "CREATE_COMPLETE"
    arns = {one["datasetGroupArn"]: one["recommenderArn"] for one in world.owned}
    return arns[world.group], arns[world.other_group]


@pytest.mark.parametrize("drifted", [0, 1])
def test_of_two_recommenders_that_differs_outweighs_that_cannot_be_told(
    world: World, operator: Operator, drifted: int
) -> None:
    arns = two_recommenders(world)
    assert operator.run("drift")[0] == 0
    edits, starts = arns[drifted], arns[1 - drifted]
    world.invariants.forgives.add("rest")
    world.disturb().stop_recommender(recommenderArn=starts)
    tags = [{"tagKey": v.ON_DESTROY_TAG, "tagValue": "retain"}]
    world.disturb().tag_resource(resourceArn=edits, tags=tags)
    world.cloud.run_for(HOUR)
    world.disturb().start_recommender(recommenderArn=starts)
    world.cloud.run_for(10)

    code, shown = operator.run("drift")

    assert code == 1
    assert "cannot tell" in shown
    assert "differs from what is wanted" in shown


def test_of_two_recommenders_it_is_said_which_is_which(world: World, operator: Operator) -> None:
    names = dict(zip(("Films", "Series"), two_recommenders(world), strict=True))
    first, second = world.stack.template.ids_of(v.RECOMMENDER_TYPE)
    code, shown = operator.run("status")
    assert code == 0
    for logical_id in (first, second):
        (arn,) = (arn for construct, arn in names.items() if logical_id.startswith(construct))
        name = arn.rpartition("/")[2]
        assert f"Construct    {logical_id}\nRecommender  {name}\n" in shown
        assert f"{name} ({logical_id}) is as it is wanted" in operator.run("drift")[1]
    world.stack.delete(wait=False)
    world.cloud.run_for(30)
    shown = operator.run("status", "--follow")[1]
    assert f" of {first}, " in shown or f" of {second}, " in shown


def test_an_update_that_failed_is_no_outage(world: World, operator: Operator) -> None:
    world.created()
    world.cloud.run_for(48 * HOUR)
    world.behaviour.update_failure = "Something broke"
    assert world.update(exploration_weight=0.7) == "UPDATE_ROLLBACK_COMPLETE"
    world.cloud.run_for(11)

    shown = " ".join(operator.run("status")[1].split())

    assert "Status ACTIVE, also during its latest update, begun " in shown
    assert re.search(r"begun \d+ min ago; created 4[89] h \d+ min ago", shown)


def test_an_operation_that_is_under_way_is_not_drift(world: World, operator: Operator) -> None:
    world.stack.create(settings_of(), wait=False)
    world.cloud.run_for(60)
    code, shown = operator.run("drift")
    assert code == 2
    assert "status --follow --stack TopPicks" in shown
    world.cloud.finish()


# -- leftovers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("needed", [True, False])
def test_the_way_out_of_a_deletion_that_a_training_outlasted(
    world: World, operator: Operator, needed: bool
) -> None:
    """Also while it still trains: it is waited for."""
    world.cloud.deletes_what_failed_needs = needed
    world.behaviour.create_in_progress = 30 * HOUR
    world.stack.create({"max_training_hours": 2.5, "max_deletion_hours": 2.5}, wait=False)
    world.cloud.run_for(HOUR)
    assert world.stack.delete() == "DELETE_FAILED"
    code, shown = operator.run("drift")
    assert (code, "wants no recommender any more" in shown) == (2, True)
    assert operator.run("status")[0] == 1
    code, shown = operator.run("leftovers")
    assert code == 1
    assert "left over" in shown
    assert "leftovers --delete --region eu-west-1" in shown
    assert set(operator.calls) <= set(READS)
    world.invariants.disturbed()

    code, shown = operator.run("leftovers", "--delete", "--yes", "--interval", "300")

    assert code == 0, shown
    assert "is CREATE IN_PROGRESS and cannot be" in shown
    assert "gone" in shown
    assert not world.owned
    assert "--stack-name TopPicks --region eu-west-1 --deletion-mode FORCE_DELETE_STACK" in shown
    assert set(operator.calls) <= set(READS) | CHANGES
    assert operator.run("leftovers")[0] == 0
    code, shown = operator.run("leftovers", "--delete", "--yes", "--stack", "TopPicks")
    assert code == 0
    assert "FORCE_DELETE_STACK" in shown, "also when nothing is left of it"
    failed = [one.logical_id for one in world.stack.resources.values()]
    assert world.stack.delete(retain=failed) == "DELETE_COMPLETE"


@pytest.mark.parametrize("untagged", [v.OWNER_STACK_TAG, v.OWNER_RESOURCE_TAG])
@pytest.mark.parametrize("readable", [True, False])
def test_a_stuck_stack_does_not_hide_a_recommender_that_nothing_proves_its_own(
    world: World, operator: Operator, untagged: str, readable: bool
) -> None:
    world.created()
    arn = world.recommender["recommenderArn"]
    world.disturb().untag_resource(resourceArn=arn, tagKeys=[untagged])
    assert world.stack.delete() == "DELETE_FAILED"
    if not readable:
        sweep = world.stack.template.ids_of(v.SWEEP_TYPE)[0]
        hidden = {"Fn::ImportValue": "x"}
        world.stack.template = world.stack.template.patched(sweep, WaitSeconds=hidden)
    world.invariants.forgives.add("rest")

    for command in (["leftovers"], ["leftovers", "--delete", "--yes"]):
        code, shown = operator.run(*command, "--stack", "TopPicks")
        assert code == 2, shown
        assert "its tags do not prove that it belongs to TopPicks." in " ".join(shown.split())
        assert "  Status: ACTIVE\n" in shown
        deletes = f"aws personalize delete-recommender --recommender-arn {arn} --region eu-west-1"
        assert f"  {deletes}\n" in shown
        assert ("FORCE_DELETE_STACK" in shown.partition(deletes)[2]) is ("--delete" in command)
        assert "FORCE_DELETE_STACK" not in shown.partition(deletes)[0]
    assert set(operator.calls) <= set(READS)
    assert arn.rpartition("/")[2] in world.cloud.recommenders(), "without proof, nothing"

    world.disturb().delete_recommender(recommenderArn=arn)
    code, shown = operator.run("leftovers", "--delete", "--yes", "--stack", "TopPicks")
    assert "delete-recommender" not in shown, "it is being deleted"
    world.cloud.run_for(HOUR)
    code, shown = operator.run("leftovers", "--delete", "--yes", "--stack", "TopPicks")
    assert (code, "FORCE_DELETE_STACK" in shown) == (0, True)


def test_a_recommender_whose_stack_is_gone_is_deleted_and_others_are_not(
    world: World, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.created()
    used = world.recommender["name"]
    gone = world.stack.id.replace("/TopPicks/", "/Gone/")
    proof = {**proof_of(gone), v.ON_DESTROY_TAG: "delete"}
    world.foreign("left", proof)
    world.foreign("adopted", {**proof, v.ADOPTED_TAG: "true", "team": "video"})
    world.foreign("elsewhere", {**proof, v.OWNER_STACK_TAG: gone.replace("eu-west-1", "eu-west-2")})
    world.foreign("odd", {v.OWNER_STACK_TAG: "somebody"}, group=world.other_group)
    world.foreign("theirs", group=world.other_group)
    world.invariants.disturbed()
    code, shown = operator.run("leftovers", "--delete")
    assert code == 2
    assert "nobody is here to be asked" in shown
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    ctrl_d = EOFError()
    monkeypatch.setattr("builtins.input", mock.Mock(side_effect=["n", ctrl_d, "y"]))
    for expected in (1, 1, 2):
        code, shown = operator.run("leftovers", "--delete")
        assert code == expected, shown
    assert "left: gone" in shown
    assert "adopted: released" in shown
    there = world.cloud.recommenders()
    assert there.keys() == {used, "adopted", "elsewhere", "odd", "theirs"}
    assert there["adopted"]["tags"] == {"team": "video"}
    assert shown.count("unproven") == 4
    assert f"used       {used}" in shown


def test_a_recommender_that_its_stack_does_not_use_is_left_over(
    world: World, operator: Operator
) -> None:
    world.created()
    proof = {**proof_of(world.stack.id), v.ON_DESTROY_TAG: "delete"}
    world.foreign("other", proof)
    world.invariants.forgives.add("rest")
    code, shown = operator.run("leftovers", "--stack", "Another")
    assert (code, "No recommender" in shown) == (0, True)
    code, shown = operator.run("leftovers", "--stack", "TopPicks")
    assert code == 1
    assert "left over  other: TopPicks does not use it" in shown
    assert operator.run("leftovers", "--delete", "--yes", "--stack", world.stack.id)[0] == 0
    assert len(world.owned) == 1


def test_what_was_retained_is_kept(world: World, operator: Operator) -> None:
    world.created(retain_on_destroy=True)
    assert world.stack.delete() == "DELETE_COMPLETE"
    code, shown = operator.run("leftovers", "--delete", "--yes")
    assert code == 0
    assert "retained" in shown
    assert len(world.owned) == 1
    assert "untag-resource" in operator.run("leftovers")[1]


def test_a_stack_that_has_moved_on_meanwhile_stops_the_removal(
    world: World, operator: Operator
) -> None:
    world.created()
    logical_id = world.stack.the(v.RECOMMENDER_TYPE).logical_id
    world.foreign("other", {v.OWNER_STACK_TAG: world.stack.id, v.OWNER_RESOURCE_TAG: logical_id})
    world.invariants.forgives.add("rest")

    def fault(operation: str) -> None:
        if operation == "DescribeRecommender" and not world.stack.is_busy:
            world.stack.update(settings_of(exploration_weight=0.7), wait=False)

    operator.faults = fault
    code, shown = operator.run("leftovers", "--delete", "--yes")
    assert code == 2
    assert "failed: A newer operation of the stack has begun" in shown
    assert "other" in world.cloud.recommenders()
    world.cloud.finish()


# -- between the question and the deletion -----------------------------------------------------


def answering(
    monkeypatch: pytest.MonkeyPatch, answer: str, meanwhile: Callable[[], object] = lambda: None
) -> list[str]:
    """Have somebody at the terminal who answers; return the questions that they are asked."""
    questions: list[str] = []

    def asked(question: str) -> str:
        questions.append(question)
        meanwhile()
        return answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", asked)
    return questions


@pytest.mark.parametrize(
    ("answer", "deletes"),
    [
        *((answer, True) for answer in ("y", "Y", " yes ", "YES")),
        *((answer, False) for answer in ("", " ", "n", "N", "no", "yy", "yes please", "0", "1")),
    ],
)
def test_only_a_yes_deletes(
    world: World,
    operator: Operator,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    deletes: bool,
) -> None:
    gone = proof_of(world.stack.id.replace("/TopPicks/", "/Gone/"))
    world.foreign("left", {**gone, v.ON_DESTROY_TAG: "delete"})
    questions = answering(monkeypatch, answer)

    code, shown = operator.run("leftovers", "--delete")

    assert questions == ["Is that what you want? [y/N] "]
    assert ("left" not in world.cloud.recommenders()) is deletes
    assert (code, "Nothing was changed." in shown) == ((0, False) if deletes else (1, True))


HAPPENINGS: Final[dict[str, Callable[[World], object]]] = {
    "an update begins": lambda world: world.stack.update(
        settings_of(exploration_weight=0.7), wait=False
    ),
    "an update is over": lambda world: world.update(exploration_weight=0.7),
    "an update is undone": lambda world: world.undone(exploration_weight=0.7),
    "a replacement begins": lambda world: world.stack.update(
        settings_of(dataset_group_arn=world.other_group), wait=False
    ),
    "a replacement is over": lambda world: world.update(dataset_group_arn=world.other_group),
    "it is to be retained": lambda world: world.update(retain_on_destroy=True),
    "a deletion begins": lambda world: world.stack.delete(wait=False),
    "a deletion is over": lambda world: world.stack.delete(),
}
STEPS: Final = ("the question", "DescribeRecommender", "ListTagsForResource", "DescribeStacks")
"""The question, and each call after it until the fence has been asked."""


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("happening", HAPPENINGS)
def test_whatever_happens_to_the_stack_after_the_question_nothing_is_deleted(
    world: World,
    operator: Operator,
    monkeypatch: pytest.MonkeyPatch,
    happening: str,
    step: str,
) -> None:
    world.created()
    logical_id = world.stack.the(v.RECOMMENDER_TYPE).logical_id
    world.foreign("other", proof_of(world.stack.id, logical_id))
    world.invariants.forgives.add("rest")
    world.invariants.strays.add("other")
    waits_for = [step]

    def happens(at: str) -> None:
        if asked and waits_for == [at]:
            waits_for.clear()
            HAPPENINGS[happening](world)

    operator.faults = happens
    asked = answering(monkeypatch, "y", lambda: happens("the question"))

    code, shown = operator.run("leftovers", "--delete")

    assert not waits_for, "it has happened"
    assert code != 0
    assert "other: failed: A newer operation of the stack has begun" in shown
    assert "other" in world.cloud.recommenders()
    assert "DeleteRecommender" not in operator.calls
    world.cloud.finish()


TAKEN: Final[dict[str, dict[str, str | None]]] = {
    "by nobody": {v.OWNER_STACK_TAG: None},
    "by another stack": {v.OWNER_STACK_TAG: "arn:aws:cloudformation:eu-west-1:1:stack/B/1"},
    "by another resource": {v.OWNER_RESOURCE_TAG: "Another"},
    "to be retained": {v.ON_DESTROY_TAG: "retain"},
    "and nobody knows": {v.ON_DESTROY_TAG: None},
}


EXPECTED: Final = dict(zip(TAKEN, (0, 2, 1, 0, 2), strict=True))
"""The exit codes: of what is nobody's, unproven here, another's leftover, retained, undecided."""


@pytest.mark.parametrize("how", TAKEN)
def test_what_is_taken_over_after_the_question_is_not_deleted(
    world: World, operator: Operator, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    gone = proof_of(world.stack.id.replace("/TopPicks/", "/Gone/"))
    left = world.foreign("left", {**gone, v.ON_DESTROY_TAG: "delete"})

    def retag() -> None:
        for key, value in TAKEN[how].items():
            arn = left["recommenderArn"]
            world.disturb().untag_resource(resourceArn=arn, tagKeys=[key])
            if value:
                tags = [{"tagKey": key, "tagValue": value}]
                world.disturb().tag_resource(resourceArn=arn, tags=tags)

    answering(monkeypatch, "y", retag)
    code, shown = operator.run("leftovers", "--delete")
    assert "left" in world.cloud.recommenders(), shown
    assert "DeleteRecommender" not in operator.calls
    said = "left: failed: it is " if v.ON_DESTROY_TAG in TAKEN[how] else "it is left alone"
    assert said in shown
    assert code == EXPECTED[how]


def test_a_recommender_that_is_gone_after_the_question_is_gone(
    world: World, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = proof_of(world.stack.id.replace("/TopPicks/", "/Gone/"))
    left = world.foreign("left", {**gone, v.ON_DESTROY_TAG: "delete"})
    deletes = world.disturb().delete_recommender
    answering(monkeypatch, "y", lambda: deletes(recommenderArn=left["recommenderArn"]))
    code, shown = operator.run("leftovers", "--delete")
    assert (code, "left: gone" in shown) == (0, True)


# -- the name of a stack -----------------------------------------------------------------------


@pytest.mark.parametrize("by_id", [False, True])
def test_a_stack_that_is_named_is_that_one_and_none_that_is_named_alike(
    world: World, operator: Operator, by_id: bool
) -> None:
    for name in ("TopPicks", "TopPicks-dev", "dev-TopPicks", "toppicks", "TopPick"):
        proof = proof_of(world.stack.id.replace("/TopPicks/", f"/{name}/") + "0")
        world.foreign(f"of-{name}", {**proof, v.ON_DESTROY_TAG: "delete"}, group=world.other_group)
    named = f"{world.stack.id}0" if by_id else "TopPicks"

    code, shown = operator.run("leftovers", "--stack", named)
    assert code == 1
    assert f"Recommenders in eu-west-1 that carry the tags of stack {named}:" in shown
    assert f"  python -m operations leftovers --delete --stack {named} --region" in shown
    assert "dev" not in shown

    code, shown = operator.run("leftovers", "--delete", "--yes", "--stack", named)
    assert code == 0
    assert {*world.cloud.recommenders()} == {
        *("of-TopPicks-dev", "of-dev-TopPicks", "of-toppicks", "of-TopPick")
    }
    assert (
        "python -m operations leftovers --delete --region eu-west-1" in operator.run("leftovers")[1]
    )


def test_of_a_stack_of_which_there_is_nothing_it_is_said_whether_there_is_such_a_stack(
    world: World, operator: Operator
) -> None:
    world.stack.create(Deployable({"Topic": {"Type": "AWS::SNS::Topic"}}, {}))
    code, shown = operator.run("leftovers", "--stack", "TopPicks")
    assert code == 0
    assert "No recommender in eu-west-1 carries the tags of stack TopPicks.\n" in shown
    assert "CloudFormation knows this stack: it is CREATE_COMPLETE." in shown

    world.foreign("of-videos", proof_of(world.stack.id.replace("/TopPicks/", "/Videos/")))
    for command in (["leftovers"], ["leftovers", "--delete", "--yes"]):
        code, shown = operator.run(*command, "--stack", "TopPick")
        assert code == 0
        shown = " ".join(shown.split())
        assert "carries the tags of stack TopPick. CloudFormation knows no stack TopPick" in shown
        assert "Recommenders here carry the tags of: Videos." in shown


# -- retained on purpose -----------------------------------------------------------------------


@pytest.mark.parametrize("command", [["leftovers"], ["leftovers", "--delete", "--yes"]])
def test_what_was_retained_is_kept_when_its_stack_is_forgotten(
    world: World, operator: Operator, command: list[str]
) -> None:
    world.created(retain_on_destroy=True)
    assert world.stack.delete() == "DELETE_COMPLETE"
    operator.forgets = True
    assert operator.run("leftovers", "--stack", world.stack.id)[0] == 0

    code, shown = operator.run(*command)

    assert code == 0, shown
    assert "retained   TopPicks-" in shown
    assert len(world.owned) == 1
    assert not set(operator.calls) & CHANGES


@pytest.mark.parametrize("retain", [False, True])
def test_the_latest_deployment_decides_what_is_retained(
    world: World, operator: Operator, retain: bool
) -> None:
    world.created(retain_on_destroy=not retain)
    assert world.update(retain_on_destroy=retain) == "UPDATE_COMPLETE"
    assert world.recommender["tags"][v.ON_DESTROY_TAG] == ("retain" if retain else "delete")
    assert world.undone(retain_on_destroy=not retain) == "UPDATE_ROLLBACK_COMPLETE"
    assert world.recommender["tags"][v.ON_DESTROY_TAG] == ("retain" if retain else "delete")
    assert operator.run("drift")[0] == 0


def test_what_a_version_before_has_made_is_undecided_when_its_stack_is_forgotten(
    world: World, operator: Operator
) -> None:
    world.foreign("old", proof_of(world.stack.id.replace("/TopPicks/", "/Gone/")))
    for command in (["leftovers"], ["leftovers", "--delete", "--yes"]):
        code, shown = operator.run(*command)
        assert code == 2
        assert "undecided  old: its stack is gone, and it may have been retained" in shown
    assert "old" in world.cloud.recommenders()
    shown = operator.run("leftovers")[1]
    arn = world.cloud.recommenders()["old"]["recommenderArn"]
    keys = f"{v.OWNER_STACK_TAG} {v.OWNER_RESOURCE_TAG}"
    assert f"--resource-arn {arn} --tag-keys {keys}\n" in shown
    assert f"  aws personalize delete-recommender --recommender-arn {arn} --region" in shown


def test_a_stack_of_a_version_before_gets_the_tag_with_the_next_deployment(
    world: World, operator: Operator
) -> None:
    template = Deployable.of("TopPicks", world.given({}))
    (logical_id,) = template.ids_of(v.RECOMMENDER_TYPE)
    resources = {name: dict(one) for name, one in template.resources.items()}
    properties = dict(resources[logical_id]["Properties"])
    del properties[v.ON_DESTROY]
    resources[logical_id]["Properties"] = properties
    before = Deployable(resources, template.outputs)
    assert world.stack.create(before) == "CREATE_COMPLETE"
    assert v.ON_DESTROY_TAG not in world.recommender["tags"]
    assert operator.run("drift")[0] == 0
    arn, began = world.recommender["recommenderArn"], world.cloud.clock.now

    assert world.update() == "UPDATE_COMPLETE"
    assert world.recommender["tags"][v.ON_DESTROY_TAG] == "delete"
    assert world.recommender["recommenderArn"] == arn
    assert world.changes(since=began) == ["TagResource"]
    assert world.stack.update(before) == "UPDATE_COMPLETE"
    assert v.ON_DESTROY_TAG not in world.recommender["tags"]


def test_as_many_tags_as_are_allowed_are_not_too_many_of_what_is_taken_over_again(
    world: World, operator: Operator
) -> None:
    most = {f"tag{number:02}": "x" for number in range(47)}
    world.created(recommender_name="films", retain_on_destroy=True, tags=most)
    assert len(world.recommender["tags"]) == 50
    assert world.stack.delete() == "DELETE_COMPLETE"
    world.stack = world.cloud.stack()

    world.created(recommender_name="films", adopt_existing=True, tags=most)

    assert len(world.recommender["tags"]) == 50
    assert v.ON_DESTROY_TAG not in world.recommender["tags"]
    assert operator.run("drift")[0] == 0


def test_an_adopted_one_that_is_released_keeps_its_own_tags_and_loses_the_templates(
    world: World, operator: Operator
) -> None:
    world.foreign("films", {"theirs": "1"})
    world.created(recommender_name="films", adopt_existing=True, tags={"team": "video"})
    world.cloud.before = refuse("UntagResource", "AccessDeniedException")
    assert world.stack.delete() == "DELETE_FAILED"
    world.invariants.disturbed()

    code, shown = operator.run("leftovers", "--delete", "--yes", "--stack", "TopPicks")

    assert code == 0, shown
    assert "films: released" in shown
    assert "delete-recommender" not in shown, "it is somebody else's"
    assert world.cloud.recommenders()["films"]["tags"] == {"theirs": "1"}


def test_a_refusal_is_said_and_the_next_one_tried(world: World, operator: Operator) -> None:
    gone = world.stack.id.replace("/TopPicks/", "/Gone/")
    proof = {**proof_of(gone), v.ON_DESTROY_TAG: "delete"}
    world.foreign("left", proof)
    world.foreign("left-too", proof)
    refused = ["DeleteRecommender"]

    def fault(operation: str) -> None:
        if operation in refused:
            refused.remove(operation)
            raise error("AccessDeniedException")

    operator.faults = fault
    code, shown = operator.run("leftovers", "--delete", "--yes")
    assert code == 1
    assert "left: failed: DeleteRecommender: AccessDeniedException" in shown
    assert "left-too: gone" in shown


@pytest.mark.parametrize("forgets", [False, True])
def test_a_stack_that_is_gone_at_the_end_may_be_forgotten(
    world: World, operator: Operator, forgets: bool
) -> None:
    """CloudFormation knows a stack for 90 days after its deletion."""
    world.created()
    world.stack.delete(wait=False)
    world.cloud.run_for(30)

    def fault(operation: str) -> None:
        if forgets and world.stack.status == "DELETE_COMPLETE" and operation in CLOUDFORMATION:
            raise ServiceError("ValidationError", "Stack does not exist", 400)

    operator.faults = fault
    code, shown = operator.run("status", "--follow")
    assert code == 0
    assert "TopPicks is DELETE_COMPLETE after" in shown


def test_a_stack_without_a_recommender(world: World, operator: Operator) -> None:
    """Looked at by mistake: it is followed all the same."""
    world.stack.create(Deployable({"Topic": {"Type": "AWS::SNS::Topic"}}, {}))
    code, shown = operator.run("status")
    assert (code, "there is none in the stack's template" in shown) == (0, True)
    code, shown = operator.run("drift")
    assert (code, "There is no recommender in the template" in shown) == (2, True)


def test_where_the_template_cannot_be_read_the_operation_is_followed(
    world: World, operator: Operator
) -> None:
    world.stack.create(settings_of(), wait=False)
    world.cloud.run_for(60)
    (gate, *_) = world.stack.template.ids_of(v.TRAINING_GATE_TYPE)
    world.stack.template = world.stack.template.patched(gate, WaitSeconds={"Fn::ImportValue": "x"})
    assert operator.run("status")[0] == 2
    code, shown = operator.run("leftovers")
    assert (code, "undecided" in shown) == (2, True)
    world.stack.template = world.stack.template.patched(gate, WaitSeconds=3300)
    shows_it = world.stack.template.patched(gate, WaitSeconds={"Fn::ImportValue": "x"})
    kept, world.stack.template = world.stack.template, shows_it

    def fault(operation: str) -> None:
        if operator.calls.count("GetTemplate") >= 1 and operation == "DescribeStackEvents":
            world.stack.template = kept

    operator.calls.clear()
    operator.faults = fault
    code, shown = operator.run("status", "--follow")
    assert code == 0
    assert "Where it is cannot be said: only CloudFormation can evaluate Fn::ImportValue" in shown
    assert " CREATE_IN_PROGRESS" in shown


def test_events_that_may_not_be_read_end_it(world: World, operator: Operator) -> None:
    world.created()
    operator.faults = lambda operation: refuse("DescribeStackEvents", "AccessDenied")(operation, {})
    code, shown = operator.run("status", "--follow")
    assert code == 2
    assert "Cannot tell: DescribeStackEvents: AccessDenied" in shown


def test_a_name_that_can_be_none_is_not_taken_for_a_stack_that_is_gone(
    world: World, operator: Operator
) -> None:
    message = "1 validation error detected: Value at 'stackName' failed to satisfy constraint"

    def fault(operation: str) -> None:
        if operation == "DescribeStacks":
            raise ServiceError("ValidationError", message, 400)

    operator.faults = fault
    code, shown = operator.run("status", "--stack", "not a name")
    assert code == 2
    assert "Cannot tell: DescribeStacks: ValidationError: 1 validation error" in shown
    world.foreign("left", {v.OWNER_STACK_TAG: world.stack.id, v.OWNER_RESOURCE_TAG: "Recommender"})
    assert operator.run("leftovers", "--delete", "--yes")[0] == 2
    assert "left" in world.cloud.recommenders()


# -- what all of them do ---------------------------------------------------------------------------


class CommandsAtEveryStep(Watcher):
    """Looks after every invocation of the functions, and keeps what is wrong with what it sees."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.wrong: list[str] = []
        self.looks = 0

    def invoked(self, invocation: Invocation) -> None:
        del invocation
        for command in ("status", "drift", "leftovers"):
            code, shown = self.operator.run(command)
            self.looks += 1
            told = code in (0, 1, 2) and "Cannot tell: " not in shown
            deletes = command == "leftovers" and "left over" in shown
            if not told or deletes:
                self.wrong.append(f"{command} -> {code}: {shown}")


@pytest.mark.parametrize("lifecycle", ALL)
def test_whatever_a_stack_goes_through_looking_changes_nothing(
    lifecycle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is anything of it left over while the stack may need it."""
    world = prepared(lifecycle)
    looks = CommandsAtEveryStep(Operator(world.cloud, capsys))
    world.cloud.watchers.append(looks)

    status = ALL[lifecycle](world)

    assert status in (*GOOD, "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
    assert not looks.wrong
    assert looks.looks
    assert set(looks.operator.calls) <= set(READS)
    assert not [
        call for call in world.service.journal if call.caller == "operator" and call.mutating
    ]
    if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        assert [looks.operator.run(one)[0] for one in ("status", "drift", "leftovers")] == [0, 0, 0]
    world.invariants.check()


def test_what_cannot_be_read_is_not_told(world: World, operator: Operator) -> None:
    world.created()

    def fault(operation: str) -> None:
        if operation in ("GetTemplate", "ListRecommenders"):
            raise error("AccessDeniedException")

    operator.faults = fault
    for command in ("status", "drift", "leftovers"):
        code, shown = operator.run(command)
        assert code == 2
        assert "Cannot tell: " in shown


def test_the_policy_is_what_is_used(world: World, operator: Operator) -> None:
    """Nothing is refused that the commands do, and nothing is allowed that none of them does."""
    uses: set[Use] = set()
    operator.authorize = lambda action, resource: uses.add(Use(action, resource))
    world.created()
    gone = world.stack.id.replace("/TopPicks/", "/Gone/")
    proof = {**proof_of(gone), v.ON_DESTROY_TAG: "delete"}
    world.foreign("left", proof)
    world.foreign("adopted", {**proof, v.ADOPTED_TAG: "true"})

    for statements, commands in (
        (2, (["status"], ["drift"], ["status", "--follow"])),
        (3, (["leftovers"],)),
        (4, (["leftovers", "--delete", "--yes"],)),
    ):
        for command in commands:
            operator.run(*command)
        assert not policy(statements).refused(uses)
        assert not policy(statements).unused(uses)
        if statements == 3:
            assert {use.action.partition(":")[2] for use in uses} == set(READS)
