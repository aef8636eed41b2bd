"""A monitor of event loop stalls: how long a hook that blocks the loop has kept bytes from being read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_TICK_SECONDS = 1.0
_STALL_SECONDS = 2 * _TICK_SECONDS
# The tick may run before the reads of the same round of the loop, and those of new connections come a round later.
_READ_ROUNDS = 3


class LoopStallMonitor:
    """Ticks once a second, and so knows since when the event loop has not run.

    Args:
        on_tick: called with the loop's time, but not by the tick that ends a stall: what clients sent meanwhile is read
            first, and has not been late.
    """

    def __init__(self, on_tick: Callable[[float], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_tick = on_tick
        self._last_tick = self._loop.time()
        # When the last stall began, as long as bytes that came during it may still be unread.
        self._stalled_since: float | None = None
        self._timer = self._loop.call_later(_TICK_SECONDS, self._tick)

    def received_at(self, now: float) -> float:
        """The earliest time at which bytes that are read now can have been received.

        Args:
            now: the loop's time, as the result is.
        """
        if now - self._last_tick > _STALL_SECONDS:
            return self._last_tick
        return now if self._stalled_since is None else self._stalled_since

    def stop(self) -> None:
        """Tick no more."""
        self._timer.cancel()

    def _tick(self) -> None:
        now = self._loop.time()
        last, self._last_tick = self._last_tick, now
        self._timer = self._loop.call_later(_TICK_SECONDS, self._tick)
        if now - last > _STALL_SECONDS:
            self._stalled_since = last
            self._end_stall(_READ_ROUNDS)
        else:
            self._on_tick(now)

    def _end_stall(self, rounds: int) -> None:
        """Forget the stall after so many rounds of the loop."""
        if rounds:
            self._loop.call_soon(self._end_stall, rounds - 1)
        else:
            self._stalled_since = None
