"""Exponential backoff: the delays before something that failed is tried again, and restarts of a child with them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ..errors import StartError

if TYPE_CHECKING:
    from .child import ChildProcess


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


async def keep_running(
    child: ChildProcess,
    restart: Callable[[], Awaitable[ChildProcess]],
    backoff: Backoff,
    healthy_seconds: float,
    stopping: asyncio.Event,
    on_delay: Callable[[str, float], None],
    on_exit: Callable[[ChildProcess], None] | None = None,
) -> ChildProcess | None:
    """Start a child again whenever it ends, until it is not wanted any more.

    Args:
        child: the child as it runs now.
        restart: starts it again; StartError when it cannot.
        backoff: how long to wait before.
        healthy_seconds: how long a child must have been ready for the backoff to begin anew.
        stopping: set when the child is to end for good, which somebody else brings about.
        on_delay: told why the child must be started again, and the seconds until then.
        on_exit: told of each child that has ended while it was wanted.

    Returns:
        The child that has ended for good; None when none was running by then.
    """
    while True:
        await child.ended
        if stopping.is_set():
            return child
        if on_exit:
            on_exit(child)
        if child.served_seconds >= healthy_seconds:
            backoff.reset()
        reason = f"process {child.pid} {child.exit_reason}"
        while True:
            delay = backoff.next_delay()
            on_delay(reason, delay)
            if await _is_set_within(stopping, delay):
                return None
            try:
                child = await restart()
                break
            except StartError as error:
                reason = str(error)


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
