"""The life of a recommender after its first deployment, as `cdk deploy` changes it."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from local_aws.report import leftovers
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
        """Deploy successfully and return the changing calls that it made, in order."""
        code, calls, shown = self._deploy(settings)
        assert code == 0, shown
        return calls

    def fails(self, **settings: Any) -> tuple[str, list[str]]:
        """Deploy without success; return what the terminal shows and the changing calls."""
        code, calls, shown = self._deploy(settings)
        assert code != 0, shown
        return " ".join(shown.split()), calls

    def _deploy(self, settings: dict[str, Any]) -> tuple[int, list[str], str]:
        """Deploy, after `plan` has said what that will do, and compare."""
        planned = self._plan(settings)
        before = len(self.world.personalize_journal())
        ran = self.world.cdk("deploy", STACK, context=GATE | settings)
        made = self.world.personalize_journal()[before:]
        calls = [call["operation"] for call in made if call["mutating"] and call["outcome"] == "OK"]
        said = [type(call.change).__name__ for one in planned.recommenders for call in one.calls]
        if ran.returncode == 0:
            assert (planned.kind is Kind.REFUSED, said) == (False, calls), ran.stdout
        else:
            assert planned.kind is Kind.REFUSED or said[: len(calls)] == calls[: len(said)]
        return ran.returncode, calls, ran.stdout

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

    @property
    def recommenders(self) -> list[dict[str, Any]]:
        return list(self.world.personalize_state()["recommenders"])

    @property
    def recommender(self) -> dict[str, Any]:
        (only,) = self.recommenders
        return only

    @property
    def weight(self) -> str:
        return str(
            self.recommender["recommenderConfig"]["itemExplorationConfig"]["explorationWeight"]
        )


@pytest.fixture
def life(world: LocalWorld) -> Iterator[Life]:
    """A life that ends without a trace."""
    yield Life(world)
    world.set_behaviour()
    world.destroy()
    assert not any(leftovers(world.aws).values())


def test_changes_in_place(life: Life) -> None:
    """Each makes one call; one that fails is undone; a stopped recommender is started for it."""
    life.deploy(exploration_weight=0.5, tags={"team": "video"})
    arn = life.recommender["recommenderArn"]

    assert life.deploy(exploration_weight=0.5, tags={"team": "films"}) == ["TagResource"]
    assert life.recommender["tags"]["team"] == "films"

    assert life.deploy() == ["UntagResource", UPDATES]
    assert life.weight == "0.3"
    assert "team" not in life.recommender["tags"]

    life.world.set_behaviour(update_failure="No capacity left.")
    shown, calls = life.fails(exploration_weight=0.7)
    assert "The update of the recommender failed: No capacity left." in shown
    assert calls == [UPDATES]
    assert life.weight == "0.3"

    life.world.set_behaviour()
    assert life.deploy(running=False) == ["StopRecommender"]
    assert life.recommender["status"] == "INACTIVE"

    stopped_and_changed = life.deploy(running=False, exploration_weight=0.7)
    assert stopped_and_changed == ["StartRecommender", UPDATES, "StopRecommender"]
    assert (life.recommender["status"], life.weight) == ("INACTIVE", "0.7")

    assert life.deploy(exploration_weight=0.7) == ["StartRecommender"]
    assert life.recommender["status"] == "ACTIVE"
    assert life.recommender["recommenderArn"] == arn
    assert life.world.outputs()["RecommenderArn"] == arn


def test_replacements(life: Life) -> None:
    """The old one serves until the new one does; one that fails leaves everything as it was."""
    world = life.world
    other = world.seed("other")
    life.deploy()
    old = life.recommender["recommenderArn"]

    world.set_behaviour(training_failure="Dataset has fewer than 1000 interactions.")
    shown, _ = life.fails(dataset_group_arn=other)
    assert "CREATE FAILED: Dataset has fewer than 1000 interactions." in shown
    assert life.recommender["recommenderArn"] == old
    assert life.recommender["status"] == "ACTIVE"
    assert world.outputs()["RecommenderArn"] == old

    world.set_behaviour()
    assert life.plan(dataset_group_arn=other) is Kind.REPLACEMENT
    assert life.deploy(dataset_group_arn=other) == [CREATES, DELETES]
    new = life.recommender["recommenderArn"]
    assert new != old
    assert world.outputs()["RecommenderArn"] == new
    assert world.outputs()["DatasetGroupArn"] == other

    world.client("personalize").delete_recommender(recommenderArn=new)
    until(lambda: not life.recommenders)
    assert life.deploy(dataset_group_arn=other, exploration_weight=0.5) == [CREATES]
    assert life.recommender["status"] == "ACTIVE"


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
    assert life.recommender["tags"]["top-picks:adopted"] == "true"

    shown, calls = life.fails(
        recommender_name="films", adopt_existing=True, dataset_group_arn=world.seed("other")
    )
    assert "needs another name while the old one serves" in shown
    assert calls == []

    world.destroy()
    assert life.recommender["recommenderArn"] == theirs
    assert life.recommender["tags"] == {}
    world.client("personalize").delete_recommender(recommenderArn=theirs)
    until(lambda: not life.recommenders)
