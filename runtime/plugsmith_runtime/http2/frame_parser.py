"""Frame parser: from a connection's bytes to whole frames, each checked as far as it can be by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .frames import (
    FRAME_HEADER_BYTES,
    MAX_FRAME_BYTES,
    MAX_WINDOW_BYTES,
    PREFACE,
    ErrorCode,
    Flag,
    FrameType,
    ProtocolError,
    strip_padding,
)

_SETTING_BYTES = 6
_PRIORITY_BYTES = 5
_GOAWAY_BYTES = 8
_FIXED_LENGTHS = {FrameType.PRIORITY: 5, FrameType.RST_STREAM: 4, FrameType.PING: 8, FrameType.WINDOW_UPDATE: 4}
_STREAM_FRAMES = {
    FrameType.DATA, FrameType.HEADERS, FrameType.PRIORITY, FrameType.RST_STREAM, FrameType.CONTINUATION
}  # fmt: skip
_CONNECTION_FRAMES = {FrameType.SETTINGS, FrameType.PING, FrameType.GOAWAY}


class FrameHandler(Protocol):
    """Receiver of parsed frames. All methods may raise ProtocolError."""

    def on_headers(self, stream_id: int, block: bytes, ended: bool) -> None:
        """A whole header block came, from one HEADERS frame and its CONTINUATION frames."""

    def on_data(self, stream_id: int, data: bytes, flow_size: int, ended: bool) -> None:
        """A DATA frame came; `flow_size`, the padding included, counts against the windows."""

    def on_rst_stream(self, stream_id: int, code: int) -> None:
        """The peer ends a stream at once."""

    def on_window_update(self, stream_id: int, increment: int) -> None:
        """The peer takes more, on a stream or (0) on the connection."""

    def on_settings(self, values: dict[int, int]) -> None:
        """The peer's settings came."""

    def on_ping(self, payload: bytes, ack: bool) -> None:
        """A PING came, or (`ack`) the answer to one."""

    def on_goaway(self, last_stream_id: int, code: int) -> None:
        """The peer opens or answers no streams above the last."""


class FrameParser:
    """Parser of one connection's incoming bytes.

    Args:
        handler: the receiver of the frames.
        max_header_block_bytes: the largest header block, in bytes as sent.
        expect_preface: whether a client's preface comes first.

    Attributes:
        preface_received: whether the client's preface has come.
    """

    __slots__ = ("_block", "_buffer", "_handler", "_max_header_block_bytes", "preface_received")

    def __init__(self, handler: FrameHandler, max_header_block_bytes: int, expect_preface: bool) -> None:
        self._handler = handler
        self._max_header_block_bytes = max_header_block_bytes
        self._buffer = bytearray()
        # A header block that CONTINUATION frames go on with: its stream, whether the stream ends, the bytes so far.
        self._block: tuple[int, bool, bytearray] | None = None
        self.preface_received = not expect_preface

    @property
    def has_partial_frame(self) -> bool:
        """Whether something has begun to arrive that is not whole yet."""
        return bool(self._buffer or self._block) or not self.preface_received

    def feed(self, data: bytes) -> int:
        """Parse what arrived.

        Returns:
            How many bytes of whole frames were parsed.

        Raises:
            ProtocolError: the peer broke the protocol.
        """
        source: bytes | bytearray = data
        if self._buffer:
            self._buffer += data
            source = self._buffer
        used = self._parse(source)
        if source is not data:
            del self._buffer[:used]
        elif used < len(data):
            self._buffer += data[used:]
        return used

    def _parse(self, source: bytes | bytearray) -> int:
        position, size = 0, len(source)
        if not self.preface_received:
            if source[: len(PREFACE)] != PREFACE[:size]:
                raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "a client that does not speak HTTP/2")
            if size < len(PREFACE):
                return 0
            position, self.preface_received = len(PREFACE), True
        while size - position >= FRAME_HEADER_BYTES:
            header = int.from_bytes(source[position : position + FRAME_HEADER_BYTES], "big")
            length = header >> 48
            if length > MAX_FRAME_BYTES:
                raise ProtocolError(ErrorCode.FRAME_SIZE_ERROR, f"a frame of {length} bytes")
            start = position + FRAME_HEADER_BYTES
            if start + length > size:
                break
            position = start + length
            stream_id = header & MAX_WINDOW_BYTES
            self._dispatch(header >> 40 & 0xFF, header >> 32 & 0xFF, stream_id, bytes(source[start:position]))
        return position

    def _dispatch(self, frame_type: int, flags: int, stream_id: int, payload: bytes) -> None:
        if self._block is not None and (frame_type != FrameType.CONTINUATION or stream_id != self._block[0]):
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "a frame inside a header block")
        if frame_type == 0:  # DATA
            if not stream_id:
                raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "data on no stream")
            data = strip_padding(payload) if flags & Flag.PADDED else payload
            self._handler.on_data(stream_id, data, len(payload), bool(flags & Flag.END_STREAM))
        elif frame_type == 1:  # HEADERS
            self._headers(flags, stream_id, payload)
        elif frame_type in _PARSERS:
            _check(frame_type, stream_id, len(payload))
            _PARSERS[frame_type](self, flags, stream_id, payload)
        # Unknown types are ignored (section 4.1).

    def _headers(self, flags: int, stream_id: int, payload: bytes) -> None:
        if not stream_id:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "fields on no stream")
        if flags & Flag.PADDED:
            payload = strip_padding(payload)
        if flags & Flag.PRIORITY:
            if int.from_bytes(payload[:4], "big") & MAX_WINDOW_BYTES == stream_id or len(payload) < _PRIORITY_BYTES:
                raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "a stream that depends on itself")
            payload = payload[_PRIORITY_BYTES:]
        ended = bool(flags & Flag.END_STREAM)
        if flags & Flag.END_HEADERS:
            self._handler.on_headers(stream_id, payload, ended)
        else:
            self._block = (stream_id, ended, bytearray(payload))

    def _continuation(self, flags: int, stream_id: int, payload: bytes) -> None:
        if self._block is None:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "a header block that goes on without a beginning")
        stream_id, ended, block = self._block
        block += payload
        if len(block) > self._max_header_block_bytes:
            text = f"a header block of more than {self._max_header_block_bytes} bytes"
            raise ProtocolError(ErrorCode.ENHANCE_YOUR_CALM, text)
        if flags & Flag.END_HEADERS:
            self._block = None
            self._handler.on_headers(stream_id, bytes(block), ended)

    def _rst_stream(self, flags: int, stream_id: int, payload: bytes) -> None:
        self._handler.on_rst_stream(stream_id, int.from_bytes(payload, "big"))

    def _window_update(self, flags: int, stream_id: int, payload: bytes) -> None:
        self._handler.on_window_update(stream_id, int.from_bytes(payload, "big") & MAX_WINDOW_BYTES)

    def _settings(self, flags: int, stream_id: int, payload: bytes) -> None:
        if len(payload) % _SETTING_BYTES or (flags & Flag.ACK and payload):
            raise ProtocolError(ErrorCode.FRAME_SIZE_ERROR, f"settings of {len(payload)} bytes")
        if not flags & Flag.ACK:
            parts = [payload[place : place + _SETTING_BYTES] for place in range(0, len(payload), _SETTING_BYTES)]
            self._handler.on_settings({part[0] << 8 | part[1]: int.from_bytes(part[2:], "big") for part in parts})

    def _ping(self, flags: int, stream_id: int, payload: bytes) -> None:
        self._handler.on_ping(payload, bool(flags & Flag.ACK))

    def _goaway(self, flags: int, stream_id: int, payload: bytes) -> None:
        if len(payload) < _GOAWAY_BYTES:
            raise ProtocolError(ErrorCode.FRAME_SIZE_ERROR, f"GOAWAY of {len(payload)} bytes")
        last_stream_id = int.from_bytes(payload[:4], "big") & MAX_WINDOW_BYTES
        self._handler.on_goaway(last_stream_id, int.from_bytes(payload[4:8], "big"))

    def _push_promise(self, flags: int, stream_id: int, payload: bytes) -> None:
        raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "a push, which was never allowed")

    def _priority(self, flags: int, stream_id: int, payload: bytes) -> None:
        """Priorities are advice that may be ignored (section 5.3.2)."""


_PARSERS: dict[int, Callable[[FrameParser, int, int, bytes], None]] = {
    FrameType.PRIORITY: FrameParser._priority,
    FrameType.RST_STREAM: FrameParser._rst_stream,
    FrameType.SETTINGS: FrameParser._settings,
    FrameType.PUSH_PROMISE: FrameParser._push_promise,
    FrameType.PING: FrameParser._ping,
    FrameType.GOAWAY: FrameParser._goaway,
    FrameType.WINDOW_UPDATE: FrameParser._window_update,
    FrameType.CONTINUATION: FrameParser._continuation,
}


def _check(frame_type: int, stream_id: int, length: int) -> None:
    if (frame_type in _STREAM_FRAMES and not stream_id) or (frame_type in _CONNECTION_FRAMES and stream_id):
        raise ProtocolError(ErrorCode.PROTOCOL_ERROR, f"{FrameType(frame_type).name} on stream {stream_id}")
    if frame_type in _FIXED_LENGTHS and length != _FIXED_LENGTHS[FrameType(frame_type)]:
        raise ProtocolError(ErrorCode.FRAME_SIZE_ERROR, f"{FrameType(frame_type).name} of {length} bytes")
