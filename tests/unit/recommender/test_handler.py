"""The entry points, with real clients over the loopback interface."""

import gc
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config as ClientConfig
from botocore.exceptions import ReadTimeoutError

from lambdas import recommender
from lambdas.recommender import clients, handler
from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.errors import TransientError
from lambdas.recommender.aws.personalize import Personalize
from lambdas.recommender.protocol.answer import Answers
from lambdas.recommender.protocol.execution import Execution
from lambdas.recommender.protocol.request_handler import RequestHandler
from tests.support.http import Request, serving

from .examples import MINE, RESPONSE_URL, gate
from .fakes import LoopbackRegion, loopback_region


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackRegion]:
    """A region, and a Lambda function in it that has just been started."""
    with loopback_region() as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        _forget()
        yield made
        _forget()


def _forget() -> None:
    gc.unfreeze()
    clients._session.cache_clear()
    handler._request_handler.cache_clear()
    clients.state_machine.cache_clear()


def test_begin_starts_an_execution_and_poll_delivers_its_answer(region: LoopbackRegion) -> None:
    handler.begin(gate() | {"ResponseURL": region.response_url}, None)

    (execution,) = region.executions
    state = json.loads(execution["input"])
    assert region.answers == []
    assert state["Interval"] == 60.0

    polled = handler.poll(state, None)
    assert (polled["Looks"], polled["Ended"]) == (1, False)

    answered = Execution.from_json(polled).answered({"Status": "SUCCESS"})
    delivered = handler.poll(answered.to_json(), None)
    assert delivered["Ended"] is True
    assert region.answers == [{"Status": "SUCCESS"}]


# -- a broken function ---------------------------------------------------------------


def broken_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove a module that the package needs, as another SDK could."""
    monkeypatch.delattr(recommender, "clients")
    monkeypatch.setitem(sys.modules, "lambdas.recommender.clients", None)


def broken_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the ARN of the state machine."""
    monkeypatch.delenv(v.STATE_MACHINE_VARIABLE)


BREAKS: dict[Callable[[pytest.MonkeyPatch], None], type[Exception]] = {
    broken_package: ModuleNotFoundError,
    broken_environment: KeyError,
}


@pytest.mark.parametrize("breaks", BREAKS)
def test_broken_function_answers_with_the_cause(
    region: LoopbackRegion,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    breaks: Callable[[pytest.MonkeyPatch], None],
) -> None:
    breaks(monkeypatch)

    handler.begin(gate() | {"ResponseURL": region.response_url}, None)

    (answer,) = region.answers
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", "Training11")
    cause = f"Nothing was changed. The function cannot start: {BREAKS[breaks].__name__}("
    assert answer["Reason"].startswith(cause)
    assert region.executions == []
    assert region.response_url not in caplog.text


def test_broken_function_raises_until_its_answer_is_delivered(
    region: LoopbackRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_environment(monkeypatch)
    region.status = 503

    with pytest.raises(KeyError):
        handler.begin(gate() | {"ResponseURL": region.response_url}, None)

    region.status = 200
    handler.begin(gate() | {"ResponseURL": region.response_url}, None)
    assert [answer["Status"] for answer in region.answers] == ["FAILED", "FAILED"]
    assert region.executions == []


def test_broken_function_ends_when_its_answer_is_refused(
    region: LoopbackRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_package(monkeypatch)
    region.status = 403

    handler.begin(gate() | {"ResponseURL": region.response_url}, None)

    assert len(region.answers) == 1


@pytest.mark.rows("R6")
def test_broken_function_accepts_response_urls_of_its_partition_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken_package(monkeypatch)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("URL_SUFFIX", "amazonaws.eu")
    urls: list[str] = []
    monkeypatch.setattr(Answers, "put", lambda _, url, _answer: urls.append(url))
    ours = "https://bucket.s3.some-region-1.amazonaws.eu/key"

    for url in (ours, ours.replace("amazonaws.eu", "amazonaws.com")):
        handler.begin(gate() | {"ResponseURL": url}, None)

    assert urls == [ours]


@pytest.mark.rows("R6")
def test_endpoint_of_one_service_is_no_accepted_response_url(
    region: LoopbackRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = region.endpoint.replace("127.0.0.1", "localhost")
    monkeypatch.setenv("AWS_ENDPOINT_URL_PERSONALIZE", elsewhere)

    answers = clients.request_handler().answers

    assert answers.is_response_url(region.response_url)
    assert answers.is_response_url(RESPONSE_URL)
    assert not answers.is_response_url(region.response_url.replace("127.0.0.1", "localhost"))


def test_poll_of_a_broken_function_raises(
    region: LoopbackRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    del region
    broken_package(monkeypatch)

    with pytest.raises(ImportError):
        handler.poll({}, None)


# -- clients ---------------------------------------------------------------------

CLIENT: Any = clients.CLIENT


def test_call_lasts_at_most_a_minute() -> None:
    attempts = CLIENT.retries["total_max_attempts"]

    assert attempts * (CLIENT.connect_timeout + CLIENT.read_timeout) <= 60


def test_every_client_has_the_limits_of_time(region: LoopbackRegion) -> None:
    del region
    resources, state_machine = clients.request_handler(), clients.state_machine()

    later: list[Any] = [resources.stacks._api, state_machine.api]
    made: list[Any] = [resources.personalize._api, *(one._made() for one in later)]
    for client in made:
        config = client.meta.config
        limits = (config.connect_timeout, config.read_timeout, config.retries)
        assert limits == (CLIENT.connect_timeout, CLIENT.read_timeout, CLIENT.retries)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the services for which a client is made."""
    made: list[str] = []
    client = clients.client

    def counted(service: str) -> Any:
        made.append(service)
        return client(service)

    monkeypatch.setattr(clients, "client", counted)
    return made


def test_poll_of_a_gate_makes_one_client(region: LoopbackRegion, made: list[str]) -> None:
    raw = gate() | {"ResponseURL": region.response_url}

    polled = handler.poll(Execution.begin(raw, now=time.time(), interval=60.0).to_json(), None)

    assert (polled["Looks"], polled["Ended"]) == (1, False)
    assert made == ["personalize"]


def test_begin_that_answers_makes_no_client(region: LoopbackRegion, made: list[str]) -> None:
    raw = gate(kind="Delete") | {"ResponseURL": region.response_url}

    handler.begin(raw, None)

    assert [answer["Status"] for answer in region.answers] == ["SUCCESS"]
    assert (region.executions, made) == ([], [])


def test_begin_that_starts_executions_makes_one_client_for_all(
    region: LoopbackRegion, made: list[str]
) -> None:
    for url in ("first", "second"):
        handler.begin(gate() | {"ResponseURL": f"{region.response_url}&{url}"}, None)

    assert len(region.executions) == 2
    assert made == ["stepfunctions"]


def test_garbage_collection_skips_the_objects_of_a_cold_start(region: LoopbackRegion) -> None:
    raw = gate(kind="Delete") | {"ResponseURL": region.response_url}
    staying = gc.get_freeze_count()
    collected: list[bool] = []

    def connected() -> RequestHandler:
        collected.append(gc.isenabled())
        return resources()

    resources = clients.request_handler
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "request_handler", connected)
        handler.begin(raw, None)

    assert collected == [False]
    assert gc.isenabled()
    assert gc.get_freeze_count() > staying


def test_garbage_collection_of_a_broken_function_skips_nothing(
    region: LoopbackRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_package(monkeypatch)
    staying = gc.get_freeze_count()

    handler.begin(gate() | {"ResponseURL": region.response_url}, None)

    assert gc.isenabled()
    assert gc.get_freeze_count() == staying


def test_service_that_never_responds_is_called_three_times(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []
    pauses: list[float] = []
    over = threading.Event()
    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setenv("no_proxy", "*")

    def never_respond(request: Request) -> None:
        tries.append(request.headers["X-Amz-Target"])
        over.wait(30)

    with serving(never_respond) as endpoint:
        client = boto3.client(
            "personalize",
            endpoint_url=endpoint,
            region_name="eu-west-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=CLIENT.merge(ClientConfig(read_timeout=0.5)),
        )
        with pytest.raises(TransientError, match="DescribeRecommender: no usable") as error:
            Personalize(client).describe(MINE)
        over.set()

    assert isinstance(error.value.__cause__, ReadTimeoutError)
    assert tries == ["AmazonPersonalize.DescribeRecommender"] * 3
    assert len(pauses) == 2
