"""The README's quick start and the tutorial show the output that their commands print."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.engine import LocalAws
from tests.support.shown_commands import ROOT, Step, copied_app, lacking, run, steps

README = (ROOT / "README.md").read_text()
QUICK_START = README.partition("## Try it without an AWS account")[2].partition("\n## ")[0]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Path]:
    """A copy of the app, so that a local AWS of whoever runs the tests is left alone."""
    folder = copied_app(tmp_path / "app")
    try:
        yield folder
    finally:
        if aws := LocalAws.find(folder / ".local-aws"):
            aws.stop()


@pytest.mark.parametrize(
    ("page", "first", "last"),
    [
        (QUICK_START, "make deploy-local\n", "make destroy-local\n"),
        (TUTORIAL, "make setup\n. .venv/bin/activate\n", "python -m local_aws destroy\n"),
    ],
    ids=["README", "tutorial"],
)
def test_the_commands_of_a_page_print_the_output_under_them(
    app: Path, page: str, first: str, last: str
) -> None:
    walked = steps(page)
    assert [walked[0].commands, walked[-1].commands] == [first, last]

    for step in walked:
        _is_as_shown(step, app)

    assert LocalAws.find(app / ".local-aws") is None


def _is_as_shown(step: Step, app: Path) -> None:
    ran = run(step, app)
    assert ran.returncode == step.exit_code, f"{step.commands}{ran.stdout}"
    missing = lacking(step.output, ran.stdout)
    assert not missing, (
        f"{step.commands}does not print, or not in this place:\n{missing}\n\n{ran.stdout}"
    )
