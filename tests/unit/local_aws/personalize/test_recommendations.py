"""Recommendations where there is no data: the catalogue as it is."""

from typing import Any

import pytest

from local_aws.personalize.catalogue import CATALOGUE
from tests.unit.local_aws.personalize.simulation import ARN, Simulation, message, outcome

METADATA = {"enableMetadataWithRecommendations": True}


@pytest.fixture
def serving() -> Simulation:
    simulation = Simulation()
    simulation.create_active(config=METADATA)
    return simulation


def _ask(simulation: Simulation, **more: Any) -> list[Any]:
    request = {"recommenderArn": ARN, "userId": "user-1"}
    return list(simulation.runtime.get_recommendations(**(request | more))["itemList"])


def test_without_data_all_users_get_the_catalogue_in_its_order(serving: Simulation) -> None:
    """Without scores, too: those of domains are not shown."""
    assert _ask(serving) == [{"itemId": one["ITEM_ID"]} for one in CATALOGUE[:25]]
    assert _ask(serving) == _ask(serving, userId="user-2")


@pytest.mark.parametrize(
    ("names", "title", "genres"),
    [("lower case", "title", "genres"), ("as requested", "TITLE", "GENRES")],
)
def test_metadata_has_the_columns_that_are_requested(names: Any, title: str, genres: str) -> None:
    titles = {item["ITEM_ID"]: item["TITLE"] for item in CATALOGUE}
    simulation = Simulation(metadata_names=names)
    simulation.create_active(config=METADATA)

    items = _ask(simulation, metadataColumns={"ITEMS": ["TITLE", "GENRES"]}, numResults=50)

    assert items
    for item in items:
        assert item["metadata"].keys() == {title, genres}
        assert item["metadata"][title] == titles[item["itemId"]]


def test_no_more_come_than_there_are_titles(serving: Simulation) -> None:
    assert len({item["itemId"] for item in _ask(serving, numResults=500)}) == 60


@pytest.mark.parametrize(
    "request_",
    [
        {"numResults": 501},
        {"numResults": 51, "metadataColumns": {"ITEMS": ["TITLE"]}},
        {"metadataColumns": {"ITEMS": ["NO_SUCH_COLUMN"]}},
        {"metadataColumns": {"USERS": ["AGE"]}},
        {"metadataColumns": {"ITEMS": ["TITLE"] * 11}},
        {"filterArn": "arn:aws:personalize:eu-west-1:111111111111:filter/new"},
    ],
)
def test_requests_beyond_the_limits_are_refused(
    serving: Simulation, request_: dict[str, Any]
) -> None:
    assert outcome(lambda: _ask(serving, **request_)) == "InvalidInput"


def test_a_campaign_is_not_simulated(serving: Simulation) -> None:
    ask = serving.runtime.get_recommendations
    arn = "arn:aws:personalize:eu-west-1:111111111111:campaign/c"
    assert outcome(lambda: ask(campaignArn=arn, userId="1")) == "InvalidInput"


def test_metadata_is_refused_until_an_update_that_enables_it_is_in_force() -> None:
    simulation = Simulation()
    simulation.create_active()

    def ask() -> list[Any]:
        return _ask(simulation, metadataColumns={"ITEMS": ["TITLE"]})

    assert outcome(ask) == "InvalidInput"
    simulation.update(**METADATA)
    simulation.clock.advance(49)
    assert outcome(ask) == "InvalidInput"
    simulation.clock.advance(1)
    assert outcome(ask) == "OK"


def test_a_recommender_that_does_not_serve_is_refused_in_the_words_of_the_service() -> None:
    simulation = Simulation()
    expected = f"{ARN} does not exist or is not active yet."
    assert message(lambda: _ask(simulation)) == expected
    simulation.create()
    assert message(lambda: _ask(simulation)) == expected
