"""Whether model metrics are good enough, as a table."""

from decimal import Decimal

import pytest

from lambdas.recommender.model.properties import BadRequestError
from lambdas.recommender.model.quality import QualityGate

NDCG, COVERAGE = "normalized_discounted_cumulative_gain_at_25", "coverage"
METRICS = {NDCG: 0.25, COVERAGE: 0.05}
BEFORE = {NDCG: 0.2, COVERAGE: 0.1}


def minimum(metric: str, least: str) -> QualityGate:
    return QualityGate({metric: Decimal(least)})


def regression(most: str) -> QualityGate:
    return QualityGate(max_regression=Decimal(most))


CASES = {
    "no quality gate": (QualityGate(), METRICS, BEFORE, []),
    "reached": (minimum(COVERAGE, "0.05"), METRICS, None, []),
    "reached exactly, though the float is less": (minimum(NDCG, "0.3"), {NDCG: 0.3}, None, []),
    "allowed regression": (regression("0.5"), METRICS, BEFORE, []),
    "allowed, though floats say more": (regression("0.25"), {NDCG: 0.6}, {NDCG: 0.8}, []),
    "better than before": (regression("0"), {NDCG: 0.3}, {NDCG: 0.2}, []),
    "new metric": (regression("0"), METRICS, {NDCG: 0.25}, []),
    "no recommender before": (regression("0"), METRICS, None, []),
    "missed, with the reported digits": (
        QualityGate({NDCG: Decimal("0.8")}, max_regression=Decimal("0.1")),
        {NDCG: 0.7},
        {NDCG: 0.9},
        [
            f"{NDCG} is 0.7; minimum 0.8 (minimum_metrics)",
            f"{NDCG} is 0.7; minimum 0.81 (previous recommender 0.9, max_metric_regression 0.1 "
            "= 10 %)",
        ],
    ),
    "missed by less than a float can tell": (
        minimum(NDCG, "0.30000000000000001"),
        {NDCG: 0.3},
        None,
        [f"{NDCG} is 0.3; minimum 0.30000000000000001 (minimum_metrics)"],
    ),
    "not reported": (
        minimum(COVERAGE, "0"),
        {},
        None,
        ["coverage is not reported; minimum 0 (minimum_metrics)"],
    ),
    "two missed, in order": (
        QualityGate({NDCG: Decimal("0.3"), COVERAGE: Decimal("0.1")}),
        METRICS,
        None,
        [
            "coverage is 0.05; minimum 0.1 (minimum_metrics)",
            f"{NDCG} is 0.25; minimum 0.3 (minimum_metrics)",
        ],
    ),
}


@pytest.mark.parametrize(("gate", "metrics", "before", "expected"), CASES.values(), ids=CASES)
def test_missed_metric_is_named_with_its_actual_and_required_value(
    gate: QualityGate,
    metrics: dict[str, float],
    before: dict[str, float] | None,
    expected: list[str],
) -> None:
    assert gate.misses(metrics, before) == expected


def test_quality_gate_is_read_from_the_strings_of_the_template() -> None:
    template = {
        "MinimumMetrics": {COVERAGE: "0.05"},
        "MaxMetricRegression": "0.1",
        "OnMiss": "warn",
    }

    assert QualityGate.from_template(template) == QualityGate(
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
def test_bad_quality_gate_is_refused_by_name(given: dict[str, object], named: str) -> None:
    with pytest.raises(BadRequestError, match=named):
        QualityGate.from_template(given)
