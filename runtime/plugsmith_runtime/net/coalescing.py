"""A writer that coalesces: what is written in one turn of the event loop goes out together.

Each write of a transport is a system call, and wakes the other side.
"""

from __future__ import annotations

import asyncio

_MAX_PENDING_BYTES = 64 * 1024


class CoalescingWriter:
    """Collects what is written until the end of the loop's turn, or until it is much.

    Args:
        transport: where it then goes; not written to once it is closing.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._pending: list[bytes] = []
        self._pending_bytes = 0

    def write(self, data: bytes, more: bool = True) -> None:
        """Write, soon or now.

        Args:
            data: what is written.
            more: whether more may follow in this turn of the loop; if not, all goes out now.
        """
        if not self._pending:
            if not more:
                if not self._transport.is_closing():
                    self._transport.write(data)
                return
            self._loop.call_soon(self.flush)
        self._pending.append(data)
        self._pending_bytes += len(data)
        if not more or self._pending_bytes > _MAX_PENDING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write now what was collected."""
        if self._pending:
            data = b"".join(self._pending)
            self._pending.clear()
            self._pending_bytes = 0
            if not self._transport.is_closing():
                self._transport.write(data)
