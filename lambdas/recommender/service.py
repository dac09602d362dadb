"""Amazon Personalize, as this package uses it: the only module that calls it."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore import xform_name

from .errors import NotFoundError, PermanentError, TransientError, sorted_errors
from .events import Wanted
from .lifecycle import Change, Recommender, Update, request_config, tag

if TYPE_CHECKING:
    from types_boto3_personalize import PersonalizeClient

DOMAIN: Final = "VIDEO_ON_DEMAND"

_REASON_HINTS: Final = (
    (
        ("fewer than", "interactions"),
        "aws-vod-top-picks trains on at least 1000 item interactions, from at least 25 users with "
        "2 interactions each: import more data, then deploy again.",
    ),
)


def with_hint(reason: str) -> str:
    """Return the service's ``failureReason`` with what helps against it, where we know it."""
    for words, hint in _REASON_HINTS:
        if all(word in reason for word in words):
            return f"{reason} Hint: {hint}"
    return reason


class Personalize:
    """The calls that the custom resources make, with the service's errors sorted by what to do."""

    def __init__(self, client: "PersonalizeClient") -> None:
        self._client = client

    def describe(self, arn: str) -> Recommender | None:
        """Return the recommender, without its tags, or None if the service shows none."""
        try:
            with sorted_errors("DescribeRecommender"):
                answer = self._client.describe_recommender(recommenderArn=arn)
                return _recommender(arn, answer["recommender"])
        except NotFoundError:
            return None

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a resource.

        Raises:
            NotFoundError: the service does not show the resource.
        """
        with sorted_errors("ListTagsForResource"):
            tags = self._client.list_tags_for_resource(resourceArn=arn)["tags"]
            return {tag["tagKey"]: tag["tagValue"] for tag in tags}

    def names(self) -> list[str]:
        """Return the names of all recommenders of the account and region."""
        with sorted_errors("ListRecommenders"):
            pages = self._client.get_paginator("list_recommenders").paginate()
            return [summary["name"] for page in pages for summary in page["recommenders"]]

    def create(self, wanted: Wanted) -> None:
        """Check what can be checked without creating anything, then create the recommender."""
        self._preflight(wanted)
        with sorted_errors("CreateRecommender"):
            answer = self._client.create_recommender(
                name=wanted.name,
                datasetGroupArn=wanted.dataset_group_arn,
                recipeArn=wanted.recipe_arn,
                recommenderConfig=request_config(wanted.config, {}),  # type: ignore[arg-type]
                **tag({**wanted.tags, **wanted.owner.tags()}).parameters,
            )
        if "recommenderArn" not in answer:
            raise TransientError("CreateRecommender answered without an ARN")

    def change(self, arn: str, change: Change) -> None:
        """Make a call that changes an existing recommender, or its tags."""
        subject = "resourceArn" if change.operation.endswith("Resource") else "recommenderArn"
        call = getattr(self._client, xform_name(change.operation))
        with sorted_errors(change.operation):
            call(**{subject: arn}, **change.parameters)

    def _preflight(self, wanted: Wanted) -> None:
        self._check_dataset_group(wanted.dataset_group_arn)
        self._check_dataset(wanted.dataset_group_arn, "INTERACTIONS", "the recipe trains on it")
        if wanted.config.enable_metadata:
            self._check_dataset(
                wanted.dataset_group_arn, "ITEMS", "item metadata in recommendations comes from it"
            )
        with sorted_errors("ListRecipes"):
            pages = self._client.get_paginator("list_recipes").paginate(domain=DOMAIN)
            recipes = {recipe["recipeArn"] for page in pages for recipe in page["recipes"]}
        if wanted.recipe_arn not in recipes:
            raise PermanentError(
                f"The recipe {wanted.recipe_arn} is not among the {DOMAIN} recipes of this region: "
                f"{', '.join(sorted(recipes)) or 'there are none'}. Deploy to a region that has it."
            )

    def _check_dataset_group(self, arn: str) -> None:
        try:
            with sorted_errors("DescribeDatasetGroup"):
                answer = self._client.describe_dataset_group(datasetGroupArn=arn)
                group = answer["datasetGroup"]
        except NotFoundError as error:
            raise PermanentError(
                f"The dataset group {arn} does not exist ({error}). "
                "Set dataset_group_arn to one that does, or create it first."
            ) from error
        status = group.get("status", "")
        if status.endswith("FAILED"):
            raise PermanentError(
                f"The dataset group {arn} is {status}: {group.get('failureReason', 'no reason')}. "
                "Delete it and create it anew, or name another one in dataset_group_arn."
            )
        if status != "ACTIVE":
            raise TransientError(f"the dataset group {arn} is {status}, not ACTIVE")
        if group.get("domain") != DOMAIN:
            raise PermanentError(
                f"The dataset group {arn} has the domain {group.get('domain', 'none (custom)')}; "
                f"a recommender of this recipe needs one of the domain {DOMAIN}. A dataset group's "
                "domain cannot be changed: create another one, import the data, and name that."
            )

    def _check_dataset(self, dataset_group_arn: str, kind: str, why: str) -> None:
        arn = f"{dataset_group_arn.replace(':dataset-group/', ':dataset/')}/{kind}"
        try:
            with sorted_errors("DescribeDataset"):
                self._client.describe_dataset(datasetArn=arn)
        except NotFoundError as error:
            raise PermanentError(
                f"The dataset group {dataset_group_arn} has no {kind} dataset, but {why} "
                f"({error}). Create and import it, then deploy again."
            ) from error


def _recommender(arn: str, seen: Mapping[str, Any]) -> Recommender:
    latest = seen.get("latestRecommenderUpdate")
    return Recommender(
        arn=arn,
        status=seen.get("status") or "",
        dataset_group_arn=seen.get("datasetGroupArn", ""),
        recipe_arn=seen.get("recipeArn", ""),
        config=seen.get("recommenderConfig") or {},
        failure_reason=with_hint(seen.get("failureReason") or ""),
        created=_epoch(seen.get("creationDateTime")),
        latest_update=_update(latest) if latest else None,
        metrics=seen.get("modelMetrics") or {},
    )


def _update(latest: Mapping[str, Any]) -> Update:
    return Update(
        status=latest.get("status") or "",
        config=latest.get("recommenderConfig") or {},
        created=_epoch(latest.get("creationDateTime")),
        failure_reason=with_hint(latest.get("failureReason") or ""),
    )


def _epoch(time: datetime | None) -> float:
    return time.timestamp() if time else 0.0
