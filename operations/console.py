"""The terminal, or the log of a job: lines, a progress line, retries, and the exit codes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TextIO, TypeVar

from lambdas.recommender.aws.errors import TransientError
from operations.texts.render_status import render_no_stack

Read = TypeVar("Read")

FINE: Final = 0
NOT_FINE: Final = 1
CANNOT_TELL: Final = 2
CHANGES: Final = 3
TRAINS: Final = 4

_TRIES: Final = 10
_PAUSE_SECONDS: Final = 15.0
_QUIET_SECONDS: Final = 60.0
_ERASE: Final = "\r\x1b[K"


@dataclass
class Console:
    """Prints lines; a terminal draws the progress line in place.

    A log gets the progress as plain lines: one for each change, and one a minute, so that the job
    does not seem dead.

    Attributes:
        out: where it prints.
        clock: the time, in epoch seconds.
        sleep: waits for some seconds.
        confirm: asks a person whether to go on, or is None without a terminal.
        interval: seconds between two polls.
    """

    out: TextIO
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    confirm: Callable[[str], bool] | None
    interval: float
    _is_drawn: bool = field(default=False, init=False)
    _news: str = field(default="", init=False)
    _printed: float = field(default=0.0, init=False)

    def line(self, text: str) -> None:
        """Print lines that stay."""
        self._write(f"{_ERASE if self._is_drawn else ''}{text}\n")
        self._is_drawn = False

    def progress(self, text: str, news: str) -> None:
        """Print a line that the next one replaces.

        Args:
            text: the line.
            news: the part of it that is worth a line of its own in a log.
        """
        if self.out.isatty():
            self._write(f"{_ERASE}{text}")
            self._is_drawn = True
        elif news != self._news or self.clock() - self._printed >= _QUIET_SECONDS:
            self._write(f"{text}\n")
            self._printed = self.clock()
        self._news = news

    def no_stack(self, name: str, region: str) -> int:
        """Print that no such stack exists, and return the exit code."""
        self.line(render_no_stack(name, region))
        return CANNOT_TELL

    def retry_reads(
        self, call: Callable[[], Read], *, final: tuple[type[TransientError], ...] = ()
    ) -> Read:
        """Make a call that reads, and try again for a while.

        Args:
            call: makes it.
            final: errors after which it is not tried again.

        Raises:
            TransientError: it failed ten times, or as in ``final``.
            PermanentError: it was refused.
        """
        for _ in range(_TRIES - 1):
            try:
                return call()
            except TransientError as error:
                if isinstance(error, final):
                    raise
                self.line(f"{error}; trying again")
                self.sleep(_PAUSE_SECONDS)
        return call()

    def _write(self, text: str) -> None:
        self.out.write(text)
        self.out.flush()
