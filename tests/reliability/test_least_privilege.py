"""What the functions may do is what they do, in every kind of lifecycle, and nothing else."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_aws.personalize import Behaviour
from tests.reliability.recorded import Record, recorded
from tests.reliability.world import QUICKER, World, texts
from tests.support.permissions import Permissions, Use, roles_of, uses_in
from tests.support.place import ACCOUNT, GROUP, PLACE, REGION
from tests.support.template import synthesised

pytestmark = pytest.mark.rows("S5")

FILMS: Final[dict[str, object]] = {"recommender_name": "films"}
ANOTHER_WEIGHT: Final[dict[str, object]] = {"exploration_weight": 0.7}
STOPPED: Final[dict[str, object]] = {"running": False}
DERIVED: Final = f"{PLACE}recommender/TopPicks-0123456789abcdef"


# -- lifecycles ----------------------------------------------------------------------------------


def changes(world: World, **name: object) -> None:
    world.created(**name, tags={"team": "films"})
    for change in (ANOTHER_WEIGHT, STOPPED, {}):
        world.updated(**name, **change)
    world.deleted()


def changes_under_a_fixed_name(world: World) -> None:
    changes(world, **FILMS)


def replacements(world: World) -> None:
    world.created()
    for change in (FILMS, {"dataset_group_arn": world.other_group}):
        world.updated(**change)


def roll_backs(world: World) -> None:
    settings = {"max_training_hours": world.hours}
    assert world.stack.create(settings, sibling_fails=100) == "ROLLBACK_COMPLETE"
    world.stack = world.cloud.stack("TopPicks-2")
    world.created()
    for change in (ANOTHER_WEIGHT, STOPPED, FILMS):
        status = world.stack.update({**settings, **change}, sibling_fails=40)
        assert status == "UPDATE_ROLLBACK_COMPLETE", texts(world.stack)


def adoption(world: World) -> None:
    world.foreign("films")
    world.created(**FILMS, adopt_existing=True)
    world.deleted()


def retention(world: World) -> None:
    world.created(retain_on_destroy=True)
    world.deleted()


def failed_training(world: World) -> None:
    world.behaviour.training_failure = "too few interactions"
    assert world.create() == "ROLLBACK_COMPLETE"


def neighbours(world: World) -> None:
    other = world.cloud.stack("TopPicks-dev")
    world.created()
    for name, create in (("films", other.create), ("series", other.update)):
        settings = {"max_training_hours": world.hours, "recommender_name": name}
        assert create(settings).endswith("E_COMPLETE"), texts(other)
    assert world.stack.delete() == other.delete() == "DELETE_COMPLETE"


LIFECYCLES: Final[Sequence[Callable[[World], None]]] = (
    changes,
    changes_under_a_fixed_name,
    replacements,
    roll_backs,
    adoption,
    retention,
    failed_training,
    neighbours,
)


@pytest.fixture(scope="module")
def records() -> dict[str, Record]:
    """Go through all lifecycles, and return a record for each name of a stack."""
    with pytest.MonkeyPatch.context() as patch:
        made = recorded(patch)
        for live in LIFECYCLES:
            live(World(Behaviour(**QUICKER), hours=0.9))
    return made


@pytest.fixture(scope="module")
def granted(records: dict[str, Record]) -> Permissions:
    return records["TopPicks"].permissions


# -- granted is used, and used is granted --------------------------------------------------------


def test_whatever_is_called_is_allowed_at_that_time(records: dict[str, Record]) -> None:
    assert records.keys() == {"TopPicks", "TopPicks-2", "TopPicks-dev"}
    for record in records.values():
        assert record.uses
        assert not record.refused


def test_nothing_is_allowed_that_is_never_called(
    records: dict[str, Record], granted: Permissions
) -> None:
    assert not granted.unused(records["TopPicks"].uses)


def test_only_the_actions_that_are_called_are_allowed_on_what_they_are_called_on(
    records: dict[str, Record], granted: Permissions
) -> None:
    called = {Use(use.action, _example(use.resource)) for use in records["TopPicks"].uses}
    ours = {use.resource for use in called}

    allowed = {
        Use(action, resource)
        for action in ACTIONS
        for resource in ours
        if granted.allow(Use(action, resource))
    }
    assert allowed == called | {Use(action, resource) for action in LISTS for resource in ours}


def _example(resource: str) -> str:
    return DERIVED if "/TopPicks-" in resource else resource


def _operations(api: str, prefix: str = "personalize") -> set[str]:
    model = boto3.Session(region_name=REGION).client(api).meta.service_model  # type: ignore[call-overload]
    return {f"{prefix}:{operation}" for operation in model.operation_names}


PERSONALIZE: Final = frozenset(
    _operations("personalize")
    | _operations("personalize-runtime")
    | _operations("personalize-events")
)
"""All actions: the three APIs share a prefix in policies."""
LISTS: Final = frozenset({"personalize:ListRecipes", "personalize:ListRecommenders"})
ACTIONS: Final = (
    PERSONALIZE
    | _operations("stepfunctions", "states")
    | {
        *("cloudformation:DescribeStackResources", "cloudformation:DescribeStacks"),
        *("cloudformation:UpdateStack", "cloudformation:DeleteStack"),
        *("cloudformation:SignalResource", "lambda:InvokeFunction", "kms:Decrypt"),
        *("iam:PassRole", "iam:PutRolePolicy", "sts:AssumeRole", "ssm:GetParameter"),
        *("s3:GetObject", "s3:PutObject", "secretsmanager:GetSecretValue"),
    }
)
RECOMMENDER_ACTIONS: Final = (
    *sorted(action for action in PERSONALIZE if action.endswith("Recommender")),
    "personalize:ListTagsForResource",
    "personalize:TagResource",
    "personalize:UntagResource",
)


def test_the_actions_that_are_tried_are_all_that_the_service_has() -> None:
    assert len(PERSONALIZE) >= 79
    assert len(RECOMMENDER_ACTIONS) == 9


# -- everything else is denied -------------------------------------------------------------------


STACKS: Final = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack"
FOREIGN: Final = {
    "another prefix": f"{PLACE}recommender/Other-0123456789abcdef",
    "a stack whose name begins the same": f"{PLACE}recommender/TopPicks-dev-0123456789abcdef",
    "the same without a dash": f"{PLACE}recommender/TopPicks2-0123456789abcdef",
    "other letters": f"{PLACE}recommender/toppicks-0123456789abcdef",
    "a digest too short": f"{PLACE}recommender/TopPicks-0123456789abcde",
    "a digest too long": f"{PLACE}recommender/TopPicks-0123456789abcdef0",
    "a fixed name with a tail": f"{PLACE}recommender/films2",
    "a fixed name with a head": f"{PLACE}recommender/myfilms",
    "another fixed name": f"{PLACE}recommender/series",
    "another region": DERIVED.replace(REGION, "us-east-1"),
    "another account": DERIVED.replace(ACCOUNT, "222222222222"),
    "another partition": DERIVED.replace("arn:aws:", "arn:aws-cn:"),
    "another dataset group": f"{GROUP}2",
    "a dataset that is not read": f"{PLACE}dataset/vod/USERS",
    "another group's dataset": f"{PLACE}dataset/vod2/ITEMS",
    "another stack": f"{STACKS}/TopPicks-dev/00000000-0000-0000-0000-000000000001",
    "another stack of the name": f"{STACKS}/TopPicks/00000000-0000-0000-0000-999999999999",
    "another kind of resource": DERIVED.replace(":recommender/", ":campaign/"),
}


@pytest.mark.parametrize("resource", FOREIGN.values(), ids=FOREIGN.keys())
def test_nothing_is_allowed_on_what_is_not_the_stack_s(granted: Permissions, resource: str) -> None:
    assert {action for action in ACTIONS if granted.allow(Use(action, resource))} == LISTS


@given(
    action=st.sampled_from(RECOMMENDER_ACTIONS),
    name=st.from_regex(r"(TopPicks-?|films)?[a-zA-Z0-9_-]{0,20}", fullmatch=True),
)
def test_a_recommender_is_within_reach_by_its_name_alone(
    granted: Permissions, action: str, name: str
) -> None:
    ours = name == "films" or re.fullmatch(r"TopPicks-.{16}", name) is not None

    assert granted.allow(Use(action, f"{PLACE}recommender/{name}")) is ours


def test_a_stack_does_not_reach_its_neighbours(records: dict[str, Record]) -> None:
    for name, record in records.items():
        strangers = {
            use
            for other, others in records.items()
            if other != name
            for use in others.uses
            if f"/{other}" in use.resource
        }
        assert strangers
        assert record.permissions.refused(strangers) == strangers


def test_a_journal_tells_what_a_role_used() -> None:
    ours = "arn:aws:sts::111111111111:assumed-role/TopPicks-FunctionRole-A/TopPicks-Begin-B"
    journal = [
        {"operation": "CreateRecommender", "resource_arn": DERIVED, "caller": ours},
        {"operation": "ListRecipes", "resource_arn": "*", "caller": ours},
        {"operation": "DeleteRecommender", "resource_arn": DERIVED, "caller": "somebody/else"},
    ]

    assert uses_in(journal, "TopPicks-FunctionRole-A") == {
        Use("personalize:CreateRecommender", DERIVED),
        Use("personalize:TagResource", DERIVED),
        Use("personalize:ListRecipes", "*"),
    }


# -- the roles of the framework ------------------------------------------------------------------


@pytest.mark.rows("S6")
@pytest.mark.parametrize("context", [{}, FILMS], ids=["derived name", "fixed name"])
def test_no_role_may_do_anything_to_everything(context: dict[str, Any]) -> None:
    roles = roles_of(dict(synthesised(**context).to_json()))

    assert len(roles) == 2
    for permissions in roles.values():
        assert not any("*" in grant.action for grant in permissions.grants)
        assert {grant.action for grant in permissions.grants if grant.resource == "*"} <= LISTS
        for grant in permissions.grants:  # IAM and ministack differ about wildcards before the name
            *place, _ = grant.resource.split(":", 5)
            assert not set("*?") & set("".join(place)), grant
        assert not permissions.allow(Use("iam:PassRole", "arn:aws:iam::111111111111:role/any"))
