import pytest

from tests.unit.local_aws.personalize.simulation import Simulation


@pytest.fixture
def simulation() -> Simulation:
    return Simulation()
