"""Parts 1 and 2: measure the time beyond a training, and the cost of an hour of waiting.

All parts run on the fakes' virtual clock, in which a training takes a given time. They run the real
template and the real functions through real boto3 clients, and the rivals.
Nothing is scaled: each poll is made, at the second at which it would be made.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from benchmarks.rivals import Rival, create, notebook
from benchmarks.rivals.provider import Provider
from benchmarks.rivals.sleeping import Sleeping
from benchmarks.rivals.wait_condition import WaitCondition
from benchmarks.table import Row, duration
from local_aws.personalize import Behaviour, Personalize
from tests.support.cloudformation import Cloud, Invocation, Stack, Watcher
from tests.support.personalize import VirtualClock
from tests.support.place import ACCOUNT, REGION

MINUTE: Final = 60.0
HOUR: Final = 3600.0

_TRAININGS: Final = (5 * MINUTE, 65 * MINUTE, 3 * HOUR, 9.5 * HOUR)
_POLL: Final = 60.0
_TARGET: Final = _POLL + 10
_DELETED_AFTER: Final = 2 * MINUTE
_OFFSETS: Final = (7.0, 27.0, 47.0)
"""Seconds that trainings take beyond the round number: else each poll would come just in time."""
_CALL_SECONDS: Final = 0.1
"""Assumed of a call to AWS, in Lambda; the fakes answer at once."""
_RIVALS: Final[tuple[type[Rival], ...]] = (Provider, WaitCondition, Sleeping)


@dataclass
class Meter(Watcher):
    """Counts calls and invocations, which are billed or limited."""

    calls: Counter[str] = field(default_factory=Counter)
    invocations: Counter[str] = field(default_factory=Counter)

    def called(  # noqa: D102  # see Watcher
        self, invocation: Invocation, operation: str, params: Mapping[str, Any]
    ) -> None:
        del invocation, params
        self.calls[operation] += 1

    def invoked(self, invocation: Invocation) -> None:  # noqa: D102
        self.invocations[invocation.function] += 1


class TimedAccount:
    """An account with a dataset group, in which a training takes so long.

    Attributes:
        training: seconds from CreateRecommender to ACTIVE.
        lambda_seconds: how long functions have run. The virtual clock counts their sleep; this
            process's own clock counts the rest, with the time in the simulated service.
    """

    def __init__(self, training: float) -> None:
        self.training = training
        self.clock = VirtualClock()
        behaviour = Behaviour(create_pending=0.0, create_in_progress=training)
        self.service = Personalize(behaviour, self.clock)
        self.service.seed_dataset_group(ACCOUNT, REGION, "vod")
        self.cloud = Cloud(self.service, self.clock)
        self.cloud.around = self._around
        self.meter = Meter()
        self.cloud.watchers.append(self.meter)
        self.lambda_seconds = 0.0
        self.began = self.clock.now

    def _around(self, _function: str, _event: object, invoke: Callable[[], Any]) -> Any:
        slept, worked = self.clock.now, time.process_time()
        try:
            return invoke()
        finally:
            self.lambda_seconds += self.clock.now - slept + time.process_time() - worked

    def created(self, rival: type[Rival] | None, *, wait: bool = True) -> Stack:
        """Create a rival's stack, or ours with default settings."""
        stack = self.cloud.stack()
        if rival:
            stack.functions = rival(stack)
        stack.create(rival.template() if rival else None, wait=wait)
        return stack

    def complete(self, ended: float) -> "Deployed":
        """Return how long a deployment has taken that ended at a time."""
        return Deployed(ended - self.trained, ended - self.began - self.training)

    @property
    def trained(self) -> float:
        """When the recommender was, or will be, ACTIVE."""
        return self._time_of("CreateRecommender") + self.training

    @property
    def left(self) -> str:
        """Words for a recommender that a failed stack has left, or nothing."""
        return ", and the recommender is left" if self.cloud.recommenders() else ""

    def deleted(self) -> "Deleted":
        """Return how long a deletion has taken that has just ended."""
        begun = self._time_of("DeleteRecommender") - self.trained
        ended = self.clock.now - self.trained - self.service.behaviour.delete
        return Deleted(begun, ended)

    def _time_of(self, operation: str) -> float:
        (made,) = {
            call.time
            for call in self.service.journal
            if call.operation == operation and call.outcome == "OK"
        }
        return made


@dataclass(frozen=True)
class Deployed:
    """How a deployment went.

    Attributes:
        after: seconds from the service's saying ACTIVE to the stack's being complete.
        whole: seconds of the whole deployment beyond the training.
        failure: the outcome instead, if it failed.
    """

    after: float = 0.0
    whole: float = 0.0
    failure: str = ""

    def __str__(self) -> str:
        return self.failure or f"{self.after:.0f} s, {self.whole:.0f} s in all"


@dataclass(frozen=True)
class Deleted(Deployed):
    """How a deletion went; ``after`` is until DeleteRecommender, which the training refuses."""

    def __str__(self) -> str:
        return self.failure or f"{self.after:.0f} s, then {self.whole - self.after:.0f} s"


Run = Callable[[TimedAccount], Deployed]
"""A deployment, or a deletion, in an account."""


def deployment(account: TimedAccount, rival: type[Rival] | None = None) -> Deployed:
    """Deploy a rival's stack, or ours."""
    stack = account.created(rival)
    if stack.status == "CREATE_COMPLETE":
        return account.complete(stack.events[-1].time)
    failed = next(one.time for one in stack.events if one.status.endswith("FAILED"))
    after = duration(failed - account.began)
    return Deployed(failure=f"{stack.status} after {after}{account.left}")


def deployment_by_notebook(account: TimedAccount) -> Deployed:
    """Run the notebook's loop."""
    notebook.deploy(account.cloud.outsider(), account.clock)
    return account.complete(account.clock.now)


def deletion(account: TimedAccount, rival: type[Rival] | None = None) -> Deployed:
    """Delete a rival's stack, or ours, during the training, and return the durations."""
    stack = account.created(rival, wait=False)
    account.cloud.run_for(_DELETED_AFTER)
    status = stack.delete()
    if status == "DELETE_COMPLETE":
        return account.deleted()
    return Deployed(failure=f"{status}{account.left}")


def deletion_by_notebook(account: TimedAccount) -> Deployed:
    """Delete by the notebook's loop, during the training."""
    api = account.cloud.outsider()
    create(api)
    account.clock.advance(_DELETED_AFTER)
    notebook.delete(api, account.clock)
    return account.deleted()


def _worst(run: Run, training: float) -> Deployed:
    """Return the longest of deployments whose trainings end at different seconds of a minute.

    One that has failed counts as longer than all others.
    """
    found = (run(TimedAccount(training + offset)) for offset in _OFFSETS)
    return max(found, key=lambda one: (bool(one.failure), one.whole))


def over_training() -> Iterator[Row]:
    """Part 1: the time over the training."""
    for run, by_notebook, rivals, what, target, how in (
        (
            deployment,
            deployment_by_notebook,
            _RIVALS,
            "deployment over",
            f"{_TARGET:.0f} s",
            "Virtual clock; 1 s from CloudFormation to a function, calls take none; polls each "
            "minute; the longest of trainings that end at three different seconds. From ACTIVE to "
            "complete, and the whole deployment less the training",
        ),
        (
            deletion,
            deletion_by_notebook,
            _RIVALS[:2],
            "deletion 2 min into",
            f"{_TARGET:.0f} s each",
            "The same. Two ends are waited for: from ACTIVE to DeleteRecommender, and from the "
            "recommender's being gone to the stack's. The ratio is of both",
        ),
    ):
        others: dict[str, Run] = {"notebook": by_notebook}
        others |= {one.name: partial(run, rival=one) for one in rivals}
        for training in _TRAININGS:
            mine = _worst(run, training)
            theirs = (f"{name}: {_worst(other, training)}" for name, other in others.items())
            yield Row(
                what=f"{what} a training of {duration(training)}",
                ratio=mine.failure or f"{(training + mine.whole) / training:.3f} of the training",
                target=target,
                ours=str(mine),
                other="; ".join(theirs),
                how=how,
            )


@dataclass(frozen=True)
class PerHour:
    """The calls of an hour of training, without those that every deployment makes."""

    describes: float
    other_calls: float
    lambda_requests: float
    lambda_seconds: float
    transitions: float

    def __str__(self) -> str:
        return (
            f"{self.describes:.1f} DescribeRecommender, {self.other_calls:.1f} other calls, "
            f"{self.lambda_requests:.1f} Lambda requests, {self.lambda_seconds:.1f} s of Lambda, "
            f"{self.transitions:.0f} transitions"
        )


def _per_hour(run: Run, hours: tuple[float, float], *, by_lambda: bool = True) -> PerHour:
    """Return the difference of a longer training to a shorter one, per hour."""
    short, long = (_spent(run, hour * HOUR, by_lambda=by_lambda) for hour in hours)
    between = hours[1] - hours[0]
    return PerHour(*((more - less) / between for less, more in zip(short, long, strict=True)))


def _spent(run: Run, training: float, *, by_lambda: bool) -> tuple[float, ...]:
    account = TimedAccount(training)
    run(account)
    calls = Counter(call.operation for call in account.service.journal)
    describes = calls["DescribeRecommender"]
    others = sum(calls.values()) - describes + account.meter.calls["DescribeStacks"]
    executions = [one for stack in account.cloud.stacks for one in account.cloud.executions(stack)]
    invoked = account.meter.invocations
    ran = sum(invoked.values()) if by_lambda else invoked["begin"]
    worked = account.lambda_seconds + _CALL_SECONDS * sum(account.meter.calls.values())
    return (
        describes,
        others + account.meter.calls["StartExecution"],
        ran,
        worked if by_lambda else 0.0,
        sum(one.transitions for one in executions),
    )


def waiting() -> list[Row]:
    """Part 2: calls and compute per hour of training."""
    long = (2.25, 8.25)
    within_the_hour = (0.25, 0.75)
    mine = _per_hour(deployment, long)
    loop = _per_hour(deployment_by_notebook, long)
    provider = _per_hour(partial(deployment, rival=Provider), within_the_hour)
    condition = _per_hour(partial(deployment, rival=WaitCondition), long, by_lambda=False)
    sleeping = _per_hour(partial(deployment, rival=Sleeping), within_the_hour)
    polls = HOUR / _POLL
    how = (
        "Virtual clock; a longer training less a shorter one, 8.25 h and 2.25 h, or 45 min and "
        "15 min if the other ends after an hour"
    )
    return [
        Row(
            what="DescribeRecommender per hour of training",
            ratio=f"{mine.describes / polls:.3f}",
            target="1.05",
            ours=str(mine),
            other=f"one a minute: {polls:.0f}",
            how=how,
        ),
        Row(
            what="all calls to AWS per hour of training",
            ratio=f"{(mine.describes + mine.other_calls) / polls:.3f}",
            target="1.05",
            ours=f"{mine.describes + mine.other_calls:.1f}",
            other=f"one a minute: {polls:.0f}",
            how="The same",
        ),
        Row(
            what="compute per hour of training",
            ratio=f"1/{sleeping.lambda_seconds / mine.lambda_seconds:.0f}",
            target="1/60",
            ours=f"{mine.lambda_seconds:.1f} s of Lambda",
            other=f"{Sleeping.name}: {sleeping.lambda_seconds:.0f} s",
            how=f"The same; {_CALL_SECONDS} s assumed for each call, the rest is processor time of "
            "a warm function here, with the simulated service in it",
        ),
        *(
            Row(
                what=f"per hour of training, {name}",
                ratio=f"{mine.describes / one.describes:.2f}, "
                + (f"{mine.transitions / one.transitions:.1f}" if one.transitions else "-"),
                ours="see above",
                other=str(one),
                how="The same; the ratios are of DescribeRecommender and of transitions. " + note,
            )
            for name, one, note in (
                ("notebook", loop, "A person's kernel has to run"),
                (Provider.name, provider, "The framework's functions count twice in Lambda"),
                (
                    WaitCondition.name,
                    condition,
                    "The state machine calls the service itself, without Lambda",
                ),
                (Sleeping.name, sleeping, "Ends with CloudFormation's hour"),
            )
        ),
    ]
