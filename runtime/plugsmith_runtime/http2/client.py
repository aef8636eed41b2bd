"""The client's side of an HTTP/2 connection: streams that it opens, up to the number that the server takes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from dataclasses import dataclass
from typing import Any

from ..net.connections import CoalescingWriter
from .connection import Connection
from .frames import (
    MAX_STREAM_ID,
    PREFACE,
    ErrorCode,
    ProtocolError,
    Setting,
    ping_frame,
    rst_stream_frame,
    settings_frame,
)
from .hpack import HeaderListTooLargeError
from .stream import Stream, StreamHandler, StreamResetError

_TCP_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """Options of a connection.

    Attributes:
        max_header_bytes: the largest fields of a response.
        stream_window_bytes: bytes of a response that may arrive before they are acknowledged.
        connection_window_bytes: bytes of all responses that may arrive before the server is told that there is room
            again.
        keepalive_seconds: how long a server which owes responses may be silent before it is asked for a PING, and
            again to answer it; None for ever. Many servers send clients away that ask more often than every 5 minutes.
        max_streams: streams that are opened before the connection is used up.
    """

    max_header_bytes: int = 64 * 1024
    stream_window_bytes: int = 1 << 20
    connection_window_bytes: int = 16 << 20
    keepalive_seconds: float | None = None
    max_streams: int = (MAX_STREAM_ID + 1) // 2


class ClientConnection(Connection):
    """Protocol of a connection to a server; made by `connect_tcp` or `connect_unix`.

    Args:
        options: windows, limits and keepalive.
    """

    def __init__(self, options: ClientOptions) -> None:
        super().__init__(
            options.max_header_bytes, options.stream_window_bytes, options.connection_window_bytes, expect_preface=False
        )
        self._keepalive = options.keepalive_seconds
        self._next_stream_id = 1
        self._end_stream_id = 2 * options.max_streams
        self._open = True
        self._max_concurrent_streams = 1
        self._slot_waiters: deque[asyncio.Future[None]] = deque()
        self._settings_received: asyncio.Future[None] = self._loop.create_future()
        self._last_received = self._loop.time()
        self._ping_sent = False
        self._keepalive_timer: asyncio.TimerHandle | None = None

    @classmethod
    async def connect_tcp(
        cls,
        host: str,
        port: int,
        options: ClientOptions,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> ClientConnection:
        """Connect over TCP and wait for the server's settings.

        Args:
            host: address or name.
            port: port.
            options: see the class.
            tls: the context, None for plain text.
            server_hostname: the name that the server's certificate must hold, if it is not the host.

        Raises:
            OSError: nobody listens there, TLS failed, or it is no HTTP/2 server.
        """
        name = (server_hostname or host) if tls else None
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: cls(options), host, port, ssl=tls, server_hostname=name
        )
        return await connection._ready()

    @classmethod
    async def connect_unix(cls, path: str, options: ClientOptions) -> ClientConnection:
        """Connect to a Unix socket; see `connect_tcp`."""
        _, connection = await asyncio.get_running_loop().create_unix_connection(lambda: cls(options), path)
        return await connection._ready()

    @property
    def usable(self) -> bool:
        """Whether further streams may be opened."""
        return self._open and self._next_stream_id < self._end_stream_id

    def open_stream(self, handler: StreamHandler) -> Stream | None:
        """Open a stream, if the server takes one more now.

        Args:
            handler: receives the stream's events.

        Raises:
            StreamResetError: the connection takes no more streams.
        """
        return None if self._slot_waiters and self.usable else self._open_stream(handler)

    async def wait_for_stream(self, handler: StreamHandler) -> Stream:
        """Open a stream as soon as the server takes one more; errors as in `open_stream`."""
        stream = self.open_stream(handler)
        while stream is None:
            waiter = self._loop.create_future()
            self._slot_waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.cancelled():
                    with contextlib.suppress(ValueError):
                        self._slot_waiters.remove(waiter)
                else:
                    self._wake_slot_waiter()
                raise
            stream = self._open_stream(handler)
        return stream

    def drain(self) -> None:
        """Open no more streams, and close the connection once the open ones have ended."""
        self._open = False
        self._wake_all_slot_waiters()
        self._close_if_done()

    def close(self) -> None:
        """Close the connection; open streams fail."""
        self._lose(StreamResetError("the connection was closed"))
        self._writer.flush()
        self.transport.close()

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family != socket.AF_UNIX:
            _set_tcp_options(sock)
        self._writer = CoalescingWriter(transport)
        self._connected(transport, self._writer.write)
        settings = {Setting.ENABLE_PUSH: 0, Setting.INITIAL_WINDOW_SIZE: self._stream_window_bytes}
        self._writer.write(PREFACE + settings_frame(settings) + self._window_increment())
        if self._keepalive is not None:
            self._keepalive_timer = self._loop.call_later(self._keepalive, self._check_keepalive)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._last_received = self._loop.time()
        self._ping_sent = False
        try:
            self._parser.feed(data)
        except ProtocolError as error:
            self._abort(f"the server breaks HTTP/2: {error}")

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._lose(StreamResetError("the connection was lost while the call was in flight"))

    def on_headers(self, stream_id: int, block: bytes, ended: bool) -> None:
        """See FrameHandler."""
        stream = self.streams.get(stream_id)
        if stream is None:
            self._check_opened(stream_id, "fields on")
        try:
            fields = self._decoder.decode(block)
        except HeaderListTooLargeError:
            if stream is not None:
                self.flow.write(rst_stream_frame(stream_id, ErrorCode.CANCEL))
                self._fail_stream(stream, StreamResetError("the server's header fields are too large"))
            return
        if stream is None:
            return
        stream.remote_closed = ended
        if ended:
            self._end_stream(stream)
        stream.handler.on_headers(fields, ended)

    def on_rst_stream(self, stream_id: int, code: int) -> None:
        """See FrameHandler."""
        stream = self.streams.get(stream_id)
        if stream is None:
            self._check_opened(stream_id, "a reset of")
        elif code == ErrorCode.REFUSED_STREAM:
            self._fail_stream(stream, StreamResetError("the server did not take the call", code, processed=False))
        else:
            self._fail_stream(stream, StreamResetError(f"the server reset the call (HTTP/2 error {code})", code))

    def on_goaway(self, last_stream_id: int, code: int) -> None:
        """See FrameHandler: the server takes no more streams; those above the last were not processed."""
        self._open = False
        refused = StreamResetError("the server is stopping and did not take the call", code, processed=False)
        for stream in [stream for stream_id, stream in self.streams.items() if stream_id > last_stream_id]:
            self._fail_stream(stream, refused)
        self._wake_all_slot_waiters()
        self._close_if_done()

    def on_settings(self, values: dict[int, int]) -> None:
        """See FrameHandler."""
        super().on_settings(values)
        first = not self._settings_received.done()
        if first or Setting.MAX_CONCURRENT_STREAMS in values:
            self._max_concurrent_streams = values.get(Setting.MAX_CONCURRENT_STREAMS, MAX_STREAM_ID)
        if first:
            self._settings_received.set_result(None)
        for _ in range(self._max_concurrent_streams - len(self.streams)):
            if not self._slot_waiters:
                break
            self._wake_slot_waiter()

    async def _ready(self) -> ClientConnection:
        try:
            await self._settings_received
        except BaseException:
            self.transport.abort()
            raise
        return self

    def _open_stream(self, handler: StreamHandler) -> Stream | None:
        stream_id = self._next_stream_id
        if not self._open or stream_id >= self._end_stream_id:
            raise StreamResetError("the connection was closed before the call could be sent", processed=False)
        if len(self.streams) >= self._max_concurrent_streams:
            return None
        self._next_stream_id = stream_id + 2
        stream = Stream(self, stream_id, self.flow.initial_window, self._stream_window_bytes, 0.0)
        stream.handler = handler
        self.streams[stream_id] = stream
        return stream

    def _deliver(self, stream: Stream, data: bytes, ended: bool) -> None:
        if ended:
            self._end_stream(stream)
        stream.handler.on_data(data, ended)

    def _check_opened(self, stream_id: int, what: str) -> None:
        if stream_id % 2 == 0 or stream_id >= self._next_stream_id:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, f"{what} stream {stream_id}, which was not opened")

    def _on_stream_sent(self, stream: Stream) -> None:
        stream.local_closed = True

    def _on_stream_closed(self) -> None:
        if self._slot_waiters:
            self._wake_slot_waiter()
        if not self._open:
            self._close_if_done()

    def _end_stream(self, stream: Stream) -> None:
        """The response is whole: what is left of the request is not wanted."""
        if stream.local_closed:
            self.close_stream(stream)
        else:
            self.reset_stream(stream, ErrorCode.NO_ERROR)

    def _fail_stream(self, stream: Stream, error: StreamResetError) -> None:
        self.close_stream(stream)
        stream.handler.on_reset(error)

    def _lose(self, error: StreamResetError) -> None:
        self._open = False
        if self._keepalive_timer is not None:
            self._keepalive_timer.cancel()
        if not self._settings_received.done():
            text = "the server does not speak HTTP/2, or closed the connection"
            self._settings_received.set_exception(ConnectionError(text))
        self._wake_all_slot_waiters()
        for stream in list(self.streams.values()):
            self._fail_stream(stream, error)

    def _abort(self, reason: str) -> None:
        self._lose(StreamResetError(reason))
        self.transport.abort()

    def _close_if_done(self) -> None:
        if not self.streams:
            self._writer.flush()
            self.transport.close()

    def _wake_slot_waiter(self) -> None:
        while self._slot_waiters:
            waiter = self._slot_waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _wake_all_slot_waiters(self) -> None:
        while self._slot_waiters:
            self._wake_slot_waiter()

    def _check_keepalive(self) -> None:
        """Ask a silent server that owes responses for a sign of life; without one, give the connection up."""
        assert self._keepalive is not None
        if self.streams and self._loop.time() - self._last_received >= self._keepalive:
            if self._ping_sent:
                self._abort("the server gives no sign of life")
                return
            self._ping_sent = True
            self._writer.write(ping_frame(bytes(8)))
        self._keepalive_timer = self._loop.call_later(self._keepalive, self._check_keepalive)


def _set_tcp_options(sock: socket.socket) -> None:
    """Have the kernel notice that an idle connection's other end is gone, and send small frames at once."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for name, value in _TCP_KEEPALIVE.items():
            if option := getattr(socket, name, None):
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
