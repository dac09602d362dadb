"""Name the settings that a deployment changes, as cdk.json does (pure)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lambdas.recommender import vocabulary as v
from lambdas.recommender.decision.drift import NOTHING

_EXPLORATION: Final = f"{v.CONFIG}.{v.EXPLORATION}"

SETTINGS: Final[Mapping[str, str]] = {
    v.ACTIVE_HOURS: "active_hours",
    v.ADOPT_EXISTING: "adopt_existing",
    v.DATASET_GROUP_ARN: "dataset_group_arn",
    v.FIXED_NAME: "recommender_name",
    v.FORCE_UPDATE: "force_update",
    v.ON_DESTROY: "retain_on_destroy",
    v.RECIPE_ARN: "recipe",
    v.RUNNING: "running",
    v.TAGS: "tags",
    f"{v.CONFIG}.{v.ENABLE_METADATA}": "item_metadata",
    f"{v.CONFIG}.{v.MIN_REQUESTS_PER_SECOND}": "min_recommendation_requests_per_second",
    f"{v.CONFIG}.{v.TRAINING_DATA}.{v.EXCLUDED_COLUMNS}": "excluded_columns",
    f"{_EXPLORATION}.{v.EXPLORATION_WEIGHT}": "exploration_weight",
    f"{_EXPLORATION}.{v.EXPLORATION_ITEM_AGE_CUT_OFF}": "exploration_item_age_cut_off",
    f"{v.QUALITY_GATE}.{v.MAX_METRIC_REGRESSION}": "max_metric_regression",
    f"{v.QUALITY_GATE}.{v.MINIMUM_METRICS}": "minimum_metrics",
    f"{v.QUALITY_GATE}.{v.ON_MISS}": "quality_gate",
}
"""Path of a property -> the setting that makes it; other properties keep their own name."""


@dataclass(frozen=True)
class SettingChange:
    """A setting, or a property, that a deployment changes."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.name}: {self.before} -> {self.after}"


def changed_settings(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[SettingChange, ...]:
    """Return the settings whose properties differ.

    Args:
        before: the properties that are deployed.
        after: the properties of the new template.
    """
    earlier, later = dict(_flat(before)), dict(_flat(after))
    paths = (one for one in {**earlier, **later} if earlier.get(one) != later.get(one))
    return tuple(
        sorted(
            (
                SettingChange(_named(path), earlier.get(path, NOTHING), later.get(path, NOTHING))
                for path in paths
            ),
            key=lambda one: one.name,
        )
    )


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for name, one in value.items():
                yield from _flat(one, f"{path}.{name}" if path else name)
        case list():
            yield path, ", ".join(map(str, value)) or NOTHING
        case _:
            yield path, str(value)


def _named(path: str) -> str:
    """Return the name of the setting at a path, with the rest of the path."""
    for known, name in SETTINGS.items():
        if path == known or path.startswith(f"{known}."):
            return f"{name}{path.removeprefix(known)}"
    return path
