"""`python -m operations plan` says what the deployment then does."""

import pytest

from tests.reliability.lifecycles import ALL, prepared
from tests.support.foresight import Foresight


@pytest.mark.parametrize("lifecycle", ALL)
def test_plan_is_what_the_operation_does(lifecycle: str) -> None:
    world = prepared(lifecycle)
    foresight = Foresight(world.cloud)

    ALL[lifecycle](world)

    assert sum(foresight.compared.values()) == 1
    world.invariants.check()
