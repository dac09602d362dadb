"""The model: a linear autoencoder in closed form, with the categories that items share.

Up to 8000 items that is EASE. For more, whose square does not fit into memory, it is the same ridge
regression in the directions in which baskets differ most.

Sources: Harald Steck, *Embarrassingly Shallow Autoencoders for Sparse Data* (WWW 2019). For the
metadata: Olivier Jeunen, Jan Van Balen, Bart Goethals, *Closed-Form Models for Collaborative
Filtering with Side-Information* (RecSys 2020). Nathan Halko, Per-Gunnar Martinsson, Joel Tropp,
*Finding Structure with Randomness* (SIAM Review 2011), algorithm 4.4. Why these: docs/adr/0010.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import linalg, sparse  # type: ignore[import-untyped]

from local_aws.rehearsal.data import Floats, Ints

MOST_ITEMS: Final = 8000
"""Items of which each pair is learnt about: 512 MB."""
_DIRECTIONS: Final = 128
_ROUNDS: Final = 4
_BLOCK: Final = 1000
"""Columns of a sparse product at a time."""
_REGULARISATION: Final = 4.0
"""In units of the mean number of users that an item has."""
_CATEGORY: Final = 2.0
"""The weight of a category, where a user has the weight 1."""


def learn(users: Sequence[Ints], categories: Sequence[Ints], items: int) -> "Model":
    """Learn how much each item that a user interacted with speaks for each other item.

    The weights B minimise |X - XB|² + regularisation · |B|², where the rows of X are baskets.

    Args:
        users: The items that each user interacted with.
        categories: The items of each category.
        items: How many items there are.
    """
    baskets = sparse.vstack([_rows(users, 1.0, items), _rows(categories, _CATEGORY, items)])
    known = np.flatnonzero(np.diff(baskets.tocsc().indptr))
    model = Ease if len(known) <= MOST_ITEMS else Directions
    penalty = _REGULARISATION * float(baskets.power(2).sum()) / items
    return model(baskets.tocsc()[:, known].tocsr(), penalty, known, items)


class Model(ABC):
    """A model that has learnt from baskets.

    Attributes:
        how: How it learns.
        learnt: How many items something is learnt about: those that are in any basket.
    """

    how: str

    def __init__(self, known: Ints, items: int) -> None:
        self.learnt = len(known)
        self._known = known
        self._places = np.full(items, -1)
        self._places[known] = np.arange(len(known))

    def relevance(self, basket: Ints) -> Floats:
        """Return for every item how much a user's items speak for it, 0 at least."""
        places = self._places[basket]
        relevance = np.zeros(len(self._places))
        relevance[self._known] = self._of_known(places[places >= 0])
        return np.maximum(relevance, 0)

    @abstractmethod
    def _of_known(self, places: Ints) -> Floats: ...


class Ease(Model):
    """All weights, with a diagonal of zeros: no item speaks for itself."""

    how = "each pair of them"

    def __init__(self, baskets: sparse.csr_matrix, penalty: float, known: Ints, items: int) -> None:
        super().__init__(known, items)
        gram = _gram(baskets)
        gram[np.diag_indices_from(gram)] += penalty
        weights: Floats = linalg.inv(gram, overwrite_a=True, check_finite=False, assume_a="pos")
        weights /= -np.diag(weights).copy()
        np.fill_diagonal(weights, 0)
        self._weights = weights

    def _of_known(self, places: Ints) -> Floats:
        relevance: Floats = self._weights[places].sum(axis=0)
        return relevance


class Directions(Model):
    """The weights in the directions in which baskets differ most, again without the diagonal."""

    how = f"in {_DIRECTIONS} directions, since each pair of them would not fit into memory"

    def __init__(self, baskets: sparse.csr_matrix, penalty: float, known: Ints, items: int) -> None:
        super().__init__(known, items)
        transposed = baskets.T.tocsr()
        size = (len(known), min(_DIRECTIONS, *baskets.shape))
        basis = np.random.default_rng(0).normal(size=size)
        for _ in range(_ROUNDS):
            basis, _ = np.linalg.qr(transposed @ (baskets @ basis))
        projected = baskets @ basis
        strengths, rotation = np.linalg.eigh(projected.T @ projected)
        self._directions: Floats = basis @ rotation
        self._weighted = self._directions * (strengths / (strengths + penalty))

    def _of_known(self, places: Ints) -> Floats:
        relevance: Floats = self._directions @ self._weighted[places].sum(axis=0)
        relevance[places] -= (self._directions[places] * self._weighted[places]).sum(axis=1)
        return relevance


def _gram(baskets: sparse.csr_matrix) -> Floats:
    """Return XᵀX, some columns at a time: the sparse product would take more than the result."""
    items = baskets.shape[1]
    transposed, columns = baskets.T.tocsr(), baskets.tocsc()
    gram = np.empty((items, items), order="F")
    for start in range(0, items, _BLOCK):
        block = slice(start, start + _BLOCK)
        gram[:, block] = (transposed @ columns[:, block]).toarray()
    return gram


def _rows(baskets: Sequence[Ints], weight: float, items: int) -> sparse.csr_matrix:
    """Return a matrix with a row for each basket; in XᵀX, its pairs of items weigh `weight`."""
    sizes = [len(basket) for basket in baskets]
    values = np.full(sum(sizes), weight**0.5)
    columns = np.concatenate([*baskets, np.empty(0, np.int64)]).astype(np.int64)
    return sparse.csr_matrix((values, columns, np.cumsum([0, *sizes])), (len(sizes), items))
