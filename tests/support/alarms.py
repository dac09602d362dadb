"""CloudWatch's evaluation of an alarm, as far as ours need it: nothing evaluates them here.

Sources: "Alarm evaluation", "Configuring how CloudWatch alarms treat missing data" and "Using math
expressions with CloudWatch metrics", CloudWatch User Guide.
"""

import math
import operator
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

OK: Final = "OK"
ALARM: Final = "ALARM"

Samples = Sequence[Sequence[float]]
"""What was measured in each period, the latest last."""

_STATISTICS: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "Average": statistics.fmean,
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Sum": math.fsum,
}
_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
}


def state(alarm: Mapping[str, Any], measured: Mapping[str, Samples], before: str = OK) -> str:
    """Return the state of an alarm.

    Args:
        alarm: its properties in the template.
        measured: samples by the metric's name, as many periods as the alarm evaluates.
        before: the state that it had.
    """
    periods = alarm["EvaluationPeriods"]
    breaches = [_breaches(alarm, _value(alarm, measured, -n)) for n in range(periods, 0, -1)]
    treated = {"breaching": True, "notBreaching": False}.get(alarm["TreatMissingData"])
    known = [treated if one is None else one for one in breaches]
    if None in known:
        assert alarm["TreatMissingData"] == "ignore"
        return before
    return ALARM if sum(map(bool, known)) >= alarm.get("DatapointsToAlarm", periods) else OK


def metrics_of(alarm: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the namespace and the name of each metric that an alarm reads."""
    read = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", ()) if "MetricStat" in one]
    return {(one["Namespace"], one["MetricName"]) for one in read or [alarm]}


def _breaches(alarm: Mapping[str, Any], value: float | None) -> bool | None:
    compare = _COMPARISONS[alarm["ComparisonOperator"]]
    return None if value is None else compare(value, alarm["Threshold"])


def _value(alarm: Mapping[str, Any], measured: Mapping[str, Samples], period: int) -> float | None:
    if "Metrics" not in alarm:
        return _statistic(alarm["Statistic"], measured[alarm["MetricName"]][period])
    (expression,) = [one["Expression"] for one in alarm["Metrics"] if "Expression" in one]
    values = {
        one["Id"]: _statistic(
            one["MetricStat"]["Stat"], measured[one["MetricStat"]["Metric"]["MetricName"]][period]
        )
        for one in alarm["Metrics"]
        if "MetricStat" in one
    }
    return _evaluated(expression, values)


def _statistic(name: str, samples: Sequence[float]) -> float | None:
    return float(_STATISTICS[name](samples)) if samples else None


def _evaluated(expression: str, values: Mapping[str, float | None]) -> float | None:
    """Return what an expression is in one period, or None where a value is missing."""
    functions = {
        "IF": lambda condition, yes, no: yes if condition else no,
        "FILL": lambda value, missing: missing if value is None else value,
    }
    python = expression.replace(" AND ", " and ")
    try:
        return float(eval(python, {"__builtins__": {}}, {**functions, **values}))
    except TypeError:  # None is compared
        return None
