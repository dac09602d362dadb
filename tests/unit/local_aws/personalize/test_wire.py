"""The HTTP protocol, and the paths for people and tests."""

import json
from typing import Any

import pytest

from local_aws.personalize import ServiceError, wire
from tests.support.place import ACCOUNT, RECIPE, REGION
from tests.unit.local_aws import asgi
from tests.unit.local_aws.personalize.simulation import ARN, QUICK, Simulation

SIGNATURE = asgi.signed("AKIDEXAMPLE", "eu-west-1")
DESCRIBED = json.dumps({"recommenderArn": ARN}).encode()


def _call(
    simulation: Simulation, operation: str, body: bytes = b"{}", **more: Any
) -> tuple[int, dict[str, str], Any]:
    options = {"account": ACCOUNT, "region": REGION, "method": "POST", "path": "/"} | more
    headers = {"X-Amz-Target": f"AmazonPersonalize.{operation}", "Authorization": SIGNATURE}
    status, answered, content = wire.handle(
        simulation.service, headers=headers, body=body, **options
    )
    return status, answered, json.loads(content) if content else None


def _admin(simulation: Simulation, method: str, path: str, body: object = None) -> tuple[int, Any]:
    status, _, content = wire.handle(
        simulation.service,
        method=method,
        path=f"/_personalize/{path}",
        headers={},
        body=json.dumps(body).encode(),
    )
    return status, json.loads(content)


def test_a_response_has_the_headers_of_the_service(simulation: Simulation) -> None:
    status, headers, body = _call(simulation, "ListRecommenders")
    assert (status, body) == (200, {"recommenders": []})
    assert len(headers.pop("x-amzn-requestid")) == 36
    assert headers == {
        "content-type": "application/x-amz-json-1.1",
        "content-length": "20",
        "strict-transport-security": "max-age=47304000; includeSubDomains",
        "x-frame-options": "DENY",
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
    }


def test_times_are_numbers_of_seconds(simulation: Simulation) -> None:
    simulation.create()
    _, _, answer = _call(simulation, "DescribeRecommender", DESCRIBED)
    assert answer["recommender"]["creationDateTime"] == simulation.clock.now


def test_a_deletion_has_no_body(simulation: Simulation) -> None:
    simulation.create_active()
    status, headers, answer = _call(simulation, "DeleteRecommender", DESCRIBED)
    assert (status, headers["content-length"], answer) == (200, "0", None)


@pytest.mark.parametrize(
    ("operation", "body", "code"),
    [
        ("CreateCampaign", b"{}", "UnknownOperationException"),
        ("", b"{}", "UnknownOperationException"),
        ("ListRecommenders", b"{", "SerializationException"),
        ("ListRecommenders", b"\xff", "SerializationException"),
        ("ListRecommenders", b"[]", "SerializationException"),
        ("ListRecommenders", b'{"maxResults": "3"}', "SerializationException"),
        ("DescribeRecommender", b"", "ValidationException"),
    ],
)
def test_errors_are_answers(simulation: Simulation, operation: str, body: bytes, code: str) -> None:
    status, headers, answer = _call(simulation, operation, body)
    assert status == 400
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert answer.keys() == {"__type", "message"}
    assert answer["__type"] == code


def test_errors_of_the_runtime_name_their_type_in_a_header(simulation: Simulation) -> None:
    body = json.dumps({"recommenderArn": ARN, "userId": "1"}).encode()
    status, headers, answer = _call(simulation, "", body, path="/recommendations")
    assert (status, headers["content-type"]) == (400, "application/json")
    assert headers["x-amzn-errortype"] == "InvalidInputException:"
    assert answer == {"message": f"{ARN} does not exist or is not active yet."}


def test_the_status_of_an_error_is_the_authorizers_to_choose(simulation: Simulation) -> None:
    def deny(*_: object) -> None:
        raise ServiceError("AccessDeniedException", "no", 403)

    status, _, answer = _call(simulation, "ListRecommenders", authorize=deny)
    assert (status, answer) == (403, {"__type": "AccessDeniedException", "message": "no"})


@pytest.mark.parametrize("unsigned", [{"account": ""}, {"region": ""}])
def test_an_unsigned_request_is_refused(simulation: Simulation, unsigned: dict[str, Any]) -> None:
    status, _, answer = _call(simulation, "ListRecommenders", **unsigned)
    assert (status, answer["__type"]) == (403, "MissingAuthenticationTokenException")


def test_the_credential_scope_names_signer_region_and_service() -> None:
    scope = wire.credential_scope({"authorization": SIGNATURE})
    assert scope == ("AKIDEXAMPLE", "eu-west-1", "personalize")


@pytest.mark.parametrize("value", ["", "Bearer token", "AWS4-HMAC-SHA256 Credential=AKID/x"])
def test_without_a_signature_there_is_no_credential_scope(value: str) -> None:
    assert wire.credential_scope({"Authorization": value}) is None


@pytest.mark.parametrize(
    ("headers", "path", "expected"),
    [
        ({"X-Amz-Target": "AmazonPersonalize.ListRecipes"}, "/", True),
        ({"x-amz-target": "DynamoDB_20120810.ListTables"}, "/", False),
        ({"Authorization": SIGNATURE}, "/recommendations", True),
        ({"Authorization": SIGNATURE.replace("/personalize/", "/s3/")}, "/recommendations", False),
        ({}, "/recommendations", False),
        ({}, "/_personalize/state", True),
        ({}, "/_personalizer", False),
    ],
)
def test_requests_to_personalize_are_told_from_others(
    headers: dict[str, str], path: str, expected: bool
) -> None:
    assert wire.is_personalize(headers, path) == expected


def test_behaviour_is_read_and_changed_in_part(simulation: Simulation) -> None:
    status, behaviour = _admin(
        simulation, "PUT", "behaviour", {"stop": 7, "metrics": {"coverage": 1}}
    )
    assert status == 200
    assert behaviour["stop"] == 7
    assert behaviour["create_in_progress"] == QUICK["create_in_progress"]
    assert _admin(simulation, "GET", "behaviour") == (200, behaviour)
    assert simulation.behaviour.metrics == {"coverage": 1}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "behaviour", {"stopp": 7}, 400),
        ("PUT", "behaviour", [], 400),
        ("POST", "dataset-groups", {"name": "vod"}, 400),
        ("POST", "dataset-groups", [], 400),
        ("GET", "nothing", None, 404),
        ("POST", "state", None, 404),
        ("POST", "", None, 404),
    ],
)
def test_what_an_admin_path_cannot_do_it_says(
    simulation: Simulation, method: str, path: str, body: object, status: int
) -> None:
    answered, content = _admin(simulation, method, path, body)
    assert answered == status
    assert content["message"]
    assert simulation.behaviour.stop == QUICK["stop"]


def test_a_dataset_group_is_seeded(simulation: Simulation) -> None:
    seed = {"account": ACCOUNT, "region": "us-east-1", "name": "shop", "domain": "ECOMMERCE"}
    status, answer = _admin(simulation, "POST", "dataset-groups", seed)
    assert status == 200
    client = simulation.connect(region="us-east-1")
    group = client.describe_dataset_group(datasetGroupArn=answer["datasetGroupArn"])["datasetGroup"]
    assert group["domain"] == "ECOMMERCE"


def test_the_state_shows_everything(simulation: Simulation) -> None:
    simulation.create(tags=[{"tagKey": "owner", "tagValue": "us"}])
    status, state = _admin(simulation, "GET", "state")
    assert status == 200
    assert "not AWS" in state["simulation"]
    [recommender] = state["recommenders"]
    assert recommender["tags"] == {"owner": "us"}
    assert [group["name"] for group in state["datasetGroups"]] == ["vod"]
    assert state["calls"] == 1


def test_the_journal_records_calls_whatever_became_of_them(simulation: Simulation) -> None:
    role = "arn:aws:iam::111111111111:role/r"
    start = simulation.clock.now
    _call(simulation, "DescribeRecommender", DESCRIBED)
    simulation.clock.advance(1)
    simulation.create()
    simulation.clock.advance(1)
    _call(simulation, "CreateRecommender", b'{"name": 7}', caller=role)
    _call(simulation, "Nonsense")
    common = {"account": ACCOUNT, "region": REGION, "caller": ""}
    describe = common | {"operation": "DescribeRecommender", "resource_arn": ARN}
    create = common | {"operation": "CreateRecommender", "resource_arn": ARN, "mutating": True}
    status, journal = _admin(simulation, "GET", "journal")
    assert status == 200
    assert journal == [
        describe | {"time": start, "outcome": "ResourceNotFoundException", "mutating": False},
        create | {"time": start + 1, "outcome": "OK"},
        create
        | {"time": start + 2, "outcome": "SerializationException", "resource_arn": ""}
        | {"caller": role},
        common
        | {"time": start + 2, "operation": "Nonsense", "resource_arn": ""}
        | {"outcome": "UnknownOperationException", "mutating": False},
    ]
    assert _admin(simulation, "DELETE", "journal") == (200, [])
    assert simulation.service.journal == []


@pytest.mark.parametrize(
    ("operation", "mutating"),
    [
        *((f"{verb}Recommender", True) for verb in ("Create", "Update", "Delete", "Start", "Stop")),
        *((f"{noun}Resource", True) for noun in ("Tag", "Untag")),
        *((f"Describe{noun}", False) for noun in ("Recommender", "Recipe", "Dataset")),
        *((f"List{noun}", False) for noun in ("Recommenders", "Recipes", "TagsForResource")),
    ],
)
def test_the_journal_tells_the_calls_that_change_something(
    simulation: Simulation, operation: str, mutating: bool
) -> None:
    _call(simulation, operation)
    assert [call.mutating for call in simulation.service.journal] == [mutating]


def test_a_throttled_call_is_in_the_journal_too() -> None:
    simulation = Simulation(throttle_every=1)
    request = {"name": "n", "datasetGroupArn": simulation.dataset_group_arn, "recipeArn": RECIPE}
    _call(simulation, "CreateRecommender", json.dumps(request).encode())
    [call] = simulation.service.journal
    assert (call.outcome, call.resource_arn) == ("ThrottlingException", ARN[:-5] + "n")
