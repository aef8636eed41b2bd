"""Reading and writing descriptors of any kind from an event loop: pipes, sockets, terminals and files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import threading
from collections.abc import Callable
from typing import cast

_CHUNK = 256 * 1024


def _is_pipe(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class _Reading(asyncio.Protocol):
    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Data, and with it `pause`, may come before the call that opened the pipe has returned.
        self._reader.transport = cast(asyncio.ReadTransport, transport)

    def data_received(self, data: bytes) -> None:
        self._reader.on_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._reader.on_end()


class Reader:
    """Reads a descriptor and hands the bytes on.

    Args:
        descriptor: what to read; it stays the caller's to close.
        on_data: gets the bytes, in the event loop.
        on_end: is called once when no more bytes will come.
    """

    def __init__(self, descriptor: int, on_data: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self.on_data = on_data
        self.on_end = on_end
        self.transport: asyncio.ReadTransport | None = None
        self._may_read = threading.Event()
        self._may_read.set()
        self._closed = False

    async def start(self) -> None:
        """Begin to read."""
        loop = asyncio.get_running_loop()
        if _is_pipe(self._descriptor):
            # The loop closes what it is given.
            pipe = os.fdopen(os.dup(self._descriptor), "rb", buffering=0)
            await loop.connect_read_pipe(lambda: _Reading(self), pipe)
        else:
            # An event loop cannot wait for files, and a thread that waits for a terminal must not hold up the exit.
            threading.Thread(target=self._read, args=(loop,), name="stdin", daemon=True).start()

    def pause(self) -> None:
        """Read no more for now, so that the sender has to wait."""
        self._may_read.clear()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read on after `pause`."""
        self._may_read.set()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def close(self) -> None:
        """Read no more at all."""
        self._closed = True
        self._may_read.set()
        if self.transport is not None:
            self.transport.close()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        # The loop may be closed while this thread waits for input.
        with contextlib.suppress(RuntimeError):
            while not self._closed:
                self._may_read.wait()
                try:
                    data = os.read(self._descriptor, _CHUNK)
                except OSError:
                    data = b""
                if not data:
                    loop.call_soon_threadsafe(self.on_end)
                    return
                loop.call_soon_threadsafe(self.on_data, data)


class _Writing(asyncio.BaseProtocol):
    def __init__(self) -> None:
        self.writable = asyncio.Event()
        self.writable.set()
        self.closed = asyncio.Event()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.writable.set()
        self.closed.set()


class Writer:
    """Writes to a descriptor.

    Args:
        descriptor: where to write; it stays the caller's to close.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._transport: asyncio.WriteTransport | None = None
        self._protocol = _Writing()

    async def start(self) -> None:
        """Get ready to write."""
        if _is_pipe(self._descriptor):
            loop = asyncio.get_running_loop()
            pipe = os.fdopen(os.dup(self._descriptor), "wb", buffering=0)
            self._transport, _ = await loop.connect_write_pipe(lambda: self._protocol, pipe)

    def write(self, data: bytes) -> None:
        """Write, or keep in memory what the other side does not take yet; nothing when it is gone."""
        if self._transport is not None:
            if not self._protocol.closed.is_set():
                self._transport.write(data)
            return
        view = memoryview(data)
        with contextlib.suppress(OSError):
            while view:
                view = view[os.write(self._descriptor, view) :]

    async def writable(self) -> None:
        """Wait until the other side has taken most of what was written."""
        await self._protocol.writable.wait()

    async def close(self) -> None:
        """Write what is left, and end."""
        if self._transport is not None:
            self._transport.close()
            await self._protocol.closed.wait()

    def abort(self) -> None:
        """End without writing what is left."""
        if self._transport is not None:
            self._transport.abort()
