"""Which recommenders are nobody's any more, though their tags say whose they were (pure).

A recommender is a stack's by its tags, and the stack's name does not count: a stack that was
deleted and deployed again is another one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.identity import Arn, Owner, Ownership
from lambdas.recommender.model.observed import Observed, Phase
from operations.stack import DELETE_FAILED, DELETED, TO_BE_DELETED, Resource, Stack
from operations.template import Chain, looks_alike

_AT_REST: Final = frozenset(
    {
        "CREATE_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
    }
)


class Claim(Enum):
    """What becomes of a recommender that carries our tags."""

    USED = "used"
    LEFTOVER = "left over"
    RETAINED = "retained"
    """Its stack's deletion was to leave it there (`retain_on_destroy`)."""
    UNDECIDED = "undecided"
    """Its stack may still need it, or it may have been retained."""
    UNPROVEN = "unproven"
    """Its tags do not say whose it is."""


@dataclass(frozen=True)
class Candidate:
    """A recommender that carries our tags, and what CloudFormation knows of their stack.

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
        """The id of the stack that it is of."""
        return self.tags.get(v.OWNER_STACK_TAG, "")

    @property
    def stack_name(self) -> str:
        """The name of that stack, or nothing if the tag is no stack's id."""
        return "".join(self.stack_id.split("/")[1:2])

    @property
    def owner(self) -> Owner:
        """Whose it is by its tags."""
        return Owner(self.stack_id, self.tags.get(v.OWNER_RESOURCE_TAG, ""))

    @property
    def ownership(self) -> Ownership:
        """Whether it was created or adopted by that owner, or its tags do not prove either."""
        return self.owner.of(self.tags) if _is_of_this_place(self) else Ownership.FOREIGN

    @property
    def chain(self) -> Chain | None:
        """The recommender of the template that it was made for."""
        logical_id = self.owner.logical_id
        return next((one for one in self.chains or () if one.logical_id == logical_id), None)

    @property
    def retired_tags(self) -> frozenset[str]:
        """Keys of the template's own tags, which an adopted one is rid of when it is released.

        One that could be another's, as the template shows it, stays.
        """
        keys = self.chain.tag_keys if self.chain else ()
        alike = ([one for one in self.tags if looks_alike(key, one)] for key in keys)
        return frozenset(one[0] for one in alike if len(one) == 1)

    @property
    def is_in_use(self) -> bool:
        """Whether it is what a resource of the stack stands for."""
        return any(one.physical_id == self.arn and one.is_there for one in self.resources)


@dataclass(frozen=True)
class Judgement:
    """What becomes of a recommender, and why."""

    of: Candidate
    claim: Claim
    why: str

    @property
    def is_for_a_person(self) -> bool:
        """Whether it stays undecided, however long one waits."""
        stack = self.of.stack
        is_over = stack is None or stack.status in TO_BE_DELETED | _AT_REST
        return self.claim is Claim.UNDECIDED and is_over


@dataclass(frozen=True)
class Unproven:
    """A recommender that a stack knows as its own, though its tags do not prove it."""

    stack: Stack
    observed: Observed


def unproven(stack: Stack, there: Iterable[Observed]) -> list[Unproven]:
    """Return what is nobody's by its tags and goes on if a stuck stack is removed.

    Args:
        stack: the stack.
        there: the recommenders that it knows, with their tags.
    """
    return [
        Unproven(stack, one)
        for one in there
        if one.phase is not Phase.DELETING
        and Candidate(one.arn, one.tags or {}).ownership is Ownership.FOREIGN
    ]


def judge(tagged: Candidate) -> Judgement:
    """Return what becomes of a recommender that carries our tags."""
    claim, why = _judge(tagged)
    return Judgement(tagged, claim, why)


_DELETIONS: Final = (DELETED, DELETE_FAILED)
"""Where a deletion policy holds: a creation that is rolled back retains nothing."""
_RETAINED: Final = Claim.RETAINED, "its stack was to leave it there (retain_on_destroy)"


def _judge(tagged: Candidate) -> tuple[Claim, str]:
    stack = tagged.stack
    if tagged.ownership is Ownership.FOREIGN:
        return Claim.UNPROVEN, "its tags do not prove whose it is"
    if stack is None:
        return _by_its_tag(tagged, "its stack is gone")
    if stack.status in TO_BE_DELETED:
        gone = "its stack is gone" if stack.status == DELETED else f"its stack is {stack.status}"
        if tagged.chain is None and stack.status in _DELETIONS:
            return _by_its_tag(tagged, gone)
        stays = tagged.chain and was_to_stay(tagged.chain, tagged.arn, stack)
        return _RETAINED if stays else (Claim.LEFTOVER, gone)
    if stack.status not in _AT_REST:
        return Claim.UNDECIDED, f"its stack is {stack.status} and may need it"
    if tagged.is_in_use:
        return Claim.USED, f"{stack.name} uses it"
    if tagged.chain is None:
        return _by_its_tag(tagged, f"{stack.name} does not use it")
    return Claim.LEFTOVER, f"{stack.name} uses another one"


def _by_its_tag(tagged: Candidate, why: str) -> tuple[Claim, str]:
    """Return what becomes of what no template that can be read decides.

    A deletion policy holds where a resource is taken out of a template, too ("DeletionPolicy
    attribute", CloudFormation Template Reference). An adopted one is released, so that nobody loses
    it.
    """
    fate = tagged.tags.get(v.ON_DESTROY_TAG)
    if fate == v.DELETE or tagged.ownership is Ownership.ADOPTED:
        return Claim.LEFTOVER, why
    if fate == v.RETAIN:
        return _RETAINED
    return Claim.UNDECIDED, f"{why}, and it may have been retained (no tag {v.ON_DESTROY_TAG})"


def was_to_stay(chain: Chain, arn: str, stack: Stack) -> bool:
    """Whether the deletion of a stack leaves this recommender of its template there."""
    if not chain.retained or stack.status not in _DELETIONS:
        return False
    return chain.physical_id in ("", arn)


def _is_of_this_place(tagged: Candidate) -> bool:
    """Whether the tag names a stack of the recommender's own account and region.

    Of another one's stacks nothing can be known here.
    """
    try:
        stack, recommender = Arn.parse(tagged.stack_id), Arn.parse(tagged.arn)
    except ValueError:
        return False
    return stack.service == "cloudformation" and stack.place == recommender.place
