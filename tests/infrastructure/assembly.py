"""Ways to read an assembly in a folder."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def artifacts(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what the CLI is told of each stack, by the stack's name."""
    return {
        artifact["properties"].get("stackName", name): artifact["properties"]
        for manifest in folder.rglob("manifest.json")
        for name, artifact in json.loads(manifest.read_text())["artifacts"].items()
        if artifact["type"] == "aws:cloudformation:stack"
    }


def templates(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the templates by the stack's name."""
    return {
        name: json.loads(next(folder.rglob(properties["templateFile"])).read_text())
        for name, properties in artifacts(folder).items()
    }


def resources(folder: Path, resource_type: str) -> Iterator[dict[str, Any]]:
    """Return the resources of a type in all stacks."""
    for template in templates(folder).values():
        for resource in template["Resources"].values():
            if resource["Type"] == resource_type:
                yield resource
