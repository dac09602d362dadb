"""The metrics: agreement with trec_eval on random data, and cases worked by hand."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from local_aws.rehearsal.evaluation import (
    METRICS,
    SPLITS,
    Compared,
    Measured,
    Query,
    compare,
    coverage,
    measure,
    ndcg,
    precision,
    reciprocal_rank,
    split,
)
from local_aws.rehearsal.reading import read
from tests.unit.local_aws.rehearsal.folders import NOW, folder_of, watching


def test_coverage_counts_an_item_once() -> None:
    assert coverage([[1, 2], [2, 3]], 10) == pytest.approx(0.3)
    assert coverage([], 10) == 0
    assert coverage([], 0) == 0


def test_the_metrics_agree_with_trec_eval_on_random_data() -> None:
    random = Random(14)
    relevant = {str(n): set(random.sample(range(80), random.randint(1, 30))) for n in range(200)}
    ranked = {name: random.sample(range(80), random.randint(1, 40)) for name in relevant}
    theirs = pytrec_eval.RelevanceEvaluator(
        {name: {str(item): 1 for item in items} for name, items in relevant.items()},
        {"P.5,10,25", "ndcg_cut.5,10,25", "recip_rank"},
    ).evaluate(
        {
            name: {str(item): float(-place) for place, item in enumerate(items[:25])}
            for name, items in ranked.items()
        }
    )
    for name, expected in theirs.items():
        given_ = relevant[name], ranked[name]
        assert reciprocal_rank(*given_, 25) == pytest.approx(expected["recip_rank"])
        for k in (5, 10, 25):
            assert precision(*given_, k) == pytest.approx(expected[f"P_{k}"])
            assert ndcg(*given_, k) == pytest.approx(expected[f"ndcg_cut_{k}"])


@pytest.mark.parametrize("metric", [precision, reciprocal_rank, ndcg])
def test_a_query_without_a_relevant_item_counts_as_0(metric: Callable[..., float]) -> None:
    assert metric(frozenset(), [1, 2, 3], 5) == 0


def test_metrics_are_means_over_the_queries_with_four_decimals() -> None:
    queries = [Query(slice(0, 1), frozenset({0})), Query(slice(1, 2), frozenset({9}))]
    measured = measure(queries, lambda _: [5, 0, 6], items=9)
    assert measured.metrics == {
        "coverage": 0.3333,
        "mean_reciprocal_rank_at_25": 0.25,
        "normalized_discounted_cumulative_gain_at_10": 0.3155,
        "normalized_discounted_cumulative_gain_at_25": 0.3155,
        "normalized_discounted_cumulative_gain_at_5": 0.3155,
        "precision_at_10": 0.05,
        "precision_at_25": 0.02,
        "precision_at_5": 0.1,
    }


def test_what_lies_beyond_the_25th_place_does_not_count() -> None:
    query = Query(slice(0, 1), frozenset({30}))
    measured = measure([query], lambda _: list(range(31)), items=50).metrics
    assert measured["mean_reciprocal_rank_at_25"] == 0
    assert measured["coverage"] == 0.5


def test_without_a_query_every_metric_is_0() -> None:
    assert set(measure([], lambda _: [1], items=9).metrics.values()) == {0.0}


def test_a_tenth_of_the_users_is_held_back_with_the_newest_tenth_of_what_each_did(
    tmp_path: Path,
) -> None:
    data = read(folder_of(tmp_path, watching(users=50, each=30)), now=NOW)

    trained, queries = split(data)

    assert len(trained) == 45
    assert len(queries) == 5
    for query in queries:
        (user,) = set(data.user[query.given].tolist())
        assert user not in trained
        newest = data.item[query.given.stop : data.history_of(user).stop]
        assert (query.given.stop - query.given.start, len(newest)) == (27, 3)
        assert query.relevant == frozenset(newest.tolist())


def test_who_did_little_has_one_item_to_be_found_and_who_did_one_thing_is_not_asked(
    tmp_path: Path,
) -> None:
    two = read(folder_of(tmp_path / "two", watching(users=20, each=2)), now=NOW)
    assert [len(query.relevant) for query in split(two)[1]] == [1, 1]
    one = read(folder_of(tmp_path / "one", watching(users=20, each=1)), now=NOW)
    assert split(one)[1] == []


def test_in_ten_splits_every_user_is_tested_once(tmp_path: Path) -> None:
    data = read(folder_of(tmp_path, watching(users=50, each=30)), now=NOW)
    asked = [data.user[query.given.start] for n in range(SPLITS) for query in split(data, n)[1]]
    assert sorted(asked) == list(range(50))
    for number in range(SPLITS):
        assert len(split(data, number)[0]) == 45


NDCG = "normalized_discounted_cumulative_gain_at_25"


def measured_as(*values: float, coverage: float = 0.5) -> Measured:
    """Return what was measured of as many users, each metric the same."""
    return Measured(coverage, {name: np.array(values) for name in METRICS if name != "coverage"})


def compared(ours: Measured, theirs: Measured, *others: Measured) -> Compared:
    return compare(ours, theirs, others)[NDCG]


def test_metrics_are_in_the_order_of_k() -> None:
    assert list(compare(measured_as(1), measured_as(1))) == [
        "coverage",
        "mean_reciprocal_rank_at_25",
        *(f"normalized_discounted_cumulative_gain_at_{k}" for k in (5, 10, 25)),
        *(f"precision_at_{k}" for k in (5, 10, 25)),
    ]


def test_a_standard_error_is_the_deviation_over_the_root_of_the_users() -> None:
    values = [0.0, 0.2, 0.9, 0.5]
    found = compared(measured_as(*values), measured_as(*values))
    assert found.error == pytest.approx(stats.sem(values))
    assert compared(measured_as(0.3), measured_as(0.3)).error is None
    assert compared(measured_as(), measured_as()).error is None


def test_coverage_is_no_mean_over_users_and_is_not_judged() -> None:
    found = compare(measured_as(1, 1, 1, coverage=0.9), measured_as(0, 0, 0, coverage=0.1))
    assert (found["coverage"].error, found["coverage"].verdict) == (None, "")


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        ([0.9, 0.1, 0.5, 0.4], [0.8, 0.0, 0.4, 0.3], "better"),
        ([0.8, 0.0, 0.4, 0.3], [0.9, 0.1, 0.5, 0.4], "worse"),
        ([0.5, 0.5], [0.5, 0.5], "unclear"),
        ([0.9], [0.1], "unclear"),
        ([], [], "unclear"),
    ],
)
def test_better_is_what_is_more_than_chance_user_by_user(
    ours: list[float], theirs: list[float], verdict: str
) -> None:
    assert compared(measured_as(*ours), measured_as(*theirs)).verdict == verdict


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=2, max_size=30))
def test_the_verdict_is_that_of_the_paired_t_test(pairs: list[tuple[int, int]]) -> None:
    ours, theirs = ([pair[side] / 8 for pair in pairs] for side in (0, 1))
    if len({a - b for a, b in zip(ours, theirs, strict=True)}) == 1:
        return  # without a deviation there is no test
    chance = stats.ttest_rel(ours, theirs).pvalue
    verdict = compared(measured_as(*ours), measured_as(*theirs)).verdict
    assert (verdict == "unclear") == (chance >= 0.05) or chance == pytest.approx(0.05)


def test_the_spread_is_that_between_the_splits() -> None:
    found = compared(measured_as(0.1), measured_as(0.1), measured_as(0.2), measured_as(0.6))
    assert found.mean == pytest.approx(0.3)
    assert found.deviation == pytest.approx(np.std([0.1, 0.2, 0.6], ddof=1))
    alone = compared(measured_as(0.1), measured_as(0.1))
    assert (alone.mean, alone.deviation) == (None, None)
