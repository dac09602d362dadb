"""Deploy the three rows of a start page, and a function that gets them for a viewer."""

from pathlib import Path
from typing import Final

from aws_cdk import App, Duration, Environment, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from top_picks_recommender import DomainRecommender, Recipe

CODE: Final = Path(__file__).parent / "lambdas" / "start_page"
ROWS: Final = {
    "TopPicks": Recipe.VOD_TOP_PICKS,
    "BecauseYouWatched": Recipe.VOD_BECAUSE_YOU_WATCHED_X,
    "TrendingNow": Recipe.VOD_TRENDING_NOW,
}
"""The ids of the constructs: a row with another id is another recommender, and is trained again."""

app = App()
group: str = app.node.get_context("dataset_group_arn")
_, _, _, region, account, _ = group.split(":", 5)
stack = Stack(app, "StartPage", env=Environment(account=account, region=region))

page = lambda_.Function(
    stack,
    "Page",
    runtime=lambda_.Runtime.PYTHON_3_14,
    code=lambda_.Code.from_asset(str(CODE), exclude=["__pycache__"]),
    handler="handler.handler",
    timeout=Duration.seconds(10),
    log_group=logs.LogGroup(
        stack,
        "PageLogs",
        retention=logs.RetentionDays.ONE_MONTH,
        removal_policy=RemovalPolicy.DESTROY,
    ),
)
for name, recipe in ROWS.items():
    recommender = DomainRecommender(stack, name, recipe=recipe, dataset_group_arn=group)
    parameter = recommender.add_arn_parameter(
        stack, f"{name}Arn", parameter_name=f"/start-page/{name}"
    )
    page.add_environment(f"{name}Parameter", parameter.parameter_name)
    parameter.grant_read(page)
    recommender.grant_get_recommendations(page)
app.synth()
