"""A training gate: when it opens, what it returns, and whether the metrics are good enough."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.personalize import Personalize
from lambdas.recommender.decision.verdict import Done, Fail, Progress, Verdict, Wait
from lambdas.recommender.model.config import Config
from lambdas.recommender.model.observed import Observed
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.properties import BadRequestError
from lambdas.recommender.model.request import Request
from lambdas.recommender.model.timing import GRACE_SECONDS
from lambdas.recommender.protocol.answer import MAX_BYTES, answer_to, encoded
from lambdas.recommender.reconcile.reconciler import Reconciler
from lambdas.recommender.resources.training_gate import TrainingGate
from tests.support.place import GROUP, RECIPE

from ..examples import CREATES, GATE_ATTRIBUTES, MINE, RECOMMENDER, ROLLS_BACK, STACK, UPDATES, gate
from ..fakes import FakeCloudFormation, FakePersonalize, refusal
from .examples import attempted, mine, resource

OLD = f"{RECOMMENDER}old"
READY = Done("ACTIVE", Progress.EFFECTIVE)


def observe(raw: dict[str, Any], personalize: FakePersonalize) -> tuple[Verdict, Observed | None]:
    """Return the verdict of a gate, and the recommender that it has observed."""
    verdict, made = attempted(raw, personalize, CREATES)
    assert isinstance(made, TrainingGate)
    return verdict, made.observed


def with_property(name: str, value: Any) -> dict[str, Any]:
    """Return a request to a gate with another property."""
    raw = gate()
    raw["ResourceProperties"][name] = value
    return raw


def test_gate_opens_when_the_recommender_is_ready() -> None:
    personalize = mine("ACTIVE", modelMetrics={"coverage": 0.5})

    verdict, observed = observe(gate(), personalize)

    assert verdict == READY
    assert observed is not None
    assert observed.metrics == {"coverage": 0.5}
    assert personalize.calls == [("DescribeRecommender", MINE)]


def test_gate_of_an_absent_recommender_fails_after_the_grace_period() -> None:
    verdict, observed = observe(gate(), FakePersonalize())

    assert verdict == Fail(
        f"Personalize does not show {RECOMMENDER}mine. If something outside this stack deleted it, "
        "change force_update, then deploy again.",
        confirm=GRACE_SECONDS,
    )
    assert observed is None


def test_gate_waits_after_a_throttled_call() -> None:
    personalize = mine("CREATE PENDING")
    personalize.faults["DescribeRecommender"] = refusal("ThrottlingException")

    verdict, observed = observe(gate(), personalize)

    assert verdict == Wait("DescribeRecommender: ThrottlingException: the message")
    assert observed is None


@pytest.mark.parametrize(("running", "ready"), [("true", False), ("false", True), (None, False)])
def test_gate_opens_for_an_inactive_recommender_only_if_it_is_kept_stopped(
    running: str | None, ready: bool
) -> None:
    verdict, _ = observe(with_property(v.RUNNING, running), mine("INACTIVE"))

    assert isinstance(verdict, Done) is ready


@pytest.mark.parametrize(
    ("updated_after", "expected"), [("0.0", Fail), (v.NO_UPDATE, Done), (None, Done)]
)
def test_gate_of_a_failed_update_fails_only_if_this_deployment_has_sent_it(
    updated_after: str | None, expected: type[Verdict]
) -> None:
    personalize = mine("ACTIVE")
    personalize.show_update(MINE, "CREATE FAILED", {}, created=datetime.fromtimestamp(1.0, UTC))

    verdict, _ = observe(with_property(v.UPDATED_AFTER, updated_after), personalize)

    assert isinstance(verdict, expected)


def test_gate_with_a_bad_updated_after_is_refused() -> None:
    with pytest.raises(BadRequestError, match=f"allowed: seconds, or {v.NO_UPDATE}"):
        observe(with_property(v.UPDATED_AFTER, "-1"), mine("ACTIVE"))


WHOLE = Config().request()
METADATA_HIDDEN = {name: one for name, one in WHOLE.items() if name != v.ENABLE_METADATA}
EXPLORATION = [v.EXPLORATION_WEIGHT, v.EXPLORATION_ITEM_AGE_CUT_OFF]
NOT_CHECKED: dict[str, tuple[dict[str, Any], FakePersonalize, list[list[str]]]] = {
    "nothing shown": (
        gate(),
        mine("ACTIVE"),
        [[v.MIN_REQUESTS_PER_SECOND, v.ENABLE_METADATA, *EXPLORATION]],
    ),
    "metadata hidden": (
        gate(1, 1, kind="Update"),
        mine("ACTIVE", recommenderConfig=METADATA_HIDDEN),
        [[v.ENABLE_METADATA]],
    ),
    "all shown": (gate(), mine("ACTIVE", recommenderConfig=WHOLE), []),
    "not the last gate": (gate(10), mine("ACTIVE"), []),
    "training": (gate(), mine("CREATE PENDING"), []),
}


@pytest.mark.parametrize("row", NOT_CHECKED)
def test_last_gate_logs_the_members_that_it_could_not_check(
    row: str, caplog: pytest.LogCaptureFixture
) -> None:
    raw, personalize, expected = NOT_CHECKED[row]

    observe(raw, personalize)

    assert [vars(record)["members"] for record in caplog.records] == expected
    for record in caplog.records:
        assert record.levelno == logging.WARNING
        members = ", ".join(expected[0])
        assert record.getMessage() == f"DescribeRecommender does not show {members}: not checked"


# -- attributes --------------------------------------------------------------------------------


def attributes_with(
    metrics: Mapping[str, float], raw: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Return the attributes of a gate that has observed these metrics."""
    made = resource(raw or gate())
    assert isinstance(made, TrainingGate)
    made.observed = Observed(MINE, "ACTIVE", GROUP, RECIPE, metrics=metrics)
    return made.attributes


METRICS = {
    "Coverage": ("coverage", 0.11),
    "MeanReciprocalRankAt25": ("mean_reciprocal_rank_at_25", 0.12),
    "NormalizedDiscountedCumulativeGainAt5": ("normalized_discounted_cumulative_gain_at_5", 0.13),
    "NormalizedDiscountedCumulativeGainAt10": ("normalized_discounted_cumulative_gain_at_10", 0.14),
    "NormalizedDiscountedCumulativeGainAt25": ("normalized_discounted_cumulative_gain_at_25", 0.15),
    "PrecisionAt5": ("precision_at_5", 0.16),
    "PrecisionAt10": ("precision_at_10", 0.17),
    "PrecisionAt25": ("precision_at_25", 0.18),
}
"""Written out: the table under test is no oracle of itself."""


@pytest.mark.parametrize(
    "metrics", [{}, {"coverage": 0.5}, {"a_metric_of_tomorrow": 0.25}, dict(METRICS.values())]
)
def test_gate_has_every_attribute_whatever_the_service_reports(metrics: dict[str, float]) -> None:
    attributes = attributes_with(metrics)

    assert attributes.keys() == GATE_ATTRIBUTES
    assert attributes[v.RECOMMENDER_ARN_ATTRIBUTE] == MINE
    assert {name: attributes[name] for name in v.METRICS} == {
        name: str(metrics.get(key, "n/a")) for name, (key, _) in METRICS.items()
    }
    assert json.loads(attributes["ModelMetrics"]) == metrics


def test_gate_has_every_attribute_before_the_first_attempt() -> None:
    assert resource(gate()).attributes == attributes_with({})


@pytest.mark.parametrize(("size", "kept"), [(2000, ["a", "b"]), (2001, ["a"])])
def test_model_metrics_are_dropped_only_beyond_2000_bytes(size: int, kept: list[str]) -> None:
    bare = len(json.dumps({"a": 0.5, "b": 0.5}))
    long = "b" * (1 + size - bare)
    metrics = {long: 0.5, "a": 0.5}
    assert len(json.dumps(metrics)) == size

    attributes = attributes_with(metrics)

    assert [name[0] for name in json.loads(attributes["ModelMetrics"])] == kept


LONGEST = {
    "StackId": STACK.replace("TopPicks", "T" * 128).replace("0a1b", "0" * 36),
    "RequestId": "r" * 36,
    "LogicalResourceId": "L" * 255,
}
"""Limits: stack names and logical ids, CloudFormation User Guide."""
NAMES = {
    "long names": [f"a_metric_of_tomorrow_{number:03}" for number in range(200)],
    "names in another script": [chr(0x4E00 + number) for number in range(400)],
    "short names": [f"{number:x}" for number in range(400)],
}


@pytest.mark.parametrize("row", NAMES)
def test_longest_answer_of_a_gate_fits_and_has_its_reason_and_the_first_metrics(row: str) -> None:
    metrics = dict.fromkeys(v.METRICS.values(), 0.12345678901234567) | dict.fromkeys(
        NAMES[row], 0.5
    )
    raw = gate(arn=RECOMMENDER + "n" * 63) | LONGEST
    attributes = attributes_with(metrics, raw)

    whole = answer_to(
        raw,
        succeeded=False,
        physical_id=resource(raw).physical_id,
        reason="The training failed: " + "x" * 4000,
        attributes=attributes,
    )

    kept = json.loads(attributes["ModelMetrics"])
    assert list(kept) == sorted(metrics)[: len(kept)]
    assert len(attributes["ModelMetrics"]) > 1000
    assert len(encoded(whole)) <= MAX_BYTES
    assert whole["Reason"].startswith("The training failed: x")


# -- the quality gate --------------------------------------------------------------------------

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


def judging(
    quality: Mapping[str, Any], *, old: str | None = None, link: int = 11
) -> dict[str, Any]:
    """Return a request to a gate: a Create, or an Update that replaces ``old``."""
    raw = gate(link, kind="Update" if old else "Create")
    raw["ResourceProperties"][v.QUALITY_GATE] = quality
    if old:
        raw["OldResourceProperties"] = {**raw["ResourceProperties"], v.RECOMMENDER_ARN: old}
    return raw


def quality_account(status: str = "ACTIVE") -> FakePersonalize:
    """Return an account with a new recommender, and the one that it replaces."""
    personalize = FakePersonalize()
    shown = {"modelMetrics": FOUND, "recommenderConfig": Config().request()}
    personalize.add(MINE, status, **shown)
    personalize.add(OLD, modelMetrics=BEFORE)
    return personalize


@dataclass(frozen=True)
class Judged:
    """The verdict of a gate, and its attribute."""

    verdict: Verdict
    quality: str


def judge(
    raw: Mapping[str, Any], personalize: FakePersonalize, operation: Operation = UPDATES
) -> Judged:
    """Attempt a request to a gate."""
    request = Request.parse(raw)
    gate = TrainingGate(request)
    stacks = Stacks(FakeCloudFormation(operation.status))
    verdict = gate.attempt(Reconciler(Personalize(personalize), stacks, request))
    return Judged(verdict, gate.attributes[v.QUALITY_GATE_ATTRIBUTE])


COMPARED_NOTHING = "passed (no earlier recommender to compare with)"
PASSES: dict[str, tuple[dict[str, Any], str]] = {
    "no quality gate": (judging({}), "passed"),
    "minimum reached, no regression limit": (judging(REACHED, old=OLD), "passed"),
    "no recommender before": (judging(NO_REGRESSION), COMPARED_NOTHING),
    "same recommender before": (judging(NO_REGRESSION, old=MINE), COMPARED_NOTHING),
    "not the last gate": (judging(MISSED | NO_REGRESSION, old=OLD, link=10), "passed"),
}


@pytest.mark.parametrize("row", PASSES)
def test_quality_gate_that_is_reached_opens_without_a_warning_or_another_call(
    row: str, caplog: pytest.LogCaptureFixture
) -> None:
    raw, quality = PASSES[row]
    personalize = quality_account()

    judged = judge(raw, personalize)

    assert judged == Judged(READY, quality)
    assert caplog.records == []
    assert personalize.calls == [READ_MINE]


FAILS: dict[str, tuple[dict[str, Any], Operation, list[str], str]] = {
    "create": (judging(BOTH_MISSED), CREATES, [COVERAGE, PRECISION], NOTHING_SERVES),
    "update in place": (judging(MISSED, old=MINE), UPDATES, [COVERAGE], IT_STAYS),
    "replacement": (judging(NO_REGRESSION, old=OLD), UPDATES, [REGRESSION], OLD_STAYS),
}


@pytest.mark.parametrize("row", FAILS)
def test_missed_quality_gate_fails_and_names_the_recommender_in_service(row: str) -> None:
    raw, operation, misses, stays = FAILS[row]
    shown = ", ".join(misses)

    assert judge(raw, quality_account(), operation) == Judged(
        Fail(
            f"The model metrics do not reach the quality gate: {shown}. {stays} Improve the data, "
            "or change minimum_metrics, max_metric_regression or quality_gate, then deploy again."
        ),
        f"warned: {shown}",
    )


WARNED: dict[str, tuple[dict[str, Any], Operation, list[str]]] = {
    "warns": (judging(MISSED | WARNS), CREATES, [COVERAGE]),
    "rollback": (judging(BOTH_MISSED, old=OLD), ROLLS_BACK, [COVERAGE, PRECISION]),
}


@pytest.mark.parametrize("row", WARNED)
def test_quality_gate_that_only_warns_opens_and_returns_the_misses(row: str) -> None:
    raw, operation, misses = WARNED[row]

    assert judge(raw, quality_account(), operation) == Judged(READY, f"warned: {', '.join(misses)}")


def test_quality_gate_that_is_missed_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    judge(judging(BOTH_MISSED | WARNS), quality_account())

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        f"The model metrics do not reach the quality gate: {COVERAGE}, {PRECISION}"
    )
    assert vars(record)["misses"] == [COVERAGE, PRECISION]


def test_quality_gate_of_a_failed_recommender_is_not_judged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    judged = judge(judging(MISSED), quality_account("CREATE FAILED"))

    assert isinstance(judged.verdict, Fail)
    assert judged.verdict.reason.startswith("The recommender is CREATE FAILED: ")
    assert judged.quality == "passed"
    assert caplog.records == []


def test_quality_gate_without_the_replaced_recommender_compares_nothing() -> None:
    personalize = quality_account()
    del personalize.shown[OLD]

    assert judge(judging(NO_REGRESSION, old=OLD), personalize) == Judged(READY, COMPARED_NOTHING)
    assert personalize.calls == [READ_MINE, READ_OLD]


@pytest.mark.parametrize(
    ("operation", "link", "hands_over"),
    [(ROLLS_BACK, 11, True), (UPDATES, 11, False), (UPDATES, 10, True)],
)
def test_last_gate_hands_a_wait_for_a_retraining_over_in_a_rollback_only(
    operation: Operation, link: int, hands_over: bool
) -> None:
    personalize = quality_account()
    personalize.show_update(MINE, "CREATE IN_PROGRESS")
    raw = judging({}, link=link)

    waits = judge(raw, personalize, operation).verdict

    assert isinstance(waits, Wait)
    assert (waits.hands_over or TrainingGate(Request.parse(raw)).hands_over) is hands_over


@pytest.mark.parametrize(("before", "ends"), [("true", Done), ("false", Fail)])
def test_gate_takes_hidden_members_from_the_template_before(before: str, ends: type) -> None:
    personalize = mine("ACTIVE", recommenderConfig={})
    personalize.show_update(MINE, "CREATE FAILED")
    raw = gate(kind="Update")
    raw["ResourceProperties"] |= {v.CONFIG: {v.ENABLE_METADATA: "true"}, v.UPDATED_AFTER: "5.0"}
    raw["OldResourceProperties"] = raw["ResourceProperties"] | {
        v.CONFIG: {v.ENABLE_METADATA: before}
    }

    assert isinstance(observe(raw, personalize)[0], ends)
