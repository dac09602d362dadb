"""Too many calls, too slow ones, long lists, and credentials that are not taken."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import pytest

from local_aws.personalize import wire
from tests.reliability.calls import PERSONALIZE, error, once, raising, refuse
from tests.reliability.faults import ATTEMPTS, path
from tests.reliability.lifecycles import (
    ALL,
    EVERY_LIFECYCLE,
    GOOD,
    LIFECYCLES,
    REPAIRABLE,
    prepared,
    wrong_with,
)
from tests.reliability.world import HOUR, MINUTE, QUICKER, World, texts
from tests.support.aws_wire import json_response
from tests.support.cloudformation import Stack
from tests.support.serverless import Event
from tests.support.synthesis import Deployable

pytestmark = pytest.mark.sweep
DURATIONS: Final = QUICKER
HOURS: Final = 0.9


# -- too many calls ------------------------------------------------------------------------------

MOST_CALLS_PER_MINUTE: Final = 3 * ATTEMPTS
"""A poll makes two calls at most before it sees that nothing goes; what was begun just before the
same minute makes one more."""


@pytest.mark.rows("TH3")
@pytest.mark.parametrize("lifecycle", EVERY_LIFECYCLE)
def test_a_lifecycle_always_throttled_ends_in_time_with_few_calls(lifecycle: str) -> None:
    world = prepared(lifecycle)
    times: list[float] = []

    def throttled(operation: str, _params: dict[str, Any]) -> None:
        if operation in PERSONALIZE:
            times.append(world.clock.now)
            raise error("ThrottlingException")

    world.cloud.before = throttled
    ALL[lifecycle](world)
    assert world.stack.status in REPAIRABLE[len(GOOD) :]
    assert "ThrottlingException" in texts(world.stack)
    assert "did not receive a response" not in texts(world.stack)
    per_minute = Counter(time // MINUTE for time in times)
    assert max(per_minute.values()) <= MOST_CALLS_PER_MINUTE
    world.heal()
    assert wrong_with(world, lifecycle, REPAIRABLE) == ""


@pytest.mark.rows("TH3")
@pytest.mark.parametrize("lifecycle", LIFECYCLES)
def test_a_stack_that_describe_stacks_never_shows_is_not_changed(lifecycle: str) -> None:
    world = prepared(lifecycle)
    started = world.clock.now
    world.cloud.before = refuse("DescribeStacks", "Throttling")
    LIFECYCLES[lifecycle](world)
    assert world.stack.status in REPAIRABLE[len(GOOD) :]
    assert world.clock.now - started < 3 * HOUR
    assert "did not receive a response" not in texts(world.stack)
    assert world.changes(since=started) == []
    world.heal()
    assert wrong_with(world, lifecycle, REPAIRABLE) == ""


STACKS: Final = 50
CALLS_PER_SECOND: Final = 5.0


class TokenBucket:
    """Refuses what comes faster than so many calls a second, as a token bucket does."""

    def __init__(self, world: World) -> None:
        self.refused = 0
        self.calls = 0
        self._clock = world.clock
        self._tokens = CALLS_PER_SECOND
        self._since = world.clock.now
        world.cloud.before = self._before

    def _before(self, operation: str, _params: dict[str, Any]) -> None:
        if operation not in PERSONALIZE:
            return
        self.calls += 1
        earned = (self._clock.now - self._since) * CALLS_PER_SECOND
        self._since = self._clock.now
        self._tokens = min(CALLS_PER_SECOND, self._tokens + max(earned, 0.0))
        if self._tokens < 1:
            self.refused += 1
            raise error("ThrottlingException")
        self._tokens -= 1


@pytest.mark.rows("TH4")
def test_fifty_stacks_at_once_all_get_their_recommender_under_a_rate_limit(world: World) -> None:
    world.behaviour.recommenders_per_dataset_group = STACKS
    world.behaviour.recommenders_per_region = STACKS
    template = Deployable.of("TopPicks", {"max_training_hours": world.hours})
    stacks = [world.stack, *(world.cloud.stack(f"Picks{number}") for number in range(1, STACKS))]
    limit = TokenBucket(world)

    def together(operate: Callable[[Stack], object]) -> set[str]:
        for stack in stacks:
            operate(stack)
        world.cloud.finish()
        return {stack.status for stack in stacks}

    without_a_limit = STACKS * len(path("create").calls)
    assert together(lambda one: one.create(template, wait=False)) == {"CREATE_COMPLETE"}
    assert limit.refused > STACKS, "the limit is felt"
    assert limit.calls <= 3 * without_a_limit
    assert together(lambda one: one.delete(wait=False)) == {"DELETE_COMPLETE"}
    assert world.cloud.recommenders() == {}


# -- calls that take long ------------------------------------------------------------------------


@pytest.mark.rows("T2")
@pytest.mark.parametrize("seconds", [5.0, 20.0, 60.0])
@pytest.mark.parametrize("lifecycle", EVERY_LIFECYCLE)
def test_a_function_never_runs_out_of_time_over_slow_calls(lifecycle: str, seconds: float) -> None:
    """A call that is answered at its last attempt has taken a minute."""
    world = prepared(lifecycle)
    longest = 0.0

    def timed(_function: str, _event: Event, invoke: Callable[[], Any]) -> Any:
        nonlocal longest
        began = world.clock.now
        answer = invoke()
        longest = max(longest, world.clock.now - began)
        return answer

    def slow(_operation: str, _params: dict[str, Any], _response: object = None) -> None:
        world.clock.advance(seconds / 2)

    world.cloud.around, world.cloud.before, world.cloud.after = timed, slow, slow
    ALL[lifecycle](world)
    functions = world.stack.template.ids_of("AWS::Lambda::Function")
    properties = [world.stack.template.resources[one]["Properties"] for one in functions]
    timeouts = [one["Timeout"] for one in properties if "recommender" in one["Handler"]]
    assert longest < min(timeouts)
    assert wrong_with(world, lifecycle, GOOD) == ""


# -- credentials that are not taken --------------------------------------------------------------

PASSING: Final = "ExpiredToken"
LASTING: Final = "UnrecognizedClientException"
"""One of each kind of code: `aws/errors.py` knows the others, and its tests list them."""


@pytest.mark.rows("TH6")
@pytest.mark.parametrize("lifecycle", ["create", "delete"])
def test_credentials_that_are_put_right_do_not_fail_a_deployment(lifecycle: str) -> None:
    for operation in sorted({site.operation for site in path(lifecycle).calls}):
        world = prepared(lifecycle)
        world.cloud.before = once(operation, raising(error(PASSING)))
        assert LIFECYCLES[lifecycle](world) in GOOD, (operation, texts(world.stack))


@pytest.mark.rows("TH6")
@pytest.mark.parametrize("code", [PASSING, LASTING])
@pytest.mark.parametrize("lifecycle", ["create", "replace", "delete"])
def test_a_lifecycle_with_refused_credentials_ends_in_time_with_the_reason(
    lifecycle: str, code: str
) -> None:
    world = prepared(lifecycle)
    started = world.clock.now
    attempts = 0

    def refused(operation: str, _params: dict[str, Any]) -> None:
        nonlocal attempts
        if operation in PERSONALIZE:
            attempts += 1
            raise error(code)

    world.cloud.before = refused
    LIFECYCLES[lifecycle](world)
    assert world.stack.status in REPAIRABLE[len(GOOD) :]
    assert code in texts(world.stack)
    assert "did not receive a response" not in texts(world.stack)
    assert world.changes(since=started) == []
    if code == LASTING:
        failed = next(event.time for event in world.stack.events if event.status.endswith("FAILED"))
        assert failed - started < (3 * HOUR if lifecycle == "delete" else 10 * MINUTE)
    assert attempts <= (world.clock.now - started) / MINUTE * 2 + 10
    world.heal()
    assert wrong_with(world, lifecycle, REPAIRABLE) == ""


# -- long lists ----------------------------------------------------------------------------------

PAGES: Final = 300


class LongList:
    """Answers ListRecommenders in 300 pages, with what there is on the last of them.

    The stack owns a leftover of long ago, which only a list can find.

    Attributes:
        scans: How many lists have been begun, and how many have come to their end.
        breaks: Answers what becomes of a page, by its number and that of the scan, or None.
    """

    def __init__(self, world: World, breaks: Callable[[int, int], wire.Response | None]) -> None:
        self.scans = [0, 0]
        self.breaks = breaks
        self._world = world
        world.created()
        self.leftover = f"TopPicks-{'0' * 16}"
        world.foreign(self.leftover, tags=world.recommender["tags"])
        world.cloud.after = self._after

    def _after(
        self, operation: str, params: dict[str, Any], _response: wire.Response
    ) -> wire.Response | None:
        if operation != "ListRecommenders":
            return None
        number = int(params.get("nextToken", 0))
        self.scans[0] += number == 0
        broken = self.breaks(number, self.scans[0])
        if broken is not None:
            return broken
        last = number == PAGES - 1
        self.scans[1] += last
        names = list(self._world.cloud.recommenders()) if last else [f"theirs-{number}"]
        page = {"recommenders": [{"name": name} for name in names]}
        return json_response(page if last else page | {"nextToken": str(number + 1)})


def _empty(number: int) -> wire.Response:
    return json_response({"recommenders": [], "nextToken": str(number + 1)})


INCOMPLETE: Final[dict[str, Callable[[int], wire.Response]]] = {
    "invalid token": lambda _: json_response(
        {"__type": "InvalidNextTokenException", "message": "no"}
    ),
    "throttled": lambda _: json_response({"__type": "ThrottlingException", "message": "no"}),
    "cut": lambda _: json_response({}),
    "the same token": lambda number: json_response({"recommenders": [], "nextToken": str(number)}),
}


DELETIONS: Final = ["DeleteRecommender", "DeleteRecommender"]


@pytest.mark.rows("TH7")
def test_what_is_left_is_found_on_the_last_of_300_pages_though_some_are_empty(world: World) -> None:
    pages = LongList(world, lambda number, _: _empty(number) if number % 10 == 0 else None)
    assert world.deleted() == DELETIONS
    assert pages.scans[0] == pages.scans[1] > 1
    assert world.owned == []


@pytest.mark.rows("TH7")
@pytest.mark.parametrize("how", INCOMPLETE)
def test_a_list_that_breaks_off_midway_is_begun_anew(world: World, how: str) -> None:
    broken = INCOMPLETE[how]
    pages = LongList(
        world, lambda number, scan: broken(number) if number == 150 and scan < 6 else None
    )
    assert world.deleted() == DELETIONS
    assert pages.scans[0] > pages.scans[1]
    assert world.owned == []


@pytest.mark.rows("TH7")
def test_a_list_that_never_comes_to_its_end_is_not_taken_for_absence(world: World) -> None:
    broken = INCOMPLETE["throttled"]
    pages = LongList(world, lambda number, _: broken(number) if number == 3 else None)
    assert world.stack.delete() == "DELETE_FAILED"
    assert "ListRecommenders" in texts(world.stack)
    assert [one["name"] for one in world.owned] == [pages.leftover]
    pages.breaks = lambda _number, _scan: None
    world.deleted()
    assert world.owned == []
