import io
from typing import NoReturn

import pytest

from lambdas.recommender.aws.errors import CredentialsError, TransientError
from operations.console import Console
from tests.support.personalize import VirtualClock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def console(out: io.StringIO, clock: VirtualClock) -> Console:
    return Console(out, clock, clock.advance, confirm=None, interval=15.0)


def test_progress_in_a_terminal_is_drawn_in_place() -> None:
    out = Terminal()
    shown = console(out, VirtualClock())
    shown.line("begins")
    shown.progress("one", "1")
    shown.progress("two", "1")
    shown.line("ended")
    shown.line("and over")
    assert out.getvalue() == "begins\n\r\x1b[Kone\r\x1b[Ktwo\r\x1b[Kended\nand over\n"


def test_progress_in_a_log_is_a_line_for_each_news_and_one_a_minute() -> None:
    out, clock = io.StringIO(), VirtualClock(0.0)
    shown = console(out, clock)
    for second, text, news in ((0, "a", "1"), (15, "b", "1"), (30, "c", "2"), (90, "d", "2")):
        clock.now = second
        shown.progress(text, news)
    shown.line("ended")
    assert out.getvalue() == "a\nc\nd\nended\n"


def test_transient_error_is_printed_and_retried_nine_times_then_raised() -> None:
    out, clock = io.StringIO(), VirtualClock(0.0)

    def call() -> NoReturn:
        raise TransientError("no usable answer")

    with pytest.raises(TransientError):
        console(out, clock).retry_reads(call)
    assert out.getvalue() == "no usable answer; trying again\n" * 9
    assert clock.now == 9 * 15


def test_final_error_is_not_retried_other_credential_errors_are() -> None:
    out, clock = io.StringIO(), VirtualClock()

    def call() -> NoReturn:
        raise CredentialsError("Unable to locate credentials")

    with pytest.raises(CredentialsError):
        console(out, clock).retry_reads(call, final=(CredentialsError,))
    assert not out.getvalue()
    with pytest.raises(CredentialsError):
        console(out, clock).retry_reads(call)
    assert out.getvalue().count("\n") == 9
