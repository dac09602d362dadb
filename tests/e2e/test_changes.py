"""The life of a recommender after its first deployment, as `cdk deploy` changes it."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from operations.account import Account
from operations.commands.plan import forecast_of, read_stack
from operations.computations.forecast import Kind, StackForecast
from tests.support.local_world import STACK, LocalWorld, until
from tests.support.place import RECIPE, REGION

GATE = {"training_gate_minutes": 0.1}
"""Gates of 6 s, in one of which a recommender is started, updated and stopped again."""

CREATES, UPDATES, DELETES = "CreateRecommender", "UpdateRecommender", "DeleteRecommender"


class Life:
    """One stack in a world, and what its deployments change in Personalize."""

    def __init__(self, world: LocalWorld) -> None:
        self.world = world

    def deploy(self, **settings: Any) -> list[str]:
        """Deploy what `plan` has described, and return the changing calls that it made."""
        planned = self._plan(settings)
        calls = self.world.deployed(**GATE, **settings)
        assert (planned.kind is Kind.REFUSED, _said(planned)) == (False, calls)
        return calls

    def fails(self, **settings: Any) -> tuple[str, list[str]]:
        """Deploy without success; return what the terminal shows and the changing calls."""
        planned, before = self._plan(settings), len(self.world.personalize_journal())
        shown = self.world.fails(**GATE, **settings)
        calls, said = self.world.changes(before), _said(planned)
        assert planned.kind is Kind.REFUSED or said[: len(calls)] == calls[: len(said)]
        return shown, calls

    def plan(self, **settings: Any) -> Kind:
        """Return the kind of the effect that `plan` says a deployment would have."""
        return self._plan(settings).kind

    def _plan(self, settings: dict[str, Any]) -> StackForecast:
        account = Account(
            self.world.client("cloudformation"),
            self.world.client("personalize"),
            self.world.client("cloudwatch"),
            self.world.client("sts"),
            REGION,
        )
        wanted = read_stack(self.world.assembly(GATE | settings), STACK)
        return forecast_of(account, wanted, now=time.time())


def _said(planned: StackForecast) -> list[str]:
    return [type(call.change).__name__ for one in planned.recommenders for call in one.calls]


@pytest.fixture
def life(world: LocalWorld) -> Iterator[Life]:
    """A life that ends without a trace."""
    yield Life(world)
    world.set_behaviour()
    world.destroy_all()


def test_changes_in_place(life: Life) -> None:
    """Each makes one call; one that fails is undone; a stopped recommender is started for it."""
    world = life.world
    life.deploy(exploration_weight=0.5, tags={"team": "video"})
    arn = world.recommender["recommenderArn"]

    assert life.deploy(exploration_weight=0.5, tags={"team": "films"}) == ["TagResource"]
    assert world.recommender["tags"]["team"] == "films"

    assert life.deploy() == ["UntagResource", UPDATES]
    assert world.exploration_weight == "0.3"
    assert "team" not in world.recommender["tags"]

    life.world.set_behaviour(update_failure="No capacity left.")
    shown, calls = life.fails(exploration_weight=0.7)
    assert "The update of the recommender failed: No capacity left." in shown
    assert calls == [UPDATES]
    assert world.exploration_weight == "0.3"

    life.world.set_behaviour()
    assert life.deploy(running=False) == ["StopRecommender"]
    assert world.recommender["status"] == "INACTIVE"

    stopped_and_changed = life.deploy(running=False, exploration_weight=0.7)
    assert stopped_and_changed == ["StartRecommender", UPDATES, "StopRecommender"]
    assert (world.recommender["status"], world.exploration_weight) == ("INACTIVE", "0.7")

    assert life.deploy(exploration_weight=0.7) == ["StartRecommender"]
    assert world.recommender["status"] == "ACTIVE"
    assert world.recommender["recommenderArn"] == arn
    assert life.world.outputs()["RecommenderArn"] == arn


def test_replacements(life: Life) -> None:
    """The old one serves until the new one does; one that fails leaves everything as it was."""
    world = life.world
    other = world.seed("other")
    life.deploy()
    old = world.recommender["recommenderArn"]

    world.set_behaviour(training_failure="Dataset has fewer than 1000 interactions.")
    shown, _ = life.fails(dataset_group_arn=other)
    assert "CREATE FAILED: Dataset has fewer than 1000 interactions." in shown
    assert world.recommender["recommenderArn"] == old
    assert world.recommender["status"] == "ACTIVE"
    assert world.outputs()["RecommenderArn"] == old

    world.set_behaviour()
    assert life.plan(dataset_group_arn=other) is Kind.REPLACEMENT
    assert life.deploy(dataset_group_arn=other) == [CREATES, DELETES]
    new = world.recommender["recommenderArn"]
    assert new != old
    assert world.outputs()["RecommenderArn"] == new
    assert world.outputs()["DatasetGroupArn"] == other

    world.client("personalize").delete_recommender(recommenderArn=new)
    until(lambda: not world.recommenders)
    assert life.deploy(dataset_group_arn=other, exploration_weight=0.5) == [CREATES]
    assert world.recommender["status"] == "ACTIVE"


def test_names_that_are_fixed(life: Life) -> None:
    """What is somebody else's is left alone, unless it is to be adopted; then it is released."""
    world = life.world
    theirs = world.client("personalize").create_recommender(
        name="films",
        datasetGroupArn=world.dataset_group_arn,
        recipeArn=RECIPE,
    )["recommenderArn"]

    assert life.plan(recommender_name="films") is Kind.REFUSED
    shown, calls = life.fails(recommender_name="films")
    assert "The recommender 'films' exists, and its tags do not name this stack" in shown
    assert "adopt_existing" in shown
    assert calls == []
    world.destroy()

    adopted = life.deploy(recommender_name="films", adopt_existing=True, tags={"team": "video"})
    assert adopted == ["TagResource", UPDATES]
    assert world.recommender["tags"]["top-picks:adopted"] == "true"

    shown, calls = life.fails(
        recommender_name="films", adopt_existing=True, dataset_group_arn=world.seed("other")
    )
    assert "needs another name while the old one serves" in shown
    assert calls == []

    world.destroy()
    assert world.recommender["recommenderArn"] == theirs
    assert world.recommender["tags"] == {}
    world.client("personalize").delete_recommender(recommenderArn=theirs)
    until(lambda: not world.recommenders)
