"""Do the work of Lambda's Python runtime in the processes that run functions here.

ministack sets up no logging, so only a function's warnings would appear, without their fields. It
encodes the returned value with the standard library's JSON, which makes a list of a named tuple;
the runtime makes an object. So this module uses the runtime's own formatter and encoder
(github.com/aws/aws-lambda-python-runtime-interface-client).

This text is put before that of ministack's worker, so it imports nothing of ours.

Deviation from AWS: no line has a request id.
"""

import json
import logging
import os
import sys
import time
from typing import Any

from awslambdaric.lambda_runtime_log_utils import JsonFormatter  # type: ignore[import-untyped]
from awslambdaric.lambda_runtime_marshaller import (  # type: ignore[import-untyped]
    LambdaMarshaller,
)


def returned(value: Any) -> Any:
    """Encode the value that a function returns, as its caller gets it."""
    encoded, _ = LambdaMarshaller().marshal_response(value)
    return json.loads(encoded.encode())


class AsText(logging.Formatter):
    """The runtime's form of plain text; its own is made where it is used, in `bootstrap.py`."""

    def __init__(self) -> None:
        super().__init__(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t\t%(message)s\n", "%Y-%m-%dT%H:%M:%S"
        )


def log() -> None:
    """Set up the root logger by the variables that Lambda derives from `LoggingConfig`."""
    logging.Formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)  # what ministack takes a function's output from
    handler.terminator = ""
    as_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
    handler.setFormatter(JsonFormatter() if as_json else AsText())
    root = logging.getLogger()
    root.addHandler(handler)
    if level := os.environ.get("AWS_LAMBDA_LOG_LEVEL"):
        root.setLevel("DEBUG" if level == "TRACE" else level)
