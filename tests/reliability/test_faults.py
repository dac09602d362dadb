"""Every call that the code makes, in every path, fails once in every way."""

import logging
from collections.abc import Callable

import pytest

from tests.reliability.calls import PERSONALIZE, error, once, raising, refuse
from tests.reliability.faults import KINDS, cells, lived, path
from tests.reliability.lifecycles import (
    CLEAN,
    EVERY_LIFECYCLE,
    GOOD,
    LIFECYCLES,
    REPAIRABLE,
    ROLLBACKS,
    prepared,
    wrong_with,
)
from tests.reliability.world import MINUTE, World, texts

pytestmark = pytest.mark.sweep

MOST_ATTEMPTS = 3
"""Times those of the lifecycle without a fault."""


@pytest.mark.rows("TH1")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lifecycle", EVERY_LIFECYCLE)
def test_one_fault_of_any_call_ends_well(
    lifecycle: str, kind: str, record_property: Callable[[str, object], None]
) -> None:
    sites = path(lifecycle)
    tried = cells(sites.kinds_of_calls, kind)
    wrong: dict[str, str] = {}
    for cell in tried:
        world, faults = lived(lifecycle, cell)
        if faults.happened != [cell]:
            wrong[str(cell)] = "it did not come about"
        elif cell.passes and faults.attempts > MOST_ATTEMPTS * sites.attempts:
            wrong[str(cell)] = f"{faults.attempts} attempts instead of {sites.attempts}"
        elif outcome := wrong_with(world, lifecycle, GOOD if cell.passes else _allowed(lifecycle)):
            wrong[str(cell)] = outcome
    record_property("cells", len(tried))
    assert wrong == {}


def _allowed(lifecycle: str) -> tuple[str, ...]:
    """Return how a lifecycle may end; to roll back may fail only where it was to be rolled back."""
    return REPAIRABLE if lifecycle in ROLLBACKS else CLEAN


@pytest.mark.rows("TH1", "C4")
@pytest.mark.parametrize("lifecycle", ["create", "replace", "update"])
def test_a_recommender_hidden_for_one_poll_is_not_given_up(world: World, lifecycle: str) -> None:
    """The poll comes after a quarter of an hour of training, through a gate."""
    world.behaviour.create_in_progress = 40 * MINUTE
    world.behaviour.update_in_progress = 40 * MINUTE
    if lifecycle != "create":
        world.created()
    started = world.clock.now
    world.cloud.before = once(
        "DescribeRecommender",
        raising(error("ResourceNotFoundException")),
        when=lambda: world.clock.now > started + 15 * MINUTE,
    )
    assert LIFECYCLES[lifecycle](world) in GOOD, texts(world.stack)


@pytest.mark.rows("TH5")
@pytest.mark.parametrize("seconds", [3.0, 100.0])
def test_a_role_whose_policy_is_not_in_force_yet_is_borne_with(
    world: World, seconds: float
) -> None:
    """IAM takes its time after it has answered, for all of a new role's permissions alike."""
    started = world.clock.now
    world.cloud.before = refuse(
        PERSONALIZE | {"DescribeStacks", "StartExecution"},
        "AccessDeniedException",
        while_=lambda: world.clock.now < started + seconds,
    )
    world.created()


@pytest.mark.rows("TH3")
@pytest.mark.parametrize("lifecycle", LIFECYCLES)
def test_a_lifecycle_throttled_all_the_time_ends_well(lifecycle: str) -> None:
    world = prepared(lifecycle)
    world.behaviour.throttle_every = 2
    assert LIFECYCLES[lifecycle](world) in GOOD, texts(world.stack)


@pytest.mark.rows("U3", "C5")
@pytest.mark.parametrize("lifecycle", LIFECYCLES)
def test_tags_that_cannot_be_read_during_changes_are_waited_for(lifecycle: str) -> None:
    world = prepared(lifecycle)
    world.behaviour.tag_calls_during_change = "in_use"
    assert LIFECYCLES[lifecycle](world) in GOOD, texts(world.stack)
    assert wrong_with(world, lifecycle, GOOD) == ""


@pytest.mark.rows("S1", "S3")
def test_nothing_that_may_be_written_to_is_ever_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.created()
    world.cloud.before = refuse("UpdateRecommender", "AccessDeniedException")
    world.failed(exploration_weight=0.7)
    world.deleted()
    assert len(caplog.records) > 50


@pytest.mark.rows("D5")
@pytest.mark.parametrize("lifecycle", ["create", "update", "replace", "delete"])
def test_a_stack_that_shows_its_status_late_is_polled_again(world: World, lifecycle: str) -> None:
    """Whether DescribeStacks shows a new operation at once is not documented."""
    if lifecycle != "create":
        world.created()
        world.clock.advance(MINUTE)
    world.cloud.status_lag = 5.0
    assert LIFECYCLES[lifecycle](world) in GOOD, texts(world.stack)
