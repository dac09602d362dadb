import pytest

from benchmarks.comparison import BENCHMARKS, README, comparison, written

DEPLOYMENT = (
    "| 1.006 | 70 s | deployment over a training of 3.0 h | 52 s, 64 s in all | "
    "notebook: 53 s, 53 s in all; Provider: ROLLBACK_FAILED after 60 min, and the recommender is "
    "left; WaitCondition: 54 s, 55 s in all | Virtual clock |"
)
DELETION = (
    "| 1.009 | 70 s | deletion 2 min into a training of 3.0 h | 55 s, then 38 s | "
    "notebook: 53 s, then 30 s; Provider: DELETE_FAILED, and the recommender is left; "
    "WaitCondition: DELETE_FAILED, and the recommender is left | The same |"
)


def test_the_readme_has_the_comparison_that_the_benchmarks_give() -> None:
    readme = README.read_text()

    assert readme == written(readme, BENCHMARKS.read_text()), (
        "run `python -m benchmarks.comparison`"
    )


def test_a_comparison_says_for_each_rival_whether_it_succeeds() -> None:
    rows = comparison(f"{DEPLOYMENT}\n{DELETION}").splitlines()

    assert rows[2:4] == [
        "| the CDK's `Provider` | fails: `ROLLBACK_FAILED` after 60 min, and the recommender is "
        "left | fails: `DELETE_FAILED`, and the recommender is left |",
        "| a `WaitCondition` | succeeds, 54 s after the training | "
        "fails: `DELETE_FAILED`, and the recommender is left |",
    ]
    assert rows[-1] == (
        "| **this app** | succeeds, 52 s after the training | succeeds: it calls "
        "DeleteRecommender 55 s after the training, and ends 38 s after the recommender is gone |"
    )


@pytest.mark.parametrize(
    ("benchmarks", "lacking"),
    [
        (DEPLOYMENT, "no row deletion 2 min into a training of 3.0 h"),
        (f"{DEPLOYMENT}\n{DELETION.replace('Provider', 'Other')}", "does not name Provider"),
    ],
)
def test_benchmarks_without_a_compared_result_are_refused(benchmarks: str, lacking: str) -> None:
    with pytest.raises(ValueError, match=lacking):
        comparison(benchmarks)
