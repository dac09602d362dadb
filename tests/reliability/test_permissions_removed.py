"""With any one permission taken from the functions, what needs it fails, says so and harms nothing.

What has failed can be finished, or deleted without a trace, when the permission is back.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pytest

from tests.reliability.lifecycles import ALL, prepared
from tests.reliability.world import World, texts
from tests.support import deployed_code
from tests.support.cloudformation import Stack
from tests.support.permissions import listed

pytestmark = [pytest.mark.rows("S4"), pytest.mark.sweep]

LIFECYCLES: Final[dict[str, Callable[[World], str]]] = {
    **{lifecycle: ALL[lifecycle] for lifecycle in ("create", "cancelled creation", "adopt")},
    **{lifecycle: ALL[lifecycle] for lifecycle in ("update", "replace", "stop", "start", "delete")},
    "untag": lambda world: world.update(),
    "release": lambda world: world.stack.delete(),
}

ENDS: Final = {
    "create": "CREATE_COMPLETE",
    "cancelled creation": "ROLLBACK_COMPLETE",
    "adopt": "CREATE_COMPLETE",
    **dict.fromkeys(("update", "replace", "stop", "start", "untag"), "UPDATE_COMPLETE"),
    **dict.fromkeys(("delete", "release"), "DELETE_COMPLETE"),
}
"""How each ends when nothing is missing."""

CREATES: Final = {"create": "ROLLBACK_COMPLETE", "replace": "UPDATE_ROLLBACK_COMPLETE"}
CHANGES: Final = dict.fromkeys(("update", "stop", "start", "untag"), "UPDATE_ROLLBACK_FAILED")
REMOVES: Final = {
    "cancelled creation": "ROLLBACK_FAILED",
    "delete": "DELETE_FAILED",
    "release": "DELETE_FAILED",
}
ALWAYS: Final = {
    "create": "ROLLBACK_FAILED",
    "adopt": "ROLLBACK_FAILED",
    "replace": "UPDATE_ROLLBACK_FAILED",
    **CHANGES,
    **REMOVES,
}
CLEANS_UP: Final = {"replace": "UPDATE_COMPLETE"}
"""The new recommender serves; the next deployment that changes it deletes the old one."""

NEEDED: Final[Mapping[str, Mapping[str, str]]] = {
    "cloudformation:DescribeStacks": ALWAYS,
    "personalize:CreateRecommender": CREATES,
    "personalize:DeleteRecommender": {
        "cancelled creation": "ROLLBACK_FAILED",
        "delete": "DELETE_FAILED",
        **CLEANS_UP,
    },
    "personalize:DescribeDataset": CREATES,
    "personalize:DescribeDatasetGroup": CREATES,
    # Nothing is created then, which the sweeps find out; a cancelled creation has not said it.
    "personalize:DescribeRecommender": {
        **{
            lifecycle: end for lifecycle, end in ALWAYS.items() if lifecycle != "cancelled creation"
        },
        "create": "ROLLBACK_COMPLETE",
    },
    "personalize:ListRecipes": CREATES,
    "personalize:ListRecommenders": {
        **dict.fromkeys(CHANGES, "UPDATE_ROLLBACK_COMPLETE"),
        **REMOVES,
    },
    "personalize:ListTagsForResource": {
        "adopt": "ROLLBACK_FAILED",
        **CHANGES,
        **REMOVES,
        **CLEANS_UP,
    },
    "personalize:StartRecommender": {"start": "UPDATE_ROLLBACK_COMPLETE"},
    "personalize:StopRecommender": {"stop": "UPDATE_ROLLBACK_COMPLETE"},
    "personalize:TagResource": {**CREATES, "adopt": "ROLLBACK_COMPLETE"},
    "personalize:UntagResource": {"untag": "UPDATE_ROLLBACK_COMPLETE", "release": "DELETE_FAILED"},
    "personalize:UpdateRecommender": {
        "adopt": "ROLLBACK_COMPLETE",
        "update": "UPDATE_ROLLBACK_COMPLETE",
        "start": "UPDATE_ROLLBACK_COMPLETE",
    },
    "states:StartExecution": {
        **dict.fromkeys(("create", "adopt", "cancelled creation"), "ROLLBACK_COMPLETE"),
        **dict.fromkeys(
            ("update", "replace", "stop", "start", "untag"), "UPDATE_ROLLBACK_COMPLETE"
        ),
    },
}
"""What fails without an action, and how it ends; all else succeeds."""


def test_every_permission_of_the_functions_is_taken_away_once(world: World) -> None:
    world.created()

    granted = {
        action
        for statement in deployed_code._statements(world.stack)
        for action in listed(statement["Action"])
    }
    assert {one for one in granted if not one.startswith("logs:")} == NEEDED.keys()


@pytest.mark.parametrize("lifecycle", LIFECYCLES)
@pytest.mark.parametrize("action", NEEDED)
def test_a_deployment_without_a_permission_fails_naming_it_and_harms_nothing(
    action: str, lifecycle: str
) -> None:
    world = _prepared(lifecycle)
    before = _seen(world)

    with _without(action):
        status = LIFECYCLES[lifecycle](world)
        world.cloud.drain()

    assert status == NEEDED[action].get(lifecycle, ENDS[lifecycle])
    assert (action in texts(world.stack)) is (lifecycle in NEEDED[action])
    if status.endswith("ROLLBACK_COMPLETE"):
        assert _seen(world) == before
    _finish(world, lifecycle, before)


def _finish(world: World, lifecycle: str, before: Mapping[str, Any]) -> None:
    """Do again what has been rolled back, then delete the stack; nothing of it may be left."""
    if world.stack.status == "UPDATE_ROLLBACK_FAILED":
        assert world.stack.roll_back() == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)
        assert _seen(world) == before
    if world.stack.status == "UPDATE_ROLLBACK_COMPLETE":
        assert LIFECYCLES[lifecycle](world) == "UPDATE_COMPLETE", texts(world.stack)
    if world.stack.status != "DELETE_COMPLETE":
        world.deleted()
    world.cloud.drain()
    world.invariants.check()
    assert not world.owned
    adopted = {"films"} if lifecycle in ("adopt", "release") else set()
    assert world.cloud.recommenders().keys() == adopted


def _prepared(lifecycle: str) -> World:
    world = prepared({"untag": "update", "release": "adopt"}.get(lifecycle, lifecycle))
    if lifecycle == "untag":
        world.updated(tags={"team": "films"})
    if lifecycle == "release":
        assert ALL["adopt"](world) == "CREATE_COMPLETE"
    return world


def _seen(world: World) -> dict[str, Any]:
    """Return what anybody can see of the recommenders, but for when they changed."""
    shown = ("status", "recommenderConfig", "tags")
    return {
        name: {key: one[key] for key in shown} for name, one in world.cloud.recommenders().items()
    }


@contextlib.contextmanager
def _without(action: str) -> Iterator[None]:
    """Take an action out of all that the functions' role allows."""
    statements = deployed_code._statements

    def left(stack: Stack, function: str) -> Iterator[Mapping[str, Any]]:
        for one in statements(stack, function):
            if actions := [each for each in listed(one["Action"]) if each != action]:
                yield {**one, "Action": actions}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deployed_code, "_statements", left)
        yield
