"""The table of recipes, against the guide as it was read in November 2026."""

from typing import Any

import pytest
from botocore.session import Session

from lambdas.recommender.recipes import Recipe
from local_aws.personalize.recipes import RECIPES
from tests.support.place import RECIPE

GUIDE: dict[str, dict[str, Any]] = {
    "aws-vod-top-picks": {
        "title": "Top picks for you",
        "required": {"INTERACTIONS"},
        "optional": {"ITEMS", "USERS"},
        "events": "",
        "explores": True,
        "parameters": {"userId"},
        "shows_metrics": True,
    },
    "aws-vod-because-you-watched-x": {
        "title": "Because you watched X",
        "required": {"INTERACTIONS"},
        "optional": set(),
        "events": "Watch",
        "explores": False,
        "parameters": {"userId", "itemId"},
        "shows_metrics": True,
    },
    "aws-vod-more-like-x": {
        "title": "More like X",
        "required": {"INTERACTIONS", "ITEMS"},
        "optional": set(),
        "events": "",
        "explores": False,
        "parameters": {"userId", "itemId"},
        "shows_metrics": True,
    },
    "aws-vod-most-popular": {
        "title": "Most popular",
        "required": {"INTERACTIONS"},
        "optional": set(),
        "events": "Watch",
        "explores": False,
        "parameters": {"userId"},
        "shows_metrics": False,
    },
    "aws-vod-trending-now": {
        "title": "Trending now",
        "required": {"INTERACTIONS"},
        "optional": set(),
        "events": "",
        "explores": False,
        "parameters": set(),
        "shows_metrics": False,
    },
}
"""Of "VIDEO_ON_DEMAND use cases", and of the other pages that the table names."""


def test_recipes_are_those_of_the_domain() -> None:
    assert [*Recipe] == [*GUIDE]


@pytest.mark.parametrize("recipe", GUIDE)
def test_facts_of_a_recipe_are_those_of_the_guide(recipe: str) -> None:
    facts = vars(Recipe(recipe).facts)
    sets = {name: set(facts[name]) for name in ("required", "optional", "parameters")}

    assert facts | sets == GUIDE[recipe]


def test_parameters_are_those_of_get_recommendations() -> None:
    model = Session().get_service_model("personalize-runtime")
    shape = model.operation_model("GetRecommendations").input_shape

    assert shape
    assert {name for recipe in Recipe for name in recipe.facts.parameters} <= shape.members.keys()


@pytest.mark.parametrize(
    ("arn", "recipe"),
    [
        (RECIPE, Recipe.VOD_TOP_PICKS),
        ("arn:aws-cn:personalize:::recipe/aws-vod-most-popular", Recipe.VOD_MOST_POPULAR),
        ("arn:aws:personalize:::recipe/aws-vod-of-tomorrow", None),
        ("", None),
    ],
)
def test_recipe_is_found_by_its_arn_in_every_partition(arn: str, recipe: Recipe | None) -> None:
    assert Recipe.of(arn) is recipe


@pytest.mark.parametrize("recipe", Recipe)
def test_items_are_needed_for_metadata_or_if_they_are_required(recipe: Recipe) -> None:
    required = recipe is Recipe.VOD_MORE_LIKE_X

    assert recipe.needs(metadata=True) == ("INTERACTIONS", "ITEMS")
    assert recipe.needs(metadata=False) == (
        ("INTERACTIONS", "ITEMS") if required else ("INTERACTIONS",)
    )


def test_the_local_aws_has_the_same_requirements_though_it_has_a_table_of_its_own() -> None:
    """It imports nothing of ours, so that one table tests the other."""
    of_video = {name: one for name, one in RECIPES.items() if one.domain == "VIDEO_ON_DEMAND"}

    assert of_video.keys() == set(Recipe)
    for recipe in Recipe:
        ours, theirs = recipe.facts, of_video[recipe]
        assert (ours.required, ours.optional) == (theirs.required, theirs.optional)
        assert (ours.events or None, ours.explores) == (theirs.event_type, theirs.explores)
        assert ours.parameters == theirs.parameters
        assert ours.shows_metrics == bool(theirs.has_metrics)
