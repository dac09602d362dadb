"""Metrics that AWS makes by itself, of lines of a log and of calls, and the alarms on them."""

import json
from collections.abc import Iterable, Mapping
from types import FunctionType
from typing import Any, Final

from ministack.services import cloudwatch, cloudwatch_logs  # type: ignore[import-untyped]

_METADATA: Final = "_aws"


def make_metrics_of_lines() -> None:
    """Store the metrics of each line in the embedded metric format, and evaluate the alarms."""
    append = cloudwatch_logs._append_log_events

    def append_with_metrics(stream: dict[str, Any], events: list[dict[str, Any]]) -> None:
        append(stream, events)
        _store(event["message"] for event in events)

    cloudwatch_logs._append_log_events = append_with_metrics


def evaluate_alarms_by_dimensions() -> None:
    """Let an alarm read the metric of its own dimensions; ministack's reads that of all together.

    ministack's code runs as it is, and sees only the alarm's own metrics.
    """
    code = cloudwatch._evaluate_alarm.__code__

    def evaluate(alarm: Mapping[str, Any]) -> None:
        own = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions") or []))
        metrics = {key: points for key, points in cloudwatch._metrics.items() if key[2] == own}
        FunctionType(code, {**vars(cloudwatch), "_metrics": metrics})(alarm)

    cloudwatch._evaluate_alarm = evaluate


def count_call(recommender_arn: str) -> None:
    """Count a successful call of GetRecommendations, as Personalize does."""
    cloudwatch.record_metric(
        "AWS/Personalize", "GetRecommendations", 1, "Count", {"RecommenderArn": recommender_arn}
    )


def _store(lines: Iterable[str]) -> None:
    documents = [json.loads(line) for line in lines if f'"{_METADATA}"' in line]
    for document in documents:
        for directive in document[_METADATA]["CloudWatchMetrics"]:
            _store_directive(document, directive)
    if documents:
        cloudwatch._evaluate_all_alarms()


def _store_directive(document: Mapping[str, Any], directive: Mapping[str, Any]) -> None:
    time = document[_METADATA]["Timestamp"] / 1000
    for names in directive["Dimensions"]:
        dimensions = {name: document[name] for name in names}
        for metric in directive["Metrics"]:
            value, unit = document[metric["Name"]], metric.get("Unit", "None")
            of_one = (directive["Namespace"], metric["Name"], dimensions, time, unit, value)
            cloudwatch._store_datum(*of_one, None, None, None)
