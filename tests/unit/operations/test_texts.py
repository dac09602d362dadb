from dataclasses import replace
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.decision.drift import Difference, Drift, DriftStatus
from lambdas.recommender.model.history import Sample
from lambdas.recommender.model.observed import Observed, Update
from lambdas.recommender.model.throughput import Use
from operations.computations.chain import Chain, Position
from operations.computations.compare import Measured, StackStatus, compare
from operations.computations.stack import Event, Stack
from operations.texts import lines
from operations.texts.render_drift import next_force_update, render_drift
from operations.texts.render_leftovers import render_no_leftovers, render_stacks_to_delete
from operations.texts.render_status import (
    render_construct,
    render_outcome,
    render_progress,
    render_status,
    render_unknown_progress,
)

from .examples import chain, events, observed, observed_as, stack

REGION = "eu-west-1"
NOW = 60.0


def compared(
    of: Stack,
    one: Chain,
    *recommenders: Observed,
    happened: Any = (),
    measured: Measured | None = None,
    now: float = NOW,
) -> StackStatus:
    found = {each.arn: each for each in recommenders}
    metrics = dict.fromkeys(found, measured) if measured else {}
    return compare(of, [one], happened, found, metrics, now=now)


def joined(found: StackStatus) -> str:
    """Return the text of a status without its line breaks."""
    return " ".join(render_status(found).split())


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
def test_duration_has_the_unit_of_its_length(seconds: float, shown: str) -> None:
    assert lines.duration(seconds) == shown


@pytest.mark.parametrize(("share", "shown"), [(0, "[----]"), (0.5, "[##--]"), (1, "[####]")])
def test_bar_is_as_full_as_the_share(share: float, shown: str) -> None:
    assert lines.bar(share, 4) == shown


def test_command_is_quoted_for_a_shell() -> None:
    assert lines.command("leftovers", REGION, "a b", "--delete") == (
        "python -m operations leftovers --delete --stack 'a b' --region eu-west-1"
    )
    assert lines.command("leftovers", REGION) == "python -m operations leftovers --region eu-west-1"


# -- status --follow -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "remaining"),
    [("ACTIVE", 0.0), ("A STATUS THAT IS VERY LONG", 36_300.0), ("CREATE IN_PROGRESS", 86_400.0)],
)
def test_progress_fits_into_80_columns(state: str, remaining: float) -> None:
    link = chain(gates=11).created[11]
    line = render_progress(Position(link, 60.0, remaining, 86_400.0), observed(state), 0.0)
    assert len(line) < 80
    assert "Hour11Of11" in line
    assert "at most" in line
    assert len(render_progress(None, None, 0.0)) < 80
    assert render_unknown_progress(stack("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"), 0.0) == (
        "00:00:00 UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
    )


def test_outcome_has_each_reason_once_and_the_way_out_of_a_stuck_stack() -> None:
    failed = [Event(0.0, "", name, "", "DELETE_FAILED", "no such function") for name in "AB"]
    failed.append(Event(0.0, "", "C", "", "CREATE_FAILED"))
    assert render_outcome(stack("DELETE_FAILED"), 60.0, failed).splitlines() == [
        "TopPicks is DELETE_FAILED after 60 s.",
        "DELETE_FAILED: A, B",
        "  no such function",
        "CREATE_FAILED: C",
        "  no reason was given",
        "The way out, when the cause is gone:",
        "  python -m operations leftovers --delete --stack TopPicks --region eu-west-1",
    ]
    assert "way out" not in render_outcome(stack("UPDATE_ROLLBACK_COMPLETE"), 60.0, failed)


# -- status --------------------------------------------------------------------------------------


def test_status_before_any_link_waits_shows_no_link_and_no_recommender() -> None:
    under_way = stack("CREATE_IN_PROGRESS")
    happened = events("0 TopPicks CREATE_IN_PROGRESS")
    shown = render_status(compared(under_way, chain(under_way), happened=happened))
    assert "Waits in     no link of the chain waits now" in shown
    assert "Status       it does not exist" in shown


def test_status_in_clean_up_is_decided() -> None:
    cleaning = stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    shown = render_status(compared(cleaning, chain(cleaning)))
    assert "Operation    UPDATE_COMPLETE_CLEANUP_IN_PROGRESS\n" in shown
    assert "clean-up deletes replaced resources" in shown


def test_status_says_why_an_unreadable_template_is_not_compared() -> None:
    arn = chain().desired.arn
    one = chain(physical_id=arn, properties={v.DATASET_GROUP_ARN: {"Fn::ImportValue": "group"}})
    found = compared(stack(), one, observed(arn=arn, created=50.0))
    assert not found.wrong
    shown = render_status(found)
    assert "Expected     nothing to compare with: only CloudFormation can evaluate\n" in shown
    assert "ACTIVE for 10 s" in shown


def test_starting_recommender_is_neither_drift_nor_a_match() -> None:
    one = chain()
    found = compared(stack(), one, observed_as(one, "START IN_PROGRESS"))
    assert "is START IN_PROGRESS, which must end first" in joined(found)
    drift = found.chains[0].recommenders[0].drift
    assert drift
    assert drift.status is DriftStatus.CANNOT_TELL
    assert "cannot be compared" in render_drift(one, drift, NOW)


def test_hours_of_service_show_the_expected_state_and_no_costs_while_inactive() -> None:
    hours = {v.START: ["MON 07:00"], v.STOP: ["FRI 20:00"], v.TIME_ZONE: "UTC"}
    config = {v.MIN_REQUESTS_PER_SECOND: 2}
    one = chain(properties={v.ACTIVE_HOURS: hours, v.CONFIG: config})
    monday = 1_764_000_000.0
    found = compared(stack(), one, observed_as(one, "INACTIVE", config=config), now=monday)
    assert not found.wrong
    shown = render_status(found)
    assert "Expected     INACTIVE, as configured, by the stack" in shown
    assert "Hour         expected ACTIVE at this hour (active_hours); either state is no" in shown
    assert "Billed nothing while it is INACTIVE; 7200 recommendations an hour" in joined(found)
    drift = found.chains[0].recommenders[0].drift
    assert drift
    assert "expected ACTIVE at this hour" in render_drift(one, drift, monday)


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        ("DELETE_COMPLETE", ""),
        ("DELETE_IN_PROGRESS", ""),
        ("DELETE_FAILED", "the last operation has failed"),
    ],
)
def test_deleted_stack_needs_no_recommender(status: str, wrong: str) -> None:
    of = stack(status)
    found = compared(of, chain(of))
    assert found.wrong == wrong
    shown = joined(found)
    assert ("Way out python -m operations leftovers --delete" in shown) is bool(wrong)
    assert f"Expected a stack that is {status} needs no recommender" in shown


def test_failed_training_is_wrong_and_shows_the_reason() -> None:
    one = chain()
    failed = observed("CREATE FAILED", arn=one.desired.arn, failure_reason="too few")
    shown = render_status(compared(stack(), one, failed))
    assert "             too few.\n" in shown
    assert shown.endswith("Exit code 1: the recommender is CREATE FAILED.")


def test_effective_configuration_is_shown_as_far_as_the_service_shows_it() -> None:
    one = chain()
    config = {
        v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.8", v.EXPLORATION_ITEM_AGE_CUT_OFF: "30"},
        v.ENABLE_METADATA: True,
        v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": ["A", "B"], "USERS": ["C"]}},
    }
    found = compared(stack(), one, observed_as(one, config=config))
    assert max(map(len, render_status(found).splitlines())) < 80
    assert (
        "Config explorationWeight 0.8, explorationItemAgeCutOff 30, "
        "enableMetadataWithRecommendations true, excludedDatasetColumns ITEMS (A, B), "
        "excludedDatasetColumns USERS (C) Expected"
    ) in joined(found)
    assert "Config" not in joined(compared(stack(), one, observed_as(one, config={})))


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("UPDATE_ROLLBACK_COMPLETE", "the last operation was rolled back."),
        ("UPDATE_ROLLBACK_FAILED", "the last operation has failed."),
        ("ROLLBACK_IN_PROGRESS", "the operation is being rolled back."),
    ],
)
def test_status_ends_with_the_cause_of_exit_code_1_and_the_first_failure(
    status: str, why: str
) -> None:
    happened = events(
        "1 TopPicks UPDATE_IN_PROGRESS",
        "2 Gate1 UPDATE_FAILED too few",
        "2 Gate2 UPDATE_FAILED Resource update cancelled",
        "3 Sweep1 DELETE_FAILED because of that",
        "4 TopPicks UPDATE_ROLLBACK_IN_PROGRESS failed: Gate1",
    )

    def shown(status: str, happened: list[Event]) -> str:
        return render_status(compare(stack(status), [], happened, {}, {}, now=NOW))

    assert shown(status, happened).splitlines()[-3:] == [
        f"Exit code 1: {why}",
        "UPDATE_FAILED: Gate1",
        "  too few",
    ]
    assert shown(status, []).endswith(f"Exit code 1: {why}")
    assert "Exit code" not in shown("UPDATE_COMPLETE", happened)


def test_construct_is_named_by_its_path_if_the_template_has_it() -> None:
    one = chain()
    assert (one.path, one.construct, render_construct(one)) == ("", *["Recommender"] * 2)
    at = {"aws:cdk:path": "dev/Videos/Films/Resource/Default"}
    one = replace(one, definition={**one.definition, "Metadata": at})
    assert (one.path, one.construct) == ("dev/Videos/Films", "Films")
    assert render_construct(one) == "dev/Videos/Films (Recommender)"


ENDED = Update("ACTIVE", {}, created=1000.0, updated=1900.0)
UPDATED = {"updated": 1900.0, "latest_update": ENDED}
SINCE: dict[str, tuple[dict[str, Any], str]] = {
    "created": ({"created": 100.0}, "ACTIVE for 1 h 05 min\n"),
    "trained": ({"created": 100.0, "updated": 400.0}, "ACTIVE for 1 h 00 min\n"),
    "updated": (
        UPDATED | {"created": 40.0},
        "ACTIVE, also during its latest update, begun 50 min ago; created 1\n"
        "             h 06 min ago\n",
    ),
    "updated, in vain": (
        UPDATED | {"latest_update": replace(ENDED, status="CREATE FAILED")},
        "ACTIVE, also during its latest update, begun 50 min ago; created ",
    ),
    "started after an update": (UPDATED | {"updated": 1901.0}, "ACTIVE for 35 min\n"),
    "being updated": (
        {"updated": 1000.0, "latest_update": replace(ENDED, status="CREATE IN_PROGRESS")},
        "being updated (CREATE IN_PROGRESS) for 50 min\n",
    ),
    "stopped after an update": (UPDATED | {"status": "INACTIVE"}, "INACTIVE for 35 min\n"),
    "no time shows": ({}, "Status       ACTIVE\n"),
}


@pytest.mark.parametrize("case", SINCE)
def test_recommender_has_its_status_since_its_latest_change_but_serves_through_an_update(
    case: str,
) -> None:
    members, expected = SINCE[case]
    one = chain()
    given = {"arn": one.desired.arn, "status": "ACTIVE", **members}
    assert expected in render_status(compared(stack(), one, observed(**given), now=4000.0))


# -- the training, the metrics before it, the use of the throughput -------------------------------

DAY = 24 * 3600.0
METRICS = {"coverage": 0.05, "precision_at_10": 0.4}
EARLIER = Sample(20 * DAY, {"coverage": 0.1, "precision_at_10": 0.4})
SAME = Sample(20 * DAY, METRICS)
NO_CALL = Use(0.0, 0.0)


def measured(history: tuple[Sample, ...] | str = (), use: Use | str = NO_CALL) -> Measured:
    return Measured(history, use)


@pytest.mark.parametrize(
    ("latest", "deployed", "expected"),
    [
        (None, "", "Trained 480 h 00 min ago, 1970-01-02 00:00:00 UTC, when it was created;"),
        (9.0, "", "Trained 288 h 00 min ago, 1970-01-10 00:00:00 UTC: the weekly retraining"),
        (9.0, "1970-01-10T00:00:00+00:00", "Updated 288 h 00 min ago, 1970-01-10 00:00:00 UTC: "),
    ],
)
def test_latest_training_has_its_cause_as_far_as_that_is_known(
    latest: float | None, deployed: str, expected: str
) -> None:
    of = stack(updated=deployed)
    one = chain(of)
    update = None if latest is None else Update("ACTIVE", {}, latest * DAY, updated=latest * DAY)
    there = observed_as(one, created=DAY, updated=DAY, latest_update=update)
    assert expected in joined(compared(of, one, there, now=21 * DAY))


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (
            (EARLIER,),
            "coverage 0.0500 (before 0.1000) precision_at_10 0.4000 (before 0.4000) Before the "
            "earlier metrics showed until 1970-01-21 01:00:00 UTC, by the observer's history",
        ),
        ((SAME,), "coverage 0.0500 precision_at_10 0.4000 Before no other metrics in the last 15 "),
        ((), "Before not known: the observer's history has no metrics of the last 15 days"),
        ("no monitoring", "Before not known: no monitoring"),
    ],
)
def test_metrics_show_their_earlier_values_or_why_they_are_not_known(
    history: tuple[Sample, ...] | str, expected: str
) -> None:
    one = chain()
    there = observed_as(one, metrics=METRICS)
    found = compared(stack(), one, there, measured=measured(history), now=21 * DAY)
    assert expected in joined(found)
    assert max(map(len, render_status(found).splitlines())) < 80
    assert not found.wrong
    bare = compared(stack(), one, observed_as(one), measured=measured(history), now=21 * DAY)
    assert "Before" not in joined(bare)


@pytest.mark.parametrize(
    ("on_miss", "wrong"),
    [("fail", "the model got worse than max_metric_regression allows"), ("warn", "")],
)
def test_model_that_got_worse_is_wrong_unless_the_quality_gate_only_warns(
    on_miss: str, wrong: str
) -> None:
    gate = {v.QUALITY_GATE: {v.MAX_METRIC_REGRESSION: "0.05", v.ON_MISS: on_miss}}
    one = replace(chain(), last_gate=gate)
    there = observed_as(one, metrics=METRICS)
    found = compared(stack(), one, there, measured=measured((EARLIER,)))
    assert found.wrong == wrong
    assert (
        "Worse coverage is 0.05; minimum 0.095 (before 0.1, max_metric_regression 0.05 = 5 %)"
    ) in joined(found)
    under_way = stack("UPDATE_IN_PROGRESS")
    assert not compared(under_way, one, there, measured=measured((EARLIER,))).wrong


@pytest.mark.parametrize("last_gate", [{}, {v.QUALITY_GATE: {"Fn::ImportValue": "x"}}])
def test_model_without_a_known_quality_gate_is_never_worse(last_gate: dict[str, Any]) -> None:
    one = replace(chain(), last_gate=last_gate)
    there = observed_as(one, metrics=METRICS)
    found = compared(stack(), one, there, measured=measured((EARLIER,)))
    assert not found.wrong
    assert "Worse" not in joined(found)


@pytest.mark.parametrize(
    ("use", "provisioned", "expected"),
    [
        (NO_CALL, 1, "Use no call of GetRecommendations in the last 7 days"),
        (NO_CALL, 3, "in the last 7 days; minRecommendationRequestsPerSecond 1 would do"),
        (
            Use(3.417, 5 * DAY),
            10,
            "Use 3.42 calls a second in the busiest 5 minutes of the last 7 days, from 1970-01-06 "
            "00:00:00 UTC; minRecommendationRequestsPerSecond 4 would do",
        ),
        (Use(3.417, 5 * DAY), 4, "from 1970-01-06 00:00:00 UTC"),
        (Use(3.417, 5 * DAY), 1, "minRecommendationRequestsPerSecond 4 would do"),
        (Use(1 / 300, 5 * DAY), 1, "Use 0.0033 calls a second"),
        ("you may not", 1, "Use not known: you may not"),
    ],
)
def test_use_of_the_throughput_has_the_value_that_would_do_if_it_is_another(
    use: Use | str, provisioned: int, expected: str
) -> None:
    one = chain()
    there = observed_as(one, config={v.MIN_REQUESTS_PER_SECOND: provisioned})
    found = compared(stack(), one, there, measured=measured(use=use))
    assert expected in joined(found)
    would_do = isinstance(use, Use) and use.enough != provisioned
    assert ("would do" in joined(found)) is would_do


# -- drift ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "following"),
    [("", "2"), ("1", "2"), ("09", "10"), ("spring", "spring-2"), ("x" * 64, f"{'x' * 60}-2")],
)
def test_next_force_update_differs(now: str, following: str) -> None:
    assert next_force_update(now) == following


ALONE = "  npx cdk deploy TopPicks -c force_update=8\n"
CORRECTIONS = [
    ("TopPicks", "TopPicks/Recommender", [ALONE]),
    ("TopPicks", "", [ALONE]),
    (
        "dev-TopPicks",
        "dev/TopPicks/Recommender",
        ['in cdk.json, set "force_update": "8" in the environment dev; then\n', "dev/TopPicks"],
    ),
    ("prod-eu-TopPicks", "", ["environment prod-eu; then\n", "npx cdk deploy prod-eu/TopPicks"]),
    (
        "Videos",
        "Videos/Films",
        ['in the app that makes Videos, give Videos/Films force_update="8", and deploy'],
    ),
    ("Videos", "", ['in the app that makes Videos, give Recommender force_update="8", and deploy']),
    ("TopPicks", "TopPicks/Films", ["app that makes TopPicks, give TopPicks/Films force_update="]),
    (
        "dev-TopPicks",
        "dev/TopPicks/Films",
        ["in the app that makes dev-TopPicks, give dev/TopPicks/Films force_update="],
    ),
]


def corrected(name: str, path: str, *, is_one_of_several: bool) -> str:
    """Return the text about a recommender that differs, of the construct with this path, if any."""
    at = {"Metadata": {"aws:cdk:path": f"{path}/Resource/Default"}} if path else {}
    one = chain(stack(name=name), properties={v.FORCE_UPDATE: "7"})
    one = replace(one, definition={**one.definition, **at})
    differences = (Difference("status", "INACTIVE", "ACTIVE"),)
    found = Drift(DriftStatus.DRIFTED, differences, reason="it is being updated")
    return render_drift(one, found, NOW, is_one_of_several=is_one_of_several) + "\n"


@pytest.mark.parametrize(("name", "path", "expected"), CORRECTIONS)
def test_correction_is_a_command_that_the_cdk_cli_understands(
    name: str, path: str, expected: list[str]
) -> None:
    """Tried with the CDK CLI 2.1148.1: it matches `dev/TopPicks`, and not `dev-TopPicks`."""
    shown = corrected(name, path, is_one_of_several=False)
    assert "Now: it is being updated." in shown
    for part in expected:
        assert part in shown or part in " ".join(shown.split())
    commands = [line for line in shown.splitlines() if "npx cdk deploy" in line]
    assert len(commands) == ("app" not in expected[0])
    assert "dev-TopPicks -c" not in shown


SEVERAL = [
    (
        "TopPicks",
        "TopPicks/Recommenders/Because",
        'set "force_update": "8" in recommenders.Because; then npx cdk deploy TopPicks',
    ),
    (
        "dev-TopPicks",
        "dev/TopPicks/Recommenders/Because",
        'in cdk.json, set "force_update": "8" in recommenders.Because of the environment dev; then '
        "npx cdk deploy dev/TopPicks",
    ),
    (
        "TopPicks",
        "TopPicks/Recommenders/Recommender",
        'set "force_update": "8" in recommenders.Recommender; then npx cdk deploy TopPicks',
    ),
    (
        "TopPicks",
        "TopPicks/Recommender",
        'set "force_update": "8" in recommenders.""; then npx cdk deploy TopPicks',
    ),
    ("TopPicks", "", 'in the app that makes TopPicks, give Recommender force_update="8", and'),
]


@pytest.mark.parametrize(("name", "path", "expected"), SEVERAL)
def test_one_of_several_is_corrected_by_a_setting_of_its_own(
    name: str, path: str, expected: str
) -> None:
    assert expected in " ".join(corrected(name, path, is_one_of_several=True).split())


# -- leftovers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["DELETE_FAILED", "ROLLBACK_FAILED"])
def test_stuck_stack_is_forced_only_after_another_deletion_has_failed(status: str) -> None:
    delete = "  aws cloudformation delete-stack --stack-name TopPicks --region eu-west-1"
    assert render_stacks_to_delete([stack(status), stack(status)]).splitlines() == [
        "",
        f"TopPicks is {status}. To delete it, run cdk destroy, or:",
        delete,
        "Only if TopPicks is DELETE_FAILED after that, force the deletion:",
        f"{delete} --deletion-mode FORCE_DELETE_STACK",
    ]


def test_unknown_stack_is_shown_with_the_stacks_of_other_tags() -> None:
    alone = render_no_leftovers(None, "Pikcs", [])
    assert "CloudFormation knows no stack Pikcs here" in alone
    assert "carry the tags of" not in alone
    assert render_no_leftovers(None, "Pikcs", ["TopPicks"]) == (
        f"{alone}\nRecommenders here carry the tags of: TopPicks."
    )
