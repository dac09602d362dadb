"""Cron expressions of EventBridge Scheduler that are about times of the week, and no others.

Source: "Schedule types in EventBridge Scheduler", User Guide.
"""

import re
from typing import Final

from ..functions import vocabulary as v

PATTERN: Final = (
    r"cron\(([1-5]?[0-9]) (1?[0-9]|2[0-3]) (?:\* \* \?|\? \* (\*|{0}(?:[,-]{0})*)) \*\)".format(
        f"(?:{'|'.join(v.DAYS)})"
    )
)
_WEEK: Final = 7 * 24 * 60


def minutes(expression: str) -> list[int]:
    """Return a schedule's times, in minutes since Monday, 00:00, on the clock of its time zone.

    Raises:
        ValueError: it is something else.
    """
    if not (match := re.fullmatch(PATTERN, expression, re.ASCII)):
        raise ValueError(expression)
    minute, hour, days = int(match[1]), int(match[2]), _days(match[3] or "*")
    return [(day * 24 + hour) * 60 + minute for day in days]


def _days(text: str) -> list[int]:
    if text == "*":
        return list(range(len(v.DAYS)))
    found: set[int] = set()
    for part in text.split(","):
        first, *more = [v.DAYS.index(day) for day in part.split("-")]
        last = more[-1] if more else first
        if len(more) > 1 or last < first:
            raise ValueError(text)
        found |= set(range(first, last + 1))
    return sorted(found)


def documented(expression: str) -> str:
    """Rewrite an expression as EventBridge documents it: with no range that ends on SUN.

    Days are SUN-SAT, 1-7, there. Nothing is said of a range past SAT; programs that read such
    expressions fire on each of its days, never, or refuse it.
    """
    return re.sub(
        r"([A-Z]{3})-SUN", lambda each: ",".join(v.DAYS[v.DAYS.index(each[1]) :]), expression
    )


def in_words(expression: str) -> list[str]:
    """Write a schedule's times as days and hours, such as ``MON 07:00``."""
    return [f"{v.DAYS[at // 1440]} {at // 60 % 24:02}:{at % 60:02}" for at in minutes(expression)]


def days(expression: str) -> set[int]:
    """Return the days of the week on which a schedule fires, from 0 for Monday."""
    return {at // 1440 for at in minutes(expression)}


def until(expression: str, other: str) -> int:
    """Return the least number of minutes from one schedule's firing to the next of the other."""
    ends = minutes(other)
    return min((end - begin) % _WEEK for begin in minutes(expression) for end in ends)
