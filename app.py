"""The CDK app: settings to stages and stacks."""

import sys

from aws_cdk import App, Environment, Stage, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from stacks.settings import PIPELINE_STACK, SettingsError, from_context
from stacks.synthesis import refuse_large_templates
from stacks.top_picks_stack import TopPicksStack


def main(app: App) -> App:
    """Add a stack for each environment of the context; nothing is synthesised yet.

    Raises:
        SettingsError: a setting is missing, unknown or wrong.
    """
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    deployment = from_context(app.node)
    stages = []
    for name, settings in deployment.environments.items():
        scope = Stage(app, name) if name else app
        env = Environment(account=settings.account, region=settings.region)
        TopPicksStack(scope, "TopPicks", settings=settings, env=env)
        stages.append((scope, settings))
    if pipeline := deployment.pipeline:
        from stacks.pipeline_stack import PipelineStack

        env = Environment(account=pipeline.account, region=pipeline.region)
        PipelineStack(app, PIPELINE_STACK, settings=pipeline, environments=stages, env=env)
    return app


if __name__ == "__main__":
    try:
        refuse_large_templates(main(App()).synth())
    except SettingsError as error:
        sys.exit(f"\n{error}\n")
