"""The stack: the recommender, who may use it, and its outputs."""

import json
from collections.abc import Sequence
from typing import Any, Final

from aws_cdk import CfnOutput, Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from .metrics import describe
from .properties import MonitoringProperties, RecommenderProperties, ServiceProperties
from .recommender import TopPicksRecommender
from .security import allow_alarms, log_key
from .service import RecommenderService
from .settings import Settings, SettingsError

_MAX_ROLE_NAME: Final = 64
"""Source: CreateRole, IAM API reference."""

_MAX_TRUST_POLICY: Final = 2048
"""Source: "IAM and AWS STS quotas", IAM User Guide: role trust policy length, by default."""


class TopPicksStack(Stack):
    """One environment's recommender."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Amazon Personalize recommender: Top picks for you (aws-vod-top-picks)",
            tags=dict(settings.tags),
            termination_protection=settings.termination_protection,
            **kwargs,
        )
        for key, value in settings.tags.items():
            Tags.of(self).add(key, value)  # Hooks and rules see a template, not its stack's tags
        recommender = TopPicksRecommender(
            self,
            "Recommender",
            service=RecommenderService(
                self,
                "Service",
                log_key=log_key(self, settings.log_key_arn),
                notify_topic=self._notify_topic(settings),
                **ServiceProperties.from_settings(settings),
            ),
            **RecommenderProperties.from_settings(settings),
        )
        if settings.monitoring:
            from .monitoring import RecommenderMonitoring

            RecommenderMonitoring(
                self,
                "Monitoring",
                recommender=recommender,
                alarm_topic=self._alarm_topic(settings),
                **MonitoringProperties.from_settings(settings),
            )
        parameter = recommender.add_arn_parameter(
            self,
            "RecommenderArnParameter",
            parameter_name=f"/top-picks/{self.stack_name}/recommender-arn",
        )
        outputs = {
            "RecommenderArn": recommender.recommender_arn,
            "RecommenderName": recommender.recommender_name,
            "DatasetGroupArn": recommender.dataset_group_arn,
            "ModelMetrics": recommender.model_metrics_json,
            **recommender.model_metrics,
        }
        if settings.minimum_metrics or settings.max_metric_regression is not None:
            outputs["QualityGate"] = recommender.quality_gate
        if settings.consumers:
            role = self._consumer_role(settings.consumers)
            permission = recommender.grant_get_recommendations(role)
            permission.apply_before(parameter)  # who reads it may use what it names
            outputs["ConsumerRoleArn"] = role.role_arn
        for name, value in outputs.items():
            CfnOutput(self, name, value=value, description=describe(name))

    def _notify_topic(self, settings: Settings) -> sns.ITopic | None:
        arn = settings.notify_topic_arn
        return sns.Topic.from_topic_arn(self, "NotifyTopic", arn) if arn else None

    def _alarm_topic(self, settings: Settings) -> sns.ITopic | None:
        """Return the topic of the alarms: the given one, or a new one for an address."""
        if settings.alarm_topic_arn:
            return sns.Topic.from_topic_arn(self, "AlarmTopic", settings.alarm_topic_arn)
        if settings.alarm_email is None:
            return None
        topic = sns.Topic(self, "AlarmTopic", enforce_ssl=True)
        topic.add_subscription(subscriptions.EmailSubscription(settings.alarm_email))
        allow_alarms(topic)
        return topic

    def _consumer_role(self, consumers: Sequence[str]) -> iam.Role:
        """Make the role that consumers assume, by a name that they can know beforehand."""
        name = f"{self.stack_name}-consumer-{self.region}"
        if len(name) > _MAX_ROLE_NAME:
            raise SettingsError(
                "consumers",
                got=name,
                allowed=f"a role's name of at most {_MAX_ROLE_NAME} characters",
                remedy="It begins with the environment's name: shorten that by "
                f"{len(name) - _MAX_ROLE_NAME}.",
            )
        role = iam.Role(
            self,
            "ConsumerRole",
            role_name=name,
            description="Gets recommendations from one recommender, and nothing else",
            assumed_by=_among_their_accounts(consumers),
        )
        trust = json.dumps(self.resolve(role.assume_role_policy), separators=(",", ":"))
        if len(trust) > _MAX_TRUST_POLICY:
            raise SettingsError(
                "consumers",
                got=f"{len(consumers)} ARNs, a trust policy of {len(trust)} characters",
                allowed=f"a trust policy of at most {_MAX_TRUST_POLICY} characters",
                remedy="Name fewer: in each account, one role that its applications assume.",
            )
        return role


def _among_their_accounts(consumers: Sequence[str]) -> iam.IPrincipal:
    """Trust the accounts of the consumers, on the condition that the caller is a consumer.

    If a policy trusts an account, only the account must exist. If it trusts a principal, the
    principal must exist, and IAM trusts it by its unique id. A consumer's ARN contains its account,
    so one condition does for all accounts.
    """
    roots = sorted({f"{consumer.rpartition(':')[0]}:root" for consumer in consumers})
    return iam.CompositePrincipal(*map(iam.ArnPrincipal, roots)).with_conditions(
        {"ArnEquals": {"aws:PrincipalArn": list(consumers)}}
    )
