"""What CloudWatch makes of a line of the log: the local AWS and the fake do not do it."""

import json
from collections.abc import Mapping
from typing import Any, Final

_MAX_METRICS: Final = 100
_MAX_NAME: Final = 1024
_UNITS: Final = ("None", "Count", "Count/Second", "Milliseconds", "Seconds")

Series = tuple[str, str, str]
"""Namespace, name and value of the only dimension."""


def metrics_of(line: str) -> dict[Series, dict[str, float]]:
    """Return the metrics of a line, which must be a valid document.

    Source: "Specification: Embedded metric format", CloudWatch User Guide.
    """
    document: Mapping[str, Any] = json.loads(line)
    metadata = document["_aws"]
    assert metadata.keys() == {"Timestamp", "CloudWatchMetrics"}
    assert isinstance(metadata["Timestamp"], int)
    found: dict[Series, dict[str, float]] = {}
    for directive in metadata["CloudWatchMetrics"]:
        assert directive.keys() == {"Namespace", "Dimensions", "Metrics"}
        ((dimension,),) = directive["Dimensions"]
        assert isinstance(document[dimension], str)
        assert 1 <= len(document[dimension]) <= _MAX_NAME
        described = directive["Metrics"]
        assert 1 <= len(described) <= _MAX_METRICS
        values = found.setdefault((directive["Namespace"], dimension, document[dimension]), {})
        for metric in described:
            assert metric.keys() <= {"Name", "Unit", "StorageResolution"}
            assert metric.get("Unit", "None") in _UNITS
            assert 1 <= len(metric["Name"]) <= _MAX_NAME
            value = document[metric["Name"]]
            assert isinstance(value, int | float)
            assert not isinstance(value, bool)
            assert metric["Name"] not in values
            values[metric["Name"]] = value
    return found
