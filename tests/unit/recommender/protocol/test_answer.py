"""Answers fit into CloudFormation's limits, and go only to its ResponseURLs."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender import vocabulary
from lambdas.recommender.protocol import answer as answer_module
from lambdas.recommender.protocol.answer import (
    MAX_BYTES,
    MAX_REASON_BYTES,
    Answers,
    Delivery,
    answer_to,
    encoded,
    sent_at,
)
from lambdas.recommender.text import readable
from tests.support.http import Request, serving

from ..examples import RESPONSE_URL, SIGNATURE, STACK, event

# -- an answer --------------------------------------------------------------------------

IDS = st.text(st.characters(codec="ascii", exclude_characters='"\\', min_codepoint=32))
ATTRIBUTES = st.dictionaries(st.text(max_size=20), st.text(max_size=30), max_size=5)


def answer(succeeded: bool = False, **changes: Any) -> dict[str, Any]:
    """Return an answer to a Create, by default one that says that it failed."""
    given: dict[str, Any] = {"physical_id": "id", "reason": "because", "attributes": {"A": "1"}}
    return answer_to(event(), succeeded=succeeded, **(given | changes))


def test_answer_has_the_members_of_a_response_object() -> None:
    common = {
        "PhysicalResourceId": "id",
        "StackId": STACK,
        "RequestId": "r-1",
        "LogicalResourceId": "Recommender",
        "Data": {"A": "1"},
    }

    assert answer() == {"Status": "FAILED", "Reason": "because", **common}
    assert answer(succeeded=True) == {"Status": "SUCCESS", "Reason": "", **common}


@given(st.text(max_size=6000), ATTRIBUTES, IDS.filter(lambda text: len(text) <= 1024))
def test_answer_fits_and_keeps_its_attributes(
    reason: str, attributes: dict[str, str], physical_id: str
) -> None:
    whole = answer(reason=reason, attributes=attributes, physical_id=physical_id)

    assert len(encoded(whole)) <= MAX_BYTES
    assert whole["Data"] == attributes
    assert whole["PhysicalResourceId"] == physical_id
    said = whole["Reason"]
    reason = readable(reason) or "No reason was given."
    assert said == reason or (said.endswith("...") and reason.startswith(said[:-3]))


@pytest.mark.parametrize(("more", "cut"), [(0, False), (1, True)])
def test_reason_may_fill_an_answer_to_the_last_byte(more: int, cut: bool) -> None:
    attributes = {"A": "x" * 3500}
    bare = {**answer(attributes=attributes), "Reason": ""}
    reason = "r" * (MAX_BYTES - len(encoded(bare)) + more)
    assert len(reason) < MAX_REASON_BYTES

    whole = answer(reason=reason, attributes=attributes)

    assert (whole["Reason"] != reason) is cut
    assert len(encoded(whole)) == MAX_BYTES


def test_failure_without_a_reason_says_that_none_was_given() -> None:
    answer = answer_to(event(), succeeded=False, physical_id="it", attributes={})

    assert answer["Reason"] == "No reason was given."


def test_long_reason_is_cut() -> None:
    whole = answer(reason="x" * 10_000)

    assert len(json.dumps(whole["Reason"])) <= MAX_REASON_BYTES
    assert len(whole["Reason"]) >= MAX_REASON_BYTES * 9 // 10
    assert whole["Reason"].endswith("x...")


def test_empty_event_can_be_answered() -> None:
    whole = answer_to({}, succeeded=False, physical_id="unknown", reason="no", attributes={})

    assert (whole["StackId"], whole["RequestId"], whole["LogicalResourceId"]) == (None, None, None)


# -- the time of a request -----------------------------------------------------------------


@pytest.fixture
def _zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A time zone of the machine, which is no matter."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_zone")
def test_sent_at_is_the_first_date_of_the_response_url_in_utc() -> None:
    assert sent_at(RESPONSE_URL) == 1_767_225_600.0
    assert sent_at(f"{RESPONSE_URL}&X-Amz-Date=20270101T000000Z") == 1_767_225_600.0


def test_sent_at_reads_the_offset_of_a_date() -> None:
    url = "https://bucket.s3.amazonaws.com/key?X-Amz-Date=20260101T000000-05:00"

    assert sent_at(url) == 1_767_225_600.0 + 5 * 3600


@pytest.mark.parametrize(
    "query",
    ["", "?X-Amz-Date=", "?X-Amz-Date=today", "?X-Amz-Date=20260101T000000"],
)
def test_sent_at_of_a_response_url_without_a_date_is_unknown(query: str) -> None:
    assert sent_at(f"https://bucket.s3.amazonaws.com/key{query}") is None


# -- ResponseURLs --------------------------------------------------------------------

AWS, CHINA, EUROPE, ISO = "amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "c2s.ic.gov"
LOCAL = "http://127.0.0.1:4566"
BUCKET = "cloudformation-custom-resource-response"
# ``test_recorded.py`` has the forms that were seen.
CLOUDFORMATIONS: list[tuple[str, str]] = [
    (AWS, RESPONSE_URL),
    (AWS, f"https://{BUCKET}-euwest1.s3.dualstack.eu-west-1.amazonaws.com/key"),
    (AWS, f"https://{BUCKET}-useast1.s3-fips.us-east-1.amazonaws.com/key"),
    (AWS, f"https://{BUCKET}-useast1.s3-fips.dualstack.us-east-1.amazonaws.com/key"),
    (AWS, f"https://{BUCKET}-usgovwest1.s3.us-gov-west-1.amazonaws.com/key"),
    (EUROPE, f"https://{BUCKET}-euscdeeast1.s3.eusc-de-east-1.amazonaws.eu/key"),
    (ISO, f"https://{BUCKET}-usisoeast1.s3.us-iso-east-1.c2s.ic.gov/key"),
]


@pytest.mark.rows("R6")
@pytest.mark.parametrize(("suffix", "url"), CLOUDFORMATIONS)
def test_response_url_of_cloudformation_is_accepted(suffix: str, url: str) -> None:
    assert Answers(suffix).is_response_url(url)
    assert Answers(suffix, LOCAL).is_response_url(url)
    assert Answers(suffix).accept(url)


def test_response_url_of_the_local_engine_is_accepted_only_if_it_is_named() -> None:
    assert Answers(AWS, LOCAL).is_response_url(f"{LOCAL}/bucket/key?x")
    assert not Answers(AWS).is_response_url(f"{LOCAL}/bucket/key?x")


HOST = f"{BUCKET}-euwest1.s3.eu-west-1.amazonaws.com"
OTHERS: list[tuple[str, object]] = [
    (AWS, f"http://{HOST}/key"),
    (AWS, f"//{HOST}/key"),
    (AWS, HOST),
    (AWS, f"https://user@{HOST}/key"),
    (AWS, f"https://user:word@{HOST}/key"),
    (AWS, f"https://{HOST}@evil.example/key"),
    (AWS, f"https://{HOST}:8443/key"),
    (AWS, f"https://{HOST}.evil.example/key"),
    (AWS, "https://evil.example/key"),
    (AWS, f"https://evil.example/{HOST}"),
    (AWS, f"https://evil.example?{HOST}"),
    (AWS, f"https://evil.example#.{HOST}"),
    (AWS, f"https://evil.example\\.{HOST}/key"),
    (AWS, "https://evil-s3.eu-west-1.amazonaws.com/key"),
    (AWS, "https://bucket.s3.eu-west-1.notamazonaws.com/key"),
    (AWS, "https://bucket.s3.eu-west-1.amazonawsXcom/key"),
    (AWS, "https://bucket.s3.eu-west-1.amazonaws.com.cn/key"),
    (AWS, "https://bucket.ec2.eu-west-1.amazonaws.com/key"),
    (AWS, "https://bucket.s3-evil-123.eu-west-1.elb.amazonaws.com/key"),
    (AWS, "https://bucket.s3.execute-api.eu-west-1.amazonaws.com/key"),
    (AWS, "https://s3.eu-west-1.amazonaws.com/bucket/key"),
    (AWS, "https://169.254.169.254/latest/meta-data"),
    (AWS, "http://169.254.169.254/latest/meta-data"),
    (AWS, "https://127.0.0.1/key"),
    (AWS, "https://[::1"),
    (AWS, ""),
    (AWS, None),
    (AWS, RESPONSE_URL.encode()),
    (CHINA, RESPONSE_URL),
    (EUROPE, RESPONSE_URL),
    (AWS, "http://127.0.0.1:4567/key"),
    (AWS, "https://127.0.0.1:4566/key"),
    (AWS, "http://user@127.0.0.1:4566/key"),
    (AWS, "http://127x0x0x1:4566/key"),
]


@pytest.mark.parametrize(("suffix", "url"), OTHERS)
def test_other_url_is_not_accepted(suffix: str, url: object) -> None:
    assert not Answers(suffix).is_response_url(url)
    assert not Answers(suffix, LOCAL).is_response_url(url)


def test_deployed_function_answers_to_s3_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv(vocabulary.URL_SUFFIX_VARIABLE, CHINA)

    assert Answers.deployed().expected == f"https to S3 under {CHINA}"


@pytest.mark.rows("R6")
@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://user:word@evil.example:8443/key?X-Amz-Signature=0a1b", "evil.example"),
        ("https://[::1", "no host"),
        ("", "no host"),
        (None, "no URL"),
        ("https://evil\ud83c.example/", "evil\ufffd.example"),
    ],
)
def test_dropped_request_is_logged_with_the_actual_and_the_expected_host(
    url: object, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert not Answers(AWS, LOCAL).accept(url)

    (record,) = caplog.records
    expected = "https to S3 under amazonaws.com, or http://127.0.0.1:4566"
    assert record.levelname == "ERROR"
    assert record.getMessage() == (
        f"Dropped a request: its ResponseURL leads to {host}; expected: {expected}"
    )
    assert (record.__dict__["host"], record.__dict__["expected"]) == (host, expected)


# -- delivery -----------------------------------------------------------------------


@dataclass
class Bucket:
    """An S3 on the loopback interface, to which answers are really put.

    Attributes:
        endpoint: where it is.
        received: what it got: path, headers and body.
        released: set when the test is over, for responses that stall.
    """

    endpoint: str = ""
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """A ResponseURL that leads to it."""
        return f"{self.endpoint}/key?X-Amz-Signature={SIGNATURE}"


Respond = Callable[[Bucket, Request], None]


@contextmanager
def bucket(respond: Respond) -> Iterator[Bucket]:
    """Open a bucket that responds like this."""
    opened = Bucket()

    def take(request: Request) -> None:
        opened.received.append((request.path, dict(request.headers), request.body()))
        respond(opened, request)

    with serving(take) as opened.endpoint:
        try:
            yield opened
        finally:
            opened.released.set()


def status(code: int, **headers: str) -> Respond:
    """Return how a bucket responds with a status."""
    return lambda _, request: request.respond(code, headers=headers)


def cut(_: Bucket, request: Request) -> None:
    """Close the connection in place of a response."""
    request.close_connection = True
    request.connection.shutdown(socket.SHUT_RDWR)


def garbage(_: Bucket, request: Request) -> None:
    """Respond with what is no HTTP."""
    request.close_connection = True
    request.wfile.write(b"garbage\r\n\r\n")


def stall(opened: Bucket, request: Request) -> None:
    """Respond with nothing for as long as the test lasts."""
    request.close_connection = True
    opened.released.wait(30)


@pytest.fixture(autouse=True)
def _directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go through no proxy."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_module, "PUT_SECONDS", 0.2)


ANSWER = answer(reason="Ursache: zu wenig \u00dcbung")
OUTCOMES = {
    200: Delivery.DELIVERED,
    307: Delivery.LATER,
    400: Delivery.REFUSED,
    408: Delivery.LATER,
    429: Delivery.LATER,
    499: Delivery.REFUSED,
    500: Delivery.LATER,
}


@pytest.mark.parametrize("code", OUTCOMES)
def test_status_of_s3_decides_whether_an_answer_is_put_again(code: int) -> None:
    with bucket(status(code, Location="http://127.0.0.1:9/elsewhere")) as s3:
        assert Answers(AWS, s3.endpoint).put(s3.url, ANSWER) is OUTCOMES[code]

    assert len(s3.received) == 1


def test_answer_is_put_without_a_content_type() -> None:
    with bucket(status(200)) as s3:
        Answers(AWS, LOCAL).put(s3.url, ANSWER)

    ((path, headers, body),) = s3.received
    assert path == f"/key?X-Amz-Signature={SIGNATURE}"
    assert body == encoded(ANSWER)
    assert json.loads(body) == ANSWER
    assert {name.lower(): value for name, value in headers.items()}["content-type"] == ""


def test_answer_to_an_unreachable_or_malformed_url_is_put_again() -> None:
    with bucket(status(200)) as s3:
        pass

    for url in (s3.url, f"{LOCAL}/a key\n"):
        assert Answers(AWS, LOCAL).put(url, ANSWER) is Delivery.LATER


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize(
    ("respond", "delivery", "logged"),
    [
        (status(200), Delivery.DELIVERED, []),
        (status(403), Delivery.REFUSED, [("S3 refused the answer: 403", 403, None)]),
        *(
            (respond, Delivery.LATER, [(f"S3 did not take the answer: {name}", None, name)])
            for respond, name in (
                (cut, "RemoteDisconnected"),
                (garbage, "BadStatusLine"),
                (stall, "TimeoutError"),
            )
        ),
    ],
    ids=["200", "403", "cut", "garbage", "stall"],
)
def test_delivery_is_logged_without_the_url(
    respond: Respond,
    delivery: Delivery,
    logged: list[tuple[str, int | None, str | None]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with bucket(respond) as s3:
        assert Answers(AWS, LOCAL).put(s3.url, ANSWER) is delivery

    assert len(s3.received) == 1
    ours = [record for record in caplog.records if record.name.startswith("lambdas")]
    assert [
        (record.getMessage(), vars(record).get("status"), vars(record).get("error"))
        for record in ours
    ] == logged
    assert SIGNATURE not in repr([vars(record) for record in ours])
