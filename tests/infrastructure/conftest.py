"""Templates and assemblies that several tests read, each synthesised once in a session."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from constructs import Construct

from app import main
from stacks.recommender import TopPicksRecommender
from tests.support.place import ACCOUNT, GROUP, REGION
from tests.support.template import FLAGS, PIPELINE, Synth, synthesised

DEV = GROUP
HOURS = {
    "start": "cron(0 7 ? * MON-FRI *)",
    "stop": "cron(0 20 ? * MON-FRI *)",
    "time_zone": "Europe/Berlin",
}
EVERYTHING: dict[str, Any] = {
    "monitoring": True,
    "alarm_email": "team@example.com",
    "notify_topic_arn": "arn:aws:sns:eu-west-1:111111111111:deployments",
    "consumers": ["arn:aws:iam::111111111111:role/app"],
    "active_hours": HOURS,
}
"""All that a setting can add to a stack."""
SHORT = {"max_training_hours": 1, "max_deletion_hours": 1}
PROD = "arn:aws:personalize:us-east-1:222222222222:dataset-group/vod"

Assemble = Callable[..., Path]


@pytest.fixture(scope="session")
def synth() -> Synth:
    """Return a function from settings to the template, which is made once for equal settings."""
    made = functools.cache(lambda context: dict(synthesised(**json.loads(context)).to_json()))
    return lambda **context: made(json.dumps(context, sort_keys=True))


@pytest.fixture(scope="session")
def template(synth: Synth) -> dict[str, Any]:
    """Return the template with the default settings."""
    return synth()


@pytest.fixture(scope="session")
def assemble(tmp_path_factory: pytest.TempPathFactory) -> Assemble:
    """Return a function from context to the folder of the assembly, made once for equal context."""

    @functools.cache
    def made(context: str) -> Path:
        folder = tmp_path_factory.mktemp("cdk.out")
        main(App(context={**FLAGS, **json.loads(context)}, outdir=str(folder))).synth()
        return folder

    return lambda **context: made(json.dumps(context))


def new_stack(scope: Construct | None = None) -> Stack:
    """Return a stack of somebody else's app."""
    env = Environment(account=ACCOUNT, region=REGION)
    return Stack(App() if scope is None else scope, "Video", env=env)


def top_picks(
    scope: Construct, construct_id: str = "TopPicks", **properties: Any
) -> TopPicksRecommender:
    """Make a recommender of the dataset group."""
    return TopPicksRecommender(scope, construct_id, **{"dataset_group_arn": GROUP, **properties})


@pytest.fixture
def stack() -> Stack:
    """Return a stack of somebody else's app."""
    return new_stack()


@pytest.fixture
def environments() -> dict[str, dict[str, Any]]:
    """Return two environments in different accounts and regions."""
    return {"dev": {"dataset_group_arn": DEV}, "prod": {"dataset_group_arn": PROD}}


@pytest.fixture
def pipeline() -> dict[str, str]:
    """Return the settings of a pipeline in a third account."""
    return dict(PIPELINE)
