"""Lines of a log become metrics here, and calls of GetRecommendations are counted."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import cloudwatch, cloudwatch_logs  # type: ignore[import-untyped]

from local_aws.ministack import metrics

ARN = "arn:aws:personalize:eu-west-1:111111111111:recommender/films"
ALARM: dict[str, Any] = {
    "AlarmName": "worse",
    "AlarmArn": "arn",
    "Namespace": "TopPicksRecommender",
    "MetricName": "MetricsWorse",
    "Dimensions": [{"Name": "Recommender", "Value": "TopPicks/Recommender"}],
    "Statistic": "Maximum",
    "Period": 3600,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "StateValue": "INSUFFICIENT_DATA",
    "ActionsEnabled": False,
}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(cloudwatch_logs, "_append_log_events", cloudwatch_logs._append_log_events)
    monkeypatch.setattr(cloudwatch, "_evaluate_alarm", cloudwatch._evaluate_alarm)
    yield
    cloudwatch.reset()


def line(worse: int, recommender: str = "TopPicks/Recommender") -> str:
    described = [{"Name": "MetricsWorse", "Unit": "Count"}, {"Name": "Coverage"}]
    directive = {
        "Namespace": "TopPicksRecommender",
        "Dimensions": [["Recommender"]],
        "Metrics": described,
    }
    return json.dumps(
        {
            "Recommender": recommender,
            "MetricsWorse": worse,
            "Coverage": 0.25,
            "_aws": {"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [directive]},
        }
    )


def log(*messages: str) -> None:
    stream: dict[str, Any] = {
        "events": [],
        "firstEventTimestamp": None,
        "lastEventTimestamp": None,
    }
    events = [{"timestamp": 1, "ingestionTime": 1, "message": one} for one in messages]
    cloudwatch_logs._append_log_events(stream, events)
    assert stream["events"] == events


def test_lines_in_the_embedded_metric_format_become_metrics_that_alarms_read() -> None:
    metrics.make_metrics_of_lines()
    cloudwatch.cloudformation_put_metric_alarm(alarm := dict(ALARM))

    log("START RequestId: 1", line(0))
    assert alarm["StateValue"] == "OK"
    log(line(1), "not JSON")
    assert alarm["StateValue"] == "ALARM"
    key = ("TopPicksRecommender", "Coverage", "Recommender=TopPicks/Recommender")
    assert [one["Value"] for one in cloudwatch._metrics[key]] == [0.25, 0.25]
    assert {one["Unit"] for one in cloudwatch._metrics[key]} == {"None"}


@pytest.mark.parametrize(("is_patched", "state"), [(True, "OK"), (False, "ALARM")])
def test_alarms_read_the_metric_of_their_own_dimensions_if_ministack_is_patched(
    is_patched: bool, state: str
) -> None:
    metrics.make_metrics_of_lines()
    if is_patched:
        metrics.evaluate_alarms_by_dimensions()
    cloudwatch.cloudformation_put_metric_alarm(alarm := dict(ALARM))

    log(line(0), line(1, "TopPicks/Films"))
    assert alarm["StateValue"] == state
    log(line(1))
    assert alarm["StateValue"] == "ALARM"


def test_without_the_patch_lines_stay_text() -> None:
    log(line(1))
    assert not [*cloudwatch._metrics]


def test_calls_are_counted_by_the_recommender() -> None:
    metrics.count_call(ARN)
    metrics.count_call(ARN)
    key = ("AWS/Personalize", "GetRecommendations", f"RecommenderArn={ARN}")
    assert [one["Value"] for one in cloudwatch._metrics[key]] == [1.0, 1.0]
