"""Cron expressions about times of the week: read as EventBridge Scheduler reads them, or not."""

from datetime import UTC, datetime, timedelta

import pytest
from ministack.services import eventbridge  # type: ignore[import-untyped]

from stacks.settings import weekly


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 7 ? * MON *)", ["MON 07:00"]),
        ("cron(5 20 ? * MON-WED *)", ["MON 20:05", "TUE 20:05", "WED 20:05"]),
        ("cron(59 23 ? * SUN,TUE-WED,TUE *)", ["TUE 23:59", "WED 23:59", "SUN 23:59"]),
        ("cron(0 0 ? * FRI-FRI *)", ["FRI 00:00"]),
    ],
)
def test_an_expression_is_times_of_the_week(expression: str, expected: list[str]) -> None:
    assert weekly.in_words(expression) == expected


def test_every_day_has_two_forms() -> None:
    every = [f"{day} 07:00" for day in ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")]

    assert weekly.in_words("cron(0 7 * * ? *)") == weekly.in_words("cron(0 7 ? * * *)") == every


@pytest.mark.parametrize(
    "expression",
    [
        "0 7 ? * MON *",
        "cron(0 7 ? * MON)",
        "cron(0 7 1 * ? *)",
        "cron(0 7 ? 5 MON *)",
        "cron(0 7 ? * MON 2027)",
        "cron(0 7 * * MON *)",
        "cron(0,30 7 ? * MON *)",
        "cron(0 7-9 ? * MON *)",
        "cron(0/5 7 ? * MON *)",
        "cron(60 7 ? * MON *)",
        "cron(0 24 ? * MON *)",
        "cron(00 7 ? * MON *)",
        "cron(0 7 ? * FRI-MON *)",
        "cron(0 7 ? * MON-TUE-WED *)",
        "cron(0 7 ? * MON#1 *)",
        "cron(0 7 ? * 2 *)",
        "rate(1 hour)",
        "cron(0 7 ? * MON *)\n",
        "",
    ],
)
def test_any_other_is_refused(expression: str) -> None:
    with pytest.raises(ValueError) as refusal:  # its text is what is refused
        weekly.minutes(expression)

    assert str(refusal.value) in expression


@pytest.mark.parametrize(
    ("expression", "other", "minutes"),
    [
        ("cron(0 7 ? * MON-FRI *)", "cron(0 20 ? * MON-FRI *)", 13 * 60),
        ("cron(0 20 ? * MON-FRI *)", "cron(0 7 ? * MON-FRI *)", 11 * 60),
        ("cron(0 20 ? * SUN *)", "cron(0 7 ? * MON *)", 11 * 60),
        ("cron(0 7 ? * MON *)", "cron(0 7 ? * MON *)", 0),
        ("cron(45 7 ? * TUE *)", "cron(15 9 ? * TUE *)", 90),
        ("cron(15 9 ? * TUE *)", "cron(45 7 ? * TUE *)", 7 * 24 * 60 - 90),
        ("cron(0 7 ? * MON,THU *)", "cron(30 8 ? * FRI,TUE *)", 25 * 60 + 30),
    ],
)
def test_the_time_until_the_other_one_goes_past_the_end_of_the_week(
    expression: str, other: str, minutes: int
) -> None:
    assert weekly.until(expression, other) == minutes


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("cron(0 7 ? * TUE-THU,SUN *)", {1, 2, 3, 6}),
        ("cron(59 23 ? * MON *)", {0}),
        ("cron(0 0 * * ? *)", set(range(7))),
    ],
)
def test_the_days_of_an_expression_are_those_on_which_it_fires(
    expression: str, days: set[int]
) -> None:
    assert weekly.days(expression) == days


@pytest.mark.parametrize(
    ("expression", "documented"),
    [
        ("cron(0 7 ? * SAT-SUN *)", "cron(0 7 ? * SAT,SUN *)"),
        ("cron(0 7 ? * MON,THU-SUN *)", "cron(0 7 ? * MON,THU,FRI,SAT,SUN *)"),
        ("cron(0 7 ? * SUN-SUN *)", "cron(0 7 ? * SUN *)"),
        ("cron(0 7 ? * MON-SAT *)", "cron(0 7 ? * MON-SAT *)"),
        ("cron(0 7 * * ? *)", "cron(0 7 * * ? *)"),
    ],
)
def test_a_schedule_has_no_range_past_saturday(expression: str, documented: str) -> None:
    """Days are SUN-SAT for Scheduler, whose guide says nothing of a range that ends on SUN."""
    assert weekly.documented(expression) == documented


@pytest.mark.parametrize(
    "fields",
    [
        *("0 0 * * ?", "30 7 ? * *", "59 23 ? * MON", "0 0 ? * SUN", "30 7 ? * MON-FRI"),
        *("59 23 ? * TUE,THU,SAT", "0 0 ? * SUN,TUE-WED,TUE", "30 7 ? * SAT-SUN"),
        *("59 23 ? * MON-SUN", "0 0 ? * FRI-SUN,MON", "59 23 ? * SUN-SUN"),
    ],
)
def test_a_scheduler_of_others_fires_at_the_times_that_an_expression_is_read_as(
    fields: str,
) -> None:
    """By ministack, which reads cron expressions of EventBridge without any code of ours."""
    expression = f"cron({fields} *)"
    parsed = eventbridge._parse_cron_fields(weekly.documented(expression))
    monday = datetime(2026, 1, 5, tzinfo=UTC)

    fires, at = [], monday - timedelta(minutes=1)
    while (at := eventbridge._cron_next_fire(parsed, at)) < monday + timedelta(weeks=1):
        fires.append((at - monday) // timedelta(minutes=1))

    assert fires == weekly.minutes(expression)
