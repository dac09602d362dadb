"""The paths that a stack can take, each in a world of its own: for tests that try every call."""

from collections.abc import Callable
from typing import Final

from local_aws.personalize import Behaviour
from tests.reliability.world import QUICKER, World, texts

LIVES: Final[dict[str, Callable[[World], str]]] = {
    "create": lambda world: world.create(),
    "update": lambda world: world.update(exploration_weight=0.7),
    "replace": lambda world: world.update(dataset_group_arn=world.other_group),
    "stop": lambda world: world.update(running=False),
    "start": lambda world: world.update(exploration_weight=0.7),
    "adopt": lambda world: world.create(recommender_name="films", adopt_existing=True),
    "delete": lambda world: world.stack.delete(),
}
EVERY_CALL: Final = ("create", "update", "replace", "stop", "adopt", "delete")
"""Those of which every call is tried; another one makes no other calls."""
GOOD: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE")
CLEAN: Final = (*GOOD, "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "DELETE_FAILED")


def prepared(life: str) -> World:
    """Return a world in which a life can begin; it has one gate and one sweep."""
    world = World(Behaviour(**QUICKER), hours=0.9)
    if life == "adopt":
        world.foreign("films")
    elif life != "create":
        world.created(running=life != "start")
    return world


def wrong_with(world: World, life: str, allowed: tuple[str, ...]) -> str:
    """Return what is wrong at the end of a life, or nothing.

    What does not end well has to end cleanly: the same is possible again, and so is deletion.
    """
    status = world.stack.status
    if status not in allowed:
        return f"{status}: {texts(world.stack)[:300]}"
    if status.startswith("UPDATE_ROLLBACK") and LIVES[life](world) != "UPDATE_COMPLETE":
        return f"again {world.stack.status}: {texts(world.stack)[:300]}"
    if status != "DELETE_COMPLETE" and world.stack.delete() != "DELETE_COMPLETE":
        return f"then {world.stack.status}: {texts(world.stack)[:300]}"
    world.cloud.drain()
    try:
        world.invariants.check()
    except AssertionError as violation:
        return str(violation)
    return f"left {world.owned}" if world.owned else ""
