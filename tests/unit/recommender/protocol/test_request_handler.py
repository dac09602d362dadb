"""A request is begun, polled and answered, once; begin changes nothing."""

import json
import logging
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.errors import PermanentError, TransientError
from lambdas.recommender.aws.personalize import Personalize
from lambdas.recommender.decision.verdict import Done, Fail, Progress, Verdict, Wait
from lambdas.recommender.model.request import Request
from lambdas.recommender.model.timing import CONFIRM_SECONDS, GRACE_SECONDS, REQUEST_SECONDS, Timing
from lambdas.recommender.protocol import request_handler
from lambdas.recommender.protocol.answer import Answers, Delivery
from lambdas.recommender.protocol.execution import Execution, StateMachine, Unconfirmed
from lambdas.recommender.protocol.request_handler import RequestHandler, apply_deadline, schedule
from lambdas.recommender.reconcile.reconciler import Known
from lambdas.recommender.resources import custom_resource_for
from lambdas.recommender.resources.base import CustomResource
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
    RESPONSE_URL,
    SIGNATURE,
    STATE_MACHINE,
    UPDATES,
    event,
    gate,
    hours,
    stop,
    sweep,
    update,
)
from ..fakes import FakeCloudFormation, FakePersonalize, FakeStepFunctions, refusal

INTERVAL = 60.0
ATTRIBUTES = {
    v.ARN_ATTRIBUTE: DESIRED.arn,
    v.NAME_ATTRIBUTE: DESIRED.name,
    v.REVISION_ATTRIBUTE: "r-1",
    v.UPDATED_AFTER_ATTRIBUTE: v.NO_UPDATE,
}
"""Of a recommender without an update."""


class Letterbox(Answers):
    """Receives the answers, as CloudFormation does.

    Attributes:
        arrived: the answers.
        deliveries: what happens to the next ones; after that, all arrive.
        tries: how many were put.
    """

    def __init__(self) -> None:
        super().__init__("amazonaws.com")
        self.arrived: list[Mapping[str, Any]] = []
        self.deliveries: list[Delivery] = []
        self.tries = 0

    def put(self, response_url: str, answer: Mapping[str, Any]) -> Delivery:
        assert response_url.startswith("https://")
        self.tries += 1
        delivery = self.deliveries.pop(0) if self.deliveries else Delivery.DELIVERED
        if delivery is Delivery.DELIVERED:
            self.arrived.append(answer)
        return delivery


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

NOTHING_TO_DO: dict[str, tuple[str, dict[str, Any]]] = {
    "gate deleted": ("DELETE_IN_PROGRESS", gate(kind="Delete")),
    "sweep created": ("CREATE_IN_PROGRESS", sweep(kind="Create")),
    "sweep updated": ("UPDATE_IN_PROGRESS", sweep(kind="Update")),
    "stop deleted": ("DELETE_IN_PROGRESS", stop(kind="Delete")),
    "unknown type": ("CREATE_IN_PROGRESS", event(ResourceType="Custom::OfTomorrow")),
}


@pytest.mark.parametrize("row", NOTHING_TO_DO)
def test_request_with_nothing_to_do_is_answered_by_begin(row: str) -> None:
    status, raw = NOTHING_TO_DO[row]
    here = world(status)

    here.begin(raw)

    answer = here.answer
    assert (answer["Status"], answer["RequestId"], answer["Data"]) == ("SUCCESS", "r-1", {})
    assert answer["PhysicalResourceId"] == raw["LogicalResourceId"]
    assert here.step_functions.executions == {}
    assert here.personalize.calls == []
    assert here.waited == 0


BEGUN: dict[str, tuple[str, dict[str, Any]]] = {
    "create": ("CREATE_IN_PROGRESS", event()),
    "update": ("UPDATE_IN_PROGRESS", update()),
    "late update": ("UPDATE_COMPLETE", update()),
    "delete": ("DELETE_IN_PROGRESS", DELETE),
    "sweep": ("DELETE_IN_PROGRESS", sweep()),
    "stop": ("CREATE_IN_PROGRESS", stop(arn=DESIRED.arn)),
    "gate": ("CREATE_IN_PROGRESS", gate()),
}


@pytest.mark.parametrize("row", BEGUN)
def test_begin_starts_an_execution_and_calls_no_other_service(row: str) -> None:
    status, raw = BEGUN[row]
    here = world(status)

    here.begin(raw)

    assert here.letterbox.tries == 0
    assert len(here.step_functions.executions) == 1
    state = here.state()
    assert (state["Event"], state["Seconds"], state["Ended"]) == (raw, 0, False)
    assert here.personalize.calls == []


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize(("link", "links"), [(1, 1), (1, 11), (2, 11), (11, 11)])
def test_second_poll_comes_after_a_share_of_the_interval_and_later_polls_after_the_whole(
    number: int, link: int, links: int
) -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING")
    raw = gate(link, links) | {"RequestId": f"r-{number}"}
    share = Execution.begin(raw, now=here.clock(), interval=INTERVAL).share

    here.begin(raw)
    first = here.poll(here.state())
    second = here.poll(first)

    assert first["Seconds"] == math.ceil(INTERVAL * share)
    assert second["Seconds"] == INTERVAL


def test_request_that_is_delivered_twice_has_one_execution(
    caplog: pytest.LogCaptureFixture,
) -> None:
    here = world()

    with caplog.at_level(logging.INFO):
        here.begin(event())
        assert not any("was begun before" in message for message in messages(caplog))
        here.begin(event())

    assert len(here.step_functions.executions) == 1
    (again,) = [
        one
        for one in logged(caplog, "request")
        if one["message"] == "Create of Recommender was begun before"
    ]
    assert (again["request"], again["type"], again["resource"]) == ("r-1", "Create", "Recommender")


def test_request_with_a_known_id_and_another_response_url_has_its_own_execution() -> None:
    here = world()
    later = RESPONSE_URL.replace(SIGNATURE, "0a0b0c0d")

    here.begin(event())
    here.begin(event(ResponseURL=later))

    assert len(here.step_functions.executions) == 2


@pytest.mark.parametrize("members", [{}, {"ResponseURL": None}, {"ResponseURL": "https://evil/"}])
def test_request_without_a_response_url_of_cloudformation_is_dropped(
    members: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    here, raw = world(), event()
    del raw["ResponseURL"]

    with caplog.at_level(logging.DEBUG):
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


def test_execution_is_started_as_soon_as_step_functions_accepts_it() -> None:
    here = world()
    here.step_functions.fault = refusal("ThrottlingException")
    here.clock = PausedClock(lambda: setattr(here.step_functions, "fault", None))

    answer = here.run(event())

    assert answer["Status"] == "SUCCESS"
    assert here.step_functions.tries == 2


@pytest.mark.parametrize(
    "code", ["StateMachineDoesNotExist", "AccessDeniedException", "ThrottlingException"]
)
def test_create_without_an_execution_fails_with_the_words_of_step_functions(code: str) -> None:
    here = world()
    here.step_functions.fault = refusal(code)

    here.begin(event())

    answer = here.answer
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(f"Nothing was changed. StartExecution: {code}: the message")
    assert answer["PhysicalResourceId"] == DESIRED.arn
    assert here.personalize.changes == []


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
    "update": (
        "UPDATE_IN_PROGRESS",
        update({v.TAGS: {"team": "new"}}),
        "ACTIVE",
        [],
        "Nothing was changed. StartExecution",
    ),
    "update, rolled back": (
        "UPDATE_ROLLBACK_IN_PROGRESS",
        update({v.TAGS: {"team": "new"}}),
        "ACTIVE",
        ["TagResource"],
        "",
    ),
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


@pytest.mark.parametrize("raw", [event(), update({v.CONFIG: {}}), stop(arn=DESIRED.arn)])
@pytest.mark.parametrize("code", ["Throttling", "AccessDenied"])
def test_request_without_an_execution_and_a_readable_stack_changes_nothing(
    raw: dict[str, Any], code: str
) -> None:
    here = world()
    here.step_functions.fault = refusal("StateMachineDoesNotExist")
    here.cloudformation.fault = refusal(code)

    here.begin(raw)

    answer = here.answer
    assert answer["Reason"].startswith("Nothing was changed. StartExecution: StateMachineDoesNot")
    assert here.personalize.calls == []


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (refusal("StateMachineDoesNotExist"), PermanentError),
        (ZeroDivisionError("by zero"), ZeroDivisionError),
    ],
)
def test_failure_without_an_execution_is_delivered_by_the_next_invocation(
    fault: Exception, raised: type[Exception]
) -> None:
    here = world()
    here.step_functions.fault = fault
    here.letterbox.deliveries = [Delivery.LATER]

    with pytest.raises(raised):
        here.begin(event())
    here.begin(event())  # Lambda invokes the function again

    assert here.answer["Status"] == "FAILED"


@pytest.mark.parametrize(
    ("code", "raised"),
    [("StateMachineDoesNotExist", PermanentError), ("ThrottlingException", TransientError)],
)
def test_decided_answer_without_an_execution_is_delivered_by_the_next_invocation(
    code: str, raised: type[Exception]
) -> None:
    here = world("DELETE_IN_PROGRESS")
    here.letterbox.deliveries = [Delivery.LATER] * 8
    here.step_functions.fault = refusal(code)

    with pytest.raises(raised, match=f"StartExecution: {code}"):
        here.begin(gate(kind="Delete"))
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

    with caplog.at_level(logging.INFO):
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
    ("raw", "attributes"), [(event(), ATTRIBUTES.keys()), (gate(), GATE_ATTRIBUTES)]
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
    assert answer["Data"] == ATTRIBUTES
    assert here.waited == 0


def test_gate_is_polled_until_the_training_is_done() -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING", modelMetrics={"coverage": 0.5})
    here.begin(gate())
    state = here.state()
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
    assert here.pauses[0] == 0
    assert 0 < here.pauses[1] <= INTERVAL
    assert here.pauses[2:] == [60, 60, 0]


@pytest.mark.parametrize(("minutes", "starts"), [(4, False), (6, True)])
def test_hours_are_read_at_the_time_of_the_poll(minutes: int, starts: bool) -> None:
    here = world()
    here.personalize.add(MINE, "INACTIVE")
    here.clock.advance(minutes * 60)
    raw = hours()
    times = {v.START: ["THU 00:05"], v.STOP: ["THU 12:00"], v.TIME_ZONE: "UTC"}
    raw["ResourceProperties"][v.ACTIVE_HOURS] = times

    here.begin(raw)
    here.poll(here.state())

    assert here.personalize.changes == ([("StartRecommender", MINE)] if starts else [])


def test_gate_of_a_failed_training_fails_with_the_reason_of_the_service() -> None:
    here = world()
    here.personalize.add(MINE, "CREATE FAILED", failureReason="too little data.")

    answer = here.run(gate())

    assert (answer["Status"], answer["Reason"]) == (
        "FAILED",
        "The recommender is CREATE FAILED: too little data. Remove the cause, then deploy again; "
        "after --no-rollback, with another force_update.",
    )
    assert answer["PhysicalResourceId"] == "Training11"
    assert answer["Data"].keys() == GATE_ATTRIBUTES


def test_gate_before_the_last_hands_over_when_its_time_is_up() -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING")

    answer = here.run(gate(3))

    assert answer["Status"] == "SUCCESS"
    assert 3300 <= here.waited <= 3301


def test_last_gate_fails_with_the_reason_of_its_last_attempt_when_its_time_is_up() -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING")
    here.personalize.faults["DescribeRecommender"] = refusal("ThrottlingException")

    answer = here.run(gate())

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        "The recommender was not ready when the last training gate ended: DescribeRecommender: "
        "ThrottlingException: the message. If it needs more time, raise max_training_hours (in "
        "your own app: training_gates), then deploy again."
    )
    assert 3300 <= here.waited <= 3301


def test_change_in_a_newer_operation_than_the_first_poll_saw_fails() -> None:
    here = world("UPDATE_IN_PROGRESS", datetime(2025, 12, 31, tzinfo=UTC))
    here.personalize.add(DESIRED.arn, tags=OWN, recommenderConfig=CONFIG)
    here.begin(update({v.CONFIG: {}}))
    here.personalize.faults["ListTagsForResource"] = refusal("ThrottlingException")
    state = here.poll(here.state())
    assert state["Operation"] == ["UPDATE_IN_PROGRESS", "2025-12-31T00:00:00+00:00"]

    here.personalize.faults.clear()
    here.cloudformation.status = "UPDATE_ROLLBACK_IN_PROGRESS"
    answer = here.finish(state)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        "A newer operation of the stack has begun, so this one changes nothing more. See the newer "
        "operation."
    )
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


EARLIER = datetime(2025, 12, 31, tzinfo=UTC)
SENT_AT = datetime(2026, 1, 1, tzinfo=UTC)
CONFIRM = timedelta(seconds=CONFIRM_SECONDS)
JUST_BEFORE = timedelta(seconds=0.5)
FAILED_UPDATES: dict[str, tuple[str, datetime, bool]] = {
    "in this update": ("UPDATE_IN_PROGRESS", EARLIER, True),
    "before this update": ("UPDATE_IN_PROGRESS", EARLIER - JUST_BEFORE, False),
    "in this rollback": ("UPDATE_ROLLBACK_IN_PROGRESS", SENT_AT - CONFIRM, True),
    "in the rolled back update": (
        "UPDATE_ROLLBACK_IN_PROGRESS",
        SENT_AT - CONFIRM - JUST_BEFORE,
        False,
    ),
}


@pytest.mark.parametrize("row", FAILED_UPDATES)
def test_update_that_failed_in_this_operation_is_not_sent_again(row: str) -> None:
    status, failed_at, fails = FAILED_UPDATES[row]
    here = world(status, EARLIER)
    failed = {
        "status": "CREATE FAILED",
        "recommenderConfig": CONFIG,
        "creationDateTime": failed_at,
        "failureReason": "too little data",
    }
    here.personalize.add(
        DESIRED.arn, tags=OWN, recommenderConfig=OTHER_CONFIG, latestRecommenderUpdate=failed
    )

    here.first_poll(update())

    changed = [] if fails else [("UpdateRecommender", DESIRED.arn)]
    assert here.personalize.changes == changed


# -- delivered ---------------------------------------------------------------------------------


def decided(here: Surroundings) -> Any:
    """Return the state of an execution that has an answer to deliver."""
    here.personalize.add(MINE, "CREATE FAILED")
    state = here.first_poll(gate())
    assert state["Answer"]
    return state


def test_answer_is_put_until_it_is_delivered() -> None:
    here = world()
    state = decided(here)
    here.letterbox.deliveries = [Delivery.LATER] * 3

    here.finish(state)

    assert len(here.letterbox.arrived) == 1
    assert here.letterbox.tries == 4
    assert here.pauses[-3:] == [5, 5, 5]


def test_refused_answer_is_put_once() -> None:
    here = world()
    state = decided(here)
    here.letterbox.deliveries = [Delivery.REFUSED]

    state = here.poll(state)

    assert state["Ended"] is True
    assert here.letterbox.arrived == []


def test_undeliverable_answer_is_put_as_long_as_cloudformation_waits() -> None:
    here = world()
    state = decided(here)
    here.letterbox.deliveries = [Delivery.LATER] * 10_000

    while not state["Ended"]:
        state = here.poll(state)

    assert REQUEST_SECONDS <= here.waited < REQUEST_SECONDS + 5


def test_decided_answer_is_not_decided_again() -> None:
    here = world()
    state = decided(here)
    here.personalize.shown[MINE]["status"] = "ACTIVE"
    here.letterbox.deliveries = [Delivery.LATER]

    state = here.poll(here.poll(state))

    assert [answer["Status"] for answer in here.letterbox.arrived] == ["FAILED"]


# -- unconfirmed verdicts ----------------------------------------------------------------------


def test_late_request_fails_when_the_stack_status_is_confirmed() -> None:
    here = world("UPDATE_COMPLETE")

    answer = here.run(update())

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        "The Update of Recommender came too late: the stack is UPDATE_COMPLETE. Nothing was "
        "changed. See the stack's latest operation."
    )
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


def test_unconfirmed_verdict_starts_over_after_another_verdict() -> None:
    here = world("UPDATE_COMPLETE")
    state = here.first_poll(update())

    here.cloudformation.fault = refusal("Throttling")
    state = here.poll(state)
    assert state["Doubted"] is None

    here.cloudformation.fault = None
    state = here.poll(state)
    assert state["Answer"] is None
    assert here.poll(state)["Answer"]


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


def test_gone_recommender_is_confirmed_also_at_the_deadline() -> None:
    here = world("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    here.personalize.add(DESIRED.arn, "DELETE IN_PROGRESS", tags=OWN)
    here.begin(DELETE)
    state = here.state()
    while here.waited + state["Seconds"] < Request.parse(DELETE).wait_seconds:
        state = here.poll(state)

    shown = here.personalize.shown.pop(DESIRED.arn)
    stale = here.poll(state)
    assert (stale["Answer"], stale["Seconds"]) == (None, 1)

    here.personalize.shown[DESIRED.arn] = shown
    assert here.poll(stale)["Answer"]["Status"] == "FAILED"


def test_gone_recommender_is_not_confirmed_long_after_the_deadline() -> None:
    """An unconfirmed verdict must not last until CloudFormation's hour ends."""
    here = world("DELETE_IN_PROGRESS")
    here.personalize.add(DESIRED.arn, tags=OWN)
    state = here.first_poll(DELETE)

    here.personalize.shown.clear()
    here.clock.advance(Request.parse(DELETE).wait_seconds + CONFIRM_SECONDS)

    assert here.poll(state)["Answer"]["Status"] == "SUCCESS"


def test_attempt_that_the_fence_stops_has_not_observed_the_recommender() -> None:
    here = world("CREATE_IN_PROGRESS")
    here.begin(DELETE)
    assert here.state()["NothingSeen"]
    late = here.poll(here.state())
    assert late["Answer"] is None

    here.cloudformation.status = "DELETE_IN_PROGRESS"
    unseen = here.poll(late)
    assert (unseen["Answer"], unseen["NothingSeen"], unseen["Doubted"]) == (None, True, None)


def test_recommender_that_shows_late_is_deleted() -> None:
    here = world("DELETE_IN_PROGRESS")
    state = here.first_poll(DELETE)
    assert state["Answer"] is None

    here.personalize.add(DESIRED.arn, tags=OWN)
    here.poll(state)

    assert here.personalize.changes == [("DeleteRecommender", DESIRED.arn)]


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
    "list throttled": ("ListRecommenders", refusal("ThrottlingException")),
    "unexpected": ("DescribeRecommender", ZeroDivisionError("by zero")),
    "unexpected in a list": ("ListRecommenders", ZeroDivisionError("by zero")),
}


@pytest.mark.parametrize("row", FAULTS)
def test_failed_attempt_does_not_shorten_the_grace_period_of_an_unseen_recommender(
    row: str,
) -> None:
    call, fault = FAULTS[row]
    here = world("ROLLBACK_IN_PROGRESS" if call == "ListRecommenders" else "DELETE_IN_PROGRESS")
    here.begin(sweep() if call == "ListRecommenders" else DELETE)
    here.personalize.faults[call] = fault
    here.cloudformation.fault = fault if call == "DescribeStacks" else None
    state = here.poll(here.state())
    here.personalize.faults.clear()
    here.cloudformation.fault = None

    unseen = here.poll(state)

    assert (unseen["Answer"], unseen["NothingSeen"], unseen["Doubted"]) == (None, True, None)
    assert here.finish(unseen)["Status"] == "SUCCESS"
    assert here.waited >= GRACE_SECONDS


def test_delete_of_an_absent_recommender_succeeds_with_less_time_than_the_grace_period() -> None:
    here = world("DELETE_IN_PROGRESS")
    raw = event({v.WAIT_SECONDS: "60"}, kind="Delete", PhysicalResourceId=DESIRED.arn)
    here.clock.advance(1)  # on its way

    answer = here.run(raw)

    assert answer["Status"] == "SUCCESS"


def test_gate_of_an_absent_recommender_fails_after_the_grace_period() -> None:
    here = world()

    answer = here.run(gate())

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        f"Personalize does not show {MINE}. If something outside this stack deleted it, change "
        "force_update, then deploy again. (Observed for 2 minutes.)"
    )
    assert GRACE_SECONDS <= here.waited <= GRACE_SECONDS + INTERVAL + CONFIRM_SECONDS


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


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_unexpected_error_fails_after_the_grace_period_and_is_logged_without_the_url(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    here = world(f"{kind.upper()}_IN_PROGRESS")
    here.personalize.faults["DescribeRecommender"] = ZeroDivisionError("by zero")
    raw = event() if kind == "Create" else update()

    with caplog.at_level(logging.DEBUG):
        answer = here.run(raw)

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
        ("DELETE_IN_PROGRESS", sweep(2), None),
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


def test_delete_that_never_read_its_stack_hands_over_at_the_deadline() -> None:
    here = world("DELETE_IN_PROGRESS")
    here.cloudformation.fault = ZeroDivisionError("by zero")

    answer = here.run(DELETE)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", DESIRED.arn)
    assert 3300 <= here.waited <= 3301


@pytest.mark.parametrize("delivery", [Delivery.DELIVERED, Delivery.REFUSED])
def test_unexpected_error_of_a_start_is_answered(delivery: Delivery) -> None:
    here = world()
    here.step_functions.fault = ZeroDivisionError("by zero")
    here.letterbox.deliveries = [delivery]

    here.begin(event())

    assert here.letterbox.tries == 1
    if delivery is Delivery.DELIVERED:
        answer = here.answer
        assert answer["Status"] == "FAILED"
        assert answer["Reason"] == (
            "Nothing was changed. Unexpected ZeroDivisionError: by zero (a defect; the log has a "
            "traceback)"
        )


def test_unexpected_error_of_a_start_is_retried() -> None:
    here = world("DELETE_IN_PROGRESS")
    here.personalize.add(DESIRED.arn, tags=OWN)
    started = here.step_functions.start_execution
    faults = [ZeroDivisionError("by zero")] * 3

    def start_execution(**given: Any) -> Any:
        if faults:
            raise faults.pop()
        return started(**given)

    with mock.patch.object(here.step_functions, "start_execution", start_execution):
        here.begin(DELETE)

    assert here.letterbox.arrived == []
    assert len(here.step_functions.executions) == 1


def test_delete_of_an_absent_recommender_succeeds_without_an_execution() -> None:
    here = world("DELETE_IN_PROGRESS")
    here.step_functions.fault = ZeroDivisionError("by zero")

    here.begin(DELETE)

    answer = here.answer
    assert answer["Status"] == "SUCCESS"


def test_characters_that_xml_cannot_have_are_replaced_in_the_answer() -> None:
    here = world()
    status = {
        "status": "CREATE FAILED",
        "failureReason": "Daten \ud83c\x1b[0m\x00 \U0001f3ac\n",
    }
    here.personalize.shown[DESIRED.arn] = {"recommenderArn": DESIRED.arn, **status}

    answer = here.run(gate(arn=DESIRED.arn))

    assert answer["Status"] == "FAILED"
    assert "Daten ��[0m� \U0001f3ac\n" in answer["Reason"]


def test_half_of_a_surrogate_pair_in_an_error_is_replaced_in_answer_and_log() -> None:
    here = world()
    here.personalize.faults["DescribeRecommender"] = ZeroDivisionError("by \ud83c")

    answer = here.run(event())

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("Unexpected ZeroDivisionError: by � (a defect; ")


# -- refused -----------------------------------------------------------------------------------

REFUSED: dict[str, dict[str, Any]] = {
    "an unknown property": {"Runing": "true"},
    "a property of another form": {v.NAME_PREFIX: "a b"},
    "an unknown member of the configuration": {v.CONFIG: {"unknown": "1"}},
}


@pytest.mark.parametrize("row", REFUSED)
@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_bad_request_fails_with_the_name_of_the_property(row: str, kind: str) -> None:
    here = world(f"{kind.upper()}_IN_PROGRESS")
    old = {"PhysicalResourceId": "old"} if kind == "Update" else {}

    here.begin(event(REFUSED[row], kind=kind, **old))

    answer = here.answer
    (name,) = REFUSED[row]
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("Nothing was changed. ")
    assert (name if name != v.CONFIG else "unknown") in answer["Reason"]
    assert answer["PhysicalResourceId"] == old.get("PhysicalResourceId", "Recommender")
    assert here.personalize.calls == []


@pytest.mark.parametrize("properties", [{v.NAME_PREFIX: "a b"}, {v.RECOMMENDER_LOGICAL_ID: ["x"]}])
def test_bad_delete_succeeds_without_an_execution(properties: dict[str, Any]) -> None:
    here = world("ROLLBACK_IN_PROGRESS")

    here.begin(event(properties, kind="Delete", PhysicalResourceId="Recommender"))

    answer = here.answer
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "Recommender")
    assert here.personalize.changes == []
    assert here.step_functions.executions == {}


@pytest.mark.parametrize("name", [v.LINK, v.WAIT_SECONDS, v.RECOMMENDER_ARN, v.CONFIG])
def test_bad_request_to_a_gate_fails_without_attributes(name: str) -> None:
    here, raw = world(), gate()
    raw["ResourceProperties"][name] = "not like this"

    here.begin(raw)

    answer = here.answer
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(f"Nothing was changed. ResourceProperties.{name}: got ")
    assert answer["Data"] == {}


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no stack": ({"StackId": ""}, "Recommender"),
    "no resource": ({"LogicalResourceId": None}, "unknown"),
    "an id": ({"RequestId": None, "PhysicalResourceId": "old"}, "old"),
}


@pytest.mark.parametrize("row", BROKEN)
def test_malformed_event_is_answered(row: str) -> None:
    members, physical_id = BROKEN[row]
    here = world()

    here.begin(event() | members)

    answer = here.answer
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", physical_id)
    assert answer["Reason"].startswith("Nothing was changed. event.")
    assert answer["Data"] == {}


# -- deadline and schedule ---------------------------------------------------------------------

SENT = 1_767_225_600.0


def after(seconds: float, *, wait_seconds: float = 3300.0) -> Timing:
    """Return the time of a request so many seconds after it was sent."""
    return Timing(SENT, SENT, SENT + seconds, wait_seconds)


def not_possible(waited: str, reason: str = "it trains") -> Fail:
    return Fail(f"Not possible within {waited}: {reason}. Deploy again when that has ended.")


def attempt(raw: Mapping[str, Any]) -> CustomResource:
    """Return the attempt at a request that has something to do."""
    made = custom_resource_for(Request.parse(raw))
    assert made is not None
    return made


WAITS = Wait("it trains", updated_after=5.0)
HANDED_OVER = replace(WAITS, hands_over=True)
ABSENT, GONE = Fail("it is not there.", confirm=GRACE_SECONDS), Done("gone", confirm=6.0)
STALE = Fail("a late Update", confirm=CONFIRM_SECONDS)
DEADLINES: dict[str, tuple[Verdict, bool, Timing, Verdict]] = {
    "done": (Done("d", Progress.GONE), True, after(9999), Done("d", Progress.GONE)),
    "failed": (Fail("f"), True, after(9999), Fail("f")),
    "wait": (WAITS, True, after(3299.9), WAITS),
    "wait that hands over": (HANDED_OVER, True, after(3299.9), HANDED_OVER),
    "wait, time up": (WAITS, True, after(3300), not_possible("55 minutes")),
    "wait that hands over, time up": (
        HANDED_OVER,
        True,
        after(3300),
        Done("it trains", updated_after=5.0),
    ),
    "one minute up": (WAITS, True, after(60, wait_seconds=60), not_possible("60 seconds")),
    "just below two minutes up": (
        WAITS,
        True,
        after(119.4, wait_seconds=1),
        not_possible("119 seconds"),
    ),
    "two minutes up": (WAITS, True, after(120, wait_seconds=120), not_possible("2 minutes")),
    "unconfirmed failure": (ABSENT, False, after(119.9), ABSENT),
    "confirmed failure": (
        ABSENT,
        True,
        after(130),
        Fail("it is not there. (Observed for 2 minutes.)"),
    ),
    "confirmed failure, time up": (
        ABSENT,
        True,
        after(3300),
        Fail("it is not there. (Observed for 2 minutes.)"),
    ),
    "unconfirmed failure, time up": (
        ABSENT,
        False,
        after(60, wait_seconds=60),
        not_possible("60 seconds", "it is not there"),
    ),
    "unconfirmed done, time up": (GONE, False, after(3300), GONE),
    "failure that a stale read may explain, time up": (STALE, False, after(3300), STALE),
}


@pytest.mark.parametrize("row", DEADLINES)
def test_deadline_ends_a_wait_and_an_unconfirmed_failure(row: str) -> None:
    verdict, confirmed, timing, expected = DEADLINES[row]

    assert apply_deadline(verdict, timing, attempt(event()), confirmed=confirmed) == expected


@pytest.mark.parametrize("raw", [gate(1), sweep(2)])
def test_deadline_hands_an_unconfirmed_failure_over_to_the_next_link(raw: dict[str, Any]) -> None:
    ended = apply_deadline(ABSENT, after(3300), attempt(raw), confirmed=False)

    assert ended == Done("it is not there.")


@pytest.mark.parametrize("raw", [gate(1), sweep(2)])
def test_deadline_hands_no_late_request_over(raw: dict[str, Any]) -> None:
    assert apply_deadline(STALE, after(3300), attempt(raw), confirmed=False) == STALE


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


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the messages of all records."""
    return [record.getMessage() for record in caplog.records]


def test_attempt_is_logged_with_its_link_and_its_time(caplog: pytest.LogCaptureFixture) -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING")

    with caplog.at_level(logging.INFO):
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
    with caplog.at_level(logging.INFO):
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

    with caplog.at_level(logging.INFO):
        here.begin(sweep(kind="Create"))

    (record,) = logged(caplog, "delivery")
    assert record["message"] == f"Create of Sweep01 is {message}: SUCCESS"
    assert (record["status"], record["delivery"]) == ("SUCCESS", fate.name)
    assert (record["resource"], record["type"]) == ("Sweep01", "Create")


def test_attempts_that_wait_log_no_error(caplog: pytest.LogCaptureFixture) -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING")

    with caplog.at_level(logging.DEBUG):
        here.run(gate(3))

    assert {record.levelno for record in caplog.records} == {logging.INFO}
    assert SIGNATURE not in repr([vars(record) for record in caplog.records])


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

    with caplog.at_level(logging.WARNING):
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
