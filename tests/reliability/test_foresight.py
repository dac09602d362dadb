"""`python -m operations plan` says what the deployment then does."""

from collections import Counter
from typing import Any, Final

import hypothesis
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from lambdas.recommender.vocabulary import RESERVED_TAGS
from local_aws.personalize import Behaviour
from local_aws.personalize.behaviour import TOP_PICKS_METRICS
from operations.computations.forecast import Kind
from tests.reliability.lifecycles import ALL, NDCG, RESTING, WORSE, prepared
from tests.reliability.world import HOUR, QUICKER, World
from tests.support.foresight import Foresight

COLUMNS: Final = {"ITEMS": ["GENRES"]}

VALUES: Final[dict[str, list[Any]]] = {
    "exploration_weight": ["0.7", "0.9", None],
    "min_recommendation_requests_per_second": [3, None],
    "excluded_columns": [COLUMNS, None],
    "dataset_group_arn": ["other", None],
    "recommender_name": ["films", "series", None],
    "adopt_existing": [True, None],
    "retain_on_destroy": [True, None],
    "running": [False, None],
    "active_hours": [RESTING["active_hours"], None],
    "tags": [{"team": "video"}, {"team": "größe", "cost": "1"}, None],
    "force_update": ["1", "2", None],
    "max_training_hours": [1.8, None],
    "minimum_metrics": [{NDCG: 0.33}, None],
    "max_metric_regression": [0.05, None],
    "quality_gate": ["warn", None],
    "monitoring": [True, None],
}
"""Settings and their values; None is the default."""
CHANGES: Final = st.lists(
    st.sampled_from([(name, one) for name, values in VALUES.items() for one in values]),
    min_size=0,
    max_size=2,
).map(dict)
MEDDLING: Final = ("delete", "stop", "start", "strip", "update", "tag")
DEPLOY: Final = st.tuples(st.just("deploy"), CHANGES, st.sampled_from([True, True, True, False]))
MEDDLE: Final = st.tuples(st.just("meddle"), st.sampled_from(MEDDLING), st.booleans())
FAIL: Final = st.tuples(st.just("fail"), st.sampled_from(["training", "update"]), st.booleans())
METRICS: Final = st.tuples(
    st.just("metrics"), st.sampled_from([WORSE, TOP_PICKS_METRICS]), st.just(value=True)
)
PASS: Final = st.tuples(st.just("pass"), st.sampled_from([10.0, 7 * HOUR]), st.just(value=True))
DESTROY: Final = st.tuples(st.just("destroy"), st.none(), st.just(value=True))
OFTEN: Final = [DEPLOY] * 8 + [MEDDLE] * 3 + [FAIL, METRICS, PASS, DESTROY]
STEP: Final = st.integers(0, len(OFTEN) - 1).flatmap(OFTEN.__getitem__)


@pytest.mark.parametrize("lifecycle", ALL)
def test_plan_is_what_the_operation_does(lifecycle: str) -> None:
    world = prepared(lifecycle)
    foresight = Foresight(world.cloud)

    ALL[lifecycle](world)

    assert sum(foresight.compared.values()) == 1
    world.invariants.check()


class Life:
    """A stack that is deployed, meddled with, and destroyed, with a plan before each operation."""

    def __init__(self, echo: Any) -> None:
        self.world = World(Behaviour(**QUICKER, echo=echo), hours=0.9)
        self.world.cloud.change_sets = True  # as the CDK CLI does
        self.foresight = Foresight(self.world.cloud)
        self.world.foreign("films")
        self.settings: dict[str, Any] = {}

    def step(self, what: str, argument: Any, sure: bool) -> None:
        """Take a step."""
        getattr(self, f"_{what}")(argument, sure)

    def _deploy(self, changes: dict[str, Any], rolls_back: bool) -> None:
        world, stack = self.world, self.world.stack
        self.settings |= changes
        settings = {name: one for name, one in self.settings.items() if one is not None}
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
        begin = stack.create if stack.status == "REVIEW_IN_PROGRESS" else stack.update
        begin(world.given(settings), rolls_back=rolls_back)
        self._check_success()

    def _check_success(self) -> None:
        """An operation that nothing fails succeeds, unless `plan` has said something else."""
        forecast, behaviour = self.foresight.latest, self.world.behaviour
        told = forecast is None or forecast.kind in (Kind.REFUSED, Kind.CANNOT_TELL)
        judged = forecast and any(one.trains and one.minimums for one in forecast.recommenders)
        if told or judged or behaviour.training_failure or behaviour.update_failure:
            return
        assert self.world.stack.status.endswith("E_COMPLETE"), (
            forecast,
            self.world.stack.reasons(),
        )

    def _destroy(self, _: None, __: bool) -> None:
        if self.world.stack.status not in ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE"):
            self.world.stack.delete()

    def _fail(self, what: str, fails: bool) -> None:
        setattr(self.world.behaviour, f"{what}_failure", "no data" if fails else None)

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
                    config: Any = {"itemExplorationConfig": {"explorationWeight": "0.9"}}
                    client.update_recommender(recommenderArn=arn, recommenderConfig=config)
                else:
                    getattr(client, f"{action}_recommender")(recommenderArn=arn)
            except client.exceptions.ClientError:
                continue
        if settles:
            self.world.cloud.run_for(HOUR)


COMPARED: Counter[Kind] = Counter()


@given(
    steps=st.lists(STEP, min_size=6, max_size=15),
    echo=st.sampled_from(["as set", "in full", "without defaults", "without metadata", "nothing"]),
)
@hypothesis.settings(
    max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
def test_plan_is_what_each_operation_of_a_life_does(
    steps: list[tuple[str, Any, bool]], echo: Any
) -> None:
    life = Life(echo)
    for step in steps:
        life.step(*step)
    COMPARED.update(life.foresight.compared)
