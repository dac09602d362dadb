"""What is said of a stack and its operation (pure)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lambdas.recommender import vocabulary as v
from lambdas.recommender.decision.drift import DriftStatus
from lambdas.recommender.model import retraining
from lambdas.recommender.model.observed import Observed, Phase, Update
from operations.drift_text import differing, hidden
from operations.progress import Progress
from operations.stack import Event, Stack
from operations.status import Billed, ChainStatus, RecommenderStatus, Status
from operations.template import SOURCE, Chain
from operations.text import (
    bar,
    clock_time,
    duration,
    leftovers_command,
    moment,
    row,
    shortened,
    wrapped,
)


def status(shown: Status, region: str) -> str:
    """Return what there is to say of a stack."""
    stack, since = shown.stack, shown.since
    lasts = f" for {duration(shown.now - since)}, since {moment(since)}" if since else ""
    lines = [
        *row("Stack", f"{stack.name} in {region}"),
        *row("Operation", f"{stack.status}{lasts}"),
    ]
    if not shown.chains:
        lines += row("Recommender", "there is none in the stack's template")
    for chain in shown.chains:
        lines += _chain(chain, shown)
    if stack.is_stuck:
        lines += row("Way out", _way_out(stack))
    if shown.wrong:
        lines += _exit_code(shown)
    return "\n".join(lines)


def _exit_code(shown: Status) -> Iterator[str]:
    """Return why it is 1, which the lines before need not say: all may be as it was."""
    yield f"Exit code 1: {shown.wrong}."
    if shown.failed and shown.stack.has_failed:
        yield from _failures([shown.failed])


def _way_out(stack: Stack) -> str:
    return leftovers_command(stack.region, stack.name, delete=True)


def _chain(chain: ChainStatus, shown: Status) -> Iterator[str]:
    yield from row("Construct", construct(chain.chain))
    if progress := chain.progress:
        yield from row("Waits in", _where(progress))
        yield from row("Decided", f"in {duration(progress.left)} at most")
        yield from row("", bar(progress.share, 40))
    elif shown.stack.is_cleaning_up:
        yield from row("Decided", "yes; what was replaced is being deleted")
    for one in chain.recommenders:
        yield from _recommender(one, shown)


def construct(chain: Chain) -> str:
    """Return what tells a recommender from another one of its stack."""
    return f"{chain.path} ({chain.logical_id})" if chain.path else chain.logical_id


def _where(progress: Progress) -> str:
    link = progress.link
    if link is None:
        return "no link of the chain waits now"
    return f"{link.name} has waited for {duration(progress.waited)} of {duration(link.wait)}"


def _recommender(one: RecommenderStatus, shown: Status) -> Iterator[str]:
    what = "" if one.is_asked_for else " (the one before; it is to be replaced)"
    yield from row("Recommender", one.arn.rpartition("/")[2] + what)
    if one.observed is None:
        yield from row("Status", "it does not exist")
    else:
        yield from row("Status", f"{one.observed.description}{_lasts(one, shown.now)}")
        if one.observed.phase.has_failed:
            yield from row("", one.observed.reason)
    if one.observed and (members := ", ".join(_members(one.observed.config))):
        yield from row("Config", members)
    if one.is_asked_for:
        yield from _configuration(one)
    if one.observed and one.observed.phase in _TRAINED:
        yield from _training(one.observed, shown.now)
    if one.observed and one.observed.metrics:
        yield from _metrics(one.observed)
    if one.billed and one.observed:
        yield from row("Billed", _billed(one.billed, one.observed))


_TRAINED = (Phase.ACTIVE, Phase.STOPPING, Phase.INACTIVE, Phase.STARTING)


def _training(observed: Observed, now: float) -> Iterator[str]:
    """Return when it was trained, or why its latest update failed, as far as that shows."""
    update = observed.latest_update
    if update is None:
        if observed.created:
            began = _ago(observed.created, now)
            yield from row("Trained", f"{began}, when it was created; no update shows since")
    elif update.failed:
        yield from _failed(observed, update, now)
    elif not update.under_way:
        yield from row("Updated", f"{_ago(update.created, now)}: retrained, or reconfigured")


def _failed(observed: Observed, update: Update, now: float) -> Iterator[str]:
    began = _ago(update.created, now)
    if retraining.failed(observed):
        yield from row("Retraining", f"it failed, begun {began}: {update.reason}")
        yield from row(
            "",
            "The model before that serves; how old it is does not show. Personalize retrains every "
            "7 days. That it was a retraining is seen by its configuration, the effective one.",
        )
    else:
        yield from row("Update", f"it failed, begun {began}: {update.reason}")
        yield from row("", "It was to change the configuration, which is as it was before.")


def _ago(began: float, now: float) -> str:
    return f"{duration(now - began)} ago, {moment(began)}"


def _lasts(one: RecommenderStatus, now: float) -> str:
    """Return for how long it has had its status."""
    lasts = duration(now - one.since)
    if one.through and one.observed:
        created = duration(now - one.observed.created)
        return f", also during its latest update, begun {lasts} ago; created {created} ago"
    return f" for {lasts}" if one.since else ""


def _configuration(one: RecommenderStatus) -> Iterator[str]:
    if one.drift is None:
        yield from row("Wanted", one.not_compared)
        return
    match one.drift.status:
        case DriftStatus.NONE:
            yield from row("Wanted", f"{one.drift.reason}, by {SOURCE}")
        case DriftStatus.CANNOT_TELL:
            yield from row("Wanted", one.drift.reason)
        case _:
            for number, difference in enumerate(differing(one.drift)):
                yield from row("" if number else "Wanted", difference)
            yield from row("", f"by {SOURCE}")
    if one.hour:
        yield from row("Hour", f"wanted {one.hour}")
    for line in hidden(one.drift):
        yield from row("", line)


def _members(config: Mapping[str, Any]) -> Iterator[str]:
    """Return what DescribeRecommender shows of a configuration, each member with its value."""
    for name, value in config.items():
        match value:
            case dict() if name in (v.EXCLUDED_COLUMNS, v.INCLUDED_COLUMNS):
                yield from (f"{name} {of} ({', '.join(columns)})" for of, columns in value.items())
            case dict():
                yield from _members(value)
            case _:
                yield f"{name} {str(value).lower() if isinstance(value, bool) else value}"


def _metrics(observed: Observed) -> Iterator[str]:
    for number, (name, value) in enumerate(sorted(observed.metrics.items())):
        yield from row("" if number else "Metrics", f"{name} {value:.4f}")


def _billed(billed: Billed, observed: Observed) -> str:
    minimum = (
        f"{billed.recommendations_an_hour} recommendations an hour at least "
        f"(minRecommendationRequestsPerSecond {billed.requests_per_second} x 3600)"
    )
    match billed.now:
        case True:
            return minimum
        case False:
            return f"nothing while it is {observed.status}; {minimum} while ACTIVE"
        case _:
            return f"{minimum} while ACTIVE; for {observed.status} AWS documents nothing"


# -- following ---------------------------------------------------------------------------------


def place(progress: Progress | None, of: str = "") -> str:
    """Return what waits, and of which construct, if there are several."""
    if progress is None:
        return "clean-up"
    link = progress.link.name if progress.link else "other resources"
    return f"{link} of {of}" if of else link


def follow_line(
    progress: Progress | None, observed: Observed | None, now: float, of: str = ""
) -> str:
    """Return the line of one look at an operation, of less than 80 columns."""
    state = "not there" if observed is None else _state(observed)
    if progress is None:
        return shortened(f"{clock_time(now)} decided; what was replaced is being deleted; {state}")
    return shortened(
        f"{clock_time(now)} {bar(progress.share, 14)} {place(progress, of)}, "
        f"{duration(progress.left)} at most; {state}"
    )


def waiting(stack: Stack, now: float) -> str:
    """Return the line of a look at an operation of which no more is known."""
    return shortened(f"{clock_time(now)} {stack.status}")


def _state(observed: Observed) -> str:
    return "updating" if observed.updating else observed.status


def ended(stack: Stack, took: float, failed: Sequence[Event]) -> str:
    """Return how an operation has ended, how many seconds it took, and what failed in it."""
    lines = [f"{stack.name} is {stack.status} after {duration(took)}.", *_failures(failed)]
    if stack.is_stuck:
        lines += ["The way out, when the cause is gone:", f"  {_way_out(stack)}"]
    return "\n".join(lines)


def _failures(failed: Iterable[Event]) -> Iterator[str]:
    """Return what failed, with each reason once: what has one cause is one thing to read."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for event in failed:
        key = (event.status, event.reason or "no reason was given")
        by_reason.setdefault(key, []).append(event.logical_id)
    for (status, reason), logical_ids in by_reason.items():
        yield from wrapped(f"{status}: {', '.join(logical_ids)}")
        yield from wrapped(reason, "  ")
