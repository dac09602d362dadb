"""Notifications in the template: the rules, their messages, and their place in the stack."""

import json
import re
import shlex
from typing import Any, Final

import botocore.session
import pytest
from aws_cdk import App, NestedStack, Stage
from aws_cdk import aws_sns as sns

import operations.__main__
from lambdas.recommender import vocabulary as v
from stacks.service import RecommenderService
from tests.infrastructure.conftest import new_stack, top_picks
from tests.infrastructure.test_monitoring import COST
from tests.infrastructure.test_pictures import earlier
from tests.support.events import STACK_ID, messages, of_a_resource, of_the_stack
from tests.support.template import Synth, of_type, rendered
from tests.unit.test_how_tos import PAGES

TOPIC: Final = "arn:aws:sns:eu-west-1:111111111111:deployments"
RULE: Final = "AWS::Events::Rule"
UNTOLD: Final = {"DELETE_COMPLETE", "IMPORT_ROLLBACK_FAILED"}
"""The rules are gone at the first; the app imports nothing, so the second is not its own."""

_CLOUDFORMATION: Final = botocore.session.get_session().get_service_model("cloudformation")
STATUSES: Final = _CLOUDFORMATION.shape_for("StackStatus").metadata["enum"]
OF_RESOURCES: Final = [
    status
    for status in _CLOUDFORMATION.shape_for("ResourceStatus").metadata["enum"]
    if re.fullmatch("(CREATE|UPDATE|DELETE|IMPORT)_FAILED", status)
]
WHERE: Final = "TopPicks in eu-west-1, account 111111111111, at 2017-12-22T18:43:48Z"
PLACE: Final = "--stack TopPicks --region eu-west-1"


@pytest.fixture(scope="module")
def notified(synth: Synth) -> dict[str, Any]:
    return synth(notify_topic_arn=TOPIC)


def lines(template: dict[str, Any], event: dict[str, Any]) -> list[str]:
    """Return the lines of the one message of an event, without their quotation marks."""
    (message,) = messages(template, event).values()
    return [line.removeprefix('"').removesuffix('"') for line in message.splitlines()]


# -- which events ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_of_the_stack_is_told_once_if_the_operation_has_ended(
    notified: dict[str, Any], status: str
) -> None:
    told = messages(notified, of_the_stack(status))

    assert len(told) == (not status.endswith("_IN_PROGRESS") and status not in UNTOLD)


@pytest.mark.parametrize("status", OF_RESOURCES)
def test_a_resource_that_fails_is_told_once_with_its_reason(
    notified: dict[str, Any], status: str
) -> None:
    told = lines(notified, of_a_resource(status, "No permission."))

    assert f"{WHERE}: Gate is {status}." in told
    assert "Reason: No permission." in told


@pytest.mark.parametrize(
    "event",
    [
        of_a_resource("CREATE_FAILED", "Resource creation cancelled"),
        of_a_resource("UPDATE_FAILED", "Resource update cancelled"),
        of_a_resource("CREATE_FAILED", "No.", logical_id="TopPicks"),  # the stack itself
        of_a_resource("CREATE_COMPLETE"),
        of_a_resource("DELETE_IN_PROGRESS"),
        of_a_resource("CREATE_FAILED", "No.", stack_id=STACK_ID.replace("/1", "/2")),
        of_the_stack("CREATE_COMPLETE", stack_id=STACK_ID.replace("/1", "/2")),
    ],
    ids=["cancelled", "cancelled update", "stack", "complete", "progress", "other", "other stack"],
)
def test_an_event_that_is_no_failure_of_its_own_is_not_told(
    notified: dict[str, Any], event: dict[str, Any]
) -> None:
    assert messages(notified, event) == {}


# -- the messages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "rest"),
    [
        (
            of_the_stack("UPDATE_COMPLETE"),
            [
                f"{WHERE}: UPDATE_COMPLETE.",
                "The operation has succeeded.",
                f"Next step: python -m operations status {PLACE}",
            ],
        ),
        (
            of_a_resource("CREATE_FAILED", "It is CREATE FAILED: too few items."),
            [
                f"{WHERE}: Gate is CREATE_FAILED.",
                "Reason: It is CREATE FAILED: too few items.",
                "The operation has failed. A rollback can take hours.",
                f"Next step: python -m operations status --follow {PLACE}",
            ],
        ),
        (
            of_the_stack("UPDATE_ROLLBACK_COMPLETE"),
            [
                f"{WHERE}: UPDATE_ROLLBACK_COMPLETE.",
                "The operation was rolled back. An earlier message has the reason. Remove the "
                "cause.",
                "Next step: npx cdk deploy TopPicks",
            ],
        ),
        (
            of_the_stack("UPDATE_ROLLBACK_FAILED", "The following resource(s) failed: [Gate]."),
            [
                f"{WHERE}: UPDATE_ROLLBACK_FAILED.",
                "Reason: The following resource(s) failed: [Gate].",
                "The stack is stuck, because its rollback has failed. Remove the cause.",
                "Next step: aws cloudformation continue-update-rollback --stack-name TopPicks "
                "--region eu-west-1",
            ],
        ),
        (
            of_a_resource("DELETE_FAILED", "Not deleted: AccessDenied."),
            [
                f"{WHERE}: Gate is DELETE_FAILED.",
                "Reason: Not deleted: AccessDenied.",
                "The resource was not deleted. A recommender may be left, and billed. Remove the "
                "cause.",
                f"Next step: python -m operations leftovers --delete {PLACE}",
            ],
        ),
    ],
    ids=["succeeded", "failed", "rolled back", "not rolled back", "not deleted"],
)
def test_a_message_says_where_what_why_and_the_next_command(
    notified: dict[str, Any], event: dict[str, Any], rest: list[str]
) -> None:
    assert lines(notified, event) == rest


def test_quotation_marks_of_a_reason_stay_as_they_are(notified: dict[str, Any]) -> None:
    reason = 'Resource handler returned message: "No role" (HandlerErrorCode: NotFound)'

    assert f"Reason: {reason}" in lines(notified, of_a_resource("CREATE_FAILED", reason))


@pytest.mark.parametrize("status", sorted(set(STATUSES) - UNTOLD))
def test_the_next_command_of_every_message_is_one(notified: dict[str, Any], status: str) -> None:
    for message in messages(notified, of_the_stack(status)).values():
        (command,) = re.findall(r'"Next step: (.*)"$', message)
        match shlex.split(command):
            case ["python", "-m", "operations", *arguments]:
                assert operations.__main__._parser().parse_args(arguments)
            case ["aws", "cloudformation", "continue-update-rollback", *arguments]:
                assert arguments == ["--stack-name", "TopPicks", "--region", "eu-west-1"]
            case other:
                assert other == ["npx", "cdk", "deploy", "TopPicks"]


def test_an_environment_is_deployed_by_its_path() -> None:
    app = App()
    stack = new_stack(Stage(app, "prod"))
    topic = sns.Topic.from_topic_arn(stack, "Topic", TOPIC)
    RecommenderService.shared(stack, notify_topic=topic)

    template = rendered(stack)

    (message,) = messages(template, of_the_stack("ROLLBACK_COMPLETE")).values()
    assert '"prod-Video in eu-west-1' in message
    assert "npx cdk deploy prod/Video" in message


def test_a_nested_stack_reports_itself_and_is_deployed_with_the_stack_around_it() -> None:
    outer = new_stack()
    inner = NestedStack(outer, "Inner")
    topic = sns.Topic.from_topic_arn(inner, "Topic", TOPIC)
    RecommenderService.shared(inner, notify_topic=topic)

    template = rendered(inner)

    (message,) = messages(template, of_the_stack("UPDATE_ROLLBACK_COMPLETE")).values()
    assert message.endswith('npx cdk deploy Video"')


# -- their place -----------------------------------------------------------------------------------


def test_notifications_add_rules_and_change_no_property(
    template: dict[str, Any], notified: dict[str, Any]
) -> None:
    def properties(of: dict[str, Any]) -> dict[str, Any]:
        return {
            name: one.get("Properties")
            for name, one in of["Resources"].items()
            if one["Type"] != RULE
        }

    assert properties(notified) == properties(template)
    assert f"| rules (EventBridge) | {len(of_type(notified, RULE))}" in COST


def test_the_page_has_the_statuses_of_the_rules(notified: dict[str, Any]) -> None:
    page = PAGES["notifications.md"]
    table = page.partition("| status | of |")[2].partition("\n\n")[0]
    rows = re.findall(r"(?m)^\| (`.*?) \| (the stack|a resource) \| (.*?) \|$", table)
    on_the_page = {
        (of, frozenset(re.findall(r"`([A-Z_]+)`", statuses))) for statuses, of, _ in rows
    }
    of_detail_types = {
        "CloudFormation Stack Status Change": "the stack",
        "CloudFormation Resource Status Change": "a resource",
    }
    patterns = [one["Properties"]["EventPattern"] for one in of_type(notified, RULE).values()]

    assert on_the_page == {
        (
            of_detail_types[pattern["detail-type"][0]],
            frozenset(pattern["detail"]["status-details"]["status"]),
        )
        for pattern in patterns
    }


def test_cloudformation_s_own_notifications_are_as_many_as_the_page_says(
    template: dict[str, Any],
) -> None:
    """Each resource has three events in a creation: begun, initiated, complete."""
    assert len(template["Resources"]) * 3 > 100
    assert "more than a hundred messages" in " ".join(PAGES["notifications.md"].split())


def test_rules_come_before_whatever_can_fail_and_go_after_it(notified: dict[str, Any]) -> None:
    resources = notified["Resources"]
    rules = of_type(notified, RULE)

    assert all(earlier(resources, rule) == set() for rule in rules)
    for name, one in resources.items():
        if one["Type"] not in (RULE, "AWS::Logs::LogGroup") and "WaiterRole" not in name:
            assert rules.keys() <= earlier(resources, name), name
    assert len(of_type(notified, v.SWEEP_TYPE)) == 11


def test_a_topic_of_the_stack_with_its_policy_outlives_the_rules() -> None:
    stack = new_stack()
    topic = sns.Topic(stack, "Deployments", enforce_ssl=True)
    RecommenderService.shared(stack, notify_topic=topic)
    top_picks(stack, training_gates=1, sweeps=1)

    template = rendered(stack)

    ((policy, made),) = of_type(template, "AWS::SNS::TopicPolicy").items()
    assert "events.amazonaws.com" not in json.dumps(made)  # its owner decides
    for rule in of_type(template, RULE):
        assert policy in earlier(template["Resources"], rule)


def test_a_service_that_is_made_cannot_get_another_topic() -> None:
    stack = new_stack()
    one, other = (
        sns.Topic.from_topic_arn(stack, name, f"{TOPIC}-{name}") for name in ("one", "other")
    )
    service = RecommenderService.shared(stack, notify_topic=one)

    assert RecommenderService.shared(stack, notify_topic=one) is service
    with pytest.raises(Exception, match=r"^Property notify_topic: got .*-other"):
        RecommenderService.shared(stack, notify_topic=other)
