"""Errors of AWS are sorted by their code, however little of an answer there is."""

import socket
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
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
from lambdas.recommender.text import sentence

ANSWERS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "nothing at all": ({}, PermanentError, "Operate: : "),
    "no code": ({"Error": {"Message": "no"}}, PermanentError, "Operate: : no"),
    "no message": ({"Error": {"Code": "New"}}, PermanentError, "Operate: New: "),
    "no status": (
        {"Error": {"Code": "ThrottlingException", "Message": "slow down"}},
        TransientError,
        "Operate: ThrottlingException: slow down",
    ),
    "only a status": (
        {"ResponseMetadata": {"HTTPStatusCode": 500}},
        TransientError,
        "Operate: : ",
    ),
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
    "not there": (
        {"Error": {"Code": "ResourceNotFoundException", "Message": "none"}},
        NotFoundError,
        "Operate: ResourceNotFoundException: none",
    ),
}


def sorted_error(answer: dict[str, Any]) -> Exception:
    """Return what becomes of an answer that is an error."""
    refused = ClientError(answer, "Operate")  # type: ignore[arg-type]
    try:
        with translate_errors("Operate"):
            raise refused
    except (TransientError, NotFoundError, PermanentError) as error:
        return error


@pytest.mark.parametrize("row", ANSWERS)
def test_what_an_answer_lacks_is_left_out_and_the_rest_passed_on(row: str) -> None:
    answer, expected, said = ANSWERS[row]

    error = sorted_error(answer)

    assert type(error) is expected
    assert str(error) == said


PASSING = (
    *("InternalFailure", "InternalServerError", "InternalServerException"),
    *("RequestLimitExceeded", "ThrottledException", "Throttling", "ThrottlingException"),
    *("TooManyRequestsException", "RequestTimeout", "RequestTimeoutException"),
    *("ServiceUnavailable", "ServiceUnavailableException", "InvalidNextTokenException"),
    "ResourceAlreadyExistsException",
)
UNTIMELY = (
    *("AuthFailure", "ExpiredToken", "ExpiredTokenException", "RequestExpired"),
    *("InvalidSignatureException", "SignatureDoesNotMatch"),
    *("RequestInTheFuture", "RequestTimeTooSkewed"),
)
LASTING = (
    *("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"),
    *("UnrecognizedClientException", "InvalidClientTokenId", "MissingAuthenticationToken"),
    *("InvalidInputException", "ValidationException", "ValidationError"),
    *("LimitExceededException", "TooManyTagsException", "TooManyTagKeysException"),
    *("ExecutionAlreadyExists", "StateMachineDoesNotExist", "OptInRequired"),
)


@pytest.mark.parametrize("code", PASSING)
def test_an_error_that_passes_is_one_whatever_its_status(code: str) -> None:
    for status in (400, 403, 429, 503):
        answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        assert type(sorted_error(answer)) is TransientError, status


@pytest.mark.parametrize("code", UNTIMELY)
def test_credentials_that_are_out_of_date_pass_and_are_told_from_what_else_passes(
    code: str,
) -> None:
    for status in (400, 403, 503):
        answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        error = sorted_error(answer)
        assert type(error) is CredentialsError, status
        assert isinstance(error, TransientError), "the functions get fresh ones"


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (NoCredentialsError(), CredentialsError),
        (UnauthorizedSSOTokenError(), CredentialsError),
        (ReadTimeoutError(endpoint_url="https://aws"), TransientError),
    ],
)
def test_what_the_sdk_could_not_sign_is_told_from_what_got_lost(
    raised: BotoCoreError, expected: type[Exception]
) -> None:
    with pytest.raises(TransientError) as sorted_as, translate_errors("Operate"):
        raise raised
    assert type(sorted_as.value) is expected
    if expected is CredentialsError:
        assert str(sorted_as.value) == f"Operate: {raised}"


def test_a_resource_that_is_in_use_is_an_error_of_its_own_that_passes() -> None:
    answer = {
        "Error": {"Code": "ResourceInUseException"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    assert type(sorted_error(answer)) is errors.InUseError
    assert issubclass(errors.InUseError, TransientError)


@pytest.mark.parametrize("code", LASTING)
def test_an_error_that_lasts_is_one_unless_the_service_is_at_fault(code: str) -> None:
    refused = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    at_fault = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 500}}

    assert type(sorted_error(refused)) is PermanentError
    assert type(sorted_error(at_fault)) is TransientError


def test_every_code_that_passes_is_among_these() -> None:
    assert set(PASSING) == errors._TRANSIENT
    assert set(UNTIMELY) == errors._CLOCK_OR_CREDENTIALS


HINTS = {
    "AccessDenied": "a permissions boundary or a service control policy",
    "AccessDeniedException": "a permissions boundary or a service control policy",
    "LimitExceededException": "5 recommenders per dataset group and 15 per region",
    "TooManyTagsException": "50 tags, and this stack needs three of them",
}


@pytest.mark.parametrize("code", LASTING)
def test_what_helps_against_it_is_said_where_it_is_known(code: str) -> None:
    said = str(sorted_error({"Error": {"Code": code, "Message": "no"}}))

    plain, _, hint = said.partition(" Hint: ")
    assert plain == f"Operate: {code}: no{'.' if hint else ''}"
    assert HINTS.get(code, "") in hint
    assert bool(hint) is (code in HINTS)


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidInputException", "New"])
def test_what_is_refused_for_good_says_by_which_code(code: str) -> None:
    error = sorted_error({"Error": {"Code": code, "Message": "no"}})

    assert isinstance(error, PermanentError)
    assert error.code == code


def test_what_no_service_refused_has_no_code() -> None:
    assert PermanentError("The recipe is not there").code == ""
    assert sorted_error({}).code == ""  # type: ignore[attr-defined]


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
    """Return what becomes of an endpoint that cannot be reached, of which the DNS says this."""
    asked: list[str] = []

    def look_up(name: str, port: object) -> list[object]:
        assert port is None
        asked.append(name)
        if dns:
            raise dns
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        with translate_errors("Operate"):
            raise EndpointConnectionError(endpoint_url=f"{scheme}://{host}/path")
    except (TransientError, PermanentError) as error:
        assert set(asked) <= {host}
        return error


@pytest.mark.parametrize(
    ("host", "where", "regions"),
    [
        ("personalize.sa-east-1.amazonaws.com", "sa-east-1", REGIONS),
        ("personalize.eu-south-9.amazonaws.com", "eu-south-9", REGIONS),
        ("personalize.us-gov-west-1.amazonaws.com", "us-gov-west-1", "no region of this partition"),
    ],
)
def test_a_region_that_neither_the_sdk_nor_the_dns_knows_has_no_such_service(
    monkeypatch: pytest.MonkeyPatch, host: str, where: str, regions: str
) -> None:
    error = connecting(monkeypatch, host, NO_NAME)

    service = host.partition(".")[0]
    assert type(error) is NoServiceError
    assert str(error) == (
        f"Operate: there is no {service} in {where}: neither the SDK nor the DNS knows its "
        f"endpoint. The SDK knows it in {regions}. Deploy there."
    )


CANNOT_BE_REACHED: dict[str, tuple[str, str, Exception | None]] = {
    "the SDK knows it": ("https", "personalize.eu-west-1.amazonaws.com", NO_NAME),
    "the DNS knows it": ("https", "personalize.sa-east-1.amazonaws.com", None),
    "the DNS does not know it now": ("https", "personalize.sa-east-1.amazonaws.com", NOT_NOW),
    "it is a local one": ("http", "127.0.0.1:4566", NO_NAME),
    "it is one of a network's own": ("https", "vpce-1.personalize.sa-east-1.example", NO_NAME),
}


@pytest.mark.parametrize("row", CANNOT_BE_REACHED)
def test_an_endpoint_that_cannot_be_reached_may_be_later(
    monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    scheme, host, dns = CANNOT_BE_REACHED[row]

    error = connecting(monkeypatch, host, dns, scheme=scheme)

    assert type(error) is TransientError
    assert str(error).startswith("Operate: no usable answer (EndpointConnectionError(")


def test_an_endpoint_that_is_not_of_aws_may_be_reached_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = connecting(monkeypatch, "localhost.localstack.cloud", None)

    assert type(error) is TransientError


@pytest.mark.parametrize(
    ("said", "read"), [("No.", "No."), ("No!", "No!"), ("Why?", "Why?"), ("No", "No."), ("", "")]
)
def test_what_a_service_says_ends_as_a_sentence(said: str, read: str) -> None:
    assert sentence(said) == read
