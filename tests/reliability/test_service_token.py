"""CloudFormation refuses another service token for a custom resource that exists.

Seen: "Modifying service token is not allowed." in serverless issue 9240,
cloudcomponents/cdk-constructs issue 197, cloudformation-coverage-roadmap issue 802.
"""

import pytest
from aws_cdk import Stack
from aws_cdk.aws_logs import RetentionDays

from stacks.recommender import TopPicksRecommender
from stacks.service import RecommenderService
from tests.reliability.world import World
from tests.support.place import GROUP
from tests.support.synthesis import Deployable

pytestmark = pytest.mark.rows("U11")


def shared(stack: Stack) -> None:
    TopPicksRecommender(stack, "Films", dataset_group_arn=GROUP, training_gates=3, sweeps=2)


def own(stack: Stack) -> None:
    service = RecommenderService(stack, "Own", log_retention=RetentionDays.ONE_YEAR)
    TopPicksRecommender(
        stack, "Films", dataset_group_arn=GROUP, training_gates=3, sweeps=2, service=service
    )


def configured(stack: Stack) -> None:
    RecommenderService.shared(stack, log_retention=RetentionDays.ONE_YEAR)
    shared(stack)


def test_another_service_is_refused_and_harms_nothing(world: World) -> None:
    before, after = (Deployable.built("TopPicks", build) for build in (shared, own))
    assert world.stack.create(before) == "CREATE_COMPLETE"
    changed = len(world.changes())

    assert world.stack.update(after) == "UPDATE_ROLLBACK_COMPLETE"

    assert "Modifying service token is not allowed." in world.stack.reasons()
    assert len(world.changes()) == changed
    world.deleted()


def test_the_shared_service_is_configured_in_place(world: World) -> None:
    before, after = (Deployable.built("TopPicks", build) for build in (shared, configured))
    assert world.stack.create(before) == "CREATE_COMPLETE"
    changed = len(world.changes())

    assert world.stack.update(after) == "UPDATE_COMPLETE"

    assert len(world.changes()) == changed
    (log_group,) = (one for one in after.resources.values() if one["Type"] == "AWS::Logs::LogGroup")
    assert log_group["Properties"]["RetentionInDays"] == 365
