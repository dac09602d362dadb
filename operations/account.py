"""CloudFormation and Personalize in one account and region: the calls, and no others.

Errors are sorted as the functions sort them (`lambdas.recommender.errors`).
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol

from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.errors import (
    InUseError,
    NotFoundError,
    PermanentError,
    TransientError,
    translate_errors,
)
from lambdas.recommender.aws.personalize import Personalize, PersonalizeApi, pages_of
from lambdas.recommender.model.observed import Observed
from lambdas.recommender.model.operation import Operation
from operations.stack import DELETED, Event, Resource, Stack, latest_operation
from operations.template import UnreadableError

READS: Final = (
    "DescribeRecommender",
    "DescribeStackEvents",
    "DescribeStacks",
    "GetTemplate",
    "ListRecommenders",
    "ListStackResources",
    "ListTagsForResource",
)
"""All that is called, but for what `leftovers --delete` adds: DeleteRecommender, UntagResource."""


_TRIES: Final = 10
_PAUSE: Final = 15.0
"""Seconds."""


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


class Account:
    """What is read of one account and region."""

    def __init__(self, cloudformation: CloudFormationApi, personalize: PersonalizeApi) -> None:
        self._cloudformation = cloudformation
        self._personalize = personalize
        self.personalize = Personalize(personalize)

    def stack(self, name: str) -> Stack | None:
        """Return a stack by its name or id, or None if there is none.

        By its id, a stack that was deleted is there for another 90 days, as DELETE_COMPLETE.

        Raises:
            TransientError, PermanentError: whether there is one is not known.
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
                )
        except PermanentError as error:
            # The code alone, ValidationError, is also that of a name that cannot be one.
            if error.code == "ValidationError" and "does not exist" in str(error):
                return None
            raise

    def events(self, stack: Stack) -> list[Event]:
        """Return the events of a stack's latest operation, newest first.

        Raises:
            TransientError, PermanentError: they cannot be read.
        """
        with translate_errors("DescribeStackEvents"):
            pages = _cloudformation_pages(
                "DescribeStackEvents", self._cloudformation.describe_stack_events, stack
            )
            events = (_event(one) for page in pages for one in page["StackEvents"])
            return list(latest_operation(events, stack.id))

    def resources(self, stack: Stack) -> list[Resource]:
        """Return the resources of a stack.

        Raises:
            TransientError, PermanentError: they cannot be read.
        """
        with translate_errors("ListStackResources"):
            pages = _cloudformation_pages(
                "ListStackResources", self._cloudformation.list_stack_resources, stack
            )
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
        """Return the template of a stack.

        Raises:
            TransientError, PermanentError: it cannot be read.
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

    def recommenders(self) -> list[str]:
        """Return the ARNs of all recommenders.

        Raises:
            TransientError, PermanentError: they cannot be listed.
        """
        with translate_errors("ListRecommenders"):
            pages = pages_of("ListRecommenders", self._personalize.list_recommenders)
            return [one["recommenderArn"] for page in pages for one in page["recommenders"]]

    def observed(self, arn: str) -> Observed | None:
        """Return a recommender with its tags, or None if the service shows none.

        Raises:
            TransientError, PermanentError: it cannot be read.
        """
        observed = self.personalize.describe(arn)
        with contextlib.suppress(NotFoundError):
            return observed and replace(observed, tags=self.personalize.tags(arn))
        return None

    def shown(self, arn: str) -> Observed | None:
        """Return a recommender as ``observed``, or without tags while a change holds them.

        The weekly retraining, of hours, may do so.

        Raises:
            TransientError, PermanentError: it cannot be read.
        """
        try:
            return self.observed(arn)
        except InUseError:
            return self.personalize.describe(arn)


class Fence(Stacks):
    """What a change asks before it is made: is the stack still as it was when it was judged?"""

    def __init__(self, account: Account) -> None:
        self._account = account

    def operation(self, stack_id: str) -> Operation:
        """Return a stack's operation, for its id; that of one that is forgotten is its deletion."""
        return operation_of(self._account.stack(stack_id))


def operation_of(stack: Stack | None) -> Operation:
    """Return the operation of a stack; once it is deleted, it has no other one."""
    if stack is None or stack.status == DELETED:
        return Operation(DELETED, "")
    return Operation(stack.status, stack.updated)


def retry_reads(
    call: Callable[[], Any],
    sleep: Callable[[float], None],
    note: Callable[[str], None],
    *,
    final: tuple[type[TransientError], ...] = (),
) -> Any:
    """Return what a call that reads returns, which is tried again for a while.

    Args:
        call: makes it.
        sleep: waits for some seconds.
        note: is told what went wrong.
        final: errors after which it is not tried again.

    Raises:
        TransientError: it went wrong ten times, or as in ``final``.
        PermanentError: it was refused.
    """
    for _ in range(_TRIES - 1):
        try:
            return call()
        except TransientError as error:
            if isinstance(error, final):
                raise
            note(f"{error}; trying again")
            sleep(_PAUSE)
    return call()


def _cloudformation_pages(operation: str, call: Callable[..., Any], stack: Stack) -> Iterator[Any]:
    return pages_of(operation, call, member="NextToken", StackName=stack.id)


def _event(one: Mapping[str, Any]) -> Event:
    time: datetime = one["Timestamp"]
    return Event(
        time.timestamp(),
        one["LogicalResourceId"],
        one.get("PhysicalResourceId", ""),
        one["ResourceStatus"],
        one.get("ResourceStatusReason", ""),
    )
