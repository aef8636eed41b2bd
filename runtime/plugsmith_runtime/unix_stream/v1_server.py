"""The server of version 1: a connection's requests are answered one after the other, strictly in order."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from ..errors import DecodeError
from ..net.deadlines import LoopStallMonitor
from .framing import LENGTH_BYTES, FrameTooLongError
from .server_connection import ConnectionLimits, ServerConnection

logger = logging.getLogger(__name__)

_READ_HIGH_WATER_BYTES = 64 * 1024
# What is read so soon after reading was resumed may have been received while it was paused.
_AFTER_PAUSE_SECONDS = 0.1

Send = Callable[[bytes], None]
"""Sends an answer."""


class V1Connection(ServerConnection):
    """A connection of version 1.

    Args:
        answer: answers a request: it hands the answer to the second argument as soon as it has it, and returns whether
            the connection may go on. It raises DecodeError when it cannot read the request.
        stalls: knows when bytes were received.
        limits: what the client may ask for.
        on_lost: called when the connection is gone.
    """

    def __init__(
        self,
        answer: Callable[[bytes, Send], Awaitable[bool]],
        stalls: LoopStallMonitor,
        limits: ConnectionLimits,
        on_lost: Callable[[ServerConnection], None],
    ) -> None:
        super().__init__(limits, on_lost)
        self._answer = answer
        self._stalls = stalls
        # Requests that wait, each with the time at which it was received, and their bytes.
        self._requests: deque[tuple[float, bytes]] = deque()
        self._waiting_bytes = 0
        # The last time in which nothing was read: from when, and until when.
        self._last_pause = (0.0, 0.0)
        self._next_request: asyncio.Future[None] | None = None
        self._answering = False
        # Until when the answer to the current request may be sent.
        self._deadline = 0.0
        self._draining = False
        self._task: asyncio.Task[None]

    @property
    def busy(self) -> bool:
        """Whether a call is in flight."""
        return self._answering

    def drain(self) -> None:
        """Answer what has been received, then close."""
        self._draining = True
        self._wake()

    def abort(self) -> None:
        """Close at once."""
        self._task.cancel()
        self._requests.clear()
        super().abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._task = self._loop.create_task(self._run())

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol: nobody is left to answer, so the call in flight is cancelled."""
        self._task.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        now = self._loop.time()
        received = self._stalls.received_at(now)
        paused, resumed = self._last_pause
        if now - resumed < _AFTER_PAUSE_SECONDS:
            received = min(received, paused)
        try:
            requests = self._feed(data, now)
        except FrameTooLongError as error:
            self._reject(f"{error}, at most {self._limits.frame_bytes} are read")
            return
        for request in requests:
            self._requests.append((received, request))
            self._waiting_bytes += LENGTH_BYTES + len(request)
        if requests:
            self._wake()
            if self._waiting_bytes > _READ_HIGH_WATER_BYTES:
                self._pause_reading()

    def eof_received(self) -> bool:
        """See asyncio.Protocol: a client that only stopped sending still gets its answers."""
        self.drain()
        return True

    async def _run(self) -> None:
        while True:
            while not self._requests:
                if self._draining:
                    self._close()
                    return
                self._next_request = self._loop.create_future()
                await self._next_request
            received, request = self._requests.popleft()
            self._waiting_bytes -= LENGTH_BYTES + len(request)
            if self._paused_since and self._waiting_bytes <= _READ_HIGH_WATER_BYTES:
                self._last_pause = (self._paused_since, self._loop.time())
                self._resume_reading()
            if not await self._serve(received, request):
                return
            if not self._can_write.is_set():
                await self._can_write.wait()

    async def _serve(self, received: float, request: bytes) -> bool:
        """Answer one request; False when that ended the connection."""
        self._deadline = received + self._limits.response_seconds
        if self._is_late():
            return False
        self._answering = True
        try:
            go_on = await self._answer(request, self._send_answer)
        except DecodeError:
            self._reject(f"a message of {len(request)} bytes that cannot be parsed")
            return False
        except Exception:
            logger.exception("unix: a call failed inside the server; its connection is closed")
            self._transport.abort()
            return False
        finally:
            self._answering = False
        if not go_on:
            self._close()
        return go_on and not self._transport.is_closing()

    def _send_answer(self, message: bytes) -> None:
        if not self._is_late():
            self._send(message, more=bool(self._requests))

    def _is_late(self) -> bool:
        """Whether the current answer must not be sent any more; the connection is closed then."""
        self._last_active = self._loop.time()
        if self._last_active < self._deadline:
            return False
        logger.error(
            "unix: an answer was ready only %.1f s after its call; the connection is closed, since the caller "
            "could take it for the answer to its next call",
            self._last_active - self._deadline + self._limits.response_seconds,
        )
        self._transport.abort()
        return True

    def _wake(self) -> None:
        if self._next_request is not None and not self._next_request.done():
            self._next_request.set_result(None)
