"""What functions log and return here is what Lambda's Python runtime would make of it."""

import io
import json
import os
import sys
from typing import Any, NamedTuple
from zipfile import ZipFile, ZipInfo

import pytest
from ministack.services import lambda_svc  # type: ignore[import-untyped]

from local_aws.ministack import functions, worker
from tests.support.project import run_command

JSON_FROM_INFO = {
    "Runtime": "python3.14",
    "LoggingConfig": {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "INFO",
        "LogGroup": "one",
    },
    "Environment": {"Variables": {"MINE": "1"}},
}


def logged(config: dict[str, Any], code: str) -> list[str]:
    """Return what a function with this configuration writes."""
    variables = functions.configured(config)["Environment"]["Variables"]
    script = f"{functions._PRELUDE}\nimport logging\n{code}"
    ran = run_command(sys.executable, "-c", script, env={**os.environ, **variables})
    assert (ran.returncode, ran.stdout) == (0, "")
    return ran.stderr.splitlines()


def test_a_record_with_extra_fields_is_logged_as_one_line_of_json() -> None:
    (line,) = logged(
        JSON_FROM_INFO,
        "log = logging.getLogger('one')\n"
        "log.debug('not this')\n"
        "log.info('Looked %s', 'twice', extra={'look': 2, 'what': {'a', }, 'status': None})",
    )

    found = json.loads(line)
    assert found.pop("timestamp").endswith("Z")
    assert found == {
        "level": "INFO",
        "message": "Looked twice",
        "logger": "one",
        "look": 2,
        "what": "{'a'}",
    }


def test_an_exception_is_logged_in_the_line_of_its_record() -> None:
    (line,) = logged(
        JSON_FROM_INFO,
        "try:\n  1 / 0\nexcept ZeroDivisionError:\n  logging.exception('Cannot')",
    )

    found = json.loads(line)
    assert (found["errorType"], found["errorMessage"]) == ("ZeroDivisionError", "division by zero")
    assert "1 / 0" in found["stackTrace"][0] or "<module>" in found["stackTrace"][0]


def test_a_function_without_logging_config_logs_warnings_as_text() -> None:
    (line,) = logged({}, "logging.info('not this'); logging.warning('but this')")

    level, timestamp, _request, message = line.split("\t")
    assert (level, message) == ("[WARNING]", "but this")
    assert timestamp.endswith("Z")


@pytest.mark.parametrize("level", ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"])
def test_a_critical_record_at_every_level_of_lambda_is_logged(level: str) -> None:
    config = {"LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": level}}

    assert len(logged(config, "logging.critical('this')")) == 1


class Doubt(NamedTuple):
    """What the standard library takes for a list."""

    verdict: str
    since: float


@pytest.mark.parametrize(
    ("value", "comes_out"),
    [
        (None, None),
        ({"one": [1, 2.5, "ä", True, None]}, {"one": [1, 2.5, "ä", True, None]}),
        ((1, 2), [1, 2]),
        (Doubt("Done", 1.5), {"verdict": "Done", "since": 1.5}),
    ],
)
def test_a_returned_value_is_encoded_as_by_the_runtime(value: object, comes_out: object) -> None:
    assert worker.returned(value) == comes_out


@pytest.mark.parametrize(
    ("what", "said"), [(object(), "Unable to marshal response"), ("\ud83c", "surrogates")]
)
def test_a_returned_value_that_cannot_be_encoded_raises(
    what: object, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda_python3.14")
    with pytest.raises(Exception, match=said):
        worker.returned({"what": what})


def test_a_configuration_gets_the_variables_of_the_runtime_and_keeps_the_rest() -> None:
    before = json.dumps(JSON_FROM_INFO)

    made = functions.configured(JSON_FROM_INFO)

    assert made["Environment"]["Variables"] == {
        "MINE": "1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.14",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
    }
    assert made["LoggingConfig"] == JSON_FROM_INFO["LoggingConfig"]
    assert json.dumps(JSON_FROM_INFO) == before


def zipped(modes: dict[str, int]) -> bytes:
    """Return a zip file with entries of these modes."""
    code = io.BytesIO()
    with ZipFile(code, "w") as archive:
        for name, mode in modes.items():
            entry = ZipInfo(name)
            entry.external_attr = mode << 16 | 0x20
            archive.writestr(entry, "")
    return code.getvalue()


@pytest.mark.rows("L9")
@pytest.mark.parametrize(
    ("modes", "found"),
    [
        ({"a/": 0o40755, "a/b.py": 0o100644}, []),
        ({"a/b.py": 0o100604}, []),
        ({"a/b.py": 0}, []),  # of a system without modes
        ({"a.py": 0o100644, "b.py": 0o100600, "c.py": 0o100640}, ["b.py", "c.py"]),
        ({"a/": 0o40744}, ["a/"]),
    ],
)
def test_code_that_only_its_owner_can_read_is_named(
    modes: dict[str, int], found: list[str]
) -> None:
    assert functions.unreadable(zipped(modes)) == found


@pytest.mark.rows("L9")
def test_a_function_whose_code_lambda_could_not_read_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    codes = {"private": zipped({"a.py": 0o100600}), "public": zipped({"a.py": 0o100644})}
    monkeypatch.setattr(lambda_svc, "_fetch_code_from_s3", lambda _, key, **__: codes.get(key))
    functions.refuse_unreadable_code()

    assert lambda_svc._fetch_code_from_s3("code", "public") == codes["public"]
    assert lambda_svc._fetch_code_from_s3("code", "nothing") is None
    with pytest.raises(ValueError, match=r"could not read 1 files of s3://code/private.*a\.py"):
        lambda_svc._fetch_code_from_s3("code", "private")
