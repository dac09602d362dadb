"""The paths that a stack can take, each in a world of its own: for tests that try every call."""

from collections.abc import Callable
from typing import Final, NamedTuple

import pytest

from local_aws.personalize import Behaviour
from tests.reliability.world import QUICKER, World, texts

RESTING: Final[dict[str, object]] = {
    "active_hours": {
        "start": "cron(0 12 * * ? *)",
        "stop": "cron(0 18 * * ? *)",
        "time_zone": "UTC",
    }
}
"""Hours that want it stopped at midnight, which is when these worlds begin."""

NDCG: Final = "normalized_discounted_cumulative_gain_at_25"
COMPARED: Final[dict[str, object]] = {"max_metric_regression": 0.05}
"""A quality gate that the replacement passes, for which the old one's metrics are read."""
TOO_GOOD: Final[dict[str, object]] = {"minimum_metrics": {NDCG: 0.9}}
"""One that nothing passes."""
WORSE: Final = {NDCG: 0.3, "coverage": 0.07}
"""Metrics that are good, but not as good as those before."""

LIFECYCLES: Final[dict[str, Callable[[World], str]]] = {
    "create": lambda world: world.create(),
    "update": lambda world: world.update(exploration_weight=0.7),
    "replace": lambda world: world.update(dataset_group_arn=world.other_group, **COMPARED),
    "stop": lambda world: world.update(running=False),
    "start": lambda world: world.update(exploration_weight=0.7),
    "rest": lambda world: world.update(exploration_weight=0.7, **RESTING),
    "adopt": lambda world: world.create(recommender_name="films", adopt_existing=True),
    "delete": lambda world: world.stack.delete(),
}


class UndoneLifecycle(NamedTuple):
    """One of those lifecycles in which something else than a call fails, so that it is undone."""

    lifecycle: str
    run: Callable[[World], str]

    @property
    def ends(self) -> str:
        """The status in which it ends."""
        creates = self.lifecycle in ("create", "adopt")
        return "ROLLBACK_COMPLETE" if creates else "UPDATE_ROLLBACK_COMPLETE"


def _failing(lifecycle: str, failure: str) -> Callable[[World], str]:
    """Return a lifecycle in which what Personalize trains or updates fails in the end."""

    def run(world: World) -> str:
        setattr(world.behaviour, failure, "too few interactions")
        status = LIFECYCLES[lifecycle](world)
        setattr(world.behaviour, failure, None)
        return status

    return run


def _cancelled(world: World, **settings: object) -> str:
    """Create or update, and have a resource beside ours fail during the training."""
    begin = world.stack.update if world.stack.resources else world.stack.create
    return begin(world.given(settings), sibling_fails=100.0)


ROLLBACKS: Final[dict[str, UndoneLifecycle]] = {
    "failed creation": UndoneLifecycle("create", _failing("create", "training_failure")),
    "cancelled creation": UndoneLifecycle("create", _cancelled),
    "cancelled adoption": UndoneLifecycle(
        "adopt",
        lambda world: _cancelled(
            world, recommender_name="films", adopt_existing=True, exploration_weight=0.7
        ),
    ),
    "missed gate": UndoneLifecycle("create", lambda world: world.create(**TOO_GOOD)),
    "failed update": UndoneLifecycle("update", _failing("update", "update_failure")),
    "failed replacement": UndoneLifecycle("replace", _failing("replace", "training_failure")),
    "missed gate of a replacement": UndoneLifecycle(
        "replace", lambda world: world.update(dataset_group_arn=_OTHER, **TOO_GOOD)
    ),
    "undone update": UndoneLifecycle("update", lambda world: world.undone(exploration_weight=0.7)),
    "undone stop": UndoneLifecycle("stop", lambda world: world.undone(running=False)),
    "undone replacement": UndoneLifecycle(
        "replace", lambda world: world.undone(dataset_group_arn=_OTHER)
    ),
    "cancelled replacement": UndoneLifecycle(
        "replace", lambda world: _cancelled(world, dataset_group_arn=_OTHER)
    ),
}
_OTHER: Final = "arn:aws:personalize:eu-west-1:111111111111:dataset-group/other"

ALL: Final[dict[str, Callable[[World], str]]] = {
    **LIFECYCLES,
    **{name: undone.run for name, undone in ROLLBACKS.items()},
}
EVERY_LIFECYCLE: Final = [
    *LIFECYCLES,
    *(pytest.param(lifecycle, marks=pytest.mark.long) for lifecycle in ROLLBACKS),
]
"""`ALL`, as parameters: with those that are rolled back, sweeps are too long for every check."""
EVERY_CALL: Final = [one for one in EVERY_LIFECYCLE if one != "start"]
"""Those of which every call is tried: `start` makes none that `rest` does not make."""
GOOD: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE")
CLEAN: Final = (*GOOD, "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "DELETE_FAILED")
REPAIRABLE: Final = (*CLEAN, "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED")
"""As `CLEAN`, and rollbacks that failed, which can be continued."""


def prepared(lifecycle: str, **settings: object) -> World:
    """Return a world in which a lifecycle can begin; it has one gate and one sweep.

    Args:
        lifecycle: which one.
        settings: with which the stack is deployed, beside its own.
    """
    world = World(Behaviour(**QUICKER), hours=0.9)
    world.settings = settings
    begins = ROLLBACKS[lifecycle].lifecycle if lifecycle in ROLLBACKS else lifecycle
    if begins == "adopt":
        world.foreign("films")
    elif begins == "rest":
        world.created(**RESTING)
    elif begins != "create":
        world.created(running=begins != "start")
    return world


def wrong_with(world: World, lifecycle: str, allowed: tuple[str, ...]) -> str:
    """Return what is wrong at the end of a lifecycle, or nothing.

    One that is to be undone may always end so. What does not end well has to end cleanly: what
    failed can be continued, the same is possible again, and so is deletion.
    """
    undone = ROLLBACKS.get(lifecycle)
    status = world.stack.status
    if status not in allowed and not (undone and status == undone.ends):
        return f"{status}: {texts(world.stack)[:300]}"
    if status == "UPDATE_ROLLBACK_FAILED":
        status = world.stack.roll_back()
    if status.startswith("UPDATE_ROLLBACK"):
        again = LIFECYCLES[undone.lifecycle if undone else lifecycle](world)
        if again != "UPDATE_COMPLETE":
            return f"again {again}: {texts(world.stack)[:300]}"
    if status != "DELETE_COMPLETE" and world.stack.delete() != "DELETE_COMPLETE":
        return f"then {world.stack.status}: {texts(world.stack)[:300]}"
    world.cloud.drain()
    try:
        world.invariants.check()
    except AssertionError as violation:
        return str(violation)
    return f"left {world.owned}" if world.owned else ""
