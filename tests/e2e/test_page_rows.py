"""The rows of a start page, in a headless Chromium."""

from collections.abc import Iterator

import pytest

from local_aws.engine import LocalAws
from local_aws.rehearsal import NOTICE, sample
from local_aws.rehearsal.recipes import STAND_INS
from tests.support.browser import Browser
from tests.support.local_world import statuses, until


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS with a recommender of each recipe, all trained on the sample."""
    with LocalAws.start(tmp_path_factory.mktemp("aws")) as started:
        started.adjust_personalize({"create_pending": 0, "create_in_progress": 1, "metrics": None})
        group = started.seed_dataset_group("vod", data=str(sample.FOLDER))
        personalize = started.client("personalize")
        for recipe in STAND_INS:
            personalize.create_recommender(
                name=recipe.removeprefix("aws-"),
                datasetGroupArn=group,
                recipeArn=f"arn:aws:personalize:::recipe/{recipe}",
            )
        until(lambda: statuses(started) == {"ACTIVE"})
        yield started
        personalize.close()


def test_a_viewer_sees_a_row_of_ten_for_each_recommender(browser: Browser, url: str) -> None:
    browser.open(f"{url}?user=user-1")
    headings = browser.evaluate("[...document.querySelectorAll('h3[id]')].map(h => h.textContent)")
    assert headings == [
        "Top picks for you",
        "Because you watched The Static Meridian",
        "More like The Static Meridian",
        "Most popular",
        "Trending now",
    ]
    lengths = "[...document.querySelectorAll('ol.row')].map(row => row.children.length)"
    assert browser.evaluate(lengths) == [10] * 5
    text = browser.text()
    assert NOTICE in text
    for recipe in STAND_INS:
        assert f"{recipe.removeprefix('aws-')}, a stand-in for {recipe}" in text
    assert browser.complaints == []


def test_an_item_is_given_and_a_row_scrolled_by_keyboard_alone(browser: Browser, url: str) -> None:
    browser.open(url)
    for expected in ("", "user", "item"):
        browser.press("Tab")
        assert browser.evaluate("document.activeElement.id") == expected
        if expected:
            browser.type({"user": "user-2", "item": "vod-001"}[expected])
    browser.press("Tab")
    browser.press("Enter")
    browser.wait_for_load()
    assert "Because you watched The Borrowed Orchard" in browser.text()
    assert browser.evaluate("document.querySelector('#item').value") == "vod-001"
    for _ in range(5):
        browser.press("Tab")
    assert browser.evaluate("document.activeElement.className") == "row"
    assert browser.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.parametrize("width", [360, 768, 1200])
def test_at_every_width_rows_scroll_and_the_page_does_not(
    browser: Browser, url: str, width: int
) -> None:
    browser.resize(width)
    browser.open(f"{url}?user=user-1")
    assert browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert browser.cut_off("th, td, dd, p, h1, h2, h3, input, ol") == []
    rows = "[...document.querySelectorAll('ol.row')]"
    assert browser.evaluate(f"{rows}.every(row => row.scrollWidth > row.clientWidth)")
    inside = "[...row.children].every(one => one.scrollWidth <= one.clientWidth)"
    assert browser.evaluate(f"{rows}.every(row => {inside})")
    two_cards = "row.children[1].getBoundingClientRect().right <= window.innerWidth"
    assert browser.evaluate(f"{rows}.every(row => {two_cards})")
