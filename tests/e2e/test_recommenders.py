"""Three recommenders of different recipes in one stack, from the first deployment to the last."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from tests.support.local_world import STACK, LocalWorld, operations
from tests.unit.local_aws.rehearsal.folders import Interaction, folder_of, watching

GATE: Final[dict[str, object]] = {"training_gate_minutes": 0.1, "max_training_hours": 0.01}
"""Six gates of 6 s."""
ROWS: Final[dict[str, dict[str, object]]] = {
    "TopPicks": {},
    "Because": {"recipe": "aws-vod-because-you-watched-x"},
    "Trending": {"recipe": "aws-vod-trending-now"},
}


@dataclass
class Rows:
    """A world with data, and a stack of three recommenders that learn from it.

    Attributes:
        world: the world.
        group: the ARN of a dataset group with 1200 `Watch` events.
        clicks: that of another, which has as many events and no `Watch`.
    """

    world: LocalWorld
    group: str
    clicks: str

    def settings(self, **changed: Mapping[str, object]) -> dict[str, object]:
        """Return the settings of the three, some of which have others."""
        rows = {name: {**one, **changed.get(name, {})} for name, one in ROWS.items()}
        return {**GATE, "dataset_group_arn": self.group, "recommenders": rows}

    def arns(self) -> dict[str, str]:
        """Return the ARNs that the outputs name."""
        outputs = self.world.outputs()
        return {name: outputs[f"{name}RecommenderArn"] for name in ROWS}

    def changed_since(self, calls: int) -> list[tuple[str, str]]:
        """Return the calls that change something after so many calls, with their recommenders."""
        return [
            (call["operation"], call["resource_arn"])
            for call in self.world.personalize_journal()[calls:]
            if call["mutating"]
        ]

    def state(self, arns: Iterable[str]) -> list[dict[str, Any]]:
        """Return what the simulated Personalize holds of recommenders."""
        there = {one["recommenderArn"]: one for one in self.world.recommenders}
        return [there[arn] for arn in arns]

    def recommend(self, name: str, **parameters: str) -> list[str]:
        """Return the ids of what a recommender recommends."""
        runtime = self.world.client("personalize-runtime")
        answer = runtime.get_recommendations(recommenderArn=self.arns()[name], **parameters)
        return [one["itemId"] for one in answer["itemList"]]


@pytest.fixture
def rows(world: LocalWorld, tmp_path: Path) -> Iterator[Rows]:
    world.set_behaviour(metrics=None)
    watched = watching(users=60, each=20)
    clicked: list[Interaction] = [(*one[:3], "Click") for one in watched]
    yield Rows(
        world,
        world.seed("watched", data=str(folder_of(tmp_path / "watched", watched))),
        world.seed("clicked", data=str(folder_of(tmp_path / "clicked", clicked))),
    )
    world.set_behaviour()
    world.destroy()


def test_the_rows_of_a_page_live_in_one_stack(rows: Rows) -> None:
    world = rows.world
    world.deployed(**rows.settings())
    arns, outputs = rows.arns(), world.outputs()
    assert [one["status"] for one in rows.state(arns.values())] == ["ACTIVE"] * 3
    assert 0 <= float(outputs["TopPicksCoverage"]) <= 1
    assert outputs["TrendingCoverage"] == "n/a"
    parameters = world.client("ssm")
    for name, arn in arns.items():
        stored = parameters.get_parameter(Name=f"/top-picks/{STACK}/{name}/recommender-arn")
        assert stored["Parameter"]["Value"] == arn

    assert rows.recommend("TopPicks", userId="u007")
    assert "i003" not in rows.recommend("Because", userId="u007", itemId="i003")
    assert rows.recommend("Trending")
    with pytest.raises(ClientError, match="requires itemId"):
        rows.recommend("Because", userId="u007")

    shows_each_by_its_name(world)

    others = (arns["TopPicks"], arns["Trending"])
    before, calls = rows.state(others), len(world.personalize_journal())
    world.deployed(**rows.settings(Because={"min_recommendation_requests_per_second": 2}))
    assert rows.changed_since(calls) == [("UpdateRecommender", arns["Because"])]
    assert rows.arns() == arns
    assert rows.state(others) == before

    served, calls = rows.state(arns.values()), len(world.personalize_journal())
    changed = {"min_recommendation_requests_per_second": 2, "dataset_group_arn": rows.clicks}
    shown = world.fails(**rows.settings(Because=changed))
    assert "Hint: aws-vod-because-you-watched-x trains on at least 1000 Watch events" in shown
    assert rows.arns() == arns
    assert rows.state(arns.values()) == served
    assert not {arn for _, arn in rows.changed_since(calls)} & {*arns.values()}
    assert rows.recommend("Because", userId="u007", itemId="i003")

    world.destroy_all()


def shows_each_by_its_name(world: LocalWorld) -> None:
    status, drift = (operations(world, command) for command in ("status", "drift"))

    assert (status.returncode, drift.returncode) == (0, 0), status.stdout + drift.stdout
    for name in ROWS:
        assert f"{STACK}/Recommenders/{name} (" in status.stdout
        assert f"({name}) matches" in " ".join(drift.stdout.split())
