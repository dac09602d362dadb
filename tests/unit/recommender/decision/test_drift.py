"""How an actual recommender differs from the template."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.decision.drift import Difference, DriftStatus, drift, hour
from lambdas.recommender.model.observed import Observed, Update
from lambdas.recommender.model.request import Desired, Request
from tests.support.place import PLACE

from ..examples import event


def desired(**properties: Any) -> Desired:
    """Return what a template asks for that has these properties, too."""
    config = {
        v.MIN_REQUESTS_PER_SECOND: "1",
        v.ENABLE_METADATA: "true",
        v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.3", v.EXPLORATION_ITEM_AGE_CUT_OFF: "30"},
    }
    return Request.parse(event({v.CONFIG: config, **properties})).desired


DESIRED = desired()
CONFIG: dict[str, Any] = {
    v.MIN_REQUESTS_PER_SECOND: 1,
    v.ENABLE_METADATA: True,
    v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.30", v.EXPLORATION_ITEM_AGE_CUT_OFF: "30.0"},
}
OBSERVED = Observed(
    arn=DESIRED.arn,
    status="ACTIVE",
    dataset_group_arn=DESIRED.dataset_group_arn,
    recipe_arn=DESIRED.recipe_arn,
    config=CONFIG,
    tags={**DESIRED.tags, **DESIRED.owner.tags()},
)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({v.MIN_REQUESTS_PER_SECOND: 5}, Difference(v.MIN_REQUESTS_PER_SECOND, "5", "1")),
        ({v.ENABLE_METADATA: False}, Difference(v.ENABLE_METADATA, "false", "true")),
        (
            {v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.9"}},
            Difference("itemExplorationConfig.explorationWeight", "0.9", "0.3"),
        ),
        (
            {v.EXPLORATION: {v.EXPLORATION_ITEM_AGE_CUT_OFF: "31"}},
            Difference("itemExplorationConfig.explorationItemAgeCutOff", "31", "30"),
        ),
        (
            {v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": ["B", "A"], "USERS": ["C"]}}},
            Difference(
                "trainingDataConfig.excludedDatasetColumns", "ITEMS: A, B; USERS: C", "none"
            ),
        ),
        (
            {v.TRAINING_DATA: {v.INCLUDED_COLUMNS: {"ITEMS": ["A"]}}},
            Difference("trainingDataConfig.includedDatasetColumns", "ITEMS: A", "none"),
        ),
    ],
)
def test_different_member_is_drift_that_a_deployment_repairs(
    config: dict[str, Any], expected: Difference
) -> None:
    found = drift(DESIRED, replace(OBSERVED, config=CONFIG | config))
    assert found.status is DriftStatus.DRIFTED
    assert found.differences == (expected,)
    assert found.is_put_right
    assert found.reason == "", "it is neither waited for nor refused"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "INACTIVE"}, ("status",)),
        ({"status": "DELETE PENDING"}, ("status",)),
        ({"status": "CREATE FAILED"}, ("status",)),
        ({"status": "PONDERING"}, ("status",)),
        ({"tags": DESIRED.owner.tags()}, ("tag team",)),
        (
            {
                "status": "CREATE FAILED",
                "config": CONFIG | {v.ENABLE_METADATA: False},
            },
            ("status", v.ENABLE_METADATA),
        ),
    ],
)
def test_different_status_or_tag_is_drift_that_a_deployment_repairs(
    changes: dict[str, Any], expected: tuple[str, ...]
) -> None:
    found = drift(DESIRED, replace(OBSERVED, **changes))
    assert found.status is DriftStatus.DRIFTED
    assert tuple(one.member for one in found.differences) == expected
    assert found.is_put_right


@pytest.mark.parametrize(
    "changes",
    [{}, {"tags": None}, {"status": "INACTIVE"}],
    ids=["no drift", "unread tags", "drift"],
)
def test_members_that_do_not_show_are_named(changes: dict[str, Any]) -> None:
    members = (v.ENABLE_METADATA, v.EXPLORATION_WEIGHT)
    config = CONFIG | {v.EXPLORATION: {v.EXPLORATION_ITEM_AGE_CUT_OFF: "30"}}
    del config[v.ENABLE_METADATA]

    assert drift(DESIRED, replace(OBSERVED, config=config, **changes)).hidden == members


def test_columns_that_do_not_show_beside_other_members_may_be_drift() -> None:
    config = replace(DESIRED.config, excluded_columns={"ITEMS": ("GENRES",)})

    found = drift(replace(DESIRED, config=config), OBSERVED)

    assert found.status is DriftStatus.CANNOT_TELL
    assert found.hidden == (v.EXCLUDED_COLUMNS,)
    assert found.reason == "DescribeRecommender does not show excludedDatasetColumns"
    assert found.is_put_right

    less = {name: value for name, value in CONFIG.items() if name != v.ENABLE_METADATA}
    found = drift(replace(DESIRED, config=config), replace(OBSERVED, config=less))
    assert found.reason.endswith(" show enableMetadataWithRecommendations, excludedDatasetColumns")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "START FAILED"}, ("status",)),
        ({"dataset_group_arn": f"{PLACE}dataset-group/other"}, ("datasetGroupArn",)),
        ({"recipe_arn": "arn:aws:personalize:::recipe/other"}, ("recipeArn",)),
        ({"tags": DESIRED.tags}, (f"tag {v.OWNER_STACK_TAG}", f"tag {v.OWNER_RESOURCE_TAG}")),
    ],
)
def test_failure_or_foreign_recommender_is_drift_that_no_deployment_repairs(
    changes: dict[str, Any], expected: tuple[str, ...]
) -> None:
    found = drift(DESIRED, replace(OBSERVED, **changes))
    assert found.status is DriftStatus.DRIFTED
    assert tuple(one.member for one in found.differences) == expected
    assert not found.is_put_right
    assert found.reason


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"status": "CREATE IN_PROGRESS"},
        {"config": {}},
        {"latest_update": Update("CREATE IN_PROGRESS", CONFIG, 1.0)},
        {"latest_update": Update("CREATE FAILED", {v.ENABLE_METADATA: False}, 1.0)},
    ],
)
def test_effective_or_training_recommender_has_no_drift(changes: dict[str, Any]) -> None:
    found = drift(DESIRED, replace(OBSERVED, **changes))
    assert found.status is DriftStatus.NONE
    assert found.differences == ()


def test_differences_have_actual_and_expected_values() -> None:
    group, recipe = f"{PLACE}dataset-group/other", "arn:aws:personalize:::recipe/other"
    strange = replace(
        OBSERVED, dataset_group_arn=group, recipe_arn=recipe, tags={"team": "audio", "x": "y"}
    )
    assert drift(DESIRED, strange).differences == (
        Difference("datasetGroupArn", group, DESIRED.dataset_group_arn),
        Difference("recipeArn", recipe, DESIRED.recipe_arn),
        Difference("tag team", "audio", "video"),
        *(
            Difference(f"tag {key}", "nothing", value)
            for key, value in DESIRED.owner.tags().items()
        ),
    )


def test_update_to_another_config_is_drift() -> None:
    update = Update("CREATE PENDING", CONFIG | {v.MIN_REQUESTS_PER_SECOND: 3}, 1.0)
    found = drift(DESIRED, replace(OBSERVED, latest_update=update))
    assert found.differences == (Difference(v.MIN_REQUESTS_PER_SECOND, "3", "1"),)


def test_drift_of_a_starting_recommender_is_unknown() -> None:
    found = drift(DESIRED, replace(OBSERVED, status="START IN_PROGRESS"))
    assert found.status is DriftStatus.CANNOT_TELL
    assert "START IN_PROGRESS" in found.reason


def test_recommender_that_is_kept_stopped_has_drift_when_active() -> None:
    stopped = replace(DESIRED, running=False)
    assert drift(stopped, replace(OBSERVED, status="INACTIVE")).status is DriftStatus.NONE
    found = drift(stopped, OBSERVED)
    assert found.differences == (Difference("status", "ACTIVE", "INACTIVE"),)


HOURS = {v.START: ["MON 07:00"], v.STOP: ["FRI 20:00"], v.TIME_ZONE: "UTC"}
MONDAY, SATURDAY = 1_764_000_000.0, 1_764_460_000.0
"""24 November 2025, 16:00, and 29 November, 23:46, in UTC."""


@pytest.mark.parametrize("status", ["ACTIVE", "INACTIVE", "STOP PENDING"])
def test_recommender_with_hours_has_no_drift_in_either_running_state(status: str) -> None:
    by_the_clock = desired(**{v.ACTIVE_HOURS: HOURS})
    found = drift(by_the_clock, replace(OBSERVED, status=status))

    assert found.status is DriftStatus.NONE
    assert hour(by_the_clock, MONDAY).startswith("ACTIVE at this hour")
    assert hour(by_the_clock, SATURDAY).startswith("INACTIVE at this hour")
    assert hour(DESIRED, MONDAY) == ""


def test_recommender_with_hours_has_drift_in_its_config() -> None:
    by_the_clock = desired(**{v.ACTIVE_HOURS: HOURS})
    changed = CONFIG | {v.MIN_REQUESTS_PER_SECOND: 3}
    found = drift(by_the_clock, replace(OBSERVED, status="INACTIVE", config=changed))

    assert found.differences == (Difference(v.MIN_REQUESTS_PER_SECOND, "3", "1"),)


def test_absent_recommender_is_drift() -> None:
    found = drift(DESIRED, None)
    assert found.differences == (Difference("recommender", "nothing", DESIRED.name),)


def test_hidden_members_of_an_adopted_recommender_are_no_drift() -> None:
    adopted = {**DESIRED.tags, **DESIRED.owner.tags(adopted=True)}
    assert drift(DESIRED, replace(OBSERVED, config={}, tags=adopted)).status is DriftStatus.NONE


def test_reason_without_drift_is_the_status() -> None:
    assert drift(DESIRED, OBSERVED).reason == "ACTIVE, as configured"
    training = drift(DESIRED, replace(OBSERVED, status="CREATE IN_PROGRESS"))
    assert training.reason.startswith("CREATE IN_PROGRESS")


def test_differences_without_tags_are_the_others() -> None:
    bare = replace(OBSERVED, tags=None, status="INACTIVE")
    assert [one.member for one in drift(DESIRED, bare).differences] == ["status"]


@pytest.mark.parametrize(
    ("on_destroy", "tagged", "expected"),
    [
        ("retain", "retain", ()),
        ("delete", "retain", (Difference("tag top-picks:on-destroy", "retain", "delete"),)),
        ("retain", None, (Difference("tag top-picks:on-destroy", "nothing", "retain"),)),
        (None, "retain", (Difference("tag top-picks:on-destroy", "retain", "nothing"),)),
    ],
)
def test_on_destroy_is_compared_as_a_tag(
    on_destroy: str | None, tagged: str | None, expected: tuple[Difference, ...]
) -> None:
    changed = desired(**({v.ON_DESTROY: on_destroy} if on_destroy else {}))
    tags = {**(OBSERVED.tags or {}), **({v.ON_DESTROY_TAG: tagged} if tagged else {})}
    found = drift(changed, replace(OBSERVED, tags=tags))
    assert found.differences == expected
    assert found.status is (DriftStatus.DRIFTED if expected else DriftStatus.NONE)


@pytest.mark.parametrize("echo", [{}, {v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.9"}}])
def test_exploration_of_a_recipe_that_does_not_explore_is_no_drift(echo: dict[str, Any]) -> None:
    config = {v.MIN_REQUESTS_PER_SECOND: "1", v.ENABLE_METADATA: "true"}
    shown = {v.MIN_REQUESTS_PER_SECOND: 1, v.ENABLE_METADATA: True, **echo}

    found = drift(desired(**{v.CONFIG: config}), replace(OBSERVED, config=shown))

    assert (found.status, found.differences, found.hidden) == (DriftStatus.NONE, (), ())
