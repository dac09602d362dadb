"""The corpus of events: what each version sends to its functions, and what it means by it.

`python -m tests.reliability.golden_events` writes the corpus of the version in `pyproject.toml`.
Functions get events of older versions' templates for as long as there are stacks of them: in a
Delete, as old properties, and in the state of an execution that older code has started.
"""

import json
import math
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.operation import RequestType
from lambdas.recommender.model.request import Request
from local_aws.personalize import Behaviour
from tests.reliability.world import MINUTE, QUICK, World
from tests.support.serverless import Event
from tests.support.synthesis import ROOT

CORPUS: Final = Path(__file__).with_name("golden")
RESPONSE_URL: Final = "https://cloudformation-custom-resource-response.s3.amazonaws.com/golden"
_EXPLORES: Final = ("explores", True)
VERSION: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

Golden = dict[str, Any]
"""An `event`, the `state` of the execution that it started, if any, and what it `means`."""
Corpus = dict[str, dict[str, Golden]]
"""By the step of a lifecycle that sends them, and by what they are sent to."""

_EVERYTHING: Final = {
    "min_recommendation_requests_per_second": 2,
    "exploration_weight": 0.25,
    "exploration_item_age_cut_off": 7,
    "excluded_columns": {"ITEMS": ["GENRES", "YEAR"], "USERS": ["AGE"]},
    "tags": {"team": "films", "cost:centre": "7"},
}


def _another(world: World, **settings: object) -> None:
    world.stack = world.cloud.stack()
    world.created(**settings)


def _rolled_back(world: World) -> None:
    settings = {"max_training_hours": world.hours, "tags": {"team": "films"}}
    world.stack.update(settings, sibling_fails=5 * MINUTE)


def _adopted(world: World) -> None:
    world.foreign("taken")
    _another(world, recommender_name="taken", adopt_existing=True)


def _cancelled(world: World, sibling_fails: float | Callable[[], bool]) -> None:
    world.stack = world.cloud.stack()
    world.stack.create({"max_training_hours": world.hours}, sibling_fails=sibling_fails)


def _is_asked(world: World) -> bool:
    return bool(world.stack.sent(v.RECOMMENDER_TYPE))


_STEPS: Final[Mapping[str, Callable[[World], object]]] = {
    "create": lambda world: world.create(),
    "configure": lambda world: world.update(**_EVERYTHING),
    "stop": lambda world: world.update(**_EVERYTHING, running=False),
    "start": lambda world: world.update(tags={"team": "series"}),
    "replace": lambda world: world.update(dataset_group_arn=world.other_group),
    "roll-back": _rolled_back,
    "name": lambda world: world.update(recommender_name="films"),
    "delete": lambda world: world.stack.delete(),
    "create-everything": lambda world: _another(world, **_EVERYTHING, recommender_name="films"),
    "delete-everything": lambda world: world.stack.delete(),
    "adopt": _adopted,
    "release": lambda world: world.stack.delete(),
    "retain": lambda world: _another(world, retain_on_destroy=True),
    "cancel": lambda world: _cancelled(world, 5 * MINUTE),
    "cancel-at-once": lambda world: _cancelled(world, lambda: _is_asked(world)),
}


def sent() -> Corpus:
    """Return what the working tree's templates send, and the executions that its code starts."""
    world = World(Behaviour(**QUICK), hours=1.8)
    corpus: Corpus = {}

    def note(function: str, event: Event, invoke: Callable[[], Any]) -> Any:
        before = len(world.cloud.executions(world.stack))
        returned = invoke()
        if function == "begin":
            properties = event["ResourceProperties"]
            is_last = v.LINK in properties and properties[v.LINK] == properties[v.LINKS]
            kind = str(event["ResourceType"]).partition("::")[2]
            key = f"{event['RequestType']} {kind}{' last' if is_last else ''}"
            written = {**event, "ResponseURL": RESPONSE_URL}
            started = world.cloud.executions(world.stack)[before:]
            state = {**json.loads(started[0].given), "Event": written} if started else None
            known = {"event": written, "state": state, "means": meaning(written)}
            corpus[step].setdefault(key, known)
        return returned

    world.cloud.around = note
    for step, take in _STEPS.items():
        corpus[step] = {}
        take(world)
        world.cloud.drain()
    return {step: golden for step, golden in corpus.items() if golden}


def meaning(event: Event) -> dict[str, Any]:
    """Return what the working tree reads in an event, in JSON."""
    request = Request.parse(event)
    read: dict[str, Any] = {
        "type": request.type,
        "physical id": request.physical_id,
        "owner": request.owner.tags(),
        "wait": request.wait_seconds,
        "link": request.link,
    }
    if v.NAME_PREFIX in request.properties:
        read["prefix"] = request.names.prefix
        read["fixed names"] = sorted(request.names.fixed)
    if v.CONFIG in request.properties and request.type is not RequestType.DELETE:
        config = vars(request.config)
        # Before there were other recipes, every one explored.
        read["config"] = {name: one for name, one in config.items() if (name, one) != _EXPLORES}
    if request.resource_type == v.RECOMMENDER_TYPE:
        if request.type is RequestType.DELETE:
            read["deletion target"] = request.deletion_target
        else:
            names = ("arn", "dataset_group_arn", "recipe_arn", "running", "adopt", "tags")
            read |= {name: getattr(request.desired, name) for name in names}
            read["retired tags"] = sorted(request.retired_tags)
    for name in (v.RECOMMENDER_ARN, v.UPDATED_AFTER, v.RUNNING, v.ON_DESTROY):
        if name in request.properties:
            read[name] = request.get(name)
    if v.UPDATED_AFTER in read and read[v.UPDATED_AFTER] is None:
        read[v.UPDATED_AFTER] = math.inf  # as the corpus has it: no update is newer than that
    in_json: dict[str, Any] = json.loads(json.dumps(read, default=str))
    return in_json


def shape(value: Any) -> Any:
    """Return what a value has, without what it says."""
    match value:
        case dict():
            return {key: shape(one) for key, one in sorted(value.items())}
        case list():
            return [shape(one) for one in value]
        case _:
            return type(value).__name__


def stored() -> dict[str, Corpus]:
    """Return the corpus of every version."""
    return {
        folder.name: {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
        for folder in sorted(CORPUS.iterdir())
    }


def write() -> None:
    """Write the corpus of this version."""
    folder = CORPUS / VERSION
    folder.mkdir(parents=True, exist_ok=True)
    for step, golden in sent().items():
        text = json.dumps(golden, indent=1, ensure_ascii=False, sort_keys=True)
        (folder / f"{step}.json").write_text(f"{text}\n")


if __name__ == "__main__":
    write()
