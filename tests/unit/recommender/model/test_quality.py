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
            f"{NDCG}: found 0.7, required at least 0.8",
            f"{NDCG}: found 0.7, required at least 0.81, the 0.9 before less 0.1",
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
        [f"{NDCG}: found 0.3, required at least 0.30000000000000001"],
    ),
    "one is missed by a little": (
        QualityGate({NDCG: Decimal("0.2500001")}),
        METRICS,
        None,
        [f"{NDCG}: found 0.25, required at least 0.2500001"],
    ),
    "one is not reported": (
        QualityGate({COVERAGE: Decimal("0.01")}),
        {NDCG: 0.3},
        None,
        ["coverage: found not reported, required at least 0.01"],
    ),
    "one that is not reported misses even 0": (
        QualityGate({COVERAGE: Decimal(0)}),
        {},
        None,
        ["coverage: found not reported, required at least 0"],
    ),
    "all that are missed are named, in order": (
        QualityGate({NDCG: Decimal("0.3"), COVERAGE: Decimal("0.1")}),
        METRICS,
        None,
        [
            "coverage: found 0.05, required at least 0.1",
            f"{NDCG}: found 0.25, required at least 0.3",
        ],
    ),
    "one has become worse by more than is allowed": (
        QualityGate(max_regression=Decimal("0.05")),
        METRICS,
        BEFORE,
        ["coverage: found 0.05, required at least 0.095, the 0.1 before less 0.05"],
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
        ["coverage: found not reported, required at least 0.095, the 0.1 before less 0.05"],
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
