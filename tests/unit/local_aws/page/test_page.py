"""What the page says, without a browser."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from html import unescape
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

import pytest
from markupsafe import escape

from local_aws.page import data_page
from local_aws.page.plots import plots
from local_aws.personalize import wire
from local_aws.rehearsal import NOTICE, sample, training
from local_aws.rehearsal.evaluation import CHOICES, METRICS
from local_aws.rehearsal.findings import findings
from local_aws.rehearsal.reading import read
from local_aws.rehearsal.recipes import STAND_INS
from local_aws.rehearsal.training import TopPicks
from tests.unit.local_aws.personalize.simulation import ARN, Simulation
from tests.unit.local_aws.rehearsal.folders import ITEMS, NOW, folder_of, the_sample, watching


@cache
def recommender() -> TopPicks:
    return TopPicks(the_sample())


def page(simulation: Simulation, query: str = "") -> str:
    status, headers, body = wire.handle(
        simulation.service, method="GET", path="/_personalize/", query=query, headers={}, body=b""
    )
    assert status == 200
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    return body.decode()


def test_a_recommender_is_shown_with_what_comes_next(simulation: Simulation) -> None:
    simulation.create()
    simulation.clock.advance(5)
    assert "CREATE PENDING, for 5 s" in page(simulation)
    assert "CREATE IN_PROGRESS in 5 s, ACTIVE in 1 min 35 s, at the earliest" in page(simulation)


def test_an_update_is_shown_as_what_comes_next(simulation: Simulation) -> None:
    simulation.create_active()
    simulation.update(minRecommendationRequestsPerSecond=2)
    assert "CREATE IN_PROGRESS of the update in 5 s, ACTIVE of the update in 50 s" in page(
        simulation
    )


def test_a_page_of_data_shows_what_was_measured_and_what_that_depends_on() -> None:
    shown = data_page("/a/folder", the_sample(), (), recommender())
    facts = re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", shown)
    assert facts == [
        ("Folder", "/a/folder"),
        ("Exploration weight", "0.3"),
        ("Item age cut-off", "30 days"),
        ("Excluded columns of Items", "none"),
        ("Tested users", "40 of 400"),
        ("Items learnt about", "180 of 180"),
    ]
    assert metrics_in(shown) == list(METRICS)
    for one in recommender().evaluation.metrics.values():
        plus_minus = "" if one.error is None else f" ± {one.error:.4f}"
        assert f">{one.value:.4f}{plus_minus}<" in shown
        assert f">{one.mean:.4f} ± {one.deviation:.4f}<" in shown
    assert all(choice in shown for choice in html_of(CHOICES))


def test_of_much_data_there_is_no_column_for_ten_splits() -> None:
    with patch.object(training, "SPREAD_ITEMS", 10):
        shown = data_page("/a/folder", the_sample(), (), TopPicks(the_sample()))
    assert "ten splits" not in shown
    assert "Only one split was measured: ten need at most" in shown


def test_a_refused_training_says_why_and_not_that_it_trained() -> None:
    shown = data_page("few", the_sample(), (), "Dataset has too little")
    assert "A training on this data ends in CREATE FAILED: Dataset has too little" in shown
    assert NOTICE not in shown


def test_without_a_recommender_nothing_is_said_to_be_trained(simulation: Simulation) -> None:
    assert "There is no recommender." in page(simulation)
    assert "No model has been trained here yet." in page(simulation)
    assert "Trained on this machine" not in page(simulation)


def metrics_in(shown: str) -> list[str]:
    headers = re.findall(r"<th [^>]*>(.*?)</th>", shown.replace("<wbr>", ""))
    return [one for one in headers if one in METRICS]


def html_of(texts: Iterable[str]) -> list[str]:
    return [str(escape(text)) for text in texts]


def test_fixed_metrics_are_said_to_be_fixed(simulation: Simulation) -> None:
    simulation.create_active()
    shown = page(simulation)
    assert "These metrics are fixed by a switch. Nothing was measured." in shown
    assert "0.0768" in shown
    assert metrics_in(shown) == list(METRICS), "K in its order"


def test_why_a_training_failed_is_shown() -> None:
    simulation = Simulation(training_failure="no <luck>")
    simulation.create_active()
    assert "<dd>no &lt;luck&gt;</dd>" in page(simulation)


def start_page(
    folder: Path, *recipes: str, behaviour: Mapping[str, Any] = MappingProxyType({})
) -> Simulation:
    """Return a simulation with a recommender of each recipe, all trained."""
    simulation = Simulation(metrics=None, **behaviour)
    simulation.seed("vod", data=str(folder))
    for number, recipe in enumerate(recipes):
        simulation.create(f"films-{number}", recipe=recipe)
    for source in simulation.service.sources().values():
        for each in [*source._trainings.values()]:
            each.exception()
    simulation.clock.advance(100)
    return simulation


@cache
def trained_on_all() -> Simulation:
    """Return a recommender of each recipe; tests change nothing about them."""
    return start_page(sample.FOLDER, *sorted(STAND_INS))


def all_rows(query: str) -> str:
    return page(trained_on_all(), query)


def rows_in(shown: str) -> dict[str, list[str]]:
    """Return the headings of the rows, each with the ids of its items."""
    found = re.findall(r'<h3 id="row[^>]*>(.*?)</h3>(.*?)(?=<h3|</section>)', shown, re.DOTALL)
    return {unescape(title): re.findall(r"<span>([^ ]*-\d+)</span>", row) for title, row in found}


def test_a_start_page_has_a_row_for_each_recommender_as_a_viewer_sees_them() -> None:
    data = the_sample()
    x = data.newest_watched("user-1")
    title = data.metadata[x]["TITLE"]

    rows = rows_in(all_rows("user=user-1"))

    assert [*rows] == [
        "Top picks for you",
        f"Because you watched {title}",
        f"More like {title}",
        "Most popular",
        "Trending now",
    ]
    for shown, stand_in in zip(rows.values(), STAND_INS.values(), strict=True):
        expected = stand_in(data).recommend("user-1", 10, x)
        assert shown == [item for item, _ in expected]


def test_a_start_page_says_of_each_row_that_it_is_a_stand_in_and_how_it_is_made() -> None:
    shown = all_rows("user=user-1")
    for number, (recipe, stand_in) in enumerate(sorted(STAND_INS.items())):
        assert f"films-{number}, a stand-in for {recipe}" in shown
        if recipe != "aws-vod-top-picks":
            assert f"<dt>Recipe</dt><dd>{recipe}</dd>" in shown
            assert str(escape(stand_in.rule)) in shown
    assert shown.count("<strong>Metrics: n/a.</strong>") == 2
    assert metrics_in(shown) == list(METRICS) * 3
    assert shown.count("Interactions of user-1: the newest 10 of") == 1
    assert NOTICE in unescape(shown)


def test_another_x_makes_other_rows_for_it_alone() -> None:
    before = rows_in(all_rows("user=user-1"))
    after = rows_in(all_rows("user=user-1&item=vod-001"))
    title = the_sample().metadata["vod-001"]["TITLE"]
    assert [*after][1:3] == [f"Because you watched {title}", f"More like {title}"]
    assert [*before.values()][0::3] == [*after.values()][0::3]
    assert [*before.values()][4] == [*after.values()][4]
    assert [*before.values()][1:3] != [*after.values()][1:3]


def test_an_x_that_the_data_does_not_have_is_said_to_be_none() -> None:
    shown = all_rows("user=user-1&item=<b>")
    assert shown.count("The data has no item &lt;b&gt;, so the row shows popular items.") == 2
    assert "Because you watched <b>" in rows_in(shown)


def test_who_has_watched_nothing_has_no_row_because_of_it() -> None:
    shown = all_rows("user=nobody")
    rows = rows_in(shown)
    assert shown.count("nobody has not watched anything yet. Enter an item above.") == 2
    assert [bool(items) for items in rows.values()] == [True, False, False, True, True]
    assert "nobody has no interactions" in shown


def test_without_a_user_there_are_no_rows() -> None:
    assert rows_in(all_rows("")) == {}


def test_top_picks_alone_is_shown_as_before_and_asks_for_no_item() -> None:
    shown = page(start_page(sample.FOLDER, "aws-vod-top-picks"), "user=user-1")
    assert rows_in(shown) == {}
    assert "Recommendations of films-0 for user-1" in shown
    assert 'name="item"' not in shown
    assert "aws-vod" not in shown


def test_two_lists_of_popular_items_ask_for_no_item() -> None:
    shown = page(start_page(sample.FOLDER, "aws-vod-most-popular", "aws-vod-trending-now"))
    assert 'name="item"' not in shown


def test_a_recommender_that_does_not_serve_has_no_row() -> None:
    simulation = start_page(sample.FOLDER, "aws-vod-most-popular", "aws-vod-trending-now")
    simulation.client.stop_recommender(recommenderArn=f"{ARN}-0")
    simulation.clock.advance(20)
    assert [*rows_in(page(simulation, "user=user-1"))] == ["Trending now"]


def test_each_dataset_group_has_rows_of_its_own(tmp_path: Path) -> None:
    simulation = start_page(sample.FOLDER, "aws-vod-most-popular", "aws-vod-top-picks")
    folder = folder_of(tmp_path, watching(users=60, each=20))
    simulation.seed("other", data=str(folder))
    shown = page(simulation, "user=user-1")
    assert re.findall("<h2>Rows of the dataset group (.*?) for user-1</h2>", shown) == ["vod"]
    assert [*rows_in(shown)] == ["Top picks for you", "Most popular"]


def test_titles_and_ids_in_rows_are_text_and_nothing_else(tmp_path: Path) -> None:
    script = "<script>alert(1)</script>"
    rows = [(user, script, time, kind) for user, _, time, kind in watching(users=60, each=20)]
    lines = [f"{ITEMS},TITLE", f"{script},{script},1,{script}"]
    simulation = start_page(folder_of(tmp_path, rows, items=lines), "aws-vod-most-popular")
    assert script not in page(simulation, f"user={script}&item={script}")


def test_what_files_hold_is_text_and_nothing_else(tmp_path: Path) -> None:
    script = "<script>alert(1)</script>"
    rows = [(script, "i", 1, script), (script, "i", 2, script)]
    lines = [f"{ITEMS},TITLE", f"i,{script},1,{script}"]
    data = read(folder_of(tmp_path, rows, items=lines), now=NOW)
    assert script not in data_page(script, data, findings(data), script)
    simulation = Simulation()
    simulation.seed("vod", data=str(tmp_path))
    assert script not in page(simulation, f"user={script}")


def test_the_page_refers_to_nothing_outside_and_runs_nothing() -> None:
    html = data_page("the sample", the_sample(), findings(the_sample()), recommender())
    assert NOTICE in html.replace("&#39;", "'")
    references = re.findall(r"""(?:src|href|action|url)\s*[=(]\s*["']?([^"'\s>)]*)""", html)
    assert {one for one in references if not one.startswith(("#", "data:"))} == set()
    assert "<script" not in html
    assert set(re.findall(r"https?://[^\s\"<]*", html)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_the_page_of_the_same_data_is_the_same_every_time() -> None:
    given = ("the sample", the_sample(), findings(the_sample()), recommender())
    assert data_page(*given) == data_page(*given)


def test_plots_say_in_words_what_they_show() -> None:
    over_time, users, items = plots(the_sample())
    assert over_time.summary == (
        "24 periods of 15.2 days each; the busiest, from 2025-02-15, has 456."
    )
    assert users.summary == ("Half of the users have 21 interactions or fewer, the busiest has 80.")
    assert items.summary.startswith("Half of the items have ")


@pytest.mark.parametrize(("users", "each"), [(1, 1), (3, 1), (30, 40)])
def test_any_data_can_be_plotted(tmp_path: Path, users: int, each: int) -> None:
    data = read(folder_of(tmp_path, watching(users=users, each=each)), now=NOW)
    assert [plot.svg.startswith("<svg") for plot in plots(data)] == [True] * 3


def test_headers_alone_are_not_plotted(tmp_path: Path) -> None:
    data = read(folder_of(tmp_path, [], items=[ITEMS], users=["USER_ID,PLAN"]), now=NOW)
    assert "<svg" not in data_page("nothing", data, findings(data), "Too few")
