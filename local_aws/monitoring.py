"""The observer of a stack, invoked in the place of its schedule: the local engine fires none."""

import json
from typing import Any, Final

from local_aws import logs
from local_aws.engine import LocalAws, LocalAwsError

_SCHEDULE: Final = "AWS::Scheduler::Schedule"


def observe(aws: LocalAws, stack: str) -> list[dict[str, Any]]:
    """Invoke the targets of a stack's schedules, and return the lines that they have written.

    A stack without monitoring has no schedule, and writes none.

    Args:
        aws: Where it is.
        stack: Its name.

    Raises:
        LocalAwsError: The observer has failed; the message says how.
    """
    return [_observe(aws, name) for name in _schedules(aws, stack)]


def _schedules(aws: LocalAws, stack: str) -> list[str]:
    pages = aws.client("cloudformation").get_paginator("list_stack_resources")
    found = pages.paginate(StackName=stack).search("StackResourceSummaries[]")
    return [one["PhysicalResourceId"] for one in found if one["ResourceType"] == _SCHEDULE]


def _observe(aws: LocalAws, name: str) -> dict[str, Any]:
    target = aws.client("scheduler").get_schedule(Name=name)["Target"]
    answer = aws.client("lambda").invoke(FunctionName=target["Arn"], Payload=target["Input"])
    if "FunctionError" in answer:
        raise LocalAwsError(f"The observer has failed: {answer['Payload'].read().decode()}")
    written = [line for line in logs.lines(aws) if '"_aws"' in line]
    if not written:
        raise LocalAwsError("The observer has written nothing into its log.")
    line: dict[str, Any] = json.loads(written[-1])
    return line
