"""The bodies of AWS's requests and responses, for fakes that answer real clients.

Sources: "AWS JSON 1.1 protocol" and "AWS Query protocol", Smithy; botocore's parsers read them.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSPreparedRequest

from local_aws.personalize import ServiceError, wire


def body_of(request: AWSPreparedRequest) -> bytes:
    """Return the body of a request that botocore sends."""
    body: object = request.body
    assert isinstance(body, str | bytes)
    return body.encode() if isinstance(body, str) else body


def json_response(answer: object) -> wire.Response:
    """Answer in JSON; an error has a member `__type`."""
    failed = isinstance(answer, Mapping) and "__type" in answer
    return 400 if failed else 200, {}, json.dumps(answer).encode()


def query_of(request: AWSPreparedRequest) -> dict[str, str]:
    """Return the parameters of a request in the Query protocol."""
    return dict(parse_qsl(body_of(request).decode()))


def query_response(operation: str, result: str) -> wire.Response:
    """Answer in the Query protocol, with a result in XML."""
    result = f"<{operation}Result>{result}</{operation}Result>"
    return 200, {}, f"<{operation}Response>{result}</{operation}Response>".encode()


def query_error(error: ServiceError) -> wire.Response:
    """Answer with an error in the Query protocol."""
    described = element("Code", error.code) + element("Message", error.message)
    body = f"<ErrorResponse><Error>{described}</Error></ErrorResponse>"
    return error.http_status, {}, body.encode()


def listed(name: str, members: Iterable[Mapping[str, str]]) -> str:
    """Return a list in XML; a member's empty elements are left out."""
    found = (
        "".join(element(key, text) for key, text in member.items() if text) for member in members
    )
    return f"<{name}>{''.join(f'<member>{one}</member>' for one in found)}</{name}>"


def element(name: str, text: str) -> str:
    """Return an element in XML."""
    return f"<{name}>{escape(text)}</{name}>"


def iso(time: float | None) -> str:
    """Return a time in ISO 8601, or nothing if there is none."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds") if time else ""
