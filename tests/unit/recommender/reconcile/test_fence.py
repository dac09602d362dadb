"""The fence: a request acts only in the operation of the stack that sent it."""

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lambdas.recommender.aws.cloudformation import Stacks
from lambdas.recommender.decision.verdict import Fail, Wait
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.model.request import Request
from lambdas.recommender.model.timing import CONFIRM_SECONDS, GRACE_SECONDS
from lambdas.recommender.reconcile.fence import admit, still_newest

from ..examples import event
from ..fakes import FakeCloudFormation, refusal

SENT = datetime(2026, 1, 1, tzinfo=UTC)


def admitted(cloudformation: FakeCloudFormation, kind: str = "Update") -> Operation | Wait | Fail:
    """Pass a request to the fence."""
    return admit(Request.parse(event(kind=kind)), Stacks(cloudformation), sent=SENT.timestamp())


def began(seconds_after: float) -> datetime:
    return datetime.fromtimestamp(SENT.timestamp() + seconds_after, UTC)


SENDS: list[tuple[str, str, datetime | None]] = [
    ("Create", "CREATE_IN_PROGRESS", None),
    ("Update", "UPDATE_IN_PROGRESS", began(-3600)),
    ("Update", "UPDATE_IN_PROGRESS", began(CONFIRM_SECONDS)),
    ("Delete", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", began(-7200)),
]


@pytest.mark.parametrize(("kind", "status", "updated"), SENDS)
def test_request_is_admitted_in_an_operation_that_sends_it(
    kind: str, status: str, updated: datetime | None
) -> None:
    operation = admitted(FakeCloudFormation(status, updated), kind)

    assert operation == Operation(status, updated.isoformat() if updated else "")


LATE: list[tuple[str, str, datetime | None, bool]] = [
    # the last: it needs no confirmation, for a status may show late, but a time does not
    ("Create", "ROLLBACK_IN_PROGRESS", None, False),
    ("Update", "UPDATE_COMPLETE", began(-3600), False),
    ("Update", "UPDATE_IN_PROGRESS", began(CONFIRM_SECONDS + 0.5), True),
    ("Update", "UPDATE_COMPLETE", began(60), True),
]


@pytest.mark.parametrize(("kind", "status", "updated", "confirmed"), LATE)
def test_request_of_an_earlier_operation_fails(
    kind: str, status: str, updated: datetime | None, confirmed: bool
) -> None:
    verdict = admitted(FakeCloudFormation(status, updated), kind)

    assert verdict == Fail(
        f"The {kind} of Recommender came too late: the stack is {status}, so it changes nothing "
        "more. See the stack's latest operation.",
        confirm=0.0 if confirmed else CONFIRM_SECONDS,
    )


def failing(error: Exception) -> FakeCloudFormation:
    cloudformation = FakeCloudFormation("UPDATE_IN_PROGRESS")
    cloudformation.fault = error
    return cloudformation


NOT_READ = "The stack cannot be read, so this request changes nothing more."
UNREADABLE: list[tuple[str, str, Wait | Fail]] = [
    ("Throttling", "", Wait("", unseen=True)),
    ("AccessDenied", f"{NOT_READ} ", Fail("", confirm=GRACE_SECONDS)),
    ("ValidationError", f"{NOT_READ} ", Fail("")),
]


@pytest.mark.parametrize(("code", "said", "expected"), UNREADABLE)
def test_request_is_not_admitted_while_the_stack_cannot_be_read(
    code: str, said: str, expected: Wait | Fail
) -> None:
    verdict = admitted(failing(refusal(code)))

    assert isinstance(verdict, Wait | Fail)
    assert verdict.reason.startswith(f"{said}DescribeStacks: {code}: the message")
    assert replace(verdict, reason="") == expected


def test_delete_is_never_failed_by_a_stack_that_it_may_not_read_yet() -> None:
    verdict = admitted(failing(refusal("AccessDenied")), "Delete")

    assert isinstance(verdict, Fail)
    assert verdict.confirm == math.inf


def test_operation_is_the_newest_until_another_one_has_begun() -> None:
    request = Request.parse(event(kind="Update"))
    cloudformation = FakeCloudFormation("UPDATE_IN_PROGRESS", SENT)
    stacks = Stacks(cloudformation)
    operation = stacks.operation(request.stack_id)

    assert still_newest(request, stacks, operation)

    cloudformation.status = "UPDATE_ROLLBACK_IN_PROGRESS"
    assert not still_newest(request, stacks, operation)

    cloudformation.status, cloudformation.updated = "UPDATE_IN_PROGRESS", began(60)
    assert not still_newest(request, stacks, operation)
