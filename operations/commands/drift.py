"""`drift`: compare a stack's recommenders with its template."""

from lambdas.recommender.decision.drift import DriftStatus
from lambdas.recommender.decision.drift import drift as drift_of
from lambdas.recommender.model import retraining
from operations.account import Account
from operations.computations.stack import REVIEW
from operations.console import CANNOT_TELL, FINE, NOT_FINE, Console
from operations.texts.render_drift import render_drift, render_not_comparable


def drift(account: Account, console: Console, name: str) -> int:
    """Print how the recommenders of a stack differ from its template."""
    stack = account.stack(name)
    if stack is None or stack.status == REVIEW:
        return console.no_stack(name, account.region)
    if stack.is_under_way or stack.needs_nothing:
        console.line(render_not_comparable(stack))
        return CANNOT_TELL
    found = set()
    chains = account.chains(stack)
    for chain in chains:
        observed = account.observed(chain.desired.arn, may_lack_tags=True)
        one = drift_of(chain.desired_for(observed), observed)
        failed = retraining.failed(observed) if observed else None
        text = render_drift(chain, one, console.clock(), failed, is_one_of_several=len(chains) > 1)
        console.line(text)
        found.add(one.status)
    if not found:
        console.line(f"There is no recommender in the template of {stack.name}.")
    if DriftStatus.DRIFTED in found:
        return NOT_FINE
    return FINE if found == {DriftStatus.NONE} else CANNOT_TELL
