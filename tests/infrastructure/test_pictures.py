"""The pictures in the pages, which GitHub draws from Mermaid: each name in them exists."""

import ast
import functools
import re
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import botocore.session
import pytest

from stacks.settings.declarations import Settings
from tests.infrastructure.conftest import EVERYTHING
from tests.support.synthesis import Deployable
from tests.support.template import Synth

ROOT: Final = Path(__file__).parents[2]
FUNCTIONS: Final = ROOT / "lambdas" / "recommender"
PICTURES: Final = {
    f"{page.stem} {number}": picture
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for number, picture in enumerate(
        re.findall(r"(?ms)^```mermaid\n(.*?)^```$", page.read_text()), start=1
    )
}
CHAINS: Final = [name for name, picture in PICTURES.items() if "Sweep01" in picture]
PRODUCTS: Final = {"CloudFormation", "CloudWatch"}

TYPE: Final = r"(?:AWS|Custom)::\w+(?:::\w+)?"
CONSTRUCT: Final = r"[A-Z]\w*(?:/[A-Z]\w*)*"


@pytest.fixture(scope="module")
def resources(synth: Synth) -> dict[str, Any]:
    """Return the resources of a stack that has all that a setting can add."""
    return dict(synth(**EVERYTHING)["Resources"])


def of_path(resources: dict[str, Any], path: str) -> list[str]:
    """Return the logical ids of the construct with this path."""
    logical_id = re.compile(path.replace("/", "") + r"(?:[0-9A-F]{8})?")
    return [one for one in resources if logical_id.fullmatch(one)]


@functools.cache
def operations() -> set[str]:
    """Return the operations of the services that are called, as AWS names them."""
    session = botocore.session.get_session()
    services = (
        "cloudformation",
        "cloudwatch",
        "personalize",
        "personalize-runtime",
        "stepfunctions",
    )
    return {
        operation
        for service in services
        for operation in session.get_service_model(service).operation_names
    }


@functools.cache
def functions() -> set[str]:
    """Return the names of all functions in the functions' code."""
    return {
        node.name
        for path in FUNCTIONS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    }


def exists(path: str) -> bool:
    return any((folder / path).exists() for folder in (ROOT, FUNCTIONS))


def test_the_architecture_and_the_chain_have_pictures() -> None:
    assert {"architecture 1", "architecture 4", "the-hours 1"} <= PICTURES.keys()
    assert len(CHAINS) == 2


@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_a_resource_in_a_picture_is_in_the_template(
    picture: str, resources: dict[str, Any]
) -> None:
    types = {one["Type"] for one in resources.values()}
    paths = re.findall(r"\b[A-Z]\w*(?:/[A-Z]\w*)+\b", picture)

    assert [one for one in re.findall(TYPE, picture) if one not in types] == []
    assert [one for one in paths if len(of_path(resources, one)) != 1] == []
    for path, resource_type in re.findall(rf'({CONSTRUCT})<br>({TYPE})(?=<br>|")', picture):
        assert {resources[one]["Type"] for one in of_path(resources, path)} == {resource_type}


@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_a_name_of_the_code_in_a_picture_exists(picture: str) -> None:
    settings = {one.name for one in fields(Settings)}
    files = re.findall(r"[a-z_]+(?:/[a-z_]+)*(?:\.py|/)(?![\w/])", picture)
    rest = re.sub(rf"{TYPE}|\w+(?:/\w+)+(?:\.py|/)?|\w+(?:\.py|/)", "", picture)
    snakes = re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", rest)
    camels = re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", rest)
    constructs = {"ConsumerRole", "RecommenderArnParameter"}

    assert [one for one in files if not exists(one)] == []
    assert [one for one in snakes if one not in functions() | settings] == []
    assert [one for one in camels if one not in operations() | PRODUCTS | constructs] == []


def earlier(resources: dict[str, Any], logical_id: str) -> set[str]:
    """Return the resources that CloudFormation creates before this one, as far as it must."""
    template = Deployable(resources, {})
    found: set[str] = set()
    waiting = {logical_id}
    while waiting:
        needed = template.requires(waiting.pop())
        waiting |= needed - found
        found |= needed
    return found


@pytest.mark.parametrize("name", CHAINS)
def test_arrows_of_a_chain_lead_from_a_resource_to_a_later_one(
    name: str, resources: dict[str, Any]
) -> None:
    """CloudFormation creates along the arrows: what an arrow leads to depends on its beginning."""
    labels = dict(re.findall(r'(\w+)\["([^"<]*)', PICTURES[name]))
    arrows = [
        arrow
        for line in re.sub(r'\["[^"]*"\]', "", PICTURES[name]).splitlines()
        for arrow in pairwise(line.split("-->"))
    ]
    after = {(start.strip(), end.strip()) for start, end in arrows}
    gaps = {node for node, label in labels.items() if label == "..."}
    after |= {(a, d) for a, b in after for c, d in after if b == c and b in gaps}
    drawn = [
        (of_path(resources, labels[start]), of_path(resources, labels[end]))
        for start, end in after
        if not {start, end} & gaps and labels[end] != "outputs"
    ]

    assert len(drawn) >= 4
    for (start,), (end,) in drawn:
        assert start in earlier(resources, end), f"{start} -> {end}"
