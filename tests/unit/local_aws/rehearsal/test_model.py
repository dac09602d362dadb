"""EASE, against what it is the closed form of: a ridge regression for each item on all others."""

from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_aws.rehearsal import model
from local_aws.rehearsal.data import Ints
from local_aws.rehearsal.model import Ease

ITEMS = 8
CATEGORY, REGULARISATION = 2.0, 4.0

baskets = st.lists(
    st.sets(st.integers(0, ITEMS - 1), min_size=1).map(lambda one: np.array(sorted(one))),
    min_size=1,
    max_size=12,
)


def regressed(users: list[Ints], categories: list[Ints]) -> npt.NDArray[np.float64]:
    """Return the weights, by one ridge regression for each item."""
    rows = np.zeros((len(users) + len(categories), ITEMS))
    for number, (basket, weight) in enumerate(
        [*((one, 1.0) for one in users), *((one, CATEGORY) for one in categories)]
    ):
        rows[number, basket] = weight**0.5
    penalty = REGULARISATION * (rows**2).sum(axis=0).mean()
    weights = np.zeros((ITEMS, ITEMS))
    for item in range(ITEMS):
        others = [one for one in range(ITEMS) if one != item]
        known = rows[:, others]
        weights[others, item] = np.linalg.solve(
            known.T @ known + penalty * np.eye(ITEMS - 1), known.T @ rows[:, item]
        )
    return weights


@settings(max_examples=50, deadline=None)
@given(users=baskets, categories=baskets, asked=st.sets(st.integers(0, ITEMS - 1)))
def test_relevance_is_that_of_regressing_each_item_on_all_others(
    users: list[Ints], categories: list[Ints], asked: set[int]
) -> None:
    basket = np.array(sorted(asked), np.int64)
    expected = np.maximum(regressed(users, categories)[basket].sum(axis=0), 0)
    assert Ease(users, categories, ITEMS).relevance(basket) == pytest.approx(expected, abs=1e-4)


def test_beyond_the_limit_the_items_with_the_fewest_interactions_are_not_learnt_about() -> None:
    users = [np.array([0, 1, 2]), np.array([0, 1]), np.array([0, 1, 3])]
    with patch.object(model, "_MOST_ITEMS", 2):
        relevance = Ease(users, [], 4).relevance(np.array([0, 3]))
    assert relevance.tolist() == [0, pytest.approx(relevance[1]), 0, 0]
    assert relevance[1] > 0


def test_who_has_done_nothing_has_no_taste() -> None:
    ease = Ease([np.array([0, 1])], [], 3)
    assert not ease.relevance(np.array([], np.int64)).any()
