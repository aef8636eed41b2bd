"""gRPC over HTTP/2 as it is on the wire: length-prefixed messages, compression, timeouts, metadata, statuses.

Both ends use it. The source is PROTOCOL-HTTP2.md of grpc/grpc.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterable
from urllib.parse import quote, unquote

from ..errors import EncodeError
from ..http2.frames import Flag, FrameType, frame_header, headers_frame
from ..http2.hpack import Fields, encode
from .status import Metadata, StatusCode, StatusError

_METADATA_NAME = re.compile(r"[0-9a-z_.-]+", re.ASCII)
_METADATA_VALUE = re.compile(r"[ -~]*", re.ASCII)
_RESERVED_NAMES = ("grpc-", ":")
_TRANSPORT_FIELDS = {b"content-type", b"te", b"user-agent", b"host", b"connection"}
_BINARY_SUFFIX = "-bin"

PREFIX_BYTES = 5
ENCODINGS = (b"identity", b"gzip", b"deflate")
ACCEPT_ENCODING = b",".join(ENCODINGS)

_ANY_ZLIB_FORMAT = 47  # zlib tells gzip and deflate apart by itself
_GZIP_FORMAT = 31
_TIMEOUT_UNITS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_TIMEOUT_DIGITS = 8
_UNQUOTED = " !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
_CONTENT_TYPE = (b"content-type", b"application/grpc")
_HTTP_STATUS_CODES = {
    400: StatusCode.INTERNAL,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.UNIMPLEMENTED,
    429: StatusCode.UNAVAILABLE,
    502: StatusCode.UNAVAILABLE,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.UNAVAILABLE,
}


def encode_message(message: bytes, compress: bool = False) -> bytes:
    """A length-prefixed message; `compress` uses gzip, which the fields must have announced."""
    if not compress:
        return len(message).to_bytes(PREFIX_BYTES, "big") + message
    compressor = zlib.compressobj(wbits=_GZIP_FORMAT)
    packed = compressor.compress(message) + compressor.flush()
    return b"\x01" + len(packed).to_bytes(PREFIX_BYTES - 1, "big") + packed


def message_length(body: bytes | bytearray, limit: int, setting: str = "") -> int:
    """The length of the first message of a body, its prefix included; 0 when that has not come yet.

    Args:
        body: what has come.
        limit: bytes of the largest message that is read.
        setting: the name of the limit's setting, for the error's text.

    Raises:
        StatusError: the message is larger than the limit.
    """
    if len(body) < PREFIX_BYTES:
        return 0
    size = int.from_bytes(body[1:PREFIX_BYTES], "big")
    if size > limit:
        text = f"a message of {size} bytes; at most {limit} are read{in_parentheses(setting)}"
        raise StatusError(StatusCode.RESOURCE_EXHAUSTED, text)
    return PREFIX_BYTES + size


def decode_message(part: bytes | bytearray, limit: int, setting: str = "", what: str = "request") -> bytes:
    """Decode one whole length-prefixed message.

    Args:
        part: the message with its prefix.
        limit: see `message_length`.
        setting: see `message_length`.
        what: what the message is, for the error's text.

    Raises:
        StatusError: the message is not whole, or its compression cannot be undone within the limit.
    """
    if message_length(part, limit, setting) != len(part) or not part:
        raise StatusError(StatusCode.INTERNAL, f"the {what} is not one whole message")
    message = bytes(part[PREFIX_BYTES:])
    if not part[0]:
        return message
    decompressor = zlib.decompressobj(_ANY_ZLIB_FORMAT)
    try:
        message = decompressor.decompress(message, limit + 1)
    except zlib.error:
        raise StatusError(StatusCode.INTERNAL, "the message's compression cannot be undone") from None
    if len(message) > limit:
        text = f"a message of more than {limit} bytes, which are the most that is read{in_parentheses(setting)}"
        raise StatusError(StatusCode.RESOURCE_EXHAUSTED, text)
    if not decompressor.eof:
        raise StatusError(StatusCode.INTERNAL, "the message's compression is cut off")
    return message


def encode_timeout(seconds: float) -> bytes:
    """The value of grpc-timeout, in milliseconds where these fit."""
    for unit, scale in ((b"m", 1e3), (b"S", 1.0), (b"H", 1 / 3600)):
        amount = max(int(seconds * scale), 1)
        if amount < 10**_TIMEOUT_DIGITS:
            return b"%d%b" % (amount, unit)
    return b"99999999H"


def decode_timeout(value: bytes) -> float:
    """The seconds of a grpc-timeout: at most eight digits and a unit.

    Raises:
        StatusError: it is none.
    """
    amount, unit = value[:-1], value[-1:]
    if unit not in _TIMEOUT_UNITS or not amount.isdigit() or len(amount) > _TIMEOUT_DIGITS:
        text = "grpc-timeout is up to eight digits and one of H, M, S, m, u, n"
        raise StatusError(StatusCode.INVALID_ARGUMENT, text)
    return int(amount) * _TIMEOUT_UNITS[unit]


def request_fields(path: str, authority: str, secure: bool, timeout: float | None, compress: bool) -> bytes:
    """The header block of a call; that of metadata may follow it."""
    fields = [
        (b":method", b"POST"),
        (b":scheme", b"https" if secure else b"http"),
        (b":path", path.encode()),
        (b":authority", authority.encode()),
        _CONTENT_TYPE,
        (b"te", b"trailers"),
        (b"grpc-accept-encoding", ACCEPT_ENCODING),
    ]
    if compress:
        fields.append((b"grpc-encoding", b"gzip"))
    if timeout is not None:
        fields.append((b"grpc-timeout", encode_timeout(timeout)))
    return encode(*fields)


_HEADERS_BLOCK = encode((b":status", b"200"), _CONTENT_TYPE)
_TRAILERS_BLOCK = encode((b"grpc-status", b"0"))
# The frames of every good answer, less the stream's identifier.
_HEADERS = frame_header(FrameType.HEADERS, Flag.END_HEADERS, 0, len(_HEADERS_BLOCK))[:5]
_TRAILERS = frame_header(FrameType.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 0, len(_TRAILERS_BLOCK))[:5]


def response_headers(stream_id: int, metadata: bytes = b"") -> bytes:
    """The HEADERS frame before the first message of an answer; `metadata` is a header block."""
    if metadata:
        return headers_frame(stream_id, _HEADERS_BLOCK + metadata)
    return _HEADERS + stream_id.to_bytes(4, "big") + _HEADERS_BLOCK


def ok_trailers(stream_id: int, metadata: bytes = b"") -> bytes:
    """The HEADERS frame after the last message of an answer; `metadata` is a header block."""
    if metadata:
        return headers_frame(stream_id, _TRAILERS_BLOCK + metadata, end_stream=True)
    return _TRAILERS + stream_id.to_bytes(4, "big") + _TRAILERS_BLOCK


def error_trailers(stream_id: int, error: StatusError, headers_sent: bool = False, metadata: bytes = b"") -> bytes:
    """The HEADERS frame that ends a call with another status than OK; `metadata` is a header block."""
    fields = [] if headers_sent else [(b":status", b"200"), _CONTENT_TYPE]
    fields.append((b"grpc-status", b"%d" % error.code))
    fields.append((b"grpc-message", quote(error.message, safe=_UNQUOTED).encode()))
    block = encode(*fields, *encode_metadata(error.trailing_metadata))
    return headers_frame(stream_id, block + metadata, end_stream=True)


def http_error(stream_id: int, status: int) -> bytes:
    """The HEADERS frame that answers a request which is no gRPC call."""
    return headers_frame(stream_id, encode((b":status", b"%d" % status)), end_stream=True)


def check_response_headers(fields: Fields) -> None:
    """Check that a response is one of gRPC.

    Raises:
        StatusError: it is another one, with the code that its HTTP status stands for.
    """
    if fields.get(b":status") == b"200" and fields.get(b"content-type", b"").startswith(b"application/grpc"):
        return
    if b"grpc-status" in fields:
        return
    status = fields.get(b":status", b"").decode("latin-1")
    code = _HTTP_STATUS_CODES.get(int(status) if status.isdigit() else 0, StatusCode.UNKNOWN)
    kind = fields.get(b"content-type", b"none").decode("latin-1")
    raise StatusError(code, f"no gRPC response: HTTP status {status or 'missing'}, content type {kind}")


def trailers_error(fields: Fields) -> StatusError | None:
    """The error that trailers say; None for OK."""
    status = fields.get(b"grpc-status", b"")
    if status == b"0":
        return None
    if not status.isdigit():
        return StatusError(StatusCode.UNKNOWN, "the server ended the call without a status")
    number = int(status)
    code = StatusCode(number) if number <= max(StatusCode) else StatusCode.UNKNOWN
    message = unquote(fields.get(b"grpc-message", b"").decode("latin-1"), errors="replace")
    return StatusError(code, message, decode_metadata(fields))


def in_parentheses(setting: str) -> str:
    """The name of a setting as the end of a sentence; nothing without a name."""
    return f" ({setting})" if setting else ""


def encode_metadata(metadata: Metadata) -> Iterable[tuple[bytes, bytes]]:
    """The header fields of metadata.

    Raises:
        EncodeError: a name or value is not allowed.
    """
    for name, value in metadata:
        if not _METADATA_NAME.fullmatch(name) or name.startswith(_RESERVED_NAMES) or name.encode() in _TRANSPORT_FIELDS:
            raise EncodeError(f"metadata {name!r}", "names are lower-case ASCII and none of the protocol's own")
        if name.endswith(_BINARY_SUFFIX):
            if isinstance(value, str):
                raise EncodeError(f"metadata {name!r}", "the value of a -bin name is bytes")
            yield name.encode(), base64.b64encode(value).rstrip(b"=")
        else:
            if isinstance(value, bytes) or not _METADATA_VALUE.fullmatch(value):
                raise EncodeError(
                    f"metadata {name!r}", "values are printable ASCII; bytes need a name with -bin at its end"
                )
            yield name.encode(), value.strip(" ").encode()


def decode_metadata(fields: Fields) -> Metadata:
    """The metadata among header fields or trailers; what cannot be decoded is left out.

    The values of a name that comes more than once are joined by commas, unless it ends in "-bin".
    """
    metadata: list[tuple[str, str | bytes]] = []
    for key, value in fields.items():
        if key.startswith((b":", b"grpc-")) or key in _TRANSPORT_FIELDS:
            continue
        name = key.decode("latin-1")
        if name.endswith(_BINARY_SUFFIX):
            for part in value.split(b","):
                try:
                    metadata.append((name, decode_base64(part.strip())))
                except binascii.Error:
                    continue
        else:
            metadata.append((name, value.decode("latin-1")))
    return metadata


def decode_base64(value: bytes) -> bytes:
    """Decode base64 with or without its padding.

    Raises:
        binascii.Error: it is none.
    """
    return base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
