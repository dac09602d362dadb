"""The custom resources, connected to AWS as the functions are."""

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
"""A call lasts a minute at most, and an invocation makes a dozen: less than a function may last."""


def client(service: str) -> Any:
    """Return a client of a service as boto3 makes it: by botocore, of which a session is enough.

    boto3's own part is resources and transfers, of which nothing is used here, and its import is a
    part of a cold start that shows (docs/internals/benchmarks.md).
    """
    return _session().create_client(service, config=CLIENT)


@cache
def _session() -> Session:
    return Session()


class LaterClient:
    """A client that is made when it is first used.

    Most cold starts look at Personalize only, and another client takes as long as all of our code.
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
    """Connect the state machine that polls for them."""
    return StateMachine(LaterClient("stepfunctions"), os.environ[v.STATE_MACHINE_VARIABLE])


def poll_interval() -> float:
    """Return the seconds between two polls."""
    return float(os.environ[v.POLL_INTERVAL_VARIABLE])
