"""`status`: show a stack and its recommenders; with `--follow`, its operation until the end."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from lambdas.recommender.aws.errors import (
    ACCESS_DENIED,
    CredentialsError,
    PermanentError,
    TransientError,
)
from lambdas.recommender.model.history import Sample
from lambdas.recommender.model.observed import Observed
from operations.account import Account
from operations.computations.chain import Chain, Position
from operations.computations.compare import Measured, compare
from operations.computations.stack import (
    DELETED,
    REVIEW,
    Event,
    Stack,
    failures,
    has_succeeded,
)
from operations.computations.template import UnreadableError
from operations.console import FINE, NOT_FINE, Console, Read
from operations.texts.render_status import (
    render_outcome,
    render_place,
    render_progress,
    render_status,
    render_unknown_progress,
)

_REVIEW_SECONDS: Final = 120.0
"""How long a change set may take to be executed: `cdk deploy` makes one first."""


def status(account: Account, console: Console, name: str) -> int:
    """Print the operation of a stack, and its recommenders."""
    stack = account.stack(name)
    if stack is None:
        return console.no_stack(name, account.region)
    chains, events = account.chains(stack), account.events(stack)
    arns = {arn: chain for chain in chains for arn in chain.arns_among(events)}
    observed = {arn: account.observed(arn, may_lack_tags=True) for arn in arns}
    now = console.clock()
    measured = {
        arn: _measured(account, chain, one, now)
        for arn, chain in arns.items()
        if (one := observed[arn])
    }
    found = compare(stack, chains, events, observed, measured, now=now)
    console.line(render_status(found))
    return NOT_FINE if found.wrong else FINE


def _measured(account: Account, chain: Chain, observed: Observed, now: float) -> Measured:
    """Read the metrics of a recommender. If one cannot be read, it is not known: no error."""

    def history() -> tuple[Sample, ...] | str:
        dimension = chain.monitored_as
        if dimension is None:
            return 'the stack has no monitoring; "monitoring": true turns it on'
        return account.cloudwatch.model_metrics(dimension, observed.metrics, now)

    return Measured(_known(history), _known(lambda: account.cloudwatch.use(observed.arn, now)))


def _known(read: Callable[[], Read | str]) -> Read | str:
    """Read, or return the reason why that failed."""
    try:
        return read()
    except PermanentError as error:
        if error.code in ACCESS_DENIED:
            return "you lack the permission cloudwatch:GetMetricData"
        return str(error)
    except (TransientError, UnreadableError) as error:
        return str(error)


def follow(account: Account, console: Console, name: str) -> int:
    """Attach to the operation that is under way, and return its outcome when it has ended."""
    stack = _begun(account, console, name)
    if stack is None:
        return console.no_stack(name, account.region)
    attached_to, entered = stack.status, ""
    if not stack.is_under_way:
        console.line("Nothing is under way.")
    events = _events(account, console, stack)
    chains: tuple[Chain, ...] = ()
    while stack.is_under_way:
        if stack.status != entered:
            console.line(f"{stack.name} in {account.region} is {stack.status}.")
            entered, chains = stack.status, _chains(account, console, stack)
        _show_progress(account, console, stack, chains, events)
        console.sleep(console.interval)
        stack = _again(account, console, stack)
        events = _events(account, console, stack) or events
    succeeded = has_succeeded(attached_to, stack.status)
    took = events[0].time - events[-1].time if events else 0.0
    console.line(render_outcome(stack, took, [] if succeeded else failures(events)))
    return FINE if succeeded else NOT_FINE


def _begun(account: Account, console: Console, name: str) -> Stack | None:
    """Read the stack, and wait for `cdk deploy` to execute the change set of a new one.

    Missing or refused credentials end the first poll. A later poll tries again: credentials may be
    renewed in the midst of hours, but not before them.
    """
    until = console.clock() + _REVIEW_SECONDS
    final: tuple[type[TransientError], ...] = (CredentialsError,)
    while True:
        stack = console.retry_reads(lambda: account.stack(name), final=final)
        if stack is None or stack.status != REVIEW:
            return stack
        remaining = until - console.clock()
        if remaining <= 0:
            return None
        console.progress(f"{name} waits for its change set to be executed", REVIEW)
        console.sleep(min(console.interval, remaining))
        final = ()


def _again(account: Account, console: Console, stack: Stack) -> Stack:
    """Read the stack again; 90 days after its deletion, CloudFormation forgets it."""
    now = console.retry_reads(lambda: account.stack(stack.id))
    return now or replace(stack, status=DELETED)


def _chains(account: Account, console: Console, stack: Stack) -> tuple[Chain, ...]:
    """Read the recommenders of the stack's template; none if that is not readable."""
    try:
        return console.retry_reads(lambda: account.chains(stack))
    except UnreadableError as error:
        console.line(f"The progress is not known: {error}.")
        return ()


def _show_progress(
    account: Account,
    console: Console,
    stack: Stack,
    chains: Sequence[Chain],
    events: Sequence[Event],
) -> None:
    """Print the recommender whose links may wait for longest, or the first one."""
    now = console.clock()
    positions = [(chain.position(events, now=now), chain) for chain in chains]
    if not positions:
        console.progress(render_unknown_progress(stack, now), stack.status)
        return
    position, chain = max(positions, key=lambda one: _remaining(one[0]))
    observed = console.retry_reads(lambda: _first(account, chain))
    of = chain.construct if len(chains) > 1 else ""
    news = f"{render_place(position, of)} {observed.description if observed else ''}"
    console.progress(render_progress(position, observed, now, of), news)


def _remaining(position: Position | None) -> float:
    """Return for how many seconds its links may wait, or less than any if none waits now."""
    return position.remaining if position and position.link else -1.0


def _first(account: Account, chain: Chain) -> Observed | None:
    """Read the recommender of the template, or else the one that it replaces."""
    observed = (account.personalize.describe(arn) for arn in chain.arns)
    return next((one for one in observed if one), None)


def _events(account: Account, console: Console, stack: Stack) -> list[Event]:
    try:
        return console.retry_reads(lambda: account.events(stack))
    except PermanentError:
        if stack.status == DELETED:  # and forgotten
            return []
        raise
