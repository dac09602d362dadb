"""Look at a stack of this project, from outside: its state, what differs, what is left over."""

import argparse
import contextlib
import io
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Final, TextIO

from botocore.exceptions import BotoCoreError

from lambdas.recommender.aws.errors import PermanentError, TransientError
from operations import clearing, clients, following, looking
from operations.account import Account
from operations.console import CANNOT_TELL, Console
from operations.screen import Screen
from operations.template import UnreadableError

_STACK: Final = "TopPicks"
_INTERVAL: Final = 15.0
_INTERRUPTED: Final = 130
_OF_THE_ENVIRONMENT: Final = (
    BotoCoreError,
    OSError,
    PermanentError,
    TransientError,
    UnreadableError,
)
_EPILOG: Final = "Exit codes: 0 fine, 1 not, 2 cannot tell. docs/reference/operations.md says more."


def main(
    arguments: Sequence[str] | None = None,
    *,
    connect: Callable[[str | None], tuple[Account, str]] = clients.connect,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Run a command and return its exit code: 2 for whatever nobody has foreseen, too."""
    given = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # tags may have any character
    try:
        account, region = connect(given.region)
        console = Console(
            account,
            region,
            clock,
            sleep,
            Screen(sys.stdout or io.StringIO(), clock),  # none if it was closed before
            _confirmation(yes=getattr(given, "yes", False)),
            given.interval,
        )
        code = int(given.run(console, given))
    except KeyboardInterrupt:
        _complain("\nStopped looking; what is under way goes on.")
        code = _INTERRUPTED
    except Exception as error:  # 1 would mean that something differs
        if given.traceback:
            _complain(traceback.format_exc())
        _complain(f"Cannot tell: {_cause(error)}")
        code = CANNOT_TELL
    for stream in (sys.stdout, sys.stderr):
        _drop_what_cannot_be_written(stream)
    return code


def _cause(error: Exception) -> str:
    """Return in one line what has gone wrong, and whom to tell if that is not the environment."""
    said = " ".join(str(error).split())
    if isinstance(error, _OF_THE_ENVIRONMENT):
        return said
    return (
        f"a defect of this command, {type(error).__name__}: {said}. Report it to this project, "
        "with what --traceback adds."
    )


def _complain(text: str) -> None:
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr)


def _drop_what_cannot_be_written(stream: TextIO | None) -> None:
    """Have the interpreter's own flush succeed at the exit; else the code would be 120.

    Source: "Note on SIGPIPE", documentation of Python's module signal.
    """
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--region", help="default: that of the environment or the profile")
    shared.add_argument(
        "--interval",
        type=_seconds,
        default=_INTERVAL,
        help="seconds between two looks; default: %(default)s",
    )
    shared.add_argument(
        "--traceback", action="store_true", help="if something goes wrong, show where in the code"
    )
    parser = argparse.ArgumentParser(
        prog="python -m operations", description=__doc__, epilog=_EPILOG
    )
    subparsers = parser.add_subparsers(required=True, metavar="command")
    status = subparsers.add_parser(
        "status", parents=[shared], help="what a stack is doing, and how its recommender is"
    )
    status.add_argument(
        "--stack", type=_name, default=_STACK, help="name or id; default: %(default)s"
    )
    status.add_argument(
        "--follow", action="store_true", help="until the operation ends; its outcome is the code"
    )
    status.set_defaults(run=_status)
    drift = subparsers.add_parser(
        "drift", parents=[shared], help="what differs from what the stack's template asks for"
    )
    drift.add_argument(
        "--stack", type=_name, default=_STACK, help="name or id; default: %(default)s"
    )
    drift.set_defaults(run=lambda console, given: looking.drift(console, given.stack))
    leftovers = subparsers.add_parser(
        "leftovers", parents=[shared], help="recommenders whose stack is gone or does not use them"
    )
    leftovers.add_argument("--stack", type=_name, help="only those of this one, by name or id")
    leftovers.add_argument("--delete", action="store_true", help="delete them, after a question")
    leftovers.add_argument("--yes", action="store_true", help="delete them without a question")
    leftovers.set_defaults(run=_leftovers)
    return parser


def _status(console: Console, given: argparse.Namespace) -> int:
    look = following.follow if given.follow else looking.status
    return look(console, given.stack)


def _leftovers(console: Console, given: argparse.Namespace) -> int:
    look = clearing.delete if given.delete else clearing.leftovers
    return look(console, given.stack)


def _name(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("the name of a stack must not be empty")
    return text


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 3600:  # noqa: PLR2004  # an hour
        raise argparse.ArgumentTypeError(f"{text} given, more than 0 and at most 3600 expected")
    return seconds


def _confirmation(*, yes: bool) -> Callable[[str], bool] | None:
    if yes:
        return lambda _: True
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    return _asked


def _asked(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:  # Ctrl+D
        print()
        return False


if __name__ == "__main__":
    sys.exit(main())
