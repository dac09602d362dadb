"""All that reaches into ministack, and where it is made to behave as AWS does.

| here | ministack 1.5.33 | upstream, github.com/ministackorg/ministack |
| --- | --- | --- |
| `alarms.accept_metric_math` | refuses an alarm with `Metrics` | pull request 265 |
| `events.deliver_to_topics_that_allow_it` | publishes whatever the policy says | none; \
`_dispatch_to_sns` in `services/eventbridge.py` |
| `events.send_stack_events` | sends no event of CloudFormation to EventBridge | none; \
`_add_event` in `services/cloudformation/stacks.py` |
| `functions.refuse_unreadable_code` | runs code that Lambda cannot read | none; issue 8233 of \
aws-cdk |
| `functions.run_as_lambda` | sets up no logging, returns a named tuple as a list | none; \
`_PYTHON_WORKER_SCRIPT` in `core/lambda_runtime.py` |
| `iam.authenticate`, `iam.Caller` | evaluates IAM for its own services only | pull request 1471 |
| `iam.guard_function_logs` | writes logs that the role may not write | none; \
`_emit_lambda_logs` in `services/lambda_svc.py` (issue 895 has the group) |
| `iam.name_roles_in_conditions` | takes a session for `aws:PrincipalArn` | none; \
`_resolve_condition_key` in `core/iam_evaluator.py` |
| `metrics.make_metrics_of_lines` | keeps lines in the embedded metric format as text | none; \
`_append_log_events` in `services/cloudwatch_logs.py` |
| `metrics.evaluate_alarms_by_dimensions` | mixes the dimensions of a metric | none; \
`_evaluate_alarm` in `services/cloudwatch.py` |

The version is pinned; a test for each module says which part has moved when an upgrade moves one.
"""

from local_aws.ministack import alarms, events, functions, iam, metrics


def patch() -> None:
    """Change ministack in this process, once."""
    alarms.accept_metric_math()
    events.deliver_to_topics_that_allow_it()
    events.send_stack_events()
    functions.refuse_unreadable_code()
    functions.run_as_lambda()
    iam.guard_function_logs()
    iam.name_roles_in_conditions()
    metrics.make_metrics_of_lines()
    metrics.evaluate_alarms_by_dimensions()
