"""What a request must be like: the model's constraints, the guide's rules, and quotas."""

import re
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_aws.personalize import ServiceError
from tests.support.place import ACCOUNT, GROUP, RECIPE, REGION
from tests.unit.local_aws.personalize.simulation import ARN, Simulation, message, outcome

FILMS: dict[str, Any] = {"name": "films", "datasetGroupArn": GROUP, "recipeArn": RECIPE}
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,62}", re.ASCII)


def _call(simulation: Simulation, operation: str, params: dict[str, Any]) -> None:
    """Call the service as boto3 would not: without its checks."""
    simulation.service.call(operation, params, account=ACCOUNT, region=REGION)


@settings(max_examples=50)
@given(
    name=st.one_of(
        st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=70),
        st.text(min_size=1, max_size=5),
    )
)
def test_a_name_is_accepted_exactly_if_the_whole_of_it_matches(name: str) -> None:
    try:
        _call(Simulation(), "CreateRecommender", FILMS | {"name": name})
        accepted = True
    except ServiceError as error:
        accepted = False
        assert error.code == "ValidationException"
    assert accepted == bool(NAME.fullmatch(name))


def _configured(**config: Any) -> dict[str, Any]:
    return {"recommenderConfig": config}


def _updated(**config: Any) -> dict[str, Any]:
    return {"recommenderArn": ARN} | _configured(**config)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"name": "n" * 64}, "'name' failed to satisfy constraint: Member must have length less"),
        ({"name": "films\n"}, "'name' failed to satisfy constraint: Member must satisfy regular"),
        ({"recipeArn": "arn:aws:s3:::bucket"}, "'recipeArn' failed to satisfy constraint"),
        (
            {"datasetGroupArn": "arn:aws:personalize:r:a:dataset-group/" + "n" * 256},
            "'datasetGroupArn' failed to satisfy constraint: Member must have length less",
        ),
        (
            _configured(itemExplorationConfig={str(key): "" for key in range(101)}),
            "'recommenderConfig.itemExplorationConfig' failed to satisfy constraint",
        ),
        (
            _configured(itemExplorationConfig={"explorationWeight": "0" * 1001}),
            "'recommenderConfig.itemExplorationConfig.explorationWeight.member' failed",
        ),
        (
            _configured(trainingDataConfig={"excludedDatasetColumns": {"ITEMS": ["NOT-A-COLUMN"]}}),
            "'recommenderConfig.trainingDataConfig.excludedDatasetColumns.ITEMS.member.1.member'",
        ),
        (
            _configured(trainingDataConfig={"excludedDatasetColumns": {"ITEMS 2": []}}),
            "'recommenderConfig.trainingDataConfig.excludedDatasetColumns.key' failed",
        ),
        ({"tags": [{"tagKey": "a#b", "tagValue": ""}]}, "'tags.1.member.tagKey' failed"),
        ({"tags": [{"tagKey": "a", "tagValue": "v" * 257}]}, "'tags.1.member.tagValue' failed"),
    ],
)
def test_what_boto3_lets_through_the_service_refuses(
    simulation: Simulation, changes: dict[str, Any], constraint: str
) -> None:
    assert outcome(lambda: simulation.create(**changes)) == "Validation"
    assert constraint in message(lambda: simulation.create(**changes))


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "ValidationException"),
        ({"recommenderArn": None}, "ValidationException"),
        ({"recommenderArn": ARN, "tags": []}, "ValidationException"),
        ({"recommenderArn": 1}, "SerializationException"),
        ({"recommenderArn": True}, "SerializationException"),
        ({"recommenderArn": ARN, "recommenderConfig": []}, "SerializationException"),
        (_updated(enableMetadataWithRecommendations=1), "SerializationException"),
        (_updated(minRecommendationRequestsPerSecond=True), "SerializationException"),
        (_updated(minRecommendationRequestsPerSecond=0), "ValidationException"),
    ],
)
def test_what_boto3_would_not_send_is_refused(params: dict[str, Any], code: str) -> None:
    simulation = Simulation()
    simulation.create_active()
    with pytest.raises(ServiceError) as refused:
        _call(simulation, "UpdateRecommender", params)
    assert refused.value.code == code


def test_all_violations_are_named_at_once(simulation: Simulation) -> None:
    text = message(lambda: simulation.create(name="-", recipeArn="x"))
    assert text.startswith("2 validation errors detected: ")
    assert "'name'" in text
    assert "'recipeArn'" in text


def test_the_code_of_a_violation_is_a_switch() -> None:
    simulation = Simulation(validation_code="InvalidInputException")
    assert outcome(lambda: simulation.create(name="-")) == "InvalidInput"


def test_null_members_are_as_good_as_absent(simulation: Simulation) -> None:
    nulls = {"recommenderConfig": {"itemExplorationConfig": None}, "tags": None}
    _call(simulation, "CreateRecommender", FILMS | nulls)
    assert simulation.describe()["recommenderConfig"] == {}
    assert simulation.tags() == {}


@pytest.mark.parametrize(
    "config",
    [
        {"itemExplorationConfig": {"explorationweight": "0.3"}},
        {"itemExplorationConfig": {"explorationWeight": "1.01"}},
        {"itemExplorationConfig": {"explorationWeight": "-0.1"}},
        {"itemExplorationConfig": {"explorationWeight": "a lot"}},
        {"itemExplorationConfig": {"explorationWeight": "NaN"}},
        {"itemExplorationConfig": {"explorationWeight": ""}},
        {"itemExplorationConfig": {"explorationItemAgeCutOff": "0"}},
        {"itemExplorationConfig": {"explorationItemAgeCutOff": "Infinity"}},
        {"trainingDataConfig": {"excludedDatasetColumns": {"INTERACTIONS": ["EVENT_TYPE"]}}},
    ],
)
def test_a_configuration_out_of_range_is_refused_by_create_and_update(
    simulation: Simulation, config: dict[str, Any]
) -> None:
    assert outcome(lambda: simulation.create(config=config)) == "InvalidInput"
    simulation.create_active()
    assert outcome(lambda: simulation.update(**config)) == "InvalidInput"


@pytest.mark.parametrize(
    "exploration",
    [
        {"explorationWeight": "0", "explorationItemAgeCutOff": "1"},
        {"explorationWeight": "1.0", "explorationItemAgeCutOff": "100000"},
    ],
)
def test_the_ends_of_the_ranges_are_allowed(
    simulation: Simulation, exploration: dict[str, str]
) -> None:
    simulation.create(config={"itemExplorationConfig": exploration})
    assert simulation.describe()["recommenderConfig"]["itemExplorationConfig"] == exploration


def test_metadata_needs_an_items_dataset(simulation: Simulation) -> None:
    group = simulation.seed("plain", datasets=("Interactions",))
    flag = {"enableMetadataWithRecommendations": True}
    assert outcome(lambda: simulation.create(config=flag, datasetGroupArn=group)) == "InvalidInput"
    simulation.create(datasetGroupArn=group)
    simulation.clock.advance(100)
    assert outcome(lambda: simulation.update(**flag)) == "InvalidInput"


@pytest.mark.parametrize(
    ("seed", "answer"),
    [
        ({"domain": "ECOMMERCE"}, "InvalidInput"),
        ({"datasets": ("Items",)}, "InvalidInput"),
        ({"status": "CREATE IN_PROGRESS"}, "ResourceInUse"),
        ({}, "OK"),
    ],
)
def test_the_dataset_group_must_be_fit_for_the_recipe(
    simulation: Simulation, seed: dict[str, Any], answer: str
) -> None:
    group = simulation.seed("other", **seed)
    assert outcome(lambda: simulation.create(datasetGroupArn=group)) == answer


def test_a_custom_dataset_group_is_refused_in_the_words_of_the_service(
    simulation: Simulation,
) -> None:
    group = simulation.seed("custom", domain=None)
    assert message(lambda: simulation.create(datasetGroupArn=group)) == (
        "Please use a domains-specific Dataset Group to create the Recommender"
    )


@pytest.mark.parametrize(
    "group_arn",
    [
        "arn:aws:personalize:eu-west-1:111111111111:dataset-group/nothing",
        "arn:aws:personalize:us-east-1:111111111111:dataset-group/vod",
        "arn:aws:personalize:eu-west-1:222222222222:dataset-group/vod",
    ],
)
def test_the_dataset_group_must_exist_in_the_account_and_region(
    simulation: Simulation, group_arn: str
) -> None:
    simulation.service.seed_dataset_group(ACCOUNT, "us-east-1", "vod")
    simulation.service.seed_dataset_group("222222222222", REGION, "vod")
    assert message(lambda: simulation.create(datasetGroupArn=group_arn)) == (
        f"The given dataset group does not exist: {group_arn}"
    )


@pytest.mark.parametrize(
    "recipe", ["aws::recipe/aws-vod-top-pick", "aws-cn::recipe/aws-vod-top-picks"]
)
def test_the_recipe_must_exist_in_the_partition(simulation: Simulation, recipe: str) -> None:
    partition, _, rest = recipe.partition("::")
    arn = f"arn:{partition}:personalize:::{rest}"
    assert outcome(lambda: simulation.create(recipeArn=arn)) == "ResourceNotFound"


def test_a_custom_recipe_makes_no_recommender(simulation: Simulation) -> None:
    arn = "arn:aws:personalize:::recipe/aws-user-personalization-v2"
    assert outcome(lambda: simulation.create(recipeArn=arn)) == "InvalidInput"


def test_a_taken_name_is_refused_in_the_words_of_the_service(simulation: Simulation) -> None:
    simulation.create()
    assert message(simulation.create) == f"Another resource with Arn {ARN} already exists."


def test_a_dataset_group_has_five_recommenders_in_whatever_status(simulation: Simulation) -> None:
    simulation.behaviour.training_failure = "no data"
    for number in range(5):
        simulation.create(f"films-{number}")
    simulation.clock.advance(100)
    assert outcome(lambda: simulation.create("sixth")) == "LimitExceeded"
    simulation.client.delete_recommender(recommenderArn=ARN + "-0")
    assert outcome(lambda: simulation.create("sixth")) == "LimitExceeded"
    simulation.clock.advance(20)
    assert outcome(lambda: simulation.create("sixth")) == "OK"


def test_a_region_has_fifteen_recommenders(simulation: Simulation) -> None:
    groups = [simulation.seed(f"vod-{n}") for n in range(4)]
    for number in range(15):
        simulation.create(f"films-{number}", datasetGroupArn=groups[number // 5])
    assert message(lambda: simulation.create(datasetGroupArn=groups[3])) == (
        "Cannot create a recommender. More than 15 resources in ACTIVE state. "
        "Please delete some and try again."
    )


def test_every_nth_call_is_throttled() -> None:
    simulation = Simulation(throttle_every=3)
    simulation.create()
    outcomes = [outcome(simulation.describe) for _ in range(5)]
    assert outcomes == ["OK", "Throttling", "OK", "OK", "Throttling"]


def test_what_was_sent_is_not_shared_with_what_is_kept(simulation: Simulation) -> None:
    config = {"itemExplorationConfig": {"explorationWeight": "0.3"}}
    _call(simulation, "CreateRecommender", FILMS | {"recommenderConfig": config})
    config["itemExplorationConfig"]["explorationWeight"] = "0.9"
    [recommender] = simulation.service.recommenders(ACCOUNT, REGION)
    recommender["recommenderConfig"].clear()
    assert simulation.describe()["recommenderConfig"] == {
        "itemExplorationConfig": {"explorationWeight": "0.3"}
    }
