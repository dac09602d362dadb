"""CloudWatch's history of metrics, as this package and ``operations`` use it; it only reads."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from .. import vocabulary as v
from ..model.history import HOUR, WINDOW, Sample
from ..model.throughput import PERIOD, WEEK, Use, busiest
from .errors import TransientError, translate_errors
from .personalize import pages_of

_ANSWERED: Final = frozenset({"Complete", "PartialData"})
"""Of ``MetricDataResult.StatusCode``: another page follows after ``PartialData``."""

Points = Sequence[tuple[float, float]]
"""The beginning of each period that has data (epoch seconds), and the value."""


class CloudWatchApi(Protocol):
    """The operation that is used, as boto3 names it."""

    # ruff: noqa: N803  # AWS's own names
    def get_metric_data(
        self, *, MetricDataQueries: Any, StartTime: Any, EndTime: Any, NextToken: str = ...
    ) -> Any:
        """GetMetricData."""


class CloudWatch:
    """The metrics of the account and region.

    Every method raises a TransientError or a PermanentError if CloudWatch cannot be read. A period
    of an hour is kept for 455 days, one of five minutes for 63 (GetMetricData, API reference).
    """

    def __init__(self, api: CloudWatchApi) -> None:
        self._api = api

    def model_metrics(
        self, recommender: str, metrics: Iterable[str], now: float
    ) -> tuple[Sample, ...]:
        """Return the observer's history of model metrics, the oldest hour first.

        Args:
            recommender: the dimension of the observer's metrics.
            metrics: the service's names of the metrics.
            now: epoch seconds.
        """
        names = sorted(metrics)
        queries = [
            _query(v.NAMESPACE, v.METRIC_NAMES.get(name, name), v.DIMENSION, recommender, "Maximum")
            for name in names
        ]
        found = self._read(queries, HOUR, begin=now - WINDOW, end=now)
        hours: dict[float, dict[str, float]] = {}
        for name, points in zip(names, found, strict=True):
            for time, value in points:
                hours.setdefault(time, {})[name] = value
        return tuple(Sample(time, hours[time]) for time in sorted(hours))

    def use(self, recommender_arn: str, now: float) -> Use:
        """Return the busiest five minutes of the last week, by Personalize's own metric.

        ``GetRecommendations`` counts successful calls. Sources: "CloudWatch metrics for Amazon
        Personalize", Developer Guide; aws-samples/amazon-personalize-monitor for the dimension.
        """
        query = _query(
            "AWS/Personalize", "GetRecommendations", "RecommenderArn", recommender_arn, "Sum"
        )
        (points,) = self._read([query], PERIOD, begin=now - WEEK, end=now)
        return busiest(points)

    def _read(
        self, queries: Sequence[Mapping[str, Any]], period: float, *, begin: float, end: float
    ) -> list[Points]:
        """Return the points of each query; the beginning is rounded down to a whole period."""
        if not queries:
            return []
        asked: list[dict[str, Any]] = [
            {"Id": f"m{number}", "MetricStat": {**query, "Period": int(period)}}
            for number, query in enumerate(queries)
        ]
        found: dict[str, list[tuple[float, float]]] = {one["Id"]: [] for one in asked}
        with translate_errors("GetMetricData"):
            for page in pages_of(
                "GetMetricData",
                self._api.get_metric_data,
                member="NextToken",
                MetricDataQueries=asked,
                StartTime=_time(begin - begin % period),
                EndTime=_time(end),
            ):
                for result in page["MetricDataResults"]:
                    if result["StatusCode"] not in _ANSWERED:
                        raise TransientError(f"GetMetricData: {result['StatusCode']}")
                    times = (one.timestamp() for one in result["Timestamps"])
                    found[result["Id"]] += zip(times, result["Values"], strict=True)
        return list(found.values())


def _query(
    namespace: str, metric: str, dimension: str, value: str, statistic: str
) -> dict[str, Any]:
    dimensions = [{"Name": dimension, "Value": value}]
    return {
        "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions},
        "Stat": statistic,
    }


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
