"""Checks of the whole app at its synthesis: refusals, warnings, and the tags of stacks."""

import json
from collections.abc import Callable
from typing import Any, Final

import jsii
import pytest
from aws_cdk import (
    Annotations,
    App,
    Aspects,
    Aws,
    CfnOutput,
    CfnParameter,
    CfnResource,
    CrossStackReferences,
    Environment,
    IAspect,
    MissingRemovalPolicies,
    NestedStack,
    ReferenceStrength,
    RemovalPolicies,
    RemovalPolicy,
    Stack,
    Stage,
    Tags,
    Token,
)
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template
from constructs import Construct, IConstruct

from lambdas.recommender import vocabulary as v
from stacks.interface import IRecommender
from stacks.recommender import TopPicksRecommender
from tests.infrastructure.conftest import top_picks
from tests.support.template import in_order, of_type, rendered, the

HERE: Final = Environment(account="111111111111", region="eu-west-1")
ELSEWHERE: Final = Environment(account="111111111111", region="us-east-1")
EXPORTED: Final = "@top-picks/recommender:exported"
REMOVAL_POLICY: Final = "@top-picks/recommender:removal-policy"


def warnings(stack: Stack) -> list[str]:
    """Return the warnings of ours."""
    assembly = Stage.of(stack).synth()  # type: ignore[union-attr]
    messages = assembly.get_stack_artifact(stack.artifact_id).messages
    return [text for one in messages if "@top-picks" in (text := str(one.entry.data))]


# -- one name, one recommender ---------------------------------------------------------------------


def group(place: Environment | None) -> str:
    at = place or HERE
    return f"arn:aws:personalize:{at.region}:{at.account}:dataset-group/vod"


def named(scope: Construct, place: Environment | None, name: str = "films") -> TopPicksRecommender:
    return top_picks(scope, dataset_group_arn=group(place), recommender_name=name)


def side_by_side(app: App, *places: Environment | None) -> None:
    for number, place in enumerate(places):
        named(Stack(app, f"Stack{number}", env=place), place)


def in_stages(app: App, *places: Environment | None) -> None:
    for number, place in enumerate(places):
        named(Stack(Stage(app, f"stage{number}"), "Stack", env=place), place)


def refused(app: App) -> str:
    with pytest.raises(RuntimeError, match=r"Property recommender_name: got .films.;") as refusal:
        app.synth()
    return str(refusal.value)


@pytest.mark.parametrize(
    ("made", "paths"),
    [
        (side_by_side, ("Stack0/TopPicks", "Stack1/TopPicks")),
        (in_stages, ("stage0/Stack/TopPicks", "stage1/Stack/TopPicks")),
    ],
)
def test_a_fixed_name_that_another_stack_has_in_the_same_place_is_refused_with_both_paths(
    made: Callable[..., None], paths: tuple[str, str]
) -> None:
    app = App()
    made(app, HERE, HERE)

    message = refused(app)

    assert "allowed: a name that no other recommender has in the same account and region" in message
    assert f"{paths[0]} and {paths[1]} have it" in message


@pytest.mark.parametrize(
    ("made", "others"),
    [
        (side_by_side, Environment(account="222222222222", region="eu-west-1")),
        (side_by_side, ELSEWHERE),
        (side_by_side, None),
        (in_stages, ELSEWHERE),
    ],
    ids=["another account", "another region", "not known", "another region, in stages"],
)
def test_a_fixed_name_may_be_had_once_in_each_account_and_region(
    made: Callable[..., None], others: Environment | None
) -> None:
    app = App()

    made(app, HERE, others)

    app.synth()


def test_without_an_env_two_stacks_may_be_deployed_to_two_places() -> None:
    app = App()

    side_by_side(app, None, None)

    app.synth()


@pytest.mark.parametrize(("place", "nested"), [(HERE, False), (None, True)])
def test_a_fixed_name_that_stands_twice_in_a_stack_is_refused(
    place: Environment | None, nested: bool
) -> None:
    app = App()
    stack = Stack(app, "Video", env=place)
    for part in ("Films", "Series"):
        named(NestedStack(stack, part) if nested else Construct(stack, part), place)

    assert "Video/Films/TopPicks and Video/Series/TopPicks have it" in refused(app)


def test_a_fixed_name_in_a_nested_stack_and_in_the_one_around_it_is_refused() -> None:
    app = App()
    stack = Stack(app, "Video")
    named(stack, None)
    named(NestedStack(NestedStack(stack, "Outer"), "Inner"), None)

    assert "Video/TopPicks and Video/Outer/Inner/TopPicks have it" in refused(app)


@pytest.mark.parametrize("count", [1, 2])
def test_a_name_that_is_a_token_stands_for_one_thing_in_one_stack(count: int) -> None:
    app = App()
    for stack in (Stack(app, "Video", env=HERE), Stack(app, "Other", env=HERE)):
        name = CfnParameter(stack, "Name").value_as_string
        for number in range(count):
            named(Construct(stack, f"Part{number}"), HERE, name)

    if count == 1:
        app.synth()
    else:
        with pytest.raises(RuntimeError, match="Video/Part0/TopPicks and Video/Part1/TopPicks"):
            app.synth()


def test_a_name_after_its_stack_is_another_one_in_another_stack() -> None:
    app = App()
    for name in ("Video", "Other"):
        named(Stack(app, name, env=HERE), HERE, f"{Aws.STACK_NAME}-films")

    app.synth()


def test_derived_names_and_different_fixed_ones_are_no_clash() -> None:
    app = App()
    stack = Stack(app, "Video", env=HERE)
    for number, name in enumerate((None, None, "films", "series")):
        top_picks(stack, f"TopPicks{number}", recommender_name=name)

    app.synth()


# -- references that do not follow -----------------------------------------------------------------

FLAG: Final = "@aws-cdk/core:defaultCrossStackReferences"
Use = Callable[[TopPicksRecommender, Construct], object]


def granted(recommender: IRecommender, scope: Construct) -> object:
    role = iam.Role(scope, "Api", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    return recommender.grant_get_recommendations(role)


def called(recommender: TopPicksRecommender, scope: Construct) -> object:
    return CfnOutput(scope, "Named", value=f"It is {recommender.recommender_name}.")


def measured(recommender: TopPicksRecommender, scope: Construct) -> object:
    return CfnOutput(scope, "Measured", value=recommender.model_metrics["Coverage"])


def judged(recommender: TopPicksRecommender, scope: Construct) -> object:
    return CfnOutput(scope, "Judged", value=recommender.quality_gate)


class Estate:
    """A recommender, perhaps in a nested stack, and another stack."""

    def __init__(
        self, *, strength: str = "strong", place: Environment = HERE, depth: int = 0
    ) -> None:
        self.app = App(context={FLAG: strength})
        self.stack, self.other = (
            Stack(self.app, name, env=env, cross_region_references=True)
            for name, env in (("Video", HERE), ("Other", place))
        )
        scope = self.stack
        for level in range(depth):
            scope = NestedStack(scope, f"Level{level}")
        self.recommender = top_picks(scope)


EXPORT: Final = ("strong", HERE, "is exported. CloudFormation does not change an export")
OTHER_REGION: Final = ("strong", ELSEWHERE, "is written to another region")
WEAK: Final = ("weak", HERE, "is read by another stack (Fn::GetStackOutput)")
WEAK_ELSEWHERE: Final = ("weak", ELSEWHERE, WEAK[-1])


WAYS: Final = {
    "export": EXPORT,
    "other region": OTHER_REGION,
    "weak": WEAK,
    "weak in another region": WEAK_ELSEWHERE,
}
USES: Final[dict[str, tuple[Use, str, int]]] = {
    "granted": (granted, "RecommenderArn", 0),
    "granted, nested": (granted, "RecommenderArn", 1),
    "named": (called, "Name", 0),
    "measured": (measured, "Coverage", 0),
    "measured, nested twice": (measured, "Coverage", 2),
    "judged": (judged, "QualityGate", 0),
}


@pytest.mark.parametrize(
    ("way", "use"),
    [
        *(("export", use) for use in USES),
        *((way, "granted") for way in WAYS if way != "export"),
        *((way, "measured, nested twice") for way in WAYS if way != "export"),
    ],
)
def test_a_reference_that_does_not_follow_a_replacement_is_warned_of(way: str, use: str) -> None:
    strength, place, how = WAYS[way]
    used_by, attribute, depth = USES[use]
    estate = Estate(strength=strength, place=place, depth=depth)
    used_by(estate.recommender, estate.other)

    (warning,) = warnings(estate.stack)

    assert warning.startswith(f"{attribute} of the recommender {how}")
    assert "from_arn_parameter" in warning


def test_an_export_made_by_hand_is_warned_of() -> None:
    estate = Estate(depth=1)
    text = f"Recommended by {estate.recommender.recommender_arn}."
    CfnOutput(estate.stack, "Arn", value=text, export_name="top-picks")

    (warning,) = warnings(estate.stack)

    assert warning.startswith("RecommenderArn of the recommender is exported.")


def test_each_way_of_a_reference_is_warned_of_and_each_value_named_once() -> None:
    estate = Estate(strength="both")
    for use in (granted, called, judged):
        use(estate.recommender, estate.other)

    found = warnings(estate.stack)

    assert [one.partition(" of ")[0] for one in found] == ["Name, QualityGate, RecommenderArn"] * 2
    assert ["is exported" in one for one in found].count(True) == 1


def test_the_attributes_of_what_does_not_change_are_not_warned_of() -> None:
    estate = Estate()
    iam.Role(
        estate.other,
        "Role",
        assumed_by=iam.ArnPrincipal(estate.recommender.service.role.role_arn),
    )
    CfnOutput(estate.stack, "Fixed", value="x", export_name="fixed")

    assert not warnings(estate.stack)


@pytest.mark.parametrize("depth", [0, 1])
def test_a_use_in_the_same_stack_or_around_it_follows(depth: int) -> None:
    estate = Estate(depth=depth)
    granted(estate.recommender, estate.stack)
    granted(estate.recommender, NestedStack(estate.stack, "Beside"))

    assert not warnings(estate.stack)


def test_another_recommender_is_not_warned_of() -> None:
    estate = Estate()
    other = top_picks(estate.stack, "Other")
    granted(estate.recommender, estate.other)

    assert len(warnings(estate.stack)) == 1
    assert not [one for one in other.node.metadata if "@top-picks" in str(one.data)]


def test_a_recommender_of_the_same_id_in_a_nested_stack_is_another_one() -> None:
    estate = Estate()
    nested = NestedStack(estate.stack, "Nested")
    inner = top_picks(nested)
    CfnOutput(nested, "Arn", value=inner.recommender_arn, export_name="inner")

    assert len(warnings(estate.stack)) == 1
    assert not [one for one in estate.recommender.node.metadata if "@top-picks" in str(one.data)]


def test_an_output_of_the_same_name_of_another_nested_stack_is_another_one() -> None:
    estate = Estate(depth=1)
    CfnOutput(Stack.of(estate.recommender), "Value", value=estate.recommender.recommender_arn)
    beside = NestedStack(estate.stack, "Beside")
    CfnOutput(beside, "Value", value="x")
    resource = beside.nested_stack_resource
    assert resource
    theirs = Token.as_string(resource.get_att("Outputs.Value"))
    CfnOutput(estate.stack, "Theirs", value=theirs, export_name="theirs")

    assert not warnings(estate.stack)


@pytest.mark.parametrize(("place", "strength"), [(HERE, "strong"), (ELSEWHERE, "weak")])
def test_the_warning_of_a_reference_can_be_acknowledged(place: Environment, strength: str) -> None:
    estate = Estate(strength=strength, place=place)
    granted(estate.recommender, estate.other)
    Annotations.of(estate.recommender).acknowledge_warning(EXPORTED, "It is never replaced.")

    assert not warnings(estate.stack)


def test_the_strength_of_one_resource_is_seen() -> None:
    estate = Estate()
    gate = estate.recommender.node.find_child("Training").node.find_child("Hour11Of11")
    CrossStackReferences.of(gate).produce(ReferenceStrength.WEAK)
    granted(estate.recommender, estate.other)

    (warning,) = warnings(estate.stack)

    assert "Fn::GetStackOutput" in warning


def test_another_stack_finds_a_recommender_by_its_parameter_and_imports_nothing() -> None:
    app = App(context={FLAG: "strong"})
    stack, other = (Stack(app, name, env=HERE) for name in ("Video", "Other"))
    recommender = top_picks(stack)
    recommender.add_arn_parameter(stack, "Arn", parameter_name="/video/top-picks")

    found = TopPicksRecommender.from_arn_parameter(other, "TopPicks", "/video/top-picks")
    granted(found, other)
    CfnOutput(other, "Name", value=found.recommender_name)

    gates = in_order(rendered(stack), v.TRAINING_GATE_TYPE)
    Template.from_stack(stack).has_resource_properties(
        "AWS::SSM::Parameter",
        {
            "Name": "/video/top-picks",
            "Value": {"Fn::GetAtt": [gates[-1], v.RECOMMENDER_ARN_ATTRIBUTE]},
        },
    )
    template = rendered(other)
    (name,) = (
        name
        for name, parameter in template["Parameters"].items()
        if parameter.get("Default") == "/video/top-picks"
    )
    (policy,) = of_type(template, "AWS::IAM::Policy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {"Ref": name}
    assert "ImportValue" not in json.dumps(template)


# -- removal policies ------------------------------------------------------------------------------

RECOMMENDER, SWEEP = v.RECOMMENDER_TYPE, v.SWEEP_TYPE


def recommender_in(app: App, **properties: Any) -> TopPicksRecommender:
    stack = Stack(app, "Video", env=HERE)
    return top_picks(stack, **properties)


@jsii.implements(IAspect)
class Retained:
    """An aspect of somebody's."""

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, CfnResource):
            node.apply_removal_policy(RemovalPolicy.RETAIN, apply_to_update_replace_policy=False)


def by_policies(app: App) -> None:
    RemovalPolicies.of(app).retain()


def on_update_or_delete(app: App) -> None:
    RemovalPolicies.of(app).retain_on_update_or_delete()


def by_an_aspect(app: App) -> None:
    Aspects.of(app).add(Retained())


def of_the_recommender_only(app: App) -> None:
    RemovalPolicies.of(app).retain(apply_to_resource_types=[RECOMMENDER])


def of_the_sweeps_only(app: App) -> None:
    RemovalPolicies.of(app).retain(apply_to_resource_types=[SWEEP])


def destroyed(app: App) -> None:
    RemovalPolicies.of(app).destroy()


BOTH_RETAINED: Final = ["DeletionPolicy: Retain", "UpdateReplacePolicy: Retain"]


@pytest.mark.parametrize(
    ("policy", "change", "found", "said"),
    [
        (RemovalPolicy.DESTROY, by_policies, BOTH_RETAINED, "retain"),
        (RemovalPolicy.RETAIN, by_policies, BOTH_RETAINED, "retain"),
        (
            RemovalPolicy.DESTROY,
            on_update_or_delete,
            ["DeletionPolicy: RetainExceptOnCreate", "UpdateReplacePolicy: Retain"],
            "retain",
        ),
        (RemovalPolicy.RETAIN, on_update_or_delete, ["UpdateReplacePolicy: Retain"], "retain"),
        (RemovalPolicy.DESTROY, by_an_aspect, ["DeletionPolicy: Retain"], "retain"),
        (RemovalPolicy.DESTROY, of_the_recommender_only, BOTH_RETAINED, "retain"),
        (RemovalPolicy.DESTROY, of_the_sweeps_only, BOTH_RETAINED, "delete"),
        (RemovalPolicy.RETAIN, destroyed, ["DeletionPolicy: Delete"], "delete"),
    ],
)
def test_other_removal_policies_are_warned_of_and_the_tag_says_what_the_template_does(
    policy: RemovalPolicy, change: Callable[[App], None], found: list[str], said: str
) -> None:
    app = App()
    recommender = recommender_in(app, removal_policy=policy)
    change(app)

    (warning,) = warnings(recommender.stack)

    assert f" gives {', '.join(found)} to the recommender or its sweeps" in warning
    assert "removal_policy=RemovalPolicy.RETAIN (setting retain_on_destroy)" in warning
    template = rendered(recommender.stack)
    assert the(template, RECOMMENDER)[1]["Properties"]["OnDestroy"] == said


def test_policies_of_everything_else_are_not_warned_of() -> None:
    app = App()
    recommender = recommender_in(app)
    RemovalPolicies.of(app).retain(exclude_resource_types=[RECOMMENDER, SWEEP])
    MissingRemovalPolicies.of(app).retain()

    assert not warnings(recommender.stack)


def test_a_policy_that_is_applied_to_the_construct_is_not_warned_of() -> None:
    recommender = recommender_in(App())
    recommender.apply_removal_policy(RemovalPolicy.RETAIN)

    assert not warnings(recommender.stack)


def test_policies_that_are_absent_are_as_good_as_delete() -> None:
    recommender = recommender_in(App())
    for one in recommender.node.find_all():
        if isinstance(one, CfnResource):
            one.cfn_options.deletion_policy = one.cfn_options.update_replace_policy = None

    assert not warnings(recommender.stack)


def test_the_warning_of_removal_policies_can_be_acknowledged() -> None:
    app = App()
    recommender = recommender_in(app)
    RemovalPolicies.of(app).retain()
    Annotations.of(recommender).acknowledge_warning(REMOVAL_POLICY, "We delete it ourselves.")

    assert not warnings(recommender.stack)


# -- tags ------------------------------------------------------------------------------------------


def tags_of(stack: Stack) -> Any:
    _, recommender = the(rendered(stack), RECOMMENDER)
    return recommender["Properties"].get(v.TAGS)


def tagged(tags: dict[str, str], **context: Any) -> Stack:
    stack = Stack(App(context=context), "Video", env=HERE, tags=tags)
    top_picks(stack)
    return stack


EXPLICIT: Final = {"@aws-cdk/core:explicitStackTags": True}


@pytest.mark.parametrize("context", [{}, EXPLICIT])
def test_the_tags_of_a_stack_are_the_recommenders(context: dict[str, Any]) -> None:
    assert tags_of(tagged({"team": "video", "cost": "1"}, **context)) == {
        "cost": "1",
        "team": "video",
    }


def test_a_tag_that_the_stack_is_given_later_is_the_recommenders() -> None:
    stack = tagged({})
    stack.add_stack_tag("team", "video")
    Tags.of(stack).add("cost", "1", include_resource_types=["aws:cdk:stack"])

    assert tags_of(stack) == {"cost": "1", "team": "video"}


def test_a_tag_that_is_given_explicitly_has_precedence_over_the_stacks() -> None:
    stack = tagged({"team": "video", "cost": "1"})
    Tags.of(stack.node.find_child("TopPicks")).add("team", "films")

    assert tags_of(stack) == {"cost": "1", "team": "films"}


def test_a_tag_that_is_removed_from_the_recommender_stays_away() -> None:
    stack = tagged({"team": "video"})
    Tags.of(stack.node.find_child("TopPicks")).remove("team")

    assert tags_of(stack) is None


def test_a_tag_for_other_types_is_not_the_recommenders() -> None:
    stack = tagged({}, **EXPLICIT)
    Tags.of(stack).add("team", "video", include_resource_types=["AWS::Lambda::Function"])
    Tags.of(stack).add("cost", "1", exclude_resource_types=[RECOMMENDER])

    assert tags_of(stack) is None


def test_tags_of_the_stacks_around_a_nested_one_are_the_recommenders() -> None:
    stack = Stack(App(), "Video", tags={"team": "video", "cost": "1", "layer": "0"})
    outer = NestedStack(stack, "Outer")
    outer.add_stack_tag("cost", "2")
    outer.add_stack_tag("layer", "1")
    inner = NestedStack(outer, "Inner")
    inner.add_stack_tag("layer", "2")
    top_picks(inner)

    assert tags_of(inner) == {"cost": "2", "layer": "2", "team": "video"}


def test_a_tag_that_the_stack_gets_at_deployment_only_is_left_out_as_the_cdk_does() -> None:
    stack = tagged({"team": "video"})
    stack.add_stack_tag("cost", CfnParameter(stack, "Cost").value_as_string)

    assert tags_of(stack) == {"team": "video"}


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({f"tag{number}": "x" for number in range(40)}, "There are 48 tags; 47 are allowed"),
        ({"top-picks:team": "x"}, "The key 'top-picks:team' begins with top-picks:"),
    ],
)
def test_the_rules_for_tags_see_the_stacks(tags: dict[str, str], message: str) -> None:
    stack = tagged(tags)
    for number in range(8):
        Tags.of(stack.node.find_child("TopPicks")).add(f"own{number}", "x")

    with pytest.raises(RuntimeError, match=f"Tags of the recommender: {message}"):
        Template.from_stack(stack)
