"""`leftovers`: list the recommenders that their stack has left, and remove them.

They are removed as the functions remove them: by the same decision (`plan_deletion`), the same loop
(`Reconciler`), the same fence, and the same proof of ownership.
"""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.errors import NotFoundError, PermanentError
from lambdas.recommender.decision.removal import plan_deletion
from lambdas.recommender.decision.situation import Situation
from lambdas.recommender.decision.verdict import Done, Fail, Step, Wait
from lambdas.recommender.model.identity import Ownership
from lambdas.recommender.model.observed import Observed
from lambdas.recommender.model.operation import Operation, RequestType
from lambdas.recommender.model.request import Request
from lambdas.recommender.reconcile.reconciler import Reconciler
from operations.account import Account
from operations.computations.chain import Chain, is_recommender
from operations.computations.leftovers import (
    Candidate,
    Claim,
    Unproven,
    unproven,
)
from operations.computations.stack import DELETED, Stack
from operations.computations.template import UnreadableError
from operations.console import CANNOT_TELL, FINE, NOT_FINE, Console
from operations.texts import render_leftovers as render


def leftovers(account: Account, console: Console, name: str | None) -> int:
    """Print the recommenders that carry our tags, and how to remove the leftovers."""
    found = _show(account, console, name)
    if commands := render.render_next_commands(found, account.region, name):
        console.line(commands)
    return _exit_code(found, _show_unproven(account, console, _stuck(account, name, found)))


def delete(account: Account, console: Console, name: str | None) -> int:
    """Delete the leftovers after a question, or release them if they were adopted."""
    found = _show(account, console, name)
    to_remove = [one for one in found if one.claim is Claim.LEFTOVER]
    if to_remove:
        console.line(render.render_removals(to_remove))
        if console.confirm is None:
            console.line("Nothing was changed. No terminal to confirm in: add --yes.")
            return CANNOT_TELL
        if not console.confirm("Continue? [y/N] "):
            console.line("Nothing was changed.")
            return NOT_FINE
        for one in to_remove:
            console.line(render.render_removal(one, _remove(account, console, one)))
        found = _show(account, console, name)
    stuck = _stuck(account, name, to_remove)
    released = {one.arn for one in to_remove if one.is_adopted}
    unclear = _show_unproven(account, console, stuck, but=released)
    explained = {one.observed.arn for one in unclear}
    needed = {
        one.stack_id
        for one in found
        if one.claim is not Claim.RETAINED and one.arn not in explained
    }
    if ended := [one for one in stuck if one.id not in needed]:
        console.line(render.render_stacks_to_delete(ended))
    return _exit_code(found, unclear)


def _exit_code(found: Iterable[Candidate], unclear: Sequence[Unproven]) -> int:
    claims = {one.claim for one in found}
    if Claim.LEFTOVER in claims:
        return NOT_FINE
    cannot_tell = unclear or claims & {Claim.UNDECIDED, Claim.UNPROVEN}
    return CANNOT_TELL if cannot_tell else FINE


# -- reading -----------------------------------------------------------------------------------


def _show(account: Account, console: Console, name: str | None) -> list[Candidate]:
    """Print and return the recommenders that carry our tags, of one stack or of all."""
    candidates = list(_candidates(account))
    named = [one for one in candidates if name in (None, one.stack_id, one.stack_name)]
    found = [_with_stack(account, one) for one in named]
    console.line(render.render_leftovers(found, account.region, name))
    if name and not found:
        others = {one.stack_name for one in candidates} - {""}
        console.line(render.render_no_leftovers(account.stack(name), name, sorted(others)))
    return found


def _candidates(account: Account) -> Iterator[Candidate]:
    for arn in sorted(account.recommenders()):
        tags: Mapping[str, str] = {}
        with contextlib.suppress(NotFoundError):  # deleted meanwhile
            tags = account.personalize.tags(arn)
        if v.OWNER_STACK_TAG in tags:
            yield Candidate(arn, tags)


def _with_stack(account: Account, candidate: Candidate) -> Candidate:
    """Add the candidate's stack, if it is of this account and region and not forgotten."""
    proven = candidate.ownership is not Ownership.FOREIGN
    stack = account.stack(candidate.stack_id) if proven else None
    if stack is None:
        return candidate
    chains: tuple[Chain, ...] | None = None
    with contextlib.suppress(UnreadableError):
        chains = account.chains(stack)
    return replace(candidate, stack=stack, resources=account.resources(stack), chains=chains)


def _stuck(account: Account, name: str | None, found: Iterable[Candidate]) -> list[Stack]:
    """Return the stacks whose removal has failed: the named one, and those of candidates."""
    named = account.stack(name) if name else None
    stacks = (*(one.stack for one in found), named)
    return list({one.id: one for one in stacks if one and one.is_stuck}.values())


def _show_unproven(
    account: Account, console: Console, stuck: Iterable[Stack], *, but: Collection[str] = ()
) -> list[Unproven]:
    """Print and return the recommenders of stuck stacks whose tags prove no owner.

    Args:
        account: where they are.
        console: where they are printed.
        stuck: the stacks.
        but: ARNs of recommenders that were adopted, so that they go on with their owner.
    """
    found = []
    for stack in stuck:
        observed = (account.observed(arn) for arn in _arns(account, stack) if arn not in but)
        found += unproven(stack, [one for one in observed if one])
    if found:
        console.line(render.render_unproven(found))
    return found


def _arns(account: Account, stack: Stack) -> list[str]:
    """Return the ARNs of a stack's recommenders, without those that its deletion has retained."""
    try:
        chains, events = account.chains(stack), account.events(stack)
    except UnreadableError:
        of_the_type = [one for one in account.resources(stack) if one.type == v.RECOMMENDER_TYPE]
        return [one.physical_id for one in of_the_type if is_recommender(one.physical_id)]
    return [
        arn for chain in chains for arn in chain.arns_among(events) if not chain.was_retained(arn)
    ]


# -- removing ----------------------------------------------------------------------------------


class _Fence(Stacks):
    """Reads the operation of a stack by its id; that of a forgotten stack is its deletion."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def operation(self, stack_id: str) -> Operation:
        """Read a stack's operation."""
        return _operation(self._account.stack(stack_id))


def _operation(stack: Stack | None) -> Operation:
    return stack.operation if stack else Operation(DELETED, "")


def _remove(account: Account, console: Console, leftover: Candidate) -> Done | Fail:
    """Delete, or release, a leftover, however long that takes.

    Once its stack has changed, nothing is done.
    """
    reconciler = Reconciler(
        account.personalize,
        _Fence(account),
        _delete_request(leftover),
        Situation(_operation(leftover.stack)),
    )

    def plan(observed: Observed | None) -> Step:
        if observed and observed.tags is not None:
            now = replace(leftover, tags=observed.tags)
            if now.claim not in (Claim.LEFTOVER, Claim.UNPROVEN):  # a released one is UNPROVEN
                return Fail(f"it is now {now.claim.value}: {now.reason}")
        return plan_deletion(leftover.owner, observed, retired_tags=leftover.retired_tags)

    try:
        while isinstance(verdict := reconciler.advance(leftover.arn, plan), Wait):
            console.progress(render.render_waiting(leftover, verdict.reason), verdict.reason)
            console.sleep(console.interval)
    except PermanentError as error:
        return Fail(str(error))
    return verdict


def _delete_request(candidate: Candidate) -> Request:
    """Return the Delete that CloudFormation would have sent to the functions."""
    owner = candidate.owner
    return Request(
        type=RequestType.DELETE,
        resource_type=v.RECOMMENDER_TYPE,
        request_id="",
        stack_id=owner.stack_id,
        logical_id=owner.logical_id,
        physical_id=candidate.arn,
        properties={},
        old_properties={},
    )
