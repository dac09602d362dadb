"""Alarms on metric math: ministack's CloudFormation refuses them, here it keeps them as they are.

Nothing evaluates them.
"""

from typing import Any, Final

from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

_OF_ONE_METRIC: Final = {"MetricName": "(metric math)", "Namespace": "(metric math)"}


def accept_metric_math() -> None:
    """Create alarms with `Metrics`, and show them with the rest of their properties."""
    record = provisioners._cw_metric_alarm_record

    def recorded(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        if not properties.get("Metrics"):
            return dict(record(name, properties))
        others = {key: value for key, value in properties.items() if key != "Metrics"}
        return {**record(name, others | _OF_ONE_METRIC), "Metrics": properties["Metrics"]}

    provisioners._cw_metric_alarm_record = recorded
