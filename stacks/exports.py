"""A warning where another stack depends on what a replacement changes."""

from collections.abc import Sequence
from typing import Final

import jsii
from aws_cdk import Annotations, CfnOutput, CfnResource, Stack
from constructs import Construct, IValidation

WARNING: Final = "@top-picks/recommender:exported"
"""By this id, ``Annotations.acknowledge_warning`` silences it."""


def warn_of_exports(construct: Construct, *resources: CfnResource) -> None:
    """Warn at synthesis if other stacks import attributes of these resources of the construct.

    Which references cross stacks is known only when all stacks are there.
    """
    construct.node.add_validation(_Exports(construct, resources))


@jsii.implements(IValidation)
class _Exports:
    """Finds nothing wrong, but says what will be."""

    def __init__(self, construct: Construct, resources: Sequence[CfnResource]) -> None:
        self._construct = construct
        self._resources = resources

    def validate(self) -> list[str]:
        """Add the warning."""
        stack = Stack.of(self._construct)
        ours = [stack.resolve(resource.logical_id) for resource in self._resources]
        exported = {
            attribute for logical_id, attribute in _exported_by(stack) if logical_id in ours
        }
        if exported:
            Annotations.of(self._construct).add_warning_v2(
                WARNING,
                f"Another stack imports {', '.join(sorted(exported))} of the recommender. "
                "CloudFormation changes no export that is imported, so a deployment that replaces "
                "the recommender will fail, after its training. Hand the ARN over by an SSM "
                "parameter instead: add_arn_parameter here, "
                "TopPicksRecommender.from_arn_parameter there; any other value by an "
                "ssm.StringParameter. Or refer to it weakly: "
                'set "@aws-cdk/core:defaultCrossStackReferences" to "weak" in cdk.json.',
            )
        return []


def _exported_by(stack: Stack) -> list[tuple[str, str]]:
    """Return the attributes that the CDK exports for other stacks, with their resources."""
    exports = stack.node.try_find_child("Exports")
    outputs = exports.node.children if exports else []
    values = [stack.resolve(one.value) for one in outputs if isinstance(one, CfnOutput)]
    return [tuple(value["Fn::GetAtt"]) for value in values if "Fn::GetAtt" in value]
