"""`leftovers`: what is left over, and its removal."""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.errors import NotFoundError
from lambdas.recommender.model.identity import Ownership
from operations import leftovers_text as text
from operations.account import Account
from operations.console import CANNOT_TELL, FINE, NOT, Console, chains_of
from operations.leftovers import Candidate, Claim, Judgement, Unproven, judge, unproven, was_to_stay
from operations.removal import remove
from operations.stack import Stack
from operations.status import arns
from operations.template import Chain, UnreadableError, is_recommender


def leftovers(console: Console, name: str | None) -> int:
    """Show the recommenders whose stack is gone, or does not use them."""
    judged = _shown(console, name)
    if more := text.way_out(judged, console.region, name):
        console.screen.line(more)
    return _verdict(judged, _shown_unproven(console, _stuck(console.account, name, judged)))


def delete(console: Console, name: str | None) -> int:
    """Delete those recommenders, or release them if they were adopted."""
    judged = _shown(console, name)
    to_remove = [one for one in judged if one.claim is Claim.LEFTOVER]
    if to_remove:
        console.screen.line(text.to_be_removed(to_remove))
        if console.confirm is None:
            console.screen.line("Nothing was changed: nobody is here to be asked, and no --yes.")
            return CANNOT_TELL
        if not console.confirm("Is that what you want? [y/N] "):
            console.screen.line("Nothing was changed.")
            return NOT
        for one in to_remove:
            removed = remove(console.account, one, partial(_wait, console, one))
            console.screen.line(text.removal_ended(one, removed))
        judged = _shown(console, name)
    stuck = _stuck(console.account, name, to_remove)
    released = {one.of.arn for one in to_remove if one.of.ownership is Ownership.ADOPTED}
    doubtful = _shown_unproven(console, stuck, but=released)
    shown = {one.observed.arn for one in doubtful}
    kept = {
        one.of.stack_id
        for one in judged
        if one.claim is not Claim.RETAINED and one.of.arn not in shown
    }
    ended = [one for one in stuck if one.id not in kept]
    if ended:
        console.screen.line(text.stacks_to_delete(ended, console.region))
    return _verdict(judged, doubtful)


def _wait(console: Console, leftover: Judgement, why: str) -> None:
    console.screen.progress(text.removal_waits(leftover, why), why)
    console.sleep(console.interval)


def _verdict(judged: Iterable[Judgement], doubtful: Sequence[Unproven]) -> int:
    claims = {one.claim for one in judged}
    if Claim.LEFTOVER in claims:
        return NOT
    cannot_tell = doubtful or claims & {Claim.UNDECIDED, Claim.UNPROVEN}
    return CANNOT_TELL if cannot_tell else FINE


def _stuck(account: Account, name: str | None, judged: Iterable[Judgement]) -> list[Stack]:
    """Return the stacks whose removal has failed, of the one that is named and those judged."""
    named = account.stack(name) if name else None
    stacks = (*(one.of.stack for one in judged), named)
    return list({one.id: one for one in stacks if one and one.is_stuck}.values())


def _shown_unproven(
    console: Console, stuck: Iterable[Stack], *, but: Collection[str] = ()
) -> list[Unproven]:
    """Show what these stacks know as theirs though its tags do not prove it, and return it.

    Args:
        console: where to look, and to show it.
        stuck: the stacks.
        but: ARNs of what has been somebody else's all the time.
    """
    account = console.account
    found = []
    for stack in stuck:
        there = (account.observed(arn) for arn in _known(account, stack) if arn not in but)
        found += unproven(stack, [one for one in there if one])
    if found:
        console.screen.line(text.not_proven(found, console.region))
    return found


def _known(account: Account, stack: Stack) -> list[str]:
    """Return the ARNs of a stack's recommenders, but for what its deletion leaves there."""
    try:
        known, events = chains_of(account, stack), account.events(stack)
    except UnreadableError:
        of_a_type = [one for one in account.resources(stack) if one.type == v.RECOMMENDER_TYPE]
        return [one.physical_id for one in of_a_type if is_recommender(one.physical_id)]
    return [
        arn for chain in known for arn in arns(chain, events) if not was_to_stay(chain, arn, stack)
    ]


def _shown(console: Console, name: str | None) -> list[Judgement]:
    """Show what becomes of the recommenders that carry our tags, all or a stack's; return it."""
    account = console.account
    there = list(_tagged(account))
    named = [one for one in there if name in (None, one.stack_id, one.stack_name)]
    judged = [judge(_with_its_stack(account, one)) for one in named]
    console.screen.line(text.leftovers(judged, console.region, name))
    if name and not judged:
        others = {one.stack_name for one in there} - {""}
        console.screen.line(text.none_of(account.stack(name), name, sorted(others)))
    return judged


def _tagged(account: Account) -> Iterator[Candidate]:
    """Yield the recommenders of the account and region that carry our tags."""
    for arn in sorted(account.recommenders()):
        tags: Mapping[str, str] = {}
        with contextlib.suppress(NotFoundError):  # deleted meanwhile
            tags = account.personalize.tags(arn)
        if v.OWNER_STACK_TAG in tags:
            yield Candidate(arn, tags)


def _with_its_stack(account: Account, tagged: Candidate) -> Candidate:
    """Return it with what CloudFormation knows, where that can be asked here."""
    proven = tagged.ownership is not Ownership.FOREIGN
    stack = account.stack(tagged.stack_id) if proven else None
    if stack is None:
        return tagged
    known: tuple[Chain, ...] | None = None
    with contextlib.suppress(UnreadableError):
        known = chains_of(account, stack)
    return replace(tagged, stack=stack, resources=account.resources(stack), chains=known)
