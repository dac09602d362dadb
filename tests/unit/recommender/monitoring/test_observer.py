"""The observer reads, writes one line, and changes nothing."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.recommender import clients, observer_handler
from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.cloudwatch import CloudWatch
from lambdas.recommender.aws.errors import PermanentError, TransientError
from lambdas.recommender.aws.personalize import Personalize
from lambdas.recommender.monitoring.observer import Observer
from local_aws.personalize import ServiceError
from tests.support.cloudwatch import CloudWatch as FakeCloudWatch

from ..examples import RECOMMENDER
from ..fakes import FakeCloudFormation, FakePersonalize, refusal
from .test_observation import DESIRED, EVENT, NOW

HASH = "0123456789abcdef"


class ObservedStack:
    def __init__(self) -> None:
        self.personalize = FakePersonalize()
        self.stack = FakeCloudFormation("UPDATE_COMPLETE")
        self.lines: list[str] = []
        self.cloudwatch = FakeCloudWatch()
        self.fault: Exception | None = None
        self.observer = Observer(
            Personalize(self.personalize),
            Stacks(self.stack),
            CloudWatch(self.cloudwatch.client(lambda: NOW, self._called)),
            lambda: NOW,
            self.lines.append,
        )
        self.personalize.add(DESIRED.arn, tags={**DESIRED.tags, **DESIRED.owner.tags()})

    def _called(self, action: str, resource: str) -> None:
        self.personalize.calls.append((action, resource))
        if self.fault:
            raise self.fault

    def observe(self, event: Mapping[str, Any] = EVENT) -> dict[str, Any]:
        self.observer.observe(event)
        line: dict[str, Any] = json.loads(self.lines[-1])
        return line


@pytest.fixture
def world() -> ObservedStack:
    return ObservedStack()


def test_observer_reads_and_writes_one_line(world: ObservedStack) -> None:
    line = world.observe()
    assert (line[v.ACTIVE], line[v.DRIFT], line[v.LEFTOVERS]) == (1, 0, 0)
    assert len(world.lines) == 1
    assert {call for call, _ in world.personalize.calls} == {
        "DescribeRecommender",
        "ListRecommenders",
        "ListTagsForResource",
    }


def test_other_recommender_with_the_tags_is_a_leftover(world: ObservedStack) -> None:
    world.personalize.add(f"{RECOMMENDER}TopPicks-{HASH}")
    world.personalize.add(f"{RECOMMENDER}TopPicks-{HASH[::-1]}", tags={})
    world.personalize.add(f"{RECOMMENDER}theirs")
    line = world.observe()
    assert line["LeftOver"] == [f"{RECOMMENDER}TopPicks-{HASH}"]
    read = [arn for call, arn in world.personalize.calls if call == "ListTagsForResource"]
    assert f"{RECOMMENDER}theirs" not in read


def test_recommender_that_vanishes_during_the_observation_is_absent(world: ObservedStack) -> None:
    world.personalize.add(f"{RECOMMENDER}TopPicks-{HASH}")
    world.personalize.faults["ListTagsForResource"] = refusal("ResourceNotFoundException")
    line = world.observe()
    assert line["Status"] == "not there"
    assert line[v.LEFTOVERS] == 0


def test_tags_in_use_leave_the_status_measured(world: ObservedStack) -> None:
    """Whether ListTagsForResource answers ResourceInUse meanwhile is not documented."""
    world.personalize.add(f"{RECOMMENDER}TopPicks-{HASH}")
    world.personalize.faults["ListTagsForResource"] = refusal("ResourceInUseException")
    line = world.observe()
    assert (line["Status"], line[v.ACTIVE]) == ("ACTIVE", 1)
    assert not {v.DRIFT, v.LEFTOVERS} & line.keys()


@pytest.mark.parametrize(
    ("operation", "code", "error"),
    [
        ("DescribeRecommender", "ThrottlingException", TransientError),
        ("ListRecommenders", "AccessDeniedException", PermanentError),
        ("ListTagsForResource", "InternalServerError", TransientError),
        ("DescribeStacks", "AccessDenied", PermanentError),
    ],
)
def test_failed_call_writes_no_line(
    world: ObservedStack, operation: str, code: str, error: type[Exception]
) -> None:
    world.personalize.faults[operation] = refusal(code)
    world.stack.fault = refusal(code) if operation == "DescribeStacks" else None
    with pytest.raises(error):
        world.observe()
    assert world.lines == []


HOUR = 3600.0
WEEK = 7 * 24 * HOUR
COMPARED: dict[str, Any] = {
    **EVENT,
    v.QUALITY_GATE: {v.MAX_METRIC_REGRESSION: "0.05"},
    v.THROUGHPUT_USE: True,
}
SERIES = (v.NAMESPACE, v.DIMENSION, "TopPicks/Recommender")


def test_history_is_read_if_the_event_wants_it_and_the_metrics_that_fell_are_named(
    world: ObservedStack,
) -> None:
    metrics = {"coverage": 0.05, "precision_at_10": 0.25}
    long_ago = datetime.fromtimestamp(NOW - 2 * WEEK, UTC)
    world.personalize.add(DESIRED.arn, modelMetrics=metrics, creationDateTime=long_ago)
    world.cloudwatch.put(SERIES, "Coverage", 0.1, NOW - 2 * HOUR)
    world.cloudwatch.put(SERIES, "PrecisionAt10", 0.26, NOW - 2 * HOUR)
    world.cloudwatch.put_calls(DESIRED.arn, 600, NOW - 3 * HOUR)

    line = world.observe(COMPARED)
    assert line[v.METRICS_WORSE] == 1
    assert line["Worse"] == [
        "coverage is 0.05; minimum 0.095 (before 0.1, max_metric_regression 0.05 = 5 %)"
    ]
    assert (line[v.THROUGHPUT_USE], line["EnoughRequestsPerSecond"]) == (1, 2)
    assert world.personalize.calls.count(("cloudwatch:GetMetricData", "*")) == 2


def test_history_is_not_read_for_a_recommender_that_is_absent_or_young_or_without_metrics(
    world: ObservedStack,
) -> None:
    young = datetime.fromtimestamp(NOW - WEEK + 1, UTC)
    world.personalize.add(DESIRED.arn, creationDateTime=young)
    world.observe(COMPARED)
    del world.personalize.shown[DESIRED.arn]
    line = world.observe(COMPARED)
    assert not {v.METRICS_WORSE, v.THROUGHPUT_USE} & line.keys()
    assert ("cloudwatch:GetMetricData", "*") not in world.personalize.calls


def test_history_that_cannot_be_read_writes_no_line(world: ObservedStack) -> None:
    world.personalize.add(DESIRED.arn, modelMetrics={"coverage": 0.05})
    world.fault = ServiceError("AccessDeniedException", "the message", 400)
    with pytest.raises(PermanentError, match="GetMetricData"):
        world.observe(COMPARED)
    assert world.lines == []


def test_entry_point_prints_the_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], world: ObservedStack
) -> None:
    """A record of the log would not do: Lambda's formatter leaves out what begins with `_`."""
    services: dict[str, object] = {
        "personalize": world.personalize,
        "cloudformation": world.stack,
        "cloudwatch": None,
    }
    for module in (clients, observer_handler):
        monkeypatch.setattr(module, "client", services.__getitem__)
    observer_handler.observer.cache_clear()
    observer_handler.observe(EVENT, None)
    observer_handler.observer.cache_clear()
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)[v.ACTIVE] == 1
