from dataclasses import replace
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.decision.drift import Difference, Drift, DriftStatus
from lambdas.recommender.model.observed import Observed, Update
from operations import drift_text, leftovers_text, status_text, text
from operations.progress import Progress, progress
from operations.stack import Event
from operations.status import status

from .examples import chain, events, stack


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (3599, "1 h 00 min"),
        (3660, "1 h 01 min"),
        (86_400, "24 h 00 min"),
    ],
)
def test_a_duration(seconds: float, shown: str) -> None:
    assert text.duration(seconds) == shown


@pytest.mark.parametrize(("share", "shown"), [(0, "[----]"), (0.5, "[##--]"), (1, "[####]")])
def test_a_bar(share: float, shown: str) -> None:
    assert text.bar(share, 4) == shown


@pytest.mark.parametrize("state", ["CREATE IN_PROGRESS", "ACTIVE", "A STATUS THAT IS VERY LONG"])
@pytest.mark.parametrize("left", [0.0, 36_300.0, 86_400.0])
def test_a_line_fits_into_80_columns(state: str, left: float) -> None:
    link = chain(gates=11).created[11]
    observed = Observed(arn="", status=state, dataset_group_arn="", recipe_arn="")
    line = status_text.follow_line(Progress(link, 60.0, left, 86_400.0), observed, 0.0)
    assert len(line) < 80
    assert "Hour11Of11" in line
    assert "at most" in line
    assert len(status_text.follow_line(None, None, 0.0)) < 80
    assert status_text.waiting(stack("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"), 0.0) == (
        "00:00:00 UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
    )


def test_a_reason_is_shown_once() -> None:
    failed = [Event(0.0, name, "", "DELETE_FAILED", "no such function") for name in ("A", "B")]
    failed.append(Event(0.0, "C", "", "CREATE_FAILED"))
    assert status_text.ended(stack("DELETE_FAILED"), 60.0, failed).splitlines() == [
        "TopPicks is DELETE_FAILED after 60 s.",
        "DELETE_FAILED: A, B",
        "  no such function",
        "CREATE_FAILED: C",
        "  no reason was given",
        "The way out, when the cause is gone:",
        "  python -m operations leftovers --delete --stack TopPicks --region eu-west-1",
    ]
    assert "way out" not in status_text.ended(stack("UPDATE_ROLLBACK_COMPLETE"), 60.0, failed)


def test_before_anything_waits_the_status_says_so() -> None:
    under_way = stack("CREATE_IN_PROGRESS")
    happened = events("0 TopPicks CREATE_IN_PROGRESS")
    one = chain()
    shown = status_text.status(status(under_way, [one], happened, {}, now=60.0), "eu-west-1")
    assert "Waits in     no link of the chain waits now" in shown
    assert "Status       it does not exist" in shown
    assert progress(under_way, one, happened, now=60.0)


def test_clean_up_has_nothing_to_decide() -> None:
    cleaning = stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    shown = status_text.status(status(cleaning, [chain()], [], {}, now=60.0), "eu-west-1")
    assert "Operation    UPDATE_COMPLETE_CLEANUP_IN_PROGRESS\n" in shown
    assert "what was replaced is being deleted" in shown


def test_what_cannot_be_compared_is_said() -> None:
    arn = chain().desired.arn
    one = chain(physical_id=arn, properties={v.DATASET_GROUP_ARN: {"Fn::ImportValue": "group"}})
    there = Observed(arn=arn, status="ACTIVE", dataset_group_arn="", recipe_arn="", created=50.0)
    shown = status(stack(), [one], [], {arn: there}, now=60.0)
    assert shown.is_fine
    told = status_text.status(shown, "eu-west-1")
    assert "Wanted       nothing to compare with: only CloudFormation can evaluate\n" in told
    assert "ACTIVE for 10 s" in told


def test_what_is_on_its_way_is_said() -> None:
    one = chain()
    starting = Observed(
        arn=one.desired.arn,
        status="START IN_PROGRESS",
        dataset_group_arn=one.desired.dataset_group_arn,
        recipe_arn=one.desired.recipe_arn,
        tags={**one.desired.tags, **one.desired.owner.tags()},
    )
    shown = status(stack(), [one], [], {starting.arn: starting}, now=60.0)
    assert "is START IN_PROGRESS; the next step" in " ".join(status_text.status(shown, "").split())
    found = shown.chains[0].recommenders[0].drift
    assert found
    assert found.status is DriftStatus.CANNOT_TELL
    assert "cannot tell" in drift_text.drift(one, found, 60.0)
    as_asked = drift_text.drift(one, Drift(DriftStatus.NONE, reason="ACTIVE, as asked"), 60.0)
    assert "Not shown" not in as_asked
    assert "hour" not in as_asked


def test_what_the_hour_wants_is_said() -> None:
    hours = {v.START: ["MON 07:00"], v.STOP: ["FRI 20:00"], v.TIME_ZONE: "UTC"}
    one = chain(properties={v.ACTIVE_HOURS: hours})
    there = Observed(
        arn=one.desired.arn,
        status="INACTIVE",
        dataset_group_arn=one.desired.dataset_group_arn,
        recipe_arn=one.desired.recipe_arn,
        tags={**one.desired.tags, **one.desired.owner.tags()},
    )
    monday = 1_764_000_000.0
    shown = status(stack(), [one], [], {there.arn: there}, now=monday)
    assert shown.is_fine
    told = status_text.status(shown, "eu-west-1")
    assert "Wanted       INACTIVE, as asked, by the stack" in told
    assert "Hour         wanted ACTIVE at this hour (active_hours); either state is no" in told
    found = shown.chains[0].recommenders[0].drift
    assert found
    assert "wanted ACTIVE at this hour" in drift_text.drift(one, found, monday)


@pytest.mark.parametrize(
    ("status_", "fine"),
    [("DELETE_COMPLETE", True), ("DELETE_IN_PROGRESS", True), ("DELETE_FAILED", False)],
)
def test_a_stack_that_is_being_removed_wants_nothing(status_: str, fine: bool) -> None:
    shown = status(stack(status_), [chain(stack(status_))], [], {}, now=60.0)
    assert shown.is_fine is fine
    told = " ".join(status_text.status(shown, "eu-west-1").split())
    assert ("Way out python -m operations leftovers --delete" in told) is not fine
    assert f"Wanted nothing is wanted of a stack that is {status_}" in told


def test_a_training_that_has_failed_is_not_fine() -> None:
    one = chain()
    failed = Observed(
        arn=one.desired.arn,
        status="CREATE FAILED",
        dataset_group_arn="",
        recipe_arn="",
        failure_reason="too few",
    )
    shown = status(stack(), [one], [], {failed.arn: failed}, now=60.0)
    assert not shown.is_fine
    told = status_text.status(shown, "eu-west-1")
    assert "             too few.\n" in told
    assert told.endswith("Exit code 1: the recommender is CREATE FAILED.")


def test_the_configuration_in_force_is_shown_as_far_as_the_service_shows_it() -> None:
    one = chain()
    arn = one.desired.arn
    config = {
        v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.8", v.EXPLORATION_ITEM_AGE_CUT_OFF: "30"},
        v.ENABLE_METADATA: True,
        v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": ["A", "B"], "USERS": ["C"]}},
    }
    there = Observed(arn, "ACTIVE", dataset_group_arn="", recipe_arn="", config=config)
    told = status_text.status(status(stack(), [one], [], {arn: there}, now=60.0), "eu-west-1")
    assert max(map(len, told.splitlines())) < 80
    assert (
        "Config explorationWeight 0.8, explorationItemAgeCutOff 30, "
        "enableMetadataWithRecommendations true, excludedDatasetColumns ITEMS (A, B), "
        "excludedDatasetColumns USERS (C) Wanted"
    ) in " ".join(told.split())
    bare = status(stack(), [one], [], {arn: replace(there, config={})}, now=60.0)
    assert "Config" not in status_text.status(bare, "eu-west-1")


@pytest.mark.parametrize(
    ("status_", "why"),
    [
        ("UPDATE_ROLLBACK_COMPLETE", "the last operation was rolled back."),
        ("UPDATE_ROLLBACK_FAILED", "the last operation has failed."),
        ("ROLLBACK_IN_PROGRESS", "the operation is being rolled back."),
    ],
)
def test_why_the_exit_code_is_1_is_the_last_that_is_said(status_: str, why: str) -> None:
    happened = events(
        "1 TopPicks UPDATE_IN_PROGRESS",
        "2 Gate1 UPDATE_FAILED too few",
        "2 Gate2 UPDATE_FAILED Resource update cancelled",
        "3 Sweep1 DELETE_FAILED because of that",
        "4 TopPicks UPDATE_ROLLBACK_IN_PROGRESS failed: Gate1",
    )
    shown = status(stack(status_), [], happened, {}, now=60.0)
    told = status_text.status(shown, "eu-west-1").splitlines()
    assert told[-3:] == [f"Exit code 1: {why}", "UPDATE_FAILED: Gate1", "  too few"]
    without = status(stack(status_), [], [], {}, now=60.0)
    assert status_text.status(without, "eu-west-1").endswith(f"Exit code 1: {why}")
    fine = status(stack("UPDATE_COMPLETE"), [], happened, {}, now=60.0)
    assert "Exit code" not in status_text.status(fine, "eu-west-1")


def test_only_a_deletion_that_has_failed_can_be_forced() -> None:
    shown = leftovers_text.stacks_to_delete(
        [stack("DELETE_FAILED"), stack("DELETE_FAILED")], "eu-west-1"
    )
    assert shown.count("FORCE_DELETE_STACK") == 1
    assert "FORCE" not in leftovers_text.stacks_to_delete([stack("ROLLBACK_FAILED")], "eu-west-1")


@pytest.mark.parametrize(
    ("now", "following"),
    [("", "2"), ("1", "2"), ("09", "10"), ("spring", "spring-2"), ("x" * 64, f"{'x' * 60}-2")],
)
def test_another_force_update(now: str, following: str) -> None:
    assert drift_text.next_force_update(now) == following


APP = "Recommender/Resource/Default"
REMEDIES: dict[str, tuple[str, str, list[str]]] = {
    "without environments": (
        "TopPicks",
        f"TopPicks/{APP}",
        ["  npx cdk deploy TopPicks -c force_update=8\n"],
    ),
    "without environments, nor a path": (
        "TopPicks",
        "",
        ["  npx cdk deploy TopPicks -c force_update=8\n"],
    ),
    "an environment": (
        "dev-TopPicks",
        f"dev/TopPicks/{APP}",
        ['in cdk.json, set "force_update": "8" in the environment dev; then\n', "dev/TopPicks"],
    ),
    "an environment with a hyphen, without a path": (
        "prod-eu-TopPicks",
        "",
        ["in the environment prod-eu; then\n", "  npx cdk deploy prod-eu/TopPicks"],
    ),
    "an app of one's own": (
        "Videos",
        "Videos/Films/Resource/Default",
        ['in the app that makes Videos, give Videos/Films force_update="8", and deploy'],
    ),
    "an app of one's own, without a path": (
        "Videos",
        "",
        ['in the app that makes Videos, give Recommender force_update="8", and deploy'],
    ),
    "a stack of one's own of this name": (
        "TopPicks",
        "TopPicks/Films/Resource/Default",
        ["in the app that makes TopPicks, give TopPicks/Films force_update="],
    ),
    "one of one's own in a stage": (
        "dev-TopPicks",
        "dev/TopPicks/Films/Resource/Default",
        ["in the app that makes dev-TopPicks, give dev/TopPicks/Films force_update="],
    ),
}


@pytest.mark.parametrize("case", REMEDIES)
def test_what_puts_a_difference_right_is_what_the_cdk_cli_understands(case: str) -> None:
    """Tried with the CDK CLI 2.1148.1: it matches `dev/TopPicks`, and not `dev-TopPicks`."""
    name, path, expected = REMEDIES[case]
    one = chain(stack(name=name), properties={v.FORCE_UPDATE: "7"})
    one = replace(one, definition={**one.definition, "Metadata": {"aws:cdk:path": path}})
    found = Drift(DriftStatus.DRIFTED, (Difference("status", "INACTIVE", "ACTIVE"),))
    told = drift_text.drift(one, found, 60.0) + "\n"
    for part in expected:
        assert part in told or part in " ".join(told.split())
    commands = [line for line in told.splitlines() if "npx cdk deploy" in line]
    assert len(commands) == ("app" not in expected[0])
    assert "dev-TopPicks -c" not in told


def test_a_construct_is_named_by_its_path_where_the_template_has_it() -> None:
    one = chain()
    assert (one.path, one.construct, status_text.construct(one)) == ("", *["Recommender"] * 2)
    at = {"aws:cdk:path": "dev/Videos/Films/Resource/Default"}
    one = replace(one, definition={**one.definition, "Metadata": at})
    assert (one.path, one.construct) == ("dev/Videos/Films", "Films")
    assert status_text.construct(one) == "dev/Videos/Films (Recommender)"


ENDED = Update("ACTIVE", {}, created=1000.0, updated=1900.0)
SINCE: dict[str, tuple[dict[str, Any], str]] = {
    "created": ({"created": 100.0}, "ACTIVE for 1 h 05 min\n"),
    "trained": ({"created": 100.0, "updated": 400.0}, "ACTIVE for 1 h 00 min\n"),
    "updated": (
        {"created": 40.0, "updated": 1900.0, "latest_update": ENDED},
        "ACTIVE, also during its latest update, begun 50 min ago; created 1\n"
        "             h 06 min ago\n",
    ),
    "updated, in vain": (
        {"updated": 1900.0, "latest_update": replace(ENDED, status="CREATE FAILED")},
        "ACTIVE, also during its latest update, begun 50 min ago; created ",
    ),
    "started after an update": (
        {"updated": 1901.0, "latest_update": ENDED},
        "ACTIVE for 35 min\n",
    ),
    "being updated": (
        {"updated": 1000.0, "latest_update": replace(ENDED, status="CREATE IN_PROGRESS")},
        "being updated (CREATE IN_PROGRESS) for 50 min\n",
    ),
    "stopped after an update": (
        {"status": "INACTIVE", "updated": 1900.0, "latest_update": ENDED},
        "INACTIVE for 35 min\n",
    ),
    "nobody knows": ({}, "Status       ACTIVE\n"),
}


@pytest.mark.parametrize("case", SINCE)
def test_an_update_is_no_beginning_of_service(case: str) -> None:
    members, expected = SINCE[case]
    one = chain()
    there = Observed(
        **{"arn": one.desired.arn, "status": "ACTIVE", "dataset_group_arn": "", "recipe_arn": ""}
        | members
    )
    shown = status(stack(), [one], [], {there.arn: there}, now=4000.0)
    assert expected in status_text.status(shown, "eu-west-1")


def test_a_command_is_one_that_a_shell_takes_as_it_is() -> None:
    assert text.leftovers_command("eu-west-1", "a b") == (
        "python -m operations leftovers --stack 'a b' --region eu-west-1"
    )
    assert text.leftovers_command("eu-west-1", None, delete=True) == (
        "python -m operations leftovers --delete --region eu-west-1"
    )


def test_a_stack_that_is_not_known_is_said_with_the_stacks_whose_tags_there_are() -> None:
    alone = leftovers_text.none_of(None, "Pikcs", [])
    beside = leftovers_text.none_of(None, "Pikcs", ["TopPicks"])

    assert "CloudFormation knows no stack Pikcs here" in alone
    assert "carry the tags of" not in alone
    assert beside == f"{alone}\nRecommenders here carry the tags of: TopPicks."
