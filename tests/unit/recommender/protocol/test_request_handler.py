"""A request is begun, polled and answered, once; begin changes nothing."""

import json
import logging
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.errors import PermanentError, TransientError
from lambdas.recommender.aws.personalize import Personalize
from lambdas.recommender.decision.verdict import Done, Fail, Progress, Verdict, Wait
from lambdas.recommender.model.timing import CONFIRM_SECONDS, GRACE_SECONDS, REQUEST_SECONDS, Timing
from lambdas.recommender.protocol import request_handler
from lambdas.recommender.protocol.answer import Delivery
from lambdas.recommender.protocol.execution import Execution, StateMachine, Unconfirmed
from lambdas.recommender.protocol.request_handler import RequestHandler, apply_deadline, schedule
from lambdas.recommender.reconcile.reconciler import Known
from tests.support.personalize import VirtualClock
from tests.support.serverless import through_lambda

from ..examples import (
    CONFIG,
    DELETE,
    DESIRED,
    GATE_ATTRIBUTES,
    MINE,
    OTHER_CONFIG,
    OWN,
    OWNER,
    RECOMMENDER,
    SIGNATURE,
    STATE_MACHINE,
    UPDATES,
    event,
    gate,
    stop,
    sweep,
    update,
)
from ..fakes import FakeCloudFormation, FakePersonalize, FakeStepFunctions, Letterbox, refusal
from ..resources.examples import resource

INTERVAL = 60.0
EARLIER = datetime(2025, 12, 31, tzinfo=UTC)


class PausedClock(VirtualClock):
    """A clock that calls a function after each pause."""

    def __init__(self, after_pause: Callable[[], object]) -> None:
        super().__init__()
        self._after_pause = after_pause

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self._after_pause()


@dataclass
class Surroundings:
    """The services around the request handler, and a clock that tests advance."""

    cloudformation: FakeCloudFormation = field(
        default_factory=lambda: FakeCloudFormation("CREATE_IN_PROGRESS")
    )
    clock: VirtualClock = field(default_factory=VirtualClock)
    personalize: FakePersonalize = field(default_factory=FakePersonalize)
    step_functions: FakeStepFunctions = field(default_factory=FakeStepFunctions)
    letterbox: Letterbox = field(default_factory=Letterbox)
    pauses: list[int] = field(default_factory=list)

    @property
    def handler(self) -> RequestHandler:
        """The request handler of a function that has just been started."""
        return RequestHandler(
            Personalize(self.personalize), Stacks(self.cloudformation), self.letterbox, self.clock
        )

    def begin(self, raw: Mapping[str, Any]) -> None:
        """Deliver a request."""
        state_machine = StateMachine(self.step_functions, STATE_MACHINE, pause=self.clock.advance)
        self.handler.begin(raw, state_machine, interval=INTERVAL)

    def begin_alone(self, raw: Mapping[str, Any], code: str = "StateMachineDoesNotExist") -> None:
        """Deliver a request for which no execution can be started."""
        self.step_functions.fault = refusal(code)
        self.begin(raw)

    def state(self) -> Any:
        """Return the input of the only execution."""
        (given,) = self.step_functions.executions.values()
        return json.loads(given)

    def poll(self, state: Mapping[str, Any]) -> Any:
        """Wait as long as the state says, and poll."""
        self.pauses.append(state["Seconds"])
        assert len(self.pauses) < 2 * REQUEST_SECONDS, "it never ends"
        self.clock.advance(state["Seconds"])
        return through_lambda(self.handler.poll, state)

    def first_poll(self, raw: Mapping[str, Any]) -> Any:
        """Deliver a request, and return the state after its first poll."""
        self.begin(raw)
        return self.poll(self.state())

    def finish(self, state: Mapping[str, Any]) -> Mapping[str, Any]:
        """Poll until the execution ends, and return the answer."""
        while not state["Ended"]:
            state = self.poll(state)
        return self.answer

    def run(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """Deliver a request, poll until it is answered, and return the answer."""
        self.begin(raw)
        return self.finish(self.state()) if self.step_functions.executions else self.answer

    @property
    def answer(self) -> Mapping[str, Any]:
        """The only answer that has arrived."""
        (answer,) = self.letterbox.arrived
        return answer

    @property
    def waited(self) -> float:
        """Seconds that have passed."""
        return self.clock() - VirtualClock().now


def world(status: str = "CREATE_IN_PROGRESS", updated: datetime | None = None) -> Surroundings:
    """Return a world with a stack in an operation."""
    return Surroundings(FakeCloudFormation(status, updated))


# -- begin -------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [gate(kind="Delete"), event(ResourceType="Custom::OfTomorrow")])
def test_request_with_nothing_to_do_is_answered_by_begin(raw: dict[str, Any]) -> None:
    here = world()

    here.begin(raw)

    answer = here.answer
    assert (answer["Status"], answer["RequestId"], answer["Data"]) == ("SUCCESS", "r-1", {})
    assert answer["PhysicalResourceId"] == raw["LogicalResourceId"]
    assert here.step_functions.executions == {}
    assert here.personalize.calls == []
    assert here.waited == 0


@pytest.mark.parametrize("raw", [event(), DELETE, gate()])
def test_begin_starts_an_execution_and_calls_no_other_service(raw: dict[str, Any]) -> None:
    here = world()

    here.begin(raw)

    assert here.letterbox.tries == 0
    assert len(here.step_functions.executions) == 1
    state = here.state()
    assert (state["Event"], state["Seconds"], state["Ended"]) == (raw, 0, False)
    assert here.personalize.calls == []


def test_request_that_is_delivered_twice_has_one_execution(
    caplog: pytest.LogCaptureFixture,
) -> None:
    here = world()

    here.begin(event())
    assert "was begun before" not in caplog.text
    here.begin(event())

    assert len(here.step_functions.executions) == 1
    (again,) = [
        one
        for one in logged(caplog, "request")
        if one["message"] == "Create of Recommender was begun before"
    ]
    assert (again["request"], again["type"], again["resource"]) == ("r-1", "Create", "Recommender")


@pytest.mark.parametrize("members", [{}, {"ResponseURL": "https://evil/"}])
def test_request_without_a_response_url_of_cloudformation_is_dropped(
    members: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    here, raw = world(), event()
    del raw["ResponseURL"]

    here.begin(raw | members)

    assert (here.letterbox.tries, here.step_functions.tries) == (0, 0)
    assert here.personalize.calls == []
    (record,) = caplog.records
    assert record.getMessage().startswith("Dropped a request: its ResponseURL leads to ")


def test_poll_of_a_state_without_an_answer_answers_a_request_with_nothing_to_do() -> None:
    here = world()
    state = Execution.begin(sweep(kind="Create"), now=here.clock(), interval=INTERVAL).to_json()

    assert here.finish(state)["Status"] == "SUCCESS"
    assert here.personalize.calls == []


def test_undelivered_answer_of_begin_is_delivered_by_an_execution() -> None:
    here = world()
    here.letterbox.deliveries = [Delivery.LATER, Delivery.LATER]

    answer = here.run(sweep(kind="Create"))

    assert answer["Status"] == "SUCCESS"
    assert here.letterbox.tries == 3
    assert here.pauses == [0, 5]


@pytest.mark.parametrize(
    ("status", "raw", "fault"),
    [
        ("CREATE_IN_PROGRESS", event(), refusal("ThrottlingException")),
        ("DELETE_IN_PROGRESS", DELETE, ZeroDivisionError("by zero")),
    ],
    ids=["create", "delete"],
)
def test_execution_is_started_as_soon_as_step_functions_accepts_it(
    status: str, raw: dict[str, Any], fault: Exception
) -> None:
    here = world(status)
    here.step_functions.fault = fault
    here.clock = PausedClock(lambda: setattr(here.step_functions, "fault", None))

    answer = here.run(raw)

    assert answer["Status"] == "SUCCESS"
    assert here.step_functions.tries == 2


NEW_TAG = update({v.TAGS: {"team": "new"}})
WITHOUT_EXECUTION: dict[str, tuple[str, dict[str, Any], str, list[str], str]] = {
    "gate": ("CREATE_IN_PROGRESS", gate(3, arn=DESIRED.arn), "CREATE PENDING", [], ""),
    "last gate": (
        "CREATE_IN_PROGRESS",
        gate(11, arn=DESIRED.arn),
        "CREATE PENDING",
        [],
        "The recommender was not ready when the last training gate ended: StartExecution: Access",
    ),
    "delete": ("DELETE_IN_PROGRESS", DELETE, "ACTIVE", ["DeleteRecommender"], ""),
    "delete, training": ("DELETE_IN_PROGRESS", DELETE, "CREATE PENDING", [], ""),
    "sweep, training": ("DELETE_IN_PROGRESS", sweep(2), "CREATE PENDING", [], ""),
    "last sweep": ("DELETE_IN_PROGRESS", sweep(1), "ACTIVE", ["DeleteRecommender"], ""),
    "last sweep, training": (
        "DELETE_IN_PROGRESS",
        sweep(1),
        "CREATE PENDING",
        [],
        f"delete-recommender --recommender-arn {DESIRED.arn} --region eu-west-1 2) cdk destroy",
    ),
    "delete, stack stays": (
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        DELETE,
        "CREATE PENDING",
        [],
        "The next change of the recommender removes it",
    ),
    "create": (
        "CREATE_IN_PROGRESS",
        event(),
        "ACTIVE",
        [],
        "Nothing was changed. StartExecution: AccessDeniedException: the message",
    ),
    "update": ("UPDATE_IN_PROGRESS", NEW_TAG, "ACTIVE", [], "Nothing was changed. StartExecution"),
    "update, rolled back": ("UPDATE_ROLLBACK_IN_PROGRESS", NEW_TAG, "ACTIVE", ["TagResource"], ""),
}


@pytest.mark.parametrize("row", WITHOUT_EXECUTION)
def test_request_without_an_execution_is_done_hands_over_or_names_the_next_step(row: str) -> None:
    status, raw, shown, changes, said = WITHOUT_EXECUTION[row]
    here = world(status)
    here.personalize.add(DESIRED.arn, shown, recommenderConfig=CONFIG, tags=OWN)

    def finish_deletion() -> None:
        if ("DeleteRecommender", DESIRED.arn) in here.personalize.changes:
            here.personalize.shown.clear()

    here.clock = PausedClock(finish_deletion)

    here.begin_alone(raw, "AccessDeniedException")

    assert (here.answer["Status"] == "FAILED") is bool(said), here.answer["Reason"]
    assert said in here.answer["Reason"]
    assert [name for name, _ in here.personalize.changes] == changes


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (event(), "Throttling"),
        (update({v.CONFIG: {}}), "AccessDenied"),
        (stop(arn=DESIRED.arn), "Throttling"),
    ],
    ids=["create", "update", "stop"],
)
def test_request_without_an_execution_and_without_a_readable_stack_changes_nothing(
    raw: dict[str, Any], code: str
) -> None:
    here = world()
    here.cloudformation.fault = refusal(code)

    here.begin_alone(raw)

    reason = here.answer["Reason"]
    assert reason.startswith("Nothing was changed. StartExecution: StateMachineDoesNotExist")
    assert here.personalize.calls == []


def test_failure_without_an_execution_is_delivered_by_the_next_invocation() -> None:
    here = world()
    here.letterbox.deliveries = [Delivery.LATER]

    with pytest.raises(PermanentError):
        here.begin_alone(event())
    here.begin(event())  # Lambda invokes the function again

    assert here.answer["Status"] == "FAILED"


def test_decided_answer_without_an_execution_is_delivered_by_the_next_invocation() -> None:
    here = world("DELETE_IN_PROGRESS")
    here.letterbox.deliveries = [Delivery.LATER] * 8

    with pytest.raises(TransientError, match="StartExecution: ThrottlingException"):
        here.begin_alone(gate(kind="Delete"), "ThrottlingException")
    here.begin(gate(kind="Delete"))

    answer = here.answer
    assert (answer["Status"], here.letterbox.tries) == ("SUCCESS", 9)


@pytest.mark.parametrize(
    ("fate", "late"), [(Delivery.REFUSED, 0.0), (Delivery.LATER, REQUEST_SECONDS)]
)
def test_request_without_an_execution_is_dropped_when_nobody_waits_for_its_answer(
    fate: Delivery, late: float
) -> None:
    here = world()
    here.clock.advance(late)
    here.letterbox.deliveries = [fate]

    here.begin_alone(event())

    assert (here.letterbox.arrived, here.letterbox.tries) == ([], 1)


def test_gate_without_an_execution_is_attempted_again_before_it_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING")
    here.clock = PausedClock(lambda: here.personalize.add(MINE))

    here.begin_alone(gate())
    assert [one["why"] for one in logged(caplog, "verdict")] == ["CREATE PENDING", "ACTIVE"]

    assert (here.answer["Status"], here.answer["Reason"]) == ("SUCCESS", "")
    assert here.personalize.changes == []


def test_decided_answer_is_not_decided_again_without_an_execution() -> None:
    here = world()
    here.personalize.add(MINE)
    here.letterbox.deliveries = [Delivery.LATER]
    here.clock = PausedClock(lambda: here.personalize.add(MINE, "CREATE FAILED"))

    here.begin_alone(gate())

    assert here.answer["Status"] == "SUCCESS"
    assert here.personalize.calls == [("DescribeRecommender", MINE)]


@pytest.mark.parametrize(
    ("raw", "attributes"),
    [(event(), resource(event()).attributes.keys()), (gate(), GATE_ATTRIBUTES)],
)
def test_failure_without_an_execution_has_all_attributes(
    raw: dict[str, Any], attributes: Collection[str]
) -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING")

    here.begin_alone(raw)

    assert here.answer["Status"] == "FAILED"
    assert here.answer["Data"].keys() == attributes


# -- poll --------------------------------------------------------------------------------------


def test_create_is_answered_when_the_creation_is_accepted() -> None:
    here = world()

    answer = here.run(event())

    assert here.personalize.changes == [("CreateRecommender", DESIRED.arn)]
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", DESIRED.arn)
    assert answer["Data"] == resource(event()).attributes
    assert here.waited == 0


def test_gate_is_polled_until_the_training_is_done() -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING", modelMetrics={"coverage": 0.5})
    here.begin(gate())
    state = here.state()
    share = Execution.from_json(state).share
    for _ in range(3):
        state = here.poll(state)
        assert (state["Answer"], state["Ended"]) == (None, False)

    here.personalize.shown[MINE]["status"] = "ACTIVE"
    decided = here.poll(state)
    delivered = here.poll(decided)

    assert (decided["Seconds"], decided["Ended"]) == (0, False)
    assert delivered["Ended"] is True
    answer = here.answer
    assert (answer["Status"], answer["Data"]["Coverage"]) == ("SUCCESS", "0.5")
    assert here.pauses == [0, math.ceil(60 * share), 60, 60, 0]


def test_gate_before_the_last_hands_over_when_its_time_is_up_and_logs_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING")

    answer = here.run(gate(3))

    assert answer["Status"] == "SUCCESS"
    assert 3300 <= here.waited <= 3301
    assert {record.levelno for record in caplog.records} == {logging.INFO}


def test_last_gate_fails_with_the_reason_of_its_last_attempt_when_its_time_is_up() -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING")
    here.personalize.faults["DescribeRecommender"] = refusal("ThrottlingException")

    answer = here.run(gate())

    assert answer["Status"] == "FAILED"
    assert " ended: DescribeRecommender: ThrottlingException: the message. " in answer["Reason"]
    assert 3300 <= here.waited <= 3301


def test_change_in_a_newer_operation_than_the_first_poll_saw_fails() -> None:
    here = world("UPDATE_IN_PROGRESS", EARLIER)
    here.personalize.add(DESIRED.arn, tags=OWN, recommenderConfig=CONFIG)
    here.begin(update({v.CONFIG: {}}))
    here.personalize.faults["ListTagsForResource"] = refusal("ThrottlingException")
    state = here.poll(here.state())
    assert state["Operation"] == ["UPDATE_IN_PROGRESS", "2025-12-31T00:00:00+00:00"]

    here.personalize.faults.clear()
    here.cloudformation.status = "UPDATE_ROLLBACK_IN_PROGRESS"
    answer = here.finish(state)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("A newer operation of the stack has begun")
    assert answer["PhysicalResourceId"] == DESIRED.arn
    assert here.personalize.changes == []


def test_known_effective_config_survives_to_next_attempt() -> None:
    here = world()
    here.personalize.add(DESIRED.arn, tags={**OWNER.tags(adopted=True), "team": "video"})
    here.personalize.faults["UpdateRecommender"] = refusal("InvalidInputException")

    answer = here.run(event({v.ADOPT_EXISTING: "true", v.RUNNING: "false"}))

    assert here.personalize.changes == [
        ("UpdateRecommender", DESIRED.arn),
        ("StopRecommender", DESIRED.arn),
    ]
    assert answer["Status"] == "SUCCESS"


def test_refused_replacement_fails_at_once_and_keeps_the_old_physical_id() -> None:
    here = world("UPDATE_IN_PROGRESS")
    here.personalize.faults["CreateRecommender"] = refusal("LimitExceededException")
    old = f"{RECOMMENDER}TopPicks-{'0' * 16}"

    answer = here.run(event(kind="Update", PhysicalResourceId=old))

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("CreateRecommender: LimitExceededException: the message")
    assert answer["PhysicalResourceId"] == old
    assert here.waited == 0


ROLLED_BACK = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(seconds=CONFIRM_SECONDS)
JUST_BEFORE = timedelta(seconds=0.5)
FAILED_UPDATES: dict[str, tuple[str, datetime, bool]] = {
    "in this update": ("UPDATE_IN_PROGRESS", EARLIER, True),
    "before this update": ("UPDATE_IN_PROGRESS", EARLIER - JUST_BEFORE, False),
    "in this rollback": ("UPDATE_ROLLBACK_IN_PROGRESS", ROLLED_BACK, True),
    "before this rollback": ("UPDATE_ROLLBACK_IN_PROGRESS", ROLLED_BACK - JUST_BEFORE, False),
}


@pytest.mark.parametrize("row", FAILED_UPDATES)
def test_update_that_failed_in_this_operation_is_not_sent_again(row: str) -> None:
    status, failed_at, fails = FAILED_UPDATES[row]
    here = world(status, EARLIER)
    here.personalize.add(DESIRED.arn, tags=OWN, recommenderConfig=OTHER_CONFIG)
    here.personalize.show_update(DESIRED.arn, "CREATE FAILED", CONFIG, created=failed_at)

    here.first_poll(update())

    changed = [] if fails else [("UpdateRecommender", DESIRED.arn)]
    assert here.personalize.changes == changed


# -- delivered ---------------------------------------------------------------------------------


def test_decided_answer_is_not_decided_again() -> None:
    here = world()
    here.personalize.add(MINE, "CREATE FAILED")
    state = here.first_poll(gate())
    here.personalize.shown[MINE]["status"] = "ACTIVE"
    here.letterbox.deliveries = [Delivery.LATER]

    here.poll(here.poll(state))

    assert [answer["Status"] for answer in here.letterbox.arrived] == ["FAILED"]


def test_undeliverable_answer_is_put_as_long_as_cloudformation_waits() -> None:
    here = world()
    here.letterbox.deliveries = [Delivery.LATER] * 10_000
    state = Execution.begin(sweep(kind="Create"), now=here.clock(), interval=INTERVAL).to_json()

    while not state["Ended"]:
        state = here.poll(state)

    assert here.waited == REQUEST_SECONDS


# -- unconfirmed verdicts ----------------------------------------------------------------------


def test_late_request_fails_when_the_stack_status_is_confirmed() -> None:
    here = world("UPDATE_COMPLETE")

    answer = here.run(update())

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("The Update of Recommender came too late: ")
    assert here.pauses == [0, int(CONFIRM_SECONDS), 0]
    assert here.personalize.calls == []


def test_late_request_goes_on_when_the_stack_status_was_stale() -> None:
    here = world("UPDATE_COMPLETE")
    here.personalize.add(DESIRED.arn, tags=OWN, recommenderConfig=CONFIG)
    state = here.first_poll(update())
    assert state["Doubted"] == ["Fail 6", here.clock()]

    here.cloudformation.status = "UPDATE_IN_PROGRESS"
    answer = here.finish(state)

    assert answer["Status"] == "SUCCESS"


def test_recommender_that_is_gone_at_a_later_attempt_is_confirmed() -> None:
    here = world("DELETE_IN_PROGRESS")
    here.personalize.add(DESIRED.arn, tags=OWN)
    state = here.first_poll(DELETE)
    assert here.personalize.changes == [("DeleteRecommender", DESIRED.arn)]

    here.personalize.shown.clear()
    gone = here.poll(state)
    assert gone["Answer"] is None
    assert gone["Seconds"] == CONFIRM_SECONDS

    confirmed = here.poll(gone)
    assert confirmed["Answer"]["Status"] == "SUCCESS"


def test_delete_of_an_absent_recommender_succeeds_after_the_grace_period() -> None:
    here = world("DELETE_IN_PROGRESS")

    answer = here.run(DELETE)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == DESIRED.arn
    assert GRACE_SECONDS <= here.waited <= GRACE_SECONDS + INTERVAL + CONFIRM_SECONDS


FAULTS = {
    "stack throttled": ("DescribeStacks", refusal("Throttling")),
    "stack denied": ("DescribeStacks", refusal("AccessDenied")),
    "recommender throttled": ("DescribeRecommender", refusal("ThrottlingException")),
    "unexpected": ("DescribeRecommender", ZeroDivisionError("by zero")),
}


@pytest.mark.parametrize("row", FAULTS)
def test_failed_attempt_does_not_shorten_the_grace_period_of_an_unseen_recommender(
    row: str,
) -> None:
    call, fault = FAULTS[row]
    here = world("DELETE_IN_PROGRESS")
    here.begin(DELETE)
    here.personalize.faults[call] = fault
    here.cloudformation.fault = fault if call == "DescribeStacks" else None
    state = here.poll(here.state())
    here.personalize.faults.clear()
    here.cloudformation.fault = None

    unseen = here.poll(state)

    assert (unseen["Answer"], unseen["NothingSeen"], unseen["Doubted"]) == (None, True, None)
    assert here.finish(unseen)["Status"] == "SUCCESS"
    assert here.waited >= GRACE_SECONDS


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        ("CreateRecommender", refusal("AccessDeniedException")),
        ("DescribeRecommender", ZeroDivisionError("by zero")),
    ],
    ids=["new policy", "unexpected"],
)
def test_fault_that_passes_within_the_grace_period_is_no_failure(
    call: str, fault: Exception
) -> None:
    here = world()
    here.personalize.faults[call] = fault
    state = here.first_poll(event())
    assert state["Answer"] is None

    here.personalize.faults.clear()

    assert here.finish(state)["Status"] == "SUCCESS"


HANDS_OVER: dict[str, dict[str, Any]] = {
    "leftover remains": {v.CONFIG: {}},
    "to be stopped after the update": {v.CONFIG: {}, v.RUNNING: "false"},
}


@pytest.mark.parametrize("row", HANDS_OVER)
def test_handed_over_update_has_updated_after(row: str) -> None:
    here = world("UPDATE_IN_PROGRESS")
    here.personalize.add(DESIRED.arn, tags=OWN, recommenderConfig=CONFIG)
    here.personalize.add(f"{RECOMMENDER}TopPicks-{'0' * 16}", "DELETE PENDING")

    answer = here.run(update(HANDS_OVER[row]))

    assert here.personalize.changes == [("UpdateRecommender", DESIRED.arn)]
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"][v.UPDATED_AFTER_ATTRIBUTE] != v.NO_UPDATE


# -- unexpected errors -------------------------------------------------------------------------


def test_unexpected_error_fails_after_the_grace_period_and_is_logged_without_the_url(
    caplog: pytest.LogCaptureFixture,
) -> None:
    here = world()
    here.personalize.faults["DescribeRecommender"] = ZeroDivisionError("by zero")

    with caplog.at_level(logging.DEBUG):
        answer = here.run(event())

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        "Unexpected ZeroDivisionError: by zero (a defect; the log has a traceback). (Observed for "
        "2 minutes.)"
    )
    assert answer["PhysicalResourceId"] == DESIRED.arn
    assert GRACE_SECONDS <= here.waited <= GRACE_SECONDS + INTERVAL + CONFIRM_SECONDS
    formatted = [logging.Formatter().format(record) for record in caplog.records]
    assert "Unexpected ZeroDivisionError: by zero (a defect; the log has a traceback)" in formatted
    traces = [one["traceback"] for one in map(vars, caplog.records) if "traceback" in one]
    assert traces
    assert all("self._api.describe_recommender" in "".join(trace) for trace in traces)
    assert SIGNATURE not in repr(formatted)
    assert SIGNATURE not in repr([vars(record) for record in caplog.records])


@pytest.mark.parametrize(
    ("status", "raw", "says"),
    [
        ("DELETE_IN_PROGRESS", DELETE, None),
        ("DELETE_IN_PROGRESS", sweep(1), "Left, may be billed: unknown"),
        (
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            DELETE,
            "The next change of the recommender removes it: ",
        ),
    ],
)
def test_unexpected_error_in_a_delete_is_retried_until_the_deadline(
    status: str, raw: Mapping[str, Any], says: str | None
) -> None:
    here = world(status)
    for operation in ("DescribeRecommender", "ListRecommenders"):
        here.personalize.faults[operation] = ZeroDivisionError("by zero")

    answer = here.run(raw)

    assert 3300 <= here.waited <= 3301
    assert answer["Status"] == ("FAILED" if says else "SUCCESS")
    if says:
        assert answer["Reason"].startswith(
            "Not deleted within 55 minutes: Unexpected ZeroDivisionError: by zero (a defect; "
        )
        assert says in answer["Reason"]


def test_unexpected_error_of_a_start_is_answered() -> None:
    here = world()
    here.step_functions.fault = ZeroDivisionError("by zero")

    here.begin(event())

    assert here.answer["Status"] == "FAILED"
    assert here.answer["Reason"] == (
        "Nothing was changed. Unexpected ZeroDivisionError: by zero (a defect; the log has a "
        "traceback)"
    )


def test_half_of_a_surrogate_pair_in_an_error_is_replaced_in_answer_and_log() -> None:
    here = world()
    here.personalize.faults["DescribeRecommender"] = ZeroDivisionError("by \ud83c")

    answer = here.run(event())

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("Unexpected ZeroDivisionError: by � (a defect; ")


# -- refused -----------------------------------------------------------------------------------


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "create": (event({"Runing": "true"}), "Unknown property Runing", "Recommender"),
    "update": (
        event({v.NAME_PREFIX: "a b"}, kind="Update", PhysicalResourceId="old"),
        "ResourceProperties.NamePrefix",
        "old",
    ),
    "gate": (gate(0), "ResourceProperties.Link", "Training00"),
    "no stack": (event(StackId=""), "event.StackId", "Recommender"),
    "no resource": (event(LogicalResourceId=None), "event.LogicalResourceId", "unknown"),
}


@pytest.mark.parametrize("row", REFUSED)
def test_bad_request_fails_with_the_name_of_the_property_and_without_attributes(row: str) -> None:
    raw, name, physical_id = REFUSED[row]
    here = world()

    here.begin(raw)

    answer = here.answer
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", physical_id)
    assert answer["Reason"].startswith(f"Nothing was changed. {name}: got ")
    assert answer["Data"] == {}
    assert here.personalize.calls == []


@pytest.mark.parametrize("is_defect", [False, True])
def test_answer_after_a_change_does_not_say_that_nothing_was_changed(
    monkeypatch: pytest.MonkeyPatch, *, is_defect: bool
) -> None:
    here = world()
    here.personalize.faults["DescribeRecommender"] = refusal("ThrottlingException")
    state = here.first_poll(event())

    if is_defect:
        monkeypatch.setattr(request_handler, "custom_resource_for", None)
    else:
        state["Event"]["ResourceProperties"]["Runing"] = "true"
    reason = here.finish(state)["Reason"]

    assert reason.startswith("Unexpected TypeError" if is_defect else "Unknown property Runing: ")


@pytest.mark.parametrize("properties", [{v.NAME_PREFIX: "a b"}, {v.RECOMMENDER_LOGICAL_ID: ["x"]}])
def test_bad_delete_succeeds_without_an_execution(properties: dict[str, Any]) -> None:
    here = world("ROLLBACK_IN_PROGRESS")

    here.begin(event(properties, kind="Delete", PhysicalResourceId="Recommender"))

    answer = here.answer
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "Recommender")
    assert here.personalize.changes == []
    assert here.step_functions.executions == {}


# -- deadline and schedule ---------------------------------------------------------------------

SENT = 1_767_225_600.0


def after(seconds: float) -> Timing:
    """Return the time of a request so many seconds after it was sent."""
    return Timing(SENT, SENT, SENT + seconds, 3300.0)


def not_possible(reason: str) -> Fail:
    return Fail(f"Not possible within 55 minutes: {reason}. Deploy again when that has ended.")


WAITS = Wait("it trains", updated_after=5.0)
HANDED_OVER = replace(WAITS, hands_over=True)
ENDS = Done("it trains", updated_after=5.0)
ABSENT, GONE = Fail("it is not there.", confirm=GRACE_SECONDS), Done("gone", confirm=6.0)
OBSERVED_ABSENT = Fail("it is not there. (Observed for 2 minutes.)")
STALE = Fail("a late Update", confirm=CONFIRM_SECONDS)
DEADLINES: dict[str, tuple[Verdict, bool, Timing, Verdict]] = {
    "done": (Done("d", Progress.GONE), True, after(9999), Done("d", Progress.GONE)),
    "failed": (Fail("f"), True, after(9999), Fail("f")),
    "wait": (WAITS, True, after(3299.9), WAITS),
    "wait that hands over": (HANDED_OVER, True, after(3299.9), HANDED_OVER),
    "wait, time up": (WAITS, True, after(3300), not_possible("it trains")),
    "wait that hands over, time up": (HANDED_OVER, True, after(3300), ENDS),
    "unconfirmed failure": (ABSENT, False, after(119.9), ABSENT),
    "confirmed failure": (ABSENT, True, after(130), OBSERVED_ABSENT),
    "confirmed failure, time up": (ABSENT, True, after(3300), OBSERVED_ABSENT),
    "unconfirmed failure, time up": (ABSENT, False, after(3300), not_possible("it is not there")),
    "unconfirmed done, time up": (GONE, False, after(3300), GONE),
    "failure that a stale read may explain, time up": (STALE, False, after(3300), STALE),
}


@pytest.mark.parametrize("row", DEADLINES)
def test_deadline_ends_a_wait_and_an_unconfirmed_failure(row: str) -> None:
    verdict, confirmed, timing, expected = DEADLINES[row]

    assert apply_deadline(verdict, timing, resource(event()), confirmed=confirmed) == expected


def test_deadline_hands_an_unconfirmed_failure_over_to_the_next_link() -> None:
    ended = apply_deadline(ABSENT, after(3300), resource(gate(1)), confirmed=False)

    assert ended == Done("it is not there.")


SCHEDULES: dict[str, tuple[Verdict, float | None, Timing, int | None]] = {
    "a wait": (WAITS, None, after(100), 60),
    "wait just before the deadline": (WAITS, None, after(3290), 10),
    "done": (Done("d"), None, after(100), None),
    "failed": (Fail("f"), None, after(100), None),
    "unconfirmed since now": (GONE, 100.0, after(100), 6),
    "unconfirmed since two seconds": (GONE, 98.0, after(100), 4),
    "confirmed": (GONE, None, after(106), None),
    "unconfirmed at the deadline": (GONE, 3300.0, after(3300), 1),
    "unconfirmed soon after the deadline": (GONE, 3304.0, after(3305), 1),
    "unconfirmed long after the deadline": (GONE, 3304.0, after(3306), None),
    "unconfirmed failure": (ABSENT, 100.0, after(100), 60),
    "unconfirmed failure, nearly confirmed": (ABSENT, 100.0, after(200), 20),
    "failure that is never confirmed": (Fail("denied", confirm=math.inf), 0.0, after(100), 60),
}


@pytest.mark.parametrize("row", SCHEDULES)
def test_schedule_polls_until_a_verdict_is_confirmed(row: str) -> None:
    verdict, since, timing, expected = SCHEDULES[row]
    execution = Execution({}, INTERVAL, SENT, SENT, attempts=1)
    unconfirmed = None if since is None else Unconfirmed("", SENT + since)

    assert schedule(verdict, timing, execution, unconfirmed) == expected


# -- logged ------------------------------------------------------------------------------------


def logged(caplog: pytest.LogCaptureFixture, member: str) -> list[dict[str, Any]]:
    """Return the records that have a member."""
    return [
        {**vars(record), "message": record.getMessage()}
        for record in caplog.records
        if member in vars(record)
    ]


def test_attempt_is_logged_with_its_link_and_its_time(caplog: pytest.LogCaptureFixture) -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING")

    here.begin(gate(3))
    here.poll(here.poll(here.state()))

    first, second = logged(caplog, "verdict")
    where = {
        "request": "r-1",
        "type": "Create",
        "resource": "Training03",
        "link": "3 of 11",
        "status": "CREATE PENDING",
        "verdict": "Wait",
        "why": "CREATE PENDING",
    }
    assert first["message"] == "Create of Training03: Wait, CREATE PENDING [CREATE PENDING]"
    assert where.items() <= first.items()
    assert where.items() <= second.items()
    assert (first["attempt"], first["waited"], first["left"]) == (1, 0, 3300)
    assert (second["attempt"], second["left"]) == (2, 3300 - second["waited"])
    assert 0 < second["waited"] <= INTERVAL


def test_attempt_without_a_chain_or_a_recommender_is_logged_without_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    here = world()
    here.begin(event())
    here.poll(here.state())

    (record,) = logged(caplog, "verdict")
    assert "link" not in record
    assert record["status"] is None
    assert record["message"] == f"Create of Recommender: Done, {record['why']}"


@pytest.mark.parametrize(
    ("fate", "message"),
    [
        (Delivery.DELIVERED, "answered"),
        (Delivery.LATER, "not answered yet"),
        (Delivery.REFUSED, "not answered: the ResponseURL no longer takes an answer"),
    ],
)
def test_delivery_of_an_answer_is_logged(
    fate: Delivery, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    here = world()
    here.letterbox.deliveries = [fate]

    here.begin(sweep(kind="Create"))

    (record,) = logged(caplog, "delivery")
    assert record["message"] == f"Create of Sweep01 is {message}: SUCCESS"
    assert (record["status"], record["delivery"]) == ("SUCCESS", fate.name)
    assert (record["resource"], record["type"]) == ("Sweep01", "Create")


# -- defects and refusals that are visible -----------------------------------------------------


def test_defect_while_an_event_is_parsed_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_request: object) -> None:
        raise KeyError("of tomorrow")

    monkeypatch.setattr(request_handler, "custom_resource_for", broken)
    here = world()

    here.begin(event())

    (answer,) = here.letterbox.arrived
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("Nothing was changed. Unexpected KeyError: ")


@pytest.mark.parametrize(
    ("fault", "named", "code"),
    [
        (refusal("AccessDeniedException"), "PermanentError", "AccessDeniedException"),
        (ZeroDivisionError("by zero"), "ZeroDivisionError", ""),
    ],
)
def test_start_that_fails_is_logged_each_time_without_the_url(
    fault: Exception, named: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    here = world()
    here.step_functions.fault = fault

    here.begin(event())

    failed = [one for one in caplog.records if "could be started" in one.getMessage()]
    assert failed[0].getMessage().endswith(f" could be started: {named}")
    assert len(failed) == here.step_functions.tries == 7
    assert {vars(one)["error"] for one in failed} == {code}
    assert SIGNATURE not in repr([vars(one) for one in failed])


@pytest.mark.parametrize("attempts", [0, 1])
def test_situation_has_the_knowledge_of_the_execution(attempts: int) -> None:
    known = Known(updated_after=5.0)
    execution = Execution({}, INTERVAL, SENT, SENT, attempts=attempts, known=known)

    situation = request_handler._situation(execution, UPDATES, after(100))

    assert situation.updated_after == 5.0
    assert situation.attempted_before is bool(attempts)
    assert (
        situation.now == request_handler._situation(execution, None, after(100)).now == SENT + 100
    )


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Wait("it shows"), False),
        (Wait("it does not show", unseen=True), True),
        (Fail("for good"), False),
        (Fail("stale", confirm=0.5), True),
        (Done("gone", confirm=6.0), False),
    ],
)
def test_attempt_has_seen_nothing_if_its_verdict_may_be_due_to_a_late_change(
    verdict: Verdict, expected: bool
) -> None:
    assert request_handler._saw_nothing(verdict) is expected
