"""Words about the tags that prove whose a recommender is (pure)."""

from collections.abc import Mapping

from ..model.identity import Owner


def put_back(owner: Owner, arn: str) -> str:
    """Return the command that makes a recommender's tags prove whose it is."""
    tags = " ".join(f"tagKey={key},tagValue={value}" for key, value in owner.tags().items())
    return f"aws personalize tag-resource --resource-arn {arn} --tags {tags}"


def lacking_proof(owner: Owner, arn: str, tags: Mapping[str, str]) -> str:
    """Explain by which tags a recommender is not the owner's."""
    proof = owner.tags()
    wrong = [f"{key} is {tags.get(key, 'missing')}" for key in proof if tags.get(key) != proof[key]]
    return (
        f"The recommender {arn.rpartition('/')[2]!r} exists, and its tags do not name this stack "
        f"as its owner: {', '.join(wrong)}."
    )
