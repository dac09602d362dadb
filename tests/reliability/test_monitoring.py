"""Monitoring observes at any moment of any lifecycle, and changes nothing."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from local_aws.personalize.behaviour import Echo
from tests.reliability.lifecycles import ALL, EVERY_LIFECYCLE, prepared
from tests.reliability.recorded import recorded
from tests.reliability.world import HIDES, HOUR, MINUTE, World, texts
from tests.support import alarms, deployed_code
from tests.support.metrics import metrics_of
from tests.support.operator import Operator

MONITORED = {"monitoring": True}


def watched(world: World) -> list[dict[str, Any]]:
    """Run the observer before every call of the functions, and collect its lines."""
    lines: list[dict[str, Any]] = []

    def observe(_operation: str, _params: dict[str, Any]) -> None:
        for stack in world.cloud.stacks:
            if deployed_code.has_observer(stack):
                lines.extend(map(json.loads, world.cloud.observe(stack)))

    world.cloud.before = observe
    return lines


def changes(world: World) -> list[tuple[float, str, str]]:
    return [
        (call.time, call.operation, call.resource_arn)
        for call in world.service.journal
        if call.mutating
    ]


def observed(world: World) -> dict[str, Any]:
    """Return the line of one observation."""
    (line,) = world.cloud.observe(world.stack)
    assert len(metrics_of(line)) == 1
    emf_document: dict[str, Any] = json.loads(line)
    return emf_document


@pytest.mark.rows("M1")
@pytest.mark.sweep
@pytest.mark.parametrize("lifecycle", EVERY_LIFECYCLE)
def test_a_lifecycle_observed_at_every_moment_ends_the_same(
    lifecycle: str, record_property: Callable[[str, object], None]
) -> None:
    alone = prepared(lifecycle, **MONITORED)
    status = ALL[lifecycle](alone)

    world = prepared(lifecycle, **MONITORED)
    has_observer = deployed_code.has_observer(world.stack)
    lines = watched(world)
    assert ALL[lifecycle](world) == status, texts(world.stack)
    world.cloud.drain()
    alone.cloud.drain()

    assert changes(world) == changes(alone)
    world.invariants.check()
    record_property("cells", len(lines))
    # The observer is the last to come, and the first to go.
    if has_observer and lifecycle != "delete":
        assert len(lines) > 1


@pytest.mark.rows("M1")
def test_an_observer_that_changed_something_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    world = prepared("update", **MONITORED)
    arn = world.arn

    def meddle(_stack: object) -> list[str]:
        world.disturb().stop_recommender(recommenderArn=arn)
        return []

    monkeypatch.setattr(deployed_code, "observe", meddle)
    world.cloud.observe(world.stack)
    with pytest.raises(AssertionError, match="9: monitoring of TopPicks calls StopRecommender"):
        world.invariants.check()


@pytest.mark.rows("M2")
def test_what_is_edited_behind_its_back_is_drift_until_it_is_put_right() -> None:
    world = prepared("update", **MONITORED)
    assert observed(world)[v.DRIFT] == 0
    world.edit(world.arn, {"minRecommendationRequestsPerSecond": 7})

    line = observed(world)
    assert line[v.DRIFT] == 1
    assert line["Differs"] == ["minRecommendationRequestsPerSecond: actual 7, expected 1"]
    assert line[v.PROVISIONED] == 7

    world.updated(force_update="2")
    assert observed(world)[v.DRIFT] == 0


@pytest.mark.rows("M2")
def test_what_is_stopped_or_deleted_by_hand_is_drift_and_not_active() -> None:
    world = prepared("update", **MONITORED)
    arn = world.arn
    world.disturb().stop_recommender(recommenderArn=arn)
    world.cloud.run_for(HOUR)
    stopped = observed(world)
    assert (stopped[v.ACTIVE], stopped[v.DRIFT], stopped[v.PROVISIONED]) == (0, 1, 0)

    world.disturb().delete_recommender(recommenderArn=arn)
    world.cloud.run_for(HOUR)
    gone = observed(world)
    assert (gone[v.ACTIVE], gone[v.DRIFT], gone["Status"]) == (0, 1, "not there")


@pytest.mark.rows("M2")
def test_one_that_is_kept_stopped_is_as_it_is_wanted() -> None:
    world = prepared("start", **MONITORED)
    line = observed(world)
    assert (line[v.ACTIVE], line[v.DRIFT]) == (0, 0)


@pytest.mark.rows("M3")
def test_a_replacement_keeps_its_history_and_is_no_drift_while_it_trains() -> None:
    world = prepared("replace", **MONITORED)
    before = observed(world)
    lines = watched(world)
    assert ALL["replace"](world) == "UPDATE_COMPLETE", texts(world.stack)
    world.cloud.before = lambda _operation, _params: None
    after = observed(world)

    assert before["RecommenderArn"] != after["RecommenderArn"]
    assert {line[v.DIMENSION] for line in (before, *lines, after)} == {"TopPicks/Recommender"}
    assert (after[v.ACTIVE], after[v.DRIFT], after[v.LEFTOVERS]) == (1, 0, 0)
    for line in lines:
        assert line[v.ACTIVE] == 1  # of the one that serves
        assert not {v.DRIFT, v.LEFTOVERS} & line.keys()
        assert "IN_PROGRESS" in line["Unmeasured"]


@pytest.mark.rows("M3")
def test_the_one_that_serves_is_looked_at_until_another_name_is_ready() -> None:
    """The permission for the old name has to outlast the training of the new one."""
    world = prepared("replace", **MONITORED, recommender_name="films")
    lines = watched(world)
    world.updated(recommender_name="series")

    looked_at = [line["RecommenderArn"].rpartition("/")[2] for line in lines]
    assert looked_at.count("films") > 1
    assert {line[v.ACTIVE] for line in lines} == {1}
    world.cloud.before = lambda _operation, _params: None
    assert observed(world)["RecommenderArn"].endswith("/series")


@pytest.mark.rows("M3")
def test_what_a_clean_up_has_left_is_counted_and_named() -> None:
    world = prepared("replace", **MONITORED)
    old = world.arn
    world.behaviour.delete = 10 * HOUR  # longer than clean-up tries
    assert ALL["replace"](world) == "UPDATE_COMPLETE"
    line = observed(world)
    assert (line[v.LEFTOVERS], line["LeftOver"]) == (1, [old])
    assert line[v.DRIFT] == 0


WEEK = 7 * 24 * HOUR


@pytest.fixture
def weekly() -> World:
    """A stack with monitoring, whose recommender retrains every week from now on."""
    world = prepared("update", **MONITORED)
    world.behaviour.retraining_every = WEEK
    return world


class Watch:
    """Observes by the hour, and evaluates an alarm as CloudWatch does."""

    def __init__(self, world: World, name: str) -> None:
        (self._alarm,) = [
            one["Properties"]
            for logical_id, one in world.stack.template.resources.items()
            if logical_id.startswith(f"MonitoringAlarms{name}")
        ]
        self._world = world
        self._samples: list[list[float]] = []
        self.state = alarms.OK

    def hours(self, count: int, *, every: int = 1) -> list[str]:
        """Observe once in so many hours, and return each state that the alarm has come to."""
        states = []
        for hour in range(count):
            self._world.cloud.run_for(HOUR)
            line = observed(self._world) if hour % every == 0 else {}
            value = line.get(self._alarm["MetricName"])
            self._samples.append([] if value is None else [value])
            measured = {self._alarm["MetricName"]: self._samples}
            after = alarms.state(self._alarm, measured, self.state)
            states += [after] if after != self.state else []
            self.state = after
        return states


@pytest.mark.rows("M4")
def test_a_retraining_that_fails_is_seen_until_one_succeeds(weekly: World) -> None:
    failed = Watch(weekly, "RetrainingFailed")
    assert failed.hours(6 * 24) == []
    weekly.behaviour.retraining_failure = "Too few interactions"
    assert failed.hours(2 * 24) == [alarms.ALARM]

    line = observed(weekly)
    assert (line[v.RETRAINING_FAILED], line[v.DRIFT], line[v.ACTIVE]) == (1, 0, 1)
    assert line["UpdateFailureReason"] == "Too few interactions."
    assert v.HOURS_SINCE_TRAINING not in line

    weekly.behaviour.retraining_failure = None
    assert failed.hours(8 * 24) == [alarms.OK]
    assert observed(weekly)[v.RETRAINING_FAILED] == 0


@pytest.mark.rows("M4")
def test_a_retraining_that_shows_nowhere_raises_no_alarm_ever(
    weekly: World, capsys: pytest.CaptureFixture[str]
) -> None:
    weekly.behaviour.retraining_shows = False
    weekly.behaviour.retraining_failure = "Too few interactions"
    weekly.updated(**MONITORED, exploration_weight=0.7)
    watches = [Watch(weekly, name) for name in ("RetrainingFailed", "OldTraining")]
    for _ in range(5):
        for watch in watches:
            assert watch.hours(2 * 24) == []

    assert observed(weekly)[v.RETRAINING_FAILED] == 0
    assert Operator(weekly.cloud, capsys).run("status")[0] == 0


DAY = 24
COMPARED = {**MONITORED, "max_metric_regression": 0.05}


@pytest.fixture
def compared() -> World:
    """As `weekly`, with an alarm on a model that got worse."""
    world = prepared("update", **COMPARED)
    world.behaviour.retraining_every = WEEK
    return world


@pytest.mark.rows("M5")
@pytest.mark.parametrize("shows", [True, False])
def test_a_retraining_that_makes_the_model_worse_is_seen_until_the_model_changes_again(
    compared: World, capsys: pytest.CaptureFixture[str], shows: bool
) -> None:
    operator, worse = Operator(compared.cloud, capsys), Watch(compared, "Worse")
    compared.behaviour.retraining_shows = shows
    assert worse.hours(6 * DAY, every=6) == []
    compared.behaviour.retraining_factor = 0.9
    assert worse.hours(2 * DAY) == [alarms.ALARM]

    line = observed(compared)
    assert (line[v.METRICS_WORSE], line[v.DRIFT], line[v.RETRAINING_FAILED]) == (8, 0, 0)
    assert line["Worse"][0] == (
        "coverage is 0.0691; minimum 0.07296 (before 0.0768, max_metric_regression 0.05 = 5 %)"
    )
    code, shown = operator.run("status")
    assert code == 1
    assert "Metrics      coverage 0.0691 (before 0.0768)\n" in shown
    assert "Before       the earlier metrics showed until 2026-01-08 " in shown
    assert f"Worse        {line['Worse'][0][:40]}" in shown
    assert ("the weekly retraining" in shown) is shows
    assert shown.endswith("Exit code 1: the model got worse than max_metric_regression allows.\n")
    assert operator.run("drift")[0] == 0

    compared.behaviour.retraining_factor = 1.2
    assert worse.hours(7 * DAY, every=6) == [alarms.OK]
    code, shown = operator.run("status")
    assert code == 0
    assert "coverage 0.0829 (before 0.0691)" in shown


@pytest.mark.rows("M5")
def test_a_model_that_got_worse_is_forgotten_after_two_weeks_without_a_change(
    compared: World,
) -> None:
    worse = Watch(compared, "Worse")
    compared.behaviour.retraining_factor = 0.9
    assert worse.hours(8 * DAY, every=6) == [alarms.ALARM]
    compared.behaviour.retraining_factor = 1.0
    assert worse.hours(13 * DAY, every=6) == []
    assert worse.hours(2 * DAY, every=6) == [alarms.OK]


@pytest.mark.rows("M5")
@pytest.mark.parametrize("factor", [1.0, 0.96])
def test_a_retraining_that_changes_the_metrics_not_at_all_or_a_little_raises_no_alarm(
    compared: World, capsys: pytest.CaptureFixture[str], factor: float
) -> None:
    worse = Watch(compared, "Worse")
    compared.behaviour.retraining_factor = factor
    assert worse.hours(16 * DAY, every=6) == []
    code, shown = Operator(compared.cloud, capsys).run("status")
    assert code == 0
    assert ("(before 0.0737)" in shown) is (factor < 1)
    assert ("no other metrics in the last 15 days" in shown) is (factor == 1)


@pytest.mark.rows("M6")
def test_throughput_that_a_week_of_calls_does_not_use_is_alarmed_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = {**MONITORED, "minimum_throughput_use": 0.5}
    world = prepared("update", **settings, min_recommendation_requests_per_second=10)
    operator, little = Operator(world.cloud, capsys), Watch(world, "LittleUse")
    calls = world.cloud.cloudwatch.put_calls
    arn = world.arn

    assert little.hours(6 * DAY, every=6) == [], "it is younger than a week"
    calls(arn, 1410, world.cloud.clock.now)
    assert little.hours(2 * DAY, every=6) == [], "five are half of ten"
    assert observed(world)[v.THROUGHPUT_USE] == 0.5
    assert little.hours(6 * DAY, every=6) == [alarms.ALARM], "a week after these calls"
    calls(arn, 1110, world.cloud.clock.now)
    assert little.hours(6, every=6) == []
    line = observed(world)
    assert (line[v.THROUGHPUT_USE], line["EnoughRequestsPerSecond"]) == (0.4, 4)
    code, shown = operator.run("status")
    assert code == 0
    assert "3.70 calls a second in the busiest 5 minutes of the last 7 days" in shown
    assert "minRecommendationRequestsPerSecond 4 would do" in " ".join(shown.split())

    world.settings["min_recommendation_requests_per_second"] = 4
    world.updated(**world.settings)
    assert little.hours(6, every=6) == [alarms.OK]
    assert observed(world)[v.THROUGHPUT_USE] == 1


@pytest.mark.rows("M4")
def test_a_retraining_that_does_not_come_any_more_is_old_after_eight_days(weekly: World) -> None:
    old = Watch(weekly, "OldTraining")
    assert old.hours(8 * 24) == []
    weekly.behaviour.retraining_every = None
    assert old.hours(6 * 24) == []
    assert old.hours(24 + 2) == [alarms.ALARM]
    assert observed(weekly)[v.HOURS_SINCE_TRAINING] > 8 * 24

    weekly.behaviour.retraining_every = WEEK
    assert old.hours(2) == [alarms.OK]


@pytest.mark.rows("M4")
def test_a_stop_and_a_start_by_hand_begin_the_week_anew(weekly: World) -> None:
    old, arn = Watch(weekly, "OldTraining"), weekly.recommender["recommenderArn"]
    assert old.hours(8 * 24) == []
    weekly.disturb().stop_recommender(recommenderArn=arn)
    assert old.hours(9 * 24) == []
    weekly.disturb().start_recommender(recommenderArn=arn)
    assert old.hours(10 * 24) == []
    assert observed(weekly)[v.HOURS_SINCE_TRAINING] < 7 * 24


@pytest.mark.rows("M4", "U3")
@pytest.mark.parametrize("change", [{"exploration_weight": 0.7}, {"tags": {"team": "films"}}])
@pytest.mark.parametrize(
    ("shows", "since", "echo"),
    [
        *((True, since, "as set") for since in (0.0, 10 * MINUTE, 50 * MINUTE, 24 * HOUR)),
        *((False, since, "as set") for since in (0.0, 10 * MINUTE, 50 * MINUTE, 24 * HOUR)),
        *((True, 50 * MINUTE, echo) for echo in HIDES),
    ],
)
def test_a_deployment_does_not_take_a_retraining_s_failure_for_its_own(
    weekly: World, shows: bool, since: float, echo: Echo, change: dict[str, Any]
) -> None:
    weekly.behaviour.create_in_progress = 40 * 60.0
    weekly.behaviour.retraining_failure = "Too few interactions"
    weekly.behaviour.retraining_shows, weekly.behaviour.echo = shows, echo
    weekly.cloud.run_for(WEEK + since)
    weekly.updated(**MONITORED, **change)
    assert "Too few interactions" not in texts(weekly.stack)


@pytest.mark.rows("M4", "U3")
@pytest.mark.parametrize("shows", [True, False])
def test_a_retraining_that_follows_a_deployment_s_update_and_fails_is_not_its_update(
    weekly: World, shows: bool
) -> None:
    """One that is due begins in the second in which the update has ended."""
    weekly.behaviour.create_in_progress = 40 * 60.0
    weekly.behaviour.retraining_failure = "Too few interactions"
    weekly.behaviour.retraining_shows = shows
    weekly.cloud.run_for(WEEK - 60.0)
    weekly.updated(**MONITORED, exploration_weight=0.7)
    assert observed(weekly)[v.RETRAINING_FAILED] == int(shows)


@pytest.mark.rows("S5")
def test_the_observer_may_do_what_it_does_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    history = {"max_metric_regression": 1, "minimum_throughput_use": 1}
    world = prepared("replace", **MONITORED, **history)
    fixed = prepared("replace", **MONITORED, **history, recommender_name="films")
    for one in (world, fixed):
        # A leftover of another name is read, too.
        one.behaviour.delete = 10 * HOUR
        settings = {"recommender_name": "series"} if one is fixed else {}
        one.update(dataset_group_arn=one.other_group, **settings)
        one.cloud.run_for(WEEK)
        with monkeypatch.context() as patch:
            records = recorded(patch)
            one.cloud.observe(one.stack)
        record = records[one.stack.name]
        uses, allowed = record.uses, record.permissions
        assert not record.refused
        derived = {use for use in allowed.unused(uses) if "TopPicks-?" in use.resource}
        assert allowed.unused(uses) == (derived if one is fixed else set())
        assert {use.action for use in uses} == {
            "cloudformation:DescribeStacks",
            "cloudwatch:GetMetricData",
            "personalize:DescribeRecommender",
            "personalize:ListRecommenders",
            "personalize:ListTagsForResource",
        }
