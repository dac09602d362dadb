"""Calls to Personalize: the preflight, and errors sorted by what to do about them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.config import Config as ClientConfig
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from lambdas.recommender.aws.errors import (
    NotFoundError,
    PermanentError,
    TransientError,
    translate_errors,
)
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
from lambdas.recommender.model.identity import Owner
from lambdas.recommender.model.observed import Observed, Update
from lambdas.recommender.model.request import Desired
from local_aws.personalize import Behaviour, ServiceError, wire
from local_aws.personalize import Personalize as Simulator
from tests.support.personalize import VirtualClock, client
from tests.support.place import ACCOUNT, REGION

from .examples import GROUP, RECIPE
from .fakes import FakePersonalize, refusal

OWNER = Owner(f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/TopPicks/1", "Recommender")
ARN = f"arn:aws:personalize:{REGION}:{ACCOUNT}:recommender/mine"
URL = "https://personalize.example"


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(Behaviour(), VirtualClock())


def desired(group: str, **changes: Any) -> Desired:
    fields: dict[str, Any] = {
        "name": "mine",
        "arn": ARN,
        "dataset_group_arn": group,
        "recipe_arn": RECIPE,
        "config": Config(enable_metadata=True),
        "running": True,
        "adopt": False,
        "tags": {"team": "video"},
        "owner": OWNER,
    }
    return Desired(**(fields | changes))


def test_a_recommender_is_created_with_its_tags_in_the_same_call(simulator: Simulator) -> None:
    service = Personalize(client(simulator))
    group = simulator.seed_dataset_group(ACCOUNT, REGION, "vod")

    service.change(ARN, CreateRecommender(desired(group)))

    assert [call.operation for call in simulator.journal if call.mutating] == ["CreateRecommender"]
    assert service.tags(ARN) == {"team": "video", **OWNER.tags()}
    kept = desired(group, name="kept", on_destroy="retain")
    arn = ARN.rpartition("/")[0] + "/kept"
    service.change(arn, CreateRecommender(kept))
    assert service.tags(arn) == {"team": "video", **OWNER.tags(), "top-picks:on-destroy": "retain"}
    observed = service.describe(ARN)
    assert observed is not None
    assert (observed.status, observed.dataset_group_arn, observed.recipe_arn) == (
        "CREATE PENDING",
        group,
        RECIPE,
    )
    assert observed.config["enableMetadataWithRecommendations"] is True


OTHER_DOMAIN = (
    "; this recipe needs VIDEO_ON_DEMAND. Personalize cannot change the domain: create another "
    "dataset group, import the data, and set dataset_group_arn to it."
)
PREFLIGHT: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a custom dataset group": (
        {"domain": None},
        [f" has the domain none (custom){OTHER_DOMAIN}"],
    ),
    "another domain": ({"domain": "ECOMMERCE"}, [f" has the domain ECOMMERCE{OTHER_DOMAIN}"]),
    "no interactions": (
        {"datasets": ("Items", "Users")},
        [
            " has no INTERACTIONS dataset, but the recipe trains on it (DescribeDataset: ",
            "). Create the dataset, import data, then deploy again.",
        ],
    ),
    "no items": (
        {"datasets": ("Interactions",)},
        [
            " has no ITEMS dataset, but item metadata in recommendations comes from it "
            "(DescribeDataset: ",
            "). Create the dataset, import data, then deploy again.",
        ],
    ),
    "a dataset group that failed": (
        {"status": "CREATE FAILED"},
        [
            " is CREATE FAILED: ",
            ". Delete it and create it again, or set dataset_group_arn to another one.",
        ],
    ),
}


@pytest.mark.parametrize("row", PREFLIGHT)
def test_what_cannot_work_is_refused_before_anything_is_created(
    simulator: Simulator, row: str
) -> None:
    properties, said = PREFLIGHT[row]
    group = simulator.seed_dataset_group(ACCOUNT, REGION, "vod", **properties)

    with pytest.raises(PermanentError) as refusal:
        Personalize(client(simulator)).change(ARN, CreateRecommender(desired(group)))

    assert str(refusal.value).startswith(f"The dataset group {group}{said[0]}")
    assert str(refusal.value).endswith(said[-1])
    assert not any(call.mutating for call in simulator.journal)


def test_items_are_needed_only_for_metadata(simulator: Simulator) -> None:
    group = simulator.seed_dataset_group(ACCOUNT, REGION, "vod", datasets=("Interactions",))

    Personalize(client(simulator)).change(
        ARN, CreateRecommender(desired(group, config=Config(enable_metadata=False)))
    )

    assert simulator.recommenders(ACCOUNT, REGION)


def test_a_missing_dataset_group_is_named(simulator: Simulator) -> None:
    group = f"arn:aws:personalize:{REGION}:{ACCOUNT}:dataset-group/nowhere"

    with pytest.raises(PermanentError) as refused:
        Personalize(client(simulator)).change(ARN, CreateRecommender(desired(group)))

    assert str(refused.value).startswith(
        f"The dataset group {group} does not exist (DescribeDatasetGroup: "
    )
    assert str(refused.value).endswith(
        "). Set dataset_group_arn to one that does, or create it first."
    )


def test_a_dataset_group_that_is_not_ready_may_become_so(simulator: Simulator) -> None:
    group = simulator.seed_dataset_group(ACCOUNT, REGION, "vod", status="CREATE IN_PROGRESS")

    with pytest.raises(TransientError, match="is CREATE IN_PROGRESS, not ACTIVE"):
        Personalize(client(simulator)).change(ARN, CreateRecommender(desired(group)))


def test_the_recipe_is_looked_for_on_every_page(simulator: Simulator) -> None:
    group = simulator.seed_dataset_group(ACCOUNT, REGION, "vod")

    Personalize(client(simulator)).change(ARN, CreateRecommender(desired(group)))

    assert [call.operation for call in simulator.journal].count("ListRecipes") > 1


def test_a_recipe_that_the_region_lacks_is_named_with_those_it_has(simulator: Simulator) -> None:
    group = simulator.seed_dataset_group(ACCOUNT, REGION, "vod")

    with pytest.raises(
        PermanentError, match=r"recipe/aws-vod-soon is not among.*aws-vod-top-picks"
    ):
        Personalize(client(simulator)).change(
            ARN, CreateRecommender(desired(group, recipe_arn=RECIPE[:-9] + "soon"))
        )


class Group(FakePersonalize):
    """An account with one dataset group, which shows this, and these recipes."""

    def __init__(self, shown: dict[str, str], recipes: list[str]) -> None:
        super().__init__()
        self._shown, self._recipes = shown, recipes

    def describe_dataset_group(self, *, datasetGroupArn: str) -> Any:
        del datasetGroupArn
        return {"datasetGroup": self._shown}

    def list_recipes(self, *, domain: Any, nextToken: str = "") -> Any:
        assert (domain, nextToken) == ("VIDEO_ON_DEMAND", "")
        return {"recipes": [{"recipeArn": recipe} for recipe in self._recipes]}


READY = {"status": "ACTIVE", "domain": "VIDEO_ON_DEMAND"}
NOT_READY: dict[str, tuple[dict[str, str], list[str], Exception]] = {
    "no status": ({}, [RECIPE], TransientError(f"the dataset group {GROUP} is , not ACTIVE")),
    "it failed, for a reason": (
        {"status": "CREATE FAILED", "failureReason": "no role"},
        [RECIPE],
        PermanentError(
            f"The dataset group {GROUP} is CREATE FAILED: no role. Delete it and create it again, "
            "or set dataset_group_arn to another one."
        ),
    ),
    "it failed": (
        {"status": "CREATE FAILED"},
        [RECIPE],
        PermanentError(
            f"The dataset group {GROUP} is CREATE FAILED: Personalize gave no reason. Delete it "
            "and create it again, or set dataset_group_arn to another one."
        ),
    ),
    "another recipe": (
        READY,
        ["recipe/b", "recipe/a"],
        PermanentError(
            f"The recipe {RECIPE} is not among the VIDEO_ON_DEMAND recipes of this region: "
            "recipe/a, recipe/b. Deploy to a region that has it."
        ),
    ),
    "no recipe": (
        READY,
        [],
        PermanentError(
            f"The recipe {RECIPE} is not among the VIDEO_ON_DEMAND recipes of this region: "
            "there are none. Deploy to a region that has it."
        ),
    ),
}


@pytest.mark.parametrize("row", NOT_READY)
def test_a_region_without_what_is_needed_is_told_apart(row: str) -> None:
    shown, recipes, expected = NOT_READY[row]
    account = Group(shown, recipes)

    with pytest.raises(type(expected)) as refused:
        Personalize(account).change(ARN, CreateRecommender(desired(GROUP)))

    assert str(refused.value) == str(expected)
    assert account.changes == []


CALLS: dict[str, Callable[[Personalize], object]] = {
    "DescribeRecommender": lambda service: service.describe(ARN),
    "ListTagsForResource": lambda service: service.tags(ARN),
    "ListRecommenders": lambda service: service.names(),
    **dict.fromkeys(
        ("DescribeDatasetGroup", "DescribeDataset", "ListRecipes", "CreateRecommender"),
        lambda service: service.change(ARN, CreateRecommender(desired(GROUP))),
    ),
}


@pytest.mark.parametrize("operation", CALLS)
def test_an_error_names_the_operation_that_was_called(operation: str) -> None:
    fake = FakePersonalize()
    fake.faults[operation] = refusal("AnythingNew")

    with pytest.raises(PermanentError) as error:
        CALLS[operation](Personalize(fake))

    assert str(error.value) == f"{operation}: AnythingNew: the message"
    assert error.value.code == "AnythingNew"
    assert fake.calls[-1][0] == operation


def test_every_change_is_a_call_that_the_service_model_accepts(simulator: Simulator) -> None:
    service = Personalize(client(simulator))
    group = simulator.seed_dataset_group(ACCOUNT, REGION, "vod")
    service.change(ARN, CreateRecommender(desired(group)))
    clock = simulator.clock
    assert isinstance(clock, VirtualClock)
    changes: list[Change] = [
        UpdateRecommender({"minRecommendationRequestsPerSecond": 2}),
        TagResource({"a": "b"}),
        UntagResource.of(["a"]),
        StopRecommender(),
        StartRecommender(),
        DeleteRecommender(),
    ]
    for change in changes:
        clock.advance(36_000)
        service.change(ARN, change)

    clock.advance(36_000)
    assert service.describe(ARN) is None
    assert service.names() == []


def answering(code: str, status: int = 400) -> Callable[[str, dict[str, Any]], None]:
    def before(_: str, __: dict[str, Any]) -> None:
        raise ServiceError(code, "the message", status)

    return before


CODES: dict[str, tuple[int, type[Exception]]] = {
    "ThrottlingException": (400, TransientError),
    "TooManyRequestsException": (429, TransientError),
    "ServiceUnavailable": (503, TransientError),
    "InternalFailure": (500, TransientError),
    "AnythingElse": (500, TransientError),
    "400": (400, TransientError),
    "ResourceInUseException": (400, TransientError),
    "ResourceAlreadyExistsException": (400, TransientError),
    "InvalidNextTokenException": (400, TransientError),
    "ResourceNotFoundException": (400, NotFoundError),
    "LimitExceededException": (400, PermanentError),
    "InvalidInputException": (400, PermanentError),
    "ValidationException": (400, PermanentError),
    "TooManyTagsException": (400, PermanentError),
    "AccessDeniedException": (400, PermanentError),
    "ExpiredTokenException": (400, TransientError),
    "UnrecognizedClientException": (400, PermanentError),
    "AnythingNew": (400, PermanentError),
}


@pytest.mark.parametrize("code", CODES)
def test_errors_are_sorted_by_their_code(simulator: Simulator, code: str) -> None:
    status, expected = CODES[code]
    service = Personalize(client(simulator, before=answering(code, status)))

    with pytest.raises(expected) as error:
        service.change(ARN, DeleteRecommender())

    assert str(error.value).startswith(f"DeleteRecommender: {code}: the message")


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("LimitExceededException", "5 recommenders per dataset group and 15 per region"),
        ("AccessDeniedException", "The role of the stack's Lambda functions lacks this permission"),
        ("TooManyTagsException", "50 tags"),
    ],
)
def test_a_hint_is_given_where_one_is_known(simulator: Simulator, code: str, hint: str) -> None:
    service = Personalize(client(simulator, before=answering(code)))

    with pytest.raises(PermanentError, match=hint):
        service.change(ARN, DeleteRecommender())


@pytest.mark.parametrize(
    "lost",
    [
        ConnectionClosedError(endpoint_url=URL),
        EndpointConnectionError(endpoint_url=URL),
        ReadTimeoutError(endpoint_url=URL),
        NoCredentialsError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_answer_that_does_not_come_may_come_later(simulator: Simulator, lost: Exception) -> None:
    def before(_: str, __: dict[str, Any]) -> None:
        raise lost

    with pytest.raises(
        TransientError,
        match=r"^DescribeRecommender: (no usable answer|Unable to locate credentials)",
    ):
        Personalize(client(simulator, before=before)).describe(ARN)


@pytest.mark.parametrize("body", [b"", b"{", b"{}"])
def test_an_answer_that_is_cut_is_none(simulator: Simulator, body: bytes) -> None:
    def after(_: str, __: dict[str, Any], response: wire.Response) -> wire.Response:
        return response[0], response[1], body

    group = simulator.seed_dataset_group(ACCOUNT, REGION, "vod")
    Personalize(client(simulator)).change(ARN, CreateRecommender(desired(group)))
    new = desired(group, name="new")
    cut = Personalize(client(simulator, after=after))

    calls = (
        lambda: cut.describe(ARN),
        lambda: cut.tags(ARN),
        cut.names,
        lambda: cut.change(ARN, CreateRecommender(new)),
    )
    for call in calls:
        with pytest.raises(TransientError):
            call()


def test_a_recommender_that_was_created_without_an_arn_may_show_later(
    simulator: Simulator,
) -> None:
    def after(operation: str, _: dict[str, Any], response: wire.Response) -> wire.Response:
        return (*response[:2], b"{}") if operation == "CreateRecommender" else response

    create = CreateRecommender(desired(simulator.seed_dataset_group(ACCOUNT, REGION, "vod")))

    with pytest.raises(TransientError, match=r"^CreateRecommender answered without an ARN$"):
        Personalize(client(simulator, after=after)).change(ARN, create)
    assert simulator.recommenders(ACCOUNT, REGION)


def test_parameters_that_this_sdk_does_not_know_are_no_passing_fault(
    simulator: Simulator,
) -> None:
    unknown = UpdateRecommender({"ofTomorrow": True})

    with pytest.raises(
        PermanentError, match=r"UpdateRecommender: the AWS SDK .* rejects this request"
    ):
        Personalize(client(simulator)).change(ARN, unknown)


def test_what_is_no_error_of_aws_is_not_sorted() -> None:
    with pytest.raises(ZeroDivisionError), translate_errors("X"):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "reason",
    [
        "Dataset has fewer than 1000 interactions after filtering by event type: Watch",
        "Dataset has fewer than 25 users with at least 2 interactions each.",
    ],
)
def test_too_little_data_says_how_much_is_needed(reason: str) -> None:
    assert with_hint(reason).startswith(reason)
    assert "at least 1000 item interactions" in with_hint(reason)
    assert with_hint("Something else") == "Something else"


def test_throttling_is_retried_within_a_call(simulator: Simulator) -> None:
    simulator.behaviour.throttle_every = 2
    retrying = ClientConfig(retries={"mode": "standard", "total_max_attempts": 3})
    service = Personalize(client(simulator, config=retrying))

    assert [service.describe(ARN) for _ in range(5)] == [None] * 5


def test_the_metrics_and_the_latest_update_are_read(simulator: Simulator) -> None:
    service = Personalize(client(simulator))
    group = simulator.seed_dataset_group(ACCOUNT, REGION, "vod")
    service.change(ARN, CreateRecommender(desired(group)))
    clock = simulator.clock
    assert isinstance(clock, VirtualClock)
    clock.advance(36_000)
    config = {"minRecommendationRequestsPerSecond": 2}
    service.change(ARN, UpdateRecommender(config))

    observed = service.describe(ARN)

    assert observed is not None
    assert observed.metrics["coverage"] == 0.0768
    assert observed.latest_update is not None
    assert observed.latest_update.created == pytest.approx(clock())
    assert observed.updating
    assert config.items() <= observed.latest_update.config.items()


CREATED = datetime(2026, 1, 2, tzinfo=UTC)
UPDATED = datetime(2026, 1, 3, tzinfo=UTC)
TOO_LITTLE = "Dataset has fewer than 25 users with at least 2 interactions each."


def test_all_that_is_shown_is_read() -> None:
    service = FakePersonalize()
    service.add(
        ARN,
        "CREATE FAILED",
        creationDateTime=CREATED,
        lastUpdatedDateTime=UPDATED,
        recommenderConfig={"a": 1},
        failureReason=TOO_LITTLE,
        modelMetrics={"coverage": 0.5},
        latestRecommenderUpdate={
            "status": "CREATE FAILED",
            "creationDateTime": CREATED,
            "recommenderConfig": {"a": 2},
            "failureReason": TOO_LITTLE,
        },
    )

    assert Personalize(service).describe(ARN) == Observed(
        ARN,
        "CREATE FAILED",
        GROUP,
        RECIPE,
        {"a": 1},
        with_hint(TOO_LITTLE),
        CREATED.timestamp(),
        Update("CREATE FAILED", {"a": 2}, CREATED.timestamp(), with_hint(TOO_LITTLE)),
        {"coverage": 0.5},
        updated=UPDATED.timestamp(),
    )


@pytest.mark.parametrize("update", [{}, None])
def test_what_is_not_shown_is_nothing(update: dict[str, Any] | None) -> None:
    service = FakePersonalize()
    service.shown[ARN] = {"latestRecommenderUpdate": update}

    assert Personalize(service).describe(ARN) == Observed(ARN, "", "", "")


def test_what_an_update_does_not_show_is_nothing() -> None:
    service = FakePersonalize()
    service.shown[ARN] = {"latestRecommenderUpdate": {"ofTomorrow": 1}}

    assert Personalize(service).describe(ARN) == Observed(
        ARN, "", "", "", latest_update=Update("", {}, 0.0)
    )


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


def test_the_names_of_every_page_are_read() -> None:
    pages: Any = Pages({"0": "1", "1": "2"})

    assert Personalize(pages).names() == ["mine-0", "mine-1", "mine-2"]


def test_a_page_that_comes_again_and_again_is_no_usable_answer() -> None:
    pages: Any = Pages({"0": "1", "1": "1"})

    with pytest.raises(TransientError) as error:
        Personalize(pages).names()

    assert str(error.value) == "ListRecommenders: the same page was answered twice"


def test_a_page_of_recipes_that_comes_again_is_no_usable_answer() -> None:
    account: Any = FakePersonalize()
    account.list_recipes = Pages({"0": "1", "1": "1"}).list_recipes

    with pytest.raises(TransientError) as error:
        Personalize(account).change(ARN, CreateRecommender(desired(GROUP)))

    assert str(error.value) == "ListRecipes: the same page was answered twice"


def test_the_last_page_may_have_an_empty_token() -> None:
    pages: Any = Pages({"0": ""})

    assert Personalize(pages).names() == ["mine-0"]
