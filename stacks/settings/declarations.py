"""The settings, each in one place: to add one, add a field here, and use it.

From these entries come the parsing of the context, the checks of the construct's own arguments,
docs/reference/settings.md and its JSON schema (``make settings``).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from ..partitions import REGION
from .kinds import (
    boolean,
    columns_by_dataset,
    hours_of_service,
    least_by_metric,
    number,
    one_of,
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
"""Sweeps by default, though fewer training gates are wanted: a training takes up to ten hours."""

_LOG_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557),
    *(2922, 3288, 3653),
)
"""Source: PutRetentionPolicy, CloudWatch Logs API reference."""

_LOG_KEY: Final = setting(
    regional_arn(["kms"], "key/<id>", "key/[a-z0-9-]{1,64}"),
    "The KMS key, of the stack's region, that encrypts the logs.",
    example="arn:aws:kms:eu-west-1:111111111111:key/0a1b2c3d-0000-1111-2222-333344445555",
    remedy="Give the ARN of the key itself: CloudWatch Logs takes no alias.",
)


@dataclass(frozen=True, kw_only=True)
class RecommenderSettings:
    """The settings that the construct TopPicksRecommender has as properties of the same names."""

    dataset_group_arn: str = field(
        metadata=setting(
            regional_arn(
                ["personalize"],
                "dataset-group/<name>",
                "dataset-group/[A-Za-z0-9][A-Za-z0-9_-]{0,62}",
            ),
            "The dataset group that the recommender is trained on: ACTIVE, and of the domain "
            "VIDEO_ON_DEMAND. Its account and region are the stack's.",
            example="arn:aws:personalize:eu-west-1:111111111111:dataset-group/vod",
            remedy="Copy the ARN from `aws personalize list-dataset-groups`.",
        )
    )
    recommender_name: str | None = field(
        default=None,
        metadata=setting(
            text(
                "1 to 63 letters, digits, - and _, the first a letter or digit",
                "[A-Za-z0-9][A-Za-z0-9_-]{0,62}",
            ),
            "Fixes the recommender's name.",
            example="top-picks",
            remedy="Correct it, or remove it to have the name derived.",
            default="derived",
        ),
    )
    min_recommendation_requests_per_second: int = field(
        default=1,
        metadata=setting(
            whole(1),
            "The throughput that is provisioned, and billed, at least.",
            example=5,
        ),
    )
    exploration_weight: Decimal = field(
        default=Decimal("0.3"),
        metadata=setting(
            number(0, 1),
            "How much is explored: 0 is relevance only, 1 exploration only.",
            example=0.5,
        ),
    )
    exploration_item_age_cut_off: int = field(
        default=30,
        metadata=setting(
            whole(1, of="days"),
            "Items up to this age are explored. The age is the time from an item's creation to the "
            "latest interaction with any item.",
            example=14,
        ),
    )
    excluded_columns: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict,
        metadata=setting(
            columns_by_dataset(),
            "Columns that the training leaves out, by dataset type.",
            example={"ITEMS": ["DESCRIPTION"]},
        ),
    )
    running: bool = field(
        default=True,
        metadata=setting(
            boolean(),
            "False keeps the recommender INACTIVE (stopped) once it is trained.",
            example=False,
            shapes_template=True,
        ),
    )
    active_hours: Mapping[str, str] | None = field(
        default=None,
        metadata=setting(
            hours_of_service(),
            "When the recommender is started and when it is stopped, by the clock of a time zone.",
            example={
                "start": "cron(0 7 ? * MON-FRI *)",
                "stop": "cron(0 20 ? * MON-FRI *)",
                "time_zone": "Europe/Berlin",
            },
            shapes_template=True,
        ),
    )
    adopt_existing: bool = field(
        default=False,
        metadata=setting(
            boolean(),
            "True, together with `recommender_name`: take over the recommender of that name "
            "instead of failing.",
            example=True,
            shapes_template=True,
        ),
    )
    force_update: str | None = field(
        default=None,
        metadata=setting(
            printable(at_most=64),
            "A change of it makes the update again, and undoes edits by hand.",
            example="2",
            remedy='In cdk.json a number stands in quotes: for example "2".',
        ),
    )
    minimum_metrics: Mapping[str, Decimal] = field(
        default_factory=dict,
        metadata=setting(
            least_by_metric(),
            "What model metrics must reach, by the service's names, for a deployment to succeed.",
            example={"normalized_discounted_cumulative_gain_at_25": 0.25, "coverage": 0.05},
        ),
    )
    max_metric_regression: Decimal | None = field(
        default=None,
        metadata=setting(
            number(0, 1),
            "How much worse each model metric may be than that of the recommender that is "
            "replaced, as a fraction of it.",
            example=0.05,
        ),
    )
    quality_gate: str = field(
        default="fail",
        metadata=setting(
            text("fail or warn", "fail|warn"),
            "Whether a deployment fails whose model metrics are not good enough, or passes and "
            "says so in the output `QualityGate`.",
            example="warn",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Settings(RecommenderSettings):
    """One environment's settings. The defaults are the contract's."""

    retain_on_destroy: bool = field(
        default=False,
        metadata=setting(
            boolean(),
            "True: `cdk destroy` keeps the recommender.",
            example=True,
            shapes_template=True,
        ),
    )
    max_training_hours: Decimal = field(
        default=Decimal(10),
        metadata=setting(
            time_in("hours", at_most=24),
            "How long all training gates wait together.",
            example=12.5,
        ),
    )
    max_deletion_hours: Decimal | None = field(
        default=None,
        metadata=setting(
            time_in("hours", at_most=24),
            "How long all sweeps wait together, when the stack is deleted or its creation is "
            "rolled back.",
            example=12.5,
            default=f"the larger of `max_training_hours` and {LEAST_SWEEPS} times "
            "`training_gate_minutes`",
        ),
    )
    training_gate_minutes: Decimal = field(
        default=Decimal(55),
        metadata=setting(
            time_in("minutes", at_most=55),
            "How long one training gate waits, and one sweep.",
            example=30,
            remedy="CloudFormation gives one custom resource an hour; max_training_hours sets how "
            "long all training gates wait together.",
            shapes_template=True,
        ),
    )
    poll_interval_seconds: int = field(
        default=60,
        metadata=setting(
            whole(1, 120),
            "The time between two polls of the recommender.",
            example=30,
            shapes_template=True,
        ),
    )
    monitoring: bool = field(
        default=False,
        metadata=setting(
            boolean(),
            "True: an observer reads the recommender by the hour and writes metrics, for which "
            "there are a dashboard and alarms.",
            example=True,
        ),
    )
    alarm_topic_arn: str | None = field(
        default=None,
        metadata=setting(
            regional_arn(["sns"], "<topic>", "[A-Za-z0-9_-]{1,256}"),
            "With `monitoring`: the SNS topic, of the stack's region, that alarms are sent to.",
            example="arn:aws:sns:eu-west-1:111111111111:on-call",
            remedy="Copy the ARN from `aws sns list-topics`.",
        ),
    )
    alarm_email: str | None = field(
        default=None,
        metadata=setting(
            text("an e-mail address", r"[^@\s]+@[^@\s]+\.[^@\s]+"),
            "With `monitoring`: an address that alarms are sent to, by a topic of the stack, once "
            "somebody has confirmed the subscription that AWS sends there.",
            example="on-call@example.com",
        ),
    )
    runbook_url: str | None = field(
        default=None,
        metadata=setting(
            text("an https URL without a fragment", r"https://[^\s#]{1,500}"),
            "With `monitoring`: where people find `docs/runbook.md`. Each alarm's description has "
            "it, with the heading.",
            example="https://github.example.com/video/top-picks/blob/main/docs/runbook.md",
        ),
    )
    observation_interval_minutes: int = field(
        default=60,
        metadata=setting(
            whole(1, 1440),
            "With `monitoring`: the time between two observations.",
            example=15,
            shapes_template=True,
        ),
    )
    consumers: tuple[str, ...] = field(
        default=(),
        metadata=setting(
            principals(),
            "Roles and users, of this account or others, that may get recommendations.",
            example=["arn:aws:iam::333333333333:role/video-api"],
            remedy="A whole account (root) would let everybody in whom its administrators let; a "
            "session (assumed-role) ends, so name its role; and one name is one role or user.",
        ),
    )
    termination_protection: bool = field(
        default=False,
        metadata=setting(
            boolean(),
            "True: CloudFormation refuses to delete the stack.",
            example=True,
        ),
    )
    log_retention_days: int = field(
        default=90,
        metadata=setting(
            one_of(_LOG_RETENTION_DAYS),
            "How many days logs are kept.",
            example=365,
            remedy="These are the retentions of CloudWatch Logs, in days.",
        ),
    )
    log_key_arn: str | None = field(default=None, metadata=_LOG_KEY)
    approval: bool = field(
        default=False,
        metadata=setting(
            boolean(),
            "True, in an environment of a pipeline: somebody has to approve its deployment.",
            example=True,
        ),
    )
    tags: Mapping[str, str] = field(
        default_factory=dict,
        metadata=setting(
            tags_by_key(),
            "Tags on the recommender, and on every resource of the stack that takes tags.",
            example={"team": "video"},
        ),
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
class PipelineSettings:
    """The pipeline's settings: its place, and the branch that it deploys."""

    connection_arn: str = field(
        metadata=setting(
            regional_arn(
                ["codeconnections", "codestar-connections"],
                "connection/<id>",
                "connection/[0-9a-f-]{36}",
            ),
            "The connection to where the repository is.",
            example="arn:aws:codeconnections:eu-west-1:999999999999:connection/"
            "0a1b2c3d-0000-1111-2222-333344445555",
            remedy="Create the connection in the console of CodePipeline (Settings, Connections) "
            "and copy its ARN.",
        )
    )
    repository: str = field(
        metadata=setting(
            text("<owner>/<name>", "[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+"),
            "The repository with this app.",
            example="video/top-picks",
            remedy="Name the repository as in its address.",
        )
    )
    branch: str = field(
        metadata=setting(
            text("the name of a branch", "[A-Za-z0-9_./#+-]{1,255}"),
            "The branch whose commits are deployed.",
            example="main",
        )
    )
    account: str = field(
        metadata=setting(
            text("a string of 12 digits", "[0-9]{12}"),
            "The account that the pipeline runs in.",
            example="999999999999",
            remedy="Give the account that the pipeline runs in, in quotes.",
        )
    )
    region: str = field(
        metadata=setting(
            text("the name of a region, such as eu-west-1", REGION),
            "The region that the pipeline runs in.",
            example="eu-west-1",
            remedy="Give the region that the pipeline runs in.",
        )
    )
    log_key_arn: str | None = field(default=None, metadata=_LOG_KEY)

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
