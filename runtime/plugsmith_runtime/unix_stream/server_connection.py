"""A server's connection in either version: negotiation, framing, limits of size and time, and back-pressure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple, cast

from ..net.connections import CoalescingWriter
from .framing import LENGTH_BYTES, V2_PREFACE, FrameDecoder, encode_frame

logger = logging.getLogger(__name__)


class ConnectionLimits(NamedTuple):
    """What a client may ask of a connection.

    Attributes:
        frame_bytes: the longest message that is read.
        response_seconds: time after which an answer of version 1 must not be sent any more, because the caller may have
            given up and would take it for the answer to its next call.
        idle_seconds: time after which a connection without calls is closed.
        read_seconds: time in which a message that has begun must be received.
        calls: calls in flight on a connection of version 2.
    """

    frame_bytes: int
    response_seconds: float
    idle_seconds: float
    read_seconds: float
    calls: int


class ServerConnection(asyncio.Protocol):
    """Reads frames and knows when the connection should end; the subclasses answer.

    Args:
        limits: what the client may ask for.
        on_lost: called when the connection is gone.
    """

    def __init__(self, limits: ConnectionLimits, on_lost: Callable[[ServerConnection], None]) -> None:
        self._limits = limits
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._decoder = FrameDecoder(limits.frame_bytes)
        self._last_active = self._loop.time()
        # Since when a frame is incomplete, and since when reading is paused; 0 for neither.
        self._partial_since = 0.0
        self._paused_since = 0.0
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._transport: asyncio.Transport
        self._writer: CoalescingWriter

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

    def check_timeouts(self, now: float) -> None:
        """Close when nothing happened for too long, or when a message does not come to its end.

        Args:
            now: the loop's time.
        """
        limits = self._limits
        if self._partial_since and not self._paused_since and now - self._partial_since > limits.read_seconds:
            logger.warning("unix: closing a connection whose message did not arrive within %g s", limits.read_seconds)
            self.abort()
        elif not self.busy and now - self._last_active > limits.idle_seconds:
            logger.info("unix: closing a connection that was idle for %g s", limits.idle_seconds)
            # A client that does not read would delay a graceful end.
            if self._can_write.is_set() and not self._transport.is_closing():
                self.drain()
            else:
                self.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)
        self._writer = CoalescingWriter(self._transport)

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
        """Take received bytes, and return the messages that are whole now.

        Args:
            data: the bytes.
            now: the loop's time.

        Raises:
            FrameTooLongError: a message is longer than is read.
        """
        messages = self._decoder.feed(data)
        if messages:
            self._last_active = now
            self._partial_since = now if self._decoder.has_partial_frame else 0.0
        elif not self._partial_since:
            self._partial_since = now
        return messages

    def _send(self, message: bytes, more: bool) -> None:
        """Send a message.

        Args:
            message: the message.
            more: whether others may follow at once, to go out together with it.
        """
        self._writer.write(encode_frame(message), more)

    def _close(self) -> None:
        """Close once all is sent."""
        self._writer.flush()
        self._transport.close()

    def _pause_reading(self) -> None:
        if not self._paused_since:
            self._paused_since = self._loop.time()
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._paused_since:
            self._paused_since = 0.0
            if self._partial_since:
                self._partial_since = self._loop.time()
            self._transport.resume_reading()

    def _reject(self, reason: str) -> None:
        logger.warning("unix: closing a connection that sent %s", reason)
        self.abort()


class ProtocolNegotiation(ServerConnection):
    """A new connection, until its first four bytes say which version the client speaks, and another takes its place.

    Args:
        admit: whether a new connection may stay.
        upgrade: makes the connection that takes its place, given it and the version, 1 or 2.
        limits: what the client may ask for.
        on_lost: called when the connection is gone, unless it was not admitted.
    """

    def __init__(
        self,
        admit: Callable[[ServerConnection, asyncio.BaseTransport], bool],
        upgrade: Callable[[ServerConnection, int], ServerConnection],
        limits: ConnectionLimits,
        on_lost: Callable[[ServerConnection], None],
    ) -> None:
        super().__init__(limits, on_lost)
        self._admit = admit
        self._upgrade = upgrade
        self._admitted = False
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._admitted = self._admit(self, transport)
        if not self._admitted:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        if self._admitted:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if not self._admitted:
            return
        self._received += data
        if len(self._received) < LENGTH_BYTES:
            self._partial_since = self._partial_since or self._loop.time()
            return
        version = 2 if self._received.startswith(V2_PREFACE) else 1
        connection = self._upgrade(self, version)
        self._transport.set_protocol(connection)
        connection.connection_made(self._transport)
        if rest := self._received[len(V2_PREFACE) :] if version == 2 else self._received:
            connection.data_received(rest)
