"""Compute the requests that CloudFormation sends in a deployment (pure).

CloudFormation sends a request to a custom resource if one of its properties changes ("Custom
resource request objects", User Guide), or if its latest request has failed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.operation import Operation, RequestType
from lambdas.recommender.model.properties import BadRequestError, stringified
from lambdas.recommender.model.request import Request
from operations.computations.chain import Chain, chains
from operations.computations.stack import Event, Resource, Stack
from operations.computations.template import (
    UnreadableError,
    evaluate,
    evaluate_partly,
    matches,
    references,
    restore_tags,
)

CLEAN_UP: Final = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
DELETION: Final = "DELETE_IN_PROGRESS"

_TOKEN: Final = "ServiceToken"  # noqa: S105  # CloudFormation's name of a function
_ID: Final = "forecast"
_FINISHED: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE")

Attributes = Mapping[str, str]
"""Values of `Fn::GetAtt`, by ``<logical id>.<attribute>``."""


class RefusedError(Exception):
    """The deployment fails; the message has the reason."""


@dataclass(frozen=True)
class Others:
    """The resources of other types, and the other sections of a template, that change."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """How many there are."""
        return len((*self.added, *self.changed, *self.removed, *self.sections))


@dataclass(frozen=True)
class Deployment:
    """A template that is to be deployed, and the stack that it finds.

    Attributes:
        stack: the stack.
        template: the template that is to be deployed.
        now: the beginning of the deployment, in epoch seconds.
        deployed: the stack's template; empty if the deployment creates the stack.
        resources: the stack's resources.
        finished: after a failure that was kept, the logical ids of the resources that the failed
            operation had finished, or had no need to change; else None.
        has_id: whether the stack's id is the one that it will have; a new stack has none yet.
        parameters: the values that the app gives to the template's parameters.
    """

    stack: Stack
    template: Mapping[str, Any]
    now: float
    deployed: Mapping[str, Any] = field(default_factory=dict)
    resources: Sequence[Resource] = ()
    finished: frozenset[str] | None = None
    has_id: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def target(self) -> Stack:
        """The stack, with the values of the new template's parameters."""
        defaults = {
            name: str(one["Default"])
            for name, one in self.template.get("Parameters", {}).items()
            if "Default" in one and not str(one.get("Type")).startswith("AWS::SSM::")
        }
        given = {**defaults, **self.stack.parameters, **self.parameters}
        return replace(self.stack, parameters=given)

    @cached_property
    def existing(self) -> Mapping[str, Resource]:
        """The resources that the stack has, by logical id."""
        return {one.logical_id: one for one in self.resources if one.exists}

    @cached_property
    def chains(self) -> tuple[Chain, ...]:
        """The recommenders of the new template.

        Raises:
            UnreadableError: only CloudFormation knows how long a link waits.
        """
        return chains(self.template, self.target, self.existing.values())

    @cached_property
    def deployed_chains(self) -> Mapping[str, Chain]:
        """The recommenders that the stack has, by logical id.

        Raises:
            UnreadableError: as ``chains``.
        """
        found = chains(self.deployed, self.stack, self.existing.values())
        return {one.logical_id: one for one in found if one.logical_id in self.existing}

    @cached_property
    def others(self) -> Others:
        """The other resources and sections that change."""
        old, new = (_resources(one) for one in (self.deployed, self.template))
        names = {
            name
            for resources in (old, new)
            for name, one in resources.items()
            if one.get("Type") not in v.RESOURCE_TYPES
        }
        sections = {*self.deployed, *self.template} - {"Resources", "Metadata"}
        return Others(
            added=tuple(sorted(names & (new.keys() - old.keys()))),
            changed=tuple(
                one
                for one in sorted(names & new.keys() & old.keys())
                if not matches(_unmarked(old[one]), _unmarked(new[one]))
            ),
            removed=tuple(sorted(names & (old.keys() - new.keys()))),
            sections=tuple(
                one
                for one in sorted(sections)
                if not matches(self.deployed.get(one), self.template.get(one))
            ),
        )

    def arns_among(self, names: Iterable[str]) -> set[str]:
        """Return the ARNs of the recommenders that the requests may reach.

        Args:
            names: the names of all recommenders of the account and region.

        Raises:
            UnreadableError: as ``chains``.
        """
        listed, found = list(names), set[str]()
        for chain in (*self.deployed_chains.values(), *self.chains):
            found |= set(chain.arns)
            try:
                found |= chain.request.arns_among(listed)
            except (UnreadableError, BadRequestError):
                continue
        return found

    def has_derived_name(self, logical_id: str) -> bool:
        """Tell whether the name of a recommender of the new template contains a hash."""
        return v.FIXED_NAME not in _properties(self.template, logical_id)

    # -- requests ----------------------------------------------------------------------------------

    def operation(self, status: str = "") -> Operation:
        """Return the operation that sends the requests, by default that of the deployment."""
        began = datetime.fromtimestamp(self.now, UTC).isoformat()
        deploys = "UPDATE_IN_PROGRESS" if self.deployed else "CREATE_IN_PROGRESS"
        return Operation(status or deploys, began)

    def is_created_again(self, logical_id: str) -> bool:
        """Tell whether CloudFormation deletes a resource, and creates it again."""
        there = self.existing.get(logical_id)
        return there is not None and there.status == "CREATE_FAILED"

    def is_unfinished(self, logical_id: str) -> bool:
        """Tell whether a resource may still be as in an older template than the stack's.

        After a failure that was kept (`--no-rollback`), GetTemplate returns the template of the
        failed operation. So a request may be sent although nothing differs from that template.
        """
        return self.finished is not None and logical_id not in self.finished

    def request(
        self,
        logical_id: str,
        *,
        before: Attributes,
        after: Attributes,
        tags: Mapping[str, str] | None = None,
    ) -> Request | None:
        """Return the Create or the Update that CloudFormation sends to a resource, or None.

        Args:
            logical_id: the resource's.
            before: the attributes of the deployed recommenders.
            after: the attributes after the requests that came before this one.
            tags: the actual tags of a recommender, if it is one.

        Raises:
            RefusedError: CloudFormation refuses to send it.
            UnreadableError: only CloudFormation can evaluate its properties.
        """
        given = _properties(self.template, logical_id)
        own = {name: one for name, one in given.items() if name != _TOKEN}
        there = None if self.is_created_again(logical_id) else self.existing.get(logical_id)
        old: Mapping[str, Any] = {}
        if there:
            old, new = (
                self.values(logical_id, before, tags=tags),
                self.new_values(logical_id, after),
            )
            if not matches(old.get(_TOKEN), new.get(_TOKEN)):
                raise RefusedError(
                    "CloudFormation does not change the ServiceToken of a custom resource "
                    "(Modifying service token is not allowed.)."
                )
            if unknown := {*self.others.added, *self.others.changed} & set(references(own)):
                raise UnreadableError(
                    f"only CloudFormation knows the new value of {', '.join(sorted(unknown))}, "
                    "which this deployment changes, too"
                )
            if matches(old, new) and not self.is_unfinished(logical_id):
                return None
        return Request(
            type=RequestType.UPDATE if there else RequestType.CREATE,
            resource_type=_resources(self.template)[logical_id]["Type"],
            request_id=_ID,
            stack_id=self.stack.id,
            logical_id=logical_id,
            physical_id=there.physical_id if there else None,
            properties=stringified(evaluate(own, self.target, after)),
            old_properties=old,
        )

    def delete_request(self, logical_id: str, before: Attributes) -> Request:
        """Return the Delete of a resource that the stack has."""
        return Request(
            type=RequestType.DELETE,
            resource_type=_resources(self.deployed)[logical_id]["Type"],
            request_id=_ID,
            stack_id=self.stack.id,
            logical_id=logical_id,
            physical_id=self.existing[logical_id].physical_id,
            properties=self.values(logical_id, before),
            old_properties={},
        )

    def values(
        self, logical_id: str, before: Attributes, *, tags: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Return the deployed properties of a resource, evaluated as far as possible.

        Args:
            logical_id: the resource's.
            before: the attributes of the deployed recommenders.
            tags: the actual tags of a recommender. GetTemplate does not show every character.

        Raises:
            UnreadableError: the stack has the resource, and its template does not: after a failure
                that was kept (`--no-rollback`), nothing that the update left out is deleted yet.
        """
        if logical_id not in _resources(self.deployed):
            raise UnreadableError(
                f"only CloudFormation knows the properties of {logical_id}: the stack still has "
                "it, but its last template, with which an update failed, does not"
            )
        given = _properties(self.deployed, logical_id)
        values: dict[str, Any] = stringified(evaluate_partly(given, self.stack, before))
        if tags and v.TAGS in values:
            values[v.TAGS] = restore_tags(values[v.TAGS], tags)
        return values

    def new_values(self, logical_id: str, after: Attributes) -> dict[str, Any]:
        """Return the new properties of a resource, evaluated as far as possible."""
        given = _properties(self.template, logical_id)
        values: dict[str, Any] = stringified(evaluate_partly(given, self.target, after))
        return values


def finished_resources(events: Iterable[Event], deployed: Mapping[str, Any]) -> frozenset[str]:
    """Return the resources that a failed operation had finished, or had no need to change.

    CloudFormation begins with a resource once it is done with those that the resource needs.

    Args:
        events: the events of the operation.
        deployed: the stack's template, which is that of the operation.
    """
    resources, events = _resources(deployed), list(events)
    finished = {one.logical_id for one in events if one.status in _FINISHED}
    begun = [one.logical_id for one in events]
    while begun:
        needed = set(_needs(resources.get(begun.pop(), {}))) - finished
        finished |= needed
        begun += needed
    return frozenset(finished)


def _needs(definition: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names that a resource refers to or depends on."""
    yield from references(definition)
    depends = definition.get("DependsOn", [])
    yield from [depends] if isinstance(depends, str) else depends


def _resources(template: Mapping[str, Any]) -> Mapping[str, Any]:
    resources: Mapping[str, Any] = template.get("Resources", {})
    return resources


def _properties(template: Mapping[str, Any], logical_id: str) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = _resources(template)[logical_id].get("Properties", {})
    return properties


def _unmarked(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resource's definition without the CDK's own marks, such as its path."""
    metadata = definition.get("Metadata", {})
    kept = {name: one for name, one in metadata.items() if not name.startswith("aws:")}
    return {**definition, "Metadata": kept}
