"""The entry points under Lambda's own Python runtime, which talks to a Runtime API on loopback.

`awslambdaric` is what runs a handler in Lambda. Here it gets its events from this process ("Using
the Lambda runtime API for custom runtimes", Lambda Developer Guide), and calls a region on the
loopback interface.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

import pytest

from lambdas.recommender.model.timing import GRACE_SECONDS
from tests.support.http import Request, serving

from .examples import SIGNATURE, gate
from .fakes import LoopbackRegion, loopback_region

pytest.importorskip("runtime_client", reason="the runtime's own client is Linux's alone")

ASSET: Final = Path(__file__).parents[3] / "lambdas"
NEXT: Final = "/2018-06-01/runtime/invocation/next"
INVOCATION: Final = {
    "Content-Type": "application/json",
    "Lambda-Runtime-Aws-Request-Id": "1",
    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:::function:one",
}
SECONDS: Final = 30
"""For a process to start; then it is broken."""

Function = Callable[[Any], Any]


@contextmanager
def function(name: str, environment: dict[str, str]) -> Iterator[Function]:
    """Start a function, and give what invokes it; what it logs must not have a ResponseURL."""
    events: SimpleQueue[bytes | None] = SimpleQueue()
    returned: SimpleQueue[tuple[str, bytes]] = SimpleQueue()

    def respond(request: Request) -> None:
        if request.command == "POST":
            returned.put((request.path.rpartition("/")[2], request.body()))
            request.respond(202, b"{}")
            return
        assert request.path == NEXT
        if (event := events.get()) is not None:
            deadline = str(int(time.time() * 1000) + 900_000)
            request.respond(200, event, INVOCATION | {"Lambda-Runtime-Deadline-Ms": deadline})

    def invoke(event: Any) -> Any:
        events.put(json.dumps(event).encode())
        what, body = returned.get(timeout=SECONDS)
        assert what == "response", body
        return json.loads(body)

    with (
        serving(respond) as api,
        subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", f"recommender.handler.{name}"],
            cwd=ASSET,
            env={
                **os.environ,
                **environment,
                "AWS_LAMBDA_RUNTIME_API": api.removeprefix("http://"),
                "AWS_EXECUTION_ENV": "AWS_Lambda_python3.14",
                "AWS_LAMBDA_LOG_FORMAT": "JSON",
                "AWS_LAMBDA_LOG_LEVEL": "INFO",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        try:
            yield invoke
        finally:
            process.kill()
            events.put(None)
            logged, _ = process.communicate()
    assert '"level": "INFO"' in logged
    assert SIGNATURE not in logged
    assert {json.loads(line)["level"] for line in logged.splitlines()} <= {"INFO", "WARNING"}


@pytest.fixture
def region() -> Iterator[LoopbackRegion]:
    """A region of AWS on the loopback interface."""
    with loopback_region() as made:
        yield made


def test_request_passes_begin_and_poll_under_the_runtime_of_lambda(region: LoopbackRegion) -> None:
    raw = gate() | {"ResponseURL": f"{region.response_url}&X-Amz-Signature={SIGNATURE}"}
    with function("begin", region.environment) as begin:
        assert begin(raw) is None
    (execution,) = region.executions
    state = json.loads(execution["input"])

    with function("poll", region.environment) as poll:
        polled = poll(state)
        assert (polled["Looks"], polled["Answer"], polled["Doubted"]) == (1, None, None)

        region.exists = False
        unconfirmed = poll(polled)
        verdict, since = unconfirmed["Doubted"]
        assert (verdict, unconfirmed["Answer"]) == ("Fail 120", None)

        unconfirmed["Doubted"] = [verdict, since - GRACE_SECONDS]
        decided = poll(unconfirmed)
        assert decided["Answer"]["Status"] == "FAILED"
        assert region.answers == []

        assert poll(decided)["Ended"] is True
    assert region.answers == [decided["Answer"]]
