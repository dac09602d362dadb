"""The Delete of the recommender, and the sweeps after it."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.errors import INVALID_INPUT, PermanentError
from lambdas.recommender.decision.situation import UNSEEN
from lambdas.recommender.decision.verdict import Done, Fail, Verdict, Wait
from lambdas.recommender.model.identity import Owner
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.timing import CONFIRM_SECONDS
from lambdas.recommender.resources.deletion import Sweep

from ..examples import (
    CLEANS_UP,
    DELETE,
    DELETES,
    DESIRED,
    MINE,
    OWNER,
    RECOMMENDER,
    STACK,
    UNDOES,
    UPDATES,
    event,
    sweep,
)
from ..fakes import FakePersonalize, refusal
from .examples import ONE, TWO, ZERO, account, attempted, owning, resource, verdict_of

LAST, BEFORE_THE_LAST, FIRST = sweep(1), sweep(2), sweep(11)
NOTHING_LEFT = Done("the stack owns no other recommender")


# -- the recommender's Delete ------------------------------------------------------------------


@pytest.mark.parametrize("operation", [DELETES, CLEANS_UP])
def test_own_recommender_is_deleted_and_waited_for(operation: Operation) -> None:
    personalize = account()

    verdict = verdict_of(DELETE, personalize, operation)

    assert verdict == Wait(f"DeleteRecommender of {DESIRED.arn} is accepted")
    assert personalize.changes == [("DeleteRecommender", DESIRED.arn)]


def test_adopted_recommender_is_released_with_all_tags_of_the_stack() -> None:
    personalize = FakePersonalize()
    personalize.add(MINE, tags={**OWNER.tags(adopted=True), "team": "video", "cost": "1"})
    raw = event({v.FIXED_NAME: "mine"}, kind="Delete", PhysicalResourceId=MINE)

    verdict = verdict_of(raw, personalize, DELETES)

    assert isinstance(verdict, Done)
    assert personalize.tags[MINE] == {"cost": "1"}
    assert personalize.changes == [("UntagResource", MINE)]


def test_recommender_that_may_show_late_is_waited_for() -> None:
    assert verdict_of(DELETE, FakePersonalize(), DELETES, may_show_late=True) == UNSEEN


LEFT_ALONE = (
    f"Not deleted: The recommender {DESIRED.name!r} exists, and its tags do not name this stack as "
    f"its owner: {', '.join(f'{key} is missing' for key in OWNER.tags())}. If it is this stack's, "
)
BY_HAND = (
    "it may be billed, so delete it: 1) aws personalize delete-recommender --recommender-arn "
    f"{DESIRED.arn} --region eu-west-1 2) cdk destroy 3) if 2 fails: aws cloudformation "
    "delete-stack --stack-name TopPicks --region eu-west-1 --deletion-mode FORCE_DELETE_STACK"
)
BY_ITS_TAGS = (
    "put its tags back (the next change of the recommender then removes it): "
    f"aws personalize tag-resource --resource-arn {DESIRED.arn} --tags "
    + " ".join(f"tagKey={key},tagValue={value}" for key, value in OWNER.tags().items())
)


@pytest.mark.parametrize(
    ("operation", "remedy"),
    [(DELETES, BY_HAND), (UNDOES, BY_HAND), (CLEANS_UP, BY_ITS_TAGS)],
    ids=["deletes", "undoes", "cleans up"],
)
def test_recommender_with_a_derived_name_and_no_proof_fails_with_a_remedy(
    operation: Operation, remedy: str
) -> None:
    personalize = FakePersonalize()
    personalize.add(DESIRED.arn, tags={})

    assert verdict_of(DELETE, personalize, operation) == Fail(LEFT_ALONE + remedy)
    assert personalize.changes == []


# -- refusals ----------------------------------------------------------------------------------

REMOVALS = {"delete": event(kind="Delete"), "first sweep": FIRST, "last sweep": LAST}


def refusing(error: Exception) -> FakePersonalize:
    personalize = FakePersonalize()
    personalize.faults |= dict.fromkeys(("DescribeRecommender", "ListRecommenders"), error)
    return personalize


@pytest.mark.parametrize("raw", REMOVALS.values(), ids=REMOVALS)
@pytest.mark.parametrize(
    ("code", "operation"), [("AccessDeniedException", DELETES), (INVALID_INPUT, UNDOES)]
)
def test_refused_removal_with_the_stack_waits(
    raw: dict[str, Any], code: str, operation: Operation
) -> None:
    verdict = verdict_of(raw, refusing(refusal(code)), operation)

    assert isinstance(verdict, Wait)
    assert code in verdict.reason


def test_refused_removal_in_a_clean_up_fails() -> None:
    with pytest.raises(PermanentError, match=INVALID_INPUT):
        verdict_of(event(kind="Delete"), refusing(refusal(INVALID_INPUT)), CLEANS_UP)


@pytest.mark.parametrize("raw", REMOVALS.values(), ids=REMOVALS)
def test_removal_in_a_region_without_the_service_is_done(raw: dict[str, Any]) -> None:
    nowhere = EndpointConnectionError(endpoint_url="https://personalize.eu-west-3.amazonaws.com/")

    verdict = verdict_of(raw, refusing(nowhere), DELETES)

    assert isinstance(verdict, Done)
    assert verdict.confirm == CONFIRM_SECONDS
    assert "eu-west-3" in verdict.reason


# -- sweeps ------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [UPDATES, CLEANS_UP])
def test_sweep_of_a_stack_that_stays_changes_nothing(operation: Operation) -> None:
    personalize = account(ZERO)

    verdict = verdict_of(LAST, personalize, operation)

    assert verdict == Done(f"the stack is {operation.status}, so a sweep deletes nothing")
    assert personalize.calls == []


def test_sweep_deletes_all_that_is_owned_and_names_the_first() -> None:
    personalize = owning(TWO, ZERO, ONE)

    verdict = verdict_of(LAST, personalize, DELETES)

    assert verdict == Wait(f"DeleteRecommender of {ZERO} is accepted")
    assert personalize.changes == [("DeleteRecommender", arn) for arn in (ZERO, ONE, TWO)]


@pytest.mark.parametrize(
    ("raw", "expected"), [(LAST, UNSEEN), (BEFORE_THE_LAST, NOTHING_LEFT)], ids=["last", "other"]
)
def test_only_the_last_sweep_of_an_undone_creation_waits_for_late_recommenders(
    raw: dict[str, Any], expected: Verdict
) -> None:
    assert verdict_of(raw, FakePersonalize(), UNDOES, may_show_late=True) == expected


def test_sweep_leaves_recommenders_without_proof_of_ownership() -> None:
    personalize = owning(ZERO, ONE, TWO)
    personalize.tags |= {ZERO: {}, TWO: Owner(STACK, "Other").tags()}

    verdict = verdict_of(LAST, personalize, DELETES)

    assert verdict == Wait(f"DeleteRecommender of {ONE} is accepted")
    assert personalize.changes == [("DeleteRecommender", ONE)]


def test_sweep_describes_no_recommender_whose_name_cannot_be_the_stacks() -> None:
    names = ("somebody-elses", "TopPicks-eu-0123456789abcdef")
    personalize = owning(*(RECOMMENDER + name for name in names))

    assert verdict_of(LAST, personalize, DELETES) == NOTHING_LEFT
    assert personalize.calls == [("ListRecommenders", "")]


def test_sweep_waits_unseen_for_a_list_that_is_throttled() -> None:
    personalize = FakePersonalize()
    personalize.faults["ListRecommenders"] = refusal("ThrottlingException")

    assert verdict_of(LAST, personalize, DELETES) == Wait(
        "ListRecommenders: ThrottlingException: the message", unseen=True
    )


# -- out of time -------------------------------------------------------------------------------

REGION = "--region eu-west-1"


def way_out(remaining: str, *commands: str) -> str:
    """Return the last message of a deletion that leaves something behind."""
    steps = [*(f"aws personalize {one} {REGION}" for one in commands), "cdk destroy"]
    numbered = " ".join(f"{number}) {step}" for number, step in enumerate(steps, start=1))
    return (
        f"Not deleted within 55 minutes: it trains. Left, may be billed: {remaining}. cdk destroy "
        f"alone does not delete it. Remove the cause, then: {numbered} {len(steps) + 1}) if "
        f"{len(steps)} fails: aws cloudformation delete-stack --stack-name TopPicks {REGION} "
        "--deletion-mode FORCE_DELETE_STACK"
    )


UNKNOWN = way_out("unknown, see aws personalize list-recommenders")
DELETE_ZERO = f"delete-recommender --recommender-arn {ZERO}"


def last_words(personalize: FakePersonalize) -> str:
    """Return the message of the last sweep that is out of time after an attempt."""
    return attempted(LAST, personalize, DELETES)[1].out_of_time("it trains", 3300.0)


@pytest.mark.parametrize("operation", [DELETES, None])
def test_sweep_out_of_time_without_an_attempt_names_the_command_that_lists(
    operation: Operation | None,
) -> None:
    made = resource(sweep())
    assert isinstance(made, Sweep)
    made.operation = operation

    assert made.out_of_time("it trains", 3300.0) == UNKNOWN


def test_sweep_out_of_time_names_all_that_is_owned_with_commands() -> None:
    personalize = owning(ZERO, ONE, TWO, status="DELETE PENDING")
    personalize.tags |= {ONE: OWNER.tags(adopted=True), TWO: Owner(STACK, "Other").tags()}
    personalize.faults["UntagResource"] = refusal("ThrottlingException")
    release = f"untag-resource --tag-keys {' '.join(v.RESERVED_TAGS)} --resource-arn {ONE}"

    assert last_words(personalize) == way_out(f"{ZERO}, {ONE}", DELETE_ZERO, release)


def test_sweep_out_of_time_with_unread_tags_says_so() -> None:
    personalize = owning(ZERO)
    personalize.faults["ListTagsForResource"] = refusal("ThrottlingException")

    assert last_words(personalize) == way_out(f"{ZERO} (if its tags name this stack)", DELETE_ZERO)


def test_sweep_out_of_time_does_not_name_a_listed_recommender_that_is_gone() -> None:
    personalize = owning(ZERO)
    personalize.faults["DescribeRecommender"] = refusal("ResourceNotFoundException")

    assert verdict_of(LAST, personalize, DELETES) == NOTHING_LEFT
    assert last_words(personalize) == UNKNOWN


# -- a refusal that concerns one recommender ---------------------------------------------------


class OneRefused(FakePersonalize):
    """Refuses to delete the first recommender, and no other."""

    def delete_recommender(self, *, recommenderArn: str) -> Any:
        if recommenderArn == ZERO:
            raise refusal("AccessDeniedException")
        return super().delete_recommender(recommenderArn=recommenderArn)


def test_sweep_deletes_the_others_if_one_deletion_is_refused() -> None:
    personalize = OneRefused()
    for arn in (ZERO, ONE, TWO):
        personalize.add(arn)

    verdict, swept = attempted(LAST, personalize, DELETES)

    assert isinstance(verdict, Wait)
    assert "AccessDeniedException" in verdict.reason
    assert [arn for _, arn in personalize.changes if arn in (ONE, TWO)] == [ONE, TWO]
    assert ZERO in swept.out_of_time("it trains", 3300.0)


def test_sweep_reads_the_tags_at_every_attempt() -> None:
    personalize = owning(DESIRED.arn, status="CREATE PENDING")

    for _ in range(2):
        attempted(sweep(2), personalize, DELETES, tags_read=[DESIRED.arn])

    assert personalize.calls.count(("ListTagsForResource", DESIRED.arn)) == 2
