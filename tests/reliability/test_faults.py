"""Every call that the code makes, in every path, fails once in every way."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError

from local_aws.personalize import wire
from tests.reliability.lives import CLEAN, EVERY_CALL, GOOD, LIVES, prepared, wrong_with
from tests.reliability.world import MINUTE, World, error, once, raising, refuse, texts

pytestmark = pytest.mark.sweep

ATTEMPTS = 3
"""As often the SDK tries a call: a fault that is to be seen has to last as long."""

TRANSIENT = ("throttled", "failing", "unreachable", "lost", "cut", "in use", "hidden")
PERMANENT = ("denied",)


@dataclass
class Fault:
    """One fault of the nth call of a kind; retries of the SDK are of the same call."""

    kind: str
    nth: int
    operation: str
    seen: int = 0
    left: int = 0

    def install(self, world: World) -> None:
        world.cloud.before = self._before
        world.cloud.after = self._after

    def _before(self, operation: str, _params: dict[str, Any]) -> None:
        if operation != self.operation:
            self.left = 0
            return
        if not self.left:
            self.seen += 1
            if self.seen == self.nth:
                self.left = ATTEMPTS
        if self.left:
            self._refuse()

    def _refuse(self) -> None:
        codes = {
            "throttled": "ThrottlingException",
            "failing": "InternalServerError",
            "denied": "AccessDeniedException",
            "in use": "ResourceInUseException",
            "hidden": "ResourceNotFoundException",
        }
        if self.kind in codes:
            self.left = self.left - 1 if self.kind in ("throttled", "failing") else 0
            raise error(codes[self.kind])
        if self.kind == "unreachable":
            self.left -= 1
            raise ConnectTimeoutError(endpoint_url="https://personalize")

    def _after(
        self, operation: str, _params: dict[str, Any], response: wire.Response
    ) -> wire.Response | None:
        if operation != self.operation or not self.left:
            return None
        self.left -= 1
        if self.kind == "lost":
            raise ConnectionClosedError(endpoint_url="https://personalize")
        if self.kind == "cut" and response[0] == 200:
            self.left = 0
            return (*response[:2], b"{}" if operation != "DescribeStacks" else b"<a/>")
        return None


def _sites(life: str) -> Iterator[tuple[str, int]]:
    """Yield the calls of a life without faults: the first of each kind in each of its phases."""
    world = prepared(life)
    calls: list[str] = []
    found: dict[tuple[object, ...], tuple[str, int]] = {}

    def before(operation: str, _params: dict[str, Any]) -> None:
        calls.append(operation)
        invocation = world.cloud.invocations[-1]
        request = invocation.request
        signature = (
            request.event["ResourceType"],
            request.type,
            invocation.function,
            operation,
        )
        found.setdefault(signature, (operation, calls.count(operation)))

    world.cloud.before = before
    LIVES[life](world)
    assert world.stack.status.endswith("_COMPLETE")
    yield from found.values()


def _outcome(life: str, kind: str, operation: str, nth: int) -> str:
    """Return what is wrong with a life in which one call fails, or nothing."""
    world = prepared(life)
    fault = Fault(kind, nth, operation)
    fault.install(world)
    LIVES[life](world)
    if fault.seen < nth:
        return "the fault did not come about"
    never_fails = kind in TRANSIENT and operation != "DescribeStacks"
    return wrong_with(world, life, GOOD if never_fails else CLEAN)


@pytest.mark.rows("TH1")
@pytest.mark.parametrize("kind", [*TRANSIENT, *PERMANENT])
@pytest.mark.parametrize("life", EVERY_CALL)
def test_one_fault_of_any_call_ends_well(life: str, kind: str) -> None:
    wrong = {
        f"{operation} {nth}": outcome
        for operation, nth in _sites(life)
        if _applies(kind, operation) and (outcome := _outcome(life, kind, operation, nth))
    }
    assert wrong == {}


def _applies(kind: str, operation: str) -> bool:
    """Whether the API declares such an error for the operation."""
    if kind == "in use":
        return operation not in ("DescribeStacks", "ListRecipes", "ListRecommenders") and (
            not operation.startswith("Describe")
        )
    if kind == "hidden":
        return operation in ("DescribeRecommender", "ListTagsForResource")
    return True


@pytest.mark.rows("TH1", "C4")
@pytest.mark.parametrize("life", ["create", "replace", "update"])
def test_a_recommender_that_is_hidden_for_one_look_is_not_given_up(world: World, life: str) -> None:
    """The look comes after a quarter of an hour of training, through a gate."""
    world.behaviour.create_in_progress = 40 * MINUTE
    world.behaviour.update_in_progress = 40 * MINUTE
    if life != "create":
        world.created()
    started = world.clock.now
    world.cloud.before = once(
        "DescribeRecommender",
        raising(error("ResourceNotFoundException")),
        when=lambda: world.clock.now > started + 15 * MINUTE,
    )
    assert LIVES[life](world).removeprefix("UPDATE").removeprefix("CREATE") == "_COMPLETE", texts(
        world.stack
    )


@pytest.mark.rows("TH1")
@pytest.mark.parametrize("life", LIVES)
def test_a_stack_that_cannot_be_asked_for_once_is_asked_again(life: str) -> None:
    world = prepared(life)
    Fault("throttled", 1, "DescribeStacks").install(world)
    assert LIVES[life](world) in GOOD, texts(world.stack)


@pytest.mark.rows("TH5")
@pytest.mark.parametrize("seconds", [3.0, 20.0, 100.0])
def test_a_role_whose_policy_is_not_in_force_yet_is_borne_with(
    world: World, seconds: float
) -> None:
    """IAM takes its time after it has answered, for all of a new role's permissions alike."""
    started = world.clock.now

    def denied(_operation: str, _params: dict[str, Any]) -> None:
        if world.clock.now < started + seconds:
            raise error("AccessDeniedException")

    world.cloud.before = denied
    world.created()


@pytest.mark.rows("TH3")
@pytest.mark.parametrize("every", [2, 3, 5])
@pytest.mark.parametrize("life", LIVES)
def test_a_service_that_throttles_all_the_time_is_borne_with(life: str, every: int) -> None:
    world = prepared(life)
    world.behaviour.throttle_every = every
    assert LIVES[life](world) in GOOD, texts(world.stack)


@pytest.mark.rows("U3", "C5")
@pytest.mark.parametrize("life", LIVES)
def test_tags_that_cannot_be_read_during_changes_are_waited_for(life: str) -> None:
    world = prepared(life)
    world.behaviour.tag_calls_during_change = "in_use"
    assert LIVES[life](world) in GOOD, texts(world.stack)
    assert wrong_with(world, life, GOOD) == ""


@pytest.mark.rows("S1", "S3")
def test_nothing_that_may_be_written_to_is_ever_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.created()
    world.cloud.before = refuse("UpdateRecommender", "AccessDeniedException")
    assert world.update(exploration_weight=0.7) == "UPDATE_ROLLBACK_COMPLETE"
    assert world.stack.delete() == "DELETE_COMPLETE"
    assert len(caplog.records) > 100


@pytest.mark.rows("D5")
@pytest.mark.parametrize("life", ["create", "update", "replace", "delete"])
def test_a_stack_that_shows_its_status_late_is_looked_at_again(world: World, life: str) -> None:
    """Whether DescribeStacks shows a new operation at once is not documented."""
    if life != "create":
        world.created()
        world.clock.advance(MINUTE)
    world.cloud.status_lag = 5.0
    assert LIVES[life](world) in GOOD, texts(world.stack)
