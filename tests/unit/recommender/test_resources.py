"""A class for each resource type: what its requests change, and what they are answered."""

import json
import logging
import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.errors import INVALID_INPUT, PermanentError
from lambdas.recommender.aws.personalize import Personalize
from lambdas.recommender.decision.removal import GONE
from lambdas.recommender.decision.situation import UNSEEN, Situation
from lambdas.recommender.decision.verdict import Done, Fail, Progress, Verdict, Wait
from lambdas.recommender.model.config import Config
from lambdas.recommender.model.identity import Owner
from lambdas.recommender.model.observed import Observed
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.properties import BadRequestError
from lambdas.recommender.model.request import Request
from lambdas.recommender.model.timing import CONFIRM_SECONDS, GRACE_SECONDS
from lambdas.recommender.protocol.answer import MAX_BYTES, answer_to, encoded
from lambdas.recommender.reconcile.reconciler import Known, Reconciler
from lambdas.recommender.resources import custom_resource_for
from lambdas.recommender.resources.base import CustomResource
from lambdas.recommender.resources.deletion import RecommenderDeletion, Sweep
from lambdas.recommender.resources.recommender import Recommender
from lambdas.recommender.resources.training_gate import TrainingGate

from .examples import (
    CREATES,
    DELETES,
    GROUP,
    OFFICE,
    PROPERTIES,
    RECIPE,
    RECOMMENDER,
    ROLLS_BACK,
    STACK,
    UNDOES,
    UPDATES,
    event,
    gate,
    hours,
    stop,
    sweep,
)
from .fakes import OWNER, FakeCloudFormation, FakePersonalize, refusal

ALL = ("Create", "Update", "Delete")
REQUEST = Request.parse(event())
DESIRED = REQUEST.desired
AS_ASKED = DESIRED.config.request()
OTHER = replace(DESIRED.config, min_requests_per_second=7).request()
OWN = {**OWNER.tags(), "team": "video"}

GATE_ATTRIBUTES = {*v.METRICS, v.RECOMMENDER_ARN_ATTRIBUTE, "ModelMetrics", "QualityGate"}


def resource(raw: Mapping[str, Any]) -> CustomResource:
    """Return the attempt at a request that has something to do."""
    found = custom_resource_for(Request.parse(raw))
    assert found is not None
    return found


def unknown(kind: str) -> dict[str, Any]:
    """Return a request to a type that this version does not know."""
    return event(kind=kind, ResourceType="Custom::OfTomorrow")


def named(digit: str) -> str:
    """Return the ARN of a recommender with a name that a stack's can have."""
    return f"{RECOMMENDER}TopPicks-{digit * 16}"


ZERO, ONE, TWO = named("0"), named("1"), named("2")


def attempted(
    raw: Mapping[str, Any],
    personalize: FakePersonalize,
    operation: Operation,
    *,
    tags_read: Collection[str] = (),
    **situation: Any,
) -> tuple[Verdict, CustomResource]:
    """Attempt a request once, in an operation of the stack."""
    reconciler = Reconciler(
        Personalize(personalize),
        Stacks(FakeCloudFormation(operation.status)),
        Request.parse(raw),
        Situation(operation, **situation),
        Known(tags_read=frozenset(tags_read)),
    )
    attempt = resource(raw)
    return attempt.attempt(reconciler), attempt


def step(*given: Any, **situation: Any) -> Verdict:
    """Return the verdict of an attempt."""
    return attempted(*given, **situation)[0]


# -- which requests may change something -------------------------------------------------------

MAKERS = {
    "recommender": lambda kind: event(kind=kind),
    "sweep": lambda kind: sweep(kind=kind),
    "gate": lambda kind: gate(kind=kind),
    "stop": lambda kind: stop(kind=kind),
    "hours": lambda kind: hours(kind=kind),
    "unknown": unknown,
}
HAS_TO_DO = {
    "recommender": {"Create", "Update", "Delete"},
    "sweep": {"Delete"},
    "gate": {"Create", "Update"},
    "stop": {"Create", "Update"},
    "hours": {"Create", "Update"},
    "unknown": set(),
}


@pytest.mark.parametrize("name", HAS_TO_DO)
def test_a_request_is_attempted_only_if_its_type_has_something_to_do_for_it(name: str) -> None:
    attempted = {kind for kind in ALL if custom_resource_for(Request.parse(MAKERS[name](kind)))}

    assert attempted == HAS_TO_DO[name]


def test_only_a_gate_does_not_pass_the_fence() -> None:
    attempts = [resource(MAKERS[name](kind)) for name in MAKERS for kind in HAS_TO_DO[name]]

    assert {type(one).__name__ for one in attempts if not one.is_fenced} == {"TrainingGate"}


def test_the_base_of_all_types_attempts_nothing() -> None:
    with pytest.raises(NotImplementedError):
        CustomResource(Request.parse(event())).attempt(
            Reconciler(
                Personalize(FakePersonalize()),
                Stacks(FakeCloudFormation("CREATE_IN_PROGRESS")),
                REQUEST,
            )
        )


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_recommender_that_is_not_asked_for_as_it_must_be_is_refused_at_once(kind: str) -> None:
    with pytest.raises(
        BadRequestError, match=r"^Unknown property Runing: got 'true'; allowed: the "
    ):
        resource(event({"Runing": "true"}, kind=kind))

    assert resource(event({"Runing": "true"}, kind="Delete"))


# -- physical ids ------------------------------------------------------------------------------

OLD = ZERO
IDS: dict[str, tuple[dict[str, Any], str]] = {
    "a Create": (event(), DESIRED.arn),
    "an Update": (event(kind="Update", PhysicalResourceId=DESIRED.arn), DESIRED.arn),
    "an Update that replaces it": (event(kind="Update", PhysicalResourceId=OLD), DESIRED.arn),
    "a Delete": (event(kind="Delete", PhysicalResourceId=OLD), OLD),
    "a Delete with an invented id": (
        event(kind="Delete", PhysicalResourceId="invented"),
        "invented",
    ),
    "a gate": (gate(3), "Training03"),
    "a gate, later": (gate(3) | {"PhysicalResourceId": "it"}, "it"),
    "a sweep": (sweep(3), "Sweep03"),
    "a stop": (stop(), "Stop"),
}


@pytest.mark.parametrize("row", IDS)
def test_a_physical_id_is_known_before_the_first_attempt(row: str) -> None:
    raw, expected = IDS[row]

    assert resource(raw).physical_id == expected


# -- attributes --------------------------------------------------------------------------------

UPDATED = {"no update": None, "the first update": 0.0, "an update after another": 5.5}


@pytest.mark.parametrize("row", UPDATED)
@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_gate_reads_from_the_recommender_when_the_update_before_was(row: str, kind: str) -> None:
    made = resource(event(kind=kind))
    assert isinstance(made, Recommender)
    made.updated_after = UPDATED[row]

    assert made.attributes.keys() == {
        v.ARN_ATTRIBUTE,
        v.NAME_ATTRIBUTE,
        v.REVISION_ATTRIBUTE,
        v.UPDATED_AFTER_ATTRIBUTE,
    }
    told = made.attributes[v.UPDATED_AFTER_ATTRIBUTE]
    assert (
        Request.parse(gate() | {"ResourceProperties": {v.UPDATED_AFTER: told}}).updated_after
        == (UPDATED[row])
    )


def test_a_recommender_has_its_arn_and_name_before_the_first_attempt() -> None:
    attributes = resource(event()).attributes

    assert attributes[v.ARN_ATTRIBUTE] == DESIRED.arn
    assert attributes[v.NAME_ATTRIBUTE] == DESIRED.name
    assert attributes[v.REVISION_ATTRIBUTE] == "r-1"
    assert attributes[v.UPDATED_AFTER_ATTRIBUTE] == v.NO_UPDATE


def attributes_with(
    metrics: Mapping[str, float], raw: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Return the attributes of a gate that has seen these metrics."""
    made = resource(raw or gate())
    assert isinstance(made, TrainingGate)
    made.observed = Observed(f"{RECOMMENDER}mine", "ACTIVE", GROUP, RECIPE, metrics=metrics)
    return made.attributes


@pytest.mark.parametrize("metrics", [{}, {"coverage": 0.5}, {"a_metric_of_tomorrow": 0.25}])
def test_every_attribute_is_there_whatever_the_service_reports(
    metrics: dict[str, float],
) -> None:
    attributes = attributes_with(metrics)

    assert attributes.keys() == GATE_ATTRIBUTES
    assert attributes[v.RECOMMENDER_ARN_ATTRIBUTE] == f"{RECOMMENDER}mine"
    assert attributes["Coverage"] == str(metrics.get("coverage", "n/a"))
    assert json.loads(attributes["ModelMetrics"]) == metrics


MEASURED = {
    "Coverage": ("coverage", 0.11),
    "MeanReciprocalRankAt25": ("mean_reciprocal_rank_at_25", 0.12),
    "NormalizedDiscountedCumulativeGainAt5": ("normalized_discounted_cumulative_gain_at_5", 0.13),
    "NormalizedDiscountedCumulativeGainAt10": ("normalized_discounted_cumulative_gain_at_10", 0.14),
    "NormalizedDiscountedCumulativeGainAt25": ("normalized_discounted_cumulative_gain_at_25", 0.15),
    "PrecisionAt5": ("precision_at_5", 0.16),
    "PrecisionAt10": ("precision_at_10", 0.17),
    "PrecisionAt25": ("precision_at_25", 0.18),
}
"""Written out: what is looked up through the table that it is to test shows nothing."""


def test_every_metric_is_told_by_its_own_name() -> None:
    attributes = attributes_with(dict(MEASURED.values()))

    assert {name: attributes[name] for name in v.METRICS} == {
        name: str(value) for name, (_, value) in MEASURED.items()
    }


def test_every_attribute_is_there_when_nothing_was_seen() -> None:
    attributes = resource(gate()).attributes

    assert attributes.keys() == GATE_ATTRIBUTES
    assert {attributes[name] for name in v.METRICS} == {"n/a"}
    assert attributes["ModelMetrics"] == "{}"


@pytest.mark.parametrize(("size", "kept"), [(2000, ["a", "b"]), (2001, ["a"])])
def test_metrics_are_kept_as_long_as_they_fit(size: int, kept: list[str]) -> None:
    bare = len(json.dumps({"a": 0.5, "b": 0.5}))
    long = "b" * (1 + size - bare)
    metrics = {long: 0.5, "a": 0.5}
    assert len(json.dumps(metrics)) == size

    attributes = attributes_with(metrics)

    assert [name[0] for name in json.loads(attributes["ModelMetrics"])] == kept


def test_more_metrics_than_an_answer_can_hold_do_not_fail_the_stack() -> None:
    metrics = {f"a_metric_of_tomorrow_{number:03}": 0.5 for number in range(100)}

    attributes = attributes_with(metrics)

    kept = json.loads(attributes["ModelMetrics"])
    assert list(kept) == [f"a_metric_of_tomorrow_{number:03}" for number in range(len(kept))]
    assert 1000 < len(json.dumps(attributes)) < 4096 - 1500


LONGEST = {
    "StackId": STACK.replace("TopPicks", "T" * 128).replace("0a1b", "0" * 36),
    "RequestId": "r" * 36,
    "LogicalResourceId": "L" * 255,
}
"""Limits: stack names and logical ids, CloudFormation User Guide."""


@pytest.mark.parametrize(
    "names",
    [
        [f"a_metric_of_tomorrow_{number:03}" for number in range(200)],
        [chr(0x4E00 + number) for number in range(400)],
        [f"{number:x}" for number in range(400)],
    ],
    ids=["long names", "names in another script", "short names"],
)
def test_the_longest_answer_of_a_gate_still_says_why_it_failed(names: list[str]) -> None:
    metrics = dict.fromkeys(v.METRICS.values(), 0.12345678901234567) | dict.fromkeys(names, 0.5)
    raw = gate(arn=RECOMMENDER + "n" * 63) | LONGEST

    whole = answer_to(
        raw,
        succeeded=False,
        physical_id=resource(raw).physical_id,
        reason="The training failed: " + "x" * 4000,
        attributes=attributes_with(metrics, raw),
    )

    assert len(encoded(whole)) <= MAX_BYTES
    assert whole["Reason"].startswith("The training failed: x")


@pytest.mark.parametrize("raw", [event(kind="Delete"), sweep(), stop(), hours()])
def test_where_nothing_reads_attributes_there_are_none(raw: dict[str, Any]) -> None:
    assert resource(raw).attributes == {}


# -- when the time is up -----------------------------------------------------------------------

NOT_POSSIBLE = "Not possible within 55 minutes: it trains. Deploy again when that has ended."
STILL_OWNED = (
    "Not deleted within 55 minutes: it trains. Left, may be billed: {}. The next change of the "
    "recommender removes it: remove the cause, then deploy with another force_update."
)


def way_out(left: str, *commands: str) -> str:
    """Return the last word of a deletion that leaves something behind."""
    last = len(commands) + 1
    first = "".join(f"{number}) {command} " for number, command in enumerate(commands, start=1))
    return (
        f"Not deleted within 55 minutes: it trains. Left, may be billed: {left}. cdk destroy alone "
        f"does not delete it. Remove the cause, then: {first}{last}) cdk destroy {last + 1}) if "
        f"{last} fails: aws cloudformation delete-stack --stack-name TopPicks --region eu-west-1 "
        "--deletion-mode FORCE_DELETE_STACK"
    )


def deleting(arn: str) -> str:
    return f"aws personalize delete-recommender --recommender-arn {arn} --region eu-west-1"


def releasing(arn: str) -> str:
    tags = " ".join(v.RESERVED_TAGS)
    return (
        f"aws personalize untag-resource --tag-keys {tags} --resource-arn {arn} --region eu-west-1"
    )


UNKNOWN = way_out("unknown, see aws personalize list-recommenders")
NOT_READY = (
    "The recommender was not ready when the last training gate ended: it trains. If it needs more "
    "time, raise max_training_hours (in your own app: training_gates), then deploy again."
)
CLEANS_UP = Operation("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "")
OUT_OF_TIME: dict[str, tuple[dict[str, Any], Operation | None, str]] = {
    "a Create": (event(), CREATES, NOT_POSSIBLE),
    "an Update": (event(kind="Update"), UPDATES, NOT_POSSIBLE),
    "a Delete, of a stack that lives": (
        event(kind="Delete"),
        CLEANS_UP,
        STILL_OWNED.format(DESIRED.arn),
    ),
    "a sweep of a stack that lives": (
        sweep(),
        CLEANS_UP,
        STILL_OWNED.format("unknown, see aws personalize list-recommenders"),
    ),
    "a gate": (gate(), None, NOT_READY),
    "a stop": (stop(), UPDATES, NOT_POSSIBLE),
}


@pytest.mark.parametrize("row", OUT_OF_TIME)
def test_a_request_that_ran_out_of_time_says_what_can_be_done(row: str) -> None:
    raw, operation, expected = OUT_OF_TIME[row]
    made = resource(raw)
    if isinstance(made, RecommenderDeletion | Sweep):
        made.operation = operation

    assert made.out_of_time("it trains", 3300.0) == expected


@pytest.mark.parametrize("operation", [DELETES, None])
def test_a_sweep_that_has_seen_nothing_says_how_to_find_what_is_left(
    operation: Operation | None,
) -> None:
    made = resource(sweep())
    assert isinstance(made, Sweep)
    made.operation = operation

    assert made.out_of_time("it trains", 3300.0) == UNKNOWN


def test_a_sweep_that_ran_out_of_time_names_all_that_is_owned_and_its_way_out() -> None:
    personalize = FakePersonalize()
    for arn in (ZERO, ONE, TWO):
        personalize.add(arn, "DELETE PENDING")
    personalize.tags[ONE] = OWNER.tags(adopted=True)
    personalize.tags[TWO] = Owner(STACK, "Other").tags()
    personalize.faults["UntagResource"] = refusal("ThrottlingException")

    _, swept = attempted(LAST, personalize, DELETES)

    assert swept.out_of_time("it trains", 3300.0) == way_out(
        f"{ZERO}, {ONE}", deleting(ZERO), releasing(ONE)
    )


def test_a_sweep_that_could_not_read_whose_one_is_says_so() -> None:
    personalize = FakePersonalize()
    personalize.add(ZERO)
    personalize.faults["ListTagsForResource"] = refusal("ThrottlingException")

    _, swept = attempted(LAST, personalize, DELETES)

    assert swept.out_of_time("it trains", 3300.0) == way_out(
        f"{ZERO} (if its tags name this stack)", deleting(ZERO)
    )


def test_what_is_listed_and_not_there_any_more_is_not_left() -> None:
    personalize = FakePersonalize()
    personalize.add(ZERO)
    personalize.faults["DescribeRecommender"] = refusal("ResourceNotFoundException")

    verdict, swept = attempted(LAST, personalize, DELETES)

    assert verdict == NOTHING_LEFT
    said = swept.out_of_time("it trains", 3300.0)
    assert "billed: unknown, see aws personalize list-recommenders. cdk destroy alone" in said
    assert said.partition(" Remove the cause, then: ")[2].split()[:3] == ["1)", "cdk", "destroy"]


# -- what is refused for good ------------------------------------------------------------------

DENIED, INVALID = "AccessDeniedException", INVALID_INPUT
UPDATE_IN_PLACE = event(kind="Update", PhysicalResourceId=DESIRED.arn)
REFUSALS: dict[str, tuple[dict[str, Any], str, float]] = {
    "a Create, by a new policy": (event(), DENIED, GRACE_SECONDS),
    "a Create, by the service": (event(), INVALID, 0.0),
    "an Update, by an old policy": (UPDATE_IN_PLACE, DENIED, 0.0),
    "an Update that replaces it, by a policy for a new name": (
        event(kind="Update", PhysicalResourceId=OLD),
        DENIED,
        GRACE_SECONDS,
    ),
    "a Delete, of a stack that lives": (event(kind="Delete"), DENIED, 0.0),
    "a new gate": (gate(), DENIED, GRACE_SECONDS),
    "a gate": (gate(kind="Update"), DENIED, 0.0),
    "a new stop": (stop(), DENIED, GRACE_SECONDS),
    "a stop": (stop(kind="Update"), DENIED, 0.0),
}


@pytest.mark.parametrize("row", REFUSALS)
def test_only_a_refusal_by_a_new_policy_must_last_to_be_believed(row: str) -> None:
    raw, code, confirm = REFUSALS[row]

    assert resource(raw).refused(PermanentError("no", code=code)) == Fail("no", confirm=confirm)


REMOVALS = {"the recommender": event(kind="Delete"), "a sweep": sweep(11), "the last": sweep(1)}
REFUSED = {"DescribeRecommender", "ListRecommenders"}


@pytest.mark.parametrize("raw", REMOVALS.values(), ids=REMOVALS)
@pytest.mark.parametrize("code", [DENIED, INVALID])
@pytest.mark.parametrize("operation", [DELETES, UNDOES])
def test_a_deletion_of_the_stack_waits_for_somebody_to_remove_the_cause_of_a_refusal(
    raw: dict[str, Any], code: str, operation: Operation
) -> None:
    personalize = FakePersonalize()
    personalize.faults |= dict.fromkeys(REFUSED, refusal(code))

    verdict = step(raw, personalize, operation)

    assert isinstance(verdict, Wait)
    assert code in verdict.reason


def test_a_clean_up_that_is_refused_is_not_waited_for() -> None:
    personalize = FakePersonalize()
    personalize.faults |= dict.fromkeys(REFUSED, refusal(INVALID))

    with pytest.raises(PermanentError, match=INVALID):
        step(event(kind="Delete"), personalize, CLEANS_UP)


@pytest.mark.parametrize("raw", REMOVALS.values(), ids=REMOVALS)
def test_where_there_is_no_service_nothing_is_left_to_delete(raw: dict[str, Any]) -> None:
    nowhere = EndpointConnectionError(endpoint_url="https://personalize.eu-west-3.amazonaws.com/")
    personalize = FakePersonalize()
    personalize.faults |= dict.fromkeys(REFUSED, nowhere)

    verdict = step(raw, personalize, DELETES)

    assert isinstance(verdict, Done)
    assert verdict.confirm == CONFIRM_SECONDS


HANDS_OVER: dict[str, tuple[dict[str, Any], Operation | None, bool]] = {
    "a Create": (event(), CREATES, False),
    "a Delete, of which stack is not known": (event(kind="Delete"), None, True),
    "a Delete, of a stack that is deleted": (event(kind="Delete"), DELETES, True),
    "a Delete, of a creation that is undone": (event(kind="Delete"), UNDOES, True),
    "a Delete, of a stack that lives": (event(kind="Delete"), CLEANS_UP, False),
    "the first sweep": (sweep(11), DELETES, True),
    "the one before the last": (sweep(2), None, True),
    "the last sweep": (sweep(1), DELETES, False),
    "the only sweep": (sweep(1, 1), DELETES, False),
    "the first gate": (gate(1), None, True),
    "the gate before the last": (gate(10), None, True),
    "the last gate": (gate(11), None, False),
    "the only gate": (gate(1, 1), None, False),
    "a stop": (stop(), UPDATES, False),
}


@pytest.mark.parametrize("row", HANDS_OVER)
def test_a_wait_is_handed_over_if_another_link_of_the_chain_waits_on(row: str) -> None:
    raw, operation, expected = HANDS_OVER[row]
    made = resource(raw)
    if isinstance(made, RecommenderDeletion | Sweep):
        made.operation = operation

    assert made.hands_over(Wait("it trains")) is expected


# -- hours of service --------------------------------------------------------------------------

WORKING, RESTING = 1_764_000_000.0, 1_764_460_000.0
"""24 November 2025, a Monday, 17:00, and 30 November, a Sunday, 00:46, in Berlin."""


@pytest.mark.parametrize(
    ("now", "status", "call"),
    [
        (WORKING, "INACTIVE", "StartRecommender"),
        (RESTING, "ACTIVE", "StopRecommender"),
        (WORKING, "ACTIVE", None),
        (RESTING, "INACTIVE", None),
    ],
)
def test_at_the_end_it_is_left_in_the_state_that_its_hour_wants(
    now: float, status: str, call: str | None
) -> None:
    personalize = FakePersonalize()
    personalize.add(f"{RECOMMENDER}mine", status)

    step(hours(), personalize, CREATES, now=now)

    assert [operation for operation, _ in personalize.changes] == ([call] if call else [])


@pytest.mark.parametrize(
    ("now", "call"), [(WORKING, "StartRecommender"), (RESTING, None)], ids=["working", "resting"]
)
def test_a_recommender_with_hours_runs_when_its_hour_wants_it(now: float, call: str | None) -> None:
    personalize = FakePersonalize()
    personalize.add(DESIRED.arn, "INACTIVE", tags=OWN, recommenderConfig=AS_ASKED)
    update = event({v.ACTIVE_HOURS: OFFICE}, kind="Update", PhysicalResourceId=DESIRED.arn)

    step(update, personalize, UPDATES, now=now)

    assert [operation for operation, _ in personalize.changes] == ([call] if call else [])


# -- the recommender ---------------------------------------------------------------------------


def test_a_recommender_is_created_and_its_gates_wait() -> None:
    personalize = FakePersonalize()

    verdict = step(event(), personalize, CREATES)

    assert verdict == Done("CreateRecommender is accepted", Progress.TRAINING)
    assert personalize.changes == [("CreateRecommender", DESIRED.arn)]
    assert personalize.tags[DESIRED.arn] == OWN


def test_what_was_created_in_a_rollback_is_waited_for() -> None:
    verdict = step(event(), FakePersonalize(), ROLLS_BACK)

    assert verdict == Wait("CreateRecommender is accepted", hands_over=True)


def created(personalize: FakePersonalize) -> float:
    """Return when the recommender was created, in epoch seconds."""
    when: datetime = personalize.shown[DESIRED.arn]["creationDateTime"]
    return when.timestamp()


def test_an_update_in_a_rollback_is_waited_for() -> None:
    personalize = FakePersonalize()
    personalize.add(DESIRED.arn, tags=OWN, recommenderConfig=OTHER)

    verdict = step(event(kind="Update", PhysicalResourceId=DESIRED.arn), personalize, ROLLS_BACK)

    assert verdict == Wait(
        "UpdateRecommender is accepted", hands_over=True, updated_after=created(personalize)
    )


def test_a_recommender_that_is_kept_stopped_is_waited_for_by_itself() -> None:
    personalize = FakePersonalize()
    personalize.add(DESIRED.arn, tags=OWN, recommenderConfig=OTHER)
    raw = event({v.RUNNING: "false"}, kind="Update", PhysicalResourceId=DESIRED.arn)

    assert step(raw, personalize, ROLLS_BACK) == Wait(
        f"UpdateRecommender of {DESIRED.arn} is accepted", updated_after=created(personalize)
    )


def test_what_is_kept_stopped_is_stopped_also_if_its_update_was_in_force() -> None:
    personalize = FakePersonalize()
    personalize.add(DESIRED.arn, tags=OWN, recommenderConfig=HIDDEN)
    personalize.faults["UpdateRecommender"] = refusal(INVALID_INPUT)
    raw = update() | {
        "ResourceProperties": {**PROPERTIES, v.RUNNING: "false"},
        "OldResourceProperties": NO_METADATA,
    }

    verdict = step(raw, personalize, ROLLS_BACK)

    assert isinstance(verdict, Wait)


def update(**changes: Any) -> dict[str, Any]:
    """Return an Update that keeps the name."""
    return event(
        kind="Update",
        PhysicalResourceId=DESIRED.arn,
        OldResourceProperties=dict(PROPERTIES),
        **changes,
    )


def with_leftovers(*arns: str, status: str = "ACTIVE") -> FakePersonalize:
    """Return an account with the recommender as asked, and others that are the stack's."""
    personalize = FakePersonalize()
    personalize.add(DESIRED.arn, tags=OWN, recommenderConfig=AS_ASKED)
    for arn in arns:
        personalize.add(arn, status)
    return personalize


def test_an_update_without_a_difference_changes_nothing() -> None:
    personalize = with_leftovers()

    assert step(update(), personalize, UPDATES) == Done("ACTIVE, as configured", Progress.EFFECTIVE)
    assert personalize.changes == []


def test_a_leftover_of_an_earlier_change_is_removed_once_the_recommender_serves() -> None:
    personalize = with_leftovers(ZERO)

    verdict = step(update(), personalize, UPDATES)

    assert verdict == Wait(
        f"a leftover of an earlier change remains: DeleteRecommender of {ZERO} is accepted",
        hands_over=True,
    )
    assert personalize.changes == [("DeleteRecommender", ZERO)]


def test_what_is_kept_is_not_even_looked_at() -> None:
    personalize = with_leftovers(ZERO, ONE)

    step(update() | {"PhysicalResourceId": ZERO}, personalize, UPDATES)

    assert personalize.changes == [("DeleteRecommender", ONE)]
    assert ("DescribeRecommender", ZERO) not in personalize.calls


def test_a_create_sweeps_nothing() -> None:
    personalize = with_leftovers(ZERO)

    assert step(event(), personalize, UPDATES) == Done("ACTIVE, as configured", Progress.EFFECTIVE)
    assert personalize.changes == []


def test_nothing_is_removed_before_the_new_recommender_serves() -> None:
    personalize = with_leftovers(ZERO)
    personalize.shown[DESIRED.arn]["status"] = "CREATE PENDING"

    verdict = step(update(), personalize, UPDATES)

    assert isinstance(verdict, Done)
    assert verdict.progress is Progress.TRAINING
    assert personalize.changes == []


def without_metadata(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration that does not show whether there is metadata."""
    return {name: value for name, value in config.items() if name != v.ENABLE_METADATA}


HIDDEN = without_metadata(AS_ASKED)
NO_METADATA = {**PROPERTIES, v.CONFIG: {v.EXPLORATION: {v.EXPLORATION_WEIGHT: "0.25"}}}
ASSUMED: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "it was asked for before": (update(), HIDDEN, []),
    "another was asked for before": (
        update() | {"OldResourceProperties": NO_METADATA},
        HIDDEN,
        ["UpdateRecommender"],
    ),
    "what was asked for before is not known": (
        update() | {"OldResourceProperties": {}},
        HIDDEN,
        [],
    ),
    "another was asked for before, of another one": (
        update() | {"OldResourceProperties": NO_METADATA, "PhysicalResourceId": ZERO},
        HIDDEN,
        [],
    ),
    "it was created with it": (event(), HIDDEN, []),
    "it was created with it, though it may be adopted": (
        event({v.ADOPT_EXISTING: "true"}),
        HIDDEN,
        [],
    ),
    "it was adopted with the defaults": (
        event({v.ADOPT_EXISTING: "true"}),
        HIDDEN,
        ["UpdateRecommender"],
    ),
    "it was adopted, and asked for since": (
        update() | {"ResourceProperties": {**PROPERTIES, v.ADOPT_EXISTING: "true"}},
        HIDDEN,
        [],
    ),
}


@pytest.mark.parametrize("row", ASSUMED)
def test_what_does_not_show_is_what_was_asked_for_before(row: str) -> None:
    raw, shown, expected = ASSUMED[row]
    personalize = FakePersonalize()
    personalize.add(DESIRED.arn, tags=OWN, recommenderConfig=shown)
    if row.startswith("it was adopted"):
        personalize.tags[DESIRED.arn] |= OWNER.tags(adopted=True)

    step(raw, personalize, UPDATES)

    assert [operation for operation, _ in personalize.changes] == expected


def test_what_this_create_made_because_there_was_nothing_to_adopt_is_as_asked() -> None:
    personalize = FakePersonalize()
    personalize.add(DESIRED.arn, "CREATE PENDING", tags=OWN, recommenderConfig=HIDDEN)

    verdict = step(event({v.ADOPT_EXISTING: "true"}), personalize, CREATES)

    assert isinstance(verdict, Done)
    assert verdict.progress is Progress.TRAINING


def test_tags_that_are_no_longer_asked_for_are_taken_off() -> None:
    personalize = with_leftovers()
    personalize.tags[DESIRED.arn] |= {"old": "x", "cost": "1"}
    before = {**PROPERTIES, v.TAGS: {"team": "films", "old": "x"}}

    verdict = step(update() | {"OldResourceProperties": before}, personalize, UPDATES)

    assert verdict == Done("ACTIVE, as configured", Progress.EFFECTIVE)
    assert personalize.tags[DESIRED.arn] == {**OWN, "cost": "1"}
    assert personalize.changes == [("UntagResource", DESIRED.arn)]


CHEAP: dict[str, dict[str, Any]] = {
    "a Create": event(),
    "an Update": event(kind="Update", PhysicalResourceId=DESIRED.arn),
    "a Delete": event(kind="Delete", PhysicalResourceId=DESIRED.arn),
    "a stop": stop(arn=DESIRED.arn),
}


@pytest.mark.parametrize("row", CHEAP)
def test_whose_it_is_is_read_at_the_first_look_and_then_only_when_there_is_something_to_do(
    row: str,
) -> None:
    personalize = FakePersonalize()
    personalize.add(DESIRED.arn, "STOP PENDING", tags=OWN, recommenderConfig=AS_ASKED)
    looked_at = [("DescribeRecommender", DESIRED.arn), ("ListTagsForResource", DESIRED.arn)]

    first = step(CHEAP[row], personalize, UPDATES)
    assert isinstance(first, Wait)
    assert personalize.calls == looked_at

    assert step(CHEAP[row], personalize, UPDATES, tags_read={DESIRED.arn}) == first
    assert personalize.calls == [*looked_at, looked_at[0]]


ADOPTS = {"starts": {}, "is retrained": {v.RUNNING: "false"}}


@pytest.mark.parametrize("row", ADOPTS)
def test_an_update_of_what_is_adopted_is_not_forgotten_while_it(row: str) -> None:
    personalize = FakePersonalize()
    personalize.add(
        DESIRED.arn,
        "START PENDING" if row == "starts" else "ACTIVE",
        tags={**OWN, **OWNER.tags(adopted=True)},
        recommenderConfig=HIDDEN,
    )
    if row == "is retrained":
        personalize.shown[DESIRED.arn]["latestRecommenderUpdate"] = {
            "status": "CREATE PENDING",
            "recommenderConfig": HIDDEN,
            "creationDateTime": datetime(2026, 1, 1, tzinfo=UTC),
        }
    raw = event({v.ADOPT_EXISTING: "true", **ADOPTS[row]})

    for tags_read in ((), [DESIRED.arn]):
        verdict = step(raw, personalize, CREATES, tags_read=tags_read, began=math.inf)

        assert isinstance(verdict, Wait)
        assert not verdict.hands_over


def test_an_adopted_recommender_is_released_with_the_stacks_tags() -> None:
    arn = f"{RECOMMENDER}mine"
    personalize = FakePersonalize()
    personalize.add(arn, tags={**OWNER.tags(adopted=True), "team": "video", "cost": "1"})
    raw = event({v.FIXED_NAME: "mine"}, kind="Delete", PhysicalResourceId=arn)

    verdict = step(raw, personalize, DELETES)

    assert isinstance(verdict, Done)
    assert personalize.tags[arn] == {"cost": "1"}
    assert personalize.changes == [("UntagResource", arn)]


DELETE = event(kind="Delete", PhysicalResourceId=DESIRED.arn)


def test_a_recommender_is_deleted_and_its_sweeps_wait_for_that() -> None:
    personalize = with_leftovers()

    verdict = step(DELETE, personalize, DELETES)

    assert verdict == Wait(f"DeleteRecommender of {DESIRED.arn} is accepted")
    assert personalize.changes == [("DeleteRecommender", DESIRED.arn)]


def test_a_replaced_recommender_is_waited_for_to_be_gone() -> None:
    verdict = step(DELETE, with_leftovers(), Operation("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ""))

    assert verdict == Wait(f"DeleteRecommender of {DESIRED.arn} is accepted")


GONE_IN: dict[str, tuple[Operation, dict[str, Any], Verdict]] = {
    "the stack is deleted": (DELETES, {}, GONE),
    "it was there before": (
        DELETES,
        {"attempted_before": True},
        replace(GONE, confirm=CONFIRM_SECONDS),
    ),
    "it may show late": (DELETES, {"may_show_late": True}, UNSEEN),
    "that is left to the sweeps": (UNDOES, {"may_show_late": True}, GONE),
}


@pytest.mark.parametrize("row", GONE_IN)
def test_what_is_not_there_is_gone_or_does_not_show_yet(row: str) -> None:
    operation, situation, expected = GONE_IN[row]

    assert step(DELETE, FakePersonalize(), operation, **situation) == expected


def test_a_delete_of_what_is_this_resources_alone_is_no_success_without_its_tags() -> None:
    personalize = FakePersonalize()
    personalize.add(DESIRED.arn, tags={})

    assert isinstance(step(DELETE, personalize, DELETES), Fail)
    assert personalize.changes == []


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
REMEDIES: dict[str, tuple[Operation, str]] = {
    "the stack is being removed": (DELETES, BY_HAND),
    "its creation is undone": (UNDOES, BY_HAND),
    "the stack lives": (CLEANS_UP, BY_ITS_TAGS),
}


@pytest.mark.parametrize("row", REMEDIES)
def test_a_delete_that_lacks_the_proof_says_what_can_be_done(row: str) -> None:
    operation, remedy = REMEDIES[row]
    personalize = FakePersonalize()
    personalize.add(DESIRED.arn, tags={})

    assert step(DELETE, personalize, operation) == Fail(LEFT_ALONE + remedy)


# -- sweeps ------------------------------------------------------------------------------------

LAST, BEFORE_THE_LAST, FIRST = sweep(1), sweep(2), sweep(11)


@pytest.mark.parametrize("raw", [LAST, BEFORE_THE_LAST, FIRST])
@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"])
def test_nothing_is_swept_while_the_stack_lives(raw: dict[str, Any], status: str) -> None:
    personalize = with_leftovers(ZERO)

    verdict = step(raw, personalize, Operation(status, ""))

    assert verdict == Done(f"the stack is {status}, so a sweep deletes nothing")
    assert personalize.calls == []


@pytest.mark.parametrize("operation", [DELETES, UNDOES])
def test_all_that_is_owned_is_swept_and_the_first_that_is_left_is_named(
    operation: Operation,
) -> None:
    personalize = FakePersonalize()
    for arn in (TWO, ZERO, ONE):
        personalize.add(arn)

    verdict = step(LAST, personalize, operation)

    assert verdict == Wait(f"DeleteRecommender of {ZERO} is accepted")
    assert personalize.changes == [("DeleteRecommender", arn) for arn in (ZERO, ONE, TWO)]


NOTHING_LEFT = Done("the stack owns no other recommender")


@pytest.mark.parametrize(
    ("raw", "operation", "late", "expected"),
    [
        (LAST, UNDOES, True, UNSEEN),
        (LAST, UNDOES, False, NOTHING_LEFT),
        (LAST, DELETES, True, NOTHING_LEFT),
        (BEFORE_THE_LAST, UNDOES, True, NOTHING_LEFT),
    ],
)
def test_the_last_one_waits_for_what_shows_late_when_a_creation_is_undone(
    raw: dict[str, Any], operation: Operation, late: bool, expected: Verdict
) -> None:
    assert step(raw, FakePersonalize(), operation, may_show_late=late) == expected


def test_a_name_that_could_be_the_stacks_does_not_make_it_so() -> None:
    personalize = FakePersonalize()
    personalize.add(ZERO, tags={})
    personalize.add(ONE)
    personalize.add(TWO, tags=Owner(STACK, "Other").tags())

    verdict = step(LAST, personalize, DELETES)

    assert verdict == Wait(f"DeleteRecommender of {ONE} is accepted")
    assert personalize.changes == [("DeleteRecommender", ONE)]


def test_names_that_cannot_be_the_stacks_are_not_even_looked_at() -> None:
    personalize = FakePersonalize()
    for name in ("somebody-elses", "TopPicks-eu-0123456789abcdef"):
        personalize.add(RECOMMENDER + name)

    assert step(LAST, personalize, DELETES) == NOTHING_LEFT
    assert personalize.calls == [("ListRecommenders", "")]


def test_a_list_that_does_not_come_is_waited_for() -> None:
    personalize = FakePersonalize()
    personalize.faults["ListRecommenders"] = refusal("ThrottlingException")

    assert step(LAST, personalize, DELETES) == Wait(
        "ListRecommenders: ThrottlingException: the message", unseen=True
    )


# -- training gates ----------------------------------------------------------------------------


def look(raw: dict[str, Any], personalize: FakePersonalize) -> tuple[Verdict, Observed | None]:
    """Return the verdict of a gate, and what it has seen."""
    verdict, made = attempted(raw, personalize, CREATES)
    assert isinstance(made, TrainingGate)
    return verdict, made.observed


def mine(status: str, **members: Any) -> FakePersonalize:
    personalize = FakePersonalize()
    personalize.add(f"{RECOMMENDER}mine", status, **members)
    return personalize


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_gate_opens_when_the_recommender_is_ready(kind: str) -> None:
    personalize = mine("ACTIVE", modelMetrics={"coverage": 0.5})

    verdict, observed = look(gate(kind=kind), personalize)

    assert verdict == Done("ACTIVE", Progress.EFFECTIVE)
    assert observed is not None
    assert observed.metrics == {"coverage": 0.5}
    assert personalize.calls == [("DescribeRecommender", f"{RECOMMENDER}mine")]


@pytest.mark.parametrize("link", [1, 11])
def test_what_only_a_delay_explains_fails_at_any_gate(link: int) -> None:
    verdict, observed = look(gate(link), FakePersonalize())

    assert verdict == Fail(
        f"Personalize does not show {RECOMMENDER}mine. If something outside this stack deleted it, "
        "change force_update, then deploy again.",
        confirm=GRACE_SECONDS,
    )
    assert observed is None


@pytest.mark.parametrize("link", [1, 11])
def test_a_fault_that_passes_does_not_end_a_training(link: int) -> None:
    personalize = mine("CREATE PENDING")
    personalize.faults["DescribeRecommender"] = refusal("ThrottlingException")

    verdict, observed = look(gate(link), personalize)

    assert isinstance(verdict, Wait)
    assert verdict.reason == "DescribeRecommender: ThrottlingException: the message"
    assert observed is None


@pytest.mark.parametrize("link", [1, 11])
def test_a_fault_that_does_not_pass_ends_a_training_with_the_services_words(link: int) -> None:
    personalize = mine("CREATE PENDING")
    personalize.faults["DescribeRecommender"] = refusal("AccessDeniedException")

    with pytest.raises(PermanentError, match="DescribeRecommender: AccessDeniedException: the mes"):
        look(gate(link), personalize)


@pytest.mark.parametrize(
    ("running", "status", "ready"),
    [
        ("true", "INACTIVE", False),
        ("false", "INACTIVE", True),
        ("false", "ACTIVE", True),
        ("true", "ACTIVE", True),
        (None, "INACTIVE", False),
        (None, "ACTIVE", True),
    ],
)
def test_a_gate_of_what_is_kept_stopped_opens_for_that_too(
    running: str | None, status: str, ready: bool
) -> None:
    raw = gate()
    raw["ResourceProperties"][v.RUNNING] = running

    verdict, _ = look(raw, mine(status))

    assert isinstance(verdict, Done) is ready


@pytest.mark.parametrize(
    ("updated_after", "expected"), [("0.0", Fail), ("1.0", Fail), (v.NO_UPDATE, Done), (None, Done)]
)
def test_a_gate_knows_by_its_time_whether_an_update_is_this_deployments(
    updated_after: str | None, expected: type[Verdict]
) -> None:
    raw = gate()
    raw["ResourceProperties"][v.UPDATED_AFTER] = updated_after
    began = datetime.fromtimestamp(1.0, UTC)
    failed = {"status": "CREATE FAILED", "creationDateTime": began}

    verdict, _ = look(raw, mine("ACTIVE", latestRecommenderUpdate=failed))

    assert isinstance(verdict, expected)
    is_awaited = isinstance(verdict, Fail) and verdict.confirm == GRACE_SECONDS
    assert is_awaited is (updated_after == "1.0")


AS_CREATED = Config().request()
UNCHECKED: dict[str, tuple[dict[str, Any], FakePersonalize, list[list[str]]]] = {
    "nothing shows": (
        gate(),
        mine("ACTIVE"),
        [
            [
                v.MIN_REQUESTS_PER_SECOND,
                v.ENABLE_METADATA,
                v.EXPLORATION_WEIGHT,
                v.EXPLORATION_ITEM_AGE_CUT_OFF,
            ]
        ],
    ),
    "one member does not show": (
        gate(1, 1, kind="Update"),
        mine("ACTIVE", recommenderConfig=without_metadata(AS_CREATED)),
        [[v.ENABLE_METADATA]],
    ),
    "all shows": (gate(), mine("ACTIVE", recommenderConfig=AS_CREATED), []),
    "it is not the last": (gate(10), mine("ACTIVE"), []),
    "it trains": (gate(), mine("CREATE PENDING"), []),
    "it failed": (gate(), mine("CREATE FAILED"), []),
    "it is not there": (gate(), FakePersonalize(), []),
}


@pytest.mark.parametrize("row", UNCHECKED)
def test_the_last_gate_says_what_it_could_not_check(
    row: str, caplog: pytest.LogCaptureFixture
) -> None:
    raw, personalize, expected = UNCHECKED[row]

    with caplog.at_level(logging.DEBUG):
        look(raw, personalize)

    assert [vars(record)["members"] for record in caplog.records] == expected
    for record in caplog.records:
        assert record.levelno == logging.WARNING
        assert "DescribeRecommender does not show" in record.getMessage()


def test_a_gate_refuses_what_is_no_time() -> None:
    raw = gate()
    raw["ResourceProperties"][v.UPDATED_AFTER] = "-1"

    with pytest.raises(BadRequestError, match=f"allowed: seconds, or {v.NO_UPDATE}"):
        look(raw, mine("ACTIVE"))


# -- stops -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_recommender_is_stopped(kind: str) -> None:
    personalize = mine("ACTIVE")

    verdict = step(stop(kind=kind), personalize, UPDATES)

    assert verdict == Wait(f"StopRecommender of {RECOMMENDER}mine is accepted")
    assert personalize.changes == [("StopRecommender", f"{RECOMMENDER}mine")]


def test_a_recommender_that_is_stopped_already_is_as_asked() -> None:
    assert step(stop(), mine("INACTIVE"), UPDATES) == Done(
        "INACTIVE, as configured", Progress.EFFECTIVE
    )
