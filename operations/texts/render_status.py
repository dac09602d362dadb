"""Render a stack and its operation (pure)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from lambdas.recommender import vocabulary as v
from lambdas.recommender.decision.drift import Drift, DriftStatus
from lambdas.recommender.model import retraining
from lambdas.recommender.model.history import WINDOW, Change, Sample
from lambdas.recommender.model.observed import Observed, Phase
from lambdas.recommender.model.retraining import Cause
from lambdas.recommender.model.throughput import WEEK, Use
from operations.computations.chain import Chain, Position
from operations.computations.compare import (
    ChainStatus,
    RecommenderStatus,
    StackStatus,
    has_been_so_since,
    served_through,
)
from operations.computations.stack import Event, Stack
from operations.computations.template import SOURCE
from operations.texts.lines import (
    Row,
    bar,
    clock_time,
    command,
    duration,
    labelled,
    moment,
    shortened,
    table,
    wrapped,
)
from operations.texts.render_drift import render_hidden

_TRAINED: Final = (Phase.ACTIVE, Phase.STOPPING, Phase.INACTIVE, Phase.STARTING)
_AN_HOUR: Final = 3600
_DAY: Final = 24 * _AN_HOUR


def render_no_stack(name: str, region: str) -> str:
    """Render that no such stack exists."""
    return (
        f"There is no stack {name} in {region}. Name another one with --stack and --region,\n"
        "or list the leftovers of this one:\n"
        f"  {command('leftovers', region, name)}"
    )


def render_status(found: StackStatus) -> str:
    """Render a stack, its operation, its recommenders, and what is wrong."""
    stack, since = found.stack, found.since
    lasts = f" for {duration(found.now - since)}, since {moment(since)}" if since else ""
    rows = [("Stack", f"{stack.name} in {stack.region}"), ("Operation", f"{stack.status}{lasts}")]
    if not found.chains:
        rows.append(("Recommender", "there is none in the stack's template"))
    for chain in found.chains:
        rows += _chain(chain, found)
    if stack.is_stuck:
        rows.append(("Way out", _way_out(stack)))
    lines = table(rows)
    if found.wrong:
        lines.append(f"Exit code 1: {found.wrong}.")
        if found.failed and stack.failure:
            lines += _failures([found.failed])
    return "\n".join(lines)


def render_construct(chain: Chain) -> str:
    """Render the names by which the stack's other recommenders differ."""
    return f"{chain.path} ({chain.logical_id})" if chain.path else chain.logical_id


def _way_out(stack: Stack) -> str:
    return command("leftovers", stack.region, stack.name, "--delete")


def _chain(chain: ChainStatus, found: StackStatus) -> Iterator[Row]:
    yield "Construct", render_construct(chain.chain)
    if position := chain.position:
        yield "Waits in", _link(position)
        yield "Decided", f"in {duration(position.remaining)} at most"
        yield "", bar(position.share, 40)
    elif found.stack.is_cleaning_up:
        yield "Decided", "yes; clean-up deletes replaced resources"
    for one in chain.recommenders:
        yield from _recommender(one, found)


def _link(position: Position) -> str:
    link = position.link
    if link is None:
        return "no link of the chain waits now"
    return f"{link.name} has waited for {duration(position.waited)} of {duration(link.wait)}"


def _recommender(one: RecommenderStatus, found: StackStatus) -> Iterator[Row]:
    name, observed = one.arn.rpartition("/")[2], one.observed
    yield "Recommender", name if one.drift else f"{name} (the old one, which is being replaced)"
    if observed is None:
        yield "Status", "it does not exist"
    else:
        yield "Status", f"{observed.description}{_lasts(observed, found.now)}"
        if observed.phase.has_failed:
            yield "", observed.reason
        if members := ", ".join(_members(observed.config)):
            yield "Config", members
    if one.drift:
        yield from _drift(one.drift, one.hour)
    if observed:
        if observed.phase in _TRAINED:
            yield from _training(observed, found)
        yield from _metrics(one, observed)
        yield "Billed", _billed(one.requests_per_second, observed)
        if one.measured:
            yield "Use", _use(one.measured.use, one.requests_per_second)


def _lasts(observed: Observed, now: float) -> str:
    since = has_been_so_since(observed)
    lasts = duration(now - since)
    if served_through(observed):
        created = duration(now - observed.created)
        return f", also during its latest update, begun {lasts} ago; created {created} ago"
    return f" for {lasts}" if since else ""


def _members(config: Mapping[str, Any]) -> Iterator[str]:
    """Render the members of a configuration that DescribeRecommender shows."""
    for name, value in config.items():
        match value:
            case dict() if name in (v.EXCLUDED_COLUMNS, v.INCLUDED_COLUMNS):
                yield from (f"{name} {of} ({', '.join(columns)})" for of, columns in value.items())
            case dict():
                yield from _members(value)
            case _:
                yield f"{name} {str(value).lower() if isinstance(value, bool) else value}"


def _drift(found: Drift, hour: str) -> Iterator[Row]:
    match found.status:
        case DriftStatus.NONE:
            yield "Expected", f"{found.reason}, by {SOURCE}"
        case DriftStatus.CANNOT_TELL:
            yield "Expected", found.reason
        case _:
            yield from labelled("Expected", map(str, found.differences))
            yield "", f"by {SOURCE}"
    if hour:
        yield "Hour", f"expected {hour}"
    yield from labelled("", render_hidden(found))


def _training(observed: Observed, found: StackStatus) -> Iterator[Row]:
    """Render when it was trained and why, or why its latest update failed, as far as that shows."""
    training = retraining.latest(observed, found.stack.operation)
    if training is None:
        return
    began = f"{duration(found.now - training.began)} ago, {moment(training.began)}"
    reason = observed.latest_update.reason if observed.latest_update else ""
    failure = f"it failed, begun {began}: {reason}"
    match training.cause:
        case Cause.CREATION:
            yield "Trained", f"{began}, when it was created; no update shows since"
        case Cause.RETRAINING:
            yield "Trained", f"{began}: the weekly retraining"
        case Cause.UPDATE:
            yield "Updated", f"{began}: retrained, or reconfigured"
        case Cause.FAILED_RETRAINING:
            yield "Retraining", failure
            yield (
                "",
                "The earlier model serves; its age is not shown. Personalize retrains every 7 "
                "days. This update counts as a retraining, because it has the effective "
                "configuration.",
            )
        case _:  # a failed update of the configuration
            yield "Update", failure
            yield "", "It would have changed the configuration, which is as it was before."


def _metrics(one: RecommenderStatus, observed: Observed) -> Iterator[Row]:
    """Render the model's metrics, as they are now and as they were before their latest change."""
    before = one.change.before if one.change else {}
    earlier = {metric: f" (before {value:.4f})" for metric, value in before.items()}
    metrics = sorted(observed.metrics.items())
    shown = (f"{metric} {value:.4f}{earlier.get(metric, '')}" for metric, value in metrics)
    yield from labelled("Metrics", shown)
    if one.measured and observed.metrics:
        yield "Before", _before(one.measured.history, one.change)
    yield from labelled("Worse", one.worse)


def _before(history: tuple[Sample, ...] | str, change: Change | None) -> str:
    days = f"the last {WINDOW / _DAY:.0f} days"
    if isinstance(history, str):
        return f"not known: {history}"
    if change:
        return f"the earlier metrics showed until {moment(change.until)}, by the observer's history"
    if history:
        return f"no other metrics in {days}, by the observer's history"
    return f"not known: the observer's history has no metrics of {days}"


def _use(use: Use | str, provisioned: int) -> str:
    """Render the use of the provisioned throughput, and the value that would do."""
    if isinstance(use, str):
        return f"not known: {use}"
    days = f"the last {WEEK / _DAY:.0f} days"
    if not use.peak:
        peak = f"no call of GetRecommendations in {days}"
    else:
        number = f"{use.peak:.2f}" if use.peak >= 1 else f"{use.peak:.4f}"
        peak = (
            f"{number} calls a second in the busiest 5 minutes of {days}, from {moment(use.began)}"
        )
    if use.enough == provisioned:
        return peak
    return f"{peak}; {v.MIN_REQUESTS_PER_SECOND} {use.enough} would do"


def _billed(requests_per_second: int, observed: Observed) -> str:
    """Render the costs by the hour, in the unit that AWS bills: recommendations.

    AWS bills an ACTIVE recommender for its minimum, also without requests, and for more if an
    hour's average is above that. Source: "Creating domain recommenders", Personalize Developer
    Guide. Prices are on Amazon Personalize's pricing page.
    """
    minimum = (
        f"{requests_per_second * _AN_HOUR} recommendations an hour at least "
        f"(minRecommendationRequestsPerSecond {requests_per_second} x {_AN_HOUR})"
    )
    match observed.phase:
        case Phase.ACTIVE:
            return minimum
        case Phase.INACTIVE:
            return f"nothing while it is {observed.status}; {minimum} while ACTIVE"
        case _:
            return f"{minimum} while ACTIVE; for {observed.status} AWS documents nothing"


# -- following ---------------------------------------------------------------------------------


def render_place(position: Position | None, of: str = "") -> str:
    """Render the link that waits, with its construct, if there are several."""
    if position is None:
        return "clean-up"
    link = position.link.name if position.link else "other resources"
    return f"{link} of {of}" if of else link


def render_progress(
    position: Position | None, observed: Observed | None, now: float, of: str = ""
) -> str:
    """Render an operation in one line."""
    state = "not there" if observed is None else _state(observed)
    if position is None:
        return shortened(f"{clock_time(now)} decided; clean-up deletes replaced resources; {state}")
    return shortened(
        f"{clock_time(now)} {bar(position.share, 14)} {render_place(position, of)}, "
        f"{duration(position.remaining)} at most; {state}"
    )


def render_unknown_progress(stack: Stack, now: float) -> str:
    """Render an operation in one line, if its template cannot be read."""
    return shortened(f"{clock_time(now)} {stack.status}")


def _state(observed: Observed) -> str:
    return "updating" if observed.updating else observed.status


def render_outcome(stack: Stack, took: float, failed: Sequence[Event]) -> str:
    """Render how an operation has ended after some seconds, and its failures."""
    lines = [f"{stack.name} is {stack.status} after {duration(took)}.", *_failures(failed)]
    if stack.is_stuck:
        lines += ["The way out, when the cause is gone:", f"  {_way_out(stack)}"]
    return "\n".join(lines)


def _failures(failed: Iterable[Event]) -> Iterator[str]:
    """Render failures, each reason once."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for event in failed:
        key = (event.status, event.reason or "no reason was given")
        by_reason.setdefault(key, []).append(event.logical_id)
    for (status, reason), logical_ids in by_reason.items():
        yield from wrapped(f"{status}: {', '.join(logical_ids)}")
        yield from wrapped(reason, "  ")
