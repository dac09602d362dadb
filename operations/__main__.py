"""Look at a stack of this project, from outside: its state, what differs, what is left over."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from botocore.exceptions import BotoCoreError

from lambdas.recommender.errors import PermanentError, TransientError
from operations import clearing, clients, following, looking
from operations.account import Account
from operations.console import CANNOT_TELL, Console
from operations.screen import Screen
from operations.template import UnreadableError

_STACK: Final = "TopPicks"
_INTERVAL: Final = 15.0
_INTERRUPTED: Final = 130
_EPILOG: Final = "Exit codes: 0 fine, 1 not, 2 cannot tell. docs/reference/operations.md says more."


def main(
    arguments: Sequence[str] | None = None,
    *,
    connect: Callable[[str | None], tuple[Account, str]] = clients.connect,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Run a command and return its exit code."""
    given = _parser().parse_args(arguments)
    try:
        account, region = connect(given.region)
        console = Console(
            account,
            region,
            clock,
            sleep,
            Screen(sys.stdout, clock),
            _confirmation(yes=getattr(given, "yes", False)),
            given.interval,
        )
        return int(given.run(console, given))
    except (BotoCoreError, PermanentError, TransientError, UnreadableError) as error:
        print(f"Cannot tell: {error}", file=sys.stderr)
        return CANNOT_TELL
    except KeyboardInterrupt:
        print("\nStopped looking; what is under way goes on.", file=sys.stderr)
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--region", help="default: that of the environment or the profile")
    shared.add_argument(
        "--interval",
        type=_seconds,
        default=_INTERVAL,
        help="seconds between two looks; default: %(default)s",
    )
    parser = argparse.ArgumentParser(
        prog="python -m operations", description=__doc__, epilog=_EPILOG
    )
    subparsers = parser.add_subparsers(required=True, metavar="command")
    status = subparsers.add_parser(
        "status", parents=[shared], help="what a stack is doing, and how its recommender is"
    )
    status.add_argument("--stack", default=_STACK, help="name or id; default: %(default)s")
    status.add_argument(
        "--follow", action="store_true", help="until the operation ends; its outcome is the code"
    )
    status.set_defaults(run=_status)
    drift = subparsers.add_parser(
        "drift", parents=[shared], help="what differs from what the stack's template asks for"
    )
    drift.add_argument("--stack", default=_STACK, help="name or id; default: %(default)s")
    drift.set_defaults(run=lambda console, given: looking.drift(console, given.stack))
    leftovers = subparsers.add_parser(
        "leftovers", parents=[shared], help="recommenders whose stack is gone or does not use them"
    )
    leftovers.add_argument("--stack", help="only those of this one, by name or id")
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


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 3600:  # noqa: PLR2004  # an hour
        raise argparse.ArgumentTypeError(f"{text} given, more than 0 and at most 3600 expected")
    return seconds


def _confirmation(*, yes: bool) -> Callable[[str], bool] | None:
    if yes:
        return lambda _: True
    if not sys.stdin.isatty():
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
