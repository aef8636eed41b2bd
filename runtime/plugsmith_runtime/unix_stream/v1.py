"""Version 1 of the protocol: requests are answered one after the other, strictly in order."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from google.protobuf.message import DecodeError

from ..net.loop_stall import LoopStallMonitor
from .connection import Connection, Limits
from .length_prefix import HEADER, FrameTooLongError

logger = logging.getLogger(__name__)

_READ_AHEAD = 64 * 1024
_JUST_AFTER = 0.1


class SerialConnection(Connection):
    """Reads requests, has them answered one after the other, and writes the answers.

    Args:
        answer: has a request answered: it hands the answer over to be sent, and says whether the connection may go on;
            raises DecodeError when it cannot read the request.
        clock: knows when bytes arrived.
        limits: what the connection may ask for.
        on_lost: told when the connection is gone.
    """

    def __init__(
        self,
        answer: Callable[[bytes, Callable[[bytes], None]], Awaitable[bool]],
        clock: LoopStallMonitor,
        limits: Limits,
        on_lost: Callable[[Connection], None],
    ) -> None:
        super().__init__(limits, on_lost)
        self._answer = answer
        self._clock = clock
        self._requests: deque[tuple[float, bytes]] = deque()
        self._waiting = 0
        # The last time in which nothing was read: from when, and until when.
        self._pause = (0.0, 0.0)
        self._request_came: asyncio.Future[None] | None = None
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
        """See asyncio.Protocol: nobody is left to answer, so the hook in flight is cancelled."""
        self._task.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        now = self._loop.time()
        arrived = self._clock.arrival(now)
        # What is read just after a pause may have come during it.
        paused, resumed = self._pause
        if now - resumed < _JUST_AFTER:
            arrived = min(arrived, paused)
        try:
            requests = self._feed(data, now)
        except FrameTooLongError as error:
            self._refuse(f"{error}, at most {self._limits.frame} are read")
            return
        for request in requests:
            self._requests.append((arrived, request))
            self._waiting += HEADER + len(request)
        if requests:
            self._wake()
            if self._waiting > _READ_AHEAD:
                self._stop_reading()

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
                self._request_came = self._loop.create_future()
                await self._request_came
            arrived, request = self._requests.popleft()
            self._waiting -= HEADER + len(request)
            if self._unread and self._waiting <= _READ_AHEAD:
                self._pause = (self._unread, self._loop.time())
                self._go_on_reading()
            if not await self._serve(arrived, request):
                return
            if not self._can_write.is_set():
                await self._can_write.wait()

    async def _serve(self, arrived: float, request: bytes) -> bool:
        """Answer one request; False when that ended the connection."""
        self._deadline = arrived + self._limits.late
        if self._is_late():
            return False
        self._answering = True
        try:
            go_on = await self._answer(request, self._reply)
        except DecodeError:
            self._refuse(f"a message of {len(request)} bytes that cannot be parsed")
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

    def _reply(self, message: bytes) -> None:
        if not self._is_late():
            self._send(message, more=bool(self._requests))

    def _is_late(self) -> bool:
        """Whether the current answer must not be sent any more; the connection is closed then."""
        self._active = self._loop.time()
        if self._active < self._deadline:
            return False
        logger.error(
            "unix: an answer was ready only %.1f s after its call; the connection is closed, since the caller "
            "could take it for the answer to its next call",
            self._active - self._deadline + self._limits.late,
        )
        self._transport.abort()
        return True

    def _wake(self) -> None:
        if self._request_came is not None and not self._request_came.done():
            self._request_came.set_result(None)
