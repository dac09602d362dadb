"""The page of the local AWS, in a headless Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.engine import LocalAws
from local_aws.page import data_page
from local_aws.rehearsal import NOTICE, sample
from local_aws.rehearsal.evaluation import Evaluation
from local_aws.rehearsal.findings import findings
from local_aws.rehearsal.reading import read
from tests.support.browser import Browser
from tests.support.local_world import statuses, until
from tests.support.place import RECIPE
from tests.unit.local_aws.rehearsal.folders import NOW, folder_of, watching

REASON = "Dataset has fewer than 1000 interactions after filtering by event type: Watch"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS with a recommender that was trained on the sample, and one that failed."""
    few = folder_of(tmp_path_factory.mktemp("few"), watching(users=27, each=37))
    with LocalAws.start(tmp_path_factory.mktemp("aws")) as started:
        started.adjust_personalize({"create_pending": 0, "create_in_progress": 1, "metrics": None})
        personalize = started.client("personalize")
        for name, folder in (("films", sample.FOLDER), ("few", few)):
            personalize.create_recommender(
                name=name,
                datasetGroupArn=started.seed_dataset_group(name, data=str(folder)),
                recipeArn=RECIPE,
            )
        until(lambda: statuses(started) == {"ACTIVE", "CREATE FAILED"})
        yield started
        personalize.close()


def test_the_page_shows_every_recommender_with_its_status_and_metrics(
    browser: Browser, aws: LocalAws, url: str
) -> None:
    browser.open(url)
    text = browser.text()
    assert NOTICE in text
    assert "ACTIVE, for " in text
    assert "none, until a call changes it" in text
    assert REASON in text
    (films,) = [one for one in aws.personalize_state()["recommenders"] if one["name"] == "films"]
    assert len(films["modelMetrics"]) == 8
    evaluation = Evaluation.of(films["evaluation"])
    assert evaluation.values == films["modelMetrics"]
    for name, one in evaluation.metrics.items():
        error = "" if one.error is None else f" ± {one.error:.4f}"
        assert f"{name}\t{one.value:.4f}{error}\t{one.popularity:.4f}" in text


def test_the_page_asks_for_nothing_but_itself_and_the_browser_complains_of_nothing(
    browser: Browser, url: str
) -> None:
    browser.open(url)
    assert [one for one in browser.requests if not one.startswith("data:")] == [url]
    assert browser.complaints == []


def test_a_user_is_looked_up_by_keyboard_alone(browser: Browser, url: str) -> None:
    browser.open(url)
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.textContent") == "To the content"
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.id") == "user"
    browser.type("user-2")
    browser.press("Tab")
    browser.press("Enter")
    browser.wait_for_load()
    text = browser.text()
    assert "Recommendations of films for user-2" in text
    assert "Interactions of user-2: the newest" in text
    assert browser.evaluate("document.querySelector('#user').value") == "user-2"


def test_the_focus_can_be_seen(browser: Browser, url: str) -> None:
    browser.open(url)
    for _ in range(3):
        browser.press("Tab")
        style = "getComputedStyle(document.activeElement).outlineStyle"
        assert browser.evaluate(style) == "solid"


def test_a_new_user_is_said_to_be_one_and_shown_what_is_popular(browser: Browser, url: str) -> None:
    browser.open(f"{url}?user=nobody")
    said = "nobody has no interactions. Personalize recommends popular items to new users."
    assert said in browser.text()


def test_what_a_user_writes_is_text_and_nothing_else(browser: Browser, url: str) -> None:
    browser.open(f"{url}?user=%3Cb%20id=injected%3E")
    assert "<b id=injected> has no interactions" in browser.text()
    assert browser.evaluate("document.querySelector('#injected')") is None


@pytest.mark.parametrize("width", [360, 768, 800, 1200])
def test_at_every_width_nothing_is_cut_off_and_each_metric_shows_its_value(
    browser: Browser, aws: LocalAws, url: str, width: int
) -> None:
    browser.resize(width)
    browser.open(f"{url}?user=user-1")
    assert browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert browser.cut_off("th, td, dd, p, h1, h2") == []
    (films,) = [one for one in aws.personalize_state()["recommenders"] if one["name"] == "films"]
    text = browser.text()
    for name, value in films["modelMetrics"].items():
        assert name in text
        assert f"{value:.4f}" in text


def test_plots_can_be_read(browser: Browser, url: str) -> None:
    browser.open(url)
    assert browser.evaluate(
        "[...document.querySelectorAll('.plot svg')].every(s => s.clientWidth > 400)"
    )


def test_a_report_on_data_is_a_file_that_shows_the_same(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    data = read(sample.FOLDER, now=NOW)
    file.write_text(data_page("the sample", data, findings(data), REASON))
    browser.open(file.as_uri())
    assert "Interactions over time" in browser.text()
    bars = "document.querySelectorAll('figure svg rect.bar, figure svg .bar rect').length"
    assert browser.evaluate(bars) > 30
    assert browser.complaints == []
