"""Calls of a client: one message each way, or streams that follow their readers."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

from ..http2.frames import ErrorCode, end_stream_frame, headers_frame
from ..http2.hpack import Fields
from ..http2.stream import Stream, StreamResetError
from .message_reader import MessageReader, ReceiveBudget
from .metadata import Metadata, decode_metadata
from .status import NotProcessedError, StatusCode, StatusError
from .wire import check_response_headers, decode_message, encode_message, message_length, trailers_error

Req = TypeVar("Req")
Res = TypeVar("Res")

_RESET_CODES: dict[int, StatusCode] = {
    ErrorCode.CANCEL: StatusCode.CANCELLED,
    ErrorCode.ENHANCE_YOUR_CALM: StatusCode.RESOURCE_EXHAUSTED,
    ErrorCode.INADEQUATE_SECURITY: StatusCode.PERMISSION_DENIED,
}
"""What other error codes of RST_STREAM stand for is INTERNAL."""


class _ResponseHandler(ABC):
    """Handler of one call's stream: reads the fields and the status, and keeps the deadline.

    Attributes:
        stream: the stream, once it is open.
        initial_fields: the fields before the first message, None before they came.
        trailing_fields: the fields after the last, None before they came.
        error: how the call ended, if not well.
        done: whether it has ended.
    """

    __slots__ = ("_timeout", "_timer", "done", "error", "initial_fields", "stream", "trailing_fields")

    def __init__(self, timeout: float | None) -> None:
        self.stream: Stream | None = None
        self.initial_fields: Fields | None = None
        self.trailing_fields: Fields | None = None
        self.error: StatusError | None = None
        self.done = False
        self._timeout = timeout
        self._timer: asyncio.TimerHandle | None = None

    def start_timer(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """Limit the call to so many seconds from now."""
        self._timer = loop.call_later(seconds, self.expire)

    def on_headers(self, fields: Fields, ended: bool) -> None:
        """See StreamHandler."""
        if self.done:
            return
        try:
            if self.initial_fields is None:
                check_response_headers(fields)
                self.initial_fields = fields
        except StatusError as error:
            self._fail(error)
            return
        if ended:
            self.trailing_fields = fields
            self._finish(trailers_error(fields))

    def on_data(self, data: bytes, ended: bool) -> None:
        """See StreamHandler."""
        if self.done:
            return
        try:
            if self.initial_fields is None:
                raise StatusError(StatusCode.INTERNAL, "the server sends data before its header fields")
            self._on_message_data(data)
        except StatusError as error:
            self._fail(error)
            return
        if ended:
            self._finish(StatusError(StatusCode.UNKNOWN, "the server ended the call without a status"))

    def on_timeout(self) -> None:
        """See StreamHandler: only servers have it."""
        raise AssertionError("a client's stream has no read timeout")

    def on_reset(self, error: StreamResetError) -> None:
        """See StreamHandler."""
        self._fail(status_of_reset(error))

    @property
    def has_timer(self) -> bool:
        """Whether the handler itself keeps the deadline."""
        return self._timer is not None

    def cancel(self) -> None:
        """Cancel the call, unless it has ended."""
        self._fail(StatusError(StatusCode.CANCELLED, "the call was cancelled"))

    def expire(self) -> None:
        """End the call, unless it has ended: its deadline has passed."""
        self._fail(StatusError(StatusCode.DEADLINE_EXCEEDED, f"no answer within {self._timeout:g} s"))

    def _fail(self, error: StatusError) -> None:
        """End the call at once, whatever the server still sends."""
        if self.done:
            return
        if self.stream is not None:
            self.stream.reset(ErrorCode.CANCEL)
        self._finish(error, discard=True)

    def _finish(self, error: StatusError | None, discard: bool = False) -> None:
        self.done = True
        if self._timer is not None:
            self._timer.cancel()
        if error is not None:
            error.initial_metadata = decode_metadata(self.initial_fields or {})
        self.error = error
        self._on_end(error, discard)

    @abstractmethod
    def _on_message_data(self, data: bytes) -> None:
        """Data came."""

    @abstractmethod
    def _on_end(self, error: StatusError | None, discard: bool) -> None:
        """The call has ended; `discard` at once, even if messages are there that nobody has taken."""


class UnaryHandler(_ResponseHandler):
    """Handler of a call of one message each way.

    Args:
        timeout: seconds that the call may take, for the error's text.
        max_message_bytes: the largest answer.
        answer: is given the answer.
    """

    __slots__ = ("_answer", "_body", "_max_message_bytes")

    def __init__(self, timeout: float | None, max_message_bytes: int, answer: asyncio.Future[bytes]) -> None:
        super().__init__(timeout)
        self._answer = answer
        self._max_message_bytes = max_message_bytes
        self._body: bytes | bytearray = b""

    def _on_message_data(self, data: bytes) -> None:
        if not self._body:
            self._body = data
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += data
        size = message_length(self._body, self._max_message_bytes)
        if 0 < size < len(self._body):
            raise StatusError(StatusCode.INTERNAL, "the answer is not one whole message")
        assert self.stream is not None
        self.stream.acknowledge(len(data))

    def _on_end(self, error: StatusError | None, discard: bool) -> None:
        if error is None:
            try:
                message = decode_message(self._body, self._max_message_bytes, what="answer")
            except StatusError as decoding_error:
                error = self.error = decoding_error
        if self._answer.done():
            return
        if error is None:
            self._answer.set_result(message)
        else:
            self._answer.set_exception(error)


class StreamingHandler(_ResponseHandler):
    """Handler of a call with streams.

    Args:
        timeout: seconds that the call may take, for the error's text.
        budget: limits messages.

    Attributes:
        reader: reads the answers.
    """

    __slots__ = ("_headers_waiter", "reader")

    def __init__(self, timeout: float | None, budget: ReceiveBudget) -> None:
        super().__init__(timeout)
        self.reader = MessageReader(budget, self._acknowledge, "answer")
        self._headers_waiter: asyncio.Future[None] | None = None

    async def wait_for_headers(self) -> None:
        """Wait until the fields before the first message, or the end, have come."""
        while self.initial_fields is None and not self.done:
            if self._headers_waiter is None:
                self._headers_waiter = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._headers_waiter)

    def on_headers(self, fields: Fields, ended: bool) -> None:
        """See StreamHandler."""
        super().on_headers(fields, ended)
        self._wake()

    def _acknowledge(self, size: int) -> None:
        if self.stream is not None:
            self.stream.acknowledge(size)

    def _on_message_data(self, data: bytes) -> None:
        self.reader.feed(data, False)

    def _on_end(self, error: StatusError | None, discard: bool) -> None:
        if error is None:
            self.reader.end()
        else:
            self.reader.fail(error, discard)
        self._wake()

    def _wake(self) -> None:
        if self._headers_waiter is not None and not self._headers_waiter.done():
            self._headers_waiter.set_result(None)


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


def status_of_reset(error: StreamResetError) -> StatusError:
    """The status that a reset stands for."""
    if not error.processed:
        return NotProcessedError(str(error))
    if error.code is None:
        return StatusError(StatusCode.UNAVAILABLE, str(error))
    return StatusError(_RESET_CODES.get(error.code, StatusCode.INTERNAL), str(error))
