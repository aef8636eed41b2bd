"""Request-response cycle: one HTTP request as an ASGI application gets it, and the response that it sends; with the
flow control of the connection."""

from __future__ import annotations

import asyncio
import logging
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol

from .config import ServerState
from .responses import AsgiApp, HttpError, Message, Scope, send_error

logger = logging.getLogger(__name__)

_STATUS_LINES = {status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}
_FRAMING_HEADERS = frozenset((b"connection", b"content-length", b"date", b"transfer-encoding"))
# These responses have no body, whatever their headers say (RFC 9112, 6.3).
_STATUS_WITHOUT_BODY = frozenset((204, 304))

# Up to here it costs less to copy a body behind its headers than to hand both to the transport.
_JOIN_LIMIT_BYTES = 65_536

READ_HIGH_WATER_BYTES = 65_536
"""Request body that is kept for the application; beyond it the connection is not read."""


class FlowControl:
    """Pauses and resumes one transport.

    Attributes:
        read_paused: the transport is not read.
        write_paused: the transport holds more unsent bytes than it likes.
    """

    __slots__ = ("_transport", "_writable", "read_paused", "write_paused")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._writable: asyncio.Event | None = None
        self.read_paused = False
        self.write_paused = False

    def pause_reading(self) -> None:
        """Read no more until told to."""
        if not self.read_paused:
            self.read_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if self.read_paused:
            self.read_paused = False
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        """The transport's buffer is full: `drain` waits from now on."""
        self.write_paused = True
        self._writable = asyncio.Event()

    def resume_writing(self) -> None:
        """The transport's buffer has room, or the connection is lost: `drain` returns."""
        self.write_paused = False
        if self._writable is not None:
            self._writable.set()
            self._writable = None

    async def drain(self) -> None:
        """Wait until the transport takes more."""
        if self._writable is not None:
            await self._writable.wait()


class Connection(Protocol):
    """What a cycle uses of its connection."""

    flow: FlowControl
    state: ServerState
    transport: asyncio.Transport

    def resume_reading(self) -> None:
        """Read on, unless requests wait for their turn."""

    def on_response_complete(self, keep_alive: bool) -> None:
        """The response of the current request is written, and the connection ends unless it is kept alive."""


class RequestResponseCycle:
    """The ASGI side of one request.

    Args:
        connection: where the request comes from.
        scope: the ASGI scope.
        keep_alive: whether the connection outlives the response.

    Attributes:
        disconnected: the client is gone, or has got its answer from elsewhere.
        response_started: a part of the response is written.
        response_complete: all of it is written.
        task: runs the application, and is among the server's tasks until it is done.
    """

    __slots__ = (
        "_body", "_body_bytes", "_body_delivered", "_chunked", "_connection", "_continue_checked", "_more_body",
        "_readable", "_remaining", "_scope", "_start", "_without_body", "disconnected", "keep_alive",
        "response_complete", "response_started", "task",
    )  # fmt: skip

    task: asyncio.Task[None]

    def __init__(self, connection: Connection, scope: Scope, keep_alive: bool) -> None:
        self._connection = connection
        self._scope = scope
        self._continue_checked = False
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._more_body = True
        self._body_delivered = False
        self._readable: asyncio.Event | None = None
        self._start: Message | None = None
        # How the body ends: after so many bytes, by its last chunk, or (neither) with the connection.
        self._remaining: int | None = None
        self._chunked = False
        self._without_body = False
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_started = False
        self.response_complete = False

    def feed_body(self, data: bytes) -> None:
        """Take a piece of the request body."""
        self._body.append(data)
        self._body_bytes += len(data)
        if self._body_bytes > READ_HIGH_WATER_BYTES:
            self._connection.flow.pause_reading()
        if self._readable is not None:
            self._readable.set()

    def feed_end(self) -> None:
        """The request body is complete."""
        self._more_body = False
        if self._readable is not None:
            self._readable.set()

    def disconnect(self) -> None:
        """Tell the application that nobody waits for its response."""
        self.disconnected = True
        if self._readable is not None:
            self._readable.set()

    async def run(self, app: AsgiApp) -> None:
        """Run the application for this request."""
        try:
            await app(self._scope, self.receive, self.send)
            if not (self.response_complete or self.disconnected or self._connection.transport.is_closing()):
                logger.error("the application returned without a complete response")
                await self._fail()
        except Exception as error:
            text = (
                "the application failed after its response" if self.response_complete else "a request was not answered"
            )
            logger.error(text, exc_info=error)
            await self._fail()
        finally:
            self._connection.state.tasks.discard(self.task)
            if not (self.response_complete or self.disconnected):
                self._connection.transport.close()

    async def receive(self) -> Message:
        """The ASGI `receive`: the request body in pieces, then `http.disconnect` once the client or the response is
        gone."""
        connection = self._connection
        while not (self.disconnected or self.response_complete):
            if self._body or not (self._more_body or self._body_delivered):
                parts = self._body
                body = parts[0] if len(parts) == 1 else b"".join(parts)
                self._body = []
                self._body_bytes = 0
                self._body_delivered = not self._more_body
                return {"type": "http.request", "body": body, "more_body": self._more_body}
            if not self._continue_checked:
                self._send_continue()
            connection.resume_reading()
            if self._readable is None:
                self._readable = asyncio.Event()
            self._readable.clear()
            await self._readable.wait()
        return {"type": "http.disconnect"}

    def _send_continue(self) -> None:
        """Ask for the body, if the client waits for that (RFC 9110, 10.1.1)."""
        self._continue_checked = True
        expected = any(name == b"expect" and value.lower() == b"100-continue" for name, value in self._scope["headers"])
        if expected and self._more_body and not self.response_started and self._scope["http_version"] != "1.0":
            self._connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def send(self, message: Message) -> None:
        """The ASGI `send`: the headers wait for the first piece of the body, so that a body in one piece is one write.

        Raises:
            RuntimeError: the application breaks the order of messages, or its own Content-Length.
        """
        connection = self._connection
        if connection.flow.write_paused and not self.disconnected:
            await connection.flow.drain()
        if self.disconnected or connection.transport.is_closing():
            return
        start = self._start
        due = "http.response.start" if start is None else "http.response.body"
        if self.response_complete or message["type"] != due:
            due = "nothing" if self.response_complete else repr(due)
            raise RuntimeError(f"the application sends {message['type']!r} where {due} is due")
        if start is None:
            self._start = message
            return
        body = message.get("body", b"")
        more_body = message.get("more_body", False)
        head = b"" if self.response_started else self._encode_head(start, None if more_body else len(body))
        self._write(head, body, more_body)
        if not more_body:
            self.response_complete = True
            if self._readable is not None:
                self._readable.set()
            connection.on_response_complete(self.keep_alive)

    def _encode_head(self, start: Message, body_bytes: int | None) -> bytes:
        """The response up to its body.

        Args:
            start: the message `http.response.start`.
            body_bytes: the body's length where all of it is known.
        """
        status = start["status"]
        self._without_body = status in _STATUS_WITHOUT_BODY or self._scope["method"] == "HEAD"
        date_line = self._connection.state.date_line
        lines = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
        content_length = None
        for name, value in start.get("headers", ()):
            if name not in _FRAMING_HEADERS:
                lines.append(_encode_header(name, value))
            elif name == b"content-length":
                content_length = int(value)
            elif name == b"date":
                date_line = _encode_header(name, value)
            elif name == b"connection" and b"close" in value.lower():
                # The rest of these headers is the server's own matter (RFC 9110, 7.6.1).
                self.keep_alive = False
        if content_length is None and not self._without_body:
            if body_bytes is not None:
                content_length = body_bytes
            elif self._scope["http_version"] == "1.1":
                self._chunked = True
                lines.append(b"transfer-encoding: chunked\r\n")
            else:
                self.keep_alive = False
        if content_length is not None and status != 204:
            lines.append(b"content-length: %d\r\n" % content_length)
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        self._remaining = content_length
        lines += (date_line, b"\r\n")
        return b"".join(lines)

    def _write(self, head: bytes, body: bytes, more_body: bool) -> None:
        if self._without_body:
            parts, body = [head], b""
        elif self._chunked:
            size = b"%x\r\n" % len(body) if body else b""
            parts = [head, size, body, b"\r\n" if body else b"", b"" if more_body else b"0\r\n\r\n"]
        else:
            if self._remaining is not None:
                self._remaining -= len(body)
                if self._remaining < 0 or (self._remaining and not more_body):
                    difference = "longer" if self._remaining < 0 else "shorter"
                    raise RuntimeError(f"the response is {difference} than its Content-Length")
            parts = [head, body]
        self.response_started = True
        if len(body) <= _JOIN_LIMIT_BYTES:
            self._connection.transport.write(b"".join(parts))
        else:
            self._connection.transport.writelines([part for part in parts if part])

    async def _fail(self) -> None:
        """Answer in place of the application where it has written nothing; otherwise the connection must end."""
        if not (self.response_started or self.disconnected):
            self._start, self._remaining, self._chunked = None, None, False
            await send_error(self.send, HttpError(500, "internal error; the server's log has the reason"))


@lru_cache(maxsize=256)
def _encode_header(name: bytes, value: bytes) -> bytes:
    """A header as a line; most stand in every response of an application.

    Raises:
        RuntimeError: it is no header, or would be several.
    """
    line = b"%b: %b\r\n" % (name, value)
    if name != name.lower() or not line.count(b"\r") == line.count(b"\n") == 1:
        raise RuntimeError(f"the header {name!r} is not in lower case, or holds a line break")
    return line
