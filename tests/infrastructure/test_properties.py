"""Whatever a property of a construct is given: a template, or a PropertyError."""

import inspect
from collections.abc import Callable
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, cast

import pytest
from aws_cdk import App, Aws, CfnParameter, Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template
from aws_cdk.aws_logs import RetentionDays
from constructs import Construct

from lambdas.recommender import vocabulary as v
from lambdas.recommender.recipes import Recipe
from stacks.monitoring import RecommenderMonitoring
from stacks.properties import MonitoringProperties, RecommenderProperties, ServiceProperties
from stacks.recommender import DomainRecommender, TopPicksRecommender
from stacks.service import RecommenderService
from stacks.settings import PropertyError
from tests.infrastructure.conftest import new_stack
from tests.support.place import GROUP
from tests.support.template import in_order, rendered

ARN: Final = "arn:aws:personalize:eu-west-1:111111111111:recommender/top-picks"
NAN, INFINITY = float("nan"), float("inf")
SHORT: Final[dict[str, Any]] = {
    "recipe": Recipe.VOD_TOP_PICKS,
    "dataset_group_arn": GROUP,
    "training_gates": 1,
    "sweeps": 1,
}


def recommender(stack: Construct, **given: Any) -> DomainRecommender:
    return DomainRecommender(stack, "TopPicks", **{**SHORT, **given})


def service(stack: Construct, **given: Any) -> RecommenderService:
    return RecommenderService(stack, "Service", **given)


def the_recommender(scope: Construct) -> DomainRecommender:
    """Return the one recommender of a stack to which a property of something else is given."""
    stack = Stack.of(scope)
    made = stack.node.try_find_child("TopPicks")
    return cast("DomainRecommender", made) if made else recommender(stack)


def monitoring(scope: Construct, **given: Any) -> RecommenderMonitoring:
    if "recommender" not in given:
        given["recommender"] = the_recommender(scope)
    return RecommenderMonitoring(scope, "Monitoring", **given)


def parameter(scope: Construct, parameter_name: Any) -> object:
    return the_recommender(scope).add_arn_parameter(scope, "Arn", parameter_name=parameter_name)


def found(stack: Construct, parameter_name: Any) -> object:
    return TopPicksRecommender.from_arn_parameter(stack, "Other", parameter_name)


def imported(stack: Construct, recommender_arn: Any) -> object:
    return TopPicksRecommender.from_recommender_arn(stack, "Other", recommender_arn)


def retained(scope: Construct, removal_policy: Any) -> None:
    the_recommender(scope).apply_removal_policy(removal_policy)


def properties_of(construct: type[Any]) -> list[str]:
    parameters = inspect.signature(construct.__init__).parameters.values()
    return [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]


Make = Callable[..., object]
EVERY: Final[list[tuple[Make, str]]] = [
    *((recommender, name) for name in properties_of(DomainRecommender)),
    *((service, name) for name in properties_of(RecommenderService)),
    *((monitoring, name) for name in properties_of(RecommenderMonitoring)),
    (parameter, "parameter_name"),
    (found, "parameter_name"),
    (imported, "recommender_arn"),
    (retained, "removal_policy"),
]


@pytest.mark.parametrize(
    ("construct", "properties", "constructs"),
    [
        (DomainRecommender, RecommenderProperties, {"service"}),
        (RecommenderService, ServiceProperties, set()),
        (RecommenderMonitoring, MonitoringProperties, {"recommender"}),
    ],
)
def test_each_argument_of_a_construct_is_declared_and_each_declared_one_an_argument(
    construct: type[Any], properties: type[Any], constructs: set[str]
) -> None:
    """An argument that no class declares would be left out of ``locals()`` in silence."""
    assert {one.name for one in fields(properties)} == {*properties_of(construct)} - constructs


def test_top_picks_take_what_every_recipe_takes_but_the_recipe() -> None:
    ours, of_any = (
        inspect.signature(one.__init__).parameters
        for one in (TopPicksRecommender, DomainRecommender)
    )

    assert list(ours.values()) == [one for name, one in of_any.items() if name != "recipe"]


NUMBERS: Final[list[Any]] = [
    *(NAN, INFINITY, -INFINITY, -0.0, 0.0, 1e-5, 1e-7, 1e300, 1 / 3, 0.3, -1, 0, 1, 2, 10**400),
    *map(Decimal, ("NaN", "sNaN", "Infinity", "-0", "1E-7", "1E+2", "0.30", "5")),
    *(Decimal.from_float(0.3), Fraction(1, 3), 1j, True, False),
]
TEXTS: Final[list[Any]] = ["", " ", "1", "x", "true", "a\x00b", "\ud800", "\u0661", b"x"]
COLLECTIONS: Final[list[Any]] = [
    *(
        [],
        (),
        {},
        set(),
        [NAN],
        [None],
        {None: None},
        {1: 2, "ITEMS": ["A"]},
        {("a",): 1},
        {"a": NAN},
        range(3),
    ),
    *({"ITEMS": None}, {"ITEMS": [None]}, {"ITEMS": ["A", NAN]}, {"ITEMS": []}, {"ITEMS": "A"}),
    *({"coverage": one} for one in (NAN, INFINITY, None, "0.3", True, -0.0, 1 / 3, 1e-5, 0.3)),
]
OBJECTS: Final[list[Any]] = [
    *(None, object(), object, Stack, len, print),
    *(Duration.days(1), Duration.seconds(0), Duration.millis(1), Duration.minutes(7)),
    *(RemovalPolicy.DESTROY, RemovalPolicy.SNAPSHOT),
    *(RetentionDays.ONE_DAY, RetentionDays.INFINITE),
]


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("make", "name"), EVERY, ids=[f"{make.__name__}.{name}" for make, name in EVERY]
)
def test_a_property_makes_a_template_or_is_refused_by_name(make: Make, name: str) -> None:
    many = new_stack()
    for number, value in enumerate((*NUMBERS, *TEXTS, *COLLECTIONS, *OBJECTS)):
        try:
            make(Construct(many, f"Given{number}"), **{name: value})
        except PropertyError as error:
            message = str(error)
            assert message.startswith(f"Property {name}: got "), (value, message)
            assert " at 0x" not in message, (value, message)
        else:
            alone = new_stack()
            make(alone, **{name: value})
            Template.from_stack(alone)


TOKENS: Final[dict[str, Callable[[Stack], Any]]] = {
    "text": lambda _: Aws.REGION,
    "number": lambda stack: CfnParameter(stack, "A", type="Number").value_as_number,
    "list": lambda stack: CfnParameter(stack, "A", type="CommaDelimitedList").value_as_list,
    "minutes": lambda stack: Duration.minutes(TOKENS["number"](stack)),
    "days": lambda stack: Duration.days(TOKENS["number"](stack)),
    "columns": lambda stack: {"ITEMS": TOKENS["list"](stack)},
    "one column": lambda _: {"ITEMS": [Aws.REGION]},
    "columns that are a number": lambda stack: {"ITEMS": TOKENS["number"](stack)},
    "metrics": lambda stack: {"coverage": TOKENS["number"](stack)},
    "an unknown metric": lambda stack: {"ndcg": TOKENS["number"](stack)},
    "beside no number": lambda stack: {"coverage": TOKENS["number"](stack), "precision": NAN},
    "of a condition": lambda _: Fn.condition_equals(Aws.REGION, "eu-west-1"),
}
FITTING: Final = {
    "dataset_group_arn": {"text"},
    "recommender_name": {"text"},
    "recommender_arn": {"text"},
    "force_update": {"text"},
    "runbook_url": {"text"},
    "quality_gate": {"text"},
    "min_recommendation_requests_per_second": {"text", "number", "of a condition"},
    "exploration_weight": {"text", "number", "of a condition"},
    "max_metric_regression": {"text", "number", "of a condition"},
    "exploration_item_age_cut_off": {"days"},
    "excluded_columns": {"columns", "one column"},
    "minimum_metrics": {"metrics"},
}


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("make", "name"), EVERY, ids=[f"{make.__name__}.{name}" for make, name in EVERY]
)
def test_a_token_is_let_through_if_it_has_the_form_of_the_property(make: Make, name: str) -> None:
    taken = set()
    for token, value_in in TOKENS.items():
        stack = new_stack()
        try:
            make(stack, **{name: value_in(stack)})
        except PropertyError as error:
            assert str(error).startswith(f"Property {name}: got "), token
        else:
            Template.from_stack(stack)
            taken.add(token)

    assert taken == FITTING.get(name, set())


# -- messages --------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [7, ARN, RecommenderService, "a stack"])
def test_a_service_of_another_type_is_refused(wrong: Any) -> None:
    stack = new_stack()

    with pytest.raises(
        PropertyError,
        match=r"^Property service: got .*; allowed: a RecommenderService\. Make one for",
    ):
        recommender(stack, service=stack if wrong == "a stack" else wrong)


def test_monitoring_of_a_recommender_that_is_made_elsewhere_is_refused_with_what_to_do() -> None:
    stack = new_stack()
    elsewhere = TopPicksRecommender.from_recommender_arn(stack, "Other", ARN)

    with pytest.raises(
        PropertyError,
        match=r"^Property recommender: got .*; allowed: a DomainRecommender\. .* where it is "
        r"made\. Here, its methods such as metric_get_recommendations5xx_errors",
    ):
        monitoring(stack, recommender=elsewhere)


def test_a_topic_of_another_region_is_refused() -> None:
    stack = new_stack()
    elsewhere = sns.Topic.from_topic_arn(
        stack, "Elsewhere", "arn:aws:sns:us-east-1:111111111111:on-call"
    )

    with pytest.raises(PropertyError, match=r"^Property alarm_topic: .*alarms, eu-west-1"):
        monitoring(stack, alarm_topic=elsewhere)


@pytest.mark.parametrize(("own", "other"), [("eu-west-1", "us-east-1"), ("1" * 12, "2" * 12)])
def test_notifications_to_a_topic_of_another_place_are_refused(own: str, other: str) -> None:
    stack = new_stack()
    arn = "arn:aws:sns:eu-west-1:111111111111:deployments".replace(own, other)
    elsewhere = sns.Topic.from_topic_arn(stack, "Elsewhere", arn)

    with pytest.raises(PropertyError, match=r"^Property notify_topic: .*region and account"):
        service(stack, notify_topic=elsewhere)


def test_a_stack_without_a_known_place_takes_any_topic_for_notifications() -> None:
    stack = Stack(App(), "Anywhere")
    arn = "arn:aws:sns:eu-west-1:111111111111:deployments"

    service(stack, notify_topic=sns.Topic.from_topic_arn(stack, "Topic", arn))

    rules = Template.from_stack(stack).find_resources("AWS::Events::Rule")
    assert {one["Properties"]["Targets"][0]["Arn"] for one in rules.values()} == {arn}


RETAIN_ALWAYS: Final = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
WRONG: Final[dict[Make, dict[str, list[Any]]]] = {
    recommender: {
        "dataset_group_arn": ["vod", None, GROUP.replace("arn:aws:", "arn:aws-cn:")],
        "recommender_name": ["a b!", 7],
        "min_recommendation_requests_per_second": [0, 1.5, "1", True, None],
        "exploration_weight": [7, Decimal("1.01"), "0.5", True, None],
        "exploration_item_age_cut_off": [30, Duration.days(0), Duration.hours(60)],
        "excluded_columns": [["A"], {"MOVIES": ["A"]}, {"ITEMS": "A"}],
        "running": ["false", 0, None],
        "active_hours": ["07:00", {}, {"start": "cron(0 7 * * ? *)"}],
        "adopt_existing": ["true", True],
        "removal_policy": ["RETAIN", RemovalPolicy.SNAPSHOT, RETAIN_ALWAYS],
        "force_update": ["", 2],
        "training_gates": [0, 1.5, "11", True],
        "sweeps": [-1, None],
        "training_gate": [55, Duration.minutes(0), Duration.minutes(56)],
    },
    service: {
        "poll_interval": [60, Duration.seconds(0), Duration.millis(1500), Duration.seconds(121)],
        "log_retention": [90, RetentionDays.INFINITE],
        "log_key": ["alias/logs"],
        "notify_topic": ["arn:aws:sns:eu-west-1:111111111111:deployments"],
    },
    monitoring: {
        "observation_interval": [60, Duration.seconds(30), Duration.days(2)],
        "alarm_topic": ["arn:aws:sns:eu-west-1:111111111111:on-call"],
        "runbook_url": ["runbook.md"],
    },
}
OF_SETTINGS: Final = (
    *("retain_on_destroy", "training_gate_minutes", "max_training_hours", "max_deletion_hours"),
    *("poll_interval_seconds", "log_retention_days", "log_key_arn", "alarm_topic_arn"),
    *("notify_topic_arn", "observation_interval_minutes", "cdk.json", "context"),
)
"""The words of settings that a construct's message does not use."""


def shown(one: Any) -> str:
    """Write a part of a case for its id."""
    if isinstance(one, Duration):
        return one.to_human_string()
    return one.__name__ if callable(one) else str(one)


@pytest.mark.parametrize(
    ("make", "name", "value"),
    [
        (make, name, value)
        for make, properties in WRONG.items()
        for name, values in properties.items()
        for value in values
    ],
    ids=shown,
)
def test_a_wrong_property_is_refused_by_name_and_what_is_allowed_and_by_no_setting(
    make: Make, name: str, value: Any
) -> None:
    with pytest.raises(PropertyError, match=f"^Property {name}: got .*; allowed: .*[.] ") as no:
        make(new_stack(), **{name: value})

    message = str(no.value)
    assert ("got nothing" in message) is (value is None)
    assert [word for word in OF_SETTINGS if word in message] == []


def test_what_decides_which_resources_there_are_is_known_at_synthesis() -> None:
    stack = new_stack()

    with pytest.raises(PropertyError, match=r"^Property sweeps: .*; allowed: .* known at synthes"):
        recommender(stack, sweeps=TOKENS["number"](stack))


def test_a_number_with_too_many_decimals_is_told_how_many_are_allowed() -> None:
    for name, value in (
        ("exploration_weight", 1 / 3),
        ("max_metric_regression", Decimal.from_float(0.3)),
        ("minimum_metrics", {"coverage": 1 / 3}),
    ):
        with pytest.raises(PropertyError, match=rf"^Property {name}: .*with at most 6 decimals\."):
            recommender(new_stack(), **{name: value})


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0.3, "0.3"),
        (0.000001, "0.000001"),
        (Decimal("1E-6"), "0.000001"),
        (Decimal("0.30"), "0.30"),
        (1, "1"),
        (1.0, "1.0"),
    ],
)
def test_a_number_is_written_exactly_be_it_a_float_or_a_decimal(
    number: Decimal | float, written: str
) -> None:
    stack = new_stack()
    recommender(
        stack,
        exploration_weight=number,
        minimum_metrics={"coverage": number},
        max_metric_regression=number,
    )

    template = rendered(stack)
    (gate,) = in_order(template, v.TRAINING_GATE_TYPE)
    properties = template["Resources"][gate]["Properties"]
    assert properties[v.QUALITY_GATE][v.MINIMUM_METRICS] == {"coverage": written}
    assert properties[v.QUALITY_GATE][v.MAX_METRIC_REGRESSION] == written
    exploration = properties[v.CONFIG][v.EXPLORATION]
    assert exploration == {
        v.EXPLORATION_WEIGHT: written,
        v.EXPLORATION_ITEM_AGE_CUT_OFF: "30",
    }


def test_columns_that_are_named_twice_are_left_out_once() -> None:
    stack = new_stack()
    recommender(stack, excluded_columns={"ITEMS": ["B", "A", "B"]})

    template = Template.from_stack(stack)
    template.all_resources_properties(
        v.RECOMMENDER_TYPE,
        {v.CONFIG: {v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": ["A", "B"]}}}},
    )
