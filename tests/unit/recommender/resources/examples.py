"""Attempts at requests, as the tests of the resource types share them."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.personalize import Personalize
from lambdas.recommender.decision.situation import Situation
from lambdas.recommender.decision.verdict import Verdict
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.request import Request
from lambdas.recommender.reconcile.reconciler import Known, Reconciler
from lambdas.recommender.resources import custom_resource_for
from lambdas.recommender.resources.base import CustomResource

from ..examples import CONFIG, DESIRED, MINE, OWN, RECOMMENDER
from ..fakes import FakeCloudFormation, FakePersonalize

ZERO, ONE, TWO = (f"{RECOMMENDER}TopPicks-{digit * 16}" for digit in "012")
"""ARNs of recommenders with names that the stack can derive."""

WORKING: Final = 1_764_000_000.0
RESTING: Final = 1_764_460_000.0
"""24 November 2025, a Monday, 17:00, and 30 November, a Sunday, 00:46, in Berlin."""


def resource(raw: Mapping[str, Any]) -> CustomResource:
    """Return the attempt at a request that has something to do."""
    found = custom_resource_for(Request.parse(raw))
    assert found is not None
    return found


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


def verdict_of(*given: Any, **situation: Any) -> Verdict:
    """Return the verdict of an attempt."""
    return attempted(*given, **situation)[0]


def account(*leftovers: str) -> FakePersonalize:
    """Return an account with the effective recommender, and others that are the stack's."""
    personalize = owning(*leftovers)
    personalize.add(DESIRED.arn, tags=OWN, recommenderConfig=CONFIG)
    return personalize


def owning(*arns: str, status: str = "ACTIVE") -> FakePersonalize:
    """Return an account with recommenders that are the stack's."""
    personalize = FakePersonalize()
    for arn in arns:
        personalize.add(arn, status)
    return personalize


def mine(status: str, **members: Any) -> FakePersonalize:
    """Return an account with the recommender that the gates, the stop and the hours name."""
    personalize = FakePersonalize()
    personalize.add(MINE, status, **members)
    return personalize


def operations(personalize: FakePersonalize) -> list[str]:
    """Return the operations that have changed something."""
    return [operation for operation, _ in personalize.changes]
