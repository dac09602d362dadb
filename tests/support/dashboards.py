"""What CloudWatch demands of a dashboard's body.

Source: "Dashboard body structure and syntax", CloudWatch API Reference: types, valid values and
limits of the members that the bodies of ours have. Any other member is a fault: add it from there.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from tests.support.json_schema import is_valid

Schema = Mapping[str, Any]

_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "number"}
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


_AXIS: Final = _object({"min": _NUMBER, "max": _NUMBER})
_HORIZONTAL: Final = _object(
    {"value": _NUMBER, "label": _TEXT, "yAxis": {"enum": ["left", "right"]}}, "value"
)
_BODY: Final = _object(
    {
        "start": {"type": "string", "pattern": r"^(-P(T\d+[MH]|\d+[DWM])|\d{4}-\d\d-\d\dT.*)$"},
        "widgets": {"type": "array", "maxItems": 500, "items": {"type": "object"}},
    },
    "widgets",
)
_WIDGET: Final = _object(
    {
        "type": {"enum": ["metric", "log", "alarm"]},
        "x": {"type": "integer", "minimum": 0, "maximum": 23},
        "y": {"type": "integer", "minimum": 0},
        "width": {"type": "integer", "minimum": 1, "maximum": 24},
        "height": {"type": "integer", "minimum": 1, "maximum": 1000},
        "properties": {"type": "object"},
    },
    *("type", "properties"),
) | {"dependencies": {"x": ["y"], "y": ["x"]}}
_PROPERTIES: Final[Mapping[str, Schema]] = {
    "alarm": _object(
        {
            "alarms": {"type": "array", "minItems": 1, "maxItems": 100, "items": _TEXT},
            "title": _TEXT,
        },
        "alarms",
    ),
    "log": _object(
        {
            "query": {"type": "string", "pattern": "^SOURCE '"},
            "region": _TEXT,
            "title": _TEXT,
            "view": {"enum": ["table", "timeSeries", "bar", "pie"]},
        },
        *("query", "region"),
    ),
    "metric": _object(
        {
            "annotations": _object({"horizontal": {"type": "array", "items": _HORIZONTAL}}),
            "metrics": {"type": "array", "maxItems": 500, "items": {"type": "array"}},
            "region": _TEXT,
            "title": _TEXT,
            "view": {"enum": ["timeSeries", "singleValue", "gauge", "bar", "pie", "table"]},
            "yAxis": _object({"left": _AXIS}),
        },
        *("metrics", "region"),
    ),
}
_RENDERING: Final = {
    "accountId": _TEXT,
    "id": {"type": "string", "pattern": "^[a-z][A-Za-z0-9_]*$"},
    "label": _TEXT,
    "period": {"type": "integer", "minimum": 60},
    "region": _TEXT,
    "stat": _STATISTIC,
    "visible": {"type": "boolean"},
}
_METRIC: Final = _object(_RENDERING)
_EXPRESSION: Final = _object({**_RENDERING, "expression": _TEXT}, "expression")


def faults(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield what CloudWatch documents otherwise, or nothing."""
    if not is_valid(body, _BODY):
        yield "the body"
        return
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
    if any(_rendering(row).get("period", 60) % 60 for row in rows):
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
