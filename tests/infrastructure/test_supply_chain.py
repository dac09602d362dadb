"""What is shipped is ours and the same everywhere; what is used is pinned and free to use."""

import json
import os
import re
import shutil
import stat
import subprocess
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from aws_cdk import App, IgnoreMode, Stack
from aws_cdk.aws_lambda import Code, Function, Runtime
from packaging.requirements import Requirement
from packaging.version import Version

from checks import licences
from stacks import service
from stacks.functions import LAMBDAS
from stacks.settings import parse
from stacks.top_picks_stack import TopPicksStack
from tests.support.place import GROUP
from tests.support.template import FLAGS

pytestmark = pytest.mark.rows("S9")

LOCKS = sorted(licences.ROOT.glob("requirements*.txt"))
PERMISSIVE = {"Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0"}


# -- what is shipped -----------------------------------------------------------------------------


def shipped(sources: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the zip file that the CDK CLI publishes; its name has its hash."""
    monkeypatch.setattr(service, "LAMBDAS", sources)
    app = App(context=FLAGS, outdir=str(folder))
    TopPicksStack(app, "TopPicks", settings=parse({"dataset_group_arn": GROUP}))
    app.synth()
    (asset,) = folder.glob("asset.*.zip")
    return asset


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the zip file of the sources here."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        return shipped(LAMBDAS, tmp_path_factory.mktemp("ours"), monkeypatch)


def modes(asset: Path) -> dict[str, str]:
    """Return the mode of each entry, as Lambda unpacks it."""
    with ZipFile(asset) as archive:
        return {one.filename: stat.filemode(one.external_attr >> 16) for one in archive.infolist()}


def copied(folder: Path, *, age: int) -> Path:
    """Return a copy of the sources that is so many seconds old."""
    shutil.copytree(LAMBDAS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in folder.rglob("*"):
        os.utime(path, (10**9 - age, 10**9 - age))
    return folder


@pytest.mark.skipif(not (licences.ROOT / ".git").exists(), reason="no clone")
def test_no_link_is_in_the_repository() -> None:
    """A link to what is installed on one machine leads nowhere in a clone."""
    files = subprocess.run(
        ["git", "ls-files", "--stage"],
        cwd=licences.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()

    assert files
    assert [line for line in files if line.startswith("120000")] == []


STRAYS = (
    ".env",
    "__pycache__/stray.pyc",
    "films.csv",
    "other/handler.py",
    "recommender/.env",
    "recommender/__pycache__/handler.cpython-311.pyc",
    "recommender/films.json",
    "recommender/handler.py.orig",
    "recommender/handler.pyc",
    "recommender/recommender/handler.py",
    "setup.py",
)
"""What lies around where somebody works, and must not be published."""


def test_the_functions_code_is_the_same_from_every_copy_of_the_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh, used = copied(tmp_path / "fresh", age=0), copied(tmp_path / "used", age=10**6)
    for stray in STRAYS:
        (used / stray).parent.mkdir(exist_ok=True)
        (used / stray).write_text("stray")

    one, other = (
        shipped(sources, tmp_path / f"{sources.name}-out", monkeypatch) for sources in (fresh, used)
    )

    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.rows("L9")
def test_the_functions_code_from_a_private_checkout_can_be_read_by_everybody(
    ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = copied(tmp_path / "private", age=0)
    for path in private.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)

    asset = shipped(private, tmp_path / "out", monkeypatch)

    assert set(modes(asset).values()) == {"-rw-r--r--"}
    assert asset.name == ours.name


@pytest.mark.rows("S9")
def test_the_functions_code_is_in_the_assembly_if_the_cdk_stages_nothing(tmp_path: Path) -> None:
    """As with ``cdk synth --no-staging``: the CDK CLI publishes the file from where it is."""
    app = App(context={**FLAGS, "aws:cdk:disable-asset-staging": True}, outdir=str(tmp_path))
    TopPicksStack(app, "TopPicks", settings=parse({"dataset_group_arn": GROUP}))
    app.synth()

    assets = json.loads((tmp_path / "TopPicks.assets.json").read_text())["files"].values()
    code = {Path(one["source"]["path"]) for one in assets if one["source"]["packaging"] == "file"}
    assert {path for path in code if path.suffix == ".zip" and tmp_path in path.parents}
    assert all((tmp_path / path).is_file() for path in code)


@pytest.mark.rows("L9")
def test_the_functions_code_is_another_asset_than_the_folder_that_had_the_modes_of_a_checkout(
    ours: Path, tmp_path: Path
) -> None:
    """Version 0.1.0 published the folder, under a hash that leaves the modes out."""
    folder = Code.from_asset(
        str(LAMBDAS),
        exclude=["*", "!/recommender/", "!/recommender/**/*.py"],
        ignore_mode=IgnoreMode.GIT,
    )
    Function(
        Stack(App(outdir=str(tmp_path / "before")), "Before"),
        "Function",
        code=folder,
        handler="recommender.handler.begin",
        runtime=Runtime.PYTHON_3_14,
    )
    (before,) = (tmp_path / "before").glob("asset.*")

    assert ours.stem != before.name


def test_the_functions_code_changes_with_a_byte_of_it(
    ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = copied(tmp_path / "changed", age=0)
    module = changed / "recommender" / "aws" / "errors.py"
    module.write_text(module.read_text() + "\n")

    assert shipped(changed, tmp_path / "out", monkeypatch).name != ours.name


def test_only_our_own_modules_are_shipped_and_they_are_small(ours: Path) -> None:
    modules = {str(path.relative_to(LAMBDAS)) for path in LAMBDAS.glob("recommender/**/*.py")}
    assert modes(ours).keys() == modules
    assert all((LAMBDAS / module).with_name("__init__.py").is_file() for module in modules)
    assert ours.stat().st_size < 240_000


# -- what is used --------------------------------------------------------------------------------


def test_there_is_a_lock_for_every_list_of_requirements() -> None:
    lists = {path.stem for path in licences.ROOT.glob("requirements*.in")}
    assert {lock.stem for lock in LOCKS} == {*lists, "requirements-oldest"}  # of pyproject.toml
    assert set(licences.LOCKS) == set(LOCKS)


def test_the_oldest_versions_that_the_package_declares_are_those_that_are_tested() -> None:
    """`make test-oldest` installs the pins: `make lock` makes them of the declaration."""
    project = tomllib.loads((licences.ROOT / "pyproject.toml").read_text())["project"]
    tested = dict(licences.pins(licences.ROOT / "requirements-oldest.txt"))
    declared = {
        one.name: next(bound.version for bound in one.specifier if bound.operator == ">=")
        for one in map(Requirement, project["dependencies"])
    }

    assert {name: tested[name] for name in declared} == declared
    assert Version(declared["aws-cdk-lib"]) < Version(
        dict(licences.pins(licences.RUNTIME))["aws-cdk-lib"]
    )


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_pinned_with_its_hashes(lock: Path) -> None:
    joined = lock.read_text().replace("\\\n", " ")
    requirements = [line for line in joined.splitlines() if line and line.lstrip()[0] != "#"]

    assert len(requirements) == len(licences.pins(lock)) > 10
    for requirement in requirements:
        assert re.match(r"[a-z0-9._-]+==[^\s;]+ ", requirement), requirement
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", requirement), requirement


@pytest.mark.parametrize(
    "lock", [*LOCKS, licences.ROOT / "package-lock.json"], ids=lambda p: p.name
)
def test_no_lock_names_a_registry(lock: Path) -> None:
    text = re.sub(r'"url": "[^"]*"', "", lock.read_text())  # of "funding": whom to pay

    assert "://" not in text
    assert "index-url" not in text
    assert '"resolved"' not in text


def test_every_npm_package_has_its_hash() -> None:
    packages = json.loads((licences.ROOT / "package-lock.json").read_text())["packages"]
    del packages[""]

    assert packages
    for package in packages.values():
        assert package["integrity"].startswith("sha512-")


def test_what_is_deployed_with_is_under_permissive_licences() -> None:
    installed = licences.installed()

    for name, _ in licences.pins(licences.RUNTIME):
        choices = re.split("(?i) or ", licences.licence_of(installed[name]))
        assert PERMISSIVE & set(choices), f"{name}: {choices}"


def test_the_list_of_licences_is_up_to_date() -> None:
    """But for what is not installed on every platform."""
    listed = (licences.ROOT / "docs" / "internals" / "dependencies.md").read_text()
    installed = licences.installed()

    for lock in LOCKS:
        for name, version in licences.pins(lock):
            assert f"| {name} | {version} | " in listed, "make licences"
    for row in licences.npm_packages():
        assert f"| {' | '.join(row)} |" in listed, "make licences"
    for name, version in licences.pins(licences.ROOT / "requirements-dev.txt"):
        if (package := installed.get(name)) and package.version == version:
            assert f"| {name} | {version} | {licences.licence_of(package)} |" in listed
