"""The next step towards the removal or release of a recommender, and the end of a deletion."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.decision.removal import (
    GONE,
    after_delete,
    after_sweep,
    first_unfinished,
    plan_deletion,
)
from lambdas.recommender.decision.situation import UNSEEN, Situation
from lambdas.recommender.decision.verdict import (
    DeleteRecommender,
    Done,
    Fail,
    Progress,
    UntagResource,
    Verdict,
    Wait,
)
from lambdas.recommender.model.observed import Observed
from lambdas.recommender.model.timing import CONFIRM_SECONDS

from ..examples import DELETES, DESIRED, OWN, OWNER, UNDOES, UPDATES
from .examples import (
    ADOPTED,
    FOREIGN,
    OTHER_STACK,
    OTHER_UPDATE,
    assert_reason,
    assert_step,
    observed,
)

DELETIONS: Mapping[str, tuple[Observed | None, Any]] = {
    "absent": (None, Done("", Progress.GONE)),
    "own, active": (observed(), DeleteRecommender()),
    "own, stopped": (observed("INACTIVE"), DeleteRecommender()),
    "own, training failed": (observed("CREATE FAILED"), DeleteRecommender()),
    "own, updating": (observed(latest_update=OTHER_UPDATE), DeleteRecommender()),
    "own, training": (observed("CREATE IN_PROGRESS"), Wait),
    "own, starting": (observed("START PENDING"), Wait),
    "own, stopping": (observed("STOP PENDING"), Wait),
    "own, being deleted": (observed("DELETE IN_PROGRESS"), Wait),
    "own, unknown status": (observed("MIGRATING"), Wait),
    "untagged": (observed("CREATE PENDING", tags=None), Wait),
    "foreign": (observed(tags=FOREIGN), Done),
    "foreign, training": (observed("CREATE PENDING", tags=FOREIGN), Done),
    "adopted": (
        observed(tags={**ADOPTED, "old": "x", "cost": "1"}),
        UntagResource(frozenset(["old", v.ADOPTED_TAG, v.OWNER_RESOURCE_TAG, v.OWNER_STACK_TAG])),
    ),
    "adopted, stopping": (
        observed("STOP PENDING", tags=OWNER.tags(adopted=True)),
        UntagResource(frozenset([v.ADOPTED_TAG, v.OWNER_RESOURCE_TAG, v.OWNER_STACK_TAG])),
    ),
}


@pytest.mark.parametrize("row", DELETIONS)
def test_deletion_plan_deletes_an_own_recommender_and_releases_an_adopted_one(row: str) -> None:
    recommender, expected = DELETIONS[row]

    step = plan_deletion(OWNER, recommender, retired_tags=frozenset({"old"}))

    assert_step(step, expected)


@pytest.mark.parametrize(
    ("recommender", "words"),
    [
        (observed(tags=FOREIGN), f"the tags of {DESIRED.arn} name another owner or none"),
        (observed("CREATE PENDING"), f"{DESIRED.arn} is CREATE PENDING"),
    ],
    ids=["foreign", "training"],
)
def test_deletion_verdict_names_the_recommender(recommender: Observed, words: str) -> None:
    assert_reason(plan_deletion(OWNER, recommender), words)


@pytest.mark.parametrize(
    ("tags", "wrong"),
    [
        ({}, f"{v.OWNER_STACK_TAG} is missing, {v.OWNER_RESOURCE_TAG} is missing"),
        ({v.OWNER_STACK_TAG: OWNER.stack_id}, f"{v.OWNER_RESOURCE_TAG} is missing"),
        ({v.OWNER_RESOURCE_TAG: "Recommender"}, f"{v.OWNER_STACK_TAG} is missing"),
        (
            {v.OWNER_RESOURCE_TAG: "Old"},
            f"{v.OWNER_STACK_TAG} is missing, {v.OWNER_RESOURCE_TAG} is Old",
        ),
        (OWN | OTHER_STACK, f"{v.OWNER_STACK_TAG} is {OTHER_STACK[v.OWNER_STACK_TAG]}"),
        (OWN | {v.OWNER_RESOURCE_TAG: "Old"}, f"{v.OWNER_RESOURCE_TAG} is Old"),
    ],
)
def test_missing_proof_of_ownership_fails_with_the_wrong_tags_and_the_remedy(
    tags: dict[str, str], wrong: str
) -> None:
    assert plan_deletion(OWNER, observed(tags=tags), remedy="delete it.") == Fail(
        f"Not deleted: The recommender {DESIRED.name!r} exists, and its tags do not name this "
        f"stack as its owner: {wrong}. If it is this stack's, delete it."
    )


# -- the end of a deletion ---------------------------------------------------------------------

WAITS, FAILS, NOT_OURS = Wait("it trains"), Fail("no"), Done("it is not ours")
UNCONFIRMED = replace(GONE, confirm=CONFIRM_SECONDS)
AFTER_DELETE: Mapping[str, tuple[Verdict, Situation, Verdict]] = {
    "wait": (WAITS, Situation(UNDOES, may_show_late=True), WAITS),
    "failure": (FAILS, Situation(DELETES, may_show_late=True), FAILS),
    "not ours": (NOT_OURS, Situation(UPDATES, may_show_late=True), NOT_OURS),
    "gone at the first attempt": (GONE, Situation(DELETES), GONE),
    "gone at a later attempt": (GONE, Situation(DELETES, attempted_before=True), UNCONFIRMED),
    "may show late": (GONE, Situation(DELETES, may_show_late=True, attempted_before=True), UNSEEN),
    "may show late, creation undone": (
        GONE,
        Situation(UNDOES, may_show_late=True, attempted_before=True),
        UNCONFIRMED,
    ),
}


@pytest.mark.parametrize("row", AFTER_DELETE)
def test_recommender_that_is_gone_after_delete_is_confirmed_or_waited_for(row: str) -> None:
    verdict, situation, expected = AFTER_DELETE[row]

    assert after_delete(verdict, situation) == expected


AFTER_SWEEP: Mapping[str, tuple[Verdict, Situation, bool, Verdict]] = {
    "wait": (WAITS, Situation(UNDOES, may_show_late=True), True, WAITS),
    "last": (GONE, Situation(DELETES, may_show_late=True), True, GONE),
    "last, creation undone": (GONE, Situation(UNDOES, may_show_late=True), True, UNSEEN),
    "last, creation undone long ago": (GONE, Situation(UNDOES), True, GONE),
    "not last": (GONE, Situation(UNDOES, may_show_late=True), False, GONE),
    "failure": (FAILS, Situation(DELETES), False, FAILS),
}


@pytest.mark.parametrize("row", AFTER_SWEEP)
def test_only_the_last_sweep_of_an_undone_creation_waits_for_late_recommenders(row: str) -> None:
    verdict, situation, last, expected = AFTER_SWEEP[row]

    assert after_sweep(verdict, situation, last=last) == expected


@pytest.mark.parametrize("unfinished", [WAITS, FAILS])
def test_sweep_of_several_recommenders_returns_the_first_unfinished_verdict(
    unfinished: Verdict,
) -> None:
    assert first_unfinished([GONE, unfinished, Wait("a later one")]) == unfinished
    assert first_unfinished([GONE, NOT_OURS]) == Done("the stack owns no other recommender")
    assert first_unfinished([]) == Done("the stack owns no other recommender")
