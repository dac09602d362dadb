"""The rehearsal is a room of its own: it knows of files and numbers, and of nothing else."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws import toolchain
from local_aws.rehearsal import sample

ALLOWED = sys.stdlib_module_names | {"numpy", "scipy"}
HTTP = {"http", "socket", "urllib", "asyncio"}
ROOM = sample.FOLDER.parent


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


@pytest.mark.parametrize("file", sorted(ROOM.glob("*.py")), ids=lambda file: file.stem)
def test_the_rehearsal_imports_nothing_of_ours_but_itself_and_nothing_that_speaks_http(
    file: Path,
) -> None:
    for name in imports(file):
        top = name.partition(".")[0]
        assert name.startswith("local_aws.rehearsal") or top in ALLOWED - HTTP, name


@pytest.mark.parametrize("folder", ["stacks", "lambdas"])
def test_what_is_deployed_knows_nothing_of_it(folder: str) -> None:
    files = list((toolchain.ROOT / folder).rglob("*.py"))
    assert len(files) > 5
    for file in files:
        assert not [name for name in imports(file) if name.startswith("local_aws")], file
