"""HTTP/2 streams (RFC 9113, section 5): the state of one, and the events that its handler receives."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from ..errors import PlugsmithError
from .hpack import Fields

_SENDS_PER_TURN = 32
"""Sends that take no waiting before the event loop has a turn."""


class StreamResetError(PlugsmithError, ConnectionError):
    """A stream ended before its time: it was reset, or its connection is gone.

    Args:
        reason: what happened.
        code: the error code of RST_STREAM, None when the connection is gone.
        processed: False when the peer has certainly not acted on the request, so that it may be sent again.
    """

    def __init__(self, reason: str, code: int | None = None, processed: bool = True) -> None:
        super().__init__(reason)
        self.code = code
        self.processed = processed


class StreamHandler(Protocol):
    """Receiver of one stream's events.

    A server's handler is made by `ConnectionHandler.on_request`, when the first fields have come already. What a
    handler has received of the body it gives back with `Stream.acknowledge` as soon as it can take as much again.
    """

    def on_headers(self, fields: Fields, ended: bool) -> None:
        """Fields came: those of a response, or trailers."""

    def on_data(self, data: bytes, ended: bool) -> None:
        """A part of the body came, perhaps an empty one; `ended` with the last."""

    def on_timeout(self) -> None:
        """The request did not arrive in time (servers only)."""

    def on_reset(self, error: StreamResetError) -> None:
        """The peer reset the stream, or its connection is gone. On a server `Stream.close` must follow."""


class StreamSender(Protocol):
    """Flow control of a stream's connection, as far as the stream needs it."""

    def send(self, stream: Stream, headers: bytes, data: bytes, closing: bytes) -> None:
        """See `Stream.send`."""


class StreamOwner(Protocol):
    """Connection of a stream, as far as the stream needs it."""

    info: Any
    """What the connection's handler keeps with it."""

    @property
    def flow(self) -> StreamSender:
        """Sends within the peer's windows."""

    def acknowledge(self, stream: Stream, size: int) -> None:
        """See `Stream.acknowledge`."""

    def close_stream(self, stream: Stream) -> None:
        """See `Stream.close`."""

    def reset_stream(self, stream: Stream, code: int) -> None:
        """See `Stream.reset`."""


class Stream:
    """One stream of a connection.

    Args:
        connection: its connection.
        stream_id: its identifier there.
        send_window: bytes that the peer takes at once.
        recv_window: bytes that the peer may send at once.
        opened_at: when its first frame came or went, in the event loop's time.

    Attributes:
        handler: receives its events.
        remote_closed: whether the peer has ended its side.
        local_closed: whether this side has sent its last frame.
        closed: whether nothing is to be sent any more.
        unacknowledged: bytes that the handler has given back and no WINDOW_UPDATE has told yet.
        unsent: data that the peer's windows hold back.
        closing: the frames after those.
    """

    __slots__ = (
        "_drained", "_sends", "closed", "closing", "connection", "handler", "local_closed", "opened_at", "recv_window",
        "remote_closed", "send_window", "stream_id", "unacknowledged", "unsent",
    )  # fmt: skip

    handler: StreamHandler

    def __init__(
        self, connection: StreamOwner, stream_id: int, send_window: int, recv_window: int, opened_at: float
    ) -> None:
        self.connection = connection
        self.stream_id = stream_id
        self.send_window = send_window
        self.recv_window = recv_window
        self.opened_at = opened_at
        self.remote_closed = False
        self.local_closed = False
        self.closed = False
        self.unacknowledged = 0
        self.unsent: bytearray | None = None
        self.closing = b""
        self._sends = 0
        self._drained: asyncio.Future[None] | None = None

    def send(self, headers: bytes, data: bytes, closing: bytes) -> None:
        """Send a part of a message as soon as the peer's windows allow.

        Args:
            headers: whole frames that go before the data.
            data: content of DATA frames.
            closing: whole frames that go after it and end this side; empty when more will come.
        """
        if not self.closed:
            self.connection.flow.send(self, headers, data, closing)

    def acknowledge(self, size: int) -> None:
        """Give back so many received bytes: the peer may send as many more."""
        if not (self.remote_closed or self.closed):
            self.connection.acknowledge(self, size)

    async def drained(self) -> None:
        """Wait until the peer has taken what was sent; others have their turn now and then even if it has."""
        if self.unsent and not self.closed:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained
            self._sends = 0
        elif self._sends == _SENDS_PER_TURN:
            self._sends = 0
            await asyncio.sleep(0)
        else:
            self._sends += 1

    def on_drained(self) -> None:
        """Wake `drained`."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def reset(self, code: int) -> None:
        """Send RST_STREAM and forget the stream, unless it is over."""
        if not self.closed:
            self.connection.reset_stream(self, code)

    def close(self) -> None:
        """Forget the stream; nothing is sent on it any more."""
        self.connection.close_stream(self)
