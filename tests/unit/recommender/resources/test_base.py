"""What all resource types share: which class answers, physical ids, refusals, and waits."""

from collections.abc import Callable
from typing import Any

import pytest

from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.errors import INVALID_INPUT, PermanentError
from lambdas.recommender.aws.personalize import Personalize
from lambdas.recommender.decision.verdict import Fail
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.properties import BadRequestError
from lambdas.recommender.model.request import Request
from lambdas.recommender.model.timing import GRACE_SECONDS
from lambdas.recommender.reconcile.reconciler import Reconciler
from lambdas.recommender.resources import custom_resource_for
from lambdas.recommender.resources.base import CustomResource
from lambdas.recommender.resources.deletion import RecommenderDeletion, Sweep, _Deletion

from ..examples import (
    CLEANS_UP,
    CREATES,
    DELETES,
    DESIRED,
    UPDATES,
    event,
    gate,
    hours,
    stop,
    sweep,
    update,
)
from ..fakes import FakeCloudFormation, FakePersonalize
from .examples import ZERO, resource

CLASSES: dict[str, tuple[Callable[[str], dict[str, Any]], dict[str, str]]] = {
    "recommender": (
        lambda kind: event(kind=kind),
        {"Create": "Recommender", "Update": "Recommender", "Delete": "RecommenderDeletion"},
    ),
    "sweep": (lambda kind: sweep(kind=kind), {"Delete": "Sweep"}),
    "gate": (lambda kind: gate(kind=kind), dict.fromkeys(("Create", "Update"), "TrainingGate")),
    "stop": (lambda kind: stop(kind=kind), dict.fromkeys(("Create", "Update"), "Stop")),
    "hours": (lambda kind: hours(kind=kind), dict.fromkeys(("Create", "Update"), "Hours")),
    "unknown": (lambda kind: event(kind=kind, ResourceType="Custom::OfTomorrow"), {}),
}


@pytest.mark.parametrize("row", CLASSES)
def test_request_is_attempted_by_the_class_of_its_type_if_there_is_something_to_do(
    row: str,
) -> None:
    raw, expected = CLASSES[row]
    attempts = {
        kind: custom_resource_for(Request.parse(raw(kind)))
        for kind in ("Create", "Update", "Delete")
    }
    found = {kind: one for kind, one in attempts.items() if one}

    assert {kind: type(one).__name__ for kind, one in found.items()} == expected
    assert {one.is_fenced for one in found.values()} <= {row != "gate"}


def test_base_classes_attempt_nothing() -> None:
    request = Request.parse(event())
    reconciler = Reconciler(
        Personalize(FakePersonalize()), Stacks(FakeCloudFormation("CREATE_IN_PROGRESS")), request
    )

    for base in (CustomResource, _Deletion):
        with pytest.raises(NotImplementedError):
            base(request).attempt(reconciler)


def test_unknown_property_is_refused_except_in_a_delete() -> None:
    with pytest.raises(
        BadRequestError, match=r"^Unknown property Runing: got 'true'; allowed: the "
    ):
        resource(event({"Runing": "true"}))

    assert resource(event({"Runing": "true"}, kind="Delete"))


REPLACES = event(kind="Update", PhysicalResourceId=ZERO)
IDS: dict[str, tuple[dict[str, Any], str]] = {
    "create": (event(), DESIRED.arn),
    "update": (update(), DESIRED.arn),
    "replacement": (REPLACES, DESIRED.arn),
    "delete": (event(kind="Delete", PhysicalResourceId=ZERO), ZERO),
    "delete with an invented id": (event(kind="Delete", PhysicalResourceId="it"), "it"),
    "new gate": (gate(3), "Training03"),
    "gate": (gate(3) | {"PhysicalResourceId": "it"}, "it"),
    "sweep": (sweep(3), "Sweep03"),
    "stop": (stop(), "Stop"),
}


@pytest.mark.parametrize("row", IDS)
def test_physical_id_is_known_before_the_first_attempt(row: str) -> None:
    raw, expected = IDS[row]

    assert resource(raw).physical_id == expected


@pytest.mark.parametrize("raw", [event(kind="Delete"), sweep(), stop(), hours()])
def test_resource_whose_attributes_nothing_reads_has_none(raw: dict[str, Any]) -> None:
    assert resource(raw).attributes == {}


DENIED = "AccessDeniedException"
REFUSALS: dict[str, tuple[dict[str, Any], str, float]] = {
    "create, denied": (event(), DENIED, GRACE_SECONDS),
    "create, invalid": (event(), INVALID_INPUT, 0.0),
    "update, denied": (update(), DENIED, 0.0),
    "replacement, denied": (REPLACES, DENIED, GRACE_SECONDS),
    "delete, denied": (event(kind="Delete"), DENIED, 0.0),
    "new gate, denied": (gate(), DENIED, GRACE_SECONDS),
    "gate, denied": (gate(kind="Update"), DENIED, 0.0),
}


@pytest.mark.parametrize("row", REFUSALS)
def test_refused_call_fails_after_the_grace_period_only_if_the_policy_is_new(row: str) -> None:
    raw, code, confirm = REFUSALS[row]

    assert resource(raw).refused(PermanentError("no", code=code)) == Fail("no", confirm=confirm)


def in_operation(raw: dict[str, Any], operation: Operation | None) -> CustomResource:
    """Return the attempt at a request, which has been attempted in an operation, if any."""
    made = resource(raw)
    if operation and isinstance(made, RecommenderDeletion | Sweep):
        made.operation = operation
    return made


HANDS_OVER: dict[str, tuple[dict[str, Any], Operation | None, bool]] = {
    "create": (event(), CREATES, False),
    "delete, unknown operation": (event(kind="Delete"), None, True),
    "delete, stack deleted": (event(kind="Delete"), DELETES, True),
    "delete, stack stays": (event(kind="Delete"), CLEANS_UP, False),
    "first sweep": (sweep(11), DELETES, True),
    "sweep before the last": (sweep(2), None, True),
    "last sweep": (sweep(1), DELETES, False),
    "only sweep": (sweep(1, 1), DELETES, False),
    "gate before the last": (gate(10), None, True),
    "last gate": (gate(11), None, False),
    "only gate": (gate(1, 1), None, False),
    "stop": (stop(), UPDATES, False),
}


@pytest.mark.parametrize("row", HANDS_OVER)
def test_wait_is_handed_over_only_if_a_later_link_waits_on(row: str) -> None:
    raw, operation, expected = HANDS_OVER[row]

    assert in_operation(raw, operation).hands_over is expected


NOT_POSSIBLE = "Not possible within 55 minutes: it trains. Deploy again when that has ended."
STILL_OWNED = (
    "Not deleted within 55 minutes: it trains. Left, may be billed: {left}. The next change of the "
    "recommender removes it: remove the cause, then deploy with another force_update."
)
NOT_READY = (
    "The recommender was not ready when the last training gate ended: it trains. If it needs more "
    "time, raise max_training_hours (in your own app: training_gates), then deploy again."
)
OUT_OF_TIME: dict[str, tuple[dict[str, Any], Operation | None, str]] = {
    "create": (event(), CREATES, NOT_POSSIBLE),
    "delete, stack stays": (event(kind="Delete"), CLEANS_UP, STILL_OWNED.format(left=DESIRED.arn)),
    "sweep, stack stays": (
        sweep(),
        CLEANS_UP,
        STILL_OWNED.format(left="unknown, see aws personalize list-recommenders"),
    ),
    "gate": (gate(), None, NOT_READY),
    "stop": (stop(), UPDATES, NOT_POSSIBLE),
}


@pytest.mark.parametrize("row", OUT_OF_TIME)
def test_request_that_is_out_of_time_names_the_next_step(row: str) -> None:
    raw, operation, expected = OUT_OF_TIME[row]

    assert in_operation(raw, operation).out_of_time("it trains", 3300.0) == expected
