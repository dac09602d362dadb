"""Templates of the app, and ways to read them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from app import main
from tests.support.intrinsics import resolve
from tests.support.place import GROUP

KEY: Final = "arn:aws:kms:eu-west-1:111111111111:key/0a1b2c3d-0000-1111-2222-333344445555"
PIPELINE: Final = {
    "connection_arn": "arn:aws:codeconnections:eu-west-1:999999999999:connection/"
    "0a1b2c3d-0000-1111-2222-333344445555",
    "repository": "video/top-picks",
    "branch": "main",
    "account": "999999999999",
    "region": "eu-west-1",
}
"""Settings of a pipeline in an account of its own."""

_DEPLOYMENT: Final = ("@aws-cdk/core:bootstrapQualifier", "@aws-cdk/core:permissionsBoundary")

FLAGS: Final = {
    key: value
    for key, value in json.loads((Path(__file__).parents[2] / "cdk.json").read_text())[
        "context"
    ].items()
    if key.startswith("@") and key not in _DEPLOYMENT
}
"""The feature flags with which the CLI synthesises, without what a deployment of one's own adds."""

Synth = Callable[..., dict[str, Any]]


def rendered(stack: Stack) -> dict[str, Any]:
    """Return the template of a stack."""
    return dict(Template.from_stack(stack).to_json())


def synthesised(**context: Any) -> Template:
    """Return the template of the stack with these settings."""
    app = main(App(context={**FLAGS, "dataset_group_arn": GROUP, **context}))
    return Template.from_stack(app.node.find_child("TopPicks"))  # type: ignore[arg-type]


def of_type(template: dict[str, Any], resource_type: str) -> dict[str, Any]:
    return {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] == resource_type
    }


def properties_of(template: dict[str, Any], resource_type: str) -> list[dict[str, Any]]:
    """Return the properties of each resource of a type."""
    return [one["Properties"] for one in of_type(template, resource_type).values()]


def policy_statements(template: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the statements of the policies of all roles."""
    documents = [one["PolicyDocument"] for one in properties_of(template, "AWS::IAM::Policy")]
    return [statement for document in documents for statement in document["Statement"]]


def the(template: dict[str, Any], resource_type: str) -> tuple[str, dict[str, Any]]:
    (only,) = of_type(template, resource_type).items()
    return only


def in_order(template: dict[str, Any], resource_type: str) -> list[str]:
    """Return the links of a chain, first to last; each must depend on the one before."""
    links = of_type(template, resource_type)
    before = {
        name: next((d for d in links[name].get("DependsOn", []) if d in links), None)
        for name in links
    }
    (link,) = [name for name, previous in before.items() if previous is None]
    order = [link]
    while following := [name for name, previous in before.items() if previous == order[-1]]:
        (link,) = following
        order.append(link)
    assert len(order) == len(links)
    return order


def resolved(value: Any) -> Any:
    """Return a value with what is only known when it is deployed named after where it comes from.

    An attribute is `<logical id>.<attribute>`, and a `Ref` the logical id or parameter it is of.
    """
    return resolve(value, _named)


def _named(name: str, attribute: str | None) -> str:
    if name == "AWS::Partition":
        return "aws"
    return f"{name}.{attribute}" if attribute else name
