"""Whether a recommender is ready for a training gate."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.decision.readiness import readiness
from lambdas.recommender.decision.verdict import Done, Fail, Verdict, Wait
from lambdas.recommender.model.config import Config
from lambdas.recommender.model.observed import Observed, Update
from lambdas.recommender.model.timing import GRACE_SECONDS

from ..examples import CONFIG, DESIRED, HIDDEN, OTHER_CONFIG
from .examples import (
    ECHO,
    EFFECTIVE,
    FAIL_AFTER_GRACE,
    FAILED_UPDATE,
    HANDED_OVER,
    INCLUDED,
    METADATA,
    NO_METADATA,
    OTHER_UPDATE,
    OWN_UPDATE,
    RETRAINING,
    WHOLE,
    assert_reason,
    assert_step,
    differing,
    observed,
    plan_for,
    update,
)


def ready(recommender: Observed | None, config: Config = METADATA, **given: Any) -> Verdict:
    """Return whether one is ready, by default if it must run after an update was sent."""
    return readiness(config, recommender, **{"running": True, "updated_after": 50.0, **given})


RUNNING: Mapping[str, tuple[Observed | None, Any]] = {
    "active": (observed(config=WHOLE), EFFECTIVE),
    "training": (observed("CREATE IN_PROGRESS"), Wait),
    "updating": (OWN_UPDATE, Wait),
    "updated": (observed(latest_update=update("ACTIVE")), EFFECTIVE),
    "own update failed": (differing(latest_update=update("CREATE FAILED", created=51.0)), Fail),
    "earlier update failed, own not shown yet": (
        differing(latest_update=update("CREATE FAILED", created=50.0)),
        FAIL_AFTER_GRACE,
    ),
    "update to another configuration failed": (
        observed(config=WHOLE, latest_update=update("CREATE FAILED", OTHER_CONFIG)),
        EFFECTIVE,
    ),
    "included columns": (observed(config=INCLUDED), FAIL_AFTER_GRACE),
    "retraining": (observed(latest_update=RETRAINING), HANDED_OVER),
    "inactive": (observed("INACTIVE"), Wait),
    "starting": (observed("START PENDING"), Wait),
    "unknown status": (observed("MIGRATING"), Wait),
    "another failure": (observed("START FAILED"), Fail),
}


@pytest.mark.parametrize("row", RUNNING)
def test_recommender_that_must_run_is_ready_when_active_and_effective(row: str) -> None:
    recommender, expected = RUNNING[row]

    assert_step(ready(recommender), expected)


KEPT_STOPPED: Mapping[str, tuple[Observed, Any]] = {
    **{
        status: (observed(status, config=WHOLE), EFFECTIVE)
        for status in ("INACTIVE", "STOP PENDING", "ACTIVE")
    },
    **{
        status: (observed(status, config=WHOLE), Wait)
        for status in ("CREATE PENDING", "START PENDING", "MIGRATING")
    },
    "retraining": (observed(config=WHOLE, latest_update=RETRAINING), Wait),
    "another configuration": (differing("INACTIVE"), FAIL_AFTER_GRACE),
}


@pytest.mark.parametrize("row", KEPT_STOPPED)
def test_recommender_that_is_kept_stopped_is_ready_when_stopped_or_active(row: str) -> None:
    recommender, expected = KEPT_STOPPED[row]

    assert_step(ready(recommender, running=False), expected)


@pytest.mark.parametrize("status", ["ACTIVE", "CREATE PENDING"])
def test_readiness_verdict_names_the_status(status: str) -> None:
    assert_reason(ready(observed(status, config=WHOLE)), status)


FORCE = "Remove the cause, then deploy again; after --no-rollback, with another force_update."
CHANGE = "Change force_update, then deploy again."
ABSENT = (
    "Personalize does not show the recommender. If something outside this stack deleted it, "
    "change force_update, then deploy again."
)
DELETED = (
    "The recommender is DELETE PENDING, and this deployment did not delete it. Something outside "
    f"this stack may have deleted it. {CHANGE}"
)
OTHERWISE = (
    "The recommender has another configuration and no update is running. Something outside this "
    f"stack may have changed it. {CHANGE}"
)
FAILURES: Mapping[str, tuple[Observed | None, Fail]] = {
    "absent": (None, Fail(ABSENT, confirm=GRACE_SECONDS)),
    "being deleted": (observed("DELETE PENDING"), Fail(DELETED)),
    "another configuration": (differing(), Fail(OTHERWISE, confirm=GRACE_SECONDS)),
    "training failed": (
        observed("CREATE FAILED", failure_reason="too little data"),
        Fail(f"The recommender is CREATE FAILED: too little data. {FORCE}"),
    ),
    "update failed": (
        differing(latest_update=FAILED_UPDATE),
        Fail(f"The update of the recommender failed: the reason. {FORCE}"),
    ),
}


@pytest.mark.parametrize("row", FAILURES)
def test_readiness_failure_explains_the_cause_and_the_next_step(row: str) -> None:
    recommender, expected = FAILURES[row]

    assert ready(recommender) == expected


# -- members that DescribeRecommender does not show --------------------------------------------

HIDDEN_FAILED = update("CREATE FAILED", HIDDEN, created=51.0)
METADATA_HIDDEN: Mapping[str, tuple[Update | None, float | None, Any]] = {
    "no update sent": (None, None, EFFECTIVE),
    "no update sent, another failed": (HIDDEN_FAILED, None, EFFECTIVE),
    "own update not shown yet": (None, 50.0, FAIL_AFTER_GRACE),
    "earlier update shown": (update("ACTIVE", HIDDEN, created=50.0), 50.0, FAIL_AFTER_GRACE),
    "own update ended": (update("ACTIVE", HIDDEN, created=51.0), 50.0, EFFECTIVE),
    "own update failed": (HIDDEN_FAILED, 50.0, Fail),
    "later update to another configuration failed": (
        replace(HIDDEN_FAILED, config=OTHER_CONFIG),
        50.0,
        EFFECTIVE,
    ),
}


@pytest.mark.parametrize("row", METADATA_HIDDEN)
def test_hidden_metadata_are_effective_unless_the_own_update_is_missing_or_failed(row: str) -> None:
    latest, updated_after, expected = METADATA_HIDDEN[row]
    recommender = observed(config=HIDDEN, latest_update=latest)

    assert_step(ready(recommender, updated_after=updated_after), expected)


GENRES = replace(METADATA, excluded_columns={"ITEMS": ("GENRES",)})
COLUMNS_HIDDEN: Mapping[str, tuple[Update | None, Any]] = {
    "own update not shown yet": (None, FAIL_AFTER_GRACE),
    "earlier update shown": (update("ACTIVE", created=50.0), FAIL_AFTER_GRACE),
    "own update failed": (update("CREATE FAILED", created=51.0), Fail),
    "own update ended": (update("ACTIVE", created=50.5), EFFECTIVE),
}


@pytest.mark.parametrize("row", COLUMNS_HIDDEN)
@pytest.mark.parametrize(
    ("config", "before"), [(GENRES, METADATA), (GENRES, None), (METADATA, GENRES)]
)
def test_hidden_columns_are_effective_only_after_the_own_update(
    row: str, config: Config, before: Config | None
) -> None:
    latest, expected = COLUMNS_HIDDEN[row]

    assert_step(ready(observed(latest_update=latest), config, before=before), expected)


def test_failed_retraining_fails_no_gate_that_knows_no_configuration_before() -> None:
    """Such as that of another ``max_training_hours``: its ``UpdatedAfter`` is an old one."""
    retrained = observed(latest_update=update("CREATE FAILED", created=51.0))

    assert_step(ready(retrained, before=None), EFFECTIVE)


ON_ITS_WAY: Mapping[str, tuple[Observed, Config, bool]] = {
    "retraining": (observed(latest_update=RETRAINING), METADATA, True),
    "retraining that does not show all": (
        observed(config=HIDDEN, latest_update=update("CREATE PENDING", HIDDEN)),
        METADATA,
        False,
    ),
    "retraining otherwise": (differing(latest_update=OTHER_UPDATE), METADATA, False),
    "update": (OWN_UPDATE, METADATA, False),
    "update of columns": (observed(latest_update=RETRAINING), GENRES, False),
    "training": (observed("CREATE IN_PROGRESS"), METADATA, False),
    "start": (observed("START PENDING", latest_update=RETRAINING), METADATA, False),
}


@pytest.mark.parametrize("row", ON_ITS_WAY)
def test_wait_may_be_handed_over_if_a_retraining_alone_is_under_way(row: str) -> None:
    recommender, config, expected = ON_ITS_WAY[row]

    assert_step(ready(recommender, config), Wait("", hands_over=expected))


@pytest.mark.parametrize("shown", [{}, HIDDEN], ids=["nothing shown", "metadata hidden"])
def test_failed_update_of_hidden_members_fails_for_any_configuration(shown: Any) -> None:
    recommender = observed(config=shown, latest_update=HIDDEN_FAILED)

    for config in (METADATA, NO_METADATA):
        assert_step(ready(recommender, config), Fail)


def test_failed_retraining_of_the_effective_configuration_is_no_failure() -> None:
    retrained = observed(config=HIDDEN, latest_update=update("CREATE PENDING", HIDDEN))
    done = plan_for(DESIRED, retrained, before=METADATA)
    failed = replace(retrained, latest_update=update("CREATE FAILED", HIDDEN))

    assert isinstance(done, Done)
    assert done.updated_after is None
    assert_step(ready(failed, updated_after=done.updated_after), EFFECTIVE)


FAILED_AFTER: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any], Config | None, Any]] = {
    "all shown, same as before": (CONFIG, CONFIG, METADATA, EFFECTIVE),
    "nothing shown, same as before": ({}, {}, METADATA, EFFECTIVE),
    "metadata hidden, same as before": (HIDDEN, HIDDEN, METADATA, EFFECTIVE),
    "metadata hidden, changed": (HIDDEN, HIDDEN, NO_METADATA, Fail),
    "nothing shown, nothing known of before": ({}, {}, None, Fail),
    "update shows more": (CONFIG, {}, METADATA, Fail),
    "recommender shows more": ({}, HIDDEN, METADATA, Fail),
}


@pytest.mark.parametrize("row", FAILED_AFTER)
def test_retraining_that_failed_after_an_update_is_told_from_that_update(row: str) -> None:
    """It shows the effective configuration, as the update that succeeded just before does."""
    shown_by_update, shown, before, expected = FAILED_AFTER[row]
    latest = update("CREATE FAILED", shown_by_update, created=51.0)

    assert_step(ready(observed(config=shown, latest_update=latest), before=before), expected)


# -- a recipe that does not explore ------------------------------------------------------------

PLAIN = Config(enable_metadata=True, explores=False)
SENT = PLAIN.request({v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {}}})


@pytest.mark.parametrize("echo", [{}, ECHO], ids=["not shown", "shown"])
@pytest.mark.parametrize(
    ("latest", "config", "expected"),
    [
        (None, SENT, EFFECTIVE),
        (update("CREATE FAILED", SENT, created=51.0), SENT, EFFECTIVE),
        (update("CREATE FAILED", SENT, created=51.0), {**SENT, v.ENABLE_METADATA: False}, Fail),
    ],
    ids=["the update does not show yet", "a retraining failed", "the update failed"],
)
def test_exploration_that_the_recipe_does_not_have_decides_nothing(
    echo: dict[str, Any], latest: Update | None, config: dict[str, Any], expected: Any
) -> None:
    recommender = observed(config={**config, **echo}, latest_update=latest)

    assert_step(ready(recommender, PLAIN), expected)
