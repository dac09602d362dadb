"""The time that a request has, and how long what is seen is doubted (pure).

Source of the limits: ``ServiceTimeout`` of ``AWS::CloudFormation::CustomResource``, Template
Reference: one request has 3600 seconds at most.
"""

import math
from dataclasses import dataclass
from typing import Final

REQUEST_SECONDS: Final = 3600.0
"""When CloudFormation gives up on a request; nobody reads an answer after that."""

GRACE_SECONDS: Final = 120.0
"""How long the service may take to show what it accepted, and IAM to apply a new role's policy."""

CONFIRM_SECONDS: Final = 6.0
"""What would end a wait is looked at again before it is believed: reads may be stale."""

MAX_POLLS: Final = 2000
"""An execution has 25,000 events in its history, and a poll makes nine of them, three more each
time that it is tried again ("Quotas", Step Functions Developer Guide)."""


@dataclass(frozen=True)
class Timing:
    """The time of one request at one look; all times in epoch seconds.

    Attributes:
        sent: when CloudFormation made the request.
        begun: when a function saw it first.
        now: the time of this look.
        wait_seconds: how long the request may wait after it was sent.
    """

    sent: float
    begun: float
    now: float
    wait_seconds: float

    @property
    def waited(self) -> float:
        """Seconds since the request was sent."""
        return self.now - self.sent

    @property
    def left(self) -> float:
        """Seconds until the request's time is up."""
        return max(0.0, self.wait_seconds - self.waited)

    @property
    def is_up(self) -> bool:
        """Whether the request's time is up."""
        return self.waited >= self.wait_seconds

    @property
    def may_doubt(self) -> bool:
        """Whether there is time for another look at what would end the wait.

        The last look comes when the time is up; a doubt that has no end by then has none.
        """
        return self.waited < self.wait_seconds + CONFIRM_SECONDS

    @property
    def grace_is_over(self) -> bool:
        """Whether what was accepted just before this request should have shown by now."""
        return self.now - self.begun >= GRACE_SECONDS

    @property
    def may_show_late(self) -> bool:
        """Whether what was changed just before this request need not show yet."""
        return not self.grace_is_over and not self.is_up

    def next_poll(self, interval: float, *, share: float = 1.0) -> int:
        """Return how many seconds to wait: a share of the interval, but not past the deadline."""
        longest = max(interval, self.wait_seconds / MAX_POLLS)
        return max(1, math.ceil(min(longest * share, self.left)))
