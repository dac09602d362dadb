"""The ways in which a call can fail, the calls that can, and what lets them."""

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from local_aws.personalize import validation, wire
from tests.reliability.calls import PERSONALIZE, error
from tests.reliability.lifecycles import ALL, GOOD, prepared, wrong_with
from tests.reliability.world import World

ATTEMPTS: Final = 3
"""As often the SDK tries a call: a fault that is to be seen has to last as long."""

_URL: Final = "https://personalize"


@dataclass(frozen=True)
class FaultKind:
    """One way in which a call fails.

    Attributes:
        attempts: How many of the SDK's attempts at the call fail; what comes after them succeeds.
        retried: Whether the SDK makes another attempt, if it has one left.
        code: The error that is answered in place of the service.
        lost: What happens to the connection before the service sees the call.
        seconds: How long each attempt takes to fail.
        applied: What becomes of the answer of a call that the service has applied.
        passes: Whether the fault goes away by itself, so that nothing may fail because of it.
    """

    attempts: int = ATTEMPTS
    retried: bool = True
    code: str = ""
    lost: Callable[[], Exception] | None = None
    seconds: float = 0.0
    applied: Callable[[str], bytes] | None = None
    passes: bool = True

    def failure(self) -> Exception:
        """Return what an attempt ends with that the service never sees."""
        return self.lost() if self.lost else error(self.code)

    def strikes(self, operation: str) -> bool:
        """Whether an operation can fail like this: most errors are declared by the API."""
        if self.code not in ("ResourceInUseException", "ResourceNotFoundException"):
            return True
        if operation not in PERSONALIZE:
            return False
        shapes = validation.operation_model(operation).error_shapes
        return self.code in [shape.name for shape in shapes]


def closed() -> Exception:
    """Return what the SDK raises when the connection ends before an answer."""
    return ConnectionClosedError(endpoint_url=_URL)


def _lose(_operation: str) -> bytes:
    raise closed()


def _cut(operation: str) -> bytes:
    return b"<a/>" if operation == "DescribeStacks" else b"{}"


KINDS: Final[Mapping[str, FaultKind]] = {
    "throttled twice": FaultKind(code="ThrottlingException", attempts=2),
    "throttled": FaultKind(code="ThrottlingException"),
    "internal error": FaultKind(code="InternalServerError"),
    "unavailable": FaultKind(code="ServiceUnavailable"),
    "reset": FaultKind(lost=closed),
    "timeout": FaultKind(lost=lambda: ReadTimeoutError(endpoint_url=_URL), seconds=20.0),
    "lost once": FaultKind(applied=_lose, attempts=1),
    "lost": FaultKind(applied=_lose),
    "cut": FaultKind(applied=_cut, attempts=1, retried=False),
    "denied": FaultKind(code="AccessDeniedException", attempts=1, retried=False, passes=False),
    "hidden": FaultKind(code="ResourceNotFoundException", attempts=1, retried=False),
    "in use": FaultKind(code="ResourceInUseException", attempts=1, retried=False),
}


class Site(NamedTuple):
    """The nth call of an operation in a lifecycle; the SDK's attempts at it are one call."""

    operation: str
    nth: int


class Cell(NamedTuple):
    """One fault of one call."""

    site: Site
    kind: str

    @property
    def passes(self) -> bool:
        """Whether nothing may fail because of it.

        That a dataset group or a dataset is not there is not waited for: nobody is creating it.
        """
        hidden_data = self.kind == "hidden" and self.site.operation.startswith("DescribeDataset")
        return KINDS[self.kind].passes and not hidden_data

    def __str__(self) -> str:
        return f"{self.site.operation} {self.site.nth} {self.kind}"


class Faults:
    """Lets calls of a world's stack fail, each of them once.

    Attributes:
        happened: The faults so far.
        calls: All calls so far, with what each of them was made for.
        attempts: How many attempts the SDK has made at them.
    """

    def __init__(self, world: World, *cells: Cell) -> None:
        self.happened: list[Cell] = []
        self.calls: dict[Site, tuple[str, ...]] = {}
        self.attempts = 0
        self._world = world
        self._cells = {cell.site: cell for cell in cells}
        self._numbers: Counter[str] = Counter()
        self._fails: Cell | None = None
        self._failures = 0
        self._tried_again = False
        world.cloud.before = self._before
        world.cloud.after = self._after

    def end(self) -> None:
        """Let nothing fail any more."""
        self._world.cloud.before = lambda _operation, _params: None
        self._world.cloud.after = lambda _operation, _params, _response: None

    def _before(self, operation: str, _params: dict[str, Any]) -> None:
        self.attempts += 1
        if not self._tried_again:
            self._begin(operation)
        self._tried_again = False
        kind = self._kind
        if kind and not kind.applied:
            self._world.clock.advance(kind.seconds)
            self._fail(kind)
            raise kind.failure()

    def _after(
        self, operation: str, _params: dict[str, Any], response: wire.Response
    ) -> wire.Response | None:
        kind = self._kind
        if not kind or not kind.applied:
            return None
        self._fail(kind)
        return (*response[:2], kind.applied(operation))

    @property
    def _kind(self) -> FaultKind | None:
        """How the attempt under way fails, if it does."""
        kind = KINDS[self._fails.kind] if self._fails else None
        return kind if kind and self._failures < kind.attempts else None

    def _begin(self, operation: str) -> None:
        self._numbers[operation] += 1
        site = Site(operation, self._numbers[operation])
        invocation = self._world.cloud.invocations[-1]
        event = invocation.request.event
        self.calls[site] = (event["ResourceType"], event["RequestType"], invocation.function)
        self._fails, self._failures = self._cells.get(site), 0

    def _fail(self, kind: FaultKind) -> None:
        assert self._fails
        if not self._failures:
            self.happened.append(self._fails)
        self._failures += 1
        self._tried_again = kind.retried and self._failures < ATTEMPTS


class Path(NamedTuple):
    """The calls of a lifecycle without faults.

    Attributes:
        calls: All of them.
        kinds_of_calls: The first of each operation in each phase of each resource.
        attempts: How many attempts at them the SDK makes.
    """

    calls: tuple[Site, ...]
    kinds_of_calls: tuple[Site, ...]
    attempts: int


@functools.cache
def path(lifecycle: str) -> Path:
    """Return the calls of a lifecycle without faults."""
    world, faults = lived(lifecycle)
    assert wrong_with(world, lifecycle, GOOD) == ""
    firsts: dict[tuple[str, ...], Site] = {}
    for site, purpose in faults.calls.items():
        firsts.setdefault((*purpose, site.operation), site)
    return Path(tuple(faults.calls), tuple(firsts.values()), faults.attempts)


def cells(sites: Iterable[Site], kind: str | None = None) -> list[Cell]:
    """Return the faults that calls can have, of all kinds or of one."""
    kinds = KINDS if kind is None else [kind]
    return [
        Cell(site, one) for site in sites for one in kinds if KINDS[one].strikes(site.operation)
    ]


def each_once(
    lifecycle: str, disturb: Callable[[World, int], Callable[[], bool]], creations: int = 1
) -> tuple[int, dict[int, str]]:
    """Go through a lifecycle as often as something can happen in it, each time once.

    Args:
        lifecycle: which one.
        disturb: lets it happen for the nth time only; returns whether it has.
        creations: how many recommenders may be created.

    Returns:
        How often it happened, and what was wrong in the end, by that number.
    """
    wrong: dict[int, str] = {}
    nth = 0
    while True:
        nth += 1
        world = prepared(lifecycle)
        started, has_happened = world.clock.now, disturb(world, nth)
        ALL[lifecycle](world)
        if not has_happened():
            return nth - 1, wrong
        world.heal()
        if world.attempts("CreateRecommender", since=started).count("OK") > creations:
            wrong[nth] = "created twice"
        elif outcome := wrong_with(world, lifecycle, GOOD):
            wrong[nth] = outcome


def lived(lifecycle: str, *faults: Cell) -> tuple[World, Faults]:
    """Go through a lifecycle in which calls fail."""
    world = prepared(lifecycle)
    injected = Faults(world, *faults)
    ALL[lifecycle](world)
    injected.end()
    return world, injected
