import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from app import main
from operations.commands.plan import read_stack
from operations.computations.assembly import AssemblyError, find_stack
from tests.support.place import GROUP
from tests.support.template import FLAGS


def artifact(name: str, shown: str, environment: str = "aws://111111111111/eu-west-1") -> Any:
    return {
        "type": "aws:cloudformation:stack",
        "environment": environment,
        "properties": {"templateFile": f"{name}.json", "stackName": name},
        "displayName": shown,
    }


FILES: dict[str, Any] = {
    "manifest.json": {
        "artifacts": {
            "Tree": {"type": "cdk:tree"},
            "Plain": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "p.json"}},
            "same1": artifact("Same", "one/Same"),
            "same2": artifact("Same", "two/Same"),
            "assembly-prod": {
                "type": "cdk:cloud-assembly",
                "properties": {"directoryName": "assembly-prod"},
            },
        }
    },
    "p.json": {"Resources": {}},
    "Same.json": {"Resources": {"Same": {}}},
    "assembly-prod/manifest.json": {"artifacts": {"a": artifact("prod-TopPicks", "prod/TopPicks")}},
    "assembly-prod/prod-TopPicks.json": {"Resources": {"One": {}}},
}


@pytest.mark.parametrize("named", ["prod-TopPicks", "prod/TopPicks"])
def test_stack_of_a_stage_is_found_by_its_name_and_by_the_cdks_id(named: str) -> None:
    found = find_stack(FILES.__getitem__, named)
    assert (found.name, found.id) == ("prod-TopPicks", "prod/TopPicks")
    assert (found.account, found.region) == ("111111111111", "eu-west-1")
    assert found.template == {"Resources": {"One": {}}}
    assert not found.is_protected


@pytest.mark.parametrize("environment", ["", "aws://unknown-account/unknown-region"])
def test_stack_without_an_environment_has_no_place(environment: str) -> None:
    files = {"manifest.json": {"artifacts": {"a": artifact("p", "p", environment)}}, "p.json": {}}
    found = find_stack(files.__getitem__, "p")
    assert (found.account, found.region) == ("", "")


def test_artifact_without_names_has_that_of_its_key() -> None:
    assert find_stack(FILES.__getitem__, "Plain").id == "Plain"


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("Same", "several stacks have the name Same: one/Same, two/Same. Name one"),
        ("Gone", "it has no stack Gone. It has Plain, one/Same, prod/TopPicks, two/Same. Name"),
    ],
)
def test_name_of_no_stack_or_of_several_is_refused(named: str, message: str) -> None:
    with pytest.raises(AssemblyError, match=message):
        find_stack(FILES.__getitem__, named)
    assert find_stack(FILES.__getitem__, "two/Same").id == "two/Same"


def test_assembly_without_stacks_says_so() -> None:
    with pytest.raises(AssemblyError, match="It has no stack"):
        find_stack({"manifest.json": {}}.__getitem__, "TopPicks")


def test_assembly_of_the_app_is_read(tmp_path: Path) -> None:
    environments = {"dev": {"dataset_group_arn": GROUP, "termination_protection": True}}
    context = {**FLAGS, "environments": environments}
    main(App(outdir=str(tmp_path), context=context, analytics_reporting=False)).synth()
    found = read_stack(tmp_path, "dev/TopPicks")
    assert (found.name, found.account) == ("dev-TopPicks", "111111111111")
    assert found.is_protected
    assert "Custom::TopPicksRecommender" in str(found.template)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "has no manifest.json. Run npx cdk synth first, or name its folder with --app"),
        ({"manifest.json": "{"}, "manifest.json in .* cannot be read: "),
        (
            {"manifest.json": json.dumps({"artifacts": {"a": artifact("p", "p")}})},
            "has no p.json. Run npx cdk synth again",
        ),
    ],
)
def test_folder_that_is_no_assembly_is_refused(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(AssemblyError, match=message):
        read_stack(tmp_path, "p")
