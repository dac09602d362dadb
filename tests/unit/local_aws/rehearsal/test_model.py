"""The model, against the ridge regressions that it is the closed form of."""

from contextlib import AbstractContextManager
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_aws.rehearsal import model
from local_aws.rehearsal.data import Floats, Ints
from local_aws.rehearsal.model import learn

ITEMS = 8
CATEGORY, REGULARISATION = 2.0, 4.0

baskets = st.lists(
    st.sets(st.integers(0, ITEMS - 1), min_size=1).map(lambda one: np.array(sorted(one))),
    min_size=1,
    max_size=12,
)


def rows_of(users: list[Ints], categories: list[Ints]) -> Floats:
    """Return a row for each basket, with the root of its weight at each of its items."""
    rows = np.zeros((len(users) + len(categories), ITEMS))
    for number, basket in enumerate([*users, *categories]):
        rows[number, basket] = 1.0 if number < len(users) else CATEGORY**0.5
    return rows


def regressed(users: list[Ints], categories: list[Ints]) -> Floats:
    """Return the weights, by one ridge regression for each item."""
    rows = rows_of(users, categories)
    penalty = REGULARISATION * (rows**2).sum(axis=0).mean()
    weights = np.zeros((ITEMS, ITEMS))
    for item in range(ITEMS):
        others = [one for one in range(ITEMS) if one != item]
        known = rows[:, others]
        weights[others, item] = np.linalg.solve(
            known.T @ known + penalty * np.eye(ITEMS - 1), known.T @ rows[:, item]
        )
    return weights


@settings(max_examples=50)
@given(users=baskets, categories=baskets, asked=st.sets(st.integers(0, ITEMS - 1)))
def test_relevance_is_that_of_regressing_each_item_on_all_others(
    users: list[Ints], categories: list[Ints], asked: set[int]
) -> None:
    basket = np.array(sorted(asked), np.int64)
    expected = np.maximum(regressed(users, categories)[basket].sum(axis=0), 0)
    assert learn(users, categories, ITEMS).relevance(basket) == pytest.approx(expected, abs=1e-9)


def few_directions(most: int = 2, directions: int = 128) -> AbstractContextManager[object]:
    """Learn in directions what has more than so many items."""
    return patch.multiple(model, MOST_ITEMS=most, _DIRECTIONS=directions)


def ridge(users: list[Ints], categories: list[Ints]) -> Floats:
    """Return the weights of one ridge regression on all items, without the diagonal."""
    rows = rows_of(users, categories)
    penalty = REGULARISATION * (rows**2).sum() / ITEMS
    gram = rows.T @ rows
    weights = np.linalg.solve(gram + penalty * np.eye(ITEMS), gram)
    np.fill_diagonal(weights, 0)
    return weights


@settings(max_examples=50)
@given(users=baskets, categories=baskets, asked=st.sets(st.integers(0, ITEMS - 1)))
def test_in_all_directions_it_is_the_ridge_regression_on_all_items(
    users: list[Ints], categories: list[Ints], asked: set[int]
) -> None:
    basket = np.array(sorted(asked), np.int64)
    expected = np.maximum(ridge(users, categories)[basket].sum(axis=0), 0)
    with few_directions(most=0):
        relevance = learn(users, categories, ITEMS).relevance(basket)
    assert relevance == pytest.approx(expected, abs=1e-9)


def test_a_few_directions_tell_two_camps_apart() -> None:
    random = np.random.default_rng(5)
    camps = [random.choice(50, 8, replace=False) + 50 * (user % 2) for user in range(200)]
    with few_directions(directions=4):
        relevance = learn(camps, [], 100).relevance(np.array([1, 2, 3]))
    assert relevance[:50].sum() > 5 * relevance[50:].sum()


@pytest.mark.parametrize("most", [2, 100], ids=["directions", "all pairs"])
def test_what_nobody_has_is_not_learnt_about(most: int) -> None:
    users = [np.array([0, 1, 2]), np.array([0, 1]), np.array([0, 1, 3])]
    with few_directions(most):
        learnt = learn(users, [np.array([3, 6])], 8)
    relevance = learnt.relevance(np.array([0, 5]))
    assert learnt.learnt == 5
    assert relevance[[4, 5, 7]].tolist() == [0, 0, 0]
    assert relevance[1] > relevance[6]
