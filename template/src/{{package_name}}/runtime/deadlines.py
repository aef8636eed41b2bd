"""The time limit of hooks: one timer for all calls of a plugin, since one for each call costs more than the call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Overrun(Exception):
    """A call took longer than its limit."""


class Deadlines:
    """Limits calls that all have the same time.

    Args:
        limit: seconds that a call may take.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        # In the order of their ends, which is that of their beginnings.
        self._running: dict[_Deadline, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, call: Awaitable[T]) -> T:
        """Wait for a call, and cancel it at the end of its time.

        Args:
            call: what to wait for, in the current task.

        Raises:
            Overrun: it was not done in time, or blocked the event loop for longer than its time.
        """
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        deadline = _Deadline(task, loop.time() + self.limit)
        self._running[deadline] = None
        if self._timer is None:
            self._timer = loop.call_at(deadline.when, self._expire, loop)
        try:
            result = await call
        except BaseException:
            if deadline.taken_back():
                raise Overrun from None
            raise
        finally:
            self._running.pop(deadline, None)
        # A call that blocks the event loop cannot be interrupted; its answer is late all the same.
        if deadline.taken_back() or loop.time() >= deadline.when:
            raise Overrun
        return result

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self._timer = None
        for deadline in list(self._running):
            if deadline.when > now:
                self._timer = loop.call_at(deadline.when, self._expire, loop)
                break
            del self._running[deadline]
            deadline.expire()


class _Deadline:
    """The end of one call's time; knows its cancellation from those of others, as asyncio.timeout does."""

    __slots__ = ("_cancelling", "_expired", "_task", "when")

    def __init__(self, task: asyncio.Task[object], when: float) -> None:
        self._task = task
        self._cancelling = task.cancelling()
        self._expired = False
        self.when = when

    def expire(self) -> None:
        """Cancel the call."""
        self._expired = True
        self._task.cancel()

    def taken_back(self) -> bool:
        """Whether the call was cancelled here and by nobody else; takes the cancellation back."""
        return self._expired and self._task.uncancel() <= self._cancelling
