"""The entry points, and what an answer may hold."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.recommender import handler
from lambdas.recommender import vocabulary as v
from lambdas.recommender.errors import PermanentError, TransientError
from lambdas.recommender.handler import CustomResourceError, CustomResources
from lambdas.recommender.service import Personalize
from lambdas.recommender.stack import Stacks
from local_aws.personalize import Behaviour
from local_aws.personalize import Personalize as Simulator
from tests.support.personalize import VirtualClock, client

ACCOUNT, REGION = "111111111111", "eu-west-1"
ARN = f"arn:aws:personalize:{REGION}:{ACCOUNT}:recommender/mine"


def last_gate(kind: str = "Create", **memory: Any) -> dict[str, Any]:
    """Return an event of the last training gate."""
    return {
        "RequestType": kind,
        "ResourceType": v.TRAINING_GATE_TYPE,
        "RequestId": "r-1",
        "StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/TopPicks/1",
        "LogicalResourceId": "Hour11Of11",
        "ResourceProperties": {v.RECOMMENDER_ARN: ARN, v.CONFIG: {}, v.LAST: "true"},
        "Memory": memory,
    }


def gate_of(metrics: dict[str, float]) -> CustomResources:
    """Return handlers that find an ACTIVE recommender with these metrics."""
    clock = VirtualClock()
    simulator = Simulator(Behaviour(metrics=metrics), clock)
    personalize = client(simulator)
    personalize.create_recommender(
        name="mine",
        datasetGroupArn=simulator.seed_dataset_group(ACCOUNT, REGION, "vod"),
        recipeArn="arn:aws:personalize:::recipe/aws-vod-top-picks",
        recommenderConfig={"enableMetadataWithRecommendations": True},
    )
    clock.advance(36_000)
    no_stacks: Any = None
    return CustomResources(Personalize(personalize), Stacks(no_stacks), clock)


def attributes_of(metrics: dict[str, float]) -> dict[str, str]:
    answer = gate_of(metrics).is_complete(last_gate(StartedAt=0.0))
    assert answer["IsComplete"] is True
    return dict(answer["Data"])


def test_every_attribute_is_there_whatever_the_service_reports() -> None:
    for metrics in ({}, {"coverage": 0.5}, {"a_metric_of_tomorrow": 0.25}):
        attributes = attributes_of(metrics)

        assert attributes.keys() == {*v.METRICS, v.RECOMMENDER_ARN_ATTRIBUTE, "ModelMetrics"}
        assert attributes["Coverage"] == str(metrics.get("coverage", "n/a"))
        assert json.loads(attributes["ModelMetrics"]) == metrics


def test_more_metrics_than_an_answer_can_hold_do_not_fail_the_stack() -> None:
    attributes = attributes_of({f"a_metric_of_tomorrow_{number:03}": 0.5 for number in range(100)})

    kept = json.loads(attributes["ModelMetrics"])
    assert list(kept) == [f"a_metric_of_tomorrow_{number:03}" for number in range(len(kept))]
    assert 1000 < len(json.dumps(attributes)) < 4096 - 1500


class Answering:
    """A service that answers every look with an error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def describe(self, _arn: str) -> None:
        raise self._error


def gate_that_sees(error: Exception) -> CustomResources:
    service: Any = Answering(error)
    no_stacks: Any = None
    return CustomResources(service, no_stacks, VirtualClock())


def test_a_fault_that_passes_does_not_end_a_training() -> None:
    gate = gate_that_sees(TransientError("DescribeRecommender: ThrottlingException: slow down"))

    assert gate.is_complete(last_gate(StartedAt=gate.clock())) == {"IsComplete": False}


def test_one_that_does_not_pass_ends_it_with_the_services_words() -> None:
    gate = gate_that_sees(PermanentError("DescribeRecommender: AccessDeniedException: no"))

    with pytest.raises(CustomResourceError, match="DescribeRecommender: AccessDeniedException: no"):
        gate.is_complete(last_gate(StartedAt=gate.clock()))


def test_a_last_gate_closes_with_what_it_saw_last() -> None:
    gate = gate_that_sees(TransientError("DescribeRecommender: ThrottlingException: slow down"))

    with pytest.raises(CustomResourceError, match="when the last training gate closed: Describe"):
        gate.is_complete(last_gate(StartedAt=gate.clock() - 3300))


@pytest.fixture
def _in_lambda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    handler._resources.cache_clear()
    yield
    handler._resources.cache_clear()


@pytest.mark.usefixtures("_in_lambda")
def test_the_entry_points_answer_as_the_framework_expects() -> None:
    begun = handler.on_event(last_gate("Delete") | {"PhysicalResourceId": "gate"}, None)
    ended = handler.is_complete(last_gate("Delete", **begun["Memory"]), None)

    assert begun["PhysicalResourceId"] == "gate"
    assert ended == {"IsComplete": True, "Data": {}}


@pytest.mark.usefixtures("_in_lambda")
def test_a_request_that_is_not_understood_changes_nothing_and_says_so() -> None:
    with pytest.raises(CustomResourceError, match=r"Nothing was changed\. event\.StackId: got"):
        handler.on_event(last_gate() | {"StackId": ""}, None)
