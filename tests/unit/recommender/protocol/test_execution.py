"""An execution: its state, its name, and its start."""

import json
import math
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender.aws.errors import PermanentError, TransientError
from lambdas.recommender.decision.verdict import Done, Fail, Verdict, Wait
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.protocol.execution import Execution, StateMachine, Unconfirmed
from lambdas.recommender.reconcile.reconciler import Known
from tests.support.personalize import VirtualClock
from tests.support.serverless import through_lambda

from ..examples import RESPONSE_URL, STATE_MACHINE, event
from ..fakes import FakeStepFunctions, refusal

TIMES = st.floats(1_700_000_000, 4_000_000_000)
OTHER_URL = RESPONSE_URL.replace("Signature=", "Signature=f")


def begun(**members: Any) -> Execution:
    """Return a request that is begun when it is sent."""
    return Execution.begin(event(**members), now=VirtualClock().now, interval=60.0)


# -- its state ---------------------------------------------------------------------------


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
def test_execution_survives_the_json_of_its_state(request_: Execution) -> None:
    begun = json.loads(json.dumps(request_.to_json()))
    polled = through_lambda(lambda state: Execution.from_json(state).to_json(), begun)

    assert Execution.from_json(begun) == request_
    assert Execution.from_json(polled) == request_


def test_state_of_version_0_1_0_has_read_no_tags() -> None:
    state = begun().to_json()
    del state["TagsRead"]

    assert Execution.from_json(state).known.tags_read == frozenset()


def test_request_was_sent_when_its_response_url_was_signed() -> None:
    now = VirtualClock().now

    late = Execution.begin(event(), now=now + 300, interval=60.0)

    assert (late.sent, late.begun) == (now, now + 300)
    assert late.timing(now + 360, 3300).waited == 360


@pytest.mark.parametrize("date", ["20270101T000000Z", "yesterday", ""])
def test_request_without_a_possible_date_was_sent_when_it_was_begun(date: str) -> None:
    url = RESPONSE_URL.replace("20260101T000000Z", date)

    request = begun(ResponseURL=url)

    assert request.sent == request.begun == VirtualClock().now


BRIEF, LONG = Done("gone", confirm=6.0), Fail("it does not exist", confirm=120.0)
CONFIRMS: dict[str, tuple[Verdict, Unconfirmed | None, float | None]] = {
    "a wait": (Wait("it trains"), Unconfirmed("Done 6", 0.0), None),
    "needs no confirmation": (Done("ACTIVE"), Unconfirmed("Done 6", 0.0), None),
    "first time": (BRIEF, None, 100.0),
    "second time": (BRIEF, Unconfirmed("Done 6", 95.0), 95.0),
    "long enough": (BRIEF, Unconfirmed("Done 6", 94.0), None),
    "after another verdict": (BRIEF, Unconfirmed("Fail 6", 0.0), 100.0),
    "after a shorter failure": (LONG, Unconfirmed("Fail 6", 0.0), 100.0),
    "longer failure": (LONG, Unconfirmed("Fail 120", 0.0), 0.0),
    "failure that is never confirmed": (
        Fail("denied", confirm=math.inf),
        Unconfirmed("Fail inf", 0.0),
        0.0,
    ),
    "state of version 0.1.0": (BRIEF, Unconfirmed("Done", 0.0), 100.0),
}


@pytest.mark.parametrize("row", CONFIRMS)
def test_verdict_is_unconfirmed_until_it_has_shown_for_long_enough(row: str) -> None:
    verdict, before, since = CONFIRMS[row]

    unconfirmed = replace(begun(), unconfirmed=before).confirming(verdict, 100.0)

    assert (unconfirmed and unconfirmed.since) == since


# -- its name ----------------------------------------------------------------------------------


def test_name_is_the_same_for_a_request_that_is_delivered_twice() -> None:
    first = begun()
    again = Execution.begin(dict(reversed(event().items())), now=first.begun + 60, interval=30.0)

    assert again.name == first.name


DIFFERENT: dict[str, dict[str, Any]] = {
    "another signature": {"ResponseURL": OTHER_URL},
    "another request": {"RequestId": "r-2"},
    "run into each other": {"RequestId": "r-1\nh", "ResponseURL": RESPONSE_URL[1:]},
}


@pytest.mark.parametrize("row", DIFFERENT)
def test_name_differs_for_another_request(row: str) -> None:
    assert begun(**DIFFERENT[row]).name != begun().name


@given(st.text(), st.text())
def test_name_is_a_hash_that_step_functions_accepts(request_id: str, url: str) -> None:
    name = begun(RequestId=request_id, ResponseURL=url).name

    assert re.fullmatch(r"[0-9a-f]{64}", name)


@given(st.text(), st.text())
def test_share_is_above_0_and_at_most_1(request_id: str, url: str) -> None:
    assert 0.0 < begun(RequestId=request_id, ResponseURL=url).share <= 1.0


def test_shares_are_spread_evenly() -> None:
    shares = sorted(begun(RequestId=f"r-{number}").share for number in range(200))

    assert all(abs(share - number / 200) < 0.15 for number, share in enumerate(shares))


# -- its start ---------------------------------------------------------------------------------


def test_start_gives_the_whole_execution_to_the_state_machine() -> None:
    step_functions, request = FakeStepFunctions(), begun()

    assert StateMachine(step_functions, STATE_MACHINE).start(request) is True

    assert step_functions.executions.keys() == {request.name}
    assert Execution.from_json(json.loads(step_functions.executions[request.name])) == request


def test_start_of_a_started_execution_returns_false() -> None:
    step_functions, request = FakeStepFunctions(), begun()
    machine = StateMachine(step_functions, STATE_MACHINE)

    started = [machine.start(request) for _ in range(3)]

    assert started == [True, False, False]
    assert len(step_functions.executions) == 1


@pytest.mark.parametrize(
    ("code", "raised"),
    [("ThrottlingException", TransientError), ("AccessDeniedException", PermanentError)],
)
def test_start_that_fails_raises_without_a_retry(code: str, raised: type[Exception]) -> None:
    step_functions = FakeStepFunctions()
    step_functions.fault = refusal(code)

    with pytest.raises(raised, match=f"StartExecution: {code}"):
        StateMachine(step_functions, STATE_MACHINE).start(begun())

    assert step_functions.tries == 1
