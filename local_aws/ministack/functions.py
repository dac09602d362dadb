"""Functions, where ministack does not run them as Lambda's Python runtime does."""

import io
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from zipfile import ZipFile, ZipInfo

from ministack.core import lambda_runtime  # type: ignore[import-untyped]
from ministack.services import lambda_svc  # type: ignore[import-untyped]

from local_aws.ministack import worker

_PRELUDE: Final = f"""
_runtime = {{"__name__": "worker"}}
exec({Path(worker.__file__).read_text(encoding="utf-8")!r}, _runtime)
_runtime["log"]()
"""
_RETURNS: Final = "result = handler_fn(event, context)"


def run_as_lambda() -> None:
    """Let every Python function log and return as in Lambda."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    lambda_runtime._PYTHON_WORKER_SCRIPT = _PRELUDE + script.replace(
        _RETURNS, "result = _runtime['returned'](handler_fn(event, context))"
    )
    made = lambda_runtime.Worker.__init__

    def with_variables(self: Any, name: str, config: dict[str, Any], code: bytes) -> None:
        made(self, name, configured(config), code)

    lambda_runtime.Worker.__init__ = with_variables


def configured(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a function's configuration with the variables by which its runtime goes."""
    logging = config.get("LoggingConfig") or {}
    of_the_runtime = {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime')}",
        "AWS_LAMBDA_LOG_FORMAT": logging.get("LogFormat"),
        "AWS_LAMBDA_LOG_LEVEL": logging.get("ApplicationLogLevel"),
    }
    variables = (config.get("Environment") or {}).get("Variables") or {}
    known = {name: value for name, value in of_the_runtime.items() if value}
    return {**config, "Environment": {"Variables": {**variables, **known}}}


def refuse_unreadable_code() -> None:
    """Refuse every function whose code Lambda could not read.

    Lambda takes such code, and fails at each invocation: it runs functions as a user that does not
    own their files (aws-cdk issue 8233). A custom resource is never answered then, and
    CloudFormation waits for an hour. The local AWS fails at once, and says why.
    """
    fetch = lambda_svc._fetch_code_from_s3

    def fetched(bucket: str, key: str, version_id: str | None = None) -> bytes | None:
        code: bytes | None = fetch(bucket, key, version_id=version_id)
        if code and (names := unreadable(code)):
            raise ValueError(
                f"Lambda could not read {len(names)} files of s3://{bucket}/{key}, the first is "
                f"{names[0]}: only their owner may read them, as in a checkout made under umask "
                "077. Give everybody the permission to read them, then deploy again."
            )
        return code

    lambda_svc._fetch_code_from_s3 = fetched


def unreadable(code: bytes) -> list[str]:
    """Return the names in a zip file that only the owner of the files could read."""
    with ZipFile(io.BytesIO(code)) as archive:
        return [entry.filename for entry in archive.infolist() if _is_private(entry)]


def _is_private(entry: ZipInfo) -> bool:
    mode = entry.external_attr >> 16
    needed = stat.S_IROTH | (stat.S_IXOTH if entry.is_dir() else 0)
    return bool(mode) and mode & needed != needed
