"""The alternatives that people would use, each as small as it can honestly be.

They run on the fake of CloudFormation, Lambda and Step Functions on which our own functions are
tested, and on the same simulated Personalize. The fake knows two functions by their handlers and
one state machine, so a rival defines these. None of them checks anything beforehand, tags anything,
or retries a refused call: they are simpler than a solution for production.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final

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


class Rival(ABC):
    """A rival: its template and its functions.

    Attributes:
        name: its name in the tables.
        resources: its custom resources.
        waiter: the definition of its state machine.
    """

    name: ClassVar[str]
    resources: ClassVar[Mapping[str, Any]] = {"Recommender": RECOMMENDER}
    waiter: ClassVar[Mapping[str, Any]] = {
        "StartAt": "End",
        "States": {"End": {"Type": "Succeed"}},
    }

    def __init__(self, stack: Stack) -> None:
        """Take the stack that it is deployed by."""
        cloud = stack.cloud
        self.stack = stack
        self.api = personalize.client(
            cloud.service,
            account=ACCOUNT,
            region=cloud.region,
            caller=stack.id,
            before=cloud.called,
            after=cloud.applied,
        )

    @classmethod
    def template(cls) -> Deployable:
        """Return the template that CloudFormation deploys: two functions, and its own parts."""
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
            "Properties": {"DefinitionString": json.dumps(cls.waiter)},
        }
        return Deployable({**functions, "Machine": machine, **cls.resources}, {})

    @abstractmethod
    def begin(self, event: Event) -> None:
        """Take an event of CloudFormation."""

    @abstractmethod
    def poll(self, state: Event) -> Mapping[str, Any]:
        """Do one step of the state machine."""

    def answer_if_done(self, event: Event) -> bool:
        """Poll once; if the request of CloudFormation is fulfilled, answer, and return whether."""
        done = is_gone(self.api) if event["RequestType"] == "Delete" else is_active(self.api)
        if done:
            self.answer(event)
        return done

    def answer(self, event: Event) -> None:
        """Put a success to the ResponseURL."""
        body = {
            "Status": "SUCCESS",
            "PhysicalResourceId": event.get("PhysicalResourceId", ARN),
            **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
        }
        self.stack.cloud.put(event["ResponseURL"], json.dumps(body).encode())

    def start(self, event: Event) -> None:
        """Have the state machine wait for a request."""
        given = {"Event": event, "Seconds": POLL_SECONDS, "Done": False}
        self.stack.cloud.start_execution(self.stack, event["RequestId"], json.dumps(given))


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
