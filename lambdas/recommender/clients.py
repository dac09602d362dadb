"""The custom resources, connected to AWS as the functions are; made when they are first needed."""

import os
import time
from functools import cache, cached_property
from typing import Any, Final

import boto3
from botocore.config import Config

from . import vocabulary as v
from .answer import Answers
from .personalize import Personalize
from .protocol import CustomResources
from .stack import Stacks
from .waiter import Waiter

CLIENT: Final = Config(
    connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 3}
)
"""A call lasts a minute at most, and an invocation makes a dozen: less than a function may last."""


class CloudFormation:
    """CloudFormation, whose client is made when a request may change something.

    Most cold starts look at Personalize only, and this client takes as long as all of our own code.
    """

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803
        """DescribeStacks."""
        return self._client.describe_stacks(StackName=StackName)

    @cached_property
    def _client(self) -> Any:
        return boto3.client("cloudformation", config=CLIENT)


@cache
def resources() -> CustomResources:
    """Return what answers requests."""
    client = boto3.client("personalize", config=CLIENT)
    return CustomResources(
        Personalize(client),
        Stacks(CloudFormation()),
        Answers(client.meta.endpoint_url),
        time.time,
    )


@cache
def waiter() -> Waiter:
    """Return what waits for them."""
    client = boto3.client("stepfunctions", config=CLIENT)
    return Waiter(client, os.environ[v.STATE_MACHINE_VARIABLE])


def poll_interval() -> float:
    """Return the seconds between two looks."""
    return float(os.environ[v.POLL_INTERVAL_VARIABLE])
