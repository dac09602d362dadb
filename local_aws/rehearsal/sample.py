"""The sample that `make deploy-local` trains on without files of one's own: everything invented.

No title, user or company exists. Users have tastes: two of six genres, and one of five moods within
them. Titles have a popularity with a long tail. So a model can learn more than popularity.
`python -m local_aws.rehearsal.sample` writes the folder `sample` again, always the same.
"""

import csv
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

FOLDER: Final = Path(__file__).parent / "sample"

_SEED: Final = 14
_USERS: Final = 400
_DAY: Final = 86_400
_FIRST_DAY: Final = 1_735_689_600  # 2025-01-01
_DAYS: Final = 365
_NEW: Final = 25
"""One title in so many is new: created in the last three weeks, and not watched by anybody."""

_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "Drama": ("Borrowed Quiet Salted Unsent Winter Inland", "Orchard Ledger Weir Violin Tenant"),
    "Comedy": (
        "Mild Accidental Wrong Reluctant Half Noisy",
        "Alderman Barge Falcon Platform Gravy",
    ),
    "Crime": ("Cold Eleventh Marrow Tarred Pawned Damp", "Bridge Alibi Lane Auction Reckoning"),
    "Sci-Fi": (
        "Parallax Tin Nineteenth Orbital Ember Static",
        "Station Engine Meridian Protocol Map",
    ),
    "Documentary": ("Concrete Small Lost Singing Slow Night", "Weather Bees Bridges Bread Glacier"),
    "Family": ("Woollen Pocket Mossy Upside Biscuit Button", "Dragon Moon Hedgehog Express Kite"),
}
_MOODS: Final = ("Gentle", "Tense", "Strange", "Romantic", "Historical")
_CLASSIFICATIONS: Final = {"Family": "G", "Documentary": "PG", "Comedy": "PG-13", "Crime": "R"}
_OWNERS: Final = ("Invented Pictures", "Nowhere Films", "Imaginary House")
_PLANS: Final = ("free", "basic", "premium")


@dataclass(frozen=True)
class _Title:
    item_id: str
    title: str
    genre: str
    mood: str
    created: int
    popularity: float
    """0 for a title that is new."""

    def row(self, number: int) -> dict[str, object]:
        return {
            "ITEM_ID": self.item_id,
            "TITLE": self.title,
            "GENRES": f"{self.genre}|{self.mood}",
            "CREATION_TIMESTAMP": self.created,
            "DURATION": 22 + number * 37 % 120,
            "CONTENT_CLASSIFICATION": _CLASSIFICATIONS.get(self.genre, "NR"),
            "CONTENT_OWNER": _OWNERS[number % len(_OWNERS)],
        }


def write(folder: Path) -> None:
    """Write interactions.csv, items.csv and users.csv."""
    random = Random(_SEED)  # noqa: S311  # nothing is secret here
    titles = list(_titles(random))
    users = [f"user-{number}" for number in range(1, _USERS + 1)]
    interactions = itertools.chain.from_iterable(_history(random, one, titles) for one in users)
    tables: dict[str, Iterable[Mapping[str, object]]] = {
        "items": (one.row(number) for number, one in enumerate(titles)),
        "users": ({"USER_ID": one, "SUBSCRIPTION_MODEL": random.choice(_PLANS)} for one in users),
        "interactions": sorted(interactions, key=lambda row: (row["TIMESTAMP"], row["USER_ID"])),
    }
    folder.mkdir(exist_ok=True)
    for name in ("interactions", "items", "users"):
        rows = list(tables[name])
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def _titles(random: Random) -> Iterator[_Title]:
    names = [
        (genre, f"The {adjective} {noun}")
        for genre, (adjectives, nouns) in _WORDS.items()
        for adjective in adjectives.split()
        for noun in nouns.split()
    ]
    ranks = list(range(1, len(names) + 1))
    random.shuffle(ranks)
    for number, ((genre, title), rank) in enumerate(zip(names, ranks, strict=True), start=1):
        is_new = number % _NEW == 0
        age = random.randrange(-21, 0) + _DAYS if is_new else -random.randrange(3000)
        yield _Title(
            item_id=f"vod-{number:03}",
            title=title,
            genre=genre,
            mood=random.choice(_MOODS),
            created=_FIRST_DAY + age * _DAY,
            popularity=0.0 if is_new else 1 / rank,
        )


def _history(random: Random, user_id: str, titles: Sequence[_Title]) -> Iterator[dict[str, object]]:
    """Yield the events of one user: titles to the user's taste, none twice, most watched."""
    genres, mood = random.sample(sorted(_WORDS), 2), random.choice(_MOODS)
    left = {one: _appeal(one, genres, mood) for one in titles if one.popularity}
    count = min(8 + int(random.expovariate(1 / 18)), 80)
    times = sorted(random.randrange(_DAYS * _DAY) for _ in range(count))
    for time in times:
        (chosen,) = random.choices(list(left), list(left.values()))
        del left[chosen]
        yield {
            "USER_ID": user_id,
            "ITEM_ID": chosen.item_id,
            "TIMESTAMP": _FIRST_DAY + time,
            "EVENT_TYPE": random.choices(("Watch", "Click"), (4, 1))[0],
        }


def _appeal(title: _Title, genres: Sequence[str], mood: str) -> float:
    taste = {genres[0]: 40.0, genres[1]: 15.0}.get(title.genre, 0.2)
    return title.popularity * taste * (10.0 if title.mood == mood else 1.0)


if __name__ == "__main__":
    write(FOLDER)
