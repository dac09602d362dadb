"""Errors of AWS are translated by their code, however little a response has."""

import socket
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    UnauthorizedSSOTokenError,
)

from lambdas.recommender.aws import errors
from lambdas.recommender.aws.errors import (
    CredentialsError,
    NoServiceError,
    NotFoundError,
    PermanentError,
    TransientError,
    translate_errors,
)

ANSWERS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "nothing at all": ({}, PermanentError, "Operate: : "),
    "no code": ({"Error": {"Message": "no"}}, PermanentError, "Operate: : no"),
    "no message": ({"Error": {"Code": "New"}}, PermanentError, "Operate: New: "),
    "no status": (
        {"Error": {"Code": "ThrottlingException", "Message": "slow down"}},
        TransientError,
        "Operate: ThrottlingException: slow down",
    ),
    "only a status": ({"ResponseMetadata": {"HTTPStatusCode": 500}}, TransientError, "Operate: : "),
    "the last status that is the caller's fault": (
        {"Error": {"Code": "New", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 499}},
        PermanentError,
        "Operate: New: no",
    ),
    "a status in place of a code": (
        {"Error": {"Code": "400", "Message": "Bad Request"}},
        TransientError,
        "Operate: 400: Bad Request",
    ),
    "expired": (
        {"Error": {"Code": "ExpiredTokenException", "Message": "old"}},
        CredentialsError,
        "Operate: ExpiredTokenException: old",
    ),
    "in use": (
        {"Error": {"Code": "ResourceInUseException", "Message": "busy"}},
        errors.InUseError,
        "Operate: ResourceInUseException: busy",
    ),
    "not there": (
        {"Error": {"Code": "ResourceNotFoundException", "Message": "none"}},
        NotFoundError,
        "Operate: ResourceNotFoundException: none",
    ),
}


def translated(answer: dict[str, Any]) -> Exception:
    """Return the error that a response is translated to."""
    refused = ClientError(answer, "Operate")  # type: ignore[arg-type]
    try:
        with translate_errors("Operate"):
            raise refused
    except (TransientError, NotFoundError, PermanentError) as error:
        return error


@pytest.mark.parametrize("row", ANSWERS)
def test_error_response_with_missing_members_is_translated(row: str) -> None:
    answer, expected, said = ANSWERS[row]

    error = translated(answer)

    assert type(error) is expected
    assert str(error) == said


TRANSIENT = (
    *("InternalFailure", "InternalServerError", "InternalServerException"),
    *("RequestLimitExceeded", "ThrottledException", "Throttling", "ThrottlingException"),
    *("TooManyRequestsException", "RequestTimeout", "RequestTimeoutException"),
    *("ServiceUnavailable", "ServiceUnavailableException", "InvalidNextTokenException"),
    "ResourceAlreadyExistsException",
)
CREDENTIALS = (
    *("AuthFailure", "ExpiredToken", "ExpiredTokenException", "RequestExpired"),
    *("InvalidSignatureException", "SignatureDoesNotMatch"),
    *("RequestInTheFuture", "RequestTimeTooSkewed"),
)
PERMANENT = (
    *("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"),
    *("UnrecognizedClientException", "InvalidClientTokenId", "MissingAuthenticationToken"),
    *("InvalidInputException", "ValidationException", "ValidationError"),
    *("LimitExceededException", "TooManyTagsException", "TooManyTagKeysException"),
    *("ExecutionAlreadyExists", "StateMachineDoesNotExist", "OptInRequired"),
)


@pytest.mark.parametrize("code", TRANSIENT)
def test_transient_code_is_a_transient_error_with_any_status(code: str) -> None:
    for status in (400, 403, 429, 503):
        answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        assert type(translated(answer)) is TransientError, status


@pytest.mark.parametrize("code", CREDENTIALS)
def test_expired_credentials_are_a_transient_credentials_error(code: str) -> None:
    for status in (400, 403, 503):
        answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        error = translated(answer)
        assert type(error) is CredentialsError, status
        assert isinstance(error, TransientError), "the functions get fresh ones"


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (NoCredentialsError(), CredentialsError),
        (UnauthorizedSSOTokenError(), CredentialsError),
        (ReadTimeoutError(endpoint_url="https://aws"), TransientError),
        (ConnectionClosedError(endpoint_url="https://aws"), TransientError),
    ],
)
def test_unsigned_call_is_a_credentials_error_and_a_lost_one_is_transient(
    raised: BotoCoreError, expected: type[Exception]
) -> None:
    with pytest.raises(TransientError) as translated_as, translate_errors("Operate"):
        raise raised
    assert type(translated_as.value) is expected
    if expected is CredentialsError:
        assert str(translated_as.value) == f"Operate: {raised}"


@pytest.mark.parametrize("code", PERMANENT)
def test_permanent_code_is_transient_only_with_a_server_status(code: str) -> None:
    refused = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    at_fault = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 500}}

    assert type(translated(refused)) is PermanentError
    assert type(translated(at_fault)) is TransientError


HINTS = {
    "AccessDenied": "a permissions boundary or a service control policy",
    "AccessDeniedException": "a permissions boundary or a service control policy",
    "LimitExceededException": "5 recommenders per dataset group and 15 per region",
    "TooManyTagsException": "50 tags, and this stack needs three of them",
}


@pytest.mark.parametrize("code", PERMANENT)
def test_permanent_error_has_a_hint_where_one_is_known(code: str) -> None:
    said = str(translated({"Error": {"Code": code, "Message": "no"}}))

    plain, _, hint = said.partition(" Hint: ")
    assert plain == f"Operate: {code}: no{'.' if hint else ''}"
    assert HINTS.get(code, "") in hint
    assert bool(hint) is (code in HINTS)


def test_other_exception_is_not_translated() -> None:
    with pytest.raises(ZeroDivisionError), translate_errors("X"):
        raise ZeroDivisionError


def test_permanent_error_without_a_service_has_no_code() -> None:
    assert PermanentError("The recipe is not there").code == ""
    assert translated({}).code == ""  # type: ignore[attr-defined]


# -- a region without the service --------------------------------------------------------------

NO_NAME = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
NOT_NOW = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
REGIONS = (
    "ap-northeast-1, ap-northeast-2, ap-south-1, ap-southeast-1, ap-southeast-2, ca-central-1, "
    "eu-central-1, eu-west-1, us-east-1, us-east-2, us-west-2"
)


def connecting(
    monkeypatch: pytest.MonkeyPatch, host: str, dns: Exception | None, *, scheme: str = "https"
) -> Exception:
    """Return the error for an unreachable endpoint, if the DNS responds like this."""
    names: list[str] = []

    def getaddrinfo(name: str, port: object) -> list[object]:
        assert port is None
        names.append(name)
        if dns:
            raise dns
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    try:
        with translate_errors("Operate"):
            raise EndpointConnectionError(endpoint_url=f"{scheme}://{host}/path")
    except (TransientError, PermanentError) as error:
        assert set(names) <= {host}
        return error


@pytest.mark.parametrize(
    ("host", "where", "regions"),
    [
        ("personalize.sa-east-1.amazonaws.com", "sa-east-1", REGIONS),
        ("personalize.eu-south-9.amazonaws.com", "eu-south-9", REGIONS),
        ("personalize.us-gov-west-1.amazonaws.com", "us-gov-west-1", "no region of this partition"),
    ],
)
def test_endpoint_unknown_to_sdk_and_dns_is_a_missing_service(
    monkeypatch: pytest.MonkeyPatch, host: str, where: str, regions: str
) -> None:
    error = connecting(monkeypatch, host, NO_NAME)

    service = host.partition(".")[0]
    assert type(error) is NoServiceError
    assert str(error) == (
        f"Operate: there is no {service} in {where}: neither the SDK nor the DNS knows its "
        f"endpoint. The SDK knows it in {regions}. Deploy there."
    )


UNREACHABLE: dict[str, tuple[str, str, Exception | None]] = {
    "known to the SDK": ("https", "personalize.eu-west-1.amazonaws.com", NO_NAME),
    "known to the DNS": ("https", "personalize.sa-east-1.amazonaws.com", None),
    "DNS out of order": ("https", "personalize.sa-east-1.amazonaws.com", NOT_NOW),
    "another domain": ("https", "localhost.localstack.cloud", None),
    "local": ("http", "127.0.0.1:4566", NO_NAME),
    "of a VPC": ("https", "vpce-1.personalize.sa-east-1.example", NO_NAME),
}


@pytest.mark.parametrize("row", UNREACHABLE)
def test_unreachable_endpoint_is_a_transient_error(
    monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    scheme, host, dns = UNREACHABLE[row]

    error = connecting(monkeypatch, host, dns, scheme=scheme)

    assert type(error) is TransientError
    assert str(error).startswith("Operate: no usable answer (EndpointConnectionError(")
