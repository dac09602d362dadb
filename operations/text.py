"""What is shown, as text of 80 columns at most where it can be (pure)."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from lambdas.recommender.identity import Ownership
from lambdas.recommender.observed import Observed
from lambdas.recommender.vocabulary import RESERVED_TAGS
from operations.drift import Drift, Verdict, next_generation
from operations.leftovers import Claim, Judgement
from operations.progress import Progress
from operations.removal import Removed
from operations.stack import DELETE_FAILED, Event, Stack
from operations.status import Billed, ChainStatus, RecommenderStatus, Status
from operations.template import SOURCE, Chain

WIDTH: Final = 80
_BAR: Final = 20
_LABEL: Final = 12
_MINUTE: Final = 60
_HOUR: Final = 3600
_TWO_MINUTES: Final = 120


def duration(seconds: float) -> str:
    """Return a duration for people."""
    if seconds < _TWO_MINUTES:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / _MINUTE), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def moment(seconds: float) -> str:
    """Return a time (epoch seconds) for people, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def bar(share: float, width: int = _BAR) -> str:
    """Return a progress bar."""
    full = int(share * width)
    return f"[{'#' * full}{'-' * (width - full)}]"


def place(progress: Progress | None) -> str:
    """Return what waits."""
    if progress is None:
        return "clean-up"
    return progress.link.name if progress.link else "other resources"


# -- status ------------------------------------------------------------------------------------


def status(shown: Status, region: str) -> str:
    """Return what there is to say of a stack."""
    stack, since = shown.stack, shown.since
    lasts = f" for {duration(shown.now - since)}, since {moment(since)}" if since else ""
    lines = [
        *_row("Stack", f"{stack.name} in {region}"),
        *_row("Operation", f"{stack.status}{lasts}"),
    ]
    if not shown.chains:
        lines += _row("Recommender", "there is none in the stack's template")
    for chain in shown.chains:
        lines += _chain(chain, shown)
    return "\n".join(lines)


def _chain(chain: ChainStatus, shown: Status) -> Iterator[str]:
    if progress := chain.progress:
        yield from _row("Waits in", _where(progress))
        yield from _row("Decided", f"in {duration(progress.left)} at most")
        yield from _row("", bar(progress.share, 40))
    elif shown.stack.is_cleaning_up:
        yield from _row("Decided", "yes; what was replaced is being deleted")
    for one in chain.recommenders:
        yield from _recommender(one, shown)


def _where(progress: Progress) -> str:
    link = progress.link
    if link is None:
        return "no link of the chain waits now"
    return f"{link.name} has waited for {duration(progress.waited)} of {duration(link.wait)}"


def _recommender(one: RecommenderStatus, shown: Status) -> Iterator[str]:
    what = "" if one.is_asked_for else " (the one before; it is to be replaced)"
    yield from _row("Recommender", one.arn.rpartition("/")[2] + what)
    if one.observed is None:
        yield from _row("Status", "it does not exist")
    else:
        yield from _row("Status", f"{one.observed.says}{_lasts(one, shown.now)}")
        if one.observed.phase.has_failed:
            yield from _row("", one.observed.reason)
    if one.is_asked_for:
        yield from _configuration(one)
    if one.observed and one.observed.metrics:
        yield from _metrics(one.observed)
    if one.billed and one.observed:
        yield from _row("Billed", _billed(one.billed, one.observed))


def _lasts(one: RecommenderStatus, now: float) -> str:
    return f" for {duration(now - one.since)}" if one.since else ""


def _configuration(one: RecommenderStatus) -> Iterator[str]:
    if one.drift is None:
        yield from _row("Wanted", f"cannot be compared: {one.not_compared}")
        return
    match one.drift.verdict:
        case Verdict.NONE:
            yield from _row("Wanted", f"{one.drift.reason}, by {SOURCE}")
        case Verdict.CANNOT_TELL:
            yield from _row("Wanted", one.drift.reason)
        case Verdict.DRIFTED:
            for number, difference in enumerate(_differences(one.drift)):
                yield from _row("" if number else "Wanted", difference)
            yield from _row("", f"by {SOURCE}")
    for hidden in _hidden(one.drift):
        yield from _row("", hidden)


def _metrics(observed: Observed) -> Iterator[str]:
    for number, (name, value) in enumerate(sorted(observed.metrics.items())):
        yield from _row("" if number else "Metrics", f"{name} {value:.4f}")


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
        case None:
            return f"{minimum} while ACTIVE; for {observed.status} AWS documents nothing"


# -- following ---------------------------------------------------------------------------------


def follow_line(progress: Progress | None, observed: Observed | None, now: float) -> str:
    """Return the line of one look at an operation, of less than 80 columns."""
    state = "not there" if observed is None else _state(observed)
    if progress is None:
        return shortened(f"{_clock(now)} decided; what was replaced is being deleted; {state}")
    return shortened(
        f"{_clock(now)} {bar(progress.share, 14)} {place(progress)}, "
        f"{duration(progress.left)} at most; {state}"
    )


def waiting(stack: Stack, now: float) -> str:
    """Return the line of a look at an operation of which no more is known."""
    return shortened(f"{_clock(now)} {stack.status}")


def _clock(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%H:%M:%S")


def _state(observed: Observed) -> str:
    return "updating" if observed.updating else observed.status


def shortened(line: str) -> str:
    """Return a line that leaves the last of 80 columns free."""
    return line if len(line) < WIDTH else f"{line[: WIDTH - 4]}..."


def ended(stack: Stack, took: float, failed: Sequence[Event]) -> str:
    """Return how an operation has ended, how many seconds it took, and what failed in it."""
    return "\n".join(
        [f"{stack.name} is {stack.status} after {duration(took)}.", *_failures(failed)]
    )


def _failures(failed: Iterable[Event]) -> Iterator[str]:
    """Return what failed, with each reason once: what has one cause is one thing to read."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for event in failed:
        key = (event.status, event.reason or "no reason was given")
        by_reason.setdefault(key, []).append(event.logical_id)
    for (status, reason), logical_ids in by_reason.items():
        yield from _wrapped(f"{status}: {', '.join(logical_ids)}")
        yield from _wrapped(reason, "  ")


# -- drift -------------------------------------------------------------------------------------


def drift(chain: Chain, found: Drift) -> str:
    """Return how a recommender differs from what is asked for, and what puts it right."""
    name = chain.desired.name
    match found.verdict:
        case Verdict.NONE:
            lines = _wrapped(f"{name} is as it is wanted by {SOURCE}: {found.reason}.")
        case Verdict.CANNOT_TELL:
            lines = _wrapped(f"{name}: cannot tell. {found.reason}.")
        case Verdict.DRIFTED:
            lines = _wrapped(f"{name} differs from what is wanted by {SOURCE}:")
    for one in (*_differences(found), *_hidden(found)):
        lines += _wrapped(one, "  ")
    if found.verdict is Verdict.DRIFTED:
        lines += ["", *_remedy(chain, found)]
    return "\n".join(lines)


def _differences(found: Drift) -> Iterator[str]:
    for one in found.differences:
        yield f"{one.member}: there {one.there}, wanted {one.wanted}"


def _hidden(found: Drift) -> Iterator[str]:
    if found.hidden:
        yield f"not shown, so not compared: {', '.join(found.hidden)}"


def _remedy(chain: Chain, found: Drift) -> Iterator[str]:
    if not found.is_put_right:
        yield from _wrapped(f"No deployment puts that right: {found.reason}")
        return
    generation = next_generation(chain.generation)
    if found.reason:
        yield from _wrapped(f"Now: {found.reason}.")
    yield "To put it right (cdk deploy alone sees no change, for the template is the same):"
    yield f"  npx cdk deploy {chain.stack.name} -c generation={generation}"
    yield from _wrapped(
        f'Where cdk.json has environments, set "generation": "{generation}" in that of this stack '
        "instead, and deploy that."
    )


# -- leftovers ---------------------------------------------------------------------------------


def leftovers(judged: Sequence[Judgement], region: str) -> str:
    """Return which recommenders carry our tags, and which of them are left over."""
    if not judged:
        return f"No recommender in {region} carries this project's tags."
    lines = [f"Recommenders in {region} that carry this project's tags:"]
    for one in judged:
        adopted = ", adopted" if one.of.ownership is Ownership.ADOPTED else ""
        lines.append(f"  {one.claim.value:9}  {_name(one)}{adopted}: {one.why}")
        if one.claim is not Claim.USED:
            lines.append(f"  {'':9}  {one.of.stack_id or 'no stack'}")
    return "\n".join(lines)


def to_be_removed(doomed: Sequence[Judgement]) -> str:
    """Return what a deletion is going to do."""
    lines = []
    for one in doomed:
        does = "Release" if one.of.ownership is Ownership.ADOPTED else "Delete"
        lines.append(f"{does} {one.of.arn}")
    if any(one.of.stack is None for one in doomed):
        lines += _wrapped(
            "A recommender that was retained on purpose (retain_on_destroy) looks like a leftover "
            "once CloudFormation has forgotten its stack, 90 days after."
        )
    return "\n".join(lines)


def removal_waits(one: Judgement, why: str) -> str:
    """Return the line of a look at one that cannot be removed yet."""
    return shortened(f"Waiting: {_named(one, why)}")


def removal_ended(one: Judgement, removed: Removed) -> str:
    """Return what the removal of one has come to."""
    if removed.is_done and one.of.ownership is Ownership.ADOPTED:
        return f"{_name(one)}: released"
    return f"{_name(one)}: {'' if removed.is_done else 'failed: '}{_named(one, removed.reason)}"


def _name(one: Judgement) -> str:
    return one.of.arn.rpartition("/")[2]


def _named(one: Judgement, why: str) -> str:
    return why.replace(one.of.arn, _name(one))


def way_out(judged: Sequence[Judgement], region: str) -> str:
    """Return how to go on where something is left over."""
    lines = []
    if any(one.claim is Claim.LEFTOVER for one in judged):
        lines += ["", "To remove what is left over:"]
        lines += [f"  python -m operations leftovers --delete --region {region}"]
    for one in judged:
        if one.claim is Claim.RETAINED:
            tags = " ".join(RESERVED_TAGS)
            lines += [
                "",
                f"{_name(one)} is kept. To forget whose it was:",
                f"  aws personalize untag-resource --region {region} "
                f"--resource-arn {one.of.arn} --tag-keys {tags}",
            ]
    return "\n".join(lines)


def stacks_to_delete(stacks: Iterable[Stack], region: str) -> str:
    """Return the commands that remove stacks whose deletion has failed."""
    lines = []
    for stack in sorted({one.id: one for one in stacks}.values(), key=lambda one: one.name):
        delete = f"aws cloudformation delete-stack --stack-name {stack.name} --region {region}"
        force = " --deletion-mode FORCE_DELETE_STACK" if stack.status == DELETE_FAILED else ""
        lines += ["", f"{stack.name} is {stack.status}. To remove it:", f"  {delete}{force}"]
    return "\n".join(lines)


# -- lines -------------------------------------------------------------------------------------


def _row(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH - 1,
        initial_indent=f"{label:{_LABEL}} ",
        subsequent_indent=" " * (_LABEL + 1),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH - 1,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
