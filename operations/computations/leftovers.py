"""Classify the recommenders that carry our tags: used, left over, retained, ... (pure).

A recommender is a stack's by its tags, and the stack's name does not count: a stack that was
deleted and deployed again is another one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Final

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.identity import Arn, Owner, Ownership
from lambdas.recommender.model.observed import Observed, Phase
from operations.computations.chain import DELETIONS, Chain
from operations.computations.stack import AT_REST, DELETED, TO_BE_DELETED, Resource, Stack
from operations.computations.template import looks_alike


class Claim(Enum):
    """The claim of a stack on a recommender that carries our tags."""

    USED = "used"
    LEFTOVER = "left over"
    RETAINED = "retained"
    """Its stack's deletion was to keep it (`retain_on_destroy`)."""
    UNDECIDED = "undecided"
    """Its stack may still need it, or it may have been retained."""
    UNPROVEN = "unproven"
    """Its tags do not prove an owner."""


_RETAINED: Final = Claim.RETAINED, "its stack was to keep it (retain_on_destroy)"


@dataclass(frozen=True)
class Candidate:
    """A recommender that carries our tags, and the stack that they name.

    Attributes:
        arn: its ARN.
        tags: its tags.
        stack: the stack that they name, or None if CloudFormation does not know it.
        resources: the stack's.
        chains: the recommenders of the stack's template, or None if it is not known.
    """

    arn: str
    tags: Mapping[str, str]
    stack: Stack | None = None
    resources: Sequence[Resource] = ()
    chains: Sequence[Chain] | None = None

    @property
    def stack_id(self) -> str:
        """The id of its stack."""
        return self.tags.get(v.OWNER_STACK_TAG, "")

    @property
    def stack_name(self) -> str:
        """The name of that stack, or nothing if the tag is no stack's id."""
        return "".join(self.stack_id.split("/")[1:2])

    @property
    def name(self) -> str:
        """Its name."""
        return self.arn.rpartition("/")[2]

    @property
    def owner(self) -> Owner:
        """The owner that its tags name."""
        return Owner(self.stack_id, self.tags.get(v.OWNER_RESOURCE_TAG, ""))

    @property
    def ownership(self) -> Ownership:
        """Whether its tags prove that the owner created it, adopted it, or neither."""
        return self.owner.of(self.tags) if _is_of_this_place(self) else Ownership.FOREIGN

    @property
    def is_adopted(self) -> bool:
        """Whether its tags prove that the owner adopted it."""
        return self.ownership is Ownership.ADOPTED

    @property
    def chain(self) -> Chain | None:
        """The recommender of the template for which it was created."""
        logical_id = self.owner.logical_id
        return next((one for one in self.chains or () if one.logical_id == logical_id), None)

    @property
    def retired_tags(self) -> frozenset[str]:
        """Keys of the template's own tags, which an adopted one loses when it is released.

        It keeps a tag that, as the template shows it, could be another.
        """
        keys = self.chain.tag_keys if self.chain else ()
        alike = ([one for one in self.tags if looks_alike(key, one)] for key in keys)
        return frozenset(one[0] for one in alike if len(one) == 1)

    @property
    def is_in_use(self) -> bool:
        """Whether a resource of the stack has it as its physical id."""
        return any(one.physical_id == self.arn and one.exists for one in self.resources)

    @property
    def claim(self) -> Claim:
        """The claim of the stack on it."""
        return self._classified[0]

    @property
    def reason(self) -> str:
        """The reason of its claim."""
        return self._classified[1]

    @property
    def is_for_a_person(self) -> bool:
        """Whether a person has to decide, because no operation of its stack will."""
        is_over = self.stack is None or self.stack.status in TO_BE_DELETED | AT_REST
        return self.claim is Claim.UNDECIDED and is_over

    @cached_property
    def _classified(self) -> tuple[Claim, str]:
        """The claim, and its reason."""
        stack = self.stack
        if self.ownership is Ownership.FOREIGN:
            return Claim.UNPROVEN, "its tags do not prove an owner"
        if stack is None:
            return self._by_its_tag("its stack is gone")
        if stack.status in TO_BE_DELETED:
            gone = (
                "its stack is gone" if stack.status == DELETED else f"its stack is {stack.status}"
            )
            if self.chain is None and stack.status in DELETIONS:
                return self._by_its_tag(gone)
            retained = self.chain and self.chain.was_retained(self.arn)
            return _RETAINED if retained else (Claim.LEFTOVER, gone)
        if stack.status not in AT_REST:
            return Claim.UNDECIDED, f"its stack is {stack.status} and may need it"
        if self.is_in_use:
            return Claim.USED, f"{stack.name} uses it"
        if self.chain is None:
            return self._by_its_tag(f"{stack.name} does not use it")
        return Claim.LEFTOVER, f"{stack.name} uses another one"

    def _by_its_tag(self, reason: str) -> tuple[Claim, str]:
        """Decide by the tag, if no readable template decides.

        A deletion policy also holds if a resource is taken out of a template ("DeletionPolicy
        attribute", CloudFormation Template Reference). An adopted recommender is released, so that
        its owner keeps it.
        """
        fate = self.tags.get(v.ON_DESTROY_TAG)
        if fate == v.DELETE or self.is_adopted:
            return Claim.LEFTOVER, reason
        if fate == v.RETAIN:
            return _RETAINED
        return (
            Claim.UNDECIDED,
            f"{reason}, and it may have been retained (no tag {v.ON_DESTROY_TAG})",
        )


@dataclass(frozen=True)
class Unproven:
    """A recommender that a stack has by its ARN, though the tags do not prove it."""

    stack: Stack
    observed: Observed


def unproven(stack: Stack, observed: Iterable[Observed]) -> list[Unproven]:
    """Find the recommenders without an owner that go on if a stuck stack is removed.

    Args:
        stack: the stack.
        observed: its recommenders, with their tags.
    """
    return [
        Unproven(stack, one)
        for one in observed
        if one.phase is not Phase.DELETING
        and Candidate(one.arn, one.tags or {}).ownership is Ownership.FOREIGN
    ]


def _is_of_this_place(candidate: Candidate) -> bool:
    """Tell whether the tag names a stack of the recommender's own account and region.

    Stacks of another account or region cannot be read here.
    """
    try:
        stack, recommender = Arn.parse(candidate.stack_id), Arn.parse(candidate.arn)
    except ValueError:
        return False
    return stack.service == "cloudformation" and stack.place == recommender.place
