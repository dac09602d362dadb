"""The state machine's real definition, under an interpreter that others wrote and under our fake.

Theirs is moto's copy of LocalStack's interpreter of the Amazon States Language. Only its waits and
its calls of Lambda are replaced: a wait takes no time, and the function answers what a test says.
"""

import io
import itertools
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError
from moto.core.exceptions import AWSError
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import (
    WaitFunction,
)
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from lambdas.recommender.model.timing import MAX_POLLS
from local_aws import toolchain
from local_aws.personalize import ServiceError
from tests.support.personalize import VirtualClock
from tests.support.place import ACCOUNT, REGION
from tests.support.serverless import FunctionKilledError, StateMachine, ThrottledError
from tests.support.synthesis import ROOT, Deployable
from tests.support.timeline import Timeline

pytestmark = pytest.mark.rows("L1", "L2")

FUNCTION: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Poll"
GOES_ON, ENDED = {"Seconds": 60, "Ended": False}, {"Seconds": 0, "Ended": True}
THROTTLED, KILLED, BROKEN = "throttled", "killed", "broken"
Outcome = dict[str, Any] | str
"""What an invocation comes to: the state that the function returns, or what goes wrong."""


@dataclass
class Run:
    """What an execution did.

    Attributes:
        inputs: what the function was invoked with.
        waits: the seconds between the states, those of a retry among them.
        history: how many events it has.
        status: how it ended.
        output: with what.
    """

    outcomes: Iterator[Outcome]
    inputs: list[Any] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    history: int = 0
    status: str = ""
    output: Any = None


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    """The definition of the template, with the function's ARN in it."""
    template = Deployable.of("TopPicks", {"max_training_hours": 1})
    (name,) = template.ids_of("AWS::StepFunctions::StateMachine")
    machine = template.resources[name]["Properties"]
    assert machine["DefinitionSubstitutions"].keys() == {"Poll"}
    text = machine["DefinitionString"].replace("${Poll}", FUNCTION)
    made: dict[str, Any] = json.loads(text)
    return made


def ours(definition: dict[str, Any], run: Run) -> Run:
    """Run it under the fake of this suite."""
    clock = VirtualClock()
    timeline = Timeline(clock)

    def invoke(state: Any) -> Any:
        run.inputs.append(state)
        match next(run.outcomes):
            case "throttled":
                raise ThrottledError
            case "killed":
                raise FunctionKilledError
            case str() as error:
                raise RuntimeError(error)
            case outcome:
                return outcome

    execution = StateMachine(timeline).start("one", json.dumps(GOES_ON), definition, invoke)
    while timeline.next() is not None:
        began = clock.now
        timeline.step()
        run.waits += [clock.now - began] if clock.now > began else []
    run.history, run.status, run.output = execution.history, execution.status, execution.data
    return run


class Lambda:
    """Lambda, as the interpreter's client of it is."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def invoke(self, *, FunctionName: str, Payload: bytes, **_: Any) -> dict[str, Any]:
        """Invoke the function."""
        assert FunctionName == FUNCTION
        self._run.inputs.append(json.loads(Payload))
        match next(self._run.outcomes):
            case "throttled":
                error = {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
                raise ClientError({"Error": error}, "Invoke")  # type: ignore[typeddict-item]
            case str() as error:
                failure = {"errorType": "Runtime.ExitError", "errorMessage": error}
                return {"FunctionError": "Unhandled", "Payload": _body(failure), **_ANSWER}
            case outcome:
                return {"Payload": _body(outcome), **_ANSWER}


_ANSWER: Final = {"StatusCode": 200, "ExecutedVersion": "$LATEST", "ResponseMetadata": {}}


def _body(value: Any) -> io.BytesIO:
    return io.BytesIO(json.dumps(value).encode())


def ended(execution: Any) -> None:
    """Wait for an execution of the interpreter, which runs in a thread of its own."""
    for _ in range(2000):
        if execution.exec_status != "RUNNING":
            break
        time.sleep(0.005)


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any], Run], Run]:
    """Run it under the interpreter of others."""

    def run_it(definition: dict[str, Any], run: Run) -> Run:
        def waited(_self: Any, *, env: Any, wait_seconds: int) -> None:
            del env
            run.waits += [wait_seconds] if wait_seconds else []

        with monkeypatch.context() as patch:
            patch.setattr(WaitFunction, "_wait_interval", waited)
            patch.setattr(retrier_decl, "time", SimpleNamespace(sleep=run.waits.append))
            patch.setattr(lambda_eval_utils, "boto_client_for", lambda **_: Lambda(run))
            backend = StepFunctionsParserBackend(REGION, ACCOUNT)
            machine = backend.create_state_machine(
                name="Waiter",
                definition=json.dumps(definition),
                roleArn=f"arn:aws:iam::{ACCOUNT}:role/Waiter",
            )
            execution = backend.start_execution(machine.arn, "one", json.dumps(GOES_ON))
            ended(execution)
            run.history = len(execution.to_history_output()["events"])
            run.status, run.output = execution.exec_status or "", execution.output
        return run

    return run_it


SCRIPTS: Final[dict[str, Sequence[Outcome]]] = {
    "answered at the first poll": [ENDED],
    "waited for": [GOES_ON, {**GOES_ON, "Seconds": 6}, GOES_ON, ENDED],
    "delivered again": [{"Seconds": 5, "Ended": False}, ENDED],
    "throttled": [THROTTLED, ENDED],
    "throttled for long": [*[THROTTLED] * 30, GOES_ON, ENDED],
    "killed": [GOES_ON, KILLED, KILLED, GOES_ON, ENDED],
    "all that can go wrong": [BROKEN, THROTTLED, KILLED, GOES_ON, BROKEN, ENDED],
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_definition_does_the_same_under_an_interpreter_of_others(
    definition: dict[str, Any], theirs: Callable[[dict[str, Any], Run], Run], script: str
) -> None:
    fake = ours(definition, Run(iter(SCRIPTS[script])))
    real = theirs(definition, Run(iter(SCRIPTS[script])))

    assert real.status == fake.status == "SUCCEEDED"
    assert real.output == fake.output == ENDED
    assert real.inputs == fake.inputs
    assert real.history == fake.history
    assert len(real.waits) == len(fake.waits)
    for theirs_waited, ours_waited in zip(real.waits, fake.waits, strict=True):
        assert theirs_waited <= ours_waited, "with full jitter, a retry comes earlier at most"


def test_polls_that_never_succeed_fail_the_execution_as_with_others(
    definition: dict[str, Any], theirs: Callable[[dict[str, Any], Run], Run]
) -> None:
    (retry,) = definition["States"]["Poll"]["Retry"]
    less = {**definition["States"]["Poll"], "Retry": [{**retry, "MaxAttempts": 2}]}
    patched = {**definition, "States": {**definition["States"], "Poll": less}}
    script: Sequence[Outcome] = [GOES_ON, KILLED, BROKEN, THROTTLED]

    fake, real = ours(patched, Run(iter(script))), theirs(patched, Run(iter(script)))

    assert real.status == fake.status == "FAILED"
    assert (real.inputs, real.history) == (fake.inputs, fake.history)


def test_a_poll_makes_nine_events_and_a_retry_three(
    definition: dict[str, Any], theirs: Callable[[dict[str, Any], Run], Run]
) -> None:
    """So `MAX_POLLS` polls stay within the 25,000 events of an execution."""

    def events(*outcomes: Outcome) -> int:
        return theirs(definition, Run(iter(outcomes))).history

    once = events(ENDED)
    assert events(GOES_ON, ENDED) - once == 9
    assert events(THROTTLED, ENDED) - once == 3
    assert once + 9 * MAX_POLLS < 25_000


def refusal(start: Callable[[], object]) -> str:
    """Return the code with which StartExecution refuses, or nothing."""
    try:
        start()
    except (ServiceError, AWSError) as error:
        return error.code if isinstance(error, ServiceError) else error.TYPE or ""
    return ""


LONGEST: Final = "0123456789-abcdef_TopPicks".ljust(80, "x")


@pytest.mark.parametrize("name", [LONGEST, LONGEST + "x", "two words", "a*", "a:b", "a\x7f"])
def test_an_execution_may_have_the_names_that_others_let_it_have(name: str) -> None:
    def ours() -> object:
        return StateMachine(Timeline(VirtualClock())).start(name, "{}", {}, str)

    theirs = StepFunctionsParserBackend(REGION, ACCOUNT)
    assert refusal(ours) == refusal(lambda: theirs._validate_name(name))


def test_a_name_is_used_once_as_with_others(
    definition: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Again with the same input while it runs: the same execution. Else it is refused."""
    goes_on = threading.Event()

    def invoke(**_: Any) -> dict[str, Any]:
        goes_on.wait(10)
        return {"Payload": _body(ENDED), **_ANSWER}

    monkeypatch.setattr(
        lambda_eval_utils, "boto_client_for", lambda **_: SimpleNamespace(invoke=invoke)
    )
    backend, timeline = StepFunctionsParserBackend(REGION, ACCOUNT), Timeline(VirtualClock())
    role = f"arn:aws:iam::{ACCOUNT}:role/Waiter"
    arn = backend.create_state_machine("Waiter", json.dumps(definition), role).arn
    machine = StateMachine(timeline)

    def start(given: Outcome) -> tuple[Any, Any]:
        text = json.dumps(given)
        return (
            backend.start_execution(arn, "one", text),
            machine.start("one", text, definition, lambda _: ENDED),
        )

    def refusals(given: Outcome) -> tuple[str, str]:
        text = json.dumps(given)
        return (
            refusal(lambda: backend.start_execution(arn, "one", text)),
            refusal(lambda: machine.start("one", text, definition, lambda _: ENDED)),
        )

    first = start({**GOES_ON, "Seconds": 0})
    assert start({**GOES_ON, "Seconds": 0}) == first
    assert refusals({**GOES_ON, "Seconds": 1}) == ("ExecutionAlreadyExists",) * 2
    goes_on.set()
    ended(first[0])
    while timeline.next() is not None:
        timeline.step()
    assert refusals({**GOES_ON, "Seconds": 0}) == ("ExecutionAlreadyExists",) * 2


@pytest.mark.parametrize("breaks", [None, "Resource", "SecondsPath", "Choices"])
def test_a_validator_of_others_takes_the_definition_and_no_broken_one(
    definition: dict[str, Any], breaks: str | None, tmp_path: Path
) -> None:
    text = json.dumps(definition)
    file = tmp_path / "definition.json"
    file.write_text(text if breaks is None else text.replace(f'"{breaks}"', f'"{breaks}s"'))

    ran = subprocess.run(
        [ROOT / "node_modules/.bin/asl-validator", "--json-path", file],
        env=toolchain.environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode == 0) is (breaks is None), ran.stdout + ran.stderr


def test_the_definition_has_what_the_fake_takes_it_to_have(definition: dict[str, Any]) -> None:
    """The fake reads of it what it needs; no member may go unread."""
    assert definition["States"].keys() == {"Wait", "Poll", "HasEnded", "End"}
    (retry,) = definition["States"]["Poll"]["Retry"]
    assert retry.keys() == {
        *("ErrorEquals", "IntervalSeconds", "BackoffRate", "MaxAttempts", "JitterStrategy")
    }
    members = set(itertools.chain(*(one.keys() for one in definition["States"].values())))
    assert members == {"Type", "SecondsPath", "Next", "Resource", "Retry", "Choices", "Default"}
