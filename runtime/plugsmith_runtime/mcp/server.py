"""An MCP server: messages in, answers out, for any number of transports and clients."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from .jsonrpc import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    JsonRpcError,
    RequestId,
    check_envelope,
    error_message,
    notification,
    readable_id,
    result_head,
)
from .protocol import (
    BATCH_VERSION,
    CLIENT_CAPABILITIES_KEY,
    LISTEN_METHOD,
    PROTOCOL_VERSION_KEY,
    STATELESS_VERSION,
    SUBSCRIPTION_ID_KEY,
    TOOLS_CHANGED_METHOD,
    negotiate,
    unsupported_version,
)
from .results import ResultEncoder, ToolListPages
from .session import ChangeSignal, Session
from .tools import LOG_LEVELS, Notify, RequestContext, ToolCall, ToolProvider

logger = logging.getLogger(__name__)

_BATCH_LIMIT = 100
_PAGE_SIZE_TOOLS = 1000

Answer = tuple[int, bytes | None]
"""A JSON-RPC error code, 0 for success, and the bytes to send; no bytes when no answer is due."""


class Server:
    """An MCP server of tools.

    Args:
        tools: lists and calls the tools.
        info: name and version of the server, and what else the protocol's `Implementation` may hold.
        instructions: what a client may tell its model about the server.
        list_changed: whether the list of tools may change; `tools_changed` then tells the clients.
        logging: whether tools send log messages.
        page_size: tools on a page of tools/list.

    Attributes:
        list_changed: the argument.
        long_running: whether calls may send notifications, and are cancelled when their client disconnects.
        keeps_sessions: whether a transport with several clients should keep a session for each.
    """

    def __init__(
        self,
        tools: ToolProvider,
        info: dict[str, Any],
        *,
        instructions: str | None = None,
        list_changed: bool = False,
        logging: bool = False,
        page_size: int = _PAGE_SIZE_TOOLS,
    ) -> None:
        self._tools = tools
        capabilities: dict[str, Any] = {"tools": {"listChanged": list_changed}}
        if logging:
            capabilities["logging"] = {}
        self._logging = logging
        self._results = ResultEncoder(info, capabilities, instructions)
        self._pages = ToolListPages(self._results, page_size)
        self._changes = ChangeSignal()
        self.list_changed = list_changed
        self.long_running = tools.long_running
        self.keeps_sessions = list_changed or logging or tools.long_running

    def tools_changed(self) -> None:
        """Tell all clients that want to know it that the list of tools has changed."""
        self._changes.set()

    def close(self) -> None:
        """End the streams of clients that wait for changes; call it before waiting for requests in flight."""
        self._changes.close()

    async def answer(self, message: Any, context: RequestContext) -> Answer:
        """Answer one decoded message, or a batch where the version has batches.

        Args:
            message: the decoded JSON.
            context: where it comes from.
        """
        try:
            if type(message) is list:
                return await self._batch(message, context)
            reply = self._dispatch(message, context)
            return 0, reply if reply is None or isinstance(reply, bytes) else await reply
        except JsonRpcError as error:
            return error.code, error_message(readable_id(message), error)

    async def watch_tools(self, notify: Notify) -> None:
        """Send a notification for each change of the list of tools, until the server is closed.

        Args:
            notify: sends a notification to the client.
        """
        message = notification(TOOLS_CHANGED_METHOD)
        with self._changes.watch() as watch:
            while await watch.changed():
                await notify(message)

    async def _batch(self, messages: list[Any], context: RequestContext) -> Answer:
        if context.version != BATCH_VERSION:
            raise JsonRpcError(INVALID_REQUEST, f"MCP {context.version} has no batches: send one message at a time")
        if not messages or len(messages) > _BATCH_LIMIT:
            raise JsonRpcError(INVALID_REQUEST, f"a batch must hold 1 to {_BATCH_LIMIT} messages")
        share = replace(context, size=context.size // len(messages))
        answers = await asyncio.gather(*(self._member(item, share) for item in messages))
        bodies = [body for _, body in answers if body is not None]
        return 0, b"[%b]" % b",".join(bodies) if bodies else None

    async def _member(self, message: Any, context: RequestContext) -> Answer:
        if type(message) is dict and message.get("method") == "initialize":
            error = JsonRpcError(INVALID_REQUEST, "initialize must not be part of a batch")
            return error.code, error_message(readable_id(message), error)
        if type(message) is list:
            error = JsonRpcError(INVALID_REQUEST, "a message must be a JSON object")
            return error.code, error_message(None, error)
        return await self.answer(message, context)

    def _dispatch(
        self, message: Any, context: RequestContext
    ) -> bytes | Coroutine[Any, Any, bytes] | Coroutine[Any, Any, bytes | None] | None:
        """The answer to one message, or what makes it when that may take time."""
        if not check_envelope(message):
            if context.session is not None and "method" in message:
                _notified(message, context.session)
            return None
        params = message.get("params") or {}
        stateless = context.version == STATELESS_VERSION
        if "_meta" in params or stateless:
            _check_meta(params.get("_meta"), context.version)
        request_id = message["id"]
        head = result_head(request_id)
        method = message["method"]
        if method == "tools/call":
            work = self._call(head, params, stateless, context)
            return work if context.session is None else context.session.run(request_id, work)
        if method == "tools/list":
            return head + self._pages.page(self._tools.tools, params.get("cursor"), context.version)
        if stateless:
            if method == "server/discover":
                return head + self._results.discovery
            if method == LISTEN_METHOD and self.list_changed:
                work = self._listen(request_id, params, context)
                return work if context.session is None else context.session.run(request_id, work)
        elif method == "initialize":
            return head + self._initialize(params, context)
        elif method == "ping":
            return head + b"{}}"
        elif method == "logging/setLevel" and self._logging:
            _set_level(params, context.session)
            return head + b"{}}"
        raise JsonRpcError(METHOD_NOT_FOUND, f"unknown method {method!r}")

    async def _call(self, head: bytes, params: dict[str, Any], stateless: bool, context: RequestContext) -> bytes:
        name = params.get("name")
        arguments = params.get("arguments")
        if arguments is None:
            arguments = {}
        elif type(arguments) is not dict:
            raise JsonRpcError(INVALID_PARAMS, "params.arguments must be an object")
        if type(name) is not str:
            raise JsonRpcError(INVALID_PARAMS, "params.name must be a string")
        meta = params.get("_meta") or {}
        call = ToolCall(name, arguments, meta, context, head, self._results.tails[stateless])
        try:
            result = await self._tools.call_tool(call)
        except JsonRpcError:
            raise
        except Exception as error:
            logger.error("tool %r: the call failed", name, exc_info=error)
            text = "internal error; the server's log has the reason"
            raise JsonRpcError(INTERNAL_ERROR, text) from None
        if isinstance(result, bytes):
            return result
        return head + self._results.tool_result(result, context.version)

    def _initialize(self, params: dict[str, Any], context: RequestContext) -> bytes:
        requested = params.get("protocolVersion")
        if type(requested) is not str:
            raise JsonRpcError(INVALID_PARAMS, "params.protocolVersion must be a string")
        version = negotiate(requested)
        if context.session is not None:
            context.session.version = version
        return self._results.initialized(version)

    async def _listen(self, request_id: RequestId, params: dict[str, Any], context: RequestContext) -> bytes:
        wanted = params.get("notifications")
        if type(wanted) is not dict:
            raise JsonRpcError(INVALID_PARAMS, "params.notifications must be an object")
        if context.notify is None:
            raise JsonRpcError(INVALID_REQUEST, f"{LISTEN_METHOD} is answered by a stream, which the client refuses")
        meta = {SUBSCRIPTION_ID_KEY: request_id}
        granted = {"toolsListChanged": True} if wanted.get("toolsListChanged") is True else {}
        changed = notification(TOOLS_CHANGED_METHOD, {"_meta": meta})
        with self._changes.watch() as watch:
            # The acknowledgement comes first on the stream, and a change while it is sent is not lost.
            params = {"notifications": granted, "_meta": meta}
            await context.notify(notification("notifications/subscriptions/acknowledged", params))
            while await watch.changed():
                if granted:
                    await context.notify(changed)
        return result_head(request_id) + self._results.subscription_end(meta)


def _notified(message: dict[str, Any], session: Session) -> None:
    method = message["method"]
    if method == "notifications/initialized":
        session.initialized.set()
    elif method == "notifications/cancelled" and type(params := message.get("params")) is dict:
        session.cancel(params.get("requestId"))


def _set_level(params: dict[str, Any], session: Session | None) -> None:
    level = params.get("level")
    if level not in LOG_LEVELS:
        raise JsonRpcError(INVALID_PARAMS, f"params.level must be one of {', '.join(LOG_LEVELS)}")
    if session is None:
        raise JsonRpcError(INVALID_REQUEST, "logging/setLevel needs a session: send the header Mcp-Session-Id")
    session.log_level = LOG_LEVELS.index(level)


def _check_meta(meta: Any, version: str) -> None:
    """Check that the version in a request's `_meta`, where 2026-07-28 has it, agrees with how the request came in."""
    if meta is not None and type(meta) is not dict:
        raise JsonRpcError(INVALID_PARAMS, "params._meta must be an object")
    named = (meta or {}).get(PROTOCOL_VERSION_KEY)
    if version != STATELESS_VERSION:
        if named is not None and named != version:
            raise JsonRpcError(HEADER_MISMATCH, f"params._meta says version {named!r}, the request came as {version!r}")
        return
    for key in (PROTOCOL_VERSION_KEY, CLIENT_CAPABILITIES_KEY):
        if key not in (meta or {}):
            raise JsonRpcError(INVALID_PARAMS, f"params._meta lacks {key}")
    if type(named) is not str:
        raise JsonRpcError(INVALID_PARAMS, f"params._meta: {PROTOCOL_VERSION_KEY} must be a string")
    if named != version:
        raise unsupported_version(named)
