"""CloudFormation, Personalize and CloudWatch in one account and region: the calls, and no others.

Errors are translated as in the functions (`lambdas.recommender.aws.errors`).
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from lambdas.recommender.aws.cloudwatch import CloudWatch, CloudWatchApi
from lambdas.recommender.aws.errors import (
    InUseError,
    NotFoundError,
    PermanentError,
    translate_errors,
)
from lambdas.recommender.aws.personalize import Personalize, PersonalizeApi, pages_of
from lambdas.recommender.model.identity import Arn
from lambdas.recommender.model.observed import Observed
from operations.computations.chain import Chain, chains
from operations.computations.stack import Event, Resource, Stack, latest_operation
from operations.computations.template import UnreadableError

READS: Final = (
    "DescribeRecommender",
    "DescribeStackEvents",
    "DescribeStacks",
    "GetMetricData",
    "GetTemplate",
    "ListRecommenders",
    "ListStackResources",
    "ListTagsForResource",
)
"""The calls of `status`, `drift` and `leftovers`.

`leftovers --delete` adds DeleteRecommender and UntagResource, and `plan` adds ``CHECKS``.
"""

CHECKS: Final = ("DescribeDataset", "DescribeDatasetGroup", "GetCallerIdentity", "ListRecipes")
"""They only read, too."""

_CONFIG: Final = Config(
    connect_timeout=10, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 5}
)


class CloudFormationApi(Protocol):
    """The operations that are used, as boto3 names them; each only reads."""

    # ruff: noqa: N803  # AWS's own names
    def describe_stacks(self, *, StackName: str) -> Any:
        """DescribeStacks."""

    def describe_stack_events(self, *, StackName: str, NextToken: str = ...) -> Any:
        """DescribeStackEvents."""

    def list_stack_resources(self, *, StackName: str, NextToken: str = ...) -> Any:
        """ListStackResources: unlike DescribeStackResources, it has no limit of 100."""

    def get_template(self, *, StackName: str, TemplateStage: Any) -> Any:
        """GetTemplate."""


class StsApi(Protocol):
    """The operation that is used, as boto3 names it."""

    def get_caller_identity(self) -> Any:
        """GetCallerIdentity; it needs no permission (STS API reference)."""


class Account:
    """Reads one account and region.

    Every method raises a TransientError or a PermanentError if AWS cannot be read.
    """

    def __init__(
        self,
        cloudformation: CloudFormationApi,
        personalize: PersonalizeApi,
        cloudwatch: CloudWatchApi,
        sts: StsApi,
        region: str,
    ) -> None:
        self._cloudformation = cloudformation
        self._personalize = personalize
        self._sts = sts
        self.personalize = Personalize(personalize)
        self.cloudwatch = CloudWatch(cloudwatch)
        self.region = region

    @classmethod
    def connect(cls, region: str | None) -> Self:
        """Connect with the credentials of the environment.

        `AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL` and the like count as for the AWS CLI.

        Raises:
            botocore.exceptions.BotoCoreError: no region is known.
            PermanentError: a setting of the SDK, such as an endpoint, has a wrong form.
        """
        try:
            # The AWS CLI and other SDKs read it, boto3 does not: boto/boto3 issue 3620
            session = boto3.Session(region_name=region or os.environ.get("AWS_REGION"))
            cloudformation = session.client("cloudformation", config=_CONFIG)
            personalize = session.client("personalize", config=_CONFIG)
            cloudwatch = session.client("cloudwatch", config=_CONFIG)
            sts = session.client("sts", config=_CONFIG)
            for client in (cloudformation, personalize, cloudwatch, sts):
                _ = urlsplit(client.meta.endpoint_url).port  # raises if it is over 65535
        except ValueError as error:
            raise PermanentError(
                f"{error} (a setting of the SDK: see AWS_ENDPOINT_URL and the like, and the "
                "profile)"
            ) from error
        return cls(cloudformation, personalize, cloudwatch, sts, cloudformation.meta.region_name)

    def caller(self) -> Arn:
        """Read the ARN of the credentials: it names their partition and account."""
        with translate_errors("GetCallerIdentity"):
            return Arn.parse(self._sts.get_caller_identity()["Arn"])

    def stack(self, name: str) -> Stack | None:
        """Read a stack by its name or id, or return None if there is none.

        By its id, a deleted stack is found for another 90 days, as DELETE_COMPLETE.
        """
        try:
            with translate_errors("DescribeStacks"):
                (shown,) = self._cloudformation.describe_stacks(StackName=name)["Stacks"]
                updated = shown.get("LastUpdatedTime")
                return Stack(
                    id=shown["StackId"],
                    name=shown["StackName"],
                    status=shown["StackStatus"],
                    updated=updated.isoformat() if updated else "",
                    parameters={
                        one["ParameterKey"]: one.get("ResolvedValue", one.get("ParameterValue", ""))
                        for one in shown.get("Parameters", ())
                    },
                    is_protected=shown.get("EnableTerminationProtection", False),
                )
        except PermanentError as error:
            # The code alone, ValidationError, is also that of a name that cannot be one.
            if error.code == "ValidationError" and "does not exist" in str(error):
                return None
            raise

    def events(self, stack: Stack) -> list[Event]:
        """Read the events of a stack's latest operation, newest first."""
        with translate_errors("DescribeStackEvents"):
            pages = _pages("DescribeStackEvents", self._cloudformation.describe_stack_events, stack)
            events = (
                Event(
                    one["Timestamp"].timestamp(),
                    stack.id,
                    one["LogicalResourceId"],
                    one.get("PhysicalResourceId", ""),
                    one["ResourceStatus"],
                    one.get("ResourceStatusReason", ""),
                )
                for page in pages
                for one in page["StackEvents"]
            )
            return list(latest_operation(events))

    def resources(self, stack: Stack) -> list[Resource]:
        """Read the resources of a stack."""
        with translate_errors("ListStackResources"):
            pages = _pages("ListStackResources", self._cloudformation.list_stack_resources, stack)
            return [
                Resource(
                    one["LogicalResourceId"],
                    one.get("PhysicalResourceId", ""),
                    one["ResourceType"],
                    one["ResourceStatus"],
                )
                for page in pages
                for one in page["StackResourceSummaries"]
            ]

    def template(self, stack: Stack) -> Mapping[str, Any]:
        """Read the template of a stack.

        Raises:
            UnreadableError: it is YAML, which the CDK deploys only without assets.
        """
        with translate_errors("GetTemplate"):
            body = self._cloudformation.get_template(StackName=stack.id, TemplateStage="Processed")[
                "TemplateBody"
            ]
        if isinstance(body, str):
            try:
                body = json.loads(body)
            except json.JSONDecodeError as error:
                raise UnreadableError("the stack's template is not JSON") from error
        template: Mapping[str, Any] = body
        return template

    def chains(self, stack: Stack) -> tuple[Chain, ...]:
        """Read the recommenders of a stack's template.

        Raises:
            UnreadableError: as ``template``, or only CloudFormation knows how long a link waits.
        """
        return chains(self.template(stack), stack, self.resources(stack))

    def recommenders(self) -> dict[str, str]:
        """Read the ARNs of all recommenders, each with that of its dataset group."""
        with translate_errors("ListRecommenders"):
            pages = pages_of("ListRecommenders", self._personalize.list_recommenders)
            listed = [one for page in pages for one in page["recommenders"]]
            return {one["recommenderArn"]: one.get("datasetGroupArn", "") for one in listed}

    def observed(self, arn: str, *, may_lack_tags: bool = False) -> Observed | None:
        """Read a recommender with its tags, or return None if the service shows none.

        Args:
            arn: its ARN.
            may_lack_tags: whether the tags are left out while a change of hours, such as the weekly
                retraining, holds them.
        """
        observed = self.personalize.describe(arn)
        try:
            return observed and replace(observed, tags=self.personalize.tags(arn))
        except NotFoundError:
            return None
        except InUseError:
            if may_lack_tags:
                return observed
            raise


def _pages(operation: str, call: Callable[..., Any], stack: Stack) -> Iterator[Any]:
    return pages_of(operation, call, member="NextToken", StackName=stack.id)
