"""Logging as Lambda's Python runtime sets it up, for the processes that functions run in here.

ministack sets up nothing, so of what a function logs only warnings would appear, without their
fields. This text is put before that of ministack's worker, so it imports nothing of ours. Source:
`lambda_runtime_log_utils.py` and `bootstrap.py` of github.com/aws/aws-lambda-python-runtime-
interface-client; "Using structured JSON log format with Python", Lambda Developer Guide.

Deviation from AWS: no line has a `requestId`, and lines of plain text have none either.
"""

import json
import logging
import os
import sys
import time
import traceback
from typing import Any, Final

_OF_THE_RECORD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
"""What a record has of its own; whatever else it has was given as `extra`."""


class AsJson(logging.Formatter):
    """One line of JSON for each record, with its extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return json.dumps(
            {
                "timestamp": _time(record),
                "level": record.levelname,
                "message": record.getMessage(),
                "logger": record.name,
                **_error(record),
                **{
                    name: value
                    for name, value in vars(record).items()
                    if name not in _OF_THE_RECORD
                },
            },
            default=str,
            ensure_ascii=False,
        )


class AsText(logging.Formatter):
    """The runtime's form of plain text."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and below it the traceback, if there is one."""
        line = f"[{record.levelname}]\t{_time(record)}\t{record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _time(record: logging.LogRecord) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{whole}.{record.msecs:03.0f}Z"


def _error(record: logging.LogRecord) -> dict[str, Any]:
    if not (record.exc_info and record.exc_info[0]):
        return {}
    kind, error, where = record.exc_info
    return {
        "errorType": kind.__name__,
        "errorMessage": str(error),
        "stackTrace": traceback.format_tb(where),
    }


def install() -> None:
    """Set up the root logger by the variables that Lambda derives from `LoggingConfig`."""
    handler = logging.StreamHandler(sys.stderr)  # what ministack takes a function's output from
    as_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
    handler.setFormatter(AsJson() if as_json else AsText())
    root = logging.getLogger()
    root.addHandler(handler)
    if level := os.environ.get("AWS_LAMBDA_LOG_LEVEL"):
        root.setLevel("DEBUG" if level == "TRACE" else "CRITICAL" if level == "FATAL" else level)
