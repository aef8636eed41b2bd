"""Standard streams of the stdio transport: private descriptors, read and written from an event loop, cut into lines."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

_FIRST_PRIVATE_DESCRIPTOR = 3
_CHUNK_BYTES = 256 * 1024


class StandardStreams:
    """Private copies of descriptors 0 and 1, which then point to the null device and to standard error.

    Whatever a plugin prints, and what child processes write, goes to standard error and cannot corrupt the session.

    Attributes:
        reader: descriptor to read the protocol from.
        writer: descriptor to write the protocol to.
    """

    def __init__(self) -> None:
        self.reader = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, _FIRST_PRIVATE_DESCRIPTOR)
        self.writer = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, _FIRST_PRIVATE_DESCRIPTOR)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._stdout: Any = sys.stdout
        # Text that was printed earlier and still stands in the buffer goes where descriptor 1 points now.
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        sys.stdout = sys.stderr

    def release(self) -> None:
        """Give descriptors 0 and 1 back, in blocking mode, and close the private copies."""
        sys.stdout = self._stdout
        for private, public in ((self.reader, 0), (self.writer, 1)):
            with contextlib.suppress(OSError):
                # The mode belongs to the open file, which the parent process may share.
                os.set_blocking(private, True)
            os.dup2(private, public)
            os.close(private)


class LineSplitter:
    """Cuts a stream of bytes into lines, and never holds more than the longest allowed line.

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


def _is_pipe(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class _ReadProtocol(asyncio.Protocol):
    def __init__(self, reader: DescriptorReader) -> None:
        self._reader = reader

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Data, and with it `pause`, may come before the call that opened the pipe has returned.
        self._reader.transport = cast(asyncio.ReadTransport, transport)

    def data_received(self, data: bytes) -> None:
        self._reader.on_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._reader.on_end()


class DescriptorReader:
    """Reads a descriptor of any kind (pipe, socket, terminal, file) and hands the bytes on.

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
            await loop.connect_read_pipe(lambda: _ReadProtocol(self), pipe)
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
                    data = os.read(self._descriptor, _CHUNK_BYTES)
                except OSError:
                    data = b""
                if not data:
                    loop.call_soon_threadsafe(self.on_end)
                    return
                loop.call_soon_threadsafe(self.on_data, data)


class _WriteProtocol(asyncio.BaseProtocol):
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


class DescriptorWriter:
    """Writes to a descriptor of any kind.

    Args:
        descriptor: where to write; it stays the caller's to close.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._transport: asyncio.WriteTransport | None = None
        self._protocol = _WriteProtocol()

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
