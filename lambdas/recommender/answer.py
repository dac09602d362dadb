"""Answers to CloudFormation: made within its limits, and delivered to the ResponseURL.

A ResponseURL is a write capability: whoever has it can answer. So it is sent to nobody but S3, and
is in no log and no error. Source: "Custom resource response objects", CloudFormation User Guide
(crpg-ref-responses).
"""

import http.client
import json
import logging
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from .properties import within

LOG = logging.getLogger(__name__)

MAX_BYTES: Final = 4096
MAX_REASON_BYTES: Final = 1500
"""Nobody reads more in a terminal."""

PUT_SECONDS: Final = 10.0

_FINAL_REFUSALS: Final = range(400, 500)
_PASSING_REFUSALS: Final = (408, 429)


def answer_to(
    event: Mapping[str, Any],
    *,
    succeeded: bool,
    physical_id: str,
    reason: str = "",
    attributes: Mapping[str, str],
) -> dict[str, Any]:
    """Return an answer; the reason is cut so that all of it fits, attributes are not.

    A success has no reason, so that one that is answered twice is answered alike.
    """
    answer = {
        "Status": "SUCCESS" if succeeded else "FAILED",
        "Reason": "",
        "PhysicalResourceId": physical_id,
        "StackId": event.get("StackId"),
        "RequestId": event.get("RequestId"),
        "LogicalResourceId": event.get("LogicalResourceId"),
        "Data": dict(attributes),
    }
    if succeeded:
        return answer
    left = MAX_BYTES - len(encoded(answer)) + len('""')
    shown = within(readable(reason) or "No reason was given.", min(left, MAX_REASON_BYTES))
    return {**answer, "Reason": shown}


_UNREADABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def readable(text: str) -> str:
    """Return a text without the characters that XML cannot have.

    With one of them in a reason, nobody can read the stack's events any more
    (cloudformation-coverage-roadmap issue 1601); and Lambda's runtime cannot log half of a pair.
    """
    return _UNREADABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def failure(
    event: Mapping[str, Any], reason: str, attributes: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the answer to a request of which nothing has come."""
    return answer_to(
        event,
        succeeded=False,
        physical_id=physical_id(event),
        reason=reason,
        attributes=attributes or {},
    )


def physical_id(event: Mapping[str, Any]) -> str:
    """Return a physical id that keeps what there is: a Delete must not change it."""
    return str(event.get("PhysicalResourceId") or event.get("LogicalResourceId") or "unknown")


def encoded(answer: Mapping[str, Any]) -> bytes:
    """Return the bytes of an answer."""
    return json.dumps(answer).encode()


def sent_at(response_url: str) -> float | None:
    """Return when CloudFormation made a request, in epoch seconds, if its ResponseURL says so.

    It is signed when the request is made, and names that time (``X-Amz-Date``, "Authenticating
    Requests: Using Query Parameters", S3 API Reference; seen with ``X-Amz-Expires=7199`` in
    aws-cdk issue 13292).
    """
    (signed,) = parse_qs(urlsplit(response_url).query).get("X-Amz-Date", [""])[:1]
    try:
        time = datetime.fromisoformat(signed)
    except ValueError:
        return None
    return time.timestamp() if time.tzinfo else None


class Delivery(Enum):
    """What has become of an answer."""

    DELIVERED = auto()
    REFUSED = auto()
    """For good, as when the ResponseURL has expired."""
    LATER = auto()


class Answers:
    """Puts answers to ResponseURLs."""

    def __init__(self, endpoint: str) -> None:
        """Take the endpoint of a service: ResponseURLs are in the same DNS as it is.

        Args:
            endpoint: ``https://personalize.eu-west-1.amazonaws.com``, or that of a local AWS.
        """
        parts = urlsplit(endpoint)
        aws = re.fullmatch(
            r"(?:cloudformation|personalize)(?:-fips)?\.[a-z0-9-]+\.(.+)", parts.netloc
        )
        self._scheme = parts.scheme
        self._host = re.compile(
            rf"[a-z0-9.-]+\.s3[a-z0-9.-]*\.{re.escape(aws[1])}" if aws else re.escape(parts.netloc)
        )

    def may_go_to(self, response_url: object) -> bool:
        """Whether that is a ResponseURL to which an answer may be put."""
        if not isinstance(response_url, str):
            return False
        try:
            parts = urlsplit(response_url)
        except ValueError:
            return False
        return parts.scheme == self._scheme and bool(self._host.fullmatch(parts.netloc))

    def put(self, response_url: str, answer: Mapping[str, Any]) -> Delivery:
        """Put an answer, once; what comes of it is logged without the URL."""
        request = urllib.request.Request(  # noqa: S310  # see may_go_to
            response_url, encoded(answer), {"Content-Type": ""}, method="PUT"
        )
        try:
            with urllib.request.urlopen(request, timeout=PUT_SECONDS):  # noqa: S310
                return Delivery.DELIVERED
        except urllib.error.HTTPError as error:
            error.close()
            LOG.warning("The answer was refused", extra={"status": error.code})
            final = error.code in _FINAL_REFUSALS and error.code not in _PASSING_REFUSALS
            return Delivery.REFUSED if final else Delivery.LATER
        except (OSError, http.client.HTTPException) as error:
            LOG.warning("The answer could not be put", extra={"error": type(error).__name__})
            return Delivery.LATER
