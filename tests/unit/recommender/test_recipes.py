"""The table of recipes; the local AWS has its own, from the guide as of November 2026."""

import pytest
from botocore.session import Session

from lambdas.recommender.recipes import Recipe
from local_aws.personalize.recipes import RECIPES
from tests.support.place import RECIPE


def test_recipes_have_the_titles_of_the_guide() -> None:
    assert {recipe.value: recipe.facts.title for recipe in Recipe} == {
        "aws-vod-top-picks": "Top picks for you",
        "aws-vod-because-you-watched-x": "Because you watched X",
        "aws-vod-more-like-x": "More like X",
        "aws-vod-most-popular": "Most popular",
        "aws-vod-trending-now": "Trending now",
    }


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
