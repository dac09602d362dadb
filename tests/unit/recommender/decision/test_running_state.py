"""The next step towards a recommender that runs, or one that is stopped."""

from collections.abc import Mapping
from typing import Any

import pytest

from lambdas.recommender.decision.running_state import plan_running_state
from lambdas.recommender.decision.verdict import Done, Fail, StartRecommender, StopRecommender, Wait
from lambdas.recommender.model.observed import Observed
from lambdas.recommender.model.timing import GRACE_SECONDS

from ..examples import DESIRED, OWNER
from .examples import (
    EFFECTIVE,
    FAIL_AFTER_GRACE,
    FOREIGN,
    OTHER_UPDATE,
    assert_reason,
    assert_step,
    observed,
)

STEPS: Mapping[str, tuple[Observed | None, Any, Any]] = {
    "absent": (None, FAIL_AFTER_GRACE, FAIL_AFTER_GRACE),
    "active": (observed(), EFFECTIVE, StopRecommender()),
    "updating": (observed(latest_update=OTHER_UPDATE), EFFECTIVE, Wait),
    "inactive": (observed("INACTIVE"), StartRecommender(), EFFECTIVE),
    "stopping": (observed("STOP PENDING"), Wait, Wait),
    "starting": (observed("START IN_PROGRESS"), Wait, Wait),
    "training": (observed("CREATE PENDING"), Wait, Wait),
    "untagged": (observed("CREATE PENDING", tags=None), Wait, Wait),
    "failed": (observed("CREATE FAILED"), Fail, Fail),
    "foreign, active": (observed(tags=FOREIGN), Fail, Fail),
    "foreign, inactive": (observed("INACTIVE", tags=FOREIGN), Fail, Fail),
}


@pytest.mark.parametrize("row", STEPS)
def test_running_state_plan_takes_the_next_step_to_start_or_stop(row: str) -> None:
    recommender, starting, stopping = STEPS[row]

    assert_step(plan_running_state(OWNER, recommender, running=True), starting)
    assert_step(plan_running_state(OWNER, recommender, running=False), stopping)


REASONS: Mapping[str, tuple[Observed, str]] = {
    "foreign": (
        observed(tags=FOREIGN),
        " This deployment neither starts nor stops it. If it is this stack's, put its tags back, "
        f"then deploy again: aws personalize tag-resource --resource-arn {DESIRED.arn} --tags ",
    ),
    "failed": (
        observed("CREATE FAILED", failure_reason="too little data"),
        f"{DESIRED.arn} is CREATE FAILED: too little data. Remove the cause, then deploy again.",
    ),
    "starting": (observed("START PENDING"), f"{DESIRED.arn} is START PENDING"),
}


@pytest.mark.parametrize("row", REASONS)
def test_running_state_verdict_names_the_recommender_and_its_status(row: str) -> None:
    recommender, words = REASONS[row]

    assert_reason(plan_running_state(OWNER, recommender, running=False), words)


def test_running_state_of_an_absent_recommender_fails_after_the_grace_period() -> None:
    absent = Fail(
        "Personalize does not show the recommender. If something outside this stack deleted it, "
        "change force_update, then deploy again.",
        confirm=GRACE_SECONDS,
    )

    assert plan_running_state(OWNER, None, running=False) == absent


@pytest.mark.parametrize(("running", "status"), [(True, "ACTIVE"), (False, "INACTIVE")])
def test_running_state_as_configured_is_named(running: bool, status: str) -> None:
    verdict = plan_running_state(OWNER, observed(status), running=running)

    assert isinstance(verdict, Done)
    assert verdict.reason == f"{status}, as configured"
