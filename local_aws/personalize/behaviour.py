"""Everything about the simulated Amazon Personalize that can be adjusted.

This is a SIMULATION of documented and observed behaviour, not AWS. The durations that are the
default were seen in the saved outputs of the notebooks of github.com/aws-samples/
amazon-personalize-immersion-day (creation, update) and github.com/aws-samples/
amazon-personalize-samples (deletion). Where AWS documents nothing there is a switch, so that a
client can be tested under either answer.
"""

import ast
import dataclasses
import functools
import inspect
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, Self, get_args, get_origin, get_type_hints

TOP_PICKS_METRICS: Final = {
    "coverage": 0.0768,
    "mean_reciprocal_rank_at_25": 0.2284,
    "normalized_discounted_cumulative_gain_at_10": 0.268,
    "normalized_discounted_cumulative_gain_at_25": 0.346,
    "normalized_discounted_cumulative_gain_at_5": 0.242,
    "precision_at_10": 0.0566,
    "precision_at_25": 0.0415,
    "precision_at_5": 0.0868,
}
"""The metrics of a top-picks recommender, as saved in amazon-personalize-immersion-day."""


Echo = Literal[
    "as set", "in full", "without defaults", "without metadata", "without columns", "nothing"
]


@dataclass(kw_only=True)
class Behaviour:
    """The adjustable behaviour of the simulation; a change applies to the next call.

    Raises:
        ValueError: A value is not of its field's type, or is negative.
    """

    create_pending: float = 60.0
    """Seconds in CREATE PENDING."""
    create_in_progress: float = 3900.0
    """Seconds in CREATE IN_PROGRESS: the training."""
    update_pending: float = 60.0
    """Seconds in CREATE PENDING of an update that does not change the columns.

    One that does retrains in full, so it takes as long as a creation.
    """
    update_in_progress: float = 840.0
    """Seconds in CREATE IN_PROGRESS of an update that does not change the columns."""
    stop: float = 900.0
    """Seconds until INACTIVE, a tenth of them in STOP PENDING (invented: nothing is documented)."""
    start: float = 900.0
    """Seconds until ACTIVE again, a tenth of them in START PENDING (invented, as for `stop`)."""
    delete: float = 1050.0
    """Seconds until gone, a tenth of them in DELETE PENDING."""

    training_failure: str | None = None
    """The `failureReason` with which trainings that begin from now on end in CREATE FAILED."""
    update_failure: str | None = None
    """The `failureReason` with which updates that begin from now on end in CREATE FAILED."""
    retraining_failure: str | None = None
    """The `failureReason` with which retrainings that begin from now on end in CREATE FAILED.

    Those of `retraining_every`: the model before goes on serving. `training_failure` fails them,
    too.
    """

    update_semantics: Literal["merge", "replace"] = "merge"
    """Whether an update keeps or drops omitted top-level members of `recommenderConfig` (unknown).

    Either way, an update replaces each member that it does not omit as a whole.
    """
    empty_columns: Literal["clear", "keep"] = "clear"
    """Whether an empty `trainingDataConfig` in an update drops the effective columns (unknown)."""
    echo: Echo = "as set"
    """How much of `recommenderConfig` is answered (no recorded answer shows all of it).

    AWS's guide shows only the members that were set; AWS's amazon-personalize-monitor relies on
    filled-in defaults. The other values are guesses: a service may leave out defaults, the flag for
    metadata, the columns of the training, or all of it.
    """
    normalise_numbers: bool = False
    """Whether numbers in `itemExplorationConfig` are answered normalised: "0.30" as "0.3"."""

    not_found_after_create: float = 0.0
    """Seconds after a successful create in which reads do not know the recommender."""
    stale_after_update: float = 0.0
    """Seconds after a successful update in which Describe answers as it did before."""
    ghost_after_delete: float = 0.0
    """Seconds after a deletion has ended in which the name is not free.

    Describe says ResourceNotFound, but Create ResourceAlreadyExists and Delete ResourceInUse, as a
    user reported at repost.aws, question QU94kd8uwFTZie-RTHRtrsEw.
    """

    delete_during_update: Literal["in_use", "accepted"] = "in_use"
    """Whether a recommender that is being updated can be deleted (undocumented)."""
    update_when_inactive: Literal["rejected", "accepted"] = "rejected"
    """Whether a stopped recommender can be updated (undocumented)."""
    tag_calls_during_change: Literal["in_use", "accepted"] = "accepted"
    """Whether tag calls, which declare ResourceInUse, answer it in PENDING and IN_PROGRESS states.

    During a retraining they do in any case.
    """
    retraining_every: float | None = None
    """Seconds between automatic retrainings while ACTIVE; AWS documents seven days. None: never.

    A retraining takes as long as a creation, and makes update, stop, delete and tag calls answer
    ResourceInUse. The time counts from the last training, or from the last start: a start does not
    train, and may come late.
    """
    retraining_shows: bool = True
    """Whether an automatic retraining shows in `latestRecommenderUpdate` and its times.

    The guide ("Maintaining recommendation relevance") names that as the place to follow it; no
    recorded answer shows one.
    """
    retraining_factor: float = 1.0
    """The factor by which an automatic retraining changes each model metric, when it succeeds.

    Of retrainings that begin from now on. Below 1, the model gets worse; no metric exceeds 1. AWS
    does not document whether a retraining changes `modelMetrics`. With a factor of 1, it does not.
    """
    throttle_every: int | None = None
    """Every nth call answers ThrottlingException without being read. None: no call does."""
    validation_code: Literal["ValidationException", "InvalidInputException"] = "ValidationException"
    """The code for requests that break the constraints of the service's model (undocumented)."""

    metrics: dict[str, float] | None = field(default_factory=lambda: dict(TOP_PICKS_METRICS))
    """FIXED metrics: the `modelMetrics` of every recommender that has some, whatever it trained on.

    None: those that were measured on the data of its dataset group; without data, none at all.
    """
    popular_metrics: Literal["absent", "empty", "reported"] = "absent"
    """Whether recipes of popular and of trending items have `modelMetrics` (undocumented).

    If they do, these are `metrics`; the rehearsal measures none of such recipes.
    """
    metadata_names: Literal["lower case", "as requested"] = "lower case"
    """The names of an item's metadata in GetRecommendations, if TITLE is requested.

    AWS documents neither. Lower case is recorded: amazon-personalize-immersion-day,
    Media_04_Inference, whose saved output of 28 August 2024 has 'title'.
    """
    missing_dataset: Literal["rejected", "training fails"] = "rejected"
    """Whether a recipe that requires a dataset can be created without it (undocumented)."""
    unused_config: Literal["rejected", "accepted"] = "rejected"
    """Whether a configuration can have members that its recipe does not use (undocumented).

    These are exploration where there is none, and columns of datasets that do not train. Where they
    are accepted, they are kept and shown, without any effect.
    """
    event_type_counts: bool = False
    """Whether an import counts EVENT_TYPE among the ten event types and columns (two pages differ).

    Those of the guide: by "Endpoints and quotas" it does not, so ten event types are imported; by
    "Item interactions dataset requirements (VIDEO_ON_DEMAND domain)" it does, so nine are.
    """
    page_size: int = 3
    """The most results on a page of any list operation, small so that paging is exercised."""
    recommenders_per_dataset_group: int = 5
    """Quota, counting recommenders in every status."""
    recommenders_per_region: int = 15
    """Quota, counting recommenders in every status."""

    def __post_init__(self) -> None:
        for name, hint in _hints().items():
            allowed, is_allowed = _kind(hint)
            if not is_allowed(value := getattr(self, name)):
                raise ValueError(f"Fault {name}: got {value!r}; allowed: {allowed}")

    @classmethod
    def from_json(cls, text: str | bytes, *, base: "Behaviour | None" = None) -> Self:
        """Read a JSON object of fields; those that it omits are as in `base`, else the default.

        Raises:
            ValueError: It is not a JSON object, names an unknown field, or holds a wrong value.
        """
        given = json.loads(text)
        if not isinstance(given, dict):
            raise ValueError("got no JSON object; allowed: a JSON object of faults")
        if unknown := sorted(given.keys() - _hints().keys()):
            raise ValueError(
                f"Unknown fault {', '.join(unknown)}. The faults are {', '.join(_hints())}."
            )
        return cls(**((dataclasses.asdict(base) if base else {}) | given))

    @classmethod
    def documented(cls) -> dict[str, "Field"]:
        """Return the documentation of each field, in the order of their declaration."""
        source = ast.walk(ast.parse(inspect.getsource(cls)))
        declared = next(one for one in source if isinstance(one, ast.ClassDef))
        return {
            field.target.id: Field(_kind(_hints()[field.target.id])[0], inspect.cleandoc(text))
            for field, after in itertools.pairwise(declared.body)
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
            for text in [_text_of(after)]
        }

    @staticmethod
    def value_of(name: str, text: str) -> object:
        """Parse a value from the command line as JSON; the value of a text field stays as it is."""
        if text != "null" and _hints().get(name) == str | None:
            return text
        try:
            return json.loads(text)
        except ValueError:
            return text

    def to_json(self) -> str:
        """Return all fields as a JSON object that `from_json` reads back."""
        return json.dumps(dataclasses.asdict(self))


class Field(NamedTuple):
    """The documentation of a field."""

    allowed: str
    description: str


def _text_of(statement: ast.stmt) -> str:
    match statement:
        case ast.Expr(ast.Constant(str(text))):
            return text
        case _:
            return ""


@functools.cache
def _hints() -> dict[str, Any]:
    return get_type_hints(Behaviour)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_numbers_by_name(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and _is_number(number) for name, number in value.items()
    )


_KINDS: Final[dict[Any, tuple[str, Callable[[object], bool]]]] = {
    bool: ("true or false", lambda value: isinstance(value, bool)),
    float: ("a number of at least 0", _is_number),
    float | None: ("null or a number of at least 0", lambda v: v is None or _is_number(v)),
    int: ("a whole number of at least 1", _is_count),
    int | None: ("null or a whole number of at least 1", lambda v: v is None or _is_count(v)),
    str | None: ("null or a text", lambda value: value is None or isinstance(value, str)),
    dict[str, float] | None: (
        "null or an object of numbers of at least 0",
        lambda v: v is None or _is_numbers_by_name(v),
    ),
}


def _kind(hint: Any) -> tuple[str, Callable[[object], bool]]:
    if get_origin(hint) is Literal:
        choices = get_args(hint)
        return " or ".join(map(repr, choices)), choices.__contains__
    return _KINDS[hint]
