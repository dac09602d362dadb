"""The same rows give the same metrics and recommendations: on every machine, in every order."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest

from local_aws.rehearsal.reading import read
from local_aws.rehearsal.training import TopPicks
from tests.support.project import run_command
from tests.unit.local_aws.rehearsal.folders import ITEMS, NOW, Interaction, folder_of

pytestmark = pytest.mark.usefixtures("one_split")
TRAINS = """
import sys
from pathlib import Path
from local_aws.rehearsal import model, training
from local_aws.rehearsal.reading import read
from local_aws.rehearsal.training import Options, TopPicks

model.MOST_ITEMS = int(sys.argv[2])
training.SPREAD_ITEMS = 0
data = read(Path(sys.argv[1]), now=1_767_225_600.0)
trained = TopPicks(data, Options(exploration_weight=0.0))
print(data.digest, trained.metrics, trained.popularity_metrics)
print([trained.recommend(user, 100) for user in data.users])
"""


def rows() -> list[Interaction]:
    """Return few interactions of many items, so that many items score the same."""
    random = Random(3)
    return [
        (f"u{user:03}", f"i{7 * int(140 * random.random() ** 3) + user % 7:04}", when, kind)
        for user in range(200)
        for when in (1_700_000_000 + 3600 * turn for turn in range(random.randint(2, 25)))
        for kind in random.sample(("Watch", "Click"), random.randint(1, 2))
    ]


def trained_on(folder: Path, most: int, threads: int) -> str:
    env = os.environ | {"OPENBLAS_NUM_THREADS": str(threads)}
    trained = run_command(sys.executable, "-c", TRAINS, folder, str(most), env=env)
    assert trained.returncode == 0, trained.stderr
    return trained.stdout


@pytest.mark.parametrize("most", [8000, 100], ids=["all pairs", "directions"])
def test_one_and_two_threads_give_the_same(tmp_path: Path, most: int) -> None:
    folder = folder_of(tmp_path, rows())
    assert trained_on(folder, most, threads=1) == trained_on(folder, most, threads=2)


def lines(items: Iterable[str]) -> list[str]:
    """Return rows of items.csv, where each item is there twice."""
    return [f"{item},{genre},1" for item in items for genre in (f"Genre{item[-1]}", "Drama")]


def test_rows_in_another_order_are_the_same_data(tmp_path: Path) -> None:
    interactions = rows()
    items = lines(sorted({item for _, item, _, _ in interactions}))
    users = sorted({f"{user},free" for user, _, _, _ in interactions})
    random = Random(7)
    found = set()
    for number in range(3):
        for table in (interactions, items, users):
            random.shuffle(table)
        folder = folder_of(
            tmp_path / str(number),
            interactions,
            items=[ITEMS, *items],
            users=["USER_ID,PLAN", *users],
        )
        data = read(folder, now=NOW)
        trained = TopPicks(data)
        found.add((data.digest, str(trained.metrics), str(trained.recommend("u001", 50))))
    assert len(found) == 1


def test_columns_in_another_order_are_the_same_data(tmp_path: Path) -> None:
    one = folder_of(tmp_path / "one", [("u", "i", 1, "Watch")], items=[ITEMS, "i,Drama,1"])
    other = folder_of(
        tmp_path / "other",
        [("u", "i", 1, "Watch")],
        items=["CREATION_TIMESTAMP,ITEM_ID,GENRES", "1,i,Drama"],
    )
    first, second = read(one, now=NOW), read(other, now=NOW)
    assert (first.digest, first.item_rows) == (second.digest, second.item_rows)


def test_data_with_another_value_in_any_column_or_another_file_is_other_data(
    tmp_path: Path,
) -> None:
    interactions = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,DEVICE"
    variants = ["u,i,1,Watch,tv", "u,i,1,Watch,phone", "u,i,1,Click,tv", "u,i,2,Watch,tv"]
    digests = set()
    for number, row in enumerate(variants):
        folder = folder_of(tmp_path / str(number), [], items=[ITEMS, "i,Drama,1"])
        (folder / "interactions.csv").write_text(f"{interactions}\n{row}\n")
        digests.add(read(folder, now=NOW).digest)
    (folder / "users.csv").write_text("USER_ID,PLAN\n")
    digests.add(read(folder, now=NOW).digest)
    assert len(digests) == len(variants) + 1
