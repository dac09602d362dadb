"""Rules about a recommender's tags, from the setting or from ``aws_cdk.Tags``.

Sources: ``Tag`` in the Personalize API reference, which allows empty values, too, but the CDK
refuses them for other resources (rule F3033). Tags of a stack are on its roles as well, whose keys
ignore case: aws-cdk issue 26253.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from ..functions import vocabulary as v

MAX_TAGS_GIVEN: Final = v.MAX_TAGS - v.RESERVED_AT_ONCE
MAX_KEY: Final = 128
MAX_VALUE: Final = 256
_CHARACTERS: Final = "_.:/=+-@"
ALLOWED_CHARACTERS: Final = f"letters, digits, spaces and {_CHARACTERS}"
_LETTERS_SPACES_AND_NUMBERS: Final = "LZN"
"""Unicode's categories by their first letters: ``\\p{L}\\p{Z}\\p{N}`` of the service's model."""


def problems(tags: Mapping[str, str | None]) -> Iterator[str]:
    """Yield a sentence for each broken rule: the key, the rule, and a remedy.

    Args:
        tags: by key; None is a value that is known at deployment only.
    """
    for key, value in tags.items():
        yield from _problems_of_a_key(key)
        yield from _problems_of_text(f"The key {key!r}", key, MAX_KEY)
        if value is not None:
            yield from _problems_of_text(f"The value of {key!r}", value, MAX_VALUE)
    if alike := differing_in_case(sorted(tags)):
        both = " and ".join(map(repr, alike))
        yield f"{both} differ only in case, which a role's tags must not: rename one."
    if len(tags) > MAX_TAGS_GIVEN:
        yield (
            f"There are {len(tags)} tags; {MAX_TAGS_GIVEN} are allowed: Personalize allows "
            f"{v.MAX_TAGS}, of which {v.RESERVED_AT_ONCE} are the stack's own. Remove some."
        )


def _problems_of_a_key(key: str) -> Iterator[str]:
    if key.lower().startswith("aws:"):
        yield f"The key {key!r} begins with aws:, which AWS keeps for itself: choose another key."
    if key.startswith(v.RESERVED_TAG_PREFIX):
        yield (
            f"The key {key!r} begins with {v.RESERVED_TAG_PREFIX}. Such keys say whose a "
            "recommender is: choose another key."
        )


def _problems_of_text(what: str, text: str, at_most: int) -> Iterator[str]:
    if not 1 <= len(text) <= at_most:
        yield f"{what} has {len(text)} characters; 1 to {at_most} are allowed."
    if wrong := sorted({one for one in text if not _is_allowed(one)}):
        yield f"{what} has {wrong[0]!r} in it; {ALLOWED_CHARACTERS} are allowed."


def _is_allowed(character: str) -> bool:
    category = unicodedata.category(character)[0]
    return category in _LETTERS_SPACES_AND_NUMBERS or character in _CHARACTERS


def differing_in_case(names: Iterable[str]) -> list[str]:
    """Return the first two names that differ only in case, or none."""
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.setdefault(name.lower(), name)) != name:
            return [other, name]
    return []
