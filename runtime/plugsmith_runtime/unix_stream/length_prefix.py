"""Frames of both versions of the Unix protocol: four bytes of length, highest first, then a message."""

from __future__ import annotations

from ..errors import PlugsmithError

HEADER = 4
MAX_FRAME = 16 * 1024 * 1024
PREFACE = b"PSU2"
"""Announces version 2: as a length of version 1 it would be above what any message may have."""


class FrameTooLongError(PlugsmithError):
    """A length says that more would come than is read.

    Args:
        size: the length in bytes.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"a message of {size} bytes")
        self.size = size


class FrameBuffer:
    """Puts frames together from the pieces in which they arrive.

    Args:
        limit: the longest message that is taken, in bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()

    @property
    def partial(self) -> bool:
        """Whether a frame has begun that has not ended."""
        return bool(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what arrived, and return the messages that are whole now.

        Raises:
            FrameTooLongError: before memory is taken for the message.
        """
        held = self._held
        # Nearly always one whole frame arrives.
        if not held and len(data) - HEADER == int.from_bytes(data[:HEADER], "big") <= self._limit:
            return [data[HEADER:]]
        source: bytes | bytearray = data
        if held:
            held += data
            source = held
        messages = []
        start, length = 0, len(source)
        while length - start >= HEADER:
            size = int.from_bytes(source[start : start + HEADER], "big")
            if size > self._limit:
                held.clear()
                raise FrameTooLongError(size)
            end = start + HEADER + size
            if end > length:
                break
            messages.append(bytes(source[start + HEADER : end]))
            start = end
        if source is held:
            del held[:start]
        elif start < length:
            held += data[start:]
        return messages


def frame(message: bytes) -> bytes:
    """A message with its length before it."""
    return len(message).to_bytes(HEADER, "big") + message
