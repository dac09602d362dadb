"""A recommender in a deployed template, the links that wait for it, and their position (pure).

CloudFormation hands the properties of a template to the functions, and the functions parse them.
Here the properties come by GetTemplate, and the same code parses them.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.observed import Observed
from lambdas.recommender.model.operation import RequestType
from lambdas.recommender.model.properties import BadRequestError, stringified
from lambdas.recommender.model.quality import QualityGate
from lambdas.recommender.model.request import Desired, Request
from operations.computations.stack import (
    DELETE_FAILED,
    DELETED,
    Event,
    Resource,
    Stack,
    events_of_status,
)
from operations.computations.template import UnreadableError, evaluate, restore_tags

DELETIONS: Final = (DELETED, DELETE_FAILED)
"""The statuses at which a deletion policy holds: the rollback of a creation retains nothing."""

_OF_A_LINK: Final = (v.LINK, v.LINKS, v.WAIT_SECONDS, "ServiceTimeout")
_SCHEDULE_TYPE: Final = "AWS::Scheduler::Schedule"
_NAMES: Final = {
    v.TRAINING_GATE_TYPE: "Hour{:02}Of{:02}",
    v.SWEEP_TYPE: "Sweep{:02}",
    v.STOP_TYPE: "Stop",
    v.HOURS_TYPE: "Hours",
}
"""The ids of the constructs in `stacks/`, as the list of events shows them."""


@dataclass(frozen=True)
class Link:
    """A resource that waits in one of the two chains; `wait` is in seconds."""

    logical_id: str
    name: str
    wait: float
    type: str


@dataclass(frozen=True)
class Position:
    """How far an operation is in a chain; all times are in seconds.

    Attributes:
        link: the link that waits now, or None.
        waited: how long it has waited.
        remaining: how long it takes at most until the operation is decided.
        budget: how long all links may wait together.
    """

    link: Link | None
    waited: float
    remaining: float
    budget: float

    @property
    def share(self) -> float:
        """The share of the budget that is spent, 0 to 1."""
        return 1.0 - self.remaining / self.budget if self.budget else 1.0


@dataclass(frozen=True)
class Chain:
    """A recommender in a template, and the links that wait for it.

    Attributes:
        stack: the stack.
        logical_id: the recommender's.
        physical_id: the recommender's, as the stack has it now, or empty.
        definition: the recommender's resource in the template.
        created: the links that wait for a creation or an update, in order.
        deleted: the links that wait for a deletion, in order.
        last_gate: the properties of the last training gate in the template.
        observations: the inputs of the schedules of the template's observers.
    """

    stack: Stack
    logical_id: str
    physical_id: str
    definition: Mapping[str, Any]
    created: tuple[Link, ...]
    deleted: tuple[Link, ...]
    last_gate: Mapping[str, Any]
    observations: tuple[Any, ...]

    @property
    def path(self) -> str:
        """The construct's path in its app, or nothing if the template does not have it.

        The CDK CLI writes it, unless `pathMetadata` is off: ``dev/TopPicks/Recommender``.
        """
        path = str(self.definition.get("Metadata", {}).get("aws:cdk:path", ""))
        return path.removesuffix("/Resource/Default")

    @property
    def construct(self) -> str:
        """The construct's id, or else the logical id: the stack's other recommenders differ."""
        return self.path.rpartition("/")[2] or self.logical_id

    @property
    def is_retained(self) -> bool:
        """Whether a deletion of the stack keeps the recommender (`retain_on_destroy`)."""
        return self.is_retained_by("DeletionPolicy")

    def is_retained_by(self, policy: str) -> bool:
        """Tell whether `DeletionPolicy`, or `UpdateReplacePolicy`, keeps the recommender."""
        return str(self.definition.get(policy, "")).startswith("Retain")

    @property
    def gates(self) -> tuple[Link, ...]:
        """The training gates, in order."""
        return tuple(link for link in self.created if link.type == v.TRAINING_GATE_TYPE)

    @property
    def end_states(self) -> tuple[Link, ...]:
        """The links after the training gates: they stop it, or leave it to its hours."""
        return tuple(link for link in self.created if link.type in (v.STOP_TYPE, v.HOURS_TYPE))

    def was_retained(self, arn: str) -> bool:
        """Tell whether the deletion of the stack has kept this recommender."""
        ended = self.is_retained and self.stack.status in DELETIONS
        return ended and self.physical_id in ("", arn)

    @property
    def tag_keys(self) -> frozenset[str]:
        """Keys of the tags that the template gives to the recommender."""
        return frozenset(_properties(self.definition).get(v.TAGS, {}))

    @cached_property
    def request(self) -> Request:
        """The Update that CloudFormation would send now.

        Raises:
            UnreadableError: a property cannot be evaluated here.
        """
        names = _properties(self.definition).keys() - {"ServiceToken"}
        return _request(self.stack, self.definition, names, self.logical_id, self.physical_id)

    @cached_property
    def desired(self) -> Desired:
        """The recommender of the template.

        Raises:
            UnreadableError: a property cannot be evaluated here, or has a wrong form.
        """
        try:
            return self.request.desired
        except BadRequestError as error:
            raise UnreadableError(str(error)) from error

    def desired_for(self, observed: Observed | None) -> Desired:
        """Return the recommender of the template, to be compared with the observed one.

        Raises:
            UnreadableError: as ``desired``.
        """
        actual = (observed.tags if observed else None) or {}
        return replace(self.desired, tags=restore_tags(self.desired.tags, actual))

    @property
    def quality_gate(self) -> QualityGate:
        """The quality gate of the template.

        Raises:
            UnreadableError: it cannot be evaluated here, or has a wrong form.
        """
        given = stringified(evaluate(self.last_gate.get(v.QUALITY_GATE, {}), self.stack))
        try:
            return QualityGate.from_template(given)
        except BadRequestError as error:
            raise UnreadableError(str(error)) from error

    @property
    def monitored_as(self) -> str | None:
        """The dimension of the observer's metrics, or None without an observer in the template.

        Raises:
            UnreadableError: the input of its schedule cannot be evaluated here.
        """
        for observation in self.observations:
            text = evaluate(observation, self.stack)
            with suppress(ValueError, TypeError, KeyError):  # it may be the owner's own schedule
                event = json.loads(text)
                if event["LogicalResourceId"] == self.logical_id:
                    return str(event[v.DIMENSION])
        return None

    @property
    def force_update(self) -> str:
        """The value of `force_update`, or nothing.

        Raises:
            UnreadableError: a property cannot be evaluated here.
        """
        return str(self.request.properties.get(v.FORCE_UPDATE, ""))

    @property
    def arns(self) -> tuple[str, ...]:
        """The ARNs of the template's recommender, and of one that it replaces."""
        actual = (self.physical_id,) if is_recommender(self.physical_id) else ()
        try:
            return tuple(dict.fromkeys((self.desired.arn, *actual)))
        except UnreadableError:
            return actual

    def arns_among(self, events: Iterable[Event]) -> tuple[str, ...]:
        """Return ``arns``, and those that an update has replaced: only the events show them."""
        ids = (event.physical_id for event in events if event.logical_id == self.logical_id)
        return tuple(dict.fromkeys((*self.arns, *filter(is_recommender, ids))))

    def position(self, events: Sequence[Event], *, now: float) -> Position | None:
        """Compute where an operation is; None if none is under way, or it is decided.

        Each link waits for its own time at most, then hands over. So the remaining time is that of
        the link that waits, and of all links after it.

        Args:
            events: those of the latest operation, newest first.
            now: epoch seconds.
        """
        if not self.stack.is_under_way or self.stack.is_cleaning_up:
            return None
        links = self.deleted if self.stack.is_being_removed else self.created
        latest: dict[str, str] = {}
        began: dict[str, float] = {}
        for event in events_of_status(events):
            latest.setdefault(event.logical_id, event.status)
            if event.status.endswith("_IN_PROGRESS"):
                began[event.logical_id] = event.time
        reached = max((n for n, link in enumerate(links) if link.logical_id in latest), default=-1)
        following = sum(link.wait for link in links[reached + 1 :])
        budget = sum(link.wait for link in links)
        if reached < 0 or not latest[links[reached].logical_id].endswith("_IN_PROGRESS"):
            return Position(None, 0.0, following, budget)
        link = links[reached]
        waited = max(0.0, now - began[link.logical_id])
        return Position(link, waited, max(0.0, link.wait - waited) + following, budget)


def chains(
    template: Mapping[str, Any], stack: Stack, resources: Iterable[Resource]
) -> tuple[Chain, ...]:
    """Find the recommenders of a template.

    Args:
        template: the stack's.
        stack: the stack.
        resources: the stack's.

    Raises:
        UnreadableError: only CloudFormation knows how long a link waits.
    """
    defined: Mapping[str, Any] = template.get("Resources", {})
    physical_ids = {one.logical_id: one.physical_id for one in resources}
    return tuple(
        _chain(logical_id, defined, stack, physical_ids.get(logical_id, ""))
        for logical_id in _of_type(defined, v.RECOMMENDER_TYPE)
    )


def is_recommender(physical_id: str) -> bool:
    """Tell the ARN of a recommender from a physical id that CloudFormation invented."""
    return ":recommender/" in physical_id


def _chain(logical_id: str, defined: Mapping[str, Any], stack: Stack, physical_id: str) -> Chain:
    definition = defined[logical_id]
    _, wait = _place_and_wait(stack, definition)
    own = Link(logical_id, "the recommender itself", wait, v.RECOMMENDER_TYPE)
    arn = {"Fn::GetAtt": [logical_id, v.ARN_ATTRIBUTE]}
    of_the_arn = (
        link
        for kind in (v.TRAINING_GATE_TYPE, v.STOP_TYPE, v.HOURS_TYPE)
        for link in _links(defined, stack, kind, v.RECOMMENDER_ARN, arn)
    )
    sweeps = _links(defined, stack, v.SWEEP_TYPE, v.RECOMMENDER_LOGICAL_ID, logical_id)
    return Chain(
        stack,
        logical_id,
        physical_id,
        definition,
        created=(own, *of_the_arn),
        deleted=(own, *reversed(sweeps)),
        last_gate=_last_gate(defined, arn),
        observations=_observations(defined),
    )


def _last_gate(defined: Mapping[str, Any], arn: object) -> Mapping[str, Any]:
    """Return the properties of a recommender's last training gate: it alone has a quality gate."""
    gates = map(_properties, _of_type(defined, v.TRAINING_GATE_TYPE).values())
    of_this = (one for one in gates if one.get(v.RECOMMENDER_ARN) == arn)
    return next((one for one in of_this if v.QUALITY_GATE in one), {})


def _observations(defined: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the inputs of the schedules that invoke an observer; others start and stop."""
    schedules = map(_properties, _of_type(defined, _SCHEDULE_TYPE).values())
    inputs = (one.get("Target", {}).get("Input") for one in schedules)
    return tuple(one for one in inputs if "ResourceProperties" in json.dumps(one))


def _links(
    defined: Mapping[str, Any], stack: Stack, resource_type: str, name: str, value: object
) -> list[Link]:
    """Return the links of a type, in order, one property of which has this value."""
    links = []
    for logical_id, definition in _of_type(defined, resource_type).items():
        if _properties(definition).get(name) == value:
            place, wait = _place_and_wait(stack, definition)
            construct_id = _NAMES[resource_type].format(*place)
            links.append((place, Link(logical_id, construct_id, wait, resource_type)))
    return [link for _, link in sorted(links, key=lambda one: one[0])]


def _place_and_wait(stack: Stack, definition: Mapping[str, Any]) -> tuple[tuple[int, int], float]:
    """Return the place of a link in its chain, and how long it waits.

    Raises:
        UnreadableError: they cannot be evaluated here, or have a wrong form.
    """
    request = _request(stack, definition, _OF_A_LINK)
    try:
        return request.link, request.wait_seconds
    except BadRequestError as error:
        raise UnreadableError(str(error)) from error


def _request(
    stack: Stack,
    definition: Mapping[str, Any],
    names: Collection[str],
    logical_id: str = "",
    physical_id: str = "",
) -> Request:
    """Return an Update of a resource, with the properties of these names."""
    given = {name: one for name, one in _properties(definition).items() if name in names}
    return Request(
        type=RequestType.UPDATE,
        resource_type=definition["Type"],
        request_id="",
        stack_id=stack.id,
        logical_id=logical_id,
        physical_id=physical_id or None,
        properties=stringified(evaluate(given, stack)),
        old_properties={},
    )


def _of_type(defined: Mapping[str, Any], resource_type: str) -> dict[str, Mapping[str, Any]]:
    return {name: one for name, one in defined.items() if one.get("Type") == resource_type}


def _properties(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = definition.get("Properties", {})
    return properties
