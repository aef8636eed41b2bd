"""An MCP server with three tools, without sessions: one message in, one answer out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from ..codec.mcp_tools import GET_PLUGIN_CONFIG, GET_PLUGIN_CONFIGS, INVOKE_HOOK, tool_list
from ..codec.plugin_config import gateway_config
from ..contract.hooks import HOOKS
from ..host.host import Host
from ..host.messages import HookCall, OverloadedError
from ..host.respond import respond
from ..mcp.jsonrpc import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    OVERLOADED,
    JsonRpcError,
    check_envelope,
    error_message,
    readable_id,
    result_head,
)
from ..mcp.versions import (
    BATCH_VERSION,
    CLIENT_CAPABILITIES_KEY,
    PROTOCOL_VERSION_KEY,
    STATELESS_VERSION,
    negotiate,
    unsupported_version,
)
from . import mcp_replies as replies

_BATCH_LIMIT = 100

Answer = tuple[int, bytes | None]
"""A JSON-RPC error code, 0 for success, and the bytes to send; no bytes when no answer is due."""

_TRACE_KEYS = ("traceparent", "tracestate")


class Sender(NamedTuple):
    """What is known about a message from elsewhere.

    Attributes:
        version: the version of MCP that the sender speaks.
        identity: the caller's name in its verified TLS certificate.
        size: the message's bytes.
        trace: the caller's traceparent and tracestate, where the transport carries them; else `_meta` counts.
    """

    version: str
    identity: str | None = None
    size: int = 0
    trace: Mapping[str, str] | None = None


class McpEndpoint:
    """Answers MCP messages for one transport.

    Args:
        host: runs the hooks.
        transport: the transport's name, for the host.
        package: the plugin's package, by which the server calls itself.
    """

    def __init__(self, host: Host, transport: str, package: str) -> None:
        self._host = host
        self._transport = transport
        info = {"name": package, "version": _version(host)}
        self._fixed = replies.FixedReplies(info, tool_list(list(HOOKS)))

    async def answer(self, message: Any, sender: Sender) -> Answer:
        """Answer one decoded message, or a batch where the version has batches.

        Args:
            message: the decoded JSON.
            sender: where it comes from.
        """
        try:
            if type(message) is list:
                return await self._batch(message, sender)
            return 0, await self._one(message, sender)
        except JsonRpcError as refusal:
            return refusal.code, error_message(readable_id(message), refusal)

    async def _batch(self, messages: list[Any], sender: Sender) -> Answer:
        if sender.version != BATCH_VERSION:
            raise JsonRpcError(INVALID_REQUEST, f"MCP {sender.version} has no batches: send one message at a time")
        if not messages or len(messages) > _BATCH_LIMIT:
            raise JsonRpcError(INVALID_REQUEST, f"a batch must hold 1 to {_BATCH_LIMIT} messages")
        share = sender._replace(size=sender.size // len(messages))
        answers = await asyncio.gather(*(self._member(item, share) for item in messages))
        bodies = [body for _, body in answers if body is not None]
        return 0, b"[%b]" % b",".join(bodies) if bodies else None

    async def _member(self, message: Any, sender: Sender) -> Answer:
        if type(message) is dict and message.get("method") == "initialize":
            refusal = JsonRpcError(INVALID_REQUEST, "initialize must not be part of a batch")
            return refusal.code, error_message(readable_id(message), refusal)
        if type(message) is list:
            refusal = JsonRpcError(INVALID_REQUEST, "a message must be a JSON object")
            return refusal.code, error_message(None, refusal)
        return await self.answer(message, sender)

    async def _one(self, message: Any, sender: Sender) -> bytes | None:
        if not check_envelope(message):
            return None
        params = message.get("params") or {}
        stateless = sender.version == STATELESS_VERSION
        if "_meta" in params or stateless:
            _check_meta(params.get("_meta"), sender.version)
        head = result_head(message["id"])
        method = message["method"]
        if method == "tools/call":
            return await self._call(head, params, stateless, sender)
        if method == "tools/list":
            if params.get("cursor") is not None:
                raise JsonRpcError(INVALID_PARAMS, "params.cursor: there is only one page")
            return head + self._fixed.tools(stateless)
        if stateless:
            if method == "server/discover":
                return head + self._fixed.discovery
        elif method == "initialize":
            requested = params.get("protocolVersion")
            if type(requested) is not str:
                raise JsonRpcError(INVALID_PARAMS, "params.protocolVersion must be a string")
            return head + self._fixed.initialized(negotiate(requested))
        elif method == "ping":
            return head + b"{}}"
        raise JsonRpcError(METHOD_NOT_FOUND, f"unknown method {method!r}")

    async def _call(self, head: bytes, params: dict[str, Any], stateless: bool, sender: Sender) -> bytes:
        name = params.get("name")
        arguments = params.get("arguments")
        if arguments is None:
            arguments = {}
        elif type(arguments) is not dict:
            raise JsonRpcError(INVALID_PARAMS, "params.arguments must be an object")
        tails = self._fixed.tails(stateless)
        if name == INVOKE_HOOK:
            hook = arguments.get("hook_type")
            plugin = arguments.get("plugin_name")
            if type(hook) is not str or type(plugin) is not str:
                wrong = "plugin_name" if type(hook) is str else "hook_type"
                raise JsonRpcError(INVALID_PARAMS, f"params.arguments.{wrong} must be a string")
            trace = sender.trace or _trace(params.get("_meta"))
            payload, context = arguments.get("payload"), arguments.get("context")
            call = HookCall(hook, plugin, payload, context, self._transport, sender.identity, sender.size, trace)
            try:
                _, response = await respond(self._host, call, partial(replies.hook_reply, head, tails))
            except OverloadedError as error:
                raise JsonRpcError(OVERLOADED, str(error), error.reply.error) from None
            return response
        if name == GET_PLUGIN_CONFIG:
            wanted = arguments.get("name")
            if type(wanted) is not str:
                raise JsonRpcError(INVALID_PARAMS, "params.arguments.name must be a string")
            return _data(head, tails, gateway_config(entry) if (entry := self._host.plugin_entry(wanted)) else {})
        if name == GET_PLUGIN_CONFIGS:
            return _data(head, tails, [gateway_config(entry) for entry in self._host.plugin_entries()])
        if type(name) is not str:
            raise JsonRpcError(INVALID_PARAMS, "params.name must be a string")
        raise JsonRpcError(INVALID_PARAMS, f"unknown tool {name!r}")


def _data(head: bytes, tails: replies.Tails, data: Any) -> bytes:
    try:
        return replies.text_reply(head, tails.done, data, dates=True)
    except ValueError as error:
        raise JsonRpcError(INTERNAL_ERROR, f"the configuration cannot be sent: {error}") from None


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


def _trace(meta: Any) -> dict[str, str] | None:
    """The caller's trace, where MCP carries it."""
    if not meta:
        return None
    return {key: meta[key] for key in _TRACE_KEYS if type(meta.get(key)) is str}


def _version(host: Host) -> str:
    entries = host.plugin_entries()
    return entries[0].version or "0" if entries else "0"
