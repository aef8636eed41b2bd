"""The client of version 2: a connection with many calls in flight; each answer finds its call by a number."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple, Protocol, cast

from ..errors import DecodeError, PlugsmithError, RequestNotSentError
from ..net.connections import CoalescingWriter
from .framing import MAX_FRAME_BYTES, V2_PREFACE, FrameDecoder, FrameTooLongError, encode_frame


class UnsupportedVersionError(PlugsmithError, ConnectionError):
    """The server closed the connection when it saw the preface: it speaks version 1 only, or takes no connections."""


class Welcome(NamedTuple):
    """The frame by which a server accepts a connection, and how much it takes."""

    max_frame_bytes: int
    max_calls: int


class Goodbye(NamedTuple):
    """The frame by which a server announces the end of a connection; it answers calls up to `last_id`."""

    last_id: int


class ClientCodec(Protocol):
    """Encodes and decodes what the frames of version 2 have beside requests and answers."""

    def write_call_id(self, call_id: int) -> bytes:
        """Encode what comes before a request to make a frame of both."""

    def write_cancel(self, call_id: int) -> bytes:
        """Encode the frame that cancels a call."""

    def read_frame(self, message: bytes) -> tuple[int, Any]:
        """Decode a server's frame.

        Returns:
            The number of the call, and the answer; 0 and Welcome, Goodbye or something unknown for others.

        Raises:
            DecodeError: it is no frame.
        """


class V2ClientConnection(asyncio.Protocol):
    """A connection that carries calls; make it with `open`.

    Args:
        codec: knows the frames.

    Attributes:
        usable: whether further calls may be made.
    """

    def __init__(self, codec: ClientCodec) -> None:
        self.usable = True
        self._codec = codec
        self._loop = asyncio.get_running_loop()
        self._decoder = FrameDecoder(MAX_FRAME_BYTES)
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0
        self._welcomed: asyncio.Future[None] = self._loop.create_future()
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._slots = asyncio.Semaphore(1)
        self._max_frame_bytes = MAX_FRAME_BYTES
        self._transport: asyncio.Transport
        self._writer: CoalescingWriter

    @classmethod
    async def open(cls, path: str, codec: ClientCodec) -> V2ClientConnection:
        """Connect, and wait for the server to accept version 2.

        Args:
            path: the socket.
            codec: knows the frames.

        Raises:
            UnsupportedVersionError: it does not.
            OSError: nobody listens there.
        """
        _, connection = await asyncio.get_running_loop().create_unix_connection(lambda: cls(codec), path)
        try:
            await connection._welcomed
        except BaseException:
            connection._transport.abort()
            raise
        return connection

    def close(self) -> None:
        """Close the connection; calls in flight fail, unless the server has said goodbye and will still answer them."""
        if self.usable or not self._pending:
            self.usable = False
            self._transport.close()

    async def request(self, message: bytes) -> Any:
        """Make a call.

        Args:
            message: the frame, less the call's number.

        Returns:
            The frame that answers it, as the codec decoded it.

        Raises:
            RequestNotSentError: the connection is gone, and the call was not run.
            ConnectionError: the connection was lost while the call was in flight.
            ValueError: the call is larger than the server reads.
        """
        async with self._slots:
            while not self._can_write.is_set():
                await self._can_write.wait()
            if not self.usable:
                raise RequestNotSentError("the connection was closed before the call could be sent")
            call_id = self._last_id + 1
            frame = self._codec.write_call_id(call_id) + message
            if len(frame) > self._max_frame_bytes:
                raise ValueError(f"the call takes {len(frame)} bytes, the server reads at most {self._max_frame_bytes}")
            self._last_id = call_id
            answer: asyncio.Future[Any] = self._loop.create_future()
            self._pending[call_id] = answer
            self._writer.write(encode_frame(frame))
            try:
                return await answer
            except asyncio.CancelledError:
                if self._pending.pop(call_id, None) is not None:
                    self._writer.write(encode_frame(self._codec.write_cancel(call_id)))
                raise

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)
        self._writer = CoalescingWriter(self._transport)
        self._transport.write(V2_PREFACE)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        try:
            frames = [self._codec.read_frame(message) for message in self._decoder.feed(data)]
        except (FrameTooLongError, DecodeError):
            self._transport.abort()
            return
        for call_id, frame in frames:
            if call_id:
                # An answer that nobody waits for belongs to a call that was given up.
                pending = self._pending.pop(call_id, None)
                if pending is not None and not pending.done():
                    pending.set_result(frame)
            elif isinstance(frame, Welcome):
                self._on_welcome(frame)
            elif isinstance(frame, Goodbye):
                self._on_goodbye(frame)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.usable = False
        self._can_write.set()
        if not self._welcomed.done():
            self._welcomed.set_exception(UnsupportedVersionError("the server does not know version 2 of the protocol"))
        for pending in self._pending.values():
            if not pending.done():
                pending.set_exception(ConnectionResetError("the connection was lost while the call was in flight"))
        self._pending.clear()

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        self._can_write.clear()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self._can_write.set()

    def _on_welcome(self, welcome: Welcome) -> None:
        self._max_frame_bytes = welcome.max_frame_bytes
        self._slots = asyncio.Semaphore(welcome.max_calls)
        if not self._welcomed.done():
            self._welcomed.set_result(None)

    def _on_goodbye(self, goodbye: Goodbye) -> None:
        self.usable = False
        for call_id in [call_id for call_id in self._pending if call_id > goodbye.last_id]:
            pending = self._pending.pop(call_id)
            if not pending.done():
                pending.set_exception(RequestNotSentError("the server is stopping and did not take the call"))
