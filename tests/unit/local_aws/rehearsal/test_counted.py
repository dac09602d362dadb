"""Most popular, and Trending now: counted again by hand."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_aws.rehearsal.counted import MostPopular, TrendingNow
from local_aws.rehearsal.reading import read
from local_aws.rehearsal.training import StandIn
from tests.unit.local_aws.rehearsal.folders import DAY, NOW, Interaction, folder_of, the_sample

FIRST = 1_700_000_000
THE_SAMPLE = the_sample()
interactions = st.lists(
    st.tuples(
        st.sampled_from(["u1", "u2", "u3", "u4", "u5"]),
        st.sampled_from(["a", "b", "c", "d", "e", "f"]),
        st.integers(FIRST, FIRST + 21 * DAY),
        st.sampled_from(["Watch", "Click"]),
    ),
    min_size=1,
    max_size=60,
)


def listed(stand_in: type[StandIn], rows: list[Interaction], folder: Path) -> list[str]:
    """Return the list of all items, of few rows, which the service would refuse."""
    data = read(folder_of(folder, rows), now=NOW)
    with patch("local_aws.rehearsal.training.refusal", return_value=None):
        trained = stand_in(data)
    return [item for item, _ in trained.recommend("u1", 500)]


def by_users(rows: list[Interaction], event_types: set[str]) -> Counter[str]:
    pairs = {(user, item) for user, item, _, kind in rows if kind in event_types}
    return Counter(item for _, item in pairs)


@settings(max_examples=50)
@given(interactions)
def test_most_popular_is_in_the_order_of_how_many_users_watched(rows: list[Interaction]) -> None:
    rows = [*rows, ("u1", "a", FIRST, "Watch")]
    watched = by_users(rows, {"Watch"})
    items = sorted({item for _, item, _, _ in rows})
    with TemporaryDirectory() as folder:
        found = listed(MostPopular, rows, Path(folder))
    assert found == sorted(items, key=lambda item: (-watched[item], item))


@settings(max_examples=50)
@given(interactions)
def test_trending_now_is_in_the_order_of_the_increase_from_week_to_week(
    rows: list[Interaction],
) -> None:
    newest = max(time for _, _, time, _ in rows)
    now = Counter(item for _, item, time, _ in rows if newest - time < 7 * DAY)
    before = Counter(item for _, item, time, _ in rows if 7 * DAY <= newest - time < 14 * DAY)
    increase = {item: max(now[item] - before[item], 0) for _, item, _, _ in rows}
    popular = by_users(rows, {"Watch", "Click"})
    with TemporaryDirectory() as folder:
        found = listed(TrendingNow, rows, Path(folder))
    rising = sorted((one for one in increase if increase[one]), key=lambda i: (-increase[i], i))
    others = sorted((one for one in increase if not increase[one]), key=lambda i: (-popular[i], i))
    assert found == rising + others


def week(ago: int, **counts: int) -> list[Interaction]:
    """Return so many clicks on each item, all so many weeks before the newest interaction."""
    time = FIRST + 10 * 7 * DAY - ago * 7 * DAY
    return [(f"u{n}", item, time, "Click") for item, count in counts.items() for n in range(count)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([*week(0, a=2, b=3), *week(1, a=0, b=2)], "ab"),
        ([*week(0, a=5, b=4), *week(1, a=5, b=1)], "ba"),
        ([*week(0, b=1, a=1)], "ab"),
        ([*week(0, c=1), *week(2, a=1, b=9)], "cba"),
        ([*week(0, a=1), *week(1, a=1, b=3, c=2)], "bca"),
    ],
    ids=["faster", "no increase", "a tie", "older than two weeks", "nothing rises"],
)
def test_what_rises_fastest_trends(tmp_path: Path, rows: list[Interaction], expected: str) -> None:
    assert "".join(listed(TrendingNow, rows, tmp_path)) == expected


@pytest.mark.parametrize("stand_in", [MostPopular, TrendingNow])
def test_all_users_see_the_same_watched_items_included(stand_in: type[StandIn]) -> None:
    trained = stand_in(THE_SAMPLE)
    shown = trained.recommend("user-1", 500)
    assert shown == trained.recommend("nobody", 500, "vod-001")
    assert {item for item, _ in shown} == {*THE_SAMPLE.items}


@pytest.mark.parametrize(
    ("stand_in", "expected"),
    [
        (MostPopular, {"Counts": "users with a Watch event, from 2025-01-01 to 2025-12-31"}),
        (
            TrendingNow,
            {
                "Counts": "interactions after 2025-12-24, to 2025-12-31",
                "Less": "interactions after 2025-12-17, to 2025-12-24",
            },
        ),
    ],
)
def test_the_window_is_said(stand_in: Callable[..., StandIn], expected: dict[str, str]) -> None:
    assert dict(stand_in(THE_SAMPLE).facts) == expected
