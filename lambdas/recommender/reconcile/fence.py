"""The fence of ADR 4: a request acts only in the operation of the stack that sent it."""

from ..aws.cloudformation import Stacks
from ..aws.errors import ACCESS_DENIED, PermanentError, TransientError
from ..decision.verdict import Fail, Wait
from ..model.operation import Operation
from ..model.request import Request
from ..model.timing import CONFIRM_SECONDS


def admit(request: Request, stacks: Stacks, *, sent: float) -> Operation | Wait | Fail:
    """Return the operation that sent a request, or the reason why it is unknown or over.

    An operation that began after the request was ``sent`` (epoch seconds) did not send it. Neither
    did one that sends no requests of this type; since the stack's status may show late, that is
    confirmed for six seconds.
    """
    try:
        operation = stacks.operation(request.stack_id)
    except TransientError as error:
        return Wait(str(error), unseen=True)
    except PermanentError as error:
        confirm = request.grace if error.code in ACCESS_DENIED else 0.0
        reason = f"The stack cannot be read, so this request changes nothing more. {error}"
        return Fail(reason, confirm=confirm)
    began_later = operation.began > sent + CONFIRM_SECONDS
    if operation.sends(request.type) and not began_later:
        return operation
    return Fail(
        f"The {request.type} of {request.logical_id} came too late: the stack is "
        f"{operation.status}, so it changes nothing more. See the stack's latest operation.",
        confirm=0.0 if began_later else CONFIRM_SECONDS,
    )


def still_newest(request: Request, stacks: Stacks, operation: Operation) -> bool:
    """Return whether the operation that sent a request is still under way.

    Raises:
        TransientError, PermanentError: the stack cannot be read.
    """
    return stacks.operation(request.stack_id) == operation
