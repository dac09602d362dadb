"""What the page says, without a browser."""

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
from markupsafe import escape

from local_aws.page import data_page
from local_aws.page.plots import plots
from local_aws.personalize import wire
from local_aws.rehearsal import NOTICE, sample, training
from local_aws.rehearsal.data import Data
from local_aws.rehearsal.evaluation import CHOICES, METRICS
from local_aws.rehearsal.reading import read
from local_aws.rehearsal.training import TopPicks
from tests.support.place import ACCOUNT, REGION
from tests.unit.local_aws.personalize.simulation import Simulation
from tests.unit.local_aws.rehearsal.folders import ITEMS, NOW, folder_of, watching


@cache
def the_sample() -> Data:
    return read(sample.FOLDER, now=NOW)


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


def test_without_a_recommender_it_says_so(simulation: Simulation) -> None:
    assert "There is no recommender." in page(simulation)


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
    shown = data_page("/a/folder", the_sample(), recommender())
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
        shown = data_page("/a/folder", the_sample(), TopPicks(the_sample()))
    assert "ten splits" not in shown
    assert "Only one split was measured: ten need at most" in shown


def test_a_refused_training_says_why_and_not_that_it_trained() -> None:
    shown = data_page("few", the_sample(), "Dataset has too little")
    assert "A training on this data ends in CREATE FAILED: Dataset has too little" in shown
    assert NOTICE not in shown


def test_before_a_training_nothing_is_said_to_be_trained(simulation: Simulation) -> None:
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


def test_other_methods_have_no_page(simulation: Simulation) -> None:
    status, _, body = wire.handle(
        simulation.service, method="POST", path="/_personalize/", headers={}, body=b""
    )
    assert status == 404
    assert "GET state" in json.loads(body)["message"]


def test_what_files_hold_is_text_and_nothing_else(tmp_path: Path) -> None:
    script = "<script>alert(1)</script>"
    rows = [(script, "i", 1, script), (script, "i", 2, script)]
    lines = [f"{ITEMS},TITLE", f"i,{script},1,{script}"]
    data = read(folder_of(tmp_path, rows, items=lines), now=NOW)
    assert script not in data_page(script, data, script)
    simulation = Simulation()
    simulation.service.seed_dataset_group(ACCOUNT, REGION, "vod", data=str(tmp_path))
    assert script not in page(simulation, f"user={script}")


def test_the_page_refers_to_nothing_outside_and_runs_nothing() -> None:
    html = data_page("the sample", the_sample(), recommender())
    assert NOTICE in html.replace("&#39;", "'")
    references = re.findall(r"""(?:src|href|action|url)\s*[=(]\s*["']?([^"'\s>)]*)""", html)
    assert {one for one in references if not one.startswith(("#", "data:"))} == set()
    assert "<script" not in html
    assert set(re.findall(r"https?://[^\s\"<]*", html)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_the_page_of_the_same_data_is_the_same_every_time() -> None:
    shown = [data_page("the sample", the_sample(), recommender()) for _ in range(2)]
    assert shown[0] == shown[1]


def test_plots_say_in_words_what_they_show() -> None:
    over_time, users, items = plots(read(sample.FOLDER, now=NOW))
    assert over_time.summary == (
        "24 periods of 15.2 days each; the busiest, from 2025-02-15, has 456."
    )
    assert users.summary == ("Half of the users have 21 interactions or fewer, the busiest has 80.")
    assert items.summary.startswith("Half of the items have ")


@pytest.mark.parametrize(("users", "each"), [(1, 1), (3, 1), (30, 40)])
def test_any_data_can_be_plotted(tmp_path: Path, users: int, each: int) -> None:
    data = read(folder_of(tmp_path, watching(users=users, each=each)), now=NOW)
    assert [plot.svg.startswith("<svg") for plot in plots(data)] == [True] * 3


def test_no_interactions_are_not_plotted(tmp_path: Path) -> None:
    data = read(folder_of(tmp_path, []), now=NOW)
    assert "<svg" not in data_page("nothing", data, "Too few")
