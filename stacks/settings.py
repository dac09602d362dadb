"""The settings: the only reader of CDK context, validated before any construct exists.

Context values come from ``cdk.json`` with JSON's types, or as strings from ``-c key=value``; both
are parsed strictly. A wrong one raises ``SettingsError``, whose message names the key, the value,
what is allowed and what to do.
"""

import difflib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar, cast

from constructs import Node

from lambdas.recommender.vocabulary import MAX_TAGS, RESERVED_TAG_PREFIX, RESERVED_TAGS

T = TypeVar("T")

ENVIRONMENTS: Final = "environments"
PIPELINE: Final = "pipeline"
MAX_TRAINING_GATES: Final = 100
"""CloudFormation allows 500 resources in a stack, and a gate and a sweep are two."""


class SettingsError(Exception):
    """A setting is missing, unknown or wrong."""

    def __init__(self, key: str, *, got: object, allowed: str, remedy: str) -> None:
        value = "nothing" if got is None else json.dumps(got, default=str)
        super().__init__(f"Setting {key}: got {value}; allowed: {allowed}. {remedy}")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One environment's settings. The defaults are the contract's."""

    dataset_group_arn: str
    account: str
    region: str
    recommender_name: str | None = None
    min_recommendation_requests_per_second: int = 1
    exploration_weight: Decimal = Decimal("0.3")
    exploration_item_age_cut_off: int = 30
    excluded_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    running: bool = True
    adopt_existing: bool = False
    retain_on_destroy: bool = False
    max_training_hours: Decimal = Decimal(10)
    training_gate_minutes: Decimal = Decimal(55)
    poll_interval_seconds: int = 60
    log_retention_days: int = 90
    log_key_arn: str | None = None
    consumers: tuple[str, ...] = ()
    termination_protection: bool = False
    approval: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def training_gates(self) -> int:
        """How many training gates ``max_training_hours`` takes."""
        return math.ceil(self.max_training_hours * 60 / self.training_gate_minutes)


@dataclass(frozen=True, kw_only=True)
class PipelineSettings:
    """Where the pipeline is, and what it deploys."""

    connection_arn: str
    repository: str
    branch: str
    account: str
    region: str


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """All that the context says."""

    environments: Mapping[str, Settings]
    """By name, in the order of the context; a single environment has the name ``""``."""

    pipeline: PipelineSettings | None = None


def from_context(node: Node) -> Deployment:
    """Return what is to be deployed.

    Raises:
        SettingsError: a setting is missing, unknown or wrong.
    """
    # Empty on the command line takes away what cdk.json says.
    environments, pipeline = (
        None if value == "" else value
        for value in map(node.try_get_context, (ENVIRONMENTS, PIPELINE))
    )
    if environments is None:
        if pipeline is not None:
            raise SettingsError(
                PIPELINE,
                got=pipeline,
                allowed=f"a pipeline together with {ENVIRONMENTS}",
                remedy=f"Put what it is to deploy into {ENVIRONMENTS}, in their order.",
            )
        _reject_near_misses(node.get_all_context())
        given = {key: node.try_get_context(key) for key in _PARSERS}
        single = parse({key: value for key, value in given.items() if value is not None})
        _reject_approval({"": single})
        return Deployment(environments={"": single})
    if both := [key for key in _PARSERS if node.try_get_context(key) is not None]:
        raise SettingsError(
            both[0],
            got=node.try_get_context(both[0]),
            allowed=f"either one environment at the top level, or {ENVIRONMENTS}",
            remedy=f"Move it into each environment, or remove {ENVIRONMENTS}.",
        )
    parsed = {
        _environment_name(name): parse(
            _mapping(settings, f"{ENVIRONMENTS}.{name}", _ENVIRONMENTS_EXAMPLE), of=f"{name}."
        )
        for name, settings in _mapping(environments, ENVIRONMENTS, _ENVIRONMENTS_EXAMPLE).items()
    }
    if pipeline is None:
        _reject_approval(parsed)
        return Deployment(environments=parsed)
    return Deployment(environments=parsed, pipeline=_parse_pipeline(pipeline))


def _reject_approval(environments: Mapping[str, Settings]) -> None:
    """Nobody would be asked: only the pipeline has approvals."""
    for name, settings in environments.items():
        if settings.approval:
            raise SettingsError(
                f"{name}.approval" if name else "approval",
                got=True,
                allowed=f"true together with {PIPELINE}",
                remedy=f"Without {PIPELINE} nothing waits for an approval: remove it.",
            )


def _parse_pipeline(value: object) -> PipelineSettings:
    given = _mapping(value, PIPELINE, _PIPELINE_EXAMPLE)
    if unknown := sorted(set(given) - set(_PIPELINE_PARSERS)):
        raise _unknown(unknown[0], given[unknown[0]], f"{PIPELINE}.", known=_PIPELINE_PARSERS)
    return PipelineSettings(
        **{
            key: parser.read(f"{PIPELINE}.{key}", given.get(key))
            for key, parser in _PIPELINE_PARSERS.items()
        }
    )


def parse(given: Mapping[str, object], *, of: str = "") -> Settings:
    """Return the settings of one environment.

    Args:
        given: values by key.
        of: what precedes a key in messages.

    Raises:
        SettingsError: a setting is missing, unknown or wrong.
    """
    if unknown := sorted(set(given) - set(_PARSERS)):
        raise _unknown(unknown[0], given[unknown[0]], of, known=_PARSERS)
    if given.get("dataset_group_arn") is None:
        raise SettingsError(
            f"{of}dataset_group_arn",
            got=None,
            allowed=_PARSERS["dataset_group_arn"].allowed,
            remedy="Give the ARN of an ACTIVE VIDEO_ON_DEMAND dataset group, in cdk.json or with "
            "-c dataset_group_arn=<arn>.",
        )
    values = {key: _PARSERS[key].read(f"{of}{key}", value) for key, value in given.items()}
    match = _DATASET_GROUP_ARN.fullmatch(values["dataset_group_arn"])
    assert match is not None  # noqa: S101  # its parser says so
    settings = Settings(**values, account=match["account"], region=match["region"])
    _check_together(settings, of)
    return settings


def _check_together(settings: Settings, of: str) -> None:
    if settings.training_gates > MAX_TRAINING_GATES:
        raise SettingsError(
            f"{of}training_gate_minutes",
            got=settings.training_gate_minutes,
            allowed=f"at most {MAX_TRAINING_GATES} training gates in max_training_hours",
            remedy=f"It makes {settings.training_gates}: lengthen the gates, or lower "
            "max_training_hours.",
        )
    if settings.adopt_existing and settings.recommender_name is None:
        raise SettingsError(
            f"{of}adopt_existing",
            got=True,
            allowed="true together with recommender_name",
            remedy="Name the recommender to take over in recommender_name.",
        )
    if settings.log_key_arn and settings.log_key_arn.split(":")[3] != settings.region:
        raise SettingsError(
            f"{of}log_key_arn",
            got=settings.log_key_arn,
            allowed=f"a key of the region of the log groups, {settings.region}",
            remedy="Give a key of the dataset group's region, or the replica there of a "
            "multi-Region key.",
        )
    partition = settings.dataset_group_arn.split(":")[1]
    for consumer in settings.consumers:
        if consumer.split(":")[1] != partition:
            raise SettingsError(
                f"{of}consumers",
                got=consumer,
                allowed=f"principals of the dataset group's partition, {partition}",
                remedy="A role cannot trust a principal of another partition.",
            )


def _reject_near_misses(context: Mapping[str, Any]) -> None:
    """Context also holds feature flags and other tools' keys, so only likely slips are refused."""
    for key, value in context.items():
        if key not in _TOP_LEVEL and _nearest(key, _TOP_LEVEL, cutoff=0.8):
            raise _unknown(key, value, "", known=_TOP_LEVEL)


def _nearest(key: str, known: Iterable[str], *, cutoff: float) -> str | None:
    return next(iter(difflib.get_close_matches(key, list(known), n=1, cutoff=cutoff)), None)


def _unknown(key: str, value: object, of: str, *, known: Iterable[str]) -> SettingsError:
    nearest = _nearest(key, known, cutoff=0.0)
    return SettingsError(
        f"{of}{key}",
        got=value,
        allowed="no such setting",
        remedy=f"Did you mean {nearest}? README.md lists all settings.",
    )


def _environment_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,40}", name):
        raise SettingsError(
            f"{ENVIRONMENTS}.{name}",
            got=name,
            allowed="a name of letters, digits and hyphens that begins with a letter, 41 at most",
            remedy="Rename the environment: stacks are named after it.",
        )
    return name


_ENVIRONMENTS_EXAMPLE: Final = '{"dev": {"dataset_group_arn": "<arn>"}}'
_PIPELINE_EXAMPLE: Final = (
    '{"connection_arn": "<arn>", "repository": "<owner>/<name>", "branch": "main", '
    '"account": "<12 digits>", "region": "<region>"}'
)


def _mapping(value: object, key: str, example: str) -> dict[str, object]:
    parsed = _json(value)
    if not isinstance(parsed, dict) or not parsed:
        raise SettingsError(
            key,
            got=value,
            allowed="a JSON object that is not empty",
            remedy=f"For example {example}.",
        )
    return cast("dict[str, object]", parsed)


def _json(value: object) -> object:
    """Return what a string from the command line says in JSON; other values as they are."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


@dataclass(frozen=True)
class _Parser:
    """How a setting is read: ``parse`` raises ``ValueError`` for what is not allowed."""

    parse: Callable[[object], Any]
    allowed: str
    remedy: str = "Correct it in cdk.json or in the -c option."

    def read(self, key: str, value: object) -> Any:
        try:
            return self.parse(value)
        except (ValueError, InvalidOperation) as error:
            raise SettingsError(key, got=value, allowed=self.allowed, remedy=self.remedy) from error


_REGION: Final = "[a-z]{2}(?:-[a-z]+)+-[0-9]"
_DATASET_GROUP_ARN = re.compile(
    rf"arn:aws[a-z-]*:personalize:(?P<region>{_REGION}):(?P<account>[0-9]{{12}})"
    r":dataset-group/[A-Za-z0-9][A-Za-z0-9_-]{0,62}"
)
_KEY_ARN = re.compile(rf"arn:aws[a-z-]*:kms:{_REGION}:[0-9]{{12}}:key/[a-z0-9-]{{1,64}}")
_CONSUMER_ARN = re.compile(
    r"arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9_+=,.@/-]{1,575}", re.ASCII
)
_CONNECTION_ARN = re.compile(
    rf"arn:aws[a-z-]*:(codeconnections|codestar-connections):{_REGION}:[0-9]{{12}}"
    r":connection/[0-9a-f-]{36}"
)


def _matching(pattern: re.Pattern[str]) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError
        return value

    return parse


def _boolean(value: object) -> bool:
    parsed = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    if not isinstance(parsed, bool):
        raise ValueError
    return parsed


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    if not re.fullmatch(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,6})?", str(value)):
        raise ValueError
    return Decimal(str(value))


def _whole(low: int, high: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        number = _number(value)
        if "." in str(value) or not low <= number <= high:
            raise ValueError
        return int(number)

    return parse


def _decimal(low: str, high: str, *, above: bool = False) -> Callable[[object], Decimal]:
    def parse(value: object) -> Decimal:
        number = _number(value)
        if not Decimal(low) <= number <= Decimal(high) or (above and number == Decimal(low)):
            raise ValueError
        return number

    return parse


_LOG_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557),
    *(2922, 3288, 3653),
)
"""Source: PutRetentionPolicy, CloudWatch Logs API reference."""


def _retention(value: object) -> int:
    days = _whole(1, max(_LOG_RETENTION_DAYS))(value)
    if days not in _LOG_RETENTION_DAYS:
        raise ValueError
    return days


def _consumers(value: object) -> tuple[str, ...]:
    parsed = _json(value)
    if not isinstance(parsed, list) or not parsed:
        raise ValueError
    arn = _matching(_CONSUMER_ARN)
    return tuple(sorted({arn(consumer) for consumer in parsed}))


def _columns(value: object) -> dict[str, tuple[str, ...]]:
    parsed = _json(value)
    if not isinstance(parsed, dict) or len(parsed) > len(_DATASET_TYPES):
        raise ValueError
    return {dataset: _column_names(dataset, columns) for dataset, columns in sorted(parsed.items())}


_DATASET_TYPES: Final = ("INTERACTIONS", "ITEMS", "USERS")
_MAX_COLUMNS: Final = 50
_NEVER_EXCLUDED: Final = "EVENT_TYPE"


def _column_names(dataset: object, columns: object) -> tuple[str, ...]:
    if dataset not in _DATASET_TYPES or not isinstance(columns, list):
        raise ValueError
    names = [name for name in columns if isinstance(name, str)]
    well_formed = all(
        re.fullmatch(r"[A-Za-z_][A-Za-z\d_]{0,149}", name, re.ASCII) for name in names
    )
    if len(names) != len(columns) or not 1 <= len(set(names)) <= _MAX_COLUMNS or not well_formed:
        raise ValueError
    if _NEVER_EXCLUDED in names:
        raise ValueError
    return tuple(sorted(set(names)))


def _tags(value: object) -> dict[str, str]:
    parsed = _json(value)
    if not isinstance(parsed, dict) or len(parsed) > MAX_TAGS - len(RESERVED_TAGS):
        raise ValueError
    for key, tag in parsed.items():
        if (
            not isinstance(tag, str)
            or not _is_tag_text(key, 1, 128)
            or not _is_tag_text(tag, 1, 256)
        ):
            raise ValueError
        if key.lower().startswith("aws:") or key.startswith(RESERVED_TAG_PREFIX):
            raise ValueError
    return dict(sorted(parsed.items()))


def _is_tag_text(text: str, low: int, high: int) -> bool:
    """Source: pattern of ``Tag`` in the Personalize API reference.

    It allows empty values, too, but the CDK refuses them for other resources (rule F3033).
    """
    allowed = all(char.isalnum() or char.isspace() or char in "_.:/=+-@" for char in text)
    return low <= len(text) <= high and allowed


_PARSERS: Final[Mapping[str, _Parser]] = {
    "dataset_group_arn": _Parser(
        _matching(_DATASET_GROUP_ARN),
        "arn:<partition>:personalize:<region>:<account>:dataset-group/<name>",
        "Copy the ARN from `aws personalize list-dataset-groups`.",
    ),
    "recommender_name": _Parser(
        _matching(re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")),
        "1 to 63 letters, digits, - and _, the first a letter or digit",
        "Correct it, or remove it to have the name derived.",
    ),
    "min_recommendation_requests_per_second": _Parser(
        _whole(1, 2**31 - 1), "a whole number, 1 or more"
    ),
    "exploration_weight": _Parser(_decimal("0", "1"), "a number from 0 to 1"),
    "exploration_item_age_cut_off": _Parser(
        _whole(1, 2**31 - 1), "a whole number of days, 1 or more"
    ),
    "excluded_columns": _Parser(
        _columns,
        f"an object of {', '.join(_DATASET_TYPES)} to lists of 1 to {_MAX_COLUMNS} column names "
        f"without {_NEVER_EXCLUDED}",
        'For example {"ITEMS": ["DESCRIPTION"]}.',
    ),
    "running": _Parser(_boolean, "true or false"),
    "adopt_existing": _Parser(_boolean, "true or false"),
    "retain_on_destroy": _Parser(_boolean, "true or false"),
    "max_training_hours": _Parser(
        _decimal("0", "24", above=True), "a number of hours above 0, 24 at most"
    ),
    "training_gate_minutes": _Parser(
        _decimal("0", "55", above=True),
        "a number of minutes above 0, 55 at most",
        "CloudFormation gives one custom resource an hour; max_training_hours sets how long all "
        "training gates wait together.",
    ),
    "poll_interval_seconds": _Parser(_whole(1, 120), "a whole number from 1 to 120"),
    "log_retention_days": _Parser(
        _retention,
        f"one of {', '.join(map(str, _LOG_RETENTION_DAYS))}",
        "These are the retentions of CloudWatch Logs, in days.",
    ),
    "log_key_arn": _Parser(
        _matching(_KEY_ARN),
        "arn:<partition>:kms:<region>:<account>:key/<id>",
        "Give the ARN of the key itself: CloudWatch Logs takes no alias.",
    ),
    "consumers": _Parser(
        _consumers,
        "a list of ARNs of IAM roles and users, "
        "arn:<partition>:iam::<account>:role/<path and name>, without wildcards",
        "A whole account (root) would let everybody in whom its administrators let; a session "
        "(assumed-role) ends, so name its role; IAM takes no wildcard in a trusted ARN.",
    ),
    "termination_protection": _Parser(_boolean, "true or false"),
    "approval": _Parser(_boolean, "true or false"),
    "tags": _Parser(
        _tags,
        f"an object of at most {MAX_TAGS - len(RESERVED_TAGS)} strings, keys of 1 to 128 and "
        "values of 1 to 256 letters, digits, spaces and _.:/=+-@, no key that begins with aws: or "
        f"{RESERVED_TAG_PREFIX}",
        f"Personalize allows {MAX_TAGS} tags, and {len(RESERVED_TAGS)} are the stack's own.",
    ),
}

_PIPELINE_PARSERS: Final[Mapping[str, _Parser]] = {
    "connection_arn": _Parser(
        _matching(_CONNECTION_ARN),
        "arn:<partition>:codeconnections:<region>:<account>:connection/<id>",
        "Create the connection in the console of CodePipeline (Settings, Connections) and copy "
        "its ARN.",
    ),
    "repository": _Parser(
        _matching(re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")),
        "<owner>/<name>",
        "Name the repository as in its address.",
    ),
    "branch": _Parser(_matching(re.compile(r"[A-Za-z0-9_./#+-]{1,255}")), "the name of a branch"),
    "account": _Parser(
        _matching(re.compile(r"[0-9]{12}")),
        "a string of 12 digits",
        "Give the account that the pipeline runs in, in quotes.",
    ),
    "region": _Parser(
        _matching(re.compile(_REGION)),
        "the name of a region, such as eu-west-1",
        "Give the region that the pipeline runs in.",
    ),
}
_TOP_LEVEL: Final = (*_PARSERS, ENVIRONMENTS, PIPELINE)

assert set(_PARSERS) == {f.name for f in fields(Settings)} - {"account", "region"}  # noqa: S101
assert set(_PIPELINE_PARSERS) == {f.name for f in fields(PipelineSettings)}  # noqa: S101
