"""Declare each setting in one place: to add a setting, add a field here, and use it.

These entries give the parsing of the context, the checks of the construct's own arguments,
docs/reference/settings.md and its JSON schema (``make settings``).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from ..functions import Recipe
from ..partitions import REGION
from .kinds import (
    boolean,
    columns_by_dataset,
    hours_of_service,
    least_by_metric,
    number,
    objects_by_name,
    one_of,
    one_recipe,
    principals,
    printable,
    regional_arn,
    tags_by_key,
    text,
    time_in,
    whole,
)
from .setting import setting

LEAST_SWEEPS: Final = 11
"""Sweeps by default, also with fewer training gates: a training takes up to ten hours."""

LOG_RETENTIONS: Final = {
    1: "ONE_DAY",
    3: "THREE_DAYS",
    5: "FIVE_DAYS",
    7: "ONE_WEEK",
    14: "TWO_WEEKS",
    30: "ONE_MONTH",
    60: "TWO_MONTHS",
    90: "THREE_MONTHS",
    120: "FOUR_MONTHS",
    150: "FIVE_MONTHS",
    180: "SIX_MONTHS",
    365: "ONE_YEAR",
    400: "THIRTEEN_MONTHS",
    545: "EIGHTEEN_MONTHS",
    731: "TWO_YEARS",
    1096: "THREE_YEARS",
    1827: "FIVE_YEARS",
    2192: "SIX_YEARS",
    2557: "SEVEN_YEARS",
    2922: "EIGHT_YEARS",
    3288: "NINE_YEARS",
    3653: "TEN_YEARS",
}
"""By days, as the CDK names them. Source: PutRetentionPolicy, CloudWatch Logs API reference."""


def _log_key_arn() -> Any:
    """Declare the setting that an environment and a pipeline have of the same name."""
    return setting(
        regional_arn(["kms"], "key/<id>", "key/[a-z0-9-]{1,64}"),
        "The KMS key that encrypts the logs, in the stack's region.",
        default=None,
        example="arn:aws:kms:eu-west-1:111111111111:key/0a1b2c3d-0000-1111-2222-333344445555",
        remedy="Give the ARN of the key itself: CloudWatch Logs takes no alias.",
    )


@dataclass(frozen=True, kw_only=True)
class RecommenderSettings:
    """The settings that are also properties of the construct DomainRecommender."""

    dataset_group_arn: str = setting(
        regional_arn(
            ["personalize"],
            "dataset-group/<name>",
            "dataset-group/[A-Za-z0-9][A-Za-z0-9_-]{0,62}",
        ),
        "The dataset group with the training data. It must be ACTIVE and of the domain "
        "VIDEO_ON_DEMAND. The stack is deployed to its account and region.",
        example="arn:aws:personalize:eu-west-1:111111111111:dataset-group/vod",
        remedy="Copy the ARN from `aws personalize list-dataset-groups`.",
    )
    recipe: Recipe = setting(
        one_recipe(),
        "The recipe: the kind of recommendations. Another recipe is another recommender.",
        default=Recipe.VOD_TOP_PICKS,
        example="aws-vod-trending-now",
        shapes_template=True,
    )
    recommender_name: str | None = setting(
        text(
            "1 to 63 letters, digits, - and _, the first a letter or digit",
            "[A-Za-z0-9][A-Za-z0-9_-]{0,62}",
        ),
        "The recommender's name. By default, the name is derived: `<stack name>-<16 hexadecimal "
        "digits>`.",
        default=None,
        example="top-picks",
        remedy="Correct it, or remove it to have the name derived.",
        default_in_words="derived",
    )
    min_recommendation_requests_per_second: int = setting(
        whole(1),
        "The minimum throughput that Personalize provisions. It is billed while the recommender is "
        "ACTIVE, also without requests.",
        default=1,
        example=5,
    )
    exploration_weight: Decimal = setting(
        number(0, 1),
        "The emphasis on exploration, that is on items with few interactions or less relevance. 0 "
        "means no exploration; the closer to 1, the more.",
        default=Decimal("0.3"),
        example=0.5,
    )
    exploration_item_age_cut_off: int = setting(
        whole(1, of="days"),
        "The maximum age of an item that is explored. The age is the time from the item's "
        "CREATION_TIMESTAMP to the latest interaction with any item. If an item has no "
        "CREATION_TIMESTAMP, Personalize takes the age from the item's interactions.",
        default=30,
        example=14,
    )
    item_metadata: bool = setting(
        boolean(),
        "Whether GetRecommendations can return columns of the Items dataset with each item, which "
        "AWS bills. It needs an Items dataset.",
        default=True,
        example=False,
        shapes_template=True,
    )
    excluded_columns: Mapping[str, tuple[str, ...]] = setting(
        columns_by_dataset(),
        "The columns that the training does not use, by dataset type.",
        default_factory=dict,
        example={"ITEMS": ["DESCRIPTION"]},
    )
    running: bool = setting(
        boolean(),
        "False: the recommender is trained, then kept stopped (INACTIVE).",
        default=True,
        example=False,
        shapes_template=True,
    )
    active_hours: Mapping[str, str] | None = setting(
        hours_of_service(),
        "The times at which the recommender is started and stopped, in a time zone.",
        default=None,
        example={
            "start": "cron(0 7 ? * MON-FRI *)",
            "stop": "cron(0 20 ? * MON-FRI *)",
            "time_zone": "Europe/Berlin",
        },
        shapes_template=True,
    )
    adopt_existing: bool = setting(
        boolean(),
        "True: if a recommender named `recommender_name` exists and no other stack owns it, the "
        "stack takes it over. False: the deployment fails.",
        default=False,
        example=True,
        shapes_template=True,
    )
    force_update: str | None = setting(
        printable(at_most=64),
        "Any text. If you change it, the deployment checks the recommender again and undoes "
        "changes that were made outside the stack.",
        default=None,
        example="2",
        remedy='In cdk.json a number stands in quotes: for example "2".',
    )
    minimum_metrics: Mapping[str, Decimal] = setting(
        least_by_metric(),
        "The minimum of each model metric, by Personalize's name of the metric.",
        default_factory=dict,
        example={"normalized_discounted_cumulative_gain_at_25": 0.25, "coverage": 0.05},
    )
    max_metric_regression: Decimal | None = setting(
        number(0, 1),
        "The largest allowed fall of each model metric when a recommender is replaced, as a "
        "fraction of the previous recommender's metric: 0.05 is 5 %.",
        default=None,
        example=0.05,
    )
    quality_gate: str = setting(
        text("fail or warn", "fail|warn"),
        "The effect of metrics that miss `minimum_metrics` or `max_metric_regression`. fail: the "
        "deployment fails. warn: it succeeds, and the output `QualityGate` lists them.",
        default="fail",
        example="warn",
    )


@dataclass(frozen=True, kw_only=True)
class OneRecommender(RecommenderSettings):
    """The settings that one of several recommenders of a stack can have of its own."""

    retain_on_destroy: bool = setting(
        boolean(),
        "True: `cdk destroy` keeps the recommender, which stays billed.",
        default=False,
        example=True,
        shapes_template=True,
    )
    max_training_hours: Decimal = setting(
        time_in("hours", at_most=24),
        "The longest time that a deployment waits for a training, in hours.",
        default=Decimal(10),
        example=12.5,
    )
    max_deletion_hours: Decimal | None = setting(
        time_in("hours", at_most=24),
        "The time in hours for which the sweeps wait together, rounded up to whole sweeps, if the "
        "stack is deleted or its creation is rolled back. Before that, the recommender's own "
        "Delete waits `training_gate_minutes`.",
        default=None,
        example=12.5,
        default_in_words=f"the larger of `max_training_hours` and {LEAST_SWEEPS} times "
        "`training_gate_minutes`",
    )
    training_gate_minutes: Decimal = setting(
        time_in("minutes", at_most=55),
        "The longest time that one training gate or one sweep waits, in minutes.",
        default=Decimal(55),
        example=30,
        remedy="CloudFormation gives one custom resource an hour; max_training_hours sets how long "
        "all training gates wait together.",
        shapes_template=True,
    )

    @property
    def training_gates(self) -> int:
        """Count the training gates for ``max_training_hours``."""
        return math.ceil(self.max_training_hours * 60 / self.training_gate_minutes)

    @property
    def sweeps(self) -> int:
        """Count the sweeps for ``max_deletion_hours``."""
        if self.max_deletion_hours is None:
            return max(self.training_gates, LEAST_SWEEPS)
        return math.ceil(self.max_deletion_hours * 60 / self.training_gate_minutes)


@dataclass(frozen=True, kw_only=True)
class Settings(OneRecommender):
    """One environment's settings. The defaults are the contract's."""

    recommenders: Mapping[str, OneRecommender] = setting(
        objects_by_name(),
        "Several recommenders in the stack, by name, each with settings of its own over the "
        "environment's.",
        default_factory=dict,
        example={"TopPicks": {}, "Trending": {"recipe": "aws-vod-trending-now"}},
        shapes_template=True,
    )
    poll_interval_seconds: int = setting(
        whole(1, 120),
        "The time between two polls of the recommender, in seconds.",
        default=60,
        example=30,
        shapes_template=True,
    )
    monitoring: bool = setting(
        boolean(),
        "True: a function reads the recommender every `observation_interval_minutes` and writes "
        "metrics. The stack has a dashboard and alarms on them.",
        default=False,
        example=True,
    )
    alarm_topic_arn: str | None = setting(
        regional_arn(["sns"], "<topic>", "[A-Za-z0-9_-]{1,256}"),
        "With `monitoring`: the SNS topic that receives the alarms, in the stack's region.",
        default=None,
        example="arn:aws:sns:eu-west-1:111111111111:on-call",
        remedy="Copy the ARN from `aws sns list-topics`.",
    )
    alarm_email: str | None = setting(
        text("an e-mail address", r"[^@\s]+@[^@\s]+\.[^@\s]+"),
        "With `monitoring`: the address that receives the alarms. AWS sends it an e-mail with a "
        "link; alarms arrive after the link is confirmed.",
        default=None,
        example="on-call@example.com",
    )
    runbook_url: str | None = setting(
        text("an https URL without a fragment", r"https://[^\s#]{1,500}"),
        "With `monitoring`: the address of your own copy of `docs/runbook.md`. The description of "
        "each alarm links to its heading there. Without it, the description names the heading.",
        default=None,
        example="https://github.example.com/video/top-picks/blob/main/docs/runbook.md",
    )
    minimum_throughput_use: Decimal | None = setting(
        number(0, 1),
        "With `monitoring`: adds an alarm on the use of the provisioned throughput. It begins if "
        "this share of `min_recommendation_requests_per_second` would have been more than enough "
        "for the busiest five minutes of a week: 0.5 is half of it.",
        default=None,
        example=0.5,
        shapes_template=True,
    )
    observation_interval_minutes: int = setting(
        whole(1, 1440),
        "With `monitoring`: the time between two observations, in minutes.",
        default=60,
        example=15,
        shapes_template=True,
    )
    notify_topic_arn: str | None = setting(
        regional_arn(["sns"], "<topic>", "[A-Za-z0-9_-]{1,256}"),
        "The SNS topic that receives a message when an operation of the stack ends, fails or is "
        "stuck. It is of the stack's region and account, and its policy lets EventBridge publish "
        "to it.",
        default=None,
        example="arn:aws:sns:eu-west-1:111111111111:deployments",
        remedy="Copy the ARN from `aws sns list-topics`.",
    )
    consumers: tuple[str, ...] = setting(
        principals(),
        "The IAM roles and users that may get recommendations, of this account or others.",
        default=(),
        example=["arn:aws:iam::333333333333:role/video-api"],
        remedy="Name each role or user by its own ARN. In a whole account (root), others decide "
        "whom they let in. A session (assumed-role) ends, so name its role.",
    )
    termination_protection: bool = setting(
        boolean(),
        "True: CloudFormation refuses to delete the stack.",
        default=False,
        example=True,
    )
    log_retention_days: int = setting(
        one_of([*LOG_RETENTIONS]),
        "The number of days for which logs are kept.",
        default=90,
        example=365,
        remedy="These are the retentions of CloudWatch Logs, in days.",
    )
    log_key_arn: str | None = _log_key_arn()
    approval: bool = setting(
        boolean(),
        "True: the pipeline deploys this environment only after a manual approval.",
        default=False,
        example=True,
    )
    tags: Mapping[str, str] = setting(
        tags_by_key(),
        "Tags for the recommender and for every other resource of the stack that takes tags.",
        default_factory=dict,
        example={"team": "video"},
    )

    @property
    def partition(self) -> str:
        """Return the environment's partition."""
        return self.dataset_group_arn.split(":")[1]

    @property
    def region(self) -> str:
        """Return the environment's region."""
        return self.dataset_group_arn.split(":")[3]

    @property
    def account(self) -> str:
        """Return the environment's account."""
        return self.dataset_group_arn.split(":")[4]

    @property
    def by_name(self) -> Mapping[str, OneRecommender]:
        """Return the recommenders by name; a single one has the name ``""``."""
        return self.recommenders or {"": self}


@dataclass(frozen=True, kw_only=True)
class PipelineSettings:
    """The pipeline's settings: its place, and the branch that it deploys."""

    connection_arn: str = setting(
        regional_arn(
            ["codeconnections", "codestar-connections"],
            "connection/<id>",
            "connection/[0-9a-f-]{36}",
        ),
        "The connection to the host of the repository.",
        example="arn:aws:codeconnections:eu-west-1:999999999999:connection/0a1b2c3d-0000-1111-2222-333344445555",
        remedy="Create the connection in the console of CodePipeline (Settings, Connections) and "
        "copy its ARN.",
    )
    repository: str = setting(
        text("<owner>/<name>", "[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+"),
        "The repository with this app.",
        example="video/top-picks",
        remedy="Name the repository as in its address.",
    )
    branch: str = setting(
        text("the name of a branch", "[A-Za-z0-9_./#+-]{1,255}"),
        "The branch. The pipeline deploys each of its commits.",
        example="main",
    )
    account: str = setting(
        text("a string of 12 digits", "[0-9]{12}"),
        "The account of the pipeline.",
        example="999999999999",
        remedy="Give the account that the pipeline runs in, in quotes.",
    )
    region: str = setting(
        text("the name of a region, such as eu-west-1", REGION),
        "The region of the pipeline.",
        example="eu-west-1",
        remedy="Give the region that the pipeline runs in.",
    )
    log_key_arn: str | None = _log_key_arn()

    @property
    def partition(self) -> str:
        """Return the pipeline's partition."""
        return self.connection_arn.split(":")[1]


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """Environments and pipeline, as the context says."""

    environments: Mapping[str, Settings]
    """By name, in the order of the context; a single environment has the name ``""``."""

    pipeline: PipelineSettings | None = None
