"""What AWS has sent to others is read, answered and understood here (``recorded.py``)."""

import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.personalize import Personalize, with_hint
from lambdas.recommender.decision.drift import DriftStatus, drift
from lambdas.recommender.decision.provision import plan
from lambdas.recommender.decision.situation import Situation
from lambdas.recommender.decision.verdict import Done, Progress, UpdateRecommender, Wait
from lambdas.recommender.model.observed import Observed, Phase, Update
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.request import Request
from lambdas.recommender.protocol.answer import Answers, Delivery, sent_at
from lambdas.recommender.protocol.execution import StateMachine
from lambdas.recommender.protocol.request_handler import RequestHandler
from local_aws.personalize import wire
from tests.support.one_request import OneRequest, StateKeeper
from tests.support.personalize import VirtualClock, connected

from .examples import CREATES, PROPERTIES, UPDATES, event, gate
from .fakes import FakePersonalize
from .recorded import (
    ANSWERS,
    CHINA,
    DATASET_GROUP,
    DOCUMENTED,
    HEADERS,
    MEDIA_METRICS,
    RECOMMENDER,
    REQUESTS,
    URLS,
    RecordedUrl,
)

# -- ResponseURLs ------------------------------------------------------------------------------


@pytest.mark.rows("R6")
@pytest.mark.parametrize("recorded", URLS, ids=lambda one: f"{one.region} {one.source}")
def test_a_recorded_response_url_takes_answers_in_its_own_partition(recorded: RecordedUrl) -> None:
    other = "amazonaws.com" if recorded.suffix == CHINA else CHINA

    assert Answers(recorded.suffix).is_response_url(recorded.url)
    assert not Answers(other).is_response_url(recorded.url)


@pytest.mark.parametrize("recorded", URLS, ids=lambda one: f"{one.region} {one.source}")
def test_a_recorded_response_url_says_when_it_was_signed_if_it_does(recorded: RecordedUrl) -> None:
    assert sent_at(recorded.url) == recorded.signed


@pytest.mark.rows("R6")
@pytest.mark.parametrize("recorded", URLS, ids=lambda one: f"{one.region} {one.source}")
@pytest.mark.parametrize("form", ["https://{0}.evil.example/", "https://{0}@evil.example/"])
def test_a_host_that_only_begins_like_a_recorded_one_takes_none(
    recorded: RecordedUrl, form: str
) -> None:
    assert not Answers(recorded.suffix).is_response_url(form.format(recorded.host))


# -- requests ----------------------------------------------------------------------------------


class KeptAnswers(Answers):
    """Keeps what is put, and where."""

    def __init__(self, suffix: str) -> None:
        super().__init__(suffix)
        self.kept: list[tuple[str, Mapping[str, Any]]] = []

    def put(self, response_url: str, answer: Mapping[str, Any]) -> Delivery:
        self.kept.append((response_url, answer))
        return Delivery.DELIVERED


def suffix_of(request: Mapping[str, Any]) -> str:
    return CHINA if "aws-cn" in request["StackId"] else "amazonaws.com"


@pytest.mark.parametrize("name", REQUESTS)
def test_a_recorded_request_is_answered_as_it_is_and_changes_nothing(name: str) -> None:
    """Its type is another one's; a template can name our function for it all the same."""
    request, account = REQUESTS[name], FakePersonalize()
    answers = KeptAnswers(suffix_of(request))
    stacks: Any = Season(CREATES)
    resources = RequestHandler(Personalize(account), stacks, answers, VirtualClock())

    resources.begin(request, StateMachine(StateKeeper(), "arn"), interval=60.0)

    ((url, answer),) = answers.kept
    assert url == request["ResponseURL"]
    for member in ("StackId", "RequestId", "LogicalResourceId"):
        assert answer[member] == request[member]
    known = request.get("PhysicalResourceId", request["LogicalResourceId"])
    assert answer["PhysicalResourceId"] == known
    is_read = "xxxx" not in request["StackId"]
    assert answer["Status"] == ("SUCCESS" if is_read or "Delete" in name else "FAILED")
    assert account.calls == []


WITH_AN_ACCOUNT = {name: one for name, one in REQUESTS.items() if "xxxx" not in one["StackId"]}


def ours(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recorded request as it would have come for a recommender of ours."""
    place = request["StackId"].partition(":stack/")[0].replace(":cloudformation:", ":personalize:")
    properties = {**PROPERTIES, v.DATASET_GROUP_ARN: f"{place}:dataset-group/vod"}
    recommender = {
        "ResourceType": v.RECOMMENDER_TYPE,
        "ResourceProperties": {**properties, v.TAGS: {"team": "video"}},
    }
    if "OldResourceProperties" in request:
        recommender["OldResourceProperties"] = {**properties, v.TAGS: {"old": "tag"}}
    return {**request, **recommender}


@pytest.mark.parametrize("name", WITH_AN_ACCOUNT)
def test_a_recorded_request_means_a_recommender_where_its_stack_is(name: str) -> None:
    recorded = REQUESTS[name]
    request = Request.parse(ours(recorded))

    place = recorded["StackId"].partition(":stack/")[0].replace("cloudformation", "personalize")
    assert request.desired.arn.startswith(f"{place}:recommender/TopPicks-")
    assert request.deletion_target == request.desired.arn, "no id that is recorded is one of ours"
    assert (request.owner.stack_id, request.owner.logical_id) == (
        recorded["StackId"],
        recorded["LogicalResourceId"],
    )
    assert request.retired_tags == ({"old"} if recorded["RequestType"] == "Update" else set())


@pytest.mark.rows("T6")
@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
@pytest.mark.parametrize(
    ("timeout", "seconds"), [("30", 27.0), ("70", 63.0), (70, 63.0), ("3600", 3300.0), (None, 3300)]
)
def test_a_service_timeout_beside_the_properties_is_kept_to(
    kind: str, timeout: object, seconds: float
) -> None:
    sent = event(kind=kind, ServiceTimeout=timeout)

    assert Request.parse(sent).wait_seconds == pytest.approx(seconds)


@pytest.mark.rows("T6")
def test_a_service_timeout_that_cannot_be_read_stands_in_no_deletion_s_way() -> None:
    assert Request.parse(event(kind="Delete", ServiceTimeout="soon")).wait_seconds == 3300.0


# -- answers of DescribeRecommender ------------------------------------------------------------


class Season:
    """A stack in one operation."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation

    def operation(self, _stack_id: str) -> Operation:
        return self._operation


def personalize(answer: Mapping[str, Any]) -> Personalize:
    """Return a service that answers this, with the headers that are recorded."""

    def respond(_request: AWSPreparedRequest, operation: str) -> wire.Response:
        assert operation == "DescribeRecommender"
        body = json.dumps({"recommender": answer}).encode()
        return 200, {**HEADERS, "content-length": str(len(body))}, body

    return Personalize(connected("personalize", respond, VirtualClock()))


def observed(name: str) -> Observed:
    """Return what is read in a recorded answer."""
    seen = personalize(ANSWERS[name]).describe(RECOMMENDER)
    assert seen
    return seen


def test_the_documented_answer_is_read() -> None:
    assert observed("the guide's example") == Observed(
        arn=RECOMMENDER,
        status="ACTIVE",
        dataset_group_arn=DATASET_GROUP,
        recipe_arn="arn:aws:personalize:::recipe/aws-vod-top-picks",
        config={},
        created=1651857084.589,
        metrics=DOCUMENTED["modelMetrics"],
        updated=1651858473.27,
    )


UPDATED = 1651858473.27 + 86_400
METADATA = {"enableMetadataWithRecommendations": True}
READ: dict[str, tuple[Phase, Mapping[str, Any], Update | None, Mapping[str, float], str]] = {
    "the guide's example": (Phase.ACTIVE, {}, None, DOCUMENTED["modelMetrics"], ""),
    "the notebook's metrics": (Phase.ACTIVE, METADATA, None, MEDIA_METRICS, ""),
    "null metrics": (Phase.CREATING, {}, None, {}, ""),
    "the minimum alone": (
        Phase.ACTIVE,
        {"minRecommendationRequestsPerSecond": 1},
        None,
        DOCUMENTED["modelMetrics"],
        "",
    ),
    "an update": (
        Phase.ACTIVE,
        {},
        Update("CREATE IN_PROGRESS", METADATA, UPDATED, updated=UPDATED),
        DOCUMENTED["modelMetrics"],
        "",
    ),
    "an update that has ended": (
        Phase.ACTIVE,
        METADATA,
        Update("ACTIVE", METADATA, UPDATED, updated=UPDATED + 900),
        DOCUMENTED["modelMetrics"],
        "",
    ),
    "a failure": (
        Phase.CREATE_FAILED,
        {},
        None,
        {},
        with_hint("Dataset has fewer than 25 users with at least 2 interactions each."),
    ),
    "a status with a blank": (Phase.STOPPING, {}, None, {}, ""),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_recorded_answer_is_read(name: str) -> None:
    seen = observed(name)

    read = (seen.phase, seen.config, seen.latest_update, seen.metrics, seen.failure_reason)
    assert read == READ[name]


CONFIG = {
    v.MIN_REQUESTS_PER_SECOND: "1",
    v.ENABLE_METADATA: "true",
    v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.3", v.EXPLORATION_ITEM_AGE_CUT_OFF: "30"},
}


def asked(config: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> Request:
    """Return a request for the documented recommender."""
    same = {v.FIXED_NAME: "name123", v.DATASET_GROUP_ARN: DATASET_GROUP}
    members = {} if old is None else {"OldResourceProperties": {**PROPERTIES, v.CONFIG: old}}
    kind = "Create" if old is None else "Update"
    return Request.parse(event({**same, v.CONFIG: config}, kind=kind, **members))


def owned(name: str, request: Request) -> Observed:
    """Return what is read in a recorded answer, with the tags of the stack."""
    seen = observed(name)
    return Observed(**{**vars(seen), "tags": {**request.tags, **request.owner.tags()}})


AS_ASKED = [
    "the guide's example",
    "the notebook's metrics",
    "the minimum alone",
    "an update that has ended",
]


@pytest.mark.rows("W2")
@pytest.mark.parametrize("name", AS_ASKED)
def test_an_active_recommender_that_shows_no_or_some_members_is_as_asked(name: str) -> None:
    request = asked(CONFIG)
    there = owned(name, request)

    step = plan(request.desired, there, Situation(CREATES))

    assert isinstance(step, Done)
    assert step.progress is Progress.EFFECTIVE
    assert drift(request.desired, there).status is DriftStatus.NONE


@pytest.mark.rows("W2")
@pytest.mark.parametrize("name", AS_ASKED)
def test_a_member_that_is_not_shown_is_set_once_the_template_changes_it(name: str) -> None:
    weight = {v.EXPLORATION_WEIGHT: "0.25", v.EXPLORATION_ITEM_AGE_CUT_OFF: "30"}
    request = asked({**CONFIG, v.EXPLORATION: weight}, old=CONFIG)

    step = plan(
        request.desired, owned(name, request), Situation(UPDATES), before=request.old_config
    )

    assert isinstance(step, UpdateRecommender)
    assert step.config == {
        v.MIN_REQUESTS_PER_SECOND: 1,
        v.ENABLE_METADATA: True,
        v.EXPLORATION: weight,
    }


def test_an_update_that_is_on_its_way_is_waited_for_by_the_gates() -> None:
    request = asked(CONFIG)

    step = plan(request.desired, owned("an update", request), Situation(UPDATES))

    assert isinstance(step, Done)
    assert step.progress is Progress.CHANGING


def test_one_that_is_being_stopped_is_waited_for() -> None:
    request = asked(CONFIG)

    step = plan(request.desired, owned("a status with a blank", request), Situation(UPDATES))

    assert isinstance(step, Wait)


@pytest.mark.parametrize("name", AS_ASKED)
def test_the_last_gate_opens_and_reports_the_metrics_that_are_recorded(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    raw = gate(arn=RECOMMENDER)
    raw["ResourceProperties"][v.CONFIG] = CONFIG
    metrics = ANSWERS[name]["modelMetrics"]
    raw["ResourceProperties"][v.QUALITY_GATE] = {
        v.MINIMUM_METRICS: {metric: f"{value:f}" for metric, value in metrics.items()}
    }
    one = OneRequest(personalize(ANSWERS[name]), Season(CREATES), VirtualClock())

    with caplog.at_level(logging.INFO):
        answer = one.carry_out(raw)

    assert answer["Status"] == "SUCCESS", answer["Reason"]
    assert json.loads(answer["Data"][v.MODEL_METRICS_ATTRIBUTE]) == metrics
    assert answer["Data"][v.QUALITY_GATE_ATTRIBUTE] == "passed"
    assert "Unexpected" not in caplog.text


def test_a_documented_failure_ends_a_gate_with_its_reason() -> None:
    one = OneRequest(personalize(ANSWERS["a failure"]), Season(CREATES), VirtualClock())

    answer = one.carry_out(gate(arn=RECOMMENDER))

    assert answer["Status"] == "FAILED"
    assert "Dataset has fewer than 25 users with at least 2 interactions each." in answer["Reason"]
    assert "at least 1000 item interactions" in answer["Reason"]
