"""The time of a request: when the next poll comes, and when its time is up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.recommender.model.timing import GRACE_SECONDS, MAX_POLLS, REQUEST_SECONDS, Timing

SENT = 1_767_225_600.0
WAITS = st.floats(0.0, REQUEST_SECONDS)
DELAYS = st.floats(0.0, 600.0)
INTERVALS = st.floats(0.001, 600.0)
SHARES = st.floats(0.0, 1.0, exclude_min=True)


def timing(*, waited: float, begun: float = 0.0, wait_seconds: float = 3300.0) -> Timing:
    """Return the time of a request so many seconds after it was sent."""
    return Timing(SENT, SENT + begun, SENT + waited, wait_seconds)


WAITED: dict[str, tuple[Timing, float, bool]] = {
    "at once": (timing(waited=0.0), 3300.0, False),
    "just before": (timing(waited=3299.5), 0.5, False),
    "when the time is up": (timing(waited=3300.0), 0.0, True),
    "later": (timing(waited=4000.0), 0.0, True),
    "delivered late": (timing(waited=600.0, begun=600.0), 2700.0, False),
    "no time at all": (timing(waited=0.0, wait_seconds=0.0), 0.0, True),
}


@pytest.mark.parametrize("row", WAITED)
def test_remaining_time_counts_from_when_the_request_was_sent(row: str) -> None:
    now, remaining, is_up = WAITED[row]

    assert now.remaining == remaining
    assert now.is_up is is_up


LATE: dict[str, tuple[Timing, bool]] = {
    "at once": (timing(waited=0.0), True),
    "just before": (timing(waited=GRACE_SECONDS - 0.5), True),
    "when it is over": (timing(waited=GRACE_SECONDS), False),
    "delivered late, at once": (timing(waited=300.0, begun=300.0), True),
    "delivered late, when it is over": (timing(waited=420.0, begun=300.0), False),
    "a request that waits for less": (timing(waited=30.0, wait_seconds=30.0), False),
}


@pytest.mark.parametrize("row", LATE)
def test_earlier_change_may_show_late_for_the_grace_period_after_the_request_was_begun(
    row: str,
) -> None:
    now, may_show_late = LATE[row]

    assert now.may_show_late is may_show_late


@given(WAITS, DELAYS, st.floats(0.0, 4000.0), INTERVALS, SHARES)
def test_next_poll_is_never_at_once_and_never_long_after_the_deadline(
    wait_seconds: float, begun: float, since: float, interval: float, share: float
) -> None:
    now = timing(waited=begun + since, begun=begun, wait_seconds=wait_seconds)

    pause = now.next_poll(interval, share=share)

    assert isinstance(pause, int)
    assert pause >= 1
    assert pause <= now.remaining + 1
    assert pause <= max(interval, wait_seconds / MAX_POLLS) * share + 1


@given(WAITS, DELAYS, INTERVALS, SHARES)
def test_wait_has_a_limited_number_of_polls(
    wait_seconds: float, begun: float, interval: float, share: float
) -> None:
    now, polls = begun, 0
    while now < wait_seconds:
        at = timing(waited=now, begun=begun, wait_seconds=wait_seconds)
        now += at.next_poll(interval, share=1.0 if polls else share)
        polls += 1

    assert polls <= MAX_POLLS


def test_polls_are_an_interval_apart() -> None:
    assert timing(waited=0.0).next_poll(60.0) == 60
    assert timing(waited=0.0).next_poll(60.0, share=0.25) == 15
    assert timing(waited=3290.0).next_poll(60.0) == 10
    assert timing(waited=0.0).next_poll(0.5) == 2
    assert timing(waited=0.0, wait_seconds=60.0).next_poll(0.5) == 1
