"""Words and lines for people, of less than 80 columns where that can be (pure)."""

import shlex
import textwrap
from datetime import UTC, datetime
from typing import Final

WIDTH: Final = 80
_BAR: Final = 20
_LABEL: Final = 12
_MINUTE: Final = 60
_TWO_MINUTES: Final = 120


def leftovers_command(region: str, stack: str | None, *, delete: bool = False) -> str:
    """Return the command that looks for leftovers, or deletes them: a stack's, or all."""
    options = [
        *(["--delete"] if delete else []),
        *(["--stack", stack] if stack else []),
        *("--region", region),
    ]
    return shlex.join(["python", "-m", "operations", "leftovers", *options])


def duration(seconds: float) -> str:
    """Return a duration for people."""
    if seconds < _TWO_MINUTES:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / _MINUTE), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def moment(seconds: float) -> str:
    """Return a time (epoch seconds) for people, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def clock_time(now: float) -> str:
    """Return the time of day (epoch seconds), in UTC."""
    return datetime.fromtimestamp(now, UTC).strftime("%H:%M:%S")


def bar(share: float, width: int = _BAR) -> str:
    """Return a progress bar."""
    full = int(share * width)
    return f"[{'#' * full}{'-' * (width - full)}]"


def shortened(line: str) -> str:
    """Return a line that leaves the last of 80 columns free."""
    return line if len(line) < WIDTH else f"{line[: WIDTH - 4]}..."


def row(label: str, text: str) -> list[str]:
    """Return the lines of a row of a table, the first with a label."""
    return textwrap.wrap(
        text,
        WIDTH - 1,
        initial_indent=f"{label:{_LABEL}} ",
        subsequent_indent=" " * (_LABEL + 1),
        break_long_words=False,
        break_on_hyphens=False,
    )


def wrapped(text: str, indent: str = "") -> list[str]:
    """Return the lines of a paragraph."""
    return textwrap.wrap(
        text,
        WIDTH - 1,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
