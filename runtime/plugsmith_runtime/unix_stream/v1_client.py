"""The client of version 1: one call in flight on each of some connections."""

from __future__ import annotations

import asyncio

from ..errors import RequestNotSentError
from .framing import LENGTH_BYTES, MAX_FRAME_BYTES, encode_frame

_MAX_CONNECTIONS = 16

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class V1ConnectionPool:
    """Connections to one server, each for one call at a time; further calls wait for their turn.

    A call that gets no answer closes its connection, so that no later call can take that answer for its own.

    Args:
        path: the socket.
    """

    def __init__(self, path: str) -> None:
        self._closed = False
        self._path = path
        self._idle: list[_Streams] = []
        self._slots = asyncio.Semaphore(_MAX_CONNECTIONS)

    @classmethod
    async def open(cls, path: str) -> V1ConnectionPool:
        """Connect.

        Raises:
            OSError: nobody listens there.
        """
        pool = cls(path)
        pool._idle.append(await asyncio.open_unix_connection(path))
        return pool

    @property
    def usable(self) -> bool:
        """Whether further calls may be made; not once the server has closed a connection: it may be another one now."""
        return not self._closed and not any(reader.at_eof() for reader, _ in self._idle)

    def close(self) -> None:
        """Close the connections that no call uses; the others end with their calls."""
        self._closed = True
        while self._idle:
            self._idle.pop()[1].close()

    async def request(self, message: bytes) -> bytes:
        """Make a call.

        Args:
            message: the request.

        Returns:
            The answer.

        Raises:
            RequestNotSentError: no connection can be had, and the call was not sent.
            ConnectionError: the connection was lost while the call was in flight.
            ValueError: the request is larger than a message may be.
        """
        if len(message) > MAX_FRAME_BYTES:
            raise ValueError(f"the call takes {len(message)} bytes, a Unix socket's message at most {MAX_FRAME_BYTES}")
        async with self._slots:
            reader, writer = await self._acquire()
            try:
                writer.write(encode_frame(message))
                await writer.drain()
                size = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
                if size > MAX_FRAME_BYTES:
                    raise ConnectionError(f"the server sends a message of {size} bytes")
                answer = await reader.readexactly(size)
            except asyncio.IncompleteReadError as error:
                writer.close()
                self.close()
                raise ConnectionResetError("the connection was lost while the call was in flight") from error
            except BaseException as error:
                # Also when the caller was cancelled: the answer may still come, and must not be read as another's.
                writer.close()
                if isinstance(error, OSError):
                    self.close()
                raise
            if self._closed:
                writer.close()
            else:
                self._idle.append((reader, writer))
            return answer

    async def _acquire(self) -> _Streams:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        try:
            return await asyncio.open_unix_connection(self._path)
        except OSError as error:
            self.close()
            raise RequestNotSentError(f"{self._path}: {error.strerror}") from error
