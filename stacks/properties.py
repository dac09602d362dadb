"""The constructs' properties are checked by what is declared of the settings of the same names."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from aws_cdk import Duration, RemovalPolicy, Stack, Token
from aws_cdk.aws_logs import RetentionDays
from constructs import Construct

from .retention import DAYS
from .settings.declarations import Settings
from .settings.errors import NotAllowedError, PropertyError, Refusal
from .settings.kinds import boolean, regional_arn, text, whole
from .settings.rules import (
    adoption_needs_a_name,
    chains_fit_into_a_stack,
    hours_are_of_what_runs,
    key_is_of_the_region,
    topic_is_of_the_region,
)
from .settings.setting import Setting, setting, settings_of

_SETTINGS: Final = settings_of(Settings)


def _like(name: str, allowed: str, remedy: str) -> Setting:
    """Return what is declared of a setting, in the words of the property that stands for it."""
    declared = _SETTINGS[name]
    return replace(declared, kind=replace(declared.kind, allowed=allowed), remedy=remedy)


_LINKS: Final = setting(whole(1), "How many links a chain has.", example=11)["setting"]
_RECOMMENDER_ARN: Final = setting(
    regional_arn(["personalize"], "recommender/<name>", "recommender/[A-Za-z0-9][A-Za-z0-9_-]*"),
    "A recommender that is made elsewhere.",
    example="arn:aws:personalize:eu-west-1:111111111111:recommender/top-picks",
)["setting"]
_PARAMETER_NAME: Final = setting(
    text(
        "a name, or a path that begins with /, known at synthesis, of letters, digits and _.-, at "
        "most 1011, that begins with neither aws nor ssm",
        r"(?!/?(?:[aA][wW][sS]|[sS][sS][mM]))(?=.{1,1011}$)(?:[\w.-]+|(?:/[\w.-]+){1,15})",
    ),
    "The SSM parameter that has a recommender's ARN. Source: PutParameter, SSM API reference.",
    example="/video/top-picks",
)["setting"]
_PROPERTIES: Final = {
    **_SETTINGS,
    "exploration_item_age_cut_off": _like(
        "exploration_item_age_cut_off",
        "a Duration of whole days, 1 or more",
        "For example Duration.days(14).",
    ),
    "force_update": _like(
        "force_update", _SETTINGS["force_update"].kind.allowed, 'Give a string: for example "2".'
    ),
    "training_gates": _LINKS,
    "sweeps": _LINKS,
    "training_gate": _like(
        "training_gate_minutes",
        "a Duration above 0, 55 minutes at most",
        "CloudFormation gives one custom resource an hour: training_gates says how many of them "
        "wait for a training, one after another.",
    ),
    "poll_interval": _like(
        "poll_interval_seconds",
        "a Duration of whole seconds, 1 to 120",
        "For example Duration.seconds(30).",
    ),
    "observation_interval": _like(
        "observation_interval_minutes",
        "a Duration of whole minutes, 1 to 1440",
        "For example Duration.minutes(15).",
    ),
    "log_key": _like(
        "log_key_arn",
        "a key of KMS, of a region of its partition",
        "Give the key itself, for example by Key.from_key_arn: CloudWatch Logs takes no alias.",
    ),
    "log_retention": _like(
        "log_retention_days",
        "a RetentionDays but INFINITE",
        "For example RetentionDays.ONE_YEAR.",
    ),
    "alarm_topic": _like(
        "alarm_topic_arn", "a topic of SNS", "For example Topic.from_topic_arn(...)."
    ),
    "removal_policy": setting(
        replace(boolean(), allowed="RemovalPolicy.DESTROY or RemovalPolicy.RETAIN"),
        "What becomes of the recommender when the stack is deleted.",
        example="RETAIN",
        remedy="There is no snapshot of a recommender, and an update retains none.",
    )["setting"],
    "recommender_arn": _RECOMMENDER_ARN,
    "parameter_name": _PARAMETER_NAME,
}
"""What is declared of each property."""

_OPTIONAL: Final = (
    *("recommender_name", "force_update", "log_key", "alarm_topic"),
    *("max_metric_regression", "active_hours", "runbook_url"),
)
_SHAPING: Final = (
    *("running", "active_hours", "adopt_existing", "removal_policy"),
    *("training_gates", "sweeps", "training_gate", "poll_interval", "observation_interval"),
    "parameter_name",
)
"""Which resources there are, and when they give up, depends on these."""


def check_properties(construct: Construct, **given: object) -> dict[str, Any]:
    """Refuse what a construct cannot work with, and return the properties as they are used.

    Tokens are let through to where it is known what they stand for, if they have the form that is
    asked for, but not where the template depends on them.

    Args:
        construct: what has the properties.
        given: all properties by name; what is optional may be None.

    Returns:
        The properties as the settings of the same names are, numbers for example exact; tokens, and
        what is not given, as they are.

    Raises:
        PropertyError: a value is not allowed, or is a token where it must not be one.
    """
    stack = Stack.of(construct)
    given |= {name: _arn_of(name, given[name]) for name in _ARNS.keys() & given.keys()}
    known = {}
    for name, value in given.items():
        if _has_token(value):
            _check_token(name, value, stack)
        elif value is not None or name not in _OPTIONAL:
            known[name] = _checked(name, value)
    for name, refusal in _rules(given, known, stack):
        if refusal:
            raise PropertyError(name, **refusal._asdict())
    return {**given, **known}


def or_default(value: Any, default: Any) -> Any:
    """Return a property, or its default if it is None: what is empty is checked, not replaced."""
    return default if value is None else value


def check_text(name: str, value: str) -> None:
    """Refuse text that a property may not be; a token may be an ARN, not the name of a parameter.

    Raises:
        PropertyError: it is refused.
    """
    if name in _SHAPING or not (isinstance(value, str) and _has_token(value)):
        _checked(name, value)


def check_type(name: str, value: object, of: type, remedy: str) -> None:
    """Refuse what is not of a type.

    Raises:
        PropertyError: it is not.
    """
    if not isinstance(value, of):
        raise PropertyError(name, got=_shown(value), allowed=f"a {of.__name__}", remedy=remedy)


def _has_token(value: object) -> bool:
    """Return whether a part is a token, and no part a number that JSON, so jsii, does not have."""
    parts = [*_parts(value)]
    is_finite = all(math.isfinite(part) for part in parts if isinstance(part, float))
    return is_finite and any(map(_is_token, parts))


def _parts(value: object) -> Iterator[object]:
    yield value
    if isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _parts(part)


def _is_token(value: object) -> bool:
    match value:
        case Duration():
            return value.is_unresolved()
        case list() | tuple():
            return Token.is_unresolved([*map(str, value)])
        case str() | int() | float():
            return Token.is_unresolved(value)
        case _:
            return hasattr(value, "resolve") and not isinstance(value, type)  # IResolvable


def _check_token(name: str, value: object, stack: Stack) -> None:
    """Refuse a token where the template depends on it, or where what is given has another form."""
    declared, shown = _PROPERTIES[name], _shown(value)
    got = stack.resolve(value) if shown is value else shown
    if name in _SHAPING:
        raise PropertyError(
            name,
            got=got,
            allowed="a value that is known at synthesis",
            remedy="Write it out, or read it from the context: the template depends on it.",
        )
    if name in _UNITS:
        fits = _UNITS[name].is_of_the_cdk(value) and _is_in_days(value)
    else:
        fits = _fits(value, declared.kind.schema)
    if not fits:
        raise PropertyError(name, **declared.refusal(got)._asdict())


def _is_in_days(value: Any) -> bool:
    """Return whether CloudFormation can tell the days of a duration when it knows the number."""
    return bool(value.unit_label() == "days")


def _fits(value: object, schema: Mapping[str, Any]) -> bool:
    """Return whether a value has the form of a JSON schema, whatever its tokens stand for."""
    match schema["type"]:
        case "object":
            members = schema["properties"]
            return isinstance(value, Mapping) and all(
                member in members and _fits(part, members[member]) for member, part in value.items()
            )
        case "array":
            return isinstance(value, list | tuple)
        case "string":
            return isinstance(value, str)
        case _:
            return not isinstance(value, Mapping | list | tuple | Duration)


_ARNS: Final = {"log_key": "key_arn", "alarm_topic": "topic_arn"}


def _arn_of(name: str, resource: object) -> object:
    """Return the ARN of a resource, of an interface of the CDK's that knows no ``isinstance``."""
    arn = getattr(resource, _ARNS[name], None)
    if resource is not None and not isinstance(arn, str):
        raise PropertyError(name, **_PROPERTIES[name].refusal(_shown(resource))._asdict())
    return arn


def _checked(name: str, value: object) -> Any:
    declared = _PROPERTIES[name]
    try:
        return declared.kind.check(_in_its_unit(name, value))
    except NotAllowedError as error:
        raise PropertyError(name, **declared.refusal(_shown(value), error)._asdict()) from None


def _in_its_unit(name: str, value: object) -> object:
    """Return what is of a type of the CDK's as what the setting is."""
    if name not in _UNITS:
        return value
    is_of_the_cdk, in_its_unit = _UNITS[name]
    if not is_of_the_cdk(value):
        raise NotAllowedError
    return in_its_unit(value)


def _whole_if_it_is(number: float) -> float:
    return int(number) if number == int(number) else number


class _Unit(NamedTuple):
    """What a property is given as, and how that becomes what is declared of it."""

    is_of_the_cdk: Callable[[object], bool]
    in_its_unit: Callable[[Any], object]


def _duration(in_its_unit: Callable[[Duration], float]) -> _Unit:
    return _Unit(
        lambda value: isinstance(value, Duration),
        lambda duration: _whole_if_it_is(in_its_unit(duration)),
    )


_RETAINS: Final = {RemovalPolicy.DESTROY: False, RemovalPolicy.RETAIN: True}
_UNITS: Final[Mapping[str, _Unit]] = {
    "training_gate": _duration(lambda wait: round(wait.to_minutes(integral=False), 6)),
    "observation_interval": _duration(lambda interval: interval.to_minutes(integral=False)),
    "poll_interval": _duration(lambda wait: wait.to_seconds(integral=False)),
    "exploration_item_age_cut_off": _duration(lambda age: age.to_days(integral=False)),
    "log_retention": _Unit(
        lambda value: isinstance(value, RetentionDays), lambda value: DAYS.get(value, value)
    ),
    "removal_policy": _Unit(
        lambda value: isinstance(value, RemovalPolicy), lambda value: _RETAINS.get(value, value)
    ),
}


def _shown(value: object) -> object:
    match value:
        case Duration():
            return value.to_human_string()
        case RemovalPolicy() | RetentionDays():
            return f"{type(value).__name__}.{value.name}"
        case _:
            return value


def _rules(
    given: Mapping[str, Any], known: Mapping[str, Any], stack: Stack
) -> Iterator[tuple[str, Refusal | None]]:
    """Return the rules, each with the property of which it complains."""
    if "training_gates" in known:
        yield (
            "training_gates",
            chains_fit_into_a_stack(training_gates=known["training_gates"], sweeps=known["sweeps"]),
        )
    if "adopt_existing" in known:
        yield (
            "adopt_existing",
            adoption_needs_a_name(
                adopt_existing=known["adopt_existing"], recommender_name=given["recommender_name"]
            ),
        )
    if "active_hours" in known:
        yield (
            "active_hours",
            hours_are_of_what_runs(active_hours=known["active_hours"], running=known["running"]),
        )
    for name, is_of_the_region in _OF_THE_REGION.items():
        if known.get(name) and not Token.is_unresolved(stack.region):
            yield name, is_of_the_region(known[name], stack.region)
    if "dataset_group_arn" in known:
        yield "dataset_group_arn", _group_is_of_the_stack(known["dataset_group_arn"], stack)


_OF_THE_REGION: Final = {"log_key": key_is_of_the_region, "alarm_topic": topic_is_of_the_region}


def _group_is_of_the_stack(dataset_group_arn: str, stack: Stack) -> Refusal | None:
    region, account = dataset_group_arn.split(":")[3:5]
    for name, theirs, ours in (
        ("region", region, stack.region),
        ("account", account, stack.account),
    ):
        if theirs != ours and not Token.is_unresolved(ours):
            return Refusal(
                dataset_group_arn,
                f"a dataset group of the stack's {name}, {ours}",
                "A recommender is made where its dataset group is: name another, or deploy the "
                "stack there.",
            )
    return None
