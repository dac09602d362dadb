"""The entry points, with real clients over the loopback interface."""

import gc
import json
import socket
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

from .examples import RECOMMENDER, RESPONSE_URL, gate
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


def test_a_request_is_answered_by_the_function_that_cloudformation_invokes(
    region: LoopbackRegion,
) -> None:
    raw = gate(kind="Delete") | {"PhysicalResourceId": "gate", "ResponseURL": region.response_url}

    handler.begin(raw, None)

    (answer,) = region.answers
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "gate")
    assert region.executions == []


def test_a_request_that_is_not_understood_changes_nothing_and_says_so(
    region: LoopbackRegion,
) -> None:
    handler.begin(gate() | {"StackId": "", "ResponseURL": region.response_url}, None)

    (answer,) = region.answers
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("Nothing was changed. event.StackId: got")


def test_a_request_that_waits_is_answered_by_the_function_that_the_state_machine_invokes(
    region: LoopbackRegion,
) -> None:
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


def test_a_request_with_somebody_elses_response_url_is_dropped(region: LoopbackRegion) -> None:
    handler.begin(gate() | {"ResponseURL": "https://evil.example/key"}, None)

    assert (region.answers, region.executions) == ([], [])


# -- a function that cannot work ---------------------------------------------------------------


def broken_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take from the package what it needs, as an SDK does that is not as it was."""
    monkeypatch.delattr(recommender, "clients")
    monkeypatch.setitem(sys.modules, "lambdas.recommender.clients", None)


def broken_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take from the function where the state machine is."""
    monkeypatch.delenv(v.STATE_MACHINE_VARIABLE)


def broken_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the function an interval that is none."""
    monkeypatch.setenv(v.POLL_INTERVAL_VARIABLE, "often")


BREAKS = [broken_package, broken_environment, broken_interval]


@pytest.mark.parametrize(
    ("breaks", "name"),
    list(zip(BREAKS, ["ModuleNotFoundError", "KeyError", "ValueError"], strict=True)),
)
def test_a_function_that_cannot_work_says_so_at_once(
    region: LoopbackRegion,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    breaks: Callable[[pytest.MonkeyPatch], None],
    name: str,
) -> None:
    breaks(monkeypatch)

    handler.begin(gate() | {"ResponseURL": region.response_url}, None)

    (answer,) = region.answers
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", "Training11")
    assert answer["Reason"].startswith(f"Nothing was changed. The function cannot start: {name}(")
    assert region.executions == []
    assert region.response_url not in caplog.text


@pytest.mark.parametrize(
    ("breaks", "raised"),
    list(zip(BREAKS, [ModuleNotFoundError, KeyError, ValueError], strict=True)),
)
def test_a_function_that_cannot_work_is_invoked_again_where_its_answer_could_not_be_delivered(
    region: LoopbackRegion,
    monkeypatch: pytest.MonkeyPatch,
    breaks: Callable[[pytest.MonkeyPatch], None],
    raised: type[Exception],
) -> None:
    breaks(monkeypatch)
    region.status = 503

    with pytest.raises(raised):
        handler.begin(gate() | {"ResponseURL": region.response_url}, None)

    region.status = 200
    handler.begin(gate() | {"ResponseURL": region.response_url}, None)
    assert [answer["Status"] for answer in region.answers] == ["FAILED", "FAILED"]
    assert region.executions == []


def test_a_function_that_cannot_work_is_not_invoked_again_where_its_answer_was_refused_for_good(
    region: LoopbackRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_package(monkeypatch)
    region.status = 403

    handler.begin(gate() | {"ResponseURL": region.response_url}, None)

    assert len(region.answers) == 1


@pytest.mark.parametrize("breaks", BREAKS)
def test_a_function_that_cannot_work_answers_nobody_but_cloudformation(
    region: LoopbackRegion,
    monkeypatch: pytest.MonkeyPatch,
    breaks: Callable[[pytest.MonkeyPatch], None],
) -> None:
    breaks(monkeypatch)
    monkeypatch.delenv("AWS_ENDPOINT_URL")

    handler.begin(gate() | {"ResponseURL": region.response_url}, None)

    assert region.answers == []


@pytest.mark.rows("R6")
@pytest.mark.parametrize(
    "suffix", ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "c2s.ic.gov", "sc2s.sgov.gov"]
)
def test_a_function_that_cannot_work_knows_the_suffix_of_its_partition(
    monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    broken_package(monkeypatch)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("URL_SUFFIX", suffix)
    urls: list[str] = []
    monkeypatch.setattr(Answers, "put", lambda _, url, _answer: urls.append(url))
    ours = f"https://bucket.s3.some-region-1.{suffix}/key"

    for url in (ours, f"https://bucket.s3.some-region-1.{suffix}.evil.example/key"):
        handler.begin(gate() | {"ResponseURL": url}, None)

    assert urls == [ours]


@pytest.mark.rows("R6")
@pytest.mark.parametrize(
    "name",
    [
        "AWS_ENDPOINT_URL_PERSONALIZE",
        "AWS_ENDPOINT_URL_CLOUDFORMATION",
        "AWS_ENDPOINT_URL_STEP_FUNCTIONS",
    ],
)
def test_an_endpoint_of_a_service_says_nothing_about_response_urls(
    region: LoopbackRegion, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, region.endpoint.replace("127.0.0.1", "localhost"))

    answers = clients.request_handler().answers

    assert answers.is_response_url(region.response_url)
    assert answers.is_response_url(RESPONSE_URL)
    assert not answers.is_response_url(region.response_url.replace("127.0.0.1", "localhost"))


def test_a_look_that_cannot_work_is_tried_again_by_the_state_machine(
    region: LoopbackRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    del region
    broken_package(monkeypatch)

    with pytest.raises(ImportError):
        handler.poll({}, None)


# -- how long a call lasts ---------------------------------------------------------------------

CLIENT: Any = clients.CLIENT


def test_a_call_lasts_a_minute_at_most() -> None:
    attempts = CLIENT.retries["total_max_attempts"]

    assert CLIENT.retries["mode"] == "standard"
    assert attempts == 3
    assert attempts * (CLIENT.connect_timeout + CLIENT.read_timeout) <= 60


def test_every_client_of_the_functions_has_these_limits(region: LoopbackRegion) -> None:
    del region
    resources, state_machine = clients.request_handler(), clients.state_machine()

    later: list[Any] = [resources.stacks._api, state_machine._api]
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


def test_a_look_that_changes_nothing_needs_one_client(
    region: LoopbackRegion, made: list[str]
) -> None:
    raw = gate() | {"ResponseURL": region.response_url}

    looked = handler.poll(Execution.begin(raw, now=time.time(), interval=60.0).to_json(), None)

    assert (looked["Looks"], looked["Ended"]) == (1, False)
    assert made == ["personalize"]


def test_an_answer_at_once_needs_no_client(region: LoopbackRegion, made: list[str]) -> None:
    raw = gate(kind="Delete") | {"ResponseURL": region.response_url}

    handler.begin(raw, None)

    assert [answer["Status"] for answer in region.answers] == ["SUCCESS"]
    assert made == []


def test_a_request_that_is_waited_for_needs_one_client_for_as_long_as_the_function_lives(
    region: LoopbackRegion, made: list[str]
) -> None:
    for url in ("first", "second"):
        handler.begin(gate() | {"ResponseURL": f"{region.response_url}&{url}"}, None)

    assert len(region.executions) == 2
    assert made == ["stepfunctions"]


def test_garbage_is_collected_but_not_what_stays(region: LoopbackRegion) -> None:
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


def test_garbage_is_collected_by_a_function_that_cannot_work(
    region: LoopbackRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_package(monkeypatch)
    staying = gc.get_freeze_count()

    handler.begin(gate() | {"ResponseURL": region.response_url}, None)

    assert gc.isenabled()
    assert gc.get_freeze_count() == staying


def test_a_service_that_never_answers_is_asked_again_and_then_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accepted: list[socket.socket] = []
    tries = threading.Semaphore(0)
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setenv("no_proxy", "*")

    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    accepted.append(server.accept()[0])
                except OSError:
                    return
                tries.release()

        thread = threading.Thread(target=accept)
        thread.start()
        client = boto3.client(
            "personalize",
            endpoint_url=f"http://127.0.0.1:{server.getsockname()[1]}",
            region_name="eu-west-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=CLIENT.merge(ClientConfig(read_timeout=0.1)),
        )
        with pytest.raises(TransientError, match="DescribeRecommender: no usable") as error:
            Personalize(client).describe(f"{RECOMMENDER}mine")
        client.close()
        for _ in range(3):
            assert tries.acquire(timeout=10)
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in accepted:
        connection.close()

    assert isinstance(error.value.__cause__, ReadTimeoutError)
    assert len(accepted) == 3
    assert len(pauses) == 2
