"""The model: EASE, a linear autoencoder in closed form, with what items have in common.

Sources: Harald Steck, *Embarrassingly Shallow Autoencoders for Sparse Data* (WWW 2019), and for the
metadata Olivier Jeunen, Jan Van Balen, Bart Goethals, *Closed-Form Models for Collaborative
Filtering with Side-Information* (RecSys 2020). Why this one: docs/adr/0010.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse  # type: ignore[import-untyped]

from local_aws.rehearsal.data import Ints

Floats = npt.NDArray[np.float32]

_MOST_ITEMS: Final = 8000
"""Items that are learnt about, those with the most interactions: memory grows with their square."""
_REGULARISATION: Final = 4.0
"""In units of the mean number of users that an item has."""
_CATEGORY: Final = 2.0
"""What a category counts for, where a user counts for 1."""


class Ease:
    """How much each item that a user interacted with speaks for each other item.

    The weights B minimise |X - XB|² + regularisation · |B|² with a diagonal of zeros, where the
    rows of X are baskets: the items of each user, and the items of each category.

    Args:
        users: The items that each user interacted with.
        categories: The items of each category.
        items: How many items there are.
    """

    def __init__(self, users: Sequence[Ints], categories: Sequence[Ints], items: int) -> None:
        baskets = sparse.vstack([_rows(users, 1.0, items), _rows(categories, _CATEGORY, items)])
        counts = np.bincount(np.concatenate([*users, *categories]), minlength=items)
        self._learnt = np.sort(np.argsort(-counts, kind="stable")[:_MOST_ITEMS])
        self._places = np.full(items, -1)
        self._places[self._learnt] = np.arange(len(self._learnt))
        self._items = items
        baskets = baskets.tocsc()[:, self._learnt]
        gram = (baskets.T @ baskets).toarray()
        gram[np.diag_indices_from(gram)] += _REGULARISATION * gram.diagonal().mean()
        inverse = linalg.inv(gram, overwrite_a=True, check_finite=False)
        self._weights: Floats = inverse / -np.diag(inverse)
        np.fill_diagonal(self._weights, 0)

    def relevance(self, basket: Ints) -> Floats:
        """Return for every item how much a user's items speak for it, 0 at least."""
        places = self._places[basket]
        relevance = np.zeros(self._items, np.float32)
        relevance[self._learnt] = self._weights[places[places >= 0]].sum(axis=0)
        return np.maximum(relevance, 0)


def _rows(baskets: Sequence[Ints], weight: float, items: int) -> sparse.csr_matrix:
    """Return a matrix with a row for each basket; in XᵀX, its pairs of items weigh `weight`."""
    sizes = [len(basket) for basket in baskets]
    values = np.full(sum(sizes), weight**0.5, np.float32)
    columns = np.concatenate([*baskets, np.empty(0, np.int64)]).astype(np.int64)
    return sparse.csr_matrix((values, columns, np.cumsum([0, *sizes])), (len(sizes), items))
