"""Hours of service: decide whether a recommender must run at a time (pure).

EventBridge Scheduler starts and stops it. If a deployment creates it, or starts it for an update,
it must leave the recommender in Scheduler's state: that of the latest start or stop.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from .. import vocabulary as v
from ..model import properties as p

_TIME: Final = re.compile(rf"({'|'.join(v.DAYS)}) ([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_LOOKS_BACK: Final = 15
"""Days: each time of the week comes twice in them, or once if the clocks skip the other."""

Week = frozenset[tuple[int, time]]
"""Days of the week, from 0 for Monday, each with a time."""


@dataclass(frozen=True)
class ActiveHours:
    """The times of starts and stops of a recommender, on the clocks of a time zone."""

    start: Week
    stop: Week
    time_zone: tzinfo

    @classmethod
    def from_template(cls, properties: Mapping[str, Any]) -> "ActiveHours":
        """Read the hours of a template.

        Raises:
            BadRequestError: a member is malformed or unknown.
        """
        given = {**dict.fromkeys(_MEMBERS), **p.mapping(properties)}
        read = p.members(given, _MEMBERS, v.ACTIVE_HOURS)
        return cls(read[v.START], read[v.STOP], read[v.TIME_ZONE])

    def run_at(self, now: float) -> bool:
        """Return whether it must run (``now`` in epoch seconds)."""
        return self._latest(self.start, now) > self._latest(self.stop, now)

    def _latest(self, week: Week, now: float) -> float:
        """Return the latest past time of a week, in epoch seconds."""
        today = datetime.fromtimestamp(now, self.time_zone).date()
        days = (today - timedelta(days=back) for back in range(_LOOKS_BACK))
        return max(moment for day in days for moment in self._moments(week, day) if moment <= now)

    def _moments(self, week: Week, day: date) -> Iterator[float]:
        """Yield the times of a day: skip DST gaps; take the first of an ambiguous time.

        The date counts, too: the clocks in Apia once skipped a day, 30 December 2011.

        Source: "Schedule types in EventBridge Scheduler", User Guide, daylight saving time.
        """
        times = (each for weekday, each in week if weekday == day.weekday())
        for each in times:
            asked = datetime.combine(day, each, self.time_zone)
            moment = asked.timestamp()
            if datetime.fromtimestamp(moment, self.time_zone) == asked:
                yield moment


def _week(value: object) -> Week:
    if not isinstance(value, list) or not value:
        raise ValueError
    return frozenset(_time(p.text(one)) for one in value)


def _time(text: str) -> tuple[int, time]:
    if not (match := _TIME.fullmatch(text)):
        raise ValueError
    return v.DAYS.index(match[1]), time(int(match[2]), int(match[3]))


def _time_zone(value: object) -> tzinfo:
    from zoneinfo import ZoneInfo  # most recommenders have no hours

    return ZoneInfo(p.text(value))


_TIMES: Final = p.Reader(_week, "a list of times of the week such as MON 07:00")
_MEMBERS: Final = {
    v.START: _TIMES,
    v.STOP: _TIMES,
    v.TIME_ZONE: p.Reader(_time_zone, "the name of a time zone that this runtime knows"),
}
