"""Call of a client, message by message: it sends, and receives as fast as its reader takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

from ..http2.frames import end_stream_frame, headers_frame
from ..http2.stream import Stream
from .response_handlers import StreamingHandler
from .status import Metadata, StatusCode, StatusError
from .wire import decode_metadata, encode_message

Req = TypeVar("Req")
Res = TypeVar("Res")


class ClientCall(Generic[Req, Res]):
    """A call of any kind, as an asynchronous context manager and iterator; made by `Channel.call`.

    Entering it opens the stream. Leaving it before the server has ended the call cancels it, which the server sees.
    One task may send while another receives.

        async with channel.call("/pkg.Chat/Talk", Line.SerializeToString, Line.FromString) as call:
            await call.send(Line(text="hello"))
            await call.done_writing()
            async for line in call:
                print(line.text)

    Args:
        open_stream: opens a stream with a handler; returns it, and the header block to send.
        handler: receives the stream's events.
        serializer: makes bytes of a request.
        deserializer: makes a response of bytes.
        compress: whether requests are compressed.
    """

    def __init__(
        self,
        open_stream: Callable[[StreamingHandler], Awaitable[tuple[Stream, bytes]]],
        handler: StreamingHandler,
        serializer: Callable[[Req], bytes],
        deserializer: Callable[[bytes], Res],
        compress: bool,
    ) -> None:
        self._open_stream = open_stream
        self._handler = handler
        self._serializer = serializer
        self._deserializer = deserializer
        self._compress = compress
        self._done_writing = False

    async def __aenter__(self) -> ClientCall[Req, Res]:
        stream, block = await self._open_stream(self._handler)
        self._handler.stream = stream
        stream.send(headers_frame(stream.stream_id, block), b"", b"")
        return self

    async def __aexit__(self, *error: object) -> None:
        self.cancel()

    async def __aiter__(self) -> AsyncIterator[Res]:
        while (response := await self.receive()) is not None:
            yield response

    @property
    def done(self) -> bool:
        """Whether the server has ended the call, or it was cancelled."""
        return self._handler.done

    @property
    def trailing_metadata(self) -> Metadata:
        """What the server sent with the status; empty before."""
        return decode_metadata(self._handler.trailing_fields or {})

    async def initial_metadata(self) -> Metadata:
        """What the server sends before its first message, as soon as it comes; errors as in `receive`."""
        await self._handler.wait_for_headers()
        if self._handler.initial_fields is None and self._handler.error is not None:
            raise self._handler.error
        return decode_metadata(self._handler.initial_fields or {})

    async def send(self, request: Req) -> None:
        """Send a message and wait until the server takes it.

        Raises:
            StatusError: the call has ended with an error.
            RuntimeError: `done_writing` was called, or the server has ended the call well already.
        """
        stream = self._writable()
        stream.send(b"", encode_message(self._serializer(request), self._compress), b"")
        await stream.drained()
        if self._handler.error is not None:
            raise self._handler.error

    async def done_writing(self) -> None:
        """Say that no further message comes; errors as in `send`."""
        if not self._done_writing and not self._handler.done:
            stream = self._writable()
            self._done_writing = True
            stream.send(b"", b"", end_stream_frame(stream.stream_id))

    async def receive(self) -> Res | None:
        """The next message; None when the server has ended the call well.

        Raises:
            StatusError: the call has ended with an error.
        """
        data = await self._handler.reader.read()
        if data is None:
            return None
        try:
            return self._deserializer(data)
        except Exception as error:
            raise StatusError(StatusCode.INTERNAL, f"the answer cannot be read: {error}") from error

    def cancel(self) -> None:
        """Cancel the call, unless it has ended."""
        self._handler.cancel()

    def _writable(self) -> Stream:
        if self._handler.error is not None:
            raise self._handler.error
        stream = self._handler.stream
        if stream is None or self._done_writing or self._handler.done:
            raise RuntimeError("the call takes no further messages")
        return stream
