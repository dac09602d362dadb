"""The time that a request has, and how long an observation must last to be believed (pure).

Source of the limits: ``ServiceTimeout`` of ``AWS::CloudFormation::CustomResource``, Template
Reference: one request has 3600 seconds at most.
"""

import math
from dataclasses import dataclass
from typing import Final

REQUEST_SECONDS: Final = 3600.0
"""When CloudFormation gives up on a request; nobody reads an answer after that."""

GRACE_SECONDS: Final = 120.0
"""How long the service may take to show a change that it accepted, and IAM to apply a policy."""

CONFIRM_SECONDS: Final = 6.0
"""How long a stale read may last: so long, what would end a request must show to be believed."""

MAX_POLLS: Final = 2000
"""An execution has 25,000 events in its history, and a poll makes nine of them, three more each
time that it is tried again ("Quotas", Step Functions Developer Guide)."""


@dataclass(frozen=True)
class Timing:
    """The time of one request at one attempt; all times in epoch seconds.

    Attributes:
        sent: when CloudFormation made the request.
        begun: when a function saw it first.
        now: the time of this attempt.
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
    def remaining(self) -> float:
        """Seconds until the request's time is up."""
        return max(0.0, self.wait_seconds - self.waited)

    @property
    def is_up(self) -> bool:
        """Whether the request's time is up."""
        return self.waited >= self.wait_seconds

    @property
    def may_confirm(self) -> bool:
        """Whether there is time to see once more what would end the request.

        The last attempt comes when the time is up. What is not confirmed soon after, never is.
        """
        return self.waited < self.wait_seconds + CONFIRM_SECONDS

    @property
    def may_show_late(self) -> bool:
        """Whether a change made just before this request need not show yet."""
        return self.now - self.begun < GRACE_SECONDS and not self.is_up

    def next_poll(self, interval: float, *, share: float = 1.0) -> int:
        """Return how many seconds to wait: a share of the interval, but not past the deadline."""
        longest = max(interval, self.wait_seconds / MAX_POLLS)
        return max(1, math.ceil(min(longest * share, self.remaining)))
