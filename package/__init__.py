"""An Amazon Personalize "Top picks for you" recommender as infrastructure, for AWS CDK apps.

    from top_picks_recommender import TopPicksRecommender

``DomainRecommender`` makes one of another recipe of a video service.

The interface follows semantic versioning. It is the names below, with their properties, defaults
and attributes. The effect of a package update on a deployed stack belongs to it: if a release
would replace recommenders, or remove anything, it is a new major version. The modules behind these
names, and the custom resources' own properties, may change in any release.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .functions import Recipe
    from .interface import IRecommender
    from .metrics import describe as describe_metric
    from .monitoring import RecommenderMonitoring
    from .permissions import RECIPE_ARN
    from .recommender import DomainRecommender, TopPicksRecommender
    from .service import RecommenderService
    from .settings import PropertyError

__all__ = [
    "RECIPE_ARN",
    "DomainRecommender",
    "IRecommender",
    "PropertyError",
    "Recipe",
    "RecommenderMonitoring",
    "RecommenderService",
    "TopPicksRecommender",
    "describe_metric",
]

_PLACES: Final = {
    "RECIPE_ARN": ("permissions", "RECIPE_ARN"),
    "IRecommender": ("interface", "IRecommender"),
    "PropertyError": ("settings", "PropertyError"),
    "RecommenderMonitoring": ("monitoring", "RecommenderMonitoring"),
    "RecommenderService": ("service", "RecommenderService"),
    "Recipe": ("functions", "Recipe"),
    "DomainRecommender": ("recommender", "DomainRecommender"),
    "TopPicksRecommender": ("recommender", "TopPicksRecommender"),
    "describe_metric": ("metrics", "describe"),
}


def __getattr__(name: str) -> Any:
    """Import a name when it is used: the commands of this package need no CDK, which takes long."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(import_module(f".{module}", __name__), attribute)
