"""The rows of a start page, as a viewer would see them, and what the viewer did before."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from local_aws.personalize.recommender import ACTIVE, Overview
from local_aws.personalize.training import Source
from local_aws.rehearsal.data import Data
from local_aws.rehearsal.recipes import STAND_INS, TOP_PICKS
from local_aws.rehearsal.training import StandIn

SHOWN: Final = 10
"""Recommendations, and interactions."""
_ORDER: Final = list(STAND_INS)


@dataclass(frozen=True)
class Item:
    """An item, as far as its metadata says."""

    id: str
    title: str
    genres: str


@dataclass(frozen=True)
class Row:
    """The recommendations of one recommender."""

    title: str
    items: Sequence[Item]
    recommender: str = ""
    recipe: str = ""
    note: str = ""
    """Why it has no items, or others than one might expect."""


@dataclass(frozen=True)
class Event:
    """An interaction of a user."""

    day: str
    event_type: str
    item: Item


@dataclass(frozen=True)
class History:
    """The newest interactions of a user, newest first, and how many there are in all."""

    count: int
    newest: Sequence[Event]


@dataclass(frozen=True)
class StartPage:
    """The rows of a dataset group's recommenders for a user."""

    dataset_group: str
    rows: Sequence[Row]
    history: History


def start_pages(
    recommenders: Sequence[Overview], sources: Mapping[str, Source], *, user: str, item: str
) -> dict[str, StartPage]:
    """Return a page for each dataset group that has more to show than top picks, by its ARN.

    Args:
        recommenders: All of them; those that are ACTIVE have a row.
        sources: The data of each dataset group that has some, by its ARN.
        user: The viewer; without one, there are no rows.
        item: The X of recipes that have one; empty for the item that the viewer watched last.
    """
    pages = {}
    for arn, source in sources.items() if user else ():
        rows = [
            (one, one.model)
            for one in recommenders
            if one.dataset_group_arn == arn and one.status == ACTIVE and one.model
        ]
        if [one.recipe.name for one, _ in rows] in ([], [TOP_PICKS]):
            continue
        rows.sort(key=lambda row: (_ORDER.index(row[0].recipe.name), row[0].name))
        x = item or source.data.newest_watched(user)
        pages[arn] = StartPage(
            arn.rpartition("/")[2],
            [_row_of(one, model, source.data, user, x) for one, model in rows],
            history(source.data, user),
        )
    return pages


def _row_of(one: Overview, model: StandIn, data: Data, user: str, x: str) -> Row:
    note = ""
    if "itemId" in one.recipe.parameters and data.place_of(x) is None:
        note = (
            f"The data has no item {x}, so the row shows popular items."
            if x
            else f"{user} has not watched anything yet. Enter an item above."
        )
    found = row(model, data, user, x)
    return dataclasses.replace(
        found,
        items=() if note and not x else found.items,
        recommender=one.name,
        recipe=one.recipe.name,
        note=note,
    )


def row(model: StandIn, data: Data, user: str = "", x: str = "") -> Row:
    """Return the row of a model, for a user and an item X if its recipe has these."""
    named = described(data, x)
    title = model.title.format(you="you", item=named.title or named.id or "X")
    return Row(title, [described(data, found) for found, _ in model.recommend(user, SHOWN, x)])


def described(data: Data, item_id: str) -> Item:
    """Return an item with its metadata, as far as there is some."""
    row = data.metadata.get(item_id, {})
    return Item(item_id, row.get("TITLE", ""), row.get("GENRES", "").replace("|", ", "))


def history(data: Data, user: str) -> History:
    """Return what a user did."""
    where = data.history(user)
    done = zip(data.item[where], data.event_type[where], data.time[where], strict=True)
    newest = [
        Event(_day(int(time)), data.event_types[event_type], described(data, data.items[item]))
        for item, event_type, time in list(done)[: -SHOWN - 1 : -1]
    ]
    return History(where.stop - where.start, newest)


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
