"""The words that the template and the functions share, so that the two cannot drift apart."""

from typing import Final

RECOMMENDER_TYPE: Final = "Custom::TopPicksRecommender"
TRAINING_GATE_TYPE: Final = "Custom::RecommenderTraining"
SWEEP_TYPE: Final = "Custom::RecommenderSweep"
STOP_TYPE: Final = "Custom::RecommenderStop"
HOURS_TYPE: Final = "Custom::RecommenderHours"
RESOURCE_TYPES: Final = (RECOMMENDER_TYPE, TRAINING_GATE_TYPE, SWEEP_TYPE, STOP_TYPE, HOURS_TYPE)

# Properties. CloudFormation hands every scalar over as a string.
ACTIVE_HOURS: Final = "ActiveHours"
ADOPT_EXISTING: Final = "AdoptExisting"
CONFIG: Final = "RecommenderConfig"
DATASET_GROUP_ARN: Final = "DatasetGroupArn"
FIXED_NAME: Final = "RecommenderName"
FORCE_UPDATE: Final = "Generation"
"""The name of version 0.1.0, which deployed templates have."""
LINK: Final = "Link"
"""The number of a link in its chain, from 1."""
LINKS: Final = "Links"
"""The number of links in the chain."""
NAME_PREFIX: Final = "NamePrefix"
ON_DESTROY: Final = "OnDestroy"
"""The fate of the recommender with its stack, also the value of its tag: ``delete``, ``retain``."""
QUALITY_GATE: Final = "QualityGate"
RECIPE_ARN: Final = "RecipeArn"
RECOMMENDER_ARN: Final = "RecommenderArn"
RECOMMENDER_LOGICAL_ID: Final = "RecommenderLogicalId"
REVISION: Final = "Revision"
RUNNING: Final = "Running"
TAGS: Final = "Tags"
UPDATED_AFTER: Final = "UpdatedAfter"
WAIT_SECONDS: Final = "WaitSeconds"

# Members of ``RecommenderConfig``, in the template as in Personalize's API.
ENABLE_METADATA: Final = "enableMetadataWithRecommendations"
EXCLUDED_COLUMNS: Final = "excludedDatasetColumns"
EXPLORATION: Final = "itemExplorationConfig"
EXPLORATION_ITEM_AGE_CUT_OFF: Final = "explorationItemAgeCutOff"
EXPLORATION_WEIGHT: Final = "explorationWeight"
INCLUDED_COLUMNS: Final = "includedDatasetColumns"
MIN_REQUESTS_PER_SECOND: Final = "minRecommendationRequestsPerSecond"
TRAINING_DATA: Final = "trainingDataConfig"

# Members of ``QualityGate``.
MINIMUM_METRICS: Final = "MinimumMetrics"
MAX_METRIC_REGRESSION: Final = "MaxMetricRegression"
ON_MISS: Final = "OnMiss"

# Members of ``ActiveHours``.
START: Final = "Start"
STOP: Final = "Stop"
TIME_ZONE: Final = "TimeZone"

DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
"""As cron has them; times of the week are a day and hours, such as ``MON 07:00``."""

# Environment variables: of all functions, of the answering ones, of the one that begins requests.
PERMISSIONS_VARIABLE: Final = "PERMISSIONS"
"""No code reads it; when it changes, Lambda replaces the instances of the function."""
URL_SUFFIX_VARIABLE: Final = "URL_SUFFIX"
"""``AWS::URLSuffix``: S3 has the ResponseURLs under it."""
STATE_MACHINE_VARIABLE: Final = "STATE_MACHINE_ARN"
POLL_INTERVAL_VARIABLE: Final = "POLL_INTERVAL_SECONDS"

# Values of ``OnDestroy``, and of its tag.
DELETE: Final = "delete"
RETAIN: Final = "retain"

# Attributes of the recommender.
ARN_ATTRIBUTE: Final = "Arn"
NAME_ATTRIBUTE: Final = "Name"
REVISION_ATTRIBUTE: Final = "Revision"
UPDATED_AFTER_ATTRIBUTE: Final = "UpdatedAfter"

# Attributes of a training gate.
RECOMMENDER_ARN_ATTRIBUTE: Final = "RecommenderArn"
MODEL_METRICS_ATTRIBUTE: Final = "ModelMetrics"
QUALITY_GATE_ATTRIBUTE: Final = "QualityGate"

NOT_REPORTED: Final = "n/a"
NO_UPDATE: Final = "none"
"""Replaces a time if this deployment has sent no update."""

METRICS: Final = {
    "Coverage": "coverage",
    "MeanReciprocalRankAt25": "mean_reciprocal_rank_at_25",
    "NormalizedDiscountedCumulativeGainAt5": "normalized_discounted_cumulative_gain_at_5",
    "NormalizedDiscountedCumulativeGainAt10": "normalized_discounted_cumulative_gain_at_10",
    "NormalizedDiscountedCumulativeGainAt25": "normalized_discounted_cumulative_gain_at_25",
    "PrecisionAt5": "precision_at_5",
    "PrecisionAt10": "precision_at_10",
    "PrecisionAt25": "precision_at_25",
}
"""Attribute of a training gate -> key in the service's ``modelMetrics``.

Source: Amazon Personalize Developer Guide, "Evaluating an Amazon Personalize domain recommender".
"""
METRIC_NAMES: Final = {key: name for name, key in METRICS.items()}
"""The same, the other way round: the observer's metrics have the names of the attributes."""

# Metrics of the observer, besides the model's, with their namespace and dimension.
NAMESPACE: Final = "TopPicksRecommender"
DIMENSION: Final = "Recommender"
"""Stack and construct: a replacement has other ARNs, and the same history."""
ACTIVE: Final = "Active"
DRIFT: Final = "Drift"
LEFTOVERS: Final = "Leftovers"
PROVISIONED: Final = "ProvisionedRequestsPerSecond"
HOURS_SINCE_TRAINING: Final = "HoursSinceTraining"
HOURS_SINCE_UPDATE: Final = "HoursSinceUpdate"
RETRAINING_FAILED: Final = "RetrainingFailed"
METRICS_WORSE: Final = "MetricsWorse"
"""With ``MaxMetricRegression``, which the schedule's input then has."""
THROUGHPUT_USE: Final = "ThroughputUse"
"""If the schedule's input has this member."""
OBSERVED: Final = (
    *(ACTIVE, DRIFT, LEFTOVERS, RETRAINING_FAILED),
    *(PROVISIONED, HOURS_SINCE_TRAINING, HOURS_SINCE_UPDATE),
    *(METRICS_WORSE, THROUGHPUT_USE),
    *METRICS,
)
"""All metrics of the observer that are known beforehand."""

MAX_NAME_LENGTH: Final = 63
"""Source: ``CreateRecommender`` in the Personalize API reference (name, 1 to 63 characters)."""

DIGEST_LENGTH: Final = 16
"""Hexadecimal digits of the hash at the end of a derived name."""

MAX_PREFIX_LENGTH: Final = MAX_NAME_LENGTH - DIGEST_LENGTH - len("-")

MAX_TAGS: Final = 50
"""Source: Personalize Developer Guide, "Tagging Amazon Personalize resources"."""

RESERVED_TAG_PREFIX: Final = "top-picks:"
OWNER_STACK_TAG: Final = "top-picks:stack-id"
OWNER_RESOURCE_TAG: Final = "top-picks:logical-id"
ADOPTED_TAG: Final = "top-picks:adopted"
ON_DESTROY_TAG: Final = "top-picks:on-destroy"
"""Tells a later finder of an own recommender whether it was retained on purpose."""
RESERVED_TAGS: Final = (OWNER_STACK_TAG, OWNER_RESOURCE_TAG, ADOPTED_TAG, ON_DESTROY_TAG)
RESERVED_AT_ONCE: Final = 3
"""The most that one recommender has: an adopted one is not deleted with its stack."""
