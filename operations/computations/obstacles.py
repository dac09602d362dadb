"""Tell which state of a stack, or which quota, stands in the way of a deployment (pure).

Source of the CDK CLI's part: `deployStack` and `StackStatus` in aws-cdk 2.1148.1.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from lambdas.recommender.model.identity import Arn
from lambdas.recommender.model.request import Desired
from operations.computations.assembly import SynthesisedStack
from operations.computations.forecast import Kind, Obstacle
from operations.computations.stack import AT_REST, REVIEW, Stack

UPDATE_FAILED: Final = "UPDATE_FAILED"

_KEPT_FAILURES: Final = ("CREATE_FAILED", UPDATE_FAILED)
"""A failure that was not rolled back (`--no-rollback`)."""
_ROLLED_BACK_CREATION: Final = "ROLLBACK_COMPLETE"
_QUOTA_OF_A_GROUP: Final = 5
_QUOTA_OF_A_REGION: Final = 15
"""Source of both: "Amazon Personalize endpoints and quotas", Developer Guide."""


def is_created_by(stack: Stack | None) -> bool:
    """Tell whether a deployment creates the stack that it finds."""
    return stack is None or stack.status in (REVIEW, _ROLLED_BACK_CREATION)


def wrong_place(wanted: SynthesisedStack, caller: Arn, region: str) -> Obstacle | None:
    """Tell whether the credentials, or the region, are not those of the stack."""
    if wanted.account and wanted.account != caller.account:
        return Obstacle(
            Kind.CANNOT_TELL,
            f"{wanted.name} is for the account {wanted.account}, and the credentials are of "
            f"{caller.account}",
        )
    if wanted.region and wanted.region != region:
        return Obstacle(
            Kind.CANNOT_TELL, f"{wanted.name} is for the region {wanted.region}, not {region}"
        )
    return None


def obstacle_to_deployment(stack: Stack | None) -> Obstacle | None:
    """Tell why the state of a stack permits no deployment, or no forecast of one."""
    if stack is None or is_created_by(stack) or stack.status in AT_REST.union(_KEPT_FAILURES):
        return None
    if stack.is_under_way:
        return _under_way(stack)
    if stack.status == "ROLLBACK_FAILED":
        return Obstacle(
            Kind.CANNOT_TELL,
            f"{stack.name} is {stack.status}: cdk deploy deletes it first, and that may fail again",
        )
    return Obstacle(
        Kind.REFUSED, f"{stack.name} is {stack.status}, and CloudFormation updates no such stack"
    )


def obstacle_to_destruction(name: str, stack: Stack | None) -> Obstacle | None:
    """Tell why the state of a stack permits no deletion, or no forecast of one."""
    if stack is None or stack.status == REVIEW:
        return Obstacle(Kind.NOTHING, f"there is no stack {name}")
    if stack.is_under_way:
        return _under_way(stack)
    if stack.is_protected:
        return Obstacle(
            Kind.REFUSED,
            f"{name} has termination protection: set termination_protection to false, and deploy",
        )
    if stack.is_stuck:
        return Obstacle(
            Kind.CANNOT_TELL,
            f"{name} is {stack.status}: CloudFormation may have deleted its functions",
        )
    return None


def warnings_about(stack: Stack | None) -> tuple[str, ...]:
    """Warn of the CDK CLI's own steps before a deployment."""
    status = stack.status if stack else ""
    if status == _ROLLED_BACK_CREATION:
        return (f"The stack is {status}: cdk deploy deletes it first; CodePipeline does not.",)
    if status in _KEPT_FAILURES:
        return (
            f"The stack is {status}. This is the effect with --no-rollback; without it, cdk deploy "
            "first rolls the stack back, after a question. CloudFormation may send fewer requests "
            "than shown here, for the template before the failure is unknown.",
        )
    return ()


def quota_warnings(
    desired: Desired, groups: Mapping[str, str], together: Iterable[Desired] = ()
) -> tuple[str, ...]:
    """Warn of the quotas that a creation would exceed, unless AWS has raised them.

    Args:
        desired: the recommender that is to be created.
        groups: the ARN of each recommender of the region -> that of its dataset group.
        together: the recommenders that the same deployment creates.
    """
    created = {one.arn: one.dataset_group_arn for one in together if one.arn != desired.arn}
    others = [group for arn, group in {**groups, **created}.items() if arn != desired.arn]
    counted = ", with those that this deployment creates" if created else ""
    counts = (
        ("the dataset group", others.count(desired.dataset_group_arn), _QUOTA_OF_A_GROUP),
        ("the region", len(others), _QUOTA_OF_A_REGION),
    )
    return tuple(
        f"CreateRecommender may be refused: {place} has {count} recommenders{counted}, and the "
        f"quota is {quota}. Delete one that you do not need."
        for place, count, quota in counts
        if count >= quota
    )


def _under_way(stack: Stack) -> Obstacle:
    return Obstacle(
        Kind.CANNOT_TELL, f"{stack.name} is {stack.status}, and this operation must end first"
    )
