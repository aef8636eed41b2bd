"""From the bytes of a connection to whole frames, checked as far as one frame can be by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .frames import (
    HEADER_SIZE,
    MAX_FRAME,
    MAX_WINDOW,
    PREFACE,
    ErrorCode,
    Flag,
    FrameType,
    ProtocolError,
    without_padding,
)

_SETTING = 6
_PRIORITY = 5
_SIZES = {FrameType.PRIORITY: 5, FrameType.RST_STREAM: 4, FrameType.PING: 8, FrameType.WINDOW_UPDATE: 4}
_ON_STREAM = {FrameType.DATA, FrameType.HEADERS, FrameType.PRIORITY, FrameType.RST_STREAM, FrameType.CONTINUATION}
_ON_CONNECTION = {FrameType.SETTINGS, FrameType.PING, FrameType.GOAWAY}


class Receiver(Protocol):
    """Is told what came. All methods may raise ProtocolError."""

    def on_headers(self, number: int, block: bytes, ended: bool) -> None:
        """The fields of a request (or those after its body) came, in HPACK."""

    def on_data(self, number: int, data: bytes, size: int, ended: bool) -> None:
        """A part of a request's body came; `size` counts against the windows."""

    def on_reset(self, number: int) -> None:
        """The client takes a request back."""

    def on_window(self, number: int, size: int) -> None:
        """The client takes more, on a stream or (0) on the connection."""

    def on_settings(self, values: dict[int, int]) -> None:
        """The client's settings came."""

    def on_ping(self, payload: bytes, answered: bool) -> None:
        """A ping came, or (`answered`) the answer to one."""


class Reader:
    """Reads frames.

    Args:
        receiver: is told what came.
        block_limit: the largest header block, in bytes as sent.

    Attributes:
        greeted: whether the client has said that it speaks HTTP/2.
    """

    __slots__ = ("_block", "_block_limit", "_buffer", "_receiver", "greeted")

    def __init__(self, receiver: Receiver, block_limit: int) -> None:
        self._receiver = receiver
        self._block_limit = block_limit
        self._buffer = bytearray()
        # A header block that goes on in further frames: its stream, whether the request ends with it, the bytes.
        self._block: tuple[int, bool, bytearray] | None = None
        self.greeted = False

    @property
    def waits(self) -> bool:
        """Whether something has begun to arrive that is not whole yet."""
        return bool(self._buffer or self._block) or not self.greeted

    def feed(self, data: bytes) -> int:
        """Read what arrived.

        Returns:
            How many bytes of whole frames were read.

        Raises:
            ProtocolError: the client broke the protocol.
        """
        source: bytes | bytearray = data
        if self._buffer:
            self._buffer += data
            source = self._buffer
        used = self._read(source)
        if source is not data:
            del self._buffer[:used]
        elif used < len(data):
            self._buffer += data[used:]
        return used

    def _read(self, source: bytes | bytearray) -> int:
        place, size = 0, len(source)
        if not self.greeted:
            if source[: len(PREFACE)] != PREFACE[:size]:
                raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "a client that does not speak HTTP/2")
            if size < len(PREFACE):
                return 0
            place, self.greeted = len(PREFACE), True
        while size - place >= HEADER_SIZE:
            head = int.from_bytes(source[place : place + HEADER_SIZE], "big")
            length = head >> 48
            if length > MAX_FRAME:
                raise ProtocolError(ErrorCode.FRAME_SIZE_ERROR, f"a frame of {length} bytes")
            start = place + HEADER_SIZE
            if start + length > size:
                break
            place = start + length
            self._frame(head >> 40 & 0xFF, head >> 32 & 0xFF, head & MAX_WINDOW, bytes(source[start:place]))
        return place

    def _frame(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if self._block is not None and (kind != FrameType.CONTINUATION or number != self._block[0]):
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "a frame inside a header block")
        if kind == 0:  # DATA
            if not number:
                raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "data on no stream")
            data = without_padding(payload, flags) if flags & Flag.PADDED else payload
            self._receiver.on_data(number, data, len(payload), bool(flags & Flag.END_STREAM))
        elif kind == 1:  # HEADERS
            self._headers(number, flags, payload)
        elif kind in _READ:
            _check(kind, number, len(payload))
            _READ[kind](self, flags, number, payload)
        # Kinds that are not known are left alone, as the protocol asks; so is PRIORITY.

    def _headers(self, number: int, flags: int, payload: bytes) -> None:
        if not number:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "fields on no stream")
        if flags & Flag.PADDED:
            payload = without_padding(payload, flags)
        if flags & Flag.PRIORITY:
            if int.from_bytes(payload[:4], "big") & MAX_WINDOW == number or len(payload) < _PRIORITY:
                raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "a stream that depends on itself")
            payload = payload[_PRIORITY:]
        ended = bool(flags & Flag.END_STREAM)
        if flags & Flag.END_HEADERS:
            self._receiver.on_headers(number, payload, ended)
        else:
            self._block = (number, ended, bytearray(payload))

    def _continuation(self, flags: int, number: int, payload: bytes) -> None:
        if self._block is None:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "a header block that goes on without a beginning")
        number, ended, block = self._block
        block += payload
        if len(block) > self._block_limit:
            raise ProtocolError(ErrorCode.ENHANCE_YOUR_CALM, f"a header block of more than {self._block_limit} bytes")
        if flags & Flag.END_HEADERS:
            self._block = None
            self._receiver.on_headers(number, bytes(block), ended)

    def _reset(self, flags: int, number: int, payload: bytes) -> None:
        self._receiver.on_reset(number)

    def _window(self, flags: int, number: int, payload: bytes) -> None:
        self._receiver.on_window(number, int.from_bytes(payload, "big") & MAX_WINDOW)

    def _settings(self, flags: int, number: int, payload: bytes) -> None:
        if len(payload) % _SETTING or (flags & Flag.ACK and payload):
            raise ProtocolError(ErrorCode.FRAME_SIZE_ERROR, f"settings of {len(payload)} bytes")
        if not flags & Flag.ACK:
            parts = [payload[place : place + _SETTING] for place in range(0, len(payload), _SETTING)]
            self._receiver.on_settings({part[0] << 8 | part[1]: int.from_bytes(part[2:], "big") for part in parts})

    def _ping(self, flags: int, number: int, payload: bytes) -> None:
        self._receiver.on_ping(payload, bool(flags & Flag.ACK))

    def _push(self, flags: int, number: int, payload: bytes) -> None:
        raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "a push from a client")

    def _ignore(self, flags: int, number: int, payload: bytes) -> None:
        """Priorities are advice, and a client that says goodbye closes the connection itself."""


_READ: dict[int, Callable[[Reader, int, int, bytes], None]] = {
    FrameType.PRIORITY: Reader._ignore,
    FrameType.RST_STREAM: Reader._reset,
    FrameType.SETTINGS: Reader._settings,
    FrameType.PUSH_PROMISE: Reader._push,
    FrameType.PING: Reader._ping,
    FrameType.GOAWAY: Reader._ignore,
    FrameType.WINDOW_UPDATE: Reader._window,
    FrameType.CONTINUATION: Reader._continuation,
}


def _check(kind: int, number: int, size: int) -> None:
    if (kind in _ON_STREAM and not number) or (kind in _ON_CONNECTION and number):
        raise ProtocolError(ErrorCode.PROTOCOL_ERROR, f"{FrameType(kind).name} on stream {number}")
    if kind in _SIZES and size != _SIZES[FrameType(kind)]:
        raise ProtocolError(ErrorCode.FRAME_SIZE_ERROR, f"{FrameType(kind).name} of {size} bytes")
