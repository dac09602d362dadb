"""Make answers within CloudFormation's limits, and deliver them to the ResponseURL.

A ResponseURL is a write capability: every holder can answer. So this module sends it to S3 only,
and puts it in no log and no error. Source: "Custom resource response objects", CloudFormation User
Guide (crpg-ref-responses).
"""

import http.client
import json
import logging
import os
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from .. import vocabulary as v
from ..text import readable, truncate

LOG = logging.getLogger(__name__)

MAX_BYTES: Final = 4096
MAX_REASON_BYTES: Final = 1500
"""A longer reason is hard to read in a terminal."""

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
    """Return an answer; cut the reason, never the attributes, to the limit.

    A success has no reason, so a second answer to the same request equals the first.
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
    shown = truncate(readable(reason) or "No reason was given.", min(left, MAX_REASON_BYTES))
    return {**answer, "Reason": shown}


def failure(event: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """Return the answer to a request that changed nothing."""
    return answer_to(
        event, succeeded=False, physical_id=physical_id(event), reason=reason, attributes={}
    )


def physical_id(event: Mapping[str, Any]) -> str:
    """Return the request's own physical id, if any: a Delete must not change it."""
    return str(event.get("PhysicalResourceId") or event.get("LogicalResourceId") or "unknown")


def encoded(answer: Mapping[str, Any]) -> bytes:
    """Return the bytes of an answer."""
    return json.dumps(answer).encode()


def sent_at(response_url: str) -> float | None:
    """Read the time of a request, in epoch seconds, from its ResponseURL, if the URL has it.

    CloudFormation signs the URL with the request, and the signature names the time (``X-Amz-Date``,
    "Authenticating Requests: Using Query Parameters", S3 API Reference; seen with
    ``X-Amz-Expires=7199`` in aws-cdk issue 13292).
    """
    (signed,) = parse_qs(urlsplit(response_url).query).get("X-Amz-Date", [""])[:1]
    try:
        time = datetime.fromisoformat(signed)
    except ValueError:
        return None
    return time.timestamp() if time.tzinfo else None


def host_of(url: object) -> str:
    """Return the host of a URL; no other part of it may be logged."""
    try:
        return readable(urlsplit(url).hostname or "no host") if isinstance(url, str) else "no URL"
    except ValueError:
        return "no host"


class Delivery(Enum):
    """The result of a delivery, in words for the log."""

    DELIVERED = "answered"
    REFUSED = "not answered: the ResponseURL no longer takes an answer"
    """For good, for example because the ResponseURL has expired."""
    LATER = "not answered yet"


class Answers:
    """Puts answers to ResponseURLs."""

    def __init__(self, url_suffix: str, local_endpoint: str = "") -> None:
        """Take the allowed targets of ResponseURLs.

        Args:
            url_suffix: the partition's ``AWS::URLSuffix``, such as ``amazonaws.com``.
            local_endpoint: that of a local engine, if any, such as ``http://127.0.0.1:4566``.
        """
        self.expected = f"https to S3 under {url_suffix}" + (
            f", or {local_endpoint}" if local_endpoint else ""
        )
        self._s3 = re.compile(
            rf"[a-z0-9.-]+\.s3(-fips)?(\.dualstack)?([.-]([a-z]+-)+\d+)?\.{re.escape(url_suffix)}"
        )
        self._local = urlsplit(local_endpoint)[:2] if local_endpoint else None

    @classmethod
    def deployed(cls) -> "Answers":
        """Read the targets from the environment of a deployed function.

        ``AWS_ENDPOINT_URL``, the endpoint of all services, is that of a local engine; its
        ResponseURLs lead there. ``AWS_ENDPOINT_URL_PERSONALIZE`` does not count: it may be a VPC
        endpoint, or another simulator.
        """
        suffix = os.environ.get(v.URL_SUFFIX_VARIABLE, "amazonaws.com")
        return cls(suffix, os.environ.get("AWS_ENDPOINT_URL", ""))

    def is_response_url(self, response_url: object) -> bool:
        """Return whether an answer may be put to that URL."""
        if not isinstance(response_url, str):
            return False
        try:
            scheme, host, *_ = urlsplit(response_url)
        except ValueError:
            return False
        is_s3 = scheme == "https" and self._s3.fullmatch(host)
        return bool(is_s3) or (scheme, host) == self._local

    def accept(self, response_url: object) -> bool:
        """Return whether an answer may be put there; if not, log the host, never the URL."""
        if self.is_response_url(response_url):
            return True
        came = host_of(response_url)
        LOG.error(
            "Dropped a request: its ResponseURL leads to %s; expected: %s",
            came,
            self.expected,
            extra={"host": came, "expected": self.expected},
        )
        return False

    def put(self, response_url: str, answer: Mapping[str, Any]) -> Delivery:
        """Put an answer, once; log the result without the URL."""
        request = urllib.request.Request(  # noqa: S310  # see accept
            response_url, encoded(answer), {"Content-Type": ""}, method="PUT"
        )
        try:
            with urllib.request.urlopen(request, timeout=PUT_SECONDS):  # noqa: S310
                return Delivery.DELIVERED
        except urllib.error.HTTPError as error:
            error.close()
            LOG.warning(f"S3 refused the answer: {error.code}", extra={"status": error.code})
            final = error.code in _FINAL_REFUSALS and error.code not in _PASSING_REFUSALS
            return Delivery.REFUSED if final else Delivery.LATER
        except (OSError, http.client.HTTPException) as error:
            name = type(error).__name__
            LOG.warning(f"S3 did not take the answer: {name}", extra={"error": name})
            return Delivery.LATER
