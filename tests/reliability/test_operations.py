"""`python -m operations` on stacks that live on the fake CloudFormation, on a virtual clock."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from unittest import mock

import pytest
from botocore.exceptions import ConnectionClosedError, NoCredentialsError

from lambdas.recommender import vocabulary as v
from local_aws.personalize import ServiceError
from operations.account import READS
from stacks.recommender import TopPicksRecommender
from tests.reliability.calls import always, error, once, raising, refuse
from tests.reliability.lifecycles import ALL, GOOD, prepared
from tests.reliability.world import HOUR, MINUTE, World, settings_of
from tests.support.cloudformation import Invocation, Watcher
from tests.support.operator import Operator
from tests.support.permissions import Permissions, Use
from tests.support.synthesis import Deployable

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "operations.md"
CHANGES = {"DeleteRecommender", "UntagResource"}
CLOUDFORMATION = {"DescribeStacks", "DescribeStackEvents"}
WEEK = 7 * 24 * HOUR
COMMANDS = ("status", "drift", "leftovers")
LEFTOVERS = [["leftovers"], ["leftovers", "--delete", "--yes"]]
IMPORTED: Final = {"Fn::ImportValue": "x"}
"""A property that only CloudFormation can evaluate."""
TO_DELETE: Final = {v.ON_DESTROY_TAG: "delete"}
OF_STATUS: Final = ("ReadStacks", "ReadRecommenders", "ReadMetrics")
OF_LEFTOVERS: Final = (*OF_STATUS, "ListRecommenders")
OF_ALL: Final = (*OF_LEFTOVERS, "RemoveLeftovers")


def policy(sids: Sequence[str] = OF_ALL) -> Permissions:
    """Return what these statements of the documented policy allow."""
    (text,) = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    documented = {one.pop("Sid"): one for one in json.loads(text)["Statement"]}
    assert documented.keys() >= {*OF_ALL}  # the others are of `plan`
    # The evaluator is not told of tags here; on what condition it may remove is asserted.
    condition = documented["RemoveLeftovers"].pop("Condition")
    assert condition == {"Null": {f"aws:ResourceTag/{v.OWNER_STACK_TAG}": "false"}}
    return Permissions([{"Statement": [documented[one] for one in sids]}])


def proof_of(stack_id: str, logical_id: str = "Recommender") -> dict[str, str]:
    """Return the tags that prove the ownership of a stack's resource."""
    return {v.OWNER_STACK_TAG: stack_id, v.OWNER_RESOURCE_TAG: logical_id}


def stack_id_of(world: World, name: str) -> str:
    """Return the id of a stack that CloudFormation does not know."""
    return world.stack.id.replace("/TopPicks/", f"/{name}/")


def of_a_gone_stack(world: World) -> dict[str, str]:
    """Return the tags of a leftover."""
    return {**proof_of(stack_id_of(world, "Gone")), **TO_DELETE}


def begin_creation(world: World, **settings: object) -> None:
    """Have the stack be created, and let a minute pass."""
    world.stack.create(settings_of(**settings), wait=False)
    world.cloud.run_for(60)


def plain(shown: str) -> str:
    """Return a command's output without its line breaks."""
    return " ".join(shown.split())


@pytest.fixture
def operator(operator: Operator) -> Operator:
    """A person with the documented permissions."""
    allowed = policy()

    def authorize(action: str, resource: str) -> None:
        use = Use(action, resource)
        if not allowed.allow(use):
            raise ServiceError("AccessDeniedException", f"{use}", 400)

    operator.authorize = authorize
    return operator


# -- status ----------------------------------------------------------------------------------------


def test_status_in_the_third_hour_shows_the_link_and_the_remaining_time(
    world: World, operator: Operator
) -> None:
    world.behaviour.create_in_progress = 5 * HOUR
    world.stack.create({"max_training_hours": 6}, wait=False)
    world.cloud.run_for(2.5 * HOUR)

    shown = operator.expect(0, "status")
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
    assert "ACTIVE, as configured, by the stack's template (GetTemplate)" in shown
    assert "coverage" in shown
    assert set(operator.calls) <= set(READS)


def test_status_of_a_deletion_shows_the_sweep_that_waits_and_follow_ends_with_it(
    world: World, operator: Operator
) -> None:
    world.behaviour.create_in_progress = 3 * HOUR
    world.stack.create(settings_of(), wait=False)
    world.cloud.run_for(30 * MINUTE)
    world.stack.delete(wait=False)
    world.cloud.run_for(1.5 * HOUR)

    shown = operator.expect(0, "status")
    assert "DELETE_IN_PROGRESS for 1 h 30 min" in shown
    assert "Waits in     Sweep03 has waited for 35 min of 55 min" in shown
    assert "Decided      in 2 h 10 min at most" in shown
    shown = operator.expect(0, "status", "--follow", "--interval", "60")
    assert "TopPicks is DELETE_COMPLETE after " in shown
    operator.expect(2, "status", "--follow")
    operator.expect(0, "status", "--follow", "--stack", world.stack.id)


def test_status_during_a_replacement_shows_both_recommenders_and_leftovers_decides_on_neither(
    world: World, operator: Operator
) -> None:
    world.created()
    old = world.recommender["name"]
    world.stack.update(settings_of(dataset_group_arn=world.other_group), wait=False)
    world.cloud.run_for(5 * MINUTE)

    shown = operator.expect(0, "status")
    assert f"{old} (the old one, which is being" in shown
    assert shown.count("Recommender  ") == 2
    assert "CREATE IN_PROGRESS" in shown
    shown = operator.expect(2, "leftovers")
    assert shown.count("undecided") == 2
    world.cloud.finish()


@pytest.mark.rows("H8")
@pytest.mark.parametrize("change", ["start", "stop"])
def test_recommender_with_hours_of_service_is_fine_in_either_state_and_the_expected_one_is_shown(
    world: World, operator: Operator, change: str
) -> None:
    hour = 1 if change == "stop" else 23
    hours = {"start": "cron(0 20 * * ? *)", "stop": f"cron(0 {hour} * * ? *)"}
    world.created(active_hours={**hours, "time_zone": "UTC"})
    expected, actual = ("ACTIVE", "INACTIVE") if change == "stop" else ("INACTIVE", "ACTIVE")
    assert world.recommender["status"] == expected
    getattr(world.disturb(), f"{change}_recommender")(recommenderArn=world.arn)
    world.cloud.run_for(10 * MINUTE)
    world.invariants.forgives.add("rest")

    for command in ("drift", "status"):
        code, shown = operator.run(command)
        assert code == 0, shown
        assert f"expected {expected} at this hour" in plain(shown)
    assert world.recommender["status"] == actual


def test_status_without_monitoring_says_how_to_know_the_earlier_metrics(
    world: World, operator: Operator
) -> None:
    world.created(min_recommendation_requests_per_second=5)
    world.cloud.cloudwatch.put_calls(world.arn, 690, world.cloud.clock.now - HOUR)
    shown = plain(operator.expect(0, "status"))
    assert 'not known: the stack has no monitoring; "monitoring": true turns it on' in shown
    assert "Use 2.30 calls a second in the busiest 5 minutes of the last 7 days, from " in shown
    assert "UTC; minRecommendationRequestsPerSecond 3 would do" in shown


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AccessDenied", "you lack the permission cloudwatch:GetMetricData"),
        ("ThrottlingException", "GetMetricData: ThrottlingException: "),
        ("ValidationError", "GetMetricData: ValidationError: "),
    ],
)
def test_status_that_cannot_read_metrics_shows_the_rest_and_why(
    world: World, operator: Operator, code: str, reason: str
) -> None:
    world.created(monitoring=True)
    operator.faults = refuse("GetMetricData", code)
    shown = plain(operator.expect(0, "status"))
    assert f"Before not known: {reason}" in shown
    assert f"Use not known: {reason}" in shown
    assert "coverage 0.0768" in shown


def test_stack_without_a_recommender_has_a_status_but_no_drift(
    world: World, operator: Operator
) -> None:
    world.stack.create(Deployable({"Topic": {"Type": "AWS::SNS::Topic"}}, {}))
    assert "there is none in the stack's template" in operator.expect(0, "status")
    assert "There is no recommender in the template" in operator.expect(2, "drift")


# -- status --follow ---------------------------------------------------------------------------


def test_follow_of_a_deployment_prints_a_line_a_minute_and_ends_with_it(
    world: World, operator: Operator
) -> None:
    world.behaviour.create_in_progress = 2 * HOUR
    begin_creation(world)

    shown = operator.expect(0, "status", "--follow", "--interval", "15")
    lines = shown.splitlines()
    assert all(len(line) < 80 for line in lines)
    progress = [line for line in lines if "at most" in line]
    assert 120 <= len(progress) < 150, "one a minute, and one for each news"
    assert any("] Hour03Of03, " in line for line in progress)
    assert [line.count("#") for line in progress] == sorted(line.count("#") for line in progress)
    assert lines[-1].startswith("TopPicks is CREATE_COMPLETE after 2 h ")
    assert set(operator.calls) <= set(READS)


def test_follow_of_a_deployment_that_fails_is_1_with_the_reason(
    world: World, operator: Operator
) -> None:
    world.behaviour.training_failure = "too few interactions"
    begin_creation(world)

    shown = operator.expect(1, "status", "--follow")
    assert "TopPicks in eu-west-1 is ROLLBACK_IN_PROGRESS." in shown
    assert "TopPicks is ROLLBACK_COMPLETE after" in shown
    assert "CREATE_FAILED: Recommender" in shown
    assert "too few interactions" in shown
    assert "cancelled" not in shown
    operator.expect(1, "status", "--follow")  # nothing is under way


def test_follow_of_a_replacement_goes_on_through_the_clean_up(
    world: World, operator: Operator
) -> None:
    world.created()
    world.stack.update(settings_of(dataset_group_arn=world.other_group), wait=False)
    world.cloud.run_for(60)
    shown = operator.expect(0, "status", "--follow")
    assert "decided; clean-up deletes replaced resources" in shown
    assert "TopPicks is UPDATE_COMPLETE after" in shown


def test_follow_of_a_deployment_that_a_deletion_overtakes_is_1(
    world: World, operator: Operator
) -> None:
    world.stack.create(settings_of(), wait=False)
    world.cloud.timeline.after(5 * MINUTE, lambda: world.stack.delete(wait=False))
    assert "TopPicks is DELETE_COMPLETE after" in operator.expect(1, "status", "--follow")


@pytest.mark.parametrize("forgets", [False, True])
def test_follow_of_a_deletion_is_0_also_if_the_stack_is_forgotten_at_the_end(
    world: World, operator: Operator, forgets: bool
) -> None:
    """CloudFormation knows a stack for 90 days after its deletion."""
    world.created()
    world.stack.delete(wait=False)
    world.cloud.run_for(30)
    gone = ServiceError("ValidationError", "Stack does not exist", 400)
    operator.faults = always(
        CLOUDFORMATION,
        raising(gone),
        while_=lambda: forgets and world.stack.status == "DELETE_COMPLETE",
    )
    assert "TopPicks is DELETE_COMPLETE after" in operator.expect(0, "status", "--follow")


def test_missing_stack_is_2_and_a_change_set_is_followed_once_it_is_executed(
    world: World, operator: Operator
) -> None:
    for command in (["status", "--follow"], ["drift"], ["status", "--stack", "Another"]):
        code, shown = operator.run(*command)
        assert code == 2
        assert "There is no stack " in shown

    world.cloud.timeline.after(60, lambda: world.stack.create(settings_of(), wait=False))
    operator.expect(0, "status", "--follow")
    operator.expect(0, "status", "--follow", "--interval", "3600")


@pytest.mark.parametrize("interval", [7, 50, 3600])
def test_follow_waits_two_minutes_for_a_change_set_at_any_interval(
    world: World, operator: Operator, interval: int
) -> None:
    began = world.cloud.clock.now
    assert world.stack.status == "REVIEW_IN_PROGRESS"
    operator.expect(2, "status", "--follow", "--interval", str(interval))
    assert world.cloud.clock.now - began == 120


def test_follow_without_credentials_ends_at_once_and_after_the_first_poll_tries_again(
    world: World, operator: Operator
) -> None:
    begin_creation(world)
    began = world.cloud.clock.now
    allowed = 0
    operator.faults = always(
        "DescribeStacks",
        raising(NoCredentialsError()),
        while_=lambda: operator.calls.count("DescribeStacks") > allowed,
    )
    code, shown = operator.run("status", "--follow")
    assert (code, world.cloud.clock.now - began) == (2, 0), shown
    assert shown.startswith("Could not read AWS: DescribeStacks: ")
    assert shown.count("\n") == 1

    allowed = 4
    shown = operator.expect(2, "status", "--follow")
    assert world.cloud.clock.now - began > 120, "they may be renewed meanwhile"
    assert shown.count("trying again") == 9


@pytest.mark.parametrize("polls", [0, 3])
def test_follow_survives_lost_connections(world: World, operator: Operator, polls: int) -> None:
    world.stack.create(settings_of(), wait=False)
    lost = ["DescribeStacks"] * 12 + ["DescribeRecommender"] * 12

    def fault(operation: str, _params: dict[str, Any]) -> None:
        if operator.calls.count("DescribeStacks") > polls and operation in lost:
            lost.remove(operation)
            raise ConnectionClosedError(endpoint_url="https://aws")

    operator.faults = fault
    assert "trying again" in operator.expect(0, "status", "--follow")


# -- drift -------------------------------------------------------------------------------------


def test_edited_members_are_drift_until_the_printed_deployment(
    world: World, operator: Operator
) -> None:
    world.created(force_update="7", tags={"team": "video"})
    operator.expect(0, "drift")
    arn = world.arn
    world.edit(arn, {"itemExplorationConfig": {"explorationWeight": "0.9"}})
    world.tag(arn, {"team": "films"})

    shown = operator.expect(1, "drift")
    assert "itemExplorationConfig.explorationWeight: actual 0.9, expected 0.3" in shown
    assert "tag team: actual films, expected video" in shown
    assert "npx cdk deploy TopPicks -c force_update=8" in shown
    shown = operator.expect(1, "status")
    assert shown.endswith("Exit code 1: the recommender differs from its template.\n")
    assert set(operator.calls) <= set(READS)
    world.updated(force_update="8", tags={"team": "video"})
    operator.expect(0, "drift")


def test_tags_beyond_ascii_are_drift_only_if_they_cannot_be_what_get_template_shows(
    world: World, operator: Operator
) -> None:
    world.created(tags={"Größe": "Köln", "都市": "東京", "a": "Müller", "b": "Möller"})
    operator.expect(0, "drift")
    operator.expect(0, "status")

    world.tag(world.arn, {"都市": "Osaka"})

    shown = operator.expect(1, "drift")
    assert "tag 都市: actual Osaka, expected ??" in shown
    assert shown.count("tag ") == 1


def test_deleted_recommender_is_drift(world: World, operator: Operator) -> None:
    world.created()
    world.disturb().delete_recommender(recommenderArn=world.arn)
    world.cloud.run_for(HOUR)
    assert "recommender: actual nothing, expected TopPicks-" in operator.expect(1, "drift")
    assert "it does not exist" in operator.expect(1, "status")


def test_failed_retraining_is_shown_with_its_age_and_is_no_drift(
    world: World, operator: Operator
) -> None:
    world.created()
    shown = operator.expect(0, "status")
    assert "when it was created; no update shows since" in plain(shown)
    world.behaviour.retraining_every = WEEK
    world.behaviour.retraining_failure = "Too few interactions"
    world.cloud.run_for(WEEK + 5 * HOUR)

    shown = operator.expect(1, "status")
    assert re.search(
        "Retraining it failed, begun 5 h 00 min ago, 2026-01-08 .* UTC: Too few interactions. "
        "The earlier model serves; its age is not shown.",
        plain(shown),
    )
    assert shown.endswith("Exit code 1: the latest retraining has failed.\n")
    assert max(map(len, shown.splitlines())) < 80
    shown = operator.expect(0, "drift")
    assert "This is not drift: its latest retraining failed: Too few interactions." in plain(shown)

    world.behaviour.retraining_failure = None
    world.cloud.run_for(WEEK)
    shown = operator.expect(0, "status")
    assert re.search(
        "Trained 5 h 00 min ago, 2026-01-15 .* UTC: the weekly retraining", plain(shown)
    )
    assert "not drift" not in operator.run("drift")[1]


def test_failed_update_is_neither_a_failed_retraining_nor_an_outage(
    world: World, operator: Operator
) -> None:
    world.created()
    world.cloud.run_for(48 * HOUR)
    world.behaviour.update_failure = "No capacity"
    world.edit(world.arn, {"minRecommendationRequestsPerSecond": 2})
    shown = operator.expect(0, "status")
    shown = plain(shown)
    assert re.search("ACTIVE, also during its latest update, begun .* ago; created 49 h", shown)
    assert re.search("Update it failed, begun (60 min|1 h 00 min) ago", shown)
    assert "No capacity. It would have changed the configuration, which is as it was" in shown


def test_tags_that_a_retraining_holds_hide_nothing_else_and_are_not_compared(
    world: World, operator: Operator
) -> None:
    world.created()
    world.behaviour.retraining_every = WEEK
    world.behaviour.create_in_progress = 5 * HOUR
    world.cloud.run_for(WEEK + HOUR)
    shown = operator.expect(0, "status")
    assert "being updated (CREATE IN_PROGRESS) for 1 h" in shown
    assert "Expected     its tags cannot be read now" in shown
    assert "Trained" not in shown
    shown = operator.expect(2, "drift")
    assert "cannot be compared: its tags cannot be read now." in plain(shown)


def test_missing_owner_tags_are_drift_that_no_deployment_corrects(
    world: World, operator: Operator
) -> None:
    world.created()
    world.untag(world.arn, v.OWNER_STACK_TAG)
    shown = operator.expect(1, "drift")
    assert "No deployment corrects that" in shown
    assert "aws personalize tag-resource" in plain(shown)
    world.invariants.forgives.add("rest")


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
def test_drift_of_one_recommender_outweighs_another_that_cannot_be_compared(
    world: World, operator: Operator, drifted: int
) -> None:
    arns = two_recommenders(world)
    operator.expect(0, "drift")
    edits, starts = arns[drifted], arns[1 - drifted]
    world.invariants.forgives.add("rest")
    world.disturb().stop_recommender(recommenderArn=starts)
    world.cloud.run_for(HOUR)
    world.disturb().start_recommender(recommenderArn=starts)
    world.cloud.run_for(10)
    operator.expect(2, "drift")
    world.tag(edits, {v.ON_DESTROY_TAG: "retain"})

    shown = operator.expect(1, "drift")
    assert "cannot be compared" in shown
    assert "differs from the stack's template" in plain(shown)


def test_drift_during_an_operation_is_2_and_names_the_command_that_waits(
    world: World, operator: Operator
) -> None:
    begin_creation(world)
    assert "status --follow --stack TopPicks" in operator.expect(2, "drift")
    world.cloud.finish()


# -- leftovers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("needed", [True, False])
def test_leftovers_delete_waits_for_a_training_that_has_outlasted_its_stacks_deletion(
    world: World, operator: Operator, needed: bool
) -> None:
    world.cloud.deletes_what_failed_needs = needed
    world.behaviour.create_in_progress = 30 * HOUR
    world.stack.create({"max_training_hours": 2.5, "max_deletion_hours": 2.5}, wait=False)
    world.cloud.run_for(HOUR)
    assert world.stack.delete() == "DELETE_FAILED"
    assert "needs no recommender any more" in operator.expect(2, "drift")
    operator.expect(1, "status")
    shown = operator.expect(1, "leftovers")
    assert "left over" in shown
    assert "leftovers --delete --region eu-west-1" in shown
    assert set(operator.calls) <= set(READS)
    world.invariants.disturbed()

    shown = operator.expect(0, "leftovers", "--delete", "--yes", "--interval", "300")
    assert "is CREATE IN_PROGRESS, which must end first" in shown
    assert "gone" in shown
    assert not world.owned
    assert "--stack-name TopPicks --region eu-west-1 --deletion-mode FORCE_DELETE_STACK" in shown
    assert set(operator.calls) <= set(READS) | CHANGES
    operator.expect(0, "leftovers")
    shown = operator.expect(0, "leftovers", "--delete", "--yes", "--stack", "TopPicks")
    assert "FORCE_DELETE_STACK" in shown, "also when nothing of it remains"
    failed = [one.logical_id for one in world.stack.resources.values()]
    assert world.stack.delete(retain=failed) == "DELETE_COMPLETE"


@pytest.mark.parametrize("untagged", [v.OWNER_STACK_TAG, v.OWNER_RESOURCE_TAG])
@pytest.mark.parametrize("readable", [True, False])
def test_unproven_recommender_of_a_stuck_stack_is_shown_before_the_stack_is_forced(
    world: World, operator: Operator, untagged: str, readable: bool
) -> None:
    world.created()
    arn = world.arn
    world.untag(arn, untagged)
    assert world.stack.delete() == "DELETE_FAILED"
    if not readable:
        sweep = world.stack.template.ids_of(v.SWEEP_TYPE)[0]
        world.stack.template = world.stack.template.patched(sweep, WaitSeconds=IMPORTED)
    world.invariants.forgives.add("rest")

    for command in LEFTOVERS:
        code, shown = operator.run(*command, "--stack", "TopPicks")
        assert code == 2, shown
        assert "its tags do not prove that it belongs to TopPicks." in plain(shown)
        assert "  Status: ACTIVE\n" in shown
        deletes = f"aws personalize delete-recommender --recommender-arn {arn} --region eu-west-1"
        assert f"  {deletes}\n" in shown
        assert ("FORCE_DELETE_STACK" in shown.partition(deletes)[2]) is ("--delete" in command)
        assert "FORCE_DELETE_STACK" not in shown.partition(deletes)[0]
    assert set(operator.calls) <= set(READS)
    assert arn.rpartition("/")[2] in world.cloud.recommenders()

    world.disturb().delete_recommender(recommenderArn=arn)
    code, shown = operator.run("leftovers", "--delete", "--yes", "--stack", "TopPicks")
    assert "delete-recommender" not in shown, "it is being deleted"
    world.cloud.run_for(HOUR)
    shown = operator.expect(0, "leftovers", "--delete", "--yes", "--stack", "TopPicks")
    assert "FORCE_DELETE_STACK" in shown


def test_leftovers_delete_removes_recommenders_of_a_gone_stack_and_no_others(
    world: World, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.created()
    used = world.recommender["name"]
    gone = of_a_gone_stack(world)
    elsewhere = gone[v.OWNER_STACK_TAG].replace("eu-west-1", "eu-west-2")
    world.foreign("left", gone)
    world.foreign("adopted", {**gone, v.ADOPTED_TAG: "true", "team": "video"})
    world.foreign("elsewhere", {**gone, v.OWNER_STACK_TAG: elsewhere})
    world.foreign("odd", {v.OWNER_STACK_TAG: "somebody"}, group=world.other_group)
    world.foreign("theirs", group=world.other_group)
    world.invariants.disturbed()
    shown = operator.expect(2, "leftovers", "--delete")
    assert "Nothing was changed. No terminal to confirm in: add --yes." in shown
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    ctrl_d = EOFError()
    monkeypatch.setattr("builtins.input", mock.Mock(side_effect=["n", ctrl_d, "y"]))
    for expected in (1, 1, 2):
        code, shown = operator.run("leftovers", "--delete")
        assert code == expected, shown
    assert "left: gone" in shown
    assert "adopted: released" in shown
    actual = world.cloud.recommenders()
    assert actual.keys() == {used, "adopted", "elsewhere", "odd", "theirs"}
    assert actual["adopted"]["tags"] == {"team": "video"}
    assert shown.count("unproven") == 4
    assert f"used       {used}" in shown


def test_refused_removal_is_shown_and_the_next_one_is_made(
    world: World, operator: Operator
) -> None:
    world.foreign("left", of_a_gone_stack(world))
    world.foreign("left-too", of_a_gone_stack(world))
    operator.faults = once("DeleteRecommender", raising(error("AccessDeniedException")))
    shown = operator.expect(1, "leftovers", "--delete", "--yes")
    assert "left: failed: DeleteRecommender: AccessDeniedException" in shown
    assert "left-too: gone" in shown


def test_stack_name_that_cannot_be_one_is_2_and_no_deleted_stack(
    world: World, operator: Operator
) -> None:
    message = "1 validation error detected: Value at 'stackName' failed to satisfy constraint"
    refusal = ServiceError("ValidationError", message, 400)
    operator.faults = always("DescribeStacks", raising(refusal))
    shown = operator.expect(2, "status", "--stack", "not a name")
    assert "Could not read AWS: DescribeStacks: ValidationError: 1 validation error" in shown
    world.foreign("left", proof_of(world.stack.id))
    operator.expect(2, "leftovers", "--delete", "--yes")
    assert "left" in world.cloud.recommenders()


# -- between the question and the deletion -----------------------------------------------------


def answering(
    monkeypatch: pytest.MonkeyPatch, answer: str, meanwhile: Callable[[], object] = lambda: None
) -> list[str]:
    """Have a person at the terminal who answers; return the questions."""
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
        *((answer, True) for answer in ("Y", " yes ")),
        *((answer, False) for answer in ("", "n", "yy", "yes please")),
    ],
)
def test_leftovers_are_deleted_only_after_a_yes(
    world: World, operator: Operator, monkeypatch: pytest.MonkeyPatch, answer: str, deletes: bool
) -> None:
    world.foreign("left", of_a_gone_stack(world))
    questions = answering(monkeypatch, answer)

    code, shown = operator.run("leftovers", "--delete")

    assert questions == ["Continue? [y/N] "]
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
"""The question, and each call after it until the fence is read."""


@pytest.mark.parametrize(
    ("happening", "step"),
    [
        *((happening, "DescribeStacks") for happening in HAPPENINGS),
        *(("an update begins", step) for step in STEPS[:-1]),
    ],
)
def test_stack_that_changes_after_the_question_stops_the_removal(
    world: World, operator: Operator, monkeypatch: pytest.MonkeyPatch, happening: str, step: str
) -> None:
    world.created()
    logical_id = world.stack.the(v.RECOMMENDER_TYPE).logical_id
    world.foreign("other", proof_of(world.stack.id, logical_id))
    world.invariants.forgives.add("rest")
    world.invariants.strays.add("other")
    waits_for = [step]

    def happens(at: str, _params: Any = None) -> None:
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


TAKEN_OVER: Final[dict[str, tuple[str, str | None, int, str]]] = {
    "without an owner": (v.OWNER_STACK_TAG, None, 0, "it is left alone"),
    "another stack's": (
        *(v.OWNER_STACK_TAG, "arn:aws:cloudformation:eu-west-1:1:stack/B/1"),
        *(2, "it is left alone"),
    ),
    "another resource's": (v.OWNER_RESOURCE_TAG, "Another", 1, "it is left alone"),
    "to be retained": (v.ON_DESTROY_TAG, "retain", 0, "left: failed: it is "),
    "undecided": (v.ON_DESTROY_TAG, None, 2, "left: failed: it is "),
}
"""The tag that changes, its new value, the exit code, and the message."""


@pytest.mark.parametrize("case", TAKEN_OVER)
def test_recommender_that_is_taken_over_after_the_question_is_not_deleted(
    world: World, operator: Operator, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    key, value, expected, message = TAKEN_OVER[case]
    arn = world.foreign("left", of_a_gone_stack(world))["recommenderArn"]

    def retag() -> None:
        world.untag(arn, key)
        if value:
            world.tag(arn, {key: value})

    answering(monkeypatch, "y", retag)
    code, shown = operator.run("leftovers", "--delete")
    assert "left" in world.cloud.recommenders(), shown
    assert "DeleteRecommender" not in operator.calls
    assert message in shown
    assert code == expected


def test_recommender_that_is_deleted_after_the_question_is_gone(
    world: World, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = world.foreign("left", of_a_gone_stack(world))
    deletes = world.disturb().delete_recommender
    answering(monkeypatch, "y", lambda: deletes(recommenderArn=left["recommenderArn"]))
    assert "left: gone" in operator.expect(0, "leftovers", "--delete")


# -- the name of a stack -----------------------------------------------------------------------


@pytest.mark.parametrize("by_id", [False, True])
def test_named_stack_is_that_one_and_none_of_a_similar_name(
    world: World, operator: Operator, by_id: bool
) -> None:
    for name in ("TopPicks", "TopPicks-dev", "dev-TopPicks", "toppicks", "TopPick"):
        proof = proof_of(stack_id_of(world, name) + "0")
        world.foreign(f"of-{name}", {**proof, **TO_DELETE}, group=world.other_group)
    named = f"{world.stack.id}0" if by_id else "TopPicks"

    shown = operator.expect(1, "leftovers", "--stack", named)
    assert f"Recommenders in eu-west-1 that carry the tags of stack {named}:" in shown
    assert f"  python -m operations leftovers --delete --stack {named} --region" in shown
    assert "dev" not in shown

    operator.expect(0, "leftovers", "--delete", "--yes", "--stack", named)
    assert {*world.cloud.recommenders()} == {
        *("of-TopPicks-dev", "of-dev-TopPicks", "of-toppicks", "of-TopPick")
    }
    assert (
        "python -m operations leftovers --delete --region eu-west-1" in operator.run("leftovers")[1]
    )


def test_stack_without_leftovers_is_shown_as_known_or_unknown(
    world: World, operator: Operator
) -> None:
    world.stack.create(Deployable({"Topic": {"Type": "AWS::SNS::Topic"}}, {}))
    shown = operator.expect(0, "leftovers", "--stack", "TopPicks")
    assert "No recommender in eu-west-1 carries the tags of stack TopPicks.\n" in shown
    assert "CloudFormation knows this stack: it is CREATE_COMPLETE." in shown

    world.foreign("of-videos", proof_of(stack_id_of(world, "Videos")))
    for command in LEFTOVERS:
        code, shown = operator.run(*command, "--stack", "TopPick")
        assert code == 0
        shown = plain(shown)
        assert "carries the tags of stack TopPick. CloudFormation knows no stack TopPick" in shown
        assert "Recommenders here carry the tags of: Videos." in shown


# -- retained on purpose -----------------------------------------------------------------------


@pytest.mark.parametrize("command", LEFTOVERS)
@pytest.mark.parametrize("forgets", [False, True])
def test_retained_recommender_is_kept_also_when_its_stack_is_forgotten(
    world: World, operator: Operator, forgets: bool, command: list[str]
) -> None:
    world.created(retain_on_destroy=True)
    world.deleted()
    operator.forgets = forgets
    operator.expect(0, "leftovers", "--stack", world.stack.id)

    shown = operator.expect(0, *command)
    assert "retained   TopPicks-" in shown
    assert ("untag-resource" in shown) is (command == ["leftovers"])
    assert len(world.owned) == 1
    assert not set(operator.calls) & CHANGES


@pytest.mark.parametrize("retain", [False, True])
def test_latest_deployment_decides_whether_a_recommender_is_retained(
    world: World, operator: Operator, retain: bool
) -> None:
    world.created(retain_on_destroy=not retain)
    world.updated(retain_on_destroy=retain)
    assert world.recommender["tags"][v.ON_DESTROY_TAG] == ("retain" if retain else "delete")
    assert world.undone(retain_on_destroy=not retain) == "UPDATE_ROLLBACK_COMPLETE"
    assert world.recommender["tags"][v.ON_DESTROY_TAG] == ("retain" if retain else "delete")
    operator.expect(0, "drift")


def test_recommender_of_version_0_1_is_undecided_when_its_stack_is_forgotten(
    world: World, operator: Operator
) -> None:
    world.foreign("old", proof_of(stack_id_of(world, "Gone")))
    for command in LEFTOVERS:
        code, shown = operator.run(*command)
        assert code == 2
        assert "undecided  old: its stack is gone, and it may have been retained" in shown
    assert "old" in world.cloud.recommenders()
    shown = operator.run("leftovers")[1]
    arn = world.cloud.recommenders()["old"]["recommenderArn"]
    keys = f"{v.OWNER_STACK_TAG} {v.OWNER_RESOURCE_TAG}"
    assert f"--resource-arn {arn} --tag-keys {keys}\n" in shown
    assert f"  aws personalize delete-recommender --recommender-arn {arn} --region" in shown


def test_recommender_of_version_0_1_gets_its_tag_with_the_next_deployment(
    world: World, operator: Operator
) -> None:
    before = world.patched()
    (logical_id,) = before.ids_of(v.RECOMMENDER_TYPE)
    del before.resources[logical_id]["Properties"][v.ON_DESTROY]
    assert world.stack.create(before) == "CREATE_COMPLETE"
    assert v.ON_DESTROY_TAG not in world.recommender["tags"]
    operator.expect(0, "drift")
    assert world.updated() == ["TagResource"]
    assert world.recommender["tags"][v.ON_DESTROY_TAG] == "delete"
    assert world.stack.update(before) == "UPDATE_COMPLETE"
    assert v.ON_DESTROY_TAG not in world.recommender["tags"]


def test_retained_recommender_with_50_tags_is_adopted_again_without_one_more(
    world: World, operator: Operator
) -> None:
    most = {f"tag{number:02}": "x" for number in range(47)}
    world.created(recommender_name="films", retain_on_destroy=True, tags=most)
    assert len(world.recommender["tags"]) == 50
    world.deleted()
    world.stack = world.cloud.stack()

    world.created(recommender_name="films", adopt_existing=True, tags=most)

    assert len(world.recommender["tags"]) == 50
    assert v.ON_DESTROY_TAG not in world.recommender["tags"]
    operator.expect(0, "drift")


def test_released_recommender_keeps_its_own_tags_and_loses_those_of_the_template(
    world: World, operator: Operator
) -> None:
    world.foreign("films", {"theirs": "1"})
    world.created(recommender_name="films", adopt_existing=True, tags={"team": "video"})
    world.cloud.before = refuse("UntagResource", "AccessDeniedException")
    assert world.stack.delete() == "DELETE_FAILED"
    world.invariants.disturbed()

    shown = operator.expect(0, "leftovers", "--delete", "--yes", "--stack", "TopPicks")
    assert "films: released" in shown
    assert "delete-recommender" not in shown, "it is somebody else's"
    assert world.cloud.recommenders()["films"]["tags"] == {"theirs": "1"}


# -- errors ------------------------------------------------------------------------------------


def test_unreadable_template_leaves_follow_without_a_progress_but_with_an_outcome(
    world: World, operator: Operator
) -> None:
    begin_creation(world)
    (gate, *_) = world.stack.template.ids_of(v.TRAINING_GATE_TYPE)
    readable = world.stack.template
    world.stack.template = readable.patched(gate, WaitSeconds=IMPORTED)
    shown = operator.expect(2, "status")
    assert shown == (
        "Could not read the template: only CloudFormation can evaluate Fn::ImportValue\n"
    )
    assert "undecided" in operator.expect(2, "leftovers")

    operator.calls.clear()
    operator.faults = always(
        "DescribeStackEvents",
        lambda: setattr(world.stack, "template", readable),
        while_=lambda: "GetTemplate" in operator.calls,
    )
    shown = operator.expect(0, "status", "--follow")
    assert "The progress is not known: only CloudFormation can evaluate Fn::ImportValue" in shown
    assert " CREATE_IN_PROGRESS" in shown


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        (["status"], "GetTemplate"),
        (["status", "--follow"], "DescribeStackEvents"),
        (["drift"], "GetTemplate"),
        (["leftovers"], "ListRecommenders"),
    ],
)
def test_refused_read_is_2_and_names_the_call(
    world: World, operator: Operator, command: list[str], refused: str
) -> None:
    world.created()
    operator.faults = refuse(refused, "AccessDenied")
    shown = operator.expect(2, *command)
    assert f"Could not read AWS: {refused}: AccessDenied" in shown


# -- what all of them do -----------------------------------------------------------------------


class CommandsAtEveryStep(Watcher):
    """Runs every command after each invocation of the functions, and keeps wrong outputs."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.wrong: list[str] = []
        self.runs = 0

    def invoked(self, invocation: Invocation) -> None:
        del invocation
        for command in COMMANDS:
            code, shown = self.operator.run(command)
            self.runs += 1
            told = code in (0, 1, 2) and "Could not " not in shown and "defect" not in shown
            deletes = command == "leftovers" and "left over" in shown
            if not told or deletes:
                self.wrong.append(f"{command} -> {code}: {shown}")


@pytest.mark.parametrize("lifecycle", ALL)
def test_commands_change_nothing_and_find_no_leftovers_throughout_a_lifecycle(
    lifecycle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world = prepared(lifecycle)
    commands = CommandsAtEveryStep(Operator(world.cloud, capsys))
    world.cloud.watchers.append(commands)

    status = ALL[lifecycle](world)

    assert status in (*GOOD, "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
    assert not commands.wrong
    assert commands.runs
    assert set(commands.operator.calls) <= set(READS)
    assert not [
        call for call in world.service.journal if call.caller == "operator" and call.mutating
    ]
    if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        assert [commands.operator.run(one)[0] for one in COMMANDS] == [0, 0, 0]
    world.invariants.check()


def test_documented_policy_allows_every_call_and_no_other(world: World, operator: Operator) -> None:
    uses: set[Use] = set()
    operator.authorize = lambda action, resource: uses.add(Use(action, resource))
    world.created()
    world.foreign("left", of_a_gone_stack(world))
    world.foreign("adopted", {**of_a_gone_stack(world), v.ADOPTED_TAG: "true"})

    for sids, commands in (
        (OF_STATUS, (["status"], ["drift"], ["status", "--follow"])),
        (OF_LEFTOVERS, (["leftovers"],)),
        (OF_ALL, (["leftovers", "--delete", "--yes"],)),
    ):
        for command in commands:
            operator.run(*command)
        assert not policy(sids).refused(uses)
        assert not policy(sids).unused(uses)
        if sids is OF_LEFTOVERS:
            assert {use.action.partition(":")[2] for use in uses} == set(READS)
