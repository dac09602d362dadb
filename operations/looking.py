"""`status` and `drift`: look once, and say what there is."""

from lambdas.recommender.decision import drift as d
from lambdas.recommender.model import retraining
from operations import drift_text, status_text
from operations.console import CANNOT_TELL, FINE, NOT, Console, chains_of, no_stack
from operations.stack import REVIEW
from operations.status import arns
from operations.status import status as status_of
from operations.text import leftovers_command


def status(console: Console, name: str) -> int:
    """Show what a stack is doing, and what there is of its recommenders."""
    stack = console.account.stack(name)
    if stack is None:
        return no_stack(console, name)
    known, events = chains_of(console.account, stack), console.account.events(stack)
    there = {arn for chain in known for arn in arns(chain, events)}
    observed = {arn: console.account.shown(arn) for arn in there}
    shown = status_of(stack, known, events, observed, now=console.clock())
    console.screen.line(status_text.status(shown, console.region))
    return FINE if shown.is_fine else NOT


def drift(console: Console, name: str) -> int:
    """Show how the recommenders of a stack differ from what its template asks for."""
    stack = console.account.stack(name)
    if stack is None or stack.status == REVIEW:
        return no_stack(console, name)
    if stack.wants_nothing and not stack.is_under_way:
        console.screen.line(
            f"{stack.name} is {stack.status} and wants no recommender any more. What it has left:\n"
            f"  {leftovers_command(console.region, stack.name)}"
        )
        return CANNOT_TELL
    if stack.is_under_way:
        console.screen.line(
            f"{stack.name} is {stack.status}: what differs is about to change. Wait for its end:\n"
            f"  python -m operations status --follow --stack {stack.name} --region {console.region}"
        )
        return CANNOT_TELL
    found = []
    for chain in chains_of(console.account, stack):
        observed = console.account.shown(chain.desired.arn)
        one = d.drift(chain.desired_beside(observed), observed)
        failed = retraining.failed(observed) if observed else None
        console.screen.line(drift_text.drift(chain, one, console.clock(), failed))
        found.append(one.status)
    if d.DriftStatus.DRIFTED in found:
        return NOT
    if d.DriftStatus.CANNOT_TELL in found:
        return CANNOT_TELL
    if not found:
        console.screen.line(f"There is no recommender in the template of {stack.name}.")
        return CANNOT_TELL
    return FINE
