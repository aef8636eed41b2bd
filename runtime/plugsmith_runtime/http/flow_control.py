"""Flow control of a connection: reading is paused while the application has enough, writing waits for the client."""

from __future__ import annotations

import asyncio

READ_HIGH_WATER_BYTES = 65_536
"""Request body that is kept for the application; beyond it the connection is not read."""


class FlowControl:
    """Pauses and resumes one transport.

    Attributes:
        read_paused: the transport is not read.
        write_paused: the transport holds more unsent bytes than it likes.
    """

    __slots__ = ("_transport", "_writable", "read_paused", "write_paused")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._writable: asyncio.Event | None = None
        self.read_paused = False
        self.write_paused = False

    def pause_reading(self) -> None:
        """Read no more until told to."""
        if not self.read_paused:
            self.read_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if self.read_paused:
            self.read_paused = False
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        """The transport's buffer is full: `drain` waits from now on."""
        self.write_paused = True
        self._writable = asyncio.Event()

    def resume_writing(self) -> None:
        """The transport's buffer has room, or the connection is lost: `drain` returns."""
        self.write_paused = False
        if self._writable is not None:
            self._writable.set()
            self._writable = None

    async def drain(self) -> None:
        """Wait until the transport takes more."""
        if self._writable is not None:
            await self._writable.wait()
