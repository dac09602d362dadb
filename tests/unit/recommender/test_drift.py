from dataclasses import replace
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.decision.drift import Difference, DriftStatus, drift, hour
from lambdas.recommender.model.observed import Observed, Update
from lambdas.recommender.model.request import Desired, Request

from .examples import PLACE, event


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
THERE = Observed(
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
def test_a_member_that_differs(config: dict[str, Any], expected: Difference) -> None:
    found = drift(DESIRED, replace(THERE, config=CONFIG | config))
    assert found.status is DriftStatus.DRIFTED
    assert found.differences == (expected,)
    assert found.is_put_right
    assert found.reason == "", "it is neither waited for nor refused"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "INACTIVE"}, ("status",)),
        ({"status": "STOP IN_PROGRESS"}, ("status",)),
        ({"status": "DELETE PENDING"}, ("status",)),
        ({"status": "CREATE FAILED"}, ("status",)),
        ({"status": "PONDERING"}, ("status",)),
        ({"tags": DESIRED.owner.tags()}, ("tag team",)),
        (
            {"status": "CREATE FAILED", "config": CONFIG | {v.ENABLE_METADATA: False}},
            ("status", v.ENABLE_METADATA),
        ),
    ],
)
def test_whatever_else_differs_a_deployment_puts_right(
    changes: dict[str, Any], expected: tuple[str, ...]
) -> None:
    found = drift(DESIRED, replace(THERE, **changes))
    assert found.status is DriftStatus.DRIFTED
    assert tuple(one.member for one in found.differences) == expected
    assert found.is_put_right


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "START FAILED"}, ("status",)),
        ({"dataset_group_arn": f"{PLACE}dataset-group/other"}, ("datasetGroupArn",)),
        ({"recipe_arn": "arn:aws:personalize:::recipe/other"}, ("recipeArn",)),
        ({"tags": DESIRED.tags}, (f"tag {v.OWNER_STACK_TAG}", f"tag {v.OWNER_RESOURCE_TAG}")),
    ],
)
def test_what_no_deployment_puts_right(changes: dict[str, Any], expected: tuple[str, ...]) -> None:
    found = drift(DESIRED, replace(THERE, **changes))
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
def test_what_is_as_asked_or_trains_as_asked_does_not_differ(changes: dict[str, Any]) -> None:
    found = drift(DESIRED, replace(THERE, **changes))
    assert found.status is DriftStatus.NONE
    assert found.differences == ()


def test_what_is_there_and_what_is_wanted_are_named() -> None:
    group, recipe = f"{PLACE}dataset-group/other", "arn:aws:personalize:::recipe/other"
    strange = replace(
        THERE, dataset_group_arn=group, recipe_arn=recipe, tags={"team": "audio", "x": "y"}
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


def test_an_update_that_leads_elsewhere_does() -> None:
    update = Update("CREATE PENDING", CONFIG | {v.MIN_REQUESTS_PER_SECOND: 3}, 1.0)
    found = drift(DESIRED, replace(THERE, latest_update=update))
    assert found.differences == (Difference(v.MIN_REQUESTS_PER_SECOND, "3", "1"),)


def test_what_starts_is_on_its_way() -> None:
    found = drift(DESIRED, replace(THERE, status="START IN_PROGRESS"))
    assert found.status is DriftStatus.CANNOT_TELL
    assert "START IN_PROGRESS" in found.reason


def test_a_recommender_that_is_kept_stopped_differs_when_it_runs() -> None:
    stopped = replace(DESIRED, running=False)
    assert drift(stopped, replace(THERE, status="INACTIVE")).status is DriftStatus.NONE
    found = drift(stopped, THERE)
    assert found.differences == (Difference("status", "ACTIVE", "INACTIVE"),)


HOURS = {v.START: ["MON 07:00"], v.STOP: ["FRI 20:00"], v.TIME_ZONE: "UTC"}
MONDAY, SATURDAY = 1_764_000_000.0, 1_764_460_000.0
"""24 November 2025, 16:00, and 29 November, 23:46, in UTC."""


@pytest.mark.parametrize("status", ["ACTIVE", "INACTIVE", "STOP PENDING"])
def test_a_recommender_with_hours_lives_in_either_state_and_says_which_one_its_hour_wants(
    status: str,
) -> None:
    by_the_clock = desired(**{v.ACTIVE_HOURS: HOURS})
    found = drift(by_the_clock, replace(THERE, status=status))

    assert found.status is DriftStatus.NONE
    assert hour(by_the_clock, MONDAY).startswith("ACTIVE at this hour")
    assert hour(by_the_clock, SATURDAY).startswith("INACTIVE at this hour")
    assert hour(DESIRED, MONDAY) == ""


def test_a_recommender_with_hours_differs_all_the_same_in_what_is_not_its_state() -> None:
    by_the_clock = desired(**{v.ACTIVE_HOURS: HOURS})
    changed = CONFIG | {v.MIN_REQUESTS_PER_SECOND: 3}
    found = drift(by_the_clock, replace(THERE, status="INACTIVE", config=changed))

    assert found.differences == (Difference(v.MIN_REQUESTS_PER_SECOND, "3", "1"),)


def test_a_recommender_that_is_not_there_is_a_difference() -> None:
    found = drift(DESIRED, None)
    assert found.differences == (Difference("recommender", "nothing", DESIRED.name),)


def test_members_that_do_not_show_are_named() -> None:
    found = drift(DESIRED, replace(THERE, config={v.ENABLE_METADATA: True}))
    assert found.status is DriftStatus.NONE
    assert v.MIN_REQUESTS_PER_SECOND in found.hidden
    assert v.ENABLE_METADATA not in found.hidden


def test_members_that_do_not_show_are_named_beside_what_differs() -> None:
    found = drift(DESIRED, replace(THERE, config={v.ENABLE_METADATA: False}))
    assert found.differences == (Difference(v.ENABLE_METADATA, "false", "true"),)
    assert v.MIN_REQUESTS_PER_SECOND in found.hidden
    assert v.ENABLE_METADATA not in found.hidden


def test_members_that_do_not_show_are_as_asked_also_of_one_that_was_adopted() -> None:
    adopted = {**DESIRED.tags, **DESIRED.owner.tags(adopted=True)}
    assert drift(DESIRED, replace(THERE, config={}, tags=adopted)).status is DriftStatus.NONE


def test_where_nothing_differs_the_reason_is_how_it_is() -> None:
    assert drift(DESIRED, THERE).reason == "ACTIVE, as configured"
    training = drift(DESIRED, replace(THERE, status="CREATE IN_PROGRESS"))
    assert training.reason.startswith("CREATE IN_PROGRESS")


def test_without_tags_nothing_is_said_of_them() -> None:
    bare = replace(THERE, tags=None, status="INACTIVE")
    assert [one.member for one in drift(DESIRED, bare).differences] == ["status"]


@pytest.mark.parametrize(
    ("said", "there", "expected"),
    [
        ("retain", "retain", ()),
        ("delete", "retain", (Difference("tag top-picks:on-destroy", "retain", "delete"),)),
        ("retain", None, (Difference("tag top-picks:on-destroy", "nothing", "retain"),)),
        (None, "retain", (Difference("tag top-picks:on-destroy", "retain", "nothing"),)),
    ],
)
def test_what_becomes_of_it_with_its_stack_is_a_tag_like_others(
    said: str | None, there: str | None, expected: tuple[Difference, ...]
) -> None:
    wanted = desired(**({v.ON_DESTROY: said} if said else {}))
    tags = {**(THERE.tags or {}), **({v.ON_DESTROY_TAG: there} if there else {})}
    found = drift(wanted, replace(THERE, tags=tags))
    assert found.differences == expected
    assert found.status is (DriftStatus.DRIFTED if expected else DriftStatus.NONE)
