"""Part 4: synthesis, against an empty app of the same CDK, and how it grows.

An empty app has one stack with one resource, as none is not allowed. `least` has the parts of the
CDK's own library that our stack cannot do without: a function from an asset and a state machine.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import ROOT, Used, in_turn, run, seconds
from benchmarks.table import Pairs, Row
from tests.support.place import GROUP
from tests.support.template import PIPELINE

_ROUNDS: Final = 3
_ENVIRONMENTS: Final = (1, 10, 50)

_NOT_VALIDATED: Final = {"CDK_VALIDATION": "false"}
"""In the environment, leaves out the CDK's own validation of templates, as of 2.275."""

EMPTY: Final = """
from aws_cdk import App, CfnWaitConditionHandle, Stack
app = App()
CfnWaitConditionHandle(Stack(app, "TopPicks"), "Handle")
app.synth()
"""
LEAST: Final = """
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
app = App()
stack = Stack(app, "TopPicks")
code = lambda_.Code.from_asset("lambdas/recommender")
runtime = lambda_.Runtime.PYTHON_3_14
lambda_.Function(stack, "Function", code=code, runtime=runtime, handler="handler.poll")
body = sfn.DefinitionBody.from_string(
    '{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}'
)
sfn.StateMachine(stack, "StateMachine", definition_body=body)
app.synth()
"""
WITHOUT_RULES: Final = """
import sys
from unittest import mock
sys.modules["cdk_nag"] = mock.Mock()
from aws_cdk import App
import app
with mock.patch("aws_cdk.Validations.add_plugins"):
    app.main(App()).synth()
"""
WHOLE: Final = """
import app
from aws_cdk import App
app.main(App()).synth()
"""


def synthesis() -> Iterator[Row]:
    """Part 4."""
    one = {"dataset_group_arn": GROUP}
    measured = in_turn(
        _ROUNDS,
        empty=partial(synthesise, EMPTY, {}),
        least=partial(synthesise, LEAST, {}),
        whole=partial(synthesise, WHOLE, one),
        without_rules=partial(synthesise, WITHOUT_RULES, one),
        pipeline=partial(synthesise, WHOLE, {**environments(2), "pipeline": PIPELINE}),
        bare_empty=partial(synthesise, EMPTY, {}, environment=_NOT_VALIDATED),
        bare_whole=partial(synthesise, WHOLE, one, environment=_NOT_VALIDATED),
    )
    how = f"Processor time of {_ROUNDS} processes each with their Node, in turn"
    for what, ours, empty, more, target in (
        ("synthesis, one environment", "whole", "empty", "", "1.3"),
        ("the least: one function, one state machine", "least", "empty", "", ""),
        ("without rule packs", "without_rules", "empty", "; cdk-nag is not even loaded", ""),
        ("with a pipeline, two environments", "pipeline", "empty", "", ""),
        (
            "without the CDK's own validation, in both",
            "bare_whole",
            "bare_empty",
            "; with CDK_VALIDATION=false",
            "",
        ),
    ):
        pairs = Pairs(seconds(measured[ours]), seconds(measured[empty]))
        yield pairs.row(what, f"{how}{more}", other="empty app", target=target)
    took = {count: synthesise(WHOLE, environments(count)).seconds for count in _ENVIRONMENTS}
    first = _ENVIRONMENTS[0]
    for count in _ENVIRONMENTS[1:]:
        each = (took[count] - took[first]) / (count - first)
        yield Row(
            what=f"each further environment, of {count}",
            target="0.4 s",
            ours=f"{each:.2f} s",
            how=f"Processor time of {count} environments less that of {first}, rule packs "
            "included, one run of each",
        )
    yield template()


def template() -> Row:
    """Count the contents of the template with default settings."""
    with tempfile.TemporaryDirectory() as name:
        synthesise(WHOLE, {"dataset_group_arn": GROUP}, Path(name))
        text = (Path(name) / "TopPicks.template.json").read_text()
    resources = json.loads(text)["Resources"].values()
    types = Counter(resource["Type"] for resource in resources)
    statements = sum(
        len(resource["Properties"]["PolicyDocument"]["Statement"])
        for resource in resources
        if resource["Type"] == "AWS::IAM::Policy"
    )
    return Row(
        what="the template",
        ours=f"{len(resources)} resources, {types['AWS::Lambda::Function']} functions, "
        f"{types['AWS::IAM::Role']} roles, {statements} statements in {types['AWS::IAM::Policy']} "
        f"policies, {len(text.encode()):,} bytes",
        how="Default settings, as the CDK writes it",
    )


def environments(count: int) -> dict[str, Any]:
    """Return settings of so many environments, each in an account of its own."""
    return {
        "environments": {
            f"e{number:02}": {
                "dataset_group_arn": f"arn:aws:personalize:eu-west-1:{number:012}:dataset-group/vod"
            }
            for number in range(1, count + 1)
        }
    }


def synthesise(
    code: str,
    settings: dict[str, Any],
    into: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Used:
    """Run code that synthesises an app, with settings and flags as the CDK CLI gives them to it.

    Raises:
        RuntimeError: it failed.
    """
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    with tempfile.TemporaryDirectory() as folder:
        return run(
            ["-c", code],
            environment={
                "PYTHONPATH": str(ROOT),
                "CDK_CONTEXT_JSON": json.dumps({**context, **settings}),
                "CDK_OUTDIR": str(into or folder),
                **(environment or {}),
                "PYTHONDONTWRITEBYTECODE": "",
                "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
            },
        )
