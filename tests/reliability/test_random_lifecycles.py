"""Lifecycles that nobody wrote down: stacks in one account, with all that can happen to them.

Hypothesis draws what happens next and shrinks what went wrong to the fewest steps. At the end all
faults are over; then every stack must be deletable, and nothing of it may be left.
"""

import contextlib
import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, get_args

import hypothesis
import pytest
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lambdas.recommender.model.timing import CONFIRM_SECONDS
from lambdas.recommender.vocabulary import OWNER_RESOURCE_TAG, OWNER_STACK_TAG, RESERVED_TAGS
from local_aws.personalize import Behaviour, wire
from local_aws.personalize.behaviour import TOP_PICKS_METRICS, Echo
from local_aws.personalize.recommender import ACTIVE
from operations.computations.forecast import Kind
from tests.reliability.faults import ATTEMPTS, KINDS, closed
from tests.reliability.lifecycles import NDCG, WORSE
from tests.reliability.world import HIDES, HOUR, MINUTE, QUICKER, World, follow
from tests.support import deployed_code
from tests.support.cloudformation import (
    FunctionKilledError,
    Rollback,
    SentRequest,
    Stack,
    ThrottledError,
)
from tests.support.foresight import Foresight
from tests.support.place import ACCOUNT, RECIPE, REGION
from tests.support.serverless import Event

pytestmark = pytest.mark.sweep

# How many runs, and how many steps each: for `make check`, for `make soak`, or as make gives them.
LIFECYCLES: Final = os.environ.get("LIFECYCLES", "check")
RUNS: Final = tuple(
    map(int, {"check": "100x30", "soak": "2000x50"}.get(LIFECYCLES, LIFECYCLES).split("x"))
)
CHUNKS: Final = 8
NAMED: Final[dict[str, dict[str, object]]] = {
    "TopPicks": {},
    "TopPicks-eu": {"recommender_name": "films"},
    "dev-TopPicks": {"recommender_name": "films", "adopt_existing": True},
    "rows-TopPicks": {},
}
"""Settings by stack: two want the same name, and a foreign recommender may have it, too."""

SEVERAL: Final = "rows-TopPicks"
"""The stack that has several recommenders; the others have one."""

OTHER_GROUP: Final = f"arn:aws:personalize:{REGION}:{ACCOUNT}:dataset-group/other"
HOURS: Final[list[dict[str, object]]] = [
    {"active_hours": {"start": start, "stop": stop, "time_zone": "Asia/Kolkata"}}
    for start, stop in (
        ("cron(0 8 * * ? *)", "cron(0 6 * * ? *)"),
        ("cron(45 5 * * ? *)", "cron(45 8 ? * THU-FRI *)"),
    )
]
"""Hours of which some begin or end soon: there, these lifecycles begin on a Thursday at 05:30."""

COLUMNS: Final[dict[str, object]] = {"excluded_columns": {"ITEMS": ["GENRES"]}}
_BECAUSE: Final[dict[str, object]] = {"recipe": "aws-vod-because-you-watched-x"}
_TRENDING: Final[dict[str, object]] = {"recipe": "aws-vod-trending-now"}
ROWS: Final[list[dict[str, dict[str, object]]]] = [
    {"": {}, "Because": _BECAUSE},
    {"": {"exploration_weight": "0.7"}, "Because": _BECAUSE, "Trending": _TRENDING},
    {"": {}, "Because": {**_BECAUSE, "running": False}, "Trending": {**_TRENDING, **HOURS[0]}},
    {"Because": {**_BECAUSE, "dataset_group_arn": OTHER_GROUP}, "Trending": _TRENDING},
    {"": {"dataset_group_arn": OTHER_GROUP, "max_metric_regression": 0.05}, "Trending": _BECAUSE},
]
"""Recommenders of one stack: from one of these to the next, some change, come or go."""

GATES: Final[list[dict[str, object]]] = [
    {"minimum_metrics": {NDCG: 0.33}},
    {"max_metric_regression": 0.05},
]
"""Quality gates that metrics pass until they are `WORSE`."""

WHO: Final = st.sampled_from(range(len(NAMED)))
OPERATIONS: Final = (
    "CreateRecommender",
    "DescribeRecommender",
    "ListRecommenders",
    "ListTagsForResource",
    "UpdateRecommender",
    "DeleteRecommender",
    "StopRecommender",
    "TagResource",
    "DescribeStacks",
    "DescribeDatasetGroup",
    "StartExecution",
)
KILLED: Final = "killed"
FAULTS: Final = ("throttled", "internal error", "denied", "in use", "reset", "lost", KILLED)


@dataclass
class Fault:
    """What happens to the next calls of an operation."""

    kind: str
    operation: str
    left: int

    def before(self) -> None:
        """Let it happen before the service is reached, if it does."""
        if self.kind not in (KILLED, "lost"):
            self.left -= 1
            raise KINDS[self.kind].failure()

    def after(self) -> None:
        """Let it happen when the service has applied the call."""
        self.left -= 1
        if self.kind == KILLED:
            raise FunctionKilledError
        raise closed()


LAMBDA: Final = ("throttled", "killed before", "killed after")


@dataclass
class LambdaFault:
    """What Lambda does to every nth invocation of the functions."""

    kind: str
    every: int
    count: int = 0

    def before(self) -> None:
        """Let it happen before the function runs, if it does."""
        self.count += 1
        if self._strikes and self.kind == "throttled":
            raise ThrottledError
        if self._strikes and self.kind == "killed before":
            raise FunctionKilledError

    def after(self) -> None:
        """Let it happen when the function has run."""
        if self._strikes and self.kind == "killed after":
            raise FunctionKilledError

    @property
    def _strikes(self) -> bool:
        return self.count % self.every == 0


class Lifecycles(RuleBasedStateMachine):
    """One account: four stacks at most, foreign recommenders, and everything that can happen.

    Attributes:
        steps: Counts the steps of all runs.
        foreseen: Counts the forecasts of `plan`, by kind, that were compared in full.
    """

    steps: list[int]
    foreseen: Counter[Kind]

    def __init__(self) -> None:
        super().__init__()
        self.world = World(Behaviour(**QUICKER))
        self.cloud = self.world.cloud
        seed = self.world.service.seed_dataset_group
        self.group_of_several = seed(ACCOUNT, REGION, "several")  # a group has five at most
        self.cloud.before, self.cloud.after = self._before, self._after
        self.cloud.around = self._around
        self.begun: set[tuple[str, str]] = set()
        self.admitted: set[tuple[str, str]] = set()
        self.stacks = [self.world.stack, *map(self.cloud.stack, list(NAMED)[1:])]
        self.faults: list[Fault] = []
        self.lambda_fault: LambdaFault | None = None
        self.starts: str | None = None
        self.started = 0
        self.stripped: dict[str, dict[str, str]] = {}
        self.foresight = Foresight(self.cloud)
        logging.getLogger().addHandler(self.world.invariants)

    # -- what the service, CloudFormation and Lambda may be like --------------------------------

    @initialize(
        semantics=st.sampled_from(["merge", "replace"]),
        hidden=st.sampled_from([0.0, 20.0]),
        ghost=st.sampled_from([0.0, 60.0]),
        deletable=st.sampled_from(["in_use", "accepted"]),
        rollback=st.sampled_from(Rollback),
        status_lag=st.sampled_from([0.0, 3.0]),
        deliveries=st.sampled_from([(0.0,), (0.0, 60.0), (0.0, 1.0, 180.0)]),
        needed=st.booleans(),
        attempts=st.sampled_from([1, 3]),
        change_sets=st.booleans(),
        dates_urls=st.booleans(),
        echo=st.sampled_from(get_args(Echo)),
        lambda_fault=st.none() | st.builds(LambdaFault, st.sampled_from(LAMBDA), st.integers(2, 5)),
        starts=st.sampled_from([None, None, "throttled", "denied", "reset", "lost"]),
    )
    def begin(
        self,
        *,
        semantics: Any,
        hidden: float,
        ghost: float,
        deletable: Any,
        rollback: Rollback,
        status_lag: float,
        deliveries: tuple[float, ...],
        needed: bool,
        attempts: int,
        change_sets: bool,
        dates_urls: bool,
        echo: Any,
        lambda_fault: "LambdaFault | None",
        starts: str | None,
    ) -> None:
        behaviour = self.world.behaviour
        behaviour.update_semantics = semantics
        behaviour.not_found_after_create = behaviour.stale_after_update = hidden
        behaviour.ghost_after_delete = ghost
        behaviour.delete_during_update = deletable
        behaviour.echo = echo
        self.cloud.rollback = rollback
        self.cloud.deletes_what_failed_needs = needed
        self.cloud.clean_up_attempts = attempts
        self.cloud.change_sets = change_sets
        self.cloud.dates_urls = dates_urls
        self.lambda_fault, self.starts = lambda_fault, starts
        self.cloud.status_lag = status_lag
        if status_lag or not dates_urls:  # then nobody can tell a late delivery from a new request
            self.world.invariants.forgives.add("stale")
        if status_lag and echo in HIDES:  # a rollback may be taken for the update (known limit)
            self.world.invariants.forgives.add("rest")
        self.cloud.deliveries = lambda _event: deliveries

    # -- what platform teams do -----------------------------------------------------------------

    @precondition(lambda self: self._idle)
    @rule(
        who=WHO,
        weight=st.sampled_from(["0.3", "0.7"]),
        other_group=st.booleans(),
        running=st.sampled_from([True, True, False]),
        more=st.sampled_from([{}, {}, COLUMNS, *HOURS, *GATES]),
        rows=st.sampled_from(ROWS),
        rolls_back=st.sampled_from([True, True, True, False]),
        wait=st.booleans(),
    )
    def deploy(
        self,
        *,
        who: int,
        weight: str,
        other_group: bool,
        running: bool,
        more: dict[str, object],
        rows: dict[str, dict[str, object]],
        rolls_back: bool,
        wait: bool,
    ) -> None:
        stack = self._idle[who % len(self._idle)]
        settings: dict[str, object] = {"max_training_hours": 1.8, "monitoring": True}
        if stack.name == SEVERAL:
            settings |= {"recommenders": rows, "dataset_group_arn": self.group_of_several}
        else:
            settings |= {"exploration_weight": weight, "running": running or more in HOURS}
            settings |= NAMED[stack.name] | more
            if other_group:
                settings["dataset_group_arn"] = self.world.other_group
        if stack.status == "ROLLBACK_COMPLETE":
            assert stack.delete() == "DELETE_COMPLETE"
        if stack.status == "DELETE_COMPLETE":
            self.stacks.remove(stack)
            stack = self.cloud.stack(stack.name)
            self.stacks.append(stack)
        self.cloud.run_for(self.cloud.status_lag)  # the CLI waits until it shows an end
        begin = stack.create if stack.status == "REVIEW_IN_PROGRESS" else stack.update
        begin(settings, rolls_back=rolls_back, wait=wait)

    @property
    def _idle(self) -> list[Stack]:
        """The stacks that can be deployed."""
        stuck = ("DELETE_FAILED", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED")
        return [one for one in self.stacks if not one.is_busy and one.status not in stuck]

    @precondition(lambda self: self._deletable)
    @rule(who=WHO, wait=st.booleans())
    def destroy(self, who: int, wait: bool) -> None:
        self._deletable[who % len(self._deletable)].delete(wait=wait)

    @property
    def _deletable(self) -> list[Stack]:
        return [
            one
            for one in self.stacks
            if one.status not in ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE")
            and (not one.is_busy or one.status == "CREATE_IN_PROGRESS")
        ]

    @precondition(lambda self: self._failed)
    @rule()
    def roll_back(self) -> None:
        self._failed[0].roll_back()

    @property
    def _failed(self) -> list[Stack]:
        kept = ("UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED")
        return [one for one in self.stacks if one.status in kept]

    @precondition(lambda self: self._under_way)
    @rule(who=WHO)
    def fail_sibling(self, who: int) -> None:
        self._under_way[who % len(self._under_way)].fail_sibling()

    @property
    def _under_way(self) -> list[Stack]:
        deploying = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
        return [one for one in self.stacks if one.status in deploying]

    @precondition(lambda self: self._observed)
    @rule(who=WHO)
    def observe(self, who: int) -> None:
        self.cloud.observe(self._observed[who % len(self._observed)])

    @property
    def _observed(self) -> list[Stack]:
        """The stacks that have an observer by now."""
        return [one for one in self.stacks if deployed_code.has_observer(one)]

    # -- what else happens ----------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1.0, 45.0, 3 * MINUTE, 20 * MINUTE, HOUR]))
    def time_passes(self, seconds: float) -> None:
        self.cloud.run_for(seconds)

    @rule(
        kind=st.sampled_from(FAULTS),
        operation=st.sampled_from(OPERATIONS),
        times=st.sampled_from([1, 4]),
    )
    def go_wrong(self, kind: str, operation: str, times: int) -> None:
        self.faults.append(Fault(kind, operation, times))

    @precondition(lambda self: self.faults)
    @rule()
    def faults_end(self) -> None:
        self.faults.clear()

    @rule(fails=st.booleans())
    def trainings_fail(self, fails: bool) -> None:
        self.world.behaviour.training_failure = "no data" if fails else None

    @rule(fails=st.booleans())
    def updates_fail(self, fails: bool) -> None:
        self.world.behaviour.update_failure = "no data" if fails else None

    @precondition(lambda self: self._serving)
    @rule(which=st.integers(0, 5), fails=st.booleans())
    def a_retraining_begins(self, which: int, fails: bool) -> None:
        self.foresight.disturb()
        name = self._serving[which % len(self._serving)]
        self.world.retrain(name, "too few" if fails else None)

    @property
    def _serving(self) -> list[str]:
        """The names of the recommenders that are ACTIVE, and not being updated."""
        now = self.world.clock.now
        there = self.world.service._recommenders.values()
        return [one.name for one in there if one.status(now) == ACTIVE and not one.is_busy(now)]

    @rule(worse=st.booleans())
    def metrics_change(self, worse: bool) -> None:
        self.world.behaviour.metrics = dict(WORSE if worse else TOP_PICKS_METRICS)

    @rule(name=st.sampled_from(["films", "TopPicks-0123456789abcdef", "theirs"]))
    def somebody_creates_one(self, name: str) -> None:
        with self._unless_refused():
            self.cloud.outsider().create_recommender(
                name=name, datasetGroupArn=self.world.group, recipeArn=RECIPE
            )

    @precondition(lambda self: self.cloud.recommenders())
    @rule(
        which=st.integers(0, 5),
        action=st.sampled_from(["delete", "stop", "start", "strip", "update"]),
    )
    def somebody_meddles(self, which: int, action: str) -> None:
        there = sorted(self.cloud.recommenders().values(), key=lambda one: str(one["name"]))
        one = there[which % len(there)]
        arn, name, tags = one["recommenderArn"], one["name"], one["tags"]
        self.world.invariants.forgives.add("rest")
        client = self.world.disturb()
        with self._unless_refused():
            if action == "strip" and "TopPicks-" in name:
                proof = {key: tags[key] for key in RESERVED_TAGS if key in tags}
                self.stripped.setdefault(arn, proof)
                client.untag_resource(resourceArn=arn, tagKeys=list(RESERVED_TAGS))
            elif action == "update":
                client.update_recommender(
                    recommenderArn=arn,
                    recommenderConfig={"itemExplorationConfig": {"explorationWeight": "0.9"}},
                )
            elif action != "strip":  # one of a fixed name without tags could be anybody's
                getattr(client, f"{action}_recommender")(recommenderArn=arn)

    # -- what must hold -------------------------------------------------------------------------

    @invariant()
    def nothing_forbidden_has_happened(self) -> None:
        self.steps[0] += 1
        self.world.invariants.check()

    def teardown(self) -> None:
        """All that was wrong is over: every stack can be brought to an end, with nothing left."""
        logging.getLogger().removeHandler(self.world.invariants)
        self.faults.clear()
        self.lambda_fault = self.starts = None
        behaviour = self.world.behaviour
        behaviour.training_failure = behaviour.update_failure = None
        self.cloud.finish()
        self.cloud.drain()
        self.cloud.status_lag, self.cloud.deliveries = 0.0, lambda _event: (0.0,)
        self._put_tags_back()
        for stack in self._failed:
            status = stack.roll_back()
            restorable = stack.was_complete and "rest" not in self.world.invariants.forgives
            assert status == "UPDATE_ROLLBACK_COMPLETE" or not restorable, stack.reasons()
        for stack in self.stacks:
            if stack.status not in ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE"):
                self._end(stack)
        self.cloud.drain()
        self.world.invariants.check()
        self.foreseen.update(self.foresight.compared)
        left = [
            one["name"]
            for one in self.cloud.recommenders().values()
            if OWNER_STACK_TAG in one["tags"] and one["recommenderArn"] not in self.stripped
        ]
        assert left == []

    def _end(self, stack: Stack) -> None:
        """Delete a stack, or take the way out where its functions have been deleted before."""
        failed = stack.status in ("DELETE_FAILED", "ROLLBACK_FAILED")
        if failed and self.cloud.deletes_what_failed_needs:
            follow(self.world, stack, but=self.stripped)
        else:
            assert stack.delete() == "DELETE_COMPLETE", stack.reasons()

    def _put_tags_back(self) -> None:
        """Put tags back, and delete what an update could not: its construct has left the stack."""
        client, stacks = self.cloud.outsider(), {one.id: one for one in self.stacks}
        for arn, tags in self.stripped.items():
            with self._unless_refused():
                pairs = [{"tagKey": key, "tagValue": value} for key, value in tags.items()]
                client.tag_resource(resourceArn=arn, tags=pairs)  # type: ignore[arg-type]
                owner = stacks.get(tags.get(OWNER_STACK_TAG, ""))
                if owner and tags.get(OWNER_RESOURCE_TAG) not in owner.resources:
                    client.delete_recommender(recommenderArn=arn)

    @contextlib.contextmanager
    def _unless_refused(self) -> Iterator[None]:
        client = self.cloud.outsider()
        with contextlib.suppress(client.exceptions.ClientError):
            yield

    def _around(self, function: str, _event: Event, invoke: Callable[[], Any]) -> Any:
        """Lose a request that is begun in a newer operation: it is taken for one of that.

        That is a known limit, so that they would only find it again and again. So is it of
        one that comes once more, was answered at once, so that no execution has its name, and was
        sent when the newer operation was about to begin: clocks may differ by so much. And so is
        one for which no poll has shown an operation before the newer one began.
        """
        request = self.cloud.invocations[-1].request
        one = _identity(request)
        began = request.stack.updated or request.stack.created
        at_once = 0 <= began - request.sent <= CONFIRM_SECONDS
        begins_late = function == "begin" and (at_once or one not in self.begun)
        is_seen_late = function == "poll" and one not in self.admitted
        if not request.is_newest and (begins_late or is_seen_late):
            raise LookupError(f"{request.type} of {request.logical_id} is lost")
        fault = self.lambda_fault
        if fault:
            fault.before()
        self.begun.add(one)
        result = invoke()
        if result and result["Operation"]:
            self.admitted.add(one)
        if fault:
            fault.after()
        return result

    def _start_fails(self, operation: str, *, applied: bool) -> bool:
        """Whether StartExecution fails as it does in this lifecycle: every other call of it."""
        if operation != "StartExecution" or not self.starts:
            return False
        return (self.starts == "lost") is applied and self.started // ATTEMPTS % 2 == 0

    def _before(self, operation: str, params: dict[str, Any]) -> None:
        if operation == "StartExecution" and json.loads(params["input"])["Operation"]:
            self.admitted.add(_identity(self.cloud.invocations[-1].request))
        if self._start_fails(operation, applied=False):
            self.started += 1
            raise KINDS[self.starts or ""].failure()
        self.started += operation == "StartExecution" and self.starts != "lost"
        for fault in self.faults:
            if fault.operation == operation and fault.left:
                fault.before()
                return

    def _after(
        self, operation: str, _params: dict[str, Any], _response: wire.Response
    ) -> wire.Response | None:
        if self._start_fails(operation, applied=True):
            self.started += 1
            raise closed()
        self.started += operation == "StartExecution" and self.starts == "lost"
        for fault in self.faults:
            if fault.operation == operation and fault.left:
                fault.after()
        return None


def _identity(request: SentRequest) -> tuple[str, str]:
    return request.stack.id, str(request.event["RequestId"])


@pytest.mark.rows("TH2", "RB2", "RB5", "D4", "X7")
@pytest.mark.parametrize("seed", range(CHUNKS))
def test_whatever_happens_nothing_is_lost_or_left(
    seed: int, record_property: Callable[[str, object], None]
) -> None:
    runs, steps = RUNS
    taken, foreseen = [0], Counter[Kind]()
    members = {"steps": taken, "foreseen": foreseen}
    machine = hypothesis.seed(seed)(type("Lifecycles", (Lifecycles,), members))
    run_state_machine_as_test(
        machine,
        settings=hypothesis.settings(
            max_examples=runs // CHUNKS,
            stateful_step_count=steps,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    record_property("steps", taken[0])
    record_property("plans", foreseen.total())
    assert foreseen[Kind.FIRST_TRAINING], "too few lives: none creates a recommender"
