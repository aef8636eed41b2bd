"""HTTP/2 connections (RFC 9113): what both sides share, which is reading, windows, settings and the streams' ends."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sized
from typing import Any

from .flow_control import FlowController
from .frame_parser import FrameParser
from .frames import (
    DEFAULT_WINDOW_BYTES,
    ErrorCode,
    ProtocolError,
    ping_frame,
    rst_stream_frame,
    settings_ack_frame,
    window_update_frame,
)
from .hpack import Decoder
from .stream import Stream


class Connection(asyncio.Protocol, ABC):
    """One side of a connection.

    Credit for a stream's bytes follows its handler (`Stream.acknowledge`), credit for the connection's does not, so
    that one stream whose data nobody takes holds up no other. What a connection keeps unread is at most the streams'
    windows together.

    Args:
        max_header_bytes: the largest fields of a message.
        stream_window_bytes: bytes that the peer may send on a stream before they are acknowledged.
        connection_window_bytes: bytes that the peer may send before it is told that there is room again.
        expect_preface: whether the peer is a client.

    Attributes:
        transport: the transport, once connected.
        flow: sends within the peer's windows.
        streams: the streams that are not over, by identifier.
        info: whatever the connection's handler keeps with it.
    """

    transport: asyncio.Transport
    flow: FlowController
    info: Any = None

    def __init__(
        self, max_header_bytes: int, stream_window_bytes: int, connection_window_bytes: int, expect_preface: bool
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = FrameParser(self, max_header_bytes, expect_preface)
        self._decoder = Decoder(max_header_bytes)
        self._stream_window_bytes = stream_window_bytes
        self._connection_window_bytes = connection_window_bytes
        self._recv_window = connection_window_bytes
        # While it holds anything the peer gets no credit for the connection.
        self._held_back: Sized = ()
        self.streams: dict[int, Stream] = {}

    def acknowledge(self, stream: Stream, size: int) -> None:
        """See `Stream.acknowledge`."""
        stream.unacknowledged += size
        if stream.unacknowledged >= self._stream_window_bytes // 2:
            self.flow.write(window_update_frame(stream.stream_id, stream.unacknowledged))
            stream.recv_window += stream.unacknowledged
            stream.unacknowledged = 0

    def reset_stream(self, stream: Stream, code: int) -> None:
        """See `Stream.reset`."""
        self.flow.write(rst_stream_frame(stream.stream_id, ErrorCode(code)))
        self.close_stream(stream)

    def close_stream(self, stream: Stream) -> None:
        """See `Stream.close`."""
        stream.closed = True
        if stream.unsent is not None:
            self.flow.discard(stream)
            stream.on_drained()
        if self.streams.pop(stream.stream_id, None) is not None:
            self._on_stream_closed()

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        self.flow.pause()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self.flow.resume()

    def on_data(self, stream_id: int, data: bytes, flow_size: int, ended: bool) -> None:
        """See FrameHandler."""
        self._recv_window -= flow_size
        if self._recv_window < 0:
            raise ProtocolError(ErrorCode.FLOW_CONTROL_ERROR, "more data than the connection's window")
        if not self._held_back:
            self._grant_credit()
        stream = self.streams.get(stream_id)
        if stream is None:
            self._check_opened(stream_id, "data on")
            return
        if stream.remote_closed:
            if not stream.closed:
                raise ProtocolError(ErrorCode.STREAM_CLOSED, f"data on stream {stream_id} after its end")
            return
        stream.recv_window -= flow_size
        if stream.recv_window < 0:
            raise ProtocolError(ErrorCode.FLOW_CONTROL_ERROR, f"more data than the window of stream {stream_id}")
        stream.remote_closed = ended
        if flow_size > len(data):
            stream.acknowledge(flow_size - len(data))
        self._deliver(stream, data, ended)

    def on_window_update(self, stream_id: int, increment: int) -> None:
        """See FrameHandler."""
        stream = self.streams.get(stream_id)
        if stream or stream_id == 0:
            self.flow.window_update(stream, increment)
        else:
            self._check_opened(stream_id, "a window for")

    def on_settings(self, values: dict[int, int]) -> None:
        """See FrameHandler."""
        self.flow.apply_settings(values, self.streams.values())
        self.flow.write(settings_ack_frame())

    def on_ping(self, payload: bytes, ack: bool) -> None:
        """See FrameHandler."""
        if not ack:
            self.flow.write(ping_frame(payload, ack=True))

    def _connected(self, transport: Any, write: Callable[[bytes], None]) -> None:
        """Take the transport; `write` is where frames go."""
        self.transport = transport
        self.flow = FlowController(write, self._on_stream_sent, self._loop.time)

    def _window_increment(self) -> bytes:
        """The WINDOW_UPDATE that opens the connection's window at the start."""
        return window_update_frame(0, self._connection_window_bytes - DEFAULT_WINDOW_BYTES)

    def _grant_credit(self) -> None:
        if self._recv_window < self._connection_window_bytes // 2:
            self.flow.write(window_update_frame(0, self._connection_window_bytes - self._recv_window))
            self._recv_window = self._connection_window_bytes

    @abstractmethod
    def on_headers(self, stream_id: int, block: bytes, ended: bool) -> None:
        """See FrameHandler."""

    @abstractmethod
    def on_rst_stream(self, stream_id: int, code: int) -> None:
        """See FrameHandler."""

    @abstractmethod
    def on_goaway(self, last_stream_id: int, code: int) -> None:
        """See FrameHandler."""

    @abstractmethod
    def _deliver(self, stream: Stream, data: bytes, ended: bool) -> None:
        """Give data to the stream's handler, now or later."""

    @abstractmethod
    def _check_opened(self, stream_id: int, what: str) -> None:
        """Check that a stream which is not known is over; raise ProtocolError if it was never opened."""

    @abstractmethod
    def _on_stream_sent(self, stream: Stream) -> None:
        """The last frame of this side of a stream was sent."""

    @abstractmethod
    def _on_stream_closed(self) -> None:
        """A stream has left `streams`."""
