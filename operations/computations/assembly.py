"""Find a stack in a cloud assembly, the folder that `cdk synth` writes (pure).

Source: `AssemblyManifest` and its artifacts, aws_cdk.cloud_assembly_schema.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
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
        template: its template.
        parameters: the values that the app gives to the template's parameters.
        is_protected: whether it is to have termination protection.
    """

    name: str
    id: str
    account: str
    region: str
    template: Mapping[str, Any]
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
        (where,) = found
        return where.read(read)
    several = sorted(one.id for one in found)
    if several:
        raise AssemblyError(f"several stacks have the name {named}: {', '.join(several)}. Name one")
    ids = ", ".join(sorted(one.id for one in stacks)) or "no stack"
    raise AssemblyError(f"it has no stack {named}. It has {ids}. Name one with --stack")


@dataclass(frozen=True)
class _Artifact:
    folder: str
    id: str
    name: str
    environment: str
    properties: Mapping[str, Any]

    def read(self, read: Read) -> SynthesisedStack:
        place = _ENVIRONMENT.fullmatch(self.environment)
        account, region = (
            "" if place is None or place[part] in _UNKNOWN else place[part]
            for part in ("account", "region")
        )
        return SynthesisedStack(
            name=self.name,
            id=self.id,
            account=account,
            region=region,
            template=read(posixpath.join(self.folder, self.properties["templateFile"])),
            parameters=self.properties.get("parameters", {}),
            is_protected=bool(self.properties.get("terminationProtection")),
        )


def _stacks(read: Read, folder: str) -> Iterator[_Artifact]:
    """Yield the stacks of an assembly, with those of the assemblies in it (the stages)."""
    artifacts: Mapping[str, Any] = read(posixpath.join(folder, MANIFEST)).get("artifacts", {})
    for artifact_id, artifact in artifacts.items():
        properties: Mapping[str, Any] = artifact.get("properties", {})
        match artifact.get("type"):
            case "aws:cloudformation:stack":
                yield _Artifact(
                    folder,
                    id=artifact.get("displayName", artifact_id),
                    name=properties.get("stackName", artifact_id),
                    environment=artifact.get("environment", ""),
                    properties=properties,
                )
            case "cdk:cloud-assembly":
                yield from _stacks(read, posixpath.join(folder, properties["directoryName"]))
