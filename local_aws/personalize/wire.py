"""The HTTP protocol of the simulated Amazon Personalize, without sockets.

This is a SIMULATION, not AWS. Requests are those of the SDKs: JSON 1.1 for `personalize`, REST JSON
for `personalize-runtime`, as in the service models inside botocore. The response headers are those
in the saved outputs of github.com/aws-samples/amazon-personalize-immersion-day. Paths under
`/_personalize` are not AWS's; they are there for people and tests:

    GET    /_personalize/                 a page to look at; ?user=... shows recommendations,
                                          with &item=... those for an item X
    GET    /_personalize/state            everything, at a glance
    GET    /_personalize/journal          all calls so far; DELETE forgets them
    GET    /_personalize/behaviour        what can be adjusted; PUT changes the fields it is given
    POST   /_personalize/dataset-groups   puts a dataset group in place:
                                          {"account", "region", "name"[, "data", "domain", ...]}
"""

import dataclasses
import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

from local_aws.personalize.behaviour import Behaviour
from local_aws.personalize.errors import ServiceError
from local_aws.personalize.service import Authorizer, Personalize

Response = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""

_ADMIN: Final = "/_personalize/"
_TARGET: Final = "AmazonPersonalize."
_RUNTIME_PATHS: Final = {"/recommendations": "GetRecommendations"}
_JSON_1_1: Final = "application/x-amz-json-1.1"
_REST_JSON: Final = "application/json"
_HEADERS: Final = {
    "strict-transport-security": "max-age=47304000; includeSubDomains",
    "x-frame-options": "DENY",
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
}


class CredentialScope(NamedTuple):
    """The signer and the target in the `Authorization` header of Signature Version 4."""

    access_key: str
    region: str
    service: str


def credential_scope(headers: Mapping[str, str]) -> CredentialScope | None:
    """Return the credential scope of a request, or None if it is not signed."""
    found = re.search(
        r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request",
        _header(headers, "authorization"),
    )
    return CredentialScope(*found.groups()) if found else None


def is_personalize(headers: Mapping[str, str], path: str) -> bool:
    """Whether a request is for `handle`: to Personalize, to its runtime, or to the admin paths."""
    scope = credential_scope(headers)
    return (
        path.startswith(_ADMIN)
        or _header(headers, "x-amz-target").startswith(_TARGET)
        or (scope is not None and scope.service == "personalize")
    )


def is_recommendation(path: str) -> bool:
    """Whether a request is a GetRecommendations."""
    return _RUNTIME_PATHS.get(path) == "GetRecommendations"


def handle(
    service: Personalize,
    *,
    method: str,
    path: str,
    query: str = "",
    headers: Mapping[str, str],
    body: bytes,
    account: str = "",
    region: str = "",
    authorize: Authorizer | None = None,
    caller: str = "",
) -> Response:
    """Answer one HTTP request; every error of the service is an answer, none is raised.

    Args:
        service: Who answers.
        method: The HTTP method.
        path: The path, without the query.
        query: The query, without its question mark; only the page reads it.
        headers: Names in any case.
        body: The whole body.
        account: The account of the signer, empty if the request is not signed.
        region: The region of the credential scope, empty if the request is not signed.
        authorize: Allows or denies the request; None allows everything.
        caller: The ARN of the signer, for the journal.
    """
    if (method, path) == ("GET", _ADMIN):
        return _page(service, query)
    if path.startswith(_ADMIN):
        return _administer(service, f"{method} {path.removeprefix(_ADMIN)}", body)
    runtime = path in _RUNTIME_PATHS
    target = _header(headers, "x-amz-target").removeprefix(_TARGET)
    try:
        if not (account and region):
            raise ServiceError("MissingAuthenticationTokenException", "Missing token", 403)
        answer = service.call(
            _RUNTIME_PATHS.get(path, target),
            _parse(body),
            account=account,
            region=region,
            authorize=authorize,
            caller=caller,
        )
    except ServiceError as error:
        return error_response(error, runtime=runtime)
    # DeleteRecommender has no output in the model, and an empty body
    empty = target == "DeleteRecommender"
    return _respond(200, b"" if empty else _dump(answer), _REST_JSON if runtime else _JSON_1_1)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        params = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", f"Malformed JSON: {error}") from error
    if not isinstance(params, dict):
        raise ServiceError("SerializationException", "The body is not a JSON object")
    return params


def error_response(error: ServiceError, *, runtime: bool) -> Response:
    """Return the response that carries an error, in the protocol of one or the other service."""
    if not runtime:
        body = {"__type": error.code, "message": error.message}
        return _respond(error.http_status, _dump(body), _JSON_1_1)
    status, headers, content = _respond(
        error.http_status, _dump({"message": error.message}), _REST_JSON
    )
    return status, headers | {"x-amzn-errortype": f"{error.code}:"}, content


def _respond(status: int, body: bytes, content_type: str) -> Response:
    own = {"content-type": content_type, "x-amzn-requestid": str(uuid.uuid4())}
    return status, own | {"content-length": str(len(body))} | _HEADERS, body


def _dump(value: object) -> bytes:
    return json.dumps(value).encode()


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _administer(service: Personalize, request: str, body: bytes) -> Response:
    action = _ADMINISTRATION.get(request)
    if action is None:
        known = ", ".join(_ADMINISTRATION)
        return _respond(404, _dump({"message": f"{request} is not one of {known}"}), _REST_JSON)
    try:
        return _respond(200, _dump(action(service, body)), _REST_JSON)
    except (ValueError, TypeError) as error:
        return _respond(400, _dump({"message": str(error)}), _REST_JSON)


def _page(service: Personalize, query: str) -> Response:
    from local_aws import page  # noqa: PLC0415  # with what it plots with, for those who look

    asked = parse_qs(query)
    user, item = (asked.get(name, [""])[0] for name in ("user", "item"))
    html = page.service_page(
        service.overview(), service.sources(), user=user, item=item, now=service.clock()
    )
    status, headers, body = _respond(200, html.encode(), "text/html; charset=utf-8")
    return status, headers | {"content-security-policy": page.SECURITY_POLICY}, body


def _journal(service: Personalize, _: bytes) -> object:
    return [dataclasses.asdict(call) for call in list(service.journal)]


def _forget(service: Personalize, _: bytes) -> object:
    service.journal.clear()
    return []


def _adjust(service: Personalize, body: bytes) -> object:
    service.behaviour = Behaviour.from_json(body, base=service.behaviour)
    return dataclasses.asdict(service.behaviour)


def _seed(service: Personalize, body: bytes) -> object:
    return {"datasetGroupArn": service.seed_dataset_group(**json.loads(body))}


_ADMINISTRATION: Final[Mapping[str, Callable[[Personalize, bytes], object]]] = {
    "GET state": lambda service, _: service.state(),
    "GET journal": _journal,
    "DELETE journal": _forget,
    "GET behaviour": lambda service, _: dataclasses.asdict(service.behaviour),
    "PUT behaviour": _adjust,
    "POST dataset-groups": _seed,
}
