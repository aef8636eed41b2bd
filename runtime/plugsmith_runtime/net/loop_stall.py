"""When did bytes arrive? Later than they were sent, when the event loop stood still in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_BEAT = 1.0
_ROUNDS = 3


class LoopStallMonitor:
    """Knows the earliest moment at which bytes that are read now can have arrived.

    A hook that blocks the event loop keeps everybody's bytes waiting unseen. To count that time, a beat shows when the
    loop last ran.

    Args:
        on_beat: called about once a second.
    """

    def __init__(self, on_beat: Callable[[float], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_beat = on_beat
        self._last = self._loop.time()
        # Since when the loop stood still, while bytes that came meanwhile may still be read.
        self._stalled: float | None = None
        self._timer = self._loop.call_later(_BEAT, self._beat)

    def arrival(self, now: float) -> float:
        """The earliest arrival of bytes that are read now.

        Args:
            now: the loop's time, as the answer is.
        """
        if now - self._last > 2 * _BEAT:
            return self._last
        return now if self._stalled is None else self._stalled

    def stop(self) -> None:
        """End the beat."""
        self._timer.cancel()

    def _beat(self) -> None:
        now = self._loop.time()
        if now - self._last > 2 * _BEAT:
            # The beat may run before the reads of the same round, and those of new connections come a round later.
            self._stalled = self._last
            self._later(_ROUNDS)
        self._last = now
        self._timer = self._loop.call_later(_BEAT, self._beat)
        self._on_beat(now)

    def _later(self, rounds: int) -> None:
        if rounds:
            self._loop.call_soon(self._later, rounds - 1)
        else:
            self._stalled = None
