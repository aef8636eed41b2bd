"""Handlers of a client's streams: they read fields, messages and the status, and keep the deadline."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from ..http2.frames import ErrorCode
from ..http2.hpack import Fields
from ..http2.stream import Stream, StreamResetError
from .message_reader import MessageReader, ReceiveBudget
from .status import NotProcessedError, StatusCode, StatusError
from .wire import check_response_headers, decode_message, decode_metadata, message_length, trailers_error

_RESET_CODES: dict[int, StatusCode] = {
    ErrorCode.CANCEL: StatusCode.CANCELLED,
    ErrorCode.ENHANCE_YOUR_CALM: StatusCode.RESOURCE_EXHAUSTED,
    ErrorCode.INADEQUATE_SECURITY: StatusCode.PERMISSION_DENIED,
}
"""What other error codes of RST_STREAM stand for is INTERNAL."""


class ResponseHandler(ABC):
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


class UnaryHandler(ResponseHandler):
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
        if size == len(self._body):
            # Only the status follows, which needs no credit.
            return
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


class StreamingHandler(ResponseHandler):
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


def status_of_reset(error: StreamResetError) -> StatusError:
    """The status that a reset stands for."""
    if not error.processed:
        return NotProcessedError(str(error))
    if error.code is None:
        return StatusError(StatusCode.UNAVAILABLE, str(error))
    return StatusError(_RESET_CODES.get(error.code, StatusCode.INTERNAL), str(error))
