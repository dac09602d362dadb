"""The stand-ins for the five recipes of a video service."""

from functools import cache
from pathlib import Path
from random import Random

import pytest

from local_aws.personalize.recipes import RECIPES
from local_aws.rehearsal.evaluation import METRICS
from local_aws.rehearsal.reading import read
from local_aws.rehearsal.recipes import STAND_INS
from local_aws.rehearsal.training import Options, RefusedError, StandIn
from tests.unit.local_aws.rehearsal.folders import NOW, folder_of, the_sample, watching

pytestmark = pytest.mark.usefixtures("one_split")
THE_SAMPLE = the_sample()
recipes = pytest.mark.parametrize("recipe", STAND_INS)


@cache
def of_the_sample(recipe: str) -> StandIn:
    return STAND_INS[recipe](THE_SAMPLE)


def test_each_recipe_of_the_simulated_domain_has_a_stand_in_that_requires_the_same_events() -> None:
    domain = {name: one for name, one in RECIPES.items() if one.domain == "VIDEO_ON_DEMAND"}
    assert domain.keys() == STAND_INS.keys()
    for name, recipe in domain.items():
        assert STAND_INS[name].event_type == recipe.event_type
        assert ("{item}" in STAND_INS[name].title) == ("itemId" in recipe.parameters)


@recipes
def test_a_stand_in_is_measured_or_says_why_not(recipe: str) -> None:
    trained = of_the_sample(recipe)
    measured = RECIPES[recipe].has_metrics is True
    assert [*trained.metrics] == (list(METRICS) if measured else [])
    assert bool(trained.evaluation) is measured
    assert bool(trained.unmeasured) is not measured
    if trained.evaluation:
        assert trained.evaluation.values == trained.metrics


@recipes
def test_scores_fall_from_1_at_most_to_0_at_least(recipe: str) -> None:
    trained = of_the_sample(recipe)
    for user in ("user-1", "user-2", "nobody"):
        for item in (THE_SAMPLE.newest_watched(user), "nothing"):
            found = trained.recommend(user, 500, item)
            scores = [score for _, score in found]
            assert scores == sorted(scores, reverse=True)
            assert 0 <= scores[-1] <= scores[0] <= 1
            assert len({item_id for item_id, _ in found}) == len(found) > 100


@recipes
def test_a_shorter_list_is_the_beginning_of_a_longer_one(recipe: str) -> None:
    trained = of_the_sample(recipe)
    longest = trained.recommend("user-1", 500, "vod-118")
    for most in (1, 10, 25, 100):
        assert trained.recommend("user-1", most, "vod-118") == longest[:most]


@recipes
def test_an_item_makes_another_list_where_the_recipe_has_an_x_and_nowhere_else(
    recipe: str,
) -> None:
    trained = of_the_sample(recipe)
    lists = {str(trained.recommend("user-1", 500, x)) for x in ("", "vod-001", "vod-061")}
    assert len(lists) == (3 if "itemId" in RECIPES[recipe].parameters else 1)


@recipes
def test_the_same_rows_in_another_order_give_the_same_list(tmp_path: Path, recipe: str) -> None:
    rows, found = watching(users=60, each=20), set()
    for number in range(3):
        Random(number).shuffle(rows)
        data = read(folder_of(tmp_path / str(number), rows), now=NOW)
        trained = STAND_INS[recipe](data)
        found.add(str((trained.metrics, trained.recommend("u001", 40, "i003"))))
    assert len(found) == 1


@recipes
@pytest.mark.parametrize(("watched", "clicked"), [(999, 500), (1000, 500), (999, 0)])
def test_the_service_requires_a_thousand_events_of_the_recipes_type(
    tmp_path: Path, recipe: str, watched: int, clicked: int
) -> None:
    rows = [
        (user, item, time, "Watch" if number < watched else "Click")
        for number, (user, item, time, _) in enumerate(watching(users=60, each=25))
    ][: watched + clicked]
    data = read(folder_of(tmp_path, rows), now=NOW)
    counted = watched if RECIPES[recipe].event_type else watched + clicked
    if counted >= 1000:
        STAND_INS[recipe](data)
    else:
        reason = "fewer than 1000 interactions after filtering by event type: Watch$"
        with pytest.raises(RefusedError, match=reason):
            STAND_INS[recipe](data)


@pytest.mark.parametrize("recipe", [name for name in STAND_INS if not RECIPES[name].explores])
def test_exploration_changes_nothing_where_there_is_none(recipe: str) -> None:
    found = [
        STAND_INS[recipe](THE_SAMPLE, Options(exploration_weight=weight)).recommend(
            "user-1", 50, "vod-118"
        )
        for weight in (0.0, 1.0)
    ]
    assert found[0] == found[1]


@recipes
def test_an_excluded_column_has_an_effect_where_items_train(recipe: str) -> None:
    without = Options(excluded_item_columns=frozenset({"GENRES"}))
    one, other = of_the_sample(recipe), STAND_INS[recipe](THE_SAMPLE, without)
    trains = "ITEMS" in {*RECIPES[recipe].required, *RECIPES[recipe].optional}
    found = [each.recommend("user-1", 50, "vod-118") for each in (one, other)]
    assert (found[0] != found[1]) == trains
    assert (dict(one.facts) != dict(other.facts)) == trains
