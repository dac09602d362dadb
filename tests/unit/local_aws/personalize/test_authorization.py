"""What the authorizer is asked, and that it is asked before anything is revealed."""

from collections.abc import Callable
from typing import Any

import pytest
from types_boto3_personalize import PersonalizeClient

from local_aws.personalize import ServiceError
from local_aws.personalize.service import ConditionContext
from tests.support.personalize import runtime_client
from tests.support.place import ACCOUNT, GROUP, RECIPE, REGION
from tests.unit.local_aws.personalize.simulation import ARN, Simulation, outcome

TAGS: Any = [{"tagKey": "owner", "tagValue": "us"}]


class Policy:
    """Records what it is asked, and denies what it is told to."""

    def __init__(self, deny: Callable[[str, str], bool] = lambda _action, _arn: False) -> None:
        self.asked: list[tuple[str, str, ConditionContext]] = []
        self.deny = deny

    def __call__(self, action: str, resource_arn: str, context: ConditionContext) -> None:
        self.asked.append((action, resource_arn, context))
        if self.deny(action, resource_arn):
            raise ServiceError("AccessDeniedException", f"not authorized to perform: {action}")


def _create(client: PersonalizeClient, **more: Any) -> str:
    request = {"name": "films", "datasetGroupArn": GROUP, "recipeArn": RECIPE}
    return client.create_recommender(**(request | more))["recommenderArn"]


CREATION = [("personalize:CreateRecommender", arn) for arn in (ARN, GROUP, RECIPE)]
TAGGING = ("personalize:TagResource", ARN)


def test_creation_is_checked_on_all_three_arns_and_for_the_tags_it_sends(
    simulation: Simulation,
) -> None:
    policy = Policy()
    _create(simulation.connect(policy), tags=TAGS)
    sent = {"aws:RequestTag/owner": "us", "aws:TagKeys": ["owner"]}
    assert policy.asked == [(*checked, sent) for checked in (*CREATION, TAGGING)]


def test_creation_without_tags_needs_no_permission_to_tag(simulation: Simulation) -> None:
    policy = Policy()
    _create(simulation.connect(policy))
    assert policy.asked == [(*checked, {}) for checked in CREATION]


@pytest.mark.parametrize(("action", "arn"), [*CREATION, TAGGING])
def test_each_action_of_a_creation_that_is_denied_alone_denies_it(
    simulation: Simulation, action: str, arn: str
) -> None:
    denied = simulation.connect(Policy(lambda *asked: asked == (action, arn)))
    assert outcome(lambda: _create(denied, tags=TAGS)) == "AccessDenied"
    assert simulation.service.recommenders(ACCOUNT, REGION) == []


CALLS: list[tuple[str, str, Callable[[PersonalizeClient], object]]] = [
    ("DescribeRecommender", ARN, lambda c: c.describe_recommender(recommenderArn=ARN)),
    ("DeleteRecommender", ARN, lambda c: c.delete_recommender(recommenderArn=ARN)),
    ("StopRecommender", ARN, lambda c: c.stop_recommender(recommenderArn=ARN)),
    ("StartRecommender", ARN, lambda c: c.start_recommender(recommenderArn=ARN)),
    (
        "UpdateRecommender",
        ARN,
        lambda c: c.update_recommender(
            recommenderArn=ARN, recommenderConfig={"minRecommendationRequestsPerSecond": 2}
        ),
    ),
    ("ListTagsForResource", ARN, lambda c: c.list_tags_for_resource(resourceArn=ARN)),
    ("TagResource", ARN, lambda c: c.tag_resource(resourceArn=ARN, tags=TAGS)),
    ("UntagResource", ARN, lambda c: c.untag_resource(resourceArn=ARN, tagKeys=["owner"])),
    ("ListRecommenders", "*", lambda c: c.list_recommenders()),
    ("ListRecipes", "*", lambda c: c.list_recipes()),
    ("ListDatasets", "*", lambda c: c.list_datasets(datasetGroupArn=GROUP)),
    ("DescribeRecipe", RECIPE, lambda c: c.describe_recipe(recipeArn=RECIPE)),
    ("DescribeDatasetGroup", GROUP, lambda c: c.describe_dataset_group(datasetGroupArn=GROUP)),
]


@pytest.mark.parametrize(("operation", "arn", "call"), CALLS)
def test_a_denied_call_says_nothing_about_what_exists(
    simulation: Simulation, operation: str, arn: str, call: Callable[[PersonalizeClient], object]
) -> None:
    policy = Policy(lambda *_: True)
    denied = simulation.connect(policy)
    assert outcome(lambda: call(denied)) == "AccessDenied"
    simulation.create_active()
    before = simulation.service.recommenders(ACCOUNT, REGION)
    assert outcome(lambda: call(denied)) == "AccessDenied"
    assert simulation.service.recommenders(ACCOUNT, REGION) == before
    assert {asked[:2] for asked in policy.asked} == {(f"personalize:{operation}", arn)}


def test_the_context_has_the_tags_of_the_resource_and_of_the_request(
    simulation: Simulation,
) -> None:
    policy = Policy()
    client = simulation.connect(policy)
    simulation.create(tags=TAGS)
    client.tag_resource(resourceArn=ARN, tags=[{"tagKey": "team", "tagValue": "vod"}])
    client.untag_resource(resourceArn=ARN, tagKeys=["owner", "team"])
    client.describe_recommender(recommenderArn=ARN)
    assert [context for _action, _arn, context in policy.asked] == [
        {
            "aws:ResourceTag/owner": "us",
            "aws:RequestTag/team": "vod",
            "aws:TagKeys": ["team"],
        },
        {
            "aws:ResourceTag/owner": "us",
            "aws:ResourceTag/team": "vod",
            "aws:TagKeys": ["owner", "team"],
        },
        {},
    ]


def test_recommendations_are_checked_on_the_recommender(simulation: Simulation) -> None:
    policy = Policy(lambda *_: True)
    runtime = runtime_client(simulation.service, authorize=policy)
    ask = runtime.get_recommendations
    assert outcome(lambda: ask(recommenderArn=ARN, userId="1")) == "AccessDenied"
    assert policy.asked == [("personalize:GetRecommendations", ARN, {})]


def test_a_malformed_request_is_refused_without_asking(simulation: Simulation) -> None:
    policy = Policy(lambda *_: True)
    assert outcome(lambda: _create(simulation.connect(policy), name="-")) == "Validation"
    assert policy.asked == []
