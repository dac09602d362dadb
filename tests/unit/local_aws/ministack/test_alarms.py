from typing import Any

import pytest
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

from local_aws.ministack import alarms

MATH: dict[str, Any] = {
    "Metrics": [{"Id": "idle", "Expression": "IF(calls < 1, 1, 0)"}],
    "ComparisonOperator": "LessThanThreshold",
    "Threshold": 1,
    "EvaluationPeriods": 24,
}


def test_an_alarm_on_metric_math_that_ministack_refuses_is_created_when_patched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record = provisioners._cw_metric_alarm_record
    monkeypatch.setattr(provisioners, "_cw_metric_alarm_record", record)
    with pytest.raises(ValueError, match="metric math"):
        record("idle", MATH)

    alarms.accept_metric_math()
    made = provisioners._cw_metric_alarm_record("idle", MATH)
    assert made["Metrics"] == MATH["Metrics"]
    assert made["EvaluationPeriods"] == 24
    plain = {**MATH, "Metrics": None, "MetricName": "Drift", "Namespace": "TopPicks"}
    assert provisioners._cw_metric_alarm_record("drift", plain) == record("drift", plain)
