"""Whether model metrics are good enough, as a table."""

from decimal import Decimal

import pytest

from lambdas.recommender.model.properties import BadRequestError
from lambdas.recommender.model.quality import QualityGate

NDCG, COVERAGE = "normalized_discounted_cumulative_gain_at_25", "coverage"
METRICS = {NDCG: 0.25, COVERAGE: 0.05}
BEFORE = {NDCG: 0.2, COVERAGE: 0.1}

CASES = {
    "nothing is asked": (QualityGate(), METRICS, BEFORE, []),
    "all are reached": (
        QualityGate({NDCG: Decimal("0.25"), COVERAGE: Decimal("0.05")}),
        METRICS,
        None,
        [],
    ),
    "one is reached exactly, though its float is a little less": (
        QualityGate({NDCG: Decimal("0.3")}),
        {NDCG: 0.3},
        None,
        [],
    ),
    "one has become worse by just what is allowed, though floats say by more": (
        QualityGate(max_regression=Decimal("0.25")),
        {NDCG: 0.6},
        {NDCG: 0.8},
        [],
    ),
    "one that is missed is shown as it was reported": (
        QualityGate({NDCG: Decimal("0.8")}, max_regression=Decimal("0.1")),
        {NDCG: 0.7},
        {NDCG: 0.9},
        [
            f"{NDCG} is 0.7; minimum 0.8 (minimum_metrics)",
            f"{NDCG} is 0.7; minimum 0.81 (previous recommender 0.9, max_metric_regression 0.1 "
            "= 10 %)",
        ],
    ),
    "one that has become better misses nothing": (
        QualityGate(max_regression=Decimal(0)),
        {NDCG: 0.3},
        {NDCG: 0.2},
        [],
    ),
    "one that nobody compares may be new": (
        QualityGate(max_regression=Decimal(0)),
        METRICS,
        {NDCG: 0.25},
        [],
    ),
    "one is missed by less than a float can tell": (
        QualityGate({NDCG: Decimal("0.30000000000000001")}),
        {NDCG: 0.3},
        None,
        [f"{NDCG} is 0.3; minimum 0.30000000000000001 (minimum_metrics)"],
    ),
    "one is missed by a little": (
        QualityGate({NDCG: Decimal("0.2500001")}),
        METRICS,
        None,
        [f"{NDCG} is 0.25; minimum 0.2500001 (minimum_metrics)"],
    ),
    "one is not reported": (
        QualityGate({COVERAGE: Decimal("0.01")}),
        {NDCG: 0.3},
        None,
        ["coverage is not reported; minimum 0.01 (minimum_metrics)"],
    ),
    "one that is not reported misses even 0": (
        QualityGate({COVERAGE: Decimal(0)}),
        {},
        None,
        ["coverage is not reported; minimum 0 (minimum_metrics)"],
    ),
    "all that are missed are named, in order": (
        QualityGate({NDCG: Decimal("0.3"), COVERAGE: Decimal("0.1")}),
        METRICS,
        None,
        [
            "coverage is 0.05; minimum 0.1 (minimum_metrics)",
            f"{NDCG} is 0.25; minimum 0.3 (minimum_metrics)",
        ],
    ),
    "one has become worse by more than is allowed": (
        QualityGate(max_regression=Decimal("0.05")),
        METRICS,
        BEFORE,
        [
            "coverage is 0.05; minimum 0.095 (previous recommender 0.1, max_metric_regression 0.05 "
            "= 5 %)"
        ],
    ),
    "one has become worse by just what is allowed": (
        QualityGate(max_regression=Decimal("0.5")),
        METRICS,
        BEFORE,
        [],
    ),
    "one is not reported any more": (
        QualityGate(max_regression=Decimal("0.05")),
        {NDCG: 0.3},
        BEFORE,
        [
            "coverage is not reported; minimum 0.095 (previous recommender 0.1, "
            "max_metric_regression 0.05 = 5 %)"
        ],
    ),
    "there is none before to compare with": (
        QualityGate(max_regression=Decimal(0)),
        METRICS,
        None,
        [],
    ),
}


@pytest.mark.parametrize(("gate", "metrics", "before", "expected"), CASES.values(), ids=CASES)
def test_what_is_missed_is_named_with_what_was_found_and_required(
    gate: QualityGate,
    metrics: dict[str, float],
    before: dict[str, float] | None,
    expected: list[str],
) -> None:
    assert gate.misses(metrics, before) == expected


def test_a_gate_is_read_from_the_template_s_strings() -> None:
    asked = {"MinimumMetrics": {COVERAGE: "0.05"}, "MaxMetricRegression": "0.1", "OnMiss": "warn"}

    assert QualityGate.from_template(asked) == QualityGate(
        {COVERAGE: Decimal("0.05")}, Decimal("0.1"), fails=False
    )
    assert QualityGate.from_template({}) == QualityGate({}, None, fails=True)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"MinimumMetrics": {COVERAGE: "2"}}, "QualityGate.MinimumMetrics"),
        ({"MinimumMetrics": ["coverage"]}, "QualityGate.MinimumMetrics"),
        ({"MaxMetricRegression": "-1"}, "QualityGate.MaxMetricRegression"),
        ({"OnMiss": "ignore"}, "QualityGate.OnMiss"),
        ({"Unknown": "1"}, "Unknown"),
    ],
)
def test_a_gate_that_is_not_understood_is_refused_by_name(
    given: dict[str, object], named: str
) -> None:
    with pytest.raises(BadRequestError, match=named):
        QualityGate.from_template(given)
