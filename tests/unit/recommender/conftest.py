"""Whatever a test does, no log of the functions has a ResponseURL."""

import logging
from collections.abc import Iterator

import pytest
from awslambdaric.lambda_runtime_log_utils import JsonFormatter  # type: ignore[import-untyped]

from .examples import SIGNATURE


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        JsonFormatter().format(record).encode()  # as Lambda's runtime does
        self.shown.append(f"{self.format(record)} {vars(record)!r}")


@pytest.fixture(autouse=True)
def _no_response_url_is_logged() -> Iterator[None]:
    """Read the log at the level that the deployed functions have, as `caplog` then does, too."""
    log, logger = _Log(), logging.getLogger("lambdas")
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(log)
    yield
    logger.removeHandler(log)
    logger.setLevel(before)
    logged = [text for text in log.shown if SIGNATURE in text or "X-Amz-Signature" in text]
    assert logged == []
