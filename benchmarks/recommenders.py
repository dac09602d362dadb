"""Models of two libraries, on the baskets of the rehearsal.

`python recommenders.py given found [model ...]` runs in an environment of its own
(requirements-bench.txt), without this repository and its dependencies. It reads and writes `.npz`
files. `given` has the baskets to learn from (`users_indptr`, `users_indices`) and those to
recommend for (`asked_...`). It also has the items that must not be shown (`hidden_...`) and the
number of items. `found` gets the first 25 items for each basket, by model, and the time that each
model took to learn.
"""

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from scipy import sparse  # type: ignore[import-untyped]

SECONDS: Final = "seconds of "
"""How the names of times begin."""
_LONGEST: Final = 25
_BLOCK: Final = 200
"""Users scored at a time: all scores of all users would be gigabytes."""

Scores = Callable[[Any], Any]
"""Returns the scores of all items for baskets, as rows."""


def implicit_als(users: Any, *, factors: int, regularisation: float, alpha: float) -> Scores:
    """Learn with the alternating least squares of `implicit`."""
    from implicit.als import AlternatingLeastSquares  # type: ignore[import-not-found]  # noqa: PLC0415

    model = AlternatingLeastSquares(
        factors=factors, regularization=regularisation, alpha=alpha, random_state=0
    )
    model.fit(users, show_progress=False)

    def scores(asked: Any) -> Any:
        of_users = model.recalculate_user(np.arange(asked.shape[0]), asked)
        return of_users @ model.item_factors.T

    return scores


def irspack_ials(users: Any, *, factors: int, regularisation: float, alpha: float) -> Scores:
    """Learn with the iALS++ of `irspack`."""
    from irspack import IALSRecommender  # type: ignore[import-not-found]  # noqa: PLC0415

    model = IALSRecommender(users, n_components=factors, alpha0=alpha, reg=regularisation).learn()
    return model.get_score_cold_user  # type: ignore[no-any-return]


def irspack_rp3beta(users: Any, *, beta: float) -> Scores:
    """Learn with the random walks RP3beta of `irspack`."""
    from irspack import RP3betaRecommender  # noqa: PLC0415

    model = RP3betaRecommender(users, beta=beta, top_k=200).learn()
    return model.get_score_cold_user  # type: ignore[no-any-return]


MODELS: Final[dict[str, Callable[[Any], Scores]]] = {
    **{
        f"implicit ALS, {factors} factors, regularisation {penalty:g}, alpha {alpha:g}": partial(
            implicit_als, factors=factors, regularisation=penalty, alpha=alpha
        )
        for factors in (16, 64)
        for penalty, alpha in ((0.01, 1.0), (10.0, 1.0), (10.0, 10.0))
    },
    **{
        f"irspack iALS, {factors} factors, regularisation {penalty:g}, alpha0 {alpha:g}": partial(
            irspack_ials, factors=factors, regularisation=penalty, alpha=alpha
        )
        for factors in (16, 64)
        for penalty, alpha in ((0.001, 0.1), (0.01, 0.1), (0.003, 0.03))
    },
    **{
        f"irspack RP3beta, beta {beta:g}": partial(irspack_rp3beta, beta=beta)
        for beta in (0.2, 0.6)
    },
}
"""A small grid; to choose the best of it flatters the libraries."""


def main(arguments: Sequence[str]) -> None:
    """Learn with the models that are named, or with all."""
    given, out, *names = arguments
    numbers = np.load(given)
    users, asked, hidden = (_matrix(numbers, name) for name in ("users", "asked", "hidden"))
    found: dict[str, Any] = {}
    for name in names or MODELS:
        began = time.process_time()
        scores = MODELS[name](users)
        found[SECONDS + name] = np.array(time.process_time() - began)
        blocks = [slice(n, n + _BLOCK) for n in range(0, asked.shape[0], _BLOCK)]
        found[name] = np.concatenate([_best(scores(asked[one]), hidden[one]) for one in blocks])
    np.savez(out, **found)


def _matrix(numbers: Any, name: str) -> Any:
    indptr, indices = numbers[f"{name}_indptr"], numbers[f"{name}_indices"]
    shape = (len(indptr) - 1, int(numbers["items"]))
    return sparse.csr_matrix((np.ones(len(indices)), indices.astype(np.int32), indptr), shape)


def _best(scores: Any, hidden: Any) -> Any:
    scores = np.array(scores)
    scores[hidden.nonzero()] = -np.inf
    best = np.argpartition(-scores, _LONGEST, axis=1)[:, :_LONGEST]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
    return np.take_along_axis(best, order, axis=1)


if __name__ == "__main__":
    main(sys.argv[1:])
