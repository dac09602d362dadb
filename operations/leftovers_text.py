"""What is said of what is left over (pure)."""

from collections.abc import Iterable, Sequence

from lambdas.recommender.model.identity import Ownership
from lambdas.recommender.vocabulary import RESERVED_TAGS
from operations.leftovers import Claim, Judgement, Unproven
from operations.removal import Removed
from operations.stack import DELETE_FAILED, Stack
from operations.text import leftovers_command, shortened, wrapped


def leftovers(judged: Sequence[Judgement], region: str, name: str | None = None) -> str:
    """Return which recommenders carry our tags, and which of them are left over."""
    whose = f"the tags of stack {name}" if name else "this project's tags"
    if not judged:
        return f"No recommender in {region} carries {whose}."
    lines = [f"Recommenders in {region} that carry {whose}:"]
    for one in judged:
        adopted = ", adopted" if one.of.ownership is Ownership.ADOPTED else ""
        lines.append(f"  {one.claim.value:9}  {_name(one)}{adopted}: {one.why}")
        if one.claim is not Claim.USED:
            lines.append(f"  {'':9}  {one.of.stack_id or 'no stack'}")
    return "\n".join(lines)


def none_of(stack: Stack | None, name: str, others: Sequence[str]) -> str:
    """Return what is known of a stack that no recommender's tags name."""
    if stack:
        return f"CloudFormation knows this stack: it is {stack.status}."
    lines = wrapped(
        f"CloudFormation knows no stack {name} here: it is deleted, or there never was one of this "
        "name."
    )
    if others:
        lines += wrapped(f"Recommenders here carry the tags of: {', '.join(others)}.")
    return "\n".join(lines)


def to_be_removed(to_remove: Sequence[Judgement]) -> str:
    """Return what a deletion is going to do."""
    lines = []
    for one in to_remove:
        does = "Release" if one.of.ownership is Ownership.ADOPTED else "Delete"
        lines.append(f"{does} {one.of.arn}")
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


def way_out(judged: Sequence[Judgement], region: str, name: str | None) -> str:
    """Return how to go on where something is left over."""
    lines = []
    if any(one.claim is Claim.LEFTOVER for one in judged):
        lines += ["", "To remove what is left over:"]
        lines += [f"  {leftovers_command(region, name, delete=True)}"]
    for one in judged:
        if one.claim is Claim.RETAINED:
            lines += ["", f"{_name(one)} is kept. To forget whose it was:", _forget(one, region)]
        elif one.is_for_a_person:
            lines += [
                "",
                *wrapped(
                    f"{_name(one)} is for you to decide. To keep it, and forget whose it was:"
                ),
                _forget(one, region),
                "To delete it:",
                _delete(one.of.arn, region),
            ]
    return "\n".join(lines)


def _forget(one: Judgement, region: str) -> str:
    keys = " ".join(key for key in RESERVED_TAGS if key in one.of.tags)
    return (
        f"  aws personalize untag-resource --region {region} --resource-arn {one.of.arn} "
        f"--tag-keys {keys}"
    )


def _delete(arn: str, region: str) -> str:
    return f"  aws personalize delete-recommender --recommender-arn {arn} --region {region}"


def not_proven(unproven: Sequence[Unproven], region: str) -> str:
    """Return what is not removed though a stuck stack knows it, and how a person removes it."""
    lines = []
    for one in unproven:
        stack, observed = one.stack.name, one.observed
        name = observed.arn.rpartition("/")[2]
        lines += [
            "",
            *wrapped(f"{name} is not removed: its tags do not prove that it belongs to {stack}."),
            f"  {observed.arn}",
            f"  Status: {observed.description}",
            f"If {stack} created it, and did not adopt it, this deletes it:",
            _delete(observed.arn, region),
            *wrapped(f"See to that first: once {stack} is removed, nothing leads to it any more."),
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
