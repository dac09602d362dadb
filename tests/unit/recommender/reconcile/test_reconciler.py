"""The reconciler takes one step at a time, and none without the proof of ownership."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.errors import (
    INVALID_INPUT,
    NotFoundError,
    PermanentError,
    TransientError,
)
from lambdas.recommender.decision.situation import Situation
from lambdas.recommender.decision.verdict import (
    Change,
    CreateRecommender,
    DeleteRecommender,
    Done,
    Fail,
    Progress,
    StartRecommender,
    Step,
    StopRecommender,
    TagResource,
    UntagResource,
    UpdateRecommender,
    Verdict,
    Wait,
)
from lambdas.recommender.model.config import Config
from lambdas.recommender.model.observed import Observed, Update
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.request import Desired, Request
from lambdas.recommender.reconcile.reconciler import Known, Reconciler

from ..examples import (
    CREATES,
    DESIRED,
    HIDDEN,
    OWNER,
    PROPERTIES,
    ROLLS_BACK,
    STACK,
    UPDATES,
    event,
    sweep,
    update,
)

ARN = DESIRED.arn
BEGAN = 100.0
UPDATE = UpdateRecommender({"a": 1}, updated_after=5.0)
TAG, UNTAG = TagResource(OWNER.tags()), UntagResource(frozenset({"old"}))
CREATE, DELETE = CreateRecommender(DESIRED), DeleteRecommender()
START, STOP = StartRecommender(), StopRecommender()


@dataclass
class RecordedAccount:
    """A service and a CloudFormation that note each call.

    Attributes:
        shown: the tags of each recommender, by ARN.
        latest_update: that of each recommender.
        config: that of each recommender, as it shows.
        faults: by call, what it raises; a call is noted all the same.
        operations: those that the stack shows, one after the other; the last one remains.
    """

    shown: dict[str, Mapping[str, str]] = field(default_factory=dict)
    latest_update: Update | None = None
    config: Mapping[str, Any] = field(default_factory=Config().request)
    faults: dict[str, Exception] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=lambda: [UPDATES])
    calls: list[tuple[object, ...]] = field(default_factory=list)

    def named(self) -> list[object]:
        """Return the names of the calls."""
        return [name for name, *_ in self.calls]

    def reconciler(
        self, raw: Mapping[str, Any] | None = None, *, tags_read: Collection[str] = ()
    ) -> Reconciler:
        """Return the reconciler of a request in this account."""
        return Reconciler(
            self,  # type: ignore[arg-type]
            self,  # type: ignore[arg-type]
            Request.parse(raw or sweep()),
            Situation(self.operations[0], began=BEGAN),
            Known(tags_read=frozenset(tags_read)),
        )

    def describe(self, arn: str) -> Observed | None:
        self._note("describe", arn)
        if arn not in self.shown:
            return None
        group, recipe = DESIRED.dataset_group_arn, DESIRED.recipe_arn
        update = self.latest_update
        return Observed(arn, "ACTIVE", group, recipe, self.config, latest_update=update)

    def tags(self, arn: str) -> Mapping[str, str]:
        self._note("tags", arn)
        return self.shown[arn]

    def change(self, arn: str, change: Change) -> None:
        self._note("change", arn, change)

    def check(self, desired: Desired) -> None:
        self._note("check", desired.arn)

    def operation(self, stack_id: str) -> Operation:
        self._note("operation", stack_id)
        return self.operations.pop(0) if len(self.operations) > 1 else self.operations[0]

    def _note(self, name: str, *arguments: object) -> None:
        self.calls.append((name, *arguments))
        if name in self.faults:
            raise self.faults[name]


def deciding(*steps: Step) -> Callable[[Observed | None], Step]:
    """Return a plan with these steps, which waits until the tags are read."""
    remaining = list(steps)

    def decide(observed: Observed | None) -> Step:
        if observed is not None and observed.tags is None:
            return Wait("the tags are not read")
        return remaining.pop(0) if len(remaining) > 1 else remaining[0]

    return decide


def owned(**faults: Exception) -> RecordedAccount:
    """Return an account with one recommender, which is ours."""
    return RecordedAccount(shown={ARN: OWNER.tags()}, faults=faults)


OBSERVED = [("describe", ARN), ("tags", ARN)]
READ_STACK = ("operation", STACK)


@pytest.mark.parametrize(("change", "updated_after"), [(UPDATE, 5.0), (DELETE, None)])
def test_change_is_made_after_the_tags_and_the_stack_are_read_and_waited_for(
    change: Change, updated_after: float | None
) -> None:
    account = owned()

    verdict = account.reconciler().advance(ARN, deciding(change))

    assert account.calls == [*OBSERVED, READ_STACK, ("change", ARN, change)]
    reason = f"{type(change).__name__} of {ARN} is accepted"
    assert verdict == Wait(reason, updated_after=updated_after)


def test_absent_recommender_is_created_after_the_stack_is_read() -> None:
    account = RecordedAccount()

    account.reconciler().advance(ARN, deciding(CREATE))

    assert account.calls == [("describe", ARN), READ_STACK, ("change", ARN, CREATE)]


def test_reconciler_keeps_the_recommender_that_was_observed_last() -> None:
    account = owned()
    reconciler = account.reconciler()
    observed = [reconciler.observed]

    for _ in range(2):
        reconciler.advance(ARN, deciding(Done("")))
        observed.append(reconciler.observed)
        account.shown.clear()

    assert [one and one.arn for one in observed] == [None, ARN, None]


def test_change_fails_once_a_newer_operation_has_begun() -> None:
    account = owned()
    reconciler = account.reconciler()
    account.operations = [ROLLS_BACK]

    verdict = reconciler.advance(ARN, deciding(UPDATE))

    assert verdict == Fail(
        "A newer operation of the stack has begun, so this one changes nothing more. See the newer "
        "operation."
    )
    assert account.calls == [*OBSERVED, READ_STACK]


@pytest.mark.parametrize("verdict", [Wait("w"), Done("d"), Fail("f")])
def test_verdict_is_returned_without_reading_the_stack(verdict: Verdict) -> None:
    account = owned()

    assert account.reconciler().advance(ARN, deciding(verdict)) == verdict
    assert account.calls == OBSERVED


def test_operation_that_begins_between_two_changes_stops_the_second() -> None:
    account = owned()
    account.operations = [UPDATES, ROLLS_BACK]

    assert isinstance(account.reconciler().advance(ARN, deciding(TAG, UPDATE)), Fail)
    assert account.calls == [*OBSERVED, READ_STACK, ("change", ARN, TAG), *OBSERVED, READ_STACK]


def test_plan_is_made_without_and_then_with_the_tags() -> None:
    observed: list[Observed | None] = []

    def decide(there: Observed | None) -> Step:
        observed.append(there)
        return Done("")

    owned().reconciler().advance(ARN, decide)

    assert [one and one.tags for one in observed] == [None, OWNER.tags()]


def test_attempt_with_known_tags_and_nothing_to_do_is_one_call() -> None:
    account = owned()

    verdict = account.reconciler(tags_read=[ARN]).advance(ARN, deciding(UPDATE))

    assert verdict == Wait("the tags are not read")
    assert account.calls == [("describe", ARN)]


def test_attempt_that_always_reads_tags_reads_known_ones() -> None:
    account = owned()

    account.reconciler(tags_read=[ARN]).advance(ARN, deciding(UPDATE), always_reads_tags=True)

    assert account.calls[:2] == OBSERVED


def test_tags_are_known_only_after_they_were_read() -> None:
    account = owned(tags=TransientError("slow down"))
    reconciler = account.reconciler()

    reconciler.advance(ARN, lambda _: SLOW)
    assert reconciler.known.tags_read == set()

    account.faults.clear()
    reconciler.advance(ARN, lambda _: SLOW)
    assert reconciler.known.tags_read == {ARN}


@pytest.mark.parametrize("step", [UPDATE, Done("d"), Fail("f")])
def test_known_tags_are_read_again_before_a_change_or_the_end(step: Step) -> None:
    account = owned()

    account.reconciler(tags_read=[ARN]).advance(ARN, lambda _: step)

    assert account.calls[:2] == OBSERVED


@pytest.mark.parametrize("call", ["describe", "tags", "operation", "change"])
def test_transient_error_of_any_call_is_a_wait(call: str) -> None:
    account = owned(**{call: TransientError("slow down")})

    verdict = account.reconciler().advance(ARN, deciding(UPDATE))

    assert verdict == Wait("slow down", unseen=call == "describe")
    assert account.named()[-1] == call


HANDS_OVER, SLOW = Wait("it retrains", hands_over=True), Wait("slow down")
UNREAD: dict[str, tuple[Step, Operation, bool, Step]] = {
    "rollback that hands over": (HANDS_OVER, ROLLS_BACK, True, HANDS_OVER),
    "update that hands over": (HANDS_OVER, UPDATES, True, SLOW),
    "rollback that hands over, tags never read": (HANDS_OVER, ROLLS_BACK, False, HANDS_OVER),
    "rollback that ends": (
        Done("it retrains", updated_after=5.0),
        ROLLS_BACK,
        True,
        replace(HANDS_OVER, updated_after=5.0),
    ),
    "update that ends": (Done("d"), UPDATES, True, SLOW),
    "rollback that fails": (Fail("f"), ROLLS_BACK, True, SLOW),
    "rollback that changes something": (UPDATE, ROLLS_BACK, True, SLOW),
}


@pytest.mark.parametrize("row", UNREAD)
def test_unreadable_tags_are_waited_for_unless_a_rollback_only_waits(row: str) -> None:
    step, operation, proven, expected = UNREAD[row]
    account = owned(tags=TransientError("slow down"))
    account.operations = [operation]

    reconciler = account.reconciler(tags_read=[ARN] if proven else [])

    assert reconciler.advance(ARN, lambda _: step) == expected
    assert account.calls == OBSERVED


def test_transient_error_of_a_creation_is_an_unseen_wait() -> None:
    account = RecordedAccount(faults={"change": TransientError("slow down")})

    verdict = account.reconciler().advance(ARN, deciding(CREATE))

    assert verdict == Wait("slow down", unseen=True)


@pytest.mark.parametrize("call", ["describe", "tags", "operation", "change"])
def test_permanent_error_of_any_call_is_raised(call: str) -> None:
    account = owned(**{call: PermanentError("no", code="AccessDeniedException")})

    with pytest.raises(PermanentError, match="no"):
        account.reconciler().advance(ARN, deciding(UPDATE, Done("")))
    assert account.named()[-1] == call


def test_recommender_that_vanishes_before_a_change_is_waited_for() -> None:
    account = owned(change=NotFoundError("UpdateRecommender: none"))

    verdict = account.reconciler().advance(ARN, deciding(UPDATE))

    assert verdict == Wait("UpdateRecommender: none")


def test_recommender_whose_tags_do_not_show_is_not_changed() -> None:
    account = owned(tags=NotFoundError("ListTagsForResource: none"))

    verdict = account.reconciler().advance(ARN, deciding(DELETE))

    assert isinstance(verdict, Wait)
    assert ARN in verdict.reason
    assert account.calls == OBSERVED


def test_invalid_change_that_is_no_longer_the_next_step_is_a_wait() -> None:
    account = owned(change=PermanentError("in force already", code=INVALID_INPUT))

    verdict = account.reconciler().advance(ARN, deciding(UPDATE, Done("in force")))

    assert verdict == Wait("in force already")
    assert account.calls == [*OBSERVED, READ_STACK, ("change", ARN, UPDATE), *OBSERVED]


def test_accepted_update_is_remembered() -> None:
    reconciler = owned().reconciler(SAME)

    reconciler.advance(ARN, deciding(UPDATE))

    assert reconciler.known.updated_after == UPDATE.updated_after


HIDDEN_UPDATE = replace(UPDATE, hidden=True)
SINCE, BEFORE = (Update("ACTIVE", {}, BEGAN + after) for after in (0.0, -1.0))
GENRES = {v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": ["GENRES"]}}}
CREATED, SAME = event(), update()
CHANGED = update({v.CONFIG: {**PROPERTIES[v.CONFIG], **GENRES}}, OldResourceProperties=PROPERTIES)
REPLACING = CHANGED | {"PhysicalResourceId": f"{ARN}-before"}
CLEARED = update(OldResourceProperties=CHANGED["ResourceProperties"])
MAY_BE_EFFECTIVE: dict[str, tuple[Change, dict[str, Any], Operation, Update | None, bool]] = {
    "adoption": (HIDDEN_UPDATE, CREATED, CREATES, None, True),
    "adoption that replaces": (HIDDEN_UPDATE, REPLACING, UPDATES, None, True),
    "rollback": (HIDDEN_UPDATE, CHANGED, ROLLS_BACK, None, True),
    "creation in a rollback": (HIDDEN_UPDATE, CREATED, ROLLS_BACK, None, True),
    "update": (HIDDEN_UPDATE, CHANGED, UPDATES, None, False),
    "update after an earlier one": (HIDDEN_UPDATE, CHANGED, UPDATES, BEFORE, False),
    "update whose answer may be lost": (HIDDEN_UPDATE, CHANGED, UPDATES, SINCE, True),
    "update to the same": (HIDDEN_UPDATE, SAME, UPDATES, None, True),
    "update that only clears columns": (HIDDEN_UPDATE, CLEARED, UPDATES, None, True),
    "shown, adoption": (UPDATE, CREATED, CREATES, None, False),
    "shown, rollback": (UPDATE, CHANGED, ROLLS_BACK, None, False),
    "shown, update to the same": (UPDATE, SAME, UPDATES, SINCE, False),
    "start": (START, CREATED, CREATES, None, False),
    "stop in a rollback": (STOP, CHANGED, ROLLS_BACK, None, False),
}


@pytest.mark.parametrize("row", MAY_BE_EFFECTIVE)
def test_invalid_update_of_hidden_members_is_effective_if_it_may_have_been_before(row: str) -> None:
    change, raw, operation, latest, may_be = MAY_BE_EFFECTIVE[row]
    account = owned(change=PermanentError("not like this", code=INVALID_INPUT))
    account.operations, account.latest_update, account.config = [operation], latest, HIDDEN
    reconciler = account.reconciler(raw)
    effective = Done("ACTIVE, as configured", Progress.EFFECTIVE)

    def plan(there: Observed | None) -> Step:
        return effective if there and there.config == HIDDEN_UPDATE.config else change

    refused = [*OBSERVED, READ_STACK, ("change", ARN, change), *OBSERVED]
    if may_be:
        assert reconciler.advance(ARN, plan, after_accept=accepted_as_done) == effective
        checked = [("check", ARN)] if row.startswith("adoption") else []
        assert account.calls == [*refused, *checked, *OBSERVED]
        account.calls.clear()
        assert reconciler.advance(ARN, plan, after_accept=accepted_as_done) == effective
        assert account.calls == OBSERVED, "it is known from then on"
    else:
        with pytest.raises(PermanentError, match="not like this"):
            reconciler.advance(ARN, plan, after_accept=accepted_as_done)
        assert account.calls == refused


def test_adoption_with_a_configuration_that_is_not_possible_fails() -> None:
    refused = PermanentError("not like this", code=INVALID_INPUT)
    account = owned(change=refused, check=PermanentError("no Items dataset"))
    account.operations = [CREATES]

    with pytest.raises(PermanentError, match="no Items dataset"):
        account.reconciler(CREATED).advance(ARN, lambda _there: HIDDEN_UPDATE)


def test_invalid_update_that_stays_the_next_step_is_raised_and_not_made_again() -> None:
    account = owned(change=PermanentError("not like this", code=INVALID_INPUT))
    account.operations = [ROLLS_BACK]

    with pytest.raises(PermanentError, match="not like this"):
        account.reconciler().advance(ARN, lambda _there: HIDDEN_UPDATE)
    assert account.calls.count(("change", ARN, HIDDEN_UPDATE)) == 1


def accepted_as_done(arn: str, change: Change) -> Verdict:
    return Done(f"{type(change).__name__} of {arn}")


@pytest.mark.parametrize("change", [CREATE, UPDATE])
def test_accepted_change_ends_with_the_verdict_of_after_accept(change: Change) -> None:
    account = RecordedAccount() if change is CREATE else owned()

    verdict = account.reconciler().advance(ARN, deciding(change), after_accept=accepted_as_done)

    assert verdict == Done(f"{type(change).__name__} of {ARN}")


@pytest.mark.parametrize("change", [TAG, UNTAG])
def test_change_of_tags_is_observed_in_the_same_attempt(change: Change) -> None:
    account = owned()

    verdict = account.reconciler().advance(
        ARN, deciding(change, Done("as asked")), after_accept=accepted_as_done
    )

    assert verdict == Done("as asked")
    assert account.calls == [*OBSERVED, READ_STACK, ("change", ARN, change), *OBSERVED]


def test_change_is_logged_before_its_call(caplog: pytest.LogCaptureFixture) -> None:
    owned().reconciler().advance(ARN, deciding(TAG, UPDATE))

    logged = [
        (record.getMessage(), record.recommender, record.operation)  # type: ignore[attr-defined]
        for record in caplog.records
    ]
    assert logged == [
        (f"TagResource of {ARN} is called", ARN, "TagResource"),
        (f"UpdateRecommender of {ARN} is called", ARN, "UpdateRecommender"),
    ]


@pytest.mark.parametrize("change", [TAG, UNTAG])
def test_change_of_tags_that_does_not_show_is_made_once_an_attempt(change: Change) -> None:
    account = owned()

    verdict = account.reconciler().advance(ARN, lambda _: change)

    assert verdict == Wait(f"{type(change).__name__} of {ARN} does not show yet")
    assert account.named().count("change") == 1
