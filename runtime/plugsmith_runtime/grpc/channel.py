"""gRPC channel: calls of all four kinds to one server, over TCP, TLS or a Unix socket."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from ..http2.frames import end_stream_frame, headers_frame
from ..http2.hpack import encode
from ..http2.stream import Stream, StreamHandler, StreamResetError
from ..net.deadlines import DeadlineExceededError, Deadlines
from .channel_connection import ChannelConnection, ChannelOptions
from .client_call import ClientCall
from .message_reader import ReceiveBudget
from .response_handlers import StreamingHandler, UnaryHandler, status_of_reset
from .status import Metadata, NotProcessedError, StatusCode, StatusError
from .wire import encode_message, encode_metadata, request_fields

Req = TypeVar("Req")
Res = TypeVar("Res")

_CACHED_BLOCKS = 256
_CACHED_TIMEOUTS = 16


class Channel:
    """Way to one server. Its methods may be called by any number of tasks of one event loop.

    One connection carries all calls. It is opened by the first call, or by `connect`. A call that finds it lost, used
    up or told to go (GOAWAY) opens another one; the calls that are left on the former end there.

    Messages are what the (de)serializers take and give: `Message.SerializeToString` and `Message.FromString`, or
    `bytes` for both.

    Args:
        target: "host:port", "[address]:port", or "unix:" and a path.
        tls: the context of a connection with TLS; it must ask for "h2" (ALPN). None for plain text.
        options: see the class.

    Raises:
        ValueError: the target is none.
    """

    def __init__(self, target: str, tls: ssl.SSLContext | None = None, options: ChannelOptions | None = None) -> None:
        self._options = options = options or ChannelOptions()
        self._connection = ChannelConnection(target, tls, options)
        self._secure = tls is not None
        self._authority = options.authority or ("localhost" if target.startswith("unix:") else target)
        self._loop = asyncio.get_running_loop()
        self._budget = ReceiveBudget(options.max_message_bytes)
        self._deadlines: dict[float, Deadlines] = {}
        # Servers know a header block again, and it costs nothing to make.
        self._blocks: dict[tuple[str, float | None], bytes] = {}

    async def __aenter__(self) -> Channel:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    @property
    def connected(self) -> bool:
        """Whether a connection stands that takes calls, as far as is known without asking the server."""
        return self._connection.current is not None

    async def connect(self) -> None:
        """Connect, unless the channel is connected.

        Raises:
            OSError: nobody listens there, TLS failed, or it is no HTTP/2 server.
            TimeoutError: no connection in time.
        """
        await self._connection.get()

    async def close(self) -> None:
        """Close the connection; calls in flight fail, but those of a connection that the server drains end there."""
        self._connection.close()

    def call(
        self,
        method: str,
        serializer: Callable[[Req], bytes],
        deserializer: Callable[[bytes], Res],
        *,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> ClientCall[Req, Res]:
        """Make a call of any kind, message by message.

        Args:
            method: the path, "/" service "/" method.
            serializer: makes bytes of a request.
            deserializer: makes a response of bytes.
            timeout: seconds that the call may take, counted from when it is entered; None for ever.
            metadata: sent before the first message.

        Returns:
            The call, to be entered with `async with`; that raises StatusError when no stream can be opened.
        """
        handler = StreamingHandler(timeout, self._budget)

        async def open_stream(handler: StreamingHandler) -> tuple[Stream, bytes]:
            extra = encode(*encode_metadata(metadata))
            if opened := self._open_now(method, handler, timeout):
                if timeout is not None:
                    handler.start_timer(self._loop, timeout)
            else:
                opened = await self._open_later(method, handler, timeout)
            return opened[0], opened[1] + extra

        return ClientCall(open_stream, handler, serializer, deserializer, self._options.compress)

    async def unary_unary(
        self,
        method: str,
        request: Req,
        serializer: Callable[[Req], bytes],
        deserializer: Callable[[bytes], Res],
        *,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> Res:
        """Send one message and wait for the answer.

        Args:
            method: the path, "/" service "/" method.
            request: the message.
            serializer: makes bytes of a request.
            deserializer: makes a response of bytes.
            timeout: seconds that the call may take; None for ever.
            metadata: sent before the message.

        Raises:
            NotProcessedError: the server has certainly not acted on the call.
            StatusError: the call has ended with another status than OK.
            EncodeError: metadata is not allowed.
        """
        answer: asyncio.Future[bytes] = self._loop.create_future()
        handler = UnaryHandler(timeout, self._options.max_message_bytes, answer)
        data = encode_message(serializer(request), self._options.compress)
        extra = encode(*encode_metadata(metadata)) if metadata else b""
        opened = self._open_now(method, handler, timeout) or await self._open_later(method, handler, timeout)
        stream, block = opened
        handler.stream = stream
        stream_id = stream.stream_id
        stream.send(headers_frame(stream_id, block + extra), data, end_stream_frame(stream_id))
        try:
            if timeout is None or handler.has_timer:
                response = await answer
            else:
                response = await self._deadlines_of(timeout).run(answer)
        except asyncio.CancelledError:
            handler.cancel()
            raise
        except DeadlineExceededError:
            handler.expire()
            raise StatusError(StatusCode.DEADLINE_EXCEEDED, f"no answer within {timeout:g} s") from None
        return deserializer(response)

    async def unary_stream(
        self,
        method: str,
        request: Req,
        serializer: Callable[[Req], bytes],
        deserializer: Callable[[bytes], Res],
        *,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> AsyncGenerator[Res, None]:
        """Send one message and receive a stream; arguments and errors as in `unary_unary`."""
        async with self.call(method, serializer, deserializer, timeout=timeout, metadata=metadata) as call:
            await call.send(request)
            await call.done_writing()
            async for response in call:
                yield response

    async def stream_unary(
        self,
        method: str,
        requests: AsyncIterable[Req],
        serializer: Callable[[Req], bytes],
        deserializer: Callable[[bytes], Res],
        *,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> Res:
        """Send a stream and wait for the answer; arguments and errors as in `unary_unary`."""
        stream = self.stream_stream(method, requests, serializer, deserializer, timeout=timeout, metadata=metadata)
        async with aclosing(stream) as responses:
            answers = [response async for response in responses]
        if len(answers) != 1:
            raise StatusError(StatusCode.INTERNAL, f"{len(answers)} messages where one is due")
        return answers[0]

    async def stream_stream(
        self,
        method: str,
        requests: AsyncIterable[Req],
        serializer: Callable[[Req], bytes],
        deserializer: Callable[[bytes], Res],
        *,
        timeout: float | None = None,
        metadata: Metadata = (),
    ) -> AsyncGenerator[Res, None]:
        """Send a stream while another is received; arguments and errors as in `unary_unary`."""
        async with self.call(method, serializer, deserializer, timeout=timeout, metadata=metadata) as call:
            sending = self._loop.create_task(_send_all(call, requests))
            try:
                async for response in call:
                    yield response
            except StatusError:
                if sending.done() and not sending.cancelled() and (failure := sending.exception()):
                    raise failure from None
                raise
            finally:
                sending.cancel()
                await asyncio.wait([sending])

    def _open_now(self, method: str, handler: StreamHandler, timeout: float | None) -> tuple[Stream, bytes] | None:
        """Open a stream on the connection that is there; returns it with the header block of its call."""
        connection = self._connection.current
        stream = connection.open_stream(handler) if connection is not None else None
        return None if stream is None else (stream, self._block(method, timeout))

    async def _open_later(
        self, method: str, handler: StreamingHandler | UnaryHandler, timeout: float | None
    ) -> tuple[Stream, bytes]:
        """Open a stream as soon as that can be, within the call's time."""
        start = self._loop.time()
        stream = await self._wait_for_stream(handler, timeout)
        if timeout is not None:
            timeout -= self._loop.time() - start
            handler.start_timer(self._loop, timeout)
        return stream, request_fields(method, self._authority, self._secure, timeout, self._options.compress)

    async def _wait_for_stream(self, handler: StreamHandler, timeout: float | None) -> Stream:
        """Connect, if need be, and wait until the server takes one more stream."""
        try:
            async with asyncio.timeout(timeout) as limit:
                try:
                    return await (await self._connection.get()).wait_for_stream(handler)
                except StreamResetError:
                    # The connection went while the call waited for its turn.
                    return await (await self._connection.get()).wait_for_stream(handler)
        except StreamResetError as error:
            raise status_of_reset(error) from None
        except OSError as error:
            if limit.expired():
                text = f"no answer within {timeout:g} s"
                raise StatusError(StatusCode.DEADLINE_EXCEEDED, text) from None
            raise NotProcessedError(f"no connection: {error or type(error).__name__}") from error

    def _block(self, method: str, timeout: float | None) -> bytes:
        block = self._blocks.get((method, timeout))
        if block is None:
            if len(self._blocks) >= _CACHED_BLOCKS:
                self._blocks.clear()
            block = request_fields(method, self._authority, self._secure, timeout, self._options.compress)
            self._blocks[method, timeout] = block
        return block

    def _deadlines_of(self, timeout: float) -> Deadlines:
        """Deadlines of the calls with one timeout: a timer for each call would cost more than the rest of it."""
        deadlines = self._deadlines.get(timeout)
        if deadlines is None:
            if len(self._deadlines) >= _CACHED_TIMEOUTS:
                self._deadlines.clear()
            deadlines = self._deadlines[timeout] = Deadlines(timeout)
        return deadlines


async def _send_all(call: ClientCall[Req, Any], requests: AsyncIterable[Req]) -> None:
    try:
        async for request in requests:
            if call.done:
                return
            await call.send(request)
        await call.done_writing()
    except StatusError:
        # Whoever receives is told.
        return
    except Exception:
        call.cancel()
        raise
