"""Messages that AWS has sent to others are read and answered (``recorded.py``)."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.personalize import Personalize, with_hint
from lambdas.recommender.decision.drift import DriftStatus, drift
from lambdas.recommender.decision.provision import plan
from lambdas.recommender.decision.situation import Situation
from lambdas.recommender.decision.verdict import Done, Progress, UpdateRecommender
from lambdas.recommender.model.observed import Observed, Phase, Update
from lambdas.recommender.model.request import Request
from lambdas.recommender.protocol.answer import Answers, sent_at
from lambdas.recommender.protocol.execution import StateMachine
from lambdas.recommender.protocol.request_handler import RequestHandler
from local_aws.personalize import wire
from tests.support.one_request import OneRequest
from tests.support.personalize import VirtualClock, connected
from tests.support.place import RECIPE

from .examples import CREATES, PROPERTIES, UPDATES, event, gate
from .fakes import FakeCloudFormation, FakePersonalize, FakeStepFunctions, Letterbox
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
def test_recorded_response_url_is_accepted_in_its_own_partition_only(recorded: RecordedUrl) -> None:
    other = "amazonaws.com" if recorded.suffix == CHINA else CHINA

    assert Answers(recorded.suffix).is_response_url(recorded.url)
    assert not Answers(other).is_response_url(recorded.url)


@pytest.mark.parametrize("recorded", URLS, ids=lambda one: f"{one.region} {one.source}")
def test_recorded_response_url_has_its_date_if_it_has_one(recorded: RecordedUrl) -> None:
    assert sent_at(recorded.url) == recorded.signed


# -- requests ----------------------------------------------------------------------------------


STACKS = Stacks(FakeCloudFormation("CREATE_IN_PROGRESS"))


def suffix_of(request: Mapping[str, Any]) -> str:
    return CHINA if "aws-cn" in request["StackId"] else "amazonaws.com"


@pytest.mark.parametrize("name", REQUESTS)
def test_recorded_request_of_another_type_is_answered_without_a_change(name: str) -> None:
    """Its type is another one's; a template can name our function for it all the same."""
    request, account = REQUESTS[name], FakePersonalize()
    answers = Letterbox(suffix_of(request))
    resources = RequestHandler(Personalize(account), STACKS, answers, VirtualClock())

    resources.begin(request, StateMachine(FakeStepFunctions(), "arn:"), interval=60.0)

    (answer,) = answers.arrived
    assert answers.urls == [request["ResponseURL"]]
    for member in ("StackId", "RequestId", "LogicalResourceId"):
        assert answer[member] == request[member]
    known = request.get("PhysicalResourceId", request["LogicalResourceId"])
    assert answer["PhysicalResourceId"] == known
    is_read = "xxxx" not in request["StackId"]
    assert answer["Status"] == ("SUCCESS" if is_read or "Delete" in name else "FAILED")
    assert account.calls == []


WITH_AN_ACCOUNT = {name: one for name, one in REQUESTS.items() if "xxxx" not in one["StackId"]}


def as_recommender(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recorded request as it would have come for a recommender."""
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
def test_recorded_request_means_a_recommender_in_the_place_of_its_stack(name: str) -> None:
    recorded = REQUESTS[name]
    request = Request.parse(as_recommender(recorded))

    place = recorded["StackId"].partition(":stack/")[0].replace("cloudformation", "personalize")
    assert request.desired.arn.startswith(f"{place}:recommender/TopPicks-")
    assert request.deletion_target == request.desired.arn, "no id that is recorded is one of ours"
    assert (request.owner.stack_id, request.owner.logical_id) == (
        recorded["StackId"],
        recorded["LogicalResourceId"],
    )
    assert request.retired_tags == ({"old"} if recorded["RequestType"] == "Update" else set())


@pytest.mark.rows("T6")
@pytest.mark.parametrize(
    ("kind", "timeout", "seconds"),
    [
        ("Create", "30", 27.0),
        ("Update", 70, 63.0),
        ("Delete", "70", 63.0),
        ("Delete", "3600", 3300.0),
        ("Delete", "soon", 3300.0),
        ("Delete", None, 3300.0),
    ],
)
def test_service_timeout_of_the_event_limits_the_wait(
    kind: str, timeout: object, seconds: float
) -> None:
    sent = event(kind=kind, ServiceTimeout=timeout)

    assert Request.parse(sent).wait_seconds == pytest.approx(seconds)


# -- responses of DescribeRecommender ------------------------------------------------------------


def personalize(answer: Mapping[str, Any]) -> Personalize:
    """Return a service that answers this, with the headers that are recorded."""

    def respond(_request: AWSPreparedRequest, operation: str) -> wire.Response:
        assert operation == "DescribeRecommender"
        body = json.dumps({"recommender": answer}).encode()
        return 200, {**HEADERS, "content-length": str(len(body))}, body

    return Personalize(connected("personalize", respond, VirtualClock()))


def observed(name: str) -> Observed:
    """Return what is read in a recorded answer."""
    found = personalize(ANSWERS[name]).describe(RECOMMENDER)
    assert found
    return found


def test_documented_response_is_read() -> None:
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
        with_hint("Dataset has fewer than 25 users with at least 2 interactions each.", RECIPE),
    ),
    "a status with a blank": (Phase.STOPPING, {}, None, {}, ""),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_recorded_response_is_read(name: str) -> None:
    found = observed(name)

    read = (found.phase, found.config, found.latest_update, found.metrics, found.failure_reason)
    assert read == READ[name]


CONFIG = {
    v.MIN_REQUESTS_PER_SECOND: "1",
    v.ENABLE_METADATA: "true",
    v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.3", v.EXPLORATION_ITEM_AGE_CUT_OFF: "30"},
}


def request_for(config: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> Request:
    """Return a request for the documented recommender."""
    same = {v.FIXED_NAME: "name123", v.DATASET_GROUP_ARN: DATASET_GROUP}
    members = {} if old is None else {"OldResourceProperties": {**PROPERTIES, v.CONFIG: old}}
    kind = "Create" if old is None else "Update"
    return Request.parse(event({**same, v.CONFIG: config}, kind=kind, **members))


def owned(name: str, request: Request) -> Observed:
    """Return what is read in a recorded answer, with the tags of the stack."""
    found = observed(name)
    return Observed(**{**vars(found), "tags": {**request.tags, **request.owner.tags()}})


EFFECTIVE = [
    "the guide's example",
    "the notebook's metrics",
    "the minimum alone",
    "an update that has ended",
]


@pytest.mark.rows("W2")
@pytest.mark.parametrize("name", EFFECTIVE)
def test_active_recommender_with_hidden_members_is_effective_without_drift(name: str) -> None:
    request = request_for(CONFIG)
    there = owned(name, request)

    step = plan(request.desired, there, Situation(CREATES))

    assert isinstance(step, Done)
    assert step.progress is Progress.EFFECTIVE
    assert drift(request.desired, there).status is DriftStatus.NONE


@pytest.mark.rows("W2")
@pytest.mark.parametrize("name", EFFECTIVE)
def test_hidden_member_is_updated_once_the_template_changes_it(name: str) -> None:
    weight = {v.EXPLORATION_WEIGHT: "0.25", v.EXPLORATION_ITEM_AGE_CUT_OFF: "30"}
    request = request_for({**CONFIG, v.EXPLORATION: weight}, old=CONFIG)

    step = plan(
        request.desired, owned(name, request), Situation(UPDATES), before=request.old_config
    )

    assert isinstance(step, UpdateRecommender)
    assert step.config == {
        v.MIN_REQUESTS_PER_SECOND: 1,
        v.ENABLE_METADATA: True,
        v.EXPLORATION: weight,
    }


@pytest.mark.parametrize("name", EFFECTIVE)
def test_last_gate_opens_with_the_recorded_metrics(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    raw = gate(arn=RECOMMENDER)
    raw["ResourceProperties"][v.CONFIG] = CONFIG
    metrics = ANSWERS[name]["modelMetrics"]
    raw["ResourceProperties"][v.QUALITY_GATE] = {
        v.MINIMUM_METRICS: {metric: f"{value:f}" for metric, value in metrics.items()}
    }
    one = OneRequest(personalize(ANSWERS[name]), STACKS, VirtualClock())

    answer = one.carry_out(raw)

    assert answer["Status"] == "SUCCESS", answer["Reason"]
    assert json.loads(answer["Data"][v.MODEL_METRICS_ATTRIBUTE]) == metrics
    assert answer["Data"][v.QUALITY_GATE_ATTRIBUTE] == "passed"
    assert "Unexpected" not in caplog.text


def test_gate_of_a_documented_failure_fails_with_its_reason() -> None:
    one = OneRequest(personalize(ANSWERS["a failure"]), STACKS, VirtualClock())

    answer = one.carry_out(gate(arn=RECOMMENDER))

    assert answer["Status"] == "FAILED"
    assert "Dataset has fewer than 25 users with at least 2 interactions each." in answer["Reason"]
    assert "at least 1000 item interactions" in answer["Reason"]
