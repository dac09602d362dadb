"""The alternatives that people would use, each as small as it can honestly be.

They run on the fake of CloudFormation, Lambda and Step Functions on which our own functions are
tested, and on the same simulated Personalize. The fake knows two functions by their handlers and
one state machine, so a rival defines these. None of them checks anything beforehand, tags anything,
or retries a refused call: they are simpler than a solution for production.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

from types_boto3_personalize import PersonalizeClient

from tests.support import personalize
from tests.support.place import ACCOUNT, GROUP, PLACE, RECIPE
from tests.support.serverless import Event
from tests.support.stack import Stack
from tests.support.synthesis import Deployable

NAME: Final = "rival"
ARN: Final = f"{PLACE}recommender/{NAME}"
"""Known beforehand, as CloudFormation deletes a cancelled creation by an id that it invents."""
POLL_SECONDS: Final = 60
LAMBDA_SECONDS: Final = 900
"""The longest that a function may run ("Lambda quotas", Lambda Developer Guide)."""

RECOMMENDER: Final = {
    "Type": "Custom::Recommender",
    "DependsOn": ["Begin", "Poll", "Machine"],
    "Properties": {"ServiceToken": "Begin"},
}
"""The custom resource that each of them has."""

_NOTHING: Final = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}


class Rival(Protocol):
    """A rival: its template and its functions."""

    name: str
    polls_by_lambda: bool
    """Whether a function polls, and not the state machine itself."""

    def __init__(self, stack: Stack) -> None:
        """Take the stack that it is deployed by."""

    @staticmethod
    def template() -> Deployable:
        """Return the template that CloudFormation deploys."""

    def begin(self, event: Event) -> None:
        """Take an event of CloudFormation."""

    def poll(self, state: Event) -> Mapping[str, Any]:
        """Do one step of the state machine."""


def template(
    resources: Mapping[str, Mapping[str, Any]], definition: Mapping[str, Any] | None = None
) -> Deployable:
    """Return a template: the two functions, the state machine, and these custom resources."""
    functions = {
        name: {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Handler": f"recommender.handler.{name.lower()}",
                "Timeout": LAMBDA_SECONDS,
            },
        }
        for name in ("Begin", "Poll")
    }
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"DefinitionString": json.dumps(definition or _NOTHING)},
    }
    return Deployable({**functions, "Machine": machine, **resources}, {})


def client(stack: Stack) -> PersonalizeClient:
    """Return a client of the simulated Personalize for a rival's functions."""
    cloud = stack.cloud
    return personalize.client(
        cloud.service,
        account=ACCOUNT,
        region=cloud.region,
        caller=stack.id,
        before=cloud.called,
        after=cloud.applied,
    )


def create(api: PersonalizeClient) -> None:
    """Create the recommender."""
    api.create_recommender(name=NAME, datasetGroupArn=GROUP, recipeArn=RECIPE)


def is_active(api: PersonalizeClient) -> bool:
    """Return whether it is ACTIVE.

    Raises:
        RuntimeError: it never will be.
    """
    status = api.describe_recommender(recommenderArn=ARN)["recommender"]["status"]
    if status == "CREATE FAILED":
        raise RuntimeError(status)
    return status == "ACTIVE"


def is_gone(api: PersonalizeClient) -> bool:
    """Ask for the deletion as soon as the service takes it, and return whether it has ended."""
    try:
        status = api.describe_recommender(recommenderArn=ARN)["recommender"]["status"]
        if status in ("ACTIVE", "CREATE FAILED"):
            api.delete_recommender(recommenderArn=ARN)
    except api.exceptions.ResourceNotFoundException:
        return True
    return False


def is_done(api: PersonalizeClient, event: Event) -> bool:
    """Poll once, and return whether the request of CloudFormation is fulfilled."""
    return is_gone(api) if event["RequestType"] == "Delete" else is_active(api)


def answer(stack: Stack, event: Event) -> None:
    """Put a success to the ResponseURL."""
    body = {
        "Status": "SUCCESS",
        "PhysicalResourceId": event.get("PhysicalResourceId", ARN),
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    stack.cloud.put(event["ResponseURL"], json.dumps(body).encode())


def start(stack: Stack, event: Event) -> None:
    """Have the state machine wait for a request."""
    given = {"Event": event, "Seconds": POLL_SECONDS, "Done": False}
    stack.cloud.start_execution(stack, event["RequestId"], json.dumps(given))
