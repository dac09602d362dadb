"""What CloudWatch makes of a line of the log: the local AWS and the fake do not do it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.support.json_schema import is_valid

SCHEMA: Final[Mapping[str, Any]] = json.loads(
    (Path(__file__).parent / "schemas" / "embedded_metric_format.json").read_text()
)
_MAX_METRICS: Final = 100
_MAX_VALUE: Final = 1024

Series = tuple[str, str, str]
"""Namespace, name and value of the only dimension."""


def metrics_of(line: str) -> dict[Series, dict[str, float]]:
    """Return the metrics of a line, which must be a valid document.

    Source: "Specification: Embedded metric format", CloudWatch User Guide: its schema, and what it
    says in words of references and of members that there may be.
    """
    document: Mapping[str, Any] = json.loads(line)
    assert is_valid(document, SCHEMA)
    metadata = document["_aws"]
    assert metadata.keys() == {"Timestamp", "CloudWatchMetrics"}
    found: dict[Series, dict[str, float]] = {}
    for directive in metadata["CloudWatchMetrics"]:
        assert directive.keys() == {"Namespace", "Dimensions", "Metrics"}
        ((dimension,),) = directive["Dimensions"]
        assert isinstance(document[dimension], str)
        assert 1 <= len(document[dimension]) <= _MAX_VALUE
        described = directive["Metrics"]
        assert 1 <= len(described) <= _MAX_METRICS
        values = found.setdefault((directive["Namespace"], dimension, document[dimension]), {})
        for metric in described:
            assert metric.keys() <= {"Name", "Unit", "StorageResolution"}
            value = document[metric["Name"]]
            assert isinstance(value, int | float)
            assert not isinstance(value, bool)
            assert metric["Name"] not in values
            values[metric["Name"]] = value
    return found
