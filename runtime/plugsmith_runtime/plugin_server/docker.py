"""The handler of Docker's MCP gateway: {"method": ..., "params": ...} in, {"result": ...} or a status and a text out.

A method is a hook, whose params hold payload, context and, where the server has several plugins, plugin_name; or one of
METHODS, whose params are its payload. The gateway writes names with "-" as well as with "_".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..contract.hooks import HOOKS
from ..exact_json import InvalidJsonError, dumps, loads
from ..host.errors import ErrorCode
from ..host.host import Host
from ..host.loader import METHODS
from ..host.messages import HookCall, HookReply, OverloadedError
from ..host.respond import respond

_STATUS = {
    ErrorCode.UNKNOWN_PLUGIN: 404,
    ErrorCode.UNKNOWN_HOOK: 404,
    ErrorCode.HOOK_NOT_IMPLEMENTED: 404,
    ErrorCode.INVALID_PAYLOAD: 400,
    ErrorCode.INVALID_CONTEXT: 400,
    ErrorCode.HOOK_TIMEOUT: 504,
    ErrorCode.OVERLOADED: 503,
    ErrorCode.PLUGIN_UNAVAILABLE: 503,
}

Response = tuple[int, bytes]
"""An HTTP status, and the body: JSON with 200, otherwise text."""


class DockerHandler:
    """Answers the gateway's calls for one transport.

    Args:
        host: runs the hooks and methods.
        transport: the transport's name, for the host.
    """

    def __init__(self, host: Host, transport: str) -> None:
        self._host = host
        self._transport = transport

    async def answer(self, body: bytes, identity: str | None, trace: Mapping[str, str] | None) -> Response:
        """Answer one call.

        Args:
            body: the request's body.
            identity: the caller's name in its verified TLS certificate.
            trace: the caller's traceparent and tracestate.
        """
        try:
            message = loads(body)
        except InvalidJsonError as error:
            return _refused(400, f"the body is not valid JSON: {error}")
        if type(message) is not dict or type(message.get("method")) is not str:
            return _refused(400, 'the body must be an object with the members "method", a string, and "params"')
        params = message.get("params")
        params = {} if params is None else params
        if type(params) is not dict:
            return _refused(400, "params must be an object")
        name = message["method"].replace("-", "_")
        if name not in HOOKS and name not in METHODS:
            return _refused(404, f"there is no method {message['method']!r}")
        plugin = params.get("plugin_name") if name in HOOKS else None
        plugin = self._host.plugin_for(name) if plugin is None else plugin
        if type(plugin) is not str:
            return self._no_plugin(name)
        payload, context = (params.get("payload"), params.get("context")) if name in HOOKS else (params, None)
        call = HookCall(name, plugin, payload, context, self._transport, identity, len(body), trace)
        encode = _encode_hook if name in HOOKS else _encode_method
        try:
            reply, body = await respond(self._host, call, encode)
        except OverloadedError as error:
            reply, body = error.reply, encode(error.reply)
        return _status(name, reply), body

    def _no_plugin(self, name: str) -> Response:
        if name in METHODS:
            return _refused(404, f"{ErrorCode.HOOK_NOT_IMPLEMENTED}: no plugin of this server answers {name}")
        return _refused(400, f"params.plugin_name must be a string, one of: {', '.join(self._host.names)}")


def _status(name: str, reply: HookReply) -> int:
    if reply.error is not None:
        return _STATUS.get(reply.error["code"], 500)
    # A hook says in its result that it blocks.
    return 403 if name in METHODS and _blocks(reply) else 200


def _blocks(reply: HookReply) -> bool:
    return reply.result is not None and not reply.result["continue_processing"]


def _encode_hook(reply: HookReply) -> bytes:
    if reply.error is not None:
        return _error_text(reply.error)
    answer: dict[str, Any] = {"result": reply.result}
    return dumps(answer if reply.context is None else answer | {"context": reply.context})


def _encode_method(reply: HookReply) -> bytes:
    if reply.error is not None:
        return _error_text(reply.error)
    result = reply.result or {}
    if _blocks(reply):
        return _text(result["violation"]["description"])
    return dumps({"result": result.get("modified_payload", "ok")})


def _error_text(error: dict[str, Any]) -> bytes:
    return _text(f"{error['code']}: {error['message']}")


def _refused(status: int, text: str) -> Response:
    return status, _text(text)


def _text(text: str) -> bytes:
    return text.encode(errors="replace") + b"\n"
