"""The construct in somebody else's app."""

import json
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Environment, NestedStack, Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Match, Template

from lambdas.recommender import vocabulary as v
from stacks.recommender import TopPicksRecommender
from tests.support.template import GROUP, in_order, of_type, resolved


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Video", env=Environment(account="111111111111", region="eu-west-1"))


def test_a_grantee_may_get_recommendations_and_nothing_else(stack: Stack) -> None:
    recommender = TopPicksRecommender(stack, "TopPicks", dataset_group_arn=GROUP)
    role = iam.Role(stack, "Api", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))

    recommender.grant_get_recommendations(role)

    template = Template.from_stack(stack)
    gates = in_order(dict(template.to_json()), v.TRAINING_GATE_TYPE)
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "Roles": [{"Ref": Match.string_like_regexp("^Api")}],
            "PolicyDocument": {
                "Statement": [
                    {
                        "Action": "personalize:GetRecommendations",
                        "Effect": "Allow",
                        "Resource": {"Fn::GetAtt": [gates[-1], v.RECOMMENDER_ARN_ATTRIBUTE]},
                    }
                ]
            },
        },
    )


def test_a_metric_is_the_recommenders(stack: Stack) -> None:
    recommender = TopPicksRecommender(stack, "TopPicks", dataset_group_arn=GROUP)

    metric = recommender.metric("GetRecommendationsLatency", statistic="p99")

    assert (metric.namespace, metric.metric_name) == (
        "AWS/Personalize",
        "GetRecommendationsLatency",
    )
    assert metric.dimensions == {"RecommenderArn": recommender.recommender_arn}
    assert metric.statistic == "p99"


def test_more_tags_than_personalize_takes_are_refused_at_synthesis(stack: Stack) -> None:
    TopPicksRecommender(stack, "TopPicks", dataset_group_arn=GROUP)
    for number in range(48):
        Tags.of(stack).add(f"tag{number}", "x")

    with pytest.raises(RuntimeError, match="Tags of the recommender: got 48; allowed: 47"):
        Template.from_stack(stack)


@pytest.mark.parametrize("key", ["top-picks:", "top-picks:stack-id", "top-picks:team"])
def test_tags_that_are_the_stacks_own_are_refused_at_synthesis(stack: Stack, key: str) -> None:
    TopPicksRecommender(stack, "TopPicks", dataset_group_arn=GROUP)
    Tags.of(stack).add(key, "x")

    with pytest.raises(RuntimeError, match=f"Tags of the recommender: got {key}; allowed: .*none"):
        Template.from_stack(stack)


@pytest.mark.parametrize("before", [0, 1])
def test_the_policy_of_a_name_that_is_a_token_has_an_id_of_its_own(
    stack: Stack, before: int
) -> None:
    """A token's text has a number that depends on how many were made before."""
    names = [CfnParameter(stack, f"Name{n}").value_as_string for n in range(before + 1)]
    TopPicksRecommender(stack, "TopPicks", dataset_group_arn=GROUP, recommender_name=names[-1])

    policies = of_type(dict(Template.from_stack(stack).to_json()), "AWS::IAM::Policy")

    (own,) = [name for name, policy in policies.items() if f'"Name{before}"' in json.dumps(policy)]
    assert own.startswith("TopPicksPolicyForName")


def test_two_recommenders_share_a_provider_and_not_a_sweep(stack: Stack) -> None:
    TopPicksRecommender(stack, "Films", dataset_group_arn=GROUP)
    TopPicksRecommender(stack, "Series", dataset_group_arn=GROUP)

    template = dict(Template.from_stack(stack).to_json())

    recommenders = of_type(template, v.RECOMMENDER_TYPE)
    tokens = {json.dumps(r["Properties"]["ServiceToken"]) for r in recommenders.values()}
    swept = {
        sweep["Properties"][v.RECOMMENDER_LOGICAL_ID]
        for sweep in of_type(template, v.SWEEP_TYPE).values()
    }
    assert len(tokens) == 1
    assert swept == recommenders.keys()


def prefixes(template: dict[str, Any]) -> set[str]:
    return {
        resource["Properties"][v.NAME_PREFIX]
        for resource in template["Resources"].values()
        if v.NAME_PREFIX in resource.get("Properties", {})
    }


def test_names_begin_with_the_stacks_name_as_far_as_it_fits() -> None:
    stack = Stack(App(), "A" * 100, env=Environment(account="111111111111", region="eu-west-1"))
    TopPicksRecommender(stack, "TopPicks", dataset_group_arn=GROUP)

    template = dict(Template.from_stack(stack).to_json())

    assert prefixes(template) == {"A" * v.MAX_PREFIX_LENGTH}
    assert "recommender/" + "A" * 46 + "-" + "?" * 16 in json.dumps(resolved(template["Resources"]))


def test_in_a_nested_stack_names_begin_with_its_path(stack: Stack) -> None:
    nested = NestedStack(stack, "Nested")
    TopPicksRecommender(nested, "TopPicks", dataset_group_arn=GROUP)

    (prefix,) = prefixes(dict(Template.from_stack(nested).to_json()))

    assert prefix.startswith("VideoNested")
