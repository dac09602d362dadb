"""The aspect of docs/how-to/locked-down.md, run from the page: all functions are in the VPC."""

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Aspects

from app import main
from tests.infrastructure.assembly import resources
from tests.support.place import GROUP
from tests.support.template import FLAGS, PIPELINE
from tests.unit.test_how_tos import PAGES, ROOT, blocks

ASPECT, LINES = blocks(PAGES["locked-down.md"], "python")

ENVIRONMENT = {
    "dataset_group_arn": GROUP,
    "monitoring": True,
    "consumers": ["arn:aws:iam::333333333333:role/app"],
}
CONTEXTS: dict[str, dict[str, Any]] = {
    "one stack": ENVIRONMENT,
    "environments": {"environments": {"dev": ENVIRONMENT}},
    "pipeline": {"environments": {"dev": ENVIRONMENT}, "pipeline": PIPELINE},
}


def edited() -> dict[str, Any]:
    """Return the names of app.py after both edits of the page."""
    source = (ROOT / "app.py").read_text()
    stack = LINES.splitlines()[0]
    (indented,) = (line for line in source.splitlines() if line.strip() == stack)
    indent = indented.removesuffix(stack)
    names: dict[str, Any] = {}
    exec(ASPECT, names)
    exec(source.replace(indented, textwrap.indent(LINES, indent)), names)
    return names


def app_of(folder: Path, context: dict[str, Any]) -> App:
    return App(context={**FLAGS, **context}, outdir=str(folder))


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
def test_the_aspect_of_the_page_puts_every_function_into_the_vpc(
    tmp_path: Path, context: dict[str, Any]
) -> None:
    edited()["main"](app_of(tmp_path, context)).synth()

    functions = list(resources(tmp_path, "AWS::Lambda::Function"))
    assert len(functions) == 3
    for function in functions:
        assert len(function["Properties"]["VpcConfig"]["SubnetIds"]) == 2
        assert len(function["Properties"]["VpcConfig"]["SecurityGroupIds"]) == 1
    for role in resources(tmp_path, "AWS::IAM::Role"):
        is_of_functions = "lambda.amazonaws.com" in json.dumps(role)
        has_access = "AWSLambdaVPCAccessExecutionRole" in json.dumps(role)
        assert is_of_functions == has_access


def test_an_aspect_on_the_app_does_not_reach_environments(tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    exec(ASPECT, names)
    app = app_of(tmp_path, CONTEXTS["environments"])
    Aspects.of(app).add(names["InVpc"]())
    main(app).synth()

    assert all(
        "VpcConfig" not in function["Properties"]
        for function in resources(tmp_path, "AWS::Lambda::Function")
    )
