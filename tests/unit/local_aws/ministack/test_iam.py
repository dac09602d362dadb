import contextvars
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import pytest
from hypercorn.typing import HTTPScope
from ministack.core import iam_evaluator, responses  # type: ignore[import-untyped]
from ministack.services import iam  # type: ignore[import-untyped]

from local_aws.ministack import iam as patched
from local_aws.ministack.iam import Caller, RefusedError
from tests.unit.local_aws import asgi

_T = TypeVar("_T")


def test_an_access_key_of_12_digits_authenticates_as_the_root_of_that_account() -> None:
    def authenticate() -> Caller:
        caller = patched.authenticate(_request("222222222222", "eu-north-1"), b"{}")
        caller.authorize("personalize:CreateRecommender", "*")
        return caller

    assert _isolated(authenticate) == Caller(
        access_key="222222222222",
        account="222222222222",
        region="eu-north-1",
        arn="arn:aws:iam::222222222222:root",
    )


def test_an_unknown_access_key_is_refused_as_by_aws() -> None:
    request = _request("AKIAUNKNOWN", "eu-west-1")
    with pytest.raises(RefusedError) as refused:
        _isolated(lambda: patched.authenticate(request, b"{}"))
    status, _, body = refused.value.response
    assert status == 400
    assert json.loads(body) == {
        "__type": "UnrecognizedClientException",
        "message": "The security token included in the request is invalid.",
    }


@pytest.mark.parametrize(
    ("caller", "trusted"),
    [
        ("arn:aws:sts::333333333333:assumed-role/api/session", True),
        ("arn:aws:sts::333333333333:assumed-role/apis/session", False),
        ("arn:aws:sts::444444444444:assumed-role/api/session", False),
        ("arn:aws:iam::333333333333:user/ann", True),
        ("arn:aws:iam::333333333333:user/bob", False),
        ("arn:aws:iam::333333333333:root", False),
    ],
)
def test_a_condition_on_the_principal_of_a_session_matches_its_role(
    monkeypatch: pytest.MonkeyPatch, caller: str, trusted: bool
) -> None:
    as_it_was = iam_evaluator._resolve_condition_key
    monkeypatch.setattr(iam_evaluator, "_resolve_condition_key", as_it_was)
    role = "arn:aws:iam::333333333333:role/video/api"
    trust = {
        "Statement": {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"AWS": "arn:aws:iam::333333333333:root"},
            "Condition": {
                "ArnEquals": {"aws:PrincipalArn": [role, "arn:aws:iam::333333333333:user/ann"]}
            },
        }
    }

    def allowed() -> bool:
        responses.set_request_account_id("333333333333")
        iam._roles["api"] = {"Arn": role}
        try:
            return bool(iam_evaluator.evaluate_trust_policy(trust, caller))
        finally:
            del iam._roles["api"]

    patched.name_roles_in_conditions()

    assert _isolated(allowed) is trusted


PLACE: Final = "arn:aws:personalize:eu-west-1:111111111111:recommender/"
DERIVED: Final = "TopPicks-0123456789abcdef"
TEAM: Final = "aws:ResourceTag/team"
OURS: Final = "aws:ResourceTag/top-picks:stack-id"


def _says(
    action: str = "personalize:*", name: str = "*", effect: str = "Allow", **condition: Any
) -> dict[str, Any]:
    said = {"Effect": effect, "Action": action, "Resource": PLACE + name}
    return {**said, "Condition": condition} if condition else said


@pytest.mark.parametrize(
    ("statement", "name", "tags", "decided"),
    [
        (_says(name="TopPicks-????????????????"), DERIVED, {}, "Allow"),
        (_says(name="TopPicks-????????????????"), DERIVED + "0", {}, "ImplicitDeny"),
        (_says(name="TopPicks-????????????????"), DERIVED[:-1], {}, "ImplicitDeny"),
        (_says(name="TopPicks-????????????????"), DERIVED.lower(), {}, "ImplicitDeny"),
        (_says("PERSONALIZE:delete*"), "films", {}, "Allow"),
        (_says("personalize:Delete"), "films", {}, "ImplicitDeny"),
        (_says(Null={OURS: "false"}), "films", {}, "ImplicitDeny"),
        (_says(Null={OURS: "false"}), "films", {OURS: ""}, "Allow"),
        (_says(StringEquals={TEAM: ["vod", "web"]}), "films", {TEAM: "web"}, "Allow"),
        (_says(StringEquals={TEAM: ["vod", "web"]}), "films", {TEAM: "Web"}, "ImplicitDeny"),
        (_says(StringEqualsIfExists={TEAM: "vod"}), "films", {}, "Allow"),
        (_says(StringLike={TEAM: "v?d*"}), "films", {TEAM: "vod"}, "Allow"),
        (_says("personalize:Delete*", effect="Deny"), "films", {}, "Deny"),
        (_says(name="films", effect="Deny"), "film", {}, "Allow"),
        (_says(effect="Deny", StringNotEquals={TEAM: ["vod", "web"]}), "films", {}, "Deny"),
        (
            _says(effect="Deny", StringNotEquals={TEAM: ["vod", "web"]}),
            "films",
            {TEAM: "web"},
            "Allow",
        ),
    ],
)
def test_a_statement_evaluated_by_ministack_is_decided_as_by_another_engine(
    statement: dict[str, Any], name: str, tags: dict[str, str], decided: str
) -> None:
    """Decisions of @cloud-copilot/iam-simulate 0.1.173, recorded; a Deny stands beside Allow *.

    The two agreed on all policies of the templates, too. They differ in what no policy of ours has:
    here `*` goes past a colon, and a permission counts in another account.
    """
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    others = [everything] if statement["Effect"] == "Deny" else []
    context = iam_evaluator.EvalContext(
        principal_arn="arn:aws:iam::111111111111:role/role",
        principal_type="AssumedRole",
        principal_account="111111111111",
        action="personalize:DeleteRecommender",
        resource_arn=PLACE + name,
        region="eu-west-1",
        service_context={key.lower(): value for key, value in tags.items()},
    )

    policy = iam_evaluator.parse_policy_document({"Statement": [statement, *others]})
    assert iam_evaluator.evaluate(context, [policy]).decision == decided


def _request(access_key: str, region: str) -> HTTPScope:
    now = datetime.now(UTC)
    headers = {
        "authorization": asgi.signed(access_key, region, f"{now:%Y%m%d}"),
        "x-amz-target": "AmazonPersonalize.ListRecipes",
        "x-amz-date": f"{now:%Y%m%dT%H%M%SZ}",
    }
    return asgi.http_scope(headers)


def _isolated(function: Callable[[], _T]) -> _T:
    """Run it in a context of its own, as every request is."""
    return contextvars.copy_context().run(function)
