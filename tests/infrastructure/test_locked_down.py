"""The aspect of docs/how-to/locked-down.md, run from the page: all functions are in the VPC."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stage

from app import main
from tests.infrastructure.assembly import resources
from tests.support.place import GROUP
from tests.support.template import FLAGS
from tests.unit.test_how_tos import PAGES, ROOT, blocks

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
    """Run the code of the page, replace the last line of app.py, and return the assembly."""
    names: dict[str, Any] = {"Stage": Stage}
    exec(source, names)
    app = App(context={**FLAGS, **context}, outdir=str(folder))
    names["in_vpc"](main(app)).synth()
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


def test_the_line_that_the_page_replaces_is_in_the_app() -> None:
    last = (ROOT / "app.py").read_text().partition("__main__")[2]

    assert "main(App()).synth()" in last
    assert "`main(App()).synth()` by `in_vpc(main(App())).synth()`" in PAGES["locked-down.md"]


def test_an_aspect_on_the_app_alone_does_not_reach_environments(tmp_path: Path) -> None:
    every, only_app = "[app, *filter(Stage.is_stage, app.node.children)]", "[app]"
    assert every in ASPECT

    folder = synthesised(tmp_path, CONTEXTS["environments"], ASPECT.replace(every, only_app))

    assert all(
        "VpcConfig" not in function["Properties"]
        for function in resources(folder, "AWS::Lambda::Function")
    )
