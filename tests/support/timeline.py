"""What is to happen when, on a virtual clock."""

import heapq
import itertools
from collections.abc import Callable

from tests.support.personalize import VirtualClock


class Timeline:
    """What is to happen when."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self._heap: list[tuple[float, int, Callable[[], object]]] = []
        self._count = itertools.count()

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Let something happen later."""
        heapq.heappush(self._heap, (self.clock.now + seconds, next(self._count), action))

    def next(self) -> float | None:
        """Return when the next thing happens, or None if nothing will."""
        return self._heap[0][0] if self._heap else None

    def step(self) -> None:
        """Let the next thing happen."""
        when, _, action = heapq.heappop(self._heap)
        self.clock.now = max(self.clock.now, when)
        action()
