"""Admission control of a server's connection: requests begin no faster than their answers are taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sized

from .flow_control import FlowController
from .stream import Stream

MAX_WHILE_CONGESTED = 16
"""Requests that run while the client has more answers waiting than it takes."""
_REQUESTS_PER_LOOP_ITERATION = 64
"""Requests that begin in one iteration of the event loop: only the next one shows whether their answers are taken."""


class RequestQueue:
    """Queue of requests whose answers nobody would take now.

    Args:
        flow: says whether answers are taken.
        running: the requests that are not answered yet, the queued ones included.
        on_empty: called when the queue has emptied.
    """

    def __init__(self, flow: FlowController, running: Sized, on_empty: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._flow = flow
        self._running = running
        self._on_empty = on_empty
        # The requests, each with the last part of its body.
        self._queue: deque[tuple[Stream, bytes]] = deque()
        self._begun = 0

    def __len__(self) -> int:
        """How many requests are queued."""
        return len(self._queue)

    def enqueue(self, stream: Stream, data: bytes) -> None:
        """Begin a request that has arrived, now or later.

        Args:
            stream: its stream.
            data: the last part of its body.
        """
        if self._queue or self._flow.congested or self._iteration_full():
            self._queue.append((stream, data))
        else:
            stream.handler.on_data(data, True)

    def drain(self) -> None:
        """Begin queued requests as far as the client takes their answers now."""
        while self._queue and not self._flow.congested and len(self._running) - len(self._queue) < MAX_WHILE_CONGESTED:
            self._begin_first()
        if not self._queue:
            self._on_empty()

    def _iteration_full(self) -> bool:
        """Count a request that is to begin; whether this iteration of the event loop has begun enough of them."""
        if not self._begun:
            self._loop.call_soon(self._next_iteration)
        self._begun += 1
        return self._begun > _REQUESTS_PER_LOOP_ITERATION

    def _next_iteration(self) -> None:
        self._begun = 0
        if not self._queue:
            return
        while self._queue and not self._flow.congested and not self._iteration_full():
            self._begin_first()
        self.drain()

    def _begin_first(self) -> None:
        stream, data = self._queue.popleft()
        if not stream.closed:
            stream.handler.on_data(data, True)
