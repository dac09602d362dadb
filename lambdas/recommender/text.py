"""Sentences for people: full stops, durations, characters and lengths that answers allow (pure)."""

import json
import re
from typing import Final

_SHOWN_IN_MINUTES: Final = 120.0
_UNREADABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sentence(reason: str) -> str:
    """Add a full stop to a service's words where they have none, for more may follow."""
    return reason if not reason or reason.endswith((".", "!", "?")) else f"{reason}."


def duration(seconds: float) -> str:
    """Write a duration as a person reads it."""
    if seconds < _SHOWN_IN_MINUTES:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes"


def readable(text: str) -> str:
    """Replace the characters that XML cannot have.

    If a reason has one of them, nobody can read the stack's events any more
    (cloudformation-coverage-roadmap issue 1601), and Lambda's runtime cannot log half of a pair.
    """
    return _UNREADABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def truncate(text: str, limit: int) -> str:
    """Cut ``text`` to at most ``limit`` bytes inside a JSON string.

    An empty string has two bytes there; a lower limit leaves nothing.
    """
    if len(text) <= limit and len(json.dumps(text)) <= limit:
        return text
    kept = max(0, limit - len('"..."'))
    while kept and len(json.dumps(f"{text[:kept]}...")) > limit:
        kept = kept * 9 // 10
    return f"{text[:kept]}..." if kept else ""
