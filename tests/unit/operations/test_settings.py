import json
from dataclasses import fields
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from operations.computations.settings import SETTINGS, changed_settings
from stacks.settings.declarations import Settings
from tests.support.template import synthesised

OWN_NAMES = {"ServiceToken", v.NAME_PREFIX, v.WAIT_SECONDS, v.CONFIG}
"""Properties that no setting makes, or that settings make the parts of."""


def test_each_name_is_that_of_a_setting() -> None:
    names = set(SETTINGS.values())
    assert len(names) == len(SETTINGS)
    assert names <= {one.name for one in fields(Settings)}


def test_each_property_that_a_setting_makes_has_its_name() -> None:
    made: Any = synthesised(
        recommender_name="films",
        force_update="2",
        tags={"team": "video"},
        active_hours={
            "start": "cron(0 7 ? * MON *)",
            "stop": "cron(0 19 ? * MON *)",
            "time_zone": "UTC",
        },
    ).to_json()
    (one,) = [
        one for one in made["Resources"].values() if one["Type"] == "Custom::TopPicksRecommender"
    ]
    properties = json.loads(json.dumps(one["Properties"]))
    assert properties.keys() - OWN_NAMES == {one for one in SETTINGS if "." not in one}
    shown = [one.name for one in changed_settings({}, {v.CONFIG: properties[v.CONFIG]})]
    assert shown == [
        "exploration_item_age_cut_off",
        "exploration_weight",
        "item_metadata",
        "min_recommendation_requests_per_second",
    ]


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ({v.RUNNING: "true"}, {v.RUNNING: "true"}, []),
        ({v.RUNNING: "true"}, {v.RUNNING: "false"}, ["running: true -> false"]),
        ({}, {v.FORCE_UPDATE: "2"}, ["force_update: nothing -> 2"]),
        ({v.TAGS: {"a.b": "1"}}, {v.TAGS: {}}, ["tags.a.b: 1 -> nothing"]),
        (
            {v.CONFIG: {v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": ["A"]}}}},
            {v.CONFIG: {v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": ["A", "B"]}}}},
            ["excluded_columns.ITEMS: A -> A, B"],
        ),
        ({"Another": "1"}, {"Another": "2"}, ["Another: 1 -> 2"]),
    ],
)
def test_change_is_shown_by_its_setting(
    before: dict[str, Any], after: dict[str, Any], shown: list[str]
) -> None:
    assert [str(one) for one in changed_settings(before, after)] == shown
