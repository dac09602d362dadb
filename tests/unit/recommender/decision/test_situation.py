"""Which requests wait because an earlier change may show late."""

from collections.abc import Callable
from typing import Final

import pytest

from lambdas.recommender.decision.provision import plan
from lambdas.recommender.decision.removal import GONE, after_delete, after_sweep
from lambdas.recommender.decision.situation import UNSEEN, Situation
from lambdas.recommender.decision.verdict import Done, Step
from lambdas.recommender.model.operation import Operation

from ..examples import CREATES, DELETES, DESIRED, ROLLS_BACK, UNDOES, UPDATES
from .examples import observed

ENDINGS: Final[dict[str, tuple[Callable[[Situation], Step], set[Operation]]]] = {
    "an update that finds the recommender as expected": (
        lambda situation: plan(DESIRED, observed(), situation),
        {ROLLS_BACK},
    ),
    "a deletion that finds no recommender": (
        lambda situation: after_delete(GONE, situation),
        {CREATES, UPDATES, DELETES, ROLLS_BACK},
    ),
    "the last sweep": (
        lambda situation: after_sweep(Done("nothing is left"), situation, last=True),
        {UNDOES},
    ),
}
"""What ends a request, and the operations in which it waits for late changes before."""


@pytest.mark.parametrize("row", ENDINGS)
def test_request_waits_for_late_changes_only_in_the_operations_of_its_ending(row: str) -> None:
    end, waits = ENDINGS[row]
    operations = {CREATES, UPDATES, DELETES, UNDOES, ROLLS_BACK}

    for late in (True, False):
        found = {one: end(Situation(one, may_show_late=late)) for one in operations}
        assert {one for one in operations if found[one] == UNSEEN} == (waits if late else set())
        assert all(isinstance(step, Done) for step in found.values() if step != UNSEEN)
