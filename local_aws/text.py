"""Paragraphs for people, in lines of 100 columns where that can be."""

import textwrap
from typing import Final

_WIDTH: Final = 100


def filled(text: str, first: str = "", rest: str = "") -> str:
    """Return a paragraph, its lines indented by ``first`` and by ``rest``.

    Commands and ARNs in it can be copied: a line ends between two words only.
    """
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
