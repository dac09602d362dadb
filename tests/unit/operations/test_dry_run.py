from dataclasses import replace
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.aws.errors import InUseError, NotFoundError
from lambdas.recommender.decision.verdict import (
    Change,
    CreateRecommender,
    DeleteRecommender,
    Done,
    Fail,
    StartRecommender,
    StopRecommender,
    TagResource,
    UntagResource,
    UpdateRecommender,
    Wait,
)
from lambdas.recommender.model.observed import Observed, Update
from lambdas.recommender.model.operation import Operation, RequestType
from operations.computations.dry_run import AccountCopy, answer, changed, settled

from .examples import ARN, chain, observed, observed_as

UPDATE = Operation("UPDATE_IN_PROGRESS", "1970-01-01T00:01:40+00:00")
NEW: dict[str, Any] = {"minRecommendationRequestsPerSecond": 2}


@pytest.mark.parametrize(
    ("change", "member", "value"),
    [
        (StartRecommender(), "status", "START IN_PROGRESS"),
        (StopRecommender(), "status", "STOP IN_PROGRESS"),
        (DeleteRecommender(), "status", "DELETE IN_PROGRESS"),
        (TagResource({"b": "2"}), "tags", {"a": "1", "b": "2"}),
        (UntagResource(frozenset(["a"])), "tags", {}),
        (
            UpdateRecommender(NEW),
            "latest_update",
            Update("CREATE IN_PROGRESS", NEW, 7.0, updated=7.0),
        ),
    ],
)
def test_accepted_change_shows_at_once(change: Change, member: str, value: object) -> None:
    after = changed(observed(tags={"a": "1"}), change, arn=ARN, now=7.0)
    assert getattr(after, member) == value
    with pytest.raises(NotFoundError):
        changed(None, change, arn=ARN, now=7.0)


def test_created_recommender_is_as_desired_and_trains() -> None:
    desired = chain().desired
    after = changed(None, CreateRecommender(desired), arn=desired.arn, now=7.0)
    assert (after.status, after.created, after.arn) == ("CREATE IN_PROGRESS", 7.0, desired.arn)
    assert desired.config.agrees_with(after.config)
    assert after.tags == {**desired.tags, **desired.owner.tags()}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("CREATE PENDING", "ACTIVE"),
        ("START IN_PROGRESS", "ACTIVE"),
        ("STOP IN_PROGRESS", "INACTIVE"),
        ("ACTIVE", "ACTIVE"),
        ("CREATE FAILED", "CREATE FAILED"),
        ("SOMETHING NEW", "SOMETHING NEW"),
        ("DELETE IN_PROGRESS", None),
    ],
)
def test_state_that_is_under_way_ends(before: str, after: str | None) -> None:
    found = settled(observed(before))
    assert (found.status if found else None) == after


def test_update_that_is_under_way_is_effective_at_its_end() -> None:
    found = settled(observed(latest_update=Update("CREATE PENDING", NEW, 1.0)))
    assert found
    assert found.config == NEW
    assert not found.updating


def test_copy_answers_as_personalize_does() -> None:
    copy = AccountCopy({ARN: observed(tags={"a": "1"})}, now=0.0)
    shown = copy.describe(ARN)
    assert shown
    assert shown.tags is None
    assert copy.tags(ARN) == {"a": "1"}
    assert copy.names() == [ARN.rpartition("/")[2]]
    assert copy.describe("other") is None
    with pytest.raises(NotFoundError):
        copy.tags("other")
    with pytest.raises(InUseError, match="cannot be read now; it is ACTIVE"):
        AccountCopy({ARN: observed()}, now=0.0).tags(ARN)


def answered(*recommenders: Observed, **properties: Any) -> tuple[Any, list[Change]]:
    """Answer the Update of a recommender of a template."""
    copy = AccountCopy({one.arn: one for one in recommenders}, now=100.0)
    found = answer(chain(properties=properties).request, copy, UPDATE)
    return found, [call.change for call in copy.calls]


def test_request_is_attempted_until_it_is_answered() -> None:
    one = chain()
    config = one.desired.config.request()
    there = observed_as(one, "INACTIVE", config={**config, **NEW})
    found, changes = answered(there, **{v.RUNNING: False})
    assert isinstance(found.verdict, Done)
    assert [type(change) for change in changes] == [
        StartRecommender,
        UpdateRecommender,
        StopRecommender,
    ]
    assert found.attributes[v.ARN_ATTRIBUTE] == one.desired.arn


def test_state_that_must_end_before_the_first_change_is_named() -> None:
    one = chain()
    there = observed_as(one, "STOP IN_PROGRESS", config=one.desired.config.request())
    found, changes = answered(there)
    assert "is STOP IN_PROGRESS, which must end first" in found.waits_for
    assert changes == [StartRecommender()]


def test_status_that_nothing_ends_is_a_wait() -> None:
    found, changes = answered(observed_as(chain(), "SOMETHING NEW"))
    assert isinstance(found.verdict, Wait)
    assert not changes


def test_request_with_nothing_to_do_is_answered() -> None:
    gate = replace(chain().request, type=RequestType.DELETE, resource_type=v.TRAINING_GATE_TYPE)
    assert isinstance(answer(gate, AccountCopy({}, now=100.0), UPDATE).verdict, Done)


def test_malformed_request_is_refused() -> None:
    found, changes = answered(**{v.RUNNING: "perhaps"})
    assert isinstance(found.verdict, Fail)
    assert found.verdict.reason.startswith("Nothing was changed. ")
    assert not changes
