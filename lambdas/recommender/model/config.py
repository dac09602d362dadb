"""``recommenderConfig``: the members that the stack owns, expected and actual (pure).

The template has Personalize's own member names. This module reads the template's values and
DescribeRecommender's into one form to compare: numbers as numbers, no member absent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from .. import vocabulary as v
from ..model import properties as p

_MEMBERS: Final = {
    v.MIN_REQUESTS_PER_SECOND: p.COUNT,
    v.ENABLE_METADATA: p.BOOLEAN,
    v.EXPLORATION: p.MAP,
    v.TRAINING_DATA: p.MAP,
}
_EXPLORATION: Final = {
    v.EXPLORATION_WEIGHT: p.WEIGHT,
    v.EXPLORATION_ITEM_AGE_CUT_OFF: p.Reader(
        lambda value: Decimal(p.COUNT.parse(value)), p.COUNT.allowed
    ),
}
_TRAINING_DATA: Final = {v.EXCLUDED_COLUMNS: p.COLUMNS}

Columns = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Config:
    """A configuration; the defaults are Personalize's.

    Source: ``RecommenderConfig``, Personalize API reference. None is a value that no template can
    have, such as a malformed number.
    """

    min_requests_per_second: int = 1
    enable_metadata: bool | None = False
    exploration_weight: Decimal | None = Decimal("0.3")
    exploration_item_age_cut_off: Decimal | None = Decimal(30)
    excluded_columns: Columns = field(default_factory=dict)
    included_columns: Columns = field(default_factory=dict)
    """Never in a template; the training leaves out every other column."""
    explores: bool = True
    """Whether the recipe explores. If not, ``itemExplorationConfig`` is neither sent nor compared:
    AWS allows it only for recommendations for a user, and documents no answer without it."""

    @classmethod
    def from_template(cls, properties: Mapping[str, Any]) -> "Config":
        """Read the configuration of a template; without exploration, its recipe has none.

        Raises:
            BadRequestError: a member is malformed or unknown.
        """
        given = p.members(properties, _MEMBERS, v.CONFIG)
        exploration = p.members(given.get(v.EXPLORATION, {}), _EXPLORATION, v.EXPLORATION)
        training = p.members(given.get(v.TRAINING_DATA, {}), _TRAINING_DATA, v.TRAINING_DATA)
        read = {**given, **exploration, **training}
        fields = {name: read[member] for member, (_, name, _) in FIELDS.items() if member in read}
        return cls(explores=v.EXPLORATION in given, **fields)

    @classmethod
    def of_service(cls, shown: Mapping[str, Any], *, hidden: "Config") -> "Config":
        """Return the configuration that DescribeRecommender shows.

        DescribeRecommender may not show every member: no recorded answer has
        ``enableMetadataWithRecommendations``.

        Args:
            shown: ``recommenderConfig`` as the service shows it.
            hidden: has the members that the service does not show.
        """
        members = _members(shown)
        fields: dict[str, Any] = {
            name: convert(members[member])
            for member, (inside, name, convert) in FIELDS.items()
            if member in members and (hidden.explores or inside != v.EXPLORATION)
        }
        return replace(hidden, **{"included_columns": {}, **fields})

    def agrees_with(self, shown: Mapping[str, Any]) -> bool:
        """Return whether all members that the service shows are as in this configuration."""
        return Config.of_service(shown, hidden=self) == self

    def not_shown(self, shown: Mapping[str, Any]) -> list[str]:
        """Return the members that DescribeRecommender does not show; no columns show as none."""
        expected = (
            *(v.MIN_REQUESTS_PER_SECOND, v.ENABLE_METADATA),
            *(_EXPLORATION if self.explores else ()),
            *(_TRAINING_DATA if self.excluded_columns else ()),
        )
        members = _members(shown)
        return [member for member in expected if member not in members]

    def is_shown_in_full(self, shown: Mapping[str, Any]) -> bool:
        """Return whether the service shows every member, as in this configuration."""
        return not self.not_shown(shown) and self.agrees_with(shown)

    def is_surely_valid(self, shown: Mapping[str, Any], before: "Config | None") -> bool:
        """Return whether Personalize has no reason to call a member invalid.

        That is if each member shows, was in the template before, or is Personalize's default.

        Args:
            shown: ``recommenderConfig`` as the service shows it.
            before: the earlier configuration in the template, which Personalize has accepted.
        """
        accepted = Config.of_service(shown, hidden=Config(explores=self.explores))
        return all(
            getattr(self, name) in (getattr(accepted, name), getattr(before or accepted, name))
            for _, name, _ in FIELDS.values()
        )

    def request(
        self, current: Mapping[str, Any] | None = None, *, replaced: "Config | None" = None
    ) -> dict[str, Any]:
        """Return the ``recommenderConfig`` to send.

        AWS does not document whether UpdateRecommender merges or replaces. So this sends every
        member that the stack owns, and copies the others: right in both cases.
        ``trainingDataConfig`` is the stack's as a whole.

        Args:
            current: the ``recommenderConfig`` that DescribeRecommender shows, if any.
            replaced: the same, as a ``Config``.
        """
        current = current or {}
        ours = (v.TRAINING_DATA, v.EXPLORATION)
        sent: dict[str, Any] = {
            **{name: value for name, value in current.items() if name not in ours},
            v.MIN_REQUESTS_PER_SECOND: self.min_requests_per_second,
            v.ENABLE_METADATA: self.enable_metadata,
        }
        if self.explores:
            sent[v.EXPLORATION] = {
                **(current.get(v.EXPLORATION) or {}),
                v.EXPLORATION_WEIGHT: f"{self.exploration_weight:f}",
                v.EXPLORATION_ITEM_AGE_CUT_OFF: f"{self.exploration_item_age_cut_off:f}",
            }
        if (
            self.excluded_columns
            or current.get(v.TRAINING_DATA)
            or (replaced and replaced.excluded_columns)
        ):
            excluded = {dataset: list(names) for dataset, names in self.excluded_columns.items()}
            sent[v.TRAINING_DATA] = {v.EXCLUDED_COLUMNS: excluded}
        return sent


def _members(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that the service shows, with those inside of other members."""
    inside = (shown, shown.get(v.EXPLORATION) or {}, shown.get(v.TRAINING_DATA) or {})
    return {name: value for one in inside for name, value in one.items() if value is not None}


def _columns(given: Mapping[str, Any]) -> Columns:
    return {dataset: tuple(sorted(names)) for dataset, names in given.items() if names}


def _number(value: object) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


FIELDS: Final[Mapping[str, tuple[str, str, Callable[[Any], Any]]]] = {
    v.MIN_REQUESTS_PER_SECOND: ("", "min_requests_per_second", int),
    v.ENABLE_METADATA: ("", "enable_metadata", bool),
    v.EXPLORATION_WEIGHT: (v.EXPLORATION, "exploration_weight", _number),
    v.EXPLORATION_ITEM_AGE_CUT_OFF: (v.EXPLORATION, "exploration_item_age_cut_off", _number),
    v.EXCLUDED_COLUMNS: (v.TRAINING_DATA, "excluded_columns", _columns),
    v.INCLUDED_COLUMNS: (v.TRAINING_DATA, "included_columns", _columns),
}
"""Personalize's name of a member -> the member that has it, if any; our field; and the conversion
of a value that Personalize shows."""
