"""An invented video-on-demand catalogue, for dataset groups that no data was imported into.

This is a SIMULATION: no title exists. The columns are those that Amazon Personalize's guide
requires of, or reserves for, an Items dataset of the VIDEO_ON_DEMAND domain
(docs.aws.amazon.com/personalize/latest/dg/VIDEO-ON-DEMAND-items-dataset.html), and TITLE.
"""

from collections.abc import Mapping
from typing import Final

Item = Mapping[str, str]
"""A row of an Items dataset: column name to value, all values as strings."""

_TITLES: Final = {
    "Drama": (
        "The Long Thaw|Salt and Lanterns|A House by the Weir|The Quiet Ledger|"
        "Northbound, 1962|What the Ferryman Kept|Paper Orchards|The Second Violin|"
        "Winter Tenants|Ash Wednesday Street"
    ),
    "Comedy": (
        "Mild Peril|The Accidental Alderman|Three Uncles and a Barge|Wrong Platform|"
        "Soup Season|My Neighbour the Falconer|Out of Offices|The Understudy's Understudy|"
        "Half a Honeymoon|Gravy"
    ),
    "Crime": (
        "The Marrow Bridge|Eleven Keys|A Study in Tarmac|The Pawnbroker's Index|"
        "Cold Harbour Lane|Nobody Leaves Ebbing|The Glass Alibi|Fence|The Auctioneer|"
        "Dead Reckoning Club"
    ),
    "Sci-Fi": (
        "Parallax Station|The Orchid Engine|Yesterday's Satellites|Tin Meridian|"
        "Glasswing|The Last Analogue|Low Orbit Blues|Ember Protocol|A Map of Static|"
        "Sleepers of Ganymede Road"
    ),
    "Documentary": (
        "The Bee Cartographers|Concrete Weather|How Bridges Sing|Tidewrack|Small Engines|"
        "The Bread Atlas|Lighthouse Shift|Glacier Notebook|The Clockmakers of Vall|"
        "Night Buses"
    ),
    "Family": (
        "Otto and the Paper Moon|The Hedgehog Express|Captain Button|Where Kites Sleep|"
        "Pocket Dragon|The Biscuit Detectives|Mossy Goes to Town|The Borrowed Elephant|"
        "Snowglobe City|Tilda's Tree"
    ),
}
_SECOND_GENRES: Final = ("Mystery", "Romance", "Adventure", "Thriller", "History")
_CLASSIFICATIONS: Final = {"Family": "G", "Documentary": "PG", "Comedy": "PG-13", "Crime": "R"}
_FIRST_RELEASE: Final = 1_262_304_000  # 2010-01-01
_DAY: Final = 86_400


def _item(number: int, genre: str, title: str) -> Item:
    return {
        "ITEM_ID": f"vod-{number:03}",
        "TITLE": title,
        "GENRES": f"{genre}|{_SECOND_GENRES[number % len(_SECOND_GENRES)]}",
        "CREATION_TIMESTAMP": str(_FIRST_RELEASE + number * 89 * _DAY),
        "DURATION": str(22.0 + number * 37 % 120),
        "CONTENT_CLASSIFICATION": _CLASSIFICATIONS.get(genre, "NR"),
    }


CATALOGUE: Final[tuple[Item, ...]] = tuple(
    _item(number, genre, title)
    for number, (genre, title) in enumerate(
        ((genre, title) for genre, titles in _TITLES.items() for title in titles.split("|")),
        start=1,
    )
)
"""Sixty invented titles in six genres."""
