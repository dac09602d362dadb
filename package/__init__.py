"""An Amazon Personalize "Top picks for you" recommender as infrastructure, for AWS CDK apps.

    from top_picks_recommender import TopPicksRecommender

``DomainRecommender`` makes one of another recipe of a video service.

The interface follows semantic versioning. It is the names below, with their properties, defaults
and attributes. The effect of a package update on a deployed stack belongs to it: if a release
would replace recommenders, or remove anything, it is a new major version. The modules behind these
names, and the custom resources' own properties, may change in any release.
"""

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
