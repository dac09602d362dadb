"""A request that waits: what its execution carries, and how that is started."""

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender.aws.errors import PermanentError, TransientError
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.protocol.execution import Execution, StateMachine, Unconfirmed
from tests.support.personalize import VirtualClock
from tests.support.serverless import through_lambda

from .examples import RESPONSE_URL, event
from .fakes import FakeStepFunctions, refusal

STATE_MACHINE = "arn:aws:states:eu-west-1:111111111111:stateMachine:Waiter"
TIMES = st.floats(1_700_000_000, 4_000_000_000)
OTHER_URL = RESPONSE_URL.replace("Signature=", "Signature=f")


def waiting(**members: Any) -> Execution:
    """Return a request that is begun when it is sent."""
    return Execution.begin(event(**members), now=VirtualClock().now, interval=60.0)


# -- what it carries ---------------------------------------------------------------------------


@given(
    st.builds(
        Execution,
        event=st.builds(lambda url, kind: event(ResponseURL=url, kind=kind), st.text(), st.text()),
        interval=st.floats(0.1, 3600),
        sent=TIMES,
        begun=TIMES,
        attempts=st.integers(0, 10_000),
        operation=st.none()
        | st.builds(
            Operation,
            st.sampled_from(["CREATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"]),
            st.just("") | st.datetimes(min_value=datetime(2000, 1, 1)).map(datetime.isoformat),
        ),
        nothing_seen=st.booleans(),
        unconfirmed=st.none() | st.builds(Unconfirmed, st.sampled_from(["Done", "Fail"]), TIMES),
        in_force=st.dictionaries(st.text(), st.dictionaries(st.text(), st.booleans())),
        answer=st.none() | st.fixed_dictionaries({"Status": st.text(), "Data": st.just({})}),
        seconds=st.integers(0, 3600),
        ended=st.booleans(),
    )
)
def test_all_that_is_known_of_a_request_goes_with_it(request_: Execution) -> None:
    begun = json.loads(json.dumps(request_.to_json()))
    polled = through_lambda(lambda state: Execution.from_json(state).to_json(), begun)

    assert Execution.from_json(begun) == request_
    assert Execution.from_json(polled) == request_


def test_a_state_has_what_the_state_machine_reads() -> None:
    state = replace(waiting(), seconds=7, ended=True).to_json()

    assert (state["Seconds"], state["Ended"]) == (7, True)


def test_a_request_was_sent_when_its_response_url_was_signed() -> None:
    now = VirtualClock().now

    late = Execution.begin(event(), now=now + 300, interval=60.0)

    assert (late.sent, late.begun) == (now, now + 300)
    assert late.timing(now + 360, 3300).waited == 360


@pytest.mark.parametrize("date", ["20270101T000000Z", "yesterday", ""])
def test_a_request_was_sent_when_it_was_seen_first_if_its_url_has_no_date_that_can_be(
    date: str,
) -> None:
    url = RESPONSE_URL.replace("20260101T000000Z", date)

    request = waiting(ResponseURL=url)

    assert request.sent == request.begun == VirtualClock().now


def test_a_look_is_counted_and_an_answer_is_delivered_at_once() -> None:
    looked = replace(waiting(), seconds=60).looked(nothing_seen=False)

    assert (looked.looks, looked.nothing_seen) == (1, False)
    assert looked.looked().looks == 2
    assert (looked.answered({"Status": "SUCCESS"}).answer, looked.answered({}).seconds) == (
        {"Status": "SUCCESS"},
        0,
    )


def test_a_verdict_is_doubted_since_it_shows_and_anew_after_another_one() -> None:
    now = VirtualClock().now
    unconfirmed = replace(waiting(), unconfirmed=Unconfirmed("Done", now))

    assert waiting().doubt("Done", now) == Unconfirmed("Done", now)
    assert unconfirmed.doubt("Done", now + 5) == Unconfirmed("Done", now)
    assert unconfirmed.doubt("Fail", now + 5) == Unconfirmed("Fail", now + 5)


# -- its name ----------------------------------------------------------------------------------


def test_a_request_that_is_delivered_again_has_the_same_name() -> None:
    first = waiting()
    again = Execution.begin(dict(reversed(event().items())), now=first.begun + 60, interval=30.0)

    assert again.name == first.name


DIFFERENT: dict[str, dict[str, Any]] = {
    "signed anew": {"ResponseURL": OTHER_URL},
    "another request": {"RequestId": "r-2"},
    "the two run into each other": {"RequestId": "r-1\nh", "ResponseURL": RESPONSE_URL[1:]},
}


@pytest.mark.parametrize("row", DIFFERENT)
def test_another_request_has_another_name_also_if_it_has_the_same_id(row: str) -> None:
    assert waiting(**DIFFERENT[row]).name != waiting().name


@given(st.text(), st.text())
def test_a_name_is_one_that_step_functions_accepts_and_gives_nothing_away(
    request_id: str, url: str
) -> None:
    name = waiting(RequestId=request_id, ResponseURL=url).name

    assert re.fullmatch(r"[0-9a-f]{64}", name)


@given(st.text(), st.text())
def test_a_share_of_the_interval_is_never_nothing_and_never_more_than_all(
    request_id: str, url: str
) -> None:
    assert 0.0 < waiting(RequestId=request_id, ResponseURL=url).share <= 1.0


def test_shares_are_spread_over_the_whole_interval() -> None:
    shares = sorted(waiting(RequestId=f"r-{number}").share for number in range(200))

    assert all(abs(share - number / 200) < 0.15 for number, share in enumerate(shares))


# -- its start ---------------------------------------------------------------------------------


class Throttled(FakeStepFunctions):
    """Refuses every start until a time."""

    def __init__(self, clock: VirtualClock, until: float, error: Exception) -> None:
        super().__init__()
        self._clock, self._until, self._error = clock, until, error

    def start_execution(self, **given: Any) -> Any:
        self.fault = self._error if self._clock() < self._until else None
        return super().start_execution(**given)


def state_machine(
    step_functions: FakeStepFunctions, clock: VirtualClock | None = None
) -> StateMachine:
    """Return a waiter whose pauses are spent on a clock."""
    clock = clock or VirtualClock()
    return StateMachine(step_functions, STATE_MACHINE, pause=clock.advance)


def test_a_request_is_started_with_all_that_is_known_of_it() -> None:
    step_functions, request = FakeStepFunctions(), waiting()

    assert state_machine(step_functions).start(request) is True

    assert step_functions.executions.keys() == {request.name}
    assert Execution.from_json(json.loads(step_functions.executions[request.name])) == request


def test_a_request_is_started_once() -> None:
    step_functions, request = FakeStepFunctions(), waiting()

    started = [state_machine(step_functions).start(request) for _ in range(3)]

    assert started == [True, False, False]
    assert len(step_functions.executions) == 1


PASSES: dict[str, Exception] = {
    "throttled": refusal("ThrottlingException"),
    "a fault of the service": refusal("AnythingElse", status=500),
    "no answer": ReadTimeoutError(endpoint_url="https://states.example"),
    "the policy is new": refusal("AccessDeniedException"),
    "nobody knows why": refusal("StateMachineDoesNotExist"),
}
REFUSED = ("the policy is new", "nobody knows why")


@pytest.mark.parametrize("row", PASSES)
@pytest.mark.parametrize("seconds", [1, 30, 60, 200])
def test_what_passes_within_minutes_is_waited_for(row: str, seconds: int) -> None:
    clock = VirtualClock()
    began = clock()
    step_functions = Throttled(clock, began + seconds, PASSES[row])

    assert state_machine(step_functions, clock).start(waiting()) is True

    assert seconds <= clock() - began <= max(2.5 * seconds, 5)
    assert len(step_functions.executions) == 1


@pytest.mark.parametrize("row", PASSES)
def test_what_does_not_pass_within_minutes_is_raised(row: str) -> None:
    clock = VirtualClock()
    began = clock()
    step_functions = Throttled(clock, began + 3600, PASSES[row])

    with pytest.raises((TransientError, PermanentError), match="StartExecution: ") as error:
        state_machine(step_functions, clock).start(waiting())

    assert isinstance(error.value, PermanentError) is (row in REFUSED)
    assert (clock() - began, step_functions.tries) == (235, 7)


def test_a_defect_of_ours_is_tried_for_as_long_for_it_may_be_of_one_answer() -> None:
    clock = VirtualClock()
    step_functions = Throttled(clock, clock() + 3600, ZeroDivisionError("by zero"))

    with pytest.raises(ZeroDivisionError):
        state_machine(step_functions, clock).start(waiting())

    assert step_functions.tries == 7


def test_a_start_whose_answer_was_lost_was_the_first() -> None:
    """The second try finds the execution that the first one started."""

    class Lossy(FakeStepFunctions):
        def start_execution(self, **given: Any) -> Any:
            started = super().start_execution(**given)
            raise ReadTimeoutError(endpoint_url="https://states.example") if started else started

    step_functions = Lossy()

    assert state_machine(step_functions).start(waiting()) is False
    assert len(step_functions.executions) == 1


def test_no_error_of_a_start_has_the_response_url() -> None:
    error: ClientError = refusal("InvalidExecutionInput")
    step_functions = FakeStepFunctions()
    step_functions.fault = error

    with pytest.raises(PermanentError) as refused:
        state_machine(step_functions).start(waiting())

    assert RESPONSE_URL not in str(refused.value)
