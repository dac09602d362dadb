"""A recommender's statuses over time, and which call is accepted in which of them."""

from collections.abc import Callable

import pytest

from local_aws.personalize import Behaviour
from tests.support.place import ACCOUNT, REGION
from tests.unit.local_aws.personalize.simulation import ARN, Simulation, message, outcome


def test_creation_takes_the_configured_time(simulation: Simulation) -> None:
    assert simulation.create() == ARN
    seen = []
    for _ in range(12):
        seen.append(simulation.status())
        simulation.clock.advance(10)
    assert seen == ["CREATE PENDING"] + ["CREATE IN_PROGRESS"] * 9 + ["ACTIVE"] * 2


def test_metrics_appear_with_active_and_last_until_deletion(simulation: Simulation) -> None:
    simulation.create()
    assert "modelMetrics" not in simulation.describe()
    simulation.clock.advance(100)
    assert simulation.describe()["modelMetrics"] == simulation.behaviour.metrics
    assert len(simulation.describe()["modelMetrics"]) == 8
    simulation.client.delete_recommender(recommenderArn=ARN)
    assert "modelMetrics" not in simulation.describe()


def test_a_failed_training_says_why(simulation: Simulation) -> None:
    simulation.behaviour.training_failure = "Dataset has fewer than 1000 interactions"
    simulation.create()
    assert "failureReason" not in simulation.describe()
    simulation.behaviour.training_failure = None
    simulation.clock.advance(100)
    described = simulation.describe()
    assert described["status"] == "CREATE FAILED"
    assert described["failureReason"] == "Dataset has fewer than 1000 interactions"
    assert "modelMetrics" not in described


def test_stopping_and_starting_pass_through_their_statuses(simulation: Simulation) -> None:
    simulation.create_active()
    seen = []
    for change in (simulation.client.stop_recommender, simulation.client.start_recommender):
        change(recommenderArn=ARN)
        for seconds in (0, 2, 18):
            simulation.clock.advance(seconds)
            seen.append(simulation.status())
    assert seen == [
        *("STOP PENDING", "STOP IN_PROGRESS", "INACTIVE"),
        *("START PENDING", "START IN_PROGRESS", "ACTIVE"),
    ]


def test_a_deleted_recommender_is_listed_until_it_is_gone(simulation: Simulation) -> None:
    simulation.create_active()
    simulation.client.delete_recommender(recommenderArn=ARN)
    assert simulation.status() == "DELETE PENDING"
    simulation.clock.advance(2)
    [listed] = simulation.client.list_recommenders()["recommenders"]
    assert listed["status"] == "DELETE IN_PROGRESS"
    simulation.clock.advance(18)
    assert simulation.client.list_recommenders()["recommenders"] == []
    assert message(simulation.describe) == f"The given recommender does not exist: {ARN}"


def _create_and(
    *steps: Callable[[Simulation], object], seconds: float = 0
) -> Callable[[Simulation], None]:
    def prepare(simulation: Simulation) -> None:
        simulation.create_active()
        for step in steps:
            step(simulation)
        simulation.clock.advance(seconds)

    return prepare


def _in_creation(seconds: float, failure: str | None = None) -> Callable[[Simulation], None]:
    def prepare(simulation: Simulation) -> None:
        simulation.behaviour.training_failure = failure
        simulation.create()
        simulation.clock.advance(seconds)

    return prepare


def _stop(simulation: Simulation) -> None:
    simulation.client.stop_recommender(recommenderArn=ARN)


def _start(simulation: Simulation) -> None:
    simulation.client.start_recommender(recommenderArn=ARN)


def _delete(simulation: Simulation) -> None:
    simulation.client.delete_recommender(recommenderArn=ARN)


def _update(simulation: Simulation) -> None:
    simulation.update(minRecommendationRequestsPerSecond=2)


def _wait(simulation: Simulation) -> None:
    simulation.clock.advance(20)


def _retrain(simulation: Simulation) -> None:
    simulation.behaviour.retraining_every = 50
    simulation.clock.advance(60)


def _leave_ghost(simulation: Simulation) -> None:
    simulation.behaviour.ghost_after_delete = 30


STATES: dict[str, Callable[[Simulation], None]] = {
    "absent": lambda _: None,
    "CREATE PENDING": _in_creation(0),
    "CREATE IN_PROGRESS": _in_creation(10),
    "CREATE FAILED": _in_creation(100, "no data"),
    "ACTIVE": _create_and(),
    "updating": _create_and(_update),
    "update failed": _create_and(
        lambda simulation: setattr(simulation.behaviour, "update_failure", "no"),
        _update,
        seconds=50,
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
CALLS: dict[str, Callable[[Simulation], object]] = {
    "create": lambda simulation: simulation.create(),
    "describe": lambda simulation: simulation.describe(),
    "update": lambda simulation: simulation.update(minRecommendationRequestsPerSecond=3),
    "stop": _stop,
    "start": _start,
    "delete": _delete,
    "list tags": lambda simulation: simulation.tags(),
    "recommend": lambda simulation: simulation.runtime.get_recommendations(
        recommenderArn=ARN, userId="1"
    ),
}
EXISTS, IN_USE = "ResourceAlreadyExists", "ResourceInUse"
INVALID, NOT_FOUND = "InvalidInput", "ResourceNotFound"
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
    simulation = Simulation()
    STATES[state](simulation)
    assert outcome(lambda: CALLS[call](simulation)) == answer


def test_a_deletion_during_an_update_can_be_accepted_but_not_during_a_retraining() -> None:
    simulation = Simulation(delete_during_update="accepted")
    STATES["updating"](simulation)
    assert outcome(lambda: _delete(simulation)) == "OK"

    simulation = Simulation(delete_during_update="accepted")
    STATES["retraining"](simulation)
    assert message(lambda: _delete(simulation)) == (
        f"recommender is in PENDING or IN_PROGRESS status: {ARN}"
    )


def test_a_stopped_recommender_can_take_an_update_that_is_in_force_when_started() -> None:
    simulation = Simulation(update_when_inactive="accepted")
    STATES["INACTIVE"](simulation)
    _update(simulation)
    simulation.clock.advance(50)
    assert simulation.status() == "INACTIVE"
    assert simulation.describe()["recommenderConfig"] == {"minRecommendationRequestsPerSecond": 2}


def test_reads_do_not_know_a_new_recommender_for_a_while_but_the_books_do() -> None:
    simulation = Simulation(not_found_after_create=30)
    simulation.create(tags=[{"tagKey": "owner", "tagValue": "us"}])
    [recommender] = simulation.service.recommenders(ACCOUNT, REGION)
    assert (recommender["status"], recommender["tags"]) == ("CREATE PENDING", {"owner": "us"})
    for _ in range(3):
        assert outcome(simulation.describe) == NOT_FOUND
        assert outcome(simulation.tags) == NOT_FOUND
        assert simulation.client.list_recommenders()["recommenders"] == []
        assert outcome(simulation.create) == EXISTS
        simulation.clock.advance(10)
    assert simulation.status() == "CREATE IN_PROGRESS"
    assert simulation.tags() == {"owner": "us"}


def test_the_books_say_nothing_of_ghosts_and_other_regions(simulation: Simulation) -> None:
    STATES["ghost"](simulation)
    assert simulation.service.recommenders(ACCOUNT, REGION) == []
    simulation = Simulation()
    simulation.create()
    assert simulation.service.recommenders(ACCOUNT, "us-east-1") == []


def test_accounts_and_regions_do_not_see_each_other(simulation: Simulation) -> None:
    simulation.create_active()
    for elsewhere in (
        simulation.connect(account="222222222222"),
        simulation.connect(region="us-east-1"),
    ):
        assert elsewhere.list_recommenders()["recommenders"] == []
        for call in (elsewhere.describe_recommender, elsewhere.delete_recommender):
            assert outcome(lambda call=call: call(recommenderArn=ARN)) == NOT_FOUND  # type: ignore[misc]
    assert simulation.status() == "ACTIVE"


def test_the_same_name_is_free_in_another_account(simulation: Simulation) -> None:
    simulation.create()
    group = simulation.service.seed_dataset_group("222222222222", "cn-north-1", "vod")
    made = simulation.connect(account="222222222222", region="cn-north-1").create_recommender(
        name="films",
        datasetGroupArn=group,
        recipeArn="arn:aws-cn:personalize:::recipe/aws-vod-top-picks",
    )
    assert made["recommenderArn"] == (
        "arn:aws-cn:personalize:cn-north-1:222222222222:recommender/films"
    )


def test_durations_are_those_of_the_time_of_the_call(simulation: Simulation) -> None:
    simulation.create()
    simulation.service.behaviour = Behaviour(create_in_progress=9_999)
    simulation.clock.advance(100)
    assert simulation.status() == "ACTIVE"


def test_with_no_durations_everything_is_done_at_once() -> None:
    phases = ("create_pending", "create_in_progress", "stop", "start", "delete")
    simulation = Simulation(**dict.fromkeys(phases, 0.0))
    simulation.create()
    _stop(simulation)
    _delete(simulation)
    assert simulation.service.recommenders(ACCOUNT, REGION) == []
