"""Alarms on metric math, which ministack's CloudFormation refuses: here they are kept as they are.

Nothing evaluates them: the metrics that they are about do not come about here. This reaches into
ministack as `ministack_iam` does, and a test says what is missing when an upgrade moves a part.
"""

from typing import Any, Final

from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

_OF_ONE_METRIC: Final = {"MetricName": "(metric math)", "Namespace": "(metric math)"}


def accept_metric_math() -> None:
    """Have alarms with `Metrics` made, shown with the rest of what the template says of them."""
    record = provisioners._cw_metric_alarm_record

    def recorded(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        if not properties.get("Metrics"):
            return dict(record(name, properties))
        others = {key: value for key, value in properties.items() if key != "Metrics"}
        return {**record(name, others | _OF_ONE_METRIC), "Metrics": properties["Metrics"]}

    provisioners._cw_metric_alarm_record = recorded
