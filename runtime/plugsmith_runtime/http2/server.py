"""The server's side of an HTTP/2 connection: requests go to their handlers, and nothing may take too long."""

from __future__ import annotations

import logging
import math
from typing import Any, NamedTuple, Protocol

from .connection import Connection
from .flow_control import RequestQueue
from .frames import (
    MAX_STREAM_ID,
    ErrorCode,
    ProtocolError,
    Setting,
    goaway_frame,
    ping_frame,
    rst_stream_frame,
    settings_frame,
)
from .hpack import Fields, HeaderListTooLargeError
from .stream import Stream, StreamHandler, StreamResetError

logger = logging.getLogger(__name__)

_STREAM_WINDOW_BYTES = 1 << 20
_CONNECTION_WINDOW_BYTES = 4 << 20
_DRAIN_PING = b"draining"
_LINGER_SECONDS = 1.0
"""Time in which a client must notice that its connection is over."""


class ConnectionLimits(NamedTuple):
    """Limits of one connection; times in seconds.

    Attributes:
        max_concurrent_streams: requests at the same time.
        max_header_bytes: the largest fields of a request.
        read_timeout: from the first byte of a request to its last.
        idle_timeout: without a request, or without taking any of the answers that wait.
    """

    max_concurrent_streams: int
    max_header_bytes: int
    read_timeout: float
    idle_timeout: float


class ConnectionHandler(Protocol):
    """Receiver of the connections' events: the server that they belong to."""

    limits: ConnectionLimits

    def on_connect(self, connection: ServerConnection) -> bool:
        """A client connected; whether it may."""

    def on_disconnect(self, connection: ServerConnection) -> None:
        """A connection is gone, perhaps one of a client that might not connect."""

    def on_request(self, stream: Stream, fields: Fields | None) -> StreamHandler:
        """A request has begun, with fields that are too large when they are None; its answer may be sent at once."""


class ServerConnection(Connection):
    """Protocol of one client's connection.

    Args:
        handler: the server.
    """

    _queue: RequestQueue

    def __init__(self, handler: ConnectionHandler) -> None:
        max_header_bytes = handler.limits.max_header_bytes
        super().__init__(max_header_bytes, _STREAM_WINDOW_BYTES, _CONNECTION_WINDOW_BYTES, expect_preface=True)
        self._handler = handler
        self._last_stream_id = 0
        self._closing = False
        self._deadline: float | None = None
        self._goaway_final = False
        self._idle_since = self._progress = self._loop.time()

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        self._connected(transport, transport.write)
        self._held_back = self._queue = RequestQueue(self.flow, self.streams, self._grant_credit)
        if not self._handler.on_connect(self):
            self._closing = True
            transport.abort()
            return
        limits = self._handler.limits
        settings = {
            Setting.MAX_CONCURRENT_STREAMS: limits.max_concurrent_streams,
            Setting.INITIAL_WINDOW_SIZE: _STREAM_WINDOW_BYTES,
            Setting.MAX_HEADER_LIST_SIZE: limits.max_header_bytes,
        }
        transport.write(settings_frame(settings) + self._window_increment())

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._closing = True
        self._reset_all()
        self._handler.on_disconnect(self)

    def pause_writing(self) -> None:
        """See asyncio.Protocol: a client that does not read is not read either."""
        self.flow.pause()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self._progress = self._loop.time()
        self.transport.resume_reading()
        self.flow.resume()
        self._queue.drain()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._closing:
            return
        if not self._parser.has_partial_frame:
            self._progress = self._loop.time()
        try:
            if self._parser.feed(data):
                self._progress = self._loop.time()
        except ProtocolError as error:
            self._fail(error)

    def drain(self, grace: float = math.inf) -> None:
        """Let the client finish and go elsewhere: requests that are on their way are still answered.

        Args:
            grace: seconds until the connection is cut off.
        """
        if self._deadline is not None:
            return
        if not self._parser.preface_received:
            return self.close()
        self._deadline = self._loop.time() + grace
        # The client answers the ping when it has read that it must not send any more (section 6.8).
        self.transport.write(goaway_frame(MAX_STREAM_ID, ErrorCode.NO_ERROR) + ping_frame(_DRAIN_PING))

    def close(self) -> None:
        """Send no more, and let the client close: else what it still sends destroys what it has not read."""
        self._closing = True
        unsent = self.transport.get_write_buffer_size()
        self._deadline = self._loop.time() + (self._handler.limits.read_timeout if unsent else _LINGER_SECONDS)
        self.flow.closed = True
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()

    def abort(self) -> None:
        """Close the connection at once."""
        self.transport.abort()

    def check_timeouts(self, now: float) -> None:
        """Close what takes too long; called about once a second."""
        limits = self._handler.limits
        blocked_since = self.flow.blocked_since
        if self._deadline is not None and now > self._deadline:
            self.transport.abort()
        elif self._closing:
            return
        elif blocked_since is not None:
            if now - blocked_since > limits.idle_timeout:
                logger.warning("closing a connection whose client takes no answers for %g s", limits.idle_timeout)
                self.transport.abort()
        elif self._parser.has_partial_frame and now - self._progress > limits.read_timeout:
            text = f"a frame that is not whole after {limits.read_timeout:g} s"
            self._fail(ProtocolError(ErrorCode.ENHANCE_YOUR_CALM, text))
        elif not self.streams and now - self._idle_since > limits.idle_timeout:
            self.drain(limits.read_timeout)
        else:
            latest = now - limits.read_timeout
            for stream in list(self.streams.values()):
                if not stream.remote_closed and stream.opened_at < latest:
                    stream.handler.on_timeout()

    def on_headers(self, stream_id: int, block: bytes, ended: bool) -> None:
        """See FrameHandler."""
        fields: Fields | None
        try:
            fields = self._decoder.decode(block)
        except HeaderListTooLargeError:
            fields = None
        if stream_id <= self._last_stream_id:
            self._trailers(stream_id, fields or {}, ended)
            return
        if stream_id % 2 == 0:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, f"a request on stream {stream_id}")
        if self._goaway_final:
            return
        self._last_stream_id = stream_id
        if len(self.streams) >= self._handler.limits.max_concurrent_streams:
            self.flow.write(rst_stream_frame(stream_id, ErrorCode.REFUSED_STREAM))
            return
        stream = Stream(self, stream_id, self.flow.initial_window, _STREAM_WINDOW_BYTES, self._loop.time())
        self.streams[stream_id] = stream
        stream.remote_closed = ended
        stream.handler = self._handler.on_request(stream, fields)
        if ended and not stream.closed:
            stream.handler.on_data(b"", True)

    def on_rst_stream(self, stream_id: int, code: int) -> None:
        """See FrameHandler."""
        stream = self.streams.get(stream_id)
        if stream is None:
            self._check_opened(stream_id, "a reset of")
        else:
            self._reset_stream(stream, StreamResetError("the client reset the stream", code))

    def on_window_update(self, stream_id: int, increment: int) -> None:
        """See FrameHandler."""
        super().on_window_update(stream_id, increment)
        if self._queue:
            self._queue.drain()

    def on_ping(self, payload: bytes, ack: bool) -> None:
        """See FrameHandler."""
        super().on_ping(payload, ack)
        if ack and payload == _DRAIN_PING and self._deadline is not None:
            self._goaway_final = True
            self.flow.write(goaway_frame(self._last_stream_id, ErrorCode.NO_ERROR))
            if not self.streams:
                self.close()

    def on_goaway(self, last_stream_id: int, code: int) -> None:
        """See FrameHandler: a client that says goodbye closes the connection itself."""

    def _deliver(self, stream: Stream, data: bytes, ended: bool) -> None:
        if ended:
            self._queue.enqueue(stream, data)
        else:
            stream.handler.on_data(data, False)

    def _check_opened(self, stream_id: int, what: str) -> None:
        if stream_id > self._last_stream_id and not self._goaway_final:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, f"{what} stream {stream_id}, which was not opened")

    def _trailers(self, stream_id: int, fields: Fields, ended: bool) -> None:
        stream = self.streams.get(stream_id)
        if stream is None or stream.closed:
            return
        if stream.remote_closed or not ended:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, f"fields on stream {stream_id} in the wrong place")
        stream.remote_closed = True
        stream.handler.on_headers(fields, True)

    def _on_stream_sent(self, stream: Stream) -> None:
        stream.local_closed = True
        if not stream.remote_closed:
            # The answer is whole, so the rest of the request is not wanted.
            self.flow.write(rst_stream_frame(stream.stream_id, ErrorCode.NO_ERROR))
        self.close_stream(stream)

    def _on_stream_closed(self) -> None:
        if self._queue:
            # Not at once: a request that is refused ends in here again.
            self._loop.call_soon(self._queue.drain)
        if not self.streams:
            self._idle_since = self._loop.time()
            if self._goaway_final and not self._closing:
                self.close()

    def _reset_all(self) -> None:
        for stream in list(self.streams.values()):
            self._reset_stream(stream, StreamResetError("the connection was lost"))

    def _reset_stream(self, stream: Stream, error: StreamResetError) -> None:
        stream.closed = stream.remote_closed = True
        self.flow.discard(stream)
        stream.on_drained()
        stream.handler.on_reset(error)

    def _fail(self, error: ProtocolError) -> None:
        logger.warning("closing an HTTP/2 connection: %s", error)
        self._reset_all()
        self.flow.write(goaway_frame(self._last_stream_id, error.code, str(error)))
        self.close()
