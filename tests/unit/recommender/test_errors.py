"""Errors of AWS are sorted by their code, however little of an answer there is."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.recommender.errors import (
    NotFoundError,
    PermanentError,
    TransientError,
    sorted_errors,
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
        with sorted_errors("Operate"):
            raise refused
    except (TransientError, NotFoundError, PermanentError) as error:
        return error


@pytest.mark.parametrize("row", ANSWERS)
def test_what_an_answer_lacks_is_left_out_and_the_rest_passed_on(row: str) -> None:
    answer, expected, said = ANSWERS[row]

    error = sorted_error(answer)

    assert type(error) is expected
    assert str(error) == said


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidInputException", "New"])
def test_what_is_refused_for_good_says_by_which_code(code: str) -> None:
    error = sorted_error({"Error": {"Code": code, "Message": "no"}})

    assert isinstance(error, PermanentError)
    assert error.code == code


def test_what_no_service_refused_has_no_code() -> None:
    assert PermanentError("The recipe is not there").code == ""
    assert sorted_error({}).code == ""  # type: ignore[attr-defined]
