"""Requests are parsed strictly at the edge, and CloudFormation's strings are undone."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender import vocabulary as v
from lambdas.recommender.events import BadRequestError, Config, Request, RequestType, within

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

    assert wanted.name.startswith("TopPicks-")
    assert wanted.arn == RECOMMENDER + wanted.name
    assert (wanted.dataset_group_arn, wanted.recipe_arn) == (GROUP, RECIPE)
    assert wanted.config == Config(exploration_weight=Decimal("0.25"))
    assert (wanted.running, wanted.adopt, wanted.tags) == (True, False, {"team": "video"})
    assert (wanted.owner.stack_id, wanted.owner.logical_id) == (STACK, "Recommender")


def test_a_fixed_name_is_taken_as_it_is() -> None:
    assert Request.parse(event({v.FIXED_NAME: "mine"})).wanted().arn == RECOMMENDER + "mine"


def test_strings_of_cloudformation_become_what_they_were() -> None:
    config = {
        v.MIN_REQUESTS_PER_SECOND: "5",
        v.EXPLORATION_ITEM_AGE_CUT_OFF: "7",
        v.ENABLE_METADATA: "false",
        v.EXCLUDED_COLUMNS: {"ITEMS": ["B", "A"], "USERS": []},
    }

    wanted = Request.parse(event({v.CONFIG: config, v.RUNNING: "false"})).wanted()

    assert wanted.config == Config(5, Decimal("0.3"), 7, False, {"ITEMS": ("A", "B")})
    assert wanted.running is False


def test_properties_that_may_be_absent_have_defaults() -> None:
    request = Request.parse(event())
    bare = Request.parse(without(v.RUNNING))

    assert bare.wanted() == request.wanted()
    assert Request.parse(without(v.TAGS)).tags == {}


@pytest.mark.parametrize(
    ("properties", "seconds"),
    [({}, 3300.0), ({v.WAIT_SECONDS: "6"}, 6.0), ({"ServiceTimeout": "60"}, 54.0)],
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


def test_an_id_of_ours_is_what_a_delete_means() -> None:
    old = RECOMMENDER + "TopPicks-0123456789abcdef"

    assert Request.parse(event(kind="Delete", PhysicalResourceId=old)).doomed_arn() == old


OTHER_ACCOUNT = GROUP.replace("111111111111", "222222222222")


def test_a_poll_sees_the_id_that_cloudformation_sent_not_the_one_answered() -> None:
    old, new = RECOMMENDER + "TopPicks-0123456789abcdef", Request.parse(event()).wanted().arn

    poll = event(kind="Update", PhysicalResourceId=new, Memory={"PhysicalId": old})

    assert Request.parse(poll).physical_id == old


def test_names_before_and_after_an_update_are_the_stacks() -> None:
    old = {**PROPERTIES, v.FIXED_NAME: "films"}

    names = Request.parse(event({v.FIXED_NAME: "series"}, OldResourceProperties=old)).names

    assert "films" in names
    assert "series" in names
    assert "others" not in names


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
    v.TAGS: ["team", ["team"], {"team": 1}, {"": "x"}],
    v.CONFIG: ["", [], "x"],
}
BAD_CONFIG: dict[str, list[Any]] = {
    v.MIN_REQUESTS_PER_SECOND: ["0", "01", "1.0", "1e3", "-1", "", "\u0663", 1, [], "99999999999"],
    v.EXPLORATION_WEIGHT: ["1.1", "-0.1", ".5", "1e-1", "", "NaN", "0.3 ", 0.3, "\u0660.\u0663"],
    v.EXPLORATION_ITEM_AGE_CUT_OFF: ["0", "0.5", "-30", "", "thirty"],
    v.ENABLE_METADATA: ["TRUE", "", "1", True],
    v.EXCLUDED_COLUMNS: ["ITEMS", ["ITEMS"], {"ITEMS": "A"}, {"ITEMS": [1]}, {"": ["A"]}],
    "explorationWeight": ["0.3"],
    v.RUNNING: ["true"],
}


def _rows(bad: dict[str, list[Any]]) -> list[Any]:
    return [pytest.param(n, b, id=f"{n}={b!r}"[:60]) for n, values in bad.items() for b in values]


@pytest.mark.parametrize(("name", "bad"), _rows(BAD_PROPERTIES))
def test_a_bad_property_is_refused_by_name(name: str, bad: object) -> None:
    with pytest.raises(BadRequestError, match=name):
        Request.parse(event({name: bad})).wanted()


@pytest.mark.parametrize(("name", "bad"), _rows(BAD_CONFIG))
def test_a_bad_member_of_the_configuration_is_refused_by_name(name: str, bad: object) -> None:
    with pytest.raises(BadRequestError, match=name):
        Request.parse(event({v.CONFIG: {name: bad}})).wanted()


@pytest.mark.parametrize("name", [v.NAME_PREFIX, v.DATASET_GROUP_ARN, v.RECIPE_ARN, v.CONFIG])
def test_a_missing_property_is_refused_by_name(name: str) -> None:
    with pytest.raises(BadRequestError, match=name):
        Request.parse(without(name)).wanted()


def test_an_unknown_property_is_refused() -> None:
    raw = event()
    raw["ResourceProperties"]["Runing"] = "true"

    with pytest.raises(BadRequestError, match="Runing"):
        Request.parse(raw).wanted()


MEMBERS = ["RequestType", "ResourceType", "RequestId", "StackId", "LogicalResourceId"]


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("bad", [None, "", 1, []])
def test_a_malformed_event_is_refused_by_name(member: str, bad: object) -> None:
    with pytest.raises(BadRequestError, match=member):
        Request.parse(event() | {member: bad})


@pytest.mark.parametrize("bad", ["create", "CREATE", "Read"])
def test_an_unknown_request_type_is_refused(bad: str) -> None:
    with pytest.raises(BadRequestError, match="RequestType"):
        Request.parse(event(kind=bad))


def test_properties_that_are_no_map_are_refused() -> None:
    with pytest.raises(BadRequestError, match="ResourceProperties"):
        Request.parse(event(ResourceProperties=["x"]))


@pytest.mark.parametrize("kind", list(RequestType))
def test_every_request_type_is_known(kind: RequestType) -> None:
    assert Request.parse(event(kind=kind.value)).type is kind


@given(st.text(max_size=3000), st.integers(8, 2000))
def test_a_text_is_cut_to_the_bytes_it_may_have(text: str, limit: int) -> None:
    cut = within(text, limit)

    assert len(json.dumps(cut)) <= limit
    assert cut == text or (len(json.dumps(text)) > limit and cut.endswith("..."))
