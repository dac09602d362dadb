"""Render the forecast of a deployment as lines, as Markdown, and as JSON (pure)."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from lambdas.recommender.decision.verdict import (
    DeleteRecommender,
    StartRecommender,
    StopRecommender,
    TagResource,
    UntagResource,
    UpdateRecommender,
)
from lambdas.recommender.model.observed import Phase
from operations.computations.dry_run import Call
from operations.computations.forecast import Kind, RecommenderForecast, StackForecast
from operations.texts.lines import Row, command, duration, labelled, table
from operations.texts.render_status import render_construct

_MOST_NAMES: Final = 12
_SERVES: Final = (Phase.ACTIVE, Phase.STOPPING)
_LONGEST_TRAINING: Final = 24 * 3600.0
"""Seconds; a template waits for a training for 24 hours at most."""
_MEANINGS: Final = {
    0: "nothing changes",
    1: "it would fail",
    2: "its effect is unknown",
    3: "it changes something",
    4: "it trains, replaces or deletes a recommender",
}


def render_text(forecast: StackForecast, code: int) -> str:
    """Render a forecast for a terminal."""
    first = f"{forecast.kind.value}: {_summary(forecast)}"
    return "\n".join([first, *table(_rows(forecast, code))])


def render_markdown(forecast: StackForecast, code: int) -> str:
    """Render a forecast for the comment of a pull request, or the summary of a job.

    Each text from outside is code, so that it cannot be a mention, a link or a column.
    """
    first = f"{forecast.kind.value}: {_code(_summary(forecast))}"
    lines = [first, "", "| | |", "| --- | --- |"]
    for label, text in _rows(forecast, code):
        lines.append(f"| {label} | {_code(text).replace('|', chr(92) + '|')} |")
    return "\n".join(lines)


def render_json(forecast: StackForecast, code: int) -> str:
    """Render a forecast for a program."""
    shown = {
        "kind": forecast.kind.value,
        "exit_code": code,
        "summary": _summary(forecast),
        "stack": forecast.name,
        "region": forecast.region,
        "account": forecast.account,
        "status": forecast.status,
        "destroys": forecast.destroys,
        "recommenders": [_as_json(one) for one in forecast.recommenders],
        "other_changes": vars(forecast.others),
        "termination_protection": str(forecast.protection) if forecast.protection else None,
        "warnings": forecast.warnings,
    }
    return json.dumps(shown, indent=2)


def _as_json(one: RecommenderForecast) -> dict[str, Any]:
    return {
        "construct": one.chain.construct,
        "logical_id": one.chain.logical_id,
        "kind": one.kind.value,
        "reason": one.reason,
        "before": one.before.arn if one.before else None,
        "after": one.arn,
        "settings": [vars(change) for change in one.settings],
        "calls": [{"call": _operation(call), "recommender": call.arn} for call in one.calls],
        "trains": one.trains,
        "last_creation_seconds": _last_creation(one),
        "at_most_seconds": one.seconds,
        "waits_for": one.waits_for,
        "meanwhile": _meanwhile(one),
        "billed": _billed(one),
        "quality_gate": one.minimums,
        "drift_corrected": [str(each) for each in one.corrected],
        "drift_remaining": [str(each) for each in one.remaining],
        "kept": one.kept,
        "warnings": one.warnings,
    }


# -- the first line ------------------------------------------------------------------------------


def _summary(forecast: StackForecast) -> str:
    if forecast.obstacle:
        return _one_line(forecast.obstacle.reason)
    if forecast.main is None:
        return f"{forecast.name} has no recommender{_and_others(forecast)}"
    changing = sum(one.kind is not Kind.NOTHING for one in forecast.recommenders) - 1
    also = f"; {changing} more of its recommenders change" if changing > 0 else ""
    return f"{_one_line(_effect(forecast.main, forecast))}{also}"


def _effect(one: RecommenderForecast, forecast: StackForecast) -> str:
    name = _name(one.arn)
    match one.kind:
        case Kind.REFUSED | Kind.CANNOT_TELL:
            return one.reason
        case Kind.REPLACEMENT:
            comes = "is created and trained" if one.created else "exists"
            return f"{name}, which {comes}, replaces {_name(one.replaces)}"
        case Kind.FIRST_TRAINING:
            stops = any(isinstance(call.change, StopRecommender) for call in _own(one))
            return f"{name} is {_and(['created', 'trained', *(['stopped'] if stops else [])])}"
        case Kind.ADOPTION:
            return f"{name}, which exists, becomes the stack's"
        case Kind.REMOVAL:
            released = any(isinstance(call.change, UntagResource) for call in one.calls)
            return f"{name} is {'released, and goes on' if released else 'deleted'}"
        case Kind.NOTHING:
            kept = f"{name} is kept" if one.kept else f"{name} stays as it is"
            return f"{kept}{_and_others(forecast)}"
        case _:
            return f"{name} is {_and([_VERBS[type(call.change)] for call in _own(one)])}"


_VERBS: Final = {
    UpdateRecommender: "updated",
    StartRecommender: "started",
    StopRecommender: "stopped",
    TagResource: "tagged",
    UntagResource: "untagged",
    DeleteRecommender: "deleted",
}


def _and_others(forecast: StackForecast) -> str:
    if forecast.destroys:
        return "; the other resources of the stack are deleted"
    number = forecast.others.number
    return f"; {number} other changes in the stack" if number else ""


# -- rows ----------------------------------------------------------------------------------------


def _rows(forecast: StackForecast, code: int) -> Iterator[Row]:
    status = forecast.status or "it does not exist yet"
    yield "Stack", f"{forecast.name} in {forecast.region}, account {forecast.account}: {status}"
    for one in forecast.recommenders:
        yield from _of_recommender(one, forecast)
    if forecast.protection:
        yield "Stack change", str(forecast.protection)
    yield from _of_others(forecast)
    yield from labelled("Warning", forecast.warnings)
    if following := _next(forecast):
        yield "Next", following
    yield "Exit code", f"{code}: {_MEANINGS[code]}"


def _of_recommender(one: RecommenderForecast, forecast: StackForecast) -> Iterator[Row]:
    yield "Construct", render_construct(one.chain)
    if len(forecast.recommenders) > 1:
        yield "Effect", f"{one.kind.value}: {_effect(one, forecast)}"
    yield "Now", _now(one)
    yield from labelled("Settings", [str(change) for change in one.settings])
    yield from labelled("Calls", [f"{_operation(call)} of {_name(call.arn)}" for call in one.calls])
    if one.waits_for:
        yield "Waits for", one.waits_for
    if forecast.destroys:
        yield "Deleted", f"in {duration(one.seconds)} at most; a training must end before"
    elif one.calls:
        yield "Trains", _training(one)
        yield "Decided", f"in {duration(one.seconds)} at most"
    if one.calls:
        yield "Meanwhile", _meanwhile(one)
    if billed := _billed(one):
        yield "Billed", billed
    yield from labelled("Quality gate", one.minimums)
    yield from labelled("Drift", [f"corrected: {each}" for each in one.corrected])
    yield from labelled(
        "Drift", [f"not corrected by this deployment: {each}" for each in one.remaining]
    )
    yield from labelled("Kept", [_name(arn) for arn in one.kept])
    yield from labelled("Warning", one.warnings)


def _of_others(forecast: StackForecast) -> Iterator[Row]:
    if forecast.creates or forecast.destroys:
        return
    others = forecast.others
    parts = (
        ("added", others.added),
        ("changed", others.changed),
        ("removed", others.removed),
        ("changed in the template", others.sections),
    )
    yield from labelled("Others", [f"{what}: {_names(of)}" for what, of in parts if of])


def _next(forecast: StackForecast) -> str:
    name, region, status = forecast.name, forecast.region, forecast.status
    if status.endswith("_IN_PROGRESS") and forecast.obstacle:
        return command("status", region, name, "--follow")
    if status in ("DELETE_FAILED", "ROLLBACK_FAILED"):
        return command("leftovers", region, name, "--delete")
    if status == "UPDATE_ROLLBACK_FAILED":
        return f"aws cloudformation continue-update-rollback --stack-name {name} --region {region}"
    return ""


# -- sentences -----------------------------------------------------------------------------------


def _now(one: RecommenderForecast) -> str:
    if one.before is None:
        return "no recommender"
    other = "" if one.chain.physical_id else "; it is not the stack's"
    return f"{_name(one.before.arn)}, {one.before.description}{other}"


def _training(one: RecommenderForecast) -> str:
    if not one.trains:
        return "no"
    last = _last_creation(one)
    name = _name(one.before.arn) if one.before else ""
    return f"in full; the creation of {name} took {duration(last)} at most" if last else "in full"


def _last_creation(one: RecommenderForecast) -> float | None:
    """Return the seconds from the creation of a recommender to its first status since, ACTIVE.

    If it was updated, stopped or started since, DescribeRecommender no longer shows them.
    """
    before = one.before
    if before is None or before.latest_update or before.phase is not Phase.ACTIVE:
        return None
    seconds = before.updated - before.created
    return seconds if 0 < seconds <= _LONGEST_TRAINING else None


def _meanwhile(one: RecommenderForecast) -> str:
    """Render which recommender serves until the deployment has ended."""
    before, changes = one.before, [type(call.change) for call in _own(one)]
    name = _name(before.arn) if before else ""
    if before is None or before.phase not in _SERVES:
        until = f" until {name} is started" if StartRecommender in changes else ""
        return f"no recommender serves{until}"
    if one.replaces:
        until = "" if _stays(one) else " until the training gates have passed and it is deleted"
        return f"{name} serves{until}"
    for change, text in _UNTIL.items():
        if change in changes:
            return f"{name} serves {text}"
    return f"{name} serves"


_UNTIL: Final = {
    DeleteRecommender: "until it is deleted",
    StopRecommender: "until it is stopped",
    UpdateRecommender: "with its earlier configuration until the update has ended",
}


def _billed(one: RecommenderForecast) -> str:
    if not one.replaces or not one.before or one.before.phase is Phase.DELETING:
        return ""
    old = _name(one.replaces)
    if stays := _stays(one):
        return f"both, also afterwards: {old} {stays}"
    since = ", from the beginning of the training" if one.trains else ""
    return f"both{since} until {old} is deleted in the clean-up"


def _stays(one: RecommenderForecast) -> str:
    """Render why a replaced recommender goes on to exist; nothing if it is deleted."""
    if one.kept:
        return "is kept"
    changes = {type(call.change) for call in one.calls if call.arn == one.replaces}
    if DeleteRecommender in changes:
        return ""
    return "is released" if UntagResource in changes else "is not deleted"


def _own(one: RecommenderForecast) -> list[Call]:
    return [call for call in one.calls if call.arn == one.arn]


def _operation(call: Call) -> str:
    return type(call.change).__name__


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _names(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    shown = ", ".join(names[:_MOST_NAMES])
    return f"{shown} and {more} more" if more > 0 else shown


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _code(text: str) -> str:
    """Write a text as a code span."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if "`" in text else ""
    return f"{fence}{space}{_one_line(text)}{space}{fence}"
