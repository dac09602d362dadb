"""What others install: one package, which deploys the same from their app as from here."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template

from lambdas.recommender import vocabulary as v
from stacks.functions import LAMBDAS
from stacks.monitoring import RecommenderMonitoring
from stacks.recommender import TopPicksRecommender
from tests.support import wheel
from tests.support.place import GROUP
from tests.support.template import in_order, of_type, resolved, the

APP = f"""
import lambdas, stacks
from aws_cdk import App, Environment, Stack
from top_picks_recommender import RecommenderMonitoring, TopPicksRecommender

assert lambdas.THEIRS and stacks.THEIRS
app = App()
stack = Stack(app, "Video", env=Environment(account="111111111111", region="eu-west-1"))
recommender = TopPicksRecommender(stack, "TopPicks", dataset_group_arn="{GROUP}")
RecommenderMonitoring(stack, "Monitoring", recommender=recommender)
app.synth()
"""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.built(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def packages(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.installed(built, tmp_path_factory.mktemp("packages"))


def test_beside_packages_of_the_same_names_it_deploys_the_same_byte_for_byte(
    packages: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    for package in ("lambdas", "stacks"):
        (theirs / package).mkdir(parents=True)
        (theirs / package / "__init__.py").write_text("THEIRS = True\n")
    (theirs / "app.py").write_text(APP)
    (theirs / "cdk.json").write_text("{}")

    ours = App(outdir=str(tmp_path / "ours"))
    stack = Stack(ours, "Video", env=Environment(account="111111111111", region="eu-west-1"))
    recommender = TopPicksRecommender(stack, "TopPicks", dataset_group_arn=GROUP)
    RecommenderMonitoring(stack, "Monitoring", recommender=recommender)
    ours.synth()

    wheel.synthesised(theirs, packages=packages, out=tmp_path / "out")
    template = "Video.template.json"
    made = (tmp_path / "out" / template).read_bytes()
    assert made == (tmp_path / "ours" / template).read_bytes()
    assert b"Custom::TopPicksRecommender" in made
    assert b"AWS::CloudWatch::Dashboard" in made


def sources(folder: Path) -> dict[str, str]:
    """Return the text of each module in a folder, by its path."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.py")}


def test_one_package_is_installed_with_the_functions_code_and_its_types(packages: Path) -> None:
    assert {path.name for path in packages.iterdir() if "." not in path.name} == {
        "top_picks_recommender"
    }
    package = packages / "top_picks_recommender"
    assert (package / "py.typed").exists()
    assert sorted(package.glob("settings/reference.py")) == []
    shipped, here = package / "lambdas" / "recommender", LAMBDAS / "recommender"
    assert sources(shipped) == sources(here)


def test_the_same_sources_make_the_same_wheel(built: Path, tmp_path: Path) -> None:
    assert wheel.built(tmp_path).read_bytes() == built.read_bytes()


def test_the_wheel_asks_for_what_it_needs_and_no_more(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        (path,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        lines = archive.read(path).decode().splitlines()

    needed = {line.split()[1].split("<")[0].split(">")[0] for line in lines if "-Dist:" in line}
    assert needed == {"aws-cdk-lib", "constructs", "tzdata"}


# -- the examples --------------------------------------------------------------------------------


def example(name: str, packages: Path, out: Path) -> dict[str, Any]:
    (template,) = wheel.synthesised(wheel.EXAMPLES / name, packages=packages, out=out).values()
    Template.from_json(template)  # finds what depends on itself
    return dict(template)


def test_every_example_is_tested() -> None:
    assert {path.parent.name for path in wheel.EXAMPLES.glob("*/app.py")} == {
        "own_dataset_group",
        "start_page",
        "two_recommenders",
        "video_api",
    }


def test_an_app_of_ones_own_may_ask_what_its_parameter_names(
    packages: Path, tmp_path: Path
) -> None:
    template = example("video_api", packages, tmp_path)

    gates = in_order(template, v.TRAINING_GATE_TYPE)
    arn = {"Fn::GetAtt": [gates[-1], v.RECOMMENDER_ARN_ATTRIBUTE]}
    _, parameter = the(template, "AWS::SSM::Parameter")
    assert parameter["Properties"]["Value"] == arn
    policies = of_type(template, "AWS::IAM::Policy")
    (policy,) = (one for name, one in policies.items() if name.startswith("ApiServiceRole"))
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    assert {"Action": "personalize:GetRecommendations", "Effect": "Allow", "Resource": arn} in (
        statements
    )
    (alarm,) = of_type(template, "AWS::CloudWatch::Alarm").values()
    assert alarm["Properties"]["Dimensions"] == [{"Name": "RecommenderArn", "Value": arn}]


def test_the_rows_of_a_page_are_recommenders_of_their_own_recipes(
    packages: Path, tmp_path: Path
) -> None:
    template = example("start_page", packages, tmp_path)

    recommenders = of_type(template, v.RECOMMENDER_TYPE)
    assert {
        re.sub("[0-9A-F]{8}$", "", name): resolved(one["Properties"][v.RECIPE_ARN]).rpartition("/")[
            2
        ]
        for name, one in recommenders.items()
    } == {
        "TopPicks": "aws-vod-top-picks",
        "BecauseYouWatched": "aws-vod-because-you-watched-x",
        "TrendingNow": "aws-vod-trending-now",
    }
    asked = [
        statement["Resource"]
        for policy in of_type(template, "AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "personalize:GetRecommendations"
    ]
    parameters = of_type(template, "AWS::SSM::Parameter").values()
    arns = [one["Properties"]["Value"] for one in parameters]
    (granted,) = asked
    assert sorted(map(json.dumps, granted)) == sorted(map(json.dumps, arns))
    assert len(arns) == 3


def test_two_recommenders_of_a_stack_share_a_service_and_differ_in_all_else(
    packages: Path, tmp_path: Path
) -> None:
    template = example("two_recommenders", packages, tmp_path)

    recommenders = of_type(template, v.RECOMMENDER_TYPE)
    assert (
        len({json.dumps(one["Properties"]["ServiceToken"]) for one in recommenders.values()}) == 1
    )
    assert {
        one["Properties"][v.DATASET_GROUP_ARN].rpartition("/")[2]: one["DeletionPolicy"]
        for one in recommenders.values()
    } == {"films": "RetainExceptOnCreate", "series": "Delete"}
    weights = [
        one["Properties"][v.CONFIG][v.EXPLORATION][v.EXPLORATION_WEIGHT]
        for one in recommenders.values()
    ]
    assert sorted(weights) == ["0.3", "0.6"]


def test_a_recommender_waits_for_the_datasets_of_its_group(packages: Path, tmp_path: Path) -> None:
    template = example("own_dataset_group", packages, tmp_path)

    group, _ = the(template, "AWS::Personalize::DatasetGroup")
    _, recommender = the(template, v.RECOMMENDER_TYPE)
    assert recommender["Properties"][v.DATASET_GROUP_ARN] == {
        "Fn::GetAtt": [group, "DatasetGroupArn"]
    }
    datasets = of_type(template, "AWS::Personalize::Dataset")
    assert len(datasets) == 2
    assert set(recommender["DependsOn"]) >= datasets.keys()
    assert f"{group}.DatasetGroupArn" in json.dumps(
        resolved([one["Properties"] for one in of_type(template, "AWS::IAM::Policy").values()])
    )


# -- what makes it possible ------------------------------------------------------------------------


def test_one_module_knows_where_the_functions_code_is_and_the_wheels_differs_in_a_dot() -> None:
    modules = sorted((wheel.ROOT / "stacks").rglob("*.py"))
    outside = {
        path.name: line
        for path in modules
        for line in path.read_text().splitlines()
        if line.startswith(("from lambdas", "import lambdas", "from stacks", "import stacks"))
    }
    assert outside == {"functions.py": "from lambdas.recommender.recipes import Recipe"}

    here, there = (
        (wheel.ROOT / folder / "functions.py").read_text().partition('"""\n\n')[2]
        for folder in ("stacks", "package")
    )
    assert there == here.replace("from lambdas", "from .lambdas")
