"""Requests are parsed strictly at the edge, and CloudFormation's strings are undone."""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender import vocabulary as v
from lambdas.recommender.events import BadRequestError, Config, Request, RequestType, within
from lambdas.recommender.identity import Names, derived_name

STACK = "arn:aws:cloudformation:eu-west-1:111111111111:stack/TopPicks/0a1b"
GROUP = "arn:aws:personalize:eu-west-1:111111111111:dataset-group/vod"
RECIPE = "arn:aws:personalize:::recipe/aws-vod-top-picks"
RECOMMENDER = "arn:aws:personalize:eu-west-1:111111111111:recommender/"
PROPERTIES = {
    "ServiceToken": "arn:aws:lambda:eu-west-1:111111111111:function:f",
    v.NAME_PREFIX: "TopPicks",
    v.DATASET_GROUP_ARN: GROUP,
    v.RECIPE_ARN: RECIPE,
    v.CONFIG: {v.EXPLORATION_WEIGHT: "0.25", v.ENABLE_METADATA: "true"},
    v.RUNNING: "true",
    v.ADOPT_EXISTING: "false",
    v.TAGS: {"team": "video"},
    v.WAIT_SECONDS: "3300",
}


def event(
    properties: Mapping[str, Any] | None = None, *, kind: object = "Create", **members: Any
) -> dict[str, Any]:
    """Return an event as the Provider framework sends it, with some things changed."""
    return {
        "RequestType": kind,
        "ResourceType": v.RECOMMENDER_TYPE,
        "RequestId": "r-1",
        "StackId": STACK,
        "LogicalResourceId": "Recommender",
        "ResourceProperties": {**PROPERTIES, **(properties or {})},
        **members,
    }


def without(name: str) -> dict[str, Any]:
    """Return an event whose properties lack one."""
    return event(ResourceProperties={k: p for k, p in PROPERTIES.items() if k != name})


def test_a_request_says_what_is_wanted() -> None:
    wanted = Request.parse(event()).wanted()

    assert wanted.name == derived_name(
        "TopPicks",
        stack_id=STACK,
        logical_id="Recommender",
        dataset_group_arn=GROUP,
        recipe_arn=RECIPE,
    )
    assert wanted.arn == RECOMMENDER + wanted.name
    assert (wanted.dataset_group_arn, wanted.recipe_arn) == (GROUP, RECIPE)
    assert wanted.config == Config(exploration_weight=Decimal("0.25"))
    assert (wanted.running, wanted.adopt, wanted.tags) == (True, False, {"team": "video"})
    assert (wanted.owner.stack_id, wanted.owner.logical_id) == (STACK, "Recommender")


def test_a_fixed_name_is_taken_as_it_is() -> None:
    assert Request.parse(event({v.FIXED_NAME: "mine"})).wanted().arn == RECOMMENDER + "mine"


def test_strings_of_cloudformation_become_what_they_were() -> None:
    config = {
        v.MIN_REQUESTS_PER_SECOND: "2147483647",
        v.EXPLORATION_ITEM_AGE_CUT_OFF: "7",
        v.ENABLE_METADATA: "false",
        v.EXCLUDED_COLUMNS: {"ITEMS": ["B", "A"], "USERS": []},
    }

    changed = {v.CONFIG: config, v.RUNNING: "false", v.ADOPT_EXISTING: "true"}
    wanted = Request.parse(event(changed)).wanted()

    assert wanted.config == Config(2**31 - 1, Decimal("0.3"), 7, False, {"ITEMS": ("A", "B")})
    assert (wanted.running, wanted.adopt) == (False, True)


def test_properties_that_may_be_absent_have_defaults() -> None:
    request = Request.parse(event())
    bare = Request.parse(without(v.RUNNING))

    assert bare.wanted() == request.wanted()
    assert Request.parse(without(v.ADOPT_EXISTING)).wanted().adopt is False
    assert Request.parse(without(v.TAGS)).tags == {}


@pytest.mark.parametrize("weight", ["0", "1", "1.0", "0.000000000000000001"])
def test_a_weight_may_be_anything_from_nothing_to_the_whole(weight: str) -> None:
    wanted = Request.parse(event({v.CONFIG: {v.EXPLORATION_WEIGHT: weight}})).wanted()

    assert wanted.config.exploration_weight == Decimal(weight)


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
    created = Request.parse(event()).wanted()

    deleted = Request.parse(event(kind="Delete", PhysicalResourceId=physical_id))

    assert deleted.doomed_arn() == created.arn


def test_an_invented_id_means_the_fixed_name_where_there_is_one() -> None:
    deleted = event({v.FIXED_NAME: "mine"}, kind="Delete", PhysicalResourceId="invented")

    assert Request.parse(deleted).doomed_arn() == RECOMMENDER + "mine"


REFUSED = {v.FIXED_NAME: "a b", v.TAGS: ["team"], v.WAIT_SECONDS: "long"}


def test_what_was_refused_is_as_good_as_absent_when_it_is_deleted() -> None:
    absent = event(kind="Delete")
    for name in REFUSED:
        absent["ResourceProperties"].pop(name, None)

    deleted, bare = Request.parse(event(REFUSED, kind="Delete")), Request.parse(absent)

    assert deleted.doomed_arn() == bare.doomed_arn()
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
def test_but_not_before(kind: str, name: str, read: Callable[[Request], object]) -> None:
    with pytest.raises(BadRequestError, match=name):
        read(Request.parse(event({name: REFUSED[name]}, kind=kind)))


def test_what_was_refused_is_as_good_as_absent_when_its_update_is_taken_back() -> None:
    request = Request.parse(event(kind="Update", OldResourceProperties={**PROPERTIES, **REFUSED}))

    assert request.retired_tags == frozenset()
    assert request.names == Request.parse(event()).names


def test_an_id_of_ours_is_what_a_delete_means() -> None:
    old = RECOMMENDER + "TopPicks-0123456789abcdef"

    assert Request.parse(event(kind="Delete", PhysicalResourceId=old)).doomed_arn() == old


def test_only_a_derived_name_is_this_resources_alone() -> None:
    derived = Request.parse(event())
    fixed = Request.parse(event({v.FIXED_NAME: "mine"}))
    own = derived.wanted().arn

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


def test_a_poll_sees_the_id_that_cloudformation_sent_not_the_one_answered() -> None:
    old, new = RECOMMENDER + "TopPicks-0123456789abcdef", Request.parse(event()).wanted().arn

    poll = event(kind="Update", PhysicalResourceId=new, Memory={"PhysicalId": old})

    assert Request.parse(poll).physical_id == old


def test_a_poll_is_what_remembers_something() -> None:
    assert Request.parse(event(Memory={"StartedAt": 0.0})).polled is True
    assert Request.parse(event()).polled is False


def test_names_before_and_after_an_update_are_the_stacks() -> None:
    old = {**PROPERTIES, v.FIXED_NAME: "films"}

    names = Request.parse(event({v.FIXED_NAME: "series"}, OldResourceProperties=old)).names

    assert "films" in names
    assert "series" in names
    assert "others" not in names
    assert Request.parse(event()).names == Names("TopPicks")


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
    v.MIN_REQUESTS_PER_SECOND: ["0", "01", "1.0", "1e3", "-1", "", "\u0663", 1, [], "2147483648"],
    v.EXPLORATION_WEIGHT: ["1.1", "-0.1", ".5", "1e-1", "", "NaN", "0.3 ", 0.3, "\u0660.\u0663"],
    v.EXPLORATION_ITEM_AGE_CUT_OFF: ["0", "0.5", "-30", "", "thirty"],
    v.ENABLE_METADATA: ["TRUE", "", "1", True],
    v.EXCLUDED_COLUMNS: ["ITEMS", ["ITEMS"], {"ITEMS": "A"}, {"ITEMS": [1]}, {"": ["A"]}],
    "explorationWeight": ["0.3"],
    v.RUNNING: ["true"],
}


def _rows(bad: dict[str, list[Any]]) -> list[Any]:
    return [pytest.param(n, b, id=f"{n}={b!r}"[:60]) for n, values in bad.items() for b in values]


def refused(raw: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return what is refused of an event, what was got, and what is allowed."""
    with pytest.raises(BadRequestError) as refusal:
        Request.parse(raw).wanted()
    said = re.fullmatch(r"(\S+): got (.*); allowed: (.+)\.", str(refusal.value))
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

    assert what in (name, f"ResourceProperties.{name}")
    assert got == repr(str(bad))


ALLOWED: dict[str, tuple[Mapping[str, Any], str, str]] = {
    "a switch": (event({v.RUNNING: "yes"}), "ResourceProperties.Running", "true or false"),
    "an ARN": (event({v.RECIPE_ARN: GROUP}), "ResourceProperties.RecipeArn", "recipe"),
    "a group elsewhere": (
        event({v.DATASET_GROUP_ARN: GROUP.replace("111111111111", "222222222222")}),
        v.DATASET_GROUP_ARN,
        "('aws', 'eu-west-1', '111111111111')",
    ),
    "a misspelt one": (event({"Runing": "true"}), "Runing", "no such property"),
    "no map": (event(ResourceProperties=["x"]), "event.ResourceProperties", "a map"),
    "a member": (event(RequestId=7), "event.RequestId", "not empty"),
    "a type": (event(kind="Read"), "event.RequestType", "a type"),
}


@pytest.mark.parametrize("row", ALLOWED)
def test_a_refusal_says_where_and_what_is_allowed(row: str) -> None:
    raw, where, allowed = ALLOWED[row]

    what, _, said = refused(raw)

    assert what == where
    assert allowed in said


def test_of_a_long_value_only_the_beginning_is_repeated() -> None:
    _, got, _ = refused(event({v.NAME_PREFIX: "x" * 10_000}))

    assert got == repr("x" * 200)


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


@given(st.text(max_size=3000), st.integers(8, 2000))
def test_a_text_is_cut_to_the_bytes_it_may_have(text: str, limit: int) -> None:
    cut = within(text, limit)

    assert len(json.dumps(cut)) <= limit
    assert cut == text or (len(json.dumps(text)) > limit and cut.endswith("..."))


@given(st.integers(100, 2000))
def test_a_plain_text_that_is_cut_keeps_nine_tenths_of_them(limit: int) -> None:
    assert len(within("x" * 3000, limit)) >= limit * 9 // 10
