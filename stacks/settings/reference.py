"""The settings for people, in Markdown, and for editors, in JSON schema."""

import json
from collections.abc import Iterator
from dataclasses import MISSING, fields
from decimal import Decimal
from typing import Any, Final

from .context import (
    ENVIRONMENT_NAME,
    ENVIRONMENTS,
    MAX_ENVIRONMENTS_OF_A_PIPELINE,
    PIPELINE,
    PIPELINE_STACK,
    PIPELINE_STAGES,
    RECOMMENDERS,
)
from .declarations import OneRecommender, PipelineSettings, Settings
from .setting import Setting, default_of, required_of, settings_of

_HEAD: Final = f"""\
# Settings

`make settings` writes this page from the declarations in `stacks/settings/declarations.py`, and
[context.schema.json](context.schema.json) for editors. The effect of a change is on another page:
[Changes and what each does](changes.md).

Settings are CDK context. Write them under `context` in `cdk.json`, or give `-c key=value` to a
`cdk` command; there, lists and objects are JSON. A string from the command line is parsed
strictly: `true` or `false`, numbers without leading zeros, whole numbers without a decimal point,
no spaces around. `null` in `cdk.json` counts as no setting. If a value is wrong, `cdk` prints one
message and ends before it builds anything.

- If a key consists of letters, digits and underscores and is no setting, it is refused. The
  message names the nearest setting. Keys with other characters (`@`, `:`, `/`, `-`) belong to the
  CDK and to other tools.
- If a key is twice in one JSON object on the command line, it is refused. In `cdk.json`, the last
  one counts, without a message: the CLI parses that file and hands over the result.
- Either one environment is at the top level, or several are under `environments`, by name, each
  with settings of its own:
  [Environments and promotion](../how-to/environments-and-promotion.md). A name consists of letters,
  digits and hyphens, begins with a letter, and has at most 41 characters. Two names differ in more
  than case. With `consumers`, a name is shorter: the name of their role,
  `<environment>-TopPicks-consumer-<region>`, has at most 64 characters. In eu-west-1, that leaves
  36. With a pipeline, at most {MAX_ENVIRONMENTS_OF_A_PIPELINE} environments are allowed, and none
  of these names: {", ".join(f"`{name}`" for name in (*PIPELINE_STAGES, PIPELINE_STACK))}.
- An empty `-c environments=` or `-c pipeline=` overrides the one in `cdk.json`.

The constructs `TopPicksRecommender` and `DomainRecommender`, `RecommenderService` and
`RecommenderMonitoring` have properties with the same names, limits and defaults, with these
exceptions:

- `recipe` is a `Recipe`, which `TopPicksRecommender` does not have.
- `recommenders` is no property: make a construct for each.
- `exploration_item_age_cut_off` is a `Duration`.
- `training_gate_minutes`, `poll_interval_seconds` and `observation_interval_minutes` are
  `training_gate`, `poll_interval` and `observation_interval`, each a `Duration`.
- `max_training_hours` and `max_deletion_hours` are `training_gates` and `sweeps`, the number of
  links of each chain, by default 11. The app computes these numbers from the hours. The construct
  waits for their number times `training_gate`: 11 gates of 30 minutes wait five and a half hours.
- `alarm_topic_arn` is `alarm_topic`, a topic. `notify_topic_arn` is `notify_topic` of
  `RecommenderService`, a topic.
- `log_retention_days` and `log_key_arn` are `log_retention`, one of `RetentionDays`, and `log_key`,
  a key.
- `retain_on_destroy` is `removal_policy`, `DESTROY` or `RETAIN`.

A release that removes a setting, or changes its meaning or default, is a new major version, since
it would change deployed stacks. The same holds for an output.

In Visual Studio Code, these lines of its settings complete and check `cdk.json`:

```json
"json.schemas": [{{"fileMatch": ["cdk.json"], "url": "./docs/reference/context.schema.json"}}]
```
"""


def markdown() -> str:
    """Return docs/reference/settings.md."""
    return "\n".join(
        (
            _HEAD,
            "## An environment's settings",
            "",
            *_table(Settings),
            "",
            f"## `{RECOMMENDERS}`",
            "",
            "An object of recommenders by name: see "
            "[Deploy the rows of a start page](../how-to/rows.md). A recommender takes the "
            "environment's settings, and can have these of its own:",
            "",
            f"{', '.join(f'`{name}`' for name in settings_of(OneRecommender))}.",
            "",
            f"## `{PIPELINE}`",
            "",
            "An object next to `environments`: see [Pipeline](../how-to/pipeline.md).",
            "",
            *_table(PipelineSettings),
            "",
        )
    )


def _table(declared: type[Any]) -> Iterator[str]:
    yield "| key | type | default | allowed | description | example |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for one in fields(declared):
        setting: Setting = one.metadata["setting"]
        cells = (
            f"`{one.name}`",
            str(setting.kind.schema["type"]),
            setting.default_in_words or _in_words(default_of(one)),
            setting.kind.allowed,
            setting.description,
            f"`{json.dumps(setting.example)}`",
        )
        yield f"| {' | '.join(cell.replace('<', '&lt;') for cell in cells)} |"


def _in_words(default: object) -> str:
    if default is MISSING:
        return "required"
    if default is None or default in ({}, ()):
        return "none"
    return f"`{json.dumps(default, default=str)}`".replace('"', "")


def schema() -> dict[str, Any]:
    """Return context.schema.json: of cdk.json, as far as its context has our settings."""
    environment = _object_of(Settings)
    one = {"additionalProperties": {**_object_of(OneRecommender), "required": []}}
    environment["properties"][RECOMMENDERS] |= one
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "cdk.json of the top picks recommender",
        "description": "Made by `make settings` from stacks/settings/declarations.py.",
        "type": "object",
        "properties": {"context": {"$ref": "#/definitions/context"}},
        "definitions": {
            "context": {
                "type": "object",
                "properties": {
                    **environment["properties"],
                    ENVIRONMENTS: {
                        "description": "Several environments, in the order of a pipeline, each "
                        "with settings of its own.",
                        "type": "object",
                        "minProperties": 1,
                        "propertyNames": {"pattern": f"^{ENVIRONMENT_NAME}$"},
                        "additionalProperties": {"$ref": "#/definitions/environment"},
                    },
                    PIPELINE: {"$ref": "#/definitions/pipeline"},
                },
                "patternProperties": {"[^A-Za-z0-9_]": {}},
                "additionalProperties": False,
                "dependencies": {
                    PIPELINE: [ENVIRONMENTS],
                    ENVIRONMENTS: {
                        "propertyNames": {"not": {"enum": list(environment["properties"])}}
                    },
                },
            },
            "environment": environment,
            "pipeline": _object_of(PipelineSettings),
        },
    }


def _object_of(declared: type[Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            one.name: _property(one.metadata["setting"], default_of(one))
            for one in fields(declared)
        },
        "required": required_of(declared),
        "additionalProperties": False,
    }


def _property(setting: Setting, default: object) -> dict[str, Any]:
    known = {} if default in (MISSING, None) else {"default": _json(default)}
    return {
        "description": f"{setting.description} Allowed: {setting.kind.allowed}.",
        **setting.kind.schema,
        **known,
        "examples": [setting.example],
    }


def _json(default: object) -> object:
    return float(default) if isinstance(default, Decimal) else default
