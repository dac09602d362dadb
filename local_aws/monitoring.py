"""The observer of a stack, invoked in the place of its schedule: the local engine fires none."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from local_aws import logs
from local_aws.engine import LocalAws, LocalAwsError

_SCHEDULE: Final = "AWS::Scheduler::Schedule"


def observe(aws: LocalAws, stack: str) -> list[dict[str, Any]]:
    """Invoke the observers that a stack's schedules would invoke, and return the lines they write.

    A stack without monitoring has no such schedule, and writes none.

    Args:
        aws: Where it is.
        stack: Its name.

    Raises:
        LocalAwsError: The observer has failed; the message says how.
    """
    return [_observe(aws, target) for target in _targets(aws, stack)]


def alarms(aws: LocalAws) -> list[str]:
    """Return the descriptions of the alarms that are on."""
    pages = aws.client("cloudwatch").get_paginator("describe_alarms").paginate(StateValue="ALARM")
    return sorted(one["AlarmDescription"] for page in pages for one in page["MetricAlarms"])


def _targets(aws: LocalAws, stack: str) -> Iterator[Mapping[str, Any]]:
    """Yield the targets of the observers' schedules; others have a group of their own."""
    scheduler = aws.client("scheduler")
    pages = aws.client("cloudformation").get_paginator("list_stack_resources")
    for one in pages.paginate(StackName=stack).search("StackResourceSummaries[]"):
        if one["ResourceType"] == _SCHEDULE:
            with contextlib.suppress(scheduler.exceptions.ResourceNotFoundException):
                yield scheduler.get_schedule(Name=one["PhysicalResourceId"])["Target"]


def _observe(aws: LocalAws, target: Mapping[str, Any]) -> dict[str, Any]:
    answer = aws.client("lambda").invoke(FunctionName=target["Arn"], Payload=target["Input"])
    if "FunctionError" in answer:
        raise LocalAwsError(f"The observer has failed: {answer['Payload'].read().decode()}")
    written = [line for line in logs.lines(aws) if '"_aws"' in line]
    if not written:
        raise LocalAwsError("The observer has written nothing into its log.")
    line: dict[str, Any] = json.loads(written[-1])
    return line
