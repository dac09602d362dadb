"""Monitoring in the template: the observer, its schedule, the dashboard and the alarms."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, NestedStack, Stack
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.quality import QualityGate
from lambdas.recommender.monitoring.observation import ObservationRequest
from stacks.monitoring import RecommenderMonitoring
from tests.infrastructure.conftest import HOURS, top_picks
from tests.infrastructure.test_stack import OTHERWISE, STACK_ID, requested
from tests.support import dashboards
from tests.support.alarms import ALARM, EXTRA_PERIODS, OK, Samples, metrics_of, state
from tests.support.permissions import Use, roles_of
from tests.support.template import (
    Synth,
    in_order,
    of_type,
    policy_statements,
    properties_of,
    rendered,
    resolved,
    the,
)

ON: dict[str, Any] = {
    "monitoring": True,
    "minimum_metrics": {"coverage": 0.05, "precision_at_10": 0.25},
    "max_metric_regression": 0.05,
    "minimum_throughput_use": 0.5,
}
TOPIC = "arn:aws:sns:eu-west-1:111111111111:on-call"
AWS_METRICS = {
    "GetRecommendations",
    "GetRecommendations4xxErrors",
    "GetRecommendations5xxErrors",
    "GetRecommendationsLatency",
}
"""Source: "CloudWatch metrics for Amazon Personalize", Developer Guide."""
ALARM_TYPE = "AWS::CloudWatch::Alarm"


@pytest.fixture(scope="session")
def monitored(synth: Synth) -> dict[str, Any]:
    return synth(**ON)


def alarms(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the alarms' properties by the names of their constructs; there must be some."""
    found = {
        re.sub(r"^MonitoringAlarms|[0-9A-F]{8}$", "", name): resolved(one["Properties"])
        for name, one in of_type(template, ALARM_TYPE).items()
    }
    assert found
    return found


def test_monitoring_adds_resources_of_its_own_and_changes_no_other(
    synth: Synth, monitored: dict[str, Any]
) -> None:
    gate = {key: ON[key] for key in ("minimum_metrics", "max_metric_regression")}
    without = synth(**gate)

    there = monitored["Resources"]
    assert {name: there[name] for name in without["Resources"]} == without["Resources"]
    assert {name for name in there if name not in without["Resources"]} == {
        name for name in there if name.startswith("Monitoring")
    }


# -- the observer ----------------------------------------------------------------------------------


def observer(template: dict[str, Any]) -> dict[str, Any]:
    (found,) = [
        one
        for one in properties_of(template, "AWS::Lambda::Function")
        if one["Handler"] == "recommender.observer_handler.observe"
    ]
    return found


def test_the_observer_is_of_the_same_package_and_writes_into_the_same_log(
    monitored: dict[str, Any],
) -> None:
    functions = properties_of(monitored, "AWS::Lambda::Function")
    assert len(functions) == 3
    assert len({json.dumps([one["Code"], one["Runtime"]]) for one in functions}) == 1
    assert len({json.dumps(one["LoggingConfig"]) for one in functions}) == 1
    assert observer(monitored)["Environment"]["Variables"].keys() == {v.PERMISSIONS_VARIABLE}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"max_metric_regression": 0.05},
        {"minimum_throughput_use": 0.5},
        {"recommender_name": "films"},
    ],
    ids=lambda settings: ",".join(settings) or "default",
)
def test_the_observer_may_look_and_nothing_else(synth: Synth, settings: dict[str, Any]) -> None:
    template = synth(monitoring=True, **settings)
    role = observer(template)["Role"]["Fn::GetAtt"][0]
    place = "arn:aws:personalize:eu-west-1:111111111111:recommender"
    names = ["TopPicks-????????????????"]
    if "recommender_name" in settings:
        names.append("films")
    reads_history = settings.keys() & {"max_metric_regression", "minimum_throughput_use"}

    ((group, _),) = of_type(template, "AWS::Logs::LogGroup").items()
    assert roles_of(template)[role].grants == {
        *(Use(f"logs:{one}", f"{group}.Arn") for one in ("CreateLogStream", "PutLogEvents")),
        *(Use("personalize:DescribeRecommender", f"{place}/{one}") for one in names),
        *(Use("personalize:ListTagsForResource", f"{place}/{one}") for one in names),
        Use("personalize:ListRecommenders", "*"),
        Use("cloudformation:DescribeStacks", "AWS::StackId"),
        *([Use("cloudwatch:GetMetricData", "*")] if reads_history else []),
    }


def test_the_permission_to_look_at_a_fixed_name_goes_with_the_name(synth: Synth) -> None:
    """The observer reads the old recommender until the new one is ready."""

    def policies(name: str) -> dict[str, Any]:
        made = of_type(synth(**ON, recommender_name=name), "AWS::IAM::Policy")
        return {one: made[one] for one in made if one.startswith("Monitoring")}

    mine, other = policies("mine"), policies("other")
    (of_mine,) = mine.keys() - other.keys()
    assert "recommender/mine" in json.dumps(mine[of_mine])
    assert {name: mine[name] for name in mine.keys() & other.keys()} == {
        name: other[name] for name in mine.keys() & other.keys()
    }


def test_the_schedule_may_invoke_the_observer_and_nothing_else(monitored: dict[str, Any]) -> None:
    _, schedule = the(monitored, "AWS::Scheduler::Schedule")
    target = resolved(schedule["Properties"]["Target"])

    role = target["RoleArn"].removesuffix(".Arn")
    assert roles_of(monitored)[role].grants == {Use("lambda:InvokeFunction", target["Arn"])}
    assert not of_type(monitored, "AWS::Lambda::Permission")


@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({}, "rate(1 hour)"),
        ({"observation_interval_minutes": 90}, "rate(90 minutes)"),
    ],
)
def test_the_observer_looks_by_the_interval(
    synth: Synth, settings: dict[str, Any], rate: str
) -> None:
    _, schedule = the(synth(**ON, **settings), "AWS::Scheduler::Schedule")

    assert schedule["Properties"]["ScheduleExpression"] == rate
    retry = schedule["Properties"]["Target"]["RetryPolicy"]
    minutes = settings.get("observation_interval_minutes", 60)
    assert retry == {"MaximumEventAgeInSeconds": minutes * 60, "MaximumRetryAttempts": 5}
    assert schedule["Properties"]["State"] == "ENABLED"


def scheduled(template: dict[str, Any]) -> ObservationRequest:
    """Return what the schedule asks the observer for."""
    _, schedule = the(template, "AWS::Scheduler::Schedule")
    sent = resolved(schedule["Properties"]["Target"]["Input"]).replace("AWS::StackId", STACK_ID)
    return ObservationRequest.parse(json.loads(sent))


@pytest.mark.parametrize("settings", [{}, OTHERWISE], ids=["defaults", "all otherwise"])
def test_the_schedule_says_what_cloudformation_asks_for(
    synth: Synth, settings: dict[str, Any]
) -> None:
    template = synth(**ON, **settings)

    wanted = scheduled(template)
    request = requested(*the(template, v.RECOMMENDER_TYPE))

    assert wanted.request.desired == request.desired
    assert wanted.request.names == request.names
    assert wanted.recommender == "TopPicks/Recommender"
    assert wanted.measures_use


def test_the_schedule_has_the_quality_gate_and_wants_no_use_by_default(synth: Synth) -> None:
    def event(**settings: Any) -> ObservationRequest:
        return scheduled(synth(monitoring=True, **settings))

    assert (event().gate, event().measures_use) == (QualityGate(), False)
    gate = {"minimum_metrics": {"coverage": 0.1}, "max_metric_regression": 0.05}
    minimum = {"coverage": Decimal("0.1")}
    assert event(**gate, quality_gate="warn").gate == QualityGate(minimum, Decimal("0.05"), False)


@pytest.mark.parametrize("running", [True, False])
def test_what_is_wanted_changes_when_the_recommender_is_ready(synth: Synth, running: bool) -> None:
    template = synth(**ON, running=running)
    last = in_order(template, v.TRAINING_GATE_TYPE)[-1]
    if not running:
        last, _ = the(template, v.STOP_TYPE)

    name, schedule = the(template, "AWS::Scheduler::Schedule")
    assert last in schedule["DependsOn"]
    for alarm in of_type(template, ALARM_TYPE).values():
        assert name in alarm["DependsOn"]


# -- the alarms ------------------------------------------------------------------------------------


def test_there_is_an_alarm_for_each_thing_that_can_go_wrong(
    monitored: dict[str, Any], synth: Synth
) -> None:
    ids = {
        *("NotActive", "Drift", "Leftovers", "NoObservation"),
        *("RetrainingFailed", "OldTraining", "Worse", "LittleUse"),
        *("QualityCoverage", "QualityPrecisionAt10"),
        *("Refused", "Failed", "Slow", "Idle"),
    }
    assert alarms(monitored).keys() == ids
    stopped = synth(**ON, running=False)
    assert alarms(stopped).keys() == ids - {"NotActive", "RetrainingFailed", "OldTraining"}
    hours = synth(**ON, active_hours=HOURS)
    assert alarms(hours).keys() == ids - {"OldTraining"}
    off = synth(monitoring=True, minimum_metrics=ON["minimum_metrics"])
    assert alarms(off).keys() == ids - {"Worse", "LittleUse"}


def test_alarms_are_about_metrics_that_there_are(monitored: dict[str, Any]) -> None:
    for alarm in alarms(monitored).values():
        metrics = list(metrics_of(alarm))
        assert metrics
        for namespace, name in metrics:
            assert name in {v.NAMESPACE: v.OBSERVED, "AWS/Personalize": AWS_METRICS}[namespace]


def every(samples: float | None, periods: int = 1) -> Samples:
    return [[] if samples is None else [samples]] * periods


@pytest.mark.parametrize("extra", [0, EXTRA_PERIODS])
@pytest.mark.parametrize(
    ("alarm", "measured", "expected"),
    [
        ("NotActive", {v.ACTIVE: every(1)}, OK),
        ("NotActive", {v.ACTIVE: every(0)}, ALARM),
        ("Drift", {v.DRIFT: every(0)}, OK),
        ("Drift", {v.DRIFT: every(1)}, ALARM),
        ("RetrainingFailed", {v.RETRAINING_FAILED: every(0)}, OK),
        ("RetrainingFailed", {v.RETRAINING_FAILED: every(1)}, ALARM),
        ("OldTraining", {v.HOURS_SINCE_TRAINING: every(191.99)}, OK),
        ("OldTraining", {v.HOURS_SINCE_TRAINING: every(192)}, ALARM),
        ("Worse", {v.METRICS_WORSE: every(0)}, OK),
        ("Worse", {v.METRICS_WORSE: every(1)}, ALARM),
        ("LittleUse", {v.THROUGHPUT_USE: every(0.5)}, OK),
        ("LittleUse", {v.THROUGHPUT_USE: every(0.4999)}, ALARM),
        ("Leftovers", {v.LEFTOVERS: every(0)}, OK),
        ("Leftovers", {v.LEFTOVERS: every(2)}, ALARM),
        ("QualityCoverage", {"Coverage": every(0.05)}, OK),
        ("QualityCoverage", {"Coverage": every(0.049)}, ALARM),
        ("QualityPrecisionAt10", {"PrecisionAt10": every(0.25)}, OK),
        ("QualityPrecisionAt10", {"PrecisionAt10": every(0.2)}, ALARM),
        ("NoObservation", {v.PROVISIONED: every(0, 3)}, OK),
        ("NoObservation", {v.PROVISIONED: [[], [], [1]]}, OK),
        ("NoObservation", {v.PROVISIONED: [[], [0], []]}, OK),
        ("NoObservation", {v.PROVISIONED: every(None, 3)}, ALARM),
        ("Refused", {"GetRecommendations4xxErrors": every(0, 3)}, OK),
        ("Refused", {"GetRecommendations4xxErrors": every(None, 3)}, OK),
        ("Refused", {"GetRecommendations4xxErrors": [[9], [], [9]]}, OK),
        ("Refused", {"GetRecommendations4xxErrors": [[0], [], [9], [], [9]]}, OK),
        ("Refused", {"GetRecommendations4xxErrors": every(1, 3)}, ALARM),
        ("Failed", {"GetRecommendations5xxErrors": [[0], [0], [50]]}, OK),
        ("Failed", {"GetRecommendations5xxErrors": [[1, 1], [3], [2]]}, ALARM),
        ("Slow", {"GetRecommendationsLatency": [[5000], [40], [5000]]}, OK),
        ("Slow", {"GetRecommendationsLatency": every(None, 3)}, OK),
        ("Slow", {"GetRecommendationsLatency": every(1000, 3)}, ALARM),
        ("Idle", {v.PROVISIONED: every(1, 24), "GetRecommendations": every(None, 24)}, ALARM),
        ("Idle", {v.PROVISIONED: every(1, 24), "GetRecommendations": every(0, 24)}, ALARM),
        (
            "Idle",
            {
                v.PROVISIONED: every(1, 24),
                "GetRecommendations": [*every(None, 12), [1], *every(None, 11)],
            },
            OK,
        ),
        ("Idle", {v.PROVISIONED: every(0, 24), "GetRecommendations": every(None, 24)}, OK),
        (
            "Idle",
            {
                v.PROVISIONED: [*every(0), *every(1, 23)],
                "GetRecommendations": every(None, 24),
            },
            OK,
        ),
        ("Idle", {v.PROVISIONED: every(None, 24), "GetRecommendations": every(None, 24)}, OK),
    ],
)
def test_an_alarm_goes_off_when_it_should_and_only_then(
    monitored: dict[str, Any], alarm: str, measured: dict[str, Samples], expected: str, extra: int
) -> None:
    assert state(alarms(monitored)[alarm], measured, before=OK, extra=extra) == expected


@pytest.mark.parametrize("extra", [0, 1, EXTRA_PERIODS, 5])
def test_a_silent_observer_is_alarmed_about_when_cloudwatch_looks_back_to_no_look(
    monitored: dict[str, Any], extra: int
) -> None:
    """After three periods at the earliest; later by as many as CloudWatch looks further back."""
    silent = alarms(monitored)["NoObservation"]
    states = [
        state(silent, {v.PROVISIONED: [*every(1, 9), *every(None, periods)]}, extra=extra)
        for periods in range(3 + extra + 1)
    ]

    assert states == [*[OK] * (3 + extra), ALARM]


def test_what_has_hours_is_idle_when_nobody_asks_it_on_any_of_a_weeks_days(synth: Synth) -> None:
    idle = alarms(synth(**ON, active_hours=HOURS))["Idle"]
    (period,) = {one["MetricStat"]["Period"] for one in idle["Metrics"] if "MetricStat" in one}
    week = [*every(1, 5), *every(0, 2)]

    assert (period, idle["EvaluationPeriods"], idle["DatapointsToAlarm"]) == (86_400, 7, 5)
    for calls, expected in (
        (every(None, 7), ALARM),
        ([*every(None, 2), [1], *every(None, 4)], OK),
        ([*every(None, 6), [1]], ALARM),
    ):
        measured = {v.PROVISIONED: week, "GetRecommendations": calls}
        assert state(idle, measured, before=OK) == expected
    young = {v.PROVISIONED: [*every(None, 3), *every(1, 4)], "GetRecommendations": every(None, 7)}
    assert state(idle, young, before=OK) == OK


@pytest.mark.parametrize(
    ("alarm", "metric"),
    [
        ("Drift", v.DRIFT),
        ("Leftovers", v.LEFTOVERS),
        ("RetrainingFailed", v.RETRAINING_FAILED),
        ("OldTraining", v.HOURS_SINCE_TRAINING),
        ("Worse", v.METRICS_WORSE),
        ("LittleUse", v.THROUGHPUT_USE),
    ],
)
def test_what_is_not_measured_leaves_an_alarm_as_it_was(
    monitored: dict[str, Any], alarm: str, metric: str
) -> None:
    """During a deployment, or a retraining, or where something else shows in its place."""
    for before in (OK, ALARM):
        assert state(alarms(monitored)[alarm], {metric: every(None)}, before) == before


def test_every_alarm_of_the_table_is_seen_in_both_states(monitored: dict[str, Any]) -> None:
    (mark,) = [
        one
        for one in test_an_alarm_goes_off_when_it_should_and_only_then.pytestmark
        if one.name == "parametrize" and one.args[0] != "extra"
    ]
    seen = {(alarm, expected) for alarm, _, expected in mark.args[1]}

    assert seen == {(alarm, one) for alarm in alarms(monitored) for one in (OK, ALARM)}


@pytest.mark.parametrize(("minutes", "hours"), [(1, 1), (90, 1.5), (1440, 24)])
def test_alarms_keep_step_with_the_interval(synth: Synth, minutes: int, hours: float) -> None:
    found = alarms(synth(**ON, observation_interval_minutes=minutes))

    silent = found["NoObservation"]
    assert (silent["Period"], silent["EvaluationPeriods"]) == (minutes * 60, 3)
    idle = found["Idle"]
    (period,) = {one["MetricStat"]["Period"] for one in idle["Metrics"] if "MetricStat" in one}
    assert period == hours * 3600
    assert idle["EvaluationPeriods"] * period >= 24 * 3600
    # "Period" of PutMetricAlarm, CloudWatch API reference: a week, or a day for short periods.
    for alarm in found.values():
        each = alarm.get("Period", period)
        assert each % 60 == 0
        assert each * alarm["EvaluationPeriods"] <= (604_800 if each >= 3600 else 86_400)


def test_the_bill_is_what_the_documents_say(synth: Synth) -> None:
    """Whoever changes these numbers changes docs/explanation/cost.md, too."""
    found = alarms(synth(monitoring=True))

    assert len(v.OBSERVED) == 7 + 8 + 2 == 17
    assert sorted(len(metrics_of(one)) for one in found.values()) == [1] * 9 + [2]
    assert "7 of the observer and one for each metric that the model has: 15. One" in COST
    by_history = alarms(synth(monitoring=True, max_metric_regression=0, minimum_throughput_use=1))
    assert by_history.keys() - found.keys() == {"Worse", "LittleUse"}
    fewer = "three fewer with `running: false`, one fewer with `active_hours`"
    others = "`minimum_metrics`, `max_metric_regression` and `minimum_throughput_use`"
    assert f"| 11, and one for each of {others}." in COST
    read = 24 * len(v.METRICS)
    assert f"`max_metric_regression`, 24 a day for each metric that the model has: {read}." in COST
    assert f"Of the 11, 9 are on one metric ({fewer})." in COST
    for settings, alone in (({"running": False}, 6), ({"active_hours": HOURS}, 8)):
        made = alarms(synth(monitoring=True, **settings))
        assert sorted(len(metrics_of(one)) for one in made.values()) == [1] * alone + [2]


def test_the_template_with_monitoring_has_more_bytes_than_the_limits_name(synth: Synth) -> None:
    written = json.dumps(synth(monitoring=True), indent=1)

    assert len(written.encode()) > 51_200
    assert "With monitoring, the template has more than 51,200 bytes." in " ".join(LIMITS.split())


COST = (Path(__file__).parents[2] / "docs" / "explanation" / "cost.md").read_text()
LIMITS = (Path(__file__).parents[2] / "docs" / "explanation" / "limits.md").read_text()
RUNBOOK = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text()


def headings() -> list[str]:
    section = RUNBOOK.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    return re.findall(r"(?m)^### (.*)$", section)


def test_every_alarm_names_a_heading_of_the_runbook_and_every_heading_an_alarm(
    monitored: dict[str, Any],
) -> None:
    named = {
        re.fullmatch(
            r'.* Next step: the entry "(.*)" in docs/runbook\.md of top-picks-recommender',
            one["AlarmDescription"],
        )
        for one in alarms(monitored).values()
    }

    assert {one and one[1] for one in named} == {*headings()}
    assert len(headings()) == len({*headings()})


def test_an_alarm_says_what_it_means_and_has_the_url_of_the_runbook_however_long(
    synth: Synth,
) -> None:
    runbook = "https://" + "x" * 500
    linked = set()
    for alarm in alarms(synth(**ON, runbook_url=runbook)).values():
        meaning, _, heading = alarm["AlarmDescription"].partition(f" Next step: {runbook}#")
        assert meaning.endswith(". TopPicks/Recommender.")
        assert len(meaning) > 50
        assert len(alarm["AlarmDescription"]) <= 1024
        linked.add(heading)

    assert linked == {one.lower().replace(" ", "-") for one in headings()}


# -- where they are sent ---------------------------------------------------------------------------


def test_alarms_are_sent_nowhere_by_default(monitored: dict[str, Any]) -> None:
    for alarm in alarms(monitored).values():
        assert not alarm.keys() & {"AlarmActions", "OKActions"}


def test_alarms_go_to_a_topic_that_is_there_and_so_does_their_end(synth: Synth) -> None:
    template = synth(**ON, alarm_topic_arn=TOPIC)

    for alarm in alarms(template).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [TOPIC]
    assert not of_type(template, "AWS::SNS::Topic")


def test_alarms_go_to_an_address_by_a_topic(synth: Synth) -> None:
    template = synth(**ON, alarm_email="on-call@example.com")

    ((topic, _),) = of_type(template, "AWS::SNS::Topic").items()
    for alarm in alarms(template).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [topic]
    _, subscription = the(template, "AWS::SNS::Subscription")
    assert subscription["Properties"] == {
        "Protocol": "email",
        "Endpoint": "on-call@example.com",
        "TopicArn": {"Ref": topic},
    }


# -- the dashboard ---------------------------------------------------------------------------------


def body(template: dict[str, Any]) -> dict[str, Any]:
    _, dashboard = the(template, "AWS::CloudWatch::Dashboard")
    made: dict[str, Any] = json.loads(resolved(dashboard["Properties"]["DashboardBody"]))
    return made


def test_the_dashboard_shows_metrics_that_there_are(monitored: dict[str, Any]) -> None:
    shown: set[tuple[str, str]] = set()
    for widget in body(monitored)["widgets"]:
        for row in widget["properties"].get("metrics", ()):
            if isinstance(row[0], str):
                namespace, name, dimension, value, *_ = row
                shown.add((namespace, name))
                expected = {
                    v.NAMESPACE: (v.DIMENSION, "TopPicks/Recommender"),
                    "AWS/Personalize": ("RecommenderArn", value),
                }[namespace]
                assert (dimension, value) == expected

    assert shown == {
        *((v.NAMESPACE, name) for name in v.OBSERVED),
        *(("AWS/Personalize", name) for name in AWS_METRICS),
    }


def test_widgets_of_the_dashboard_do_not_overlap_and_use_their_own_ids(
    monitored: dict[str, Any],
) -> None:
    """Source: "Dashboard body structure and syntax", CloudWatch API reference."""
    made = body(monitored)

    assert made["start"] == "-P2W"
    taken: set[tuple[int, int]] = set()
    for widget in made["widgets"]:
        cells = {
            (widget["x"] + column, widget["y"] + row)
            for column in range(widget["width"])
            for row in range(widget["height"])
        }
        assert not cells & taken
        taken |= cells
        ids = [row[-1].get("id") for row in widget["properties"].get("metrics", ())]
        named = [one for one in ids if one]
        for row in widget["properties"].get("metrics", ()):
            used = re.findall(r"\b[a-z]\w*", row[-1].get("expression", ""))
            assert {*used} <= {*named}


@pytest.mark.parametrize("settings", [{}, ON, {**OTHERWISE, **ON}, {**ON, "active_hours": HOURS}])
def test_a_dashboard_is_one_that_cloudwatch_takes(synth: Synth, settings: dict[str, Any]) -> None:
    template = synth(**{"monitoring": True, **settings})
    assert list(dashboards.faults(body(template))) == []


def _graph(made: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in made["widgets"] if one["type"] == "metric")


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no widgets": (lambda made: made.pop("widgets"), "the body"),
    "x without y": (lambda made: _graph(made).pop("y"), "its place"),
    "25 columns": (lambda made: _graph(made).update(x=13), "24th column"),
    "no region": (lambda made: _graph(made)["properties"].pop("region"), "its properties"),
    "a dimension without a value": (
        lambda made: _graph(made)["properties"]["metrics"][0].pop(3),
        "metric 0",
    ),
    "a metric without a name": (
        lambda made: _graph(made)["properties"]["metrics"].append(["AWS/Personalize"]),
        "metric 8",
    ),
    "a period of 90 seconds": (
        lambda made: _graph(made)["properties"]["metrics"][0][-1].update(period=90),
        "multiple of 60",
    ),
    "an id twice": (
        lambda made: [row[-1].update(id="m") for row in _graph(made)["properties"]["metrics"]],
        "one id",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_dashboard_that_cloudwatch_refuses_is_noticed(
    monitored: dict[str, Any], fault: str
) -> None:
    made = body(monitored)
    break_it, expected = BROKEN[fault]
    break_it(made)
    (noticed,) = dashboards.faults(made)
    assert expected in noticed


def test_the_dashboard_lists_the_trainings_of_this_recommender_by_the_observers_log(
    monitored: dict[str, Any],
) -> None:
    (table,) = [one["properties"] for one in body(monitored)["widgets"] if one["type"] == "log"]
    ((group, _),) = of_type(monitored, "AWS::Logs::LogGroup").items()

    source, only, statistics, *_ = re.split(r"\s\| ", table["query"])
    assert source == f"SOURCE '{group}'"
    assert only == 'filter Recommender = "TopPicks/Recommender" and ispresent(Training)'
    assert {"UpdateFailureReason", "Worse.0", "TrainingBegan"} <= {
        *re.findall(r"[\w.]+", statistics)
    }


def test_the_dashboard_shows_every_alarm_and_each_minimum(monitored: dict[str, Any]) -> None:
    status, model, *_ = body(monitored)["widgets"]

    assert {one.removesuffix(".Arn") for one in status["properties"]["alarms"]} == {
        *of_type(monitored, ALARM_TYPE)
    }
    lines = model["properties"]["annotations"]["horizontal"]
    assert {one["label"]: one["value"] for one in lines} == {
        "minimum coverage": 0.05,
        "minimum precision_at_10": 0.25,
    }


# -- the construct in somebody else's app ----------------------------------------------------------


def test_the_construct_can_be_given_a_topic_and_be_extended(stack: Stack) -> None:
    recommender = top_picks(stack)
    monitoring = RecommenderMonitoring(
        stack, "Monitoring", recommender=recommender, alarm_topic=sns.Topic(stack, "OnCall")
    )
    monitoring.metric("Coverage").create_alarm(stack, "Mine", threshold=1, evaluation_periods=1)

    template = Template.from_stack(stack)
    template.has_resource_properties(
        ALARM_TYPE, {"MetricName": "Coverage", "Namespace": v.NAMESPACE, "Statistic": "Maximum"}
    )
    assert {"Drift", "Idle", "NoObservation"} <= monitoring.alarms.keys()


def test_in_another_stack_it_looks_at_the_recommenders_own() -> None:
    app = App()
    recommender = top_picks(Stack(app, "Video"))
    watching = Stack(app, "Watching")
    RecommenderMonitoring(watching, "Monitoring", recommender=recommender)

    template = rendered(watching)
    (schedule,) = of_type(template, "AWS::Scheduler::Schedule").values()
    asked_for = json.dumps(schedule["Properties"]["Target"]["Input"])
    (allowed,) = {
        json.dumps(statement["Resource"])
        for statement in policy_statements(template)
        if statement["Action"] == "cloudformation:DescribeStacks"
    }
    assert "ImportValue" in allowed
    assert allowed in asked_for
    assert "AWS::Stack" not in asked_for.replace(allowed, "")


def test_in_a_nested_stack_it_is_known_by_its_path_there(stack: Stack) -> None:
    nested = NestedStack(stack, "Nested")
    recommender = top_picks(nested)
    RecommenderMonitoring(nested, "Monitoring", recommender=recommender)

    for alarm in alarms(rendered(nested)).values():
        assert "/TopPicks. Next step" in alarm["AlarmDescription"]
