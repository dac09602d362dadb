"""A release: its notes, its bill of materials, and a workflow that holds no secret."""

import hashlib
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from checks import licences, release
from checks.release import ReleaseError
from tests.support import wheel
from tests.support.project import ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"
JOBS: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]
REPOSITORY = "https://github.example.com/video/top-picks"
CHANGELOG = """\
# Changelog

## 1.1.0 - 2027-01-02

### Added

- `plan` ([page](docs/reference/operations.md#plan), [AWS](https://aws.amazon.com/), [above](#x)).

## 1.0.0 - 2026-12-01

- The first.
"""


# -- the notes -------------------------------------------------------------------------------------


def test_notes_are_the_versions_section_with_links_to_its_tag() -> None:
    notes = release.notes("v1.1.0", REPOSITORY, version="1.1.0", changelog=CHANGELOG)

    assert notes == (
        "### Added\n\n"
        f"- `plan` ([page]({REPOSITORY}/blob/v1.1.0/docs/reference/operations.md#plan), "
        "[AWS](https://aws.amazon.com/), [above](#x)).\n"
    )


def test_notes_of_the_last_section_end_with_the_changelog() -> None:
    notes = release.notes("v1.0.0", REPOSITORY, version="1.0.0", changelog=CHANGELOG)

    assert notes == "- The first.\n"


@pytest.mark.parametrize(
    ("tag", "version", "message"),
    [
        ("v1.0.0", "1.1.0", "The tag is v1.0.0; allowed: v1.1.0"),
        ("1.1.0", "1.1.0", "The tag is 1.1.0; allowed: v1.1.0"),
        ("v1.2.0", "1.2.0", "CHANGELOG.md has no section '## 1.2.0 - <date>'"),
        ("v1.1", "1.1", "CHANGELOG.md has no section '## 1.1 - <date>'"),
    ],
)
def test_a_tag_that_does_not_fit_the_sources_is_refused(
    tag: str, version: str, message: str
) -> None:
    with pytest.raises(ReleaseError, match=f"^{re.escape(message)}"):
        release.notes(tag, REPOSITORY, version=version, changelog=CHANGELOG)


def test_the_changelog_here_has_the_form_of_which_notes_are_made() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()

    notes = release.notes("v0.1.0", REPOSITORY, version="0.1.0", changelog=changelog)

    assert notes.startswith("The first version.\n\n### Added\n")


# -- what the workflow builds ----------------------------------------------------------------------


def commands(job: str) -> list[str]:
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the workflow's commands fill."""
    folder = tmp_path_factory.mktemp("dist")
    for command in commands("build"):
        if " dist" in command:
            here = command.replace("dist", shlex.quote(str(folder)))
            here = here.replace(".venv/bin/python", shlex.quote(sys.executable))
            subprocess.run(["bash", "-e", "-c", here], cwd=ROOT, check=True, capture_output=True)
    return folder


def test_the_workflow_builds_the_wheel_that_the_tests_have_installed(
    dist: Path, tmp_path: Path
) -> None:
    (built,) = dist.glob("*.whl")

    assert built.read_bytes() == wheel.built(tmp_path).read_bytes()


def test_the_bill_of_materials_names_all_that_the_wheel_requires_in_the_pinned_versions(
    dist: Path,
) -> None:
    bill = json.loads((dist / "sbom.cdx.json").read_text())
    pinned = {*licences.pins(ROOT / "requirements-dev.txt")}  # some twice, by Python's version
    found = {one["name"]: one["version"] for one in bill["components"]}

    assert bill["bomFormat"] == "CycloneDX"
    assert {"aws-cdk-lib", "jsii", "boto3", "urllib3", "tzdata"} <= found.keys()  # transitive, too
    assert {"ministack", "hypercorn", "h11", "numpy"} <= found.keys()  # of the extra
    assert not {"pytest", "ruff", "cdk-nag", "hatchling"} & found.keys()
    assert found.items() <= pinned
    assert all(
        one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}" for one in bill["components"]
    )
    assert all(one["licenses"] for one in bill["components"])


def test_the_bill_of_materials_is_of_the_wheel_itself(dist: Path) -> None:
    bill = json.loads((dist / "sbom.cdx.json").read_text())
    (built,) = dist.glob("*.whl")
    root = bill["metadata"]["component"]
    needs = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}

    assert root["name"] == "top-picks-recommender"
    assert root["hashes"] == [
        {"alg": "SHA-256", "content": hashlib.sha256(built.read_bytes()).hexdigest()}
    ]
    assert {ref.partition("@")[0] for ref in needs[root["bom-ref"]]} >= {
        "pkg:pypi/aws-cdk-lib",
        "pkg:pypi/ministack",
    }


# -- what the workflow may do ----------------------------------------------------------------------


def test_the_workflow_begins_with_a_tag_and_ends_with_a_release_only_after_the_checks() -> None:
    triggers = yaml.safe_load(WORKFLOW.read_text())[True]  # YAML 1.1 reads the key `on` so

    assert triggers == {"push": {"tags": ["v*"]}}
    assert commands("check") == [".ci/run", "make test-oldest"]
    assert [JOBS[name].get("needs") for name in ("check", "build", "publish")] == [
        None,
        "check",
        "build",
    ]


def test_the_workflow_needs_no_secret_and_each_job_has_the_least_permissions() -> None:
    text = WORKFLOW.read_text()

    assert "secrets." not in text
    assert yaml.safe_load(text)["permissions"] == {}
    assert {name: job["permissions"] for name, job in JOBS.items()} == {
        "check": {"contents": "read"},
        "build": {"contents": "read", "id-token": "write", "attestations": "write"},
        "publish": {"contents": "write"},
    }


def test_the_job_that_may_write_runs_no_code_of_the_repository() -> None:
    used = [step["uses"].partition("@")[0] for step in JOBS["publish"]["steps"] if "uses" in step]

    assert used == ["actions/download-artifact"]
    assert [command.split()[:3] for command in commands("publish")] == [["gh", "release", "create"]]


@pytest.mark.parametrize(
    "workflow",
    [*(ROOT / ".github" / "workflows").iterdir(), ROOT / "docs" / "how-to" / "promote.yml"],
    ids=lambda path: path.name,
)
def test_actions_are_pinned_by_commit_and_the_version_stands_beside(workflow: Path) -> None:
    uses = re.findall(r"(?m)^ *-? *uses: (.*)$", workflow.read_text())

    assert uses
    pinned = r"[\w/-]+@[0-9a-f]{40} # v[\d.]+"
    of_the_same_commit = r"\$/.*"  # the self-repository syntax of GitHub, since July 2026
    assert [one for one in uses if not re.fullmatch(f"{pinned}|{of_the_same_commit}", one)] == []


def test_what_is_built_is_attested_with_its_bill_of_materials() -> None:
    attested = {
        step["uses"].partition("@")[0]: step["with"]
        for step in JOBS["build"]["steps"]
        if "attest" in step.get("uses", "")
    }

    assert attested == {
        "actions/attest-build-provenance": {"subject-path": "dist/*.whl"},
        "actions/attest-sbom": {"subject-path": "dist/*.whl", "sbom-path": "dist/sbom.cdx.json"},
    }
