"""Calls to Personalize: the checks before a creation, responses, and errors."""

import math
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.recommender.aws.errors import InUseError, PermanentError, TransientError
from lambdas.recommender.aws.personalize import Personalize, with_hint
from lambdas.recommender.decision.verdict import (
    Change,
    CreateRecommender,
    DeleteRecommender,
    StartRecommender,
    StopRecommender,
    TagResource,
    UntagResource,
    UpdateRecommender,
)
from lambdas.recommender.model.config import Config
from lambdas.recommender.model.observed import Observed, Update
from lambdas.recommender.model.request import Desired
from local_aws.personalize import Behaviour, wire
from local_aws.personalize import Personalize as Simulator
from tests.support.personalize import VirtualClock, client
from tests.support.place import ACCOUNT, GROUP, RECIPE, REGION

from ..examples import MINE, OWNER
from ..fakes import FakePersonalize, refusal


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(Behaviour(), VirtualClock())


def desired(group: str, **changes: Any) -> Desired:
    fields: dict[str, Any] = {
        "name": "mine",
        "arn": MINE,
        "dataset_group_arn": group,
        "recipe_arn": RECIPE,
        "config": Config(enable_metadata=True),
        "running": True,
        "adopt": False,
        "tags": {"team": "video"},
        "owner": OWNER,
    }
    return Desired(**(fields | changes))


def test_create_sets_the_tags_in_the_same_call(simulator: Simulator) -> None:
    service = Personalize(client(simulator))
    group = simulator.seed_dataset_group(ACCOUNT, REGION, "vod")

    service.change(MINE, CreateRecommender(desired(group)))

    assert [call.operation for call in simulator.journal if call.mutating] == ["CreateRecommender"]
    assert service.tags(MINE) == {"team": "video", **OWNER.tags()}
    kept = desired(group, name="kept", on_destroy="retain")
    arn = MINE.rpartition("/")[0] + "/kept"
    service.change(arn, CreateRecommender(kept))
    assert service.tags(arn) == {"team": "video", **OWNER.tags(), "top-picks:on-destroy": "retain"}
    observed = service.describe(MINE)
    assert observed is not None
    assert (observed.status, observed.dataset_group_arn, observed.recipe_arn) == (
        "CREATE PENDING",
        group,
        RECIPE,
    )
    assert observed.config["enableMetadataWithRecommendations"] is True


OF_RECIPE = "arn:aws:personalize:::recipe/"


@pytest.mark.parametrize(
    ("recipe", "metadata", "needed"),
    [
        ("aws-vod-top-picks", False, ["INTERACTIONS"]),
        ("aws-vod-top-picks", True, ["INTERACTIONS", "ITEMS"]),
        ("aws-vod-more-like-x", False, ["INTERACTIONS", "ITEMS"]),
    ],
)
def test_create_needs_the_datasets_of_its_recipe_and_no_others(
    simulator: Simulator, recipe: str, metadata: bool, needed: list[str]
) -> None:
    group = simulator.seed_dataset_group(ACCOUNT, REGION, "vod", datasets=needed)
    config = Config(enable_metadata=metadata, explores=recipe == "aws-vod-top-picks")

    Personalize(client(simulator)).change(
        MINE, CreateRecommender(desired(group, recipe_arn=f"{OF_RECIPE}{recipe}", config=config))
    )

    (made,) = simulator.recommenders(ACCOUNT, REGION)
    assert made["recipeArn"] == f"{OF_RECIPE}{recipe}"
    read = {
        call.resource_arn.rpartition("/")[2]
        for call in simulator.journal
        if call.operation == "DescribeDataset"
    }
    assert read == set(needed)


def test_create_with_an_unknown_recipe_lists_the_known_ones(simulator: Simulator) -> None:
    """A newer template may have one; the service decides."""
    group = simulator.seed_dataset_group(ACCOUNT, REGION, "vod", datasets=())
    wanted = desired(group, recipe_arn=f"{OF_RECIPE}aws-vod-of-tomorrow")

    with pytest.raises(PermanentError, match=r"recipes of this region: .*aws-vod-top-picks"):
        Personalize(client(simulator)).change(MINE, CreateRecommender(wanted))


class Account(FakePersonalize):
    """An account with a dataset group that shows this, or none, its datasets, and recipes."""

    def __init__(
        self,
        group: dict[str, str] | None,
        datasets: Collection[str] = ("INTERACTIONS", "ITEMS"),
        recipes: Collection[str] = (RECIPE,),
    ) -> None:
        super().__init__()
        self._group, self._datasets, self._recipes = group, datasets, recipes

    def describe_dataset_group(self, *, datasetGroupArn: str) -> Any:
        assert datasetGroupArn == GROUP
        if self._group is None:
            raise refusal("ResourceNotFoundException")
        return {"datasetGroup": self._group}

    def describe_dataset(self, *, datasetArn: str) -> Any:
        if datasetArn.rpartition("/")[2] not in self._datasets:
            raise refusal("ResourceNotFoundException")

    def list_recipes(self, *, domain: Any, nextToken: str = "") -> Any:
        assert (domain, nextToken) == ("VIDEO_ON_DEMAND", "")
        return {"recipes": [{"recipeArn": recipe} for recipe in self._recipes]}


READY = {"status": "ACTIVE", "domain": "VIDEO_ON_DEMAND"}
OTHER_DOMAIN = (
    "; this recipe needs VIDEO_ON_DEMAND. Personalize cannot change the domain: create another "
    "dataset group, import the data, and set dataset_group_arn to it."
)
OTHER_RECIPE = f"The recipe {RECIPE} is not among the VIDEO_ON_DEMAND recipes of this region: "
ABSENT = "ResourceNotFoundException: the message"
UNSUITABLE: dict[str, tuple[Account, str]] = {
    "no group": (
        Account(None),
        f"The dataset group {GROUP} does not exist (DescribeDatasetGroup: {ABSENT}). Set "
        "dataset_group_arn to one that does, or create it first.",
    ),
    "no status": (Account({}), f"the dataset group {GROUP} is , not ACTIVE"),
    "it failed, for a reason": (
        Account({"status": "CREATE FAILED", "failureReason": "no role"}),
        f"The dataset group {GROUP} is CREATE FAILED: no role. Delete it and create it again, or "
        "set dataset_group_arn to another one.",
    ),
    "it failed": (
        Account({"status": "CREATE FAILED"}),
        f"The dataset group {GROUP} is CREATE FAILED: Personalize gave no reason. Delete it and "
        "create it again, or set dataset_group_arn to another one.",
    ),
    "a custom group": (
        Account({"status": "ACTIVE"}),
        f"The dataset group {GROUP} has the domain none (custom){OTHER_DOMAIN}",
    ),
    "another domain": (
        Account({**READY, "domain": "ECOMMERCE"}),
        f"The dataset group {GROUP} has the domain ECOMMERCE{OTHER_DOMAIN}",
    ),
    "no interactions": (
        Account(READY, ["ITEMS"]),
        f"The dataset group {GROUP} has no INTERACTIONS dataset, but aws-vod-top-picks trains on "
        f"it (DescribeDataset: {ABSENT}). Create the dataset and import data, then deploy again.",
    ),
    "no items for metadata": (
        Account(READY, ["INTERACTIONS"]),
        f"The dataset group {GROUP} has no ITEMS dataset, but item metadata in recommendations "
        f"comes from it (DescribeDataset: {ABSENT}). Create the dataset and import data, or set "
        "item_metadata to false, then deploy again.",
    ),
    "another recipe": (
        Account(READY, recipes=["recipe/b", "recipe/a"]),
        f"{OTHER_RECIPE}recipe/a, recipe/b. Deploy to a region that has it.",
    ),
    "no recipe": (
        Account(READY, recipes=[]),
        f"{OTHER_RECIPE}there are none. Deploy to a region that has it.",
    ),
}


@pytest.mark.parametrize("row", UNSUITABLE)
def test_create_with_an_unsuitable_group_or_recipe_is_refused_before_any_change(row: str) -> None:
    account, said = UNSUITABLE[row]

    with pytest.raises(InUseError if row == "no status" else PermanentError) as refused:
        Personalize(account).change(MINE, CreateRecommender(desired(GROUP)))

    assert str(refused.value) == said
    assert account.changes == []


CALLS: dict[str, Callable[[Personalize], object]] = {
    "DescribeRecommender": lambda service: service.describe(MINE),
    "ListTagsForResource": lambda service: service.tags(MINE),
    "ListRecommenders": lambda service: service.names(),
    "DeleteRecommender": lambda service: service.change(MINE, DeleteRecommender()),
    **dict.fromkeys(
        ("DescribeDatasetGroup", "DescribeDataset", "ListRecipes", "CreateRecommender"),
        lambda service: service.change(MINE, CreateRecommender(desired(GROUP))),
    ),
}


@pytest.mark.parametrize("operation", CALLS)
def test_error_names_the_called_operation(operation: str) -> None:
    fake = FakePersonalize()
    fake.faults[operation] = refusal("AnythingNew")

    with pytest.raises(PermanentError) as error:
        CALLS[operation](Personalize(fake))

    assert str(error.value) == f"{operation}: AnythingNew: the message"
    assert error.value.code == "AnythingNew"
    assert fake.calls[-1][0] == operation


def test_every_change_is_accepted_by_the_service_model(simulator: Simulator) -> None:
    service = Personalize(client(simulator))
    group = simulator.seed_dataset_group(ACCOUNT, REGION, "vod")
    service.change(MINE, CreateRecommender(desired(group)))
    clock = simulator.clock
    assert isinstance(clock, VirtualClock)
    changes: list[Change] = [
        UpdateRecommender({"minRecommendationRequestsPerSecond": 2}),
        TagResource({"a": "b"}),
        UntagResource(frozenset(["a"])),
        StopRecommender(),
        StartRecommender(),
        DeleteRecommender(),
    ]
    for change in changes:
        clock.advance(36_000)
        service.change(MINE, change)

    clock.advance(36_000)
    assert service.describe(MINE) is None
    assert service.names() == []


@pytest.mark.parametrize("body", [b"", b"{", b"{}"])
def test_cut_response_is_a_transient_error(simulator: Simulator, body: bytes) -> None:
    def after(_: str, __: dict[str, Any], response: wire.Response) -> wire.Response:
        return response[0], response[1], body

    group = simulator.seed_dataset_group(ACCOUNT, REGION, "vod")
    Personalize(client(simulator)).change(MINE, CreateRecommender(desired(group)))
    new = desired(group, name="new")
    cut = Personalize(client(simulator, after=after))

    calls = (
        lambda: cut.describe(MINE),
        lambda: cut.tags(MINE),
        cut.names,
        lambda: cut.change(MINE, CreateRecommender(new)),
    )
    for call in calls:
        with pytest.raises(TransientError):
            call()


def test_create_response_without_an_arn_is_a_transient_error(simulator: Simulator) -> None:
    def after(operation: str, _: dict[str, Any], response: wire.Response) -> wire.Response:
        return (*response[:2], b"{}") if operation == "CreateRecommender" else response

    create = CreateRecommender(desired(simulator.seed_dataset_group(ACCOUNT, REGION, "vod")))

    with pytest.raises(TransientError, match=r"^CreateRecommender answered without an ARN$"):
        Personalize(client(simulator, after=after)).change(MINE, create)
    assert simulator.recommenders(ACCOUNT, REGION)


def test_parameter_that_the_sdk_does_not_know_is_a_permanent_error(simulator: Simulator) -> None:
    unknown = UpdateRecommender({"ofTomorrow": True})

    with pytest.raises(
        PermanentError, match=r"UpdateRecommender: the AWS SDK .* rejects this request"
    ):
        Personalize(client(simulator)).change(MINE, unknown)


@pytest.mark.parametrize(
    ("reason", "recipe", "events"),
    [
        (
            "Dataset has fewer than 1000 interactions after filtering by event type: Watch",
            "aws-vod-most-popular",
            "Watch events",
        ),
        (
            "Dataset has fewer than 25 users with at least 2 interactions each.",
            "aws-vod-top-picks",
            "item interactions",
        ),
    ],
)
def test_reason_of_too_little_data_has_a_hint(reason: str, recipe: str, events: str) -> None:
    arn = f"{OF_RECIPE}{recipe}"

    assert with_hint(reason, arn) == (
        f"{reason.removesuffix('.')}. Hint: {recipe} trains on at least 1000 {events}, from at "
        "least 25 users with 2 interactions each: import more data."
    )
    assert with_hint("Something else", arn) == "Something else"
    assert with_hint(reason, f"{OF_RECIPE}aws-vod-of-tomorrow") == reason
    assert with_hint(reason, "") == reason


CREATED = datetime(2026, 1, 2, tzinfo=UTC)
UPDATED = datetime(2026, 1, 3, tzinfo=UTC)
TOO_LITTLE = "Dataset has fewer than 25 users with at least 2 interactions each."


def test_all_shown_members_are_read() -> None:
    service = FakePersonalize()
    service.add(
        MINE,
        "CREATE FAILED",
        creationDateTime=CREATED,
        lastUpdatedDateTime=UPDATED,
        recommenderConfig={"a": 1},
        failureReason=TOO_LITTLE,
        modelMetrics={"coverage": 0.5, "precision_at_5": math.nan, "precision_at_10": None},
        latestRecommenderUpdate={
            "status": "CREATE FAILED",
            "creationDateTime": CREATED,
            "recommenderConfig": {"a": 2},
            "failureReason": TOO_LITTLE,
        },
    )

    assert Personalize(service).describe(MINE) == Observed(
        MINE,
        "CREATE FAILED",
        GROUP,
        RECIPE,
        {"a": 1},
        with_hint(TOO_LITTLE, RECIPE),
        CREATED.timestamp(),
        Update("CREATE FAILED", {"a": 2}, CREATED.timestamp(), with_hint(TOO_LITTLE, RECIPE)),
        {"coverage": 0.5},
        updated=UPDATED.timestamp(),
    )


NO_UPDATE = Update("", {}, 0.0)


@pytest.mark.parametrize(
    ("shown", "update"), [({}, None), (None, None), ({"ofTomorrow": 1}, NO_UPDATE)]
)
def test_members_that_are_not_shown_are_read_as_empty(
    shown: dict[str, Any] | None, update: Update | None
) -> None:
    service = FakePersonalize()
    service.shown[MINE] = {"latestRecommenderUpdate": shown}

    assert Personalize(service).describe(MINE) == Observed(MINE, "", "", "", latest_update=update)


class Pages:
    """Lists one recommender a page; each page's token is the next one's number."""

    def __init__(self, following: dict[str, str]) -> None:
        self._following = following

    def list_recommenders(self, *, nextToken: str = "0") -> Any:
        page = {"recommenders": [{"name": f"mine-{nextToken}"}]}
        following = self._following.get(nextToken)
        return page if following is None else {**page, "nextToken": following}

    def list_recipes(self, *, domain: Any, nextToken: str = "0") -> Any:
        del domain
        return {"recipes": [], "nextToken": self._following[nextToken]}


@pytest.mark.parametrize(
    ("following", "names"),
    [({"0": "1", "1": "2"}, ["mine-0", "mine-1", "mine-2"]), ({"0": ""}, ["mine-0"])],
    ids=["three pages", "an empty token"],
)
def test_names_of_all_pages_are_read(following: dict[str, str], names: list[str]) -> None:
    pages: Any = Pages(following)

    assert Personalize(pages).names() == names


@pytest.mark.parametrize("operation", ["ListRecommenders", "ListRecipes"])
def test_page_that_is_repeated_is_a_transient_error(operation: str) -> None:
    account: Any = FakePersonalize()
    pages = Pages({"0": "1", "1": "1"})
    account.list_recipes, account.list_recommenders = pages.list_recipes, pages.list_recommenders

    with pytest.raises(TransientError) as error:
        CALLS[operation](Personalize(account))

    assert str(error.value) == f"{operation}: the same page was answered twice"
