"""The parts that a recommender needs: dataset groups with their datasets, and recipes.

This is a SIMULATION. The domain recipes are those of docs.aws.amazon.com/personalize/latest/dg/
VIDEO_ON_DEMAND-use-cases.html and ECOMMERCE-use-cases.html; a few custom recipes are there so that
filtering by domain has something to filter. Dates and descriptions are invented.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from local_aws.personalize.catalogue import Item
from local_aws.personalize.training import Source

Domain = Literal["VIDEO_ON_DEMAND", "ECOMMERCE"]

_RECIPES_SINCE: Final = 1_622_505_600.0


@dataclass(frozen=True)
class Scope:
    """An account and a region, for the ARNs of resources."""

    account: str
    region: str

    @property
    def partition(self) -> str:
        """The partition that the region is in."""
        prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
        return next((p for start, p in prefixes.items() if self.region.startswith(start)), "aws")

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a resource, for example of kind `recommender`."""
        return f"arn:{self.partition}:personalize:{self.region}:{self.account}:{kind}/{name}"


@dataclass(frozen=True)
class Recipe:
    """A recipe; `domain` is None for one that is for solutions, not for recommenders.

    `personalises` says that it ranks for a user, so it needs one and can be told to explore.
    """

    name: str
    domain: Domain | None = None
    personalises: bool = False

    def arn(self, scope: Scope) -> str:
        """Return its ARN, which differs between partitions only."""
        return f"arn:{scope.partition}:personalize:::recipe/{self.name}"

    def describe(self, scope: Scope) -> dict[str, Any]:
        """Return the API's Recipe."""
        return {
            "name": self.name,
            "recipeArn": self.arn(scope),
            "status": "ACTIVE",
            "description": "A simulated recipe",
            "creationDateTime": _RECIPES_SINCE,
            "lastUpdatedDateTime": _RECIPES_SINCE,
        }

    def summarise(self, scope: Scope) -> dict[str, Any]:
        """Return the API's RecipeSummary."""
        summary = self.describe(scope) | ({"domain": self.domain} if self.domain else {})
        del summary["description"]
        return summary


RECIPES: Final = {
    recipe.name: recipe
    for recipe in (
        Recipe("aws-ecomm-customers-who-viewed-x-also-viewed", "ECOMMERCE"),
        Recipe("aws-ecomm-frequently-bought-together", "ECOMMERCE"),
        Recipe("aws-ecomm-popular-items-by-purchases", "ECOMMERCE"),
        Recipe("aws-ecomm-popular-items-by-views", "ECOMMERCE"),
        Recipe("aws-ecomm-recommended-for-you", "ECOMMERCE", personalises=True),
        Recipe("aws-personalized-ranking-v2"),
        Recipe("aws-similar-items"),
        Recipe("aws-trending-now"),
        Recipe("aws-user-personalization-v2"),
        Recipe("aws-vod-because-you-watched-x", "VIDEO_ON_DEMAND"),
        Recipe("aws-vod-more-like-x", "VIDEO_ON_DEMAND"),
        Recipe("aws-vod-most-popular", "VIDEO_ON_DEMAND"),
        Recipe("aws-vod-top-picks", "VIDEO_ON_DEMAND", personalises=True),
        Recipe("aws-vod-trending-now", "VIDEO_ON_DEMAND"),
    )
}
"""All recipes by name."""


@dataclass(kw_only=True)
class DatasetGroup:
    """A dataset group, whose domain is None if it is a custom one, and its datasets' types."""

    name: str
    arn: str
    domain: Domain | None
    status: str
    dataset_types: tuple[str, ...]
    items: Sequence[Item]
    source: Source | None
    """The data for the training of its recommenders, if it has any."""
    created: float
    tags: dict[str, str] = field(default_factory=dict)

    @functools.cached_property
    def metadata(self) -> dict[str, Item]:
        """The rows of the Items dataset by item."""
        return {item["ITEM_ID"]: item for item in self.items}

    def describe(self) -> dict[str, Any]:
        """Return the API's DatasetGroup."""
        described = {
            "name": self.name,
            "datasetGroupArn": self.arn,
            "status": self.status,
            "creationDateTime": self.created,
            "lastUpdatedDateTime": self.created,
        }
        return described | ({"domain": self.domain} if self.domain else {})

    def datasets(self) -> dict[str, dict[str, Any]]:
        """Return the API's DatasetSummary of each dataset, by ARN."""
        prefix = self.arn.replace(":dataset-group/", ":dataset/")
        return {
            f"{prefix}/{kind}": {
                "name": f"{self.name}-{kind.lower()}",
                "datasetArn": f"{prefix}/{kind}",
                "datasetType": kind,
                "status": "ACTIVE",
                "creationDateTime": self.created,
                "lastUpdatedDateTime": self.created,
            }
            for kind in self.dataset_types
        }
