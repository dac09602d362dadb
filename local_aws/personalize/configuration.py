"""Check a `recommenderConfig`, apply an update to it, and answer it.

This is a SIMULATION of docs.aws.amazon.com/personalize/latest/dg/, pages
create-recommender-configure-exploration, create-recommender-configure-columns,
create-recommender-return-metadata and updating-recommender, and of botocore's service model.
"""

import copy
from collections.abc import Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from local_aws.personalize.behaviour import Behaviour, Echo
from local_aws.personalize.errors import invalid
from local_aws.personalize.recipes import DATASET_TYPES, ITEMS, Recipe

Config = dict[str, Any]
"""A `recommenderConfig` as in the API."""

_EXPLORATION_DEFAULTS: Final = {"explorationWeight": "0.3", "explorationItemAgeCutOff": "30"}
_EXPLORATION_RANGES: Final[Mapping[str, tuple[int, float]]] = {
    "explorationWeight": (0, 1),
    "explorationItemAgeCutOff": (1, float("inf")),
}


def check(
    config: Config, recipe: Recipe, dataset_types: Collection[str], behaviour: Behaviour
) -> None:
    """Check the rules that the model's constraints do not express. The texts are invented.

    Raises:
        ServiceError: InvalidInputException; that the code is this one is a guess.
    """
    if behaviour.unused_config == "rejected" and (unused := _unused(config, recipe)):
        raise invalid(f"{unused} does not apply to recipe {recipe.name}")
    for key, value in config.get("itemExplorationConfig", {}).items():
        _check_exploration(key, value)
    excluded = config.get("trainingDataConfig", {}).get("excludedDatasetColumns", {})
    if any("EVENT_TYPE" in columns for columns in excluded.values()):
        raise invalid("EVENT_TYPE cannot be excluded from training")
    if config.get("enableMetadataWithRecommendations") and ITEMS not in dataset_types:
        raise invalid("enableMetadataWithRecommendations needs an Items dataset")


def _unused(config: Config, recipe: Recipe) -> str:
    """Return the part of a configuration that a recipe does not use, or nothing.

    The guide shows exploration for two use cases only, and in "Creating domain recommenders" the
    columns "for each dataset used by the recommender's use case".
    """
    if config.get("itemExplorationConfig") and not recipe.explores:
        return "itemExplorationConfig"
    unused = DATASET_TYPES.difference(recipe.required, recipe.optional)
    named = {kind for columns in _columns(config).values() for kind in columns}
    of_unused = sorted(kind for kind in named if kind.upper() in unused)
    return f"trainingDataConfig of {of_unused[0]}" if of_unused else ""


def _check_exploration(key: str, value: str) -> None:
    if key not in _EXPLORATION_RANGES:
        raise invalid(f"Unknown key in itemExplorationConfig: {key}")
    low, high = _EXPLORATION_RANGES[key]
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not (number.is_finite() and low <= number <= high):
        raise invalid(f"{key} must be a number from {low} to {high}, not {value}")


def after_update(config: Config, given: Config, behaviour: Behaviour) -> Config:
    """Apply an update to a configuration: merge or replace its top-level members."""
    updated = (config if behaviour.update_semantics == "merge" else {}) | given
    emptied = "trainingDataConfig" in given and not _columns(given)
    if emptied and behaviour.empty_columns == "keep" and "trainingDataConfig" in config:
        updated["trainingDataConfig"] = config["trainingDataConfig"]
    return updated


def same(one: Config, other: Config, recipe: Recipe) -> bool:
    """Whether two configurations mean the same once defaults are filled in."""
    return _in_full(one, recipe) == _in_full(other, recipe)


def same_columns(one: Config, other: Config) -> bool:
    """Whether training uses the same columns under both."""
    return _columns(one) == _columns(other)


def answer(config: Config, recipe: Recipe, behaviour: Behaviour) -> Config:
    """Return a configuration as Describe shows it."""
    shown = _echoed(copy.deepcopy(config), recipe, behaviour.echo)
    if behaviour.normalise_numbers and "itemExplorationConfig" in shown:
        shown["itemExplorationConfig"] = _normalised(shown["itemExplorationConfig"])
    return shown


def _echoed(config: Config, recipe: Recipe, echo: Echo) -> Config:
    match echo:
        case "as set":
            return config
        case "in full":
            return _with_defaults(config, recipe)
        case "without defaults":
            return _without_defaults(config, recipe)
        case "without metadata":
            config.pop("enableMetadataWithRecommendations", None)
            return config
        case "without columns":
            config.pop("trainingDataConfig", None)
            return config
        case "nothing":
            return {}


def _without_defaults(config: Config, recipe: Recipe) -> Config:
    full, defaults = _in_full(config, recipe), _in_full({}, recipe)
    exploration = {
        key: value
        for key, value in config.get("itemExplorationConfig", {}).items()
        if full["itemExplorationConfig"][key] != defaults["itemExplorationConfig"].get(key)
    }
    differing = {
        key: value
        for key, value in config.items()
        if key != "itemExplorationConfig" and full[key] != defaults[key]
    }
    return differing | ({"itemExplorationConfig": exploration} if exploration else {})


def _with_defaults(config: Config, recipe: Recipe) -> Config:
    defaults: Config = {
        "minRecommendationRequestsPerSecond": 1,
        "enableMetadataWithRecommendations": False,
    }
    if not recipe.explores:
        return defaults | config
    exploration = _EXPLORATION_DEFAULTS | config.get("itemExplorationConfig", {})
    return defaults | config | {"itemExplorationConfig": exploration}


def _in_full(config: Config, recipe: Recipe) -> Config:
    full = _with_defaults(config, recipe)
    return full | {
        "itemExplorationConfig": _normalised(full.get("itemExplorationConfig", {})),
        "trainingDataConfig": _columns(full),
    }


def _normalised(exploration: Mapping[str, str]) -> dict[str, str]:
    return {key: format(Decimal(value).normalize(), "f") for key, value in exploration.items()}


def _columns(config: Config) -> dict[str, dict[str, set[str]]]:
    """Return the named columns as sets, without empty members."""
    named = {
        member: {kind: set(columns) for kind, columns in by_type.items() if columns}
        for member, by_type in config.get("trainingDataConfig", {}).items()
    }
    return {member: by_type for member, by_type in named.items() if by_type}
