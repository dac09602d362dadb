"""Find a stack in a cloud assembly, the folder that `cdk synth` writes (pure).

Source: `AssemblyManifest` and its artifacts, aws_cdk.cloud_assembly_schema.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

MANIFEST: Final = "manifest.json"

Read = Callable[[str], Any]
"""Reads a JSON file of the assembly by its path in that folder; raises an `AssemblyError`."""

_ENVIRONMENT: Final = re.compile(r"aws://(?P<account>[^/]+)/(?P<region>.+)")
_UNKNOWN: Final = frozenset({"unknown-account", "unknown-region"})
"""The place of a stack that has no `env`: that of the credentials."""


class AssemblyError(Exception):
    """The cloud assembly, or the stack in it, does not exist or has an unexpected form."""


@dataclass(frozen=True)
class SynthesisedStack:
    """A stack of a cloud assembly.

    Attributes:
        name: the stack's name, such as ``prod-TopPicks``.
        id: the id by which the CDK CLI knows it, such as ``prod/TopPicks``.
        account: the account that it is deployed to, or nothing if the credentials decide.
        region: the region, or nothing if the credentials decide.
        template_file: the path of its template in the assembly.
        template: its template.
        parameters: the values that the app gives to the template's parameters.
        is_protected: whether it is to have termination protection.
    """

    name: str
    id: str
    account: str
    region: str
    template_file: str = ""
    template: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    is_protected: bool = False


def find_stack(read: Read, named: str) -> SynthesisedStack:
    """Find the stack with this name, or this id.

    Args:
        read: reads a file of the assembly.
        named: the stack's name, or the CDK's id of it.

    Raises:
        AssemblyError: there is none, or there are several.
    """
    stacks = list(_stacks(read, ""))
    found = [one for one in stacks if named == one.id] or [
        one for one in stacks if named == one.name
    ]
    if len(found) == 1:
        (stack,) = found
        return replace(stack, template=read(stack.template_file))
    several = sorted(one.id for one in found)
    if several:
        raise AssemblyError(f"several stacks have the name {named}: {', '.join(several)}. Name one")
    ids = ", ".join(sorted(one.id for one in stacks)) or "no stack"
    raise AssemblyError(f"it has no stack {named}. It has {ids}. Name one with --stack")


def _stacks(read: Read, folder: str) -> Iterator[SynthesisedStack]:
    """Yield the stacks of an assembly, with those of the assemblies in it (the stages).

    Their templates are not read yet.
    """
    artifacts: Mapping[str, Any] = read(posixpath.join(folder, MANIFEST)).get("artifacts", {})
    for artifact_id, artifact in artifacts.items():
        properties: Mapping[str, Any] = artifact.get("properties", {})
        match artifact.get("type"):
            case "aws:cloudformation:stack":
                place = _ENVIRONMENT.fullmatch(artifact.get("environment", ""))
                account, region = (
                    "" if place is None or place[part] in _UNKNOWN else place[part]
                    for part in ("account", "region")
                )
                yield SynthesisedStack(
                    name=properties.get("stackName", artifact_id),
                    id=artifact.get("displayName", artifact_id),
                    account=account,
                    region=region,
                    template_file=posixpath.join(folder, properties["templateFile"]),
                    parameters=properties.get("parameters", {}),
                    is_protected=bool(properties.get("terminationProtection")),
                )
            case "cdk:cloud-assembly":
                yield from _stacks(read, posixpath.join(folder, properties["directoryName"]))
