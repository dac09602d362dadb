"""Several recommenders of different recipes in one stack: what happens to one is no other's."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.recipes import Recipe
from local_aws.personalize.behaviour import Echo
from tests.reliability.conftest import Plan
from tests.reliability.lifecycles import RESTING
from tests.reliability.recorded import recorded
from tests.reliability.world import HOUR, MINUTE, World, texts
from tests.support.foresight import Foresight
from tests.support.operator import Operator
from tests.support.permissions import Use
from tests.support.place import ACCOUNT, REGION

ROWS: Final[dict[str, dict[str, object]]] = {
    "TopPicks": {},
    "Because": {"recipe": "aws-vod-because-you-watched-x"},
    "Trending": {"recipe": "aws-vod-trending-now"},
}
TOO_LITTLE: Final = "Dataset has fewer than 1000 interactions after filtering by event type: Watch"


@pytest.fixture(autouse=True)
def foresight(world: World) -> Foresight:
    """Compare what `plan` says of each operation with what the operation does."""
    return Foresight(world.cloud)


def rows(**changed: Mapping[str, object] | None) -> dict[str, object]:
    """Return settings of the three rows, some of which have other settings, or are left out."""
    kept = {name: one for name, one in ROWS.items() if changed.get(name, {}) is not None}
    more = {name: one for name, one in changed.items() if one is not None}
    return {
        "recommenders": {name: {**kept.get(name, {}), **more.get(name, {})} for name in kept | more}
    }


def by_row(world: World) -> dict[str, dict[str, Any]]:
    """Return what the stack owns, by the name of its row."""
    names = {str(one.get("recipe", "aws-vod-top-picks")): name for name, one in ROWS.items()}
    return {names[one["recipeArn"].rpartition("/")[2]]: one for one in world.owned}


def changed_since(world: World, calls: int) -> set[str]:
    """Return the ARNs of what the stack's functions have changed after so many calls."""
    return {
        call.resource_arn
        for call in world.service.journal[calls:]
        if call.mutating and call.caller == world.stack.id
    }


def state_of(recommender: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a change of a recommender would change."""
    return {key: one for key, one in recommender.items() if key != "modelMetrics"}


# -- all of them -----------------------------------------------------------------------------------


@pytest.mark.rows("N1")
def test_they_train_at_the_same_time_and_leave_nothing(world: World) -> None:
    world.behaviour.create_in_progress = 1.5 * HOUR
    began = world.clock.now

    world.created(**rows())

    made = by_row(world)
    assert made.keys() == ROWS.keys()
    assert {one["status"] for one in made.values()} == {"ACTIVE"}
    created = [one["creationDateTime"] for one in made.values()]
    assert max(created) - min(created) < MINUTE
    assert world.clock.now - began < 1.5 * HOUR + 10 * MINUTE
    for name, one in made.items():
        assert world.stack.outputs[f"{name}RecommenderArn"] == one["recommenderArn"]
        coverage = one.get("modelMetrics", {}).get("coverage", "n/a")
        assert world.stack.outputs[f"{name}Coverage"] == str(coverage)
    configs = {name: one["recommenderConfig"] for name, one in made.items()}
    assert {name for name, one in configs.items() if v.EXPLORATION in one} == {"TopPicks"}

    world.deleted()
    assert world.cloud.recommenders() == {}


@pytest.mark.rows("N1")
def test_all_five_recipes_live_in_one_stack(world: World) -> None:
    recommenders = {f"Row{number}": {"recipe": recipe} for number, recipe in enumerate(Recipe)}

    world.created(recommenders=recommenders)

    assert sorted(one["recipeArn"].rpartition("/")[2] for one in world.owned) == sorted(Recipe)
    world.deleted()
    assert world.owned == []


# -- one of them -----------------------------------------------------------------------------------

CHANGES: Final[dict[str, dict[str, object]]] = {
    "throughput": {"min_recommendation_requests_per_second": 2},
    "metadata": {"item_metadata": False},
    "columns": {"excluded_columns": {"INTERACTIONS": ["DEVICE"]}},
    "stopped": {"running": False},
    "another dataset group": {
        "dataset_group_arn": f"arn:aws:personalize:{REGION}:{ACCOUNT}:dataset-group/other"
    },
    "a fixed name": {"recommender_name": "films"},
    "force_update": {"force_update": "2"},
    "retained": {"retain_on_destroy": True},
    "gates": {"max_training_hours": 1.5},
    "hours": RESTING,
}


@pytest.mark.rows("N2")
@pytest.mark.parametrize(
    ("row", "change"),
    [
        *(("Because", change) for change in CHANGES),
        *((row, "another dataset group") for row in ("TopPicks", "Trending")),
    ],
)
def test_a_change_of_one_makes_no_call_that_changes_another(
    world: World, row: str, change: str
) -> None:
    world.created(**rows())
    before, calls = by_row(world), len(world.service.journal)

    world.updated(**rows(**{row: CHANGES[change]}))

    after = by_row(world)
    mine = {one[row]["recommenderArn"] for one in (before, after)}
    assert changed_since(world, calls) <= mine
    for other in ROWS.keys() - {row}:
        assert state_of(after[other]) == state_of(before[other])
    world.invariants.forgives.add("rest") if change == "hours" else None


@pytest.mark.rows("N3")
@pytest.mark.parametrize("row", ROWS)
def test_one_whose_replacement_fails_its_training_leaves_all_as_they_were(
    world: World, row: str
) -> None:
    world.created(**rows())
    before, calls = by_row(world), len(world.service.journal)
    world.behaviour.training_failure = TOO_LITTLE

    world.failed(**rows(**{row: {"dataset_group_arn": world.other_group}}))

    recipe = ROWS[row].get("recipe", "aws-vod-top-picks")
    assert f"{TOO_LITTLE}. Hint: {recipe} trains on at least 1000" in texts(world.stack)
    assert by_row(world) == before
    served = {before[other]["recommenderArn"] for other in ROWS}
    assert not changed_since(world, calls) & served


@pytest.mark.rows("N3")
def test_one_whose_update_fails_leaves_all_as_they_were(world: World) -> None:
    row = "Because"
    world.created(**rows())
    before, calls = by_row(world), len(world.service.journal)
    world.behaviour.update_failure = "No capacity left."

    world.failed(**rows(**{row: {"min_recommendation_requests_per_second": 2}}))
    assert changed_since(world, calls) == {before[row]["recommenderArn"]}
    after = by_row(world)
    for name in ROWS:
        assert after[name]["status"] == "ACTIVE"
        assert after[name]["recommenderConfig"] == before[name]["recommenderConfig"]
    for other in ROWS.keys() - {row}:
        assert state_of(after[other]) == state_of(before[other])


@pytest.mark.rows("N3")
def test_a_creation_of_which_one_fails_leaves_nothing(world: World) -> None:
    def before(operation: str, params: dict[str, Any]) -> None:
        if operation == "CreateRecommender":
            fails = params["recipeArn"].endswith("aws-vod-trending-now")
            world.behaviour.training_failure = TOO_LITTLE if fails else None

    world.cloud.before = before
    world.failed(**rows())

    assert TOO_LITTLE in texts(world.stack)
    assert world.cloud.recommenders() == {}


@pytest.mark.rows("N4")
@pytest.mark.parametrize("failure", ["training_failure", "update_failure"])
def test_one_fails_while_another_is_being_changed_and_both_go_back(
    world: World, failure: str
) -> None:
    """A replacement fails while an update goes on, or the other way round."""
    world.created(**rows())
    before = by_row(world)
    late = "update" if failure == "training_failure" else "create"
    setattr(world.behaviour, f"{late}_in_progress", 2 * HOUR)
    setattr(world.behaviour, failure, TOO_LITTLE)
    world.hours = 3.6

    status = world.update(
        **rows(
            TopPicks={"dataset_group_arn": world.other_group},
            Because={"min_recommendation_requests_per_second": 2},
        ),
        max_training_hours=2.5,
    )
    if status == "UPDATE_ROLLBACK_FAILED":  # the update outlasts what its reversal may wait
        world.cloud.run_for(3 * HOUR)
        status = world.stack.roll_back()

    assert status == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)
    assert "cancelled" in texts(world.stack)
    after = by_row(world)
    for name in ROWS:
        assert after[name]["recommenderArn"] == before[name]["recommenderArn"]
        assert after[name]["status"] == "ACTIVE"
        assert after[name]["recommenderConfig"] == before[name]["recommenderConfig"]
    assert state_of(after["Trending"]) == state_of(before["Trending"])


@pytest.mark.rows("N4")
def test_several_are_replaced_at_the_same_time(world: World) -> None:
    world.created(**rows())
    before, began = by_row(world), world.clock.now
    world.behaviour.create_in_progress = 1.5 * HOUR
    other = {"dataset_group_arn": world.other_group}

    world.updated(**rows(TopPicks=other, Because=other))

    after = by_row(world)
    assert world.clock.now - began < 1.5 * HOUR + 20 * MINUTE
    assert {
        one for one in ROWS if after[one]["recommenderArn"] != before[one]["recommenderArn"]
    } == {*("TopPicks", "Because")}
    assert len(world.owned) == 3


# -- more, or fewer --------------------------------------------------------------------------------


@pytest.mark.rows("N5")
def test_one_more_trains_while_the_others_serve_unchanged(world: World) -> None:
    world.created(**rows(Trending=None))
    before, calls = by_row(world), len(world.service.journal)

    world.updated(**rows())

    after = by_row(world)
    assert changed_since(world, calls) == {after["Trending"]["recommenderArn"]}
    assert {name: state_of(after[name]) for name in before} == {
        name: state_of(one) for name, one in before.items()
    }


@pytest.mark.rows("N5")
def test_one_more_that_fails_is_gone_and_the_others_serve_unchanged(world: World) -> None:
    world.created(**rows(Trending=None))
    before = by_row(world)
    world.behaviour.training_failure = TOO_LITTLE

    world.failed(**rows())

    assert by_row(world) == before


@pytest.mark.rows("N5")
def test_one_that_is_taken_out_is_deleted_and_no_other(world: World) -> None:
    row = "Because"
    world.created(**rows())
    before, calls = by_row(world), len(world.service.journal)

    world.updated(**rows(**{row: None}))

    assert changed_since(world, calls) == {before[row]["recommenderArn"]}
    assert by_row(world).keys() == ROWS.keys() - {row}


@pytest.mark.rows("N5")
def test_another_recipe_is_another_recommender(world: World) -> None:
    world.created(**rows(Because=None))
    before, calls = by_row(world), len(world.service.journal)

    changed = rows(Because=None, Trending={"recipe": "aws-vod-because-you-watched-x"})
    world.updated(**changed)

    after = by_row(world)
    assert after.keys() == {"TopPicks", "Because"}
    assert changed_since(world, calls) == {
        *(before["Trending"]["recommenderArn"], after["Because"]["recommenderArn"])
    }
    assert state_of(after["TopPicks"]) == state_of(before["TopPicks"])


@pytest.mark.rows("N5")
def test_another_recipe_under_the_same_fixed_name_is_refused_before_any_change(
    world: World,
) -> None:
    world.created(recommender_name="films")
    assert world.failed(recommender_name="films", recipe="aws-vod-most-popular") == []
    assert "has the recipe" in texts(world.stack)


@pytest.mark.rows("N7")
def test_the_only_recommender_becomes_one_of_several_and_serves_on(world: World) -> None:
    world.created()
    before, calls = world.recommender, len(world.service.journal)
    several: dict[str, object] = {"recommenders": {"": {}, "Because": ROWS["Because"]}}

    world.updated(**several)

    after = by_row(world)
    assert changed_since(world, calls) == {after["Because"]["recommenderArn"]}
    assert state_of(after["TopPicks"]) == state_of(before)
    assert world.stack.outputs["RecommenderArn"] == before["recommenderArn"]
    world.updated()
    assert state_of(world.recommender) == state_of(before)


# -- what a recipe demands, and what Personalize answers -------------------------------------------


@pytest.mark.rows("N6")
@pytest.mark.parametrize(
    ("recipe", "echo"),
    [
        *((recipe, "nothing") for recipe in Recipe),
        *((Recipe.VOD_TRENDING_NOW, echo) for echo in get_args(Echo) if echo != "nothing"),
    ],
    indirect=["echo"],
)
@pytest.mark.usefixtures("echo")
def test_each_recipe_lives_whatever_is_shown_of_its_configuration(
    world: World, recipe: str
) -> None:
    more = {"recipe": recipe}

    world.created(**more)
    changes: tuple[dict[str, object], ...] = (
        {"min_recommendation_requests_per_second": 2},
        {"min_recommendation_requests_per_second": 2, "item_metadata": False},
        {"running": False},
        {},
    )
    for change in changes:
        world.updated(**more, **change)
        sent = world.recommender["recommenderConfig"]
        assert (v.EXPLORATION in sent) is (recipe == "aws-vod-top-picks")
    world.deleted()
    assert world.owned == []


@pytest.mark.rows("N6")
@pytest.mark.parametrize(
    ("answer", "coverage"), [("absent", 0.4), ("empty", 0.4), ("reported", 0.4), ("reported", 0.01)]
)
def test_a_gate_on_metrics_that_may_not_be_reported_warns(
    world: World, answer: Literal["absent", "empty", "reported"], coverage: float
) -> None:
    world.behaviour.popular_metrics = answer
    world.behaviour.metrics = {"coverage": coverage}
    gate: dict[str, object] = {"minimum_metrics": {"coverage": 0.1}, "quality_gate": "warn"}

    world.created(recipe="aws-vod-most-popular", **gate)

    passes = answer == "reported" and coverage == 0.4
    expected = "passed" if passes else "warned: coverage is "
    assert world.stack.outputs["QualityGate"].startswith(expected)
    assert world.stack.outputs["Coverage"] == (str(coverage) if answer == "reported" else "n/a")


@pytest.mark.rows("N6")
@pytest.mark.parametrize("recipe", [one for one in Recipe if not one.facts.explores])
def test_exploration_of_a_recipe_that_has_none_is_no_drift_and_is_not_sent(
    world: World, operator: Operator, recipe: str
) -> None:
    """AWS does not document whether it is refused; somebody may have set it."""
    world.behaviour.unused_config = "accepted"
    world.created(recipe=recipe)
    world.edit(world.arn, {"itemExplorationConfig": {"explorationWeight": "0.9"}})

    assert "matches" in operator.expect(0, "drift")
    world.behaviour.unused_config = "rejected"
    more = {"recipe": recipe, "min_recommendation_requests_per_second": 2}
    world.updated(**more)
    assert world.recommender["recommenderConfig"]["minRecommendationRequestsPerSecond"] == 2


@pytest.mark.rows("N6")
@pytest.mark.parametrize("recipe", [Recipe.VOD_MORE_LIKE_X, Recipe.VOD_TRENDING_NOW])
def test_without_items_each_recipe_that_does_not_train_on_them_lives(
    world: World, recipe: str
) -> None:
    group = world.service.seed_dataset_group(ACCOUNT, REGION, "bare", datasets=("Interactions",))
    given = {"recipe": recipe, "dataset_group_arn": group}

    world.failed(**given)
    assert "has no ITEMS dataset" in texts(world.stack)
    assert world.attempts("CreateRecommender") == []

    world.stack = world.cloud.stack("TopPicks-2")
    status = world.create(**given, item_metadata=False)
    needs = recipe == "aws-vod-more-like-x"
    assert status == ("ROLLBACK_COMPLETE" if needs else "CREATE_COMPLETE"), texts(world.stack)


@pytest.mark.rows("N6", "S5")
@pytest.mark.parametrize("metadata", [True, False])
@pytest.mark.parametrize("recipe", Recipe)
def test_the_functions_of_each_recipe_are_allowed_what_they_call_and_read_no_other_dataset(
    world: World, monkeypatch: pytest.MonkeyPatch, recipe: str, metadata: bool
) -> None:
    records = recorded(monkeypatch)
    world.created(recipe=recipe, item_metadata=metadata)
    record = records["TopPicks"]
    assert not record.refused
    fixed = (":dataset/", ":dataset-group/", "::recipe/")
    unused = record.permissions.unused(record.uses)
    assert {use for use in unused if any(one in use.resource for one in fixed)} <= {
        # CreateRecommender is authorised by the simulation on the recommender and its group
        Use("personalize:CreateRecommender", f"arn:aws:personalize:::recipe/{recipe}")
    }


# -- by name ---------------------------------------------------------------------------------------


@pytest.mark.rows("N1", "M1")
def test_each_has_an_observer_that_writes_its_name(world: World) -> None:
    world.created(**rows(), monitoring=True)

    lines = [json.loads(line) for line in world.cloud.observe(world.stack)]

    assert {line["Recommender"]: line["RecommenderArn"] for line in lines} == {
        f"TopPicks/Recommenders/{name}": one["recommenderArn"]
        for name, one in by_row(world).items()
    }
    assert {(line["Drift"], line["Leftovers"], line["Active"]) for line in lines} == {(0, 0, 1)}
    assert [line for line in lines if line.get("NotShown")] == []


@pytest.mark.rows("N1", "M2")
def test_drift_of_one_is_seen_by_its_own_observer_alone(world: World) -> None:
    world.created(**rows(), monitoring=True)
    world.invariants.forgives.add("rest")
    world.edit(
        by_row(world)["Because"]["recommenderArn"], {"minRecommendationRequestsPerSecond": 5}
    )

    lines = [json.loads(line) for line in world.cloud.observe(world.stack)]

    drifted = {line["Recommender"].rpartition("/")[2] for line in lines if line["Drift"]}
    assert drifted == {"Because"}


@pytest.mark.rows("N1", "N2")
def test_plan_says_what_becomes_of_each(world: World, plan: Plan) -> None:
    world.created(**rows(Trending=None))
    because = by_row(world)["Because"]
    settings = rows(
        Because={"min_recommendation_requests_per_second": 2}, TopPicks={"item_metadata": False}
    )

    shown = plan(4, **settings)

    assert "first training: " in shown
    assert "; 2 more of its recommenders change" in shown
    assert f"UpdateRecommender of {because['name']}" in shown
    assert "min_recommendation_requests_per_second: 1 -> 2" in shown
    assert "item_metadata: true -> false" in shown
    assert "be refused" not in shown


@pytest.mark.rows("N1")
def test_plan_counts_what_is_created_together(plan: Plan) -> None:
    shown = plan(4, recommenders={f"Row{number}": {} for number in range(6)})

    refused = "the dataset group has 5 recommenders, with those that this deployment creates, and"
    assert shown.count(refused) == 6


@pytest.mark.rows("N1")
def test_status_and_drift_show_each_by_its_name(world: World, operator: Operator) -> None:
    world.created(**rows())

    shown = operator.expect(0, "status")
    drift = " ".join(operator.expect(0, "drift").split())

    for name, one in by_row(world).items():
        block = shown.partition(f"Recommenders{name}")[2].partition("Construct")[0]
        assert one["name"] in block
        assert re.search(rf"{one['name']} \(Recommenders{name}\w+\) matches", drift)
    assert "leftover" not in operator.expect(0, "leftovers", "--stack", "TopPicks").lower()


@pytest.mark.rows("N1", "N2")
def test_a_difference_is_shown_by_name_with_the_setting_that_corrects_it(
    world: World, operator: Operator
) -> None:
    world.created(**rows())
    world.invariants.forgives.add("rest")
    changed = by_row(world)["Because"]
    world.edit(changed["recommenderArn"], {"minRecommendationRequestsPerSecond": 5})

    status = " ".join(operator.expect(1, "status").split())
    drift = " ".join(operator.expect(1, "drift").split())

    named = r"RecommendersBecause\w+"
    assert re.search(rf"Exit code 1: the recommender {named} differs from its template\.", status)
    assert re.search(rf"{changed['name']} \({named}\) differs from", drift)
    assert re.search(rf'give {named} force_update="2"', drift)

    again = rows(Because={"force_update": "2"})
    world.updated(**again)
    assert operator.expect(0, "drift")


@pytest.mark.rows("N1")
def test_the_deployment_under_way_is_followed_by_name(world: World, operator: Operator) -> None:
    world.behaviour.create_in_progress = HOUR
    settings = world.given(rows(Trending={"max_training_hours": 2.8}))
    world.stack.create(settings, wait=False)
    world.cloud.run_for(30 * MINUTE)

    code, shown = operator.run("status", "--follow")

    assert code == 0
    assert re.search(r"Hour\d\dOf\d\d of RecommendersTrending\w+, ", shown), "it waits for longest"
    assert "TopPicks is CREATE_COMPLETE" in shown


@pytest.mark.rows("N1")
def test_leftovers_of_several_are_found_by_their_owners(world: World, operator: Operator) -> None:
    world.created(**rows())
    kept = by_row(world)
    tags = [{"tagKey": key, "tagValue": one} for key, one in kept["Because"]["tags"].items()]
    world.invariants.strays.add("copy")
    world.cloud.outsider().create_recommender(
        name="copy",
        datasetGroupArn=world.group,
        recipeArn=kept["Because"]["recipeArn"],
        tags=tags,  # type: ignore[arg-type]
    )
    world.cloud.run_for(HOUR)

    shown = operator.expect(1, "leftovers", "--stack", "TopPicks")

    assert "copy" in shown
    operator.expect(0, "leftovers", "--stack", "TopPicks", "--delete", "--yes")
    assert by_row(world) == kept
