"""A simulated Personalize at a virtual time, with one dataset group and a boto3 client."""

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from types_boto3_personalize import PersonalizeClient
from types_boto3_personalize_runtime import PersonalizeRuntimeClient

from local_aws.personalize import Authorizer, Behaviour, Personalize, wire
from local_aws.personalize.validation import operation_model
from tests.support.personalize import VirtualClock, client, runtime_client
from tests.support.place import ACCOUNT, PLACE, REGION

ARN = f"{PLACE}recommender/films"
QUICK = {
    "create_pending": 10,
    "create_in_progress": 90,
    "update_pending": 5,
    "update_in_progress": 45,
    "stop": 20,
    "start": 20,
    "delete": 20,
}


def recipe_arn(recipe: str) -> str:
    return f"arn:aws:personalize:::recipe/{recipe}"


class Simulation:
    """The simulated service, its clock, one dataset group, and clients of it."""

    def __init__(self, **behaviour: Any) -> None:
        self.clock = VirtualClock()
        self.service = Personalize(Behaviour(**(QUICK | behaviour)), self.clock)
        self.dataset_group_arn = self.seed("vod")
        self.client = self.connect()

    @cached_property
    def runtime(self) -> PersonalizeRuntimeClient:
        return runtime_client(self.service, after=respond_as_modelled)

    @property
    def behaviour(self) -> Behaviour:
        return self.service.behaviour

    def connect(
        self, authorize: Authorizer | None = None, account: str = ACCOUNT, region: str = REGION
    ) -> PersonalizeClient:
        return client(
            self.service,
            account=account,
            region=region,
            authorize=authorize,
            after=respond_as_modelled,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def seed(self, name: str, **options: Any) -> str:
        """Make a dataset group, and return its ARN."""
        return self.service.seed_dataset_group(ACCOUNT, REGION, name, **options)

    def create(
        self,
        name: str = "films",
        config: dict[str, Any] | None = None,
        recipe: str = "aws-vod-top-picks",
        **more: Any,
    ) -> str:
        request = {
            "name": name,
            "datasetGroupArn": self.dataset_group_arn,
            "recipeArn": recipe_arn(recipe),
            "recommenderConfig": config or {},
        }
        return self.client.create_recommender(**(request | more))["recommenderArn"]

    def create_active(self, *given: Any, **more: Any) -> str:
        arn = self.create(*given, **more)
        self.clock.advance(100)
        return arn

    def update(self, **config: Any) -> None:
        self.client.update_recommender(recommenderArn=ARN, recommenderConfig=config)  # type: ignore[arg-type]

    def describe(self, arn: str = ARN) -> Any:
        return self.client.describe_recommender(recommenderArn=arn)["recommender"]

    def status(self) -> str:
        return str(self.describe()["status"])

    def latest_update(self) -> Any:
        return self.describe()["latestRecommenderUpdate"]

    def update_status(self) -> str:
        return str(self.latest_update()["status"])

    def tags(self) -> dict[str, str]:
        tags = self.client.list_tags_for_resource(resourceArn=ARN)["tags"]
        return {tag["tagKey"]: tag["tagValue"] for tag in tags}


def respond_as_modelled(operation: str, _: object, response: wire.Response) -> None:
    """Fail for a successful response with a member that the API does not have, or a wrong type."""
    status, _headers, body = response
    shape = operation_model(operation).output_shape
    if status == 200 and shape:
        report = ParamValidator().validate(json.loads(body), shape)
        assert not report.has_errors(), report.generate_report()


def outcome(call: Callable[[], object]) -> str:
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"].removesuffix("Exception")
    return "OK"


def message(call: Callable[[], object]) -> str:
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Message"]
    raise AssertionError("no error")
