"""What `status`, `drift` and `leftovers` do: look, decide, show."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from lambdas.recommender import vocabulary as v
from lambdas.recommender.errors import NotFoundError, PermanentError
from lambdas.recommender.identity import Ownership
from lambdas.recommender.observed import Observed
from operations import drift as d
from operations import text
from operations.account import Account, patiently
from operations.leftovers import Claim, Judgement, Tagged, judge
from operations.progress import progress
from operations.removal import remove
from operations.screen import Screen
from operations.stack import (
    DELETE_FAILED,
    DELETED,
    REVIEW,
    Event,
    Stack,
    failures,
    has_succeeded,
)
from operations.status import arns
from operations.status import status as status_of
from operations.template import Chain, UnreadableError, chains

FINE: Final = 0
NOT: Final = 1
CANNOT_TELL: Final = 2

_REVIEW_SECONDS: Final = 120.0
"""How long a change set may take to be executed: `cdk deploy` makes one first."""


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


# -- status ------------------------------------------------------------------------------------


def status(console: Console, name: str) -> int:
    """Show what a stack is doing, and what there is of its recommenders."""
    stack = console.account.stack(name)
    if stack is None:
        return _no_stack(console, name)
    known, events = _chains(console.account, stack), console.account.events(stack)
    there = {arn for chain in known for arn in arns(chain, events)}
    observed = {arn: console.account.observed(arn) for arn in there}
    shown = status_of(stack, known, events, observed, now=console.clock())
    console.screen.line(text.status(shown, console.region))
    return FINE if shown.is_fine else NOT


def follow(console: Console, name: str) -> int:
    """Attach to the operation that is under way, and return its outcome when it has ended."""
    stack = _begun(console, name)
    if stack is None:
        return _no_stack(console, name)
    attached_to, entered = stack.status, ""
    if not stack.is_under_way:
        console.screen.line("Nothing is under way.")
    events = _events(console, stack)
    known: tuple[Chain, ...] = ()
    while stack.is_under_way:
        if stack.status != entered:
            console.screen.line(f"{stack.name} in {console.region} is {stack.status}.")
            entered, known = stack.status, _known(console, stack)
        _show_progress(console, stack, known, events)
        console.sleep(console.interval)
        stack = _again(console, stack)
        events = _events(console, stack) or events
    succeeded = has_succeeded(attached_to, stack.status)
    took = events[0].time - events[-1].time if events else 0.0
    failed = [] if succeeded else failures(events, stack.id)
    console.screen.line(text.ended(stack, took, failed))
    return FINE if succeeded else NOT


def _begun(console: Console, name: str) -> Stack | None:
    """Return the stack; `cdk deploy` makes a change set first, and is waited for."""
    tries = int(_REVIEW_SECONDS / console.interval)
    for _ in range(tries):
        stack = console.account.stack(name)
        if stack is None or stack.status != REVIEW:
            return stack
        console.screen.progress(f"{name} waits for its change set to be executed", REVIEW)
        console.sleep(console.interval)
    return None


def _again(console: Console, stack: Stack) -> Stack:
    """Return the stack as it is now; 90 days after its deletion it is forgotten."""
    now: Stack | None = _read(console, lambda: console.account.stack(stack.id))
    return now or replace(stack, status=DELETED)


def _known(console: Console, stack: Stack) -> tuple[Chain, ...]:
    """Return the recommenders of the stack's template, or none if it cannot be read."""
    try:
        known: tuple[Chain, ...] = _read(console, lambda: _chains(console.account, stack))
    except UnreadableError as error:
        console.screen.line(f"Where it is cannot be said: {error}.")
        return ()
    return known


def _show_progress(
    console: Console, stack: Stack, known: Sequence[Chain], events: Sequence[Event]
) -> None:
    """Show the recommender of which a link waits, or the first one."""
    now = console.clock()
    places = [(progress(stack, chain, events, now=now), chain) for chain in known]
    if not places:
        console.screen.progress(text.waiting(stack, now), stack.status)
        return
    where, chain = next((one for one in places if one[0] and one[0].link), places[0])
    observed = _read(console, lambda: _first(console.account, chain))
    news = f"{text.place(where)} {observed.says if observed else ''}"
    console.screen.progress(text.follow_line(where, observed, now), news)


def _first(account: Account, chain: Chain) -> Observed | None:
    """Return the recommender that is asked for, or else the one that is there."""
    there = (account.personalize.describe(arn) for arn in chain.arns)
    return next((one for one in there if one), None)


# -- drift -------------------------------------------------------------------------------------


def drift(console: Console, name: str) -> int:
    """Show how the recommenders of a stack differ from what its template asks for."""
    stack = console.account.stack(name)
    if stack is None or stack.status == REVIEW:
        return _no_stack(console, name)
    if stack.is_under_way:
        console.screen.line(
            f"{stack.name} is {stack.status}: what differs is about to change. Wait for its end:\n"
            f"  python -m operations status --follow --stack {stack.name}"
        )
        return CANNOT_TELL
    found = []
    for chain in _chains(console.account, stack):
        one = d.drift(chain.desired, console.account.observed(chain.desired.arn))
        console.screen.line(text.drift(chain, one))
        found.append(one.verdict)
    if d.Verdict.DRIFTED in found:
        return NOT
    if d.Verdict.CANNOT_TELL in found:
        return CANNOT_TELL
    if not found:
        console.screen.line(f"There is no recommender in the template of {stack.name}.")
        return CANNOT_TELL
    return FINE


# -- leftovers ---------------------------------------------------------------------------------


def leftovers(console: Console, name: str | None) -> int:
    """Show the recommenders whose stack is gone, or does not use them."""
    judged = _judged(console.account, name)
    console.screen.line(text.leftovers(judged, console.region))
    if more := text.way_out(judged, console.region):
        console.screen.line(more)
    return _verdict(judged)


def delete_leftovers(console: Console, name: str | None) -> int:
    """Delete those recommenders, or release them if they were adopted."""
    judged = _judged(console.account, name)
    console.screen.line(text.leftovers(judged, console.region))
    doomed = [one for one in judged if one.claim is Claim.LEFTOVER]
    if doomed:
        console.screen.line(text.to_be_removed(doomed))
        if console.confirm is None:
            console.screen.line("Nothing was changed: nobody is here to be asked, and no --yes.")
            return CANNOT_TELL
        if not console.confirm("Is that what you want? [y/N] "):
            console.screen.line("Nothing was changed.")
            return NOT
        for one in doomed:
            removed = remove(console.account, one, partial(_wait, console, one))
            console.screen.line(text.removal_ended(one, removed))
        judged = _judged(console.account, name)
        console.screen.line(text.leftovers(judged, console.region))
    named = console.account.stack(name) if name else None
    stuck = [one.of.stack for one in (*doomed, *judged)] + [named]
    ended = [one for one in stuck if one and one.status in (DELETE_FAILED, "ROLLBACK_FAILED")]
    if ended and _verdict(judged) is FINE:
        console.screen.line(text.stacks_to_delete(ended, console.region))
    return _verdict(judged)


def _wait(console: Console, leftover: Judgement, why: str) -> None:
    console.screen.progress(text.removal_waits(leftover, why), why)
    console.sleep(console.interval)


def _verdict(judged: list[Judgement]) -> int:
    claims = {one.claim for one in judged}
    if Claim.LEFTOVER in claims:
        return NOT
    return CANNOT_TELL if claims & {Claim.UNDECIDED, Claim.UNPROVEN} else FINE


def _judged(account: Account, name: str | None) -> list[Judgement]:
    return [
        judge(tagged)
        for tagged in _tagged(account)
        if name in (None, tagged.stack_id, *tagged.stack_id.split("/")[1:2])
    ]


def _tagged(account: Account) -> Iterator[Tagged]:
    """Yield the recommenders of the account and region that carry our tags."""
    for arn in sorted(account.recommenders()):
        tags: Mapping[str, str] = {}
        with contextlib.suppress(NotFoundError):  # deleted meanwhile
            tags = account.personalize.tags(arn)
        if v.OWNER_STACK_TAG in tags:
            yield _with_its_stack(account, Tagged(arn, tags))


def _with_its_stack(account: Account, tagged: Tagged) -> Tagged:
    """Return it with what CloudFormation knows, where that can be asked here."""
    proven = tagged.ownership is not Ownership.FOREIGN
    stack = account.stack(tagged.stack_id) if proven else None
    if stack is None:
        return tagged
    known: tuple[Chain, ...] = ()
    with contextlib.suppress(UnreadableError):
        known = _chains(account, stack)
    return replace(tagged, stack=stack, resources=account.resources(stack), chains=known)


# -- what they share ---------------------------------------------------------------------------


def _no_stack(console: Console, name: str) -> int:
    console.screen.line(
        f"There is no stack {name} in {console.region} that is deployed or being deployed.\n"
        "Name another with --stack and --region, or look at what it may have left:\n"
        f"  python -m operations leftovers --region {console.region}"
    )
    return CANNOT_TELL


def _chains(account: Account, stack: Stack) -> tuple[Chain, ...]:
    return chains(account.template(stack), stack, account.resources(stack))


def _events(console: Console, stack: Stack) -> list[Event]:
    try:
        events: list[Event] = _read(console, lambda: console.account.events(stack))
    except PermanentError:
        if stack.status == DELETED:  # and forgotten
            return []
        raise
    return events


def _read(console: Console, call: Callable[[], Any]) -> Any:
    return patiently(call, console.sleep, console.screen.line)
