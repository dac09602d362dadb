"""A request is begun, waited for and answered, once; nothing is changed when it is begun."""

import json
import logging
import math
from collections.abc import Mapping
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
from lambdas.recommender.protocol.answer import Answers, Delivery
from lambdas.recommender.protocol.execution import Execution, StateMachine, Unconfirmed
from lambdas.recommender.protocol.request_handler import RequestHandler, apply_deadline, schedule
from lambdas.recommender.resources import custom_resource_for
from lambdas.recommender.resources.base import CustomResource
from tests.support.personalize import VirtualClock
from tests.support.serverless import through_lambda

from .examples import RECOMMENDER, RESPONSE_URL, SIGNATURE, event, gate, hours, stop, sweep
from .fakes import OWNER, FakeCloudFormation, FakePersonalize, FakeStepFunctions, refusal

INTERVAL = 60.0
DESIRED = Request.parse(event()).desired
AS_ASKED = DESIRED.config.request()
OWN = {**OWNER.tags(), "team": "video"}
MINE = f"{RECOMMENDER}mine"
STATE_MACHINE = "arn:aws:states:eu-west-1:111111111111:stateMachine:Waiter"


class Letterbox(Answers):
    """CloudFormation's side: the answers that have arrived.

    Attributes:
        arrived: the answers.
        fates: what becomes of the next ones; after that, all arrive.
        tries: how many were put.
    """

    def __init__(self) -> None:
        super().__init__("amazonaws.com")
        self.arrived: list[Mapping[str, Any]] = []
        self.fates: list[Delivery] = []
        self.tries = 0

    def put(self, response_url: str, answer: Mapping[str, Any]) -> Delivery:
        assert response_url.startswith("https://")
        self.tries += 1
        fate = self.fates.pop(0) if self.fates else Delivery.DELIVERED
        if fate is Delivery.DELIVERED:
            self.arrived.append(answer)
        return fate


@dataclass
class Surroundings:
    """Everything around the custom resources, and a clock that tests turn."""

    cloudformation: FakeCloudFormation = field(
        default_factory=lambda: FakeCloudFormation("CREATE_IN_PROGRESS")
    )
    clock: VirtualClock = field(default_factory=VirtualClock)
    personalize: FakePersonalize = field(default_factory=FakePersonalize)
    step_functions: FakeStepFunctions = field(default_factory=FakeStepFunctions)
    letterbox: Letterbox = field(default_factory=Letterbox)
    pauses: list[int] = field(default_factory=list)

    @property
    def resources(self) -> RequestHandler:
        """The custom resources of a function that has just been started."""
        return RequestHandler(
            Personalize(self.personalize), Stacks(self.cloudformation), self.letterbox, self.clock
        )

    def begin(self, raw: Mapping[str, Any]) -> None:
        """Deliver a request."""
        state_machine = StateMachine(self.step_functions, STATE_MACHINE, pause=self.clock.advance)
        self.resources.begin(raw, state_machine, interval=INTERVAL)

    def state(self) -> Any:
        """Return what the only execution was given."""
        (given,) = self.step_functions.executions.values()
        return json.loads(given)

    def poll(self, state: Mapping[str, Any]) -> Any:
        """Wait as long as the state says, and look again."""
        self.pauses.append(state["Seconds"])
        assert len(self.pauses) < 2 * REQUEST_SECONDS, "it never ends"
        self.clock.advance(state["Seconds"])
        return through_lambda(self.resources.poll, state)

    def run(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """Deliver a request, wait until it is answered, and return the answer."""
        self.begin(raw)
        if self.step_functions.executions:
            state = self.state()
            while not state["Ended"]:
                state = self.poll(state)
        (answer,) = self.letterbox.arrived
        return answer

    @property
    def waited(self) -> float:
        """Seconds that have passed."""
        return self.clock() - VirtualClock().now


def world(status: str = "CREATE_IN_PROGRESS", updated: datetime | None = None) -> Surroundings:
    """Return a world with a stack in an operation."""
    return Surroundings(FakeCloudFormation(status, updated))


def update(properties: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return an Update that keeps the recommender's name."""
    raw = event(properties, kind="Update", PhysicalResourceId=DESIRED.arn)
    return raw | {"OldResourceProperties": raw["ResourceProperties"]}


DELETE = event(kind="Delete", PhysicalResourceId=DESIRED.arn)
GATE_ATTRIBUTES = {*v.METRICS, v.RECOMMENDER_ARN_ATTRIBUTE, "ModelMetrics", "QualityGate"}


# -- begun -------------------------------------------------------------------------------------

ANSWERED_AT_ONCE: dict[str, tuple[str, dict[str, Any]]] = {
    "a gate that is deleted": ("DELETE_IN_PROGRESS", gate(kind="Delete")),
    "a sweep that is created": ("CREATE_IN_PROGRESS", sweep(kind="Create")),
    "a sweep that is updated": ("UPDATE_IN_PROGRESS", sweep(kind="Update")),
    "a stop that is deleted": ("DELETE_IN_PROGRESS", stop(kind="Delete")),
    "a type of tomorrow": ("CREATE_IN_PROGRESS", event(ResourceType="Custom::OfTomorrow")),
}


@pytest.mark.parametrize("row", ANSWERED_AT_ONCE)
def test_a_request_that_has_nothing_to_do_is_answered_at_once(row: str) -> None:
    status, raw = ANSWERED_AT_ONCE[row]
    here = world(status)

    here.begin(raw)

    (answer,) = here.letterbox.arrived
    assert (answer["Status"], answer["RequestId"], answer["Data"]) == ("SUCCESS", "r-1", {})
    assert answer["PhysicalResourceId"] == raw["LogicalResourceId"]
    assert here.step_functions.executions == {}
    assert here.personalize.calls == []
    assert here.waited == 0


WAITED_FOR: dict[str, tuple[str, dict[str, Any]]] = {
    "a recommender that is not there": ("CREATE_IN_PROGRESS", event()),
    "a recommender of another configuration": ("UPDATE_IN_PROGRESS", update({v.CONFIG: {}})),
    "a tag": ("UPDATE_IN_PROGRESS", update({v.TAGS: {"team": "films"}})),
    "a recommender that is deleted": ("DELETE_IN_PROGRESS", DELETE),
    "what is owned and swept": ("DELETE_IN_PROGRESS", sweep()),
    "a recommender to be stopped": ("CREATE_IN_PROGRESS", stop(arn=DESIRED.arn)),
    "a training": ("CREATE_IN_PROGRESS", gate(arn=f"{RECOMMENDER}training")),
    "a training that failed": ("CREATE_IN_PROGRESS", gate(arn=f"{RECOMMENDER}failed")),
    "a request that comes late": ("UPDATE_COMPLETE", update()),
    "a training that is done": ("CREATE_IN_PROGRESS", gate()),
    "a sweep that an update removes": ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", sweep()),
    "an update without a difference": ("UPDATE_IN_PROGRESS", update()),
}


@pytest.mark.parametrize("row", WAITED_FOR)
def test_any_other_request_is_begun_without_a_call_to_the_service(row: str) -> None:
    status, raw = WAITED_FOR[row]
    here = world(status)

    here.begin(raw)

    assert here.letterbox.tries == 0
    assert len(here.step_functions.executions) == 1
    state = here.state()
    assert (state["Event"], state["Seconds"], state["Ended"]) == (raw, 0, False)
    assert here.personalize.calls == []


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize(("link", "links"), [(1, 1), (1, 11), (2, 11), (11, 11)])
def test_polls_are_spread_by_the_names_of_executions_after_the_first_one(
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


def test_tags_are_read_at_the_first_poll_only_while_there_is_nothing_to_do() -> None:
    here = world()
    here.personalize.add(DESIRED.arn, "STOP PENDING", tags=OWN, recommenderConfig=AS_ASKED)
    observed = [("DescribeRecommender", DESIRED.arn), ("ListTagsForResource", DESIRED.arn)]
    here.begin(event())

    first = here.poll(here.state())
    assert here.personalize.calls == observed

    here.poll(first)
    assert here.personalize.calls == [*observed, observed[0]]


def test_a_request_that_is_delivered_again_is_begun_once(
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


def test_a_request_id_that_comes_again_in_a_later_operation_is_another_request() -> None:
    here = world()
    later = RESPONSE_URL.replace(SIGNATURE, "0a0b0c0d")

    here.begin(event())
    here.begin(event(ResponseURL=later))

    assert len(here.step_functions.executions) == 2


NOT_CLOUDFORMATIONS = [
    None,
    "",
    "https://evil.example/key",
    RESPONSE_URL.replace("https:", "http:"),
    RESPONSE_URL.replace("https://", "https://user@"),
    "https://169.254.169.254/latest",
]


@pytest.mark.parametrize("url", NOT_CLOUDFORMATIONS)
def test_a_request_that_is_not_cloudformations_is_dropped(
    url: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    here = world()

    with caplog.at_level(logging.DEBUG):
        here.begin(event(ResponseURL=url))

    assert (here.letterbox.tries, here.step_functions.tries) == (0, 0)
    assert here.personalize.calls == []
    (record,) = caplog.records
    assert record.getMessage().startswith("Dropped a request: its ResponseURL leads to ")
    assert SIGNATURE not in repr([vars(record) for record in caplog.records])


def test_a_request_without_a_response_url_is_dropped() -> None:
    here, raw = world(), event()
    del raw["ResponseURL"]

    here.begin(raw)

    assert (here.letterbox.tries, here.step_functions.tries) == (0, 0)


def test_an_answer_that_does_not_arrive_at_once_is_delivered_by_the_execution() -> None:
    here = world()
    here.letterbox.fates = [Delivery.LATER, Delivery.LATER]

    answer = here.run(sweep(kind="Create"))

    assert answer["Status"] == "SUCCESS"
    assert here.letterbox.tries == 3
    assert here.pauses == [0, 5]


def test_a_request_is_started_as_soon_as_that_is_possible() -> None:
    here = world()
    here.step_functions.fault = refusal("ThrottlingException")

    class Passing(VirtualClock):
        def advance(self, seconds: float) -> None:
            super().advance(seconds)
            here.step_functions.fault = None

    here.clock = Passing()

    answer = here.run(event())

    assert answer["Status"] == "SUCCESS"
    assert here.step_functions.tries == 2


@pytest.mark.parametrize(
    "code", ["StateMachineDoesNotExist", "AccessDeniedException", "ThrottlingException"]
)
def test_a_request_that_cannot_be_started_fails_with_the_services_words(code: str) -> None:
    here = world()
    here.step_functions.fault = refusal(code)

    here.begin(event())

    (answer,) = here.letterbox.arrived
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(f"Nothing was changed. StartExecution: {code}: the message")
    assert answer["PhysicalResourceId"] == DESIRED.arn
    assert here.personalize.changes == []


ALONE: dict[str, tuple[str, dict[str, Any], str, bool, str]] = {
    "a gate hands over": (
        "CREATE_IN_PROGRESS",
        gate(3, arn=DESIRED.arn),
        "CREATE PENDING",
        True,
        "",
    ),
    "the last gate says why nobody waited": (
        "CREATE_IN_PROGRESS",
        gate(11, arn=DESIRED.arn),
        "CREATE PENDING",
        False,
        "The recommender was not ready when the last training gate ended: StartExecution: Access",
    ),
    "a Delete deletes": ("DELETE_IN_PROGRESS", DELETE, "ACTIVE", True, ""),
    "a Delete of what trains hands over": (
        "DELETE_IN_PROGRESS",
        DELETE,
        "CREATE PENDING",
        True,
        "",
    ),
    "a sweep hands over": ("DELETE_IN_PROGRESS", sweep(2), "CREATE PENDING", True, ""),
    "the last sweep sweeps": ("DELETE_IN_PROGRESS", sweep(1), "ACTIVE", True, ""),
    "the last sweep of what trains says the way out": (
        "DELETE_IN_PROGRESS",
        sweep(1),
        "CREATE PENDING",
        False,
        f"delete-recommender --recommender-arn {DESIRED.arn} --region eu-west-1 2) cdk destroy",
    ),
    "a Delete of a stack that lives fails": (
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        DELETE,
        "CREATE PENDING",
        False,
        "The next change of the recommender removes it",
    ),
    "an Update fails": (
        "UPDATE_IN_PROGRESS",
        update({v.TAGS: {"team": "new"}}),
        "ACTIVE",
        False,
        "Nothing was changed. StartExecution",
    ),
    "an Update that is rolled back is made": (
        "UPDATE_ROLLBACK_IN_PROGRESS",
        update({v.TAGS: {"team": "new"}}),
        "ACTIVE",
        True,
        "",
    ),
}


@pytest.mark.parametrize("row", ALONE)
def test_a_request_that_nobody_polls_ends_alone_hands_over_or_says_what_to_do(row: str) -> None:
    status, raw, shown, succeeds, said = ALONE[row]
    here = world(status)
    here.step_functions.fault = refusal("AccessDeniedException")
    here.personalize.add(DESIRED.arn, shown, recommenderConfig=AS_ASKED)
    here.personalize.tags[DESIRED.arn] = dict(OWN)

    class Deleting(VirtualClock):
        def advance(self, seconds: float) -> None:
            super().advance(seconds)
            if ("DeleteRecommender", DESIRED.arn) in here.personalize.changes:
                here.personalize.shown.clear()

    here.clock = Deleting()

    here.begin(raw)

    (answer,) = here.letterbox.arrived
    assert (answer["Status"] == "SUCCESS") is succeeds, answer["Reason"]
    assert said in answer["Reason"]
    expected = {
        "a Delete deletes": ["DeleteRecommender"],
        "the last sweep sweeps": ["DeleteRecommender"],
        "an Update that is rolled back is made": ["TagResource"],
    }
    assert [name for name, _ in here.personalize.changes] == expected.get(row, [])


@pytest.mark.parametrize("raw", [event(), update({v.CONFIG: {}}), stop(arn=DESIRED.arn)])
def test_nothing_is_begun_that_nobody_could_poll(raw: dict[str, Any]) -> None:
    here = world()
    here.step_functions.fault = refusal("StateMachineDoesNotExist")
    here.cloudformation.fault = refusal("Throttling")

    here.begin(raw)

    (answer,) = here.letterbox.arrived
    assert answer["Reason"].startswith("Nothing was changed. StartExecution: StateMachineDoesNot")
    assert here.personalize.calls == []


def test_an_answer_that_is_decided_stays_it_when_nothing_can_be_started() -> None:
    here = world("DELETE_IN_PROGRESS")
    here.letterbox.fates = [Delivery.LATER]
    here.step_functions.fault = refusal("StateMachineDoesNotExist")

    here.begin(gate(kind="Delete"))

    (answer,) = here.letterbox.arrived
    assert answer["Status"] == "SUCCESS"


def test_the_answer_of_a_request_that_can_never_be_started_arrives_in_the_end() -> None:
    here = world()
    here.step_functions.fault = refusal("StateMachineDoesNotExist")
    here.letterbox.fates = [Delivery.LATER]

    with pytest.raises(PermanentError, match="StateMachineDoesNotExist"):
        here.begin(event())
    here.begin(event())  # Lambda invokes the function again

    (answer,) = here.letterbox.arrived
    assert answer["Status"] == "FAILED"


@pytest.mark.parametrize(
    ("code", "raised"),
    [("StateMachineDoesNotExist", PermanentError), ("ThrottlingException", TransientError)],
)
def test_an_answer_that_is_decided_arrives_in_the_end_without_a_state_machine(
    code: str, raised: type[Exception]
) -> None:
    here = world("DELETE_IN_PROGRESS")
    here.letterbox.fates = [Delivery.LATER] * 8
    here.step_functions.fault = refusal(code)

    with pytest.raises(raised, match=f"StartExecution: {code}"):
        here.begin(gate(kind="Delete"))
    here.begin(gate(kind="Delete"))

    (answer,) = here.letterbox.arrived
    assert (answer["Status"], here.letterbox.tries) == ("SUCCESS", 9)


@pytest.mark.parametrize(
    ("fate", "late"), [(Delivery.REFUSED, 0.0), (Delivery.LATER, REQUEST_SECONDS)]
)
def test_a_request_that_nobody_waits_for_is_not_begun_again(fate: Delivery, late: float) -> None:
    here = world()
    here.clock.advance(late)
    here.letterbox.fates = [fate]
    here.step_functions.fault = refusal("StateMachineDoesNotExist")

    here.begin(event())

    assert (here.letterbox.arrived, here.letterbox.tries) == ([], 1)


def test_a_request_that_cannot_be_started_is_looked_at_again_before_it_fails() -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING")
    here.step_functions.fault = refusal("StateMachineDoesNotExist")

    class Training(VirtualClock):
        def advance(self, seconds: float) -> None:
            super().advance(seconds)
            here.personalize.shown[MINE]["status"] = "ACTIVE"

    here.clock = Training()

    here.begin(gate())

    (answer,) = here.letterbox.arrived
    assert (answer["Status"], answer["Reason"]) == ("SUCCESS", "")
    assert here.personalize.changes == []


def test_an_answer_that_is_decided_is_not_decided_again_where_no_execution_starts() -> None:
    here = world()
    here.personalize.add(MINE, "ACTIVE")
    here.letterbox.fates = [Delivery.LATER]
    here.step_functions.fault = refusal("StateMachineDoesNotExist")

    class Failing(VirtualClock):
        def advance(self, seconds: float) -> None:
            super().advance(seconds)
            here.personalize.shown[MINE]["status"] = "CREATE FAILED"

    here.clock = Failing()

    here.begin(gate())

    (answer,) = here.letterbox.arrived
    assert answer["Status"] == "SUCCESS"
    assert here.personalize.calls == [("DescribeRecommender", MINE)]


def test_a_recommender_that_can_never_be_started_has_its_attributes() -> None:
    here = world()
    here.step_functions.fault = refusal("StateMachineDoesNotExist")

    here.begin(event())

    (answer,) = here.letterbox.arrived
    assert answer["Data"] == {
        v.ARN_ATTRIBUTE: DESIRED.arn,
        v.NAME_ATTRIBUTE: DESIRED.name,
        v.REVISION_ATTRIBUTE: "r-1",
        v.UPDATED_AFTER_ATTRIBUTE: v.NO_UPDATE,
    }


def test_a_gate_that_can_never_be_started_has_its_attributes() -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING")
    here.step_functions.fault = refusal("StateMachineDoesNotExist")

    here.begin(gate())

    (answer,) = here.letterbox.arrived
    assert answer["Data"].keys() == GATE_ATTRIBUTES
    assert answer["Data"][v.RECOMMENDER_ARN_ATTRIBUTE] == MINE


# -- waited for --------------------------------------------------------------------------------


def test_a_recommender_is_created_once_and_answered_when_that_is_accepted() -> None:
    here = world()

    answer = here.run(event())

    assert here.personalize.changes == [("CreateRecommender", DESIRED.arn)]
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == DESIRED.arn
    assert answer["Data"] == {
        v.ARN_ATTRIBUTE: DESIRED.arn,
        v.NAME_ATTRIBUTE: DESIRED.name,
        v.REVISION_ATTRIBUTE: "r-1",
        v.UPDATED_AFTER_ATTRIBUTE: v.NO_UPDATE,
    }
    assert here.waited == 0


def test_a_training_is_waited_for_until_it_is_done() -> None:
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
    (answer,) = here.letterbox.arrived
    assert (answer["Status"], answer["Data"]["Coverage"]) == ("SUCCESS", "0.5")
    assert here.pauses[0] == 0
    assert 0 < here.pauses[1] <= INTERVAL
    assert here.pauses[2:] == [60, 60, 0]


def test_a_gate_that_misses_its_quality_in_a_rollback_opens_and_says_so() -> None:
    here = world("UPDATE_ROLLBACK_IN_PROGRESS")
    here.personalize.add(MINE, modelMetrics={"coverage": 0.05})
    raw = gate(kind="Update")
    raw["ResourceProperties"][v.QUALITY_GATE] = {v.MINIMUM_METRICS: {"coverage": "0.1"}}

    answer = here.run(raw)

    assert answer["Status"] == "SUCCESS"
    assert answer["Data"][v.QUALITY_GATE_ATTRIBUTE] == (
        "warned: coverage is 0.05; minimum 0.1 (minimum_metrics)"
    )


@pytest.mark.parametrize(("minutes", "starts"), [(4, False), (6, True)])
def test_the_hour_in_which_it_looks_is_the_one_that_counts(minutes: int, starts: bool) -> None:
    here = world()
    here.personalize.add(MINE, "INACTIVE")
    here.clock.advance(minutes * 60)
    raw = hours()
    times = {v.START: ["THU 00:05"], v.STOP: ["THU 12:00"], v.TIME_ZONE: "UTC"}
    raw["ResourceProperties"][v.ACTIVE_HOURS] = times

    here.begin(raw)
    here.poll(here.state())

    assert here.personalize.changes == ([("StartRecommender", MINE)] if starts else [])


def test_what_the_last_gate_could_not_check_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING", recommenderConfig={v.ENABLE_METADATA: False})
    here.begin(gate())
    here.letterbox.fates = [Delivery.LATER]
    state = here.poll(here.state())
    here.personalize.shown[MINE]["status"] = "ACTIVE"
    while not state["Ended"]:
        state = here.poll(state)

    (warned,) = logged(caplog, "members")

    assert warned["levelno"] == logging.WARNING
    assert warned["message"] == (
        "DescribeRecommender does not show minRecommendationRequestsPerSecond, explorationWeight, "
        "explorationItemAgeCutOff: not checked"
    )
    assert warned["members"] == [
        v.MIN_REQUESTS_PER_SECOND,
        v.EXPLORATION_WEIGHT,
        v.EXPLORATION_ITEM_AGE_CUT_OFF,
    ]


def test_a_training_that_failed_ends_the_wait_with_the_services_reason() -> None:
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


def test_a_fault_that_passes_does_not_end_a_training() -> None:
    here = world()
    here.personalize.add(MINE, "ACTIVE")
    here.personalize.faults["DescribeRecommender"] = refusal("ThrottlingException")

    here.begin(gate())
    state = here.poll(here.poll(here.state()))

    assert (state["Answer"], state["Ended"]) == (None, False)


def test_a_gate_that_is_not_the_last_hands_over_when_its_time_is_up() -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING")

    answer = here.run(gate(3))

    assert answer["Status"] == "SUCCESS"
    assert 3300 <= here.waited <= 3301


def test_a_last_gate_closes_with_what_it_saw_last() -> None:
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


def test_a_request_that_was_delivered_late_has_what_is_left_of_its_time() -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING")
    here.clock.advance(1800)

    here.run(gate(3))

    assert 3300 <= here.waited <= 3301


def test_the_operation_that_sent_a_request_is_asked_for_once_and_then_compared() -> None:
    here = world("UPDATE_IN_PROGRESS", datetime(2025, 12, 31, tzinfo=UTC))
    here.personalize.add(DESIRED.arn, tags=OWN, recommenderConfig=AS_ASKED)
    here.begin(update({v.CONFIG: {}}))
    here.personalize.faults["ListTagsForResource"] = refusal("ThrottlingException")
    state = here.poll(here.state())
    assert state["Operation"] == ["UPDATE_IN_PROGRESS", "2025-12-31T00:00:00+00:00"]

    here.personalize.faults.clear()
    here.cloudformation.status = "UPDATE_ROLLBACK_IN_PROGRESS"
    while not state["Ended"]:
        state = here.poll(state)

    (answer,) = here.letterbox.arrived
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        "A newer operation of the stack has begun, so this one changes nothing more. See the newer "
        "operation."
    )
    assert answer["PhysicalResourceId"] == DESIRED.arn
    assert here.personalize.changes == []


def test_what_is_known_to_be_in_force_at_one_look_is_known_at_the_next() -> None:
    here = world()
    here.personalize.add(DESIRED.arn, tags={**OWNER.tags(adopted=True), "team": "video"})
    here.personalize.faults["UpdateRecommender"] = refusal("InvalidInputException")

    answer = here.run(event({v.ADOPT_EXISTING: "true", v.RUNNING: "false"}))

    assert here.personalize.changes == [
        ("UpdateRecommender", DESIRED.arn),
        ("StopRecommender", DESIRED.arn),
    ]
    assert answer["Status"] == "SUCCESS"


def test_what_the_service_refuses_for_good_fails_at_once_and_keeps_the_old_id() -> None:
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
DOUBT = timedelta(seconds=CONFIRM_SECONDS)
JUST_BEFORE = timedelta(seconds=0.5)
FAILED_AT: dict[str, tuple[str, datetime, bool]] = {
    "in this update": ("UPDATE_IN_PROGRESS", EARLIER, True),
    "before this update": ("UPDATE_IN_PROGRESS", EARLIER - JUST_BEFORE, False),
    "in this rollback": ("UPDATE_ROLLBACK_IN_PROGRESS", SENT_AT - DOUBT, True),
    "in the update that is rolled back": (
        "UPDATE_ROLLBACK_IN_PROGRESS",
        SENT_AT - DOUBT - JUST_BEFORE,
        False,
    ),
}


@pytest.mark.parametrize("row", FAILED_AT)
def test_what_has_failed_in_an_operation_is_not_begun_again_in_it(row: str) -> None:
    status, failed_at, fails = FAILED_AT[row]
    here = world(status, EARLIER)
    here.personalize.add(
        DESIRED.arn,
        tags=OWN,
        recommenderConfig={**AS_ASKED, v.MIN_REQUESTS_PER_SECOND: 7},
        latestRecommenderUpdate={
            "status": "CREATE FAILED",
            "recommenderConfig": AS_ASKED,
            "creationDateTime": failed_at,
            "failureReason": "too little data",
        },
    )

    here.begin(update())
    here.poll(here.state())

    changed = [] if fails else [("UpdateRecommender", DESIRED.arn)]
    assert here.personalize.changes == changed


# -- delivered ---------------------------------------------------------------------------------


def decided(here: Surroundings) -> Any:
    """Return the state of an execution that has an answer to deliver."""
    here.personalize.add(MINE, "CREATE FAILED")
    here.begin(gate())
    state = here.poll(here.state())
    assert state["Answer"]
    return state


def test_an_answer_is_put_until_it_arrives() -> None:
    here = world()
    state = decided(here)
    here.letterbox.fates = [Delivery.LATER] * 3

    while not state["Ended"]:
        state = here.poll(state)

    assert len(here.letterbox.arrived) == 1
    assert here.letterbox.tries == 4
    assert here.pauses[-3:] == [5, 5, 5]


def test_an_answer_that_is_refused_for_good_is_put_once() -> None:
    here = world()
    state = decided(here)
    here.letterbox.fates = [Delivery.REFUSED]

    state = here.poll(state)

    assert state["Ended"] is True
    assert here.letterbox.arrived == []


def test_an_answer_is_put_for_as_long_as_cloudformation_waits_for_it() -> None:
    here = world()
    state = decided(here)
    here.letterbox.fates = [Delivery.LATER] * 10_000

    while not state["Ended"]:
        state = here.poll(state)

    assert REQUEST_SECONDS <= here.waited < REQUEST_SECONDS + 5


def test_a_decided_answer_is_not_decided_again() -> None:
    here = world()
    state = decided(here)
    here.personalize.shown[MINE]["status"] = "ACTIVE"
    here.letterbox.fates = [Delivery.LATER]

    state = here.poll(here.poll(state))

    assert [answer["Status"] for answer in here.letterbox.arrived] == ["FAILED"]


# -- what may be believed ----------------------------------------------------------------------


def test_what_may_be_stale_is_believed_when_it_still_shows_some_seconds_later() -> None:
    here = world("UPDATE_COMPLETE")

    answer = here.run(update())

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        "The Update of Recommender came too late: the stack is UPDATE_COMPLETE. Nothing was "
        "changed. See the stack's latest operation."
    )
    assert here.pauses == [0, int(CONFIRM_SECONDS), 0]
    assert here.personalize.calls == []


def test_what_was_stale_is_forgotten() -> None:
    here = world("UPDATE_COMPLETE")
    here.personalize.add(DESIRED.arn, tags=OWN, recommenderConfig=AS_ASKED)
    here.begin(update())
    state = here.poll(here.state())
    assert state["Doubted"] == ["Fail 6", here.clock()]

    here.cloudformation.status = "UPDATE_IN_PROGRESS"
    while not state["Ended"]:
        state = here.poll(state)

    (answer,) = here.letterbox.arrived
    assert answer["Status"] == "SUCCESS"


def test_a_doubt_begins_anew_after_something_else_has_shown() -> None:
    here = world("UPDATE_COMPLETE")
    here.begin(update())
    state = here.poll(here.state())

    here.cloudformation.fault = refusal("Throttling")
    state = here.poll(state)
    assert state["Doubted"] is None

    here.cloudformation.fault = None
    state = here.poll(state)
    assert state["Answer"] is None
    assert here.poll(state)["Answer"]


def test_a_time_that_shows_is_no_matter_of_doubt() -> None:
    here = world("UPDATE_IN_PROGRESS", datetime(2026, 1, 1, 0, 10, tzinfo=UTC))

    answer = here.run(update())

    assert answer["Status"] == "FAILED"
    assert here.waited == 0


def test_what_is_gone_at_a_later_look_is_doubted() -> None:
    here = world("DELETE_IN_PROGRESS")
    here.personalize.add(DESIRED.arn, tags=OWN)
    here.begin(DELETE)
    state = here.poll(here.state())
    assert here.personalize.changes == [("DeleteRecommender", DESIRED.arn)]

    here.personalize.shown.clear()
    gone = here.poll(state)
    assert gone["Answer"] is None
    assert gone["Seconds"] == CONFIRM_SECONDS

    believed = here.poll(gone)
    assert believed["Answer"]["Status"] == "SUCCESS"


def test_at_the_last_look_too_what_may_be_stale_is_looked_at_again() -> None:
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


def test_a_doubt_has_no_end_after_the_last_look() -> None:
    """Whatever goes wrong with a doubt, CloudFormation's hour must not end it."""
    here = world("DELETE_IN_PROGRESS")
    here.personalize.add(DESIRED.arn, tags=OWN)
    here.begin(DELETE)
    state = here.poll(here.state())

    here.personalize.shown.clear()
    here.clock.advance(Request.parse(DELETE).wait_seconds + CONFIRM_SECONDS)

    assert here.poll(state)["Answer"]["Status"] == "SUCCESS"


def test_a_look_at_a_stack_that_is_out_of_date_is_none_at_the_recommender() -> None:
    here = world("CREATE_IN_PROGRESS")
    here.begin(DELETE)
    assert here.state()["NothingSeen"]
    late = here.poll(here.state())
    assert late["Answer"] is None

    here.cloudformation.status = "DELETE_IN_PROGRESS"
    unseen = here.poll(late)
    assert (unseen["Answer"], unseen["NothingSeen"], unseen["Doubted"]) == (None, True, None)


def test_what_was_created_just_before_a_delete_is_waited_for_to_show() -> None:
    here = world("DELETE_IN_PROGRESS")
    here.begin(DELETE)
    state = here.poll(here.state())
    assert state["Answer"] is None

    here.personalize.add(DESIRED.arn, tags=OWN)
    here.poll(state)

    assert here.personalize.changes == [("DeleteRecommender", DESIRED.arn)]


def test_a_delete_of_what_never_shows_succeeds_after_the_grace_period() -> None:
    here = world("DELETE_IN_PROGRESS")

    answer = here.run(DELETE)

    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == DESIRED.arn
    assert GRACE_SECONDS <= here.waited <= GRACE_SECONDS + INTERVAL + CONFIRM_SECONDS


@pytest.mark.parametrize("service", ["CloudFormation", "Personalize"])
def test_a_look_that_was_throttled_makes_what_never_shows_gone_no_sooner(service: str) -> None:
    here = world("DELETE_IN_PROGRESS")
    if service == "CloudFormation":
        here.cloudformation.fault = refusal("Throttling")
    else:
        here.personalize.faults["DescribeRecommender"] = refusal("ThrottlingException")
    here.begin(DELETE)
    here.cloudformation.fault = None
    here.personalize.faults.clear()

    state = here.state()
    while not state["Ended"]:
        state = here.poll(state)

    assert here.waited >= GRACE_SECONDS


@pytest.mark.parametrize("service", ["CloudFormation", "Personalize"])
def test_a_look_that_could_not_be_made_makes_what_never_shows_gone_no_sooner(service: str) -> None:
    here = world("ROLLBACK_IN_PROGRESS")
    if service == "CloudFormation":
        here.cloudformation.fault = refusal("AccessDenied")
    else:
        here.personalize.faults["ListRecommenders"] = ZeroDivisionError("by zero")
    here.begin(sweep())
    here.cloudformation.fault = None
    here.personalize.faults.clear()

    state = here.state()
    while not state["Ended"]:
        state = here.poll(state)

    assert here.waited >= GRACE_SECONDS


def test_a_later_look_that_a_defect_ended_has_not_seen_it_either() -> None:
    here = world("DELETE_IN_PROGRESS")
    here.begin(DELETE)
    here.personalize.faults["DescribeRecommender"] = ZeroDivisionError("by zero")
    state = here.poll(here.state())
    here.personalize.faults.clear()

    unseen = here.poll(state)

    assert (unseen["Answer"], unseen["NothingSeen"], unseen["Doubted"]) == (None, True, None)


def test_a_delete_that_has_less_time_than_the_grace_period_succeeds_too() -> None:
    here = world("DELETE_IN_PROGRESS")
    raw = event({v.WAIT_SECONDS: "60"}, kind="Delete", PhysicalResourceId=DESIRED.arn)
    here.clock.advance(1)  # on its way

    answer = here.run(raw)

    assert answer["Status"] == "SUCCESS"


def test_what_only_a_delay_explains_fails_after_the_grace_period() -> None:
    here = world()

    answer = here.run(gate())

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        f"Personalize does not show {MINE}. If something outside this stack deleted it, change "
        "force_update, then deploy again. (Observed for 2 minutes.)"
    )
    assert GRACE_SECONDS <= here.waited <= GRACE_SECONDS + INTERVAL + CONFIRM_SECONDS


def test_a_policy_that_is_new_is_waited_for() -> None:
    here = world()
    here.personalize.faults["CreateRecommender"] = refusal("AccessDeniedException")
    here.begin(event())
    state = here.poll(here.state())
    assert state["Answer"] is None

    here.personalize.faults.clear()
    while not state["Ended"]:
        state = here.poll(state)

    (answer,) = here.letterbox.arrived
    assert answer["Status"] == "SUCCESS"


HANDS_OVER: dict[str, dict[str, Any]] = {
    "a leftover remains": {v.CONFIG: {}},
    "it is to be stopped after its update": {v.CONFIG: {}, v.RUNNING: "false"},
}


@pytest.mark.parametrize("row", HANDS_OVER)
def test_who_hands_an_update_over_says_that_there_is_one(row: str) -> None:
    here = world("UPDATE_IN_PROGRESS")
    here.personalize.add(DESIRED.arn, tags=OWN, recommenderConfig=AS_ASKED)
    here.personalize.add(f"{RECOMMENDER}TopPicks-{'0' * 16}", "DELETE PENDING")

    answer = here.run(update(HANDS_OVER[row]))

    assert here.personalize.changes == [("UpdateRecommender", DESIRED.arn)]
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"][v.UPDATED_AFTER_ATTRIBUTE] != v.NO_UPDATE


CLEANS_UP = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"


def test_a_clean_up_that_is_out_of_time_leaves_it_to_the_next_change() -> None:
    here = world(CLEANS_UP)
    here.personalize.add(DESIRED.arn, "CREATE PENDING", tags=OWN)

    answer = here.run(DELETE)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("Not deleted within 55 minutes: ")
    assert answer["Reason"].endswith(
        " The next change of the recommender removes it: remove the cause, then deploy with "
        "another force_update."
    )


def test_a_clean_up_that_is_refused_fails_at_once() -> None:
    here = world(CLEANS_UP)
    here.personalize.add(DESIRED.arn, tags=OWN)
    here.personalize.faults["DeleteRecommender"] = refusal("AccessDeniedException")

    answer = here.run(DELETE)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("DeleteRecommender: AccessDeniedException: the message")
    assert here.waited == 0


def test_a_deletion_of_the_stack_that_is_refused_is_tried_as_long_as_there_is_time() -> None:
    here = world("DELETE_IN_PROGRESS")
    here.personalize.add(DESIRED.arn, tags=OWN)
    here.personalize.faults["DeleteRecommender"] = refusal("AccessDeniedException")

    answer = here.run(DELETE)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", DESIRED.arn)
    assert 3300 <= here.waited <= 3301


# -- what nobody expected ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_defect_fails_after_the_grace_period_by_its_name_and_without_the_url(
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


def test_a_defect_that_passes_is_no_failure() -> None:
    here = world()
    here.personalize.faults["DescribeRecommender"] = ZeroDivisionError("by zero")
    here.begin(event())
    state = here.poll(here.state())

    here.personalize.faults.clear()
    while not state["Ended"]:
        state = here.poll(state)

    (answer,) = here.letterbox.arrived
    assert answer["Status"] == "SUCCESS"


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
def test_in_a_delete_it_is_tried_for_as_long_as_there_is_time_and_handed_over(
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


def test_a_defect_before_it_is_known_which_operation_deletes_is_handed_over() -> None:
    here = world("DELETE_IN_PROGRESS")
    here.cloudformation.fault = ZeroDivisionError("by zero")

    answer = here.run(DELETE)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", DESIRED.arn)
    assert 3300 <= here.waited <= 3301


@pytest.mark.parametrize("delivery", [Delivery.DELIVERED, Delivery.REFUSED])
def test_a_defect_when_an_execution_is_started_is_answered(delivery: Delivery) -> None:
    here = world()
    here.step_functions.fault = ZeroDivisionError("by zero")
    here.letterbox.fates = [delivery]

    here.begin(event())

    assert here.letterbox.tries == 1
    if delivery is Delivery.DELIVERED:
        (answer,) = here.letterbox.arrived
        assert answer["Status"] == "FAILED"
        assert answer["Reason"] == (
            "Nothing was changed. Unexpected ZeroDivisionError: by zero (a defect; the log has a "
            "traceback)"
        )


def test_a_defect_when_an_execution_is_started_may_pass() -> None:
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


def test_a_deletion_of_what_is_not_there_succeeds_though_no_execution_can_be_started() -> None:
    here = world("DELETE_IN_PROGRESS")
    here.step_functions.fault = ZeroDivisionError("by zero")

    here.begin(DELETE)

    (answer,) = here.letterbox.arrived
    assert answer["Status"] == "SUCCESS"


def test_a_defect_when_an_execution_is_started_is_tried_again_if_nobody_can_be_told() -> None:
    here = world()
    here.step_functions.fault = ZeroDivisionError("by zero")
    here.letterbox.fates = [Delivery.LATER]

    with pytest.raises(ZeroDivisionError):
        here.begin(event())


def test_what_xml_cannot_have_is_in_no_answer_and_half_of_a_pair_in_no_log() -> None:
    here = world()
    status = {"status": "CREATE FAILED", "failureReason": "Daten \ud83c\x1b[0m\x00 \U0001f3ac\n"}
    here.personalize.shown[DESIRED.arn] = {"recommenderArn": DESIRED.arn, **status}

    answer = here.run(gate(arn=DESIRED.arn))

    assert answer["Status"] == "FAILED"
    assert "Daten ��[0m� \U0001f3ac\n" in answer["Reason"]


def test_a_defect_with_half_of_a_pair_is_waited_for_like_any_other() -> None:
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
def test_a_request_that_is_not_as_it_must_be_changes_nothing_and_says_so(
    row: str, kind: str
) -> None:
    here = world(f"{kind.upper()}_IN_PROGRESS")
    old = {"PhysicalResourceId": "old"} if kind == "Update" else {}

    here.begin(event(REFUSED[row], kind=kind, **old))

    (answer,) = here.letterbox.arrived
    (name,) = REFUSED[row]
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("Nothing was changed. ")
    assert (name if name != v.CONFIG else "unknown") in answer["Reason"]
    assert answer["PhysicalResourceId"] == old.get("PhysicalResourceId", "Recommender")
    assert here.personalize.calls == []


@pytest.mark.parametrize("properties", [{v.NAME_PREFIX: "a b"}, {v.RECOMMENDER_LOGICAL_ID: ["x"]}])
def test_nothing_came_of_it_so_that_there_is_nothing_to_delete(
    properties: dict[str, Any],
) -> None:
    here = world("ROLLBACK_IN_PROGRESS")

    here.begin(event(properties, kind="Delete", PhysicalResourceId="Recommender"))

    (answer,) = here.letterbox.arrived
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "Recommender")
    assert here.personalize.changes == []
    assert here.step_functions.executions == {}


@pytest.mark.parametrize("name", [v.LINK, v.WAIT_SECONDS, v.RECOMMENDER_ARN, v.CONFIG])
def test_a_gate_that_is_not_as_it_must_be_is_refused(name: str) -> None:
    here, raw = world(), gate()
    raw["ResourceProperties"][name] = "not like this"

    here.begin(raw)

    (answer,) = here.letterbox.arrived
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(f"Nothing was changed. ResourceProperties.{name}: got ")
    assert answer["Data"] == {}


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no stack": ({"StackId": ""}, "Recommender"),
    "no resource": ({"LogicalResourceId": None}, "unknown"),
    "an id": ({"RequestId": None, "PhysicalResourceId": "old"}, "old"),
}


@pytest.mark.parametrize("row", BROKEN)
def test_a_request_that_is_not_understood_is_answered_all_the_same(row: str) -> None:
    members, physical_id = BROKEN[row]
    here = world()

    here.begin(event() | members)

    (answer,) = here.letterbox.arrived
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", physical_id)
    assert answer["Reason"].startswith("Nothing was changed. event.")
    assert answer["Data"] == {}


# -- in time -----------------------------------------------------------------------------------

SENT = 1_767_225_600.0


def after(seconds: float, *, wait_seconds: float = 3300.0) -> Timing:
    """Return the time of a request so many seconds after it was sent."""
    return Timing(SENT, SENT, SENT + seconds, wait_seconds)


def too_late(waited: str, reason: str = "it trains") -> Fail:
    return Fail(f"Not possible within {waited}: {reason}. Deploy again when that has ended.")


def attempt(raw: Mapping[str, Any]) -> CustomResource:
    """Return the attempt at a request that has something to do."""
    made = custom_resource_for(Request.parse(raw))
    assert made is not None
    return made


WAITS = Wait("it trains", updated_after=5.0)
HANDED_OVER = replace(WAITS, hands_over=True)
ABSENT, GONE = Fail("it is not there.", confirm=GRACE_SECONDS), Done("gone", confirm=6.0)
IN_TIME: dict[str, tuple[Verdict, bool, Timing, Verdict]] = {
    "done is done": (Done("d", Progress.GONE), True, after(9999), Done("d", Progress.GONE)),
    "failed is failed": (Fail("f"), True, after(9999), Fail("f")),
    "there is time": (WAITS, True, after(3299.9), WAITS),
    "there is time to hand over": (HANDED_OVER, True, after(3299.9), HANDED_OVER),
    "the time is up": (WAITS, True, after(3300), too_late("55 minutes")),
    "the next link waits on": (
        HANDED_OVER,
        True,
        after(3300),
        Done("it trains", updated_after=5.0),
    ),
    "a short time is up": (WAITS, True, after(60, wait_seconds=60), too_late("60 seconds")),
    "just below two minutes": (WAITS, True, after(119.4, wait_seconds=1), too_late("119 seconds")),
    "two minutes": (WAITS, True, after(120, wait_seconds=120), too_late("2 minutes")),
    "a delay may explain it": (ABSENT, False, after(119.9), ABSENT),
    "no delay explains it": (
        ABSENT,
        True,
        after(130),
        Fail("it is not there. (Observed for 2 minutes.)"),
    ),
    "no delay explains it when the time is up": (
        ABSENT,
        True,
        after(3300),
        Fail("it is not there. (Observed for 2 minutes.)"),
    ),
    "the time is up before it is believed": (
        ABSENT,
        False,
        after(60, wait_seconds=60),
        too_late("60 seconds", "it is not there"),
    ),
    "it may be gone when the time is up": (GONE, False, after(3300), GONE),
}


@pytest.mark.parametrize("row", IN_TIME)
def test_a_wait_and_a_failure_that_may_pass_end_when_the_time_is_up(row: str) -> None:
    verdict, confirmed, timing, expected = IN_TIME[row]

    assert apply_deadline(verdict, timing, attempt(event()), confirmed=confirmed) == expected


def test_a_failure_that_may_pass_is_handed_over_if_the_next_link_waits_on() -> None:
    for raw, expected in (
        (gate(1), Done("it is not there.")),
        (sweep(2), Done("it is not there.")),
    ):
        made = apply_deadline(ABSENT, after(3300), attempt(raw), confirmed=False)

        assert made == expected


PAUSES: dict[str, tuple[Verdict, float | None, Timing, int | None]] = {
    "a wait": (WAITS, None, after(100), 60),
    "a wait just before the time is up": (WAITS, None, after(3290), 10),
    "done": (Done("d"), None, after(100), None),
    "failed": (Fail("f"), None, after(100), None),
    "it may be gone": (GONE, 100.0, after(100), 6),
    "it may be gone still": (GONE, 98.0, after(100), 4),
    "it is gone": (GONE, None, after(106), None),
    "it may be gone when the time is up": (GONE, 3300.0, after(3300), 1),
    "it may be gone soon after the time is up": (GONE, 3304.0, after(3305), 1),
    "no verdict is confirmed long after the time is up": (GONE, 3304.0, after(3306), None),
    "a delay may explain it": (ABSENT, 100.0, after(100), 60),
    "a delay may explain it no longer": (ABSENT, 100.0, after(200), 20),
    "a Delete that nothing fails": (Fail("denied", confirm=math.inf), 0.0, after(100), 60),
}


@pytest.mark.parametrize("row", PAUSES)
def test_a_request_is_polled_until_a_verdict_is_confirmed(row: str) -> None:
    verdict, since, timing, expected = PAUSES[row]
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


def test_each_look_says_where_it_is(caplog: pytest.LogCaptureFixture) -> None:
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
    assert (first["look"], first["waited"], first["left"]) == (1, 0, 3300)
    assert (second["look"], second["left"]) == (2, 3300 - second["waited"])
    assert 0 < second["waited"] <= INTERVAL


def test_a_look_that_may_change_something_says_what_is_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    here = world("DELETE_IN_PROGRESS")
    here.personalize.add(DESIRED.arn, "DELETE PENDING", tags=OWN)

    with caplog.at_level(logging.INFO):
        here.begin(DELETE)
        here.poll(here.state())

    (looked,) = logged(caplog, "verdict")
    assert looked["status"] == "DELETE PENDING"


def test_where_there_is_no_chain_and_nothing_to_see_it_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    here = world()
    with caplog.at_level(logging.INFO):
        here.begin(event())
        here.poll(here.state())

    (looked,) = logged(caplog, "verdict")
    assert "link" not in looked
    assert looked["status"] is None
    assert looked["message"] == f"Create of Recommender: Done, {looked['why']}"


@pytest.mark.parametrize(
    ("fate", "message"),
    [
        (Delivery.DELIVERED, "answered"),
        (Delivery.LATER, "not answered yet"),
        (Delivery.REFUSED, "not answered: the ResponseURL no longer takes an answer"),
    ],
)
def test_what_has_become_of_an_answer_is_logged(
    fate: Delivery, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    here = world()
    here.letterbox.fates = [fate]

    with caplog.at_level(logging.INFO):
        here.begin(sweep(kind="Create"))

    (record,) = logged(caplog, "delivery")
    assert record["message"] == f"Create of Sweep01 is {message}: SUCCESS"
    assert (record["status"], record["delivery"]) == ("SUCCESS", fate.name)
    assert (record["resource"], record["type"]) == ("Sweep01", "Create")


def test_no_look_that_goes_on_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    here = world()
    here.personalize.add(MINE, "CREATE PENDING")

    with caplog.at_level(logging.DEBUG):
        here.run(gate(3))

    assert {record.levelno for record in caplog.records} == {logging.INFO}
    assert SIGNATURE not in repr([vars(record) for record in caplog.records])
