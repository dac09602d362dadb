"""Real boto3 clients for the simulated Amazon Personalize, and a clock that tests turn.

Serialisation, validation of parameters, signing, parsing and retries are botocore's own; only the
HTTP request is short-circuited, by botocore's documented `before-send` event, so there is no
socket.
"""

import functools
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypedDict, Unpack
from unittest import mock
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.hooks import first_non_none_response
from botocore.retries import quota
from botocore.retries.quota import RetryQuota
from types_boto3_personalize import PersonalizeClient
from types_boto3_personalize_runtime import PersonalizeRuntimeClient

from local_aws.personalize import Authorizer, Personalize, ServiceError, validation, wire
from tests.support.aws_wire import body_of
from tests.support.place import ACCOUNT, REGION

Before = Callable[[str, dict[str, Any]], None]
"""Called with operation and parameters before the service is reached.

Raise a `botocore.exceptions.HTTPClientError` for a request that never arrives, or a `ServiceError`
for an error that is answered without the service having seen the call.
"""

After = Callable[[str, dict[str, Any], wire.Response], wire.Response | None]
"""Called with operation, parameters and the response, when the service has applied the call.

Raise a `botocore.exceptions.HTTPClientError` for a response that is lost, return another response
to put it in place, or None to leave it.
"""

Answer = Callable[[AWSPreparedRequest, str], wire.Response]
"""Answers an HTTP request for an operation."""


class VirtualClock:
    """A clock that stands still until it is told to advance; times in epoch seconds."""

    def __init__(self, now: float = 1_767_225_600.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class Answering(TypedDict, total=False):
    """How a simulated Personalize answers a client."""

    authorize: Authorizer | None
    caller: str
    before: Before | None
    after: After | None


def client(
    service: Personalize,
    *,
    account: str = ACCOUNT,
    region: str = REGION,
    config: Config | None = None,
    **how: Unpack[Answering],
) -> PersonalizeClient:
    """Return a boto3 `personalize` client whose calls `service` answers.

    Between retries it advances the service's `VirtualClock`, if it has one, and never sleeps.
    """
    answer = _answering(service, account, region, **how)
    made: PersonalizeClient = connected(
        "personalize", answer, service.clock, account=account, region=region, config=config
    )
    return made


def runtime_client(service: Personalize, **how: Unpack[Answering]) -> PersonalizeRuntimeClient:
    """Return a boto3 `personalize-runtime` client, otherwise as `client` does by default."""
    answer = _answering(service, ACCOUNT, REGION, **how)
    made: PersonalizeRuntimeClient = connected("personalize-runtime", answer, service.clock)
    return made


def connected(
    name: str,
    answer: Answer,
    clock: Callable[[], float],
    *,
    account: str = ACCOUNT,
    region: str = REGION,
    config: Config | None = None,
) -> Any:
    """Return a real boto3 client of a service, whose HTTP requests `answer` answers.

    The pauses between retries are spent on the clock if it is a `VirtualClock`. All such clients of
    a service are one underneath, because to make one takes as long as several calls; none finds
    fewer retries left because of what went wrong with an earlier one.
    """
    shared, quotas = _shared(name, account, region, config)
    for one in quotas:
        one.release(one.INITIAL_CAPACITY)
    made = object.__new__(type(shared))  # botocore's clients cannot be copied by `copy`
    vars(made).update(vars(shared))

    def call(operation: str, params: dict[str, Any]) -> Any:
        token = _LINE.set(_Line(answer, clock))
        try:
            return shared._make_api_call(operation, params)
        finally:
            _LINE.reset(token)

    made._make_api_call = call
    return made


@dataclass(frozen=True)
class _Line:
    """Where the calls of one client go."""

    answer: Answer
    clock: Callable[[], float]


_LINE: Final[ContextVar[_Line]] = ContextVar("_LINE")


@functools.cache
def _shared(
    name: str, account: str, region: str, config: Config | None
) -> tuple[Any, Sequence[RetryQuota]]:
    quotas: list[RetryQuota] = []

    def full() -> RetryQuota:
        quotas.append(RetryQuota())
        return quotas[-1]

    with mock.patch.object(quota, "RetryQuota", full):
        made = _session(account, region).client(name, config=config)  # type: ignore[call-overload]

    def send(request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        status, headers, body = _LINE.get().answer(request, event_name.rpartition(".")[2])
        # botocore makes of any mapping the headers that its stubs ask for
        return AWSResponse(request.url, status, headers, _Raw(body))  # type: ignore[arg-type]

    made.meta.events.register("before-send", send)
    _wait_on_clock(made.meta.events)
    return made, quotas


@functools.cache
def _session(account: str, region: str) -> boto3.Session:
    """Return a session, shared because it caches the service models."""
    made = boto3.Session(
        aws_access_key_id=account, aws_secret_access_key="simulated", region_name=region
    )
    parsers = made._session.get_component("response_parser_factory")
    parsers.set_parser_defaults(timestamp_parser=_timestamp)
    return made


def _timestamp(value: str | float) -> datetime:
    """Parse a timestamp; botocore's own parser takes longer than all the rest of an answer."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return datetime.fromtimestamp(value, UTC)


def _answering(
    service: Personalize,
    account: str,
    region: str,
    *,
    authorize: Authorizer | None = None,
    caller: str = "",
    before: Before | None = None,
    after: After | None = None,
) -> Answer:
    def answer(request: AWSPreparedRequest, operation: str) -> wire.Response:
        sent = body_of(request)
        params = json.loads(sent)
        try:
            if before:
                before(operation, params)
            response = wire.handle(
                service,
                method=str(request.method),
                path=urlsplit(request.url).path,
                headers={name: _text(value) for name, value in request.headers.items()},
                body=sent,
                account=account,
                region=region,
                authorize=authorize,
                caller=caller,
            )
        except ServiceError as error:
            runtime = operation in validation.RUNTIME_OPERATIONS
            return wire.error_response(error, runtime=runtime)
        return (after and after(operation, params, response)) or response

    return answer


def _wait_on_clock(events: Any) -> None:
    """Spend the pauses between retries on the virtual clock.

    botocore asks `needs-retry` handlers for a delay and gives it to `time.sleep`, which it does not
    let one replace. So this client's emitter, and no other, answers 0 for every such delay.
    """
    emit = events.emit

    def emit_without_delay(event_name: str, **kwargs: Any) -> Any:
        responses = emit(event_name, **kwargs)
        if not event_name.startswith("needs-retry."):
            return responses
        delay, clock = first_non_none_response(responses), _LINE.get().clock
        if delay and isinstance(clock, VirtualClock):
            clock.advance(delay)
        return [(handler, response and 0) for handler, response in responses]

    events.emit = emit_without_delay


class _Raw(io.BytesIO):
    """A body as urllib3 would hand it to botocore."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
