"""Examples that several of these tests share: a stack, and requests to its resources."""

from collections.abc import Mapping
from typing import Any, Final

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.identity import Owner
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.request import Request
from tests.support.place import ACCOUNT, GROUP, PLACE, RECIPE, REGION

STACK: Final = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/TopPicks/0a1b"
STATE_MACHINE: Final = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Waiter"
RECOMMENDER: Final = f"{PLACE}recommender/"
MINE: Final = f"{RECOMMENDER}mine"
OWNER: Final = Owner(STACK, "Recommender")

SIGNATURE: Final = "2f6b1d0c"
RESPONSE_URL: Final = (
    "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/"
    "arn%3Aaws%3Acloudformation%3Aeu-west-1%3A111111111111%3Astack/TopPicks/0a1b%7CRecommender%7Cr-1"
    "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=host"
    f"&X-Amz-Expires=7199&X-Amz-Signature={SIGNATURE}"
)
"""Signed when the virtual clock of these tests begins."""

CREATES, UPDATES, DELETES, UNDOES, ROLLS_BACK, CLEANS_UP = (
    Operation(status, "")
    for status in (
        "CREATE_IN_PROGRESS",
        "UPDATE_IN_PROGRESS",
        "DELETE_IN_PROGRESS",
        "ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    )
)
"""What the stack does while a request is answered."""

PROPERTIES: Final[Mapping[str, Any]] = {
    "ServiceToken": "arn:aws:lambda:eu-west-1:111111111111:function:f",
    v.NAME_PREFIX: "TopPicks",
    v.DATASET_GROUP_ARN: GROUP,
    v.RECIPE_ARN: RECIPE,
    v.CONFIG: {v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.25"}, v.ENABLE_METADATA: "true"},
    v.RUNNING: "true",
    v.ADOPT_EXISTING: "false",
    v.TAGS: {"team": "video"},
    v.WAIT_SECONDS: "3300",
}
"""What the template gives the recommender."""


def event(
    properties: Mapping[str, Any] | None = None, *, kind: object = "Create", **members: Any
) -> dict[str, Any]:
    """Return a request to the recommender as CloudFormation sends it, with some things changed."""
    return {
        "RequestType": kind,
        "ResponseURL": RESPONSE_URL,
        "ResourceType": v.RECOMMENDER_TYPE,
        "RequestId": "r-1",
        "StackId": STACK,
        "LogicalResourceId": "Recommender",
        "ResourceProperties": {**PROPERTIES, **(properties or {})},
        **members,
    }


DESIRED: Final = Request.parse(event()).desired
"""What the template asks for."""
CONFIG: Final = DESIRED.config.request()
OTHER_CONFIG: Final = {**CONFIG, v.MIN_REQUESTS_PER_SECOND: 7}
HIDDEN: Final = {name: value for name, value in CONFIG.items() if name != v.ENABLE_METADATA}
"""The configuration, if DescribeRecommender does not show whether there are metadata."""
OWN: Final = {**OWNER.tags(), "team": "video"}
"""The tags that the stack gives its recommender."""
GATE_ATTRIBUTES: Final = {*v.METRICS, v.RECOMMENDER_ARN_ATTRIBUTE, "ModelMetrics", "QualityGate"}


def update(properties: Mapping[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """Return an Update that keeps the recommender; by default it changes nothing."""
    raw = event(properties, kind="Update", PhysicalResourceId=DESIRED.arn)
    return raw | {"OldResourceProperties": raw["ResourceProperties"]} | members


DELETE: Final = event(kind="Delete", PhysicalResourceId=DESIRED.arn)


def without(name: str) -> dict[str, Any]:
    """Return a Create of the recommender that lacks a property."""
    return event(ResourceProperties={k: p for k, p in PROPERTIES.items() if k != name})


def gate(
    link: int = 11, links: int = 11, *, kind: str = "Create", arn: str = f"{RECOMMENDER}mine"
) -> dict[str, Any]:
    """Return a request to a training gate."""
    properties = {
        v.RECOMMENDER_ARN: arn,
        v.CONFIG: {v.EXPLORATION: {}},
        v.LINK: str(link),
        v.LINKS: str(links),
        v.WAIT_SECONDS: "3300",
    }
    return _helper(v.TRAINING_GATE_TYPE, f"Training{link:02}", kind, properties)


def sweep(link: int = 1, links: int = 11, *, kind: str = "Delete") -> dict[str, Any]:
    """Return a request to a sweep."""
    properties = {
        v.NAME_PREFIX: "TopPicks",
        v.RECOMMENDER_LOGICAL_ID: "Recommender",
        v.LINK: str(link),
        v.LINKS: str(links),
        v.WAIT_SECONDS: "3300",
    }
    return _helper(v.SWEEP_TYPE, f"Sweep{link:02}", kind, properties)


def stop(*, kind: str = "Create", arn: str = MINE) -> dict[str, Any]:
    """Return a request to the resource that keeps a recommender stopped."""
    properties = {v.RECOMMENDER_ARN: arn, v.RECOMMENDER_LOGICAL_ID: "Recommender"}
    return _helper(v.STOP_TYPE, "Stop", kind, properties)


OFFICE: Final[Mapping[str, Any]] = {
    v.START: [f"{day} 07:00" for day in ("MON", "TUE", "WED", "THU", "FRI")],
    v.STOP: [f"{day} 20:00" for day in ("MON", "TUE", "WED", "THU", "FRI")],
    v.TIME_ZONE: "Europe/Berlin",
}
"""Hours of service."""


def hours(*, kind: str = "Create") -> dict[str, Any]:
    """Return a request to the resource that applies the hours of service."""
    properties = {
        v.RECOMMENDER_ARN: MINE,
        v.RECOMMENDER_LOGICAL_ID: "Recommender",
        v.ACTIVE_HOURS: OFFICE,
    }
    return _helper(v.HOURS_TYPE, "Hours", kind, properties)


def _helper(
    resource_type: str, logical_id: str, kind: str, properties: Mapping[str, Any]
) -> dict[str, Any]:
    return event(
        kind=kind,
        ResourceType=resource_type,
        LogicalResourceId=logical_id,
        ResourceProperties={"ServiceToken": PROPERTIES["ServiceToken"], **properties},
    )
