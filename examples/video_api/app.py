"""Deploy a video service that has a recommender among its resources."""

from aws_cdk import App, Environment
from stacks.video_stack import VideoStack

app = App()
group: str = app.node.get_context("dataset_group_arn")
_, _, _, region, account, _ = group.split(":", 5)
VideoStack(app, "Video", dataset_group_arn=group, env=Environment(account=account, region=region))
app.synth()
