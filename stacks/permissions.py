"""Permissions of the functions, and a role whose changes replace their warm instances."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

import jsii
from aws_cdk import ArnFormat, Aws, IResolveContext, IStringProducer, Lazy, Names, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IConstruct

from .functions import Recipe
from .functions import vocabulary as v
from .security import acknowledge, trust_own
from .settings.declarations import RecommenderSettings


def recipe_arn(recipe: Recipe) -> str:
    """Return the ARN of a recipe in the stack's partition."""
    return f"arn:{Aws.PARTITION}:personalize:::recipe/{recipe}"


RECIPE_ARN: Final = recipe_arn(Recipe.VOD_TOP_PICKS)
"""Of top picks."""


class FunctionRole(iam.Role):
    """A role of Lambda functions; their configuration shows its permissions.

    A warm instance of a function may keep the permissions that its role had when the instance
    began. Pull requests 145 and 146 of aws-samples/amazon-opensearch-service-sample-cdk report this
    for minutes, as does aws-cdk issue 37675. A change of the function's configuration replaces its
    instances ("Updating the execution role", Lambda Developer Guide). So the functions have
    ``permissions`` in their environment, and CloudFormation changes them after the role's policies.
    The policies are the role's children: the CDK lets a function depend on its role and on all
    constructs below the role.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Make a role that Lambda may assume."""
        super().__init__(
            scope, construct_id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")
        )
        self.permissions = Lazy.uncached_string(_Digest(self))
        """A text that changes with the statements of the role's policies."""

    def allow(self, construct_id: str, *statements: iam.PolicyStatement) -> iam.Policy:
        """Add a policy of its own, which CloudFormation can delete apart from the others."""
        return iam.Policy(self, construct_id, roles=[self], statements=list(statements))


@jsii.implements(IStringProducer)
class _Digest:
    """Shows a role's permissions: a digest of the template's text, and the values it refers to.

    The text stays the same when a parameter or another resource gets another value. Each resolution
    produces it again. The CDK resolves a template before it turns references between stacks into
    exports, imports and parameters. A statement may also be added after a first resolution.
    """

    def __init__(self, role: FunctionRole) -> None:
        self._role = role

    def produce(self, _context: IResolveContext) -> str:
        """Return the digest and the values."""
        policies = [one for one in self._role.node.children if isinstance(one, iam.Policy)]
        stack = Stack.of(self._role)
        documents = sorted(
            json.dumps(stack.resolve(one.document), sort_keys=True) for one in policies
        )
        values = {
            json.dumps(value, sort_keys=True): value
            for document in documents
            for value in _values(json.loads(document))
        }
        digest = hashlib.sha256("\n".join(documents).encode()).hexdigest()[:16]
        return " ".join([digest, *(Token.as_string(values[key]) for key in sorted(values))])


def _values(part: Any) -> Iterator[Any]:
    """Yield the intrinsic functions in a part of a template whose value a deployment may change."""
    match part:
        case {"Ref": str(name)} if name.startswith("AWS::"):
            return
        case {"Fn::Join": [_, list(parts)]}:
            yield from _values(parts)
        case dict() if len(part) == 1 and next(iter(part)).startswith(("Ref", "Fn::")):
            yield part
        case dict():
            yield from _values([*part.values()])
        case list():
            for one in part:
                yield from _values(one)


def allow_on(resources: Sequence[str], *actions: str) -> iam.PolicyStatement:
    """Allow actions on resources."""
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))


def invoking_role(
    scope: Construct, construct_id: str, function: lambda_.IFunction, service: str, resources: str
) -> iam.Role:
    """Make a role with which a service invokes a function, for the resources of ``trust_own``."""
    principal = iam.ServicePrincipal(f"{service}.amazonaws.com")
    role = iam.Role(scope, construct_id, assumed_by=principal)
    role.add_to_policy(allow_on([function.function_arn], "lambda:InvokeFunction"))
    trust_own(cast("iam.CfnRole", role.node.default_child), service, resources)
    return role


_CALLS: Final = (
    "personalize:CreateRecommender",
    "personalize:DeleteRecommender",
    "personalize:DescribeRecommender",
    "personalize:ListTagsForResource",
    "personalize:StartRecommender",
    "personalize:StopRecommender",
    "personalize:TagResource",
    "personalize:UntagResource",
    "personalize:UpdateRecommender",
)


def allow_recommender(
    role: FunctionRole, recommender: IConstruct, settings: RecommenderSettings
) -> None:
    """Let the functions make, change and delete one recommender.

    Sources: "Actions, resources, and condition keys for Amazon Personalize", Service Authorization
    Reference. Since 2026 it lists CreateRecommender with two resources, the recommender and the
    dataset group; before, with the recommender alone. AWS's own programs allow it on the recipe,
    too, as aws-solutions/maintaining-personalized-experiences does.
    """
    stack = Stack.of(recommender)
    group = stack.split_arn(settings.dataset_group_arn, ArnFormat.SLASH_RESOURCE_NAME)
    path = path_in_stack(recommender)
    policy = role.allow(
        f"{path}/Policy",  # never the CDK's own id, DefaultPolicy
        allow_on([recommender_arn(stack, derived_names(stack))], *_CALLS),
        allow_on(
            [settings.dataset_group_arn],
            "personalize:CreateRecommender",
            "personalize:DescribeDatasetGroup",
        ),
        allow_on([recipe_arn(settings.recipe)], "personalize:CreateRecommender"),
        allow_on(
            [
                stack.format_arn(
                    service="personalize", resource=f"dataset/{group.resource_name}/{dataset}"
                )
                for dataset in settings.recipe.needs(metadata=settings.item_metadata)
            ],
            "personalize:DescribeDataset",
        ),
        allow_on(["*"], "personalize:ListRecipes", "personalize:ListRecommenders"),
        allow_on([Aws.STACK_ID], "cloudformation:DescribeStacks"),
    )
    acknowledge(
        policy,
        "AwsSolutions-IAM5[Resource::*]",
        "ListRecipes and ListRecommenders support no resource-level permissions (Service "
        "Authorization Reference, Amazon Personalize); both only read names.",
    )
    if (fixed_name := settings.recommender_name) is not None:
        role.allow(
            f"{path}/{policy_for(fixed_name)}",
            allow_on([recommender_arn(stack, fixed_name)], *_CALLS),
        )


def policy_for(fixed_name: str) -> str:
    """Name the construct of a fixed name's own policy.

    When the name changes, the old one's policy goes after the old recommender, which CloudFormation
    deletes in clean-up.
    """
    if Token.is_unresolved(fixed_name):
        return "PolicyForName"
    return f"PolicyFor{hashlib.sha256(fixed_name.encode()).hexdigest()[:8]}"


def path_in_stack(construct: IConstruct) -> str:
    """Return the path of a construct within its stack."""
    return construct.node.path.removeprefix(f"{Stack.of(construct).node.path}/")


def name_prefix(stack: Stack) -> str:
    """Return the beginning of the derived names of a stack's recommenders."""
    name = stack.stack_name
    if Token.is_unresolved(name):  # of a nested stack
        name = Names.unique_resource_name(stack, allowed_special_characters="-")
    return name[: v.MAX_PREFIX_LENGTH]


def derived_names(stack: Stack) -> str:
    """Return the pattern of the derived names of a stack's recommenders, for policies."""
    return f"{name_prefix(stack)}-{'?' * v.DIGEST_LENGTH}"


def recommender_arn(stack: Stack, name: str) -> str:
    """Return the ARN of a recommender in the stack's region; the name may be a pattern."""
    return stack.format_arn(service="personalize", resource=f"recommender/{name}")
