"""The fence: a request acts only in the operation of the stack that sent it."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.aws.errors import PermanentError, TransientError
from lambdas.recommender.decision.verdict import Fail, Wait
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.request import Request
from lambdas.recommender.model.timing import CONFIRM_SECONDS, GRACE_SECONDS
from lambdas.recommender.reconcile.fence import admit, still_newest

from .examples import event
from .fakes import FakeCloudFormation, refusal

SENT = datetime(2026, 1, 1, tzinfo=UTC)


def admitted(cloudformation: FakeCloudFormation, kind: str = "Update") -> Operation | Wait | Fail:
    """Return what the fence says of a request."""
    return admit(Request.parse(event(kind=kind)), Stacks(cloudformation), sent=SENT.timestamp())


def began(seconds_after: float) -> datetime:
    return datetime.fromtimestamp(SENT.timestamp() + seconds_after, UTC)


SENDS: list[tuple[str, str, datetime | None]] = [
    ("Create", "CREATE_IN_PROGRESS", None),
    ("Create", "CREATE_IN_PROGRESS", began(-5)),
    ("Update", "UPDATE_IN_PROGRESS", began(-3600)),
    ("Update", "UPDATE_IN_PROGRESS", began(CONFIRM_SECONDS)),
    ("Update", "UPDATE_ROLLBACK_IN_PROGRESS", began(-3600)),
    ("Delete", "DELETE_IN_PROGRESS", began(-1)),
    ("Delete", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", began(-7200)),
]


@pytest.mark.parametrize(("kind", "status", "updated"), SENDS)
def test_a_request_is_admitted_in_an_operation_that_sends_it(
    kind: str, status: str, updated: datetime | None
) -> None:
    operation = admitted(FakeCloudFormation(status, updated), kind)

    assert operation == Operation(status, updated.isoformat() if updated else "")


LATE: list[tuple[str, str, datetime | None, bool]] = [
    # the last is whether it is certain: a status may show late, a time does not
    ("Create", "ROLLBACK_IN_PROGRESS", None, False),
    ("Create", "DELETE_COMPLETE", None, False),
    ("Update", "UPDATE_COMPLETE", began(-3600), False),
    ("Update", "CREATE_IN_PROGRESS", None, False),
    ("Update", "UPDATE_IN_PROGRESS", began(CONFIRM_SECONDS + 0.5), True),
    ("Update", "UPDATE_COMPLETE", began(60), True),
    ("Delete", "UPDATE_IN_PROGRESS", began(60), True),
]


@pytest.mark.parametrize(("kind", "status", "updated", "certain"), LATE)
def test_a_request_of_an_earlier_operation_changes_nothing(
    kind: str, status: str, updated: datetime | None, certain: bool
) -> None:
    verdict = admitted(FakeCloudFormation(status, updated), kind)

    assert verdict == Fail(
        f"The {kind} of Recommender came too late: the stack is {status}. Nothing was changed. "
        "See the stack's latest operation.",
        confirm=0.0 if certain else CONFIRM_SECONDS,
    )


def failing(error: Exception) -> FakeCloudFormation:
    cloudformation = FakeCloudFormation("UPDATE_IN_PROGRESS")
    cloudformation.fault = error
    return cloudformation


NOT_KNOWN: dict[str, tuple[Exception, Any]] = {
    "it may be known later": (
        refusal("Throttling"),
        Wait("DescribeStacks: Throttling: the message", unseen=True),
    ),
    "the policy may be new": (refusal("AccessDenied"), Fail("", confirm=GRACE_SECONDS)),
    "it may not be": (
        refusal("ValidationError"),
        Fail("Nothing was changed. DescribeStacks: ValidationError: the message"),
    ),
}


@pytest.mark.parametrize("row", NOT_KNOWN)
def test_without_the_stacks_word_nothing_is_changed(row: str) -> None:
    error, expected = NOT_KNOWN[row]

    verdict = admitted(failing(error))

    if row == "the policy may be new":
        assert isinstance(verdict, Fail)
        assert verdict.reason.startswith("Nothing was changed. DescribeStacks: AccessDenied: ")
        verdict = replace(verdict, reason="")
    assert verdict == expected


def test_a_delete_is_never_failed_by_a_stack_that_it_may_not_read_yet() -> None:
    verdict = admitted(failing(refusal("AccessDenied")), "Delete")

    assert isinstance(verdict, Fail)
    assert verdict.confirm == math.inf


def test_an_operation_is_the_newest_until_another_one_has_begun() -> None:
    request = Request.parse(event(kind="Update"))
    cloudformation = FakeCloudFormation("UPDATE_IN_PROGRESS", SENT)
    stacks = Stacks(cloudformation)
    operation = stacks.operation(request.stack_id)

    assert still_newest(request, stacks, operation)

    cloudformation.status = "UPDATE_ROLLBACK_IN_PROGRESS"
    assert not still_newest(request, stacks, operation)

    cloudformation.status, cloudformation.updated = "UPDATE_IN_PROGRESS", began(60)
    assert not still_newest(request, stacks, operation)


@pytest.mark.parametrize(
    ("code", "raised"), [("Throttling", TransientError), ("ValidationError", PermanentError)]
)
def test_whether_it_is_cannot_be_told_without_the_stack(code: str, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        still_newest(
            Request.parse(event()), Stacks(failing(refusal(code))), Operation("CREATE", "")
        )
