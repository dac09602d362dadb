"""The history of metrics, as a real client reads it from a fake of CloudWatch."""

from datetime import UTC
from typing import Any
from unittest.mock import Mock

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.cloudwatch import CloudWatch
from lambdas.recommender.aws.errors import PermanentError, TransientError
from lambdas.recommender.model.history import WINDOW, Sample
from lambdas.recommender.model.throughput import WEEK, Use
from tests.support.cloudwatch import CloudWatch as FakeCloudWatch

from ..examples import MINE
from ..fakes import refusal

HOUR = 3600.0
NOW = 1_767_225_600.0 + 1800
"""In the middle of an hour."""
BEGAN = NOW - 1800
SERIES = (v.NAMESPACE, v.DIMENSION, "TopPicks/Recommender")


class Counted(FakeCloudWatch):
    """Counts the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def called(self, action: str, resource: str) -> None:
        assert (action, resource) == ("cloudwatch:GetMetricData", "*")
        self.calls += 1


@pytest.fixture
def fake() -> Counted:
    return Counted()


@pytest.fixture
def history(fake: Counted) -> CloudWatch:
    return CloudWatch(fake.client(lambda: NOW, fake.called))


def test_model_metrics_have_a_sample_for_each_observed_hour_of_the_window(
    fake: Counted, history: CloudWatch
) -> None:
    for time, coverage, novelty in (
        (BEGAN - WINDOW - 1, 0.9, 0.9),
        (BEGAN - WINDOW, 0.1, 0.2),
        (BEGAN - HOUR, 0.3, 0.4),
        (NOW - 60, 0.5, 0.6),
        (NOW - 30, 0.4, 0.7),
    ):
        fake.put(SERIES, "Coverage", coverage, time)
        fake.put(SERIES, "novelty", novelty, time)
        fake.put((v.NAMESPACE, v.DIMENSION, "Other/Recommender"), "Coverage", 1.0, time)
    assert history.model_metrics("TopPicks/Recommender", ["novelty", "coverage"], NOW) == (
        Sample(BEGAN - WINDOW, {"coverage": 0.1, "novelty": 0.2}),
        Sample(BEGAN - HOUR, {"coverage": 0.3, "novelty": 0.4}),
        Sample(BEGAN, {"coverage": 0.5, "novelty": 0.7}),
    )
    assert fake.calls == 1


def test_model_metrics_are_read_page_by_page(fake: Counted, history: CloudWatch) -> None:
    hours = [BEGAN - n * HOUR for n in range(300)]
    for name in v.METRICS:
        for number, time in enumerate(hours):
            fake.put(SERIES, name, number / 1000, time)
    samples = history.model_metrics("TopPicks/Recommender", v.METRICS.values(), NOW)
    assert [one.time for one in samples] == hours[::-1]
    assert samples[-1].metrics == dict.fromkeys(v.METRICS.values(), 0.0)
    assert samples[0].metrics == dict.fromkeys(v.METRICS.values(), 0.299)
    assert fake.calls == 5


def test_history_of_no_metrics_takes_no_call(fake: Counted, history: CloudWatch) -> None:
    assert history.model_metrics("TopPicks/Recommender", [], NOW) == ()
    assert fake.calls == 0


def test_use_is_that_of_the_last_week_by_five_minutes(fake: Counted, history: CloudWatch) -> None:
    assert history.use(MINE, NOW) == Use(0.0, 0.0)
    fake.put_calls(MINE, 6000, NOW - WEEK - 300)
    fake.put_calls(MINE.replace("mine", "theirs"), 6000, NOW)
    for second in (600, 620, 880):
        fake.put_calls(MINE, 100, BEGAN + second)
    fake.put_calls(MINE, 250, BEGAN + 900)
    assert history.use(MINE, NOW) == Use(1.0, BEGAN + 600)


@pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
def test_metric_that_could_not_be_read_is_an_error_and_not_empty(status: str) -> None:
    api = Mock()
    result = {"Id": "m0", "StatusCode": status, "Timestamps": [], "Values": []}
    api.get_metric_data.return_value = {"MetricDataResults": [result]}

    with pytest.raises(TransientError, match=f"GetMetricData: {status}"):
        CloudWatch(api).use(MINE, NOW)


SAME_PAGE = {"MetricDataResults": [], "NextToken": "again"}


@pytest.mark.parametrize("answers", [[SAME_PAGE] * 2, refusal("AccessDenied")])
def test_error_of_cloudwatch_names_the_operation(answers: Any) -> None:
    api = Mock()
    api.get_metric_data.side_effect = answers

    with pytest.raises((TransientError, PermanentError), match=r"^GetMetricData: "):
        CloudWatch(api).use(MINE, NOW)

    asked = api.get_metric_data.call_args.kwargs
    assert {asked[name].tzinfo for name in ("StartTime", "EndTime")} == {UTC}
