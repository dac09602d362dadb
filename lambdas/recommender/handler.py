"""The two entry points: ``begin`` for CloudFormation, ``poll`` for the state machine."""

import os
import time
from collections.abc import Mapping
from functools import cache
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
"""A call lasts a minute at most."""


@cache
def _resources() -> CustomResources:
    cloudformation = boto3.client("cloudformation", config=CLIENT)
    return CustomResources(
        Personalize(boto3.client("personalize", config=CLIENT)),
        Stacks(cloudformation),
        Answers(cloudformation.meta.endpoint_url),
        time.time,
    )


@cache
def _waiter() -> Waiter:
    stepfunctions = boto3.client("stepfunctions", config=CLIENT)
    return Waiter(stepfunctions, os.environ[v.STATE_MACHINE_VARIABLE])


def begin(event: Mapping[str, Any], _context: object) -> None:
    """Lambda entry point, the service token: begin a request of CloudFormation."""
    _resources().begin(event, _waiter(), interval=float(os.environ[v.POLL_INTERVAL_VARIABLE]))


def poll(state: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Lambda entry point: look again at a request that is waited for."""
    return _resources().poll(state)
