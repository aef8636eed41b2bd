"""Exponential backoff: how long to wait before something that failed is tried again."""

from __future__ import annotations

import random


class Backoff:
    """Delays that double from attempt to attempt, up to a maximum.

    Args:
        initial_seconds: the first delay.
        maximum_seconds: the longest delay.
        jitter: the share of each delay that is left to chance, from 0 to 1, so that many clients do not come back all
            at once.
    """

    def __init__(self, initial_seconds: float, maximum_seconds: float, jitter: float = 0.0) -> None:
        self._initial = initial_seconds
        self._maximum = maximum_seconds
        self._jitter = jitter
        self._next = initial_seconds

    def next_delay(self) -> float:
        """The seconds to wait before the next attempt."""
        delay = self._next
        self._next = min(2 * delay, self._maximum)
        return random.uniform((1 - self._jitter) * delay, delay) if self._jitter else delay

    def reset(self) -> None:
        """Begin again with the first delay, after a success."""
        self._next = self._initial
