"""The aspect of docs/how-to/locked-down.md, run from the page: all functions are in the VPC."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Aspects, Stage

from app import main
from tests.infrastructure.assembly import resources
from tests.support.place import GROUP
from tests.support.template import FLAGS
from tests.unit.test_how_tos import PAGES, blocks

(ASPECT,) = (block for block in blocks(PAGES["locked-down.md"], "python") if "IAspect" in block)

ENVIRONMENT = {
    "dataset_group_arn": GROUP,
    "monitoring": True,
    "consumers": ["arn:aws:iam::333333333333:role/app"],
}
CONTEXTS: dict[str, dict[str, Any]] = {
    "one stack": ENVIRONMENT,
    "environments": {"environments": {"dev": ENVIRONMENT, "prod": ENVIRONMENT}},
}


def synthesised(folder: Path, context: dict[str, Any], source: str) -> Path:
    """Run the last lines of app.py as the page writes them, and return the assembly."""

    def app() -> App:
        return App(context={**FLAGS, **context}, outdir=str(folder))

    exec(source, {"App": app, "Stage": Stage, "main": main, "Aspects": Aspects})
    return folder


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
def test_the_aspect_of_the_page_puts_every_function_into_the_vpc(
    tmp_path: Path, context: dict[str, Any]
) -> None:
    folder = synthesised(tmp_path, context, ASPECT)

    functions = list(resources(folder, "AWS::Lambda::Function"))
    assert len(functions) == 3 * len(context.get("environments", "1"))
    for function in functions:
        assert len(function["Properties"]["VpcConfig"]["SubnetIds"]) == 2
        assert len(function["Properties"]["VpcConfig"]["SecurityGroupIds"]) == 1
    for role in resources(folder, "AWS::IAM::Role"):
        is_of_functions = "lambda.amazonaws.com" in json.dumps(role)
        has_access = "AWSLambdaVPCAccessExecutionRole" in json.dumps(role)
        assert is_of_functions == has_access


def test_an_aspect_on_the_app_alone_does_not_reach_environments(tmp_path: Path) -> None:
    every, only_app = "[app, *filter(Stage.is_stage, app.node.children)]", "[app]"
    assert every in ASPECT

    folder = synthesised(tmp_path, CONTEXTS["environments"], ASPECT.replace(every, only_app))

    assert all(
        "VpcConfig" not in function["Properties"]
        for function in resources(folder, "AWS::Lambda::Function")
    )
