"""Deadlines of calls, and a monitor of event loop stalls, by which what came in time is not taken for late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ..errors import PlugsmithError

T = TypeVar("T")

_TICK_SECONDS = 1.0
_STALL_SECONDS = 2 * _TICK_SECONDS
# The tick may run before the reads of the same round of the loop, and those of new connections come a round later.
_READ_ROUNDS = 3


class DeadlineExceededError(PlugsmithError):
    """A call took longer than its limit."""


class Deadlines:
    """Limits calls that all have the same time, with one timer: a timer for each costs more than the call.

    Made for the event loop that runs now.

    Args:
        limit: seconds that a call may take.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        # To ask for the running loop is a call of the system, too much for each call.
        self._loop = asyncio.get_running_loop()
        # The ends of calls by their tasks, in the order of both, and the tasks that were cancelled at theirs.
        self._running: dict[asyncio.Task[Any], float] = {}
        self._expired: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, call: Awaitable[T]) -> T:
        """Wait for a call, and cancel it at the end of its time.

        Args:
            call: what to wait for, in the current task.

        Raises:
            DeadlineExceededError: it was not done in time, or blocked the event loop for longer than its time.
        """
        loop = self._loop
        task = asyncio.current_task(loop)
        assert task is not None
        if task in self._running:
            # A call within a call: the outer one's time ends first.
            return await call
        end = loop.time() + self.limit
        cancelling = task.cancelling()
        self._running[task] = end
        if self._timer is None:
            self._timer = loop.call_at(end, self._expire)
        try:
            result = await call
        except BaseException:
            if self._taken_back(task, cancelling):
                raise DeadlineExceededError from None
            raise
        finally:
            self._running.pop(task, None)
        # A call that blocks the event loop cannot be interrupted; its answer is late all the same.
        if self._taken_back(task, cancelling) or loop.time() >= end:
            raise DeadlineExceededError
        return result

    def _expire(self) -> None:
        now = self._loop.time()
        self._timer = None
        for task, end in list(self._running.items()):
            if end > now:
                self._timer = self._loop.call_at(end, self._expire)
                break
            del self._running[task]
            self._expired.add(task)
            task.cancel()

    def _taken_back(self, task: asyncio.Task[Any], cancelling: int) -> bool:
        """Whether a call was cancelled here and by nobody else, as asyncio.timeout does; the cancellation is over."""
        if task not in self._expired:
            return False
        self._expired.discard(task)
        return task.uncancel() <= cancelling


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
