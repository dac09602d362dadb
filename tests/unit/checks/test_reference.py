"""The documents that the code says, and the schema for editors."""

from pathlib import Path

import pytest

from checks.reference import documents
from stacks.settings.reference import schema
from tests.support.json_schema import is_valid
from tests.support.place import GROUP
from tests.support.template import PIPELINE


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_the_committed_documents_say_what_is_declared(path: Path) -> None:
    assert path.read_text() == documents()[path], "run `make settings`"


ENVIRONMENTS = {"dev": {"dataset_group_arn": GROUP}}


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"@aws-cdk/core:bootstrapQualifier": "platform", "cli-telemetry": False},
        {"dataset_group_arn": GROUP},
        {"environments": ENVIRONMENTS},
        {"environments": ENVIRONMENTS, "pipeline": PIPELINE},
    ],
)
def test_an_editor_takes_a_context(context: object) -> None:
    assert is_valid({"app": "python3 app.py", "context": context}, schema())


@pytest.mark.parametrize(
    "context",
    [
        {"dataset_group_arn": GROUP, "retain_on_delete": True},
        {"dataset_group_arn": GROUP, "environments": ENVIRONMENTS},
        {"environments": {}},
        {"environments": {"d_v": ENVIRONMENTS["dev"]}},
        {"environments": {"dev": {"running": True}}},
        {"environments": {"dev": {**ENVIRONMENTS["dev"], "retain_on_delete": True}}},
        {"dataset_group_arn": GROUP, "pipeline": PIPELINE},
        {"environments": ENVIRONMENTS, "pipeline": {**PIPELINE, "branch": ""}},
        {"environments": ENVIRONMENTS, "pipeline": {"branch": "main"}},
    ],
)
def test_an_editor_marks_a_context(context: object) -> None:
    assert not is_valid({"context": context}, schema())
