"""Small fakes of the services that the custom resources call."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from lambdas.recommender import vocabulary as v
from lambdas.recommender.protocol.answer import Answers, Delivery
from tests.support.http import Request, serving
from tests.support.place import GROUP, PLACE, RECIPE

from .examples import OWNER, STACK, STATE_MACHINE

CHANGES: Final = frozenset(
    {
        "CreateRecommender",
        "DeleteRecommender",
        "StartRecommender",
        "StopRecommender",
        "TagResource",
        "UntagResource",
        "UpdateRecommender",
    }
)


def refusal(code: str, *, status: int = 400) -> ClientError:
    """Return the error of boto3 for an error that a service answers."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": "the message"},
            "ResponseMetadata": {"HTTPStatusCode": status},  # type: ignore[typeddict-item]
        },
        "Operate",
    )


class FakePersonalize:
    """Recommenders that do not change by themselves.

    Attributes:
        shown: the responses of DescribeRecommender, by ARN.
        tags: their tags, by ARN.
        faults: the error of a call, by operation; the call is recorded all the same.
        calls: operation and ARN of each call, in order.
    """

    def __init__(self) -> None:
        self.shown: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.faults: dict[str, Exception] = {}
        self.calls: list[tuple[str, str]] = []

    def add(
        self,
        arn: str,
        status: str = "ACTIVE",
        *,
        tags: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        """Add a recommender; by default the stack's."""
        self.shown[arn] = {
            "name": arn.rpartition("/")[2],
            "recommenderArn": arn,
            "status": status,
            "datasetGroupArn": GROUP,
            "recipeArn": RECIPE,
            "creationDateTime": datetime(2026, 1, 1, tzinfo=UTC),
            **members,
        }
        self.tags[arn] = dict(OWNER.tags() if tags is None else tags)

    def show_update(
        self,
        arn: str,
        status: str,
        config: Mapping[str, Any] | None = None,
        created: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    ) -> None:
        """Show an update, by default to the configuration that shows."""
        shown = self.shown[arn]
        shown["latestRecommenderUpdate"] = {
            "status": status,
            "recommenderConfig": shown["recommenderConfig"] if config is None else config,
            "creationDateTime": created,
        }

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The calls that change something."""
        return [call for call in self.calls if call[0] in CHANGES]

    def _note(self, operation: str, arn: str = "") -> None:
        self.calls.append((operation, arn))
        if operation in self.faults:
            raise self.faults[operation]

    def _find(self, operation: str, arn: str) -> None:
        self._note(operation, arn)
        if arn not in self.shown:
            raise refusal("ResourceNotFoundException")

    def _set(self, operation: str, arn: str, **members: Any) -> dict[str, str]:
        self._find(operation, arn)
        self.shown[arn] |= members
        return {"recommenderArn": arn}

    # AWS's own names
    def create_recommender(
        self, *, name: str, datasetGroupArn: str, recipeArn: str, recommenderConfig: Any, tags: Any
    ) -> Any:
        arn = f"{PLACE}recommender/{name}"
        self._note("CreateRecommender", arn)
        if arn in self.shown:
            raise refusal("ResourceAlreadyExistsException")
        self.add(
            arn,
            "CREATE PENDING",
            tags={tag["tagKey"]: tag["tagValue"] for tag in tags},
            datasetGroupArn=datasetGroupArn,
            recipeArn=recipeArn,
            recommenderConfig=recommenderConfig,
        )
        return {"recommenderArn": arn}

    def delete_recommender(self, *, recommenderArn: str) -> Any:
        self._set("DeleteRecommender", recommenderArn, status="DELETE PENDING")
        return {}

    def describe_dataset(self, *, datasetArn: str) -> Any:
        self._note("DescribeDataset", datasetArn)
        return {"dataset": {}}

    def describe_dataset_group(self, *, datasetGroupArn: str) -> Any:
        self._note("DescribeDatasetGroup", datasetGroupArn)
        return {"datasetGroup": {"status": "ACTIVE", "domain": "VIDEO_ON_DEMAND"}}

    def describe_recommender(self, *, recommenderArn: str) -> Any:
        self._find("DescribeRecommender", recommenderArn)
        return {"recommender": self.shown[recommenderArn]}

    def list_recipes(self, *, domain: Any, nextToken: str = "") -> Any:  # noqa: ARG002
        self._note("ListRecipes")
        return {"recipes": [{"recipeArn": RECIPE}]}

    def list_recommenders(self, *, nextToken: str = "") -> Any:  # noqa: ARG002
        self._note("ListRecommenders")
        return {"recommenders": list(self.shown.values())}

    def list_tags_for_resource(self, *, resourceArn: str) -> Any:
        self._find("ListTagsForResource", resourceArn)
        tags = self.tags[resourceArn]
        return {"tags": [{"tagKey": key, "tagValue": value} for key, value in tags.items()]}

    def start_recommender(self, *, recommenderArn: str) -> Any:
        return self._set("StartRecommender", recommenderArn, status="START PENDING")

    def stop_recommender(self, *, recommenderArn: str) -> Any:
        return self._set("StopRecommender", recommenderArn, status="STOP PENDING")

    def tag_resource(self, *, resourceArn: str, tags: Any) -> Any:
        self._find("TagResource", resourceArn)
        self.tags[resourceArn] |= {tag["tagKey"]: tag["tagValue"] for tag in tags}

    def untag_resource(self, *, resourceArn: str, tagKeys: list[str]) -> Any:
        self._find("UntagResource", resourceArn)
        for key in tagKeys:
            self.tags[resourceArn].pop(key, None)

    def update_recommender(self, *, recommenderArn: str, recommenderConfig: Any) -> Any:
        update = {"status": "CREATE PENDING", "recommenderConfig": recommenderConfig}
        return self._set("UpdateRecommender", recommenderArn, latestRecommenderUpdate=update)


class FakeCloudFormation:
    """One stack, in one operation until a test changes that."""

    def __init__(self, status: str, updated: datetime | None = None) -> None:
        self.status = status
        self.updated = updated
        self.fault: Exception | None = None

    def describe_stacks(self, *, StackName: str) -> Any:
        assert StackName == STACK
        if self.fault:
            raise self.fault
        stack = {"StackStatus": self.status}
        return {"Stacks": [{**stack, "LastUpdatedTime": self.updated} if self.updated else stack]}


class FakeStepFunctions:
    """Executions of a state machine: the input of each, by name."""

    def __init__(self) -> None:
        self.executions: dict[str, str] = {}
        self.fault: Exception | None = None
        self.tries = 0

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> Any:
        assert stateMachineArn.startswith("arn:")
        self.tries += 1
        if self.fault:
            raise self.fault
        if name in self.executions:
            raise refusal("ExecutionAlreadyExists")
        self.executions[name] = input
        return {"executionArn": f"{stateMachineArn}:{name}"}


class Letterbox(Answers):
    """Receives the answers, as CloudFormation does.

    Attributes:
        arrived: the answers.
        deliveries: what happens to the next ones; after that, all arrive.
        urls: where each was put.
    """

    def __init__(self, suffix: str = "amazonaws.com") -> None:
        super().__init__(suffix)
        self.arrived: list[Mapping[str, Any]] = []
        self.deliveries: list[Delivery] = []
        self.urls: list[str] = []

    @property
    def tries(self) -> int:
        """How many were put."""
        return len(self.urls)

    def put(self, response_url: str, answer: Mapping[str, Any]) -> Delivery:
        assert response_url.startswith("https://")
        self.urls.append(response_url)
        delivery = self.deliveries.pop(0) if self.deliveries else Delivery.DELIVERED
        if delivery is Delivery.DELIVERED:
            self.arrived.append(answer)
        return delivery


class LoopbackRegion:
    """A region on the loopback interface: a recommender that trains, Step Functions and S3.

    Attributes:
        endpoint: its URL.
        status: of the responses of S3.
        exists: whether the recommender exists.
        executions: the requests of StartExecution.
        answers: those that were put to S3.
    """

    def __init__(self) -> None:
        self.endpoint = ""
        self.status = 200
        self.exists = True
        self.executions: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a function in it."""
        return {
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_ENDPOINT_URL": self.endpoint,
            "no_proxy": "*",
            v.STATE_MACHINE_VARIABLE: STATE_MACHINE,
            v.POLL_INTERVAL_VARIABLE: "60",
        }

    @property
    def response_url(self) -> str:
        """A ResponseURL of it."""
        return f"{self.endpoint}/bucket/key?X-Amz-Signature=0a1b"

    def call(self, target: str, given: dict[str, Any]) -> dict[str, Any] | None:
        """Respond to a call, or return nothing if the recommender does not exist."""
        if target == "AmazonPersonalize.DescribeRecommender":
            if not self.exists:
                return None
            return {"recommender": {**given, "status": "CREATE PENDING"}}
        assert target == "AWSStepFunctions.StartExecution"
        assert given["stateMachineArn"] == STATE_MACHINE
        self.executions.append(given)
        return {"executionArn": f"{STATE_MACHINE}:{given['name']}", "startDate": 1}


@contextmanager
def loopback_region() -> Iterator[LoopbackRegion]:
    """Serve such a region."""
    made = LoopbackRegion()

    def respond(request: Request) -> None:
        given = json.loads(request.body())
        if request.command == "PUT":
            made.answers.append(given)
            request.respond(made.status, b"{}")
            return
        answer = made.call(request.headers["X-Amz-Target"], given)
        refused = {"__type": "ResourceNotFoundException", "message": "not here"}
        status, said = (400, refused) if answer is None else (200, answer)
        request.respond(status, json.dumps(said).encode())

    with serving(respond) as made.endpoint:
        yield made
