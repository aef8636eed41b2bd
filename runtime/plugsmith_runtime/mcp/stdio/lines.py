"""Cuts a stream of bytes into lines, without ever holding more than the longest allowed line."""

from __future__ import annotations

from collections.abc import Iterator


class LineSplitter:
    """Collects bytes and hands out whole lines.

    Args:
        limit: bytes that a line may have; longer ones are skipped.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        """Add bytes.

        Yields:
            Each line that is complete, without its end; None once for a line that is too long.
        """
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            if self._skipping:
                self._skipping = False
            elif len(self._held) + end - start > self._limit:
                yield None
            elif self._held:
                yield bytes(self._held) + data[start:end]
            else:
                yield data[start:end]
            self._held.clear()
            start = end + 1
        if self._skipping:
            return
        if len(self._held) + len(data) - start > self._limit:
            self._held.clear()
            self._skipping = True
            yield None
        else:
            self._held += data[start:]

    def rest(self) -> Iterator[bytes | None]:
        """Yield what stands after the last line's end, when no more will come."""
        if self._held:
            yield bytes(self._held)
            self._held.clear()
