"""Describe the tags that prove the owner of a recommender (pure)."""

from collections.abc import Mapping

from ..model.identity import Owner


def command_to_put_back(owner: Owner, arn: str) -> str:
    """Return the command that restores the tags which prove the owner."""
    tags = " ".join(f"tagKey={key},tagValue={value}" for key, value in owner.tags().items())
    return f"aws personalize tag-resource --resource-arn {arn} --tags {tags}"


def lacking_proof(owner: Owner, arn: str, tags: Mapping[str, str]) -> str:
    """Name the tags that do not prove the owner."""
    proof = owner.tags()
    wrong = [f"{key} is {tags.get(key, 'missing')}" for key in proof if tags.get(key) != proof[key]]
    return (
        f"The recommender {arn.rpartition('/')[2]!r} exists, and its tags do not name this stack "
        f"as its owner: {', '.join(wrong)}."
    )
