"""Deploy two recommenders in one stack: they train in parallel and share their functions."""

from aws_cdk import App, Duration, Environment, RemovalPolicy, Stack
from aws_cdk import aws_logs as logs
from top_picks_recommender import RecommenderService, TopPicksRecommender

app = App()
films: str = app.node.get_context("films")
series: str = app.node.get_context("series")
_, _, _, region, account, _ = films.split(":", 5)
stack = Stack(app, "Catalogue", env=Environment(account=account, region=region))

# Needed only for settings other than the defaults: without it, a stack's recommenders share one.
service = RecommenderService(
    stack,
    "Service",
    poll_interval=Duration.seconds(30),
    log_retention=logs.RetentionDays.ONE_YEAR,
)
TopPicksRecommender(
    stack,
    "Films",
    dataset_group_arn=films,
    min_recommendation_requests_per_second=5,
    removal_policy=RemovalPolicy.RETAIN,
    service=service,
)
TopPicksRecommender(
    stack,
    "Series",
    dataset_group_arn=series,
    exploration_weight=0.6,
    exploration_item_age_cut_off=Duration.days(14),
    service=service,
)
app.synth()
