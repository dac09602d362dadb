"""The engine's internals that the patches of local_aws/ministack use are as these expect them."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from ministack.core import (  # type: ignore[import-untyped]
    iam_actions,
    iam_evaluator,
    lambda_runtime,
    responses,
    router,
)
from ministack.services import (  # type: ignore[import-untyped]
    cloudwatch,
    cloudwatch_logs,
    eventbridge,
    lambda_svc,
    sns,
)
from ministack.services.cloudformation import (  # type: ignore[import-untyped]
    provisioners,
    stacks,
)

from local_aws.ministack import functions

INTERNALS: list[tuple[Callable[..., Any], str]] = [
    # alarms.py
    (provisioners._cw_metric_alarm_record, "name props"),
    # events.py
    (
        stacks._add_event,
        "stack_id stack_name logical_id resource_type status reason physical_id detailed_status",
    ),
    (eventbridge._put_events, "data allow_aws_source"),
    (eventbridge._dispatch_to_sns, "arn payload"),
    (sns.topic_policy_for_arn, "topic_arn"),
    # functions.py
    (lambda_runtime.Worker.__init__, "self func_name config code_zip"),
    (lambda_svc._fetch_code_from_s3, "bucket key version_id"),
    # iam.py
    (router.extract_access_key_id, "headers query_params"),
    (router.extract_region, "headers query_params"),
    (responses.set_request_account_id, "access_key_id"),
    (responses.set_request_region, "region"),
    (responses.get_account_id, ""),
    (iam_evaluator.find_iam_access_key_account, "access_key_id"),
    (iam_evaluator.pin_request_origin, "source_ip secure_transport"),
    (lambda_runtime.execution_credentials, "config"),
    (lambda_svc._emit_lambda_logs, "func request_id log_text error duration_ms log_source"),
    (
        iam_evaluator.pin_signed_request,
        "method raw_path query_params raw_headers handshake",
    ),
    (iam_evaluator.pin_signed_body, "body"),
    (iam_evaluator.check_credentials, "access_key_id service"),
    (iam_evaluator.request_caller_arn, "headers query_params"),
    (
        iam_evaluator.enforce,
        "access_key_id iam_action service region resource_arn service_context",
    ),
    (iam_evaluator._resolve_condition_key, "key ctx"),
    (iam_actions.identity_denial_message, "action principal_arn resource explicit_deny"),
    # metrics.py
    (cloudwatch_logs._append_log_events, "stream events"),
    (cloudwatch._store_datum, "namespace name dims ts unit value values counts stat_values"),
    (cloudwatch._evaluate_all_alarms, ""),
    (cloudwatch._evaluate_alarm, "alarm"),
    (cloudwatch._dims_key, "dims"),
    (cloudwatch._dims_from_list, "dimensions"),
    (cloudwatch.record_metric, "namespace metric_name value unit dimensions"),
]
"""Functions of ministack with the names of their parameters, by the module that uses them."""


@pytest.mark.parametrize(
    ("function", "parameters"), INTERNALS, ids=[one.__qualname__ for one, _ in INTERNALS]
)
def test_an_internal_that_is_used_has_the_parameters_that_are_expected(
    function: Callable[..., Any], parameters: str
) -> None:
    assert " ".join(inspect.signature(function).parameters) == parameters


def test_the_worker_of_functions_can_be_patched_and_lets_the_variables_of_the_runtime_through() -> (
    None
):
    assert lambda_runtime._PYTHON_WORKER_SCRIPT.count(functions._RETURNS) == 1
    assert not {"AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL"} & (
        lambda_runtime._RESERVED_RUNTIME_ENV_VARS
    )
