from collections.abc import Iterator
from unittest.mock import patch

import pytest

from local_aws.rehearsal import training
from tests.unit.local_aws.personalize.simulation import Simulation


@pytest.fixture
def simulation() -> Simulation:
    return Simulation()


@pytest.fixture(scope="module")
def one_split() -> Iterator[None]:
    """Train each model once: tests of the evaluation show the nine further splits."""
    with patch.object(training, "SPREAD_ITEMS", 0):
        yield
