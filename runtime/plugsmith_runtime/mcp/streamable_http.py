"""MCP's Streamable HTTP transport as an ASGI application.

An answer is JSON, or a stream of server-sent events when the tool has sent something before it was done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any

from ..http.requests import JsonRequestReader
from ..http.responses import (
    JSON,
    RETRY_AFTER,
    Header,
    HttpError,
    Receive,
    Scope,
    Send,
    send_body,
    send_empty,
    send_error,
)
from ..http.security import ACCEPT, Headers
from ..http.sse import EventStream
from .jsonrpc import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    OVERLOADED,
    PARSE_ERROR,
    UNSUPPORTED_VERSION,
    JsonRpcError,
    decode,
    error_message,
    readable_id,
)
from .protocol import (
    LISTEN_METHOD,
    SESSION_ID_HEADER,
    STATELESS_VERSION,
    SUPPORTED_VERSIONS,
    UNNAMED_VERSION,
    VERSION_HEADER,
    check_routing,
    takes_event_stream,
    unsupported_version,
)
from .server import Answer, Server
from .session import Session, SessionStore
from .tools import RequestContext

_VERSIONS = {version.encode(): version for version in SUPPORTED_VERSIONS}
_BAD_REQUEST = (PARSE_ERROR, INVALID_REQUEST, HEADER_MISMATCH, UNSUPPORTED_VERSION)
_STATUS = {**dict.fromkeys(_BAD_REQUEST, 400), OVERLOADED: 503}
# From 2026-07-28 on the status says as much as the error code; before, an error of a method came with 200.
_STATUS_STATELESS = {**_STATUS, INVALID_PARAMS: 400, METHOD_NOT_FOUND: 404}

_SESSION_ID_LIMIT_BYTES = 128
# Most calls are over by then and need no second task that waits for the client to go.
_WATCH_AFTER_SECONDS = 0.02


class StreamableHttp:
    """An MCP server over HTTP; mount it at the path of the endpoint.

    Args:
        server: answers the messages.
        reader: checks and reads the requests; MCP_HEADERS are among the headers that it picks.
        identity: says who the client is.
        trace: finds the caller's traceparent and tracestate in the headers.
    """

    def __init__(
        self,
        server: Server,
        reader: JsonRequestReader,
        *,
        identity: Callable[[Scope], str | None] | None = None,
        trace: Callable[[Headers], Mapping[str, str]] | None = None,
    ) -> None:
        self._server = server
        self._reader = reader
        self._identity = identity
        self._trace = trace
        self._sessions = SessionStore()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            if scope["method"] != "POST":
                await self._get(scope, receive, send)
                return
            request = await self._reader.read(scope, receive)
            if request is None:
                return
            headers, body = request
            named = headers.get(VERSION_HEADER)
            version = UNNAMED_VERSION if named is None else _VERSIONS.get(named, "")
            message = None
            try:
                message = decode(body)
                if not version:
                    raise unsupported_version((named or b"").decode("latin-1"))
                if version == STATELESS_VERSION:
                    check_routing(headers, message)
                identity = None if self._identity is None else self._identity(scope)
                trace = None if self._trace is None else self._trace(headers)
                context = RequestContext(version, identity, len(body), trace, scope["headers"])
                if self._server.keeps_sessions:
                    await self._answer_client(message, context, headers, receive, send)
                    return
                code, reply = await self._server.answer(message, context)
                if not code and reply is not None:
                    await send_body(send, 200, JSON, reply)
                    return
            except JsonRpcError as error:
                code, reply = error.code, error_message(readable_id(message), error)
            await _send_answer(send, version, (code, reply))
        except HttpError as error:
            await send_error(send, error)

    async def _answer_client(
        self, message: Any, context: RequestContext, headers: Headers, receive: Receive, send: Send
    ) -> None:
        """Answer a message whose answer may become a stream, and give up when its client is gone."""
        method = message.get("method") if type(message) is dict else None
        begins = method == "initialize" and context.version != STATELESS_VERSION
        session = self._sessions.create() if begins else self._session(headers, context.version)
        takes_events = takes_event_stream(headers.get(ACCEPT, b"*/*"))
        if method == LISTEN_METHOD and not takes_events:
            raise HttpError(406, "Accept must include text/event-stream")
        async with AsyncExitStack() as stack:
            stream = _LazyEventStream(stack, send)
            context.session = session
            context.notify = stream.event if takes_events else None
            with _CancelOnDisconnect(receive, _WATCH_AFTER_SECONDS) as client:
                answer = await self._server.answer(message, context)
            if client.disconnected:
                return
            if not stream.started:
                named = [(SESSION_ID_HEADER, session.id.encode())] if begins and session else []
                await _send_answer(send, context.version, answer, named)
            elif answer[1] is not None:
                await stream.event(answer[1])

    async def _get(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._server.list_changed:
            nothing = "streams of its own" if self._server.keeps_sessions else "sessions and no streams"
            raise HttpError(405, f"this server has no {nothing}: use POST", (b"allow", b"POST"))
        if scope["method"] != "GET":
            raise HttpError(405, "use POST for messages and GET for their stream", (b"allow", b"GET, POST"))
        headers = self._reader.headers(scope)
        version = headers.get(VERSION_HEADER, b"").decode("latin-1")
        if version == STATELESS_VERSION:
            text = f"MCP {STATELESS_VERSION} has no stream of GET: use {LISTEN_METHOD}"
            raise HttpError(405, text, (b"allow", b"POST"))
        if not takes_event_stream(headers.get(ACCEPT, b"*/*")):
            raise HttpError(406, "Accept must include text/event-stream")
        session = self._session(headers, version)
        if session is None:
            raise HttpError(400, "the header Mcp-Session-Id is missing")
        # Each message may go to one stream of a client only.
        if session.streaming:
            raise HttpError(409, "the session has a stream already")
        session.streaming = True
        try:
            with _CancelOnDisconnect(receive, 0.0):
                async with EventStream(send) as stream:
                    await self._server.watch_tools(stream.send_event)
        finally:
            session.streaming = False

    def _session(self, headers: Headers, version: str) -> Session | None:
        named = headers.get(SESSION_ID_HEADER)
        if named is None or version == STATELESS_VERSION:
            return None
        if not 0 < len(named) <= _SESSION_ID_LIMIT_BYTES or not named.isascii():
            raise HttpError(400, "the header Mcp-Session-Id holds no session id")
        return self._sessions.get(named.decode())


class _LazyEventStream:
    """An event stream that begins with its first event."""

    def __init__(self, stack: AsyncExitStack, send: Send) -> None:
        self._stack = stack
        self._stream = EventStream(send)
        self._lock = asyncio.Lock()
        self.started = False

    async def event(self, data: bytes) -> None:
        async with self._lock:
            if not self.started:
                self.started = True
                await self._stack.enter_async_context(self._stream)
            await self._stream.send_event(data)


class _CancelOnDisconnect:
    """Cancels the task that enters it when the client of a request disconnects.

    Args:
        receive: ASGI's receive of the request, whose body has been read.
        delay: seconds after which to begin to look.

    Attributes:
        disconnected: whether the client is gone; leaving swallows the cancellation then.
    """

    def __init__(self, receive: Receive, delay: float) -> None:
        self._receive = receive
        self._delay = delay
        self._watcher: asyncio.Task[None] | None = None
        self.disconnected = False

    def __enter__(self) -> _CancelOnDisconnect:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._timer = asyncio.get_running_loop().call_later(self._delay, self._begin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if not self.disconnected:
            return False
        self._task.uncancel()
        # A tool may also have met the end of the connection when it sent something.
        return kind is not None and issubclass(kind, (asyncio.CancelledError, OSError))

    def _begin(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.disconnected = True
        self._task.cancel()


async def _send_answer(send: Send, version: str, answer: Answer, headers: list[Header] | None = None) -> None:
    code, reply = answer
    if reply is None:
        await send_empty(send, 202)
    elif not code:
        await send_body(send, 200, JSON, reply, *(headers or ()))
    else:
        status = (_STATUS_STATELESS if version == STATELESS_VERSION else _STATUS).get(code, 200)
        await send_body(send, status, JSON, reply, *([RETRY_AFTER] if status == 503 else []))
