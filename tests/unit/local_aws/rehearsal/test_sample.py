"""The sample: the same every time, and plainly invented."""

import time
from pathlib import Path

from local_aws.rehearsal import sample
from local_aws.rehearsal.findings import findings
from local_aws.rehearsal.reading import read


def test_the_script_makes_what_is_committed(tmp_path: Path) -> None:
    sample.write(tmp_path)
    for made in tmp_path.iterdir():
        assert made.read_bytes() == (sample.FOLDER / made.name).read_bytes()
    assert len(list(tmp_path.iterdir())) == 3


def test_the_sample_says_that_it_is_invented() -> None:
    assert "Everything in this folder is invented" in (sample.FOLDER / "README.md").read_text()


def test_nothing_about_it_is_refused() -> None:
    data = read(sample.FOLDER, now=time.time())
    assert {one.verdict for one in findings(data)} <= {"pass", "warn"}
    assert len({row["TITLE"] for row in data.item_rows}) == len(data.items) == 180
