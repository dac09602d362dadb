"""Requests are parsed strictly, and name one recommender."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.config import Config
from lambdas.recommender.model.identity import NamePattern, derived_name
from lambdas.recommender.model.properties import BadRequestError
from lambdas.recommender.model.request import Request
from tests.support.place import GROUP, RECIPE

from ..examples import PROPERTIES, RECOMMENDER, STACK, event, without


def test_request_has_the_desired_recommender() -> None:
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


def test_fixed_name_is_the_name_of_the_recommender() -> None:
    assert Request.parse(event({v.FIXED_NAME: "mine"})).desired.arn == RECOMMENDER + "mine"


def test_properties_are_parsed_from_strings() -> None:
    desired = Request.parse(event({v.RUNNING: "false", v.ADOPT_EXISTING: "true"})).desired

    assert (desired.running, desired.adopt) == (False, True)


def test_optional_properties_have_defaults() -> None:
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
def test_wait_ends_before_the_service_timeout(properties: dict[str, str], seconds: float) -> None:
    assert Request.parse(event(properties)).wait_seconds == pytest.approx(seconds)


def test_tags_of_the_old_properties_only_are_retired() -> None:
    old = {**PROPERTIES, v.TAGS: {"team": "x", "old": "y"}}

    request = Request.parse(event(kind="Update", OldResourceProperties=old))

    assert request.retired_tags == {"old"}
    assert Request.parse(event()).retired_tags == frozenset()


@pytest.mark.parametrize(
    "physical_id",
    [
        None,
        "",
        "TopPicks-Recommender-1A2B3C4D5E6F",
        RECOMMENDER + "somebody-elses",
        RECOMMENDER.replace("111111111111", "222222222222") + "TopPicks-0123456789abcdef",
        RECOMMENDER.replace("eu-west-1", "us-east-1") + "TopPicks-0123456789abcdef",
        RECOMMENDER.replace("recommender", "campaign") + "TopPicks-0123456789abcdef",
    ],
)
def test_delete_with_a_foreign_physical_id_means_the_derived_recommender(
    physical_id: str | None,
) -> None:
    created = Request.parse(event()).desired

    deleted = Request.parse(event(kind="Delete", PhysicalResourceId=physical_id))

    assert deleted.deletion_target == created.arn


def test_delete_with_a_foreign_physical_id_means_the_fixed_name_if_there_is_one() -> None:
    deleted = event({v.FIXED_NAME: "mine"}, kind="Delete", PhysicalResourceId="invented")

    assert Request.parse(deleted).deletion_target == RECOMMENDER + "mine"


REFUSED = {v.FIXED_NAME: "a b", v.TAGS: ["team"], v.WAIT_SECONDS: "long"}


def test_bad_properties_of_a_delete_count_as_absent() -> None:
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
def test_bad_properties_of_a_create_or_update_are_refused(
    kind: str, name: str, read: Callable[[Request], object]
) -> None:
    with pytest.raises(BadRequestError, match=name):
        read(Request.parse(event({name: REFUSED[name]}, kind=kind)))


def test_bad_old_properties_count_as_absent() -> None:
    request = Request.parse(event(kind="Update", OldResourceProperties={**PROPERTIES, **REFUSED}))

    assert request.retired_tags == frozenset()
    assert request.names == Request.parse(event()).names


def test_delete_with_an_own_physical_id_means_that_recommender() -> None:
    old = RECOMMENDER + "TopPicks-0123456789abcdef"

    assert Request.parse(event(kind="Delete", PhysicalResourceId=old)).deletion_target == old


def test_request_derives_only_its_derived_name() -> None:
    derived = Request.parse(event())
    fixed = Request.parse(event({v.FIXED_NAME: "mine"}))
    own = derived.desired.arn

    assert derived.derives(own)
    assert not derived.derives(RECOMMENDER + "TopPicks-0123456789abcdef")
    assert not fixed.derives(own)
    assert not fixed.derives(RECOMMENDER + "mine")


def test_owner_is_the_resource_that_a_helper_names() -> None:
    helper = Request.parse(
        event({v.RECOMMENDER_LOGICAL_ID: "Recommender"}) | {"LogicalResourceId": "Stop"}
    )

    assert helper.owner == Request.parse(event()).owner


OTHER_ACCOUNT = GROUP.replace("111111111111", "222222222222")


def test_names_of_old_and_new_properties_are_the_stacks() -> None:
    old = {**PROPERTIES, v.FIXED_NAME: "films"}

    names = Request.parse(event({v.FIXED_NAME: "series"}, OldResourceProperties=old)).names

    assert "films" in names
    assert "series" in names
    assert "others" not in names
    assert Request.parse(event()).names == NamePattern("TopPicks")


BAD_PROPERTIES: dict[str, list[Any]] = {
    v.DATASET_GROUP_ARN: [RECIPE, OTHER_ACCOUNT, GROUP.replace("eu-west-1", "us-east-1")],
    v.RECIPE_ARN: [GROUP],
    v.NAME_PREFIX: ["a b"],
    v.FIXED_NAME: ["-x"],
    v.RUNNING: ["True"],
    v.ADOPT_EXISTING: ["False"],
    v.TAGS: ["team"],
    v.CONFIG: ["x"],
}
"""Other bad values of each form: ``test_properties.py``."""


def refused(raw: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the refused property, its value, and the allowed values."""
    with pytest.raises(BadRequestError) as refusal:
        _ = Request.parse(raw).desired
    said = re.fullmatch(
        r"(?:Unknown property )?(\S+): got (.*); allowed: (.+)\.", str(refusal.value)
    )
    assert said
    return said[1], said[2], said[3]


@pytest.mark.parametrize(
    ("name", "bad"), [(name, bad) for name, values in BAD_PROPERTIES.items() for bad in values]
)
def test_bad_property_is_refused_by_name(name: str, bad: object) -> None:
    where, got, _ = refused(event({name: bad}))

    assert where in (name, f"ResourceProperties.{name}")
    assert got == repr(str(bad))


ALLOWED: dict[str, tuple[Mapping[str, Any], str, str]] = {
    "group in another account": (
        event({v.DATASET_GROUP_ARN: OTHER_ACCOUNT}),
        v.DATASET_GROUP_ARN,
        "account and region, eu-west-1:111111111111",
    ),
    "unknown": (event({"Runing": "true"}), "Runing", "the properties of this version"),
}


@pytest.mark.parametrize("row", ALLOWED)
def test_refusal_names_the_property_and_the_allowed_values(row: str) -> None:
    raw, where, allowed = ALLOWED[row]

    found, _, said = refused(raw)

    assert found == where
    assert allowed in said


@pytest.mark.parametrize("name", [v.NAME_PREFIX, v.DATASET_GROUP_ARN, v.RECIPE_ARN, v.CONFIG])
def test_missing_property_is_refused_by_name(name: str) -> None:
    assert refused(without(name))[:2] == (f"ResourceProperties.{name}", "'None'")


@pytest.mark.parametrize(
    ("properties", "link"), [({}, (1, 1)), ({v.LINK: "3", v.LINKS: "11"}, (3, 11))]
)
@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_link_has_its_number_in_the_chain(
    properties: dict[str, str], link: tuple[int, int], kind: str
) -> None:
    assert Request.parse(event(properties, kind=kind)).link == link


@pytest.mark.parametrize("name", [v.LINK, v.LINKS])
def test_bad_link_is_refused_except_in_a_delete(name: str) -> None:
    bad = {v.LINK: "3", v.LINKS: "11", name: "0"}

    with pytest.raises(BadRequestError, match=f"ResourceProperties.{name}: got '0'"):
        _ = Request.parse(event(bad)).link
    deleted = Request.parse(event(bad, kind="Delete")).link
    assert deleted == ((1, 11) if name == v.LINK else (3, 1))


OLD_CONFIG: dict[str, tuple[dict[str, Any], Config | None]] = {
    "as it was": (
        {**PROPERTIES, v.CONFIG: {v.MIN_REQUESTS_PER_SECOND: "2", v.EXPLORATION: {}}},
        Config(min_requests_per_second=2),
    ),
    "of a recipe that does not explore": (
        {**PROPERTIES, v.CONFIG: {v.MIN_REQUESTS_PER_SECOND: "2"}},
        Config(min_requests_per_second=2),
    ),
    "nothing before": ({}, None),
    "refused before": ({**PROPERTIES, v.CONFIG: {"unknown": "1"}}, None),
    "no map": ({**PROPERTIES, v.CONFIG: "1"}, None),
}


@pytest.mark.parametrize("row", OLD_CONFIG)
def test_old_config_is_known_if_it_was_accepted(row: str) -> None:
    old, config = OLD_CONFIG[row]

    request = Request.parse(event(kind="Update", OldResourceProperties=old))

    assert request.old_config == config


TEXT, TYPE, ARN = "a string that is not empty", "Create, Update or Delete", "a stack's ARN"
EVENT_MEMBERS: list[tuple[str, object, str]] = [
    ("ResourceType", None, TEXT),
    ("RequestId", None, TEXT),
    ("LogicalResourceId", 1, TEXT),
    ("RequestType", None, TYPE),
    ("RequestType", "create", TYPE),
    ("StackId", None, ARN),
    ("StackId", "TopPicks", ARN),
    ("StackId", STACK.replace("cloudformation", "s3"), ARN),
    ("ResourceProperties", "x", "a map"),
    ("OldResourceProperties", ["x"], "a map"),
]


@pytest.mark.parametrize(("member", "got", "allowed"), EVENT_MEMBERS)
def test_bad_member_of_the_event_is_refused_by_name(member: str, got: object, allowed: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        Request.parse(event() | {member: got})

    assert str(refused.value) == f"event.{member}: got {str(got)!r}; allowed: {allowed}."


def test_delete_is_checked_for_its_prefix_of_names_alone() -> None:
    malformed = {v.RUNNING: "perhaps", v.LINK: "first"}

    Request.parse(event(malformed, kind="Delete")).check()

    for kind, properties in (("Update", malformed), ("Delete", {v.NAME_PREFIX: "a b"})):
        with pytest.raises(BadRequestError):
            Request.parse(event(properties, kind=kind)).check()
