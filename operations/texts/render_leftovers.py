"""Render the recommenders that carry our tags, and the commands that remove leftovers (pure)."""

from collections.abc import Iterable, Sequence

from lambdas.recommender.decision.verdict import Done, Fail
from lambdas.recommender.vocabulary import RESERVED_TAGS
from operations.computations.leftovers import Candidate, Claim, Unproven
from operations.computations.stack import Stack
from operations.texts.lines import command, shortened, wrapped


def render_leftovers(found: Sequence[Candidate], region: str, name: str | None = None) -> str:
    """Render the recommenders that carry our tags, each with its claim."""
    tags = f"the tags of stack {name}" if name else "this project's tags"
    if not found:
        return f"No recommender in {region} carries {tags}."
    lines = [f"Recommenders in {region} that carry {tags}:"]
    for one in found:
        adopted = ", adopted" if one.is_adopted else ""
        lines.append(f"  {one.claim.value:9}  {one.name}{adopted}: {one.reason}")
        if one.claim is not Claim.USED:
            lines.append(f"  {'':9}  {one.stack_id or 'no stack'}")
    return "\n".join(lines)


def render_no_leftovers(stack: Stack | None, name: str, others: Sequence[str]) -> str:
    """Render whether a stack exists that no recommender's tags name."""
    if stack:
        return f"CloudFormation knows this stack: it is {stack.status}."
    lines = wrapped(f"CloudFormation knows no stack {name} here: it was deleted, or never existed.")
    if others:
        lines += wrapped(f"Recommenders here carry the tags of: {', '.join(others)}.")
    return "\n".join(lines)


def render_next_commands(found: Sequence[Candidate], region: str, name: str | None) -> str:
    """Render the commands for leftovers, retained recommenders, and those of a person."""
    lines = []
    if any(one.claim is Claim.LEFTOVER for one in found):
        lines += ["", "To remove the leftovers:"]
        lines += [f"  {command('leftovers', region, name, '--delete')}"]
    for one in found:
        if one.claim is Claim.RETAINED:
            lines += ["", f"{one.name} is kept. To remove its owner tags:", _untag(one, region)]
        elif one.is_for_a_person:
            lines += [
                "",
                *wrapped(f"You decide about {one.name}. To keep it, remove its owner tags:"),
                _untag(one, region),
                "To delete it:",
                _delete(one.arn, region),
            ]
    return "\n".join(lines)


def render_removals(to_remove: Sequence[Candidate]) -> str:
    """Render the changes that are about to be made."""
    return "\n".join(f"{'Release' if one.is_adopted else 'Delete'} {one.arn}" for one in to_remove)


def render_waiting(one: Candidate, reason: str) -> str:
    """Render the line of a recommender that cannot be removed yet."""
    return shortened(f"Waiting: {_with_name(one, reason)}")


def render_removal(one: Candidate, verdict: Done | Fail) -> str:
    """Render how the removal of a recommender has ended."""
    if isinstance(verdict, Done) and one.is_adopted:
        return f"{one.name}: released"
    failed = "failed: " if isinstance(verdict, Fail) else ""
    return f"{one.name}: {failed}{_with_name(one, verdict.reason)}"


def render_unproven(found: Sequence[Unproven]) -> str:
    """Render the recommenders of a stuck stack that are not removed, and how a person does it."""
    lines = []
    for one in found:
        stack, observed = one.stack.name, one.observed
        name = observed.arn.rpartition("/")[2]
        lines += [
            "",
            *wrapped(f"{name} is not removed: its tags do not prove that it belongs to {stack}."),
            f"  {observed.arn}",
            f"  Status: {observed.description}",
            f"If {stack} created it, and did not adopt it, this deletes it:",
            _delete(observed.arn, one.stack.region),
            *wrapped(f"Do that first: without {stack}, this command does not find it any more."),
        ]
    return "\n".join(lines)


def render_stacks_to_delete(stacks: Iterable[Stack]) -> str:
    """Render the commands that remove stacks whose deletion has failed, in the order to try."""
    lines = []
    for stack in sorted({one.id: one for one in stacks}.values(), key=lambda one: one.name):
        name, region = stack.name, stack.region
        delete = f"aws cloudformation delete-stack --stack-name {name} --region {region}"
        lines += [
            "",
            f"{name} is {stack.status}. To delete it, run cdk destroy, or:",
            f"  {delete}",
            f"Only if {name} is DELETE_FAILED after that, force the deletion:",
            f"  {delete} --deletion-mode FORCE_DELETE_STACK",
        ]
    return "\n".join(lines)


def _with_name(one: Candidate, reason: str) -> str:
    return reason.replace(one.arn, one.name)


def _untag(one: Candidate, region: str) -> str:
    keys = " ".join(key for key in RESERVED_TAGS if key in one.tags)
    return (
        f"  aws personalize untag-resource --region {region} --resource-arn {one.arn} "
        f"--tag-keys {keys}"
    )


def _delete(arn: str, region: str) -> str:
    return f"  aws personalize delete-recommender --recommender-arn {arn} --region {region}"
