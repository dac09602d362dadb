"""Cloud assemblies, written as `cdk synth` writes them."""

import json
from pathlib import Path
from typing import Any

from tests.support.place import ACCOUNT, REGION
from tests.support.synthesis import Deployable


def write_assembly(
    folder: Path,
    template: Deployable,
    *,
    name: str = "TopPicks",
    account: str = ACCOUNT,
    region: str = REGION,
    protected: bool = False,
    **more: Any,
) -> str:
    """Write an assembly with one stack, and return its path.

    Args:
        folder: where.
        template: of the stack.
        name: of the stack.
        account: of the stack.
        region: of the stack.
        protected: whether it is to have termination protection.
        more: other sections of the template.
    """
    folder.mkdir(parents=True, exist_ok=True)
    body = {"Resources": template.resources, "Outputs": template.outputs, **more}
    (folder / "stack.template.json").write_text(json.dumps(body))
    properties = {
        "templateFile": "stack.template.json",
        "terminationProtection": protected,
        "stackName": name,
    }
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{account}/{region}",
        "properties": properties,
        "displayName": name,
    }
    manifest = {"version": "55.0.0", "artifacts": {"stack": artifact}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return str(folder)
