"""mypy reads those modules of the CDK that are used: of others it would say nothing."""

import tomllib

from tests.unit.test_architecture import ROOT, imported

TYPED = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
OVERRIDES = {one["follow_imports"]: one["module"] for one in TYPED["overrides"]}


def test_every_module_of_the_cdk_that_is_imported_is_read() -> None:
    used = {
        ".".join(module.split(".")[:2])
        for place in TYPED["files"]
        for path in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
        for module in imported(path)
        if module.startswith("aws_cdk.") and module.split(".")[1].islower()
    }

    assert OVERRIDES["skip"] == ["aws_cdk.*"]
    assert len(used) > 15
    assert used - set(OVERRIDES["normal"]) == set()
