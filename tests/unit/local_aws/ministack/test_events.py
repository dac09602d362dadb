"""CloudFormation's events here have the form of AWS's own examples, and reach allowed topics only.

Sources: "Stack Status Change event detail", "Resource Status Change event detail", CloudFormation
User Guide.
"""

import contextvars
import inspect
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from ministack.core import responses  # type: ignore[import-untyped]
from ministack.services import cloudformation, eventbridge, sns  # type: ignore[import-untyped]
from ministack.services.cloudformation import stacks  # type: ignore[import-untyped]

from local_aws.ministack import events

ACCOUNT: Final = "111122223333"
STACK_ID: Final = f"arn:aws:cloudformation:us-west-1:{ACCOUNT}:stack/teststack"
TOPIC: Final = f"arn:aws:sns:us-west-1:{ACCOUNT}:deployments"

EXAMPLE: Final[dict[str, Any]] = {
    "version": "0",
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "CloudFormation Stack Status Change",
    "source": "aws.cloudformation",
    "account": ACCOUNT,
    "time": "2017-12-22T18:43:48Z",
    "region": "us-west-1",
    "resources": [STACK_ID],
    "detail": {
        "stack-id": STACK_ID,
        "status-details": {"status": "CREATE_COMPLETE", "status-reason": ""},
        "client-request-token": "",
    },
}
OF_A_RESOURCE: Final[dict[str, Any]] = {
    **EXAMPLE,
    "detail-type": "CloudFormation Resource Status Change",
    "detail": {
        "stack-id": STACK_ID,
        "logical-resource-id": "my-s3-bucket",
        "physical-resource-id": "arn:aws:s3:::my-s3-bucket-us-east-1",
        "status-details": {"status": "CREATE_COMPLETE", "status-reason": ""},
        "resource-type": "AWS::S3::Bucket",
        "client-request-token": "",
    },
}
"""AWS's examples."""

TIME_AND_ID: Final = ("time", "id")


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Undo patches and state after each test."""
    for module in events._CALLERS:
        monkeypatch.setattr(module, "_add_event", stacks._add_event)
    monkeypatch.setattr(eventbridge, "_dispatch_to_sns", eventbridge._dispatch_to_sns)
    yield
    for service in (cloudformation, eventbridge, sns):
        service.reset()


def in_us_west_1(test: Any) -> Any:
    """Call a function in the account and region of the examples."""

    def call() -> Any:
        responses.set_request_account_id(ACCOUNT)
        responses.set_request_region("us-west-1")
        return test()

    return contextvars.copy_context().run(call)


STACK: Final = ("teststack", "AWS::CloudFormation::Stack", STACK_ID)
BUCKET: Final = ("my-s3-bucket", "AWS::S3::Bucket", "arn:aws:s3:::my-s3-bucket-us-east-1")


@pytest.mark.parametrize(
    ("resource", "example"), [(STACK, EXAMPLE), (BUCKET, OF_A_RESOURCE)], ids=["stack", "resource"]
)
def test_an_event_is_as_in_the_example_of_aws(
    monkeypatch: pytest.MonkeyPatch, resource: tuple[str, str, str], example: dict[str, Any]
) -> None:
    name, kind, physical_id = resource
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(
        eventbridge, "_dispatch_event", lambda _, view: sent.append(view.event_with_detail())
    )
    events.send_stack_events()

    complete = (STACK_ID, "teststack", name, kind, "CREATE_COMPLETE", "", physical_id)
    in_us_west_1(lambda: stacks._add_event(*complete))

    (event,) = [one for one in sent if one["detail-type"] == example["detail-type"]]
    assert {name: type(event[name]) for name in TIME_AND_ID} == dict.fromkeys(TIME_AND_ID, str)
    assert event | {name: example[name] for name in TIME_AND_ID} == example


def test_an_event_of_a_resource_is_none_of_the_stack() -> None:
    recorded = {
        "StackId": STACK_ID,
        "LogicalResourceId": "Gate",
        "PhysicalResourceId": "",
        "ResourceType": "Custom::RecommenderTraining",
        "ResourceStatus": "CREATE_FAILED",
        "ResourceStatusReason": "No permission.",
        "ClientRequestToken": "Console-CreateStack-7f59c3cf",
    }

    (entry,) = events.entries_of(recorded)

    detail = json.loads(entry["Detail"])
    assert entry["DetailType"] == "CloudFormation Resource Status Change"
    assert detail["status-details"] == {
        "status": "CREATE_FAILED",
        "status-reason": "No permission.",
    }
    assert detail["client-request-token"] == "Console-CreateStack-7f59c3cf"


ALLOW: Final[dict[str, Any]] = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sns:Publish",
    "Resource": TOPIC,
}

OF_A_RULE: Final = {"ArnLike": {"aws:SourceArn": f"arn:aws:events:us-west-1:{ACCOUNT}:rule/*"}}
"""A condition that never holds: EventBridge sends no condition keys to a topic."""


@pytest.mark.parametrize(
    ("statement", "arrives"),
    [
        (None, False),  # a new topic lets its owner publish
        (ALLOW, True),
        ({**ALLOW, "Principal": {"Service": "cloudwatch.amazonaws.com"}}, False),
        ({**ALLOW, "Effect": "Deny", "Principal": "*"}, False),
        ({**ALLOW, "Condition": OF_A_RULE}, False),
    ],
    ids=["new topic", "allowed", "another service", "denied", "condition"],
)
def test_a_message_reaches_a_topic_only_if_its_policy_allows_it(
    monkeypatch: pytest.MonkeyPatch, statement: dict[str, Any] | None, arrives: bool
) -> None:
    published: list[str] = []

    def publish(topic_arn: str, *_: str) -> dict[str, str]:
        published.append(topic_arn)
        return {}

    monkeypatch.setattr(sns, "publish_internal", publish)
    events.deliver_to_topics_that_allow_it()

    def deliver() -> None:
        sns._create_topic({"Name": ["deployments"]})
        if statement:
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            new = {"AttributeName": ["Policy"], "AttributeValue": [policy]}
            sns._set_topic_attributes({"TopicArn": [TOPIC], **new})
        eventbridge._dispatch_to_sns(TOPIC, "text")

    in_us_west_1(deliver)

    assert published == ([TOPIC] if arrives else [])


def test_every_module_that_records_an_event_is_patched() -> None:
    having = {
        name
        for name, module in vars(cloudformation).items()
        if inspect.ismodule(module) and hasattr(module, "_add_event")
    }

    assert having == {module.__name__.rpartition(".")[2] for module in events._CALLERS}
