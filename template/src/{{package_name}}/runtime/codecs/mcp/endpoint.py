"""An MCP server with three tools, without sessions: one message in, one answer out."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from ....contract.hooks import HOOKS
from ...calls import HookCall
from ...host import Host
from . import replies
from .jsonrpc import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    Refusal,
    check_envelope,
    error_message,
    readable_id,
    result_head,
)
from .tools import GET_PLUGIN_CONFIG, GET_PLUGIN_CONFIGS, INVOKE_HOOK, tool_list
from .versions import (
    BATCH_VERSION,
    CLIENT_CAPABILITIES_KEY,
    PROTOCOL_VERSION_KEY,
    STATELESS_VERSION,
    negotiate,
    unsupported_version,
)

_BATCH_LIMIT = 100

Answer = tuple[int, bytes | None]
"""A JSON-RPC error code, 0 for success, and the bytes to send; no bytes when no answer is due."""


class McpEndpoint:
    """Answers MCP messages for one transport.

    Args:
        host: runs the hooks.
        transport: the transport's name, for the host.
    """

    def __init__(self, host: Host, transport: str) -> None:
        self._host = host
        self._transport = transport
        info = {"name": __name__.split(".")[0], "version": _version(host)}
        self._fixed = replies.FixedReplies(info, tool_list(list(HOOKS)))

    async def answer(self, message: Any, version: str, identity: str | None = None) -> Answer:
        """Answer one decoded message, or a batch where the version has batches.

        Args:
            message: the decoded JSON.
            version: the version of MCP that the sender speaks.
            identity: the caller's name in its verified TLS certificate.
        """
        try:
            if type(message) is list:
                return await self._batch(message, version, identity)
            return 0, await self._one(message, version, identity)
        except Refusal as refusal:
            return refusal.code, error_message(readable_id(message), refusal)

    async def _batch(self, messages: list[Any], version: str, identity: str | None) -> Answer:
        if version != BATCH_VERSION:
            raise Refusal(INVALID_REQUEST, f"MCP {version} has no batches: send one message at a time")
        if not messages or len(messages) > _BATCH_LIMIT:
            raise Refusal(INVALID_REQUEST, f"a batch must hold 1 to {_BATCH_LIMIT} messages")
        answers = await asyncio.gather(*(self._member(item, version, identity) for item in messages))
        bodies = [body for _, body in answers if body is not None]
        return 0, b"[%b]" % b",".join(bodies) if bodies else None

    async def _member(self, message: Any, version: str, identity: str | None) -> Answer:
        if type(message) is dict and message.get("method") == "initialize":
            refusal = Refusal(INVALID_REQUEST, "initialize must not be part of a batch")
            return refusal.code, error_message(readable_id(message), refusal)
        if type(message) is list:
            refusal = Refusal(INVALID_REQUEST, "a message must be a JSON object")
            return refusal.code, error_message(None, refusal)
        return await self.answer(message, version, identity)

    async def _one(self, message: Any, version: str, identity: str | None) -> bytes | None:
        if not check_envelope(message):
            return None
        params = message.get("params") or {}
        stateless = version == STATELESS_VERSION
        if "_meta" in params or stateless:
            _check_meta(params.get("_meta"), version)
        head = result_head(message["id"])
        method = message["method"]
        if method == "tools/call":
            return await self._call(head, params, stateless, identity)
        if method == "tools/list":
            if params.get("cursor") is not None:
                raise Refusal(INVALID_PARAMS, "params.cursor: there is only one page")
            return head + self._fixed.tools(stateless)
        if stateless:
            if method == "server/discover":
                return head + self._fixed.discovery
        elif method == "initialize":
            requested = params.get("protocolVersion")
            if type(requested) is not str:
                raise Refusal(INVALID_PARAMS, "params.protocolVersion must be a string")
            return head + self._fixed.initialized(negotiate(requested))
        elif method == "ping":
            return head + b"{}}"
        raise Refusal(METHOD_NOT_FOUND, f"unknown method {method!r}")

    async def _call(self, head: bytes, params: dict[str, Any], stateless: bool, identity: str | None) -> bytes:
        name = params.get("name")
        arguments = params.get("arguments")
        if arguments is None:
            arguments = {}
        elif type(arguments) is not dict:
            raise Refusal(INVALID_PARAMS, "params.arguments must be an object")
        tails = self._fixed.tails(stateless)
        if name == INVOKE_HOOK:
            hook = arguments.get("hook_type")
            plugin = arguments.get("plugin_name")
            if type(hook) is not str or type(plugin) is not str:
                wrong = "plugin_name" if type(hook) is str else "hook_type"
                raise Refusal(INVALID_PARAMS, f"params.arguments.{wrong} must be a string")
            payload = arguments.get("payload")
            call = HookCall(hook, plugin, payload, arguments.get("context"), self._transport, identity)
            return await self._host.answer(call, partial(replies.hook_reply, head, tails))
        if name == GET_PLUGIN_CONFIG:
            wanted = arguments.get("name")
            if type(wanted) is not str:
                raise Refusal(INVALID_PARAMS, "params.arguments.name must be a string")
            return _data(head, tails, self._host.plugin_config(wanted) or {})
        if name == GET_PLUGIN_CONFIGS:
            return _data(head, tails, self._host.plugin_configs())
        if type(name) is not str:
            raise Refusal(INVALID_PARAMS, "params.name must be a string")
        raise Refusal(INVALID_PARAMS, f"unknown tool {name!r}")


def _data(head: bytes, tails: replies.Tails, data: Any) -> bytes:
    try:
        return replies.text_reply(head, tails.done, data)
    except ValueError as problem:
        raise Refusal(INTERNAL_ERROR, f"the configuration cannot be sent: {problem}") from None


def _check_meta(meta: Any, version: str) -> None:
    """Check that the version in a request's `_meta`, where 2026-07-28 has it, agrees with how the request came in."""
    if meta is not None and type(meta) is not dict:
        raise Refusal(INVALID_PARAMS, "params._meta must be an object")
    named = (meta or {}).get(PROTOCOL_VERSION_KEY)
    if version != STATELESS_VERSION:
        if named is not None and named != version:
            raise Refusal(HEADER_MISMATCH, f"params._meta says version {named!r}, the request came as {version!r}")
        return
    for key in (PROTOCOL_VERSION_KEY, CLIENT_CAPABILITIES_KEY):
        if key not in (meta or {}):
            raise Refusal(INVALID_PARAMS, f"params._meta lacks {key}")
    if type(named) is not str:
        raise Refusal(INVALID_PARAMS, f"params._meta: {PROTOCOL_VERSION_KEY} must be a string")
    if named != version:
        raise unsupported_version(named)


def _version(host: Host) -> str:
    configs = host.plugin_configs()
    return str(configs[0].get("version") or "0") if configs else "0"
