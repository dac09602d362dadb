"""The functions' code, and the words and recipes that it shares with the stacks.

Nothing else here knows where that code is. In the wheel it is inside the package (ADR 12).
"""

from pathlib import Path
from typing import Final

from lambdas.recommender import vocabulary
from lambdas.recommender.recipes import Recipe

LAMBDAS: Final = Path(vocabulary.__file__).parents[1]
"""The folder of the package ``recommender``, which runs in the account."""

__all__ = ["LAMBDAS", "Recipe", "vocabulary"]
