"""The construct in somebody else's app."""

import inspect
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from aws_cdk import (
    App,
    CfnParameter,
    Duration,
    Environment,
    NestedStack,
    RemovalPolicy,
    Resource,
    Stack,
    Tags,
)
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_personalize as personalize
from aws_cdk.assertions import Match, Template
from aws_cdk.aws_logs import LogGroup, RetentionDays
from constructs import Construct

from lambdas.recommender import vocabulary as v
from stacks.monitoring import RecommenderMonitoring
from stacks.recommender import TopPicksRecommender
from stacks.service import RecommenderService
from stacks.settings import PropertyError, Settings, SettingsError, parse
from stacks.settings.declarations import LOG_RETENTIONS
from stacks.settings.setting import settings_of
from tests.infrastructure.conftest import HOURS, top_picks
from tests.support.place import GROUP
from tests.support.template import KEY, of_type, properties_of, rendered, resolved, the


def own_attributes(construct: Construct, base: type[Construct]) -> set[str]:
    return {name for name in dir(construct) if not name.startswith("_")} - {*dir(base)}


def test_public_attributes_of_the_constructs_are_the_interface(stack: Stack) -> None:
    """Semantic versioning keeps them: one more has to be meant."""
    recommender = top_picks(stack)
    monitoring = RecommenderMonitoring(stack, "Monitoring", recommender=recommender)

    assert own_attributes(recommender, Resource) == {
        *("dataset_group_arn", "recommender_arn", "recommender_name", "ready", "service"),
        *("model_metrics", "model_metrics_json", "quality_gate", "cdk_tag_manager"),
        *("from_recommender_arn", "from_arn_parameter", "add_arn_parameter"),
        *("grant", "grant_get_recommendations", "metric", "metric_get_recommendations"),
        "metric_get_recommendations_latency",
        *(f"metric_get_recommendations{kind}xx_errors" for kind in (4, 5)),
    }
    assert own_attributes(recommender.service, Construct) == {
        *("log_group", "role", "service_token", "shared"),
    }
    assert own_attributes(monitoring, Construct) == {
        *("alarms", "dashboard", "metric", "observer", "role", "schedule"),
    }


def test_defaults_of_properties_are_those_of_the_settings() -> None:
    settings = parse({"dataset_group_arn": GROUP})
    given = {
        name: parameter.default
        for name, parameter in inspect.signature(TopPicksRecommender.__init__).parameters.items()
        if parameter.default not in (inspect.Parameter.empty, None)
    }
    assert given.pop("removal_policy") == RemovalPolicy.DESTROY
    assert not settings.retain_on_destroy
    assert {"training_gates", "sweeps", "exploration_weight", "quality_gate"} <= given.keys()
    assert given == {name: getattr(settings, name) for name in given}

    service = inspect.signature(RecommenderService.__init__).parameters
    retention = LOG_RETENTIONS[settings.log_retention_days]
    assert service["log_retention"].default is RetentionDays[retention]


WRONG_TAGS: dict[str, tuple[dict[str, str], str]] = {
    "too many": ({f"tag{n}": "x" for n in range(48)}, "There are 48 tags; 47 are allowed"),
    "AWS's own in capitals": ({"AWS:x": "x"}, "The key 'AWS:x' begins with aws:,"),
    "a name of the stack's own": (
        {"top-picks:team": "x"},
        "The key 'top-picks:team' begins with top-picks:",
    ),
    "a long key": ({"k" * 129: "x"}, "The key 'k+' has 129 characters; 1 to 128 are allowed"),
    "a long value": ({"k": "x" * 257}, "The value of 'k' has 257 characters; 1 to 256 are allowed"),
    "an empty value": ({"k": ""}, "The value of 'k' has 0 characters; 1 to 256 are allowed"),
    "a wildcard": ({"k*": "x"}, "The key 'k.' has '.' in it; letters, digits, spaces and _"),
    "a tab": ({"k": "a\tb"}, r"The value of 'k' has '.t' in it"),
    "a line feed": ({"k\n": "b"}, r"The key 'k.n' has '.n' in it"),
    "an accent of its own": ({"k": "e\u0301"}, "The value of 'k' has '\u0301' in it"),
    "two alike": ({"Team": "a", "team": "b"}, "'Team' and 'team' differ only in case.* rename one"),
}


@pytest.mark.parametrize(("tags", "message"), WRONG_TAGS.values(), ids=WRONG_TAGS)
def test_tags_that_are_not_allowed_are_refused_alike_from_the_cdk_and_from_settings(
    stack: Stack, tags: dict[str, str], message: str
) -> None:
    top_picks(stack)
    for key, value in tags.items():
        Tags.of(stack).add(key, value)

    with pytest.raises(RuntimeError, match=f"Tags of the recommender: {message}"):
        Template.from_stack(stack)
    with pytest.raises(SettingsError, match=f"^Setting tags: got .*; allowed: .*{message}"):
        parse({"dataset_group_arn": GROUP, "tags": tags})


RIGHT_TAGS = {
    "k" * 128: "x" * 256,
    "Team": "Teams",
    "cost centre": "\u00e9\u3042\u2167 1.0_a:b/c=d+e-f@g",
    "aws-cdk:id": "x",
}


def test_tags_that_personalize_takes_are_the_recommenders(stack: Stack) -> None:
    most = {**RIGHT_TAGS, **{f"tag{n}": "x" for n in range(43)}}
    top_picks(stack)
    for key, value in most.items():
        Tags.of(stack).add(key, value)

    Template.from_stack(stack).has_resource_properties(v.RECOMMENDER_TYPE, {v.TAGS: most})
    assert parse({"dataset_group_arn": GROUP, "tags": most}).tags == most


@pytest.mark.rows("B10", "B6")
def test_a_tag_that_is_known_at_deployment_is_the_recommenders(stack: Stack) -> None:
    owner = CfnParameter(stack, "Owner").value_as_string
    top_picks(stack)
    Tags.of(stack).add("owner", owner)

    Template.from_stack(stack).has_resource_properties(
        v.RECOMMENDER_TYPE, {v.TAGS: {"owner": {"Ref": "Owner"}}}
    )


@pytest.mark.parametrize("before", [0, 1])
def test_the_policy_of_a_name_that_is_a_token_has_an_id_of_its_own(
    stack: Stack, before: int
) -> None:
    """A token's text has a number that depends on how many were made before."""
    names = [CfnParameter(stack, f"Name{n}").value_as_string for n in range(before + 1)]
    top_picks(stack, recommender_name=names[-1])

    policies = of_type(rendered(stack), "AWS::IAM::Policy")

    (own,) = [name for name, policy in policies.items() if f'"Name{before}"' in json.dumps(policy)]
    assert own.startswith("TopPicksRecommenderServiceRoleTopPicksPolicyForName")


def test_a_recommender_may_have_the_id_of_what_the_cdk_leaves_out_of_names(stack: Stack) -> None:
    top_picks(stack, "Default")

    assert of_type(rendered(stack), v.RECOMMENDER_TYPE)


def test_two_recommenders_share_a_service_and_not_a_sweep(stack: Stack) -> None:
    top_picks(stack, "Films")
    top_picks(stack, "Series")

    template = rendered(stack)

    recommenders = of_type(template, v.RECOMMENDER_TYPE)
    tokens = {json.dumps(r["Properties"]["ServiceToken"]) for r in recommenders.values()}
    swept = {one[v.RECOMMENDER_LOGICAL_ID] for one in properties_of(template, v.SWEEP_TYPE)}
    assert len(tokens) == 1
    assert swept == recommenders.keys()


def prefixes(template: dict[str, Any]) -> set[str]:
    return {
        resource["Properties"][v.NAME_PREFIX]
        for resource in template["Resources"].values()
        if v.NAME_PREFIX in resource.get("Properties", {})
    }


def test_names_begin_with_the_stacks_name_as_far_as_it_fits() -> None:
    stack = Stack(App(), "A" * 100, env=Environment(account="111111111111", region="eu-west-1"))
    top_picks(stack)

    template = rendered(stack)

    assert prefixes(template) == {"A" * v.MAX_PREFIX_LENGTH}
    assert "recommender/" + "A" * 46 + "-" + "?" * 16 in json.dumps(resolved(template["Resources"]))


def test_in_a_nested_stack_names_begin_with_its_path(stack: Stack) -> None:
    nested = NestedStack(stack, "Nested")
    top_picks(nested)

    (prefix,) = prefixes(rendered(nested))

    assert prefix.startswith("VideoNested")


def made_in_another_stack(stack: Stack) -> tuple[Construct, Stack]:
    env = Environment(account=stack.account, region=stack.region)
    return Stack(App.of(stack), "Data", env=env), stack


def made_in_the_parent(stack: Stack) -> tuple[Construct, Stack]:
    return stack, NestedStack(stack, "Nested")


def made_in_a_nested_stack(stack: Stack) -> tuple[Construct, Stack]:
    return NestedStack(stack, "Nested"), stack


@pytest.mark.rows("TH8")
@pytest.mark.parametrize(
    "made", [made_in_another_stack, made_in_the_parent, made_in_a_nested_stack]
)
def test_the_arn_of_a_dataset_group_made_elsewhere_is_in_the_functions_configuration(
    stack: Stack, made: Callable[[Stack], tuple[Construct, Stack]]
) -> None:
    data, of_recommender = made(stack)
    group = personalize.CfnDatasetGroup(data, "Group", name="vod", domain="VIDEO_ON_DEMAND")
    TopPicksRecommender(of_recommender, "TopPicks", dataset_group_arn=group.attr_dataset_group_arn)

    template = rendered(of_recommender)

    (recommender,) = of_type(template, v.RECOMMENDER_TYPE).values()
    arn = recommender["Properties"][v.DATASET_GROUP_ARN]
    for one in of_type(template, "AWS::Lambda::Function").values():
        shown = one["Properties"]["Environment"]["Variables"][v.PERMISSIONS_VARIABLE]
        assert arn in shown["Fn::Join"][1]


@pytest.mark.rows("TH8")
def test_a_change_of_permissions_after_a_first_look_is_in_the_functions_configuration(
    stack: Stack,
) -> None:
    """Something resolves the functions early, such as a rule of an aspect."""
    service = top_picks(stack, "Films").service
    before = stack.resolve(service.role.permissions)

    top_picks(stack, "Series", recommender_name="series")

    template = rendered(stack)
    for one in of_type(template, "AWS::Lambda::Function").values():
        assert one["Properties"]["Environment"]["Variables"][v.PERMISSIONS_VARIABLE] != before


def test_recommenders_that_share_a_service_do_not_differ_in_what_it_is_given(stack: Stack) -> None:
    service = RecommenderService(
        stack,
        "Service",
        poll_interval=Duration.seconds(30),
        log_retention=RetentionDays.ONE_WEEK,
    )
    for name in ("Films", "Series"):
        top_picks(stack, name, service=service)
    top_picks(stack, "Other")

    template = Template.from_stack(stack)
    template.resource_count_is("AWS::StepFunctions::StateMachine", 2)
    groups = properties_of(dict(template.to_json()), "AWS::Logs::LogGroup")
    assert sorted(one["RetentionInDays"] for one in groups) == [7, 90]


def test_the_shared_service_is_configured_by_a_call_before_its_first_recommender(
    stack: Stack,
) -> None:
    by_default = Stack(App(), "TopPicks")
    top_picks(by_default, "Films")
    RecommenderService.shared(stack, log_retention=RetentionDays.ONE_WEEK)
    top_picks(stack, "Films")

    before, after = (rendered(one) for one in (by_default, stack))
    assert before["Resources"].keys() == after["Resources"].keys()
    (log_group,) = of_type(after, "AWS::Logs::LogGroup").values()
    assert log_group["Properties"]["RetentionInDays"] == 7


@pytest.mark.rows("U11")
@pytest.mark.parametrize(
    ("first", "second", "refusal"),
    [
        ({"poll_interval": Duration.minutes(1)}, {"poll_interval": Duration.seconds(60)}, None),
        ({}, {"poll_interval": Duration.seconds(60)}, None),  # as by default
        (
            {"poll_interval": Duration.seconds(30)},
            {"log_retention": RetentionDays.ONE_YEAR},
            "log_retention: got 365; allowed: 90, with which the stack's service is made",
        ),
        (
            {"log_retention": RetentionDays.ONE_YEAR},
            {"log_retention": RetentionDays.ONE_YEAR, "poll_interval": Duration.seconds(30)},
            "poll_interval: got 30; allowed: 60, with which .* before the first recommender",
        ),
    ],
)
def test_the_shared_service_takes_the_properties_again_that_it_was_made_with_and_no_others(
    stack: Stack, first: dict[str, Any], second: dict[str, Any], refusal: str | None
) -> None:
    made = RecommenderService.shared(stack, **first)

    assert RecommenderService.shared(stack, **first) is made
    if refusal is None:
        assert RecommenderService.shared(stack, **second) is made
        return
    with pytest.raises(PropertyError, match=rf"^Property {refusal}"):
        RecommenderService.shared(stack, **second)


@pytest.mark.rows("U11")
def test_the_shared_service_takes_the_key_again_that_it_was_made_with_and_no_other(
    stack: Stack,
) -> None:
    key = kms.Key(stack, "Key")
    made = RecommenderService.shared(stack, log_key=key)

    assert RecommenderService.shared(stack, log_key=key) is made
    assert RecommenderService.shared(stack) is made
    with pytest.raises(PropertyError, match=rf"^Property log_key: got .{KEY}.; allowed: .*Key"):
        RecommenderService.shared(stack, log_key=kms.Key.from_key_arn(stack, "Other", KEY))


def test_a_service_of_another_stack_is_refused(stack: Stack) -> None:
    """Permissions and functions are changed in one order only if one deployment changes both."""
    elsewhere = RecommenderService(Stack(App(), "Elsewhere"), "Service")

    with pytest.raises(PropertyError, match=r"^Property service: got .Elsewhere/Service.; allowed"):
        top_picks(stack, service=elsewhere)


def test_a_property_is_refused_in_the_words_of_the_setting(stack: Stack) -> None:
    with pytest.raises(PropertyError) as of_the_construct:
        top_picks(stack, exploration_weight=Decimal(7))
    with pytest.raises(SettingsError) as of_the_context:
        parse({"dataset_group_arn": GROUP, "exploration_weight": 7})

    assert str(of_the_construct.value) == (
        "Property exploration_weight: got 7; allowed: a number from 0 to 1 with at most 6 "
        "decimals. For example 0.5."
    )
    assert str(of_the_context.value) == str(of_the_construct.value).replace("Property", "Setting")


TOGETHER: list[tuple[dict[str, Any], str]] = [
    ({"adopt_existing": True}, "adopt_existing: got true; allowed: true together with"),
    (
        {"running": False, "active_hours": HOURS},
        "active_hours: .*; allowed: hours together with running: true",
    ),
    ({"training_gates": 190}, "training_gates: got .190 training gates and 11 sweeps"),
    (
        {"dataset_group_arn": GROUP.replace("1111", "2222")},
        "dataset_group_arn: .*; allowed: a dataset group of the stack's account, 111111111111",
    ),
    (
        {"dataset_group_arn": GROUP.replace("eu-west-1", "us-east-1")},
        "dataset_group_arn: .*; allowed: a dataset group of the stack's region, eu-west-1",
    ),
]


@pytest.mark.parametrize(("properties", "message"), TOGETHER)
def test_properties_that_do_not_fit_together_are_refused(
    stack: Stack, properties: dict[str, Any], message: str
) -> None:
    with pytest.raises(PropertyError, match=f"^Property {message}"):
        top_picks(stack, **properties)


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        (KEY.replace("eu-west-1", "us-east-1"), "a key of the region of the log groups, eu-west-1"),
        (KEY.replace("eu-west-1", "cn-north-1"), "is in the partition aws-cn"),
    ],
)
def test_a_key_that_cannot_encrypt_the_logs_is_refused(
    stack: Stack, arn: str, message: str
) -> None:
    key = kms.Key.from_key_arn(stack, "Key", arn)

    with pytest.raises(PropertyError, match=f"^Property log_key: .*{message}"):
        RecommenderService(stack, "Service", log_key=key)


def test_a_key_of_the_stack_encrypts_the_logs(stack: Stack) -> None:
    key = kms.Key(stack, "Key")

    RecommenderService(stack, "Service", log_key=key)

    Template.from_stack(stack).all_resources_properties(
        "AWS::Logs::LogGroup", {"KmsKeyId": {"Fn::GetAtt": Match.any_value()}}
    )


def test_adoption_by_a_name_that_is_a_token_is_adoption_by_a_name(stack: Stack) -> None:
    name = CfnParameter(stack, "Name").value_as_string

    top_picks(stack, recommender_name=name, adopt_existing=True)

    Template.from_stack(stack).has_resource_properties(v.RECOMMENDER_TYPE, {v.ADOPT_EXISTING: True})


@pytest.mark.parametrize("seconds", [7, 3299])
def test_a_gate_may_wait_any_number_of_seconds(stack: Stack, seconds: int) -> None:
    top_picks(stack, training_gate=Duration.seconds(seconds))

    Template.from_stack(stack).all_resources_properties(
        v.TRAINING_GATE_TYPE, {v.WAIT_SECONDS: seconds}
    )


METRICS = [
    ("get_recommendations", "GetRecommendations", "Sum", None),
    (
        "get_recommendations_latency",
        "GetRecommendationsLatency",
        "Average",
        cloudwatch.Unit.MILLISECONDS,
    ),
    ("get_recommendations4xx_errors", "GetRecommendations4xxErrors", "Sum", None),
    ("get_recommendations5xx_errors", "GetRecommendations5xxErrors", "Sum", None),
]


@pytest.mark.parametrize(("method", "name", "statistic", "unit"), METRICS)
def test_a_metric_has_the_statistic_and_the_unit_that_are_documented(
    stack: Stack, method: str, name: str, statistic: str, unit: cloudwatch.Unit | None
) -> None:
    recommender = top_picks(stack)

    for metric in (getattr(recommender, f"metric_{method}")(), recommender.metric(name)):
        assert (metric.metric_name, metric.statistic, metric.unit) == (name, statistic, unit)
        assert metric.dimensions == {"RecommenderArn": recommender.recommender_arn}


def test_a_metric_s_properties_can_be_chosen(stack: Stack) -> None:
    recommender = top_picks(stack)

    metric = recommender.metric_get_recommendations_latency(
        statistic="p99", period=Duration.minutes(1)
    )

    assert (metric.statistic, metric.period.to_seconds()) == ("p99", 60)
    assert recommender.metric("SomethingNew").statistic == "Average"


# -- recommenders that are made elsewhere ----------------------------------------------------------

ARN = "arn:aws:personalize:eu-west-1:111111111111:recommender/top-picks"


def test_a_recommender_made_elsewhere_is_granted_and_measured_by_its_arn(stack: Stack) -> None:
    recommender = TopPicksRecommender.from_recommender_arn(stack, "TopPicks", ARN)
    role = iam.Role(stack, "Api", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))

    recommender.grant_get_recommendations(role)
    recommender.grant(role, "personalize:DescribeRecommender")
    recommender.metric_get_recommendations5xx_errors().create_alarm(
        stack, "Alarm", threshold=1, evaluation_periods=1
    )

    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": [
                    {"Action": f"personalize:{action}", "Effect": "Allow", "Resource": ARN}
                    for action in ("GetRecommendations", "DescribeRecommender")
                ]
            }
        },
    )
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "Namespace": "AWS/Personalize",
            "MetricName": "GetRecommendations5xxErrors",
            "Dimensions": [{"Name": "RecommenderArn", "Value": ARN}],
            "Statistic": "Sum",
        },
    )
    template.resource_count_is(v.RECOMMENDER_TYPE, 0)
    assert (recommender.recommender_arn, recommender.recommender_name) == (ARN, "top-picks")
    assert (recommender.env.account, recommender.env.region) == ("111111111111", "eu-west-1")


def test_a_metric_says_where_its_recommender_is(stack: Stack) -> None:
    elsewhere = ARN.replace("eu-west-1", "us-east-1")
    recommender = TopPicksRecommender.from_recommender_arn(stack, "TopPicks", elsewhere)

    metric = recommender.metric_get_recommendations()

    assert (metric.account, metric.region) == ("111111111111", "us-east-1")


@pytest.mark.parametrize("arn", [GROUP, ARN.replace("arn:aws:", "arn:aws-cn:")])
def test_the_arn_of_something_else_is_refused(stack: Stack, arn: str) -> None:
    with pytest.raises(PropertyError, match=r"^Property recommender_arn: got .*; allowed: arn:"):
        TopPicksRecommender.from_recommender_arn(stack, "TopPicks", arn)


@pytest.mark.parametrize(
    ("policy", "expected", "later"),
    [
        (RemovalPolicy.DESTROY, "Delete", False),
        (RemovalPolicy.RETAIN, "RetainExceptOnCreate", False),
        (RemovalPolicy.RETAIN, "RetainExceptOnCreate", True),
    ],
    ids=["destroy", "retain", "retain later"],
)
def test_a_removal_policy_is_the_recommenders_and_its_sweeps(
    stack: Stack, policy: RemovalPolicy, expected: str, later: bool
) -> None:
    given: dict[str, Any] = {} if later else {"removal_policy": policy}
    recommender = top_picks(stack, **given)
    if later:
        recommender.apply_removal_policy(policy)

    template = rendered(stack)
    for resource_type in (v.RECOMMENDER_TYPE, v.SWEEP_TYPE):
        found = {one["DeletionPolicy"] for one in of_type(template, resource_type).values()}
        assert found == {expected}
    said = the(template, v.RECOMMENDER_TYPE)[1]["Properties"][v.ON_DESTROY]
    assert said == ("retain" if policy == RemovalPolicy.RETAIN else "delete")
    gates = of_type(template, v.TRAINING_GATE_TYPE).values()
    assert {one["DeletionPolicy"] for one in gates} == {"Delete"}


def test_every_retention_of_the_settings_is_so_many_days_in_the_template(stack: Stack) -> None:
    for days, retention in LOG_RETENTIONS.items():
        LogGroup(stack, f"For{days}Days", retention=RetentionDays[retention])

    template = rendered(stack)
    assert len(LOG_RETENTIONS) == 22
    assert {
        name.removeprefix("For").partition("Days")[0]: one["Properties"]["RetentionInDays"]
        for name, one in of_type(template, "AWS::Logs::LogGroup").items()
    } == {str(days): days for days in LOG_RETENTIONS}


def test_every_retention_of_the_settings_is_one_of_the_cdks() -> None:
    allowed: Any = settings_of(Settings)["log_retention_days"].kind.schema["enum"]

    assert [*LOG_RETENTIONS] == allowed
    assert {one.name for one in RetentionDays} - {*LOG_RETENTIONS.values()} == {"INFINITE"}
