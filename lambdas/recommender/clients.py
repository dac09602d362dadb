"""Connect the custom resources to AWS, as in the functions."""

import os
import time
from functools import cache, partial
from typing import Any, Final

from botocore.config import Config
from botocore.session import Session

from . import vocabulary as v
from .aws.cloudformation import Stacks
from .aws.personalize import Personalize
from .protocol.answer import Answers
from .protocol.execution import StateMachine
from .protocol.request_handler import RequestHandler

CLIENT: Final = Config(
    connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 3}
)
"""A call lasts at most a minute. An invocation makes a dozen: less than a function may last."""


def client(service: str) -> Any:
    """Make a client of a service by botocore, as boto3 does.

    boto3 adds resources and transfers, which this package does not use. Its import would make a
    cold start visibly longer (docs/internals/benchmarks.md).
    """
    return _session().create_client(service, config=CLIENT)


@cache
def _session() -> Session:
    return Session()


class LaterClient:
    """Make a client at its first use.

    Most cold starts call Personalize only, and another client takes as long as all of our code.
    """

    def __init__(self, service: str) -> None:
        self._made = cache(partial(client, service))

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._made(), operation)


def request_handler() -> RequestHandler:
    """Connect the handler of requests."""
    return RequestHandler(
        Personalize(LaterClient("personalize")),
        Stacks(LaterClient("cloudformation")),
        Answers.deployed(),
        time.time,
    )


@cache
def state_machine() -> StateMachine:
    """Connect the state machine that polls."""
    return StateMachine(LaterClient("stepfunctions"), os.environ[v.STATE_MACHINE_VARIABLE])


def poll_interval() -> float:
    """Return the seconds between two polls."""
    return float(os.environ[v.POLL_INTERVAL_VARIABLE])
