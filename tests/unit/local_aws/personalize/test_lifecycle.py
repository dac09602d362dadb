"""A recommender's statuses over time, and which call is accepted in which of them."""

from collections.abc import Callable

import pytest

from local_aws.personalize import Behaviour, Personalize
from tests.support.personalize import VirtualClock, client
from tests.unit.local_aws.personalize.world import ACCOUNT, ARN, REGION, World, message, outcome


def test_creation_takes_the_configured_time(world: World) -> None:
    assert world.create() == ARN
    seen = []
    for _ in range(12):
        seen.append(world.status())
        world.clock.advance(10)
    assert seen == ["CREATE PENDING"] + ["CREATE IN_PROGRESS"] * 9 + ["ACTIVE"] * 2


def test_ten_hours_of_training_pass_on_a_virtual_clock() -> None:
    world = World(create_in_progress=36_000)
    world.create()
    world.clock.advance(36_009)
    assert world.status() == "CREATE IN_PROGRESS"
    world.clock.advance(1)
    assert world.status() == "ACTIVE"


def test_metrics_appear_with_active_and_last_until_deletion(world: World) -> None:
    world.create()
    assert "modelMetrics" not in world.describe()
    world.clock.advance(100)
    assert world.describe()["modelMetrics"] == world.behaviour.metrics
    assert len(world.describe()["modelMetrics"]) == 8
    world.client.delete_recommender(recommenderArn=ARN)
    assert "modelMetrics" not in world.describe()


def test_a_failed_training_says_why(world: World) -> None:
    world.behaviour.training_failure = "Dataset has fewer than 1000 interactions"
    world.create()
    assert "failureReason" not in world.describe()
    world.behaviour.training_failure = None
    world.clock.advance(100)
    described = world.describe()
    assert described["status"] == "CREATE FAILED"
    assert described["failureReason"] == "Dataset has fewer than 1000 interactions"
    assert "modelMetrics" not in described


def test_a_failed_recommender_keeps_its_name_until_it_is_deleted(world: World) -> None:
    world.behaviour.training_failure = "no data"
    world.create()
    world.clock.advance(100)
    assert outcome(world.create) == "ResourceAlreadyExists"
    world.client.delete_recommender(recommenderArn=ARN)
    world.clock.advance(20)
    assert outcome(world.create) == "OK"


def test_stopping_and_starting_pass_through_their_statuses(world: World) -> None:
    world.create_active()
    seen = []
    for change in (world.client.stop_recommender, world.client.start_recommender):
        change(recommenderArn=ARN)
        for seconds in (0, 2, 18):
            world.clock.advance(seconds)
            seen.append(world.status())
    assert seen == [
        *("STOP PENDING", "STOP IN_PROGRESS", "INACTIVE"),
        *("START PENDING", "START IN_PROGRESS", "ACTIVE"),
    ]


def test_a_deleted_recommender_is_listed_until_it_is_gone(world: World) -> None:
    world.create_active()
    world.client.delete_recommender(recommenderArn=ARN)
    assert world.status() == "DELETE PENDING"
    world.clock.advance(2)
    [listed] = world.client.list_recommenders()["recommenders"]
    assert listed["status"] == "DELETE IN_PROGRESS"
    world.clock.advance(18)
    assert world.client.list_recommenders()["recommenders"] == []
    assert message(world.describe) == f"The given recommender does not exist: {ARN}"


def _create_and(*steps: Callable[[World], object], seconds: float = 0) -> Callable[[World], None]:
    def prepare(world: World) -> None:
        world.create_active()
        for step in steps:
            step(world)
        world.clock.advance(seconds)

    return prepare


def _in_creation(seconds: float, failure: str | None = None) -> Callable[[World], None]:
    def prepare(world: World) -> None:
        world.behaviour.training_failure = failure
        world.create()
        world.clock.advance(seconds)

    return prepare


def _stop(world: World) -> None:
    world.client.stop_recommender(recommenderArn=ARN)


def _start(world: World) -> None:
    world.client.start_recommender(recommenderArn=ARN)


def _delete(world: World) -> None:
    world.client.delete_recommender(recommenderArn=ARN)


def _update(world: World) -> None:
    world.update(minRecommendationRequestsPerSecond=2)


def _wait(world: World) -> None:
    world.clock.advance(20)


def _retrain(world: World) -> None:
    world.behaviour.retraining_every = 50
    world.clock.advance(60)


def _leave_ghost(world: World) -> None:
    world.behaviour.ghost_after_delete = 30


STATES: dict[str, Callable[[World], None]] = {
    "absent": lambda _: None,
    "CREATE PENDING": _in_creation(0),
    "CREATE IN_PROGRESS": _in_creation(10),
    "CREATE FAILED": _in_creation(100, "no data"),
    "ACTIVE": _create_and(),
    "updating": _create_and(_update),
    "update failed": _create_and(
        lambda world: setattr(world.behaviour, "update_failure", "no"), _update, seconds=50
    ),
    "retraining": _create_and(_retrain),
    "STOP PENDING": _create_and(_stop),
    "STOP IN_PROGRESS": _create_and(_stop, seconds=2),
    "INACTIVE": _create_and(_stop, seconds=20),
    "START PENDING": _create_and(_stop, _wait, _start),
    "START IN_PROGRESS": _create_and(_stop, _wait, _start, seconds=2),
    "DELETE PENDING": _create_and(_delete),
    "DELETE IN_PROGRESS": _create_and(_delete, seconds=2),
    "ghost": _create_and(_leave_ghost, _delete, seconds=20),
    "ghost at rest": _create_and(_leave_ghost, _delete, seconds=50),
}
CALLS: dict[str, Callable[[World], object]] = {
    "create": lambda world: world.create(),
    "describe": lambda world: world.describe(),
    "update": lambda world: world.update(minRecommendationRequestsPerSecond=3),
    "stop": _stop,
    "start": _start,
    "delete": _delete,
    "list tags": lambda world: world.tags(),
    "recommend": lambda world: world.runtime.get_recommendations(recommenderArn=ARN, userId="1"),
}
EXISTS, IN_USE, INVALID, NOT_FOUND = (
    "ResourceAlreadyExists",
    "ResourceInUse",
    "InvalidInput",
    "ResourceNotFound",
)
BUSY = (EXISTS, "OK", IN_USE, IN_USE, IN_USE, IN_USE, "OK", INVALID)
ABSENT = ("OK", NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND, INVALID)
# in the order of CALLS:  create, describe, update, stop, start, delete, list tags, recommend
ANSWERS = {
    "absent": ABSENT,
    "CREATE PENDING": BUSY,
    "CREATE IN_PROGRESS": BUSY,
    "CREATE FAILED": (EXISTS, "OK", INVALID, INVALID, INVALID, "OK", "OK", INVALID),
    "ACTIVE": (EXISTS, "OK", "OK", "OK", INVALID, "OK", "OK", "OK"),
    "updating": (EXISTS, "OK", IN_USE, IN_USE, IN_USE, IN_USE, "OK", "OK"),
    "update failed": (EXISTS, "OK", "OK", "OK", INVALID, "OK", "OK", "OK"),
    "retraining": (EXISTS, "OK", IN_USE, IN_USE, IN_USE, IN_USE, IN_USE, "OK"),
    "STOP PENDING": BUSY,
    "STOP IN_PROGRESS": BUSY,
    "INACTIVE": (EXISTS, "OK", INVALID, INVALID, "OK", "OK", "OK", INVALID),
    "START PENDING": BUSY,
    "START IN_PROGRESS": BUSY,
    "DELETE PENDING": BUSY,
    "DELETE IN_PROGRESS": BUSY,
    "ghost": (EXISTS, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND, IN_USE, NOT_FOUND, INVALID),
    "ghost at rest": ABSENT,
}


@pytest.mark.parametrize(
    ("state", "call", "answer"),
    [
        (state, call, answer)
        for state, answers in ANSWERS.items()
        for call, answer in zip(CALLS, answers, strict=True)
    ],
)
def test_each_call_is_answered_as_its_state_allows(state: str, call: str, answer: str) -> None:
    world = World()
    STATES[state](world)
    assert outcome(lambda: CALLS[call](world)) == answer


@pytest.mark.parametrize(
    ("switch", "state", "call"),
    [
        ({"delete_during_update": "accepted"}, "updating", "delete"),
        ({"update_when_inactive": "accepted"}, "INACTIVE", "update"),
    ],
)
def test_undocumented_refusals_can_be_switched_off(
    switch: dict[str, str], state: str, call: str
) -> None:
    world = World(**switch)
    STATES[state](world)
    assert outcome(lambda: CALLS[call](world)) == "OK"


def test_a_retraining_holds_off_a_deletion_that_an_update_would_not() -> None:
    world = World(delete_during_update="accepted")
    STATES["retraining"](world)
    assert message(lambda: _delete(world)) == (
        f"recommender is in PENDING or IN_PROGRESS status: {ARN}"
    )


def test_a_stopped_recommender_can_take_an_update_that_is_in_force_when_started() -> None:
    world = World(update_when_inactive="accepted")
    STATES["INACTIVE"](world)
    _update(world)
    world.clock.advance(50)
    assert world.status() == "INACTIVE"
    assert world.describe()["recommenderConfig"] == {"minRecommendationRequestsPerSecond": 2}


def test_reads_do_not_know_a_new_recommender_for_a_while() -> None:
    world = World(not_found_after_create=30)
    world.create(tags=[{"tagKey": "owner", "tagValue": "us"}])
    for _ in range(3):
        assert outcome(world.describe) == NOT_FOUND
        assert outcome(world.tags) == NOT_FOUND
        assert world.client.list_recommenders()["recommenders"] == []
        assert outcome(world.create) == EXISTS
        world.clock.advance(10)
    assert world.status() == "CREATE IN_PROGRESS"
    assert world.tags() == {"owner": "us"}


def test_the_books_know_a_recommender_that_reads_do_not() -> None:
    world = World(not_found_after_create=30)
    world.create(tags=[{"tagKey": "owner", "tagValue": "us"}])
    [recommender] = world.service.recommenders(ACCOUNT, REGION)
    assert recommender["status"] == "CREATE PENDING"
    assert recommender["tags"] == {"owner": "us"}


def test_the_books_say_nothing_of_ghosts_and_other_regions(world: World) -> None:
    STATES["ghost"](world)
    assert world.service.recommenders(ACCOUNT, REGION) == []
    world = World()
    world.create()
    assert world.service.recommenders(ACCOUNT, "us-east-1") == []


def test_accounts_and_regions_do_not_see_each_other(world: World) -> None:
    world.create_active()
    for elsewhere in (world.connect(account="222222222222"), world.connect(region="us-east-1")):
        assert elsewhere.list_recommenders()["recommenders"] == []
        for call in (elsewhere.describe_recommender, elsewhere.delete_recommender):
            assert outcome(lambda call=call: call(recommenderArn=ARN)) == NOT_FOUND  # type: ignore[misc]
    assert world.status() == "ACTIVE"


def test_the_same_name_is_free_in_another_account(world: World) -> None:
    world.create()
    group = world.service.seed_dataset_group("222222222222", "cn-north-1", "vod")
    made = world.connect(account="222222222222", region="cn-north-1").create_recommender(
        name="films",
        datasetGroupArn=group,
        recipeArn="arn:aws-cn:personalize:::recipe/aws-vod-top-picks",
    )
    assert made["recommenderArn"] == (
        "arn:aws-cn:personalize:cn-north-1:222222222222:recommender/films"
    )


def test_durations_are_those_of_the_time_of_the_call(world: World) -> None:
    world.create()
    world.service.behaviour = Behaviour(create_in_progress=9_999)
    world.clock.advance(100)
    assert world.status() == "ACTIVE"


def test_with_no_durations_everything_is_done_at_once() -> None:
    nothing = dict.fromkeys(
        ("create_pending", "create_in_progress", "stop", "start", "delete"), 0.0
    )
    service = Personalize(Behaviour(**nothing), VirtualClock())  # type: ignore[arg-type]
    group = service.seed_dataset_group(ACCOUNT, REGION, "vod")
    personalize = client(service)
    personalize.create_recommender(
        name="films",
        datasetGroupArn=group,
        recipeArn="arn:aws:personalize:::recipe/aws-vod-top-picks",
    )
    personalize.stop_recommender(recommenderArn=ARN)
    personalize.delete_recommender(recommenderArn=ARN)
    assert service.recommenders(ACCOUNT, REGION) == []
