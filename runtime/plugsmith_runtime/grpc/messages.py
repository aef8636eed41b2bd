"""The messages in the bodies of gRPC requests: a flag for compression, a length, the message."""

from __future__ import annotations

import zlib

from .status import StatusCode, StatusError

PREFIX = 5
_ANY_FORMAT = 47  # zlib tells gzip and deflate apart by itself
CODINGS = (b"identity", b"gzip", b"deflate")


def encode_message(message: bytes) -> bytes:
    """Write a message of an answer."""
    return len(message).to_bytes(PREFIX, "big") + message


def message_length(body: bytes | bytearray, limit: int) -> int:
    """The size of the first message of a body, with its prefix; 0 when that has not come yet.

    Raises:
        StatusError: it is larger than the limit.
    """
    if len(body) < PREFIX:
        return 0
    size = int.from_bytes(body[1:PREFIX], "big")
    if size > limit:
        text = f"a message of {size} bytes; at most {limit} are read (PLUGINS_MAX_MESSAGE_BYTES)"
        raise StatusError(StatusCode.RESOURCE_EXHAUSTED, text)
    return PREFIX + size


def decode_message(part: bytes | bytearray, limit: int) -> bytes:
    """Read one whole message.

    Args:
        part: the message with its prefix.
        limit: the largest message that is read.

    Raises:
        StatusError: the message is not whole, or its compression cannot be undone within the limit.
    """
    if message_length(part, limit) != len(part) or not part:
        raise StatusError(StatusCode.INTERNAL, "the request is not one whole message")
    message = bytes(part[PREFIX:])
    if not part[0]:
        return message
    expander = zlib.decompressobj(_ANY_FORMAT)
    try:
        message = expander.decompress(message, limit + 1)
    except zlib.error:
        raise StatusError(StatusCode.INTERNAL, "the message's compression cannot be undone") from None
    if len(message) > limit:
        text = f"a message of more than {limit} bytes, which are the most that is read (PLUGINS_MAX_MESSAGE_BYTES)"
        raise StatusError(StatusCode.RESOURCE_EXHAUSTED, text)
    if not expander.eof:
        raise StatusError(StatusCode.INTERNAL, "the message's compression is cut off")
    return message
