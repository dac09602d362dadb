"""What the deployed template says of each recommender, and of what waits for it (pure).

CloudFormation hands the properties of a template to the functions, and the functions parse them:
here they come by GetTemplate, and are parsed by the same code.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.identity import Arn
from lambdas.recommender.model.observed import Observed
from lambdas.recommender.model.operation import RequestType
from lambdas.recommender.model.properties import BadRequestError, stringified
from lambdas.recommender.model.request import Desired, Request
from operations.stack import Resource, Stack

SOURCE: Final = "the stack's template (GetTemplate)"

_SERVICE_TOKEN: Final = "ServiceToken"  # noqa: S105  # a property's name
_OF_A_LINK: Final = (v.LINK, v.LINKS, v.WAIT_SECONDS, "ServiceTimeout")
_SUFFIXES: Final = {"aws-cn": "amazonaws.com.cn"}


class UnreadableError(Exception):
    """The template has something that only CloudFormation can evaluate, or is not as expected."""


@dataclass(frozen=True)
class Link:
    """A resource that waits, in one of the two chains; `wait` is in seconds."""

    logical_id: str
    name: str
    wait: float
    number: int = 1
    of: int = 1


@dataclass(frozen=True)
class Chain:
    """A recommender in a template, and what waits for it.

    Attributes:
        stack: the stack.
        logical_id: the recommender's.
        physical_id: the recommender's, as the stack has it now, or empty.
        definition: the recommender's resource in the template.
        created: what waits when it is created or updated, in order.
        deleted: what waits when it is deleted, in order.
    """

    stack: Stack
    logical_id: str
    physical_id: str
    definition: Mapping[str, Any]
    created: tuple[Link, ...]
    deleted: tuple[Link, ...]

    @property
    def path(self) -> str:
        """The construct's path in its app, or nothing where the template does not have it.

        The CDK CLI has it written, unless `pathMetadata` is off: ``dev/TopPicks/Recommender``.
        """
        path = str(self.definition.get("Metadata", {}).get("aws:cdk:path", ""))
        return path.removesuffix("/Resource/Default")

    @property
    def construct(self) -> str:
        """What tells it from another one of its stack: the construct's id, or the logical id."""
        return self.path.rpartition("/")[2] or self.logical_id

    @property
    def retained(self) -> bool:
        """Whether a deletion of the stack leaves it there (`retain_on_destroy`)."""
        return str(self.definition.get("DeletionPolicy", "")).startswith("Retain")

    @property
    def tag_keys(self) -> frozenset[str]:
        """Keys of the tags that the template gives to the recommender."""
        return frozenset(_properties(self.definition).get(v.TAGS, {}))

    @cached_property
    def request(self) -> Request:
        """The request that CloudFormation would send of it, if it sent one now.

        Raises:
            UnreadableError: a property cannot be evaluated here.
        """
        given = {
            name: value
            for name, value in _properties(self.definition).items()
            if name != _SERVICE_TOKEN
        }
        return Request(
            type=RequestType.UPDATE,
            resource_type=v.RECOMMENDER_TYPE,
            request_id="",
            stack_id=self.stack.id,
            logical_id=self.logical_id,
            physical_id=self.physical_id or None,
            properties=stringified(_resolved(given, _references(self.stack))),
            old_properties={},
        )

    @cached_property
    def desired(self) -> Desired:
        """The recommender that the template asks for.

        Raises:
            UnreadableError: a property cannot be evaluated here, or is not as it must be.
        """
        try:
            return self.request.desired
        except BadRequestError as error:
            raise UnreadableError(str(error)) from error

    def desired_beside(self, observed: Observed | None) -> Desired:
        """Return the recommender that is asked for, to be compared with what is there.

        Raises:
            UnreadableError: as ``desired``.
        """
        there = (observed.tags if observed else None) or {}
        return replace(self.desired, tags=_tags_beside(there, self.desired.tags))

    @property
    def force_update(self) -> str:
        """What `force_update` was set to, or nothing.

        Raises:
            UnreadableError: a property cannot be evaluated here.
        """
        return str(self.request.properties.get(v.FORCE_UPDATE, ""))

    @property
    def arns(self) -> tuple[str, ...]:
        """The ARNs of its recommenders: the one that is asked for, and one that it replaces."""
        there = (self.physical_id,) if is_recommender(self.physical_id) else ()
        try:
            return tuple(dict.fromkeys((self.desired.arn, *there)))
        except UnreadableError:
            return there


def chains(
    template: Mapping[str, Any], stack: Stack, resources: Iterable[Resource]
) -> tuple[Chain, ...]:
    """Return the recommenders of a template.

    Args:
        template: the stack's.
        stack: the stack.
        resources: those that the stack has.
    """
    defined: Mapping[str, Any] = template.get("Resources", {})
    physical_ids = {one.logical_id: one.physical_id for one in resources}
    return tuple(
        _chain(logical_id, defined, stack, physical_ids.get(logical_id, ""))
        for logical_id in _of_type(defined, v.RECOMMENDER_TYPE)
    )


def _chain(logical_id: str, defined: Mapping[str, Any], stack: Stack, physical_id: str) -> Chain:
    definition = defined[logical_id]
    own = Link(logical_id, "the recommender itself", _request(definition, stack).wait_seconds)
    arn = {"Fn::GetAtt": [logical_id, v.ARN_ATTRIBUTE]}
    gates = _links(defined, stack, v.TRAINING_GATE_TYPE, v.RECOMMENDER_ARN, arn)
    stops = [
        link
        for kind in (v.STOP_TYPE, v.HOURS_TYPE)
        for link in _links(defined, stack, kind, v.RECOMMENDER_ARN, arn)
    ]
    sweeps = _links(defined, stack, v.SWEEP_TYPE, v.RECOMMENDER_LOGICAL_ID, logical_id)
    return Chain(
        stack,
        logical_id,
        physical_id,
        definition,
        created=(own, *gates, *stops),
        deleted=(own, *reversed(sweeps)),
    )


def _links(
    defined: Mapping[str, Any], stack: Stack, resource_type: str, name: str, value: object
) -> list[Link]:
    links = []
    for logical_id in _of_type(defined, resource_type):
        if _properties(defined[logical_id]).get(name) == value:
            request = _request(defined[logical_id], stack)
            number, of = request.link
            links.append(
                Link(
                    logical_id,
                    _NAMES[resource_type].format(number, of),
                    request.wait_seconds,
                    number,
                    of,
                )
            )
    return sorted(links, key=lambda link: link.number)


_NAMES: Final = {
    v.TRAINING_GATE_TYPE: "Hour{:02}Of{:02}",
    v.SWEEP_TYPE: "Sweep{:02}",
    v.STOP_TYPE: "Stop",
    v.HOURS_TYPE: "Hours",
}
"""As `stacks/recommender.py` names the constructs, which is what the list of events shows."""


def _request(definition: Mapping[str, Any], stack: Stack) -> Request:
    """Return a request to a link, with what says how long it waits.

    Raises:
        UnreadableError: that cannot be evaluated here, or is not as it must be.
    """
    given = {name: one for name, one in _properties(definition).items() if name in _OF_A_LINK}
    request = Request(
        type=RequestType.UPDATE,
        resource_type=definition["Type"],
        request_id="",
        stack_id=stack.id,
        logical_id="",
        physical_id=None,
        properties=stringified(_resolved(given, _references(stack))),
        old_properties={},
    )
    try:
        _ = request.link, request.wait_seconds
    except BadRequestError as error:
        raise UnreadableError(str(error)) from error
    return request


def _of_type(defined: Mapping[str, Any], resource_type: str) -> list[str]:
    return [name for name, one in defined.items() if one.get("Type") == resource_type]


def _properties(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = definition.get("Properties", {})
    return properties


def is_recommender(physical_id: str) -> bool:
    """Whether a physical id is the ARN of a recommender, and none that CloudFormation invented."""
    return ":recommender/" in physical_id


def looks_alike(shown: str, text: str) -> bool:
    """Return whether GetTemplate shows a text like this.

    It shows ``?`` for what is not ASCII, which is deployed as it is (issue 814 of
    cloudformation-coverage-roadmap): one for a character, or for each half of a pair, which nobody
    has written down.
    """
    halves = re.sub(r"[\U00010000-\U0010ffff]", "??", text)
    return shown in (re.sub(r"[^\x00-\x7f]", "?", one) for one in (text, halves))


def _tags_beside(there: Mapping[str, str], shown: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a template, with what it cannot show as it is there, if it looks alike."""
    found: dict[str, str] = {}
    for key, value in shown.items():
        alike = [one for one in there if one not in found and looks_alike(key, one)]
        same = (one for one in alike if looks_alike(value, there[one]))
        known = next(same, alike[0] if alike else key)
        tag = there.get(known, value)
        found[known] = tag if looks_alike(value, tag) else value
    return found


def _references(stack: Stack) -> dict[str, str]:
    place = Arn.parse(stack.id)
    return {
        **stack.parameters,
        "AWS::Partition": place.partition,
        "AWS::Region": place.region,
        "AWS::AccountId": place.account,
        "AWS::StackId": stack.id,
        "AWS::StackName": stack.name,
        "AWS::URLSuffix": _SUFFIXES.get(place.partition, "amazonaws.com"),
    }


def _resolved(value: Any, references: Mapping[str, str]) -> Any:
    match value:
        case {"Ref": str(name)} if name in references:
            return references[name]
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(str(_resolved(part, references)) for part in parts)
        case {"Ref": name}:
            raise UnreadableError(f"only CloudFormation knows what Ref {name} is")
        case dict() if len(value) == 1 and next(iter(value)).startswith("Fn::"):
            raise UnreadableError(f"only CloudFormation can evaluate {next(iter(value))}")
        case dict():
            return {key: _resolved(one, references) for key, one in value.items()}
        case list():
            return [_resolved(one, references) for one in value]
        case _:
            return value
