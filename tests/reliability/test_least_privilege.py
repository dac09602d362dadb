"""What the functions may do is what they do, in every kind of lifecycle, and nothing else."""

from collections.abc import Callable, Sequence
from typing import Final

import boto3
import pytest

from local_aws.personalize import Behaviour
from tests.reliability.recorded import Record, recorded
from tests.reliability.world import QUICKER, World, texts
from tests.support.permissions import Permissions, Use
from tests.support.place import ACCOUNT, GROUP, PLACE, REGION

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
    world.failed()


LIFECYCLES: Final[Sequence[Callable[[World], None]]] = (
    changes,
    changes_under_a_fixed_name,
    replacements,
    roll_backs,
    adoption,
    retention,
    failed_training,
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
    assert records.keys() == {"TopPicks", "TopPicks-2"}
    for record in records.values():
        assert record.uses
        assert not record.refused


def test_nothing_is_allowed_that_is_never_called(
    records: dict[str, Record], granted: Permissions
) -> None:
    assert not granted.unused(records["TopPicks"].uses)


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


def test_the_actions_that_are_tried_are_all_that_the_service_has() -> None:
    assert len(PERSONALIZE) >= 79


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
