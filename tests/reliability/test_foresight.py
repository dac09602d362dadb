"""`python -m operations plan` says what the deployment then does."""

import os
from typing import Any, Final, get_args

import hypothesis
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from lambdas.recommender.vocabulary import RESERVED_TAGS
from local_aws.personalize import Behaviour
from local_aws.personalize.behaviour import TOP_PICKS_METRICS, Echo
from operations.computations.forecast import Kind
from tests.reliability.lifecycles import ALL, EVERY_LIFECYCLE, NDCG, RESTING, WORSE, prepared
from tests.reliability.world import HIDES, HOUR, QUICKER, World
from tests.support.foresight import Foresight

WEEK: Final = 7 * 24 * HOUR
SOAK: Final = os.environ.get("LIFECYCLES") == "soak"
REFUSED: Final = "The update changes nothing"
COLUMNS: Final = {"ITEMS": ["GENRES"]}

VALUES: Final[dict[str, list[Any]]] = {
    "exploration_weight": [None, "0.7", "0.9"],
    "min_recommendation_requests_per_second": [None, 3],
    "excluded_columns": [None, COLUMNS],
    "dataset_group_arn": [None, "other"],
    "recommender_name": [None, "films", "series"],
    "adopt_existing": [None, True],
    "retain_on_destroy": [None, True],
    "running": [None, False],
    "active_hours": [None, RESTING["active_hours"]],
    "tags": [None, {"team": "video"}, {"team": "größe", "cost": "1"}],
    "force_update": [None, "1", "2"],
    "max_training_hours": [None, 1.8],
    "minimum_metrics": [None, {NDCG: 0.33}],
    "max_metric_regression": [None, 0.05],
    "quality_gate": [None, "warn"],
    "monitoring": [None, True],
}
"""Settings and their values, of which a change takes the next one; None is the default."""
CHANGES: Final = st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=3, unique=True)
MEDDLING: Final = ("delete", "stop", "start", "strip", "update", "tag")
DEPLOY: Final = st.tuples(st.just("deploy"), CHANGES, st.sampled_from([True, True, True, False]))
MEDDLE: Final = st.tuples(st.just("meddle"), st.sampled_from(MEDDLING), st.booleans())
FAIL: Final = st.tuples(
    st.just("fail"), st.sampled_from(["training", "update"]), st.just(value=True)
)
METRICS: Final = st.tuples(
    st.just("metrics"), st.sampled_from([WORSE, TOP_PICKS_METRICS]), st.just(value=True)
)
PASS: Final = st.tuples(
    st.just("pass"), st.sampled_from([10.0, 7 * HOUR, WEEK + 100.0]), st.just(value=True)
)
DESTROY: Final = st.tuples(st.just("destroy"), st.none(), st.just(value=True))
OFTEN: Final = [DEPLOY] * 8 + [MEDDLE] * 3 + [FAIL, METRICS, PASS, DESTROY]
STEP: Final = st.integers(0, len(OFTEN) - 1).flatmap(OFTEN.__getitem__)


@pytest.mark.sweep
@pytest.mark.parametrize("lifecycle", EVERY_LIFECYCLE)
def test_plan_is_what_the_operation_does(lifecycle: str) -> None:
    world = prepared(lifecycle)
    world.cloud.change_sets = True  # as the CDK CLI does
    foresight = Foresight(world.cloud)

    ALL[lifecycle](world)

    assert sum(foresight.compared.values()) == 1
    world.invariants.check()


class Life:
    """A stack that is deployed, meddled with, and destroyed, with a plan before each operation."""

    def __init__(self, **behaviour: Any) -> None:
        self.world = World(Behaviour(**QUICKER, **behaviour), hours=0.9)
        self.world.cloud.change_sets = True  # as the CDK CLI does
        self.foresight = Foresight(self.world.cloud)
        self.world.foreign("films")
        self.values = dict.fromkeys(VALUES, 0)
        self.is_unknown = False
        """Whether the recommender may have a configuration that its last template does not say."""

    def step(self, what: str, argument: Any, sure: bool) -> None:
        """Take a step."""
        getattr(self, f"_{what}")(argument, sure)

    def _deploy(self, changes: list[str], rolls_back: bool) -> None:
        world, stack = self.world, self.world.stack
        for name in changes:
            self.values[name] = (self.values[name] + 1) % len(VALUES[name])
        chosen = {name: VALUES[name][value] for name, value in self.values.items()}
        settings = {name: one for name, one in chosen.items() if one is not None}
        if "dataset_group_arn" in settings:
            settings["dataset_group_arn"] = world.other_group
        if "recommender_name" not in settings:
            settings.pop("adopt_existing", None)
        if "running" in settings:
            settings.pop("active_hours", None)
        if stack.status in ("ROLLBACK_COMPLETE", "CREATE_FAILED"):
            assert stack.delete() == "DELETE_COMPLETE"
        if stack.status == "DELETE_COMPLETE":
            world.stack = stack = world.cloud.stack(stack.name)
        if stack.status.endswith(("ROLLBACK_FAILED", "DELETE_FAILED")):
            return
        self.foresight.latest = None  # without a difference, no operation begins
        begin = stack.create if stack.status == "REVIEW_IN_PROGRESS" else stack.update
        begin(world.given(settings), rolls_back=rolls_back)
        self._check_success()
        self.is_unknown |= stack.status == "UPDATE_FAILED"
        world.behaviour.training_failure = world.behaviour.update_failure = None

    def _check_success(self) -> None:
        """An operation that nothing fails succeeds, unless `plan` has said something else."""
        forecast, behaviour = self.foresight.latest, self.world.behaviour
        told = forecast is None or forecast.kind in (Kind.REFUSED, Kind.CANNOT_TELL)
        judged = forecast and any(one.trains and one.minimums for one in forecast.recommenders)
        if told or judged or behaviour.training_failure or behaviour.update_failure:
            return
        reasons = self.world.stack.reasons()
        if self.is_unknown and behaviour.echo in HIDES and REFUSED in str(reasons):
            return  # it has the configuration already, or may not have it: nothing tells
        assert self.world.stack.status.endswith("E_COMPLETE"), (forecast, reasons)

    def _destroy(self, _: None, __: bool) -> None:
        if self.world.stack.status not in ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE"):
            self.world.stack.delete()

    def _fail(self, what: str, _: bool) -> None:
        """Let the next deployment fail."""
        setattr(self.world.behaviour, f"{what}_failure", "no data")

    def _metrics(self, metrics: dict[str, float], _: bool) -> None:
        self.world.behaviour.metrics = dict(metrics)

    def _pass(self, seconds: float, _: bool) -> None:
        self.world.cloud.run_for(seconds)

    def _meddle(self, action: str, settles: bool) -> None:
        client = self.world.disturb()
        self.world.invariants.forgives.add("rest")
        for one in self.world.cloud.recommenders().values():
            arn = one["recommenderArn"]
            try:
                if action == "strip":
                    client.untag_resource(resourceArn=arn, tagKeys=list(RESERVED_TAGS))
                elif action == "tag":
                    tags: Any = [{"tagKey": "team", "tagValue": "else"}]
                    client.tag_resource(resourceArn=arn, tags=tags)
                elif action == "update":
                    self.is_unknown = True
                    config: Any = {"itemExplorationConfig": {"explorationWeight": "0.9"}}
                    client.update_recommender(recommenderArn=arn, recommenderConfig=config)
                else:
                    getattr(client, f"{action}_recommender")(recommenderArn=arn)
            except client.exceptions.ClientError:
                continue
        if settles:
            self.world.cloud.run_for(HOUR)


@pytest.mark.sweep
@given(
    first=CHANGES,
    steps=st.lists(STEP, min_size=8, max_size=14),
    echo=st.sampled_from(get_args(Echo)),
    retraining=st.sampled_from([None, None, WEEK]),
)
@hypothesis.settings(
    max_examples=800 if SOAK else 16,
    derandomize=not SOAK,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_plan_is_what_each_operation_of_a_life_does(
    first: list[str], steps: list[tuple[str, Any, bool]], echo: Any, retraining: float | None
) -> None:
    life = Life(echo=echo, retraining_every=retraining)
    for step in [("deploy", first, True), *steps]:
        life.step(*step)
