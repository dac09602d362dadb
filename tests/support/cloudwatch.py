"""A fake of CloudWatch's history of metrics, which a real boto3 client reads.

Source: `GetMetricData` in the CloudWatch API reference.
"""

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config

from local_aws.personalize import ServiceError, wire
from tests.support import aws_wire, personalize
from tests.support.metrics import Series, metrics_of

_PAGE: Final = 500
"""Points on a page, fewer than CloudWatch has, so that there are pages."""
_STATISTICS: Final[dict[str, Callable[[list[float]], float]]] = {"Maximum": max, "Sum": sum}

Called = Callable[[str, str], None]
"""Called with the IAM action and the resource of each call; it may raise a `ServiceError`."""


class CloudWatch:
    """The metrics of an account and region."""

    def __init__(self) -> None:
        self._points: dict[tuple[Series, str], list[tuple[float, float]]] = defaultdict(list)

    def put(self, series: Series, metric: str, value: float, time: float) -> None:
        """Store a value of a metric at a time (epoch seconds)."""
        self._points[series, metric].append((time, value))

    def put_calls(self, recommender_arn: str, number: int, time: float) -> None:
        """Store a number of calls of GetRecommendations, as Personalize counts them."""
        series = ("AWS/Personalize", "RecommenderArn", recommender_arn)
        self.put(series, "GetRecommendations", float(number), time)

    def put_line(self, line: str) -> None:
        """Store the metrics of a line of the log."""
        time = json.loads(line)["_aws"]["Timestamp"] / 1000
        for series, values in metrics_of(line).items():
            for metric, value in values.items():
                self.put(series, metric, value, time)

    def client(
        self, clock: Callable[[], float], called: Called, config: Config | None = None
    ) -> Any:
        """Return a real boto3 client."""

        def answer(request: AWSPreparedRequest, operation: str) -> wire.Response:
            try:
                called(f"cloudwatch:{operation}", "*")
            except ServiceError as error:
                failure = {"__type": error.code, "message": error.message}
                return error.http_status, {}, json.dumps(failure).encode()
            return aws_wire.json_response(self._answer(json.loads(aws_wire.body_of(request))))

        return personalize.connected("cloudwatch", answer, clock, config=config)

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        points = [
            (query["Id"], time, value)
            for query in asked["MetricDataQueries"]
            for time, value in self._values(query["MetricStat"], asked)
        ]
        begin = int(asked.get("NextToken", 0))
        page, end = points[begin : begin + _PAGE], begin + _PAGE
        results = [
            {
                "Id": query["Id"],
                "StatusCode": "Complete" if end >= len(points) else "PartialData",
                "Timestamps": [time for one, time, _ in page if one == query["Id"]],
                "Values": [value for one, _, value in page if one == query["Id"]],
            }
            for query in asked["MetricDataQueries"]
        ]
        following = {"NextToken": str(end)} if end < len(points) else {}
        return {"MetricDataResults": results, **following}

    def _values(self, wanted: dict[str, Any], asked: dict[str, Any]) -> list[tuple[float, float]]:
        """Return the statistic of each period that has data, the newest first."""
        metric, period = wanted["Metric"], wanted["Period"]
        (dimension,) = metric["Dimensions"]
        series = (metric["Namespace"], dimension["Name"], dimension["Value"])
        periods: dict[float, list[float]] = defaultdict(list)
        for time, value in self._points.get((series, metric["MetricName"]), ()):
            if asked["StartTime"] <= time < asked["EndTime"]:
                periods[time // period * period].append(value)
        statistic = _STATISTICS[wanted["Stat"]]
        return [(time, statistic(periods[time])) for time in sorted(periods, reverse=True)]
