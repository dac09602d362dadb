"""Read the log of the functions of a local AWS from its CloudWatch Logs."""

import contextlib
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from local_aws.engine import LocalAws

_PLATFORM: Final = ("START RequestId:", "END RequestId:", "REPORT RequestId:")
"""Lines of Lambda's own, which show only that a function ran."""
_PAUSE: Final = 1.0
"""Seconds between two polls."""


def lines(aws: LocalAws, *, follow: bool = False) -> Iterator[str]:
    """Yield the log lines of the functions, the oldest first.

    Args:
        aws: Where they are.
        follow: Whether to go on with new lines, for as long as the local AWS answers.
    """
    shown: set[tuple[str, str]] = set()
    since = 0
    while True:
        found = _events(aws, since)
        for event in found:
            if event.place not in shown and not event.message.startswith(_PLATFORM):
                yield event.message
        # An invocation has a stream of its own here, which is written at once when it has ended.
        shown |= {event.place for event in found}
        since = max((event.timestamp for event in found), default=since)
        if not follow or not aws.is_healthy():
            return
        time.sleep(_PAUSE)


class _Event(NamedTuple):
    timestamp: int
    place: tuple[str, str]
    message: str


def _events(aws: LocalAws, since: int) -> list[_Event]:
    """Return all events of all functions since a time in milliseconds, in order."""
    client = aws.client("logs")
    groups = (
        client.get_paginator("describe_log_groups").paginate().search("logGroups[].logGroupName")
    )
    found = []
    for group in list(groups):
        with contextlib.suppress(client.exceptions.ResourceNotFoundException):  # gone since
            pages = client.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=since
            )
            found += [
                _Event(event["timestamp"], (group, event["logStreamName"]), event["message"])
                for page in pages
                for event in page["events"]
            ]
    return sorted(found, key=lambda event: event.timestamp)
