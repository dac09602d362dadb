"""Descriptions of the stack's outputs, and of the evaluation metrics.

Source: Amazon Personalize Developer Guide, "Evaluating an Amazon Personalize domain recommender":
90 % of the users train, and for the other 10 % the newest tenth of their interactions is to be
found. It warns to compare only recommenders that were trained on the same data.
"""

import re
from typing import Final

from .functions import Recipe

_RANGE: Final = "0 to 1, higher is better"
_CAUTION: Final = (
    "From the training's held-out data; compare only trainings on the same data. Source: "
    "Personalize Developer Guide, evaluating domain recommenders."
)

_MEASURES: Final = {
    "Coverage": "Share of all items that are recommended to anybody, 0 to 1: higher is more of the "
    "catalogue, not more relevance.",
    "MeanReciprocalRankAt{k}": "Mean of 1/rank of the first relevant item among the top {k}, "
    f"{_RANGE}.",
    "NormalizedDiscountedCumulativeGainAt{k}": "Relevance of the top {k} with a discount by rank, "
    f"relative to the best order, {_RANGE}.",
    "PrecisionAt{k}": f"Share of relevant items among the top {{k}}, {_RANGE}.",
}

OUTPUTS: Final = {
    "RecommenderArn": "Give it to GetRecommendations.",
    "RecommenderName": "The recommender's name.",
    "DatasetGroupArn": "The dataset group of the training.",
    "ModelMetrics": "All metrics that the service reports, as JSON, when the deployment ended.",
    "QualityGate": "Whether the metrics are good enough: passed, or warned, with the reasons.",
    "ConsumerRoleArn": "Consumers assume it.",
}
"""Descriptions of the outputs that are no metric; the last two are there only with settings."""


def measure(metric: str) -> str:
    """Describe a metric: its measure, its range, and which way is better."""
    name, k = re.fullmatch(r"(.*?)(?:At(\d+))?", metric).groups()  # type: ignore[union-attr]
    return _MEASURES[f"{name}At{{k}}" if k else name].format(k=k)


def describe(output: str) -> str:
    """Describe an output for a newcomer."""
    return OUTPUTS.get(output) or f"{measure(output)} {_CAUTION}"


def describe_for(recipe: Recipe, output: str) -> str:
    """Describe an output of a recommender: with the recipe's name, unless that is top picks."""
    description = describe(output)
    if recipe is Recipe.VOD_TOP_PICKS:
        return description
    if output == "RecommenderArn" and recipe.facts.parameters:
        description = f"{description[:-1]}, with {' and '.join(recipe.facts.parameters)}."
    return f"{recipe.facts.title}: {description}"
