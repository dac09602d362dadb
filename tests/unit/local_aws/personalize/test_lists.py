"""Lists and their pages; recipes, dataset groups and datasets."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.place import ACCOUNT, RECIPE, REGION
from tests.unit.local_aws.personalize.simulation import Simulation, outcome


def _names(simulation: Simulation, **more: Any) -> list[str]:
    pages = simulation.client.get_paginator("list_recommenders").paginate(**more)
    return [one["name"] for page in pages for one in page["recommenders"]]


@settings(max_examples=25)
@given(
    count=st.integers(0, 12),
    page_size=st.integers(1, 5),
    max_results=st.one_of(st.none(), st.integers(1, 100)),
)
def test_pages_hold_everything_once_and_no_more_than_asked_for(
    count: int, page_size: int, max_results: int | None
) -> None:
    simulation = Simulation(page_size=page_size, recommenders_per_dataset_group=12)
    names = [f"films-{number:02}" for number in range(count)]
    for name in names:
        simulation.create(name)
    asked: Any = {"PaginationConfig": {"PageSize": max_results}} if max_results else {}
    pages = list(simulation.client.get_paginator("list_recommenders").paginate(**asked))
    assert [one["name"] for page in pages for one in page["recommenders"]] == names
    limit = min(page_size, max_results or 100)
    assert max(len(page["recommenders"]) for page in pages) <= limit
    assert len(pages) == max(1, math.ceil(count / limit))


def test_a_recommender_that_goes_between_two_pages_hides_no_other() -> None:
    simulation = Simulation(page_size=2, delete=0)
    for name in "abcd":
        simulation.create_active(name)
    first = simulation.client.list_recommenders()
    simulation.client.delete_recommender(recommenderArn=first["recommenders"][0]["recommenderArn"])
    second = simulation.client.list_recommenders(nextToken=first["nextToken"])
    assert [one["name"] for one in second["recommenders"]] == ["c", "d"]


def test_recommenders_are_listed_by_dataset_group(simulation: Simulation) -> None:
    other = simulation.seed("other")
    simulation.create("a")
    simulation.create("b", datasetGroupArn=other)
    assert _names(simulation) == ["a", "b"]
    assert _names(simulation, datasetGroupArn=other) == ["b"]


@pytest.mark.parametrize("token", ["", "nonsense", "bm9uc2Vuc2U=", "\x7f"])
def test_a_token_of_no_page_is_refused(simulation: Simulation, token: str) -> None:
    assert outcome(lambda: simulation.client.list_recipes(nextToken=token)) == "InvalidNextToken"


def test_a_token_is_for_its_own_list(simulation: Simulation) -> None:
    token = simulation.client.list_recipes()["nextToken"]
    assert outcome(lambda: simulation.client.list_datasets(nextToken=token)) == "InvalidNextToken"


def test_without_a_domain_custom_recipes_are_listed_too(simulation: Simulation) -> None:
    pages = simulation.client.get_paginator("list_recipes").paginate()
    recipes = {recipe["name"]: recipe for page in pages for recipe in page["recipes"]}
    assert "domain" not in recipes["aws-user-personalization-v2"]
    assert recipes["aws-ecomm-recommended-for-you"]["domain"] == "ECOMMERCE"


def test_a_domain_that_does_not_exist_is_refused(simulation: Simulation) -> None:
    assert outcome(lambda: simulation.client.list_recipes(domain="NEWS")) == "Validation"  # type: ignore[arg-type]


def test_a_recipe_that_is_not_there_is_not_found(simulation: Simulation) -> None:
    describe = simulation.client.describe_recipe
    assert outcome(lambda: describe(recipeArn=RECIPE + "x")) == "ResourceNotFound"


@pytest.mark.parametrize("domain", ["VIDEO_ON_DEMAND", "ECOMMERCE", None])
def test_a_dataset_group_says_its_domain_if_it_has_one(
    simulation: Simulation, domain: str | None
) -> None:
    arn = simulation.seed("g", domain=domain, status="X")
    group = simulation.client.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]
    assert group.get("domain") == domain
    assert group["status"] == "X"
    assert group["name"] == "g"


def test_the_datasets_of_a_group_are_listed_and_described(simulation: Simulation) -> None:
    simulation.seed("other", datasets=("Interactions",))
    group = simulation.dataset_group_arn
    listed = simulation.client.list_datasets(datasetGroupArn=group)["datasets"]
    prefix = f"arn:aws:personalize:{REGION}:{ACCOUNT}:dataset/vod"
    arns = [dataset["datasetArn"] for dataset in listed]
    assert arns == [f"{prefix}/INTERACTIONS", f"{prefix}/ITEMS", f"{prefix}/USERS"]
    dataset = simulation.client.describe_dataset(datasetArn=f"{prefix}/ITEMS")["dataset"]
    assert dataset["datasetGroupArn"] == group
    assert dataset["datasetType"] == "ITEMS"


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:personalize:{REGION}:{ACCOUNT}:dataset/vod/ACTIONS",
        f"arn:aws:personalize:{REGION}:{ACCOUNT}:dataset/other/ITEMS",
        f"arn:aws:personalize:{REGION}:222222222222:dataset/vod/ITEMS",
    ],
)
def test_a_dataset_that_is_not_there_is_not_found(simulation: Simulation, arn: str) -> None:
    simulation.service.seed_dataset_group("222222222222", REGION, "vod")
    describe = simulation.client.describe_dataset
    assert outcome(lambda: describe(datasetArn=arn)) == "ResourceNotFound"
