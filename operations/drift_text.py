"""What is said of differences (pure)."""

import re
from collections.abc import Iterator
from typing import Final

from lambdas.recommender.decision.drift import Drift, DriftStatus, hour
from lambdas.recommender.model.observed import Update
from operations.template import SOURCE, Chain
from operations.text import wrapped

_STACK: Final = "TopPicks"
"""The construct id of the stack in this app."""


def drift(chain: Chain, found: Drift, now: float, failed: Update | None = None) -> str:
    """Return how a recommender differs from what is asked for, and what puts it right.

    Args:
        chain: the recommender of the template.
        found: how it differs.
        now: epoch seconds.
        failed: its latest retraining, if that failed.
    """
    name = f"{chain.desired.name} ({chain.construct})"
    match found.status:
        case DriftStatus.NONE:
            lines = wrapped(f"{name} is as it is wanted by {SOURCE}: {found.reason}.")
        case DriftStatus.CANNOT_TELL:
            lines = wrapped(f"{name}: cannot tell. {found.reason}.")
        case _:
            lines = wrapped(f"{name} differs from what is wanted by {SOURCE}:")
    for one in (*differing(found), *hidden(found)):
        lines += wrapped(one, "  ")
    if wanted := hour(chain.desired, now):
        lines += wrapped(f"wanted {wanted}", "  ")
    if failed:
        lines += wrapped(f"This is no drift: its latest retraining failed: {failed.reason}", "  ")
    if found.status is DriftStatus.DRIFTED:
        lines += ["", *_remedy(chain, found)]
    return "\n".join(lines)


def _remedy(chain: Chain, found: Drift) -> Iterator[str]:
    if not found.is_put_right:
        yield from wrapped(f"No deployment puts that right: {found.reason}")
        return
    force_update = next_force_update(chain.force_update)
    if found.reason:
        yield from wrapped(f"Now: {found.reason}.")
    yield "To put it right (cdk deploy alone sees no change, for the template is the same):"
    environment = environment_of(chain)
    if environment is None:
        yield from wrapped(
            f"in the app that makes {chain.stack.name}, give {chain.path or chain.logical_id} "
            f'force_update="{force_update}", and deploy that stack (npx cdk ls lists the names '
            "that the CDK CLI takes).",
            "  ",
        )
    elif environment:
        yield from wrapped(
            f'in cdk.json, set "force_update": "{force_update}" in the environment {environment}; '
            "then",
            "  ",
        )
        yield f"  npx cdk deploy {environment}/{_STACK}"
    else:
        yield f"  npx cdk deploy {_STACK} -c force_update={force_update}"
        yield from wrapped("with the other -c options that it is deployed with, if there are any.")


def environment_of(chain: Chain) -> str | None:
    """Return which of this app's environments a stack is, nothing if there are none, or None.

    That of an environment is in a Stage, so the CDK CLI knows it as ``dev/TopPicks``, and
    CloudFormation as ``dev-TopPicks``. None is for a recommender in an app of somebody's own.
    """
    environment, _, name = chain.stack.name.rpartition("-")
    path = "/".join(filter(None, (environment, _STACK, "Recommender")))
    return environment if name == _STACK and chain.path in ("", path) else None


def differing(found: Drift) -> Iterator[str]:
    """Return what differs, member by member."""
    for one in found.differences:
        yield str(one)


def hidden(found: Drift) -> Iterator[str]:
    """Return what is not compared, if there is anything."""
    if found.hidden:
        yield f"not shown, so not compared: {', '.join(found.hidden)}"


def next_force_update(force_update: str) -> str:
    """Return a force_update that differs from the one that is deployed."""
    if not force_update:
        return "2"
    if re.fullmatch(r"[0-9]{1,60}", force_update):
        return str(int(force_update) + 1)
    return f"{force_update[:60]}-2"
