"""Because you watched X, and More like X: what the weights of X say."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from local_aws.rehearsal.evaluation import explanation, split
from local_aws.rehearsal.reading import read
from local_aws.rehearsal.related import BecauseYouWatched, MoreLike
from local_aws.rehearsal.training import Learnt, Options, TopPicks
from tests.unit.local_aws.rehearsal.folders import ITEMS, NOW, camps, folder_of, the_sample

pytestmark = pytest.mark.usefixtures("one_split")
THE_SAMPLE = the_sample()
related = pytest.mark.parametrize("stand_in", [BecauseYouWatched, MoreLike])


@cache
def of_the_sample(stand_in: type[Learnt]) -> Learnt:
    return stand_in(THE_SAMPLE)


@related
def test_items_of_x_s_camp_come_first_and_are_found_far_better_than_by_popularity(
    tmp_path: Path, stand_in: type[Learnt]
) -> None:
    trained = stand_in(read(folder_of(tmp_path, camps()), now=NOW))
    for x in range(80):
        best = [item for item, _ in trained.recommend("nobody", 5, f"i{x:02}")]
        assert all((item < "i40") == (x < 40) for item in best), (x, best)
    ndcg = "normalized_discounted_cumulative_gain_at_25"
    assert trained.metrics[ndcg] > trained.popularity_metrics[ndcg]
    assert trained.evaluation.metrics[ndcg].verdict == "better"


@related
def test_neither_x_nor_what_the_user_watched_is_shown(stand_in: type[Learnt]) -> None:
    trained = of_the_sample(stand_in)
    for user in ("user-1", "user-2", "user-3"):
        watched = {THE_SAMPLE.items[item] for item in THE_SAMPLE.watched(THE_SAMPLE.history(user))}
        for x in ("vod-001", "vod-118"):
            shown = {item for item, _ in trained.recommend(user, 500, x)}
            assert shown == {*THE_SAMPLE.items} - watched - {x}


@related
def test_of_two_users_who_watched_nothing_each_sees_the_same(stand_in: type[Learnt]) -> None:
    trained = of_the_sample(stand_in)
    assert trained.recommend("one", 50, "vod-001") == trained.recommend("two", 50, "vod-001")
    assert trained.recommend("one", 50, "vod-001") != trained.recommend("one", 50, "vod-002")


def test_more_like_x_is_what_top_picks_without_exploration_shows_to_who_knows_x_alone(
    tmp_path: Path,
) -> None:
    lines = [ITEMS, *(f"i{item:02},{'A' if item % 3 else 'B'},1" for item in range(80))]
    alone = [("alone", "i07", 1_700_000_000, "Click")]
    data = read(folder_of(tmp_path, [*camps(), *alone], items=lines), now=NOW)

    like = MoreLike(data).recommend("nobody", 500, "i07")
    picks = TopPicks(data, Options(exploration_weight=0.0)).recommend("alone", 500)

    known = [one for one in picks if one[1] > 0]
    assert len(known) > 20
    assert like[: len(known)] == known


def test_because_you_watched_learns_from_nothing_but_watch_events(tmp_path: Path) -> None:
    clicks = [(user, item, time + 60, "Click") for user, item, time, _ in camps()[::3]]
    moved = [(user, f"i{79 - int(item[1:]):02}", time, kind) for user, item, time, kind in clicks]
    found = {}
    for name, rows in {"some": clicks, "others": moved}.items():
        data = read(folder_of(tmp_path / name, [*camps(), *rows]), now=NOW)
        found[name] = [
            one(data).recommend("nobody", 80, "i07") for one in (BecauseYouWatched, MoreLike)
        ]
    assert found["some"][0] == found["others"][0]
    assert found["some"][1] != found["others"][1]


def test_an_item_that_nobody_knows_is_like_x_by_its_categories_alone(tmp_path: Path) -> None:
    lines = [ITEMS, *(f"i{item:02},{'A' if item < 40 else 'B'},1" for item in range(80)), "new,A,1"]
    data = read(folder_of(tmp_path, camps(), items=lines), now=NOW)
    scores = {
        stand_in: dict(stand_in(data).recommend("nobody", 500, "i07"))["new"]
        for stand_in in (BecauseYouWatched, MoreLike)
    }
    assert scores[BecauseYouWatched] == 0
    assert scores[MoreLike] > 0


@related
@pytest.mark.parametrize("x", ["", "nothing"])
def test_an_x_that_nobody_knows_is_answered_with_what_is_popular(
    stand_in: type[Learnt], x: str
) -> None:
    users, _ = split(THE_SAMPLE)
    counts: Counter[str] = Counter()
    for user in users:
        items = THE_SAMPLE.items_of(THE_SAMPLE.history_of(int(user)), stand_in.event_type)
        counts.update({THE_SAMPLE.items[item] for item in items})
    expected = sorted(THE_SAMPLE.items, key=lambda item: (-counts[item], item))
    shown = of_the_sample(stand_in).recommend("nobody", 500, x)
    assert [item for item, _ in shown] == expected
    assert {score for _, score in shown} == {0.0}


@related
def test_the_metrics_say_how_x_was_chosen(stand_in: type[Learnt]) -> None:
    trained = of_the_sample(stand_in)
    choices = trained.evaluation.choices
    assert choices[:-1] == TopPicks.choices
    assert choices[-1].startswith("X is the newest")
    assert "It recommends any others by popularity." in explanation(trained.evaluation)[-1]


def test_users_who_have_no_x_are_not_tested(tmp_path: Path) -> None:
    """Of the sixty users, six are tested; here one of these only clicks."""
    rows = camps()
    everybody = read(folder_of(tmp_path / "everybody", rows), now=NOW)
    _, queries = split(everybody)
    assert len(queries) == 6
    clicking = everybody.users[int(everybody.user[queries[0].given.start])]
    changed = [
        (user, item, time, "Click" if user == clicking else kind) for user, item, time, kind in rows
    ]
    data = read(folder_of(tmp_path / "changed", changed), now=NOW)
    assert BecauseYouWatched(data).evaluation.tested == 5
    assert MoreLike(data).evaluation.tested == 6
