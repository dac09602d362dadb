"""Recommenders of every recipe: one in a stack, or several that share its service."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template
from syrupy.extensions.json import JSONSnapshotExtension

from app import main
from lambdas.recommender import vocabulary as v
from lambdas.recommender.recipes import Recipe
from stacks.monitoring import RecommenderMonitoring
from stacks.recommender import DomainRecommender
from stacks.settings import PropertyError, SettingsError
from stacks.synthesis import refuse_large_templates
from tests.infrastructure.conftest import EVERYTHING, HOURS, SHORT, new_stack, top_picks
from tests.infrastructure.test_pictures import earlier
from tests.infrastructure.test_stack import OUTPUTS, masked, statements
from tests.support.place import GROUP
from tests.support.template import (
    FLAGS,
    Synth,
    of_type,
    policy_statements,
    properties_of,
    rendered,
    resolved,
    synthesised,
    the,
)

PLACE: Final = "arn:aws:personalize:eu-west-1:111111111111"
ROWS: Final[dict[str, Any]] = {
    "TopPicks": {"exploration_weight": 0.5},
    "Because": {"recipe": "aws-vod-because-you-watched-x"},
    "Trending": {"recipe": "aws-vod-trending-now", "item_metadata": False},
}
ALL: Final[dict[str, Any]] = {
    "TopPicks": {},
    "Because": {"recipe": "aws-vod-because-you-watched-x"},
    "More": {"recipe": "aws-vod-more-like-x"},
    "Popular": {"recipe": "aws-vod-most-popular"},
    "Trending": {"recipe": "aws-vod-trending-now"},
}
LONGEST: Final = {**EVERYTHING, "max_training_hours": 24, "max_deletion_hours": 24}


# -- one of another recipe -------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", Recipe)
def test_a_recipe_has_its_own_arn_configuration_and_permissions(
    synth: Synth, recipe: Recipe
) -> None:
    template = synth(recipe=recipe, **SHORT)
    arn = f"arn:aws:personalize:::recipe/{recipe}"

    _, resource = the(template, v.RECOMMENDER_TYPE)
    properties = resolved(resource["Properties"])
    explores = recipe is Recipe.VOD_TOP_PICKS
    assert properties[v.RECIPE_ARN] == arn
    assert properties[v.CONFIG][v.ENABLE_METADATA] is True
    assert (v.EXPLORATION in properties[v.CONFIG]) is explores
    for gate in of_type(template, v.TRAINING_GATE_TYPE).values():
        assert resolved(gate["Properties"][v.CONFIG]) == properties[v.CONFIG]
    datasets = f"{PLACE}:dataset/vod/INTERACTIONS", f"{PLACE}:dataset/vod/ITEMS"
    assert statements(template)[arn,] == {"personalize:CreateRecommender"}
    assert statements(template)[datasets] == {"personalize:DescribeDataset"}
    others = json.dumps(template).count("recipe/aws-vod-")
    assert others == json.dumps(template).count(f"recipe/{recipe}")


@pytest.mark.parametrize("recipe", Recipe)
def test_without_metadata_items_are_read_only_if_the_recipe_needs_them(
    synth: Synth, recipe: Recipe
) -> None:
    """The unit tests of ``aws/personalize.py`` have the calls."""
    template = synth(recipe=recipe, item_metadata=False, **SHORT)

    of_items = recipe is Recipe.VOD_MORE_LIKE_X
    datasets = ("INTERACTIONS", "ITEMS") if of_items else ("INTERACTIONS",)
    arns = tuple(f"{PLACE}:dataset/vod/{one}" for one in datasets)
    assert statements(template)[arns] == {"personalize:DescribeDataset"}
    _, resource = the(template, v.RECOMMENDER_TYPE)
    assert resource["Properties"][v.CONFIG][v.ENABLE_METADATA] is False


def test_descriptions_name_the_recipe_unless_it_is_top_picks(synth: Synth) -> None:
    template = synth(recipe="aws-vod-because-you-watched-x", **SHORT)
    trending = synth(recipe="aws-vod-trending-now", **SHORT)

    title = "Because you watched X"
    assert template["Outputs"].keys() == OUTPUTS
    described = {name: one["Description"] for name, one in template["Outputs"].items()}
    assert all(one.startswith(f"{title}: ") for one in described.values())
    assert described["RecommenderArn"] == (
        f"{title}: Give it to GetRecommendations, with userId and itemId."
    )
    arn = trending["Outputs"]["RecommenderArn"]["Description"]
    assert arn == "Trending now: Give it to GetRecommendations."


def test_a_schedule_says_what_it_starts(synth: Synth) -> None:
    template = synth(recipe="aws-vod-most-popular", active_hours=HOURS)

    said = {one["Description"] for one in properties_of(template, "AWS::Scheduler::Schedule")}
    assert said == {
        "Most popular recommender: starts it",
        "Most popular recommender: stops it",
    }


# -- several ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def three(synth: Synth) -> dict[str, Any]:
    return synth(recommenders=ROWS, **SHORT)


def test_template_with_three_recommenders_is_as_reviewed(
    synth: Synth, three: dict[str, Any], snapshot: Any
) -> None:
    """Not an assertion of intent: an alarm for changes that nobody meant.

    Resources that a stack of one recommender has, too, are in the snapshot of that one.
    """
    of_one = synth(**SHORT)["Resources"]
    same = [name for name, one in three["Resources"].items() if of_one.get(name) == one]
    others = {name: one for name, one in three["Resources"].items() if name not in same}

    reviewed = {**three, "Resources": others, "as with one": same}
    assert masked(reviewed) == snapshot.use_extension(JSONSnapshotExtension)


def test_custom_resources_have_the_types_of_the_vocabulary(synth: Synth) -> None:
    rows = {"TopPicks": {"running": False}, "Because": {**ROWS["Because"], "active_hours": HOURS}}

    resources = synth(recommenders=rows, **SHORT)["Resources"].values()

    types = {one["Type"] for one in resources if one["Type"].startswith("Custom::")}
    assert types == set(v.RESOURCE_TYPES)


def test_no_recommender_waits_for_another_one(three: dict[str, Any]) -> None:
    """CloudFormation makes at the same time what does not depend on one another."""
    custom = [
        name for name, one in three["Resources"].items() if one["Type"].startswith("Custom::")
    ]

    def owner(logical_id: str) -> str:
        (name,) = re.findall(f"^Recommenders({'|'.join(ROWS)})", logical_id)
        return str(name)

    for logical_id in custom:
        others = {owner(one) for one in earlier(three["Resources"], logical_id) if one in custom}
        assert others <= {owner(logical_id)}, logical_id
    assert {owner(one) for one in custom} == ROWS.keys()


def test_a_change_of_one_recommender_changes_no_custom_resource_of_another(
    synth: Synth, three: dict[str, Any]
) -> None:
    changed = {**ROWS, "Because": {**ROWS["Because"], "min_recommendation_requests_per_second": 2}}
    after = synth(recommenders=changed, **SHORT)

    assert three["Resources"].keys() == after["Resources"].keys()
    assert differing(three, after) == {
        "RecommendersBecause",
        "RecommendersBecauseTrainingHour01Of02",
        "RecommendersBecauseTrainingHour02Of02",
    }


def test_another_recommender_changes_nothing_of_those_that_are_there(
    synth: Synth, three: dict[str, Any]
) -> None:
    """But the functions' permissions, for which the functions' instances are replaced."""
    more = {**ROWS, "Popular": {"recipe": "aws-vod-most-popular"}}
    after = synth(recommenders=more, **SHORT)

    assert differing(three, after) == {"ServiceBegin", "ServicePoll"}


def test_the_empty_name_keeps_the_recommender_that_a_stack_had_alone(synth: Synth) -> None:
    alone = synth(**SHORT)
    among = {"": {}, "Because": ROWS["Because"]}
    several = synth(recommenders=among, **SHORT)

    assert differing(alone, several) == {"ServiceBegin", "ServicePoll"}
    assert alone["Outputs"].items() <= several["Outputs"].items()


def differing(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Return the resources that an update changes or deletes: not those with other dependencies."""

    def updated(resource: dict[str, Any]) -> dict[str, Any]:
        return {name: one for name, one in resource.items() if name != "DependsOn"}

    return {
        re.sub("[0-9A-F]{8}$", "", name)
        for name, one in before["Resources"].items()
        if updated(after["Resources"].get(name, {})) != updated(one)
    }


def test_one_role_of_consumers_may_use_them_all_and_nothing_else(synth: Synth) -> None:
    consumer = "arn:aws:iam::333333333333:role/app"
    template = synth(recommenders=ROWS, consumers=[consumer], **SHORT)

    granted = [
        statement
        for statement in policy_statements(template)
        if "personalize:GetRecommendations" in statement["Action"]
    ]
    assert [one["Action"] for one in granted] == ["personalize:GetRecommendations"]
    arns = [template["Outputs"][f"{name}RecommenderArn"]["Value"] for name in ROWS]
    assert sorted(map(json.dumps, granted[0]["Resource"])) == sorted(map(json.dumps, arns))
    roles = [name for name in template["Outputs"] if name.startswith("ConsumerRole")]
    assert roles == ["ConsumerRoleArn"]
    (policy,) = (
        name
        for name, one in of_type(template, "AWS::IAM::Policy").items()
        if "personalize:GetRecommendations" in json.dumps(one)
    )
    for parameter in of_type(template, "AWS::SSM::Parameter").values():
        assert policy in parameter["DependsOn"]


def test_monitoring_shows_each_recommender_by_its_name(synth: Synth) -> None:
    monitored = {"monitoring": True, "alarm_email": "team@example.com"}
    template = synth(recommenders=ROWS, **SHORT, **monitored)

    dimensions = {
        dimension["Value"]
        for alarm in properties_of(template, "AWS::CloudWatch::Alarm")
        for dimension in alarm.get("Dimensions", ())
        if dimension["Name"] == v.DIMENSION
    }
    assert dimensions == {f"TopPicks/Recommenders/{name}" for name in ROWS}
    assert len(of_type(template, "AWS::CloudWatch::Dashboard")) == 3
    assert len(of_type(template, "AWS::SNS::Topic")) == 1


def test_a_quality_gate_is_of_the_recommender_that_has_one(synth: Synth) -> None:
    gated = {**ROWS, "TopPicks": {"minimum_metrics": {"coverage": 0.05}}}
    template = synth(recommenders=gated, **SHORT)

    assert [one for one in template["Outputs"] if "QualityGate" in one] == ["TopPicksQualityGate"]


@pytest.mark.parametrize(
    ("recommenders", "description"),
    [
        (ROWS, "s: Top picks for you, Because you watched X, Trending now"),
        ({"Kids": {}, "Adults": {}}, "s: Top picks for you"),
        ({"Kids": {"recipe": "aws-vod-more-like-x"}}, ": More like X (aws-vod-more-like-x)"),
    ],
)
def test_the_stack_names_its_recipes(recommenders: dict[str, Any], description: str) -> None:
    template = synthesised(recommenders=recommenders, **SHORT).to_json()

    assert template["Description"] == f"Amazon Personalize recommender{description}"


# -- what CloudFormation takes ---------------------------------------------------------------------


def assembled(folder: Path, **context: Any) -> Iterator[tuple[int, int]]:
    """Yield the resources and the bytes of each template."""
    app = main(App(context={**FLAGS, "dataset_group_arn": GROUP, **context}, outdir=str(folder)))
    refuse_large_templates(app.synth())
    for path in folder.glob("*.template.json"):
        yield len(json.loads(path.read_text())["Resources"]), path.stat().st_size


def test_a_stack_of_all_five_with_everything_and_the_longest_chains_fits(tmp_path: Path) -> None:
    """Of CloudFormation's quotas: 500 resources, and a template of a megabyte."""
    ((resources, size),) = assembled(tmp_path, recommenders=ALL, **LONGEST)

    assert resources <= 500
    assert size <= 1_000_000


def of_links(number: int) -> dict[str, Any]:
    """Return settings with so many training gates, and one sweep."""
    hours = round((number - 1.5) / 60, 6)
    return {"training_gate_minutes": 1, "max_training_hours": hours, "max_deletion_hours": 0.01}


def test_more_resources_than_a_stack_can_hold_are_refused_with_their_number(
    three: dict[str, Any],
) -> None:
    links = [one for one in three["Resources"].values() if v.LINK in one.get("Properties", {})]
    left = 500 - (len(three["Resources"]) - len(links)) - 2 * 161

    def deployed(more: int) -> Template:
        lengths = {"TopPicks": 161, "Because": 161, "Trending": left + more}
        return synthesised(
            recommenders={name: {**ROWS[name], **of_links(lengths[name])} for name in ROWS}
        )

    assert len(deployed(0).to_json()["Resources"]) == 500
    with pytest.raises(
        RuntimeError, match=r"Setting recommenders: got .501 resources.; allowed: 500 in a stack\."
    ):
        deployed(1)


def test_a_template_that_is_too_large_is_refused_with_its_bytes(tmp_path: Path) -> None:
    tags = {f"{number:0128}": "x" * 256 for number in range(47)}

    with pytest.raises(
        SettingsError,
        match=r"^Setting recommenders: got .a template of \d{7} bytes for TopPicks.; allowed: 100",
    ):
        list(assembled(tmp_path, recommenders=ALL, tags=tags, **LONGEST))


# -- the construct ---------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", Recipe)
def test_a_construct_of_each_recipe_deploys_what_the_app_does(
    stack: Stack, synth: Synth, recipe: Recipe
) -> None:
    recommender = DomainRecommender(stack, "Row", recipe=recipe, dataset_group_arn=GROUP)
    RecommenderMonitoring(stack, "Monitoring", recommender=recommender)

    made = rendered(stack)
    app = synth(recipe=recipe, **SHORT)
    (ours,), (theirs,) = (of_type(one, v.RECOMMENDER_TYPE).values() for one in (made, app))
    names = (v.NAME_PREFIX, "ServiceToken")
    assert {name: one for name, one in ours["Properties"].items() if name not in names} == {
        name: one for name, one in theirs["Properties"].items() if name not in names
    }


def test_top_picks_are_the_recipe_that_is_fixed(stack: Stack) -> None:
    other = new_stack()
    top_picks(stack, "Row", exploration_weight=0.5)
    DomainRecommender(
        other, "Row", recipe=Recipe.VOD_TOP_PICKS, dataset_group_arn=GROUP, exploration_weight=0.5
    )

    assert Template.from_stack(stack).to_json() == Template.from_stack(other).to_json()


WRONG: Final[list[tuple[dict[str, Any], str]]] = [
    ({"exploration_weight": 0.5}, r"exploration_weight: got 0\.5; allowed: a recipe that explores"),
    ({"excluded_columns": {"ITEMS": ["A"]}}, r"excluded_columns: .*aws-vod-most-popular trains on"),
    ({"minimum_metrics": {"coverage": 0.1}}, r"minimum_metrics: .* no metrics of aws-vod-most-pop"),
    ({"recipe": "aws-vod-of-tomorrow"}, r"recipe: got .*; allowed: one of aws-vod-top-picks, "),
    ({"recipe": None}, r"recipe: got nothing; allowed: one of aws-vod-top-picks, "),
]


@pytest.mark.parametrize(("properties", "message"), WRONG)
def test_a_property_that_the_recipe_does_not_have_is_refused(
    stack: Stack, properties: dict[str, Any], message: str
) -> None:
    given = {"recipe": Recipe.VOD_MOST_POPULAR, "dataset_group_arn": GROUP, **properties}

    with pytest.raises(PropertyError, match=f"^Property {message}"):
        DomainRecommender(stack, "Row", **given)
