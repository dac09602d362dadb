"""Write sentences for people: full stops, durations, allowed characters and lengths (pure)."""

import json
import re
from typing import Final

_SHOWN_IN_MINUTES: Final = 120.0
_UNREADABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sentence(reason: str) -> str:
    """Add a full stop to a service's words if they have none; more words may follow."""
    return reason if not reason or reason.endswith((".", "!", "?")) else f"{reason}."


def duration(seconds: float) -> str:
    """Write a duration as a person reads it."""
    if seconds < _SHOWN_IN_MINUTES:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes"


def readable(text: str) -> str:
    """Replace the characters that XML cannot have.

    If a reason has one of them, the stack's events become unreadable
    (cloudformation-coverage-roadmap issue 1601). Lambda's runtime cannot log half of a pair.
    """
    return _UNREADABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def truncate(text: str, limit: int) -> str:
    """Cut ``text`` to at most ``limit`` bytes inside a JSON string.

    An empty string has two bytes; a lower limit leaves nothing.
    """
    if len(text) <= limit and len(json.dumps(text)) <= limit:
        return text
    kept = max(0, limit - len('"..."'))
    while kept and len(json.dumps(f"{text[:kept]}...")) > limit:
        kept = kept * 9 // 10
    return f"{text[:kept]}..." if kept else ""
