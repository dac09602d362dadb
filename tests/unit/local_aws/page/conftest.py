import pytest

from tests.unit.local_aws.personalize.world import World


@pytest.fixture
def world() -> World:
    return World()
