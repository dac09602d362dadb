"""The recipes of the simulated Amazon Personalize: what each requires, refuses and reports.

This is a SIMULATION. For a domain, a recipe is a use case. Sources, under
docs.aws.amazon.com/personalize/latest/dg/:

- VIDEO_ON_DEMAND-use-cases and ECOMMERCE-use-cases: the datasets used when training, the events
  that are required, the parameters of GetRecommendations
- create-recommender-configure-exploration, and `RecommenderConfig` in botocore's model: exploration
  is for *Top picks for you* and *Recommended for you* only
- evaluating-recommenders: the eight metrics, with an example of *Top picks for you*. Saved outputs
  of github.com/aws-samples/amazon-personalize-immersion-day show them of *More like X*
  (Media_03_Training, cell 32) and of *Customers who viewed X also viewed*
  (Retail_02_Training_Layer, cell 33). For *Because you watched X* and *Frequently bought together*
  they are inferred. No source shows whether recipes of popular or trending items have any.

A few custom recipes are there so that filtering by domain has something to filter. Dates and
descriptions are invented.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Any, Final, Literal

from local_aws.personalize.scope import Scope

Domain = Literal["VIDEO_ON_DEMAND", "ECOMMERCE"]

INTERACTIONS: Final = "INTERACTIONS"
ITEMS: Final = "ITEMS"
USERS: Final = "USERS"
DATASET_TYPES: Final = frozenset({INTERACTIONS, ITEMS, USERS})

_SINCE: Final = 1_622_505_600.0


@dataclass(frozen=True)
class Recipe:
    """A recipe; only one with a domain is for recommenders, and for these are all fields."""

    name: str
    domain: Domain | None = None
    _: KW_ONLY
    required: tuple[str, ...] = (INTERACTIONS,)
    """The types of the datasets that a training requires."""
    optional: tuple[str, ...] = ()
    """The types of the datasets that a training uses if there are some."""
    event_type: str | None = None
    """The type of which 1000 events are required; None: 1000 events of any type."""
    explores: bool = False
    """Whether exploration can be configured."""
    parameters: tuple[str, ...] = ("userId",)
    """The parameters that GetRecommendations requires; a filter may require more."""
    has_metrics: bool | None = True
    """Whether recommenders have `modelMetrics`; None: AWS does not document it."""

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
            "creationDateTime": _SINCE,
            "lastUpdatedDateTime": _SINCE,
        }

    def summarise(self, scope: Scope) -> dict[str, Any]:
        """Return the API's RecipeSummary."""
        summary = self.describe(scope) | ({"domain": self.domain} if self.domain else {})
        del summary["description"]
        return summary


RECIPES: Final = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "aws-ecomm-customers-who-viewed-x-also-viewed",
            "ECOMMERCE",
            event_type="View",
            parameters=("userId", "itemId"),
        ),
        Recipe(
            "aws-ecomm-frequently-bought-together",
            "ECOMMERCE",
            event_type="Purchase",
            parameters=("itemId",),
        ),
        Recipe(
            "aws-ecomm-popular-items-by-purchases",
            "ECOMMERCE",
            event_type="Purchase",
            has_metrics=None,
        ),
        Recipe(
            "aws-ecomm-popular-items-by-views", "ECOMMERCE", event_type="View", has_metrics=None
        ),
        Recipe(
            "aws-ecomm-recommended-for-you", "ECOMMERCE", optional=(ITEMS, USERS), explores=True
        ),
        Recipe("aws-personalized-ranking-v2"),
        Recipe("aws-similar-items"),
        Recipe("aws-trending-now"),
        Recipe("aws-user-personalization-v2"),
        Recipe(
            "aws-vod-because-you-watched-x",
            "VIDEO_ON_DEMAND",
            event_type="Watch",
            parameters=("userId", "itemId"),
        ),
        Recipe(
            "aws-vod-more-like-x",
            "VIDEO_ON_DEMAND",
            required=(INTERACTIONS, ITEMS),
            parameters=("userId", "itemId"),
        ),
        Recipe("aws-vod-most-popular", "VIDEO_ON_DEMAND", event_type="Watch", has_metrics=None),
        Recipe("aws-vod-top-picks", "VIDEO_ON_DEMAND", optional=(ITEMS, USERS), explores=True),
        Recipe("aws-vod-trending-now", "VIDEO_ON_DEMAND", parameters=(), has_metrics=None),
    )
}
"""All recipes by name."""
