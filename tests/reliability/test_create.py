"""Creating: what becomes of a Create, whatever happens on the way."""

import json
from typing import Any

import pytest

from lambdas.recommender.text import readable
from lambdas.recommender.vocabulary import RECOMMENDER_TYPE, TRAINING_GATE_TYPE
from tests.reliability.calls import edit, lose, refuse
from tests.reliability.world import HOUR, MINUTE, REPLACEMENT, World, settings_of, texts
from tests.support.place import ACCOUNT, REGION
from tests.support.synthesis import Deployable


@pytest.mark.rows("C1", "T3")
@pytest.mark.parametrize("length", [1.0, 10.0])
def test_a_training_is_waited_for_as_long_as_is_promised(world: World, length: float) -> None:
    sent: list[dict[str, Any]] = []
    world.behaviour.create_in_progress = length * HOUR - world.behaviour.create_pending
    world.cloud.before = lambda operation, params: (
        sent.append(params) if operation == "CreateRecommender" else None
    )
    started = world.clock.now
    assert world.stack.create({"poll_interval_seconds": 120}) == "CREATE_COMPLETE", texts(
        world.stack
    )
    assert world.recommender["status"] == "ACTIVE"
    assert length * HOUR <= world.clock.now - started < length * HOUR + 5 * MINUTE
    tags = {tag["tagKey"]: tag["tagValue"] for tag in sent[0]["tags"]}
    assert tags["top-picks:stack-id"] == world.stack.id
    assert world.changes() == ["CreateRecommender"]
    assert world.stack.outputs["RecommenderArn"] == world.arn
    assert world.stack.outputs["Coverage"] == "0.0768"


@pytest.mark.rows("C1", "T5")
def test_a_stack_looks_at_its_recommender_once_a_minute(world: World) -> None:
    world.behaviour.create_in_progress = 2 * HOUR
    started = world.clock.now
    world.created()
    minutes = (world.clock.now - started) / MINUTE
    assert len(world.attempts("DescribeRecommender")) <= minutes + 8  # one more for each link


@pytest.mark.rows("T3")
def test_a_training_that_outlasts_the_gates_fails_with_advice_before_the_deadline(
    world: World,
) -> None:
    world.behaviour.create_in_progress = 3 * HOUR
    world.failed()
    assert "raise max_training_hours" in texts(world.stack)
    assert "did not receive a response" not in texts(world.stack)
    assert world.owned == []


@pytest.mark.rows("C4")
@pytest.mark.parametrize("seconds", [1.0, 119.0])
def test_a_recommender_that_does_not_show_at_once_is_waited_for(
    world: World, seconds: float
) -> None:
    world.behaviour.not_found_after_create = seconds
    world.created()
    assert world.attempts("CreateRecommender") == ["OK"]


@pytest.mark.rows("C4")
def test_a_recommender_that_does_not_show_for_long_fails_without_another_create(
    world: World,
) -> None:
    world.behaviour.not_found_after_create = 3 * MINUTE
    world.failed()
    assert "Personalize does not show" in texts(world.stack)
    assert world.attempts("CreateRecommender") == ["OK"]
    world.clock.advance(3 * MINUTE)
    assert world.owned == []


@pytest.mark.rows("C4", "RB2")
@pytest.mark.parametrize("seconds", [10.0, 60.0])
def test_a_creation_that_is_cancelled_before_it_shows_is_not_forgotten(
    world: World, seconds: float
) -> None:
    world.behaviour.not_found_after_create = seconds
    world.cancelled(lambda: "CreateRecommender" in world.changes())
    world.clock.advance(seconds)
    assert world.owned == []


@pytest.mark.rows("C5")
@pytest.mark.parametrize("answer", ["NotFound", "empty"])
def test_tags_that_do_not_show_yet_do_not_make_our_own_foreign(world: World, answer: str) -> None:
    if answer == "empty":
        world.cloud.after = edit("ListTagsForResource", lambda _: b'{"tags": []}', times=5)
    else:
        world.cloud.before = refuse(
            "ListTagsForResource",
            "ResourceNotFoundException",
            while_=lambda: len(world.attempts("ListTagsForResource")) < 5,
        )
    assert world.created() == ["CreateRecommender"]


@pytest.mark.rows("C6")
@pytest.mark.parametrize("status", ["MIGRATING", None])
def test_a_status_that_nobody_knows_is_never_success(world: World, status: str | None) -> None:
    def rename(body: bytes) -> bytes:
        answer = json.loads(body)
        if "recommender" in answer and world.stack.status == "CREATE_IN_PROGRESS":
            answer["recommender"]["status"] = status
        return json.dumps(answer).encode()

    world.cloud.after = edit("DescribeRecommender", rename)
    world.failed()
    assert (status or "without a status") in texts(world.stack)
    assert world.owned == []


@pytest.mark.rows("C7", "RB1")
@pytest.mark.parametrize(
    "reason", ["zu wenig Daten für\nEmpfehlungen \U0001f3ac " * 200, '"\\\x00\x1f' * 900]
)
def test_a_failed_training_says_why_within_the_limit_and_leaves_nothing(
    world: World, reason: str
) -> None:
    world.behaviour.training_failure = reason
    world.failed()
    assert "CREATE FAILED" in texts(world.stack)
    assert readable(reason[:20]) in texts(world.stack)
    assert "too long" not in texts(world.stack)
    assert world.owned == []


@pytest.mark.rows("C9")
def test_a_create_that_breaks_once_after_it_was_applied_goes_on(world: World) -> None:
    def broken(operation: str, _params: object, _response: object) -> None:
        if operation == "CreateRecommender":
            raise RuntimeError("a bug of ours")

    world.cloud.after = broken
    assert world.created() == ["CreateRecommender"]


@pytest.mark.rows("C9", "RB1")
def test_a_create_that_breaks_after_it_was_applied_is_deleted_by_its_arn(world: World) -> None:
    def broken(operation: str, _params: object, _response: object) -> None:
        if operation in ("CreateRecommender", "ListTagsForResource") and not world.stack.sent(
            RECOMMENDER_TYPE, "Delete"
        ):
            raise RuntimeError("a bug of ours")

    world.cloud.after = broken
    assert world.failed() == REPLACEMENT
    assert "a bug of ours" in texts(world.stack)
    (deleted,) = world.stack.sent(RECOMMENDER_TYPE, "Delete")
    assert ":recommender/TopPicks-" in deleted.event["PhysicalResourceId"]


@pytest.mark.rows("C10")
def test_a_dataset_group_that_is_not_ready_yet_is_waited_for(world: World) -> None:
    world.service.seed_dataset_group(ACCOUNT, REGION, "vod", status="CREATE IN_PROGRESS")
    world.cloud.timeline.after(
        20 * MINUTE, lambda: world.service.seed_dataset_group(ACCOUNT, REGION, "vod")
    )
    world.created()


@pytest.mark.rows("C10")
def test_a_dataset_group_that_never_gets_ready_fails_with_its_status(world: World) -> None:
    world.service.seed_dataset_group(ACCOUNT, REGION, "vod", status="CREATE IN_PROGRESS")
    assert world.failed() == []
    assert "is CREATE IN_PROGRESS, not ACTIVE" in texts(world.stack)


@pytest.mark.rows("C10")
def test_a_dataset_group_that_will_not_do_fails_at_once_with_advice(world: World) -> None:
    world.service.seed_dataset_group(ACCOUNT, REGION, "vod", status="CREATE FAILED")
    started = world.clock.now
    assert world.failed() == []
    assert "Delete it and create it again" in texts(world.stack)
    assert world.clock.now - started < 5 * MINUTE


@pytest.mark.rows("C10")
def test_a_create_while_data_are_imported_is_tried_again(world: World) -> None:
    world.cloud.before = refuse(
        "CreateRecommender",
        "ResourceInUseException",
        while_=lambda: world.clock.now < started + 10 * MINUTE,
    )
    started = world.clock.now
    world.created()
    assert world.attempts("CreateRecommender") == ["OK"]


@pytest.mark.rows("C11")
def test_a_full_quota_fails_at_once_with_a_hint(world: World) -> None:
    for number in range(5):
        world.foreign(f"films-{number}")
    started = world.clock.now
    world.failed()
    assert "5 recommenders per dataset group" in texts(world.stack)
    assert world.clock.now - started < 5 * MINUTE
    assert len(world.attempts("CreateRecommender")) <= 3
    assert len(world.cloud.recommenders()) == 5


@pytest.mark.rows("C12", "X3")
@pytest.mark.parametrize(
    ("minutes", "status"), [(20, "CREATE_COMPLETE"), (90, "ROLLBACK_COMPLETE")]
)
def test_a_name_that_is_still_being_deleted_is_waited_for(
    world: World, minutes: float, status: str
) -> None:
    world.behaviour.ghost_after_delete = minutes * MINUTE
    world.foreign("films")
    world.cloud.outsider().delete_recommender(
        recommenderArn=world.cloud.recommenders()["films"]["recommenderArn"]
    )
    world.clock.advance(world.behaviour.delete)
    assert world.create(recommender_name="films") == status
    if status == "ROLLBACK_COMPLETE":
        assert "films already exists" in texts(world.stack)
        assert world.changes() == []


@pytest.mark.rows("C13")
def test_two_resources_with_one_name_do_not_delete_each_other_s(world: World) -> None:
    world.created(recommender_name="films")
    one = Deployable.of("TopPicks", settings_of(recommender_name="films"))
    (first,) = one.ids_of(RECOMMENDER_TYPE)
    second = {**one.resources[first], "DependsOn": one.ids_of(TRAINING_GATE_TYPE)[-1]}
    both = Deployable({**one.resources, "Second": second}, one.outputs)
    assert world.stack.update(both) == "UPDATE_ROLLBACK_COMPLETE"
    assert f"'films' belongs to another resource of this stack, {first}" in texts(world.stack)
    assert "tag-resource" not in texts(world.stack)
    assert len(world.stack.sent(RECOMMENDER_TYPE, "Delete")) == 1
    assert world.changes() == ["CreateRecommender"]
    assert world.recommender["status"] == "ACTIVE"


@pytest.mark.rows("T6")
@pytest.mark.parametrize(
    ("timeout", "in_time", "lifts_timeouts"),
    [(1800, True, False), (60, True, False), (60, True, True), (5, False, False)],
)
def test_a_shorter_service_timeout_ends_in_a_clean_failure(
    world: World, timeout: int, in_time: bool, lifts_timeouts: bool
) -> None:
    world.cloud.lifts_timeouts = lifts_timeouts
    world.behaviour.create_in_progress = 100 * MINUTE
    template = Deployable.of("TopPicks", settings_of())
    for logical_id in template.ids_of(TRAINING_GATE_TYPE):
        template = template.patched(logical_id, ServiceTimeout=timeout)
    assert world.stack.create(template) == "ROLLBACK_COMPLETE"
    assert ("did not receive a response" not in texts(world.stack)) is in_time
    assert world.owned == []


@pytest.mark.rows("C5", "C2")
def test_a_lost_answer_and_late_tags_together_are_still_ours(world: World) -> None:
    world.cloud.after = lose("CreateRecommender", 3)
    world.cloud.before = refuse(
        "ListTagsForResource",
        "ResourceNotFoundException",
        while_=lambda: world.clock.now < started + 3 * MINUTE,
    )
    started = world.clock.now
    world.created()
    assert world.attempts("CreateRecommender").count("OK") == 1
