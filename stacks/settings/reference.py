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
)
from .declarations import PipelineSettings, Settings
from .setting import Setting, default_of, required_of

_HEAD: Final = f"""\
# Settings

Made by `make settings` from what is declared of each setting in `stacks/settings/declarations.py`.
The same for editors: [context.schema.json](context.schema.json). To change one is described in
[Changes and what each does](changes.md).

Settings are CDK context: under `context` in `cdk.json`, or by `-c key=value` on any `cdk` command,
where lists and objects are JSON. A string from the command line is parsed strictly: `true` or
`false`, numbers without leading zeros, whole ones without a decimal point, no spaces around. `null`
in `cdk.json` is no setting. A wrong value ends `cdk` with one message, before anything is built.

- A key of letters, digits and underscores that is no setting is refused, with the nearest setting
  named. Keys with other characters (`@`, `:`, `/`, `-`) are the CDK's and other tools', and none of
  ours.
- A key that stands twice in one JSON object is refused on the command line. In `cdk.json` the last
  one counts, in silence: the CLI reads that file, and hands over what is left.
- There is either one environment at the top level, or several under `environments`, by name, each
  with settings of its own: see
  [Environments and promotion](../how-to/environments-and-promotion.md). Names consist of letters,
  digits and hyphens, a letter first, 41 at most, and differ in more than case. With a pipeline,
  there are {MAX_ENVIRONMENTS_OF_A_PIPELINE} at most, none of them called
  {", ".join(f"`{name}`" for name in (*PIPELINE_STAGES, PIPELINE_STACK))}.
- An empty `-c environments=` or `-c pipeline=` takes away what `cdk.json` says.

The properties of the construct `TopPicksRecommender`, of its `RecommenderService` and of
`RecommenderMonitoring` have the same names, limits and defaults, save that
`exploration_item_age_cut_off`, `training_gate`, `poll_interval` and `observation_interval` are a
`Duration`, `alarm_topic` is a topic, `log_retention` is one of `RetentionDays`, `log_key` is a key,
`removal_policy`, which is `DESTROY` or `RETAIN`, is `retain_on_destroy`, and `training_gates` and
`sweeps` say how many links the two chains have.

A release that takes a setting away, or gives it another meaning or another default, is a new major
version, since what is deployed would change; so is one that does so to an output.

In Visual Studio Code, these lines of its settings complete and check what is in `cdk.json`:

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
            f"## `{PIPELINE}`",
            "",
            "An object, beside `environments`: see [Pipeline](../how-to/pipeline.md).",
            "",
            *_table(PipelineSettings),
            "",
        )
    )


def _table(declared: type[Any]) -> Iterator[str]:
    yield "| key | type | default | allowed | what it does | example |"
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
