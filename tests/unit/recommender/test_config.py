"""A configuration, as asked and as it is: the two can be compared, and are sent as they are."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.config import Config, not_shown
from lambdas.recommender.model.properties import BadRequestError

METADATA = Config(enable_metadata=True)
COLUMNS = st.dictionaries(
    st.sampled_from(["ITEMS", "USERS"]),
    st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, unique=True).map(sorted).map(tuple),
)
CONFIGS = st.builds(
    Config,
    min_requests_per_second=st.integers(1, 2**31 - 1),
    enable_metadata=st.booleans(),
    exploration_weight=st.integers(0, 18).flatmap(lambda places: st.decimals(0, 1, places=places)),
    exploration_item_age_cut_off=st.integers(1, 2**31 - 1).map(Decimal),
    excluded_columns=COLUMNS,
)
NOT_OURS = st.fixed_dictionaries(
    {},
    optional={
        "aMemberOfTomorrow": st.integers(),
        "itemExplorationConfig": st.just({"aKeyOfTomorrow": "x"}),
    },
)


def template(config: Config) -> dict[str, Any]:
    """Return a configuration as CloudFormation hands it over: every scalar is a string."""
    excluded = {dataset: list(names) for dataset, names in config.excluded_columns.items()}
    return {
        v.MIN_REQUESTS_PER_SECOND: str(config.min_requests_per_second),
        v.ENABLE_METADATA: str(config.enable_metadata).lower(),
        v.EXPLORATION: {
            v.EXPLORATION_WEIGHT: f"{config.exploration_weight:f}",
            v.EXPLORATION_ITEM_AGE_CUT_OFF: str(config.exploration_item_age_cut_off),
        },
        v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: excluded},
    }


# -- as asked ----------------------------------------------------------------------------------


@given(CONFIGS)
def test_what_a_template_asks_for_is_read_as_it_is_meant(config: Config) -> None:
    assert Config.from_template(template(config)) == config


def test_what_a_template_does_not_mention_is_personalizes_default() -> None:
    assert Config.from_template({}) == Config(1, False, Decimal("0.3"), Decimal(30), {})
    assert Config.from_template({v.EXPLORATION: {}, v.TRAINING_DATA: {}}) == Config()


BAD: dict[str, list[Any]] = {
    v.MIN_REQUESTS_PER_SECOND: ["0", "01", "1.0", "1e3", "-1", "", "\u0663", 1, [], "2147483648"],
    v.ENABLE_METADATA: ["TRUE", "", "1", True],
    v.EXPLORATION: ["", [], "0.3"],
    v.TRAINING_DATA: ["", [], "ITEMS"],
    v.RUNNING: ["true"],
    v.EXPLORATION_WEIGHT: ["0.3"],
    v.EXCLUDED_COLUMNS: [{"ITEMS": ["A"]}],
}
BAD_EXPLORATION: dict[str, list[Any]] = {
    v.EXPLORATION_WEIGHT: ["1.1", "-0.1", ".5", "1e-1", "", "NaN", "0.3 ", 0.3, "\u0660.\u0663"],
    v.EXPLORATION_ITEM_AGE_CUT_OFF: ["0", "0.5", "-30", "", "thirty"],
    "explorationweight": ["0.3"],
    v.MIN_REQUESTS_PER_SECOND: ["1"],
}
BAD_TRAINING_DATA: dict[str, list[Any]] = {
    v.EXCLUDED_COLUMNS: ["ITEMS", ["ITEMS"], {"ITEMS": "A"}, {"ITEMS": [1]}, {"": ["A"]}],
    v.INCLUDED_COLUMNS: [{"ITEMS": ["A"]}],
}


def _rows() -> list[Any]:
    whole = {
        "": BAD,
        v.EXPLORATION: BAD_EXPLORATION,
        v.TRAINING_DATA: BAD_TRAINING_DATA,
    }
    return [
        pytest.param(where, name, bad, id=f"{where}.{name}={bad!r}"[:80])
        for where, members in whole.items()
        for name, values in members.items()
        for bad in values
    ]


@pytest.mark.parametrize(("where", "name", "bad"), _rows())
def test_a_bad_or_unknown_member_is_refused_by_name(where: str, name: str, bad: object) -> None:
    member = {name: bad}

    with pytest.raises(BadRequestError) as refused:
        Config.from_template({where: member} if where else member)

    what, _, rest = str(refused.value).partition(": got ")
    assert what in (f"Unknown property {name}", f"{where or v.CONFIG}.{name}")
    assert rest.startswith(f"{str(bad)!r}; allowed: ")


@pytest.mark.parametrize("weight", ["0", "1", "1.0", "0.000000000000000001"])
def test_a_weight_may_be_anything_from_nothing_to_the_whole(weight: str) -> None:
    asked = Config.from_template({v.EXPLORATION: {v.EXPLORATION_WEIGHT: weight}})

    assert asked.exploration_weight == Decimal(weight)


# -- as it is ----------------------------------------------------------------------------------


@given(CONFIGS)
def test_what_was_asked_for_and_sent_is_shown_as_in_force(config: Config) -> None:
    asked = Config.from_template(template(config))

    assert Config.of_service(asked.request(), hidden=asked) == asked


@given(CONFIGS, NOT_OURS)
def test_what_was_sent_is_in_force(config: Config, current: dict[str, Any]) -> None:
    assert Config.of_service(config.request(current), hidden=config) == config


@given(CONFIGS, CONFIGS)
def test_any_difference_is_seen_and_sent_whole(config: Config, other: Config) -> None:
    there = Config.of_service(other.request(), hidden=other)

    assert (there == config) == (config == other)
    sent = config.request(other.request(), replaced=there)
    assert Config.of_service(sent, hidden=other) == config


@given(CONFIGS)
def test_absent_members_are_as_assumed(assumed: Config) -> None:
    nothing: list[dict[str, Any]] = [
        {},
        {v.EXPLORATION: {}, v.TRAINING_DATA: {}},
        {v.EXPLORATION: None, v.TRAINING_DATA: None, v.ENABLE_METADATA: None},
    ]

    for shown in nothing:
        assert Config.of_service(shown, hidden=assumed) == assumed


SHOWN: dict[str, tuple[Config, dict[str, Any], Config]] = {
    "one member": (
        METADATA,
        {v.MIN_REQUESTS_PER_SECOND: 2},
        replace(METADATA, min_requests_per_second=2),
    ),
    "what is false is no absent member": (METADATA, {v.ENABLE_METADATA: False}, Config()),
    "one number of two": (
        Config(exploration_item_age_cut_off=Decimal(7)),
        {v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.5"}},
        Config(exploration_weight=Decimal("0.5"), exploration_item_age_cut_off=Decimal(7)),
    ),
    "another spelling of a number": (
        METADATA,
        {v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.30"}},
        METADATA,
    ),
    "a decimal of a whole number": (
        METADATA,
        {v.EXPLORATION: {v.EXPLORATION_ITEM_AGE_CUT_OFF: "30.0"}},
        METADATA,
    ),
    "a number as one": (METADATA, {v.EXPLORATION: {v.EXPLORATION_WEIGHT: 0.3}}, METADATA),
    "a number that is none": (
        METADATA,
        {v.EXPLORATION: {v.EXPLORATION_WEIGHT: "high"}},
        replace(METADATA, exploration_weight=None),
    ),
    "no columns of a dataset": (
        METADATA,
        {v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": []}}},
        METADATA,
    ),
    "columns in another order": (
        METADATA,
        {v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": ["B", "A"]}}},
        replace(METADATA, excluded_columns={"ITEMS": ("A", "B")}),
    ),
    "columns that are none any more": (
        Config(excluded_columns={"ITEMS": ("A",)}),
        {v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {}}},
        Config(),
    ),
    "the only columns that are used": (
        METADATA,
        {v.TRAINING_DATA: {v.INCLUDED_COLUMNS: {"ITEMS": ["D", "C"]}}},
        replace(METADATA, included_columns={"ITEMS": ("C", "D")}),
    ),
}


@pytest.mark.parametrize("row", SHOWN)
def test_what_shows_is_in_force_and_the_rest_is_as_assumed(row: str) -> None:
    assumed, shown, expected = SHOWN[row]

    assert Config.of_service(shown, hidden=assumed) == expected


PRECISE = ["0.1234567", "0.123456", "0.123456789012345678", "0.3000001", "0.000000000000000001"]


@pytest.mark.parametrize("weight", PRECISE)
def test_numbers_are_compared_at_full_precision(weight: str) -> None:
    asked = Config.from_template({v.EXPLORATION: {v.EXPLORATION_WEIGHT: weight}})
    other = f"{weight[:-1]}{9 - int(weight[-1])}"

    assert Config.of_service({v.EXPLORATION: {v.EXPLORATION_WEIGHT: weight}}, hidden=asked) == asked
    assert (
        Config.of_service({v.EXPLORATION: {v.EXPLORATION_WEIGHT: f"{weight}00"}}, hidden=asked)
        == asked
    )
    assert Config.of_service({v.EXPLORATION: {v.EXPLORATION_WEIGHT: other}}, hidden=asked) != asked


@pytest.mark.parametrize("shown", ["high", "", "NaN", "Infinity", "0,3", [], {}])
def test_a_number_that_is_none_is_a_difference(shown: object) -> None:
    echoed = {**METADATA.request(), v.EXPLORATION: {v.EXPLORATION_WEIGHT: shown}}

    assert Config.of_service(echoed, hidden=METADATA) != METADATA


def test_a_number_that_cannot_be_compared_is_a_difference() -> None:
    shown = Config.of_service({v.EXPLORATION: {v.EXPLORATION_WEIGHT: "sNaN"}}, hidden=METADATA)

    assert shown != METADATA


@given(CONFIGS)
def test_a_configuration_of_which_all_shows_needs_no_assumption(config: Config) -> None:
    whole = config.request({v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {}}})

    assert Config.of_service(whole, hidden=None) == config


MEMBERS = (
    (v.MIN_REQUESTS_PER_SECOND,),
    (v.ENABLE_METADATA,),
    (v.EXPLORATION, v.EXPLORATION_WEIGHT),
    (v.EXPLORATION, v.EXPLORATION_ITEM_AGE_CUT_OFF),
    (v.TRAINING_DATA, v.EXCLUDED_COLUMNS),
)


@pytest.mark.parametrize("member", MEMBERS, ids=[one[-1] for one in MEMBERS])
def test_a_configuration_of_which_a_member_does_not_show_is_not_known_without_an_assumption(
    member: tuple[str, ...],
) -> None:
    shown = METADATA.request({v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {}}})
    *outer, name = member
    inside = shown
    for each in outer:
        inside = inside[each]
    del inside[name]

    assert Config.of_service(shown, hidden=None) is None


@given(CONFIGS, CONFIGS)
def test_a_configuration_agrees_with_what_does_not_show(config: Config, other: Config) -> None:
    assert config.agrees_with({})
    assert config.agrees_with(other.request()) is (
        Config.of_service(other.request(), hidden=config) == config
    )


NOT_SHOWN: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing shows": (
        {},
        [
            v.MIN_REQUESTS_PER_SECOND,
            v.ENABLE_METADATA,
            v.EXPLORATION_WEIGHT,
            v.EXPLORATION_ITEM_AGE_CUT_OFF,
        ],
    ),
    "no exploration": (
        {**METADATA.request(), v.EXPLORATION: None},
        [v.EXPLORATION_WEIGHT, v.EXPLORATION_ITEM_AGE_CUT_OFF],
    ),
    "one of the exploration": (
        {**METADATA.request(), v.EXPLORATION: {v.EXPLORATION_ITEM_AGE_CUT_OFF: "30"}},
        [v.EXPLORATION_WEIGHT],
    ),
    "no metadata, and others that nobody knows": (
        {v.MIN_REQUESTS_PER_SECOND: 1, v.EXPLORATION: METADATA.request()[v.EXPLORATION], "x": 1},
        [v.ENABLE_METADATA],
    ),
    "what is false shows, and columns are no matter": (Config().request(), []),
}


@pytest.mark.parametrize("row", NOT_SHOWN)
def test_members_that_do_not_show_are_named(row: str) -> None:
    shown, expected = NOT_SHOWN[row]

    assert not_shown(shown) == expected


# -- as it is sent -----------------------------------------------------------------------------


@given(CONFIGS, NOT_OURS)
def test_members_that_are_not_ours_are_carried_over(
    config: Config, current: dict[str, Any]
) -> None:
    sent = config.request(current)

    for member, value in current.items():
        if isinstance(value, dict):
            assert value.items() <= sent[member].items()
        else:
            assert sent[member] == value


CURRENT: dict[str, tuple[Mapping[str, Any], Config | None]] = {
    "they show": ({v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": ["A"]}}}, None),
    "others are included": ({v.TRAINING_DATA: {v.INCLUDED_COLUMNS: {"ITEMS": ["D"]}}}, None),
    "they do not show": ({}, Config(excluded_columns={"ITEMS": ("A",)})),
}


@pytest.mark.parametrize("row", CURRENT)
def test_columns_are_cleared_when_they_are_no_longer_excluded(row: str) -> None:
    current, replaced = CURRENT[row]

    sent = Config().request(current, replaced=replaced)

    assert sent[v.TRAINING_DATA] == {v.EXCLUDED_COLUMNS: {}}


def test_columns_are_not_mentioned_where_there_are_none() -> None:
    assert v.TRAINING_DATA not in Config().request()
    assert v.TRAINING_DATA not in Config().request({}, replaced=Config())


def test_columns_that_are_excluded_are_sent_as_lists() -> None:
    sent = Config(excluded_columns={"ITEMS": ("A", "B")}).request()

    assert sent[v.TRAINING_DATA] == {v.EXCLUDED_COLUMNS: {"ITEMS": ["A", "B"]}}


def test_numbers_are_sent_as_the_service_takes_them() -> None:
    sent = Config(exploration_weight=Decimal("0.30")).request()

    assert sent[v.EXPLORATION] == {
        v.EXPLORATION_WEIGHT: "0.30",
        v.EXPLORATION_ITEM_AGE_CUT_OFF: "30",
    }
    assert sent[v.MIN_REQUESTS_PER_SECOND] == 1
    assert sent[v.ENABLE_METADATA] is False


@pytest.mark.parametrize("weight", ["0.0000001", "0.000000000000000001"])
def test_a_small_number_is_sent_as_it_was_asked_for(weight: str) -> None:
    asked = Config.from_template({v.EXPLORATION: {v.EXPLORATION_WEIGHT: weight}})

    assert asked.request()[v.EXPLORATION][v.EXPLORATION_WEIGHT] == weight
