"""One HTTP/2 connection to a gRPC server: many calls in flight, one message each way."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import cast

from ..errors import RequestNotSentError
from ..net.coalescing import CoalescingWriter
from . import frames, hpack
from .client_call import Answer, Call, ClientReader
from .flow_control import FlowController
from .frames import ErrorCode, Flag, FrameType, ProtocolError, Setting
from .stream import Stream

_BLOCK_LIMIT = 64 * 1024
_CREDIT = 16 * 1024 * 1024
_QUIET = 20.0
"""Seconds that a server which owes answers may be quiet before it is asked for a sign of life, and again to give it."""
_LOST = "the connection was lost while the call was in flight"


class Session(asyncio.Protocol):
    """Carries calls; make it with `open`.

    Attributes:
        usable: whether further calls may be made.
    """

    def __init__(self) -> None:
        self.usable = True
        self._loop = asyncio.get_running_loop()
        self._reader = ClientReader(self, _BLOCK_LIMIT)
        self._decoder = hpack.Decoder(_BLOCK_LIMIT)
        self._calls: dict[int, Call] = {}
        self._next = 1
        self._credit = _CREDIT
        self._room = asyncio.Semaphore(1)
        self._greeted: asyncio.Future[None] = self._loop.create_future()
        self._heard = self._loop.time()
        self._pinged = False
        self._watch: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport
        self._outbox: FlowController
        self._writes: CoalescingWriter

    @classmethod
    async def open(cls, host: str, port: int, tls: ssl.SSLContext | None) -> Session:
        """Connect over TCP and wait until the server speaks HTTP/2.

        Raises:
            OSError: nobody listens there, TLS failed, or it is no HTTP/2 server.
        """
        loop = asyncio.get_running_loop()
        _, session = await loop.create_connection(cls, host, port, ssl=tls)
        return await session._opened()

    @classmethod
    async def open_unix(cls, path: str) -> Session:
        """Connect to a Unix socket; errors as in `open`."""
        _, session = await asyncio.get_running_loop().create_unix_connection(cls, path)
        return await session._opened()

    async def call(self, fields: bytes, message: bytes) -> Answer:
        """Send a message and wait for the answer.

        Args:
            fields: the request's header block.
            message: the body.

        Raises:
            RequestNotSentError: the connection is gone, or the server did not take the call.
            ConnectionError: the connection was lost while the call was in flight.
        """
        async with self._room:
            if not self.usable:
                raise RequestNotSentError("the connection was closed before the call could be sent")
            number = self._next
            self._next += 2
            call = Call(self, number, self._outbox.initial_window, self._loop.create_future())
            self._calls[number] = call
            head = frames.head(FrameType.HEADERS, Flag.END_HEADERS, number, len(fields)) + fields
            self._outbox.send(call, head, message, frames.head(FrameType.DATA, Flag.END_STREAM, number, 0))
            try:
                return await call.answer
            except asyncio.CancelledError:
                if self._calls.pop(number, None) is not None:
                    self._outbox.drop(call)
                    self._writes.write(frames.rst_stream(number, ErrorCode.CANCEL))
                raise

    def close(self) -> None:
        """Close the connection; calls in flight fail, unless the server has said goodbye and will still answer them."""
        if self.usable or not self._calls:
            self.usable = False
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family != socket.AF_UNIX:
            _keep_alive(sock)
        self._writes = CoalescingWriter(self._transport)
        self._outbox = FlowController(cast(asyncio.Transport, self._writes), _sent, self._loop.time)
        told = {Setting.ENABLE_PUSH: 0, Setting.INITIAL_WINDOW_SIZE: frames.MAX_WINDOW}
        credit = frames.window_update(0, _CREDIT - frames.DEFAULT_WINDOW)
        self._writes.write(frames.PREFACE + frames.settings(told) + credit)
        self._watch = self._loop.call_later(_QUIET, self._look)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._heard = self._loop.time()
        self._pinged = False
        try:
            self._reader.feed(data)
        except (ProtocolError, hpack.HeaderListTooLargeError) as error:
            self._lost(ConnectionError(f"the server breaks HTTP/2: {error or 'too large fields'}"))
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._lost(ConnectionResetError(_LOST))

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        self._outbox.pause()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self._outbox.resume()

    def on_headers(self, number: int, block: bytes, ended: bool) -> None:
        """See Receiver."""
        fields = self._decoder.decode(block)
        call = self._calls.get(number)
        if call is None:
            return
        if call.headers is None:
            call.headers = fields
        if ended:
            del self._calls[number]
            if not call.answer.done():
                call.answer.set_result(Answer(bytes(call.body), call.headers | fields))
            self._end()

    def on_data(self, number: int, data: bytes, size: int, ended: bool) -> None:
        """See Receiver."""
        self._credit -= size
        if self._credit < _CREDIT // 2:
            self._writes.write(frames.window_update(0, _CREDIT - self._credit))
            self._credit = _CREDIT
        if call := self._calls.get(number):
            if not call.body:
                call.body = data
            else:
                call.body = bytearray(call.body) if isinstance(call.body, bytes) else call.body
                call.body += data
            if ended:
                self._fail(call, ConnectionError("the server ended the call without a status"))

    def on_reset(self, number: int) -> None:
        """See Receiver; what servers say comes to `on_refused`."""

    def on_refused(self, number: int, code: int) -> None:
        """The server ends a call."""
        if call := self._calls.get(number):
            if code == ErrorCode.REFUSED_STREAM:
                self._fail(call, RequestNotSentError("the server did not take the call"))
            else:
                self._fail(call, ConnectionError(f"the server reset the call (HTTP/2 error {code})"))

    def on_goaway(self, last: int) -> None:
        """The server takes no more calls; those above `last` were not run."""
        self.usable = False
        for number in [number for number in self._calls if number > last]:
            self._fail(self._calls[number], RequestNotSentError("the server is stopping and did not take the call"))
        self._end()

    def on_window(self, number: int, size: int) -> None:
        """See Receiver."""
        if number == 0:
            self._outbox.widen(None, size)
        elif call := self._calls.get(number):
            self._outbox.widen(call, size)

    def on_settings(self, values: dict[int, int]) -> None:
        """See Receiver."""
        self._outbox.configure(values, self._calls.values())
        self._writes.write(frames.frame(FrameType.SETTINGS, Flag.ACK, 0))
        if not self._greeted.done():
            self._room = asyncio.Semaphore(values.get(Setting.MAX_CONCURRENT_STREAMS, frames.MAX_WINDOW))
            self._greeted.set_result(None)

    def on_ping(self, payload: bytes, answered: bool) -> None:
        """See Receiver."""
        if not answered:
            self._writes.write(frames.frame(FrameType.PING, Flag.ACK, 0, payload))

    async def _opened(self) -> Session:
        try:
            await self._greeted
        except BaseException:
            self._transport.abort()
            raise
        return self

    def _fail(self, call: Call, problem: Exception) -> None:
        self._calls.pop(call.number, None)
        self._outbox.drop(call)
        if not call.answer.done():
            call.answer.set_exception(problem)

    def _end(self) -> None:
        """Close a connection that the server wants to close, after the last answer."""
        if not self.usable and not self._calls:
            self._transport.close()

    def _lost(self, problem: Exception) -> None:
        self.usable = False
        if self._watch is not None:
            self._watch.cancel()
        if not self._greeted.done():
            self._greeted.set_exception(ConnectionError("the server does not speak HTTP/2, or closed the connection"))
        for call in list(self._calls.values()):
            self._fail(call, problem)

    def _look(self) -> None:
        """Ask a server that owes answers and is quiet for a sign of life; without one, give the connection up."""
        quiet = self._loop.time() - self._heard
        if self._calls and quiet >= _QUIET:
            if self._pinged:
                self._lost(ConnectionError("the server gives no sign of life"))
                self._transport.abort()
                return
            self._pinged = True
            self._writes.write(frames.frame(FrameType.PING, 0, 0, bytes(8)))
        self._watch = self._loop.call_later(_QUIET, self._look)


def _sent(stream: Stream) -> None:
    """The request is sent; the stream lives on until the answer has come."""


def _keep_alive(sock: socket.socket) -> None:
    """Have the kernel notice that an idle connection's other end is gone."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
            if option := getattr(socket, name, None):
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
