"""The package with the oldest versions that it declares: the same templates as with the newest.

`make test-oldest` installs these versions, and sets OLDEST to the interpreter that has them.
"""

import json
import os
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.support import wheel
from tests.support.place import GROUP

OLDEST = str(wheel.ROOT / os.environ["OLDEST"]) if "OLDEST" in os.environ else ""
pytestmark = pytest.mark.skipif(not OLDEST, reason="only `make test-oldest` has old versions")

PROJECT = tomllib.loads((wheel.ROOT / "pyproject.toml").read_text())["project"]
EXAMPLES = sorted(path.parent for path in wheel.EXAMPLES.glob("*/app.py"))

EVERY_PROPERTY = f"""
from decimal import Decimal

from aws_cdk import App, Duration, Environment, RemovalPolicy, Stack, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from top_picks_recommender import (
    DomainRecommender,
    Recipe,
    RecommenderMonitoring,
    RecommenderService,
    TopPicksRecommender,
)

PLACE = Environment(account="111111111111", region="eu-west-1")
app = App()
stack = Stack(app, "Video", env=PLACE)
key = kms.Key(stack, "Key")
on_call = sns.Topic(stack, "OnCall")
RecommenderService.shared(
    stack,
    poll_interval=Duration.seconds(30),
    log_retention=logs.RetentionDays.ONE_YEAR,
    log_key=key,
    notify_topic=on_call,
    vpc=ec2.Vpc(stack, "Vpc", max_azs=2),
    vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
    environment_encryption=key,
    tracing=True,
    reserved_concurrent_executions=3,
)
films = TopPicksRecommender(
    stack,
    "Films",
    dataset_group_arn="{GROUP}",
    excluded_columns={{"ITEMS": ["DESCRIPTION"]}},
    active_hours={{
        "start": "cron(0 6 ? * MON-FRI *)",
        "stop": "cron(0 22 ? * MON-FRI *)",
        "time_zone": "Europe/Berlin",
    }},
    minimum_metrics={{"coverage": 0.1}},
    max_metric_regression=Decimal("0.1"),
    quality_gate="warn",
)
series = TopPicksRecommender(
    stack,
    "Series",
    dataset_group_arn="{GROUP}",
    recommender_name="series",
    adopt_existing=True,
    running=False,
    removal_policy=RemovalPolicy.RETAIN,
    training_gates=2,
    sweeps=2,
    training_gate=Duration.minutes(10),
)
Tags.of(films).add("team", "video")
DomainRecommender(
    stack,
    "Trending",
    recipe=Recipe.VOD_TRENDING_NOW,
    dataset_group_arn="{GROUP}",
    training_gates=1,
    sweeps=1,
)
monitoring = RecommenderMonitoring(
    stack,
    "Monitoring",
    recommender=films,
    alarm_topic=on_call,
    minimum_throughput_use=0.5,
    observation_interval=Duration.minutes(15),
    runbook_url="https://example.com/runbook",
)
monitoring.metric("Coverage").create_alarm(stack, "Worse", threshold=1, evaluation_periods=1)
role = iam.Role(stack, "Api", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
series.grant_get_recommendations(role)
series.add_arn_parameter(stack, "Arn", parameter_name="/video/top-picks")
other = Stack(app, "Other", env=PLACE)
elsewhere = TopPicksRecommender.from_arn_parameter(other, "TopPicks", "/video/top-picks")
elsewhere.metric_get_recommendations().create_alarm(
    other, "Calls", threshold=1, evaluation_periods=1
)
app.synth()
"""


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = wheel.built(tmp_path_factory.mktemp("wheel"))
    return wheel.installed(built, tmp_path_factory.mktemp("packages"))


def synthesised_with_each(app: Path, packages: Path, folder: Path) -> list[dict[str, Any]]:
    """Return the templates with the oldest versions, and those with the versions of the locks."""
    return [
        wheel.synthesised(app, packages=packages, out=folder / "oldest", python=OLDEST),
        wheel.synthesised(app, packages=packages, out=folder / "newest"),
    ]


def test_the_oldest_versions_are_those_that_the_package_declares() -> None:
    shows = "import importlib.metadata as m, json, sys; " + (
        "print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))"
    )
    declared = {
        one.name: next(bound.version for bound in one.specifier if bound.operator == ">=")
        for one in map(Requirement, PROJECT["dependencies"])
    }

    shown = subprocess.run(
        [OLDEST, "-c", shows, *declared], capture_output=True, text=True, check=True
    )

    assert json.loads(shown.stdout) == declared


@pytest.mark.parametrize("app", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_the_same_with_the_oldest_versions(
    app: Path, packages: Path, tmp_path: Path
) -> None:
    oldest, newest = synthesised_with_each(app, packages, tmp_path)

    assert oldest
    assert oldest == newest


def test_an_app_with_every_property_is_the_same_with_the_oldest_versions(
    packages: Path, tmp_path: Path
) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "app.py").write_text(EVERY_PROPERTY)
    (app / "cdk.json").write_text("{}")

    oldest, newest = synthesised_with_each(app, packages, tmp_path)

    assert oldest.keys() == {"Video", "Other"}
    assert oldest == newest


def test_the_command_calls_aws_with_the_oldest_versions(packages: Path) -> None:
    ran = subprocess.run(
        [OLDEST, "-m", "top_picks_recommender.operations", "status", "--region=eu-west-1"],
        env={
            "PYTHONPATH": str(packages),
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_MAX_ATTEMPTS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 2
    assert ran.stderr.startswith("Could not read AWS: ")
