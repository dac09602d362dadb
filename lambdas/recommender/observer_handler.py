"""The entry point of monitoring; the schedule invokes it."""

import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from .aws.cloudformation import Stacks
from .aws.cloudwatch import CloudWatch
from .aws.personalize import Personalize
from .clients import LaterClient, client
from .monitoring.observer import Observer


def observe(event: Mapping[str, Any], _context: object) -> None:
    """Lambda entry point: observe a recommender, and write the observation into the log."""
    observer().observe(event)


@cache
def observer() -> Observer:
    """Connect the observer.

    It prints its line: Lambda would wrap a record of the log, and CloudWatch would not find
    ``_aws``.
    """
    return Observer(
        Personalize(client("personalize")),
        Stacks(LaterClient("cloudformation")),
        CloudWatch(LaterClient("cloudwatch")),
        time.time,
        print,
    )
