"""One request on httptools, and its answer: the part of uvicorn's own cycle that an application needs which answers in
one piece, for half of its time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from .responses import Header, HttpError, Scope, send_refusal

if TYPE_CHECKING:
    from .httptools_connection import HttptoolsConnection

logger = logging.getLogger(__name__)

_START = {status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode()) for status in HTTPStatus}
_MUCH = 65536


class RequestResponseCycle:
    """Carries one request to the application and the answer back.

    Args:
        connection: where the request comes from.
        scope: the request, as ASGI has it.
        keep_alive: whether the client may send another request afterwards.
        wants_continue: whether the client sends the body only when it is told to.

    Attributes:
        disconnected: the client is gone.
        response_started: the application has begun to answer.
        response_complete: it has answered.
        task: carries the request out, and is among the server's tasks until that is done.
    """

    __slots__ = (
        "_connection",
        "_more",
        "_parts",
        "_scope",
        "_size",
        "_start",
        "_waiter",
        "_wants_continue",
        "disconnected",
        "keep_alive",
        "response_complete",
        "response_started",
        "task",
    )

    task: asyncio.Task[None]

    def __init__(self, connection: HttptoolsConnection, scope: Scope, keep_alive: bool, wants_continue: bool) -> None:
        self._connection = connection
        self._scope = scope
        self._wants_continue = wants_continue
        self._parts: list[bytes] = []
        self._size = 0
        self._more = True
        self._start: Any = None
        self.keep_alive = keep_alive
        self.disconnected = False
        self._waiter: asyncio.Future[None] | None = None
        self.response_started = False
        self.response_complete = False

    def feed(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._parts.append(body)
        self._size += len(body)
        if self._size > _MUCH:
            self._connection.flow.pause_reading()
        if self._waiter is not None:
            self.set()

    def feed_end(self) -> None:
        """The body is complete."""
        self._more = False
        if self._waiter is not None:
            self.set()

    @property
    def message_event(self) -> RequestResponseCycle:
        """What uvicorn sets when the client is gone."""
        return self

    def set(self) -> None:
        """Go on with what waits for the body."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def run(self, app: Any) -> None:
        """Have the request answered."""
        try:
            await app(self._scope, self._receive, self)
        except Exception as error:
            logger.error("a request was not answered", exc_info=error)
            if not self.response_started:
                await send_refusal(self, HttpError(500, "internal error; the server's log has the reason"))
        finally:
            self._connection.tasks.discard(self.task)
            if not self.response_complete:
                self._connection.transport.close()

    async def _receive(self) -> dict[str, Any]:
        connection = self._connection
        if self._wants_continue and not connection.transport.is_closing():
            connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._wants_continue = False
        while self._more and not self._parts and not self.disconnected:
            connection.flow.resume_reading()
            self._waiter = connection.loop.create_future()
            await self._waiter
        if self.disconnected:
            return {"type": "http.disconnect"}
        parts = self._parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._parts = []
        self._size = 0
        return {"type": "http.request", "body": body, "more_body": self._more}

    async def __call__(self, message: Any) -> None:
        """Send the answer, as ASGI has it."""
        if message["type"] == "http.response.start":
            self._start = message
            self.response_started = True
            return
        await self.answer(self._start["status"], self._start["headers"], message["body"])

    async def answer(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        """Send the answer in one piece.

        Args:
            status: the HTTP status.
            headers: the headers, that of the body's length among them.
            body: the body.
        """
        connection = self._connection
        self.response_started = True
        if connection.flow.write_paused and not self.disconnected:
            await connection.flow.drain()
        self.response_complete = True
        if self.disconnected or connection.transport.is_closing():
            return
        lines = [_START[status]]
        lines += [b"%b: %b\r\n" % header for header in connection.server_state.default_headers]
        lines += [b"%b: %b\r\n" % header for header in headers]
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        lines += (b"\r\n", body if self._scope["method"] != "HEAD" else b"")
        connection.transport.write(b"".join(lines))
        if not self.keep_alive:
            connection.transport.close()
        connection.on_response_complete()
