"""How gRPC calls end: statuses, and the frames that say them."""

from __future__ import annotations

from enum import IntEnum
from urllib.parse import quote

from ..errors import PlugsmithError
from ..http2 import Flag, FrameType, encode, head

_VISIBLE = " !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
_END = Flag.END_HEADERS | Flag.END_STREAM
_CONTENT_TYPE = (b"content-type", b"application/grpc")


class StatusCode(IntEnum):
    """The statuses that this server uses."""

    OK = 0
    CANCELLED = 1
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    UNIMPLEMENTED = 12
    INTERNAL = 13


class StatusError(PlugsmithError):
    """A call ends with another status than OK.

    Args:
        status: the status.
        text: the reason, for people.
    """

    def __init__(self, status: StatusCode, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


_BEGIN_FIELDS = encode((b":status", b"200"), _CONTENT_TYPE)
_END_FIELDS = encode((b"grpc-status", b"0"))
# The frames of every good answer, less the number of the stream.
_BEGIN = head(FrameType.HEADERS, Flag.END_HEADERS, 0, len(_BEGIN_FIELDS))[:5]
_OK = head(FrameType.HEADERS, _END, 0, len(_END_FIELDS))[:5]


def begin(stream: int) -> bytes:
    """The frame before the first message."""
    return _BEGIN + stream.to_bytes(4, "big") + _BEGIN_FIELDS


def end(stream: int) -> bytes:
    """The frame after the last message."""
    return _OK + stream.to_bytes(4, "big") + _END_FIELDS


def refusal(stream: int, problem: StatusError, begun: bool = False) -> bytes:
    """The frame that ends a call with another status than OK; `begun` when there were messages."""
    fields = [] if begun else [(b":status", b"200"), _CONTENT_TYPE]
    fields.append((b"grpc-status", b"%d" % problem.status))
    fields.append((b"grpc-message", quote(problem.text, safe=_VISIBLE).encode()))
    return _last(stream, *fields)


def http_error(stream: int, status: int) -> bytes:
    """The frame that answers a request that is no gRPC call."""
    return _last(stream, (b":status", b"%d" % status))


def _last(stream: int, *fields: tuple[bytes, bytes]) -> bytes:
    block = encode(*fields)
    return head(FrameType.HEADERS, _END, stream, len(block)) + block
