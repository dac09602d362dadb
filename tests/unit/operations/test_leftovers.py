from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.observed import Observed
from operations.leftovers import Candidate, Claim, judge, unproven
from operations.stack import Resource, Stack

from .examples import ARN, STACK_ID, chain, stack, template

PROOF = {v.OWNER_STACK_TAG: STACK_ID, v.OWNER_RESOURCE_TAG: "Recommender"}
OTHER = ARN.replace("0123", "9876")


def tagged(there: Stack | None, physical_id: str = ARN, **members: Any) -> Candidate:
    resources = [Resource("Recommender", physical_id, v.RECOMMENDER_TYPE, "CREATE_COMPLETE")]
    given = {"arn": ARN, "tags": PROOF, "stack": there, "resources": resources, "chains": [chain()]}
    return Candidate(**{**given, **members})


@pytest.mark.parametrize(
    ("status", "physical_id", "expected"),
    [
        ("CREATE_COMPLETE", ARN, Claim.USED),
        ("CREATE_COMPLETE", OTHER, Claim.LEFTOVER),
        ("UPDATE_COMPLETE", OTHER, Claim.LEFTOVER),
        ("UPDATE_ROLLBACK_COMPLETE", OTHER, Claim.LEFTOVER),
        ("UPDATE_ROLLBACK_COMPLETE", ARN, Claim.USED),
        ("DELETE_FAILED", ARN, Claim.LEFTOVER),
        ("DELETE_COMPLETE", ARN, Claim.LEFTOVER),
        ("ROLLBACK_COMPLETE", ARN, Claim.LEFTOVER),
        ("ROLLBACK_FAILED", ARN, Claim.LEFTOVER),
        ("CREATE_FAILED", OTHER, Claim.UNDECIDED),
        ("UPDATE_FAILED", OTHER, Claim.UNDECIDED),
        ("UPDATE_ROLLBACK_FAILED", OTHER, Claim.UNDECIDED),
        ("UPDATE_IN_PROGRESS", OTHER, Claim.UNDECIDED),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", OTHER, Claim.UNDECIDED),
        ("DELETE_IN_PROGRESS", ARN, Claim.UNDECIDED),
        ("REVIEW_IN_PROGRESS", ARN, Claim.UNDECIDED),
        ("A_STATUS_OF_TOMORROW", OTHER, Claim.UNDECIDED),
    ],
)
def test_by_the_status_of_its_stack(status: str, physical_id: str, expected: Claim) -> None:
    judged = judge(tagged(stack(status), physical_id))
    assert judged.claim is expected
    assert judged.why


def test_an_adopted_one_is_rid_of_tags_that_the_template_cannot_show_if_no_other_looks_alike() -> (
    None
):
    chains = (chain(properties={v.TAGS: {"Gr??e": "1", "team": "video", "??": "1", "gone": "1"}}),)
    tags = {**PROOF, "Größe": "1", "team": "films", "theirs": "2", "都市": "1", "部署": "theirs"}

    found = tagged(stack("CREATE_COMPLETE"), tags=tags, chains=chains)

    assert found.retired_tags == {"Größe", "team"}


UNSAID: dict[str, dict[str, str]] = {
    "what a version before wrote": {},
    "a word of a later version": {v.ON_DESTROY_TAG: "archive"},
}
SAID: list[tuple[dict[str, str], Claim]] = [
    *((tags, Claim.UNDECIDED) for tags in UNSAID.values()),
    ({v.ON_DESTROY_TAG: "retain"}, Claim.RETAINED),
    ({v.ON_DESTROY_TAG: "delete"}, Claim.LEFTOVER),
    ({v.ADOPTED_TAG: "true"}, Claim.LEFTOVER),
    ({v.ADOPTED_TAG: "true", v.ON_DESTROY_TAG: "retain"}, Claim.LEFTOVER),
]


@pytest.mark.parametrize(("tags", "expected"), SAID)
@pytest.mark.parametrize(
    ("status", "chains"),
    [
        (None, None),
        ("DELETE_COMPLETE", None),
        ("DELETE_FAILED", None),
        ("DELETE_COMPLETE", []),
        ("UPDATE_COMPLETE", None),
        ("UPDATE_COMPLETE", []),
    ],
)
def test_the_tag_decides_where_no_template_does(
    status: str | None, chains: list[Any] | None, tags: dict[str, str], expected: Claim
) -> None:
    there = stack(status) if status else None
    judged = judge(tagged(there, OTHER, tags={**PROOF, **tags}, chains=chains))
    assert judged.claim is expected
    assert judged.is_for_a_person is (expected is Claim.UNDECIDED)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED"])
@pytest.mark.parametrize("tags", [{}, {v.ON_DESTROY_TAG: "retain"}])
def test_a_creation_that_is_rolled_back_retains_nothing(status: str, tags: dict[str, str]) -> None:
    judged = judge(tagged(stack(status), tags={**PROOF, **tags}, chains=None))
    assert judged.claim is Claim.LEFTOVER


def test_the_template_decides_before_the_tag() -> None:
    """A stack that is deployed again by an earlier version of this project leaves the tag there."""
    said = {**PROOF, v.ON_DESTROY_TAG: "retain"}
    assert judge(tagged(stack("DELETE_COMPLETE"), tags=said)).claim is Claim.LEFTOVER
    assert judge(tagged(stack("UPDATE_COMPLETE"), OTHER, tags=said)).claim is Claim.LEFTOVER


def test_what_waits_for_its_stack_is_not_for_a_person() -> None:
    assert not judge(tagged(stack("UPDATE_IN_PROGRESS"), OTHER)).is_for_a_person


@pytest.mark.parametrize(
    "tags",
    [
        {v.OWNER_STACK_TAG: STACK_ID},
        {**PROOF, v.OWNER_STACK_TAG: "TopPicks"},
        {**PROOF, v.OWNER_STACK_TAG: STACK_ID.replace("eu-west-1", "us-east-1")},
        {**PROOF, v.OWNER_STACK_TAG: STACK_ID.replace("1" * 12, "2" * 12)},
        {**PROOF, v.OWNER_STACK_TAG: ARN},
    ],
)
def test_tags_that_prove_nothing(tags: dict[str, str]) -> None:
    assert judge(Candidate(ARN, tags)).claim is Claim.UNPROVEN


@pytest.mark.parametrize(
    ("status", "policy", "physical_id", "expected"),
    [
        ("DELETE_COMPLETE", "RetainExceptOnCreate", ARN, Claim.RETAINED),
        ("DELETE_COMPLETE", "Retain", "", Claim.RETAINED),
        ("DELETE_FAILED", "RetainExceptOnCreate", ARN, Claim.RETAINED),
        ("DELETE_COMPLETE", "RetainExceptOnCreate", OTHER, Claim.LEFTOVER),
        ("DELETE_COMPLETE", "Delete", ARN, Claim.LEFTOVER),
        ("ROLLBACK_FAILED", "RetainExceptOnCreate", ARN, Claim.LEFTOVER),
    ],
)
def test_what_its_stack_was_to_leave_there_is_kept(
    status: str, policy: str, physical_id: str, expected: Claim
) -> None:
    from operations.template import chains

    there = stack(status)
    made = template()
    made["Resources"]["Recommender"]["DeletionPolicy"] = policy
    resources = [Resource("Recommender", physical_id, v.RECOMMENDER_TYPE, "DELETE_SKIPPED")]
    known = chains(made, there, resources)
    assert judge(tagged(there, physical_id, chains=known)).claim is expected


@pytest.mark.parametrize(
    ("status", "tags", "expected"),
    [
        ("ACTIVE", {}, True),
        ("CREATE FAILED", {v.OWNER_RESOURCE_TAG: "Recommender"}, True),
        ("ACTIVE", PROOF, False),
        ("ACTIVE", {**PROOF, v.OWNER_STACK_TAG: STACK_ID.replace("TopPicks", "Other")}, False),
        ("DELETE IN_PROGRESS", {}, False),
    ],
)
def test_what_a_stuck_stack_knows_is_unproven_if_its_tags_prove_nobody_s(
    status: str, tags: dict[str, str], expected: bool
) -> None:
    there = Observed(ARN, status, dataset_group_arn="", recipe_arn="", tags=tags)
    assert bool(unproven(stack("DELETE_FAILED"), [there])) is expected


def test_a_resource_that_was_deleted_is_not_in_use() -> None:
    gone = [Resource("Recommender", ARN, v.RECOMMENDER_TYPE, "DELETE_COMPLETE")]
    assert judge(tagged(stack(), resources=gone)).claim is Claim.LEFTOVER


def test_an_adopted_one_is_rid_of_the_template_s_tags_too() -> None:
    tags = {**PROOF, "team": "video", "theirs": "1"}
    assert tagged(stack(), tags=tags, chains=[chain()]).retired_tags == {"team"}
    assert tagged(stack(), tags=tags, chains=None).retired_tags == frozenset()
