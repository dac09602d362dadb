"""Hours of service: two schedules, a role that can do what they do, and what comes at the end."""

import json
from typing import Any, Final

import botocore.session
import pytest
from botocore.validate import validate_parameters

from lambdas.recommender import vocabulary as v
from tests.infrastructure.conftest import HOURS
from tests.support.permissions import Use, roles_of
from tests.support.template import Synth, in_order, of_type, properties_of, resolved, the

SCHEDULE: Final = "AWS::Scheduler::Schedule"


@pytest.fixture(scope="module")
def template(synth: Synth) -> dict[str, Any]:
    return synth(active_hours=HOURS)


@pytest.fixture(scope="module")
def schedules(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The properties of the schedules, by what they call."""
    found = map(resolved, properties_of(template, SCHEDULE))
    return {one["Target"]["Arn"].rpartition(":")[2]: one for one in found}


def test_a_recommender_is_started_and_stopped_by_the_clock_that_is_asked_for(
    schedules: dict[str, dict[str, Any]],
) -> None:
    assert {
        name: (one["ScheduleExpression"], one["ScheduleExpressionTimezone"], one["State"])
        for name, one in schedules.items()
    } == {
        "startRecommender": (HOURS["start"], "Europe/Berlin", "ENABLED"),
        "stopRecommender": (HOURS["stop"], "Europe/Berlin", "ENABLED"),
    }
    assert [one["FlexibleTimeWindow"] for one in schedules.values()] == [{"Mode": "OFF"}] * 2


def test_a_range_of_days_that_ends_on_sunday_is_spelled_out_for_scheduler(
    synth: Synth,
) -> None:
    hours = {**HOURS, "start": "cron(0 7 ? * SAT-SUN *)", "stop": "cron(0 20 ? * SAT-SUN *)"}
    template = synth(active_hours=hours)

    expressions = {one["ScheduleExpression"] for one in properties_of(template, SCHEDULE)}
    assert expressions == {"cron(0 7 ? * SAT,SUN *)", "cron(0 20 ? * SAT,SUN *)"}
    _, end = the(template, v.HOURS_TYPE)
    assert end["Properties"]["ActiveHours"]["Start"] == ["SAT 07:00", "SUN 07:00"]


@pytest.mark.parametrize("operation", ["StartRecommender", "StopRecommender"])
def test_what_is_called_is_an_operation_of_personalize_and_takes_this_input(
    schedules: dict[str, dict[str, Any]], operation: str
) -> None:
    """Universal targets name operations as the SDK does, and members in PascalCase."""
    target = schedules[operation[0].lower() + operation[1:]]["Target"]
    model = botocore.session.Session().get_service_model("personalize")
    given = json.loads(target["Input"])
    members = {name[0].lower() + name[1:]: value for name, value in given.items()}

    assert target["Arn"].startswith("arn:aws:scheduler:::aws-sdk:personalize:")
    shape = model.operation_model(operation).input_shape
    assert shape
    validate_parameters(members, shape)
    assert members.keys() <= shape.members.keys()


def test_the_schedules_follow_a_replacement_when_that_is_ready(
    template: dict[str, Any], schedules: dict[str, dict[str, Any]]
) -> None:
    last_gate = in_order(template, v.TRAINING_GATE_TYPE)[-1]
    arn = f"{last_gate}.{v.RECOMMENDER_ARN_ATTRIBUTE}"

    given = [json.loads(one["Target"]["Input"]) for one in schedules.values()]
    assert given == [{"RecommenderArn": arn}] * 2


def test_their_role_can_start_and_stop_this_recommender_and_nothing_else(
    template: dict[str, Any], schedules: dict[str, dict[str, Any]]
) -> None:
    (role,) = {one["Target"]["RoleArn"].removesuffix(".Arn") for one in schedules.values()}
    last_gate = in_order(template, v.TRAINING_GATE_TYPE)[-1]
    arn = f"{last_gate}.{v.RECOMMENDER_ARN_ATTRIBUTE}"

    assert roles_of(template)[role].grants == {
        Use("personalize:StartRecommender", arn),
        Use("personalize:StopRecommender", arn),
    }


def test_the_schedules_are_in_the_group_that_their_role_trusts(template: dict[str, Any]) -> None:
    """The tests of the whole app have the trust."""
    _, group = the(template, "AWS::Scheduler::ScheduleGroup")

    names = {one["GroupName"] for one in properties_of(template, SCHEDULE)}
    assert names == {group["Properties"]["Name"]}


@pytest.mark.parametrize(
    ("start", "stop", "seconds"),
    [
        ("cron(0 7 ? * MON-FRI *)", "cron(0 20 ? * MON-FRI *)", (12 * 3600, 10 * 3600)),
        ("cron(0 7 ? * MON *)", "cron(0 20 ? * FRI *)", (86_400, 86_400)),
        ("cron(0 7 * * ? *)", "cron(0 9 * * ? *)", (3600, 21 * 3600)),
    ],
)
def test_a_call_that_is_refused_is_tried_again_until_an_hour_before_the_other_one(
    synth: Synth, start: str, stop: str, seconds: tuple[int, int]
) -> None:
    hours = {**HOURS, "start": start, "stop": stop}
    policies = {
        one["ScheduleExpression"]: one["Target"]["RetryPolicy"]
        for one in properties_of(synth(active_hours=hours), SCHEDULE)
    }

    assert policies == {
        expression: {"MaximumEventAgeInSeconds": age, "MaximumRetryAttempts": 185}
        for expression, age in zip((start, stop), seconds, strict=True)
    }


def test_gates_let_either_state_pass_and_the_end_leaves_what_the_hour_wants(
    template: dict[str, Any],
) -> None:
    name, recommender = the(template, v.RECOMMENDER_TYPE)
    last, end = the(template, v.HOURS_TYPE)
    weekdays = ("MON", "TUE", "WED", "THU", "FRI")
    hours = {
        v.START: [f"{day} 07:00" for day in weekdays],
        v.STOP: [f"{day} 20:00" for day in weekdays],
        v.TIME_ZONE: "Europe/Berlin",
    }

    assert last.startswith("RecommenderHours")
    assert recommender["Properties"][v.RUNNING] is True
    assert recommender["Properties"][v.ACTIVE_HOURS] == end["Properties"][v.ACTIVE_HOURS] == hours
    assert end["Properties"][v.RECOMMENDER_LOGICAL_ID] == name
    assert set(of_type(template, SCHEDULE)) <= set(end["DependsOn"])
    for gate in of_type(template, v.TRAINING_GATE_TYPE).values():
        assert gate["Properties"][v.RUNNING] is False
