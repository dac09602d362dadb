from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from operations.computations.chain import chains
from operations.computations.leftovers import Candidate, Claim, unproven
from operations.computations.stack import Resource, Stack

from .examples import ARN, STACK_ID, chain, observed, stack, template

PROOF = {v.OWNER_STACK_TAG: STACK_ID, v.OWNER_RESOURCE_TAG: "Recommender"}
OTHER = ARN.replace("0123", "9876")


def candidate(of: Stack | None, physical_id: str = ARN, **members: Any) -> Candidate:
    resources = [Resource("Recommender", physical_id, v.RECOMMENDER_TYPE, "CREATE_COMPLETE")]
    given = {"arn": ARN, "tags": PROOF, "stack": of, "resources": resources, "chains": [chain()]}
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
def test_claim_follows_the_status_of_the_stack(
    status: str, physical_id: str, expected: Claim
) -> None:
    found = candidate(stack(status), physical_id)
    assert found.claim is expected
    assert found.reason


def test_adopted_recommender_loses_template_tags_unless_another_tag_looks_alike() -> None:
    tags = {**PROOF, "Größe": "1", "team": "films", "theirs": "2", "都市": "1", "部署": "theirs"}
    known = (chain(properties={v.TAGS: {"Gr??e": "1", "team": "video", "??": "1", "gone": "1"}}),)

    assert candidate(stack(), tags=tags, chains=known).retired_tags == {"Größe", "team"}
    assert candidate(stack(), tags=tags, chains=None).retired_tags == frozenset()


BY_TAGS: list[tuple[dict[str, str], Claim]] = [
    ({}, Claim.UNDECIDED),
    ({v.ON_DESTROY_TAG: "a word of a later version"}, Claim.UNDECIDED),
    ({v.ON_DESTROY_TAG: "retain"}, Claim.RETAINED),
    ({v.ON_DESTROY_TAG: "delete"}, Claim.LEFTOVER),
    ({v.ADOPTED_TAG: "true"}, Claim.LEFTOVER),
    ({v.ADOPTED_TAG: "true", v.ON_DESTROY_TAG: "retain"}, Claim.LEFTOVER),
]


@pytest.mark.parametrize(("tags", "expected"), BY_TAGS)
@pytest.mark.parametrize(
    ("status", "known"),
    [
        (None, None),
        ("DELETE_COMPLETE", None),
        ("DELETE_FAILED", None),
        ("DELETE_COMPLETE", []),
        ("UPDATE_COMPLETE", None),
        ("UPDATE_COMPLETE", []),
    ],
)
def test_tag_decides_if_no_template_does(
    status: str | None, known: list[Any] | None, tags: dict[str, str], expected: Claim
) -> None:
    of = stack(status) if status else None
    found = candidate(of, OTHER, tags={**PROOF, **tags}, chains=known)
    assert found.claim is expected
    assert found.is_for_a_person is (expected is Claim.UNDECIDED)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED"])
@pytest.mark.parametrize("tags", [{}, {v.ON_DESTROY_TAG: "retain"}])
def test_rolled_back_creation_retains_nothing(status: str, tags: dict[str, str]) -> None:
    found = candidate(stack(status), tags={**PROOF, **tags}, chains=None)
    assert found.claim is Claim.LEFTOVER


def test_template_decides_before_the_tag() -> None:
    """A stack that is deployed again by an earlier version of this project leaves the tag there."""
    tags = {**PROOF, v.ON_DESTROY_TAG: "retain"}
    assert candidate(stack("DELETE_COMPLETE"), tags=tags).claim is Claim.LEFTOVER
    assert candidate(stack("UPDATE_COMPLETE"), OTHER, tags=tags).claim is Claim.LEFTOVER


def test_recommender_of_an_updating_stack_is_not_for_a_person() -> None:
    assert not candidate(stack("UPDATE_IN_PROGRESS"), OTHER).is_for_a_person


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
def test_tags_that_prove_no_owner_are_unproven(tags: dict[str, str]) -> None:
    assert Candidate(ARN, tags).claim is Claim.UNPROVEN


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
def test_retained_recommender_of_a_deleted_stack_is_kept(
    status: str, policy: str, physical_id: str, expected: Claim
) -> None:
    of = stack(status)
    made = template()
    made["Resources"]["Recommender"]["DeletionPolicy"] = policy
    resources = [Resource("Recommender", physical_id, v.RECOMMENDER_TYPE, "DELETE_SKIPPED")]
    known = chains(made, of, resources)
    assert candidate(of, physical_id, chains=known).claim is expected


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
def test_recommender_of_a_stuck_stack_is_unproven_if_its_tags_prove_no_owner(
    status: str, tags: dict[str, str], expected: bool
) -> None:
    found = unproven(stack("DELETE_FAILED"), [observed(status, tags=tags)])
    assert bool(found) is expected


def test_recommender_of_a_deleted_resource_is_not_in_use() -> None:
    gone = [Resource("Recommender", ARN, v.RECOMMENDER_TYPE, "DELETE_COMPLETE")]
    assert candidate(stack(), resources=gone).claim is Claim.LEFTOVER
