"""The recommender, and a function that requests recommendations."""

from pathlib import Path
from typing import Any, Final

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct
from top_picks_recommender import TopPicksRecommender

_LAMBDAS: Final = Path(__file__).parents[1] / "lambdas"


class VideoStack(Stack):
    """Top picks for viewers."""

    def __init__(
        self, scope: Construct, construct_id: str, *, dataset_group_arn: str, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        recommender = TopPicksRecommender(self, "TopPicks", dataset_group_arn=dataset_group_arn)
        parameter = recommender.add_arn_parameter(
            self, "TopPicksArn", parameter_name=f"/video/{self.stack_name}/top-picks"
        )

        # The function reads the parameter when it runs. So it follows a replacement of the
        # recommender without another deployment.
        api = lambda_.Function(
            self,
            "Api",
            runtime=lambda_.Runtime.PYTHON_3_14,
            code=lambda_.Code.from_asset(str(_LAMBDAS / "top_picks"), exclude=["__pycache__"]),
            handler="handler.handler",
            environment={"RECOMMENDER_ARN_PARAMETER": parameter.parameter_name},
            timeout=Duration.seconds(10),
            log_group=logs.LogGroup(
                self,
                "ApiLogs",
                retention=logs.RetentionDays.ONE_MONTH,
                removal_policy=RemovalPolicy.DESTROY,
            ),
        )
        parameter.grant_read(api)
        recommender.grant_get_recommendations(api)

        recommender.metric_get_recommendations5xx_errors(period=Duration.minutes(5)).create_alarm(
            self,
            "TopPicksFail",
            threshold=1,
            evaluation_periods=3,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        CfnOutput(self, "ApiFunction", value=api.function_name)
