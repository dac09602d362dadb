"""The boto3 clients of the tests: real retries on a virtual clock, and faults on the way."""

import threading
import time
from collections import Counter
from functools import partial
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from local_aws.personalize import ServiceError, wire
from tests.support.personalize import client
from tests.support.place import GROUP, RECIPE
from tests.unit.local_aws.personalize.simulation import ARN, Simulation, message, outcome

FILMS: dict[str, Any] = {"name": "films", "datasetGroupArn": GROUP, "recipeArn": RECIPE}
MODES: dict[str, Config] = {
    "legacy": Config(retries={"mode": "legacy", "total_max_attempts": 4}),
    "standard": Config(retries={"mode": "standard", "total_max_attempts": 4}),
}
retrying = pytest.mark.parametrize("config", MODES.values(), ids=MODES)


@retrying
def test_retries_pass_on_the_virtual_clock(
    simulation: Simulation, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    simulation.behaviour.throttle_every = 1
    started = simulation.clock.now
    personalize = client(simulation.service, config=config)
    assert outcome(personalize.list_recommenders) == "Throttling"
    assert len(simulation.service.journal) == 4
    assert simulation.clock.now > started
    assert not any(pauses)


@retrying
def test_a_request_that_never_arrives_is_sent_again(simulation: Simulation, config: Config) -> None:
    failures = iter([True, True, False])

    def before(_operation: str, _params: dict[str, Any]) -> None:
        if next(failures):
            raise EndpointConnectionError(endpoint_url="https://personalize")

    personalize = client(simulation.service, before=before, config=config)
    assert personalize.list_recommenders()["recommenders"] == []
    assert len(simulation.service.journal) == 1


@retrying
def test_a_client_has_all_its_retries_whatever_went_wrong_with_those_before(
    simulation: Simulation, config: Config
) -> None:
    attempts: list[str] = []

    def before(operation: str, _params: dict[str, Any]) -> None:
        attempts.append(operation)
        raise EndpointConnectionError(endpoint_url="https://personalize")

    for _ in range(50):
        personalize = client(simulation.service, before=before, config=config)
        with pytest.raises(EndpointConnectionError):
            personalize.list_recommenders()
    assert len(attempts) == 4 * 50


@retrying
def test_a_lost_response_makes_the_retry_find_its_own_recommender(
    simulation: Simulation, config: Config
) -> None:
    lost: list[str] = []

    def lose_first(operation: str, _params: dict[str, Any], _response: wire.Response) -> None:
        if not lost:
            lost.append(operation)
            raise ConnectionClosedError(endpoint_url="https://personalize")

    personalize = client(simulation.service, after=lose_first, config=config)
    text = message(partial(personalize.create_recommender, **FILMS))
    assert text == f"Another resource with Arn {ARN} already exists."
    assert [call.outcome for call in simulation.service.journal] == [
        "OK",
        "ResourceAlreadyExistsException",
    ]


def test_an_error_in_place_of_the_service_keeps_the_call_from_it(simulation: Simulation) -> None:
    def before(operation: str, params: dict[str, Any]) -> None:
        raise ServiceError("AccessDeniedException", f"{operation} {params['recommenderArn']}")

    personalize = client(simulation.service, before=before)
    text = message(lambda: personalize.describe_recommender(recommenderArn=ARN))
    assert text == f"DescribeRecommender {ARN}"
    assert simulation.service.journal == []


def test_a_response_can_be_replaced(simulation: Simulation) -> None:
    simulation.create()

    def empty(_o: str, _p: dict[str, Any], response: wire.Response) -> wire.Response:
        return (*response[:2], b"{}")

    described = client(simulation.service, after=empty).describe_recommender(recommenderArn=ARN)
    assert described.keys() == {"ResponseMetadata"}


def test_the_caller_is_in_the_journal(simulation: Simulation) -> None:
    role = "arn:aws:iam::111111111111:role/deployer"
    client(simulation.service, caller=role).list_recipes()
    assert [call.caller for call in simulation.service.journal] == [role]


def test_of_simultaneous_creations_one_is_accepted() -> None:
    simulation = Simulation()
    clients = [client(simulation.service) for _ in range(8)]
    together = threading.Barrier(len(clients))

    def create(number: int) -> None:
        together.wait()
        outcome(partial(clients[number].create_recommender, **FILMS))

    threads = [threading.Thread(target=create, args=(number,)) for number in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcomes = Counter(call.outcome for call in simulation.service.journal)
    assert outcomes == {"OK": 1, "ResourceAlreadyExistsException": 7}
