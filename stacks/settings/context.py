"""The only reader of CDK context."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..partitions import is_region_of, partition_of
from .declarations import Deployment, OneRecommender, PipelineSettings, Settings
from .errors import NotAllowedError, Refusal, SettingsError, UnknownSettingError
from .kinds import from_json
from .rules import (
    chains_fit_into_a_stack,
    key_is_of_the_region,
    rules_of_a_recommender,
    topic_is_of_the_place,
    topic_is_of_the_region,
)
from .setting import required_of, settings_of
from .tags import differing_in_case

if TYPE_CHECKING:
    from constructs import Node

ENVIRONMENTS: Final = "environments"
RECOMMENDERS: Final = "recommenders"
PIPELINE: Final = "pipeline"

ENVIRONMENT_NAME: Final = "[A-Za-z][A-Za-z0-9-]{0,40}"
ENVIRONMENTS_EXAMPLE: Final = '{"dev": {"dataset_group_arn": "<arn>"}}'
_PIPELINE_EXAMPLE: Final = (
    '{"connection_arn": "<arn>", "repository": "<owner>/<name>", "branch": "main", '
    '"account": "<12 digits>", "region": "<region>"}'
)

PIPELINE_STACK: Final = "TopPicksPipeline"
PIPELINE_STAGES: Final = ("Source", "Build", "UpdatePipeline", "Assets")
"""The stages that CDK Pipelines makes before those of the environments."""
MAX_ENVIRONMENTS_OF_A_PIPELINE: Final = 50 - len(PIPELINE_STAGES)
"""Source: stages in a pipeline, "Quotas in AWS CodePipeline", User Guide."""

_SETTINGS: Final = settings_of(Settings)
_TOP_LEVEL: Final = (*_SETTINGS, ENVIRONMENTS, PIPELINE)
_PLAIN_IDENTIFIER: Final = "[A-Za-z0-9_]+"
"""Matches possible names of settings. Keys of the CDK and of other tools have other characters."""


def from_context(node: "Node") -> Deployment:
    """Read the environments and the pipeline from the context.

    Raises:
        SettingsError: a setting is missing, unknown or wrong.
    """
    context = node.get_all_context()
    ours = {
        key: value
        for key, value in context.items()
        if re.fullmatch(_PLAIN_IDENTIFIER, key) and value is not None
    }
    _reject_unknown(ours, known=_TOP_LEVEL)
    # Empty on the command line takes away what cdk.json says.
    environments, pipeline = (
        None if value == "" else value
        for value in (ours.pop(key, None) for key in (ENVIRONMENTS, PIPELINE))
    )
    if environments is not None:
        parsed = _several(environments, beside=ours)
    elif pipeline is None:
        parsed = {"": parse(ours)}
    else:
        raise SettingsError(
            PIPELINE,
            got=pipeline,
            allowed=f"a pipeline together with {ENVIRONMENTS}",
            remedy=f"Put the environments that it deploys into {ENVIRONMENTS}, in their order.",
        )
    _check_fixed_names(parsed)
    if pipeline is None:
        _reject_approval(parsed)
        return Deployment(environments=parsed)
    return Deployment(environments=parsed, pipeline=_pipeline(pipeline, parsed))


def parse(given: Mapping[str, object], *, of: str = "") -> Settings:
    """Read the settings of one environment.

    Args:
        given: values by key.
        of: the text before a key in messages.

    Raises:
        SettingsError: a setting is missing, unknown or wrong.
    """
    values = _values(Settings, given, of)
    if RECOMMENDERS in values:
        values[RECOMMENDERS] = _recommenders(values[RECOMMENDERS], given, of)
    settings = Settings(**values)
    for refusal in _rules(settings):
        if refusal:
            raise SettingsError(*refusal.within(of))
    return settings


def _recommenders(
    own: Mapping[str, Mapping[str, object]], given: Mapping[str, object], of: str
) -> dict[str, OneRecommender]:
    """Read the settings of each recommender: its own ones, or else those of its environment."""
    shared = {key: given[key] for key in settings_of(OneRecommender).keys() & given.keys()}
    return {
        name: OneRecommender(
            **_values(OneRecommender, {**shared, **settings}, f"{of}{_key_of(name)}.")
        )
        for name, settings in own.items()
    }


def _key_of(name: str) -> str:
    """Return the key of a recommender among several, in messages."""
    return f"{RECOMMENDERS}.{name}" if name else f'{RECOMMENDERS}.""'


def _values(declared: type[Any], given: Mapping[str, object], of: str) -> dict[str, Any]:
    """Read the given values of the settings that a class declares."""
    settings = settings_of(declared)
    _reject_unknown(given, known=settings, of=of)
    given = {key: value for key, value in given.items() if value is not None}
    for key in required_of(declared):
        if key not in given:
            where = "" if of else f" Put it into cdk.json, or give it with -c {key}=<value>."
            remedy = settings[key].remedy + where
            raise SettingsError(*settings[key].refusal(f"{of}{key}", None, remedy))
    return {key: settings[key].parse(f"{of}{key}", value) for key, value in given.items()}


def _rules(settings: Settings) -> Iterator[Refusal | None]:
    """Yield each rule's refusal."""
    yield from _rules_of_each(settings)
    yield from _rules_of_alarms(settings)
    if topic := settings.notify_topic_arn:
        place = {"region": settings.region, "account": settings.account}
        yield topic_is_of_the_place("notify_topic_arn", topic, **place)
    if key := settings.log_key_arn:
        yield key_is_of_the_region("log_key_arn", key, settings.region)
    for consumer in settings.consumers:
        if consumer.split(":")[1] != settings.partition:
            yield Refusal(
                "consumers",
                consumer,
                f"principals of the dataset group's partition, {settings.partition}",
                "A role cannot trust a principal of another partition.",
            )


def _rules_of_each(settings: Settings) -> Iterator[Refusal | None]:
    for name, recommender in settings.by_name.items():
        of = f"{_key_of(name)}." if settings.recommenders else ""
        gates, sweeps = recommender.training_gates, recommender.sweeps
        links = chains_fit_into_a_stack(
            "training_gate_minutes", training_gates=gates, sweeps=sweeps
        )
        yield from (one.within(of) for one in (links, *rules_of_a_recommender(recommender)) if one)
        place, own = (one.dataset_group_arn.split(":")[:5] for one in (settings, recommender))
        if own != place:
            yield Refusal(
                f"{of}dataset_group_arn",
                recommender.dataset_group_arn,
                f"a dataset group of the environment's account and region, {settings.account} "
                f"and {settings.region}",
                "One stack is in one place: make an environment for the other one.",
            )


def _rules_of_alarms(settings: Settings) -> Iterator[Refusal | None]:
    for key in ("alarm_topic_arn", "alarm_email", "minimum_throughput_use"):
        if (given := getattr(settings, key)) is not None and not settings.monitoring:
            yield Refusal(key, given, "a value together with monitoring", "Set monitoring to true.")
    if (topic := settings.alarm_topic_arn) is None:
        return
    if (email := settings.alarm_email) is not None:
        yield Refusal(
            "alarm_email",
            email,
            "either alarm_topic_arn or alarm_email",
            "Subscribe the address to that topic, and remove alarm_email.",
        )
    yield topic_is_of_the_region("alarm_topic_arn", topic, settings.region)


# -- environments and pipeline ---------------------------------------------------------------------


def _several(environments: object, *, beside: Mapping[str, object]) -> dict[str, Settings]:
    if beside:
        key = min(beside)
        raise SettingsError(
            key,
            got=beside[key],
            allowed=f"either one environment at the top level, or {ENVIRONMENTS}",
            remedy=f"Move it into each environment, or remove {ENVIRONMENTS}.",
        )
    parsed = {}
    for name, settings in _object(environments, ENVIRONMENTS, ENVIRONMENTS_EXAMPLE).items():
        key = f"{ENVIRONMENTS}.{name}"
        if not re.fullmatch(ENVIRONMENT_NAME, name):
            raise SettingsError(
                key,
                got=name,
                allowed="a name of letters, digits and hyphens that begins with a letter, at most "
                "41",
                remedy="Rename the environment: stacks are named after it.",
            )
        parsed[name] = parse(_object(settings, key, ENVIRONMENTS_EXAMPLE), of=f"{name}.")
    if alike := differing_in_case(parsed):
        raise SettingsError(
            f"{ENVIRONMENTS}.{alike[1]}",
            got=alike[1],
            allowed="names that differ in more than case",
            remedy=f"There is {alike[0]}, and names of roles and folders ignore case: rename one.",
        )
    return parsed


def _check_fixed_names(environments: Mapping[str, Settings]) -> None:
    """Refuse a name twice in an account and region: Personalize has one recommender of it."""
    taken: dict[tuple[str, str, str], str] = {}
    for environment, settings in environments.items():
        for name, recommender in settings.by_name.items():
            if (fixed_name := recommender.recommender_name) is None:
                continue
            path = (environment, _key_of(name) if settings.recommenders else "")
            key = ".".join(filter(None, path))
            place = (settings.account, settings.region, fixed_name)
            if (other := taken.setdefault(place, key)) != key:
                raise SettingsError(
                    f"{key}.recommender_name",
                    got=fixed_name,
                    allowed="a name that no other recommender has in the same account and region",
                    remedy=f"{other} has it: give each a name of its own, or none.",
                )


def _reject_approval(environments: Mapping[str, Settings]) -> None:
    """Refuse an approval without a pipeline: only a pipeline waits for an approval."""
    for name, settings in environments.items():
        if settings.approval:
            raise SettingsError(
                f"{name}.approval" if name else "approval",
                got=True,
                allowed=f"true together with {PIPELINE}",
                remedy=f"Without {PIPELINE} nothing waits for an approval: remove it.",
            )


def _pipeline(given: object, environments: Mapping[str, Settings]) -> PipelineSettings:
    values = _values(PipelineSettings, _object(given, PIPELINE, _PIPELINE_EXAMPLE), f"{PIPELINE}.")
    pipeline = PipelineSettings(**values)
    if not is_region_of(pipeline.partition, pipeline.region):
        raise SettingsError(
            f"{PIPELINE}.region",
            got=pipeline.region,
            allowed=f"a region of the connection's partition, {pipeline.partition}",
            remedy=f"{pipeline.region} is in the partition {partition_of(pipeline.region)}.",
        )
    key = pipeline.log_key_arn
    if key and (refusal := key_is_of_the_region("log_key_arn", key, pipeline.region)):
        raise SettingsError(*refusal.within(f"{PIPELINE}."))
    if len(environments) > MAX_ENVIRONMENTS_OF_A_PIPELINE:
        raise SettingsError(
            ENVIRONMENTS,
            got=len(environments),
            allowed=f"{MAX_ENVIRONMENTS_OF_A_PIPELINE} with a pipeline",
            remedy=f"CodePipeline allows 50 stages, and {', '.join(PIPELINE_STAGES)} are four.",
        )
    taken = {name.lower(): name for name in (*PIPELINE_STAGES, PIPELINE_STACK)}
    for name, settings in environments.items():
        if name.lower() in taken:
            raise SettingsError(
                f"{ENVIRONMENTS}.{name}",
                got=name,
                allowed=f"a name other than {', '.join(taken.values())}, in upper and lower case",
                remedy="The pipeline has a stage or a stack of that name: rename the environment.",
            )
        if settings.partition != pipeline.partition:
            raise SettingsError(
                f"{name}.dataset_group_arn",
                got=settings.dataset_group_arn,
                allowed=f"a dataset group of the pipeline's partition, {pipeline.partition}",
                remedy="Roles cannot be assumed from another partition: deploy it without this "
                "pipeline.",
            )
    return pipeline


# -- what is given ---------------------------------------------------------------------------------


_RENAMED: Final = {"generation": "force_update"}
"""Settings of version 0.1.0 that have another name now."""


def _reject_unknown(given: Mapping[str, object], *, known: Iterable[str], of: str = "") -> None:
    known = list(known)
    for key in sorted(given.keys() - set(known)):
        if renamed := _RENAMED.get(key):
            raise UnknownSettingError(
                f"{of}{key}", remedy=f"Its name is {renamed} now: rename it, and keep its value."
            )
        containing = [one for one in known if key.lower() in one]
        (nearest,) = difflib.get_close_matches(key, containing or known, n=1, cutoff=0.0)
        raise UnknownSettingError(
            f"{of}{key}",
            remedy=f"Did you mean {nearest}? docs/reference/settings.md lists all settings.",
        )


def _object(value: object, key: str, example: str) -> dict[str, object]:
    remedy = f"For example {example}."
    try:
        parsed = from_json(value) if isinstance(value, str) else value
    except NotAllowedError as error:
        parsed, remedy = None, str(error)
    if not isinstance(parsed, dict) or not parsed:
        raise SettingsError(
            key, got=value, allowed="a JSON object that is not empty", remedy=remedy
        )
    return parsed
