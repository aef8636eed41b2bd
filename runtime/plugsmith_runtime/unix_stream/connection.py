"""What the connections of both versions of the protocol share: limits of size and time, and back-pressure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple, cast

from .length_prefix import HEADER, FrameBuffer

logger = logging.getLogger(__name__)

_TOGETHER = 64 * 1024


class Limits(NamedTuple):
    """What a connection may ask for.

    Attributes:
        frame: the longest message that is read, in bytes.
        late: seconds after which an answer of version 1 must not be sent any more, because the caller may have given up
            and would take it for the answer to its next call.
        idle: seconds after which a connection without calls is closed.
        read_time: seconds in which a message that has begun must arrive.
        calls: calls in flight on a connection of version 2.
    """

    frame: int
    late: float
    idle: float
    read_time: float
    calls: int


class Connection(asyncio.Protocol):
    """Reads frames and knows when it should end; the subclasses answer.

    Args:
        limits: what the connection may ask for.
        on_lost: told when the connection is gone.
    """

    def __init__(self, limits: Limits, on_lost: Callable[[Connection], None]) -> None:
        self._limits = limits
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._buffer = FrameBuffer(limits.frame)
        self._active = self._loop.time()
        # Since when a frame is incomplete, and since when the client is not read; 0 for neither.
        self._begun = 0.0
        self._unread = 0.0
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._outgoing: list[bytes] = []
        self._outgoing_size = 0
        self._transport: asyncio.Transport

    @property
    def busy(self) -> bool:
        """Whether calls are in flight."""
        return False

    def drain(self) -> None:
        """Answer what has been received, then close."""
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def close_overdue(self, now: float) -> None:
        """Close when nothing happened for too long, or when a message does not come to its end.

        Args:
            now: the loop's time.
        """
        if self._begun and not self._unread and now - self._begun > self._limits.read_time:
            logger.warning(
                "unix: closing a connection whose message did not arrive within %g s", self._limits.read_time
            )
            self.abort()
        elif not self.busy and now - self._active > self._limits.idle:
            logger.info("unix: closing a connection that was idle for %g s", self._limits.idle)
            # A client that does not read would keep a polite end waiting.
            if self._can_write.is_set() and not self._transport.is_closing():
                self.drain()
            else:
                self.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._on_lost(self)

    def pause_writing(self) -> None:
        """See asyncio.Protocol: the client does not read; no further call is begun."""
        self._can_write.clear()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self._can_write.set()

    def _feed(self, data: bytes, now: float) -> list[bytes]:
        """Take what arrived, and return the whole messages.

        Args:
            data: what arrived.
            now: the loop's time.

        Raises:
            FrameTooLongError: more would come than is read.
        """
        messages = self._buffer.feed(data)
        if messages:
            self._active = now
            self._begun = now if self._buffer.partial else 0.0
        elif not self._begun:
            self._begun = now
        return messages

    def _send(self, message: bytes, more: bool) -> None:
        """Send a message.

        Args:
            message: the message.
            more: whether others may follow at once. All go out together then: each write is a call of the system, and
                wakes the client.
        """
        if more and not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing += (len(message).to_bytes(HEADER, "big"), message)
        self._outgoing_size += len(message)
        if not more or self._outgoing_size > _TOGETHER:
            self._flush()

    def _flush(self) -> None:
        if self._outgoing:
            together = b"".join(self._outgoing)
            self._outgoing.clear()
            self._outgoing_size = 0
            if not self._transport.is_closing():
                self._transport.write(together)

    def _close(self) -> None:
        """Close once all is sent."""
        self._flush()
        self._transport.close()

    def _stop_reading(self) -> None:
        if not self._unread:
            self._unread = self._loop.time()
            self._transport.pause_reading()

    def _go_on_reading(self) -> None:
        if self._unread:
            self._unread = 0.0
            if self._begun:
                self._begun = self._loop.time()
            self._transport.resume_reading()

    def _refuse(self, reason: str) -> None:
        logger.warning("unix: closing a connection that sent %s", reason)
        self.abort()
