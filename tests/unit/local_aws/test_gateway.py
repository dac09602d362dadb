"""The port of the local AWS asks IAM, as AWS does, before Personalize is reached."""

import json
from typing import Any

import pytest
from hypercorn.typing import HTTPScope

from local_aws import gateway
from local_aws.ministack import iam, metrics
from local_aws.personalize import Behaviour, Personalize, ServiceError, wire
from local_aws.personalize.service import ConditionContext
from tests.support.place import RECIPE
from tests.unit.local_aws import asgi

ACCOUNT = "222222222222"
REGION = "eu-north-1"
ARN = f"arn:aws:personalize:{REGION}:{ACCOUNT}:recommender/films"
CALLER = f"arn:aws:iam::{ACCOUNT}:user/ann"


class LimitedCaller:
    """Somebody who may do what is allowed, and nothing else."""

    account, region, arn = ACCOUNT, REGION, CALLER

    def __init__(self, *allowed: str) -> None:
        self.allowed = allowed
        self.asked: list[tuple[str, str]] = []

    def authorize(self, action: str, resource: str, _context: ConditionContext) -> None:
        self.asked.append((action, resource))
        if action not in self.allowed:
            raise ServiceError("AccessDeniedException", f"{CALLER} may not {action}")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Personalize:
    made = Personalize(Behaviour())
    monkeypatch.setattr(gateway, "_personalize", made)
    return made


def call(
    operation: str, body: bytes = b"{}", *, signed: bool = True, path: str = "/"
) -> tuple[int, Any]:
    headers = {"x-amz-target": f"AmazonPersonalize.{operation}"}
    if signed:
        headers["authorization"] = asgi.signed("AKIDEXAMPLE", REGION)
    request = asgi.http_scope(headers, path)
    status, _, content = gateway._answer(request, body)
    return status, json.loads(content)


def signed_by(monkeypatch: pytest.MonkeyPatch, caller: LimitedCaller) -> LimitedCaller:
    monkeypatch.setattr(iam, "authenticate", lambda _scope, _body: caller)
    return caller


def test_what_the_callers_policies_do_not_allow_is_refused_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, service: Personalize
) -> None:
    group = service.seed_dataset_group(ACCOUNT, REGION, "vod")
    caller = signed_by(monkeypatch, LimitedCaller("personalize:DescribeRecommender"))
    asked_for = {"name": "films", "datasetGroupArn": group, "recipeArn": RECIPE}

    status, answer = call("CreateRecommender", json.dumps(asked_for).encode())

    assert (status, answer["__type"]) == (400, "AccessDeniedException")
    assert caller.asked == [("personalize:CreateRecommender", ARN)]
    assert service.recommenders(ACCOUNT, REGION) == []
    assert [one.outcome for one in service.journal] == ["AccessDeniedException"]


def test_a_call_is_made_by_who_has_signed_it_in_the_account_and_region_of_the_key(
    monkeypatch: pytest.MonkeyPatch, service: Personalize
) -> None:
    signed_by(monkeypatch, LimitedCaller("personalize:ListRecommenders"))

    assert call("ListRecommenders") == (200, {"recommenders": []})

    (made,) = service.journal
    assert (made.account, made.region, made.caller) == (ACCOUNT, REGION, CALLER)


def test_a_signature_that_is_refused_reaches_nothing(
    monkeypatch: pytest.MonkeyPatch, service: Personalize
) -> None:
    def refuse(_scope: HTTPScope, _body: bytes) -> None:
        raise iam.RefusedError((403, {}, b'{"__type": "InvalidSignatureException"}'))

    monkeypatch.setattr(iam, "authenticate", refuse)

    assert call("ListRecommenders") == (403, {"__type": "InvalidSignatureException"})
    assert service.journal == []


def test_a_call_that_nobody_has_signed_is_refused(service: Personalize) -> None:
    status, _ = call("ListRecommenders", signed=False)

    assert status == 403
    assert service.journal == []


@pytest.mark.parametrize(
    ("path", "status", "counted"),
    [("/recommendations", 200, [ARN]), ("/recommendations", 400, []), ("/", 200, [])],
)
def test_successful_calls_of_getrecommendations_are_counted_and_no_others(
    monkeypatch: pytest.MonkeyPatch, path: str, status: int, counted: list[str]
) -> None:
    found: list[str] = []
    monkeypatch.setattr(metrics, "count_call", found.append)
    monkeypatch.setattr(wire, "handle", lambda *_, **__: (status, {}, b"{}"))

    call(
        "GetRecommendations", json.dumps({"recommenderArn": ARN}).encode(), signed=False, path=path
    )

    assert found == counted
