"""The CDK's own framework, run with Node, does what its fake does, and answers as it must.

It is the framework of the synthesised app itself, driven by `framework.cjs`. What is said of it can
be read in `custom-resources/lib/provider-framework/runtime/{framework,cfn-response,util}.js` of
aws-cdk-lib 2.275.0.
"""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from aws_cdk import App

from stacks.settings import parse
from stacks.top_picks_stack import TopPicksStack
from tests.support.custom_resources import CANARY
from tests.support.personalize import VirtualClock
from tests.support.provider import (
    CREATE_FAILED_MARKER,
    Event,
    FunctionKilledError,
    Provider,
    Timeline,
    Waiter,
)
from tests.support.synthesis import DATASET_GROUP_ARN, ROOT

DRIVER: Final = Path(__file__).with_name("framework.cjs")
URL: Final = f"https://bucket.s3.eu-west-1.amazonaws.com/key?X-Amz-Security-Token={CANARY}"
EVENT: Final[Mapping[str, Any]] = {
    "RequestType": "Create",
    "ServiceToken": "arn:aws:lambda:eu-west-1:111111111111:function:framework",
    "ResponseURL": URL,
    "StackId": "arn:aws:cloudformation:eu-west-1:111111111111:stack/TopPicks/1",
    "RequestId": "r-1",
    "LogicalResourceId": "Recommender",
    "ResourceType": "Custom::TopPicksRecommender",
    "ResourceProperties": {"Running": "true"},
}
UPDATE: Final = {**EVENT, "RequestType": "Update", "PhysicalResourceId": "old"}
DELETE: Final = {**EVENT, "RequestType": "Delete", "PhysicalResourceId": "old"}

Scenario = dict[str, Any]


def scenario(event: Mapping[str, Any], on_event: Any, *is_complete: Any, **more: Any) -> Scenario:
    """Return what the functions answer in turn; a text is what one raises."""

    def answers(given: tuple[Any, ...]) -> list[dict[str, Any]]:
        return [{"raises": one} if isinstance(one, str) else {"returns": one} for one in given]

    return {
        "event": dict(event),
        "on_event": answers((on_event,)),
        "is_complete": answers(is_complete),
        "looks": max(len(is_complete), 1),
        **more,
    }


READY: Final = {"IsComplete": True}
NOT_YET: Final = {"IsComplete": False}
SCENARIOS: Final[Mapping[str, Scenario]] = {
    "created": scenario(EVENT, {"PhysicalResourceId": "new"}, {**READY, "Data": {"Arn": "a"}}),
    "created after polling": scenario(
        EVENT, {"PhysicalResourceId": "new", "Memory": {"At": 1.5}}, NOT_YET, NOT_YET, READY
    ),
    "on_event raises in a Create": scenario(EVENT, "no"),
    "on_event raises in an Update": scenario(UPDATE, "no"),
    "on_event raises in a Delete": scenario(DELETE, "no"),
    "is_complete raises in a Create": scenario(EVENT, {"PhysicalResourceId": "new"}, "no"),
    "is_complete raises in an Update": scenario(UPDATE, {"PhysicalResourceId": "new"}, "no"),
    "is_complete raises later": scenario(EVENT, {"PhysicalResourceId": "new"}, NOT_YET, "no"),
    "is_complete raises without an id": scenario(EVENT, {}, "no"),
    "a Delete of what was not created": scenario(
        {**DELETE, "PhysicalResourceId": CREATE_FAILED_MARKER}, "never called"
    ),
    "a Delete that changes the id": scenario(DELETE, {"PhysicalResourceId": "new"}),
    "an Update that changes the id": scenario(UPDATE, {"PhysicalResourceId": "new"}, READY),
    "no id in a Create": scenario(EVENT, {}, READY),
    "no id in an Update": scenario(UPDATE, {}, READY),
    "no id in a Delete": scenario(DELETE, {}, READY),
    "an empty id in an Update": scenario(UPDATE, {"PhysicalResourceId": ""}, READY),
    "on_event returns null": scenario(EVENT, None, READY),
    "is_complete returns null": scenario(EVENT, {}, None),
    "is_complete returns nothing": scenario(EVENT, {}, {}, {}, READY),
    "attributes of both": scenario(
        EVENT, {"Data": {"A": "1", "B": "1"}}, {**READY, "Data": {"B": "2", "C": "2"}}
    ),
    "attributes before it is complete": scenario(EVENT, {}, {**NOT_YET, "Data": {"A": "1"}}),
    "empty attributes before it is complete": scenario(EVENT, {}, {**NOT_YET, "Data": {}}, READY),
    "attributes and a failure": scenario(EVENT, {"Data": {"A": "1"}}, "no"),
    "no echo": scenario(EVENT, {"NoEcho": True, "Data": {"A": "secret"}}, READY),
    "no echo, said late": scenario(EVENT, {}, {**READY, "NoEcho": True, "Data": {"A": "x"}}),
    "is_complete changes the id": scenario(EVENT, {}, {**READY, "PhysicalResourceId": "other"}),
    "another alphabet": scenario(EVENT, {}, {**READY, "Data": {"A": 'é名😀\u2028\x7f\x01\\"'}}),
    "half a character": scenario(EVENT, {}, {**READY, "Data": {"A": "\ud83d and \ude00"}}),
    "half a character in a reason": scenario(EVENT, "no \ud83d, and é"),
    "never complete": scenario(EVENT, {"PhysicalResourceId": "new"}, NOT_YET, NOT_YET, NOT_YET),
}


@pytest.fixture(scope="session")
def asset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the framework, an asset of the synthesised app."""
    folder = tmp_path_factory.mktemp("framework")
    settings = parse({"dataset_group_arn": DATASET_GROUP_ARN, "max_training_hours": 1})
    app = App(outdir=str(folder), analytics_reporting=False)
    TopPicksStack(app, "TopPicks", settings=settings)
    app.synth()
    (found,) = folder.rglob("framework.js")
    return found.parent


def played(asset: Path, *scenarios: Scenario) -> list[dict[str, Any]]:
    """Return what the real framework does in these scenarios."""
    script = asset.parent / "scenarios.json"
    script.write_text(json.dumps({"scenarios": scenarios}))
    node = ROOT / ".venv" / "bin" / "node"
    done = subprocess.run(
        [node, DRIVER, asset, script], capture_output=True, timeout=60, check=True
    )
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def faked(script: Scenario) -> tuple[list[bytes], list[tuple[str, Event]]]:
    """Return what the fake answers in a scenario, and what it invokes."""
    answers = {name: list(script[name]) for name in ("on_event", "is_complete")}
    bodies: list[bytes] = []
    invoked: list[tuple[str, Event]] = []

    def invoke(function: str, event: Event) -> Any:
        invoked.append((function, event))
        if not answers[function]:
            raise FunctionKilledError(framework=True)
        answer = answers[function].pop(0)
        if "raises" in answer:
            raise RuntimeError(answer["raises"])
        return answer["returns"]

    timeline = Timeline(VirtualClock())
    waiter = Waiter(60, script["looks"] - 1)
    Provider(timeline, waiter, invoke, lambda _event, body: bodies.append(body)).deliver(
        script["event"]
    )
    while timeline.next() is not None:
        timeline.step()
    return bodies, invoked


def _without_trace(body: str) -> dict[str, Any]:
    """Return an answer, without where in the framework's code it comes from."""
    answer: dict[str, Any] = json.loads(body)
    return {**answer, "Reason": re.sub(r"(\n    at .*)+$", "", answer["Reason"])}


@pytest.fixture(scope="session")
def results(asset: Path) -> dict[str, dict[str, Any]]:
    return dict(zip(SCENARIOS, played(asset, *SCENARIOS.values()), strict=True))


@pytest.mark.rows("R1", "R4")
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_fake_answers_as_the_real_framework(
    name: str, results: dict[str, dict[str, Any]]
) -> None:
    real = results[name]
    bodies, invoked = faked(SCENARIOS[name])
    assert [_without_trace(put["body"]) for put in real["puts"]] == [
        _without_trace(body.decode()) for body in bodies
    ]
    assert [tuple(call) for call in real["invoked"]] == invoked
    assert real["threw"] == ""
    assert len(bodies) == 1


def test_the_fakes_stack_trace_is_as_long_as_the_real_one(
    asset: Path, results: dict[str, dict[str, Any]]
) -> None:
    """It counts towards the bytes that an answer may have."""
    for name, real in results.items():
        (put,), ((fake,), _) = real["puts"], faked(SCENARIOS[name])
        reason = json.loads(put["body"])["Reason"].replace(str(asset), "/var/task")
        frames = [line for line in reason.splitlines() if "(/var/task/" in line]
        faked_frames = re.findall("    at .*", json.loads(fake)["Reason"])
        assert len("\n".join(frames)) <= len("\n".join(faked_frames))


@pytest.mark.rows("T5")
def test_nobody_answers_if_the_framework_dies_at_its_last_look(asset: Path) -> None:
    """`onTimeout` reads the event out of the last error, which must be that of a retry."""
    script = scenario(EVENT, {}, NOT_YET, looks=2, dies_at_last="Task timed out after 900 seconds")
    (real,) = played(asset, script)
    assert real["puts"] == []
    assert "is not valid JSON" in real["threw"]
    assert faked(script)[0] == []


# -- the PUT -----------------------------------------------------------------------------------

CREATED: Final = SCENARIOS["created"]
REFUSED: Final = "Unsuccessful HTTP response: "


@pytest.mark.rows("R1", "R3")
@pytest.mark.parametrize(
    "faults",
    [
        [REFUSED + "503"] * 3,
        ["read ECONNRESET"],
        ["socket hang up", REFUSED + "500", "connect ETIMEDOUT"],
        ["the connection was cut after the 200"],
        ["x"] * 5,
    ],
    ids=["503 three times", "reset", "different faults", "cut after the 200", "five times"],
)
def test_an_answer_that_did_not_arrive_is_put_again_the_same(
    asset: Path, faults: list[str]
) -> None:
    (real,) = played(asset, {**CREATED, "puts": faults})
    assert len(real["puts"]) == len(faults) + 1
    assert len({json.dumps(put) for put in real["puts"]}) == 1
    assert [wait < 1000 * 2**n for n, wait in enumerate(real["waits"])] == [True] * len(faults)
    assert real["threw"] == ""
    assert [name for name, _ in real["invoked"]] == ["on_event", "is_complete"]


@pytest.mark.rows("R2")
@pytest.mark.parametrize("fault", [REFUSED + "403", REFUSED + "400"])
def test_an_answer_that_is_refused_is_put_six_times_and_then_given_up(
    asset: Path, fault: str
) -> None:
    """The framework does not tell an expired URL from a fault that passes; the same six times.

    `isComplete` then ends in a failure of its own to answer FAILED, six times more. Nothing of that
    invokes our functions again, so the recommender is as the answer says, and can be deleted.
    """
    (real,) = played(asset, {**CREATED, "puts": [fault] * 20})
    bodies = [json.loads(put["body"]) for put in real["puts"]]
    assert [body["Status"] for body in bodies] == ["SUCCESS"] * 6 + ["FAILED"] * 6
    assert {body["PhysicalResourceId"] for body in bodies} == {"new"}
    assert real["threw"] == fault
    assert [name for name, _ in real["invoked"]] == ["on_event", "is_complete"]


@pytest.mark.rows("B9", "R2")
@pytest.mark.parametrize("url", [None, "", 7, "not a URL"])
def test_an_event_without_a_usable_url_is_given_up_without_asking_again(
    asset: Path, url: object
) -> None:
    """The function fails, which Lambda repeats twice, and not after five minutes (the template)."""
    event = {key: value for key, value in EVENT.items() if key != "ResponseURL"}
    malformed = event if url is None else {**event, "ResponseURL": url}
    (real,) = played(asset, scenario(malformed, "refused", puts=["no host"] * 20))
    assert [name for name, _ in real["invoked"]] == ["on_event"]
    assert real["started"] == 0
    assert real["threw"]


@pytest.mark.rows("B9")
@pytest.mark.parametrize("member", ["RequestType", "StackId", "RequestId", "LogicalResourceId"])
def test_a_malformed_event_is_answered_once_and_nobody_polls(asset: Path, member: str) -> None:
    """What our functions refuse is FAILED at once; whether CloudFormation listens is its affair."""
    event = {key: value for key, value in EVENT.items() if key != member}
    (real,) = played(asset, scenario(event, f"Nothing was changed. event.{member}: got 'None'"))
    (body,) = [json.loads(put["body"]) for put in real["puts"]]
    assert body["Status"] == "FAILED"
    assert f"event.{member}" in body["Reason"]
    assert (real["started"], real["threw"]) == (0, "")


@pytest.mark.rows("S1", "S2")
def test_the_url_is_in_no_reason_and_logged_only_when_a_waiter_gives_up(
    results: dict[str, dict[str, Any]],
) -> None:
    """`onTimeout` logs its event whole, and every `Retry` is an error that holds the event.

    So the framework's functions log nothing below FATAL (`test_the_frameworks_logging_stays_quiet`)
    and a wait of ours ends before the waiter gives up.
    """
    assert not [one for one in results.values() for put in one["puts"] if CANARY in put["body"]]
    spilling = {name for name, real in results.items() if CANARY in real["logged"]}
    assert spilling == {"never complete"}
    assert CANARY in results["never complete"]["retry"]


@pytest.mark.rows("R5")
def test_our_code_opens_no_url_and_reads_none_from_an_event() -> None:
    """The framework alone opens the URL, whatever its host, and sends nothing but the answer there.

    Who can forge an event can invoke functions of this account.
    """
    sources = {path.name: path.read_text() for path in (ROOT / "lambdas").rglob("*.py")}
    assert "handler.py" in sources
    opening = re.compile("[\"']ResponseURL|^(from|import) (urllib|http|requests|socket|ssl)", re.M)
    assert not [name for name, source in sources.items() if opening.search(source)]


@pytest.mark.rows("R5")
def test_an_answer_is_put_to_the_host_of_the_event_and_nowhere_else(
    results: dict[str, dict[str, Any]],
) -> None:
    puts = [put for real in results.values() for put in real["puts"]]
    assert {put["hostname"] for put in puts} == {"bucket.s3.eu-west-1.amazonaws.com"}
    assert {put["method"] for put in puts} == {"PUT"}
    assert all(put["headers"]["content-length"] == len(put["body"].encode()) for put in puts)
