"""Deployments that fail: each says why, and leaves nothing behind."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.local_world import STACK, LocalWorld

GATE = {"max_training_hours": 0.0025}
"""Gates of 3 s, three of them."""


@pytest.fixture(autouse=True)
def _nothing_stays(world: LocalWorld) -> Iterator[None]:
    """A deployment that failed leaves no recommender, and a destroy nothing at all."""
    yield
    assert world.recommenders == []
    world.destroy_all()


@pytest.mark.rows("S4")
def test_a_permission_that_the_role_lacks_is_named(world: LocalWorld) -> None:
    action = "personalize:TagResource"
    app = without(action, world.assembly(GATE), world.aws.folder / action)

    deployed = world.aws.cdk(
        "deploy", STACK, f"--app={app}", "--require-approval=never", capture=True
    )

    assert deployed.returncode != 0
    shown = " ".join(deployed.stdout.split())
    assert f"is not authorized to perform: {action}" in shown
    assert "The role of the stack's Lambda functions lacks this permission" in shown


def without(action: str, assembly: Path, folder: Path) -> Path:
    """Copy an assembly, without an action in its policies, and return the copy."""
    shutil.copytree(assembly, folder)
    template = folder / f"{STACK}.template.json"
    before = template.read_text()
    whole = json.loads(before)
    for resource in whole["Resources"].values():
        if document := resource["Properties"].get("PolicyDocument"):
            document["Statement"] = [
                {**one, "Action": kept}
                for one in document["Statement"]
                if (kept := [each for each in _listed(one["Action"]) if each != action])
            ]
    after = json.dumps(whole)
    assert action in before
    assert action not in after
    template.write_text(after)
    old, new = (hashlib.sha256(text.encode()).hexdigest() for text in (before, after))
    for name in ("manifest.json", f"{STACK}.assets.json"):
        named = (folder / name).read_text()
        assert old in named
        (folder / name).write_text(named.replace(old, new))
    return folder


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_a_training_that_outlasts_the_whole_budget_is_ended_and_removed(world: LocalWorld) -> None:
    world.set_behaviour(create_in_progress=14.0)

    shown = world.fails(**GATE)

    assert "not ready when the last training gate ended: CREATE IN_PROGRESS" in shown
    assert "raise max_training_hours" in shown
