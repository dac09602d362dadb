"""Check the whole app when it is synthesised: refusals, warnings, and the tags of stacks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import jsii
from aws_cdk import (
    Annotations,
    CfnDeletionPolicy,
    CfnElement,
    CfnOutput,
    CfnResource,
    IStableAnyProducer,
    IStableStringProducer,
    Stack,
    TagManager,
    Token,
)
from aws_cdk.cx_api import CloudAssembly
from constructs import Construct, IConstruct, IValidation

from .functions import vocabulary as v
from .partitions import PERSONALIZE
from .settings.errors import PropertyError, SettingsError
from .settings.tags import problems

REGION: Final = "@top-picks/recommender:region"
EXPORTED: Final = "@top-picks/recommender:exported"
REMOVAL_POLICY: Final = "@top-picks/recommender:removal-policy"
"""By its id, ``Annotations.acknowledge_warning`` silences a warning."""


def when_synthesised(construct: Construct, check: Callable[[], Sequence[str]]) -> None:
    """Call ``check`` once all constructs are made and all aspects have been invoked.

    Args:
        construct: the construct that is checked, and that messages name.
        check: may add warnings; returns the errors that fail the synthesis.
    """
    construct.node.add_validation(_Check(check))


@jsii.implements(IValidation)
class _Check:
    def __init__(self, check: Callable[[], Sequence[str]]) -> None:
        self._check = check

    def validate(self) -> list[str]:
        """Return the errors."""
        return [*self._check()]


# -- regions ---------------------------------------------------------------------------------------


def warn_of_region(recommender: Construct) -> None:
    """Warn if the SDK does not know Amazon Personalize in the region of the recommender's stack."""
    region = Stack.of(recommender).region
    if not Token.is_unresolved(region) and region not in PERSONALIZE:
        Annotations.of(recommender).add_warning_v2(
            REGION,
            f"Amazon Personalize is not known to be in {region}. It is in "
            f"{', '.join(PERSONALIZE)}. If it is not there, the deployment fails in minutes.",
        )


# -- what CloudFormation takes ---------------------------------------------------------------------

MAX_RESOURCES: Final = 500
MAX_TEMPLATE_BYTES: Final = 1_000_000
"""They are allowed in a stack. Source: "Understand CloudFormation quotas", User Guide."""

_FEWER: Final = (
    "Move some recommenders to another environment, or let each training gate wait longer "
    "(training_gate_minutes), or all of them less long (max_training_hours, max_deletion_hours)."
)


def refuse_too_many_resources(stack: Stack) -> list[str]:
    """Return an error if a stack has more resources than CloudFormation takes."""
    resources = [one for one in stack.node.find_all() if isinstance(one, CfnResource)]
    if len(resources) > MAX_RESOURCES:  # with those of nested stacks
        path = stack.node.path
        resources = [one for one in resources if one.stack.node.path == path]
    if len(resources) <= MAX_RESOURCES:
        return []
    refusal = SettingsError(
        "recommenders",
        got=f"{len(resources)} resources",
        allowed=f"{MAX_RESOURCES} in a stack",
        remedy=_FEWER,
    )
    return [str(refusal)]


def refuse_large_templates(assembly: CloudAssembly) -> None:
    """Refuse a template that is larger than CloudFormation takes.

    Raises:
        SettingsError: one is.
    """
    for stack in assembly.stacks_recursively:
        size = Path(stack.template_full_path).stat().st_size
        if size > MAX_TEMPLATE_BYTES:
            raise SettingsError(
                "recommenders",
                got=f"a template of {size} bytes for {stack.stack_name}",
                allowed=f"{MAX_TEMPLATE_BYTES} bytes",
                remedy=f"{_FEWER} Each tag is in the template once for each resource.",
            )


# -- one name, one recommender ---------------------------------------------------------------------


def refuse_taken_name(name: str, ours: IConstruct, others: Sequence[IConstruct]) -> list[str]:
    """Return an error for each recommender that has the same fixed name in the same place.

    The second one would train for hours, and find a recommender that is not its own.

    Args:
        name: that all of them have.
        ours: the recommender that is checked.
        others: the other recommenders of the app that have this fixed name.
    """
    return [
        str(
            PropertyError(
                "recommender_name",
                got=name,
                allowed="a name that no other recommender has in the same account and region",
                remedy=f"{ours.node.path} and {other.node.path} have it: give each a name of its "
                "own, or none.",
            )
        )
        for other in others
        if _place(other, name) == _place(ours, name)
    ]


def _place(recommender: IConstruct, name: str) -> tuple[str, ...]:
    """Return the scope of a name: an account and region, or stacks that are surely in one.

    Without an ``env``, a stack may be deployed anywhere, and its nested stacks with it. A name that
    is a token may say something else in each stack.
    """
    stacks = stacks_of(recommender)
    if Token.is_unresolved(name):
        return (stacks[0].node.path,)
    place = (stacks[0].account, stacks[0].region)
    return (stacks[-1].node.path,) if any(map(Token.is_unresolved, place)) else place


def stacks_of(construct: IConstruct) -> list[Stack]:
    """Return the stack that a construct is in, and those in which that is nested."""
    stacks = [Stack.of(construct)]
    while outer := stacks[-1].nested_stack_parent:
        stacks.append(outer)
    return stacks


# -- tags ------------------------------------------------------------------------------------------

_STACK_PRIORITY: Final = 50
"""Below that of ``Tags.of(...).add``, 100, and of ``remove``, 200 (``TagProps``, CDK)."""


@jsii.implements(IStableAnyProducer)
class TagsOfAll:
    """The tags of a resource, with those of its stacks.

    CloudFormation gives the tags of a stack to its resources and its nested stacks, but a custom
    resource hears nothing of them. Source: "Resource tag", CloudFormation Template Reference.
    """

    def __init__(self, construct: IConstruct, own: TagManager) -> None:
        self._construct = construct
        self._own = own

    def tag_values(self) -> Mapping[str, str]:
        """Return the tags by key; a tag of the resource's own, or its removal, has precedence."""
        for stack in reversed(stacks_of(self._construct)):
            for key, value in stack.tags.tag_values().items():
                if not Token.is_unresolved(key + value):  # the CDK leaves it out, and says so
                    self._own.set_tag(key, value, _STACK_PRIORITY)
        return self._own.tag_values()

    def produce(self) -> Mapping[str, str] | None:
        """Return the tags for the template."""
        return self.tag_values() or None


def refuse_tags(tags: TagsOfAll) -> list[str]:
    """Return an error for each rule that the recommender's tags break."""
    known = {
        key: None if Token.is_unresolved(value) else value
        for key, value in tags.tag_values().items()
    }
    return [f"Tags of the recommender: {problem}" for problem in problems(known)]


# -- removal policies ------------------------------------------------------------------------------


def warn_of_removal_policies(
    construct: Construct, policy: CfnDeletionPolicy, resources: Sequence[CfnResource]
) -> None:
    """Warn if something else has given these resources other policies than the construct.

    Args:
        construct: the recommender.
        policy: of the resources at the stack's deletion; a replaced one is always deleted.
        resources: the recommender and its sweeps, which only work together.
    """
    wanted = {"DeletionPolicy": policy, "UpdateReplacePolicy": CfnDeletionPolicy.DELETE}
    found = {
        f"{name}: {_in_a_template(given)}"
        for resource in resources
        for name, given in _policies_of(resource).items()
        if given != wanted[name]
    }
    if found:
        types = f'"{v.RECOMMENDER_TYPE}", "{v.SWEEP_TYPE}"'
        Annotations.of(construct).add_warning_v2(
            REMOVAL_POLICY,
            f"An aspect, such as that of RemovalPolicies, or another change of the template gives "
            f"{', '.join(sorted(found))} to the recommender or its sweeps, whose DeletionPolicy is "
            f"to be {_in_a_template(policy)}. With UpdateReplacePolicy: Retain, each replacement "
            "keeps the old recommender, and its bill; with DeletionPolicy: Retain, so does a first "
            "deployment that fails. If the recommender and its sweeps have different policies, the "
            "sweeps delete a recommender that is to be kept, or do not wait for one that is to be "
            "deleted. To keep the recommender when the stack is deleted, give it removal_policy="
            "RemovalPolicy.RETAIN (setting retain_on_destroy), and the aspect "
            f"exclude_resource_types=[{types}].",
        )


@jsii.implements(IStableStringProducer)
class OnDestroy:
    """Tells the functions the final deletion policy of the recommender."""

    def __init__(self, resource: Callable[[], CfnResource]) -> None:
        self._resource = resource

    def produce(self) -> str:
        """Return the policy for the template."""
        policy = _policies_of(self._resource())["DeletionPolicy"]
        return v.DELETE if policy == CfnDeletionPolicy.DELETE else v.RETAIN


def _policies_of(resource: CfnResource) -> dict[str, CfnDeletionPolicy]:
    options = resource.cfn_options
    return {
        "DeletionPolicy": options.deletion_policy or CfnDeletionPolicy.DELETE,
        "UpdateReplacePolicy": options.update_replace_policy or CfnDeletionPolicy.DELETE,
    }


def _in_a_template(policy: CfnDeletionPolicy) -> str:
    return policy.name.title().replace("_", "")


# -- references that do not follow -----------------------------------------------------------------

_EXPORT: Final = (
    "is exported. CloudFormation does not change an export that a stack imports, so a deployment "
    "that changes this value will fail: one that replaces the recommender, after its training."
)
_OTHER_REGION: Final = (
    "is written to another region. The CDK does not change a value that it has written there: "
    "after a replacement, stacks of that region keep the value of the recommender that is deleted."
)
_WEAK: Final = (
    "is read by another stack (Fn::GetStackOutput), but only when that is updated, and cdk deploy "
    "skips a stack whose template is the same. After a replacement it keeps the value of the "
    "recommender that is deleted, until it is deployed with --force."
)
_REMEDY: Final = (
    "Hand the ARN over by an SSM parameter instead: add_arn_parameter here, and "
    "TopPicksRecommender.from_arn_parameter in a stack of the same region; in another region, an "
    "application can read the parameter. Hand any other value over by an ssm.StringParameter."
)

_PUBLISHED: Final = "Publish"
_EXPORT_WRITER: Final = "Custom::CrossRegionExportWriter"
"""The resource that the CDK makes for weak references, and for strong ones of another region.

Sources, aws-cdk-lib 2.275.0: ``createGetStackOutput`` in ``core/lib/private/refs``; the handler
``cross-region-ssm-writer-handler``, which at an update puts parameters of new names only, and a
name does not tell the value. Before, it refused a changed value (aws-cdk issue 30771). A value that
was read is not updated: "Fn::GetStackOutput", CloudFormation Template Reference. The CDK CLI skips
an unchanged template unless it has parameters of SSM: ``canSkipDeploy`` of aws-cdk 2.1148.1.
"""


def warn_of_references(construct: Construct, resources: Sequence[CfnResource]) -> None:
    """Warn if other stacks refer to attributes of these resources, which a replacement changes.

    Args:
        construct: the recommender.
        resources: those of it that have attributes for others.
    """
    stack = Stack.of(construct)
    ours = [stack.resolve(resource.logical_id) for resource in resources]
    found: dict[str, set[str]] = {}
    for how, attribute in _leaving(
        stack, lambda logical_id, attribute: attribute if logical_id in ours else None
    ):
        found.setdefault(how, set()).add(attribute)
    for how, attributes in found.items():
        Annotations.of(construct).add_warning_v2(
            EXPORTED, f"{', '.join(sorted(attributes))} of the recommender {how} {_REMEDY}"
        )


def _leaving(stack: Stack, name_of: Callable[[str, str], str | None]) -> Iterator[tuple[str, str]]:
    """Yield the ways by which attributes leave a stack or, if it is nested, those around it.

    Args:
        stack: has the attributes.
        name_of: maps a logical id and an attribute to how messages call it; to none if it is of no
            interest.
    """
    outputs: dict[str, str] = {}
    for element, how, value in _handing_over(stack):
        for reference in _references(stack.resolve(value)):
            if name := name_of(*reference):
                outputs[f"Outputs.{stack.resolve(element.logical_id)}"] = name
                if how:
                    yield how, name
    if outer := stack.nested_stack_parent:
        nested = outer.resolve(cast("CfnResource", stack.nested_stack_resource).logical_id)
        yield from _leaving(
            outer, lambda logical_id, output: outputs.get(output) if logical_id == nested else None
        )


def _handing_over(stack: Stack) -> Iterator[tuple[CfnElement, str | None, Any]]:
    """Yield the elements of a stack that hand values to others, by which way, and the values.

    Without a way, only the stack around a nested one reads the value.
    """
    path, nested = stack.node.path, stack.nested
    for one in stack.node.find_all():
        match one:
            case CfnOutput():
                weak = _WEAK if one.node.path.split("/")[-2] == _PUBLISHED else None
                how = _EXPORT if one.export_name else weak
                if (how or nested) and one.stack.node.path == path:
                    yield one, how, one.value
            case CfnResource() if one.cfn_resource_type == _EXPORT_WRITER:
                yield one, _OTHER_REGION, one._cfn_properties


def _references(value: Any) -> Iterator[tuple[str, str]]:
    """Yield logical ids and attributes that a value of a template refers to."""
    match value:
        case {"Ref": str(logical_id)}:
            yield logical_id, "Ref"
        case {"Fn::GetAtt": [str(logical_id), str(attribute)]}:
            yield logical_id, attribute
        case dict():
            for one in value.values():
                yield from _references(one)
        case list():
            for one in value:
                yield from _references(one)
