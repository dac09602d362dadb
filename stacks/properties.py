"""The constructs' properties are checked by what is declared of the settings of the same names."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from aws_cdk import Duration, RemovalPolicy, Stack, Token
from aws_cdk.aws_logs import RetentionDays
from constructs import Construct

from .retention import DAYS
from .settings.declarations import Settings
from .settings.errors import NotAllowedError, PropertyError, Refusal
from .settings.kinds import boolean, regional_arn, whole
from .settings.rules import (
    adoption_needs_a_name,
    chains_fit_into_a_stack,
    hours_are_of_what_runs,
    key_is_of_the_region,
)
from .settings.setting import setting, settings_of

_SETTINGS: Final = settings_of(Settings)
_LINKS: Final = setting(whole(1), "How many links a chain has.", example=11)["setting"]
_REMOVAL: Final = setting(
    replace(boolean(), allowed="RemovalPolicy.DESTROY or RemovalPolicy.RETAIN"),
    "What becomes of the recommender when the stack is deleted.",
    example="RETAIN",
    remedy="There is no snapshot of a recommender, and an update retains none.",
)["setting"]
_RECOMMENDER_ARN: Final = setting(
    regional_arn(["personalize"], "recommender/<name>", "recommender/[A-Za-z0-9][A-Za-z0-9_-]*"),
    "A recommender that is made elsewhere.",
    example="arn:aws:personalize:eu-west-1:111111111111:recommender/top-picks",
)["setting"]
_PROPERTIES: Final = {
    **_SETTINGS,
    "training_gates": _LINKS,
    "sweeps": _LINKS,
    "training_gate": _SETTINGS["training_gate_minutes"],
    "poll_interval": _SETTINGS["poll_interval_seconds"],
    "observation_interval": _SETTINGS["observation_interval_minutes"],
    "log_key": _SETTINGS["log_key_arn"],
    "log_retention": _SETTINGS["log_retention_days"],
    "removal_policy": _REMOVAL,
    "recommender_arn": _RECOMMENDER_ARN,
}
"""What is declared of each property."""

_OPTIONAL: Final = (
    *("recommender_name", "generation", "log_key"),
    *("max_metric_regression", "active_hours", "runbook_url"),
)
_SHAPING: Final = (
    *("running", "active_hours", "adopt_existing", "removal_policy"),
    *("training_gates", "sweeps", "training_gate", "poll_interval", "observation_interval"),
)
"""Which resources there are, and when they give up, depends on these."""


def check_properties(construct: Construct, **given: object) -> None:
    """Refuse what a construct cannot work with.

    Tokens are let through to where it is known what they stand for, but not where the template
    depends on it.

    Args:
        construct: what has the properties.
        given: all properties by name; what is optional may be None.

    Raises:
        PropertyError: a value is not allowed, or is a token where it must not be one.
    """
    stack = Stack.of(construct)
    known = {}
    for name, value in given.items():
        if _has_token(value):
            _reject_token(name, value, stack)
        elif value is not None or name not in _OPTIONAL:
            known[name] = _checked(name, value)
    for name, refusal in _rules(given, known, stack):
        if refusal:
            raise PropertyError(name, **refusal._asdict())


def check_recommender_arn(recommender_arn: str) -> None:
    """Refuse what is not the ARN of a recommender, unless it is a token.

    Raises:
        PropertyError: it is not.
    """
    if not _has_token(recommender_arn):
        _checked("recommender_arn", recommender_arn)


def _has_token(value: object) -> bool:
    match value:
        case Duration():
            return value.is_unresolved()
        case Mapping():
            return any(map(_has_token, value.values()))
        case list() | tuple():
            return Token.is_unresolved([*map(str, value)]) or any(map(_has_token, value))
        case str() | int() | float():
            return Token.is_unresolved(value)
        case _:
            return hasattr(value, "resolve")  # of IResolvable; jsii cannot be asked of anything


def _reject_token(name: str, value: object, stack: Stack) -> None:
    if name in _SHAPING:
        raise PropertyError(
            name,
            got=_shown(value) if isinstance(value, Duration) else stack.resolve(value),
            allowed="a value that is known at synthesis",
            remedy="Write it out, or read it from the context: the template depends on it.",
        )


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
    of_the_cdk, in_its_unit = _UNITS[name]
    if not isinstance(value, of_the_cdk):
        raise NotAllowedError(f"Give a {of_the_cdk.__name__}.")
    return in_its_unit(value)


def _whole_if_it_is(number: float) -> float:
    return int(number) if number == int(number) else number


_RETAINS: Final = {RemovalPolicy.DESTROY: False, RemovalPolicy.RETAIN: True}
_UNITS: Final[Mapping[str, tuple[type, Callable[[Any], object]]]] = {
    "training_gate": (Duration, lambda wait: round(wait.to_minutes(integral=False), 6)),
    "observation_interval": (
        Duration,
        lambda interval: _whole_if_it_is(interval.to_minutes(integral=False)),
    ),
    "poll_interval": (Duration, lambda wait: _whole_if_it_is(wait.to_seconds(integral=False))),
    "exploration_item_age_cut_off": (
        Duration,
        lambda age: _whole_if_it_is(age.to_days(integral=False)),
    ),
    "log_retention": (RetentionDays, lambda retention: DAYS.get(retention, retention)),
    "removal_policy": (RemovalPolicy, lambda policy: _RETAINS.get(policy, policy)),
}
"""What a property is given as, and how that becomes what is declared of it."""


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
    if "log_key" in known and not Token.is_unresolved(stack.region):
        yield "log_key", key_is_of_the_region(known["log_key"], stack.region)
    if "dataset_group_arn" in known:
        yield "dataset_group_arn", _group_is_of_the_stack(known["dataset_group_arn"], stack)


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
