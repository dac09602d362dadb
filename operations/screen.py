"""A terminal, or what stands in its place: lines, and one line that is drawn again and again."""

from collections.abc import Callable
from typing import Final, Protocol

_QUIET_SECONDS: Final = 60.0
_ERASE: Final = "\r\x1b[K"


class Out(Protocol):
    """A text stream."""

    def write(self, text: str, /) -> object:
        """Write."""

    def flush(self) -> object:
        """Flush."""

    def isatty(self) -> bool:
        """Whether somebody looks at it."""


class Screen:
    """Shows lines; a progress line is drawn in place where that can be done.

    Where it cannot, in the log of a job, it is a plain line: whenever something is new in it beside
    the time, and once a minute, so that nobody takes the job for dead.
    """

    def __init__(self, out: Out, clock: Callable[[], float]) -> None:
        self._out = out
        self._clock = clock
        self._drawn = False
        self._shown = ""
        self._when = 0.0

    def line(self, text: str) -> None:
        """Show lines that stay."""
        self._write(f"{_ERASE if self._drawn else ''}{text}\n")
        self._drawn = False

    def progress(self, text: str, news: str) -> None:
        """Show a line that the next one takes the place of.

        Args:
            text: the line.
            news: what in it is worth a line of its own.
        """
        if self._out.isatty():
            self._write(f"{_ERASE}{text}")
            self._drawn = True
        elif news != self._shown or self._clock() - self._when >= _QUIET_SECONDS:
            self._write(f"{text}\n")
            self._when = self._clock()
        self._shown = news

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
