"""The five recipes of a video service: requirements, refusals, metrics, and their parameters."""

from itertools import chain, combinations
from typing import Any, NamedTuple

import pytest

from local_aws.personalize.behaviour import TOP_PICKS_METRICS
from local_aws.personalize.recipes import RECIPES
from tests.unit.local_aws.personalize.simulation import ARN, Simulation, message, outcome

USER, ITEM = "userId", "itemId"


class Guide(NamedTuple):
    """The facts of a recipe; datasets by type, the type of the events, and the parameters."""

    required: set[str]
    optional: set[str]
    event_type: str | None
    parameters: set[str]
    explores: bool


GUIDE = {
    "aws-vod-because-you-watched-x": Guide({"INTERACTIONS"}, set(), "Watch", {USER, ITEM}, False),
    "aws-vod-more-like-x": Guide({"INTERACTIONS", "ITEMS"}, set(), None, {USER, ITEM}, False),
    "aws-vod-most-popular": Guide({"INTERACTIONS"}, set(), "Watch", {USER}, False),
    "aws-vod-top-picks": Guide({"INTERACTIONS"}, {"ITEMS", "USERS"}, None, {USER}, True),
    "aws-vod-trending-now": Guide({"INTERACTIONS"}, set(), None, set(), False),
}
"""Read from the page VIDEO_ON_DEMAND-use-cases of the guide, November 2026."""
EXPLORING = {"itemExplorationConfig": {"explorationWeight": "0.3"}}
EXPLORING_MORE = {"itemExplorationConfig": {"explorationWeight": "0.5"}}
recipes = pytest.mark.parametrize("recipe", GUIDE)
answers = pytest.mark.parametrize("answer", ["rejected", "accepted"])


@recipes
def test_a_recipe_requires_and_offers_what_the_guide_says(recipe: str) -> None:
    known = RECIPES[recipe]
    assert known.domain == "VIDEO_ON_DEMAND"
    assert GUIDE[recipe] == Guide(
        {*known.required},
        {*known.optional},
        known.event_type,
        {*known.parameters},
        known.explores,
    )


def test_the_five_recipes_of_the_domain_are_listed_and_described(simulation: Simulation) -> None:
    pages = list(simulation.client.get_paginator("list_recipes").paginate(domain="VIDEO_ON_DEMAND"))
    listed = [recipe for page in pages for recipe in page["recipes"]]
    assert len(pages) == 2
    assert sorted(one["name"] for one in listed) == sorted(GUIDE)
    for one in listed:
        described = simulation.client.describe_recipe(recipeArn=one["recipeArn"])["recipe"]
        assert (described["name"], described["status"]) == (one["name"], "ACTIVE")
        assert described["recipeArn"] == f"arn:aws:personalize:::recipe/{one['name']}"
        assert one["domain"] == "VIDEO_ON_DEMAND"


# -- datasets ----------------------------------------------------------------------------------


REQUIRED = [(recipe, kind) for recipe in GUIDE for kind in sorted(GUIDE[recipe].required)]


@pytest.mark.parametrize(("recipe", "kind"), REQUIRED)
@pytest.mark.parametrize("answer", ["rejected", "training fails"])
def test_without_a_required_dataset_nothing_serves(recipe: str, kind: str, answer: str) -> None:
    simulation = Simulation(missing_dataset=answer)
    kept = {"INTERACTIONS", "ITEMS", "USERS"} - {kind}
    group = simulation.seed("part", datasets=kept)
    expected = f"{recipe} requires a dataset of type {kind}: {group}"

    def create() -> str:
        return simulation.create(recipe=recipe, datasetGroupArn=group)

    if answer == "rejected":
        assert outcome(create) == "InvalidInput"
        assert message(create) == expected
    else:
        create()
        simulation.clock.advance(100)
        failed = simulation.describe()
        assert (failed["status"], failed["failureReason"]) == ("CREATE FAILED", expected)


@recipes
def test_the_required_datasets_are_enough(simulation: Simulation, recipe: str) -> None:
    required = GUIDE[recipe].required
    group = simulation.seed("part", datasets=required)
    simulation.create_active(recipe=recipe, datasetGroupArn=group)
    assert simulation.status() == "ACTIVE"


# -- configuration -----------------------------------------------------------------------------


@recipes
@answers
def test_exploration_is_for_top_picks_alone(recipe: str, answer: str) -> None:
    simulation = Simulation(unused_config=answer)
    expected = "OK" if GUIDE[recipe].explores or answer == "accepted" else "InvalidInput"
    simulation.create_active(recipe=recipe)
    assert outcome(lambda: simulation.update(**EXPLORING_MORE)) == expected
    found = outcome(lambda: simulation.create(recipe=recipe, name="other", config=EXPLORING))
    assert found == expected


@recipes
@pytest.mark.parametrize(
    ("kind", "member"),
    [
        ("INTERACTIONS", "excludedDatasetColumns"),
        ("ITEMS", "includedDatasetColumns"),
        ("USERS", "excludedDatasetColumns"),
        ("Items", "excludedDatasetColumns"),
    ],
)
@answers
def test_columns_are_of_datasets_that_train(
    recipe: str, kind: str, member: str, answer: str
) -> None:
    simulation = Simulation(unused_config=answer)
    config = {"trainingDataConfig": {member: {kind: ["SOMETHING"]}}}
    trains = kind.upper() in GUIDE[recipe].required | GUIDE[recipe].optional
    expected = "OK" if trains or answer == "accepted" else "InvalidInput"
    assert outcome(lambda: simulation.create(recipe=recipe, config=config)) == expected


@recipes
def test_what_is_accepted_without_use_is_kept_and_shown(recipe: str) -> None:
    simulation = Simulation(unused_config="accepted")
    simulation.create_active(recipe=recipe, config=EXPLORING)
    assert simulation.describe()["recommenderConfig"] == EXPLORING


@recipes
def test_metadata_comes_with_every_recipe_whose_group_has_items(recipe: str) -> None:
    simulation = Simulation()
    flag = {"enableMetadataWithRecommendations": True}
    simulation.create_active(recipe=recipe, config=flag)
    items = ask(simulation, {USER, ITEM}, metadataColumns={"ITEMS": ["TITLE"]})
    assert all(item["metadata"].keys() == {"title"} for item in items)


@recipes
def test_the_echo_in_full_shows_exploration_only_where_there_is_some(recipe: str) -> None:
    simulation = Simulation(echo="in full", normalise_numbers=True)
    simulation.create_active(recipe=recipe)
    shown = simulation.describe()["recommenderConfig"]
    assert ("itemExplorationConfig" in shown) == GUIDE[recipe].explores


# -- metrics -----------------------------------------------------------------------------------

PERSONAL = ("aws-vod-because-you-watched-x", "aws-vod-more-like-x", "aws-vod-top-picks")


@recipes
@pytest.mark.parametrize("answer", ["absent", "empty", "reported"])
def test_metrics_are_reported_by_recipe(recipe: str, answer: str) -> None:
    simulation = Simulation(popular_metrics=answer)
    simulation.create_active(recipe=recipe)
    described = simulation.describe()
    if recipe in PERSONAL or answer == "reported":
        assert described["modelMetrics"] == TOP_PICKS_METRICS
    else:
        assert described.get("modelMetrics") == (None if answer == "absent" else {})


# -- recommendations ---------------------------------------------------------------------------

VALUES = {USER: "user-1", ITEM: "vod-001"}
SUBSETS = [{*subset} for subset in chain.from_iterable(combinations(VALUES, n) for n in range(3))]


def ask(simulation: Simulation, given: set[str], **more: Any) -> list[Any]:
    request: dict[str, Any] = {name: VALUES[name] for name in given} | more
    return list(simulation.runtime.get_recommendations(recommenderArn=ARN, **request)["itemList"])


@recipes
@pytest.mark.parametrize("given", SUBSETS, ids=lambda given: "+".join(sorted(given)) or "nothing")
def test_a_request_needs_the_parameters_of_the_recipe(recipe: str, given: set[str]) -> None:
    simulation = Simulation()
    simulation.create_active(recipe=recipe)
    lacking = GUIDE[recipe].parameters - given
    assert outcome(lambda: ask(simulation, given)) == ("InvalidInput" if lacking else "OK")
    if lacking:
        expected = f"{recipe} requires {', '.join(sorted(lacking, reverse=True))}"
        assert message(lambda: ask(simulation, given)) == expected


@recipes
@pytest.mark.parametrize("name", [USER, ITEM])
def test_an_empty_parameter_is_none(recipe: str, name: str) -> None:
    simulation = Simulation()
    simulation.create_active(recipe=recipe)
    expected = "InvalidInput" if name in GUIDE[recipe].parameters else "OK"
    assert outcome(lambda: ask(simulation, {USER, ITEM}, **{name: ""})) == expected


@recipes
def test_an_item_is_not_related_to_itself_and_ignored_where_it_is_not_used(recipe: str) -> None:
    simulation = Simulation()
    simulation.create_active(recipe=recipe)
    shown = {item["itemId"] for item in ask(simulation, {USER, ITEM}, numResults=100)}
    assert (VALUES[ITEM] in shown) == (ITEM not in GUIDE[recipe].parameters)
    assert len(shown) in (59, 60)
