"""The real template: synthesised by the app's own stack, resolved as CloudFormation resolves it."""

import copy
import functools
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aws_cdk import App, Environment, Stack

from lambdas.recommender import vocabulary as v
from stacks.custom_resources import recommender_config
from stacks.settings import parse
from stacks.top_picks_stack import TopPicksStack
from tests.support.place import ACCOUNT, GROUP, REGION
from tests.support.template import FLAGS

ROOT: Final = Path(__file__).parents[2]

Settings = Mapping[str, object]
"""Settings of the contract, as in `cdk.json`."""


@dataclass(frozen=True)
class Deployable:
    """A CloudFormation template."""

    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Any]

    @staticmethod
    def of(stack_name: str, settings: Settings) -> "Deployable":
        """Return what the app deploys for these settings.

        The dataset group has a default, and both chains are as long as a training may be, unless
        the settings say otherwise.
        """
        given = {"dataset_group_arn": GROUP} | dict(settings)
        if "max_training_hours" in given:
            given.setdefault("max_deletion_hours", given["max_training_hours"])
        return _deployable(stack_name, json.dumps(given, sort_keys=True))

    @staticmethod
    def built(stack_name: str, build: Callable[[Stack], object]) -> "Deployable":
        """Return what an app of somebody's own deploys: a stack, with what `build` puts into it."""
        with tempfile.TemporaryDirectory() as folder:
            app = App(outdir=folder, context=FLAGS, analytics_reporting=False, tree_metadata=False)
            stack = Stack(app, stack_name, env=Environment(account=ACCOUNT, region=REGION))
            build(stack)
            return _whole(app, stack_name)

    @functools.cached_property
    def order(self) -> tuple[str, ...]:
        """The logical ids, each after all that it depends on."""
        done: dict[str, None] = {}

        def visit(logical_id: str) -> None:
            for needed in sorted(self.requires(logical_id) - done.keys()):
                visit(needed)
            done.setdefault(logical_id)

        for logical_id in self.resources:
            visit(logical_id)
        return tuple(done)

    def requires(self, logical_id: str) -> frozenset[str]:
        """Return the logical ids that a resource depends on, by `DependsOn` or by reference."""
        return self._required.get(logical_id, frozenset())

    @functools.cached_property
    def _required(self) -> Mapping[str, frozenset[str]]:
        return {name: frozenset(self._needs(one)) for name, one in self.resources.items()}

    def _needs(self, resource: Mapping[str, Any]) -> set[str]:
        named = resource.get("DependsOn", ())
        explicit = {named} if isinstance(named, str) else set(named)
        return explicit | (set(_references(resource)) & self.resources.keys())

    def ids_of(self, resource_type: str) -> list[str]:
        """Return the logical ids of the resources of a type, in order."""
        return [one for one in self.order if self.resources[one]["Type"] == resource_type]

    def patched(self, logical_id: str, **properties: Any) -> "Deployable":
        """Return a copy in which a resource has these properties, too."""
        resources = copy.deepcopy(dict(self.resources))
        resources[logical_id] = {
            **resources[logical_id],
            "Properties": {**resources[logical_id]["Properties"], **properties},
        }
        return Deployable(resources, self.outputs)


@functools.cache
def _deployable(stack_name: str, settings: str) -> Deployable:
    """Synthesise what shapes the template, and put into it what is merely a value in it.

    A synthesis takes a third of a second, and the tests use dozens of settings. That the result is
    the same is tested.
    """
    given = json.loads(settings)
    if given.keys() & {"monitoring", "recommenders"}:  # a schedule's input has them; or each has
        return _synthesise(stack_name, settings)
    shape = {key: value for key, value in given.items() if key not in _VALUES}
    made = _synthesise(stack_name, json.dumps(shape, sort_keys=True))
    if shape == given:
        return made
    config = recommender_config(parse(given))
    for logical_id, resource in made.resources.items():
        if v.CONFIG in resource.get("Properties", {}):
            made = made.patched(logical_id, **{v.CONFIG: config})
    return made


_VALUES: Final = (
    "min_recommendation_requests_per_second",
    "exploration_weight",
    "exploration_item_age_cut_off",
    "excluded_columns",
)


@functools.cache
def _synthesise(stack_name: str, settings: str) -> Deployable:
    """Synthesise; the first time in a process takes seconds, for jsii to start."""
    parsed = parse(json.loads(settings))
    with tempfile.TemporaryDirectory() as folder:
        app = App(outdir=folder, context=FLAGS, analytics_reporting=False, tree_metadata=False)
        env = Environment(account=parsed.account, region=parsed.region)
        TopPicksStack(app, stack_name, settings=parsed, env=env)
        return _whole(app, stack_name)


def _whole(app: App, stack_name: str) -> Deployable:
    template = app.synth().get_stack_by_name(stack_name).template
    return Deployable(template["Resources"], template.get("Outputs", {}))


def stringified(value: Any) -> Any:
    """Return properties as a custom resource gets them: every scalar a string, nested ones too."""
    match value:
        case dict():
            return {key: stringified(one) for key, one in value.items()}
        case list():
            return [stringified(one) for one in value]
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def _references(value: Any) -> Iterator[str]:
    match value:
        case {"Ref": str(logical_id)} | {"Fn::GetAtt": [str(logical_id), _]}:
            yield logical_id
        case dict():
            for one in value.values():
                yield from _references(one)
        case list():
            for one in value:
                yield from _references(one)
