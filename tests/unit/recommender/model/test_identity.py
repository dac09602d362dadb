"""Names are derived, and ownership is proven."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.identity import Arn, NamePattern, Owner, Ownership, derived_name

from ..examples import DESIRED, OWNER, STACK

PREFIXES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,45}", fullmatch=True)
WORDS = st.text(min_size=1, max_size=200)


@given(PREFIXES, WORDS, WORDS, WORDS, WORDS)
def test_derived_name_is_accepted_by_personalize_and_by_the_pattern(
    prefix: str, stack_id: str, logical_id: str, group: str, recipe: str
) -> None:
    name = derived_name(
        prefix, stack_id=stack_id, logical_id=logical_id, dataset_group_arn=group, recipe_arn=recipe
    )

    assert re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,62}", name)
    assert name in NamePattern(prefix)


IDENTITY = {"stack_id": "s", "logical_id": "l", "dataset_group_arn": "d", "recipe_arn": "r"}


def test_derived_name_is_the_same_in_every_version() -> None:
    """Another name would replace every recommender that is deployed."""
    assert DESIRED.name == "TopPicks-ad4b0521e02d8f28"


@pytest.mark.parametrize("part", IDENTITY)
def test_other_identity_has_another_name(part: str) -> None:
    assert derived_name("p", **IDENTITY) != derived_name("p", **{**IDENTITY, part: "other"})


@given(st.permutations(["ab", "c", "a", "bc"]))
def test_parts_of_an_identity_do_not_run_into_each_other(parts: list[str]) -> None:
    first = derived_name("p", **dict(zip(IDENTITY, parts, strict=True)))
    second = derived_name("p", **dict(zip(IDENTITY, ["ab", "c", "a", "bc"], strict=True)))

    assert (first == second) == (parts == ["ab", "c", "a", "bc"])


@pytest.mark.parametrize(
    "name",
    [
        "TopPicks-0123456789abcde",
        "TopPicks-0123456789abcdef0",
        "TopPicks-0123456789abcdeg",
        "TopPicks-0123456789ABCDEF",
        "TopPicks-eu-0123456789abcdef",
        "TopPicks_0123456789abcdef",
        "TopPicks-0123456789abcdef\n",
        "TopPicks",
        "other",
        "",
    ],
)
def test_name_pattern_refuses_another_form(name: str) -> None:
    assert name not in NamePattern("TopPicks", frozenset({"mine"}))


def test_name_pattern_accepts_a_fixed_name() -> None:
    assert "mine" in NamePattern("TopPicks", frozenset({"mine"}))
    assert "mine" not in NamePattern("TopPicks")


EARLIER_STACK = STACK.removesuffix("0a1b") + "ffff"
OTHER_STACK = "arn:aws:cloudformation:eu-west-1:111111111111:stack/Other/0a1b"
PROOF = {v.OWNER_STACK_TAG: STACK, v.OWNER_RESOURCE_TAG: "Recommender"}


@pytest.mark.parametrize(
    ("tags", "ownership"),
    [
        (PROOF, Ownership.OWN),
        ({**PROOF, "team": "video"}, Ownership.OWN),
        ({**PROOF, v.ADOPTED_TAG: "true"}, Ownership.ADOPTED),
        ({}, Ownership.FOREIGN),
        ({"team": "video"}, Ownership.FOREIGN),
        ({v.OWNER_STACK_TAG: STACK}, Ownership.FOREIGN),
        ({v.OWNER_RESOURCE_TAG: "Recommender"}, Ownership.FOREIGN),
        ({**PROOF, v.OWNER_STACK_TAG: OTHER_STACK}, Ownership.FOREIGN),
        ({**PROOF, v.OWNER_STACK_TAG: EARLIER_STACK}, Ownership.FOREIGN),
        ({**PROOF, v.OWNER_RESOURCE_TAG: "Second"}, Ownership.FOREIGN),
        ({v.ADOPTED_TAG: "true"}, Ownership.FOREIGN),
    ],
)
def test_ownership_is_proven_by_both_tags_only(tags: dict[str, str], ownership: Ownership) -> None:
    assert OWNER.of(tags) is ownership


STRANGERS = {
    "another name": ("stack/TopPicks/", "stack/Other/"),
    "a longer name": ("stack/TopPicks/", "stack/TopPicks-dev/"),
    "a shorter name": ("stack/TopPicks/", "stack/Top/"),
    "the same end of a name": ("stack/TopPicks/", "stack/dev-TopPicks/"),
    "another case": ("stack/TopPicks/", "stack/toppicks/"),
    "another region": (":eu-west-1:", ":us-east-1:"),
    "another account": (":111111111111:", ":222222222222:"),
    "another partition": ("arn:aws:", "arn:aws-cn:"),
}


@pytest.mark.parametrize("stack_id", ["0a1b", "ffff"])
@pytest.mark.parametrize("row", STRANGERS)
def test_recommender_of_a_stack_with_another_name_or_place_may_not_be_adopted(
    row: str, stack_id: str
) -> None:
    stranger = STACK.replace(*STRANGERS[row]).removesuffix("0a1b") + stack_id

    assert not OWNER.may_adopt({v.OWNER_STACK_TAG: stranger})
    assert not Owner(stranger, "Recommender").may_adopt(PROOF)


@pytest.mark.parametrize(
    ("tags", "may"),
    [
        ({}, True),
        ({"team": "video"}, True),
        ({v.OWNER_STACK_TAG: EARLIER_STACK}, True),
        ({v.OWNER_STACK_TAG: OTHER_STACK}, False),
    ],
    ids=["no tags", "no owner tag", "an earlier stack of this name", "another stack"],
)
def test_recommender_may_be_adopted_unless_another_stack_owns_it(
    tags: dict[str, str], may: bool
) -> None:
    assert OWNER.may_adopt(tags) is may


@given(WORDS, WORDS, st.booleans())
def test_tags_of_an_owner_prove_its_ownership(stack: str, logical: str, adopted: bool) -> None:
    owner = Owner(stack, logical)

    expected = Ownership.ADOPTED if adopted else Ownership.OWN
    assert owner.of(owner.tags(adopted=adopted)) is expected


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso"])
def test_arn_is_parsed_in_every_partition(partition: str) -> None:
    arn = Arn.parse(f"arn:{partition}:personalize:r-1:111111111111:dataset-group/vod")

    assert arn.place == (partition, "r-1", "111111111111")
    assert (arn.service, arn.resource) == ("personalize", "dataset-group/vod")


@pytest.mark.parametrize("text", ["", "arn", "arn:aws:s3", "x arn:aws:s3:::b", "arn:aws:s3:::b\n"])
def test_text_that_is_no_arn_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an ARN"):
        Arn.parse(text)


OTHERS = {
    "no owner": ({}, ""),
    "own": (OWNER.tags(), ""),
    "own stack, no resource": ({v.OWNER_STACK_TAG: OWNER.stack_id}, ""),
    "no stack, another resource": ({v.OWNER_RESOURCE_TAG: "Series"}, ""),
    "another stack": ({v.OWNER_STACK_TAG: "another"}, "another stack, another"),
    "another resource": (
        OWNER.tags() | {v.OWNER_RESOURCE_TAG: "Series"},
        "another resource of this stack, Series",
    ),
}


@pytest.mark.parametrize("row", OTHERS)
def test_another_owner_is_named_by_the_tags(row: str) -> None:
    tags, named = OTHERS[row]

    assert OWNER.other(tags) == named
