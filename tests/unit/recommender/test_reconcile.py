"""One step at a time, and none before it is proven whose the recommender is."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.errors import (
    INVALID_INPUT,
    NotFoundError,
    PermanentError,
    TransientError,
)
from lambdas.recommender.events import Config, Request, Wanted
from lambdas.recommender.identity import Owner
from lambdas.recommender.lifecycle import (
    CREATE,
    DELETE,
    START,
    STOP,
    Change,
    Done,
    Fail,
    Recommender,
    Step,
    Verdict,
    Wait,
    request_config,
    tag,
)
from lambdas.recommender.reconcile import Reconciler
from lambdas.recommender.stack import Operation

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
WANTED = Wanted(
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
UPDATE = Change("UpdateRecommender", {"recommenderConfig": {"a": 1}}, replaces=5.0)
TAG = tag(OWNER.tags())


@dataclass
class Account:
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

    def reconciler(self, wanted: Wanted | None = WANTED) -> Reconciler:
        """Return what takes the steps of a request in this account."""
        return Reconciler(_Service(self), _Stacks(self), Request.parse(SWEEP), NOW, wanted)  # type: ignore[arg-type]

    def note(self, name: str, *arguments: object) -> None:
        """Note a call, and let it fail if it is to."""
        self.calls.append((name, *arguments))
        if name in self.faults:
            raise self.faults[name]


class _Service:
    def __init__(self, account: Account) -> None:
        self._account = account

    def describe(self, arn: str) -> Recommender | None:
        self._account.note("describe", arn)
        if arn not in self._account.tags:
            return None
        group, recipe = WANTED.dataset_group_arn, WANTED.recipe_arn
        return Recommender(arn, "ACTIVE", group, recipe, request_config(Config(), {}))

    def tags(self, arn: str) -> Mapping[str, str]:
        self._account.note("tags", arn)
        return self._account.tags[arn]

    def names(self) -> list[str]:
        self._account.note("names")
        return [arn.rpartition("/")[2] for arn in self._account.tags]

    def create(self, wanted: Wanted) -> None:
        self._account.note("create", wanted)

    def change(self, arn: str, change: Change) -> None:
        self._account.note("change", arn, change)


class _Stacks:
    def __init__(self, account: Account) -> None:
        self._account = account

    def operation(self, stack_id: str) -> Operation:
        self._account.note("operation", stack_id)
        left = self._account.operations
        return left.pop(0) if len(left) > 1 else left[0]


def deciding(*steps: Step) -> Callable[[Recommender | None], Step]:
    """Return a decision that takes these steps for a recommender whose tags are known.

    One that is there is a matter of waiting until its tags are read.
    """
    left = list(steps)

    def decide(seen: Recommender | None) -> Step:
        if seen is not None and seen.tags is None:
            return Wait("whose it is does not matter")
        return left.pop(0) if len(left) > 1 else left[0]

    return decide


def owned(**faults: Exception) -> Account:
    """Return an account with one recommender, which is ours."""
    return Account(tags={ARN: OWNER.tags()}, faults=faults)


THERE = [("describe", ARN), ("tags", ARN)]
ASKED = ("operation", STACK)


@pytest.mark.parametrize("change", [UPDATE, START, STOP, DELETE])
def test_a_change_is_made_after_the_tags_and_the_stack_are_looked_at(change: Change) -> None:
    account = owned()

    account.reconciler().advance(ARN, deciding(change))

    assert account.calls == [*THERE, ASKED, ("change", ARN, change)]


def test_what_is_not_there_is_created_after_the_stack_is_looked_at() -> None:
    account = Account()

    account.reconciler().advance(ARN, deciding(CREATE))

    assert account.calls == [("describe", ARN), ASKED, ("create", WANTED)]


def test_nothing_is_changed_once_a_newer_operation_has_begun() -> None:
    account = owned()
    account.operations = [LATER]

    verdict = account.reconciler().advance(ARN, deciding(UPDATE))

    assert isinstance(verdict, Fail)
    assert "newer operation" in verdict.why
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
    seen: list[Recommender | None] = []

    def decide(there: Recommender | None) -> Step:
        seen.append(there)
        return Done("")

    owned().reconciler().advance(ARN, decide)

    assert [one and one.tags for one in seen] == [None, OWNER.tags()]


def test_what_was_proven_before_costs_one_call_while_there_is_nothing_to_do() -> None:
    account = owned()

    verdict = account.reconciler().advance(ARN, deciding(UPDATE), proven=True)

    assert verdict == Wait("whose it is does not matter")
    assert account.calls == [("describe", ARN)]


@pytest.mark.parametrize("step", [UPDATE, Done("d"), Fail("f")])
def test_what_was_proven_before_is_proven_again_before_it_is_changed_or_the_end(step: Step) -> None:
    account = owned()

    account.reconciler().advance(ARN, lambda _: step, proven=True)

    assert account.calls[:2] == THERE


@pytest.mark.parametrize("call", ["describe", "tags", "operation", "change"])
def test_what_passes_is_waited_for(call: str) -> None:
    account = owned(**{call: TransientError("slow down")})

    assert account.reconciler().advance(ARN, deciding(UPDATE)) == Wait("slow down")
    assert account.named()[-1] == call


@pytest.mark.parametrize("call", ["describe", "tags", "operation", "change"])
def test_what_is_refused_is_not(call: str) -> None:
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
    assert ARN in verdict.why
    assert account.calls == THERE


def test_a_change_that_is_invalid_because_it_is_in_force_is_no_failure() -> None:
    account = owned(change=PermanentError("in force already", code=INVALID_INPUT))

    verdict = account.reconciler().advance(ARN, deciding(UPDATE, Done("in force")))

    assert verdict == Wait("in force already")
    assert account.calls == [*THERE, ASKED, ("change", ARN, UPDATE), *THERE]


def test_a_change_that_stays_invalid_is_one() -> None:
    account = owned(change=PermanentError("not like this", code=INVALID_INPUT))

    with pytest.raises(PermanentError, match="not like this"):
        account.reconciler().advance(ARN, deciding(UPDATE))
    assert account.calls == [*THERE, ASKED, ("change", ARN, UPDATE), *THERE]


STOPPED = replace(WANTED, running=False)
ACCEPTED: dict[str, tuple[Change, Wanted | None, Verdict]] = {
    "create": (CREATE, WANTED, Done("")),
    "create, to be stopped after": (CREATE, STOPPED, Done("")),
    "update": (UPDATE, WANTED, Done("", updated_after=5.0, serves=True)),
    "update, to be stopped after": (UPDATE, STOPPED, Wait("")),
    "start": (START, WANTED, Wait("")),
    "stop": (STOP, STOPPED, Wait("")),
    "delete": (DELETE, None, Wait("")),
    "delete what failed, to create it anew": (DELETE, WANTED, Wait("")),
}


@pytest.mark.parametrize("row", ACCEPTED)
def test_what_the_gates_wait_for_is_done_when_it_is_accepted(row: str) -> None:
    change, wanted, expected = ACCEPTED[row]
    account = Account() if change is CREATE else owned()

    verdict = account.reconciler(wanted).advance(ARN, deciding(change))

    assert change.operation in verdict.why
    assert replace(verdict, why="") == expected


def test_every_change_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        owned().reconciler().advance(ARN, deciding(TAG, UPDATE))

    logged = [(record.recommender, record.operation) for record in caplog.records]  # type: ignore[attr-defined]
    assert logged == [(ARN, "TagResource"), (ARN, "UpdateRecommender")]


def deleted(account: Account) -> list[object]:
    return [call[1] for call in account.calls if call[0] == "change" and call[2] == DELETE]


def swept(account: Account, *keep: str | None) -> Verdict:
    return account.reconciler(None).sweep(keep=keep)


ZERO, ONE, TWO = arn("0"), arn("1"), arn("2")


def test_all_that_is_owned_is_swept_and_the_first_that_is_left_is_named() -> None:
    account = Account(tags={TWO: OWNER.tags(), ZERO: OWNER.tags(), ONE: OWNER.tags()})

    verdict = swept(account)

    assert isinstance(verdict, Wait)
    assert ZERO in verdict.why
    assert deleted(account) == [ZERO, ONE, TWO]


def test_what_is_kept_is_not_even_looked_at() -> None:
    account = Account(tags={ZERO: OWNER.tags(), ONE: OWNER.tags()})

    swept(account, ZERO, None)

    assert deleted(account) == [ONE]
    assert ("describe", ZERO) not in account.calls


def test_a_name_that_could_be_ours_does_not_make_it_so() -> None:
    account = Account(tags={ZERO: {}, ONE: OWNER.tags(), TWO: Owner(STACK, "Other").tags()})

    verdict = swept(account)

    assert isinstance(verdict, Wait)
    assert ONE in verdict.why
    assert deleted(account) == [ONE]


def test_names_that_cannot_be_ours_are_not_even_looked_at() -> None:
    others = ("somebody-elses", "TopPicks-eu-0123456789abcdef")
    account = Account(tags={f"{PLACE}recommender/{name}": OWNER.tags() for name in others})

    assert swept(account) == Done("nothing else is owned")
    assert account.calls == [("names",)]


def test_a_list_that_does_not_come_is_waited_for() -> None:
    account = Account(faults={"names": TransientError("ListRecommenders: ThrottlingException")})

    assert swept(account) == Wait("ListRecommenders: ThrottlingException")
