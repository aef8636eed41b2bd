"""When did bytes arrive? Later than they were sent, when the event loop stood still in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_BEAT = 1.0


class ArrivalClock:
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
        # The last time without a beat: from when, and until when.
        self._stall = (self._last, self._last)
        self._timer = self._loop.call_later(_BEAT, self._beat)

    def arrival(self) -> float:
        """The earliest arrival of bytes that are read now, in the loop's time."""
        now = self._loop.time()
        if now - self._last > 2 * _BEAT:
            return self._last
        # The beat may run before the reads of the same round of the loop.
        start, end = self._stall
        return start if now - end < _BEAT / 10 else now

    def stop(self) -> None:
        """End the beat."""
        self._timer.cancel()

    def _beat(self) -> None:
        now = self._loop.time()
        if now - self._last > 2 * _BEAT:
            self._stall = (self._last, now)
        self._last = now
        self._timer = self._loop.call_later(_BEAT, self._beat)
        self._on_beat(now)
