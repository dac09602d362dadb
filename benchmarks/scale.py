"""Part 5: many stacks in one account at once, and many recommenders.

On the fakes' virtual clock. AWS publishes no rate limits for Personalize or DescribeStacks. The
fakes assume a bucket of tokens for each operation, as AWS documents it for EC2's API.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.table import Row
from local_aws.personalize import Behaviour, Personalize, ServiceError
from tests.support.cloudformation import Cloud, Invocation, Watcher
from tests.support.personalize import VirtualClock
from tests.support.place import ACCOUNT, RECIPE, REGION

_STACKS: Final = 50
_QUOTA: Final = 15
_MANY: Final = 1000
_PER_SECOND: Final = 2.0
_BURST: Final = 10.0
_TRAINING: Final = 2.5 * 3600.0
_UPDATE: Final = 900.0
_MINUTE: Final = 60.0
_SETTLED: Final = 70 * _MINUTE


@dataclass
class RateLimit:
    """A bucket of tokens for each operation."""

    clock: Callable[[], float]
    refused: Counter[str] = field(default_factory=Counter)
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def __call__(self, operation: str, _params: Mapping[str, Any]) -> None:
        """Take a token for a call.

        Raises:
            ServiceError: there is none.
        """
        now = self.clock()
        left, then = self._left.get(operation, (_BURST, now))
        left = min(_BURST, left + (now - then) * _PER_SECOND)
        if left < 1:
            self._left[operation] = (left, now)
            self.refused[operation] += 1
            raise ServiceError("ThrottlingException", "Rate exceeded", 400)
        self._left[operation] = (left - 1, now)


@dataclass
class Calls(Watcher):
    """Every call, when it was made, and for which request."""

    clock: Callable[[], float]
    made: list[tuple[float, str]] = field(default_factory=list)
    lists: Counter[str] = field(default_factory=Counter)
    """First pages of ListRecommenders, by stack and phase, which is one operation."""

    def called(  # noqa: D102  # see Watcher
        self, invocation: Invocation, operation: str, params: Mapping[str, Any]
    ) -> None:
        self.made.append((self.clock(), operation))
        if operation == "ListRecommenders" and "nextToken" not in params:
            self.lists[f"{invocation.request.stack.id} {invocation.request.phase}"] += 1

    def per_minute(self, since: float, until: float) -> tuple[float, int, int]:
        """Return the calls per minute: on average, at most; and those in the busiest second."""
        times = [time - since for time, _ in self.made if since <= time < until]
        minutes = Counter(int(time // _MINUTE) for time in times)
        seconds = Counter(int(time) for time in times)
        mean = len(times) / ((until - since) / _MINUTE)
        return mean, max(minutes.values()), max(seconds.values())


class Region:
    """An account's region with so many stacks, and a service that throttles."""

    def __init__(self, stacks: int, *, quota: int = _MANY + 2 * _STACKS) -> None:
        self.clock = VirtualClock()
        behaviour = Behaviour(
            create_in_progress=_TRAINING,
            update_in_progress=_UPDATE,
            page_size=100,
            recommenders_per_region=quota,
            recommenders_per_dataset_group=quota,
        )
        self.service = Personalize(behaviour, self.clock)
        self.group = self.service.seed_dataset_group(ACCOUNT, REGION, "vod")
        self.cloud = Cloud(self.service, self.clock)
        self.limit = RateLimit(self.clock)
        self.cloud.before = self.limit
        self.calls = Calls(self.clock)
        self.cloud.watchers.append(self.calls)
        self.stacks = [self.cloud.stack(f"TopPicks{number:02}") for number in range(stacks)]

    def of_others(self, count: int) -> None:
        """Add recommenders that belong to none of the stacks."""
        outsider = self.cloud.outsider()
        for number in range(count):
            outsider.create_recommender(
                name=f"other-{number:04}", datasetGroupArn=self.group, recipeArn=RECIPE
            )
        self.clock.advance(2 * _TRAINING)


def all_at_once(region: Region, operation: str, **settings: object) -> tuple[str, str]:
    """Have all stacks do something at the same second; return how it went, and the calls."""
    since = region.clock.now
    made = len(region.calls.made)
    region.limit.refused.clear()
    for stack in region.stacks:
        getattr(stack, operation)(*([settings] if settings else []), wait=False)
    region.cloud.finish()
    good = sum(
        stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE")
        for stack in region.stacks
    )
    mean, minute, second = region.calls.per_minute(since, region.clock.now)
    calls = len(region.calls.made) - made
    refused = sum(region.limit.refused.values())
    return (
        f"{good} of {len(region.stacks)} succeed",
        f"{calls} calls, {mean:.0f} a minute, {minute} in the busiest minute, {second} in the "
        f"busiest second, {refused} throttled",
    )


def scale() -> Iterator[Row]:
    """Part 5."""
    how = (
        "Virtual clock; the real template and functions in one account and region, all at the same "
        f"second. Assumed: each operation of AWS lets {_PER_SECOND:.0f} calls a second through, "
        f"{_BURST:.0f} at once"
    )
    region = Region(_STACKS)
    for operation, settings in (
        ("create", {"exploration_weight": 0.3}),
        ("update", {"exploration_weight": 0.5}),
        ("delete", {}),
    ):
        since = region.clock.now
        ended, calls = all_at_once(region, operation, **settings)
        yield Row(what=f"{_STACKS} stacks: {operation}", ours=f"{ended}; {calls}", how=how)
        if operation == "create":
            mean, minute, second = region.calls.per_minute(
                since + _SETTLED, since + _SETTLED + 30 * _MINUTE
            )
            yield Row(
                what=f"{_STACKS} stacks while they train",
                ratio=f"{minute / mean:.2f}",
                ours=f"{minute} calls in the busiest minute, {second} in the busiest second",
                other=f"{mean:.0f} a minute on average",
                how="The same, half an hour of the second gate: whether polls stay spread",
            )
    region = Region(_QUOTA, quota=_QUOTA)
    ended, calls = all_at_once(region, "create")
    yield Row(what=f"{_QUOTA} stacks, as many as the quota allows", ours=ended, how=how)
    for others in (0, _MANY // 10, _MANY):
        region = Region(1)
        region.of_others(others)
        all_at_once(region, "create")
        ended, calls = all_at_once(region, "delete")
        most = max(region.calls.lists.values(), default=0)
        yield Row(
            what=f"a deletion, with {others} recommenders of others",
            target="ListRecommenders read once per operation",
            ours=f"{ended}; {calls}; all names read {most} times per operation at most",
            how="The same; pages of 100 names",
        )
