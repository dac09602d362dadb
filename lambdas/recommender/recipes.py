"""The recipes of the domain VIDEO_ON_DEMAND, and their differences (pure).

Sources: Personalize Developer Guide, "VIDEO_ON_DEMAND use cases" (datasets, events, parameters of
GetRecommendations), "Configuring exploration for a domain recommender", "Enabling metadata in
recommendations for a domain recommender" (it needs an Items dataset, whatever the recipe);
``RecommenderConfig``, Personalize API reference (exploration).

Metrics: "Evaluating an Amazon Personalize domain recommender" has those of top picks. Notebooks of
github.com/aws-samples/amazon-personalize-immersion-day have saved outputs of *More like X*
(Media_03_Training) and of *Customers who viewed X also viewed* (Retail_02_Training_Layer). The
latter is for shops as *Because you watched X* is for video.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

INTERACTIONS: Final = "INTERACTIONS"
ITEMS: Final = "ITEMS"
USERS: Final = "USERS"


class Recipe(StrEnum):
    """A use case of a video service, by the last part of its recipe's ARN."""

    VOD_TOP_PICKS = "aws-vod-top-picks"
    VOD_BECAUSE_YOU_WATCHED_X = "aws-vod-because-you-watched-x"
    VOD_MORE_LIKE_X = "aws-vod-more-like-x"
    VOD_MOST_POPULAR = "aws-vod-most-popular"
    VOD_TRENDING_NOW = "aws-vod-trending-now"

    @classmethod
    def of(cls, arn: str) -> "Recipe | None":
        """Return the recipe with this ARN, or None if this version does not know it."""
        name = arn.rpartition("/")[2]
        return cls(name) if name in list(cls) else None

    @property
    def facts(self) -> "Facts":
        """Its row of the table."""
        return _FACTS[self]

    def needs(self, *, metadata: bool) -> tuple[str, ...]:
        """Return the datasets that must exist, with item metadata in recommendations or without."""
        required = self.facts.required
        return required if ITEMS in required or not metadata else (*required, ITEMS)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The differences between recipes.

    Attributes:
        title: AWS's name of the use case.
        required: the types of the datasets without which there is no training.
        optional: the types of further datasets that the training uses.
        events: the type of the 1000 events that the training needs at least; empty if any counts.
        explores: whether ``itemExplorationConfig`` is allowed.
        parameters: the parameters of GetRecommendations that it requires.
        shows_metrics: whether AWS shows such model metrics. Otherwise Personalize may report none.
    """

    title: str
    required: tuple[str, ...] = (INTERACTIONS,)
    optional: tuple[str, ...] = ()
    events: str = ""
    explores: bool = False
    parameters: tuple[str, ...] = ("userId",)
    shows_metrics: bool = False

    @property
    def counted(self) -> str:
        """The data of which the training needs 1000 at least, in words."""
        return f"{self.events} events" if self.events else "item interactions"


_FACTS: Final[Mapping[Recipe, Facts]] = {
    Recipe.VOD_TOP_PICKS: Facts(
        title="Top picks for you",
        optional=(ITEMS, USERS),
        explores=True,
        shows_metrics=True,
    ),
    Recipe.VOD_BECAUSE_YOU_WATCHED_X: Facts(
        title="Because you watched X",
        events="Watch",
        parameters=("userId", "itemId"),
        shows_metrics=True,
    ),
    Recipe.VOD_MORE_LIKE_X: Facts(
        title="More like X",
        required=(INTERACTIONS, ITEMS),
        parameters=("userId", "itemId"),
        shows_metrics=True,
    ),
    Recipe.VOD_MOST_POPULAR: Facts(title="Most popular", events="Watch"),
    # A userId is needed only with a filter by the user.
    Recipe.VOD_TRENDING_NOW: Facts(title="Trending now", parameters=()),
}
