"""The three MCP tools of a plugin server: they run hooks, and show the plugins' configuration."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson

from ..codec.mcp_tools import GET_PLUGIN_CONFIG, GET_PLUGIN_CONFIGS, INVOKE_HOOK, hook_tools
from ..codec.plugin_config import gateway_config
from ..contract.hooks import HOOKS
from ..exact_json import dumps
from ..host.host import Host
from ..host.messages import HookCall, HookReply, OverloadedError
from ..host.respond import respond
from ..mcp.jsonrpc import INTERNAL_ERROR, INVALID_PARAMS, OVERLOADED, JsonRpcError
from ..mcp.server import Server
from ..mcp.tools import ToolCall, UnknownToolError

_INSTRUCTIONS = "Plugins of a ContextForge gateway. Call invoke_hook to run a hook of a plugin."


class HookTools:
    """The provider of the three tools.

    Args:
        host: runs the hooks.
        transport: the transport's name, for the host.

    Attributes:
        tools: see ToolProvider.
        long_running: see ToolProvider; hooks are short, and run to their end.
    """

    long_running = False

    def __init__(self, host: Host, transport: str) -> None:
        self._host = host
        self._transport = transport
        self.tools = hook_tools(list(HOOKS))

    async def call_tool(self, call: ToolCall) -> bytes:
        """Call a tool.

        Raises:
            JsonRpcError: there is no such tool, an argument has the wrong type, or too many hooks are running.
        """
        arguments, context = call.arguments, call.context
        if call.name != INVOKE_HOOK:
            return self._configuration(call)
        hook = arguments.get("hook_type")
        plugin = arguments.get("plugin_name")
        if type(hook) is not str or type(plugin) is not str:
            wrong = "plugin_name" if type(hook) is str else "hook_type"
            raise JsonRpcError(INVALID_PARAMS, f"params.arguments.{wrong} must be a string")
        payload, plugin_context = arguments.get("payload"), arguments.get("context")
        size, trace = context.size, call.trace
        hook_call = HookCall(hook, plugin, payload, plugin_context, self._transport, context.identity, size, trace)
        try:
            _, response = await respond(self._host, hook_call, partial(_encode, call))
        except OverloadedError as error:
            raise JsonRpcError(OVERLOADED, str(error), error.reply.error) from None
        return response

    def _configuration(self, call: ToolCall) -> bytes:
        if call.name == GET_PLUGIN_CONFIG:
            wanted = call.arguments.get("name")
            if type(wanted) is not str:
                raise JsonRpcError(INVALID_PARAMS, "params.arguments.name must be a string")
            entry = self._host.plugin_entry(wanted)
            return _config_reply(call, {} if entry is None else gateway_config(entry))
        if call.name == GET_PLUGIN_CONFIGS:
            return _config_reply(call, [gateway_config(entry) for entry in self._host.plugin_entries()])
        raise UnknownToolError(call.name)


def hook_server(host: Host, transport: str, package: str) -> Server:
    """The MCP server of a started host's plugins.

    Args:
        host: runs the hooks.
        transport: the transport's name, for the host.
        package: the package of the plugin that is served: the server's name.
    """
    info = {"name": package, "version": _version(host)}
    return Server(HookTools(host, transport), info, instructions=_INSTRUCTIONS)


def _encode(call: ToolCall, reply: HookReply) -> bytes:
    """Write the answer of invoke_hook.

    Raises:
        EncodeError: a value of the result or the context has no JSON form.
    """
    data: dict[str, Any] = {"plugin_name": reply.plugin}
    if reply.error is not None:
        data["error"] = reply.error
    else:
        data["result"] = reply.result
    if reply.context is not None:
        data["context"] = reply.context
    return call.text_reply(orjson.dumps(dumps(data).decode()), reply.error is not None)


def _config_reply(call: ToolCall, data: Any) -> bytes:
    try:
        # YAML knows dates, JSON writes them as strings.
        return call.text_reply(orjson.dumps(dumps(data, dates=True).decode()))
    except ValueError as error:
        raise JsonRpcError(INTERNAL_ERROR, f"the configuration cannot be sent: {error}") from None


def _version(host: Host) -> str:
    entries = host.plugin_entries()
    return entries[0].version or "0" if entries else "0"
