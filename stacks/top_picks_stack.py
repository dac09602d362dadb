"""The stack: the recommender, who may use it, and its outputs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_cdk import CfnOutput, Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from .functions import Recipe
from .metrics import describe, describe_for
from .properties import MonitoringProperties, RecommenderProperties, ServiceProperties
from .recommender import DomainRecommender
from .security import allow_alarms, log_key
from .service import RecommenderService
from .settings import OneRecommender, Settings, SettingsError
from .synthesis import refuse_too_many_resources, when_synthesised

_MAX_ROLE_NAME: Final = 64
"""Source: CreateRole, IAM API reference."""

_MAX_TRUST_POLICY: Final = 2048
"""Source: "IAM and AWS STS quotas", IAM User Guide: role trust policy length, by default."""


class TopPicksStack(Stack):
    """One environment's recommender, or several, whose names begin their constructs and outputs."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=_description([one.recipe for one in settings.by_name.values()]),
            tags=dict(settings.tags),
            termination_protection=settings.termination_protection,
            **kwargs,
        )
        for key, value in settings.tags.items():
            Tags.of(self).add(key, value)  # Hooks and rules see a template, not its stack's tags
        service = RecommenderService(
            self,
            "Service",
            log_key=log_key(self, settings.log_key_arn),
            notify_topic=self._notify_topic(settings),
            **ServiceProperties.from_settings(settings),
        )
        group = Construct(self, "Recommenders") if settings.recommenders else self
        recommenders = {
            name: DomainRecommender(
                group if name else self,
                name or "Recommender",
                service=service,
                **RecommenderProperties.from_settings(one),
            )
            for name, one in settings.by_name.items()
        }
        if settings.monitoring:
            self._monitor(recommenders, settings)
        parameters = {name: self._parameter(name, one) for name, one in recommenders.items()}
        role = self._consumer_role(settings.consumers) if settings.consumers else None
        for name, recommender in recommenders.items():
            if role:  # who reads the parameter may use what it names
                recommender.grant_get_recommendations(role).apply_before(parameters[name])
            self._outputs(name, recommender, settings.by_name[name])
        if role:
            output = "ConsumerRoleArn"
            CfnOutput(self, output, value=role.role_arn, description=describe(output))
        when_synthesised(self, lambda: refuse_too_many_resources(self))

    def _monitor(self, recommenders: Mapping[str, DomainRecommender], settings: Settings) -> None:
        from .monitoring import RecommenderMonitoring

        topic = self._alarm_topic(settings)
        for name, recommender in recommenders.items():
            RecommenderMonitoring(
                self,
                f"Monitoring{name}",
                recommender=recommender,
                alarm_topic=topic,
                **MonitoringProperties.from_settings(settings),
            )

    def _parameter(self, name: str, recommender: DomainRecommender) -> ssm.StringParameter:
        path = "/".join(filter(None, ("/top-picks", self.stack_name, name, "recommender-arn")))
        return recommender.add_arn_parameter(
            self, f"{name}RecommenderArnParameter", parameter_name=path
        )

    def _outputs(self, name: str, recommender: DomainRecommender, settings: OneRecommender) -> None:
        outputs = {
            "RecommenderArn": recommender.recommender_arn,
            "RecommenderName": recommender.recommender_name,
            "DatasetGroupArn": recommender.dataset_group_arn,
            "ModelMetrics": recommender.model_metrics_json,
            **recommender.model_metrics,
        }
        if settings.minimum_metrics or settings.max_metric_regression is not None:
            outputs["QualityGate"] = recommender.quality_gate
        for output, value in outputs.items():
            description = describe_for(settings.recipe, output)
            CfnOutput(self, f"{name}{output}", value=value, description=description)

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
            description="Gets recommendations from this stack's recommenders, and nothing else",
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


def _description(recipes: Sequence[Recipe]) -> str:
    if len(recipes) == 1:
        return f"Amazon Personalize recommender: {recipes[0].facts.title} ({recipes[0]})"
    titles = dict.fromkeys(recipe.facts.title for recipe in recipes)
    return f"Amazon Personalize recommenders: {', '.join(titles)}"


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
