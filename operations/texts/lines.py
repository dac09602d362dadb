"""Words and lines of less than 80 columns, where possible (pure)."""

import shlex
import textwrap
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

PROGRAM: Final = "python -m operations" if __name__ == "operations.texts.lines" else "top-picks"
"""The command as a person types it: in this repository, or with the package alone."""

Row = tuple[str, str]
"""A label, which may be empty, and a text."""

WIDTH: Final = 80
_LABEL: Final = 12
_MINUTE: Final = 60
_TWO_MINUTES: Final = 120


def command(name: str, region: str, stack: str | None = None, *options: str) -> str:
    """Write one of our commands, for a shell."""
    named = ["--stack", stack] if stack else []
    return shlex.join([*PROGRAM.split(), name, *options, *named, "--region", region])


def duration(seconds: float) -> str:
    """Write a duration in hours and minutes, a short one in seconds."""
    if seconds < _TWO_MINUTES:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / _MINUTE), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def moment(seconds: float) -> str:
    """Write a date and time (epoch seconds), in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def clock_time(now: float) -> str:
    """Write the time of day (epoch seconds), in UTC."""
    return datetime.fromtimestamp(now, UTC).strftime("%H:%M:%S")


def bar(share: float, width: int) -> str:
    """Draw a progress bar."""
    full = int(share * width)
    return f"[{'#' * full}{'-' * (width - full)}]"


def shortened(line: str) -> str:
    """Cut a line so that the last of 80 columns is free."""
    return line if len(line) < WIDTH else f"{line[: WIDTH - 4]}..."


def labelled(label: str, texts: Iterable[str]) -> Iterator[Row]:
    """Yield a row for each text, the first with a label."""
    for text in texts:
        yield label, text
        label = ""


def table(rows: Iterable[Row]) -> list[str]:
    """Break the texts of rows into lines."""
    return [
        line
        for label, text in rows
        for line in wrapped(text, f"{label:{_LABEL}} ", " " * (_LABEL + 1))
    ]


def wrapped(text: str, indent: str = "", others: str | None = None) -> list[str]:
    """Break a paragraph into lines, the first of which may have an indent of its own."""
    return textwrap.wrap(
        text,
        WIDTH - 1,
        initial_indent=indent,
        subsequent_indent=indent if others is None else others,
        break_long_words=False,
        break_on_hyphens=False,
    )
