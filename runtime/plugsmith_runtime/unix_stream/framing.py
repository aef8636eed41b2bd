"""Length-prefixed framing, that of both versions: four bytes of length in network byte order, then a message."""

from __future__ import annotations

from ..errors import PlugsmithError

LENGTH_BYTES = 4
MAX_FRAME_BYTES = 16 * 1024 * 1024
V2_PREFACE = b"PSU2"
"""Begins a connection of version 2: as a length of version 1 it would be above what any message may have."""


class FrameTooLongError(PlugsmithError):
    """A length prefix that announces more than is read.

    Args:
        size: the length in bytes.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"a message of {size} bytes")
        self.size = size


class FrameDecoder:
    """Puts messages together from the pieces in which they are received.

    Args:
        max_bytes: the longest message that is taken.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()

    @property
    def has_partial_frame(self) -> bool:
        """Whether a frame has begun that has not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Take received bytes, and return the messages that are whole now.

        Raises:
            FrameTooLongError: before memory is taken for the message.
        """
        buffer = self._buffer
        # Nearly always one whole frame is received.
        if not buffer and len(data) - LENGTH_BYTES == int.from_bytes(data[:LENGTH_BYTES], "big") <= self._max_bytes:
            return [data[LENGTH_BYTES:]]
        source: bytes | bytearray = data
        if buffer:
            buffer += data
            source = buffer
        messages = []
        start, length = 0, len(source)
        while length - start >= LENGTH_BYTES:
            size = int.from_bytes(source[start : start + LENGTH_BYTES], "big")
            if size > self._max_bytes:
                buffer.clear()
                raise FrameTooLongError(size)
            end = start + LENGTH_BYTES + size
            if end > length:
                break
            messages.append(bytes(source[start + LENGTH_BYTES : end]))
            start = end
        if source is buffer:
            del buffer[:start]
        elif start < length:
            buffer += data[start:]
        return messages


def encode_frame(message: bytes) -> bytes:
    """A message with its length before it."""
    return len(message).to_bytes(LENGTH_BYTES, "big") + message
