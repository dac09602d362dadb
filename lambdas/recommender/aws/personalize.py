"""Amazon Personalize, as this package uses it; only this module calls it."""

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, Protocol, assert_never

from ..decision.verdict import (
    Change,
    CreateRecommender,
    DeleteRecommender,
    StartRecommender,
    StopRecommender,
    TagResource,
    UntagResource,
    UpdateRecommender,
)
from ..model.observed import Observed, Update
from ..model.request import Desired
from ..recipes import Recipe
from ..text import sentence
from .errors import (
    InUseError,
    NotFoundError,
    PermanentError,
    TransientError,
    translate_errors,
)

DOMAIN: Final = "VIDEO_ON_DEMAND"

_TOO_LITTLE_DATA: Final = ("fewer than", "interactions")
"""Words of a ``failureReason`` ("Error messages", Personalize Developer Guide)."""


def hint(recipe: Recipe) -> str:
    """Return our hint if a recipe has too little data."""
    return (
        f"{recipe} trains on at least 1000 {recipe.facts.counted}, from at least 25 users with 2 "
        "interactions each: import more data."
    )


def with_hint(reason: str, recipe_arn: str) -> str:
    """Add our hint, if we have one, to the service's ``failureReason``."""
    recipe = Recipe.of(recipe_arn)
    if recipe and all(word in reason for word in _TOO_LITTLE_DATA):
        return f"{sentence(reason)} Hint: {hint(recipe)}"
    return reason


class PersonalizeApi(Protocol):
    """The operations that the functions may call, as boto3 names them."""

    # ruff: noqa: N803  # AWS's own names
    def create_recommender(
        self, *, name: str, datasetGroupArn: str, recipeArn: str, recommenderConfig: Any, tags: Any
    ) -> Any:
        """CreateRecommender."""

    def delete_recommender(self, *, recommenderArn: str) -> Any:
        """DeleteRecommender."""

    def describe_dataset(self, *, datasetArn: str) -> Any:
        """DescribeDataset."""

    def describe_dataset_group(self, *, datasetGroupArn: str) -> Any:
        """DescribeDatasetGroup."""

    def describe_recommender(self, *, recommenderArn: str) -> Any:
        """DescribeRecommender."""

    def list_recipes(self, *, domain: Any, nextToken: str = ...) -> Any:
        """ListRecipes."""

    def list_recommenders(self, *, nextToken: str = ...) -> Any:
        """ListRecommenders."""

    def list_tags_for_resource(self, *, resourceArn: str) -> Any:
        """ListTagsForResource."""

    def start_recommender(self, *, recommenderArn: str) -> Any:
        """StartRecommender."""

    def stop_recommender(self, *, recommenderArn: str) -> Any:
        """StopRecommender."""

    def tag_resource(self, *, resourceArn: str, tags: Any) -> Any:
        """TagResource."""

    def untag_resource(self, *, resourceArn: str, tagKeys: list[str]) -> Any:
        """UntagResource."""

    def update_recommender(self, *, recommenderArn: str, recommenderConfig: Any) -> Any:
        """UpdateRecommender."""


class Personalize:
    """The calls that the custom resources make; they raise the errors of ``errors``."""

    def __init__(self, api: PersonalizeApi) -> None:
        self._api = api

    def describe(self, arn: str) -> Observed | None:
        """Return the recommender, without its tags, or None if the service shows none."""
        try:
            with translate_errors("DescribeRecommender"):
                answer = self._api.describe_recommender(recommenderArn=arn)
                return _observed(arn, answer["recommender"])
        except NotFoundError:
            return None

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a resource.

        Raises:
            NotFoundError: the service does not show the resource.
        """
        with translate_errors("ListTagsForResource"):
            tags = self._api.list_tags_for_resource(resourceArn=arn)["tags"]
            return {tag["tagKey"]: tag["tagValue"] for tag in tags}

    def names(self) -> list[str]:
        """Return the names of all recommenders of the account and region."""
        with translate_errors("ListRecommenders"):
            pages = pages_of("ListRecommenders", self._api.list_recommenders)
            return [summary["name"] for page in pages for summary in page["recommenders"]]

    def change(self, arn: str, change: Change) -> None:
        """Make a call that changes something.

        Before it creates a recommender, check the dataset group, its datasets and the recipe.

        Raises:
            TransientError, NotFoundError, PermanentError: see ``errors.translate_errors``.
        """
        with translate_errors(type(change).__name__):
            match change:
                case CreateRecommender(desired=desired):
                    self._create(desired)
                case UpdateRecommender(config=config):
                    self._api.update_recommender(recommenderArn=arn, recommenderConfig=dict(config))
                case StartRecommender():
                    self._api.start_recommender(recommenderArn=arn)
                case StopRecommender():
                    self._api.stop_recommender(recommenderArn=arn)
                case DeleteRecommender():
                    self._api.delete_recommender(recommenderArn=arn)
                case TagResource(tags=tags):
                    self._api.tag_resource(resourceArn=arn, tags=_pairs(tags))
                case UntagResource(keys=keys):
                    self._api.untag_resource(resourceArn=arn, tagKeys=sorted(keys))
                case _:
                    assert_never(change)

    def _create(self, desired: Desired) -> None:
        self.check(desired)
        answer = self._api.create_recommender(
            name=desired.name,
            datasetGroupArn=desired.dataset_group_arn,
            recipeArn=desired.recipe_arn,
            recommenderConfig=desired.config.request(),
            tags=_pairs(desired.tags_of_creation),
        )
        if "recommenderArn" not in answer:
            raise TransientError("CreateRecommender answered without an ARN")

    def check(self, desired: Desired) -> None:
        """Check, before a creation, its dataset group, the datasets of that, and the recipe.

        Raises:
            InUseError: the dataset group is not ACTIVE yet.
            PermanentError: with these, CreateRecommender would fail, or its training would.
            TransientError: they cannot be read now.
        """
        self._check_dataset_group(desired.dataset_group_arn)
        recipe, metadata = Recipe.of(desired.recipe_arn), bool(desired.config.enable_metadata)
        if recipe:  # ListRecipes decides on one that this version does not know
            for kind in recipe.needs(metadata=metadata):
                self._check_dataset(desired.dataset_group_arn, kind, recipe)
        with translate_errors("ListRecipes"):
            pages = pages_of("ListRecipes", self._api.list_recipes, domain=DOMAIN)
            recipes = {recipe["recipeArn"] for page in pages for recipe in page["recipes"]}
        if desired.recipe_arn not in recipes:
            raise PermanentError(
                f"The recipe {desired.recipe_arn} is not among the {DOMAIN} recipes of this "
                f"region: {', '.join(sorted(recipes)) or 'there are none'}. Deploy to a region "
                "that has it."
            )

    def _check_dataset_group(self, arn: str) -> None:
        try:
            with translate_errors("DescribeDatasetGroup"):
                answer = self._api.describe_dataset_group(datasetGroupArn=arn)
                group = answer["datasetGroup"]
        except NotFoundError as error:
            raise PermanentError(
                f"The dataset group {arn} does not exist ({error}). "
                "Set dataset_group_arn to one that does, or create it first."
            ) from error
        status = group.get("status", "")
        if status.endswith("FAILED"):
            raise PermanentError(
                f"The dataset group {arn} is {status}: "
                f"{sentence(group.get('failureReason', 'Personalize gave no reason'))} "
                "Delete it and create it again, or set dataset_group_arn to another one."
            )
        if status != "ACTIVE":
            raise InUseError(f"the dataset group {arn} is {status}, not ACTIVE")
        if group.get("domain") != DOMAIN:
            raise PermanentError(
                f"The dataset group {arn} has the domain {group.get('domain', 'none (custom)')}; "
                f"this recipe needs {DOMAIN}. Personalize cannot change the domain: create "
                "another dataset group, import the data, and set dataset_group_arn to it."
            )

    def _check_dataset(self, dataset_group_arn: str, kind: str, recipe: Recipe) -> None:
        arn = f"{dataset_group_arn.replace(':dataset-group/', ':dataset/')}/{kind}"
        try:
            with translate_errors("DescribeDataset"):
                self._api.describe_dataset(datasetArn=arn)
        except NotFoundError as error:
            if kind in recipe.facts.required:
                raise PermanentError(
                    f"The dataset group {dataset_group_arn} has no {kind} dataset, but {recipe} "
                    f"trains on it ({error}). Create the dataset and import data, then deploy "
                    "again."
                ) from error
            raise PermanentError(
                f"The dataset group {dataset_group_arn} has no {kind} dataset, but item metadata "
                f"in recommendations comes from it ({error}). Create the dataset and import data, "
                "or set item_metadata to false, then deploy again."
            ) from error


def pages_of(
    operation: str, call: Callable[..., Any], *, member: str = "nextToken", **parameters: Any
) -> Iterator[Any]:
    """Yield the pages of an operation that lists.

    Args:
        operation: its name.
        call: makes the call.
        member: the service's name for the token of the next page.
        parameters: the parameters of the call.

    Raises:
        TransientError: the service answered the same page twice.
    """
    begins: dict[str, str] = {}
    while True:
        page = call(**parameters, **begins)
        yield page
        following = page.get(member)
        if not following:
            return
        if begins == {member: following}:
            raise TransientError(f"{operation}: the same page was answered twice")
        begins = {member: following}


def _pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"tagKey": key, "tagValue": value} for key, value in sorted(tags.items())]


def _observed(arn: str, shown: Mapping[str, Any]) -> Observed:
    latest, recipe_arn = shown.get("latestRecommenderUpdate"), shown.get("recipeArn", "")
    return Observed(
        arn=arn,
        dataset_group_arn=shown.get("datasetGroupArn", ""),
        recipe_arn=recipe_arn,
        latest_update=Update(**_state(latest, recipe_arn)) if latest else None,
        metrics={
            name: value
            for name, value in (shown.get("modelMetrics") or {}).items()
            if value is not None and math.isfinite(value)
        },
        **_state(shown, recipe_arn),
    )


def _state(shown: Mapping[str, Any], recipe_arn: str) -> dict[str, Any]:
    """Return the fields that a recommender and its latest update have in common."""
    return {
        "status": shown.get("status") or "",
        "config": shown.get("recommenderConfig") or {},
        "failure_reason": with_hint(shown.get("failureReason") or "", recipe_arn),
        "created": _epoch(shown.get("creationDateTime")),
        "updated": _epoch(shown.get("lastUpdatedDateTime")),
    }


def _epoch(time: datetime | None) -> float:
    return time.timestamp() if time else 0.0
