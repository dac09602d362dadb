"""The time limit of a request, and the time for which an observation must last (pure).

Source of the limits: ``ServiceTimeout`` of ``AWS::CloudFormation::CustomResource``, Template
Reference: one request has 3600 seconds at most.
"""

import math
from dataclasses import dataclass
from typing import Final

REQUEST_SECONDS: Final = 3600.0
"""After this time CloudFormation gives up on a request, and reads no answer."""

GRACE_SECONDS: Final = 120.0
"""The time in which the service must show an accepted change, and IAM must apply a policy."""

CONFIRM_SECONDS: Final = 6.0
"""The time for which reads may be stale; a verdict that ends a request must show so long."""

MAX_POLLS: Final = 2000
"""An execution's history can have 25,000 events. A poll makes nine, and three more at each retry
("Quotas", Step Functions Developer Guide)."""


@dataclass(frozen=True)
class Timing:
    """The time of one request at one attempt; all times in epoch seconds.

    Attributes:
        sent: the time CloudFormation made the request.
        begun: the time a function saw it first.
        now: the time of this attempt.
        wait_seconds: seconds that the request may wait after it was sent.
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
        """Whether there is time to confirm the verdict that would end the request.

        The last attempt comes when the time is up. Soon after that, the time to confirm ends.
        """
        return self.waited < self.wait_seconds + CONFIRM_SECONDS

    @property
    def may_show_late(self) -> bool:
        """Whether a change made just before this request may not show yet."""
        return self.now - self.begun < GRACE_SECONDS and not self.is_up

    def next_poll(self, interval: float, *, share: float = 1.0) -> int:
        """Return the seconds to wait: a share of the interval, but not past the deadline."""
        longest = max(interval, self.wait_seconds / MAX_POLLS)
        return max(1, math.ceil(min(longest * share, self.remaining)))
