"""Calls on a server: one request and one answer, or messages both ways as they come."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from ..errors import EncodeError
from ..http2.hpack import Fields, encode
from ..http2.stream import Stream, StreamResetError
from .message_reader import MessageReader, ReceiveBudget
from .status import Metadata, StatusCode, StatusError
from .wire import (
    decode_message,
    decode_metadata,
    decode_timeout,
    encode_message,
    encode_metadata,
    error_trailers,
    in_parentheses,
    message_length,
    ok_trailers,
    response_headers,
)

logger = logging.getLogger(__name__)

_SECOND_REQUEST = "the request is more than one message"
_FAILED = "the call failed inside the server; its log has the reason"


class CallLimits:
    """Limits of calls.

    Args:
        budget: limits messages and memory.
        read_timeout: seconds in which a unary request must arrive, for error texts.
        read_timeout_setting: the name of its setting.
    """

    __slots__ = ("budget", "read_timeout", "read_timeout_setting")

    def __init__(self, budget: ReceiveBudget, read_timeout: float, read_timeout_setting: str = "") -> None:
        self.budget = budget
        self.read_timeout = read_timeout
        self.read_timeout_setting = read_timeout_setting


class ServerCall(ABC):
    """One call, as its handler sees it.

    The handler runs in a task that is cancelled when the caller cancels the call, its deadline passes, or its
    connection is lost.

    Args:
        stream: the stream that it came on.
        fields: the request's fields.
        limits: limits of what is kept of requests.

    Attributes:
        fields: the request's fields.
        peer: who calls: what the server keeps with the connection.
    """

    __slots__ = (
        "_finished", "_headers_sent", "_limits", "_stream", "_task", "_timer", "_trailing_metadata", "fields",
        "peer",
    )  # fmt: skip

    def __init__(self, stream: Stream, fields: Fields, limits: CallLimits) -> None:
        self.fields = fields
        self.peer: Any = stream.connection.info
        self._stream = stream
        self._limits = limits
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._headers_sent = False
        self._finished = False
        self._trailing_metadata = b""
        if timeout := fields.get(b"grpc-timeout"):
            self._timer = asyncio.get_running_loop().call_later(decode_timeout(timeout), self._on_deadline)

    @property
    def metadata(self) -> Metadata:
        """What the caller sent beside the messages."""
        return decode_metadata(self.fields)

    def time_remaining(self) -> float | None:
        """The seconds until the caller's deadline; None without one."""
        if self._timer is None:
            return None
        return max(self._timer.when() - asyncio.get_running_loop().time(), 0.0)

    def send_initial_metadata(self, metadata: Metadata) -> None:
        """Send metadata before the first message.

        Raises:
            RuntimeError: the first message has been sent.
            EncodeError: a name or value is not allowed.
        """
        if self._headers_sent:
            raise RuntimeError("the initial metadata has been sent already")
        block = encode(*encode_metadata(metadata))
        self._headers_sent = True
        self._stream.send(response_headers(self._stream.stream_id, block), b"", b"")

    def set_trailing_metadata(self, metadata: Metadata) -> None:
        """Choose what is sent with the status, whatever that will be.

        Raises:
            EncodeError: a name or value is not allowed.
        """
        self._trailing_metadata = encode(*encode_metadata(metadata))

    @abstractmethod
    def on_data(self, data: bytes, ended: bool) -> None:
        """See StreamHandler."""

    def on_headers(self, fields: Fields, ended: bool) -> None:
        """See StreamHandler: trailers of a request say nothing but that it ends."""
        self.on_data(b"", True)

    def on_reset(self, error: StreamResetError) -> None:
        """See StreamHandler."""
        self._discard()
        if self._timer is not None:
            self._timer.cancel()
        if self._task is None or self._task.done():
            self._stream.close()
        else:
            # What the handler does until it is cancelled still counts as a stream of this connection.
            self._task.add_done_callback(lambda _: self._stream.close())
            self._task.cancel()

    @abstractmethod
    def on_timeout(self) -> None:
        """See StreamHandler."""

    @abstractmethod
    def _discard(self) -> None:
        """Drop what was received and nobody has taken."""

    def _start(self, work: Callable[[], Awaitable[bytes]]) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(work))

    async def _run(self, work: Callable[[], Awaitable[bytes]]) -> None:
        stream_id = self._stream.stream_id
        try:
            data = await work()
        except StatusError as error:
            self._finish(error)
        except Exception:
            logger.exception("a gRPC call failed inside the server")
            self._finish(StatusError(StatusCode.INTERNAL, _FAILED))
        else:
            headers = b"" if self._headers_sent else response_headers(stream_id)
            self._end(headers, data, ok_trailers(stream_id, self._trailing_metadata))

    def _abort(self, error: StatusError) -> None:
        self._finish(error)
        if self._task is not None:
            self._task.cancel()

    def _finish(self, error: StatusError) -> None:
        self._discard()
        stream_id = self._stream.stream_id
        try:
            trailers = error_trailers(stream_id, error, self._headers_sent, self._trailing_metadata)
        except EncodeError:
            logger.exception("a gRPC call has an error with metadata that cannot be sent")
            trailers = error_trailers(stream_id, StatusError(StatusCode.INTERNAL, _FAILED), self._headers_sent)
        self._end(b"", b"", trailers)

    def _end(self, headers: bytes, data: bytes, trailers: bytes) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._finished:
            self._finished = True
            self._stream.send(headers, data, trailers)

    def _on_deadline(self) -> None:
        self._abort(StatusError(StatusCode.DEADLINE_EXCEEDED, "the caller's time for the call is over"))


class UnaryCall(ServerCall):
    """A call of one request and one answer.

    Args:
        stream: see ServerCall.
        fields: see ServerCall.
        limits: see ServerCall.
        handler: makes the answer's message of the request's.
    """

    __slots__ = ("_body", "_buffered", "_handler")

    def __init__(
        self,
        stream: Stream,
        fields: Fields,
        limits: CallLimits,
        handler: Callable[[bytes, ServerCall], Awaitable[bytes]],
    ) -> None:
        super().__init__(stream, fields, limits)
        self._handler = handler
        self._body: bytes | bytearray = b""
        self._buffered = 0

    def on_data(self, data: bytes, ended: bool) -> None:
        """See StreamHandler."""
        if self._finished or self._stream.closed:
            return
        if ended:
            # Most requests come in one piece, which needs no copy.
            if self._body:
                self._body += data
            else:
                self._body = data
            if self._buffered:
                self._release()
            self._start(self._answer)
            return
        if not self._body:
            self._body = bytearray()
        self._body += data
        budget = self._limits.budget
        try:
            self._buffered += len(data)
            budget.change(len(data))
            if 0 < message_length(self._body, budget.max_message_bytes, budget.setting) < len(self._body):
                raise StatusError(StatusCode.INTERNAL, _SECOND_REQUEST)
        except StatusError as error:
            self._abort(error)
        else:
            self._stream.acknowledge(len(data))

    def on_timeout(self) -> None:
        """See StreamHandler."""
        limits = self._limits
        setting = in_parentheses(limits.read_timeout_setting)
        text = f"the request did not arrive within {limits.read_timeout:g} s{setting}"
        self._abort(StatusError(StatusCode.DEADLINE_EXCEEDED, text))

    def _discard(self) -> None:
        self._body = b""
        self._release()

    def _release(self) -> None:
        self._limits.budget.change(-self._buffered)
        self._buffered = 0

    async def _answer(self) -> bytes:
        budget = self._limits.budget
        message = decode_message(self._body, budget.max_message_bytes, budget.setting)
        self._body = b""
        return encode_message(await self._handler(message, self))


class StreamingCall(ServerCall):
    """A call of any number of messages, each way.

    Args:
        stream: see ServerCall.
        fields: see ServerCall.
        limits: see ServerCall.
        handler: reads and sends messages; the call ends with it.
        half_close_on_drain: whether its requests end when the server drains.
    """

    __slots__ = ("_complete", "_half_close_on_drain", "_reader")

    def __init__(
        self,
        stream: Stream,
        fields: Fields,
        limits: CallLimits,
        handler: Callable[[StreamingCall], Awaitable[None]],
        half_close_on_drain: bool = False,
    ) -> None:
        super().__init__(stream, fields, limits)
        self._complete = False
        self._half_close_on_drain = half_close_on_drain
        self._reader = MessageReader(limits.budget, stream.acknowledge, "request")
        self._start(partial(self._run_handler, handler))

    async def receive(self) -> bytes | None:
        """The next message; None after the last.

        Raises:
            StatusError: the message cannot be decoded.
        """
        return await self._reader.read()

    async def receive_single(self) -> bytes:
        """The only message of a method that takes one.

        Raises:
            StatusError: there is none or more than one, or it cannot be decoded.
        """
        message = await self._reader.read()
        if message is None:
            raise StatusError(StatusCode.INVALID_ARGUMENT, "the request is missing")
        self._complete = True
        if self._reader.buffered_bytes:
            raise StatusError(StatusCode.INTERNAL, _SECOND_REQUEST)
        return message

    async def send(self, message: bytes) -> None:
        """Send a message and wait until the caller takes it."""
        headers = b"" if self._headers_sent else response_headers(self._stream.stream_id)
        self._headers_sent = True
        self._stream.send(headers, encode_message(message), b"")
        await self._stream.drained()

    def on_data(self, data: bytes, ended: bool) -> None:
        """See StreamHandler."""
        if self._finished or self._stream.closed:
            return
        try:
            if data and self._complete:
                raise StatusError(StatusCode.INTERNAL, _SECOND_REQUEST)
            self._reader.feed(data, ended)
        except StatusError as error:
            self._abort(error)

    def on_timeout(self) -> None:
        """See StreamHandler: the messages of a stream may come at any time."""

    def on_drain(self) -> None:
        """The server drains: a stream that never ends by itself ends now."""
        if self._half_close_on_drain:
            self._reader.end()

    def _discard(self) -> None:
        self._reader.discard()

    async def _run_handler(self, handler: Callable[[StreamingCall], Awaitable[None]]) -> bytes:
        await handler(self)
        self._discard()
        return b""
