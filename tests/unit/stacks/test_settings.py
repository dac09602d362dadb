"""A wrong setting is refused before anything is built, by a message that one can act on."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.settings import Settings, SettingsError, from_context, parse

GROUP = "arn:aws:personalize:eu-west-1:111111111111:dataset-group/vod"
MINIMAL = {"dataset_group_arn": GROUP}


class Context:
    """What ``from_context`` reads of a construct tree."""

    def __init__(self, **context: object) -> None:
        self._context = context

    def try_get_context(self, key: str) -> object:
        return self._context.get(key)

    def get_all_context(self) -> dict[str, object]:
        return dict(self._context)


def read(**context: object) -> dict[str, Settings]:
    return from_context(Context(**context))  # type: ignore[arg-type]


def test_account_and_region_are_those_of_the_dataset_group() -> None:
    settings = parse(MINIMAL)

    assert (settings.account, settings.region) == ("111111111111", "eu-west-1")


def test_the_defaults_are_the_contracts() -> None:
    assert parse(MINIMAL) == Settings(
        dataset_group_arn=GROUP,
        account="111111111111",
        region="eu-west-1",
        recommender_name=None,
        min_recommendation_requests_per_second=1,
        exploration_weight=Decimal("0.3"),
        exploration_item_age_cut_off=30,
        excluded_columns={},
        running=True,
        adopt_existing=False,
        retain_on_destroy=False,
        max_training_hours=Decimal(10),
        training_gate_minutes=Decimal(55),
        poll_interval_seconds=60,
        tags={},
    )


ALLOWED: list[tuple[str, Any, Any]] = [
    ("recommender_name", "my-Recs_1", "my-Recs_1"),
    ("min_recommendation_requests_per_second", 5, 5),
    ("exploration_weight", 0, Decimal(0)),
    ("exploration_weight", 1, Decimal(1)),
    ("exploration_weight", 0.25, Decimal("0.25")),
    ("exploration_item_age_cut_off", 365, 365),
    ("excluded_columns", {"ITEMS": ["B", "A", "A"]}, {"ITEMS": ("A", "B")}),
    ("running", False, False),
    ("retain_on_destroy", True, True),
    ("max_training_hours", 24, Decimal(24)),
    ("max_training_hours", 0.5, Decimal("0.5")),
    ("training_gate_minutes", 30, Decimal(30)),
    ("poll_interval_seconds", 120, 120),
    ("tags", {"team": "video", "cost:centre": ""}, {"cost:centre": "", "team": "video"}),
]


@pytest.mark.parametrize(("key", "value", "parsed"), ALLOWED)
def test_a_setting_is_the_same_from_cdk_json_and_from_the_command_line(
    key: str, value: object, parsed: object
) -> None:
    on_the_command_line = value if isinstance(value, str) else json.dumps(value)

    assert getattr(parse({**MINIMAL, key: value}), key) == parsed
    assert getattr(parse({**MINIMAL, key: on_the_command_line}), key) == parsed


REFUSED: dict[str, list[Any]] = {
    "dataset_group_arn": [
        "",
        "vod",
        GROUP.replace("personalize", "s3"),
        GROUP.replace("dataset-group", "dataset"),
        GROUP.replace("111111111111", "1111"),
        GROUP.replace("eu-west-1", "europe"),
        GROUP + "/x",
        GROUP + "\n",
        f" {GROUP}",
        7,
        [GROUP],
    ],
    "recommender_name": ["", "-x", "_x", "a b", "a/b", "x" * 64, "recs\n", "épices", 7, []],
    "min_recommendation_requests_per_second": [
        0,
        -1,
        1.5,
        "1.5",
        "one",
        "",
        "01x",
        True,
        [],
        2**31,
    ],
    "exploration_weight": [-0.1, 1.1, "1,0", "NaN", "1e-1", "", True, {}, "\u0661"],
    "exploration_item_age_cut_off": [0, -1, 0.5, "thirty", False],
    "excluded_columns": [
        [],
        "ITEMS",
        {"MOVIES": ["A"]},
        {"items": ["A"]},
        {"ITEMS": "A"},
        {"ITEMS": []},
        {"ITEMS": [7]},
        {"ITEMS": ["a b"]},
        {"ITEMS": ["x" * 151]},
        {"ITEMS": [f"C{n}" for n in range(51)]},
        {"INTERACTIONS": ["EVENT_TYPE"]},
    ],
    "running": ["yes", "True", "1", 1, 0, "", [], {}],
    "adopt_existing": ["no", 1, "FALSE"],
    "retain_on_destroy": ["on", 2],
    "max_training_hours": [0, -1, 24.1, "ten", "", True],
    "training_gate_minutes": [0, 56, -5, "hour", False],
    "poll_interval_seconds": [0, 121, 1.5, "fast"],
    "tags": [
        "team",
        ["team"],
        {"team": 1},
        {"": "x"},
        {"k" * 129: "x"},
        {"k": "x" * 257},
        {"k": "a&b"},
        {"aws:team": "x"},
        {"AWS:team": "x"},
        {"top-picks:stack-id": "mine"},
        {f"k{n}": "x" for n in range(48)},
    ],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in REFUSED.items() for value in values]
)
def test_a_wrong_setting_is_refused_by_key_value_and_what_is_allowed(
    key: str, value: object
) -> None:
    with pytest.raises(SettingsError) as refusal:
        parse({**MINIMAL, key: value})

    message = str(refusal.value)
    assert message.startswith(f"Setting {key}: got {json.dumps(value)}; allowed: ")
    assert "\n" not in message.replace("\\n", "")


@given(st.text(max_size=20))
def test_any_text_for_a_number_is_read_exactly_or_refused(text: str) -> None:
    try:
        settings = parse({**MINIMAL, "min_recommendation_requests_per_second": text})
    except SettingsError:
        return
    assert Decimal(text) == settings.min_recommendation_requests_per_second


def test_the_dataset_group_is_required() -> None:
    with pytest.raises(SettingsError, match=r"dataset_group_arn: got nothing; .*-c dataset_group"):
        read()


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("dataset_group", "dataset_group_arn"),
        ("max_training_hour", "max_training_hours"),
        ("recomender_name", "recommender_name"),
        ("trainingGateMinutes", "training_gate_minutes"),
    ],
)
def test_an_unknown_setting_suggests_the_nearest_known_one(slip: str, meant: str) -> None:
    with pytest.raises(SettingsError, match=f"dev.{slip}.*Did you mean {meant}"):
        parse({**MINIMAL, slip: 1}, of="dev.")


def test_a_slip_at_the_top_level_is_noticed_among_other_tools_context() -> None:
    with pytest.raises(SettingsError, match="Did you mean max_training_hours"):
        read(**MINIMAL, max_training_hour=3)


def test_other_tools_context_is_none_of_ours() -> None:
    settings = read(**MINIMAL, **{"@aws-cdk/core:checkSecretUsage": True, "availability": "x"})

    assert settings == {"": parse(MINIMAL)}


def test_each_environment_has_its_own_settings() -> None:
    prod = {"dataset_group_arn": GROUP.replace("111111111111", "222222222222"), "running": False}
    environments = {"dev": MINIMAL, "prod": prod}

    assert read(environments=environments) == {"dev": parse(MINIMAL), "prod": parse(prod)}
    assert read(environments=json.dumps(environments)) == read(environments=environments)


@pytest.mark.parametrize(
    "bad", ["", "dev", [], {}, "[]", {"dev": {}}, {"dev": GROUP}, {"d_v": MINIMAL}]
)
def test_environments_of_another_form_are_refused(bad: object) -> None:
    with pytest.raises(SettingsError, match="environments"):
        read(environments=bad)


def test_a_message_says_which_environment_is_wrong() -> None:
    environments = {"dev": MINIMAL, "prod": {**MINIMAL, "running": "yes"}}

    with pytest.raises(SettingsError, match=r"Setting prod\.running: got \"yes\""):
        read(environments=environments)


def test_settings_at_the_top_level_and_environments_exclude_each_other() -> None:
    with pytest.raises(SettingsError, match=r"dataset_group_arn.*Move it into each environment"):
        read(**MINIMAL, environments={"dev": MINIMAL})


@pytest.mark.parametrize(
    ("hours", "minutes", "gates"), [(10, 55, 11), (24, 55, 27), (0.5, 55, 1), (0.01, 0.1, 6)]
)
def test_there_are_as_many_gates_as_the_training_may_take(
    hours: float, minutes: float, gates: int
) -> None:
    settings = parse({**MINIMAL, "max_training_hours": hours, "training_gate_minutes": minutes})

    assert settings.training_gates == gates


def test_more_gates_than_a_stack_can_hold_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"at most 100 training gates.*It makes 1000"):
        parse({**MINIMAL, "max_training_hours": 10, "training_gate_minutes": 0.6})


def test_only_a_named_recommender_can_be_adopted() -> None:
    with pytest.raises(SettingsError, match=r"adopt_existing.*together with recommender_name"):
        parse({**MINIMAL, "adopt_existing": True})

    assert parse({**MINIMAL, "adopt_existing": True, "recommender_name": "mine"}).adopt_existing


@pytest.mark.parametrize("place", [("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")])
def test_every_partition_is_known(place: tuple[str, str]) -> None:
    partition, region = place
    arn = GROUP.replace("arn:aws:", f"arn:{partition}:").replace("eu-west-1", region)

    assert parse({"dataset_group_arn": arn}).region == region
