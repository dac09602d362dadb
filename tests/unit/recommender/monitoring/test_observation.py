"""From what is seen to the line of the log, of which CloudWatch makes metrics."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.observed import Observed, Update
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.properties import BadRequestError
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
        v.CONFIG: {v.MIN_REQUESTS_PER_SECOND: 2, v.ENABLE_METADATA: True},
        v.RUNNING: True,
        v.ADOPT_EXISTING: False,
    },
}
"""As a schedule's input: values are as they are in the template, not strings."""
WANTED = ObservationRequest.parse(EVENT)
DESIRED = WANTED.request.desired
NOW = 1_767_225_600.0
REST = Operation("UPDATE_COMPLETE", "")
HOUR = 3600.0
THERE = Observed(
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


def seen(
    observed: Observed | None = THERE, *others: str, operation: Operation = REST
) -> dict[str, Any]:
    return emf_document(WANTED, Observation(observed, others, operation), NOW)


def failed_update(config: dict[str, Any]) -> Update:
    return Update("CREATE FAILED", config, NOW - HOUR, "Too few users", NOW)


def test_all_that_is_seen_is_measured() -> None:
    assert metrics_of(json.dumps(seen())) == {
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


def test_a_line_of_one_that_is_as_it_should_be_says_no_more_than_that() -> None:
    line = seen()
    numbers = {name for of_one in metrics_of(json.dumps(line)).values() for name in of_one}
    assert {name: line[name] for name in line.keys() - numbers - {"_aws"}} == {
        v.DIMENSION: "TopPicks/Recommender",
        "RecommenderArn": DESIRED.arn,
        "Status": "ACTIVE",
        "StackStatus": "UPDATE_COMPLETE",
        "NotShown": [v.EXPLORATION_WEIGHT, v.EXPLORATION_ITEM_AGE_CUT_OFF],
    }
    whole = {v.EXPLORATION_WEIGHT: "0.3", v.EXPLORATION_ITEM_AGE_CUT_OFF: "30"}
    assert "NotShown" not in seen(replace(THERE, config={**THERE.config, v.EXPLORATION: whole}))


def test_what_is_counted_has_its_unit() -> None:
    described = seen()["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    units = {one["Name"]: one["Unit"] for one in described}
    assert units[v.LEFTOVERS] == "Count"
    assert units[v.PROVISIONED] == "Count/Second"
    assert {units[v.ACTIVE], units["Coverage"]} == {"None"}


@pytest.mark.parametrize(
    ("seconds", "hours"), [(0, 0), (-5, 0), (60, 0.02), (5400, 1.5), (100_000, 27.78)]
)
def test_hours_have_two_digits_and_are_never_below_zero(seconds: float, hours: float) -> None:
    assert seen(replace(THERE, updated=NOW - seconds))[v.HOURS_SINCE_UPDATE] == hours


def test_the_time_is_that_of_the_look_in_milliseconds() -> None:
    assert seen()["_aws"]["Timestamp"] == NOW * 1000


def test_the_line_says_which_member_differs_there_and_wanted() -> None:
    edited = replace(THERE, config={**THERE.config, v.MIN_REQUESTS_PER_SECOND: 9})
    line = seen(edited)
    assert line[v.DRIFT] == 1
    assert line["Differs"] == ["minRecommendationRequestsPerSecond: actual 9, expected 2"]
    assert line[v.PROVISIONED] == 9
    assert "Differs" not in seen()


@pytest.mark.parametrize(
    ("status", "active", "drift"),
    [
        ("ACTIVE", 1, 0),
        ("INACTIVE", 0, 1),
        ("STOP IN_PROGRESS", 0, 1),
        ("CREATE FAILED", 0, 1),
        ("CREATE IN_PROGRESS", 0, 0),
        ("A STATUS THAT NOBODY KNOWS", 0, 1),
    ],
)
def test_whether_it_serves_and_whether_that_is_wanted(status: str, active: int, drift: int) -> None:
    line = seen(replace(THERE, status=status))
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
def test_out_of_its_hours_nobody_measures_whether_it_serves(
    start: str, stop: str, status: str, active: int | None
) -> None:
    hours = {v.START: [start], v.STOP: [stop], v.TIME_ZONE: "UTC"}
    properties = {**EVENT["ResourceProperties"], v.ACTIVE_HOURS: hours}
    wanted = ObservationRequest.parse({**EVENT, "ResourceProperties": properties})
    there = replace(THERE, status=status)

    line = emf_document(wanted, Observation(there, (), REST), NOW)

    assert (line.get(v.ACTIVE), line[v.DRIFT]) == (active, 0)
    assert v.PROVISIONED in line


def test_what_is_not_there_is_no_secret() -> None:
    line = seen(None)
    assert line["Status"] == "not there"
    assert (line[v.ACTIVE], line[v.PROVISIONED], line[v.DRIFT]) == (0, 0, 1)
    assert line["Differs"] == [f"recommender: actual nothing, expected {DESIRED.name}"]
    assert not {v.HOURS_SINCE_TRAINING, v.HOURS_SINCE_UPDATE} & line.keys()


def test_drift_of_what_is_on_its_way_is_not_measured() -> None:
    line = seen(replace(THERE, status="START IN_PROGRESS"))
    assert v.DRIFT not in line
    assert line[v.LEFTOVERS] == 0
    assert line["Unmeasured"].startswith("Drift: ")
    assert "START IN_PROGRESS" in line["Unmeasured"]


def test_times_that_do_not_show_are_not_made_up() -> None:
    line = seen(replace(THERE, created=0.0, updated=0.0))
    assert not {v.HOURS_SINCE_TRAINING, v.HOURS_SINCE_UPDATE} & line.keys()


def test_leftovers_are_counted_and_named() -> None:
    line = seen(THERE, f"{RECOMMENDER}a", f"{RECOMMENDER}b")
    assert line[v.LEFTOVERS] == 2
    assert line["LeftOver"] == [f"{RECOMMENDER}a", f"{RECOMMENDER}b"]


@pytest.mark.parametrize(
    "status", ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"]
)
def test_a_deployment_is_neither_drift_nor_does_it_leave_anything_over(status: str) -> None:
    line = seen(replace(THERE, config={}), f"{RECOMMENDER}a", operation=Operation(status, ""))
    assert not {v.DRIFT, v.LEFTOVERS} & line.keys()
    assert line["Unmeasured"] == f"Drift, Leftovers: the stack is {status}"
    assert line[v.ACTIVE] == 1


def test_members_that_do_not_show_are_named() -> None:
    assert seen(replace(THERE, config={}))["NotShown"]


@pytest.mark.parametrize(
    ("update", "hours"),
    [
        (None, 50),
        (Update("ACTIVE", {}, NOW - 5 * HOUR), 5),
        (Update("CREATE IN_PROGRESS", {}, NOW - HOUR), 1),
        (failed_update({}), None),
    ],
)
def test_a_retraining_is_an_update(update: Update | None, hours: float | None) -> None:
    line = seen(replace(THERE, latest_update=update))
    assert line.get(v.HOURS_SINCE_TRAINING) == hours


@pytest.mark.parametrize(
    ("config", "failed"), [({}, 1), ({v.MIN_REQUESTS_PER_SECOND: 3}, None)], ids=["same", "other"]
)
def test_an_update_that_failed_has_its_reason_in_the_line(
    config: dict[str, Any], failed: int | None
) -> None:
    line = seen(replace(THERE, latest_update=failed_update(config)))
    assert line["UpdateFailureReason"] == "Too few users."
    assert line.get(v.RETRAINING_FAILED) == failed
    assert (line[v.ACTIVE], line[v.DRIFT]) == (1, 0)


def test_a_recommender_that_failed_has_its_reason_in_the_line() -> None:
    line = seen(replace(THERE, status="CREATE FAILED", failure_reason="No data"))
    assert line["FailureReason"] == "No data."
    assert not {"FailureReason", "UpdateFailureReason"} & seen().keys()


def test_the_age_of_a_training_counts_from_the_stack_s_last_operation() -> None:
    old = Update("ACTIVE", {}, NOW - 200 * HOUR, updated=NOW - 199 * HOUR)
    there = replace(THERE, created=NOW - 900 * HOUR, updated=NOW - 199 * HOUR, latest_update=old)
    just_now = Operation("UPDATE_COMPLETE", "2026-01-01T00:00:00+00:00")
    assert seen(there)[v.HOURS_SINCE_TRAINING] == 200
    assert v.HOURS_SINCE_TRAINING not in seen(there, operation=just_now)


def test_what_depends_on_tags_that_cannot_be_read_is_not_measured() -> None:
    unread = replace(THERE, tags=None)
    line = emf_document(WANTED, Observation(unread, None, REST), NOW)
    assert not {v.DRIFT, v.LEFTOVERS} & line.keys()
    assert line["Unmeasured"] == (
        "Drift: its tags cannot be read now; Leftovers: tags cannot be read now"
    )
    assert line[v.ACTIVE] == 1
    edited = replace(unread, config={**THERE.config, v.MIN_REQUESTS_PER_SECOND: 9})
    line = emf_document(WANTED, Observation(edited, (), REST), NOW)
    assert (line[v.DRIFT], line[v.LEFTOVERS]) == (1, 0)
    assert "LeftOver" not in line


BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "no metadata": lambda line: line.pop("_aws"),
    "no time": lambda line: line["_aws"].pop("Timestamp"),
    "a time that is no whole number": lambda line: line["_aws"].update(Timestamp=0.5),
    "no directives": lambda line: line["_aws"].pop("CloudWatchMetrics"),
    "no namespace": lambda line: _directive(line).update(Namespace=""),
    "no set of dimensions": lambda line: _directive(line).update(Dimensions=[]),
    "a dimension that is no set": lambda line: _directive(line).update(Dimensions=["Recommender"]),
    "31 dimensions": lambda line: _directive(line).update(Dimensions=[["d"] * 31]),
    "a dimension with too long a name": lambda line: _directive(line).update(
        Dimensions=[["d" * 251]]
    ),
    "a metric without a name": lambda line: _directive(line)["Metrics"][0].pop("Name"),
    "a metric with too long a name": lambda line: _directive(line)["Metrics"][0].update(
        Name="m" * 1025
    ),
    "a unit that there is not": lambda line: _directive(line)["Metrics"][0].update(Unit="Hours"),
}


def _directive(line: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = line["_aws"]["CloudWatchMetrics"][0]
    return found


@pytest.mark.parametrize("fault", BROKEN)
def test_the_published_schema_takes_the_line_and_refuses_a_broken_one(fault: str) -> None:
    line = seen()
    assert is_valid(line, SCHEMA)
    BROKEN[fault](line)
    assert not is_valid(line, SCHEMA)


def test_a_document_has_no_more_metrics_than_cloudwatch_takes() -> None:
    many = {f"metric_{n:03}": 0.5 for n in range(200)}
    (of_one,) = metrics_of(json.dumps(seen(replace(THERE, metrics=many)))).values()
    assert len(of_one) == 100
    assert {v.ACTIVE, v.DRIFT, v.LEFTOVERS} <= of_one.keys()


@pytest.mark.parametrize(
    ("broken", "member"),
    [
        ({}, "event.ResourceProperties"),
        ({**EVENT, "ResourceProperties": "text"}, "event.ResourceProperties"),
        ({**EVENT, v.DIMENSION: ""}, "event.Recommender"),
        ({**EVENT, "StackId": "TopPicks"}, "event.StackId"),
    ],
)
def test_an_event_that_is_none_is_refused(broken: dict[str, Any], member: str) -> None:
    with pytest.raises(BadRequestError, match=f"^{member}: got "):
        ObservationRequest.parse(broken)


def test_what_is_not_given_is_not_asked_for() -> None:
    """The schedule's input has null where the template has no property."""
    given = {**EVENT["ResourceProperties"], v.FIXED_NAME: None, v.FORCE_UPDATE: None}
    same = ObservationRequest.parse({**EVENT, "ResourceProperties": given})
    assert same.request.desired == DESIRED
