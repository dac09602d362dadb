"""The quality gate: what a training gate makes of model metrics that are not good enough.

When it opens, and the rest of its attributes: ``test_resources.py``.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.personalize import Personalize
from lambdas.recommender.decision.verdict import Done, Fail, Progress, Verdict
from lambdas.recommender.model.config import Config
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.request import Request
from lambdas.recommender.reconcile.reconciler import Reconciler
from lambdas.recommender.resources.training_gate import TrainingGate

from .examples import CREATES, RECOMMENDER, ROLLS_BACK, UPDATES, gate
from .fakes import FakeCloudFormation, FakePersonalize, refusal

MINE, OLD = f"{RECOMMENDER}mine", f"{RECOMMENDER}old"
READY = Done("ACTIVE", Progress.EFFECTIVE)
READ_MINE, READ_OLD = ("DescribeRecommender", MINE), ("DescribeRecommender", OLD)

FOUND, BEFORE = {"coverage": 0.05, "precision_at_5": 0.5}, {"coverage": 0.1}
REACHED = {v.MINIMUM_METRICS: {"coverage": "0.05"}}
MISSED = {v.MINIMUM_METRICS: {"coverage": "0.1"}}
BOTH_MISSED = {v.MINIMUM_METRICS: {"coverage": "0.1", "precision_at_5": "0.6"}}
NO_REGRESSION = {v.MAX_METRIC_REGRESSION: "0"}
WARNS = {v.ON_MISS: "warn"}

COVERAGE = "coverage is 0.05; minimum 0.1 (minimum_metrics)"
PRECISION = "precision_at_5 is 0.5; minimum 0.6 (minimum_metrics)"
REGRESSION = (
    "coverage is 0.05; minimum 0.1 (previous recommender 0.1, max_metric_regression 0 = 0 %)"
)

NOTHING_SERVES = "Nothing goes into service: the deployment is rolled back."
IT_STAYS = "The recommender stays in service as it was before this deployment."
OLD_STAYS = f"{OLD} stays in service."


def asks(quality: Mapping[str, Any], *, old: str | None = None, link: int = 11) -> dict[str, Any]:
    """Return what a gate is asked: in a Create, or in an Update after it waited for ``old``."""
    raw = gate(link, kind="Update" if old else "Create")
    raw["ResourceProperties"][v.QUALITY_GATE] = quality
    if old:
        raw["OldResourceProperties"] = {**raw["ResourceProperties"], v.RECOMMENDER_ARN: old}
    return raw


def service(status: str = "ACTIVE") -> FakePersonalize:
    """Return a service with the recommender that is new, and the one that it replaces."""
    personalize = FakePersonalize()
    shown = {"modelMetrics": FOUND, "recommenderConfig": Config().request()}
    personalize.add(MINE, status, **shown)
    personalize.add(OLD, modelMetrics=BEFORE)
    return personalize


@dataclass(frozen=True)
class Looked:
    """What a look has come to."""

    verdict: Verdict
    quality: str


def look(
    raw: Mapping[str, Any], personalize: FakePersonalize, operation: Operation = UPDATES
) -> Looked:
    """Return what a gate makes of what is there, and what it tells of it."""
    request = Request.parse(raw)
    gate = TrainingGate(request)
    stacks = Stacks(FakeCloudFormation(operation.status))
    verdict = gate.attempt(Reconciler(Personalize(personalize), stacks, request))
    return Looked(verdict, gate.attributes[v.QUALITY_GATE_ATTRIBUTE])


PASSES: dict[str, dict[str, Any]] = {
    "nothing is asked": asks({}),
    "a minimum is reached": asks(REACHED),
    "there is no one before it": asks(NO_REGRESSION),
    "the one before it is the same": asks(NO_REGRESSION, old=MINE),
    "it may be that much worse": asks({v.MAX_METRIC_REGRESSION: "0.5"}, old=OLD),
    "it is not compared": asks(REACHED, old=OLD),
    "it is not the last gate": asks(MISSED, link=10),
}


@pytest.mark.parametrize("row", PASSES)
def test_metrics_that_are_good_enough_pass_and_nothing_is_warned_of(
    row: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        looked = look(PASSES[row], service())

    assert looked == Looked(READY, "passed")
    assert caplog.records == []


FAILS: dict[str, tuple[dict[str, Any], Operation, list[str], str]] = {
    "a first deployment": (asks(MISSED), CREATES, [COVERAGE], NOTHING_SERVES),
    "each metric is named": (
        asks(BOTH_MISSED),
        CREATES,
        [COVERAGE, PRECISION],
        NOTHING_SERVES,
    ),
    "an update in place": (asks(MISSED, old=MINE), UPDATES, [COVERAGE], IT_STAYS),
    "a replacement": (asks(MISSED, old=OLD), UPDATES, [COVERAGE], OLD_STAYS),
    "it is worse than the one before": (
        asks(NO_REGRESSION, old=OLD),
        UPDATES,
        [REGRESSION],
        OLD_STAYS,
    ),
    "it is worse, and misses a minimum": (
        asks(BOTH_MISSED | NO_REGRESSION, old=OLD),
        UPDATES,
        [COVERAGE, PRECISION, REGRESSION],
        OLD_STAYS,
    ),
}


@pytest.mark.parametrize("row", FAILS)
def test_a_miss_fails_and_says_what_is_missed_and_what_stays_in_service(row: str) -> None:
    raw, operation, misses, stays = FAILS[row]
    shown = ", ".join(misses)

    assert look(raw, service(), operation) == Looked(
        Fail(
            f"The model metrics do not reach the quality gate: {shown}. {stays} Improve the data, "
            "or change minimum_metrics, max_metric_regression or quality_gate, then deploy again."
        ),
        f"warned: {shown}",
    )


WARNED: dict[str, tuple[dict[str, Any], Operation, list[str]]] = {
    "it is asked only to warn": (asks(MISSED | WARNS), CREATES, [COVERAGE]),
    "it is asked only to warn of a regression": (
        asks(NO_REGRESSION | WARNS, old=OLD),
        UPDATES,
        [REGRESSION],
    ),
    "what a rollback returns to has been in service": (
        asks(BOTH_MISSED, old=OLD),
        ROLLS_BACK,
        [COVERAGE, PRECISION],
    ),
    "it is asked only to warn, in a rollback": (
        asks(MISSED | WARNS, old=MINE),
        ROLLS_BACK,
        [COVERAGE],
    ),
}


@pytest.mark.parametrize("row", WARNED)
def test_a_miss_that_only_warns_opens_the_gate_and_is_told(row: str) -> None:
    raw, operation, misses = WARNED[row]

    assert look(raw, service(), operation) == Looked(READY, f"warned: {', '.join(misses)}")


@pytest.mark.parametrize("quality", [BOTH_MISSED, BOTH_MISSED | WARNS], ids=["fails", "warns"])
def test_a_miss_is_logged_whether_it_fails_or_not(
    quality: Mapping[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        look(asks(quality), service())

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("The model metrics do not reach the quality gate: ")
    assert vars(record)["misses"] == [COVERAGE, PRECISION]


@pytest.mark.parametrize(
    ("raw", "calls"),
    [
        (asks(NO_REGRESSION, old=OLD), [READ_MINE, READ_OLD]),
        (asks(MISSED, old=OLD), [READ_MINE]),
        (asks(NO_REGRESSION), [READ_MINE]),
        (asks(NO_REGRESSION, old=MINE), [READ_MINE]),
        (asks(NO_REGRESSION, old=OLD, link=10), [READ_MINE]),
    ],
    ids=["it compares", "it does not", "there is none", "it is the same", "a later gate does"],
)
def test_the_one_before_is_read_only_to_compare_with_it(
    raw: dict[str, Any], calls: list[tuple[str, str]]
) -> None:
    personalize = service()

    look(raw, personalize)

    assert personalize.calls == calls


def test_metrics_are_not_judged_before_it_is_ready(caplog: pytest.LogCaptureFixture) -> None:
    looked = look(asks(MISSED), service("CREATE FAILED"))

    assert isinstance(looked.verdict, Fail)
    assert looked.verdict.reason.startswith("The recommender is CREATE FAILED")
    assert looked.quality == "passed"
    assert caplog.records == []


def test_one_before_that_is_gone_is_nothing_to_compare_with() -> None:
    personalize = service()
    del personalize.shown[OLD]

    assert look(asks(NO_REGRESSION, old=OLD), personalize) == Looked(READY, "passed")


def test_whether_it_is_a_rollback_is_asked_again_when_that_could_not_be_read() -> None:
    cloudformation = FakeCloudFormation(ROLLS_BACK.status)
    cloudformation.fault = refusal("Throttling")
    request = Request.parse(asks(MISSED, old=MINE))

    verdict = TrainingGate(request).attempt(
        Reconciler(Personalize(service()), Stacks(cloudformation), request)
    )

    assert verdict.reason == "DescribeStacks: Throttling: the message"
    assert not isinstance(verdict, Done | Fail)
