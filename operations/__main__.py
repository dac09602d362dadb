"""Forecast a deployment of a stack, and show its state, its drift and its leftovers."""

import argparse
import contextlib
import io
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from botocore.exceptions import BotoCoreError

from lambdas.recommender.aws.errors import PermanentError, TransientError
from operations.account import Account
from operations.commands.drift import drift
from operations.commands.leftovers import delete, leftovers
from operations.commands.plan import FORMATS, plan, read_stack
from operations.commands.status import follow, status
from operations.computations.assembly import AssemblyError
from operations.computations.template import UnreadableError
from operations.console import CANNOT_TELL, Console
from operations.texts.lines import PROGRAM

_APP: Final = Path("cdk.out")
_STACK: Final = "TopPicks"
_INTERVAL: Final = 15.0
_INTERRUPTED: Final = 130
_CAUSES: Final = (
    ((BotoCoreError, PermanentError, TransientError), "Could not read AWS"),
    ((AssemblyError,), "Could not read the cloud assembly"),
    ((UnreadableError,), "Could not read the template"),
    ((OSError,), "Could not continue"),
)
_EPILOG: Final = (
    "Exit codes: 0 fine, 1 something is wrong, 2 cannot tell; plan also has 3 and 4. "
    "docs/reference/operations.md says more."
)

_NO_LOG: Final = logging.NullHandler()
"""The functions' code logs for CloudWatch. Python prints warnings that no handler takes."""

Connect = Callable[[str | None], Account]
Command = Callable[[Account, Console, Any], int]


def main(
    arguments: Sequence[str] | None = None,
    *,
    connect: Connect = Account.connect,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Run a command and return its exit code; an unforeseen error is 2, too."""
    given = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # tags may have any character
    try:
        console = Console(
            sys.stdout or io.StringIO(),  # none if it was closed before
            clock,
            sleep,
            _confirmation(yes=getattr(given, "yes", False)),
            given.interval,
        )
        code = _run(given, connect, console)
    except KeyboardInterrupt:
        _complain("\nInterrupted. The operation of the stack goes on.")
        code = _INTERRUPTED
    except Exception as error:  # 1 would mean that something differs
        if given.traceback:
            _complain(traceback.format_exc())
        _complain(_message(error))
        code = CANNOT_TELL
    for stream in (sys.stdout, sys.stderr):
        _drop_unwritten(stream)
    return code


def _run(given: argparse.Namespace, connect: Connect, console: Console) -> int:
    logging.getLogger("lambdas").addHandler(_NO_LOG)
    if given.command != "plan":
        return _command(given)(connect(given.region), console, given.stack)
    wanted = read_stack(given.app, given.stack)
    account = connect(given.region or wanted.region or None)
    return plan(account, console, wanted, destroys=given.destroy, shown_as=given.format)


def _message(error: Exception) -> str:
    """Render the cause in one line; an unforeseen error is to be reported."""
    cause = " ".join(str(error).split())
    for types, message in _CAUSES:
        if isinstance(error, types):
            return f"{message}: {cause}"
    return (
        f"This command has a defect, {type(error).__name__}: {cause}. Report it to this project, "
        "with the output of --traceback."
    )


def _complain(text: str) -> None:
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr)


def _drop_unwritten(stream: TextIO | None) -> None:
    """Make the interpreter's own flush succeed at the exit; else the code would be 120.

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
        help="seconds between two polls; default: %(default)s",
    )
    shared.add_argument(
        "--traceback", action="store_true", help="if something goes wrong, show where in the code"
    )
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__, epilog=_EPILOG)
    subparsers = parser.add_subparsers(required=True, metavar="command", dest="command")
    of_plan = subparsers.add_parser(
        "plan", parents=[shared], help="the effect of a deployment, or of cdk destroy, before it"
    )
    of_plan.add_argument(
        "--app", type=Path, default=_APP, help="folder of cdk synth; default: %(default)s"
    )
    of_plan.add_argument("--format", choices=FORMATS, default="text", help="default: %(default)s")
    of_plan.add_argument("--destroy", action="store_true", help="the effect of cdk destroy instead")
    of_status = subparsers.add_parser(
        "status", parents=[shared], help="the operation of a stack, and its recommenders"
    )
    of_status.add_argument(
        "--follow", action="store_true", help="until the operation ends; its outcome is the code"
    )
    of_drift = subparsers.add_parser(
        "drift", parents=[shared], help="how the recommenders differ from the stack's template"
    )
    for one in (of_plan, of_status, of_drift):
        one.add_argument(
            "--stack", type=_name, default=_STACK, help="name or id; default: %(default)s"
        )
    of_leftovers = subparsers.add_parser(
        "leftovers", parents=[shared], help="recommenders whose stack is gone or does not use them"
    )
    of_leftovers.add_argument("--stack", type=_name, help="only those of this one, by name or id")
    of_leftovers.add_argument("--delete", action="store_true", help="delete them, after a question")
    of_leftovers.add_argument("--yes", action="store_true", help="delete them without a question")
    return parser


def _command(given: argparse.Namespace) -> Command:
    match given.command:
        case "status":
            return follow if given.follow else status
        case "drift":
            return drift
        case _:
            return delete if given.delete else leftovers


def _name(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("the name of a stack must not be empty")
    return text


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 3600:  # noqa: PLR2004  # an hour
        raise argparse.ArgumentTypeError(f"got {text}; allowed: more than 0 and at most 3600")
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
