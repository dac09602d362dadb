"""The stack: the recommender, and its outputs."""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack, Tags
from constructs import Construct

from .metrics import MODEL_METRICS, describe
from .recommender import TopPicksRecommender
from .settings import Settings


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
            **kwargs,
        )
        for key, value in settings.tags.items():
            Tags.of(self).add(key, value)
        recommender = TopPicksRecommender(
            self,
            "Recommender",
            dataset_group_arn=settings.dataset_group_arn,
            recommender_name=settings.recommender_name,
            min_recommendation_requests_per_second=settings.min_recommendation_requests_per_second,
            exploration_weight=settings.exploration_weight,
            exploration_item_age_cut_off=settings.exploration_item_age_cut_off,
            excluded_columns=settings.excluded_columns,
            running=settings.running,
            adopt_existing=settings.adopt_existing,
            retain_on_destroy=settings.retain_on_destroy,
            training_gates=settings.training_gates,
            training_gate=Duration.minutes(float(settings.training_gate_minutes)),
            poll_interval=Duration.seconds(settings.poll_interval_seconds),
        )
        outputs = {
            "RecommenderArn": (recommender.recommender_arn, "Give it to GetRecommendations."),
            "RecommenderName": (recommender.recommender_name, "The recommender's name."),
            "DatasetGroupArn": (recommender.dataset_group_arn, "What it is trained on."),
            "ModelMetrics": (recommender.model_metrics_json, MODEL_METRICS),
            **{name: (value, describe(name)) for name, value in recommender.model_metrics.items()},
        }
        for name, (value, description) in outputs.items():
            CfnOutput(self, name, value=value, description=description)
