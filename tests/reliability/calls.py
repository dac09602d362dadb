"""What becomes of calls to AWS: something happens before them, or to their answers."""

from collections.abc import Callable, Collection
from typing import Any, Final

from botocore.exceptions import ConnectionClosedError

from local_aws.personalize import ServiceError, validation, wire
from tests.support.personalize import After, Before

PERSONALIZE: Final = frozenset(validation.service_model("personalize").operation_names)
"""The operations of Personalize: the functions call two other services."""


def always(
    operations: str | Collection[str],
    fault: Callable[[], object],
    *,
    while_: Callable[[], bool] = lambda: True,
) -> Before:
    """Let something happen before each call of an operation, or of one of several."""
    meant = {operations} if isinstance(operations, str) else operations

    def before(called: str, _params: dict[str, Any]) -> None:
        if called in meant and while_():
            fault()

    return before


def refuse(
    operations: str | Collection[str], code: str, *, while_: Callable[[], bool] = lambda: True
) -> Before:
    """Let calls of an operation, or of several, be answered with this error."""
    return always(operations, raising(error(code)), while_=while_)


def error(code: str) -> ServiceError:
    """Return an error as the service answers it."""
    status = {"InternalServerError": 500, "ServiceUnavailable": 503}.get(code, 400)
    return ServiceError(code, f"{code}, as the test wants it", status)


def once(
    operation: str, fault: Callable[[], object], *, when: Callable[[], bool] = lambda: True
) -> Before:
    """Let something happen before one call of an operation, the first that comes then."""
    to_come = [fault]

    def happens() -> None:
        to_come.pop()()

    return always(operation, happens, while_=lambda: bool(to_come) and when())


def lose(operation: str, times: int = 1) -> After:
    """Let the answers to the first calls of an operation get lost, though they are applied."""
    calls = iter(range(times))

    def after(called: str, _params: dict[str, Any], _response: wire.Response) -> None:
        if called == operation and next(calls, None) is not None:
            raise ConnectionClosedError(endpoint_url="https://personalize")

    return after


def edit(operation: str, change: Callable[[bytes], bytes], times: int = 10_000) -> After:
    """Let the bodies of the first answers to an operation be changed."""
    calls = iter(range(times))

    def after(
        called: str, _params: dict[str, Any], response: wire.Response
    ) -> wire.Response | None:
        if called != operation or next(calls, None) is None:
            return None
        return (*response[:2], change(response[2]))

    return after


def raising(exception: BaseException) -> Callable[[], None]:
    """Return what raises it."""

    def fault() -> None:
        raise exception.with_traceback(None)

    return fault
