"""What went wrong in a call to AWS, sorted by what to do about it.

Sorted by the error's code, never by its message, which is only passed on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ParamValidationError
from botocore.parsers import ResponseParserError


class TransientError(Exception):
    """A call did not succeed now, and may succeed later."""


class NotFoundError(Exception):
    """The resource of a call does not exist, or does not show yet."""


class PermanentError(Exception):
    """A call will not succeed; the message has the service's words, and a hint if we know one."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


INVALID_INPUT: Final = "InvalidInputException"
ACCESS_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})

_TRANSIENT: Final = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "InvalidNextTokenException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "ResourceAlreadyExistsException",
        "ResourceInUseException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Besides every 5xx. "Exists" and "in use" are a state that the next look shows and explains."""

_UNTIMELY: Final = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidSignatureException",
        "RequestExpired",
        "RequestInTheFuture",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)
"""Refusals that are about time: a clock that is wrong, or credentials that are too old.

They pass, too: another sandbox, or a moment later, signs with the right time and fresh credentials.
That a token or a client is not known at all ("UnrecognizedClientException") does not.
Sources: ``CLOCK_SKEW_ERROR_CODES`` in github.com/aws/aws-sdk-js-v3
(packages/service-error-classification), which has them retried; both were met in Lambda functions
that had worked before and did afterwards (boto/boto3 issue 1127, aws/aws-sdk-net issue 1506).
"""

_FIRST_SERVER_FAULT: Final = 500

_LACKS_PERMISSION: Final = (
    "The role of the stack's Lambda functions lacks this permission, or a permissions boundary or "
    "a service control policy takes it away."
)
_HINTS: Final = {
    "AccessDenied": _LACKS_PERMISSION,
    "AccessDeniedException": _LACKS_PERMISSION,
    "LimitExceededException": (
        "Personalize allows 5 recommenders per dataset group and 15 per region (developer guide, "
        "endpoints and quotas): delete one that is not needed, then deploy again."
    ),
    "TooManyTagsException": "A recommender can have 50 tags, of which three are reserved here.",
}


@contextmanager
def sorted_errors(operation: str) -> Iterator[None]:
    """Translate what boto3 raises while it calls ``operation``.

    Raises:
        TransientError: throttling, a fault of the service or of the network, an answer that was
            lost or cut (botocore parses a cut one as empty, so that a ``KeyError`` shows it), or a
            state of the resource that passes.
        NotFoundError: the service does not show the resource.
        PermanentError: anything else.
    """
    try:
        yield
    except ClientError as error:
        raise _sorted(operation, error) from error
    except ParamValidationError as error:
        raise PermanentError(f"{operation} is not known like this to this SDK: {error}") from error
    except (BotoCoreError, HTTPClientError, ResponseParserError, KeyError) as error:
        raise TransientError(f"{operation}: no usable answer ({error!r})") from error


def _sorted(operation: str, error: ClientError) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    message = error.response.get("Error", {}).get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    text = f"{operation}: {code}: {message}"
    if code == "ResourceNotFoundException":
        return NotFoundError(text)
    # A status in place of a code: that is how botocore reads an error whose body was cut.
    if code in _TRANSIENT | _UNTIMELY or code.isdigit() or status >= _FIRST_SERVER_FAULT:
        return TransientError(text)
    hint = _HINTS.get(code)
    return PermanentError(f"{text} Hint: {hint}" if hint else text, code=code)
