"""Functions, where ministack does not run them as Lambda's Python runtime does.

This reaches into ministack as `ministack_iam` does, and the tests of the two say what is missing
when an upgrade moves a part.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ministack.core import lambda_runtime  # type: ignore[import-untyped]

from local_aws import function_runtime

_PRELUDE: Final = f"""
_runtime = {{"__name__": "function_runtime"}}
exec({Path(function_runtime.__file__).read_text(encoding="utf-8")!r}, _runtime)
_runtime["log"]()
"""
_RETURNS: Final = "result = handler_fn(event, context)"


def run_as_the_runtime_does() -> None:
    """Have every Python function log and return what it would in Lambda."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    lambda_runtime._PYTHON_WORKER_SCRIPT = _PRELUDE + script.replace(
        _RETURNS, "result = _runtime['returned'](handler_fn(event, context))"
    )
    made = lambda_runtime.Worker.__init__

    def with_variables(worker: Any, name: str, config: dict[str, Any], code: bytes) -> None:
        made(worker, name, configured(config), code)

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
