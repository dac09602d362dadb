"""An instance of a function that keeps the permissions it began with spoils no change of them.

Reported, not documented: aws-samples/amazon-opensearch-service-sample-cdk pull requests 145 and 146
(a custom resource is refused 19 seconds after its policy was changed), aws-cdk issue 37675.
"""

import math
from typing import Any

import pytest
from aws_cdk import Stack as CdkStack

from stacks.recommender import TopPicksRecommender
from tests.reliability.world import MINUTE, World
from tests.support.synthesis import Deployable

pytestmark = pytest.mark.rows("TH8")

FOR = pytest.mark.parametrize("kept", [MINUTE, 3 * MINUTE, math.inf])


@pytest.mark.parametrize(
    ("kept", "changes"),
    [
        (MINUTE, "both"),
        (3 * MINUTE, "both"),
        (math.inf, "both"),
        (math.inf, "dataset_group_arn"),
        (math.inf, "recommender_name"),
    ],
)
def test_a_replacement_is_allowed_by_the_permissions_that_come_with_it(
    world: World, kept: float, changes: str
) -> None:
    world.cloud.instances_keep_permissions = kept
    world.created(recommender_name="first")
    given = {"recommender_name": "second", "dataset_group_arn": world.other_group}

    world.updated(
        **{"recommender_name": "first"}
        | {key: value for key, value in given.items() if changes in (key, "both")}
        | ({"recommender_name": "second"} if changes == "dataset_group_arn" else {})
    )
    assert world.recommender["name"] == "second"


@FOR
def test_another_dataset_group_of_a_derived_name_is_allowed(world: World, kept: float) -> None:
    world.cloud.instances_keep_permissions = kept
    world.created()

    world.updated(dataset_group_arn=world.other_group)
    world.updated(dataset_group_arn=world.group)
    assert world.undone(dataset_group_arn=world.other_group) == "UPDATE_ROLLBACK_COMPLETE"
    world.deleted()


@pytest.mark.parametrize(
    ("kept", "in_turn"), [(MINUTE, True), (3 * MINUTE, True), (math.inf, True), (math.inf, False)]
)
def test_a_second_recommender_on_a_shared_service_is_allowed(
    world: World, kept: float, in_turn: bool
) -> None:
    def films(stack: CdkStack) -> TopPicksRecommender:
        return TopPicksRecommender(stack, "Films", dataset_group_arn=world.group, **SHORT)

    def both(stack: CdkStack) -> None:
        first = films(stack)
        second = TopPicksRecommender(
            stack, "Series", dataset_group_arn=world.other_group, recommender_name="series", **SHORT
        )
        if in_turn:
            second.node.add_dependency(first)

    world.cloud.instances_keep_permissions = kept
    alone, together = (Deployable.built("TopPicks", build) for build in (films, both))

    assert world.stack.create(alone) == "CREATE_COMPLETE"
    assert world.stack.update(together) == "UPDATE_COMPLETE", world.stack.reasons()
    assert len(world.owned) == 2
    assert world.stack.update(alone) == "UPDATE_COMPLETE", world.stack.reasons()
    assert len(world.owned) == 1
    world.deleted()


SHORT: dict[str, Any] = {"training_gates": 3, "sweeps": 2}
