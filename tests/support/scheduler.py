"""A fake of EventBridge Scheduler on a virtual clock: universal targets, by the role they name.

It fires what the template says, on the clock of its time zone: not at a time that the clocks skip,
and once at a time that comes twice. It tries a refused call again, ever later, for as long as the
retry policy says ("Schedule types in EventBridge Scheduler", User Guide). Which errors AWS tries
again is not documented; this tries all of them.
"""

import functools
import heapq
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from botocore.exceptions import ClientError

from local_aws.personalize import ServiceError
from tests.support import personalize
from tests.support.permissions import Permissions, Use, statements_of
from tests.support.place import ACCOUNT

if TYPE_CHECKING:
    from tests.support.cloudformation import Cloud
    from tests.support.custom_resources import StackResource
    from tests.support.stack import Stack

_TYPE: Final = "AWS::Scheduler::Schedule"
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
"""In Scheduler's order, for ranges."""
_CALLS: Final = {"startRecommender": "start_recommender", "stopRecommender": "stop_recommender"}
_SETTLES: Final = 30 * 60.0
_LONGEST_BACKOFF: Final = 600.0


class TimedCall(NamedTuple):
    """One call that was made: when, what, of which recommender, and how it ended."""

    time: float
    operation: str
    arn: str
    outcome: str


@dataclass(order=True)
class _Due:
    time: float
    number: int
    stack: "Stack" = field(compare=False)
    schedule: Mapping[str, Any] = field(compare=False)
    role: str = field(compare=False)
    fired: float = field(compare=False)
    attempts: int = field(compare=False)


class Scheduler:
    """Fires the schedules of all stacks.

    Attributes:
        calls: All calls so far.
    """

    def __init__(self, cloud: "Cloud") -> None:
        self.calls: list[TimedCall] = []
        self._cloud = cloud
        self._until = cloud.clock.now
        self._again: list[_Due] = []
        self._numbers = itertools.count()

    def run_until(self, end: float) -> None:
        """Fire all that is due until a time, and try again what was refused."""
        while due := self._next(end):
            self._until = max(self._until, due.time)
            self._cloud.clock.now = max(self._cloud.clock.now, due.time)
            self._call(due)
        self._until = max(self._until, end)

    def wanted(self, stack: "Stack") -> str | None:
        """Return the status that a recommender should have by a stack's schedules.

        None if one of them has fired just now, so that it may be on its way.
        """
        now = self._cloud.clock.now
        latest = {
            _operation(one.properties): last(_cron(one.properties), now)
            for one in _schedules(stack)
        }
        if now - max(latest.values()) < _SETTLES:
            return None
        runs = latest["startRecommender"] > latest["stopRecommender"]
        return "ACTIVE" if runs else "INACTIVE"

    def _next(self, end: float) -> _Due | None:
        firing = min(
            (
                (following(_cron(one.properties), self._until), next(self._numbers), stack, one)
                for stack in self._cloud.stacks
                for one in _schedules(stack)
            ),
            default=None,
        )
        when = firing[0] if firing else float("inf")
        if self._again and self._again[0].time <= min(end, when):
            return heapq.heappop(self._again)
        if not firing or when > end:
            return None
        _, number, stack, one = firing
        return _Due(when, number, stack, one.properties, _role(one), when, 0)

    def _call(self, due: _Due) -> None:
        target = due.schedule["Target"]
        arn = json.loads(target["Input"])["RecommenderArn"]
        client = personalize.client(
            self._cloud.service,
            account=ACCOUNT,
            region=self._cloud.region,
            authorize=lambda action, resource, _: _authorize(due.stack, due.role, action, resource),
            caller="scheduler",
        )
        operation = _operation(due.schedule)
        try:
            getattr(client, _CALLS[operation])(recommenderArn=arn)
            outcome = "OK"
        except ClientError as error:
            outcome = error.response["Error"]["Code"]
            self._try_again(due)
        self.calls.append(TimedCall(self._cloud.clock.now, operation, arn, outcome))

    def _try_again(self, due: _Due) -> None:
        policy = due.schedule["Target"]["RetryPolicy"]
        later = due.time + min(60.0 * 2**due.attempts, _LONGEST_BACKOFF)
        is_too_old = later - due.fired > policy["MaximumEventAgeInSeconds"]
        if not is_too_old and due.attempts < policy["MaximumRetryAttempts"]:
            number = next(self._numbers)
            again = replace(due, time=later, number=number, attempts=due.attempts + 1)
            heapq.heappush(self._again, again)


class Cron(NamedTuple):
    """When a schedule fires."""

    expression: str
    zone: str


@functools.cache
def last(cron: Cron, now: float) -> float:
    """Return when a schedule has fired last, at most."""
    return max(one for one in _firings(cron, now, range(-15, 1)) if one <= now)


def following(cron: Cron, now: float) -> float:
    """Return when a schedule fires next."""
    known = _FOLLOWING.get(cron)
    if not known or not known[0] <= now < known[1]:
        ahead = min(one for one in _firings(cron, now, range(16)) if one > now)
        known = _FOLLOWING[cron] = (now, ahead)
    return known[1]


_FOLLOWING: Final[dict[Cron, tuple[float, float]]] = {}


def _firings(cron: Cron, now: float, days: range) -> Iterator[float]:
    fields = re.fullmatch(r"cron\((\d+) (\d+) (\S) \* (\S+) \*\)", cron.expression)
    assert fields, cron
    at, zone = time(int(fields[2]), int(fields[1])), ZoneInfo(cron.zone)
    today = datetime.fromtimestamp(now, zone).date()
    for day in (today + timedelta(days=number) for number in days):
        if fields[4] in ("*", "?") or _DAYS[day.isoweekday() % 7] in _named(fields[4]):
            firing = datetime.combine(day, at)
            moment = firing.replace(tzinfo=zone).timestamp()
            if datetime.fromtimestamp(moment, zone).replace(tzinfo=None) == firing:
                yield moment


def _named(days: str) -> list[str]:
    found: list[str] = []
    for part in days.split(","):
        first, _, end = part.partition("-")
        reach = _DAYS[_DAYS.index(first) : _DAYS.index(end or first) + 1]
        assert reach, f"{part}: what Scheduler makes of a range past SAT is not documented"
        found += reach
    return found


def _cron(schedule: Mapping[str, Any]) -> Cron:
    return Cron(schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"])


def _schedules(stack: "Stack") -> list["StackResource"]:
    return [
        one for one in stack.existing if one.type == _TYPE and calls_personalize(one.properties)
    ]


def calls_personalize(schedule: Mapping[str, Any]) -> bool:
    """Return whether a schedule is one of the hours; the observer's invokes a function."""
    return ":aws-sdk:personalize:" in json.dumps(schedule["Target"]["Arn"])


def _operation(schedule: Mapping[str, Any]) -> str:
    return str(schedule["Target"]["Arn"].rpartition(":")[2])


def _role(resource: "StackResource") -> str:
    return str(resource.definition["Properties"]["Target"]["RoleArn"]["Fn::GetAtt"][0])


def _authorize(stack: "Stack", role: str, action: str, resource: str) -> None:
    allowed = Permissions([{"Statement": list(statements_of(stack, role))}])
    if not allowed.allow(Use(action, resource)):
        raise ServiceError("AccessDeniedException", f"{role} is not authorized to perform {action}")
