"""`python -m operations` on stacks that live on the fake CloudFormation, on a virtual clock."""

import json
import re
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ConnectionClosedError

from lambdas.recommender import vocabulary as v
from local_aws.personalize import ServiceError
from operations.account import READS
from tests.reliability.lives import ALL, GOOD, prepared
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
    world.created(generation="7", tags={"team": "video"})
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
    assert "itemExplorationConfig.explorationWeight: there 0.9, wanted 0.3" in shown
    assert "tag team: there films, wanted video" in shown
    assert "npx cdk deploy TopPicks -c generation=8" in shown
    code, shown = operator.run("status")
    assert code == 1
    assert shown.endswith("Exit code 1: what is there differs from what is wanted.\n")
    assert set(operator.calls) <= set(READS)
    assert world.update(generation="8", tags={"team": "video"}) == "UPDATE_COMPLETE"
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
    assert "tag 都市: there Osaka, wanted ??" in shown
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
    assert re.search("status: there STOP.*, wanted ACTIVE", shown)
    world.cloud.run_for(HOUR)
    assert "status: there INACTIVE, wanted ACTIVE" in operator.run("drift")[1]
    world.disturb().delete_recommender(recommenderArn=arn)
    world.cloud.run_for(HOUR)
    code, shown = operator.run("drift")
    assert code == 1
    assert "recommender: there nothing, wanted TopPicks-" in shown
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
    assert "minRecommendationRequestsPerSecond: there 2, wanted 1" in shown
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
    proof = {v.OWNER_STACK_TAG: gone, v.OWNER_RESOURCE_TAG: "Recommender"}
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
    proof = {v.OWNER_STACK_TAG: world.stack.id, v.OWNER_RESOURCE_TAG: "Recommender"}
    world.foreign("other", proof)
    world.invariants.forgives.add("rest")
    code, shown = operator.run("leftovers", "--stack", "Another")
    assert (code, "No recommender" in shown) == (0, True)
    code, shown = operator.run("leftovers", "--stack", "TopPicks")
    assert code == 1
    assert "left over  other: TopPicks uses another one" in shown
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


def test_a_refusal_is_said_and_the_next_one_tried(world: World, operator: Operator) -> None:
    gone = world.stack.id.replace("/TopPicks/", "/Gone/")
    proof = {v.OWNER_STACK_TAG: gone, v.OWNER_RESOURCE_TAG: "Recommender"}
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


@pytest.mark.parametrize("life", ALL)
def test_whatever_a_stack_goes_through_looking_changes_nothing(
    life: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is anything of it left over while the stack may need it."""
    world = prepared(life)
    looks = CommandsAtEveryStep(Operator(world.cloud, capsys))
    world.cloud.watchers.append(looks)

    status = ALL[life](world)

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
    proof = {v.OWNER_STACK_TAG: gone, v.OWNER_RESOURCE_TAG: "Recommender"}
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
