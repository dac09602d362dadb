"""Examples that the tests of the decisions share: a recommender, its tags, its updates."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from lambdas.recommender import vocabulary as v
from lambdas.recommender.decision.provision import plan
from lambdas.recommender.decision.situation import Situation
from lambdas.recommender.decision.verdict import Done, Fail, Progress, Step, Wait
from lambdas.recommender.model.observed import Observed, Update
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.request import Desired
from lambdas.recommender.model.timing import GRACE_SECONDS
from tests.support.place import GROUP, RECIPE

from ..examples import CONFIG, DESIRED, OTHER_CONFIG, OWN, OWNER

WHOLE: Final = {**CONFIG, v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {}}}
"""The expected configuration, with every member shown."""
INCLUDED: Final = {**CONFIG, v.TRAINING_DATA: {v.INCLUDED_COLUMNS: {"ITEMS": ["GENRES"]}}}
ECHO: Final[Mapping[str, Any]] = {v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.9"}}
"""An exploration that a recipe without one shows all the same."""

STOPPED: Final = replace(DESIRED, running=False)
METADATA: Final = DESIRED.config
NO_METADATA: Final = replace(METADATA, enable_metadata=False)

ADOPTED: Final = {**DESIRED.tags, **OWNER.tags(adopted=True)}
FOREIGN: Final = {"team": "other"}
OTHER_STACK: Final = {v.OWNER_STACK_TAG: OWNER.stack_id.replace("TopPicks", "Other")}
EARLIER_STACK: Final = {v.OWNER_STACK_TAG: f"{OWNER.stack_id}0"}
SIBLING: Final = {**OWNER.tags(), v.OWNER_RESOURCE_TAG: "Series"}

EFFECTIVE: Final = Done("", Progress.EFFECTIVE)
TRAINING: Final = Done("", Progress.TRAINING)
UPDATING: Final = Done("", Progress.CHANGING, updated_after=0.0)
CHANGING: Final = Done("", Progress.CHANGING)
HANDED_OVER: Final = Wait("", hands_over=True)
UPDATE_HANDED_OVER: Final = replace(HANDED_OVER, updated_after=0.0)
FAIL_AFTER_GRACE: Final = Fail("", confirm=GRACE_SECONDS)


def observed(status: str = "ACTIVE", **changes: Any) -> Observed:
    """Return an own recommender that is as the template asks for, except for the changes."""
    return replace(Observed(DESIRED.arn, status, GROUP, RECIPE, CONFIG, tags=OWN), **changes)


def differing(status: str = "ACTIVE", **changes: Any) -> Observed:
    """Return an own recommender with another configuration."""
    return observed(status, config=OTHER_CONFIG, **changes)


def update(status: str, config: Mapping[str, Any] = CONFIG, created: float = 100.0) -> Update:
    """Return an update of that recommender."""
    return Update(status, config, created, "the reason")


OTHER_UPDATE: Final = update("CREATE IN_PROGRESS", OTHER_CONFIG)
RETRAINING: Final = update("CREATE PENDING")
FAILED_UPDATE: Final = update("CREATE FAILED")
OWN_UPDATE: Final = differing(latest_update=RETRAINING)
"""A recommender that is being updated to the expected configuration."""

_UPDATE: Final = Operation("UPDATE_IN_PROGRESS", "2026-01-01T00:00:00+00:00")


def plan_for(desired: Desired, observed: Observed | None, **given: Any) -> Step:
    """Return the next step, by default in an update in which nothing has failed."""
    situation = given.pop("situation", Situation(_UPDATE, began=given.pop("began", math.inf)))
    return plan(desired, observed, situation, **given)


def assert_step(step: object, expected: Any) -> None:
    """Compare a step with the expected one, or with its type, without the reason of a verdict."""
    if isinstance(expected, type):
        expected = expected("")
    if isinstance(step, Wait | Done | Fail):
        step = replace(step, reason="")
    assert step == expected


def assert_reason(step: Step, words: str) -> None:
    """Assert that a verdict has these words in its reason."""
    assert isinstance(step, Wait | Done | Fail)
    assert words in step.reason
