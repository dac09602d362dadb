"""What CloudWatch demands of a dashboard's body.

Source: "Dashboard body structure and syntax", CloudWatch API Reference, as far as bodies have text,
metrics, logs and alarms: properties, types, valid values and limits that it documents.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from tests.support.json_schema import is_valid

Schema = Mapping[str, Any]

_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "number"}
_FLAG: Final = {"type": "boolean"}
_SIDE: Final = {"enum": ["left", "right"]}
_COLOR: Final = {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}
_STATISTIC: Final = {
    "type": "string",
    "pattern": r"^(SampleCount|Average|Sum|Minimum|Maximum|p\d{1,2}(\.\d+)?)$",
}


def _object(properties: Schema, *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_PERIOD: Final = {"type": "integer", "minimum": 60}
_AXIS: Final = _object({"label": _TEXT, "min": _NUMBER, "max": _NUMBER, "showUnits": _FLAG})
_HORIZONTAL: Final = _object(
    {
        "value": _NUMBER,
        "label": _TEXT,
        "color": _COLOR,
        "fill": {"enum": ["above", "below", "none"]},
        "yAxis": _SIDE,
        "visible": _FLAG,
    },
    "value",
)
_BODY: Final = _object(
    {
        "start": {"type": "string", "pattern": r"^(-P(T\d+[MH]|\d+[DWM])|\d{4}-\d\d-\d\dT.*)$"},
        "end": _TEXT,
        "periodOverride": {"enum": ["auto", "inherit"]},
        "variables": {"type": "array", "maxItems": 25},
        "widgets": {"type": "array", "maxItems": 500, "items": {"type": "object"}},
    },
    "widgets",
)
_WIDGET: Final = _object(
    {
        "type": {"enum": ["metric", "text", "log", "alarm", "explorer"]},
        "x": {"type": "integer", "minimum": 0, "maximum": 23},
        "y": {"type": "integer", "minimum": 0},
        "width": {"type": "integer", "minimum": 1, "maximum": 24},
        "height": {"type": "integer", "minimum": 1, "maximum": 1000},
        "properties": {"type": "object"},
    },
    *("type", "properties"),
) | {"dependencies": {"x": ["y"], "y": ["x"]}}
_PROPERTIES: Final[Mapping[str, Schema]] = {
    "text": _object(
        {"markdown": _TEXT, "background": {"enum": ["transparent", "solid"]}}, "markdown"
    ),
    "alarm": _object(
        {
            "alarms": {"type": "array", "minItems": 1, "maxItems": 100, "items": _TEXT},
            "sortBy": {"enum": ["default", "stateUpdatedTimestamp", "timestamp"]},
            "states": {
                "type": "array",
                "items": {"enum": ["ALARM", "INSUFFICIENT_DATA", "OK"]},
            },
            "title": _TEXT,
        },
        "alarms",
    ),
    "log": _object(
        {
            "accountId": _TEXT,
            "query": {"type": "string", "pattern": "^SOURCE '"},
            "region": _TEXT,
            "title": _TEXT,
            "view": {"enum": ["table", "timeSeries", "bar", "pie"]},
        },
        *("query", "region"),
    ),
    "metric": _object(
        {
            "accountId": _TEXT,
            "annotations": _object({"horizontal": {"type": "array", "items": _HORIZONTAL}}),
            "legend": _object({"position": {"enum": ["right", "bottom", "hidden"]}}),
            "liveData": _FLAG,
            "metrics": {"type": "array", "maxItems": 500, "items": {"type": "array"}},
            "period": _PERIOD,
            "region": _TEXT,
            "sparkline": _FLAG,
            "stacked": _FLAG,
            "stat": _STATISTIC,
            "timezone": {"type": "string", "pattern": r"^[+-]\d{4}$"},
            "title": _TEXT,
            "view": {"enum": ["timeSeries", "singleValue", "gauge", "bar", "pie", "table"]},
            "yAxis": _object({"left": _AXIS, "right": _AXIS}),
        },
        *("metrics", "region"),
    ),
}
_RENDERING: Final = {
    "accountId": _TEXT,
    "color": _COLOR,
    "id": {"type": "string", "pattern": "^[a-z][A-Za-z0-9_]*$"},
    "label": _TEXT,
    "period": _PERIOD,
    "region": _TEXT,
    "stat": _STATISTIC,
    "visible": _FLAG,
    "yAxis": _SIDE,
}
_METRIC: Final = _object(_RENDERING)
_EXPRESSION: Final = _object({**_RENDERING, "expression": _TEXT}, "expression")


def faults(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield what CloudWatch documents otherwise, or nothing."""
    if not is_valid(body, _BODY):
        yield "the body"
        return
    if "end" in body and "start" not in body:
        yield "an end without a start"
    for number, widget in enumerate(body["widgets"]):
        yield from (f"widget {number}: {fault}" for fault in _of_widget(widget))


def _of_widget(widget: Mapping[str, Any]) -> Iterator[str]:
    if not is_valid(widget, _WIDGET):
        yield "its place, type or members"
        return
    if widget.get("x", 0) + widget.get("width", 6) > 24:  # columns of the grid
        yield "it ends beyond the 24th column"
    properties = widget["properties"]
    if not is_valid(properties, _PROPERTIES[widget["type"]]):
        yield "its properties"
        return
    rows = properties.get("metrics", ())
    for number, row in enumerate(rows):
        if not _is_metric(row):
            yield f"metric {number}"
    periods = [properties.get("period", 60), *(_rendering(row).get("period", 60) for row in rows)]
    if any(period % 60 for period in periods):
        yield "a period that is no multiple of 60"
    ids = sorted(one["id"] for one in map(_rendering, rows) if "id" in one)
    if any(one == other for one, other in pairwise(ids)):
        yield "two metrics with one id"


def _rendering(row: Sequence[Any]) -> Mapping[str, Any]:
    return row[-1] if row and isinstance(row[-1], dict) else {}


def _is_metric(row: Sequence[Any]) -> bool:
    """Whether it is namespace, name and pairs of a dimension, or an expression alone."""
    if len(row) == 1:
        return is_valid(row[0], _EXPRESSION)
    names = row[:-1] if isinstance(row[-1], dict) else row
    return (
        all(isinstance(one, str) and one for one in names)
        and len(names) >= 2  # namespace and name
        and len(names) % 2 == 0
        and is_valid(_rendering(row), _METRIC)
    )
