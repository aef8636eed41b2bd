"""HTTP/2 frames (RFC 9113, section 6): types, flags, settings, error codes, and how frames are written."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from ..errors import PlugsmithError

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_HEADER_BYTES = 9
MAX_FRAME_BYTES = 16_384
"""The largest payload of a frame that is read: the protocol's default, so that it need not be announced."""
MAX_WINDOW_BYTES = 2**31 - 1
DEFAULT_WINDOW_BYTES = 65_535
MAX_STREAM_ID = 2**31 - 1


class FrameType(IntEnum):
    """Frame types (section 6)."""

    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


class Flag(IntEnum):
    """Frame flags; what a bit means depends on the frame's type."""

    ACK = 0x1
    END_STREAM = 0x1
    END_HEADERS = 0x4
    PADDED = 0x8
    PRIORITY = 0x20


class Setting(IntEnum):
    """Settings that one side tells the other (section 6.5.2)."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class ErrorCode(IntEnum):
    """Error codes of RST_STREAM and GOAWAY (section 7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


class ProtocolError(PlugsmithError):
    """A connection error (section 5.4.1): the peer broke the protocol so that the connection must end.

    Args:
        code: the error code of the GOAWAY.
        reason: the text for the peer and the log.
    """

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def frame_header(frame_type: int, flags: int, stream_id: int, length: int) -> bytes:
    """The nine bytes before a frame's payload."""
    return (length << 48 | frame_type << 40 | flags << 32 | stream_id).to_bytes(FRAME_HEADER_BYTES, "big")


def frame(frame_type: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """A whole frame."""
    return frame_header(frame_type, flags, stream_id, len(payload)) + payload


def headers_frame(stream_id: int, block: bytes, end_stream: bool = False) -> bytes:
    """A HEADERS frame, and CONTINUATION frames if the header block is larger than every peer reads in one frame."""
    flags = int(Flag.END_STREAM) if end_stream else 0
    if len(block) <= MAX_FRAME_BYTES:
        return frame_header(FrameType.HEADERS, flags | Flag.END_HEADERS, stream_id, len(block)) + block
    parts = [block[start : start + MAX_FRAME_BYTES] for start in range(0, len(block), MAX_FRAME_BYTES)]
    frames = [frame(FrameType.HEADERS, flags, stream_id, parts[0])]
    frames += [frame(FrameType.CONTINUATION, 0, stream_id, part) for part in parts[1:-1]]
    frames.append(frame(FrameType.CONTINUATION, Flag.END_HEADERS, stream_id, parts[-1]))
    return b"".join(frames)


def end_stream_frame(stream_id: int) -> bytes:
    """An empty DATA frame that ends this side of a stream."""
    return frame_header(FrameType.DATA, Flag.END_STREAM, stream_id, 0)


def settings_frame(values: Mapping[Setting, int]) -> bytes:
    """A SETTINGS frame."""
    payload = b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in values.items())
    return frame(FrameType.SETTINGS, 0, 0, payload)


def settings_ack_frame() -> bytes:
    """The acknowledgement of the peer's SETTINGS."""
    return frame(FrameType.SETTINGS, Flag.ACK, 0)


def ping_frame(payload: bytes, ack: bool = False) -> bytes:
    """A PING frame of eight bytes, or the answer to one."""
    return frame(FrameType.PING, Flag.ACK if ack else 0, 0, payload)


def window_update_frame(stream_id: int, increment: int) -> bytes:
    """A WINDOW_UPDATE frame: so many bytes more may be sent on a stream or (0) on the connection."""
    return frame(FrameType.WINDOW_UPDATE, 0, stream_id, increment.to_bytes(4, "big"))


def rst_stream_frame(stream_id: int, code: ErrorCode) -> bytes:
    """An RST_STREAM frame."""
    return frame(FrameType.RST_STREAM, 0, stream_id, code.to_bytes(4, "big"))


def goaway_frame(last_stream_id: int, code: ErrorCode, reason: str = "") -> bytes:
    """A GOAWAY frame: the last stream that is or will be answered, and why the connection ends."""
    payload = last_stream_id.to_bytes(4, "big") + code.to_bytes(4, "big") + reason.encode()
    return frame(FrameType.GOAWAY, 0, 0, payload)


def strip_padding(payload: bytes) -> bytes:
    """The content of a padded DATA or HEADERS frame.

    Raises:
        ProtocolError: there is more padding than payload.
    """
    if not payload or payload[0] >= len(payload):
        raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "padding that is longer than its frame")
    return payload[1 : len(payload) - payload[0]]
