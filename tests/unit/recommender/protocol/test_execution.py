"""A request that waits: what its execution carries, and how that is started."""

import json
import math
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender.aws.errors import PermanentError, TransientError
from lambdas.recommender.decision.verdict import Done, Fail, Verdict, Wait
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.protocol.execution import Execution, StateMachine, Unconfirmed
from lambdas.recommender.reconcile.reconciler import Known
from tests.support.personalize import VirtualClock
from tests.support.serverless import through_lambda

from ..examples import RESPONSE_URL, event
from ..fakes import FakeStepFunctions, refusal

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
        known=st.builds(
            Known,
            effective=st.dictionaries(st.text(), st.dictionaries(st.text(), st.booleans())),
            tags_read=st.frozensets(st.text()),
            updated_after=st.none() | TIMES,
        ),
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


def test_an_answer_is_delivered_at_once() -> None:
    answered = replace(waiting(), seconds=60).answered({"Status": "SUCCESS"})

    assert (answered.answer, answered.seconds) == ({"Status": "SUCCESS"}, 0)


def test_only_the_first_poll_comes_sooner_than_after_an_interval() -> None:
    assert 0 < waiting().share < 1
    assert replace(waiting(), attempts=1).share == 1


BRIEF, LONG = Done("gone", confirm=6.0), Fail("it does not exist", confirm=120.0)
CONFIRMS: dict[str, tuple[Verdict, Unconfirmed | None, float | None]] = {
    "a wait": (Wait("it trains"), Unconfirmed("Done 6", 0.0), None),
    "a verdict that is certain": (Done("ACTIVE"), Unconfirmed("Done 6", 0.0), None),
    "at first": (BRIEF, None, 100.0),
    "again": (BRIEF, Unconfirmed("Done 6", 95.0), 95.0),
    "for long enough": (BRIEF, Unconfirmed("Done 6", 94.0), None),
    "after another verdict": (BRIEF, Unconfirmed("Fail 6", 0.0), 100.0),
    "after a verdict that takes longer": (LONG, Unconfirmed("Fail 6", 0.0), 100.0),
    "a failure that takes longer": (LONG, Unconfirmed("Fail 120", 0.0), 0.0),
    "a failure that never is certain": (
        Fail("denied", confirm=math.inf),
        Unconfirmed("Fail inf", 0.0),
        0.0,
    ),
    "a state of version 0.1.0": (BRIEF, Unconfirmed("Done", 0.0), 100.0),
}


@pytest.mark.parametrize("row", CONFIRMS)
def test_a_verdict_is_unconfirmed_until_it_has_shown_for_long_enough(row: str) -> None:
    verdict, before, since = CONFIRMS[row]

    unconfirmed = replace(waiting(), unconfirmed=before).confirming(verdict, 100.0)

    assert (unconfirmed and unconfirmed.since) == since


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


def state_machine(step_functions: FakeStepFunctions) -> StateMachine:
    """Return a state machine that the fake runs."""
    return StateMachine(step_functions, STATE_MACHINE)


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
def test_a_start_that_fails_is_raised_and_not_tried_again(row: str) -> None:
    step_functions = FakeStepFunctions()
    step_functions.fault = PASSES[row]

    with pytest.raises((TransientError, PermanentError), match="StartExecution: ") as error:
        state_machine(step_functions).start(waiting())

    assert isinstance(error.value, PermanentError) is (row in REFUSED)
    assert step_functions.tries == 1


def test_a_start_whose_answer_was_lost_was_the_first() -> None:
    """The second try finds the execution that the first one started."""

    class Lossy(FakeStepFunctions):
        def start_execution(self, **given: Any) -> Any:
            started = super().start_execution(**given)
            raise ReadTimeoutError(endpoint_url="https://states.example") if started else started

    step_functions = Lossy()

    with pytest.raises(TransientError):
        state_machine(step_functions).start(waiting())
    assert state_machine(step_functions).start(waiting()) is False
    assert len(step_functions.executions) == 1


def test_no_error_of_a_start_has_the_response_url() -> None:
    error: ClientError = refusal("InvalidExecutionInput")
    step_functions = FakeStepFunctions()
    step_functions.fault = error

    with pytest.raises(PermanentError) as refused:
        state_machine(step_functions).start(waiting())

    assert RESPONSE_URL not in str(refused.value)
