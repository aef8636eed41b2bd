"""Writes that are joined: what many callers send in one turn of the event loop wakes the other side once."""

from __future__ import annotations

import asyncio


class CoalescingWriter:
    """Collects what is written until the end of the loop's turn.

    Args:
        transport: where it then goes.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Write soon."""
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(data)

    def flush(self) -> None:
        """Write now what was collected."""
        if self._parts and not self._transport.is_closing():
            self._transport.write(b"".join(self._parts))
        self._parts.clear()
