"""A wrong setting is refused before anything is built, by a message that one can act on."""

import json
from dataclasses import MISSING, fields
from decimal import Decimal
from typing import Any

import pytest
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender.recipes import Recipe
from lambdas.recommender.vocabulary import MAX_PREFIX_LENGTH, METRICS
from stacks.settings import (
    Deployment,
    OneRecommender,
    PipelineSettings,
    Settings,
    SettingsError,
    from_context,
    parse,
)
from stacks.settings.context import ENVIRONMENT_NAME
from stacks.settings.kinds import time_zones
from stacks.settings.reference import schema
from stacks.settings.setting import default_of, settings_of
from tests.support.json_schema import is_valid
from tests.support.place import GROUP, RECIPE
from tests.support.template import KEY, PIPELINE

MINIMAL = {"dataset_group_arn": GROUP}


class Context:
    """What ``from_context`` reads of a construct tree."""

    def __init__(self, **context: object) -> None:
        self._context = context

    def get_all_context(self) -> dict[str, object]:
        return dict(self._context)


def read(**context: object) -> Deployment:
    return from_context(Context(**context))  # type: ignore[arg-type]


HOURS = {
    "start": "cron(0 7 ? * MON-FRI *)",
    "stop": "cron(0 20 ? * MON-FRI *)",
    "time_zone": "Europe/Berlin",
}
TWO_HOURS = {**HOURS, "stop": "cron(0 9 ? * MON-FRI *)"}
COLUMNS = [f"C{n:02}" for n in range(50)]
ALL_BUT_TWO_HOURS = {**HOURS, "stop": "cron(0 5 ? * MON-FRI *)"}
OURS, THEIRS = "arn:aws:iam::111111111111:", "arn:aws:iam::333333333333:"
TOPIC = "arn:aws:sns:eu-west-1:111111111111:on-call"

OTHER_PARTITIONS = [
    GROUP.replace(":aws:", f":{partition}:").replace("eu-west-1", region)
    for partition, region in (("aws-us-gov", "us-gov-west-1"), ("aws-eusc", "eusc-de-east-1"))
]


def of_group(**settings: Any) -> OneRecommender:
    """Return the settings of a recommender of the dataset group."""
    return OneRecommender(dataset_group_arn=GROUP, **settings)


ALLOWED: list[tuple[str, Any, Any]] = [
    ("recipe", "aws-vod-most-popular", Recipe.VOD_MOST_POPULAR),
    ("recommender_name", "my-Recs_1", "my-Recs_1"),
    ("min_recommendation_requests_per_second", 5, 5),
    ("min_recommendation_requests_per_second", 2**31 - 1, 2**31 - 1),
    ("exploration_weight", 0, Decimal(0)),
    ("exploration_weight", 1, Decimal(1)),
    ("exploration_weight", 0.333333, Decimal("0.333333")),
    ("max_metric_regression", 0.3, Decimal("0.3")),
    ("quality_gate", "warn", "warn"),
    ("minimum_metrics", {"coverage": 0, "precision_at_5": 1}, {"coverage": 0, "precision_at_5": 1}),
    ("minimum_metrics", {"coverage": 0.3}, {"coverage": Decimal("0.3")}),
    ("exploration_item_age_cut_off", 365, 365),
    ("item_metadata", False, False),
    ("excluded_columns", {"ITEMS": ["B", "A", "A"]}, {"ITEMS": ("A", "B")}),
    ("excluded_columns", {"USERS": ["A"]}, {"USERS": ("A",)}),
    ("excluded_columns", {"ITEMS": COLUMNS}, {"ITEMS": tuple(COLUMNS)}),
    ("running", False, False),
    ("active_hours", HOURS, HOURS),
    ("active_hours", TWO_HOURS, TWO_HOURS),
    ("active_hours", ALL_BUT_TWO_HOURS, ALL_BUT_TWO_HOURS),
    *(("dataset_group_arn", arn, arn) for arn in (GROUP, *OTHER_PARTITIONS)),
    ("adopt_existing", False, False),
    ("retain_on_destroy", True, True),
    ("force_update", "2", "2"),
    ("force_update", "after 3 May \u2013 \u00e9", "after 3 May \u2013 \u00e9"),
    ("force_update", "g" * 64, "g" * 64),
    ("max_training_hours", 24, Decimal(24)),
    ("max_training_hours", 0.5, Decimal("0.5")),
    ("max_deletion_hours", 24, Decimal(24)),
    ("max_deletion_hours", 0.25, Decimal("0.25")),
    ("training_gate_minutes", 30, Decimal(30)),
    ("recommenders", {"": {}}, {"": of_group()}),
    (
        "recommenders",
        {
            "TopPicks": {"exploration_weight": 0.5},
            "b" * 31: {"recipe": "aws-vod-trending-now", "max_training_hours": 3},
        },
        {
            "TopPicks": of_group(exploration_weight=Decimal("0.5")),
            "b" * 31: of_group(recipe=Recipe.VOD_TRENDING_NOW, max_training_hours=Decimal(3)),
        },
    ),
    ("poll_interval_seconds", 120, 120),
    ("monitoring", True, True),
    ("runbook_url", "https://x.yz/runbook", "https://x.yz/runbook"),
    ("runbook_url", "https://" + "x" * 500, "https://" + "x" * 500),
    ("observation_interval_minutes", 1440, 1440),
    ("log_retention_days", 365, 365),
    ("notify_topic_arn", TOPIC, TOPIC),
    ("log_key_arn", KEY, KEY),
    ("log_key_arn", KEY.replace("key/", "key/mrk-"), KEY.replace("key/", "key/mrk-")),
    (
        "consumers",
        [f"{THEIRS}user/ops/ann@example.com", f"{OURS}role/api", f"{OURS}role/api"],
        (f"{OURS}role/api", f"{THEIRS}user/ops/ann@example.com"),
    ),
    ("termination_protection", True, True),
    ("approval", True, True),
    ("tags", {"k" * 128: "x" * 256}, {"k" * 128: "x" * 256}),
    ("tags", {f"k{n:02}": "x" for n in range(47)}, {f"k{n:02}": "x" for n in range(47)}),
    ("tags", {"team": "video", "cost:centre": "7"}, {"cost:centre": "7", "team": "video"}),
]


def test_settings_that_are_not_given_have_the_defaults_of_the_reference() -> None:
    """`tests/unit/checks/test_reference.py` has the pages that say them, one by one."""
    assert parse(MINIMAL) == Settings(dataset_group_arn=GROUP)


@pytest.mark.parametrize(("key", "value", "parsed"), ALLOWED)
def test_a_setting_is_the_same_from_cdk_json_and_from_the_command_line(
    key: str, value: object, parsed: object
) -> None:
    on_the_command_line = value if isinstance(value, str) else json.dumps(value)

    assert getattr(parse({**MINIMAL, key: value}), key) == parsed
    assert getattr(parse({**MINIMAL, key: on_the_command_line}), key) == parsed


@pytest.mark.parametrize(("key", "value", "parsed"), ALLOWED)
def test_an_editor_that_has_the_schema_takes_what_is_allowed(
    key: str, value: object, parsed: object
) -> None:
    del parsed
    unique = {"ITEMS": ["A", "B"]} if key == "excluded_columns" else value
    setting = {**MINIMAL, key: unique}

    assert is_valid({"context": setting}, schema())
    assert is_valid({"context": {"environments": {"dev": setting}}}, schema())


NO_TOPICS = [
    "on-call",
    TOPIC.replace(":sns:", ":sqs:"),
    f"{TOPIC}.fifo",
    f"{TOPIC}:0a1b2c3d-0000-1111-2222-333344445555",
    f"{TOPIC}\n",
    "",
    7,
]
REFUSED: dict[str, list[Any]] = {
    "dataset_group_arn": [
        "",
        "vod",
        GROUP.replace("personalize", "s3"),
        GROUP.replace("111111111111", "1111"),
        GROUP.replace("eu-west-1", "europe"),
        GROUP.replace("dataset-group", "recommender"),
        GROUP + "/x",
        GROUP + "\n",
        f" {GROUP}",
        7,
        [GROUP],
    ],
    "recipe": ["", "aws-vod", "aws-ecomm-recommended-for-you", "AWS-VOD-TOP-PICKS", RECIPE, 7, []],
    "recommender_name": ["", "-x", "_x", "a b", "a/b", "x" * 64, "recs\n", "épices", 7, []],
    "min_recommendation_requests_per_second": [0, 1.5, "1.5", "one", "01x", True, [], 2**31],
    "exploration_weight": [
        *(-0.1, 1.1, " 0.5", "+0.5", "0_1", "1,0", "NaN", "1e-1", "", True, {}, "\u0661"),
    ],
    "exploration_item_age_cut_off": [0, 0.5],
    "item_metadata": ["yes"],
    "excluded_columns": [
        *("ITEMS", {"items": ["A"]}, {"ITEMS": ["A"], "ITEM": ["A"]}),
        *({"ITEMS": one} for one in ("A", [], [7], ["a b"], ["x" * 151], [*COLUMNS, "C50"])),
        {"INTERACTIONS": ["EVENT_TYPE"]},
    ],
    "running": ["yes", "True", "1", " true", "true\n", "null", 1, 0, "", [], {}],
    "active_hours": [
        "",
        "cron(0 7 ? * MON-FRI *)",
        [HOURS],
        {},
        {"start": HOURS["start"], "stop": HOURS["stop"]},
        {**HOURS, "holidays": "none"},
        {**HOURS, "start": 7},
        {**HOURS, "stop": "07:00"},
        {**HOURS, "time_zone": "../etc/passwd"},
    ],
    "adopt_existing": ["no"],
    "retain_on_destroy": ["on"],
    "force_update": ["", " ", "2 ", " 2", "a\nb", "g" * 65, 2, True, ["2"]],
    "max_deletion_hours": [0, 24.1],
    "max_training_hours": [0, 24.1, "ten"],
    "training_gate_minutes": [0, 56],
    "recommenders": [
        *("TopPicks", {}, ["TopPicks"], {"TopPicks": "aws-vod-top-picks"}, {"TopPicks": []}),
        *({name: {}} for name in ("Top-Picks", "1", "b" * 32, "Films\n", "\u00c9pices")),
        *({name: {}} for name in ("Monitoring", "MonitoringFilms")),
        *("[" * 100_000, f"[{'1' * 5_000}]"),
    ],
    "poll_interval_seconds": [0, 121],
    "minimum_metrics": [
        "coverage",
        ["coverage"],
        {"coverage": -0.1},
        {"coverage": 0.1, "precision_at_5": 1.01},
        {"coverage": "0.1"},
        {"coverage": True},
        {"ndcg": 0.2},
    ],
    "max_metric_regression": [-0.1, 1.1, "5%"],
    "quality_gate": ["", "FAIL", "ignore", "warn ", True, []],
    "monitoring": ["on"],
    "alarm_topic_arn": NO_TOPICS,
    "minimum_throughput_use": [-0.1, 1.1],
    "notify_topic_arn": NO_TOPICS,
    "alarm_email": ["on-call", "on-call@", "@example.com", "a b@example.com", "a@b", "", 7],
    "runbook_url": [
        *("docs/runbook.md", "http://x.yz", "https://", "https://x y", "https://x#y", 7),
        "https://" + "x" * 501,
    ],
    "observation_interval_minutes": [0, 1441],
    "log_retention_days": [0, 2, 91, 3654, 90.5, "forever", True],
    "log_key_arn": [
        "alias/logs",
        KEY.replace(":key/", ":alias/"),
        KEY.replace("kms", "s3"),
        KEY + "*",
        KEY + "\n",
        "",
        7,
    ],
    "consumers": [
        *(f"{THEIRS}role/app", "*", [], [7], {}, ["*"], ["333333333333"]),
        *([f"{THEIRS}{one}"] for one in ("root", "role/*", "role/", "group/ops", "role/app\n")),
        *([f"{THEIRS}{one}"] for one in ("role/\u00e9pices", "oidc-provider/example.com")),
        ["arn:aws:iam::*:role/app"],
        ["arn:aws:sts::333333333333:assumed-role/app/session"],
        ["lambda.amazonaws.com"],
    ],
    "termination_protection": ["on"],
    "approval": ["ask"],
    "tags": [
        "team",
        ["team"],
        {"team": 1},
        {"team": "video", "year": 2026},
        {"": "x"},
        {"k" * 129: "x"},
        {"k": "x" * 257},
        {"k": ""},
        {f"k{n}": "x" for n in range(48)},
    ],
}


BEYOND_A_SCHEMA: dict[str, list[Any]] = {
    "exploration_weight": [0.3333333],
    "dataset_group_arn": [
        GROUP.replace("eu-west-1", "cn-north-1"),
        GROUP.replace("arn:aws:", "arn:aws-cn:"),
    ],
    "active_hours": [
        {**HOURS, "start": "cron(0 7 ? * FRI-MON *)"},
        {**HOURS, "stop": "cron(59 8 ? * MON-FRI *)"},
        {**HOURS, "stop": HOURS["start"]},
        {**HOURS, "stop": "cron(1 5 ? * FRI *)"},
        {**HOURS, "time_zone": "Europe/Atlantis"},
    ],
    "force_update": ["a\u00a0b"],
    "recommenders": [{"Films": {}, "films": {}}],
    "log_key_arn": [KEY.replace("arn:aws:", "arn:aws-us-gov:")],
    "alarm_topic_arn": [TOPIC.replace("arn:aws:", "arn:aws-us-gov:")],
    "notify_topic_arn": [TOPIC.replace("arn:aws:", "arn:aws-us-gov:")],
    "tags": [
        {"k": "a&b"},
        {"k\n": "x"},
        {"AWS:team": "x"},
        {"top-picks:stack-id": "mine"},
        {"Team": "video", "team": "video"},
    ],
}
"""Refused too, but by nothing that is said in JSON schema."""


def rows(table: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(key, value) for key, values in table.items() for value in values]


@pytest.mark.parametrize(("key", "value"), [*rows(REFUSED), *rows(BEYOND_A_SCHEMA)])
def test_a_wrong_setting_is_refused_by_key_value_and_what_is_allowed(
    key: str, value: object
) -> None:
    with pytest.raises(SettingsError) as refusal:
        parse({**MINIMAL, key: value})

    message = str(refusal.value)
    assert message.startswith(f"Setting {key}: got {json.dumps(value)}; allowed: ")
    assert "\n" not in message.replace("\\n", "")


def test_every_setting_has_values_that_are_allowed_and_some_that_are_refused() -> None:
    # allowed with another setting only
    alarms = {"alarm_topic_arn", "alarm_email", "minimum_throughput_use"}

    assert REFUSED.keys() == settings_of(Settings).keys()
    assert {key for key, _, _ in ALLOWED} == REFUSED.keys() - alarms


def test_an_editor_that_has_the_schema_marks_columns_that_stand_twice() -> None:
    twice = {**MINIMAL, "excluded_columns": {"ITEMS": ["A", "A"]}}

    assert not is_valid({"context": twice}, schema())


@pytest.mark.parametrize(("key", "value"), rows(REFUSED))
def test_an_editor_that_has_the_schema_marks_what_is_wrong(key: str, value: object) -> None:
    assert not is_valid({"context": {**MINIMAL, key: value}}, schema())


@pytest.mark.parametrize("number", [0.00001, Decimal("1E-5"), Decimal("1E-6")])
def test_a_small_number_is_read_exactly_however_python_writes_it(number: Decimal | float) -> None:
    parsed = parse({**MINIMAL, "exploration_weight": number}).exploration_weight

    assert parsed == Decimal(str(number))
    assert "E" not in str(parsed)


ZONES = ["UTC", "Etc/UTC", "Asia/Kolkata", "Pacific/Apia", "America/Argentina/Buenos_Aires"]
OLDER_NAMES = ["US/Eastern", "Asia/Calcutta", "GB"]
NO_ZONES = ["localtime", "Factory", "posix/UTC", "right/UTC", "utc", "+01:00", "", "Europe/"]


@pytest.mark.parametrize("machine", [set[str](), {"localtime", "Factory", "posix/UTC", "UTC"}])
def test_a_time_zone_is_one_of_the_database_whatever_the_machine_has(
    monkeypatch: pytest.MonkeyPatch, machine: set[str]
) -> None:
    monkeypatch.setattr("zoneinfo.available_timezones", lambda: machine)

    for name in (*ZONES, *OLDER_NAMES):
        hours = {**HOURS, "time_zone": name}
        assert parse({**MINIMAL, "active_hours": hours}).active_hours == hours
    for name in NO_ZONES:
        with pytest.raises(SettingsError, match=r"There is no time zone .*\. One is Europe/Berlin"):
            parse({**MINIMAL, "active_hours": {**HOURS, "time_zone": name}})


def test_every_time_zone_is_one_that_scheduler_and_an_editor_with_the_schema_take() -> None:
    longest = Session().get_service_model("scheduler").shape_for("ScheduleExpressionTimezone")

    assert {"UTC", "Europe/Berlin", "Pacific/Apia"} < time_zones()
    for name in time_zones():
        assert len(name) <= longest.metadata["max"]
        hours = {**HOURS, "time_zone": name}
        assert is_valid({"context": {**MINIMAL, "active_hours": hours}}, schema()), name


@pytest.mark.parametrize(
    "given",
    [{"alarm_topic_arn": TOPIC}, {"alarm_email": "a@b.cd"}, {"minimum_throughput_use": Decimal(1)}],
)
def test_receivers_and_limits_of_alarms_need_monitoring(given: dict[str, Any]) -> None:
    ((key, value),) = given.items()

    assert getattr(parse({**MINIMAL, "monitoring": True, key: value}), key) == value
    with pytest.raises(SettingsError, match=f"Setting {key}: .* Set monitoring to true"):
        parse({**MINIMAL, key: value})


REASONS: dict[str, tuple[dict[str, Any], str]] = {
    "a region of another partition": (
        {"dataset_group_arn": GROUP.replace("eu-west-1", "cn-north-1")},
        r"^Setting dev\.dataset_group_arn: .* cn-north-1 is in the partition aws-cn\.$",
    ),
    "too many decimals": ({"exploration_weight": 1 / 3}, r"_weight: .* at most 6 decimals\. For"),
    "alarms that go two ways": (
        {"monitoring": True, "alarm_topic_arn": TOPIC, "alarm_email": "a@b.cd"},
        "either alarm_topic_arn or alarm_email",
    ),
    "alarms of another region": (
        {"monitoring": True, "alarm_topic_arn": TOPIC.replace("eu-west-1", "us-east-1")},
        "a topic of the region of the alarms, eu-west-1",
    ),
    "notifications to another region": (
        {"notify_topic_arn": TOPIC.replace("eu-west-1", "us-east-1")},
        "a topic of the stack's region and account, eu-west-1",
    ),
    "notifications to another account": (
        {"notify_topic_arn": TOPIC.replace("1" * 12, "2" * 12)},
        "a topic of the stack's region and account, eu-west-1",
    ),
    "a key of another region": (
        {"log_key_arn": KEY.replace("eu-west-1", "us-east-1")},
        r"^Setting dev\.log_key_arn: .*log groups, eu-west-1",
    ),
    "a consumer of another partition": (
        {"consumers": ["arn:aws-us-gov:iam::333333333333:role/app"]},
        r"consumers: got \"arn:aws-us-gov.*partition, aws\.",
    ),
    "a whole account": ({"consumers": [f"{THEIRS}root"]}, "In a whole account .* others decide"),
    "a setting of version 0.1.0": (
        {"generation": "2"},
        r"^Unknown setting dev\.generation\. .* force_update now",
    ),
    "an unknown metric": (
        {"minimum_metrics": {"coverage": 0.1, "ndcg": 0.2}},
        rf"There is no metric ndcg\. Known are {', '.join(METRICS.values())}\.",
    ),
}


@pytest.mark.parametrize(("given", "message"), REASONS.values(), ids=REASONS)
def test_a_refusal_says_the_reason(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse({**MINIMAL, **given}, of="dev.")


SETTINGS = [
    (declared, one.name, default_of(one), settings_of(declared)[one.name])
    for declared in (Settings, PipelineSettings)
    for one in fields(declared)
]


@pytest.mark.parametrize(
    ("declared", "key", "default", "setting"),
    SETTINGS,
    ids=[f"{one[0].__name__}.{one[1]}" for one in SETTINGS],
)
def test_a_setting_is_declared_in_full(
    declared: type[Any], key: str, default: Any, setting: Any
) -> None:
    parsed = setting.kind.parse(setting.example)

    assert parsed == setting.kind.check(parsed), "a value is what it is when it is checked again"
    assert parsed != default, "an example shows something else than the default"
    assert setting.description.endswith(".")
    assert key in {one.name for one in fields(declared)}
    if default not in (None, (), {}, MISSING):
        assert setting.kind.check(default) == default


@given(st.text(max_size=20))
def test_any_text_for_a_number_is_read_exactly_or_refused(text: str) -> None:
    try:
        settings = parse({**MINIMAL, "min_recommendation_requests_per_second": text})
    except SettingsError:
        return
    assert Decimal(text) == settings.min_recommendation_requests_per_second


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("dataset_group", "dataset_group_arn"),
        ("max_training_hour", "max_training_hours"),
        ("recomender_name", "recommender_name"),
        ("trainingGateMinutes", "training_gate_minutes"),
        ("retain_on_delete", "retain_on_destroy"),
        ("name", "recommender_name"),
        ("adopt", "adopt_existing"),
        ("poll_interval", "poll_interval_seconds"),
        ("min_requests", "minimum_metrics"),
        ("gates", "quality_gate"),
        ("environment", "environments"),
        ("Running", "running"),
    ],
)
def test_a_plain_word_that_is_no_setting_is_refused_with_the_nearest_one(
    slip: str, meant: str
) -> None:
    with pytest.raises(SettingsError, match=f"^Unknown setting {slip}. Did you mean {meant}[?]"):
        read(**MINIMAL, **{slip: "true"})


CHINA = GROUP.replace("arn:aws:", "arn:aws-cn:").replace("eu-west-1", "cn-north-1")
FILMS = {**MINIMAL, "recommender_name": "films"}
DEV = {"dev": MINIMAL}
CONTEXTS: dict[str, tuple[dict[str, Any], str]] = {
    "no dataset group": ({}, r"dataset_group_arn: got nothing; .*-c dataset_group"),
    "a slip beside environments": (
        {"environments": DEV, "gates": "warn"},
        r"^Unknown setting gates\. Did you mean quality_gate\?",
    ),
    "a slip in an environment": (
        {"environments": {"dev": {**MINIMAL, "name": "films"}}},
        r"^Unknown setting dev\.name\. Did you mean recommender_name\?",
    ),
    "a wrong setting in an environment": (
        {"environments": {**DEV, "prod": {**MINIMAL, "running": "yes"}}},
        r"^Setting prod\.running: got \"yes\"",
    ),
    "settings beside environments": (
        {**MINIMAL, "environments": DEV},
        r"dataset_group_arn.*Move it into each environment",
    ),
    "environments that differ in case": (
        {"environments": {**DEV, "Dev": MINIMAL}},
        r"environments\.Dev: .*There is dev, .*rename one",
    ),
    "a fixed name twice in a place": (
        {"environments": {"dev": FILMS, "test": FILMS}},
        r"^Setting test\.recommender_name: .*dev has it",
    ),
    "an approval without a pipeline": (
        {**MINIMAL, "approval": "true"},
        "^Setting approval: got true; .*together with pipeline",
    ),
    "an approval of an environment without a pipeline": (
        {"environments": {**DEV, "prod": {**MINIMAL, "approval": True}}},
        r"^Setting prod\.approval: got true; .*together with pipeline",
    ),
    "a pipeline without environments": (
        {**MINIMAL, "pipeline": PIPELINE},
        "^Setting pipeline: .*together with environments",
    ),
    "a slip in the pipeline": (
        {"environments": DEV, "pipeline": {**PIPELINE, "repositry": "a/b"}},
        r"^Unknown setting pipeline\.repositry\. Did you mean repository\?",
    ),
    "a pipeline in another partition than its connection": (
        {"environments": DEV, "pipeline": {**PIPELINE, "region": "cn-north-1"}},
        r"pipeline\.region: .*is in the partition aws-cn",
    ),
    "a pipeline with a key of another region": (
        {"environments": DEV, "pipeline": {**PIPELINE, "log_key_arn": KEY, "region": "us-east-1"}},
        r"^Setting pipeline\.log_key_arn: .*a key of the region of the log groups, us-east-1",
    ),
    "an environment in another partition than the pipeline": (
        {"environments": {**DEV, "prod": {"dataset_group_arn": CHINA}}, "pipeline": PIPELINE},
        r"prod\.dataset_group_arn: .*pipeline's partition, aws",
    ),
}


@pytest.mark.parametrize(("context", "message"), CONTEXTS.values(), ids=CONTEXTS)
def test_a_context_that_is_wrong_as_a_whole_is_refused_with_the_place(
    context: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        read(**context)


def test_null_is_no_setting() -> None:
    given = {**MINIMAL, "running": None, "tags": None}

    assert read(environments={"dev": given}) == read(environments=DEV)
    assert read(**given) == read(**MINIMAL)


@pytest.mark.parametrize(
    ("key", "text", "twice"),
    [
        ("environments", '{"dev": {}, "prod": {}, "dev": {}}', "dev"),
        ("environments", '{"dev": {"running": true, "running": false}}', "running"),
        ("tags", '{"team": "video", "team": "music"}', "team"),
        ("excluded_columns", '{"ITEMS": ["A"], "ITEMS": ["B"]}', "ITEMS"),
        ("pipeline", json.dumps(PIPELINE).replace("{", '{"branch": "dev", ', 1), "branch"),
    ],
)
def test_a_key_that_stands_twice_on_the_command_line_is_refused(
    key: str, text: str, twice: str
) -> None:
    beside: dict[str, Any] = {
        "environments": {},
        "pipeline": {"environments": {"dev": MINIMAL}},
    }.get(key, MINIMAL)

    with pytest.raises(SettingsError, match=f"^Setting {key}: .*It has {twice} twice"):
        read(**beside, **{key: text})


@pytest.mark.parametrize(
    "other",
    [
        {**FILMS, "recommender_name": "series"},
        {**FILMS, "dataset_group_arn": GROUP.replace("eu-west-1", "us-east-1")},
        {**FILMS, "dataset_group_arn": GROUP.replace("111111111111", "222222222222")},
    ],
    ids=["another name", "another region", "another account"],
)
def test_two_environments_may_fix_names_that_do_not_clash(other: dict[str, Any]) -> None:
    environments = {"dev": FILMS, "test": other}

    assert read(environments=environments).environments.keys() == environments.keys()


def test_other_tools_context_is_none_of_ours() -> None:
    context = {
        "@aws-cdk/core:permissionsBoundary": {"name": "boundary"},
        "@aws-cdk/core:bootstrapQualifier": "platform",
        "@aws-cdk/core:failSynthOnValidationErrors": False,
        "aws:cdk:enable-path-metadata": True,
        "aws:cdk:version-reporting": True,
        "aws:cdk:bundling-stacks": ["**"],
        "availability-zones:account=111111111111:region=eu-west-1": ["eu-west-1a"],
        "acknowledged-issue-numbers": [34892],
        "cdk-pipelines/branch": "main",
    }

    assert read(**MINIMAL, **context) == Deployment(environments={"": parse(MINIMAL)})


def test_each_environment_has_its_own_settings() -> None:
    elsewhere = GROUP.replace("111111111111", "222222222222")
    prod = {"dataset_group_arn": elsewhere, "running": False, "approval": False}
    environments = {"dev": MINIMAL, "prod": prod}

    deployment = read(environments=environments)

    assert deployment == Deployment(environments={"dev": parse(MINIMAL), "prod": parse(prod)})
    assert deployment == read(environments=json.dumps(environments))


@pytest.mark.parametrize(
    "bad", ["dev", [], {}, "[]", {"dev": {}}, {"dev": GROUP}, {"d_v": MINIMAL}]
)
def test_environments_of_another_form_are_refused(bad: object) -> None:
    with pytest.raises(SettingsError, match="environments"):
        read(environments=bad)


def test_empty_on_the_command_line_takes_away_what_cdk_json_says() -> None:
    assert read(**MINIMAL, environments="", pipeline="") == read(**MINIMAL)


@pytest.mark.parametrize(
    ("given", "gates", "sweeps"),
    [
        ({}, 11, 11),
        ({"max_training_hours": 24}, 27, 27),
        ({"max_training_hours": 0.5}, 1, 11),
        ({"max_training_hours": 1, "training_gate_minutes": 5}, 12, 12),
        ({"training_gate_minutes": 0.1, "max_training_hours": 0.01}, 6, 11),
        ({"max_deletion_hours": 3}, 11, 4),
        ({"max_deletion_hours": 0.5}, 11, 1),
        ({"max_deletion_hours": 24, "training_gate_minutes": 30}, 20, 48),
    ],
    ids=lambda given: ",".join(given) or "default" if isinstance(given, dict) else str(given),
)
def test_there_are_as_many_links_as_the_training_and_the_deletion_may_take(
    given: dict[str, Any], gates: int, sweeps: int
) -> None:
    settings = parse({**MINIMAL, **given})

    assert (settings.training_gates, settings.sweeps) == (gates, sweeps)


def test_gates_and_sweeps_share_what_a_stack_can_hold() -> None:
    most = {"max_training_hours": 3, "max_deletion_hours": 0.34, "training_gate_minutes": 1}
    fitting = {**most, "max_deletion_hours": 0.3333}

    settings = parse({**MINIMAL, **fitting})

    assert (settings.training_gates, settings.sweeps) == (180, 20)
    with pytest.raises(SettingsError, match=r"180 training gates and 21 sweeps.*200 of them"):
        parse({**MINIMAL, **most})


def test_a_pipeline_goes_through_the_environments_in_their_order() -> None:
    environments = {"zeta": MINIMAL, "dev": MINIMAL, "prod": {**MINIMAL, "approval": True}}

    pipeline = {**PIPELINE, "log_key_arn": KEY}
    deployment = read(environments=environments, pipeline=pipeline)

    assert list(deployment.environments) == ["zeta", "dev", "prod"]
    assert [one.approval for one in deployment.environments.values()] == [False, False, True]
    assert deployment.pipeline == PipelineSettings(**PIPELINE, log_key_arn=KEY)
    assert deployment == read(environments=environments, pipeline=json.dumps(pipeline))


def test_a_pipeline_of_an_older_connection_is_accepted() -> None:
    older = PIPELINE["connection_arn"].replace("codeconnections", "codestar-connections")

    made = read(environments=DEV, pipeline={**PIPELINE, "connection_arn": older}).pipeline

    assert made is not None
    assert made.connection_arn == older


BAD_PIPELINE: list[tuple[str, Any]] = [
    ("log_key_arn", KEY.replace("key/", "alias/")),
    ("connection_arn", PIPELINE["connection_arn"].replace("codeconnections", "s3")),
    *((key, None) for key in PIPELINE),
    ("repository", "top-picks"),
    ("repository", "https://example.com/video/top-picks"),
    ("repository", "a/b/c"),
    ("branch", ""),
    ("branch", "main; rm"),
    ("account", "99999"),
    ("account", 999999999999),
    ("region", "europe"),
    ("region", ["eu-west-1"]),
]


@pytest.mark.parametrize(("key", "value"), BAD_PIPELINE)
def test_a_wrong_pipeline_is_refused_by_key_and_value(key: str, value: object) -> None:
    got = "nothing" if value is None else json.dumps(value)

    with pytest.raises(SettingsError) as refusal:
        read(environments=DEV, pipeline={**PIPELINE, key: value})

    assert str(refusal.value).startswith(f"Setting pipeline.{key}: got {got}; allowed: ")


@pytest.mark.parametrize("bad", ["main", [], {}, "[]", True])
def test_a_pipeline_of_another_form_is_refused(bad: object) -> None:
    with pytest.raises(SettingsError, match=r"Setting pipeline: .*JSON object"):
        read(environments=DEV, pipeline=bad)


@given(*[st.from_regex(ENVIRONMENT_NAME, fullmatch=True)] * 2)
def test_no_two_environments_have_the_same_beginning_of_recommender_names(a: str, b: str) -> None:
    """So says docs/adr/0007: the role of one stack does not reach the recommenders of another."""
    begins = {f"{name}-TopPicks"[:MAX_PREFIX_LENGTH] for name in (a, b)}

    assert len(begins) == len({a, b})
    assert max(map(len, (a, b))) <= 41 < MAX_PREFIX_LENGTH == 46


@pytest.mark.parametrize(
    "name", ["Source", "Build", "UpdatePipeline", "Assets", "TopPicksPipeline", "assets"]
)
def test_an_environment_is_not_called_as_what_the_pipeline_has(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"Setting environments\.{name}: .*rename"):
        read(environments={name: MINIMAL}, pipeline=PIPELINE)

    assert list(read(environments={name: MINIMAL}).environments) == [name]


def test_a_pipeline_has_as_many_stages_as_codepipeline_allows() -> None:
    most = {f"e{number}": MINIMAL for number in range(46)}

    assert len(read(environments=most, pipeline=PIPELINE).environments) == 46
    with pytest.raises(SettingsError, match=r"environments: got 47; allowed: 46 with a pipeline"):
        read(environments={**most, "e46": MINIMAL}, pipeline=PIPELINE)
    assert len(read(environments={**most, "e46": MINIMAL}).environments) == 47


# -- recipes, and several recommenders -------------------------------------------------------------

ROWS: dict[str, dict[str, Any]] = {
    "TopPicks": {},
    "Because": {"recipe": "aws-vod-because-you-watched-x"},
    "Trending": {"recipe": "aws-vod-trending-now"},
}
NOT_EXPLORING = [one for one in Recipe if one is not Recipe.VOD_TOP_PICKS]
TRAINS_ON = {
    "aws-vod-top-picks": {"INTERACTIONS", "ITEMS", "USERS"},
    "aws-vod-because-you-watched-x": {"INTERACTIONS"},
    "aws-vod-more-like-x": {"INTERACTIONS", "ITEMS"},
    "aws-vod-most-popular": {"INTERACTIONS"},
    "aws-vod-trending-now": {"INTERACTIONS"},
}


@pytest.mark.parametrize(
    ("recipe", "key"),
    [
        *((recipe, "exploration_weight") for recipe in NOT_EXPLORING),
        (Recipe.VOD_MOST_POPULAR, "exploration_item_age_cut_off"),
    ],
)
def test_exploration_of_a_recipe_that_does_not_explore_is_refused(recipe: str, key: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse({**MINIMAL, "recipe": recipe, key: 1})

    assert str(refused.value) == (
        f"Setting {key}: got 1; allowed: a recipe that explores: aws-vod-top-picks. {recipe} does "
        "not: remove it, or give it to other recommenders only."
    )


@pytest.mark.parametrize("dataset", ["INTERACTIONS", "ITEMS", "USERS"])
@pytest.mark.parametrize("recipe", Recipe)
def test_columns_are_of_datasets_that_the_recipe_trains_on(recipe: str, dataset: str) -> None:
    given = {**MINIMAL, "recipe": recipe, "excluded_columns": {dataset: ["DEVICE"]}}

    if dataset in TRAINS_ON[recipe]:
        assert parse(given).excluded_columns == {dataset: ("DEVICE",)}
        return
    with pytest.raises(
        SettingsError, match=f"excluded_columns: .* {recipe} trains on: .*{dataset}"
    ):
        parse(given)


@pytest.mark.parametrize("recipe", Recipe)
def test_a_gate_that_could_fail_every_deployment_is_refused_and_may_warn(recipe: str) -> None:
    given = {**MINIMAL, "recipe": recipe, "minimum_metrics": {"coverage": 0.1}}

    assert parse({**given, "quality_gate": "warn"}).minimum_metrics
    assert parse({**MINIMAL, "recipe": recipe, "max_metric_regression": 0.1})
    if recipe not in ("aws-vod-most-popular", "aws-vod-trending-now"):
        assert parse(given).quality_gate == "fail"
        return
    with pytest.raises(
        SettingsError, match=rf"^Setting minimum_metrics: .* no metrics of {recipe}"
    ):
        parse(given)


def test_a_recommender_has_the_settings_of_its_environment_but_for_its_own() -> None:
    settings = parse(
        {
            **MINIMAL,
            "recipe": "aws-vod-most-popular",
            "max_training_hours": 5,
            "running": "false",
            "monitoring": True,
            "recommenders": {"Popular": {}, "Trending": ROWS["Trending"] | {"running": True}},
        }
    )

    assert settings.by_name == {
        "Popular": of_group(
            recipe=Recipe.VOD_MOST_POPULAR, max_training_hours=Decimal(5), running=False
        ),
        "Trending": of_group(recipe=Recipe.VOD_TRENDING_NOW, max_training_hours=Decimal(5)),
    }


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"runing": True}, r"^Unknown setting dev\.recommenders\.Because\.runing\. .* running\?"),
        ({"monitoring": True}, r"^Unknown setting dev\.recommenders\.Because\.monitoring\."),
        ({"recipe": "x"}, r"^Setting dev\.recommenders\.Because\.recipe: got .*-trending-now"),
        ({"running": "no"}, r"^Setting dev\.recommenders\.Because\.running: got \"no\""),
        (
            {"exploration_weight": 0.5},
            r"^Setting dev\.recommenders\.Because\.exploration_weight: .*does not: remove it",
        ),
        ({"adopt_existing": True}, r"^Setting dev\.recommenders\.Because\.adopt_existing: "),
        ({"active_hours": HOURS, "running": False}, r"recommenders\.Because\.active_hours: "),
        ({"training_gate_minutes": 5}, r"recommenders\.Because\.training_gate_minutes: "),
        (
            {"dataset_group_arn": GROUP.replace("1111", "2222")},
            r"recommenders\.Because\.dataset_group_arn: .*account and region, 111111111111 and eu",
        ),
        (
            {"dataset_group_arn": GROUP.replace("eu-west-1", "us-east-1")},
            r"recommenders\.Because\.dataset_group_arn: .*make an environment for the other",
        ),
    ],
)
def test_a_wrong_setting_of_a_recommender_is_refused_by_its_name(
    row: dict[str, Any], message: str
) -> None:
    rows = {**ROWS, "Because": ROWS["Because"] | row}
    given = {**MINIMAL, "max_training_hours": 10, "recommenders": rows}

    with pytest.raises(SettingsError, match=message):
        parse(given, of="dev.")


@pytest.mark.parametrize("own", [{"runing": True}, {"adopt_existing": True}])
def test_a_wrong_setting_of_the_recommender_without_a_name_is_refused_by_its_key(
    own: dict[str, Any],
) -> None:
    with pytest.raises(SettingsError, match=rf'recommenders\.""\.{next(iter(own))}'):
        parse({**MINIMAL, "recommenders": {"": own, "Films": {}}})


def test_an_exploration_of_the_environment_is_given_to_no_recommender_that_does_not_explore() -> (
    None
):
    """It would have no effect on them, without a word."""
    explores = {"exploration_weight": 0.5}
    own = {**ROWS, "TopPicks": explores}

    assert parse({**MINIMAL, "recommenders": own}).recommenders["TopPicks"].exploration_weight
    with pytest.raises(SettingsError, match=r"recommenders\.Because\.exploration_weight: got 0\.5"):
        parse({**MINIMAL, **explores, "recommenders": ROWS})


def test_rules_of_the_environment_are_those_of_its_recommenders() -> None:
    """Its own settings are only their defaults."""
    rows = {name: {**row, "recommender_name": name} for name, row in ROWS.items()}

    adopted = parse({**MINIMAL, "adopt_existing": True, "recommenders": rows})

    assert all(one.adopt_existing for one in adopted.recommenders.values())


@pytest.mark.parametrize("environments", [False, True])
def test_two_recommenders_cannot_fix_the_same_name(environments: bool) -> None:
    given = {**MINIMAL, "recommender_name": "films", "recommenders": ROWS}
    context = {"environments": {"dev": given}} if environments else given
    place = "dev.recommenders" if environments else "recommenders"

    with pytest.raises(
        SettingsError,
        match=rf"^Setting {place}\.Because\.recommender_name: .*{place}\.TopPicks has it",
    ):
        read(**context)


def test_the_same_dataset_group_may_be_another_one_of_the_place() -> None:
    other = f"{GROUP}-other"
    rows = {**ROWS, "Because": ROWS["Because"] | {"dataset_group_arn": other}}

    settings = parse({**MINIMAL, "recommenders": rows})

    assert settings.recommenders["Because"].dataset_group_arn == other


def test_an_editor_that_has_the_schema_marks_a_wrong_setting_of_a_recommender() -> None:
    for wrong in ({"runing": True}, {"monitoring": True}, {"recipe": "x"}, {"running": "no"}):
        rows = {**ROWS, "Because": wrong}
        assert not is_valid({"context": {**MINIMAL, "recommenders": rows}}, schema())
    assert is_valid({"context": {**MINIMAL, "recommenders": ROWS}}, schema())
