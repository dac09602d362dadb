"""Each invariant notices functions that violate it: what checks everything is checked here."""

import logging
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from lambdas.recommender.decision import provision
from lambdas.recommender.decision.provision import effective
from lambdas.recommender.decision.removal import GONE
from lambdas.recommender.decision.verdict import DeleteRecommender, StopRecommender
from lambdas.recommender.model.identity import Owner, Ownership
from lambdas.recommender.model.operation import Operation
from lambdas.recommender.protocol import answer
from lambdas.recommender.protocol import request_handler as protocol
from lambdas.recommender.protocol.execution import Execution
from lambdas.recommender.reconcile import reconciler as reconcile
from lambdas.recommender.resources import deletion, training_gate
from tests.reliability.world import World
from tests.support.cloudformation import CANARY

Break = pytest.MonkeyPatch
Violation = Callable[[World, Break], object]


@pytest.fixture(autouse=True)
def told(world: World) -> Iterator[Callable[[], str]]:
    """Return what tells what was violated, and then lets the world come to rest in peace."""
    check = world.invariants.check
    world.invariants.check = lambda: None  # type: ignore[method-assign]

    def tell() -> str:
        with pytest.raises(AssertionError) as violated:
            check()
        return str(violated.value)

    yield tell


def _takes_what_is_anybodys(world: World, broken: Break) -> None:
    world.foreign("films", config={"itemExplorationConfig": {"explorationWeight": "0.3"}})
    broken.setattr(Owner, "of", lambda _self, _tags: Ownership.OWN)
    world.create(recommender_name="films", exploration_weight=0.7)


def _deletes_nothing(world: World, broken: Break) -> None:
    world.created()
    broken.setattr(deletion, "plan_deletion", lambda *_, **__: GONE)
    world.stack.delete()


def _keeps_what_is_replaced(world: World, broken: Break) -> None:
    world.created()
    broken.setattr(deletion, "plan_deletion", lambda *_, **__: GONE)
    world.update(dataset_group_arn=world.other_group)


def _collects(world: World, broken: Break) -> None:
    _keeps_what_is_replaced(world, broken)
    third = world.service.seed_dataset_group("111111111111", "eu-west-1", "third")
    world.update(dataset_group_arn=third)


def _stops_what_serves(world: World, broken: Break) -> None:
    world.created()
    broken.setattr(provision, "_stable", lambda *_: StopRecommender())
    world.update(exploration_weight=0.7)


def _answers_without_an_id(world: World, broken: Break) -> None:
    _answers_otherwise(broken, PhysicalResourceId="")
    world.create()


def _answers_with_a_number(world: World, broken: Break) -> None:
    _answers_otherwise(broken, Data={"Coverage": 1})
    world.create()


def _answers_a_delete_with_another_id(world: World, broken: Break) -> None:
    world.created()
    _answers_otherwise(broken, PhysicalResourceId="another")
    world.stack.delete()


def _answers_otherwise(broken: Break, **members: object) -> None:
    answer_to = answer.answer_to
    broken.setattr(
        protocol, "answer_to", lambda *args, **kwargs: {**answer_to(*args, **kwargs), **members}
    )


def _says_ready_while_it_trains(world: World, broken: Break) -> None:
    broken.setattr(training_gate, "readiness", lambda *_, **__: effective(running=True))
    world.create()


def _changes_nothing(world: World, broken: Break) -> None:
    world.created()
    broken.setattr(provision, "_stable", lambda *_: effective(running=True))
    broken.setattr(training_gate, "readiness", lambda *_, **__: effective(running=True))
    world.update(exploration_weight=0.7)


def _acts_on_what_is_out_of_date(world: World, broken: Break) -> None:
    world.created()
    late = world.stack.sent("Custom::TopPicksRecommender")[-1]
    world.update(exploration_weight=0.7)
    operation = Operation("CREATE_IN_PROGRESS", "")
    broken.setattr(protocol, "admit", lambda *_, **__: operation)
    broken.setattr(reconcile, "still_newest", lambda *_: True)
    broken.setattr(Execution, "name", property(lambda _self: "0" * 64))
    world.cloud.deliver(late, at_any_age=True)
    world.cloud.drain()


def _sweeps_while_the_stack_lives(world: World, broken: Break) -> None:
    world.created(max_deletion_hours=3.5)
    broken.setattr(Operation, "removes_the_stack", property(lambda _self: True))
    broken.setattr(provision, "_ownership", lambda *_: None)
    broken.setattr(deletion, "plan_deletion", lambda *_, **__: DeleteRecommender())
    world.update(max_deletion_hours=2.5)


def _logs_a_response_url(_world: World, _broken: Break) -> None:
    logging.getLogger("anything").warning("put to %s", CANARY)


VIOLATIONS: Final[dict[str, tuple[Violation, str]]] = {
    "what is somebody else's is updated": (_takes_what_is_anybodys, "1: UpdateRecommender of"),
    "something is left": (_deletes_nothing, "2: DELETE_COMPLETE left"),
    "what is replaced stays": (_keeps_what_is_replaced, "3: TopPicks owns"),
    "there are too many": (_collects, "3: TopPicks owns 3 recommenders"),
    "nothing serves": (_stops_what_serves, "3: nothing of TopPicks serves in UPDATE_IN_PROGRESS"),
    "an answer has no id": (_answers_without_an_id, "has no physical id"),
    "an answer has a number": (_answers_with_a_number, "attributes that are not strings"),
    "a Delete changes the id": (_answers_a_delete_with_another_id, "has another id"),
    "it still trains": (_says_ready_while_it_trains, "5: CREATE_COMPLETE though CREATE"),
    "it is not as asked": (_changes_nothing, "5: UPDATE_COMPLETE with"),
    "a request is out of date": (_acts_on_what_is_out_of_date, "6: UpdateRecommender by a Create"),
    "a sweep of a stack that lives": (_sweeps_while_the_stack_lives, "while the stack lives"),
    "a ResponseURL is logged": (_logs_a_response_url, "8: a ResponseURL in the log"),
}


@pytest.mark.parametrize("row", VIOLATIONS)
def test_a_violation_is_noticed(
    row: str, world: World, monkeypatch: Break, told: Callable[[], str]
) -> None:
    violate, expected = VIOLATIONS[row]

    violate(world, monkeypatch)

    assert expected in told()
