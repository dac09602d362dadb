"""The command line behind `make deploy-local` and `make destroy-local`; `top-picks-local`."""

import argparse
import contextlib
import io
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

from local_aws import commands, program, toolchain
from local_aws.engine import LocalAwsError
from local_aws.processes import InUseError, PidFile
from local_aws.rehearsal.recipes import STAND_INS, TOP_PICKS

_FOLDER: Final = toolchain.ROOT / ".local-aws"
_INTERRUPTS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Interrupt(BaseException):
    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: that of the CDK CLI where it ran one."""
    _print_whatever_is_named()
    options = _parser().parse_args(arguments)
    options.folder = options.folder.resolve()
    _forget_the_users_aws()
    for number in _INTERRUPTS:
        signal.signal(number, _interrupt)
    try:
        with contextlib.nullcontext() if options.concurrent else _claimed(options.folder):
            return int(options.run(options))
    except InUseError:
        print(f"Another command is at work in {options.folder}. Wait for its end.", file=sys.stderr)
        return 1
    except LocalAwsError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        if not error.filename:
            raise
        print(f"{error.filename} cannot be used: {error.strerror}.", file=sys.stderr)
        return 1
    except _Interrupt as interrupt:
        print(f"Interrupted by {interrupt}.", file=sys.stderr)
        return interrupt.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local_aws" if program.IN_REPOSITORY else program.LOCAL_AWS,
        description="Start a local AWS on this machine, use it, and stop it.",
    )
    parser.set_defaults(concurrent=False)  # whether it may run while another command is at work
    parser.add_argument("--folder", type=_path, default=_FOLDER, help="default: %(default)s")
    parser.add_argument(
        "--port",
        type=_port,
        help=f"to start it on; default: {commands.PREFERRED_PORT}, or any if that is taken",
    )
    subparsers = parser.add_subparsers(required=True, metavar="command")
    if program.IN_REPOSITORY:
        _add_commands_of_the_app(subparsers)
    start = subparsers.add_parser("start", help=_summary(commands.start))
    start.add_argument(
        "--group",
        type=_group,
        action="append",
        metavar="ARN",
        help="dataset group to make, in its account and region; may be given several times",
    )
    start.add_argument("--data", type=_path, help="folder to train on; default: the sample")
    start.set_defaults(
        run=lambda given: commands.start(given.folder, given.port, given.group or (), given.data)
    )
    stop = subparsers.add_parser("stop", help=_summary(commands.stop))
    stop.set_defaults(run=lambda given: commands.stop(given.folder, given.port))
    run = subparsers.add_parser("run", help=_summary(commands.run))
    run.add_argument("command", nargs=argparse.REMAINDER, help="python, cdk, aws ... and arguments")
    run.set_defaults(run=lambda given: commands.run(given.folder, given.command), concurrent=True)
    data = subparsers.add_parser("data", help=_summary(commands.data))
    data.add_argument("files", type=_path, help="folder with interactions.csv and items.csv")
    data.add_argument("--html", type=_path, help="file to write a page with plots to")
    data.add_argument(
        "--recipe", choices=STAND_INS, default=TOP_PICKS, help="to train on; default: %(default)s"
    )
    data.set_defaults(
        run=lambda given: commands.data(given.files, given.html, given.recipe), concurrent=True
    )
    faults = subparsers.add_parser("faults", help=_summary(commands.show_faults))
    faults.add_argument("assignments", nargs="*", metavar="name=value", help="or only: reset")
    faults.set_defaults(
        run=lambda given: commands.show_faults(given.folder, given.assignments), concurrent=True
    )
    logs = subparsers.add_parser("logs", help=_summary(commands.show_logs))
    logs.add_argument(
        "--follow", action="store_true", help="also print new lines as the functions log them"
    )
    logs.set_defaults(
        run=lambda given: commands.show_logs(given.folder, follow=given.follow), concurrent=True
    )
    status = subparsers.add_parser("status", help=_summary(commands.status))
    status.set_defaults(
        run=lambda given: commands.status(given.folder, given.port), concurrent=True
    )
    return parser


def _add_commands_of_the_app(subparsers: Any) -> None:
    """Add the commands that know this repository's app, which the package does not have."""
    deploy = subparsers.add_parser("deploy", help=_summary(commands.deploy))
    deploy.add_argument("--data", type=_path, help="folder to train on; default: the sample")
    deploy.set_defaults(run=lambda given: commands.deploy(given.folder, given.port, given.data))
    # With no character that options begin with, all that follows is the CLI's.
    cdk = subparsers.add_parser(
        "cdk", help=_summary(commands.cdk), prefix_chars="\0", add_help=False
    )
    cdk.add_argument("arguments", nargs="*")
    cdk.set_defaults(run=lambda given: commands.cdk(given.folder, given.arguments))
    destroy = subparsers.add_parser("destroy", help=_summary(commands.destroy))
    destroy.set_defaults(run=lambda given: commands.destroy(given.folder, given.port))
    observe = subparsers.add_parser("observe", help=_summary(commands.observe))
    observe.set_defaults(run=lambda given: commands.observe(given.folder, given.port))


def _summary(command: Callable[..., int]) -> str:
    return (command.__doc__ or "").partition("\n")[0]


def _claimed(folder: Path) -> contextlib.AbstractContextManager[object]:
    return PidFile(folder / "command.lock").claim()


def _path(text: str) -> Path:
    """Parse a path; the shell leaves a `~` in quotation marks, or after `=`, to the program."""
    if not text:
        raise argparse.ArgumentTypeError("got nothing; allowed: a path")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # no such user
        raise argparse.ArgumentTypeError(f"got {text}: {error}") from error


def _group(text: str) -> str:
    if not re.fullmatch(r"arn:aws:personalize:[a-z0-9-]+:[0-9]{12}:dataset-group/[\w-]+", text):
        raise argparse.ArgumentTypeError(f"got {text}; allowed: the ARN of a dataset group")
    return text


def _port(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number not in range(1, 2**16):
        raise argparse.ArgumentTypeError(f"got {text}; allowed: a number from 1 to 65535")
    return number


def _interrupt(number: int, _: FrameType | None) -> NoReturn:
    for other in _INTERRUPTS:
        signal.signal(other, signal.SIG_IGN)  # what follows is clean-up
    raise _Interrupt(number)


def _print_whatever_is_named() -> None:
    """Have names of files printed that are no text in the terminal's encoding."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _forget_the_users_aws() -> None:
    """Take profiles, credentials and endpoints out of sight of boto3."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


if __name__ == "__main__":
    sys.exit(main())
