"""The weekly retraining: whether it failed, and how old the model is, if that is known."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model import retraining
from lambdas.recommender.model.observed import Observed, Update
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.retraining import Cause, Training

DAY = 24 * 3600.0
CREATED = 1_767_225_600.0
CONFIG: dict[str, Any] = {
    v.MIN_REQUESTS_PER_SECOND: 2,
    v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.30"},
    v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": ["GENRES", "PRICE"]}},
}
SERVES = Observed("arn", "ACTIVE", "group", "recipe", CONFIG, created=CREATED, updated=CREATED)
NEVER_UPDATED = Operation("CREATE_COMPLETE", "")


def update(
    status: str = "ACTIVE", *, days: float = 7, config: dict[str, Any] | None = None
) -> Update:
    """Return an update that began so many days after the creation, and took two hours."""
    began = CREATED + days * DAY
    return Update(status, CONFIG if config is None else config, began, updated=began + 7200)


def with_update(latest: Update | None, **other: Any) -> Observed:
    return replace(SERVES, latest_update=latest, **other)


SAME: dict[str, dict[str, Any]] = {
    "the same": CONFIG,
    "none of it": {},
    "a part of it": {v.MIN_REQUESTS_PER_SECOND: 2},
    "a member that does not show of the recommender": {**CONFIG, v.ENABLE_METADATA: True},
}
OTHER: dict[str, dict[str, Any]] = {
    "another number": {v.MIN_REQUESTS_PER_SECOND: 3},
    "other columns": {v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {}}},
}


@pytest.mark.parametrize("shown", SAME)
def test_failed_update_to_the_effective_config_was_a_retraining(shown: str) -> None:
    latest = update("CREATE FAILED", config=SAME[shown])
    assert retraining.failed(with_update(latest)) is latest
    assert retraining.has_failed(with_update(latest)) is True


@pytest.mark.parametrize("shown", OTHER)
def test_failed_update_to_another_config_says_nothing_about_a_retraining(shown: str) -> None:
    observed = with_update(update("CREATE FAILED", config=OTHER[shown]))
    assert retraining.failed(observed) is None
    assert retraining.has_failed(observed) is None


@pytest.mark.parametrize(
    ("latest", "failed"),
    [
        (None, False),
        (update("ACTIVE", config=OTHER["another number"]), False),
        (update("CREATE IN_PROGRESS"), None),
        (update("CREATE FAILED"), True),
    ],
)
def test_retraining_has_failed_not_failed_or_not_ended(
    latest: Update | None, failed: bool | None
) -> None:
    assert retraining.has_failed(with_update(latest)) is failed


def days_since(
    observed: Observed, *, at: float, operation: Operation = NEVER_UPDATED
) -> float | None:
    age = retraining.age(observed, operation, CREATED + at * DAY)
    return None if age is None else age / DAY


def updated_on(days: float) -> Operation:
    """Return the operation of a stack that was updated so many days after 2026-01-01."""
    return Operation("UPDATE_COMPLETE", f"2026-01-{1 + int(days):02}T00:00:00+00:00")


@pytest.mark.parametrize(("at", "age"), [(-1, 0), (0, 0), (3, 3), (7, 7), (7.01, None), (60, None)])
def test_age_counts_from_the_creation_for_a_week(at: float, age: float | None) -> None:
    assert days_since(SERVES, at=at) == age


@pytest.mark.parametrize(("at", "age"), [(7, 0), (10, 3), (14, 7), (15.5, 8.5), (60, 53)])
def test_age_counts_from_a_retraining_until_the_next_one(at: float, age: float) -> None:
    assert days_since(with_update(update()), at=at) == age


def test_age_counts_from_a_training_that_is_under_way() -> None:
    assert days_since(with_update(update("CREATE IN_PROGRESS")), at=7.25) == 0.25


def test_age_is_unknown_after_a_failed_update() -> None:
    assert days_since(with_update(update("CREATE FAILED")), at=7.25) is None


def test_age_is_unknown_if_the_service_shows_no_time() -> None:
    assert days_since(replace(SERVES, created=0.0), at=1) is None
    assert days_since(with_update(replace(update(), created=0.0)), at=1) is None


@pytest.mark.parametrize(
    ("observed", "operation"),
    [
        (with_update(update(days=1)), NEVER_UPDATED),
        (with_update(update(days=2)), NEVER_UPDATED),
        (with_update(update(days=7)), updated_on(7)),
        (with_update(update(days=7)), updated_on(5)),
        (with_update(update(days=7)), updated_on(9)),
    ],
)
def test_age_counts_for_a_week_from_an_update_that_a_deployment_may_have_sent(
    observed: Observed, operation: Operation
) -> None:
    assert observed.latest_update
    began = (observed.latest_update.created - CREATED) / DAY
    assert days_since(observed, at=began + 7, operation=operation) == 7
    assert days_since(observed, at=began + 7.01, operation=operation) is None


def test_age_counts_from_an_update_two_days_after_the_last_deployment() -> None:
    latest = with_update(update(days=7.01))
    assert days_since(latest, at=15.01, operation=updated_on(5)) == pytest.approx(8)


@pytest.mark.parametrize("status", ["INACTIVE", "START IN_PROGRESS", "STOP PENDING"])
def test_age_is_unknown_after_a_week_if_the_recommender_is_not_active(status: str) -> None:
    assert days_since(with_update(update(), status=status), at=13) == 6
    assert days_since(with_update(update(), status=status), at=15.5) is None


def test_age_is_unknown_after_a_later_start() -> None:
    """A start does not train ("Stopping and starting a recommender", Developer Guide)."""
    ended = update().updated
    for started, age in ((ended, 8.5), (ended + 3600, 8.5), (ended + 3601, None)):
        assert days_since(with_update(update(), updated=started), at=15.5) == age


CAUSES: dict[str, tuple[Update | None, str | None, Cause | None]] = {
    "never updated": (None, None, Cause.CREATION),
    "a week after the creation": (update(), None, Cause.RETRAINING),
    "a day after the creation": (update(days=1), None, Cause.UPDATE),
    "after a later deployment": (update(), "2026-01-08T12:00:00+00:00", Cause.UPDATE),
    "under way": (update("CREATE IN_PROGRESS"), None, None),
    "a failed retraining": (update("CREATE FAILED"), None, Cause.FAILED_RETRAINING),
    "a failed change": (
        update("CREATE FAILED", config=OTHER["another number"]),
        None,
        Cause.FAILED_UPDATE,
    ),
}


@pytest.mark.parametrize("case", CAUSES)
def test_latest_training_has_the_cause_that_its_time_and_its_config_prove(case: str) -> None:
    latest, deployed, cause = CAUSES[case]
    operation = Operation("UPDATE_COMPLETE", deployed) if deployed else NEVER_UPDATED
    observed = with_update(latest, updated=latest.updated if latest else CREATED)
    began = latest.created if latest else CREATED
    expected = Training(cause, began) if cause else None
    assert retraining.latest(observed, operation) == expected


def test_latest_training_is_unknown_if_no_time_shows() -> None:
    assert retraining.latest(with_update(None, created=0.0), NEVER_UPDATED) is None
