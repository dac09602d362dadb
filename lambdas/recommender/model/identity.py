"""Derive the name of a custom resource's recommender, and prove its owner (pure).

A name is derived, never random and never from the clock. So a redelivered Create, a reversed Update
and a Delete with an id that CloudFormation invented all find the same recommender.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ..vocabulary import ADOPTED_TAG, DIGEST_LENGTH, OWNER_RESOURCE_TAG, OWNER_STACK_TAG

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*)"
    r":(?P<account>\d{12}|):(?P<resource>[^\s]+)"
)


@dataclass(frozen=True)
class Arn:
    """An Amazon Resource Name, taken apart."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> "Arn":
        """Take ``text`` apart.

        Raises:
            ValueError: ``text`` is not an ARN.
        """
        match = _ARN.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not an ARN")
        return cls(**match.groupdict())

    @property
    def place(self) -> tuple[str, str, str]:
        """Partition, region and account."""
        return self.partition, self.region, self.account


def derived_name(
    prefix: str, *, stack_id: str, logical_id: str, dataset_group_arn: str, recipe_arn: str
) -> str:
    """Return the recommender's name, ``<prefix>-<hash>``, a pure function of its arguments.

    The hash has the values that Personalize cannot change in place. If one changes, so
    does the name (CloudFormation's replacement); a rollback gives the old name back.
    """
    identity = "\n".join((stack_id, logical_id, dataset_group_arn, recipe_arn))
    return f"{prefix}-{hashlib.sha256(identity.encode()).hexdigest()[:DIGEST_LENGTH]}"


@dataclass(frozen=True)
class NamePattern:
    """The names that a stack's recommenders can have; its role can touch no others."""

    prefix: str
    fixed: frozenset[str] = frozenset()

    def __contains__(self, name: str) -> bool:
        derived = rf"{re.escape(self.prefix)}-[0-9a-f]{{{DIGEST_LENGTH}}}"
        return name in self.fixed or re.fullmatch(derived, name) is not None


class Ownership(StrEnum):
    """The owner of a recommender, as its tags prove."""

    OWN = "own"
    ADOPTED = "adopted"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class Owner:
    """The custom resource that owns a recommender."""

    stack_id: str
    logical_id: str

    def tags(self, *, adopted: bool = False) -> dict[str, str]:
        """Return the tags that prove the ownership."""
        proof = {OWNER_STACK_TAG: self.stack_id, OWNER_RESOURCE_TAG: self.logical_id}
        return {**proof, ADOPTED_TAG: "true"} if adopted else proof

    def of(self, tags: Mapping[str, str]) -> Ownership:
        """Tell from its ``tags`` whether a recommender is this owner's."""
        if any(tags.get(key) != value for key, value in self.tags().items()):
            return Ownership.FOREIGN
        return Ownership.ADOPTED if ADOPTED_TAG in tags else Ownership.OWN

    def other(self, tags: Mapping[str, str]) -> str:
        """Name another owner of the recommender with these ``tags``, or return nothing."""
        stack_id = tags.get(OWNER_STACK_TAG, self.stack_id)
        if stack_id != self.stack_id:
            return f"another stack, {stack_id}"
        logical_id = tags.get(OWNER_RESOURCE_TAG, self.logical_id)
        if OWNER_STACK_TAG in tags and logical_id != self.logical_id:
            return f"another resource of this stack, {logical_id}"
        return ""

    def may_adopt(self, tags: Mapping[str, str]) -> bool:
        """Return whether the recommender with these ``tags`` can have no other owner.

        Without an owner tag, it has none. It may also be an earlier stack's of the same name: the
        names of existing stacks are unique, so that stack is deleted.
        """
        stack_id = tags.get(OWNER_STACK_TAG)
        return stack_id is None or _stack_of(stack_id) == _stack_of(self.stack_id)


def _stack_of(stack_id: str) -> str:
    return stack_id.rpartition("/")[0]
