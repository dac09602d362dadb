"""The rehearsal is a room of its own: it knows of files and numbers, and of nothing else."""

import sys
from pathlib import Path

import pytest

from local_aws.rehearsal import sample
from tests.unit.test_architecture import imported

ALLOWED = sys.stdlib_module_names | {"numpy", "scipy"}
HTTP = {"http", "socket", "urllib", "asyncio"}
ROOM = sample.FOLDER.parent


@pytest.mark.parametrize("file", sorted(ROOM.glob("*.py")), ids=lambda file: file.stem)
def test_the_rehearsal_imports_nothing_of_ours_but_itself_and_nothing_that_speaks_http(
    file: Path,
) -> None:
    for name in imported(file):
        top = name.partition(".")[0]
        assert name.startswith("local_aws.rehearsal") or top in ALLOWED - HTTP, name
