"""Folders of data, made for tests: whole files from rows, and everything else by hand."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from random import Random

from local_aws.rehearsal import sample
from local_aws.rehearsal.data import Data
from local_aws.rehearsal.reading import read

NOW = 1_767_225_600.0  # 2026-01-01
DAY = 86_400
INTERACTIONS = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE"
ITEMS = "ITEM_ID,GENRES,CREATION_TIMESTAMP"

Interaction = tuple[str, str, int, str]


@cache
def the_sample() -> Data:
    """Return the data of the sample; no test changes it."""
    return read(sample.FOLDER, now=NOW)


def folder_of(
    path: Path,
    interactions: Iterable[Interaction],
    *,
    items: Iterable[str] | None = None,
    users: Iterable[str] | None = None,
) -> Path:
    """Write a folder; `items` and `users` are lines, and by default each item has one."""
    rows = list(interactions)
    if items is None:
        ids = sorted({item for _, item, _, _ in rows}) or ["i"]
        items = [ITEMS, *(f"{item},Drama,1500000000" for item in ids)]
    path.mkdir(exist_ok=True, parents=True)
    lines = [INTERACTIONS, *(",".join(map(str, row)) for row in rows)]
    (path / "interactions.csv").write_text("\n".join(lines) + "\n")
    (path / "items.csv").write_text("\n".join(items) + "\n")
    if users is not None:
        (path / "users.csv").write_text("\n".join(users) + "\n")
    return path


def watching(*, users: int, each: int, items: int = 40) -> list[Interaction]:
    """Return interactions of as many users with as many each, all different, an hour apart."""
    return [
        (f"u{user:03}", f"i{(user * 7 + turn) % items:03}", 1_700_000_000 + turn * 3600, "Watch")
        for user in range(users)
        for turn in range(each)
    ]


def camps() -> list[Interaction]:
    """Return what two camps of thirty users watched, each of which has 40 items of its own."""
    random = Random(1)
    return [
        (f"u{user:02}", f"i{item:02}", 1_700_000_000 + turn * DAY, "Watch")
        for user in range(60)
        for turn, item in enumerate(random.sample(range(40) if user % 2 else range(40, 80), 20))
    ]
