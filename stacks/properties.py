"""The properties of the constructs: most are settings, and some have types of the CDK's."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from aws_cdk import Duration, RemovalPolicy, Stack, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.aws_logs import RetentionDays

from .checking import CdkType, Properties
from .settings.declarations import LOG_RETENTIONS, RecommenderSettings, Settings
from .settings.errors import NotAllowedError, Refusal
from .settings.kinds import Kind, boolean, regional_arn, text, whole
from .settings.rules import (
    chains_fit_into_a_stack,
    key_is_of_the_region,
    rules_of_a_recommender,
    topic_is_of_the_place,
    topic_is_of_the_region,
)
from .settings.setting import Setting, setting, settings_of

_SETTINGS: Final = settings_of(Settings)


def _links() -> Any:
    """Declare the number of links of a chain."""
    return setting(whole(1), "", example=11, shapes_template=True)


def _as_setting(
    name: str, allowed: str = "", remedy: str = "", *, cdk_type: CdkType | None = None, **more: Any
) -> Any:
    """Declare a property as a setting is, in words that fit a property where there are any.

    Args:
        name: of the setting.
        allowed: replaces the setting's.
        remedy: replaces the setting's.
        cdk_type: the type that the property has in place of the setting's.
        more: the field's default.
    """
    declared = _SETTINGS[name]
    kind = replace(declared.kind, allowed=allowed or declared.kind.allowed)
    reworded = replace(declared, kind=kind, remedy=remedy or declared.remedy)
    return field(metadata={"setting": reworded, "cdk_type": cdk_type}, **more)


def _duration(
    name: str, unit: str, allowed: str, remedy: str, *, decimals: int | None = None
) -> Any:
    """Declare a Duration where a setting is a number of a unit."""

    def to_setting(given: object) -> float:
        if not isinstance(given, Duration):
            raise NotAllowedError
        if given.is_unresolved() and given.unit_label() != unit:
            raise NotAllowedError  # CloudFormation knows the number, and cannot convert it
        number: float = getattr(given, f"to_{unit}")(integral=False)
        if given.is_unresolved():
            return number
        number = number if decimals is None else round(number, decimals)
        return int(number) if number == int(number) else number

    def from_setting(number: float) -> object:
        return getattr(Duration, unit)(float(number))

    cdk_type = CdkType(name, to_setting, from_setting)
    default = functools.partial(from_setting, getattr(Settings, name))
    return _as_setting(name, allowed, remedy, cdk_type=cdk_type, default_factory=default)


def _one_of(name: str, values: Mapping[Any, object], allowed: str, remedy: str) -> Any:
    """Declare an enumeration's member where a setting is a value."""

    def to_setting(given: object) -> object:
        for value, member in values.items():
            if given is member:
                return value
        raise NotAllowedError

    cdk_type = CdkType(name, to_setting, values.__getitem__)
    return _as_setting(name, allowed, remedy, cdk_type=cdk_type)


def _text_of(construct: object, attribute: str) -> str:
    """Read a text of a construct: jsii has no ``isinstance`` of interfaces."""
    found = getattr(construct, attribute, None)
    if not isinstance(found, str):
        raise NotAllowedError
    return found


def _construct(name: str, arn_attribute: str, allowed: str, remedy: str) -> Any:
    """Declare a construct where a setting is its ARN."""
    cdk_type = CdkType(name, functools.partial(_text_of, attribute=arn_attribute), None)
    return _as_setting(name, allowed, remedy, cdk_type=cdk_type, default=None)


def _no_setting(
    kind: Kind[Any],
    remedy: str,
    *,
    to_setting: Callable[[Any], object] = lambda given: given,
    default: object = None,
    shapes_template: bool = True,
) -> Any:
    """Declare a property for which there is no setting."""
    declared = Setting(kind, "", example="", remedy=remedy, shapes_template=shapes_template)
    cdk_type = CdkType("", to_setting, None)
    return field(metadata={"setting": declared, "cdk_type": cdk_type}, default=default)


@dataclass(frozen=True, kw_only=True)
class RecommenderProperties(RecommenderSettings, Properties):
    """The properties of ``DomainRecommender``."""

    exploration_item_age_cut_off: int = _duration(
        "exploration_item_age_cut_off",
        "days",
        "a Duration of whole days, 1 or more",
        "For example Duration.days(14).",
    )
    force_update: str | None = _as_setting(
        "force_update", remedy='Give a string: for example "2".', default=None
    )
    removal_policy: RemovalPolicy = _one_of(
        "retain_on_destroy",
        {False: RemovalPolicy.DESTROY, True: RemovalPolicy.RETAIN},
        "RemovalPolicy.DESTROY or RemovalPolicy.RETAIN",
        "There is no snapshot of a recommender, and an update retains none.",
    )
    training_gates: int = _links()
    sweeps: int = _links()
    training_gate: Duration = _duration(
        "training_gate_minutes",
        "minutes",
        "a Duration above 0, 55 minutes at most",
        "CloudFormation gives one custom resource an hour: training_gates says how many of them "
        "wait for a training, one after another.",
        decimals=6,
    )

    def rules(self, stack: Stack) -> Iterator[Refusal | None]:
        """Compare properties with one another, and the dataset group with the stack."""
        yield chains_fit_into_a_stack(
            "training_gates", training_gates=self.training_gates, sweeps=self.sweeps
        )
        yield from rules_of_a_recommender(self)
        if not Token.is_unresolved(self.dataset_group_arn):
            yield _group_is_of_the_stack(self.dataset_group_arn, stack)


def _group_is_of_the_stack(dataset_group_arn: str, stack: Stack) -> Refusal | None:
    region, account = dataset_group_arn.split(":")[3:5]
    for name, theirs, ours in (
        ("region", region, stack.region),
        ("account", account, stack.account),
    ):
        if theirs != ours and not Token.is_unresolved(ours):
            return Refusal(
                "dataset_group_arn",
                dataset_group_arn,
                f"a dataset group of the stack's {name}, {ours}",
                "The recommender is created where its dataset group is. Name another dataset "
                "group, or deploy the stack there.",
            )
    return None


def _security_group_ids(given: object) -> list[str]:
    if isinstance(given, str) or not isinstance(given, Sequence) or not given:
        raise NotAllowedError
    return [_text_of(one, "security_group_id") for one in given]


def _subnets(given: object) -> object:
    if not isinstance(given, ec2.SubnetSelection):
        raise NotAllowedError
    return given


@dataclass(frozen=True, kw_only=True)
class ServiceProperties(Properties):
    """The properties of ``RecommenderService``."""

    poll_interval: Duration = _duration(
        "poll_interval_seconds",
        "seconds",
        "a Duration of whole seconds, 1 to 120",
        "For example Duration.seconds(30).",
    )
    log_retention: RetentionDays = _one_of(
        "log_retention_days",
        {days: RetentionDays[name] for days, name in LOG_RETENTIONS.items()},
        "a RetentionDays other than INFINITE",
        "For example RetentionDays.ONE_YEAR.",
    )
    log_key: kms.IKey | None = _construct(
        "log_key_arn",
        "key_arn",
        "a key of KMS, of a region of its partition",
        "Give the key itself, for example by Key.from_key_arn: CloudWatch Logs takes no alias.",
    )
    notify_topic: sns.ITopic | None = _construct(
        "notify_topic_arn",
        "topic_arn",
        "a standard topic of SNS",
        "For example Topic.from_topic_arn(...).",
    )
    vpc: ec2.IVpc | None = _no_setting(
        text("a VPC of EC2", "vpc-[0-9a-f]+"),
        "For example Vpc.from_lookup(...).",
        to_setting=functools.partial(_text_of, attribute="vpc_id"),
        shapes_template=False,
    )
    vpc_subnets: ec2.SubnetSelection | None = _no_setting(
        Kind("a SubnetSelection", {"type": "object"}, _subnets),
        "For example SubnetSelection(subnet_type=SubnetType.PRIVATE_WITH_EGRESS).",
    )
    security_groups: Sequence[ec2.ISecurityGroup] | None = _no_setting(
        Kind("a list of one security group or more", {"type": "array"}, lambda given: given),
        'For example [SecurityGroup.from_security_group_id(self, "Group", "sg-...")].',
        to_setting=_security_group_ids,
        shapes_template=False,
    )
    environment_encryption: kms.IKey | None = _construct(
        "log_key_arn",
        "key_arn",
        "a key of KMS, of a region of its partition",
        "Give the key itself, for example by Key.from_key_arn.",
    )
    tracing: bool = _no_setting(boolean(), "Give True or False.", default=False)
    reserved_concurrent_executions: int | None = _no_setting(
        whole(1), "For example 5. Each function gets so many."
    )

    def rules(self, stack: Stack) -> Iterator[Refusal | None]:
        """Compare the keys and the topic with the stack; subnets and groups need a VPC."""
        for name in ("log_key", "environment_encryption"):
            key = getattr(self, name)
            if key and _are_known(key.key_arn, stack.region):
                yield key_is_of_the_region(name, key.key_arn, stack.region)
        for name in ("vpc_subnets", "security_groups"):
            if getattr(self, name) and not self.vpc:
                yield Refusal(name, "no VPC", f"{name} together with a VPC", "Give vpc, too.")
        if self.notify_topic:
            yield _topic_is_of_the_stack(self.notify_topic.topic_arn, stack)


def _topic_is_of_the_stack(topic_arn: str, stack: Stack) -> Refusal | None:
    if not _are_known(topic_arn):
        return None
    region, account = topic_arn.split(":")[3:5]
    return topic_is_of_the_place(
        "notify_topic",
        topic_arn,
        region=stack.region if _are_known(stack.region) else region,
        account=stack.account if _are_known(stack.account) else account,
    )


@dataclass(frozen=True, kw_only=True)
class MonitoringProperties(Properties):
    """The properties of ``RecommenderMonitoring``, but the recommender."""

    observation_interval: Duration = _duration(
        "observation_interval_minutes",
        "minutes",
        "a Duration of whole minutes, 1 to 1440",
        "For example Duration.minutes(15).",
    )
    alarm_topic: sns.ITopic | None = _construct(
        "alarm_topic_arn",
        "topic_arn",
        "a topic of SNS",
        "For example Topic.from_topic_arn(...).",
    )
    runbook_url: str | None = _as_setting("runbook_url", default=None)
    minimum_throughput_use: Decimal | None = _as_setting("minimum_throughput_use", default=None)

    def rules(self, stack: Stack) -> Iterator[Refusal | None]:
        """Compare the topic with the stack."""
        if self.alarm_topic and _are_known(arn := self.alarm_topic.topic_arn, stack.region):
            yield topic_is_of_the_region("alarm_topic", arn, stack.region)


def _are_known(*values: str) -> bool:
    return not any(map(Token.is_unresolved, values))


# -- arguments of methods --------------------------------------------------------------------------

RECOMMENDER_ARN: Final = Setting(
    regional_arn(["personalize"], "recommender/<name>", "recommender/[A-Za-z0-9][A-Za-z0-9_-]*"),
    "A recommender that is made elsewhere.",
    example="arn:aws:personalize:eu-west-1:111111111111:recommender/top-picks",
)
PARAMETER_NAME: Final = Setting(
    text(
        "a name, or a path that begins with /, known at synthesis, of letters, digits and _.-, at "
        "most 1011, that begins with neither aws nor ssm",
        r"(?!/?(?:[aA][wW][sS]|[sS][sS][mM]))(?=.{1,1011}$)(?:[\w.-]+|(?:/[\w.-]+){1,15})",
    ),
    "The SSM parameter that has a recommender's ARN. Source: PutParameter, SSM API reference.",
    example="/video/top-picks",
    shapes_template=True,
)
