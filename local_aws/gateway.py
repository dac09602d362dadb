"""The one port of the local AWS: the simulated Personalize, and ministack for everything else.

Both live in one process because only there can a caller's access key be resolved to the policies
that ministack enforces. That also spares the Lambda functions an endpoint of their own: ministack
gives them `AWS_ENDPOINT_URL`, and boto3 finds Personalize there as it finds every other service.

Deviation from AWS: traffic is plain HTTP on the loopback interface, while policies see it as TLS,
as behind a terminating proxy. So policies that deny plain HTTP, beginning with that of the CDK
bootstrap bucket, stay effective as deployed.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from hypercorn.typing import (
    ASGIReceiveCallable,
    ASGISendCallable,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    HTTPScope,
    Scope,
)
from ministack.app import app as ministack  # type: ignore[import-untyped]

from local_aws.ministack import iam, metrics
from local_aws.personalize import Behaviour, Personalize, wire

_BEHIND_TLS: Final = (b"x-forwarded-proto", b"https")

_personalize: Final = Personalize(Behaviour())


async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Serve as an ASGI application."""
    if scope["type"] == "http":
        scope["headers"] = [*scope["headers"], _BEHIND_TLS]
        if wire.is_personalize(iam.joined(scope["headers"]), scope["path"]):
            await _respond(send, *_answer(scope, await _body(receive)))
            return
    await ministack(scope, receive, send)


def _answer(scope: HTTPScope, body: bytes) -> iam.Response:
    headers = iam.joined(scope["headers"])
    signer: dict[str, Any] = {}
    if wire.credential_scope(headers):
        try:
            caller = iam.authenticate(scope, body)
        except iam.RefusedError as refused:
            return refused.response
        signer = {
            "account": caller.account,
            "region": caller.region,
            "authorize": caller.authorize,
            "caller": caller.arn,
        }
    response = wire.handle(
        _personalize,
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
        **signer,
    )
    if wire.is_recommendation(scope["path"]) and response[0] == HTTPStatus.OK:
        metrics.count_call(json.loads(body)["recommenderArn"])
    return response


async def _body(receive: ASGIReceiveCallable) -> bytes:
    parts = []
    while (message := await receive())["type"] == "http.request":
        parts.append(message["body"])
        if not message["more_body"]:
            break
    return b"".join(parts)


async def _respond(
    send: ASGISendCallable, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send(HTTPResponseStartEvent(type="http.response.start", status=status, headers=raw))
    await send(HTTPResponseBodyEvent(type="http.response.body", body=body, more_body=False))
