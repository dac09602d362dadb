"""Render how a recommender differs from its template, and how to correct it (pure)."""

import re
from collections.abc import Iterator
from typing import Final

from lambdas.recommender.decision.drift import Drift, DriftStatus, hour
from lambdas.recommender.model.observed import Update
from operations.computations.chain import Chain
from operations.computations.stack import Stack
from operations.computations.template import SOURCE
from operations.texts.lines import command, wrapped

_STACK: Final = "TopPicks"
_ONLY: Final = "Recommender"
_SEVERAL: Final = "Recommenders"
"""The construct ids of the stack, of its recommender, and of several, in this app."""


def render_drift(
    chain: Chain,
    found: Drift,
    now: float,
    failed: Update | None = None,
    *,
    is_one_of_several: bool = False,
) -> str:
    """Render the differences of a recommender, and the next step.

    Args:
        chain: the recommender of the template.
        found: how it differs.
        now: epoch seconds.
        failed: its latest retraining, if that failed.
        is_one_of_several: whether the template has other recommenders.
    """
    name = f"{chain.desired.name} ({chain.construct})"
    match found.status:
        case DriftStatus.NONE:
            lines = wrapped(f"{name} matches {SOURCE}: {found.reason}.")
        case DriftStatus.CANNOT_TELL:
            lines = wrapped(f"{name} cannot be compared: {found.reason}.")
        case _:
            lines = wrapped(f"{name} differs from {SOURCE}:")
    for one in (*map(str, found.differences), *render_hidden(found)):
        lines += wrapped(one, "  ")
    if expected := hour(chain.desired, now):
        lines += wrapped(f"expected {expected}", "  ")
    if failed:
        lines += wrapped(f"This is not drift: its latest retraining failed: {failed.reason}", "  ")
    if found.status is DriftStatus.DRIFTED:
        lines += ["", *_correction(chain, found, is_one_of_several=is_one_of_several)]
    return "\n".join(lines)


def render_hidden(found: Drift) -> Iterator[str]:
    """Render the members that are not compared, if there are any."""
    if found.hidden:
        yield f"not shown, so not compared: {', '.join(found.hidden)}"


def render_not_comparable(stack: Stack) -> str:
    """Render why a stack is not compared: it is in an operation, or needs no recommender."""
    if stack.is_under_way:
        return (
            f"{stack.name} is {stack.status}: its differences are about to change. Wait for the "
            f"end:\n  {command('status', stack.region, stack.name, '--follow')}"
        )
    return (
        f"{stack.name} is {stack.status} and needs no recommender any more. To find its leftovers:"
        f"\n  {command('leftovers', stack.region, stack.name)}"
    )


def _correction(chain: Chain, found: Drift, *, is_one_of_several: bool) -> Iterator[str]:
    if not found.is_put_right:
        yield from wrapped(f"No deployment corrects that: {found.reason}")
        return
    force_update = next_force_update(chain.force_update)
    if found.reason:
        yield from wrapped(f"Now: {found.reason}.")
    yield "To correct it (cdk deploy alone sees no change, for the template is the same):"
    environment = _environment(chain, is_one_of_several=is_one_of_several)
    if environment is None:
        yield from wrapped(
            f"in the app that makes {chain.stack.name}, give {chain.path or chain.logical_id} "
            f'force_update="{force_update}", and deploy that stack (npx cdk ls lists the names '
            "that the CDK CLI takes).",
            "  ",
        )
        return
    places = [f"recommenders.{_name(chain)}"] if is_one_of_several else []
    places += [f"the environment {environment}"] if environment else []
    if places:
        yield from wrapped(
            f'in cdk.json, set "force_update": "{force_update}" in {" of ".join(places)}; then',
            "  ",
        )
        yield f"  npx cdk deploy {'/'.join(filter(None, (environment, _STACK)))}"
    else:
        yield f"  npx cdk deploy {_STACK} -c force_update={force_update}"
        yield from wrapped("with the other -c options that it is deployed with, if there are any.")


def _environment(chain: Chain, *, is_one_of_several: bool) -> str | None:
    """Return this app's environment that a stack is of, nothing without environments, or None.

    The stack of an environment is in a Stage, so the CDK CLI knows it as ``dev/TopPicks``, and
    CloudFormation as ``dev-TopPicks``. None stands for a recommender in another app, or one of
    several whose name the template does not have.
    """
    environment, _, name = chain.stack.name.rpartition("-")
    stack = "/".join(filter(None, (environment, _STACK)))
    paths = {f"{stack}/{_ONLY}", f"{stack}/{_SEVERAL}/{chain.construct}"}
    if not is_one_of_several:
        paths.add("")
    return environment if name == _STACK and chain.path in paths else None


def _name(chain: Chain) -> str:
    """Return the name of a recommender in the setting `recommenders`."""
    return chain.construct if f"/{_SEVERAL}/" in chain.path else '""'


def next_force_update(force_update: str) -> str:
    """Return a force_update that differs from the deployed one."""
    if not force_update:
        return "2"
    if re.fullmatch(r"[0-9]{1,60}", force_update):
        return str(int(force_update) + 1)
    return f"{force_update[:60]}-2"
