"""Whether the hour wants a recommender to run, held against a clock read minute by minute."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.hours import ActiveHours
from lambdas.recommender.model.properties import BadRequestError

from ..examples import OFFICE


def at(local: str, zone: str = "Europe/Berlin") -> float:
    """Return a local time in epoch seconds."""
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("local", "runs"),
    [
        ("2026-11-25 06:59:59", False),
        ("2026-11-25 07:00:00", True),
        ("2026-11-25 19:59:59", True),
        ("2026-11-25 20:00:00", False),
        ("2026-11-29 12:00:00", False),
        ("2026-11-30 06:59:59", False),
        ("2026-11-30 07:00:00", True),
        ("2026-07-01 07:00:00", True),
    ],
)
def test_hours_run_from_a_start_to_the_next_stop(local: str, runs: bool) -> None:
    assert ActiveHours.from_template(OFFICE).run_at(at(local)) is runs


def test_hours_begin_with_the_day_of_their_own_zone() -> None:
    """On Monday at midnight in Kathmandu it is Sunday in UTC."""
    hours = ActiveHours.from_template(
        {v.START: ["MON 00:00"], v.STOP: ["SAT 00:00"], v.TIME_ZONE: "Asia/Kathmandu"}
    )

    assert hours.run_at(at("2026-06-01 00:00:00", "Asia/Kathmandu"))
    assert not hours.run_at(at("2026-06-06 00:00:00", "Asia/Kathmandu"))


def test_hours_ignore_a_time_that_the_clocks_skip() -> None:
    """In Berlin it was never 02:30 on 29 March 2026."""
    hours = ActiveHours.from_template({**OFFICE, v.START: ["SUN 02:30"], v.STOP: ["SAT 20:00"]})

    assert not hours.run_at(at("2026-03-29 12:00:00"))
    assert hours.run_at(at("2026-04-05 02:30:00"))


def test_hours_ignore_a_day_that_the_clocks_skip() -> None:
    """In Apia, Friday 30 December 2011 never was: Saturday followed Thursday."""
    hours = ActiveHours.from_template(
        {v.START: ["MON 07:00"], v.STOP: ["FRI 20:00"], v.TIME_ZONE: "Pacific/Apia"}
    )

    assert hours.run_at(at("2011-12-29 23:59:59", "Pacific/Apia"))
    assert hours.run_at(at("2011-12-31 20:00:00", "Pacific/Apia"))
    assert hours.run_at(at("2012-01-06 19:59:59", "Pacific/Apia"))
    assert not hours.run_at(at("2012-01-06 20:00:00", "Pacific/Apia"))


def test_hours_count_a_repeated_time_once() -> None:
    """In Berlin it was 02:30 twice on 25 October 2026."""
    hours = ActiveHours.from_template({**OFFICE, v.START: ["SUN 02:00"], v.STOP: ["SUN 02:30"]})
    first = at("2026-10-25 02:30:00")

    assert [hours.run_at(first + minutes * 60) for minutes in (-1, 0, 30, 60)] == [
        True,
        False,
        False,
        False,
    ]


TIMES = st.builds(
    "{} {:02}:{:02}".format, st.sampled_from(v.DAYS), st.integers(0, 23), st.integers(0, 59)
)
CHANGES = {
    "UTC": "2026-06-01T00:00",
    "Asia/Kathmandu": "2026-06-01T00:00",
    "Europe/Berlin": "2026-03-29T01:00",
    "Europe/London": "2026-10-25T01:00",
    "America/New_York": "2026-03-08T07:00",
    "Australia/Lord_Howe": "2026-10-03T15:30",
    "Pacific/Apia": "2011-12-30T10:00",
}
"""A change of each zone's clocks, in UTC, if there is one: by an hour, half an hour, a day."""

DAYS = st.integers(-1, 15).map(timedelta)
MINUTES = st.integers(-90, 90).map(lambda minutes: timedelta(minutes=minutes))


@st.composite
def near_a_change(draw: st.DrawFn) -> tuple[list[str], list[str], str, int]:
    """Draw starts, stops, a zone and a time of two weeks in which the zone's clocks change."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    change = datetime.fromisoformat(CHANGES[zone]).replace(tzinfo=UTC)
    local = change.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    times = MINUTES.map(lambda by: local + by).map(
        lambda near: f"{v.DAYS[near.weekday()]} {near:%H:%M}"
    )
    start, stop = (draw(st.lists(times | TIMES, min_size=1, max_size=3)) for _ in range(2))
    return start, stop, zone, int((change + draw(DAYS) + draw(MINUTES)).timestamp())


@settings(max_examples=100)
@given(near_a_change())
@example((["MON 07:00"], ["FRI 20:00"], "Pacific/Apia", 1_325_312_000))
def test_hours_agree_with_a_clock_that_is_read_back_minute_by_minute(
    drawn: tuple[list[str], list[str], str, int],
) -> None:
    start, stop, zone, now = drawn
    hours = ActiveHours.from_template({v.START: start, v.STOP: stop, v.TIME_ZONE: zone})

    assert hours.run_at(now) is (_latest(set(start), zone, now) > _latest(set(stop), zone, now))


def _latest(times: set[str], zone: str, now: int) -> datetime:
    """Return the last minute whose name is among the times, unless it is the second of its name."""
    clock = ZoneInfo(zone)
    minute = datetime.fromtimestamp(now, UTC).replace(second=0, microsecond=0)
    while True:
        local = minute.astimezone(clock)
        if f"{v.DAYS[local.weekday()]} {local:%H:%M}" in times and not local.fold:
            return minute
        minute -= timedelta(minutes=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {v.START: []},
        {v.START: "MON 07:00"},
        {v.START: ["MON 7:00"]},
        {v.START: ["MON 24:00"]},
        {v.START: ["MON 07:60"]},
        {v.START: ["mon 07:00"]},
        {v.START: [7]},
        {v.STOP: None},
        {v.TIME_ZONE: "Europe/Atlantis"},
        {v.TIME_ZONE: "/etc/localtime"},
        {v.TIME_ZONE: ""},
        {"Holidays": ["MON 00:00"]},
    ],
    ids=str,
)
def test_bad_hours_are_refused_by_name(wrong: dict[str, Any]) -> None:
    (name,) = wrong

    with pytest.raises(BadRequestError, match=rf"^(Unknown property |ActiveHours\.){name}: got "):
        ActiveHours.from_template({**OFFICE, **wrong})
