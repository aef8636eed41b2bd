"""One connection of the Unix socket: frames in, frames out, strictly in order."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

from google.protobuf.message import DecodeError

from .arrival import ArrivalClock

logger = logging.getLogger(__name__)

_HEADER = 4
_READ_AHEAD = 64 * 1024
_JUST_AFTER = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may ask for.

    Attributes:
        frame: the longest message that is read, in bytes.
        late: seconds after which an answer must not be sent any more, because the caller may have given up and would
            take it for the answer to its next call.
    """

    frame: int
    late: float


class UnixConnection(asyncio.Protocol):
    """Reads requests, has them answered one after the other, and writes the answers.

    Args:
        answer: turns a request into its answer, and says whether the connection may go on; raises DecodeError when it
            cannot read the request.
        limits: what the connection may ask for.
        clock: knows when bytes arrived.
        on_lost: told when the connection is gone.
    """

    def __init__(
        self,
        answer: Callable[[bytes], Awaitable[tuple[bytes, bool]]],
        limits: Limits,
        clock: ArrivalClock,
        on_lost: Callable[[UnixConnection], None],
    ) -> None:
        self._answer = answer
        self._limits = limits
        self._clock = clock
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._frames: deque[tuple[float, bytes]] = deque()
        self._waiting = 0
        self._paused = 0.0
        # The last time in which nothing was read: from when, and until when.
        self._unread = (0.0, 0.0)
        self._frame_came: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._answering = False
        self._draining = False
        self._active = self._loop.time()
        self._transport: asyncio.Transport
        self._task: asyncio.Task[None]

    def idle_since(self) -> float:
        """The last moment at which something happened; now, while a call is in flight."""
        return self._loop.time() if self._answering else self._active

    def drain(self) -> None:
        """Answer what has been received, then close."""
        self._draining = True
        self._wake()

    def abort(self) -> None:
        """Close at once."""
        self._task.cancel()
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)
        self._task = self._loop.create_task(self._run())

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol: nobody is left to answer, so the hook in flight is cancelled."""
        self._task.cancel()
        self._on_lost(self)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        arrived = self._clock.arrival()
        # What is read just after a pause may have come during it.
        paused, resumed = self._unread
        if self._loop.time() - resumed < _JUST_AFTER:
            arrived = min(arrived, paused)
        source: bytes | bytearray = data
        if self._buffer:
            self._buffer += data
            source = self._buffer
        start = 0
        while len(source) - start >= _HEADER:
            size = int.from_bytes(source[start : start + _HEADER], "big")
            if size > self._limits.frame:
                self._refuse(f"a message of {size} bytes, at most {self._limits.frame} are read")
                return
            end = start + _HEADER + size
            if end > len(source):
                break
            self._frames.append((arrived, bytes(source[start + _HEADER : end])))
            self._waiting += _HEADER + size
            start = end
        if source is data:
            self._buffer += data[start:] if start else data
        else:
            del self._buffer[:start]
        if self._frames:
            self._active = self._loop.time()
            self._wake()
            if self._waiting > _READ_AHEAD and not self._paused:
                self._paused = self._active
                self._transport.pause_reading()

    def eof_received(self) -> bool:
        """See asyncio.Protocol: a client that only stopped sending still gets its answers."""
        self.drain()
        return True

    def pause_writing(self) -> None:
        """See asyncio.Protocol: the client does not read; no further call is begun."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    async def _run(self) -> None:
        while True:
            while not self._frames:
                if self._draining:
                    self._transport.close()
                    return
                self._frame_came = self._loop.create_future()
                await self._frame_came
            arrived, frame = self._frames.popleft()
            self._waiting -= _HEADER + len(frame)
            if self._waiting <= _READ_AHEAD and self._paused:
                self._unread = (self._paused, self._loop.time())
                self._paused = 0.0
                self._transport.resume_reading()
            if not await self._serve(arrived, frame):
                return
            if self._writable is not None:
                await self._writable

    async def _serve(self, arrived: float, frame: bytes) -> bool:
        """Answer one request; False when that ended the connection."""
        deadline = arrived + self._limits.late
        self._answering = True
        try:
            reply, go_on = await self._answer(frame) if self._loop.time() < deadline else (b"", False)
        except DecodeError:
            self._refuse(f"a message of {len(frame)} bytes that cannot be parsed")
            return False
        except Exception:
            logger.exception("unix: a call failed inside the server; its connection is closed")
            self._transport.abort()
            return False
        finally:
            self._answering = False
        self._active = self._loop.time()
        if self._active >= deadline:
            logger.error(
                "unix: an answer was ready only %.1f s after its call; the connection is closed, since the caller "
                "could take it for the answer to its next call",
                self._active - arrived,
            )
            self._transport.abort()
            return False
        self._transport.write(len(reply).to_bytes(_HEADER, "big") + reply)
        if not go_on:
            self._transport.close()
        return go_on

    def _wake(self) -> None:
        if self._frame_came is not None and not self._frame_came.done():
            self._frame_came.set_result(None)

    def _refuse(self, reason: str) -> None:
        logger.warning("unix: closing a connection that sent %s", reason)
        self._frames.clear()
        self._buffer.clear()
        self._transport.abort()
