"""Faults of HTTP itself: the function's own client, a proxy that breaks things, and the service.

Here nothing of boto3 is short-circuited: it is configured as in the function, opens sockets, tries
again and reads what comes back. microburst stands between it and the simulated Personalize, and
says itself which faults it has made.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import pytest
from aiohttp import web
from botocore.config import Config
from microburst.app import make_app  # type: ignore[import-untyped]
from microburst.core.pipeline import Microburst  # type: ignore[import-untyped]

from lambdas.recommender import clients
from local_aws.personalize import wire
from tests.reliability.lifecycles import ALL, GOOD, prepared, wrong_with
from tests.reliability.world import World
from tests.support.deployed_code import DeployedFunctions
from tests.support.place import ACCOUNT, REGION

pytestmark = pytest.mark.sweep

FAULTS: Final[Mapping[str, dict[str, Any]]] = {
    "throttled twice": {"error": {"code": "ThrottlingException"}, "times": 2},
    "throttled": {"error": {"code": "ThrottlingException"}, "times": 3},
    "internal error": {"error": {"code": "InternalServerError"}, "times": 3},
    "unavailable": {"error": {"code": "ServiceUnavailable"}, "times": 3},
    "reset": {"reset": True, "times": 3},
    "timeout": {"timeout_ms": 600, "times": 3},
    "lost once": {"response": {"abort_bytes": 0}, "times": 1},
    "lost": {"response": {"abort_bytes": 0}, "times": 3},
    "cut": {"response": {"truncate_frac": 0.5}, "times": 1},
    "broken off": {"response": {"abort_frac": 0.5}, "times": 3},
}
READ_TIMEOUT: Final = 0.4
"""Seconds; shorter than what is to be a timeout, and all that is not as in the function."""

CHANGES: Final[Mapping[str, str]] = {
    "CreateRecommender": "create",
    "UpdateRecommender": "update",
    "DeleteRecommender": "delete",
    "StartRecommender": "start",
    "StopRecommender": "stop",
    "TagResource": "adopt",
    "UntagResource": "cancelled adoption",
}
"""Every operation that changes something, and a lifecycle in which it is called."""


class Proxy:
    """A simulated Personalize over HTTP, behind microburst.

    Attributes:
        url: Where clients find it.
        world: Whose service answers.
    """

    def __init__(self) -> None:
        self.url = ""
        self.world: World | None = None
        self._microburst: Microburst | None = None
        self._loop = asyncio.new_event_loop()

    @contextmanager
    def serving(self) -> Iterator["Proxy"]:
        """Serve on ports of the loopback interface that nobody else uses."""
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        service, proxy = self._run(self._start())
        try:
            yield self
        finally:
            self._run(proxy.cleanup())
            self._run(service.cleanup())
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def breaks(self, operation: str, fault: Mapping[str, Any]) -> None:
        """Let the first calls of an operation fail."""
        assert self._microburst
        self._microburst.fired.clear()
        self._microburst.engine.set_rules([{"operation": operation, **fault}])

    @property
    def broken(self) -> list[str | None]:
        """The operations of the faults that microburst has made."""
        assert self._microburst
        return [event.operation for event in self._microburst.fired]

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=10)

    async def _start(self) -> tuple[web.AppRunner, web.AppRunner]:
        app = web.Application()
        app.router.add_post("/", self._answer)
        service, service_url = await _serve(app)
        self._microburst = Microburst(service_url)
        proxy, self.url = await _serve(make_app(self._microburst))
        return service, proxy

    async def _answer(self, request: web.Request) -> web.Response:
        assert self.world
        status, headers, body = wire.handle(
            self.world.service,
            method=request.method,
            path=request.path,
            headers=request.headers,
            body=await request.read(),
            account=ACCOUNT,
            region=REGION,
            caller=self.world.stack.id,
        )
        headers.pop("content-length")
        # microburst breaks off no answer without a body, though it says so
        return web.Response(status=status, headers=headers, body=body or b"{}")


async def _serve(app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    return runner, f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    with Proxy().serving() as proxy:
        yield proxy


@pytest.fixture
def over_http(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[World], World]]:
    """Connect a world's handlers to its service over HTTP, with a client as the function has it."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "simulated",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": proxy.url,
    }.items():
        monkeypatch.setenv(name, value)
    quick = clients.CLIENT.merge(Config(read_timeout=READ_TIMEOUT))
    monkeypatch.setattr(clients, "CLIENT", quick)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    opened: list[Any] = []

    def connect(world: World) -> World:
        over_http = clients.request_handler().personalize
        opened.append(over_http._api)
        proxy.world = world
        functions = world.stack.functions
        assert isinstance(functions, DeployedFunctions)
        resources = replace(functions.resources, personalize=over_http)
        world.stack.functions = replace(functions, resources=resources)
        return world

    yield connect
    for client in opened:
        client.close()


SEEN_BY_THE_SERVICE: Final[Mapping[str, list[str]]] = {
    "lost once": ["OK", "ResourceAlreadyExistsException"],
    "lost": ["OK", "ResourceAlreadyExistsException", "ResourceAlreadyExistsException"],
    "cut": ["OK"],
}
"""The attempts at CreateRecommender that a fault lets through, and their outcomes."""


@pytest.mark.rows("TH1", "C2", "C3", "U2")
@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        *(("CreateRecommender", fault) for fault in FAULTS),
        *((operation, fault) for operation in list(CHANGES)[1:] for fault in ("reset", "lost")),
    ],
)
def test_a_change_whose_connection_fails_is_made_once_and_ends_well(
    proxy: Proxy, over_http: Callable[[World], World], operation: str, fault: str
) -> None:
    """What a fault of HTTP comes to in the SDK is the same for each operation."""
    lifecycle = CHANGES[operation]
    world = over_http(prepared(lifecycle))
    started = world.clock.now
    proxy.breaks(operation, FAULTS[fault])
    ALL[lifecycle](world)
    assert proxy.broken == [operation] * FAULTS[fault]["times"]
    attempts = world.attempts(operation, since=started)
    if operation in ("CreateRecommender", "UpdateRecommender"):
        assert attempts.count("OK") == 1
    if operation == "CreateRecommender" and fault in SEEN_BY_THE_SERVICE:
        assert attempts == SEEN_BY_THE_SERVICE[fault]
    assert wrong_with(world, lifecycle, GOOD) == ""
