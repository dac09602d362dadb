"""Requests are parsed strictly at the edge, and say which recommender they mean."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.config import Config
from lambdas.recommender.model.identity import NamePattern, derived_name
from lambdas.recommender.model.operation import RequestType
from lambdas.recommender.model.properties import BadRequestError
from lambdas.recommender.model.request import Request

from .examples import GROUP, PROPERTIES, RECIPE, RECOMMENDER, STACK, event, without


def test_a_request_says_what_is_desired() -> None:
    desired = Request.parse(event()).desired

    assert desired.name == derived_name(
        "TopPicks",
        stack_id=STACK,
        logical_id="Recommender",
        dataset_group_arn=GROUP,
        recipe_arn=RECIPE,
    )
    assert desired.arn == RECOMMENDER + desired.name
    assert (desired.dataset_group_arn, desired.recipe_arn) == (GROUP, RECIPE)
    assert desired.config == Config(exploration_weight=Decimal("0.25"), enable_metadata=True)
    assert (desired.running, desired.adopt, desired.tags) == (True, False, {"team": "video"})
    assert (desired.owner.stack_id, desired.owner.logical_id) == (STACK, "Recommender")


def test_a_fixed_name_is_taken_as_it_is() -> None:
    assert Request.parse(event({v.FIXED_NAME: "mine"})).desired.arn == RECOMMENDER + "mine"


def test_strings_of_cloudformation_become_what_they_were() -> None:
    config = {
        v.MIN_REQUESTS_PER_SECOND: "2147483647",
        v.EXPLORATION: {v.EXPLORATION_ITEM_AGE_CUT_OFF: "7"},
        v.ENABLE_METADATA: "false",
        v.TRAINING_DATA: {v.EXCLUDED_COLUMNS: {"ITEMS": ["B", "A"], "USERS": []}},
    }

    changed = {v.CONFIG: config, v.RUNNING: "false", v.ADOPT_EXISTING: "true"}
    desired = Request.parse(event(changed)).desired

    assert desired.config == Config(
        2**31 - 1, False, Decimal("0.3"), Decimal(7), {"ITEMS": ("A", "B")}
    )
    assert (desired.running, desired.adopt) == (False, True)


def test_properties_that_may_be_absent_have_defaults() -> None:
    request = Request.parse(event())
    bare = Request.parse(without(v.RUNNING))

    assert bare.desired == request.desired
    assert Request.parse(without(v.ADOPT_EXISTING)).desired.adopt is False
    assert Request.parse(without(v.TAGS)).tags == {}


@pytest.mark.parametrize(
    ("properties", "seconds"),
    [
        ({}, 3300.0),
        ({v.WAIT_SECONDS: "6"}, 6.0),
        ({v.WAIT_SECONDS: "9999"}, 3300.0),
        ({"ServiceTimeout": "60"}, 54.0),
    ],
)
def test_an_answer_is_given_before_the_service_timeout(
    properties: dict[str, str], seconds: float
) -> None:
    assert Request.parse(event(properties)).wait_seconds == pytest.approx(seconds)


def test_tags_that_the_template_no_longer_has_are_retired() -> None:
    old = {**PROPERTIES, v.TAGS: {"team": "x", "old": "y"}}

    request = Request.parse(event(kind="Update", OldResourceProperties=old))

    assert request.retired_tags == {"old"}
    assert Request.parse(event()).retired_tags == frozenset()


@pytest.mark.parametrize(
    "physical_id",
    [
        None,
        "",
        " ",
        "x" * 1024,
        "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED",
        "TopPicks-Recommender-1A2B3C4D5E6F",
        "2026/11/24/[$LATEST]0123456789abcdef",
        "5d2a1c7e-0000-4000-8000-000000000000",
        RECOMMENDER + "somebody-elses",
        RECOMMENDER.replace("111111111111", "222222222222") + "TopPicks-0123456789abcdef",
        RECOMMENDER.replace("eu-west-1", "us-east-1") + "TopPicks-0123456789abcdef",
        RECOMMENDER.replace("recommender", "campaign") + "TopPicks-0123456789abcdef",
    ],
)
def test_an_id_that_is_none_of_ours_means_what_the_properties_derive(
    physical_id: str | None,
) -> None:
    created = Request.parse(event()).desired

    deleted = Request.parse(event(kind="Delete", PhysicalResourceId=physical_id))

    assert deleted.deletion_target == created.arn


def test_an_invented_id_means_the_fixed_name_where_there_is_one() -> None:
    deleted = event({v.FIXED_NAME: "mine"}, kind="Delete", PhysicalResourceId="invented")

    assert Request.parse(deleted).deletion_target == RECOMMENDER + "mine"


REFUSED = {v.FIXED_NAME: "a b", v.TAGS: ["team"], v.WAIT_SECONDS: "long"}


def test_what_was_refused_is_as_good_as_absent_when_it_is_deleted() -> None:
    absent = event(kind="Delete")
    for name in REFUSED:
        absent["ResourceProperties"].pop(name, None)

    deleted, bare = Request.parse(event(REFUSED, kind="Delete")), Request.parse(absent)

    assert deleted.deletion_target == bare.deletion_target
    assert deleted.tags == bare.tags == {}
    assert deleted.wait_seconds == bare.wait_seconds
    assert deleted.names == bare.names


@pytest.mark.parametrize("kind", ["Create", "Update"])
@pytest.mark.parametrize(
    ("name", "read"),
    [
        (v.TAGS, lambda request: request.tags),
        (v.WAIT_SECONDS, lambda request: request.wait_seconds),
    ],
)
def test_what_was_refused_is_not_as_good_as_absent_before_it_is_deleted(
    kind: str, name: str, read: Callable[[Request], object]
) -> None:
    with pytest.raises(BadRequestError, match=name):
        read(Request.parse(event({name: REFUSED[name]}, kind=kind)))


def test_what_was_refused_is_as_good_as_absent_when_its_update_is_taken_back() -> None:
    request = Request.parse(event(kind="Update", OldResourceProperties={**PROPERTIES, **REFUSED}))

    assert request.retired_tags == frozenset()
    assert request.names == Request.parse(event()).names


def test_an_id_of_ours_is_what_a_delete_means() -> None:
    old = RECOMMENDER + "TopPicks-0123456789abcdef"

    assert Request.parse(event(kind="Delete", PhysicalResourceId=old)).deletion_target == old


def test_only_a_derived_name_is_this_resources_alone() -> None:
    derived = Request.parse(event())
    fixed = Request.parse(event({v.FIXED_NAME: "mine"}))
    own = derived.desired.arn

    assert derived.derives(own)
    assert not derived.derives(RECOMMENDER + "TopPicks-0123456789abcdef")
    assert not fixed.derives(own)
    assert not fixed.derives(RECOMMENDER + "mine")


def test_a_recommender_belongs_to_the_resource_that_its_helpers_name() -> None:
    helper = Request.parse(
        event({v.RECOMMENDER_LOGICAL_ID: "Recommender"}) | {"LogicalResourceId": "Stop"}
    )

    assert helper.owner == Request.parse(event()).owner


OTHER_ACCOUNT = GROUP.replace("111111111111", "222222222222")


def test_names_before_and_after_an_update_are_the_stacks() -> None:
    old = {**PROPERTIES, v.FIXED_NAME: "films"}

    names = Request.parse(event({v.FIXED_NAME: "series"}, OldResourceProperties=old)).names

    assert "films" in names
    assert "series" in names
    assert "others" not in names
    assert Request.parse(event()).names == NamePattern("TopPicks")


BAD_PROPERTIES: dict[str, list[Any]] = {
    v.DATASET_GROUP_ARN: [
        "",
        "vod",
        RECIPE,
        GROUP + "\n",
        GROUP + "/x",
        GROUP.replace("personalize", "s3"),
        OTHER_ACCOUNT,
        GROUP.replace("eu-west-1", "us-east-1"),
        ["a"],
    ],
    v.RECIPE_ARN: ["", "aws-vod-top-picks", GROUP],
    v.NAME_PREFIX: ["", "-x", "x" * 47, "a b", "a/b", "é"],
    v.FIXED_NAME: ["-x", "x" * 64, "a b", "a\n", "nämé", ["x"]],
    v.RUNNING: ["True", "1", "yes", "", True, [], {}],
    v.ADOPT_EXISTING: ["False", "0", "no", False],
    v.TAGS: ["team", ["team"], {"team": 1}, {"": "x"}, {v.OWNER_STACK_TAG: STACK}],
    v.CONFIG: ["", [], "x"],
}
BAD_CONFIG: dict[str, list[Any]] = {
    v.MIN_REQUESTS_PER_SECOND: ["0", 1],
    v.ENABLE_METADATA: ["TRUE"],
    v.EXPLORATION: ["0.3"],
    v.TRAINING_DATA: [[]],
    v.RUNNING: ["true"],
}


def _rows(bad: dict[str, list[Any]]) -> list[Any]:
    return [pytest.param(n, b, id=f"{n}={b!r}"[:60]) for n, values in bad.items() for b in values]


def refused(raw: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return what is refused of an event, what was got, and what is allowed."""
    with pytest.raises(BadRequestError) as refusal:
        _ = Request.parse(raw).desired
    said = re.fullmatch(
        r"(?:Unknown property )?(\S+): got (.*); allowed: (.+)\.", str(refusal.value)
    )
    assert said
    return said[1], said[2], said[3]


@pytest.mark.parametrize(("name", "bad"), _rows(BAD_PROPERTIES))
def test_a_bad_property_is_refused_by_name(name: str, bad: object) -> None:
    what, got, _ = refused(event({name: bad}))

    assert what in (name, f"ResourceProperties.{name}")
    assert got == repr(str(bad))


@pytest.mark.parametrize(("name", "bad"), _rows(BAD_CONFIG))
def test_a_bad_member_of_the_configuration_is_refused_by_name(name: str, bad: object) -> None:
    what, got, _ = refused(event({v.CONFIG: {name: bad}}))

    assert what in (name, f"{v.CONFIG}.{name}")
    assert got == repr(str(bad))


ALLOWED: dict[str, tuple[Mapping[str, Any], str, str]] = {
    "a switch": (event({v.RUNNING: "yes"}), "ResourceProperties.Running", "true or false"),
    "an ARN": (event({v.RECIPE_ARN: GROUP}), "ResourceProperties.RecipeArn", "recipe"),
    "a group elsewhere": (
        event({v.DATASET_GROUP_ARN: GROUP.replace("111111111111", "222222222222")}),
        v.DATASET_GROUP_ARN,
        "account and region, eu-west-1:111111111111",
    ),
    "a misspelt one": (event({"Runing": "true"}), "Runing", "the properties of this version"),
    "no map": (event(ResourceProperties=["x"]), "event.ResourceProperties", "a map"),
    "a member": (event(RequestId=7), "event.RequestId", "not empty"),
    "a type": (event(kind="Read"), "event.RequestType", "Create, Update or Delete"),
}


@pytest.mark.parametrize("row", ALLOWED)
def test_a_refusal_says_where_and_what_is_allowed(row: str) -> None:
    raw, where, allowed = ALLOWED[row]

    what, _, said = refused(raw)

    assert what == where
    assert allowed in said


def test_of_a_long_value_only_the_beginning_is_repeated() -> None:
    _, got, _ = refused(event({v.NAME_PREFIX: "x" * 10_000}))

    assert re.fullmatch(r"'x{170,197}\.{3}'", got)


@pytest.mark.parametrize("name", [v.NAME_PREFIX, v.DATASET_GROUP_ARN, v.RECIPE_ARN, v.CONFIG])
def test_a_missing_property_is_refused_by_name(name: str) -> None:
    assert refused(without(name))[:2] == (f"ResourceProperties.{name}", "'None'")


def test_an_unknown_property_is_refused() -> None:
    assert refused(event({"Runing": "true"}))[:2] == ("Runing", "'true'")


MEMBERS = ["RequestType", "ResourceType", "RequestId", "StackId", "LogicalResourceId"]


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("bad", [None, "", 1, []])
def test_a_malformed_event_is_refused_by_name(member: str, bad: object) -> None:
    assert refused(event() | {member: bad})[:2] == (f"event.{member}", repr(str(bad)))


@pytest.mark.parametrize("bad", ["TopPicks", STACK.replace("cloudformation", "s3"), STACK + "\n"])
def test_a_stack_has_an_arn_of_cloudformation(bad: str) -> None:
    what, _, allowed = refused(event(StackId=bad))

    assert what == "event.StackId"
    assert "stack's ARN" in allowed


@pytest.mark.parametrize("bad", ["create", "CREATE", "Read"])
def test_an_unknown_request_type_is_refused(bad: str) -> None:
    assert refused(event(kind=bad))[:2] == ("event.RequestType", repr(bad))


def test_properties_that_are_no_map_are_refused() -> None:
    assert refused(event(ResourceProperties=["x"]))[:2] == (
        "event.ResourceProperties",
        repr("['x']"),
    )


@pytest.mark.parametrize("kind", list(RequestType))
def test_every_request_type_is_known(kind: RequestType) -> None:
    assert Request.parse(event(kind=kind.value)).type is kind


@pytest.mark.parametrize(
    ("properties", "link"),
    [({}, (1, 1)), ({v.LINK: "3", v.LINKS: "11"}, (3, 11))],
)
@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_a_link_has_a_number_in_its_chain(
    properties: dict[str, str], link: tuple[int, int], kind: str
) -> None:
    assert Request.parse(event(properties, kind=kind)).link == link


@pytest.mark.parametrize("name", [v.LINK, v.LINKS])
def test_a_number_of_a_link_is_refused_but_for_a_delete(name: str) -> None:
    bad = {v.LINK: "3", v.LINKS: "11", name: "0"}

    with pytest.raises(BadRequestError, match=f"ResourceProperties.{name}: got '0'"):
        _ = Request.parse(event(bad)).link
    deleted = Request.parse(event(bad, kind="Delete")).link
    assert deleted == ((1, 11) if name == v.LINK else (3, 1))


OLD_CONFIG: dict[str, tuple[dict[str, Any], Config | None]] = {
    "as it was": (
        {**PROPERTIES, v.CONFIG: {v.MIN_REQUESTS_PER_SECOND: "2"}},
        Config(min_requests_per_second=2),
    ),
    "nothing before": ({}, None),
    "refused before": ({**PROPERTIES, v.CONFIG: {"unknown": "1"}}, None),
    "no map": ({**PROPERTIES, v.CONFIG: "1"}, None),
}


@pytest.mark.parametrize("row", OLD_CONFIG)
def test_what_was_asked_for_before_is_known_if_it_was_accepted(row: str) -> None:
    old, config = OLD_CONFIG[row]

    request = Request.parse(event(kind="Update", OldResourceProperties=old))

    assert request.old_config == config


def test_a_recommender_is_in_the_stacks_account_and_region() -> None:
    stack = "arn:aws-cn:cloudformation:cn-north-1:222222222222:stack/TopPicks/0a1b"

    assert Request.parse(event(StackId=stack)).recommender_arn("mine") == (
        "arn:aws-cn:personalize:cn-north-1:222222222222:recommender/mine"
    )


EVENT_MEMBERS: list[tuple[str, object, str]] = [
    ("RequestType", "Drop", "Create, Update or Delete"),
    ("ResourceType", "", "a string that is not empty"),
    ("RequestId", None, "a string that is not empty"),
    ("StackId", "TopPicks", "a stack's ARN"),
    ("LogicalResourceId", 7, "a string that is not empty"),
    ("ResourceProperties", "x", "a map"),
    ("OldResourceProperties", ["x"], "a map"),
]


@pytest.mark.parametrize(("member", "got", "allowed"), EVENT_MEMBERS)
def test_a_member_of_the_event_that_is_refused_is_named(
    member: str, got: object, allowed: str
) -> None:
    with pytest.raises(BadRequestError) as refused:
        Request.parse(event() | {member: got})

    assert str(refused.value) == f"event.{member}: got {str(got)!r}; allowed: {allowed}."
