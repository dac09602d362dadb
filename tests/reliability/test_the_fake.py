"""The fakes do what AWS does, where the local engine does not."""

import functools
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import dateutil.tz  # type: ignore[import-untyped]
import pytest
from ministack.services import eventbridge  # type: ignore[import-untyped]

from lambdas.recommender.vocabulary import (
    METRICS,
    RECOMMENDER_TYPE,
    STOP_TYPE,
    SWEEP_TYPE,
    TRAINING_GATE_TYPE,
)
from local_aws.personalize import ServiceError
from tests.reliability.world import HOUR, MINUTE, World, settings_of, texts
from tests.support import alarms
from tests.support.alarms import ALARM, OK
from tests.support.cloudformation import CANARY, FunctionKilledError, Stack, ThrottledError
from tests.support.deployed_code import _authorize
from tests.support.place import GROUP
from tests.support.scheduler import Cron, following, last
from tests.support.serverless import Event, StateMachine, invoke_asynchronously
from tests.support.synthesis import Deployable, _synthesise


class Scripted:
    """Functions that answer what a test tells them to, after so many polls of a minute each."""

    def __init__(self, stack: Stack, **answers: Any) -> None:
        self.answers = {"id": "the-id", "data": {}, "waits": 0, **answers}
        self.events: list[Event] = []
        self.polled: list[Event] = []
        self._cloud = stack.cloud
        self._stack = stack

    def begin(self, event: Event) -> None:
        self.events.append(event)
        if "raises" in self.answers:
            raise RuntimeError(self.answers["raises"])
        if not self.answers["waits"]:
            self._answer(event)
            return
        state = json.dumps({"Event": event, "Seconds": 60, "Left": self.answers["waits"]})
        name = hashlib.sha256(event["ResponseURL"].encode()).hexdigest()
        self._cloud.start_execution(self._stack, name, state)

    def poll(self, state: Event) -> Mapping[str, Any]:
        self.polled.append(state["Event"])
        left = state["Left"] - 1
        if not left:
            self._answer(state["Event"])
        return {**state, "Left": left, "Ended": not left}

    def _answer(self, event: Event) -> None:
        fails = "fails" in self.answers and event["RequestType"] != "Delete"
        given = event.get("PhysicalResourceId")
        keeps = event["RequestType"] == "Delete"
        answer = {
            "Status": "FAILED" if fails else "SUCCESS",
            "Reason": self.answers.get("fails", ""),
            "PhysicalResourceId": given if keeps else self.answers["id"],
            "Data": self.answers["data"],
            **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
        }
        self._cloud.put(str(event["ResponseURL"]), json.dumps(answer, ensure_ascii=False).encode())


ALL = dict.fromkeys(
    ("Arn", "Name", "Revision", "UpdatedAfter", "RecommenderArn", "ModelMetrics", *METRICS), "x"
)


@pytest.fixture
def stack(world: World) -> Stack:
    """A stack whose handlers are scripted, so that nothing of ours is there to be checked."""
    world.cloud.watchers.clear()
    world.invariants.check = lambda: None  # type: ignore[method-assign]
    return world.stack


def _create(stack: Stack, **answers: Any) -> Scripted:
    script = Scripted(stack, **({"data": ALL} | answers))
    stack.functions = script
    stack.create(settings_of())
    return script


def test_values_in_a_template_are_as_the_app_synthesises_them() -> None:
    settings = {
        "dataset_group_arn": GROUP,
        "max_training_hours": 1,
        "max_deletion_hours": 1,
        "min_recommendation_requests_per_second": 3,
        "exploration_weight": 0.7,
        "exploration_item_age_cut_off": 7,
        "excluded_columns": {"ITEMS": ["GENRES"]},
    }
    made = Deployable.of("TopPicks", settings)
    synthesised = _synthesise("TopPicks", json.dumps(settings))
    custom = {
        logical_id: resource
        for logical_id, resource in synthesised.resources.items()
        if resource["Type"].startswith("Custom::")
    }
    assert custom
    assert {logical_id: made.resources[logical_id] for logical_id in custom} == custom


def test_everything_is_a_string_and_comes_in_the_order_of_dependencies(stack: Stack) -> None:
    script = _create(stack)
    kinds = [event["ResourceType"] for event in script.events]
    assert kinds == [*[SWEEP_TYPE] * 3, RECOMMENDER_TYPE, *[TRAINING_GATE_TYPE] * 3]
    properties = script.events[3]["ResourceProperties"]
    assert properties["Running"] == "true"
    assert properties["RecommenderConfig"]["minRecommendationRequestsPerSecond"] == "1"
    assert script.events[-1]["ResourceProperties"]["RecommenderArn"] == "x"
    assert all(CANARY in event["ResponseURL"] for event in script.events)
    stack.delete()
    deleted = [event["ResourceType"] for event in script.events[7:]]
    assert deleted == kinds[::-1]


def test_a_missing_attribute_fails_the_deployment(stack: Stack) -> None:
    _create(stack, data={key: "x" for key in ALL if key != "Coverage"})
    assert stack.status == "ROLLBACK_COMPLETE"


def test_an_attribute_that_is_no_string_fails_the_deployment(stack: Stack) -> None:
    _create(stack, data={**ALL, "Arn": 5})
    assert "doesn't contain Arn" in texts(stack)


@pytest.mark.parametrize("lifts_timeouts", [False, True])
def test_an_hour_is_all_that_a_request_has_but_its_execution_goes_on(
    stack: Stack, world: World, lifts_timeouts: bool
) -> None:
    world.cloud.lifts_timeouts = lifts_timeouts
    script = Scripted(stack, data=ALL, waits=30)
    stack.functions = script
    started = world.clock.now
    template = Deployable.of("TopPicks", settings_of())
    logical_id = template.ids_of(SWEEP_TYPE)[0]
    stack.create(template.patched(logical_id, ServiceTimeout=600), wait=False)
    world.cloud.run_for(12 * MINUTE)
    assert "did not receive a response" in texts(stack)
    world.cloud.run_for(30 * MINUTE)
    (create,) = stack.sent(SWEEP_TYPE, "Create")
    assert ("ServiceTimeout" in create.event) is lifts_timeouts
    assert ("ServiceTimeout" in create.event["ResourceProperties"]) is not lifts_timeouts
    assert create.outcome and not create.outcome.succeeded
    assert create.answers, "which nobody listens to"
    assert world.clock.now - started > 30 * MINUTE


def test_an_execution_ends_after_an_hour(stack: Stack, world: World) -> None:
    script = Scripted(stack, data=ALL, waits=1000)
    stack.functions = script
    stack.create(Deployable.of("TopPicks", settings_of()), sibling_fails=MINUTE, wait=False)
    world.cloud.run_for(2 * HOUR)
    creates = [event for event in script.polled if event["RequestType"] == "Create"]
    assert len(creates) == 59
    assert world.cloud.executions(stack)[0].status == "TIMED_OUT"


def test_an_event_that_lambda_throttles_comes_when_it_no_longer_does(
    stack: Stack, world: World
) -> None:
    begun = world.clock.now

    def throttled(_function: str, _event: Event, invoke: Any) -> Any:
        if world.clock.now < begun + 20 * MINUTE:
            raise ThrottledError
        return invoke()

    world.cloud.around = throttled
    _create(stack)
    assert stack.status == "CREATE_COMPLETE"
    assert 20 * MINUTE < world.clock.now - begun < 30 * MINUTE


def test_an_invocation_that_takes_longer_than_it_may_is_killed_when_it_has_acted(
    stack: Stack, world: World
) -> None:
    def slow(function: str, _event: Event, invoke: Any) -> Any:
        invoke()
        if function == "begin" and len(script.events) == 1:
            world.clock.advance(16 * MINUTE)

    script = Scripted(stack, data=ALL)
    stack.functions = script
    world.cloud.around = slow
    stack.create(settings_of())
    world.cloud.drain()
    first = [event for event in script.events if event == script.events[0]]
    assert len(first) == 2, "Lambda delivers it once more"


def test_a_cancelled_creation_is_deleted_by_an_invented_id(stack: Stack) -> None:
    stack.functions = Scripted(stack, data=ALL, waits=2)
    assert stack.create(settings_of(), sibling_fails=30.0) == "ROLLBACK_COMPLETE"
    (request,) = stack.sent(SWEEP_TYPE, "Delete")
    assert request.event["PhysicalResourceId"].startswith("TopPicks-RecommenderSweepsSweep01")


def test_an_event_whose_function_dies_comes_again_twice(stack: Stack, world: World) -> None:
    times: list[float] = []

    def dies(function: str, event: Event, invoke: Any) -> Any:
        if function == "begin" and event["RequestType"] == "Create":
            times.append(world.clock.now)
            raise FunctionKilledError
        return invoke()

    world.cloud.around = dies
    _create(stack)
    assert [time - times[0] for time in times] == [0, 60, 180]
    assert "did not receive a response" in texts(stack)


def _deleted(stack: Stack) -> list[str]:
    """Return the types of what was to be deleted, in order."""
    kinds = {one: resource["Type"] for one, resource in stack.template.resources.items()}
    events = [event for event in stack.events if event.status == "DELETE_IN_PROGRESS"]
    return [kinds.get(event.logical_id, STOP_TYPE) for event in events[1:]]


def test_what_no_template_has_any_more_is_deleted_before_what_it_needs(stack: Stack) -> None:
    _create(stack)
    stops = settings_of(running=False)
    cut_short = stack.update(
        stops, rolls_back=False, sibling_fails=lambda: bool(stack.sent(STOP_TYPE))
    )
    assert cut_short == "UPDATE_FAILED"
    other = settings_of(exploration_weight=0.7)
    assert stack.update(other, rolls_back=False, sibling_fails=0.0) == "UPDATE_FAILED"
    assert stack.delete() == "DELETE_COMPLETE", texts(stack)
    deleted = _deleted(stack)
    assert deleted.index(STOP_TYPE) < deleted.index("AWS::Lambda::Function")


@pytest.mark.parametrize("gone", [False, True])
def test_what_a_resource_needs_that_could_not_be_deleted_is_kept_or_goes(
    stack: Stack, world: World, gone: bool
) -> None:
    world.cloud.deletes_what_failed_needs = gone
    _create(stack)

    def broken(_function: str, event: Event, invoke: Any) -> Any:
        if (event["RequestType"], event["ResourceType"]) == ("Delete", RECOMMENDER_TYPE):
            raise RuntimeError("no")
        return invoke()

    world.cloud.around = broken
    assert stack.delete() == "DELETE_FAILED"
    assert ("AWS::Lambda::Function" in _deleted(stack)) is gone
    assert (SWEEP_TYPE in _deleted(stack)) is gone
    assert ("AWS::Lambda::Function" in {one.type for one in stack.resources.values()}) is not gone


@pytest.mark.parametrize("change_sets", [False, True])
def test_a_creation_has_a_time_if_a_change_set_makes_it(
    stack: Stack, world: World, change_sets: bool
) -> None:
    world.cloud.change_sets = change_sets
    _create(stack)
    assert (stack.shown.updated is not None) is change_sets


@pytest.mark.parametrize("dated", [False, True])
def test_a_response_url_is_new_for_each_request_and_says_when_it_was_made_or_not(
    stack: Stack, world: World, dated: bool
) -> None:
    world.cloud.dates_urls = dated
    script = _create(stack)
    urls = [str(event["ResponseURL"]) for event in script.events]
    assert len(set(urls)) == len(urls) == 7
    assert ["X-Amz-Date=20260101T0000" in url for url in urls] == [dated] * 7


def test_the_first_answer_counts(stack: Stack, world: World) -> None:
    _create(stack)
    (request,) = stack.sent(RECOMMENDER_TYPE)
    first = request.outcome
    world.cloud.put(str(request.event["ResponseURL"]), request.answers[0].replace(b"SUCC", b"F"))
    assert request.outcome is first
    assert len(request.answers) == 2


@pytest.mark.parametrize("bytes_over", [0, 1])
def test_an_answer_has_4096_bytes_at_most(stack: Stack, bytes_over: int) -> None:
    script = Scripted(stack, data=ALL)
    stack.functions = script
    stack.create(settings_of())
    longest = max(len(request.answers[0]) for request in stack.cloud.requests)
    script.answers["data"] = {
        **ALL,
        "More": "x" * (4096 - longest - len(', "More": ""') + bytes_over),
    }
    ends = stack.update(settings_of(exploration_weight=0.7))
    assert (ends == "UPDATE_COMPLETE") is not bool(bytes_over)
    assert ("Response object is too long" in texts(stack)) is bool(bytes_over)


def test_an_execution_whose_history_is_full_is_noticed(world: World) -> None:
    state = {"Type": "Wait", "SecondsPath": "$.Seconds", "Next": "Wait"}
    machine = StateMachine(world.cloud.timeline)
    endless = {"StartAt": "Wait", "States": {"Wait": state}}
    machine.start("endless", json.dumps({"Seconds": 1}), endless, lambda event: event)
    with pytest.raises(AssertionError, match="25,000 events"):
        world.cloud.run_for(26_000)


def test_an_event_that_is_too_old_is_dropped(world: World) -> None:
    taken: list[Event] = []
    for expires in (world.clock.now - 1, world.clock.now):
        invoke_asynchronously(world.cloud.timeline, taken.append, {"n": expires}, expires=expires)
    assert taken == [{"n": world.clock.now}]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("personalize:DeleteDatasetGroup", "recommender/TopPicks-0123456789abcdef"),
        ("personalize:DeleteRecommender", "recommender/films"),
        ("personalize:DeleteRecommender", "recommender/TopPicks-eu-0123456789abcdef"),
    ],
)
def test_what_the_template_s_policies_do_not_allow_is_refused(
    world: World, action: str, resource: str
) -> None:
    world.created()
    place = GROUP.rpartition(":")[0]
    allowed = f"{place}:recommender/TopPicks-0123456789abcdef"
    _authorize(world.stack, "personalize:DeleteRecommender", allowed)
    with pytest.raises(ServiceError, match=f"not authorized to perform: {action}"):
        _authorize(world.stack, action, f"{place}:{resource}")


# -- EventBridge Scheduler -----------------------------------------------------------------------

CHANGES: Final = {
    "Europe/Berlin": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "Australia/Lord_Howe": ("2026-04-04T15:00", "2026-10-03T15:30"),
    "Pacific/Apia": ("2011-12-30T10:00", "2012-03-31T14:00"),
}
"""Changes of the clocks, in UTC: forward and back by an hour, by half an hour, by a day."""


@functools.cache
def read_from_the_clock(zone: str, change: str) -> list[tuple[float, str]]:
    """Return what a clock shows each quarter of an hour around a change; of two alike the first.

    By dateutil, which reads and applies time zones without ``zoneinfo``.
    """
    clock, middle = dateutil.tz.gettz(zone), datetime.fromisoformat(change).replace(tzinfo=UTC)
    shown: dict[str, float] = {}
    for quarter in range(-16 * 96, 16 * 96):
        at = middle + timedelta(minutes=15 * quarter)
        shown.setdefault(f"{at.astimezone(clock):%Y-%m-%d %a %H:%M}", at.timestamp())
    return [(at, face.partition(" ")[2].upper()) for face, at in shown.items()]


@pytest.mark.parametrize("minutes", [-15, 0, 15, 30, 45, 60, 90, 24 * 60, 25 * 60])
@pytest.mark.parametrize(
    ("zone", "change"), [(zone, change) for zone, both in CHANGES.items() for change in both]
)
def test_scheduler_fires_when_a_clock_shows_the_time_of_a_schedule(
    zone: str, change: str, minutes: int
) -> None:
    """The time of the schedule is so many minutes past what the clock shows when it is changed."""
    middle = datetime.fromisoformat(change).replace(tzinfo=UTC)
    before = (middle - timedelta(minutes=1)).astimezone(dateutil.tz.gettz(zone))
    face = before.replace(tzinfo=None) + timedelta(minutes=1 + minutes)
    day = f"{face:%a}".upper()
    cron = Cron(f"cron({face.minute} {face.hour} ? * {day} *)", zone)
    fires = [
        at for at, shown in read_from_the_clock(zone, change) if shown == f"{day} {face:%H:%M}"
    ]

    for hours in range(-26, 27):
        now = (middle + timedelta(hours=hours)).timestamp()
        assert last(cron, now) == max(at for at in fires if at <= now)
        assert following(cron, now) == min(at for at in fires if at > now)


@pytest.mark.parametrize(
    "days", ["* * ?", "? * *", "? * SUN", "? * SUN-TUE,SAT", "? * MON,WED-FRI"]
)
def test_scheduler_fires_as_a_scheduler_of_others_does(days: str) -> None:
    """By ministack's, which knows no time zones."""
    cron = Cron(f"cron(30 7 {days} *)", "UTC")
    fields = eventbridge._parse_cron_fields(cron.expression)
    at = datetime(2026, 1, 1, tzinfo=UTC)

    for _ in range(14):
        fires = eventbridge._cron_next_fire(fields, at)
        assert following(cron, at.timestamp()) == fires.timestamp()
        after = eventbridge._cron_next_fire(fields, fires)
        assert (
            last(cron, after.timestamp() - 1) == fires.timestamp() == last(cron, fires.timestamp())
        )
        at = fires


def test_scheduler_takes_no_range_that_is_not_documented() -> None:
    with pytest.raises(AssertionError, match="past SAT is not documented"):
        following(Cron("cron(0 7 ? * SAT-SUN *)", "UTC"), 0.0)


# -- CloudWatch's alarms ---------------------------------------------------------------------------

EXAMPLES: Final = {
    (3, "0-X-X"): (OK, OK, OK),
    (3, "0----"): (OK, OK, OK),
    (3, "-----"): (None, ALARM, OK),
    (3, "0XX-X"): (ALARM, ALARM, ALARM),
    (3, "--X--"): (None, ALARM, OK),
    (2, "0-X-X"): (ALARM, ALARM, ALARM),
    (2, "00X0X"): (ALARM, ALARM, ALARM),
    (2, "0-X--"): (OK, ALARM, OK),
    (2, "----0"): (OK, ALARM, OK),
    (2, "---X-"): (None, ALARM, OK),
}
"""The tables of "Configuring how CloudWatch alarms treat missing data", CloudWatch User Guide.

By the data points that have to breach, of three, and by five periods: X breaches, 0 does not, - is
missing. The states are those where missing data is ignored (None: as before), breaching, and not.
"""


@pytest.mark.parametrize("before", [OK, ALARM])
@pytest.mark.parametrize(("needed", "data"), EXAMPLES)
def test_an_alarm_with_missing_data_has_the_state_that_cloudwatch_documents(
    needed: int, data: str, before: str
) -> None:
    alarm = {
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": needed,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 1,
        "MetricName": "Drift",
        "Statistic": "Maximum",
    }
    measured = {"Drift": [{"0": [0.0], "X": [1.0], "-": []}[one] for one in data]}

    states = [
        alarms.state({**alarm, "TreatMissingData": treated}, measured, before)
        for treated in ("ignore", "breaching", "notBreaching")
    ]

    assert states == [one or before for one in EXAMPLES[needed, data]]
