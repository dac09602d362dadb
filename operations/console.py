"""What the commands share: where they look, what they show it on, and their exit codes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lambdas.recommender.aws.errors import TransientError
from operations.account import Account, retry_reads
from operations.screen import Screen
from operations.stack import Stack
from operations.template import Chain, chains
from operations.text import leftovers_command

FINE: Final = 0
NOT: Final = 1
CANNOT_TELL: Final = 2


@dataclass(frozen=True)
class Console:
    """Where the commands look, and where they show what they see.

    Attributes:
        account: where they look.
        region: its region.
        clock: the time, in epoch seconds.
        sleep: waits for some seconds.
        screen: where they show it.
        confirm: asks whether to go on, or is None if nobody is there to be asked.
        interval: seconds between two looks.
    """

    account: Account
    region: str
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    screen: Screen
    confirm: Callable[[str], bool] | None
    interval: float


def no_stack(console: Console, name: str) -> int:
    """Show that there is no such stack."""
    console.screen.line(
        f"There is no stack {name} in {console.region} that is deployed or being deployed.\n"
        "Name another with --stack and --region, or look at what it may have left:\n"
        f"  {leftovers_command(console.region, name)}"
    )
    return CANNOT_TELL


def chains_of(account: Account, stack: Stack) -> tuple[Chain, ...]:
    """Return the recommenders of a stack's template.

    Raises:
        UnreadableError: only CloudFormation knows how long they wait.
    """
    return chains(account.template(stack), stack, account.resources(stack))


def read(
    console: Console, call: Callable[[], Any], *, final: tuple[type[TransientError], ...] = ()
) -> Any:
    """Return what a call returns, which is tried again while an operation is followed."""
    return retry_reads(call, console.sleep, console.screen.line, final=final)
