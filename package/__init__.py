"""An Amazon Personalize "Top picks for you" recommender as infrastructure, for apps of the AWS CDK.

    from top_picks_recommender import TopPicksRecommender

What is named here is the interface, by semantic versioning: names, properties, their defaults, and
attributes. So is what an update of the package does to a stack that is deployed: a release that
would replace recommenders, or take anything away, is a new major version. The modules that this
comes from, and the custom resources' own properties, may change in any release.
"""

from .interface import IRecommender
from .metrics import describe as describe_metric
from .monitoring import RecommenderMonitoring
from .permissions import RECIPE_ARN
from .recommender import TopPicksRecommender
from .service import RecommenderService
from .settings import PropertyError

__all__ = [
    "RECIPE_ARN",
    "IRecommender",
    "PropertyError",
    "RecommenderMonitoring",
    "RecommenderService",
    "TopPicksRecommender",
    "describe_metric",
]
