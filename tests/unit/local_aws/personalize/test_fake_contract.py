"""The fake of the functions' unit tests answers as the simulated service does.

The fake knows no time, so none passes here. It refuses nothing because of a recommender's state:
its tests set refusals where they want them (`faults`). So a call that the simulator refuses for
another reason than a missing recommender is not made on the fake.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.personalize import Personalize, PersonalizeApi, pages_of
from tests.support.place import GROUP, PLACE, RECIPE
from tests.unit.local_aws.personalize.simulation import Simulation, outcome
from tests.unit.recommender.fakes import FakePersonalize

Call = Callable[[Any, str], Any]
"""Calls a service about a recommender, by its name."""

TAGS: Final = [{"tagKey": "team", "tagValue": "video"}, {"tagKey": "cost", "tagValue": "7"}]


def config(weight: str) -> dict[str, Any]:
    return {v.EXPLORATION: {v.EXPLORATION_WEIGHT: weight, v.EXPLORATION_ITEM_AGE_CUT_OFF: "30"}}


def arn(name: str) -> str:
    return f"{PLACE}recommender/{name}"


CHANGES: Final[Mapping[str, Call]] = {
    "create": lambda api, name: api.create_recommender(
        name=name,
        datasetGroupArn=GROUP,
        recipeArn=RECIPE,
        recommenderConfig=config("0.3"),
        tags=TAGS,
    ),
    "delete": lambda api, name: api.delete_recommender(recommenderArn=arn(name)),
    "start": lambda api, name: api.start_recommender(recommenderArn=arn(name)),
    "stop": lambda api, name: api.stop_recommender(recommenderArn=arn(name)),
    "tag": lambda api, name: api.tag_resource(resourceArn=arn(name), tags=TAGS[:1]),
    "untag": lambda api, name: api.untag_resource(resourceArn=arn(name), tagKeys=["cost", "no"]),
    "update": lambda api, name: api.update_recommender(
        recommenderArn=arn(name), recommenderConfig=config("0.7")
    ),
}
ABSENT: Final[Mapping[str, Call]] = {
    **{name: call for name, call in CHANGES.items() if name != "create"},
    "describe": lambda api, name: api.describe_recommender(recommenderArn=arn(name)),
    "list tags": lambda api, name: api.list_tags_for_resource(resourceArn=arn(name)),
}
"""Calls about a recommender that does not exist."""


def both() -> tuple[Simulation, FakePersonalize]:
    """Return both services, with a recommender that is ACTIVE and one that is INACTIVE."""
    simulation, fake = Simulation(), FakePersonalize()
    for name in ("active", "inactive"):
        simulation.create(name, config("0.3"), tags=TAGS)
        tags = {tag["tagKey"]: tag["tagValue"] for tag in TAGS}
        fake.add(arn(name), name.upper(), tags=tags, recommenderConfig=config("0.3"))
    simulation.clock.advance(100)
    simulation.client.stop_recommender(recommenderArn=arn("inactive"))
    simulation.clock.advance(20)
    return simulation, fake


def shown(api: PersonalizeApi) -> dict[str, Any]:
    """Return what the functions read of each recommender; the fake has no metrics or times."""
    service = Personalize(api)
    found = {}
    for name in sorted(service.names()):
        one = service.describe(arn(name))
        assert one
        update = one.latest_update
        found[name] = (
            *(one.status, one.dataset_group_arn, one.recipe_arn, one.config, one.failure_reason),
            update and (update.status, update.config, update.failure_reason),
            service.tags(arn(name)),
        )
    return found


@given(
    calls=st.lists(
        st.tuples(st.sampled_from(sorted(CHANGES)), st.sampled_from(["active", "inactive", "new"])),
        max_size=6,
    )
)
@settings(max_examples=30)
def test_calls_that_the_simulator_accepts_show_the_same_on_the_fake(
    calls: list[tuple[str, str]],
) -> None:
    simulation, fake = both()
    assert shown(fake) == shown(simulation.client)
    for change, name in calls:
        if outcome(partial(CHANGES[change], simulation.client, name)) == "OK":
            CHANGES[change](fake, name)
        assert shown(fake) == shown(simulation.client), change


def test_a_creation_of_an_existing_recommender_is_refused_by_both() -> None:
    simulation, fake = both()
    before = shown(fake)
    for api in (simulation.client, fake):
        assert outcome(partial(CHANGES["create"], api, "active")) == "ResourceAlreadyExists"
    assert shown(fake) == shown(simulation.client) == before


@pytest.mark.parametrize("call", CHANGES)
def test_an_accepted_call_has_the_same_response_from_both(call: str) -> None:
    simulation, fake = both()
    name = {"create": "new", "start": "inactive"}.get(call, "active")
    responses = [CHANGES[call](api, name) or {} for api in (simulation.client, fake)]
    for response in responses:
        response.pop("ResponseMetadata", None)
    assert responses[0] == responses[1]


@pytest.mark.parametrize("call", ABSENT)
def test_a_call_about_an_absent_recommender_is_refused_by_both(call: str) -> None:
    simulation, fake = both()
    assert outcome(partial(ABSENT[call], simulation.client, "none")) == "ResourceNotFound"
    assert outcome(partial(ABSENT[call], fake, "none")) == "ResourceNotFound"


def test_a_dataset_group_that_can_be_trained_on_is_shown_by_both() -> None:
    simulation, fake = both()
    apis: tuple[PersonalizeApi, ...] = (simulation.client, fake)
    for api in apis:
        group = api.describe_dataset_group(datasetGroupArn=GROUP)["datasetGroup"]
        assert (group["status"], group["domain"]) == ("ACTIVE", "VIDEO_ON_DEMAND")
        pages = pages_of("ListRecipes", api.list_recipes, domain="VIDEO_ON_DEMAND")
        assert RECIPE in {one["recipeArn"] for page in pages for one in page["recipes"]}
        api.describe_dataset(datasetArn=f"{PLACE}dataset/vod/INTERACTIONS")
