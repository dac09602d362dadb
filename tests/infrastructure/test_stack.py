"""What the template says, in terms of intent."""

import json
import re
import sys
from typing import Any, Final

import pytest
from aws_cdk import App
from syrupy.extensions.json import JSONSnapshotExtension

from app import main
from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.request import Request
from stacks.functions import LAMBDAS
from stacks.settings import SettingsError
from tests.infrastructure.conftest import EVERYTHING, SHORT
from tests.infrastructure.test_package import imports
from tests.support.permissions import Use, listed, roles_of
from tests.support.place import GROUP, RECIPE
from tests.support.synthesis import stringified
from tests.support.template import (
    FLAGS,
    Synth,
    in_order,
    of_type,
    policy_statements,
    properties_of,
    resolved,
    synthesised,
    the,
)

OUTPUTS = {
    "RecommenderArn",
    "RecommenderName",
    "DatasetGroupArn",
    "Coverage",
    "MeanReciprocalRankAt25",
    "NormalizedDiscountedCumulativeGainAt5",
    "NormalizedDiscountedCumulativeGainAt10",
    "NormalizedDiscountedCumulativeGainAt25",
    "PrecisionAt5",
    "PrecisionAt10",
    "PrecisionAt25",
    "ModelMetrics",
}
TYPES = (v.RECOMMENDER_TYPE, v.TRAINING_GATE_TYPE, v.SWEEP_TYPE, v.STOP_TYPE)
STACK_ID = "arn:aws:cloudformation:eu-west-1:111111111111:stack/TopPicks/1"
STATE_MACHINE = "AWS::StepFunctions::StateMachine"
RECOMMENDER_ACTIONS = {
    "personalize:CreateRecommender",
    "personalize:DeleteRecommender",
    "personalize:DescribeRecommender",
    "personalize:ListTagsForResource",
    "personalize:StartRecommender",
    "personalize:StopRecommender",
    "personalize:TagResource",
    "personalize:UntagResource",
    "personalize:UpdateRecommender",
}


def test_the_outputs_are_the_contracts(template: dict[str, Any]) -> None:
    assert set(template["Outputs"]) == OUTPUTS


def test_outputs_are_no_exports(template: dict[str, Any]) -> None:
    assert not any("Export" in output for output in template["Outputs"].values())


def test_what_uses_the_arn_waits_for_the_training(template: dict[str, Any]) -> None:
    last_gate = in_order(template, v.TRAINING_GATE_TYPE)[-1]

    for name in OUTPUTS - {"RecommenderName", "DatasetGroupArn"}:
        assert template["Outputs"][name]["Value"]["Fn::GetAtt"][0] == last_gate
    _, parameter = the(template, "AWS::SSM::Parameter")
    assert parameter["Properties"]["Name"] == "/top-picks/TopPicks/recommender-arn"
    assert parameter["Properties"]["Value"] == template["Outputs"]["RecommenderArn"]["Value"]


@pytest.mark.parametrize("resource_type", [v.TRAINING_GATE_TYPE, v.SWEEP_TYPE])
def test_the_links_of_each_chain_are_numbered_in_order(
    template: dict[str, Any], resource_type: str
) -> None:
    links = [
        template["Resources"][link]["Properties"] for link in in_order(template, resource_type)
    ]

    assert [(one[v.LINK], one[v.LINKS]) for one in links] == [(n, 11) for n in range(1, 12)]


def test_sweeps_keep_their_ids_when_their_number_changes(
    synth: Synth, template: dict[str, Any]
) -> None:
    fewer = in_order(synth(max_deletion_hours=3), v.SWEEP_TYPE)

    assert fewer == in_order(template, v.SWEEP_TYPE)[:4]


@pytest.mark.parametrize(("minutes", "hours", "seconds"), [(30, 1, 1800), (0.1, 0.01, 6)])
def test_every_request_waits_as_long_as_the_setting_says(
    synth: Synth, minutes: float, hours: float, seconds: int
) -> None:
    given = {"training_gate_minutes": minutes, "max_training_hours": hours}
    template = synth(**given, running=False)

    waits = {
        resource["Type"]: resource["Properties"][v.WAIT_SECONDS]
        for resource in template["Resources"].values()
        if resource["Type"].startswith("Custom::")
    }
    assert waits == dict.fromkeys(TYPES, seconds)


@pytest.mark.parametrize(
    ("group", "architecture"),
    [
        (GROUP.replace("arn:aws:", "arn:aws-us-gov:").replace("eu-", "us-gov-"), "arm64"),
        (GROUP.replace("arn:aws:", "arn:aws-cn:").replace("eu-west", "cn-north"), "x86_64"),
    ],
)
def test_functions_run_on_what_their_partition_has(
    synth: Synth, group: str, architecture: str
) -> None:
    template = synth(dataset_group_arn=group)

    ours = [
        function["Properties"]["Architectures"]
        for function in of_type(template, "AWS::Lambda::Function").values()
        if function["Properties"]["Handler"].startswith("recommender.")
    ]
    assert ours == [[architecture]] * 2


OTHERWISE: dict[str, Any] = {
    "recommender_name": "mine",
    "min_recommendation_requests_per_second": 3,
    "exploration_weight": 0.123456,
    "exploration_item_age_cut_off": 7,
    "excluded_columns": {"ITEMS": ["DESCRIPTION"]},
    "running": False,
    "adopt_existing": True,
    "force_update": "2",
    "tags": {"team": "video"},
}
"""Every setting that is a property of the recommender, each in another way than by default."""


@pytest.mark.parametrize(
    "resource_type", [v.RECOMMENDER_TYPE, v.TRAINING_GATE_TYPE, v.STOP_TYPE, v.SWEEP_TYPE]
)
def test_settings_reach_every_resource_that_needs_them(synth: Synth, resource_type: str) -> None:
    template = synth(**OTHERWISE)
    config = {
        v.MIN_REQUESTS_PER_SECOND: 3,
        v.ENABLE_METADATA: True,
        v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.123456", v.EXPLORATION_ITEM_AGE_CUT_OFF: "7"},
        v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": ["DESCRIPTION"]}},
    }
    name, _ = the(template, v.RECOMMENDER_TYPE)
    names = {v.NAME_PREFIX: "TopPicks", v.FIXED_NAME: "mine"}
    there = {
        v.CONFIG: config,
        v.RUNNING: False,
        v.RECOMMENDER_ARN: {"Fn::GetAtt": [name, v.ARN_ATTRIBUTE]},
        v.REVISION: {"Fn::GetAtt": [name, v.REVISION_ATTRIBUTE]},
        v.UPDATED_AFTER: {"Fn::GetAtt": [name, v.UPDATED_AFTER_ATTRIBUTE]},
    }
    expected = {
        v.RECOMMENDER_TYPE: {
            **names,
            v.CONFIG: config,
            v.RUNNING: False,
            v.DATASET_GROUP_ARN: GROUP,
            v.ADOPT_EXISTING: True,
            "Generation": "2",  # the name of version 0.1.0
            v.TAGS: {"team": "video"},
            v.ON_DESTROY: "delete",
        },
        v.TRAINING_GATE_TYPE: there,
        v.STOP_TYPE: {**there, v.RECOMMENDER_LOGICAL_ID: name},
        v.SWEEP_TYPE: {**names, v.RECOMMENDER_LOGICAL_ID: name, v.ON_DESTROY: "delete"},
    }[resource_type]
    others = {"ServiceToken", v.WAIT_SECONDS, v.LINK, v.LINKS, v.RECIPE_ARN}

    resources = of_type(template, resource_type).values()

    given = [
        {key: value for key, value in one["Properties"].items() if key not in others}
        for one in resources
    ]
    assert given == [expected] * len(resources)
    assert given


ROLE: Final = {
    "ServiceRole",
    "ServiceRoleDefaultPolicy",
    "ServiceRoleRecommenderPolicy",
    "ServiceRoleRecommenderPolicyFordb944067",
}
WAITER: Final = {"ServiceWaiterRole", "ServiceWaiterRoleDefaultPolicy"}
SERVICE: Final = {
    *ROLE,
    *WAITER,
    "ServiceBegin",
    "ServiceBeginEventInvokeConfig",
    "ServiceLogGroup",
    "ServiceNotifications",
    "ServicePoll",
    "ServiceStartPolicy",
    "ServiceWaiter",
}
DEPENDENCIES: Final = {
    **{name: {"ServiceNotifications"} for name in ROLE},
    "ServicePoll": ROLE,
    "ServiceWaiter": WAITER,
    "ServiceBegin": {*ROLE, "ServiceStartPolicy"},
    "ServiceBeginEventInvokeConfig": {"ServiceStartPolicy"},
    "RecommenderSweepsSweep01": SERVICE,
    "RecommenderSweepsSweep02": {"RecommenderSweepsSweep01"},
    "Recommender": {*SERVICE, "RecommenderSweepsSweep02"},
    "RecommenderTrainingHour02Of02": {"RecommenderTrainingHour01Of02"},
    "RecommenderHoursStart": {"RecommenderHoursRole", "RecommenderHoursRoleDefaultPolicy"},
    "RecommenderHoursStop": {"RecommenderHoursRole", "RecommenderHoursRoleDefaultPolicy"},
    "RecommenderHoursState": {"RecommenderHoursStart", "RecommenderHoursStop"},
    "MonitoringObserver": {
        "MonitoringRole",
        "MonitoringRoleDefaultPolicy",
        "MonitoringRolePolicyFordb944067",
    },
    "MonitoringSchedule": {
        "MonitoringScheduleRole",
        "MonitoringScheduleRoleDefaultPolicy",
        "RecommenderHoursState",
    },
    "MonitoringAlarms": {"MonitoringSchedule"},
    "RecommenderArnParameter": {"ConsumerRoleDefaultPolicy"},
}
"""What each resource depends on, beside what it refers to: all that it needs, and no circle."""


@pytest.mark.rows("X10", "TH8")
def test_what_each_resource_needs_is_there_before_it_and_goes_after_it(synth: Synth) -> None:
    resources = synth(**EVERYTHING, **SHORT, recommender_name="films")["Resources"]

    def named(logical_id: str) -> str:
        name = re.sub("[0-9A-F]{8}$", "", logical_id)
        groups = ("MonitoringAlarms", "ServiceNotifications")
        return next((group for group in groups if name.startswith(group)), name)

    assert {
        named(logical_id): set(map(named, one["DependsOn"]))
        for logical_id, one in resources.items()
        if "DependsOn" in one
    } == DEPENDENCIES


def statements(template: dict[str, Any]) -> dict[tuple[str, ...], set[str]]:
    """Return what the functions may do to Personalize and CloudFormation, by resource."""
    allowed: dict[tuple[str, ...], set[str]] = {}
    for statement in policy_statements(template):
        actions = listed(statement["Action"])
        if any(action.startswith(("personalize:", "cloudformation:")) for action in actions):
            assert statement["Effect"] == "Allow"
            resources = listed(resolved(statement["Resource"]))
            allowed.setdefault(tuple(sorted(resources)), set()).update(actions)
    return allowed


@pytest.mark.rows("S5", "S6")
def test_the_roles_may_do_this_and_nothing_else(template: dict[str, Any]) -> None:
    place = "arn:aws:personalize:eu-west-1:111111111111"
    group, machine = (the(template, kind)[0] for kind in ("AWS::Logs::LogGroup", STATE_MACHINE))
    (poll,) = (name for name in of_type(template, "AWS::Lambda::Function") if "Poll" in name)

    functions, waiter = roles_of(template).values()
    assert functions.grants == {
        Use(action, resource)
        for resource, actions in {
            f"{place}:recommender/TopPicks-????????????????": RECOMMENDER_ACTIONS,
            GROUP: {"personalize:CreateRecommender", "personalize:DescribeDatasetGroup"},
            RECIPE: {"personalize:CreateRecommender"},
            f"{place}:dataset/vod/INTERACTIONS": {"personalize:DescribeDataset"},
            f"{place}:dataset/vod/ITEMS": {"personalize:DescribeDataset"},
            "*": {"personalize:ListRecipes", "personalize:ListRecommenders"},
            "AWS::StackId": {"cloudformation:DescribeStacks"},
            machine: {"states:StartExecution"},
            f"{group}.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        }.items()
        for action in actions
    }
    assert waiter.grants == {Use("lambda:InvokeFunction", f"{poll}.Arn")}


def test_a_fixed_name_is_the_only_other_name_they_may_touch(synth: Synth) -> None:
    named = statements(synth(recommender_name="mine"))

    fixed = ("arn:aws:personalize:eu-west-1:111111111111:recommender/mine",)
    assert named[fixed] == RECOMMENDER_ACTIONS
    assert named.keys() - {fixed} == statements(synth()).keys()


def test_the_policy_of_a_fixed_name_goes_with_the_name(synth: Synth) -> None:
    def policies(name: str) -> set[str]:
        return set(of_type(synth(recommender_name=name), "AWS::IAM::Policy"))

    assert len(policies("mine") - policies("other")) == 1
    assert policies("mine") & policies("other") == set(of_type(synth(), "AWS::IAM::Policy"))


def test_no_managed_policy_is_attached(template: dict[str, Any]) -> None:
    for role in properties_of(template, "AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in role


@pytest.mark.rows("S8")
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"RetentionInDays": 90}),
        ({"log_retention_days": 7}, {"RetentionInDays": 7}),
    ],
)
def test_functions_log_json_to_a_group_that_expires(
    synth: Synth, settings: dict[str, Any], expected: dict[str, Any]
) -> None:
    template = synth(**settings)

    name, group = the(template, "AWS::Logs::LogGroup")
    for function in properties_of(template, "AWS::Lambda::Function"):
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert function["LoggingConfig"]["LogGroup"] == {"Ref": name}
    assert group["Properties"] == expected


def test_the_environment_of_functions_holds_no_secrets(template: dict[str, Any]) -> None:
    variables = {
        name: value
        for function in of_type(template, "AWS::Lambda::Function").values()
        for name, value in function["Properties"]["Environment"]["Variables"].items()
    }

    ((machine, _),) = of_type(template, STATE_MACHINE).items()
    ((log_group, _),) = of_type(template, "AWS::Logs::LogGroup").items()
    digest, value = variables.pop(v.PERMISSIONS_VARIABLE)["Fn::Join"][1]
    assert re.fullmatch("[0-9a-f]{16} ", digest)
    assert value == {"Fn::GetAtt": [log_group, "Arn"]}
    assert variables == {
        v.URL_SUFFIX_VARIABLE: {"Ref": "AWS::URLSuffix"},
        v.STATE_MACHINE_VARIABLE: {"Ref": machine},
        v.POLL_INTERVAL_VARIABLE: "60",
    }


def test_no_service_invokes_a_function_by_a_resource_policy(template: dict[str, Any]) -> None:
    assert not of_type(template, "AWS::Lambda::Permission")


CONSUMER = "arn:aws:iam::333333333333:role/app"


def test_each_account_of_the_consumers_is_trusted_once(synth: Synth) -> None:
    consumers = ["arn:aws:iam::111111111111:user/ann", CONSUMER, f"{CONSUMER}/x"]
    template = synth(consumers=consumers)

    (trust,) = [
        role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        for role in of_type(template, "AWS::IAM::Role").values()
        if CONSUMER in json.dumps(role)
    ]
    assert trust == [
        {
            "Action": "sts:AssumeRole",
            "Effect": "Allow",
            "Principal": {
                "AWS": ["arn:aws:iam::111111111111:root", "arn:aws:iam::333333333333:root"]
            },
            "Condition": {"ArnEquals": {"aws:PrincipalArn": consumers}},
        }
    ]


@pytest.mark.parametrize(
    ("consumer", "most"),
    [("333333333333:role/application-{:03}", 38), ("{:012}:role/application", 24)],
    ids=["of one account", "each of another account"],
)
def test_consumers_are_as_many_as_a_trust_policy_holds(consumer: str, most: int) -> None:
    arns = [f"arn:aws:iam::{consumer.format(number)}" for number in range(most + 1)]

    trust = [
        json.dumps(role["Properties"]["AssumeRolePolicyDocument"], separators=(",", ":"))
        for role in of_type(
            dict(synthesised(consumers=arns[:most]).to_json()), "AWS::IAM::Role"
        ).values()
    ]
    assert 1900 < max(map(len, trust)) <= 2048
    with pytest.raises(SettingsError, match=rf"consumers: got \"{most + 1} ARNs.*at most 2048"):
        synthesised(consumers=arns)


def test_consumers_get_recommendations_of_this_recommender_and_nothing_else(synth: Synth) -> None:
    template = synth(consumers=[CONSUMER])
    ((name, role),) = [
        (name, role)
        for name, role in of_type(template, "AWS::IAM::Role").items()
        if CONSUMER in json.dumps(role)
    ]
    last_gate = in_order(template, v.TRAINING_GATE_TYPE)[-1]
    arn = f"{last_gate}.{v.RECOMMENDER_ARN_ATTRIBUTE}"
    assert roles_of(template)[name].grants == {Use("personalize:GetRecommendations", arn)}
    assert role["Properties"].keys() & {"Policies", "ManagedPolicyArns"} == set()
    assert role["Properties"]["RoleName"] == "TopPicks-consumer-eu-west-1"
    assert template["Outputs"].keys() == OUTPUTS | {"ConsumerRoleArn"}
    assert template["Outputs"]["ConsumerRoleArn"]["Value"] == {"Fn::GetAtt": [name, "Arn"]}


@pytest.mark.parametrize(("region", "longest"), [("eu-west-1", 36), ("ap-northeast-1", 31)])
def test_a_name_too_long_for_a_consumer_role_is_refused(region: str, longest: int) -> None:
    """The first region and its number are in docs/reference/settings.md."""
    group = GROUP.replace("eu-west-1", region)
    environment = {"dataset_group_arn": group, "consumers": [CONSUMER]}

    main(App(context={"environments": {"e" * longest: environment}}))
    with pytest.raises(SettingsError, match=r"consumers: got .*shorten that by 2\."):
        main(App(context={"environments": {"e" * (longest + 2): environment}}))


@pytest.mark.parametrize("seconds", [7, 60])
def test_a_poll_that_lambda_fails_is_tried_again_for_an_hour(synth: Synth, seconds: int) -> None:
    _, machine = the(synth(poll_interval_seconds=seconds), STATE_MACHINE)

    definition = json.loads(resolved(machine["Properties"]["DefinitionString"]))
    (retry,) = definition["States"]["Poll"]["Retry"]
    assert retry["ErrorEquals"] == ["States.ALL"]
    assert (retry["IntervalSeconds"], retry["BackoffRate"]) == (seconds, 1)
    assert retry["MaxAttempts"] * seconds >= definition["TimeoutSeconds"] == 3600


def test_the_state_machine_logs_no_data(template: dict[str, Any]) -> None:
    """It has the ResponseURL."""
    _, machine = the(template, STATE_MACHINE)

    assert "LoggingConfiguration" not in machine["Properties"]


@pytest.mark.parametrize("settings", [{}, EVERYTHING], ids=["default", "everything"])
def test_everything_goes_when_the_stack_is_destroyed(
    synth: Synth, settings: dict[str, Any]
) -> None:
    for resource in synth(**settings)["Resources"].values():
        assert resource.get("DeletionPolicy", "Delete") == "Delete"


def test_a_retained_recommender_keeps_its_sweeps_from_removing_it(synth: Synth) -> None:
    retained = synth(retain_on_destroy=True)

    for resource in retained["Resources"].values():
        keeps = resource["Type"] in (v.RECOMMENDER_TYPE, v.SWEEP_TYPE)
        expected = "RetainExceptOnCreate" if keeps else "Delete"
        assert resource.get("DeletionPolicy", "Delete") == expected
        assert resource.get("UpdateReplacePolicy", "Delete") == "Delete"


def test_a_recommender_that_is_not_to_run_is_stopped_after_its_training(synth: Synth) -> None:
    stopped = synth(running=False)

    _, stop = the(stopped, v.STOP_TYPE)
    assert stop["DependsOn"] == [in_order(stopped, v.TRAINING_GATE_TYPE)[-1]]


def test_the_settings_tags_are_on_the_stack_and_on_every_resource() -> None:
    app = main(App(context={**FLAGS, "dataset_group_arn": GROUP, "tags": {"team": "video"}}))
    stack = app.synth().get_stack_by_name("TopPicks")

    assert stack.tags == {"team": "video"}
    for taggable in ("AWS::Lambda::Function", "AWS::IAM::Role", "AWS::Logs::LogGroup"):
        for resource in of_type(stack.template, taggable).values():
            assert {"Key": "team", "Value": "video"} in resource["Properties"]["Tags"]


def requested(logical_id: str, resource: dict[str, Any]) -> Request:
    """Return what CloudFormation asks the functions for, to create a resource of a template."""
    return Request.parse(
        {
            "RequestType": "Create",
            "ResourceType": resource["Type"],
            "RequestId": "r",
            "StackId": STACK_ID,
            "LogicalResourceId": logical_id,
            "ResourceProperties": as_sent(resource["Properties"]),
        }
    )


def as_sent(properties: dict[str, Any]) -> Any:
    """Return properties as CloudFormation sends them: every scalar is a string."""
    attributes = {
        v.RECOMMENDER_ARN: "arn:aws:personalize:eu-west-1:111111111111:recommender/TopPicks-1",
        v.UPDATED_AFTER: "0.0",
    }
    sent = stringified(resolved(properties))
    return {**sent, **{name: value for name, value in attributes.items() if name in sent}}


def test_the_lambda_imports_only_what_the_runtime_has() -> None:
    sources = LAMBDAS.rglob("*.py")
    roots = {name.partition(".")[0] for source in sources for name in imports(source)}

    assert roots - set(sys.stdlib_module_names) == {"botocore"}


def test_template_with_two_gates_and_two_sweeps_is_as_reviewed(
    synth: Synth, snapshot_json: Any
) -> None:
    """Not an assertion of intent: an alarm for changes that nobody meant."""
    assert masked(synth(**SHORT)) == snapshot_json


@pytest.fixture
def snapshot_json(snapshot: Any) -> Any:
    return snapshot.use_extension(JSONSnapshotExtension)


def masked(template: dict[str, Any]) -> Any:
    """Return the template without the hashes of assets and the version of the CDK."""
    text = json.dumps(template)
    text = re.sub(r"[0-9a-f]{64}", "<asset>", text)
    text = re.sub(r'"Analytics": "[^"]+"', '"Analytics": "<versions>"', text)
    return json.loads(text)
