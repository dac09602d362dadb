"""`leftovers`: what is left over, and its removal."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from lambdas.recommender import vocabulary as v
from lambdas.recommender.errors import NotFoundError
from lambdas.recommender.identity import Ownership
from operations import leftovers_text as text
from operations.account import Account
from operations.console import CANNOT_TELL, FINE, NOT, Console, chains_of
from operations.leftovers import Claim, Judgement, Tagged, judge
from operations.removal import remove
from operations.template import Chain, UnreadableError


def leftovers(console: Console, name: str | None) -> int:
    """Show the recommenders whose stack is gone, or does not use them."""
    judged = _judged(console.account, name)
    console.screen.line(text.leftovers(judged, console.region))
    if more := text.way_out(judged, console.region):
        console.screen.line(more)
    return _verdict(judged)


def delete(console: Console, name: str | None) -> int:
    """Delete those recommenders, or release them if they were adopted."""
    judged = _judged(console.account, name)
    console.screen.line(text.leftovers(judged, console.region))
    doomed = [one for one in judged if one.claim is Claim.LEFTOVER]
    if doomed:
        console.screen.line(text.to_be_removed(doomed))
        if console.confirm is None:
            console.screen.line("Nothing was changed: nobody is here to be asked, and no --yes.")
            return CANNOT_TELL
        if not console.confirm("Is that what you want? [y/N] "):
            console.screen.line("Nothing was changed.")
            return NOT
        for one in doomed:
            removed = remove(console.account, one, partial(_wait, console, one))
            console.screen.line(text.removal_ended(one, removed))
        judged = _judged(console.account, name)
        console.screen.line(text.leftovers(judged, console.region))
    named = console.account.stack(name) if name else None
    stacks = [one for one in (*(each.of.stack for each in doomed), named) if one]
    kept = {one.of.stack_id for one in judged if one.claim is not Claim.RETAINED}
    ended = [one for one in stacks if one.is_stuck and one.id not in kept]
    if ended:
        console.screen.line(text.stacks_to_delete(ended, console.region))
    return _verdict(judged)


def _wait(console: Console, leftover: Judgement, why: str) -> None:
    console.screen.progress(text.removal_waits(leftover, why), why)
    console.sleep(console.interval)


def _verdict(judged: list[Judgement]) -> int:
    claims = {one.claim for one in judged}
    if Claim.LEFTOVER in claims:
        return NOT
    return CANNOT_TELL if claims & {Claim.UNDECIDED, Claim.UNPROVEN} else FINE


def _judged(account: Account, name: str | None) -> list[Judgement]:
    return [
        judge(tagged)
        for tagged in _tagged(account)
        if name in (None, tagged.stack_id, *tagged.stack_id.split("/")[1:2])
    ]


def _tagged(account: Account) -> Iterator[Tagged]:
    """Yield the recommenders of the account and region that carry our tags."""
    for arn in sorted(account.recommenders()):
        tags: Mapping[str, str] = {}
        with contextlib.suppress(NotFoundError):  # deleted meanwhile
            tags = account.personalize.tags(arn)
        if v.OWNER_STACK_TAG in tags:
            yield _with_its_stack(account, Tagged(arn, tags))


def _with_its_stack(account: Account, tagged: Tagged) -> Tagged:
    """Return it with what CloudFormation knows, where that can be asked here."""
    proven = tagged.ownership is not Ownership.FOREIGN
    stack = account.stack(tagged.stack_id) if proven else None
    if stack is None:
        return tagged
    known: tuple[Chain, ...] = ()
    with contextlib.suppress(UnreadableError):
        known = chains_of(account, stack)
    return replace(tagged, stack=stack, resources=account.resources(stack), chains=known)
