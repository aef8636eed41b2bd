"""Begins requests no faster than their answers are taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sized

from .flow_control import FlowController
from .stream import Stream

# Requests that run while the client has more answers waiting than it takes.
_CALM = 16
# Requests that are begun in one round of the event loop: only the next one shows whether their answers are taken.
_ROUND = 64


class RequestQueue:
    """Holds requests back whose answers nobody would take now.

    Args:
        outbox: says whether answers are taken.
        running: the requests that are not answered yet, with those that are held.
        on_empty: called when no request is held any more.
    """

    def __init__(self, outbox: FlowController, running: Sized, on_empty: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._outbox = outbox
        self._running = running
        self._on_empty = on_empty
        # The requests, each with its last part.
        self._held: deque[tuple[Stream, bytes]] = deque()
        self._begun = 0

    def __len__(self) -> int:
        """How many requests are held."""
        return len(self._held)

    def pass_on(self, stream: Stream, last: bytes) -> None:
        """Begin a request that has arrived, now or later.

        Args:
            stream: the request.
            last: its last part.
        """
        if self._held or self._outbox.full or self._crowded():
            self._held.append((stream, last))
        else:
            stream.exchange.data(last, True)

    def release(self) -> None:
        """Begin what is held, as far as the client takes its answers now."""
        while self._held and not self._outbox.full and len(self._running) - len(self._held) < _CALM:
            self._begin()
        if not self._held:
            self._on_empty()

    def _crowded(self) -> bool:
        """Count a request that is to begin; whether there were enough of them in this round."""
        if not self._begun:
            self._loop.call_soon(self._next_round)
        self._begun += 1
        return self._begun > _ROUND

    def _next_round(self) -> None:
        self._begun = 0
        if not self._held:
            return
        while self._held and not self._outbox.full and not self._crowded():
            self._begin()
        self.release()

    def _begin(self) -> None:
        stream, last = self._held.popleft()
        if not stream.gone:
            stream.exchange.data(last, True)
