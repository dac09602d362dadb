"""What the evaluation metrics measure, their ranges, and which way is better.

Source: Amazon Personalize Developer Guide, "Evaluating an Amazon Personalize domain recommender":
90 % of the users train, and for the other 10 % the newest tenth of their interactions is to be
found. It warns to compare only recommenders that were trained on the same data.
"""

import re
from typing import Final

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

MODEL_METRICS: Final = "All metrics that the service reports, as JSON, when the deployment ended."


def describe(metric: str) -> str:
    """Return the description of an output, as a newcomer needs it."""
    name, k = re.fullmatch(r"(.*?)(?:At(\d+))?", metric).groups()  # type: ignore[union-attr]
    template = _MEASURES[f"{name}At{{k}}" if k else name]
    return f"{template.format(k=k)} {_CAUTION}"
