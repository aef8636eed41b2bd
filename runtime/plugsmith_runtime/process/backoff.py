"""How long to wait before a worker that died is started again."""

from __future__ import annotations

FIRST = 0.1
LONGEST = 30.0
HEALTHY = 30.0


class Backoff:
    """Waits longer after each death, and forgets them once a worker has served for some time. Times in seconds."""

    def __init__(self) -> None:
        self._next = FIRST

    def delay(self, served: float) -> float:
        """The time to wait now.

        Args:
            served: how long the worker that died had answered calls.
        """
        if served >= HEALTHY:
            self._next = FIRST
        delay = self._next
        self._next = min(2 * delay, LONGEST)
        return delay
