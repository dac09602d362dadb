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
"""What was measured in each period, the latest last; before the first one, nothing was."""

EXTRA_PERIODS: Final = 2
"""CloudWatch looks back by so many periods more than it evaluates, in the example of its guide.

How many they are otherwise is not documented, so that tests try others, too.
"""

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


def state(
    alarm: Mapping[str, Any],
    measured: Mapping[str, Samples],
    before: str = OK,
    *,
    extra: int = EXTRA_PERIODS,
) -> str:
    """Return the state of an alarm.

    The latest periods that have data count, as many as the alarm evaluates. Missing data is treated
    as the alarm says only if there are fewer.

    Args:
        alarm: its properties in the template.
        measured: samples by the metric's name.
        before: the state that it had.
        extra: how many periods CloudWatch looks back beyond those that it evaluates.
    """
    periods = alarm["EvaluationPeriods"]
    needed, treated = alarm.get("DatapointsToAlarm", periods), alarm["TreatMissingData"]
    assert treated in ("breaching", "ignore", "notBreaching"), treated
    latest = [_breaches(alarm, _value(alarm, measured, n)) for n in range(periods + extra)]
    known = [one for one in latest if one is not None][:periods]
    missing = periods - len(known)
    if treated == "ignore" and missing and all(known) and sum(known) < needed:
        return before
    breaching = sum(known) + (missing if treated == "breaching" else 0)
    return ALARM if breaching >= needed else OK


def metrics_of(alarm: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the namespace and the name of each metric that an alarm reads."""
    read = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", ()) if "MetricStat" in one]
    return {(one["Namespace"], one["MetricName"]) for one in read or [alarm]}


def _breaches(alarm: Mapping[str, Any], value: float | None) -> bool | None:
    compare = _COMPARISONS[alarm["ComparisonOperator"]]
    return None if value is None else compare(value, alarm["Threshold"])


def _value(alarm: Mapping[str, Any], measured: Mapping[str, Samples], ago: int) -> float | None:
    def samples(metric: str) -> Sequence[float]:
        periods = measured[metric]
        return periods[-1 - ago] if ago < len(periods) else ()

    if "Metrics" not in alarm:
        return _statistic(alarm["Statistic"], samples(alarm["MetricName"]))
    (expression,) = [one["Expression"] for one in alarm["Metrics"] if "Expression" in one]
    values = {
        one["Id"]: _statistic(
            one["MetricStat"]["Stat"], samples(one["MetricStat"]["Metric"]["MetricName"])
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
