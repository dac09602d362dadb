"""`status --follow`: attach to what is under way, and end with it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from lambdas.recommender.aws.errors import CredentialsError, PermanentError, TransientError
from lambdas.recommender.model.observed import Observed
from operations import status_text
from operations.account import Account
from operations.console import FINE, NOT, Console, chains_of, no_stack, read
from operations.progress import progress
from operations.stack import DELETED, REVIEW, Event, Stack, failures, has_succeeded
from operations.template import Chain, UnreadableError

_REVIEW_SECONDS: Final = 120.0
"""How long a change set may take to be executed: `cdk deploy` makes one first."""


def follow(console: Console, name: str) -> int:
    """Attach to the operation that is under way, and return its outcome when it has ended."""
    stack = _begun(console, name)
    if stack is None:
        return no_stack(console, name)
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
    console.screen.line(status_text.ended(stack, took, failed))
    return FINE if succeeded else NOT


def _begun(console: Console, name: str) -> Stack | None:
    """Return the stack; `cdk deploy` makes a change set first, and is waited for.

    Without credentials that are accepted at first, no look is worth a second one: they may be
    renewed in the midst of hours, but not before them.
    """
    until = console.clock() + _REVIEW_SECONDS
    final: tuple[type[TransientError], ...] = (CredentialsError,)
    while True:
        stack: Stack | None = read(console, lambda: console.account.stack(name), final=final)
        if stack is None or stack.status != REVIEW:
            return stack
        left = until - console.clock()
        if left <= 0:
            return None
        console.screen.progress(f"{name} waits for its change set to be executed", REVIEW)
        console.sleep(min(console.interval, left))
        final = ()


def _again(console: Console, stack: Stack) -> Stack:
    """Return the stack as it is now; 90 days after its deletion it is forgotten."""
    now: Stack | None = read(console, lambda: console.account.stack(stack.id))
    return now or replace(stack, status=DELETED)


def _known(console: Console, stack: Stack) -> tuple[Chain, ...]:
    """Return the recommenders of the stack's template, or none if it cannot be read."""
    try:
        known: tuple[Chain, ...] = read(console, lambda: chains_of(console.account, stack))
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
        console.screen.progress(status_text.waiting(stack, now), stack.status)
        return
    where, chain = next((one for one in places if one[0] and one[0].link), places[0])
    observed = read(console, lambda: _first(console.account, chain))
    of = chain.construct if len(known) > 1 else ""
    news = f"{status_text.place(where, of)} {observed.description if observed else ''}"
    console.screen.progress(status_text.follow_line(where, observed, now, of), news)


def _first(account: Account, chain: Chain) -> Observed | None:
    """Return the recommender that is asked for, or else the one that is there."""
    there = (account.personalize.describe(arn) for arn in chain.arns)
    return next((one for one in there if one), None)


def _events(console: Console, stack: Stack) -> list[Event]:
    try:
        events: list[Event] = read(console, lambda: console.account.events(stack))
    except PermanentError:
        if stack.status == DELETED:  # and forgotten
            return []
        raise
    return events
