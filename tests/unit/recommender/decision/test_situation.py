"""Which requests wait because an earlier change may show late."""

import pytest

from lambdas.recommender.decision.situation import UNSEEN, Ending, Situation, unless_late
from lambdas.recommender.decision.verdict import Done

from ..examples import CREATES, DELETES, ROLLS_BACK, UNDOES, UPDATES

WAITS = {
    Ending.UPDATE: {ROLLS_BACK},
    Ending.DELETION: {CREATES, UPDATES, DELETES, ROLLS_BACK},
    Ending.LAST_SWEEP: {UNDOES},
}


@pytest.mark.parametrize("ending", Ending)
def test_request_waits_for_late_changes_only_in_the_operations_of_its_ending(
    ending: Ending,
) -> None:
    operations = {CREATES, UPDATES, DELETES, UNDOES, ROLLS_BACK}
    done = Done("gone")

    for late in (True, False):
        found = {
            one: unless_late(done, ending, Situation(one, may_show_late=late)) for one in operations
        }
        assert {one for one in operations if found[one] == UNSEEN} == (
            WAITS[ending] if late else set()
        )
        assert {verdict for verdict in found.values() if verdict != UNSEEN} <= {done}
