"""One step at a time, and none before it is proven whose the recommender is."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

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
from lambdas.recommender.model.identity import Owner
from lambdas.recommender.model.observed import Observed
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.request import Desired, Request
from lambdas.recommender.reconcile.reconciler import Known, Reconciler

STACK = "arn:aws:cloudformation:eu-west-1:111111111111:stack/TopPicks/1"
PLACE = "arn:aws:personalize:eu-west-1:111111111111:"
OWNER = Owner(STACK, "Recommender")
SWEEP = {
    "RequestType": "Delete",
    "ResourceType": v.SWEEP_TYPE,
    "RequestId": "r-1",
    "StackId": STACK,
    "LogicalResourceId": "Sweep01",
    "ResourceProperties": {v.NAME_PREFIX: "TopPicks", v.RECOMMENDER_LOGICAL_ID: "Recommender"},
}


def arn(digit: str) -> str:
    """Return the ARN of a recommender with a name that a stack's can have."""
    return f"{PLACE}recommender/TopPicks-{digit * 16}"


ARN = arn("0")
DESIRED = Desired(
    name=ARN.rpartition("/")[2],
    arn=ARN,
    dataset_group_arn=f"{PLACE}dataset-group/vod",
    recipe_arn="arn:aws:personalize:::recipe/aws-vod-top-picks",
    config=Config(),
    running=True,
    adopt=False,
    tags={},
    owner=OWNER,
)
NOW = Operation("UPDATE_IN_PROGRESS", "")
LATER = Operation("UPDATE_ROLLBACK_IN_PROGRESS", "")
CREATES = Operation("CREATE_IN_PROGRESS", "")
UPDATE = UpdateRecommender({"a": 1}, updated_after=5.0)
TAG, UNTAG = TagResource(OWNER.tags()), UntagResource(frozenset({"old"}))
CREATE, DELETE = CreateRecommender(DESIRED), DeleteRecommender()
START, STOP = StartRecommender(), StopRecommender()


@dataclass
class RecordedAccount:
    """A service and a CloudFormation that note each call, and what is in the account.

    Attributes:
        tags: by ARN, of what is there.
        faults: by call, what it raises; a call is noted all the same.
        operations: what the stack says, one after the other, and the last one for ever.
    """

    tags: dict[str, Mapping[str, str]] = field(default_factory=dict)
    faults: dict[str, Exception] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=lambda: [NOW])
    calls: list[tuple[object, ...]] = field(default_factory=list)

    def named(self) -> list[object]:
        """Return the names of the calls."""
        return [name for name, *_ in self.calls]

    def reconciler(self, *, kind: str = "Delete", tags_read: Collection[str] = ()) -> Reconciler:
        """Return what takes the steps of a request in this account."""
        request = Request.parse({**SWEEP, "RequestType": kind})
        return Reconciler(
            _Service(self),  # type: ignore[arg-type]
            _Stacks(self),  # type: ignore[arg-type]
            request,
            Situation(self.operations[0]),
            Known(tags_read=frozenset(tags_read)),
        )

    def note(self, name: str, *arguments: object) -> None:
        """Note a call, and let it fail if it is to."""
        self.calls.append((name, *arguments))
        if name in self.faults:
            raise self.faults[name]


class _Service:
    def __init__(self, account: RecordedAccount) -> None:
        self._account = account

    def describe(self, arn: str) -> Observed | None:
        self._account.note("describe", arn)
        if arn not in self._account.tags:
            return None
        group, recipe = DESIRED.dataset_group_arn, DESIRED.recipe_arn
        return Observed(arn, "ACTIVE", group, recipe, Config().request())

    def tags(self, arn: str) -> Mapping[str, str]:
        self._account.note("tags", arn)
        return self._account.tags[arn]

    def change(self, arn: str, change: Change) -> None:
        self._account.note("change", arn, change)


class _Stacks:
    def __init__(self, account: RecordedAccount) -> None:
        self._account = account

    def operation(self, stack_id: str) -> Operation:
        self._account.note("operation", stack_id)
        left = self._account.operations
        return left.pop(0) if len(left) > 1 else left[0]


def deciding(*steps: Step) -> Callable[[Observed | None], Step]:
    """Return a decision that takes these steps for a recommender whose tags are known.

    One that is there is a matter of waiting until its tags are read.
    """
    left = list(steps)

    def decide(seen: Observed | None) -> Step:
        if seen is not None and seen.tags is None:
            return Wait("whose it is does not matter")
        return left.pop(0) if len(left) > 1 else left[0]

    return decide


def owned(**faults: Exception) -> RecordedAccount:
    """Return an account with one recommender, which is ours."""
    return RecordedAccount(tags={ARN: OWNER.tags()}, faults=faults)


THERE = [("describe", ARN), ("tags", ARN)]
ASKED = ("operation", STACK)


@pytest.mark.parametrize("change", [UPDATE, START, STOP, DELETE])
def test_a_change_is_made_after_the_tags_and_the_stack_are_looked_at(change: Change) -> None:
    account = owned()

    account.reconciler().advance(ARN, deciding(change))

    assert account.calls == [*THERE, ASKED, ("change", ARN, change)]


def test_what_is_not_there_is_created_after_the_stack_is_looked_at() -> None:
    account = RecordedAccount()

    account.reconciler().advance(ARN, deciding(CREATE))

    assert account.calls == [("describe", ARN), ASKED, ("change", ARN, CREATE)]


def test_nothing_is_changed_once_a_newer_operation_has_begun() -> None:
    account = owned()
    reconciler = account.reconciler()
    account.operations = [LATER]

    verdict = reconciler.advance(ARN, deciding(UPDATE))

    assert isinstance(verdict, Fail)
    assert "newer operation" in verdict.reason
    assert account.calls == [*THERE, ASKED]


@pytest.mark.parametrize("verdict", [Wait("w"), Done("d"), Fail("f")])
def test_a_verdict_is_reached_without_asking_the_stack(verdict: Verdict) -> None:
    account = owned()

    assert account.reconciler().advance(ARN, deciding(verdict)) == verdict
    assert account.calls == THERE


def test_tags_are_changed_first_and_then_it_is_looked_again() -> None:
    account = owned()

    account.reconciler().advance(ARN, deciding(TAG, UPDATE))

    assert account.calls == [
        *THERE,
        ASKED,
        ("change", ARN, TAG),
        *THERE,
        ASKED,
        ("change", ARN, UPDATE),
    ]


def test_an_operation_that_begins_between_two_changes_stops_the_second() -> None:
    account = owned()
    account.operations = [NOW, LATER]

    assert isinstance(account.reconciler().advance(ARN, deciding(TAG, UPDATE)), Fail)
    assert account.calls == [*THERE, ASKED, ("change", ARN, TAG), *THERE, ASKED]


def test_the_tags_are_what_a_decision_sees() -> None:
    seen: list[Observed | None] = []

    def decide(there: Observed | None) -> Step:
        seen.append(there)
        return Done("")

    owned().reconciler().advance(ARN, decide)

    assert [one and one.tags for one in seen] == [None, OWNER.tags()]


def test_what_was_proven_before_costs_one_call_while_there_is_nothing_to_do() -> None:
    account = owned()

    verdict = account.reconciler(tags_read=[ARN]).advance(ARN, deciding(UPDATE))

    assert verdict == Wait("whose it is does not matter")
    assert account.calls == [("describe", ARN)]


def test_tags_are_read_at_every_look_where_that_is_asked_for() -> None:
    account = owned()

    account.reconciler(tags_read=[ARN]).advance(ARN, deciding(UPDATE), always_reads_tags=True)

    assert account.calls[:2] == THERE


def test_tags_count_as_read_once_they_were_and_not_before() -> None:
    account = owned(tags=TransientError("slow down"))
    reconciler = account.reconciler()

    reconciler.advance(ARN, lambda _: SLOW)
    assert reconciler.known.tags_read == set()

    account.faults.clear()
    reconciler.advance(ARN, lambda _: SLOW)
    assert reconciler.known.tags_read == {ARN}


@pytest.mark.parametrize("step", [UPDATE, Done("d"), Fail("f")])
def test_what_was_proven_before_is_proven_again_before_it_is_changed_or_the_end(step: Step) -> None:
    account = owned()

    account.reconciler(tags_read=[ARN]).advance(ARN, lambda _: step)

    assert account.calls[:2] == THERE


@pytest.mark.parametrize("call", ["describe", "tags", "operation", "change"])
def test_what_passes_is_waited_for(call: str) -> None:
    account = owned(**{call: TransientError("slow down")})

    verdict = account.reconciler().advance(ARN, deciding(UPDATE))

    assert verdict == Wait("slow down", unseen=call == "describe")
    assert account.named()[-1] == call


HANDS_OVER, SLOW = Wait("it retrains", hands_over=True), Wait("slow down")
UNREAD: dict[str, tuple[Step, Operation, bool, Step]] = {
    "a rollback hands over all the same": (HANDS_OVER, LATER, True, HANDS_OVER),
    "an update does not": (HANDS_OVER, NOW, True, SLOW),
    "a rollback hands over though they were never read": (HANDS_OVER, LATER, False, HANDS_OVER),
    "nor does it end": (Done("d"), LATER, True, SLOW),
    "nor does it change anything": (UPDATE, LATER, True, SLOW),
}


@pytest.mark.parametrize("row", UNREAD)
def test_tags_that_cannot_be_read_now_are_waited_for_unless_a_rollback_would_fail_for_that(
    row: str,
) -> None:
    step, operation, proven, expected = UNREAD[row]
    account = owned(tags=TransientError("slow down"))
    account.operations = [operation]

    reconciler = account.reconciler(tags_read=[ARN] if proven else [])

    assert reconciler.advance(ARN, lambda _: step) == expected
    assert account.calls == THERE


def test_what_is_not_there_and_cannot_be_created_now_is_still_unseen() -> None:
    account = RecordedAccount(faults={"change": TransientError("slow down")})

    verdict = account.reconciler().advance(ARN, deciding(CREATE))

    assert verdict == Wait("slow down", unseen=True)


@pytest.mark.parametrize("call", ["describe", "tags", "operation", "change"])
def test_what_is_refused_is_not_waited_for(call: str) -> None:
    account = owned(**{call: PermanentError("no", code="AccessDeniedException")})

    with pytest.raises(PermanentError, match="no"):
        account.reconciler().advance(ARN, deciding(UPDATE, Done("")))
    assert account.named()[-1] == call


def test_what_vanishes_before_it_is_changed_is_looked_at_again() -> None:
    account = owned(change=NotFoundError("UpdateRecommender: none"))

    verdict = account.reconciler().advance(ARN, deciding(UPDATE))

    assert verdict == Wait("UpdateRecommender: none")


def test_what_shows_without_its_tags_is_not_touched() -> None:
    account = owned(tags=NotFoundError("ListTagsForResource: none"))

    verdict = account.reconciler().advance(ARN, deciding(DELETE))

    assert isinstance(verdict, Wait)
    assert ARN in verdict.reason
    assert account.calls == THERE


def test_a_change_that_is_invalid_because_it_is_effective_is_no_failure() -> None:
    account = owned(change=PermanentError("in force already", code=INVALID_INPUT))

    verdict = account.reconciler().advance(ARN, deciding(UPDATE, Done("in force")))

    assert verdict == Wait("in force already")
    assert account.calls == [*THERE, ASKED, ("change", ARN, UPDATE), *THERE]


def test_a_change_that_stays_invalid_is_one() -> None:
    account = owned(change=PermanentError("not like this", code=INVALID_INPUT))

    with pytest.raises(PermanentError, match="not like this"):
        account.reconciler().advance(ARN, deciding(UPDATE))
    assert account.calls == [*THERE, ASKED, ("change", ARN, UPDATE), *THERE]


HIDDEN = replace(UPDATE, hidden=True)
MAY_BE_EFFECTIVE: dict[str, tuple[Change, str, Operation, bool]] = {
    "what is adopted may have it": (HIDDEN, "Create", CREATES, True),
    "what is rolled back may have had it": (HIDDEN, "Update", LATER, True),
    "what is created in a rollback": (HIDDEN, "Create", LATER, True),
    "what is asked for now was not there": (HIDDEN, "Update", NOW, False),
    "what shows is not there": (UPDATE, "Create", CREATES, False),
    "what shows is not there in a rollback": (UPDATE, "Update", LATER, False),
    "another change": (START, "Create", CREATES, False),
    "another change in a rollback": (STOP, "Update", LATER, False),
}


@pytest.mark.parametrize("row", MAY_BE_EFFECTIVE)
def test_an_update_that_stays_invalid_may_be_effective_where_nothing_of_it_shows(row: str) -> None:
    change, kind, operation, may_be = MAY_BE_EFFECTIVE[row]
    account = owned(change=PermanentError("not like this", code=INVALID_INPUT))
    account.operations = [operation]
    reconciler = account.reconciler(kind=kind)
    effective = Done("ACTIVE, as configured", Progress.EFFECTIVE)

    def plan(there: Observed | None) -> Step:
        return effective if there and there.config == HIDDEN.config else change

    refused = [*THERE, ASKED, ("change", ARN, change), *THERE]
    if may_be:
        assert reconciler.advance(ARN, plan, after_accept=accepted_as_done) == effective
        assert account.calls == [*refused, *THERE]
        account.calls.clear()
        assert reconciler.advance(ARN, plan, after_accept=accepted_as_done) == effective
        assert account.calls == THERE, "which is known from then on"
    else:
        with pytest.raises(PermanentError, match="not like this"):
            reconciler.advance(ARN, plan, after_accept=accepted_as_done)
        assert account.calls == refused


def test_an_update_that_is_refused_for_another_reason_is_not_effective() -> None:
    account = owned(change=PermanentError("no", code="LimitExceededException"))
    account.operations = [LATER]

    with pytest.raises(PermanentError, match="no"):
        account.reconciler(kind="Update").advance(ARN, deciding(HIDDEN))
    assert account.calls == [*THERE, ASKED, ("change", ARN, HIDDEN)]


def accepted_as_done(arn: str, change: Change) -> Verdict:
    return Done(f"{type(change).__name__} of {arn}")


@pytest.mark.parametrize("change", [CREATE, UPDATE, START, STOP, DELETE])
def test_who_asks_for_a_change_says_how_things_stand_when_it_is_accepted(change: Change) -> None:
    account = RecordedAccount() if change is CREATE else owned()

    verdict = account.reconciler().advance(ARN, deciding(change), after_accept=accepted_as_done)

    assert verdict == Done(f"{type(change).__name__} of {ARN}")


@pytest.mark.parametrize("change", [UPDATE, START, STOP, DELETE])
def test_else_what_is_accepted_is_waited_for(change: Change) -> None:
    verdict = owned().reconciler().advance(ARN, deciding(change))

    assert verdict == Wait(f"{type(change).__name__} of {ARN} is accepted")


@pytest.mark.parametrize("change", [TAG, UNTAG])
def test_a_change_of_tags_is_seen_at_once(change: Change) -> None:
    account = owned()

    verdict = account.reconciler().advance(
        ARN, deciding(change, Done("as asked")), after_accept=accepted_as_done
    )

    assert verdict == Done("as asked")
    assert account.calls == [*THERE, ASKED, ("change", ARN, change), *THERE]


def test_what_was_looked_at_last_is_known_also_if_it_is_not_there_any_more() -> None:
    account = owned()
    reconciler = account.reconciler()
    looked_at: list[Observed | None] = []

    for there in (True, False):
        if not there:
            account.tags.clear()
        reconciler.advance(ARN, deciding(Done("")))
        looked_at.append(reconciler.observed)

    assert [observed and observed.arn for observed in looked_at] == [ARN, None]


def test_nothing_is_known_before_the_first_look() -> None:
    assert owned().reconciler().observed is None


def test_every_change_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        owned().reconciler().advance(ARN, deciding(TAG, UPDATE))

    logged = [
        (record.getMessage(), record.recommender, record.operation)  # type: ignore[attr-defined]
        for record in caplog.records
    ]
    assert logged == [
        (f"TagResource of {ARN} is called", ARN, "TagResource"),
        (f"UpdateRecommender of {ARN} is called", ARN, "UpdateRecommender"),
    ]
