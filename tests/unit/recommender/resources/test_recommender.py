"""A Create or Update of the recommender."""

import logging
import math
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.errors import PermanentError
from lambdas.recommender.decision.verdict import Done, Fail, Progress, Wait
from lambdas.recommender.model.request import Request
from lambdas.recommender.resources import recommender
from lambdas.recommender.resources.recommender import Recommender

from ..examples import (
    CONFIG,
    CREATES,
    DELETE,
    DESIRED,
    HIDDEN,
    OFFICE,
    OWN,
    OWNER,
    PROPERTIES,
    ROLLS_BACK,
    UPDATES,
    event,
    gate,
    stop,
    update,
)
from ..fakes import FakePersonalize, refusal
from .examples import ONE, RESTING, WORKING, ZERO, account, operations, resource, verdict_of

EFFECTIVE = Done("ACTIVE, as configured", Progress.EFFECTIVE)


@pytest.mark.parametrize("updated_after", [None, 0.0, 5.5])
def test_gate_reads_updated_after_from_the_attributes(updated_after: float | None) -> None:
    made = resource(event())
    assert isinstance(made, Recommender)
    made.updated_after = updated_after

    attributes = made.attributes
    read = {v.UPDATED_AFTER: attributes[v.UPDATED_AFTER_ATTRIBUTE]}
    assert Request.parse(gate() | {"ResourceProperties": read}).updated_after == updated_after


def test_attributes_are_known_before_the_first_attempt() -> None:
    assert resource(event()).attributes == {
        v.ARN_ATTRIBUTE: DESIRED.arn,
        v.NAME_ATTRIBUTE: DESIRED.name,
        v.REVISION_ATTRIBUTE: "r-1",
        v.UPDATED_AFTER_ATTRIBUTE: v.NO_UPDATE,
    }


def test_absent_recommender_is_created_with_the_tags_that_prove_ownership() -> None:
    personalize = FakePersonalize()

    verdict = verdict_of(event(), personalize, CREATES)

    assert verdict == Done("CreateRecommender is accepted", Progress.TRAINING)
    assert personalize.changes == [("CreateRecommender", DESIRED.arn)]
    assert personalize.tags[DESIRED.arn] == OWN


@pytest.mark.parametrize(
    ("now", "changes"), [(WORKING, ["StartRecommender"]), (RESTING, [])], ids=["working", "resting"]
)
def test_stopped_recommender_with_hours_is_started_only_in_its_hours(
    now: float, changes: list[str]
) -> None:
    personalize = FakePersonalize()
    personalize.add(DESIRED.arn, "INACTIVE", tags=OWN, recommenderConfig=CONFIG)

    verdict_of(update({v.ACTIVE_HOURS: OFFICE}), personalize, UPDATES, now=now)

    assert operations(personalize) == changes


def test_retired_tags_are_removed_and_tags_of_others_stay() -> None:
    personalize = account()
    personalize.tags[DESIRED.arn] |= {"old": "x", "cost": "1"}
    before = {**PROPERTIES, v.TAGS: {"team": "films", "old": "x"}}

    verdict = verdict_of(update(OldResourceProperties=before), personalize, UPDATES)

    assert verdict == EFFECTIVE
    assert personalize.tags[DESIRED.arn] == {**OWN, "cost": "1"}
    assert personalize.changes == [("UntagResource", DESIRED.arn)]


# -- leftovers of earlier changes --------------------------------------------------------------


def test_leftover_is_deleted_once_the_recommender_serves() -> None:
    personalize = account(ZERO)

    verdict = verdict_of(update(), personalize, UPDATES)

    assert verdict == Wait(
        f"a leftover of an earlier change remains: DeleteRecommender of {ZERO} is accepted",
        hands_over=True,
    )
    assert personalize.changes == [("DeleteRecommender", ZERO)]


def test_replaced_recommender_is_no_leftover() -> None:
    personalize = account(ZERO, ONE)

    verdict_of(update(PhysicalResourceId=ZERO), personalize, UPDATES)

    assert personalize.changes == [("DeleteRecommender", ONE)]
    assert ("DescribeRecommender", ZERO) not in personalize.calls


def test_create_deletes_no_leftover() -> None:
    personalize = account(ZERO)

    assert verdict_of(event(), personalize, UPDATES) == EFFECTIVE
    assert personalize.changes == []


def test_leftover_stays_while_the_new_recommender_trains() -> None:
    personalize = account(ZERO)
    personalize.shown[DESIRED.arn]["status"] = "CREATE PENDING"

    verdict = verdict_of(update(), personalize, UPDATES)

    assert isinstance(verdict, Done)
    assert verdict.progress is Progress.TRAINING
    assert personalize.changes == []


# -- members that DescribeRecommender does not show --------------------------------------------

NO_METADATA = {**PROPERTIES, v.CONFIG: {v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.25"}}}
ADOPTS = event({v.ADOPT_EXISTING: "true"})
BEFORE: dict[str, tuple[dict[str, Any], bool, list[str]]] = {
    "same before": (update(), False, []),
    "another before": (update(OldResourceProperties=NO_METADATA), False, ["UpdateRecommender"]),
    "another before, another recommender": (
        update(OldResourceProperties=NO_METADATA, PhysicalResourceId=ZERO),
        False,
        [],
    ),
    "adopted": (ADOPTS, True, ["UpdateRecommender"]),
}


@pytest.mark.parametrize("row", BEFORE)
def test_hidden_metadata_are_updated_only_if_they_were_off_before(row: str) -> None:
    raw, adopted, expected = BEFORE[row]
    personalize = FakePersonalize()
    tags = {**OWN, **OWNER.tags(adopted=adopted)}
    personalize.add(DESIRED.arn, tags=tags, recommenderConfig=HIDDEN)

    verdict_of(raw, personalize, UPDATES)

    assert operations(personalize) == expected


@pytest.mark.parametrize("row", ["starts", "is retrained"])
def test_update_of_an_adopted_recommender_is_not_skipped_while_it(row: str) -> None:
    retrains = row == "is retrained"
    personalize = FakePersonalize()
    personalize.add(
        DESIRED.arn,
        "ACTIVE" if retrains else "START PENDING",
        tags={**OWN, **OWNER.tags(adopted=True)},
        recommenderConfig=HIDDEN,
    )
    if retrains:
        personalize.show_update(DESIRED.arn, "CREATE PENDING")
    raw = event({v.ADOPT_EXISTING: "true"} | ({v.RUNNING: "false"} if retrains else {}))

    for tags_read in ((), [DESIRED.arn]):
        verdict = verdict_of(raw, personalize, CREATES, tags_read=tags_read, began=math.inf)

        assert isinstance(verdict, Wait)
        assert not verdict.hands_over


WAITING = {"create": event(), "update": update(), "delete": DELETE, "stop": stop(arn=DESIRED.arn)}


@pytest.mark.parametrize("row", WAITING)
def test_tags_are_read_once_while_there_is_nothing_to_do(row: str) -> None:
    personalize = FakePersonalize()
    personalize.add(DESIRED.arn, "STOP PENDING", tags=OWN, recommenderConfig=CONFIG)
    calls = [("DescribeRecommender", DESIRED.arn), ("ListTagsForResource", DESIRED.arn)]

    first = verdict_of(WAITING[row], personalize, UPDATES)
    assert isinstance(first, Wait)
    assert personalize.calls == calls

    assert verdict_of(WAITING[row], personalize, UPDATES, tags_read={DESIRED.arn}) == first
    assert personalize.calls == [*calls, calls[0]]


# -- a leftover that cannot be removed ---------------------------------------------------------


def test_refused_leftover_fails_an_update_but_no_rollback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    personalize = account(ZERO)
    personalize.faults["DeleteRecommender"] = refusal("AccessDeniedException")

    with pytest.raises(PermanentError, match="AccessDeniedException"):
        verdict_of(update(), personalize, UPDATES)
    verdict = verdict_of(update(), personalize, ROLLS_BACK)

    assert isinstance(verdict, Done)
    assert verdict.progress is Progress.EFFECTIVE
    (record,) = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert "AccessDeniedException" in record.getMessage()


def test_leftover_in_a_superseded_update_fails_it(monkeypatch: pytest.MonkeyPatch) -> None:
    superseded = Fail("A newer operation of the stack has begun.")
    monkeypatch.setattr(recommender, "sweep", lambda *_: superseded)

    assert verdict_of(update(), account(ZERO), UPDATES) == superseded
