"""Sort the errors of calls to AWS by the reaction to them.

The error's code decides, never its message; the message is only passed on.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import botocore.session
from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ParamValidationError,
    UnknownRegionError,
)
from botocore.exceptions import ConnectionError as UnconnectedError
from botocore.parsers import ResponseParserError

from ..text import sentence


class TransientError(Exception):
    """A call did not succeed now, and may succeed later."""


class CredentialsError(TransientError):
    """Credentials are missing, or AWS refused them as out of date; a later call may have others."""


class InUseError(TransientError):
    """The state of the resource forbids the call; it may last for hours."""


class NotFoundError(Exception):
    """The resource of a call does not exist, or does not show yet."""


class PermanentError(Exception):
    """A call will not succeed; the message has the service's words, and our hint if one exists."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class NoServiceError(PermanentError):
    """The service has no endpoint in this region, so it has no resources here."""


INVALID_INPUT: Final = "InvalidInputException"
IN_USE: Final = "ResourceInUseException"
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
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Besides every 5xx. "Exists" is a state that the next poll shows and explains."""

_CLOCK_OR_CREDENTIALS: Final = frozenset(
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
"""Refusals because of time: a wrong clock, or credentials that are too old.

They pass: another sandbox, or the same one later, signs with the right time and fresh credentials.
An unknown token or client ("UnrecognizedClientException") does not pass.
Sources: ``CLOCK_SKEW_ERROR_CODES`` in github.com/aws/aws-sdk-js-v3
(packages/service-error-classification) has them retried. Lambda functions met both, and worked
before and afterwards (boto/boto3 issue 1127, aws/aws-sdk-net issue 1506).
"""

_OF_THE_CONNECTION: Final = (
    ChecksumError,
    HTTPClientError,
    IncompleteReadError,
    ResponseParserError,
    UnconnectedError,
    KeyError,
)
"""The errors of a lost or cut answer; any other error of the SDK means that it signed nothing."""

_FIRST_SERVER_FAULT: Final = 500

_HINTS: Final = {
    **dict.fromkeys(
        ACCESS_DENIED,
        "The role of the stack's Lambda functions lacks this permission, or a permissions boundary "
        "or a service control policy takes it away. If you gave it just now, a running function "
        "may not have it yet: deploy again.",
    ),
    "LimitExceededException": (
        "Personalize allows 5 recommenders per dataset group and 15 per region (developer guide, "
        "endpoints and quotas): delete one that you do not need, then deploy again."
    ),
    "TooManyTagsException": (
        "A recommender can have 50 tags, and this stack needs three of them: set fewer tags, then "
        "deploy again."
    ),
}


@contextmanager
def translate_errors(operation: str) -> Iterator[None]:
    """Translate boto3's errors from a call of ``operation``.

    Raises:
        InUseError: a passing state of the resource.
        TransientError: throttling, a fault of the service or of the network, a lost or cut answer.
            (botocore parses a cut answer as empty, so a ``KeyError`` shows it.)
        CredentialsError: only other credentials can help.
        NotFoundError: the service does not show the resource.
        NoServiceError: this region does not have the service.
        PermanentError: anything else.
    """
    try:
        yield
    except ClientError as error:
        raise _sorted(operation, error) from error
    except ParamValidationError as error:
        raise PermanentError(
            f"{operation}: the AWS SDK (in a function, the Lambda runtime's) rejects this request; "
            f"it may be too old: {error}"
        ) from error
    except EndpointConnectionError as error:
        endpoint = str(error.kwargs["endpoint_url"])
        if reason := _no_service_at(endpoint):
            raise NoServiceError(f"{operation}: {reason}") from error
        raise TransientError(f"{operation}: no usable answer ({error!r})") from error
    except _OF_THE_CONNECTION as error:
        raise TransientError(f"{operation}: no usable answer ({error!r})") from error
    except BotoCoreError as error:
        raise CredentialsError(f"{operation}: {error}") from error


def _no_service_at(endpoint: str) -> str:
    """Explain why an unreachable endpoint has no service; return nothing if it may have one.

    The SDK makes an endpoint from any region's name. If a region lacks the service, the DNS does
    not know that name. It knows the name of a region that is newer than the SDK.
    """
    match = re.match(r"https://(([a-z-]+)\.([a-z0-9-]+)\.[a-z0-9.-]+)", endpoint)
    if match is None:
        return ""
    host, service, region = match.groups()
    sdk = botocore.session.get_session()
    try:
        partition = sdk.get_partition_for_region(region)
    except UnknownRegionError:
        return ""
    regions = sdk.get_available_regions(service, partition_name=partition)
    if region in regions or _is_known(host):
        return ""
    return (
        f"there is no {service} in {region}: neither the SDK nor the DNS knows its endpoint. "
        f"The SDK knows it in {', '.join(regions) or 'no region of this partition'}. Deploy there."
    )


def _is_known(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None)
    except socket.gaierror as error:
        return error.errno != socket.EAI_NONAME
    return True


def _sorted(operation: str, error: ClientError) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    message = error.response.get("Error", {}).get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    text = f"{operation}: {code}: {message}"
    if code == "ResourceNotFoundException":
        return NotFoundError(text)
    if code in _CLOCK_OR_CREDENTIALS:
        return CredentialsError(text)
    if code == IN_USE:
        return InUseError(text)
    # botocore gives a status in place of a code if the body of the error was cut.
    if code in _TRANSIENT or code.isdigit() or status >= _FIRST_SERVER_FAULT:
        return TransientError(text)
    hint = _HINTS.get(code)
    return PermanentError(f"{sentence(text)} Hint: {hint}" if hint else text, code=code)
