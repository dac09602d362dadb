"""The line of the log, from which CloudWatch extracts metrics."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.history import Sample
from lambdas.recommender.model.observed import Observed, Update
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.properties import BadRequestError
from lambdas.recommender.model.quality import QualityGate
from lambdas.recommender.model.throughput import WEEK, Use
from lambdas.recommender.monitoring.observation import Observation, ObservationRequest, emf_document
from tests.support.json_schema import is_valid
from tests.support.metrics import SCHEMA, metrics_of

from ..examples import PROPERTIES, RECOMMENDER, STACK

EVENT: dict[str, Any] = {
    v.DIMENSION: "TopPicks/Recommender",
    "StackId": STACK,
    "LogicalResourceId": "Recommender",
    "ResourceProperties": {
        **{name: value for name, value in PROPERTIES.items() if name != "ServiceToken"},
        v.CONFIG: {v.MIN_REQUESTS_PER_SECOND: 2, v.ENABLE_METADATA: True, v.EXPLORATION: {}},
        v.RUNNING: True,
        v.ADOPT_EXISTING: False,
    },
}
"""As a schedule's input: values are as they are in the template, not strings."""
REQUEST = ObservationRequest.parse(EVENT)
DESIRED = REQUEST.request.desired
NOW = 1_767_225_600.0
AT_REST = Operation("UPDATE_COMPLETE", "")
HOUR = 3600.0
OBSERVED = Observed(
    arn=DESIRED.arn,
    status="ACTIVE",
    dataset_group_arn=DESIRED.dataset_group_arn,
    recipe_arn=DESIRED.recipe_arn,
    config={v.MIN_REQUESTS_PER_SECOND: 2, v.ENABLE_METADATA: True, v.EXPLORATION: {}},
    created=NOW - 50 * HOUR,
    updated=NOW - 48 * HOUR,
    metrics={"precision_at_10": 0.25, "coverage": 0.5, "novelty": 0.125},
    tags={**DESIRED.tags, **DESIRED.owner.tags()},
)


def line_of(
    observed: Observed | None = OBSERVED, *others: str, operation: Operation = AT_REST
) -> dict[str, Any]:
    return emf_document(REQUEST, Observation(observed, others, operation), NOW)


GATE = replace(REQUEST, gate=QualityGate(max_regression=Decimal("0.05")))


def compared_with(*samples: Sample) -> dict[str, Any]:
    return emf_document(GATE, Observation(OBSERVED, (), AT_REST, history=samples), NOW)


def failed_update(config: dict[str, Any]) -> Update:
    return Update("CREATE FAILED", config, NOW - HOUR, "Too few users", NOW)


def test_line_has_every_metric() -> None:
    assert metrics_of(json.dumps(line_of())) == {
        ("TopPicksRecommender", "Recommender", "TopPicks/Recommender"): {
            v.ACTIVE: 1,
            v.DRIFT: 0,
            v.LEFTOVERS: 0,
            v.RETRAINING_FAILED: 0,
            v.PROVISIONED: 2,
            v.HOURS_SINCE_TRAINING: 50,
            v.HOURS_SINCE_UPDATE: 48,
            "PrecisionAt10": 0.25,
            "Coverage": 0.5,
            "novelty": 0.125,
        }
    }


def test_line_of_a_recommender_without_drift_has_no_findings() -> None:
    line = line_of()
    numbers = {name for of_one in metrics_of(json.dumps(line)).values() for name in of_one}
    assert {name: line[name] for name in line.keys() - numbers - {"_aws"}} == {
        v.DIMENSION: "TopPicks/Recommender",
        "RecommenderArn": DESIRED.arn,
        "Status": "ACTIVE",
        "StackStatus": "UPDATE_COMPLETE",
        "Training": "creation",
        "TrainingBegan": "2025-12-29T22:00:00+00:00",
        "NotShown": [v.EXPLORATION_WEIGHT, v.EXPLORATION_ITEM_AGE_CUT_OFF],
    }
    whole = {v.EXPLORATION_WEIGHT: "0.3", v.EXPLORATION_ITEM_AGE_CUT_OFF: "30"}
    assert "NotShown" not in line_of(
        replace(OBSERVED, config={**OBSERVED.config, v.EXPLORATION: whole})
    )


def test_metrics_have_their_units() -> None:
    described = line_of()["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    units = {one["Name"]: one["Unit"] for one in described}
    assert units[v.LEFTOVERS] == "Count"
    assert units[v.PROVISIONED] == "Count/Second"
    assert {units[v.ACTIVE], units["Coverage"]} == {"None"}


@pytest.mark.parametrize(
    ("seconds", "hours"), [(0, 0), (-5, 0), (60, 0.02), (5400, 1.5), (100_000, 27.78)]
)
def test_hours_have_two_digits_and_are_never_negative(seconds: float, hours: float) -> None:
    assert line_of(replace(OBSERVED, updated=NOW - seconds))[v.HOURS_SINCE_UPDATE] == hours


def test_timestamp_is_the_time_of_the_observation_in_milliseconds() -> None:
    assert line_of()["_aws"]["Timestamp"] == NOW * 1000


def test_drift_is_named_with_actual_and_expected_values() -> None:
    edited = replace(OBSERVED, config={**OBSERVED.config, v.MIN_REQUESTS_PER_SECOND: 9})
    line = line_of(edited)
    assert line[v.DRIFT] == 1
    assert line["Differs"] == ["minRecommendationRequestsPerSecond: actual 9, expected 2"]
    assert line[v.PROVISIONED] == 9
    assert "Differs" not in line_of()


@pytest.mark.parametrize(
    ("status", "active", "drift"),
    [
        ("ACTIVE", 1, 0),
        ("INACTIVE", 0, 1),
        ("CREATE IN_PROGRESS", 0, 0),
    ],
)
def test_active_and_drift_follow_the_status(status: str, active: int, drift: int) -> None:
    line = line_of(replace(OBSERVED, status=status))
    assert (line[v.ACTIVE], line[v.DRIFT]) == (active, drift)
    assert line[v.PROVISIONED] == (2 if active else 0)


@pytest.mark.parametrize(
    ("start", "stop", "status", "active"),
    [
        ("WED 23:00", "THU 06:00", "ACTIVE", 1),
        ("WED 23:00", "THU 06:00", "INACTIVE", 0),
        ("WED 23:01", "THU 06:00", "INACTIVE", None),
        ("WED 06:00", "THU 00:00", "ACTIVE", None),
        ("WED 06:00", "WED 23:00", "INACTIVE", None),
    ],
)
def test_active_is_not_measured_out_of_the_hours_of_service(
    start: str, stop: str, status: str, active: int | None
) -> None:
    hours = {v.START: [start], v.STOP: [stop], v.TIME_ZONE: "UTC"}
    properties = {**EVENT["ResourceProperties"], v.ACTIVE_HOURS: hours}
    request = ObservationRequest.parse({**EVENT, "ResourceProperties": properties})
    recommender = replace(OBSERVED, status=status)

    line = emf_document(request, Observation(recommender, (), AT_REST), NOW)

    assert (line.get(v.ACTIVE), line[v.DRIFT]) == (active, 0)
    assert v.PROVISIONED in line


def test_absent_recommender_is_drift() -> None:
    line = line_of(None)
    assert line["Status"] == "not there"
    assert (line[v.ACTIVE], line[v.PROVISIONED], line[v.DRIFT]) == (0, 0, 1)
    assert line["Differs"] == [f"recommender: actual nothing, expected {DESIRED.name}"]
    assert not {v.HOURS_SINCE_TRAINING, v.HOURS_SINCE_UPDATE} & line.keys()


def test_drift_is_not_measured_in_transit() -> None:
    line = line_of(replace(OBSERVED, status="START IN_PROGRESS"))
    assert v.DRIFT not in line
    assert line[v.LEFTOVERS] == 0
    assert line["Unmeasured"].startswith("Drift: ")
    assert "START IN_PROGRESS" in line["Unmeasured"]


def test_hours_are_not_measured_if_the_service_shows_no_times() -> None:
    line = line_of(replace(OBSERVED, created=0.0, updated=0.0))
    assert not {v.HOURS_SINCE_TRAINING, v.HOURS_SINCE_UPDATE} & line.keys()


def test_leftovers_are_counted_and_named() -> None:
    line = line_of(OBSERVED, f"{RECOMMENDER}a", f"{RECOMMENDER}b")
    assert line[v.LEFTOVERS] == 2
    assert line["LeftOver"] == [f"{RECOMMENDER}a", f"{RECOMMENDER}b"]


def test_drift_and_leftovers_are_not_measured_in_a_deployment() -> None:
    updates = Operation("UPDATE_IN_PROGRESS", "")
    line = line_of(replace(OBSERVED, config={}), f"{RECOMMENDER}a", operation=updates)
    assert not {v.DRIFT, v.LEFTOVERS} & line.keys()
    assert line["Unmeasured"] == "Drift, Leftovers: the stack is UPDATE_IN_PROGRESS"
    assert line[v.ACTIVE] == 1


@pytest.mark.parametrize(
    ("config", "failed"), [({}, 1), ({v.MIN_REQUESTS_PER_SECOND: 3}, None)], ids=["same", "other"]
)
def test_failed_update_has_its_reason_in_the_line(
    config: dict[str, Any], failed: int | None
) -> None:
    line = line_of(replace(OBSERVED, latest_update=failed_update(config)))
    assert line["UpdateFailureReason"] == "Too few users."
    assert line.get(v.RETRAINING_FAILED) == failed
    assert (line[v.ACTIVE], line[v.DRIFT]) == (1, 0)


@pytest.mark.parametrize(
    ("before", "worse"),
    [
        ({"coverage": 0.5}, 0),
        ({"coverage": 0.526}, 0),
        ({"coverage": 0.527}, 1),
        ({"coverage": 0.6, "precision_at_10": 0.3, "novelty": 0.2}, 3),
    ],
)
def test_worse_metrics_are_those_that_fell_by_more_than_the_quality_gate_allows(
    before: dict[str, float], worse: int
) -> None:
    line = compared_with(Sample(NOW - HOUR, before))
    assert line[v.METRICS_WORSE] == worse
    assert len(line.get("Worse", ())) == worse


def test_worse_metrics_are_not_measured_without_a_history_or_metrics() -> None:
    assert v.METRICS_WORSE not in compared_with()
    bare = replace(OBSERVED, metrics={})
    seen = Observation(bare, (), AT_REST, history=(Sample(NOW, {"coverage": 1.0}),))
    assert v.METRICS_WORSE not in emf_document(GATE, seen, NOW)


@pytest.mark.parametrize(
    ("gate", "metrics", "compares"),
    [
        (QualityGate(max_regression=Decimal(0)), {"coverage": 0.5}, True),
        (QualityGate(max_regression=Decimal(0)), {}, False),
        (QualityGate(), {"coverage": 0.5}, False),
    ],
)
def test_metrics_are_compared_if_there_are_some_and_the_gate_compares(
    gate: QualityGate, metrics: dict[str, float], compares: bool
) -> None:
    request = replace(REQUEST, gate=gate)

    assert request.compares(replace(OBSERVED, metrics=metrics)) is compares


@pytest.mark.parametrize(("age", "measures"), [(WEEK, True), (WEEK - 1, False)])
def test_use_is_measured_from_the_first_whole_week(age: float, measures: bool) -> None:
    request = replace(REQUEST, measures_use=True)

    assert request.measures_use_of(replace(OBSERVED, created=NOW - age), NOW) is measures
    assert not REQUEST.measures_use_of(replace(OBSERVED, created=NOW - age), NOW)


def test_throughput_use_has_four_decimals() -> None:
    three = replace(OBSERVED, config={**OBSERVED.config, v.MIN_REQUESTS_PER_SECOND: 3})

    line = emf_document(REQUEST, Observation(three, (), AT_REST, use=Use(0.5, NOW)), NOW)

    assert (line[v.THROUGHPUT_USE], line["EnoughRequestsPerSecond"]) == (0.3333, 1)


@pytest.mark.parametrize(
    ("update", "training"),
    [
        (
            Update("ACTIVE", {}, NOW, updated=NOW),
            ("weekly retraining", "2026-01-01T00:00:00+00:00"),
        ),
        (Update("CREATE IN_PROGRESS", {}, NOW), (None, None)),
    ],
)
def test_line_has_the_latest_training_with_its_cause(
    update: Update | None, training: tuple[str | None, str | None]
) -> None:
    line = line_of(replace(OBSERVED, latest_update=update, updated=NOW))
    assert (line.get("Training"), line.get("TrainingBegan")) == training


def test_failed_recommender_has_its_reason_in_the_line() -> None:
    line = line_of(replace(OBSERVED, status="CREATE FAILED", failure_reason="No data"))
    assert line["FailureReason"] == "No data."
    assert not {"FailureReason", "UpdateFailureReason"} & line_of().keys()


def test_hours_since_training_are_unknown_after_a_newer_operation_of_the_stack() -> None:
    old = Update("ACTIVE", {}, NOW - 200 * HOUR, updated=NOW - 199 * HOUR)
    recommender = replace(
        OBSERVED, created=NOW - 900 * HOUR, updated=NOW - 199 * HOUR, latest_update=old
    )
    just_now = Operation("UPDATE_COMPLETE", "2026-01-01T00:00:00+00:00")
    assert line_of(recommender)[v.HOURS_SINCE_TRAINING] == 200
    assert v.HOURS_SINCE_TRAINING not in line_of(recommender, operation=just_now)


def test_drift_and_leftovers_are_not_measured_without_tags_unless_config_differs() -> None:
    unread = replace(OBSERVED, tags=None)
    line = emf_document(REQUEST, Observation(unread, None, AT_REST), NOW)
    assert not {v.DRIFT, v.LEFTOVERS} & line.keys()
    assert line["Unmeasured"] == (
        "Drift: its tags cannot be read now; Leftovers: tags cannot be read now"
    )
    assert line[v.ACTIVE] == 1
    edited = replace(unread, config={**OBSERVED.config, v.MIN_REQUESTS_PER_SECOND: 9})
    line = emf_document(REQUEST, Observation(edited, (), AT_REST), NOW)
    assert (line[v.DRIFT], line[v.LEFTOVERS]) == (1, 0)
    assert "LeftOver" not in line


def test_line_without_its_metadata_is_invalid_by_the_published_schema() -> None:
    line = line_of()
    assert is_valid(line, SCHEMA)
    del line["_aws"]
    assert not is_valid(line, SCHEMA)


def test_line_has_at_most_100_metrics() -> None:
    many = {f"metric_{n:03}": 0.5 for n in range(200)}
    (of_one,) = metrics_of(json.dumps(line_of(replace(OBSERVED, metrics=many)))).values()
    assert len(of_one) == 100
    assert {v.ACTIVE, v.DRIFT, v.LEFTOVERS} <= of_one.keys()


@pytest.mark.parametrize(
    ("broken", "member"),
    [
        ({}, "event.ResourceProperties"),
        ({**EVENT, "ResourceProperties": "text"}, "event.ResourceProperties"),
        ({**EVENT, v.DIMENSION: ""}, "event.Recommender"),
        ({**EVENT, "StackId": "TopPicks"}, "event.StackId"),
        (
            {**EVENT, v.QUALITY_GATE: {v.MAX_METRIC_REGRESSION: "2"}},
            "QualityGate.MaxMetricRegression",
        ),
    ],
)
def test_bad_event_is_refused_by_name(broken: dict[str, Any], member: str) -> None:
    with pytest.raises(BadRequestError, match=f"^{member}: got "):
        ObservationRequest.parse(broken)


def test_null_properties_count_as_absent() -> None:
    """The schedule's input has null where the template has no property."""
    given = {**EVENT["ResourceProperties"], v.FIXED_NAME: None, v.FORCE_UPDATE: None}
    same = ObservationRequest.parse({**EVENT, "ResourceProperties": given})
    assert same.request.desired == DESIRED
