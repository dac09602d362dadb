"""The picture of the dashboard is of the dashboard as it is defined."""

import re
from xml.etree import ElementTree

import pytest

from checks import dashboard


@pytest.fixture(scope="module")
def picture() -> str:
    return dashboard.picture()


def test_the_picture_in_the_documents_is_the_present_one(picture: str) -> None:
    assert dashboard.PICTURE.read_text() == picture, "run `make dashboard-picture`"


def test_the_dashboard_picture_says_that_its_data_are_invented(picture: str) -> None:
    texts = [one.text or "" for one in ElementTree.fromstring(picture).iter()]

    assert any("sample data: invented" in text for text in texts)


def test_the_dashboard_picture_needs_nothing_outside_itself_and_runs_nothing(picture: str) -> None:
    assert "<script" not in picture
    assert not re.search(r"""(?:href|src)=["'](?!#)""", picture)
    assert "@import" not in picture


def test_an_expression_without_a_sample_is_not_drawn_as_something_else() -> None:
    with pytest.raises(ValueError, match="no sample"):
        dashboard._used("a / b", {"a": [1.0]})
