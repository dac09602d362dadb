"""A configuration of the template, of the service, and as it is sent."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.config import Config
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


# -- of the template ---------------------------------------------------------------------------


@given(CONFIGS)
def test_template_config_is_read_as_it_was_written(config: Config) -> None:
    assert Config.from_template(template(config)) == config


def test_template_config_without_members_has_the_defaults_of_personalize() -> None:
    defaults = Config(1, False, Decimal("0.3"), Decimal(30), {})
    assert Config.from_template({v.EXPLORATION: {}}) == defaults
    assert Config.from_template({v.EXPLORATION: {}, v.TRAINING_DATA: {}}) == Config()


BAD: list[tuple[str, str, object]] = [
    ("", v.MIN_REQUESTS_PER_SECOND, "0"),
    ("", v.ENABLE_METADATA, "TRUE"),
    ("", v.EXPLORATION, "0.3"),
    ("", v.TRAINING_DATA, "ITEMS"),
    ("", v.RUNNING, "true"),
    ("", v.EXPLORATION_WEIGHT, "0.3"),
    ("", v.EXCLUDED_COLUMNS, {"ITEMS": ["A"]}),
    (v.EXPLORATION, v.EXPLORATION_WEIGHT, "1.1"),
    (v.EXPLORATION, v.EXPLORATION_ITEM_AGE_CUT_OFF, "0.5"),
    (v.EXPLORATION, "explorationweight", "0.3"),
    (v.EXPLORATION, v.MIN_REQUESTS_PER_SECOND, "1"),
    (v.TRAINING_DATA, v.EXCLUDED_COLUMNS, ["ITEMS"]),
    (v.TRAINING_DATA, v.INCLUDED_COLUMNS, {"ITEMS": ["A"]}),
]
"""Other bad values of each form: ``test_properties.py``."""


@pytest.mark.parametrize(("where", "name", "bad"), BAD)
def test_bad_or_unknown_member_is_refused_by_name(where: str, name: str, bad: object) -> None:
    member = {name: bad}

    with pytest.raises(BadRequestError) as refused:
        Config.from_template({where: member} if where else member)

    what, _, rest = str(refused.value).partition(": got ")
    assert what in (f"Unknown property {name}", f"{where or v.CONFIG}.{name}")
    assert rest.startswith(f"{str(bad)!r}; allowed: ")


# -- of the service ----------------------------------------------------------------------------


@given(CONFIGS, CONFIGS)
def test_different_config_differs_and_is_sent_whole(config: Config, other: Config) -> None:
    there = Config.of_service(other.request(), hidden=other)

    assert (there == config) == (config == other)
    sent = config.request(other.request(), replaced=there)
    assert Config.of_service(sent, hidden=other) == config


@given(CONFIGS)
def test_hidden_members_are_as_assumed(assumed: Config) -> None:
    nothing: list[dict[str, Any]] = [
        {},
        {v.EXPLORATION: {}, v.TRAINING_DATA: {}},
        {v.EXPLORATION: None, v.TRAINING_DATA: None, v.ENABLE_METADATA: None},
    ]

    for shown in nothing:
        assert Config.of_service(shown, hidden=assumed) == assumed


def weight(shown: object) -> dict[str, Any]:
    return {v.EXPLORATION: {v.EXPLORATION_WEIGHT: shown}}


def excluded(*items: str) -> dict[str, Any]:
    return {v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": list(items)}}}


AGE_7 = Config(exploration_item_age_cut_off=Decimal(7))
SHOWN: dict[str, tuple[Config, dict[str, Any], Config]] = {
    "one member": (
        METADATA,
        {v.MIN_REQUESTS_PER_SECOND: 2},
        replace(METADATA, min_requests_per_second=2),
    ),
    "false": (METADATA, {v.ENABLE_METADATA: False}, Config()),
    "one of two numbers": (AGE_7, weight("0.5"), replace(AGE_7, exploration_weight=Decimal("0.5"))),
    "another spelling of a number": (METADATA, weight("0.30"), METADATA),
    "a number that is no string": (METADATA, weight(0.3), METADATA),
    "a decimal of a whole number": (
        METADATA,
        {v.EXPLORATION: {v.EXPLORATION_ITEM_AGE_CUT_OFF: "30.0"}},
        METADATA,
    ),
    "no columns of a dataset": (METADATA, excluded(), METADATA),
    "columns in another order": (
        METADATA,
        excluded("B", "A"),
        replace(METADATA, excluded_columns={"ITEMS": ("A", "B")}),
    ),
    "columns that are no longer excluded": (
        Config(excluded_columns={"ITEMS": ("A",)}),
        {v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {}}},
        Config(),
    ),
    "included columns": (
        METADATA,
        {v.TRAINING_DATA: {v.INCLUDED_COLUMNS: {"ITEMS": ["D", "C"]}}},
        replace(METADATA, included_columns={"ITEMS": ("C", "D")}),
    ),
}


@pytest.mark.parametrize("row", SHOWN)
def test_shown_members_are_effective_and_hidden_ones_are_as_assumed(row: str) -> None:
    assumed, shown, expected = SHOWN[row]

    assert Config.of_service(shown, hidden=assumed) == expected


PRECISE = ["0.3000001", "0.0000001", "0.123456789012345678", "0.000000000000000001"]


@pytest.mark.parametrize("number", PRECISE)
def test_numbers_are_compared_and_sent_with_all_digits(number: str) -> None:
    config = Config.from_template(weight(number))
    other = f"{number[:-1]}{9 - int(number[-1])}"

    assert Config.of_service(weight(number), hidden=config) == config
    assert Config.of_service(weight(f"{number}00"), hidden=config) == config
    assert Config.of_service(weight(other), hidden=config) != config
    assert config.request()[v.EXPLORATION][v.EXPLORATION_WEIGHT] == number


@pytest.mark.parametrize("shown", ["high", "", "NaN", "sNaN", "Infinity", "0,3", [], {}])
def test_shown_value_that_is_no_number_is_a_difference(shown: object) -> None:
    echoed = {**METADATA.request(), v.EXPLORATION: {v.EXPLORATION_WEIGHT: shown}}

    assert Config.of_service(echoed, hidden=METADATA) != METADATA


@given(CONFIGS, CONFIGS)
def test_only_the_config_that_shows_is_shown_in_full(config: Config, other: Config) -> None:
    whole = other.request({v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {}}})

    assert other.is_shown_in_full(whole)
    assert config.is_shown_in_full(whole) is (config == other)


MEMBERS = (
    (v.MIN_REQUESTS_PER_SECOND,),
    (v.ENABLE_METADATA,),
    (v.EXPLORATION, v.EXPLORATION_WEIGHT),
    (v.EXPLORATION, v.EXPLORATION_ITEM_AGE_CUT_OFF),
    (v.TRAINING_DATA, v.EXCLUDED_COLUMNS),
)


@pytest.mark.parametrize("member", MEMBERS, ids=[one[-1] for one in MEMBERS])
@pytest.mark.parametrize("is_null", [False, True], ids=["absent", "null"])
def test_config_with_a_hidden_member_is_not_shown_in_full(
    member: tuple[str, ...], is_null: bool
) -> None:
    config = replace(METADATA, excluded_columns={"ITEMS": ("GENRES",)})
    shown = config.request()
    *outer, name = member
    inside = shown
    for each in outer:
        inside = inside[each]
    del inside[name]
    if is_null:
        inside[name] = None

    assert config.not_shown(shown) == [name]
    assert not config.is_shown_in_full(shown)


COLUMNS_BEFORE = replace(METADATA, excluded_columns={"ITEMS": ("GENRES",)})
EXPLORING = Config(exploration_weight=Decimal("0.7"))
SURELY_VALID: dict[str, tuple[Config, dict[str, Any], Config | None, bool]] = {
    "shown": (COLUMNS_BEFORE, COLUMNS_BEFORE.request(), None, True),
    "shown exploration": (EXPLORING, EXPLORING.request(), None, True),
    "default": (Config(), {}, COLUMNS_BEFORE, True),
    "earlier": (COLUMNS_BEFORE, {}, COLUMNS_BEFORE, True),
    "earlier, the columns default": (METADATA, {}, COLUMNS_BEFORE, True),
    "hidden": (METADATA, {}, None, False),
    "hidden, others earlier": (COLUMNS_BEFORE, {}, METADATA, False),
    "shown otherwise": (METADATA, Config().request(), None, False),
}


@pytest.mark.parametrize("row", SURELY_VALID)
def test_config_is_surely_valid_if_each_member_shows_or_is_earlier_or_default(row: str) -> None:
    config, shown, before, expected = SURELY_VALID[row]

    assert config.is_surely_valid(shown, before) is expected


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
    "false, and no columns": (Config().request(), []),
}


@pytest.mark.parametrize("row", NOT_SHOWN)
def test_not_shown_names_the_hidden_members(row: str) -> None:
    shown, expected = NOT_SHOWN[row]

    assert Config().not_shown(shown) == expected


# -- as a request ------------------------------------------------------------------------------


def test_request_keeps_members_that_the_template_does_not_have() -> None:
    sent = METADATA.request({"aMemberOfTomorrow": 1, v.EXPLORATION: {"aKeyOfTomorrow": "x"}})

    assert sent["aMemberOfTomorrow"] == 1
    assert sent[v.EXPLORATION]["aKeyOfTomorrow"] == "x"


CURRENT: dict[str, tuple[Mapping[str, Any], Config | None]] = {
    "they show": ({v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": ["A"]}}}, None),
    "others are included": ({v.TRAINING_DATA: {v.INCLUDED_COLUMNS: {"ITEMS": ["D"]}}}, None),
    "they do not show": ({}, Config(excluded_columns={"ITEMS": ("A",)})),
}


@pytest.mark.parametrize("row", CURRENT)
def test_request_clears_columns_that_are_no_longer_excluded(row: str) -> None:
    current, replaced = CURRENT[row]

    sent = Config().request(current, replaced=replaced)

    assert sent[v.TRAINING_DATA] == {v.EXCLUDED_COLUMNS: {}}


def test_request_without_columns_has_no_training_data_config() -> None:
    assert v.TRAINING_DATA not in Config().request()
    assert v.TRAINING_DATA not in Config().request({}, replaced=Config())


def test_request_has_excluded_columns_as_lists() -> None:
    sent = Config(excluded_columns={"ITEMS": ("A", "B")}).request()

    assert sent[v.TRAINING_DATA] == {v.EXCLUDED_COLUMNS: {"ITEMS": ["A", "B"]}}


def test_request_has_decimals_as_strings_and_counts_as_numbers() -> None:
    sent = Config(exploration_weight=Decimal("0.30")).request()

    assert sent[v.EXPLORATION] == {
        v.EXPLORATION_WEIGHT: "0.30",
        v.EXPLORATION_ITEM_AGE_CUT_OFF: "30",
    }
    assert sent[v.MIN_REQUESTS_PER_SECOND] == 1
    assert sent[v.ENABLE_METADATA] is False


# -- of a recipe that does not explore ---------------------------------------------------------

PLAIN = st.builds(
    Config,
    min_requests_per_second=st.integers(1, 2**31 - 1),
    enable_metadata=st.booleans(),
    excluded_columns=COLUMNS,
    explores=st.just(False),
)
ECHOED: list[dict[str, Any]] = [
    {},
    {v.EXPLORATION: None},
    {v.EXPLORATION: {}},
    {v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.3", v.EXPLORATION_ITEM_AGE_CUT_OFF: "30"}},
    {v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.9", "aKeyOfTomorrow": "x"}},
]
"""Whatever the service shows of an exploration that the recipe does not have."""


@given(PLAIN)
def test_template_config_without_exploration_is_of_a_recipe_that_does_not_explore(
    config: Config,
) -> None:
    written = template(config)
    del written[v.EXPLORATION]

    assert Config.from_template(written) == config


@given(PLAIN, st.sampled_from(ECHOED))
def test_exploration_that_the_recipe_does_not_have_is_neither_sent_nor_compared(
    config: Config, echoed: dict[str, Any]
) -> None:
    sent = config.request(echoed)

    assert v.EXPLORATION not in sent
    assert config.agrees_with({**sent, **echoed})
    assert Config.of_service({**sent, **echoed}, hidden=config) == config
    assert config.not_shown({**sent, **echoed}) == []
    assert config.is_shown_in_full({v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {}}, **sent, **echoed})


@given(PLAIN, PLAIN, st.sampled_from(ECHOED))
def test_other_members_of_a_recipe_that_does_not_explore_are_compared(
    config: Config, other: Config, echoed: dict[str, Any]
) -> None:
    whole = other.request({v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {}}})
    assert config.is_shown_in_full({**whole, **echoed}) is (config == other)


def test_hidden_members_of_a_recipe_that_does_not_explore_are_named() -> None:
    plain = Config(explores=False)

    assert plain.not_shown({}) == [v.MIN_REQUESTS_PER_SECOND, v.ENABLE_METADATA]
